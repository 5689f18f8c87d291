//! `microdnf-cache-left`: microdnf install without microdnf clean all.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_caches::Caches,
    package_manager::Manager,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "microdnf-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0027", "DS-0027", "DS027"],
    also: &["DL3040"],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Microdnf install without microdnf clean all.",
    help: r#"microdnf keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller.

Fails:

```dockerfile
FROM almalinux:9
RUN microdnf install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN microdnf install -y curl && microdnf clean all
```
"#,
};

/// Microdnf install without microdnf clean all.
pub(super) struct MicrodnfCacheLeft;

impl Rule for MicrodnfCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.caches_left(&META, CACHES)
    }
}

const CACHES: &Caches =
    &Caches { manager: Manager::Microdnf, name: "microdnf", folders: &["/var/cache/dnf", "/var/cache/yum"], cleaning: "clean all" };
