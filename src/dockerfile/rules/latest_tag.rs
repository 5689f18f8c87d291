//! `latest-tag`: an image reference with the tag latest.

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
    id: "latest-tag",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["AVD-DS-0001", "CKV_DOCKER_7", "DKL-DI-0006", "DL3007", "DS-0001", "DS001", "avoid-latest-version", "f45ea400"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Network),
    summary: "An image reference with the tag latest.",
    help: r#"`latest` is whatever was pushed last: the same file builds another image tomorrow, and nobody can say what was scanned. Unlike hadolint's DL3007, images of COPY --from and RUN --mount count as well.

Fails:

```dockerfile
FROM alpine:latest
```

Clean:

```dockerfile
FROM alpine:3.22
```
"#,
};

/// An image reference with the tag latest.
pub(super) struct LatestTag;

impl Rule for LatestTag {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for image in &dockerfile.graph.images {
            let Some(instruction) = dockerfile.instructions.get(image.instruction) else { continue };
            if image.reference.is_decided() && image.name.tag.as_deref() == Some("latest") && image.name.digest.is_none() {
                let finding = dockerfile.finding(&META, META.severity, instruction, format!("{} has the tag latest", image.reference.text));
                findings.push(fixed_if(finding, FixKind::Network, pinned(dockerfile, image).map(|edit| vec![edit])));
            }
        }
        findings
    }
}
