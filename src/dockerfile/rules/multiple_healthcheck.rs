//! `multiple-healthcheck`: several HEALTHCHECK in one stage.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "multiple-healthcheck",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0023", "DL3012", "DS-0023", "DS023"],
    also: &["MultipleInstructionsDisallowed"],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Unsafe),
    summary: "Several HEALTHCHECK in one stage.",
    help: r#"Only the last HEALTHCHECK of a stage counts; the others mislead whoever reads them.

Fails:

```dockerfile
FROM alpine:3.22
HEALTHCHECK CMD ["first"]
HEALTHCHECK CMD ["second"]
```

Clean:

```dockerfile
FROM alpine:3.22
HEALTHCHECK CMD ["second"]
```
"#,
};

/// Several HEALTHCHECK in one stage.
pub(super) struct MultipleHealthcheck;

impl Rule for MultipleHealthcheck {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.repeated_in_stage(&META, "HEALTHCHECK")
    }
}
