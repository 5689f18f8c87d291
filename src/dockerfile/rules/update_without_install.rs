//! `update-without-install`: A package index update in its own RUN.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "update-without-install",
    group: Group::Reproducibility,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["9bae49be", "AVD-DS-0017", "CIS-4.7", "CIS-DI-0007", "CKV_DOCKER_5", "DS-0017", "DS017"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "A package index update in its own RUN.",
    help: r#"The layer of the update is cached: a later installation in another RUN uses an old index, and fails or installs old packages.

Fails:

```dockerfile
FROM debian:12
RUN apt-get update
RUN apt-get install -y curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y curl
```
"#,
};

/// A package index update in its own RUN.
pub(super) struct UpdateWithoutInstall;

impl Rule for UpdateWithoutInstall {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN" && !instruction.mounts_cache(INDEXES)) {
            let calls = || commands.iter().filter_map(|command| Some((command, Invocation::of(command)?))).filter(|(_, call)| is_of_system(call.manager));
            let is_used = calls().any(|(_, call)| matches!(call.action, Action::Install | Action::Upgrade | Action::DistUpgrade));
            let refresh = calls().find(|(_, call)| call.action == Action::Refresh);
            if let Some((command, _)) = refresh.filter(|_| !is_used) {
                findings.push(dockerfile.finding_in(&META, META.severity, command, "an index that no installation of this RUN uses".to_owned()));
            }
        }
        findings
    }
}

/// Where the package managers of systems keep their indexes.
const INDEXES: &[&str] = &["/var/lib/apt", "/var/cache/apk", "/etc/apk/cache", "/var/cache/dnf", "/var/cache/yum", "/var/cache/zypp"];

const fn is_of_system(manager: Manager) -> bool {
    matches!(manager, Manager::Apk | Manager::Apt | Manager::Dnf | Manager::Microdnf | Manager::Yum | Manager::Zypper)
}
