//! `yum-update`: yum update or upgrade of everything.

use crate::model::{
    finding::Finding,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "yum-update",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["8f6456be", "avoid-yum-update"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Yum update or upgrade of everything.",
    help: r#"What an update of everything brings depends on the day of the build. A newer base image brings the same packages for everybody, and says so.

Fails:

```dockerfile
FROM almalinux:9
RUN yum update -y
```

Clean:

```dockerfile
FROM almalinux:9.6
RUN yum install -y curl && yum clean all
```
"#,
};

/// Yum update or upgrade of everything.
pub(super) struct YumUpdate;

impl Rule for YumUpdate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(&META, &[Manager::Yum], is_faulty, "the packages of the base image are updated: take a newer base image")
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Yum
        && invocation.action == Action::Upgrade
        && invocation.packages.is_empty()
        && !invocation.has(&["--security"])
}
