//! `yum-cache-left`: yum install without yum clean all.

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
    id: "yum-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["00481784", "AVD-DS-0015", "DL3032", "DS-0015", "DS015"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Yum install without yum clean all.",
    help: r#"yum keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller. Unlike hadolint's DL3032, `rm -rf` of something else is no cleaning up.

Fails:

```dockerfile
FROM almalinux:9
RUN yum install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN yum install -y curl && yum clean all
```
"#,
};

/// Yum install without yum clean all.
pub(super) struct YumCacheLeft;

impl Rule for YumCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.caches_left(&META, CACHES)
    }
}

const CACHES: &Caches =
    &Caches { manager: Manager::Yum, name: "yum", folders: &["/var/cache/yum", "/var/cache/dnf"], cleaning: "clean all" };
