//! `apt-lists-left`: apt lists stay in the layer after update.

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
    id: "apt-lists-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DKL-DI-0005", "DL3009", "df746b39", "remove-package-cache", "remove-package-lists"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Apt lists stay in the layer after update.",
    help: r#"The lists of packages stay in the layer. Removing them in a later RUN does not make the image smaller. Unlike hadolint's DL3009, only what removes these lists counts as cleaning up: `apt-get dist-clean` does, `rm -rf` of something else does not.

Fails:

```dockerfile
FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends curl
```

Clean:

```dockerfile
FROM debian:12
RUN apt-get update \
 && apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/*
```
"#,
};

/// Apt lists stay in the layer after update.
pub(super) struct AptListsLeft;

impl Rule for AptListsLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let last_in_need = last_in_need(dockerfile);
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            if !dockerfile.graph.is_built_upon(instruction) || instruction.mounts_cache(LISTS) {
                continue;
            }
            let is_call = |command: &Command, fits: fn(&Invocation<'_>) -> bool| {
                Invocation::of(command).is_some_and(|call| matches!(call.program, "apt" | "apt-get") && fits(&call))
            };
            let is_update = |command: &Command| is_call(command, |call| call.action == Action::Refresh);
            let is_clean = |command: &Command| command.removes(LISTS) || is_call(command, |call| matches!(call.verb, "distclean" | "dist-clean"));
            let Some(last) = commands.iter().rposition(is_update) else { continue };
            let is_cleaned = commands.get(last..).unwrap_or_default().iter().any(is_clean);
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "the lists of apt-get stay in the layer".to_owned());
                let is_free = last_in_need.is_none_or(|line| line <= instruction.line) && !command.wrapped;
                let edit = dockerfile.command_at_end(instruction, commands, "rm -rf /var/lib/apt/lists/*").filter(|_| is_free);
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// The line of the last instruction that installs packages by lists which an instruction before it fetched.
fn last_in_need(dockerfile: &Dockerfile<'_>) -> Option<u32> {
    let needs = |commands: &[Command]| {
        let mut calls = commands.iter().filter_map(|command| Invocation::by(command, Manager::Apt));
        let is_telling = |action: Action| matches!(action, Action::Refresh | Action::Install | Action::Upgrade | Action::DistUpgrade);
        calls.find(|call| is_telling(call.action)).is_some_and(|call| call.action != Action::Refresh)
    };
    dockerfile.scripts().filter(|(_, commands)| needs(commands)).map(|(instruction, _)| instruction.line).last()
}

/// Where they lie.
const LISTS: &[&str] = &["/var/lib/apt/lists", "/var/lib/apt"];
