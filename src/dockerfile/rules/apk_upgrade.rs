//! `apk-upgrade`: apk upgrade.

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
    id: "apk-upgrade",
    group: Group::Reproducibility,
    severity: Severity::Low,
    default_on: true,
    aliases: &["989ab888", "avoid-apk-upgrade"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: None,
    summary: "Apk upgrade.",
    help: r#"What an upgrade brings depends on the day of the build. A newer base image brings the same packages for everybody, and says so.

Fails:

```dockerfile
FROM alpine:3.22
RUN apk upgrade --no-cache
```

Clean:

```dockerfile
FROM alpine:3.22.2
RUN apk add --no-cache curl
```
"#,
};

/// Apk upgrade.
pub(super) struct ApkUpgrade;

impl Rule for ApkUpgrade {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        dockerfile.where_called(&META, &[Manager::Apk], is_faulty, "the packages of the base image are upgraded: take a newer base image")
    }
}

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    invocation.manager == Manager::Apk && invocation.action == Action::Upgrade
}
