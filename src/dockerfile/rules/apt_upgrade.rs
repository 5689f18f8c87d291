//! `apt-upgrade`: apt-get upgrade or dist-upgrade.

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
    id: "apt-upgrade",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["682fe378", "AVD-DS-0024", "DKL-DI-0003", "DS-0024", "DS024", "avoid-apt-get-upgrade"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apt-get upgrade or dist-upgrade.",
    help: r#"What an upgrade brings depends on the day of the build. A newer base image brings the same packages for everybody, and says so.

Fails:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get upgrade -y
```

Clean:

```dockerfile
FROM debian:12.12
RUN apt-get update && apt-get install -y --no-install-recommends curl
```
"#,
};

/// Apt-get upgrade or dist-upgrade.
pub(super) struct AptUpgrade;

impl Rule for AptUpgrade {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(&META, &[Manager::Apt], is_faulty, "the packages of the base image are upgraded: take a newer base image")
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Apt && matches!(invocation.action, Action::Upgrade | Action::DistUpgrade)
}
