//! `wget-and-curl`: one stage uses both wget and curl.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

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
        let mut stage = None;
        let mut seen = (false, false);
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| is_run(instruction)) {
            if stage != instruction.stage {
                stage = instruction.stage;
                seen = (false, false);
            }
            let Some(one) = commands.iter().find(|command| command.is_one_of(&["curl", "wget"])) else { continue };
            let other = commands.iter().find(|command| command.is_one_of(&["curl", "wget"]) && command.name != one.name);
            seen.0 |= one.name == "curl" || other.is_some();
            seen.1 |= one.name == "wget" || other.is_some();
            // Each RUN that uses one of them, once the stage has used both, is a place where the choice can be made.
            if seen == (true, true) {
                findings.push(dockerfile.finding_in(
                    &META,
                    META.severity,
                    other.unwrap_or(one),
                    "this stage uses both wget and curl".to_owned(),
                ));
            }
        }
        findings
    }
}

/// Whether an instruction runs code in the build, now or as a trigger.
fn is_run(instruction: &Instruction) -> bool {
    instruction.trigger.as_deref().unwrap_or(instruction).keyword == "RUN"
}
