//! `consecutive-runs`: consecutive short RUN instructions.

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
    id: "consecutive-runs",
    group: Group::Size,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3059"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Consecutive short RUN instructions.",
    help: r#"Each RUN is a layer. Those of one command each that belong together may be one; separate ones are cached separately, which is a fair reason to keep them. A RUN that chains commands was put together with thought and is left alone.

Fails:

```dockerfile
FROM debian:12
RUN useradd app
RUN mkdir /app
```

Clean:

```dockerfile
FROM debian:12
RUN useradd app && mkdir /app
```
"#,
};

/// Consecutive short RUN instructions.
pub(super) struct ConsecutiveRuns;

impl Rule for ConsecutiveRuns {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        // A chain of commands was made on purpose.
        const SHORT: usize = 1;
        let mut findings = Vec::new();
        let mut before: Option<(&Instruction, usize)> = None;
        for (instruction, commands) in dockerfile.instructions.iter().zip(&dockerfile.commands) {
            if instruction.keyword != "RUN" {
                before = None;
                continue;
            }
            // What sudo or a shell runs in turn is no further command of the chain.
            let length = commands.iter().filter(|command| !command.name.is_empty() && !command.wrapped).count();
            match before {
                Some((other, count)) if other.flags == instruction.flags && count <= SHORT && length <= SHORT => {
                    findings.push(dockerfile.finding(&META, META.severity, instruction, "one more short RUN".to_owned()));
                }
                _ => before = Some((instruction, length)),
            }
        }
        findings
    }
}
