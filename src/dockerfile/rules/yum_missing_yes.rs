//! `yum-missing-yes`: yum install without -y.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::Manager,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "yum-missing-yes",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["6e19193a", "DL3030", "missing-yum-assume-yes-switch"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Yum install without -y.",
    help: r#"Without -y yum asks, and nobody is there to answer: the build stops.

Fails:

```dockerfile
FROM almalinux:9
RUN yum install curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN yum install -y curl
```
"#,
};

/// Yum install without -y.
pub(super) struct YumMissingYes;

impl Rule for YumMissingYes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = "yum asks before it installs, and nobody answers";
        dockerfile.where_installed_without(&META, &[Manager::Yum], "-y", |call| call.has(&["y", "--assumeyes"]), title)
    }
}
