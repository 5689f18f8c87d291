//! `zypper-update`: zypper update.

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
    id: "zypper-update",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["avoid-zypper-update", "d4895357"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Zypper update.",
    help: r#"What an update of everything brings depends on the day of the build. A newer base image brings the same packages for everybody, and says so.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n update
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl && zypper clean --all
```
"#,
};

/// Zypper update.
pub(super) struct ZypperUpdate;

impl Rule for ZypperUpdate {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(&META, &[Manager::Zypper], is_faulty, "the packages of the base image are updated: take a newer base image")
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Zypper
        && invocation.action == Action::Upgrade
        && invocation.packages.is_empty()
        && !invocation.values(&["--category", "g"]).any(|category| category == "security")
}
