//! `frontend-not-pinned`: `# syntax=` without a digest.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    detect::Frontend,
    edits::fixed_if,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "frontend-not-pinned",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: false,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast],
    fix: Some(FixKind::Network),
    summary: "`# syntax=` without a digest.",
    help: r#"The frontend runs the whole build. `docker/dockerfile:1` moves on purpose; a digest keeps the build as it was.

Fails:

```dockerfile
# syntax=docker/dockerfile:1
FROM alpine:3.22
```

Clean:

```dockerfile
# syntax=docker/dockerfile:1@sha256:b6afd42430b15f2d2a4c5a02b919e98a525b785b1aaff16747d2f623364e39b6
FROM alpine:3.22
```
"#,
};

/// `# syntax=` without a digest.
pub(super) struct FrontendNotPinned;

impl Rule for FrontendNotPinned {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let unpinned = dockerfile.directives.syntax.iter().filter(|frontend| !frontend.reference.contains("@sha256:"));
        unpinned
            .map(|frontend| {
                let title = format!("the frontend {} has no digest", frontend.reference);
                let finding = dockerfile.finding_on_line(&META, META.severity, frontend.line, title);
                fixed_if(finding, FixKind::Network, pinned(dockerfile, frontend).map(|edit| vec![edit]))
            })
            .collect()
    }
}

/// The directive with the digest that the registry gives the frontend.
fn pinned(dockerfile: &Dockerfile<'_>, frontend: &Frontend) -> Option<Edit> {
    let digest = dockerfile.bases.get(&frontend.reference)?.digest.as_deref()?;
    let end = frontend.range.as_ref()?.end;
    Some(dockerfile.edit(end..end, format!("@{digest}")))
}
