//! `label-not-email`: A label that is to be an address of electronic mail is none.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-email",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3058"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be an address of electronic mail is none.",
    help: r#"Whoever finds something in an image writes to such a label: an address alone, without a name beside it. It is asked where the policy says so: `rules.settings.labels` has the key with the form `email`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.example.contact="Jane Doe"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.example.contact="jane@example.org"
```
"#,
};

/// A label that is to be an address of electronic mail is none.
pub(super) struct LabelNotEmail;

impl Rule for LabelNotEmail {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::Email, "an address of electronic mail")
    }
}
