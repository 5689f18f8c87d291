//! `label-not-git-hash`: A label that is to be a commit of git is none.

use crate::model::{
    finding::Finding,
    lint::LabelForm,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::rule::{Dockerfile, Rule};

const META: RuleMeta = RuleMeta {
    id: "label-not-git-hash",
    group: Group::Style,
    severity: Severity::Low,
    default_on: false,
    aliases: &["DL3055"],
    also: &[],
    needs: &[Need::Ast, Need::Config],
    fix: None,
    summary: "A label that is to be a commit of git is none.",
    help: r#"From such a label the very source of an image is found again. A branch or a tag moves; 7, 40 or 64 hexadecimal digits do not. It is asked where the policy says so: `rules.settings.labels` has the key with the form `hash`. A value with a variable is not judged.

Fails:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.revision="main"
```

Clean:

```dockerfile
FROM alpine:3.22
LABEL org.opencontainers.image.revision="1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"
```
"#,
};

/// A label that is to be a commit of git is none.
pub(super) struct LabelNotGitHash;

impl Rule for LabelNotGitHash {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.labels_without_form(&META, LabelForm::GitHash, "a commit of git")
    }
}
