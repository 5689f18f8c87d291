//! `pipe-without-pipefail`: A RUN with a pipe and no pipefail.

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::Command,
    rule::{Dockerfile, Rule},
};

const META: RuleMeta = RuleMeta {
    id: "pipe-without-pipefail",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL4006", "efbf148a", "set-pipefail"],
    also: &[],
    needs: &[Need::Ast, Need::Stages, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "A RUN with a pipe and no pipefail.",
    help: r#"A pipe succeeds when its last command does: a download that fails is not noticed. `set -o pipefail` in bash or BusyBox's ash changes that.

Fails:

```dockerfile
FROM debian:12
RUN curl -fsS https://example.com/x | tar x
```

Clean:

```dockerfile
FROM debian:12
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl -fsS https://example.com/x | tar x
```
"#,
};

/// A RUN with a pipe and no pipefail.
pub(super) struct PipeWithoutPipefail;

impl Rule for PipeWithoutPipefail {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let Some(piped) = commands.iter().find(|command| !command.pipes.is_empty() && !command.wrapped) else { continue };
            let is_set = commands.iter().take_while(|command| !std::ptr::eq(*command, piped)).any(sets_pipefail);
            if !is_set && !dockerfile.shell_of(instruction).is_some_and(|shell| shell.iter().any(|word| word.contains("pipefail"))) {
                findings.push(dockerfile.finding_in(&META, META.severity, piped, "only the last command of this pipe decides".to_owned()));
            }
        }
        findings
    }
}

/// `set -o pipefail`, also with other options.
fn sets_pipefail(command: &Command) -> bool {
    command.name == "set" && command.has_argument("pipefail")
}
