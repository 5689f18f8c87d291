//! `label-empty`: A label that an image must have is empty.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    labels::Label,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "label-empty",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3051"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that an image must have is empty.",
    help: r#"A label that is there without a value says no more than one that is missing, and passes every test that only looks for its key. It is asked where the policy lists labels (`rules.settings.labels`).

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source=""
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source="https://github.com/acme/app"
```
"#,
};

/// A label that an image must have is empty.
pub(super) struct LabelEmpty;

impl Rule for LabelEmpty {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        if dockerfile.settings.labels.is_empty() {
            return Vec::new();
        }
        let is_asked = |label: &Label<'_>| dockerfile.settings.labels.contains_key(label.key);
        let is_empty = |label: &Label<'_>| label.is_certain() && label.value.text.trim().is_empty();
        let empty = dockerfile.labels().into_iter().filter(|label| is_asked(label) && is_empty(label));
        empty.map(|label| dockerfile.finding_on_label(&META, &label, format!("the label {} is empty", label.key))).collect()
    }
}
