//! `label-not-semver`: A label that is to be a semantic version is none.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-semver",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3056"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be a semantic version is none.",
    help: r#"Programs that order images by version read Semantic Versioning 2.0.0: three numbers, no `v` in front. It is asked where the policy says so: `rules.settings.labels` has the key with the form `semver`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.version="v1.4"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.version="1.4.0"
```
"#,
};

/// A label that is to be a semantic version is none.
pub(super) struct LabelNotSemver;

impl Rule for LabelNotSemver {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::Semver, "a semantic version")
    }
}
