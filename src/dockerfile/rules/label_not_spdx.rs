//! `label-not-spdx`: A label that is to be an SPDX licence expression is none.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-spdx",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3054"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be an SPDX licence expression is none.",
    help: r#"Programs that check licences know the identifiers of the SPDX list, and expressions of them with `AND`, `OR` and `WITH`; any other text is a licence that nobody knows. It is asked where the policy says so: `rules.settings.labels` has the key with the form `spdx`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.licenses="Apache License 2"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.licenses="Apache-2.0 OR MIT"
```
"#,
};

/// A label that is to be an SPDX licence expression is none.
pub(super) struct LabelNotSpdx;

impl Rule for LabelNotSpdx {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::Spdx, "an SPDX licence expression")
    }
}
