//! `pip-cache-left`: pip install without --no-cache-dir.

use std::cell::LazyCell;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    edits::fixed_if,
    instruction::Instruction,
    options::{Name, Opt},
    package_manager::{Invocation, Manager},
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "pip-cache-left",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3042", "f2f903fb", "missing-pip-no-cache-dir"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: Some(FixKind::Safe),
    summary: "Pip install without --no-cache-dir.",
    help: r#"pip keeps what it downloaded and built in the layer, for a second installation that never comes. A folder that `--cache-dir` or PIP_CACHE_DIR names stays as well, unless a cache mount lies over it.

Fails:

```dockerfile
FROM python:3.13
RUN pip install flask==3.1.2
```

Clean:

```dockerfile
FROM python:3.13
RUN pip install --no-cache-dir flask==3.1.2
```
"#,
};

/// Pip install without --no-cache-dir.
pub(super) struct PipCacheLeft;

impl Rule for PipCacheLeft {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let is_wanted = LazyCell::new(|| dockerfile.wants_cache(&["/.cache"]));
        for (instruction, command, call) in dockerfile.invocations(&[Manager::Pip]) {
            let is_install = call.program != "uv" && matches!(call.verb, "install" | "download" | "wheel");
            if is_install && keeps_cache(dockerfile, instruction, command, &call) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what pip downloaded stays in the layer".to_owned());
                // A folder that is named behind it would have the last word.
                let edit = dockerfile.after_verb(command, &call, " --no-cache-dir").filter(|_| !*is_wanted && !call.has(&["--cache-dir"]));
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Whether pip keeps what it downloads in a folder of the layer. Of its two options the last one counts, and they go before the environment.
fn keeps_cache(dockerfile: &Dockerfile<'_>, instruction: &Instruction, command: &Command, call: &Invocation<'_>) -> bool {
    let run = instruction.trigger.as_deref().unwrap_or(instruction);
    let mounts = |folder: &str| !folder.is_empty() && run.mounts_cache(&[folder]);
    let last = call.options.iter().rfind(|option| matches!(option.name, Name::Long("--no-cache-dir" | "--cache-dir")));
    match last {
        Some(Opt { name: Name::Long("--cache-dir"), value }) => !value.is_some_and(mounts),
        Some(_) => false,
        None => {
            let is_off = command.sees("PIP_NO_CACHE_DIR", is_yes) || dockerfile.sees(instruction, "PIP_NO_CACHE_DIR", is_yes);
            let is_mounted = command.sees("PIP_CACHE_DIR", mounts) || dockerfile.sees(instruction, "PIP_CACHE_DIR", mounts);
            !is_off && !is_mounted && !run.mounts_cache(&["/root/.cache/pip"]) && !run.mounts_home_cache("pip")
        }
    }
}

/// What pip takes for "on"; it once took 0 for that as well.
fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "y" | "t" | "off" | "0" | "false" | "no")
        && !value.is_empty()
}
