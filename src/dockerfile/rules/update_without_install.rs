//! `update-without-install`: A package index update in its own RUN.

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    edits::fixed_if,
    instruction::Instruction,
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
        for (instruction, commands) in
            dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN" && !instruction.mounts_cache(INDEXES))
        {
            let calls = || {
                commands
                    .iter()
                    .filter_map(|command| Some((command, Invocation::of(command)?)))
                    .filter(|(_, call)| is_of_system(call.manager))
            };
            let is_used = calls().any(|(_, call)| matches!(call.action, Action::Install | Action::Upgrade | Action::DistUpgrade));
            let refresh = calls().find(|(_, call)| call.action == Action::Refresh);
            if let Some((command, _)) = refresh.filter(|_| !is_used) {
                let finding =
                    dockerfile.finding_in(&META, META.severity, command, "an index that no installation of this RUN uses".to_owned());
                let edit = joined(dockerfile, instruction, command);
                findings.push(fixed_if(finding, FixKind::Unsafe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// This RUN and the next instruction in one, when that is a plain RUN as well and installs something with the same program.
fn joined(dockerfile: &Dockerfile<'_>, instruction: &Instruction, command: &Command) -> Option<Edit> {
    let index = dockerfile.instructions.partition_point(|other| other.range.start <= instruction.range.start);
    let next = dockerfile.instructions.get(index)?;
    let is_plain = |run: &Instruction| run.keyword == "RUN" && run.flags.is_empty() && run.heredocs.is_empty() && !run.json;
    let manager = Invocation::of(command)?.manager;
    let installs = dockerfile
        .commands
        .get(index)?
        .iter()
        .filter_map(Invocation::of)
        .any(|call| call.manager == manager && call.action == Action::Install);
    if !is_plain(instruction) || !is_plain(next) || !installs || instruction.stage != next.stage {
        return None;
    }
    if instruction.rest.ends_with([';', '&', '|']) || instruction.rest.contains(['#', ';']) || instruction.rest.contains("||") {
        return None;
    }
    let end = instruction.logical.range(&(instruction.rest_at..instruction.rest_at + instruction.rest.len())).end;
    let start = next.logical.offset(next.rest_at);
    let between = dockerfile.source.text.get(end..start)?;
    let escape = dockerfile.directives.escape;
    let separator = format!(" {escape}{}    && ", dockerfile.newline());
    between.trim().eq_ignore_ascii_case("RUN").then(|| dockerfile.edit(end..start, separator))
}

/// Where the package managers of systems keep their indexes.
const INDEXES: &[&str] = &[
    "/var/lib/apt/lists",
    "/var/cache/apk",
    "/etc/apk/cache",
    "/var/cache/dnf",
    "/var/cache/libdnf5",
    "/var/cache/yum",
    "/var/cache/zypp",
];

const fn is_of_system(manager: Manager) -> bool {
    matches!(manager, Manager::Apk | Manager::Apt | Manager::Dnf | Manager::Microdnf | Manager::Yum | Manager::Zypper)
}
