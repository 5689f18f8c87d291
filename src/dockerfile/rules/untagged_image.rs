//! `untagged-image`: an image reference with neither tag nor digest.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::{fixed_if, pinned},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "untagged-image",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["9efb0b2d", "DL3006", "missing-image-version"],
    also: &["CKV_DOCKER_7", "DS-0001"],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Network),
    summary: "An image reference with neither tag nor digest.",
    help: r#"Without a tag the reference means `latest`: the same file builds another image tomorrow. Unlike hadolint's DL3006, the variables of FROM are resolved first (`FROM $BASE` with a default is judged by it), and images of COPY --from and RUN --mount count.

Fails:

```dockerfile
FROM alpine
```

Clean:

```dockerfile
FROM alpine:3.22
```
"#,
};

/// An image reference with neither tag nor digest.
pub(super) struct UntaggedImage;

impl Rule for UntaggedImage {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for image in &dockerfile.graph.images {
            let Some(instruction) = dockerfile.instructions.get(image.instruction) else { continue };
            if image.reference.is_decided() && image.name.tag.is_none() && image.name.digest.is_none() && !image.reference.text.is_empty() {
                let finding =
                    dockerfile.finding(&META, META.severity, instruction, format!("{} has neither tag nor digest", image.reference.text));
                findings.push(fixed_if(finding, FixKind::Network, pinned(dockerfile, image).map(|edit| vec![edit])));
            }
        }
        findings
    }
}
