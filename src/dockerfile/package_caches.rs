//! What package managers downloaded and a layer keeps: one that installs and does not clean up in the same RUN.

use crate::model::{finding::Finding, fix::FixKind, rule::RuleMeta};

use super::{
    command::{Command, Operator},
    edits::fixed_if,
    instruction::Instruction,
    package_manager::{Action, Invocation, Manager},
    rule::Dockerfile,
    source::slice,
    wrapper,
};

/// The caches of one package manager.
#[derive(Debug)]
pub(super) struct Caches {
    /// Whose they are.
    pub(super) manager: Manager,
    /// What it is called.
    pub(super) name: &'static str,
    /// Where they lie.
    pub(super) folders: &'static [&'static str],
    /// What it is told to remove them.
    pub(super) cleaning: &'static str,
}

impl Dockerfile<'_> {
    /// A finding for each RUN that installs with the package manager and leaves its caches in the layer.
    pub(super) fn caches_left(&self, meta: &'static RuleMeta, caches: &Caches) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (instruction, commands) in self.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call = |command: &Command, actions: &[Action]| {
                Invocation::by(command, caches.manager).is_some_and(|call| actions.contains(&call.action))
            };
            let commands = self.reached(instruction, commands);
            // Only what is cleaned after the last installation is clean.
            let Some(last) = commands.iter().rposition(|command| is_call(command, &[Action::Install, Action::Upgrade])) else { continue };
            let after = commands.get(last..).unwrap_or_default();
            let is_cleaned = after.iter().any(|command| is_call(command, &[Action::Clean]) || command.removes(caches.folders));
            if let Some(command) = commands.get(last).filter(|_| !is_cleaned && !instruction.mounts_cache(caches.folders)) {
                let finding = self.finding_in(meta, meta.severity, command, format!("what {} downloaded stays in the layer", caches.name));
                let edit = self.command_after(instruction, command, &format!("{} {}", command.name, caches.cleaning));
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }

    /// The commands of an instruction without those that never run, since `exec` or `exit` stands before them on every way to them.
    pub(super) fn reached<'c>(&self, instruction: &Instruction, commands: &'c [Command]) -> &'c [Command] {
        let ends = |command: &Command| match command.name.as_str() {
            // Without a program, `exec` redirects the rest of the script.
            "exec" => !wrapper::unwrap(command).is_empty(),
            "exit" => true,
            _ => false,
        };
        let Some(first) = commands.iter().position(ends) else { return commands };
        let start = instruction.range.start;
        let last = commands.iter().map(|command| command.range.start).max().unwrap_or(start);
        let flat = start + self.source.text.get(start..last).map_or(0, flat_length);
        // Behind `&&` it may not run, and then what no `&&` joins to it does.
        let broken = commands.iter().rposition(|command| !command.wrapped && command.joined != Operator::And);
        let is_certain = |at: usize, command: &Command| {
            let is_alone = !command.wrapped && !command.in_function && command.pipes.is_empty();
            let is_joined = match command.joined {
                Operator::Sequence => true,
                Operator::And => broken.is_none_or(|broken| broken < at),
                Operator::Or => false,
            };
            let after = slice(&self.source.text, command.range.end..self.source.text.len()).trim_start_matches([' ', '\t']);
            let is_behind = after.starts_with('&') && !after.starts_with("&&");
            // What stands in a block or a function may not run, or may end no more than that.
            is_alone && is_joined && !is_behind && (start..=flat).contains(&command.range.start)
        };
        let found = commands.iter().enumerate().skip(first).find(|(at, command)| ends(command) && is_certain(*at, command));
        let Some((end, _)) = found else { return commands };
        // What `exec` runs follows it in the list.
        let run = commands.get(end + 1..).unwrap_or_default().iter().take_while(|command| command.wrapped).count();
        commands.get(..end + 1 + run).unwrap_or_default()
    }
}

/// How much of the code stands before the first block, subshell or function.
pub(super) fn flat_length(code: &str) -> usize {
    const OPENING: &[&str] = &["if", "then", "else", "elif", "while", "until", "for", "do", "case", "select", "function", "{"];
    let head = slice(code, 0..code.find(['(', '`']).unwrap_or(code.len()));
    let mut at = 0;
    for word in head.split([' ', '\t', '\r', '\n', ';', '&', '|']) {
        if OPENING.contains(&word) {
            return at;
        }
        at += word.len() + 1;
    }
    head.len()
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{LintInput, read};

    #[test]
    fn what_never_runs_is_not_reached() {
        for (run, expected) in [
            ("a && b", "a b"),
            ("a && exec b && c", "a exec b"),
            ("a; exec sh -c 'b; c'; d", "a exec sh b c"),
            ("a; exit 0; b", "a exit"),
            ("exec >/log; a", "exec a"),
            ("exec -a x; a", "exec a"),
            ("exec -a x b; a", "exec b"),
            ("exec -c --; a", "exec a"),
            ("a || exec b; c", "a exec b c"),
            ("a && exec b; c", "a exec b c"),
            ("a && exec b && c || d", "a exec b c d"),
            ("a; exec b && c; d", "a exec b"),
            ("exec a & b", "exec a b"),
            ("exit 1", "exit"),
            ("if a; then exec b; fi; c", "a exec b c"),
            ("(exec a); b", "exec a b"),
            ("{ a && exec b; }; c", "a exec b c"),
            ("a | exec b; c", "a exec b c"),
            ("f() { exec a; }; f; c", "f exec a c"),
        ] {
            let text = format!("FROM x\nRUN {run}\n");
            let (dockerfile, _) = read(&LintInput::new("f", text.as_bytes()));
            let (instruction, commands) = dockerfile.scripts().next().expect("a script");
            let mut names: Vec<&str> = dockerfile.reached(instruction, commands).iter().map(|command| command.name.as_str()).collect();
            let mut expected: Vec<&str> = expected.split(' ').collect();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected, "{run}");
        }
    }
}
