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
            let is_clean =
                |command: &Command| command.removes(LISTS) || is_call(command, |call| matches!(call.verb, "distclean" | "dist-clean"));
            let all = commands;
            let commands = dockerfile.reached(instruction, all);
            let Some(last) = commands.iter().rposition(is_update) else { continue };
            let is_cleaned = commands.get(last..).unwrap_or_default().iter().any(is_clean);
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "the lists of apt-get stay in the layer".to_owned());
                // Behind the end of the script nothing runs.
                let is_free = commands.len() == all.len() && last_in_need.is_none_or(|line| line <= instruction.line) && !command.wrapped;
                let edit = dockerfile.command_at_end(instruction, all, "rm -rf /var/lib/apt/lists/*").filter(|_| is_free);
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Programs that look at no list of packages, whatever they are given.
const KNOWN: &[&str] = &[
    "",
    ":",
    "[",
    "adduser",
    "awk",
    "basename",
    "cat",
    "cd",
    "chgrp",
    "chmod",
    "chown",
    "cp",
    "curl",
    "cut",
    "date",
    "dirname",
    "dpkg-query",
    "echo",
    "exit",
    "export",
    "false",
    "find",
    "gcc",
    "getent",
    "git",
    "gpg",
    "grep",
    "groupadd",
    "gunzip",
    "gzip",
    "head",
    "id",
    "ldconfig",
    "ln",
    "locale-gen",
    "localedef",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "openssl",
    "passwd",
    "printf",
    "pwd",
    "readlink",
    "rm",
    "rmdir",
    "sed",
    "set",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "sleep",
    "sort",
    "tail",
    "tar",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "umask",
    "uname",
    "unset",
    "unxz",
    "unzip",
    "update-alternatives",
    "update-ca-certificates",
    "useradd",
    "usermod",
    "wc",
    "wget",
    "which",
    "xz",
];

/// The line of the last instruction that may want lists which an instruction before it fetched: it installs packages, or nobody knows what it
/// does.
fn last_in_need(dockerfile: &Dockerfile<'_>) -> Option<u32> {
    let needs = |commands: &[Command]| {
        for command in commands {
            match Invocation::of(command) {
                Some(call) if call.manager == Manager::Apt => match call.action {
                    Action::Refresh => return false,
                    Action::Clean | Action::Remove => {}
                    _ => return true,
                },
                Some(_) => {}
                None if KNOWN.contains(&command.name.as_str()) => {}
                None => return true,
            }
        }
        false
    };
    dockerfile.scripts().filter(|(_, commands)| needs(commands)).map(|(instruction, _)| instruction.line).last()
}

/// Where they lie.
const LISTS: &[&str] = &["/var/lib/apt/lists", "/var/lib/apt"];
