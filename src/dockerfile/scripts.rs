//! RUN instructions in, the commands that they run out: which shell reads them, heredocs, JSON form.

use crate::model::coverage::{Gap, SourceId};

use super::{
    command::Command,
    instruction::Instruction,
    scope::Scope,
    shell::{self, Unread},
    source::{Source, slice},
    stages::{Base, Graph},
    wrapper::is_posix_shell,
};

/// Reads the shell code of one file, instruction by instruction.
#[derive(Debug)]
pub(super) struct Scripts<'a> {
    file: &'a str,
    source: &'a Source,
    /// Per stage, the shell of the moment when it is one that we cannot read.
    shells: Vec<Option<String>>,
    /// Per instruction, its commands.
    pub(super) commands: Vec<Vec<Command>>,
    /// What could not be read.
    pub(super) gaps: Vec<Gap>,
}

impl<'a> Scripts<'a> {
    /// Starts at the head of a file.
    pub(super) const fn new(file: &'a str, source: &'a Source) -> Self {
        Self { file, source, shells: Vec::new(), commands: Vec::new(), gaps: Vec::new() }
    }

    /// Reads the next instruction.
    pub(super) fn read(&mut self, index: usize, outer: &Instruction, graph: &Graph, scope: &Scope) {
        if let Some(stage) = graph.stages.last().filter(|stage| stage.from == index) {
            self.shells.push(match &stage.base {
                Base::Stage(below) => self.shells.get(*below).cloned().flatten(),
                Base::Image(reference) if is_windows(&reference.text) => Some("cmd".to_owned()),
                Base::Image(_) | Base::Scratch => None,
            });
        }
        if outer.keyword == "SHELL"
            && let Some(shell) = self.shells.last_mut()
        {
            *shell = unreadable_shell(outer);
        }
        let instruction = outer.trigger.as_deref().unwrap_or(outer);
        if instruction.keyword != "RUN" || instruction.rest.is_empty() {
            self.commands.push(Vec::new());
            return;
        }
        let foreign = self.shells.last().and_then(Option::as_deref);
        let (commands, reasons) = match of_run(outer, instruction, self.source, scope, foreign) {
            Ok((commands, unread)) => (commands, unread.into_iter().map(|unread| unread.reason().to_owned()).collect()),
            Err(interpreter) => (Vec::new(), vec![format!("the code is for {interpreter}, which is not a POSIX shell")]),
        };
        let mut reasons: Vec<String> = reasons;
        reasons.dedup();
        for reason in reasons {
            let gap = Gap::new(SourceId::Dockerfile, "unread-shell", format!("{}:{}", self.file, outer.line), reason);
            self.gaps.push(gap.with_hint("no rule that reads shell code judged all of this instruction"));
        }
        self.commands.push(commands);
    }
}

fn of_run(
    outer: &Instruction,
    instruction: &Instruction,
    source: &Source,
    scope: &Scope,
    foreign: Option<&str>,
) -> Result<(Vec<Command>, Vec<Unread>), String> {
    let lookup = |name: &str| scope.lookup(name);
    if instruction.json {
        let elements: Vec<&str> = instruction.args.iter().map(|argument| argument.text.as_str()).collect();
        return Ok(shell::exec_form(&elements, &outer.range, &lookup));
    }
    let body_of = |at: usize| outer.heredocs.get(at).map(|heredoc| (slice(&source.text, heredoc.body.clone()), heredoc.body.start));
    // A heredoc that is the whole command is a script of its own, with its own shebang.
    let alone = instruction.rest.starts_with("<<") && outer.heredocs.len() == 1 && instruction.rest.split_whitespace().count() == 1;
    if alone && let Some((body, start)) = body_of(0) {
        if let Some(shebang) = body.strip_prefix("#!") {
            let interpreter = interpreter(shebang.lines().next().unwrap_or_default());
            if !is_posix_shell(interpreter) {
                return Err(interpreter.to_owned());
            }
        } else if let Some(foreign) = foreign {
            return Err(foreign.to_owned());
        }
        return Ok(shell::commands(&super::source::Logical::of(body, start), &lookup));
    }
    if let Some(foreign) = foreign {
        return Err(foreign.to_owned());
    }
    let mut script = instruction.logical.tail(instruction.rest_at);
    for (at, heredoc) in outer.heredocs.iter().enumerate() {
        let Some((body, start)) = body_of(at) else { continue };
        script.append("\n", start.saturating_sub(1));
        script.append(body, start);
        script.append(&heredoc.name, heredoc.body.end);
    }
    if !outer.heredocs.is_empty() {
        script.append("\n", outer.range.end);
    }
    Ok(shell::commands(&script, &lookup))
}

fn interpreter(shebang: &str) -> &str {
    let mut words = shebang.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    match words.next() {
        Some("env") => words.find(|word| !word.starts_with('-')).unwrap_or("env"),
        other => other.unwrap_or_default(),
    }
}

/// The shell of a SHELL instruction when we cannot read its code.
fn unreadable_shell(instruction: &Instruction) -> Option<String> {
    let mut names = instruction.args.iter().map(|argument| argument.text.rsplit(['/', '\\']).next().unwrap_or_default());
    if names.clone().any(is_posix_shell) { None } else { names.next().map(str::to_owned) }
}

fn is_windows(image: &str) -> bool {
    let image = image.to_ascii_lowercase();
    ["windows", "nanoserver", "servercore"].iter().any(|word| image.contains(word))
}
