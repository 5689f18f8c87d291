//! `multiple-cmd`: several CMD in one stage; only the last counts.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "multiple-cmd",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["41c195f4", "AVD-DS-0016", "DL4003", "DS-0016", "DS016"],
    also: &["MultipleInstructionsDisallowed"],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Unsafe),
    summary: "Several CMD in one stage; only the last counts.",
    help: r#"Only the last CMD of a stage counts; the others mislead whoever reads them.

Fails:

```dockerfile
FROM alpine:3.22
CMD ["first"]
CMD ["second"]
```

Clean:

```dockerfile
FROM alpine:3.22
CMD ["second"]
```
"#,
};

/// Several CMD in one stage; only the last counts.
pub(super) struct MultipleCmd;

impl Rule for MultipleCmd {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.repeated_in_stage(&META, "CMD")
    }
}
