//! `wget-and-curl`: one stage uses both wget and curl.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "wget-and-curl",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0014", "DL4001", "DS-0014", "DS014", "fc775e75", "use-either-wget-or-curl"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: None,
    summary: "One stage uses both wget and curl.",
    help: r#"Two programs for one purpose: both have to be installed, and patched.

Fails:

```dockerfile
FROM debian:12
RUN wget -q https://example.com/a
RUN curl -fsSO https://example.com/b
```

Clean:

```dockerfile
FROM debian:12
RUN curl -fsSO https://example.com/a
RUN curl -fsSO https://example.com/b
```
"#,
};

/// One stage uses both wget and curl.
pub(super) struct WgetAndCurl;

impl Rule for WgetAndCurl {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        // Per stage, which one comes first: the other one is the one too many.
        let mut first: Option<(usize, &str)> = None;
        let mut seen = None;
        for (instruction, command) in dockerfile.build_commands().filter(|(_, command)| command.is_one_of(&["wget", "curl"])) {
            let Some(stage) = instruction.stage else { continue };
            match first.filter(|(at, _)| *at == stage) {
                None => first = Some((stage, command.name.as_str())),
                Some((_, name)) if name != command.name.as_str() && seen.replace(instruction.line) != Some(instruction.line) => {
                    findings.push(dockerfile.finding_in(&META, META.severity, command, "this stage uses both wget and curl".to_owned()));
                }
                Some(_) => {}
            }
        }
        findings
    }
}
