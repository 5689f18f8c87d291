//! `label-not-rfc3339`: A label that is to be a time is none of RFC 3339.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-rfc3339",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3053"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be a time is none of RFC 3339.",
    help: r#"Programs sort and compare such labels. RFC 3339 has the date, `T`, the time with seconds, and an offset or `Z`. It is asked where the policy says so: `rules.settings.labels` has the key with the form `rfc3339`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.created="23.11.2026"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.created="2026-11-23T04:05:06Z"
```
"#,
};

/// A label that is to be a time is none of RFC 3339.
pub(super) struct LabelNotRfc3339;

impl Rule for LabelNotRfc3339 {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::Rfc3339, "a time of RFC 3339")
    }
}
