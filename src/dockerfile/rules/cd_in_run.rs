//! `cd-in-run`: RUN changes directory instead of WORKDIR.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "cd-in-run",
    group: Group::Style,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0013", "DL3003", "DS-0013", "DS013", "f4a6bcd3", "use-workdir"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "RUN changes directory instead of WORKDIR.",
    help: r#"A `cd` holds until the end of its RUN. WORKDIR holds for the rest of the stage, and says where everything happens.

Fails:

```dockerfile
FROM alpine:3.22
RUN cd /srv && make
```

Clean:

```dockerfile
FROM alpine:3.22
WORKDIR /srv
RUN make
```
"#,
};

/// RUN changes directory instead of WORKDIR.
pub(super) struct CdInRun;

impl Rule for CdInRun {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in
            dockerfile.scripts().filter(|(instruction, _)| instruction.trigger.as_deref().unwrap_or(instruction).keyword == "RUN")
        {
            if let Some(command) = commands.iter().find(|command| command.name == "cd") {
                findings.push(dockerfile.finding_in(
                    &META,
                    META.severity,
                    command,
                    "cd in RUN: WORKDIR holds for what follows, too".to_owned(),
                ));
            }
        }
        findings
    }
}
