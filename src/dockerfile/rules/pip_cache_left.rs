//! `pip-cache-left`: pip install without --no-cache-dir.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    edits::fixed_if,
    package_manager::Manager,
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
    help: r#"pip keeps what it downloaded and built in the layer, for a second installation that never comes.

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
        for (instruction, command, call) in dockerfile.invocations(&[Manager::Pip]) {
            let is_install = call.manager == Manager::Pip && call.program != "uv" && matches!(call.verb, "install" | "download" | "wheel");
            let is_off = call.has(&["--no-cache-dir"]) || command.sees("PIP_NO_CACHE_DIR", is_yes) || dockerfile.sees(instruction, "PIP_NO_CACHE_DIR", is_yes);
            if is_install && !is_off && !instruction.mounts_cache(&["/root/.cache"]) {
                let finding = dockerfile.finding_in(&META, META.severity, command, "what pip downloaded stays in the layer".to_owned());
                let edit = dockerfile.after_verb(command, &call, " --no-cache-dir");
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// What pip takes for "on"; it once took 0 for that as well.
fn is_yes(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "y" | "t" | "off" | "0" | "false" | "no") && !value.is_empty()
}
