//! `instruction-before-from`: an instruction other than ARG stands before the first FROM.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "instruction-before-from",
    group: Group::Correctness,
    severity: Severity::High,
    default_on: true,
    aliases: &["DL3061"],
    also: &[],
    needs: &[Need::Ast],
    fix: None,
    summary: "An instruction other than ARG stands before the first FROM.",
    help: r#"Before the first FROM there is no stage to build: only ARG may stand there. BuildKit refuses the file.

Fails:

```dockerfile
RUN make
FROM alpine:3.22
```

Clean:

```dockerfile
FROM alpine:3.22
RUN make
```
"#,
};

/// An instruction other than ARG stands before the first FROM.
pub(super) struct InstructionBeforeFrom;

impl Rule for InstructionBeforeFrom {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for instruction in dockerfile.instructions.iter().take_while(|instruction| instruction.keyword != "FROM") {
            if instruction.keyword != "ARG" {
                let title = format!("{} stands before the first FROM", instruction.keyword);
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}
