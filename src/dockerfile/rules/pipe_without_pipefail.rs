//! `pipe-without-pipefail`: A RUN with a pipe and no pipefail.

use std::collections::BTreeMap;

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
    help: r#"A pipe succeeds when its last command does: a download that fails is not noticed. `set -o pipefail` in bash or BusyBox's ash changes that. Where all that stands before the last command is echo or printf, which hardly fail, it is negligible; hadolint's DL4006 makes no difference.

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
        let mut with_shell = None;
        for (instruction, commands) in dockerfile.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let Some(piped) = commands.iter().find(|command| !command.pipes.is_empty() && !command.wrapped) else { continue };
            let is_set = commands.iter().take_while(|command| !std::ptr::eq(*command, piped)).any(sets_pipefail);
            if !is_set && !dockerfile.shell_of(instruction).is_some_and(|shell| shell.iter().any(|word| word.contains("pipefail"))) {
                let (severity, title) = if can_fail(commands) {
                    (META.severity, "only the last command of this pipe decides")
                } else {
                    (Severity::Negligible, "only the last command of this pipe decides, though nothing before it is likely to fail")
                };
                let finding = dockerfile.finding_in(&META, severity, piped, title.to_owned());
                let edit = match way(dockerfile, instruction) {
                    Way::Option => option(dockerfile, instruction),
                    // One SHELL is enough for all that follow it.
                    Way::Shell if with_shell != instruction.stage => {
                        with_shell = instruction.stage;
                        let at = dockerfile.above(instruction);
                        Some(dockerfile.edit(at..at, format!("{BASH}{}", dockerfile.newline())))
                    }
                    Way::Shell | Way::None => None,
                };
                findings.push(fixed_if(finding, FixKind::Unsafe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }
}

/// Whether anything but text comes before the last command of a pipe.
fn can_fail(commands: &[Command]) -> bool {
    let mut last = BTreeMap::new();
    for pipe in commands.iter().flat_map(|command| &command.pipes) {
        let most = last.entry(pipe.id).or_insert(pipe.position);
        *most = pipe.position.max(*most);
    }
    let is_before_last = |command: &&Command| command.pipes.iter().any(|pipe| last.get(&pipe.id).is_some_and(|most| pipe.position < *most));
    commands.iter().filter(is_before_last).any(|command| command.wrapped || !command.is_one_of(&["echo", "printf"]))
}

/// The shell that most images have beside a plain one.
const BASH: &str = "SHELL [\"/bin/bash\", \"-o\", \"pipefail\", \"-c\"]";

/// How pipefail gets switched on.
enum Way {
    /// The shell has it.
    Option,
    /// Only another shell is sure to have it.
    Shell,
    /// No shell is known.
    None,
}

fn way(dockerfile: &Dockerfile<'_>, instruction: &Instruction) -> Way {
    if let Some(shell) = dockerfile.shell_of(instruction) {
        let program = shell.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        return if matches!(program, "bash" | "zsh" | "ksh" | "ash") { Way::Option } else { Way::None };
    }
    let Some(image) = instruction.stage.and_then(|stage| dockerfile.graph.root_image(stage)) else { return Way::None };
    if image.text.contains("alpine") || image.text.contains("busybox") {
        Way::Option
    } else if image.text.is_empty() {
        Way::None
    } else {
        Way::Shell
    }
}

/// `set -o pipefail` before the code of a RUN.
fn option(dockerfile: &Dockerfile<'_>, instruction: &Instruction) -> Option<Edit> {
    if instruction.json || !instruction.heredocs.is_empty() {
        return None;
    }
    let at = instruction.logical.offset(instruction.rest_at);
    Some(dockerfile.edit(at..at, "set -o pipefail && "))
}

/// `set -o pipefail`, also with other options.
fn sets_pipefail(command: &Command) -> bool {
    command.name == "set" && command.has_argument("pipefail")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{LintInput, lint};

    #[test]
    fn pipes_that_hardly_fail_are_negligible() {
        for (code, expected) in [
            ("echo 'sum  file' | sha256sum -c -", Severity::Negligible),
            ("printf '%s' x | tr a b | tee /x", Severity::Low),
            ("printf '%s' x | tee /x", Severity::Negligible),
            ("echo x | tee /x && cat /x | grep y", Severity::Low),
            ("curl -fsS https://acme.dev/x | tar x", Severity::Low),
        ] {
            let report = lint(&LintInput::new("Dockerfile", format!("FROM debian:12\nRUN {code}\n").as_bytes()));
            let found = report.findings.iter().filter(|finding| finding.id == META.id);
            assert_eq!(found.map(|finding| finding.severity).collect::<Vec<_>>(), [expected], "{code}");
        }
    }
}
