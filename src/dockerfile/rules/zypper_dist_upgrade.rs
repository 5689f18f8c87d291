//! `zypper-dist-upgrade`: zypper dist-upgrade.

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
    id: "zypper-dist-upgrade",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3035"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Zypper dist-upgrade.",
    help: r#"A distribution upgrade makes another system of the base image, a different one each day. Take the base image of that release.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n dist-upgrade
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
```
"#,
};

/// Zypper dist-upgrade.
pub(super) struct ZypperDistUpgrade;

impl Rule for ZypperDistUpgrade {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(
            &META,
            &[Manager::Zypper],
            is_faulty,
            "the release of the base image is upgraded: take a base image of that release",
        )
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Zypper && invocation.action == Action::DistUpgrade
}
