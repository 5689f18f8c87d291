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
        for at in 0..dockerfile.graph.stages.len() {
            let of_stage = || dockerfile.build_commands().filter(|(instruction, _)| instruction.stage == Some(at));
            let uses = |name: &str| of_stage().any(|(_, command)| command.name == name);
            if !uses("wget") || !uses("curl") {
                continue;
            }
            // The one that comes second is the one too many.
            let first = of_stage().find(|(_, command)| command.is_one_of(&["wget", "curl"])).map(|(_, command)| command.name.clone());
            let mut seen = None;
            for (instruction, command) in of_stage().filter(|(_, command)| command.is_one_of(&["wget", "curl"]) && Some(&command.name) != first.as_ref()) {
                if seen.replace(instruction.line) != Some(instruction.line) {
                    findings.push(dockerfile.finding_in(&META, META.severity, command, "this stage uses both wget and curl".to_owned()));
                }
            }
        }
        findings
    }
}
