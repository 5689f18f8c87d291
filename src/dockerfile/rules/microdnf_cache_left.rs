//! `microdnf-cache-left`: microdnf install without microdnf clean all.

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
    id: "microdnf-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0027", "DS-0027", "DS027"],
    also: &["DL3040"],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Microdnf install without microdnf clean all.",
    help: r#"microdnf keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller.

Fails:

```dockerfile
FROM almalinux:9
RUN microdnf install -y curl
```

Clean:

```dockerfile
FROM almalinux:9
RUN microdnf install -y curl && microdnf clean all
```
"#,
};

/// Microdnf install without microdnf clean all.
pub(super) struct MicrodnfCacheLeft;

impl Rule for MicrodnfCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call = |command: &Command, actions: &[Action]| {
                Invocation::by(command, Manager::Microdnf).is_some_and(|call| actions.contains(&call.action))
            };
            // Only what is cleaned after the last installation is clean.
            let Some(last) = commands.iter().rposition(|command| is_call(command, &[Action::Install, Action::Upgrade])) else { continue };
            let after = commands.get(last..).unwrap_or_default();
            let is_cleaned = after.iter().any(|command| is_call(command, &[Action::Clean]) || command.removes(CACHES));
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned && !instruction.mounts_cache(CACHES)) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what microdnf downloaded stays in the layer".to_owned());
                let edit = dockerfile.command_after(instruction, command, "microdnf clean all");
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Where its caches lie.
const CACHES: &[&str] = &["/var/cache/dnf", "/var/cache/yum"];
