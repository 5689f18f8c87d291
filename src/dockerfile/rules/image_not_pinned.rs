//! `image-not-pinned`: FROM, COPY --from or --mount=from without a digest.

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
    id: "image-not-pinned",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &["CIS-4.5", "CIS-DI-0005", "dockerfile-source-not-pinned"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: Some(FixKind::Network),
    summary: "FROM, COPY --from or --mount=from without a digest.",
    help: r#"A tag moves: tomorrow the same file builds on another image. A digest does not. Bots such as Renovate keep digests fresh.

Fails:

```dockerfile
FROM alpine:3.22
```

Clean:

```dockerfile
FROM alpine:3.22@sha256:4bcff63911fcb4448bd4fdacec207030997caf25e9bea4045fa6c8c44de311d1
```
"#,
};

/// FROM, COPY --from or --mount=from without a digest.
pub(super) struct ImageNotPinned;

impl Rule for ImageNotPinned {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for image in &dockerfile.graph.images {
            let Some(instruction) = dockerfile.instructions.get(image.instruction) else { continue };
            if image.reference.is_decided() && image.name.digest.is_none() && !image.reference.text.is_empty() {
                let title = format!("{} has no digest", image.reference.text);
                let finding = dockerfile.finding(&META, META.severity, instruction, title);
                findings.push(fixed_if(finding, FixKind::Network, pinned(dockerfile, image).map(|edit| vec![edit])));
            }
        }
        findings
    }
}
