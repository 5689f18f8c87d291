//! `dnf-cache-left`: dnf install without dnf clean all.

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
    id: "dnf-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["295acb63", "AVD-DS-0019", "DL3040", "DS-0019", "DS019", "missing-dnf-clean-all"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Dnf install without dnf clean all.",
    help: r#"dnf keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller. Unlike hadolint's DL3040, a dnf that sudo or another program runs counts.

Fails:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl && dnf clean all
```
"#,
};

/// Dnf install without dnf clean all.
pub(super) struct DnfCacheLeft;

impl Rule for DnfCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.caches_left(&META, CACHES)
    }
}

const CACHES: &Caches = &Caches {
    manager: Manager::Dnf,
    name: "dnf",
    folders: &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"],
    cleaning: "clean all",
};
