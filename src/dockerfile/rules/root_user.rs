//! `root-user`: last USER of the final stage is root (name or uid 0, with or without a group).

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    image::is_root_user,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    instruction::Instruction,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "root-user",
    group: Group::Security,
    severity: Severity::High,
    default_on: true,
    aliases: &["67fd0c4a", "AVD-DS-0002", "CIS-4.1", "CIS-DI-0001", "CKV_DOCKER_8", "DL3002", "DS-0002", "DS002", "last-user-is-root"],
    also: &[],
    needs: &[Need::Ast, Need::Stages],
    fix: None,
    summary: "Last USER of the final stage is root (name or uid 0, with or without a group).",
    help: r#"A process that breaks out of its own limits as root owns everything in the container, and often more. Kubernetes' `runAsNonRoot` refuses such an image. If an entrypoint drops privileges (gosu, su-exec, setpriv), ignore this with that as the reason, or set USER and drop nothing. Unlike hadolint's DL3002, stages that only serve a later one are not judged: nothing runs as their user but the build. An account that the file gives the number 0 (`useradd -o -u 0`, `usermod -u 0`, a line in `/etc/passwd`) is root under another name, even if it has another number on another branch; files that `cp` or `sed` make of others are not followed.

Fails:

```dockerfile
FROM alpine:3.22
USER root
```

Clean:

```dockerfile
FROM alpine:3.22
RUN adduser -D app
USER app
```
"#,
};

/// Last USER of the final stage is root (name or uid 0, with or without a group).
pub(super) struct RootUser;

impl Rule for RootUser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let Some(last) = dockerfile.graph.final_stage else { return Vec::new() };
        let roots = dockerfile.roots(last);
        let mut findings = last_user(dockerfile, last, &roots);
        for instruction in dockerfile.instructions.iter().filter(|instruction| dockerfile.graph.in_final_chain(instruction)) {
            let Some(trigger) = instruction.trigger.as_deref().filter(|trigger| trigger.keyword == "USER") else { continue };
            let user = trigger.rest.trim_matches(['"', '\'']);
            if is_root(user, &roots) {
                let title = format!("images built on this one run as root (ONBUILD USER {user})");
                findings.push(dockerfile.finding(&META, META.severity, instruction, title));
            }
        }
        findings
    }
}

/// The USER that makes the image run as root, where the rule is on, and tells it.
pub(super) fn told<'d>(dockerfile: &'d Dockerfile<'_>) -> Option<&'d Instruction> {
    let last = dockerfile.graph.final_stage.filter(|_| !dockerfile.settings.off.contains(META.id))?;
    Some(last_root(dockerfile, last, &dockerfile.roots(last))?.0)
}

/// The USER that the image itself ends with, and its value, if that is root.
fn last_root<'d>(dockerfile: &'d Dockerfile<'_>, last: usize, roots: &BTreeSet<String>) -> Option<(&'d Instruction, &'d str)> {
    let is_user = |index: usize| dockerfile.instructions.get(index).is_some_and(|instruction| instruction.keyword == "USER");
    let index = dockerfile.graph.last_in_chain(last, is_user)?;
    let user = dockerfile.graph.values.get(index)?.first().filter(|value| value.is_decided())?.text.trim();
    Some((dockerfile.instructions.get(index)?, user)).filter(|_| is_root(user, roots))
}

/// The finding about that USER.
fn last_user(dockerfile: &Dockerfile<'_>, last: usize, roots: &BTreeSet<String>) -> Vec<Finding> {
    let Some((instruction, user)) = last_root(dockerfile, last, roots) else { return Vec::new() };
    let alias = if names(user, roots) { ", which has uid 0" } else { "" };
    let mut finding = dockerfile.finding(&META, META.severity, instruction, format!("the image runs as root (USER {user}{alias})"));
    if ["gosu", "su-exec", "setpriv"].iter().any(|tool| dockerfile.source.text.contains(tool)) {
        finding.notes.push(
            "the file names a program that drops privileges; if the entrypoint uses it, ignore this finding with that reason".to_owned(),
        );
    }
    vec![finding]
}

/// A Dockerfile does not say which system it is for, so that either kind of administrator counts. No text at all is no answer.
fn is_root(user: &str, roots: &BTreeSet<String>) -> bool {
    !user.is_empty() && (is_root_user(user, false) || is_root_user(user, true) || names(user, roots))
}

/// Whether the user is one of these accounts, with or without a group.
fn names(user: &str, accounts: &BTreeSet<String>) -> bool {
    accounts.contains(user.split(':').next().unwrap_or_default().trim())
}
