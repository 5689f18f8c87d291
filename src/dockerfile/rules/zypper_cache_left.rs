//! `zypper-cache-left`: zypper install without zypper clean.

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
    id: "zypper-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["38300d1a", "AVD-DS-0020", "DL3036", "DS-0020", "DS020", "missing-zypper-clean"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Zypper install without zypper clean.",
    help: r#"zypper keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller.

Fails:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl
```

Clean:

```dockerfile
FROM opensuse/leap:15.6
RUN zypper -n install curl && zypper clean --all
```
"#,
};

/// Zypper install without zypper clean.
pub(super) struct ZypperCacheLeft;

impl Rule for ZypperCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call = |command: &Command, actions: &[Action]| {
                Invocation::by(command, Manager::Zypper).is_some_and(|call| actions.contains(&call.action))
            };
            // Only what is cleaned after the last installation is clean.
            let Some(last) = commands.iter().rposition(|command| is_call(command, &[Action::Install, Action::Upgrade])) else { continue };
            let after = commands.get(last..).unwrap_or_default();
            let is_cleaned = after.iter().any(|command| is_call(command, &[Action::Clean]) || command.removes(CACHES));
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned && !instruction.mounts_cache(CACHES)) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what zypper downloaded stays in the layer".to_owned());
                let edit = dockerfile.command_after(instruction, command, "zypper clean --all");
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Where its caches lie.
const CACHES: &[&str] = &["/var/cache/zypp"];
