//! `dnf-cache-left`: dnf install without dnf clean all.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    edits::fixed_if,
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "dnf-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["295acb63", "AVD-DS-0019", "DL3040", "DS-0019", "DS019", "missing-dnf-clean-all"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Dnf install without dnf clean all.",
    help: r#"dnf keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller. Unlike hadolint's DL3040, a dnf that sudo or another program runs counts.

Fails:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN dnf install -y curl && dnf clean all
```
"#,
};

/// Dnf install without dnf clean all.
pub(super) struct DnfCacheLeft;

impl Rule for DnfCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call = |command: &Command, actions: &[Action]| {
                Invocation::by(command, Manager::Dnf).is_some_and(|call| actions.contains(&call.action))
            };
            // Only what is cleaned after the last installation is clean.
            let Some(last) = commands.iter().rposition(|command| is_call(command, &[Action::Install, Action::Upgrade])) else { continue };
            let after = commands.get(last..).unwrap_or_default();
            let is_cleaned = after.iter().any(|command| is_call(command, &[Action::Clean]) || command.removes(CACHES));
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned && !instruction.mounts_cache(CACHES)) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what dnf downloaded stays in the layer".to_owned());
                let edit = dockerfile.command_after(instruction, command, &format!("{} clean all", command.name));
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Where its caches lie.
const CACHES: &[&str] = &["/var/cache/dnf", "/var/cache/libdnf5", "/var/cache/yum"];
