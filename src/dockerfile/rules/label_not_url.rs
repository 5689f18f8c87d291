//! `label-not-url`: A label that is to be a URI is none.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-url",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3052"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be a URI is none.",
    help: r#"Programs that show an image follow such a label: a source repository, a page, a manual. A text that is no URI, with its scheme, leads nowhere. It is asked where the policy says so: `rules.settings.labels` has the key with the form `url`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source="github.com/acme/app"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source="https://github.com/acme/app"
```
"#,
};

/// A label that is to be a URI is none.
pub(super) struct LabelNotUrl;

impl Rule for LabelNotUrl {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::Url, "a URI")
    }
}
