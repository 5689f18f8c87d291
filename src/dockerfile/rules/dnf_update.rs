//! `dnf-update`: dnf update or upgrade of everything.

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
    id: "dnf-update",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["09fda05e", "avoid-dnf-update"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Dnf update or upgrade of everything.",
    help: r#"What an update of everything brings depends on the day of the build. A newer base image brings the same packages for everybody, and says so.

Fails:

```dockerfile
FROM almalinux:9
RUN dnf update -y
```

Clean:

```dockerfile
FROM almalinux:9.6
RUN dnf install -y curl && dnf clean all
```
"#,
};

/// Dnf update or upgrade of everything.
pub(super) struct DnfUpdate;

impl Rule for DnfUpdate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(
            &META,
            &[Manager::Dnf, Manager::Microdnf],
            is_faulty,
            "the packages of the base image are updated: take a newer base image",
        )
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    matches!(invocation.manager, Manager::Dnf | Manager::Microdnf)
        && invocation.action == Action::Upgrade
        && invocation.packages.is_empty()
        && !invocation.has(&["--security"])
}
