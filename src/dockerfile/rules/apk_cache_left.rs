//! `apk-cache-left`: apk add without --no-cache.

use std::cell::LazyCell;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::fixed_if,
    package_manager::{Action, Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "apk-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["AVD-DS-0025", "DKL-DI-0004", "DL3019", "DS-0025", "DS025", "ae9c56a6", "missing-apk-no-cache"],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Apk add without --no-cache.",
    help: r#"apk keeps its index in the layer unless it is told not to. Unlike hadolint's DL3019, a removal of /var/cache/apk in the same RUN counts, and so does `--no-network`, with which nothing is fetched.

Fails:

```dockerfile
FROM alpine:3.22
RUN apk add curl
```

Clean:

```dockerfile
FROM alpine:3.22
RUN apk add --no-cache curl
```
"#,
};

/// Apk add without --no-cache.
pub(super) struct ApkCacheLeft;

impl Rule for ApkCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let is_wanted = LazyCell::new(|| dockerfile.wants_cache(CACHES));
        for (instruction, commands) in dockerfile.scripts() {
            let instruction = instruction.trigger.as_deref().unwrap_or(instruction);
            if instruction.keyword != "RUN" || instruction.mounts_cache(CACHES) {
                continue;
            }
            let commands = dockerfile.reached(instruction, commands);
            // What a later command of the same layer removes does not stay.
            let cleaned = commands.iter().rposition(|command| command.removes(CACHES)).unwrap_or_default();
            for command in commands.get(cleaned..).unwrap_or_default() {
                let Some(call) = Invocation::by(command, Manager::Apk).filter(is_faulty) else { continue };
                let finding =
                    dockerfile.finding_in(&META, META.severity, command, "the index of the packages stays in the layer".to_owned());
                let edit = dockerfile.after_verb(command, &call, " --no-cache").filter(|_| !*is_wanted);
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Where apk keeps its index.
const CACHES: &[&str] = &["/var/cache/apk", "/etc/apk/cache"];

fn is_faulty(invocation: &Invocation<'_>) -> bool {
    // Without the network nothing is fetched.
    invocation.manager == Manager::Apk && invocation.action == Action::Install && !invocation.has(&["--no-cache", "--no-network"])
}
