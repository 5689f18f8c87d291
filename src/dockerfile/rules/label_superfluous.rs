//! `label-superfluous`: A label is none of those that images may have.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-superfluous",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3050"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label is none of those that images may have.",
    help: r#"Where the list of labels is closed, another key is a typing error or something that nobody agreed on: programs that read labels pass over it. It is asked where the policy sets `rules.settings.strict_labels`.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.sourec="https://github.com/acme/app"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.source="https://github.com/acme/app"
```
"#,
};

/// A label is none of those that images may have.
pub(super) struct LabelSuperfluous;

impl Rule for LabelSuperfluous {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let settings = dockerfile.settings;
        if !settings.strict_labels || settings.labels.is_empty() {
            return Vec::new();
        }
        let others = dockerfile.labels().into_iter().filter(|label| !settings.labels.contains_key(label.key));
        others
            .map(|label| dockerfile.finding_on_label(&META, &label, format!("the label `{}` is none of the configured ones", label.key)))
            .collect()
    }
}
