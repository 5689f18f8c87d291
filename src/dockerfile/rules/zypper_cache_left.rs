//! `zypper-cache-left`: zypper install without zypper clean.

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
    id: "zypper-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["38300d1a", "AVD-DS-0020", "DL3036", "DS-0020", "DS020", "missing-zypper-clean"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Zypper install without zypper clean.",
    help: r#"zypper keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl && zypper clean --all
```
"#,
};

/// Zypper install without zypper clean.
pub(super) struct ZypperCacheLeft;

impl Rule for ZypperCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.caches_left(&META, CACHES)
    }
}

const CACHES: &Caches = &Caches { manager: Manager::Zypper, name: "zypper", folders: &["/var/cache/zypp"], cleaning: "clean --all" };
