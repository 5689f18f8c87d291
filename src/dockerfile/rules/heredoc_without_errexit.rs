//! `heredoc-without-errexit`: A RUN heredoc of several commands without set -e.

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    fix::FixKind,
    rule::{Group, Need, RuleMeta},
    severity::Severity,
};

use crate::dockerfile::{
    command::{Command, Operator, RedirectKind},
    instruction::Instruction,
    rule::{Dockerfile, Rule, fixed_by},
    scripts::is_one_opener,
    source::slice,
    wrapper::{is_posix_shell, script_file},
};

const META: RuleMeta = RuleMeta {
    id: "heredoc-without-errexit",
    group: Group::Correctness,
    severity: Severity::Low,
    default_on: true,
    aliases: &[],
    also: &[],
    needs: &[Need::Ast, Need::Shell],
    fix: Some(FixKind::Unsafe),
    summary: "A RUN heredoc of several commands without set -e.",
    help: r#"The shell goes on after a command of a here-document that fails, and the instruction succeeds if the last one does. Start with `set -e`, or name the interpreter with it: `#!/bin/sh -e`.

Fails:

```dockerfile
FROM debian:12
RUN <<EOF
apt-get update
apt-get install -y curl
EOF
```

Clean:

```dockerfile
FROM debian:12
RUN <<EOF
set -e
apt-get update
apt-get install -y curl
EOF
```
"#,
};

/// A RUN heredoc of several commands without set -e.
pub(super) struct HeredocWithoutErrexit;

impl Rule for HeredocWithoutErrexit {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, dockerfile: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (outer, commands) in dockerfile.instructions.iter().zip(&dockerfile.commands) {
            let [heredoc] = outer.heredocs.as_slice() else { continue };
            let instruction = outer.trigger.as_deref().unwrap_or(outer);
            if instruction.keyword != "RUN" || commands.is_empty() {
                continue;
            }
            let is_alone = is_one_opener(&instruction.rest);
            let text = slice(&dockerfile.source.text, heredoc.body.clone());
            let body = if is_alone { script(dockerfile, outer, text, commands) } else { fed(commands) };
            let Some(body) = body.filter(|body| lost(body) > 0) else { continue };
            let title =
                format!("the shell goes on when one of the {} commands of the here-document fails: `set -e` is missing", body.len());
            let finding = dockerfile.finding(&META, META.severity, instruction, title);
            // A line that names the interpreter has to stay the first one.
            let at = heredoc.body.start;
            findings.push(if text.starts_with("#!") {
                finding
            } else {
                fixed_by(finding, FixKind::Unsafe, vec![dockerfile.edit(at..at, "set -e\n")])
            });
        }
        findings
    }
}

/// Programs whose failure nobody waits for.
const HARMLESS: &[&str] =
    &["", ":", "alias", "declare", "echo", "export", "local", "printf", "readonly", "set", "shopt", "trap", "true", "umask", "unset"];

/// The commands of a here-document that the shell of the stage, or that of its first line, runs; `None` where that stops at a failure.
fn script<'a>(dockerfile: &Dockerfile<'_>, outer: &Instruction, text: &str, commands: &'a [Command]) -> Option<Vec<&'a Command>> {
    let stops = match text.lines().next().filter(|line| line.starts_with("#!")) {
        Some(shebang) => shebang.split_whitespace().skip(1).any(sets_errexit),
        None => dockerfile.shell_of(outer).is_some_and(|shell| shell.iter().skip(1).any(|word| sets_errexit(word))),
    };
    (!stops).then(|| top(commands))
}

/// The commands of a here-document that a shell on the line of the instruction reads.
fn fed(commands: &[Command]) -> Option<Vec<&Command>> {
    let (shell, body) = commands.split_first()?;
    let reads = shell.redirects.iter().any(|redirect| redirect.kind == RedirectKind::Text);
    let is_shell = is_posix_shell(&shell.name) && script_file(shell.arguments()).is_none();
    let stops = shell.arguments().iter().any(|word| sets_errexit(&word.text) || word.text == "errexit");
    // What follows the shell on its line is no part of the document.
    let is_whole = body.iter().all(|command| command.wrapped);
    (reads && is_shell && !stops && is_whole).then(|| top(body))
}

/// Whether an option of a shell is `-e`, alone or in a bundle.
fn sets_errexit(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.contains('e')
}

/// The commands that stand in no substitution, unless a `set -e` is among them.
fn top(commands: &[Command]) -> Vec<&Command> {
    let sets = |command: &Command| {
        command.name == "set" && command.arguments().iter().any(|word| sets_errexit(&word.text) || word.text == "errexit")
    };
    if commands.iter().any(sets) {
        return Vec::new();
    }
    let mut inner = BTreeSet::new();
    for command in commands {
        let values = command.assignments.iter().map(|assignment| &assignment.value);
        let targets = command.redirects.iter().map(|redirect| &redirect.target);
        for word in command.words.iter().chain(values).chain(targets) {
            inner.extend(word.inner.clone());
        }
    }
    // What a wrapper runs is told by the wrapper.
    let is_wrapped = commands.iter().all(|command| command.wrapped);
    let stands = |at: usize, command: &Command| !inner.contains(&at) && (is_wrapped || !command.wrapped) && !command.in_function;
    commands.iter().enumerate().filter(|(at, command)| stands(*at, command)).map(|(_, command)| command).collect()
}

/// How many statements may fail and are followed by another one, as if nothing had happened.
fn lost(commands: &[&Command]) -> usize {
    let mut count = 0;
    let mut open = false;
    for command in commands {
        match command.joined {
            Operator::Sequence => {
                count += usize::from(open);
                open = !HARMLESS.contains(&command.name.as_str());
            }
            Operator::And => open |= !HARMLESS.contains(&command.name.as_str()),
            // Somebody thought of the failure.
            Operator::Or => open = false,
        }
    }
    count
}
