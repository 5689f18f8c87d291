//! `yarn-cache-left`: yarn install without yarn cache clean.

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
    id: "yarn-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3060"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "Yarn install without yarn cache clean.",
    help: r#"Yarn 1 keeps what it downloaded in the layer. Cleaning up in a later RUN does not make the image smaller. Unlike hadolint's DL3060, `yarn` alone counts: it installs.

Fails:

```dockerfile
FROM node:22
RUN yarn install
```

Clean:

```dockerfile
FROM node:22
RUN yarn install && yarn cache clean
```
"#,
};

/// Yarn install without yarn cache clean.
pub(super) struct YarnCacheLeft;

impl Rule for YarnCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call =
                |command: &Command, action: Action| Invocation::by(command, Manager::Yarn).is_some_and(|call| call.action == action);
            let commands = dockerfile.reached(instruction, commands);
            let Some(last) = commands.iter().rposition(|command| is_call(command, Action::Install)) else { continue };
            let is_cleaned = commands.get(last..).unwrap_or_default().iter().any(|command| is_call(command, Action::Clean));
            if let Some(command) = commands
                .get(last)
                .filter(|_| !is_cleaned && dockerfile.graph.is_built_upon(instruction) && !instruction.mounts_cache(CACHES))
            {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what yarn downloaded stays in the layer".to_owned());
                // What is added cleans the folder that is used without options.
                let is_moved = Invocation::of(command).is_some_and(|call| call.has(&["--cache-folder"]));
                let edit = dockerfile.command_after(instruction, command, "yarn cache clean").filter(|_| !is_moved);
                findings.push(fixed_if(finding, FixKind::Unsafe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Where Yarn 1 keeps what it downloaded: as root, and where it may not write there.
const CACHES: &[&str] = &["/usr/local/share/.cache/yarn/v6", "/root/.cache/yarn/v6"];
