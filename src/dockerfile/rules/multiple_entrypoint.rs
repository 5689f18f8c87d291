//! `multiple-entrypoint`: several ENTRYPOINT in one stage.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "multiple-entrypoint",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &[
        "6938958b",
        "AVD-DS-0007",
        "DL4004",
        "DS-0007",
        "DS007",
        "MultipleInstructionsDisallowed",
        "multiple-entrypoint-instructions",
    ],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Unsafe),
    summary: "Several ENTRYPOINT in one stage.",
    help: r#"Only the last ENTRYPOINT of a stage counts; the others mislead whoever reads them.

Fails:

```dockerfile
FROM alpine:3.22
ENTRYPOINT ["first"]
ENTRYPOINT ["second"]
```

Clean:

```dockerfile
FROM alpine:3.22
ENTRYPOINT ["second"]
```
"#,
};

/// Several ENTRYPOINT in one stage.
pub(super) struct MultipleEntrypoint;

impl Rule for MultipleEntrypoint {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.repeated_in_stage(&META, "ENTRYPOINT")
    }
}
