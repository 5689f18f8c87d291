//! `dnf-missing-yes`: dnf or microdnf install without -y.

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
    id: "dnf-missing-yes",
    group: Group::Correctness,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["7ebd323c", "DL3038", "missing-dnf-assume-yes-switch"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Dnf or microdnf install without -y.",
    help: r#"Without -y dnf asks, and nobody is there to answer: the build stops.

Fails:

```dockerfile
FROM almalinux:9
RUN dnf install curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl
```
"#,
};

/// Dnf or microdnf install without -y.
pub(super) struct DnfMissingYes;

impl Rule for DnfMissingYes {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let title = "dnf asks before it installs, and nobody answers";
        dockerfile.where_installed_without(&META, &[Manager::Dnf, Manager::Microdnf], "-y", |call| call.has(&["y", "--assumeyes"]), title)
    }
}
