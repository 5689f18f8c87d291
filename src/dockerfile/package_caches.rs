//! What package managers downloaded and a layer keeps: one that installs and does not clean up in the same RUN.

use std::cell::LazyCell;

use crate::model::{finding::Finding, fix::FixKind, rule::RuleMeta};

use super::{
    command::{Command, Operator},
    copies::Copied,
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

/// Options that say where a system is installed or what is kept where: in one way or another, and in a file.
const ROOTS: &[&str] = &["--installroot", "--root"];
const CACHE_FOLDERS: &[&str] = &["--cache-dir", "--cachedir", "--pkg-cache-dir"];
const MOVING: &[&str] =
    &["--cache-dir", "--cachedir", "--config", "--installroot", "--pkg-cache-dir", "--raw-cache-dir", "--root", "--solv-cache-dir", "c"];

/// Options of a call that leaves in the cache, or takes from it, what is wanted later.
const WANTING: &[&str] = &["--cacheonly", "--download-only", "--downloadonly", "C"];

/// Where a call of a package manager installs and keeps its caches, as far as its options say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place<'a> {
    /// The root of the system, without a slash at its end; empty for the one that runs.
    root: &'a str,
    /// The folder of the caches.
    cache: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(call: &Invocation<'a>) -> Self {
        let is_zypper = call.manager == Manager::Zypper;
        let last = |names: &[&str], letter: &str| {
            let short = call.values(&[letter]).last().filter(|_| is_zypper);
            call.values(names).last().or(short)
        };
        let set = |wanted: &str| {
            let settings = call.values(&["--setopt"]).filter_map(|setting| setting.split_once('='));
            settings.filter(|(name, _)| name.ends_with(wanted)).map(|(_, value)| value).last()
        };
        let root = last(ROOTS, "R").or_else(|| set("installroot")).unwrap_or_default().trim_end_matches('/');
        let cache = last(CACHE_FOLDERS, "C").or_else(|| set("cachedir")).map(|folder| folder.trim_end_matches('/'));
        Self { root, cache }
    }

    /// Where these folders are then; a root may hold a folder that is named as well.
    fn folders(&self, folders: &[&str]) -> Vec<String> {
        match self.cache {
            Some(cache) => vec![cache.to_owned(), format!("{}{cache}", self.root)],
            None => folders.iter().map(|folder| format!("{}{folder}", self.root)).collect(),
        }
    }
}

impl Dockerfile<'_> {
    /// A finding for each RUN that installs with the package manager and leaves its caches in the layer.
    pub(super) fn caches_left(&self, meta: &'static RuleMeta, caches: &Caches) -> Vec<Finding> {
        let mut findings = Vec::new();
        let is_used = || self.invocations(&[caches.manager]).any(|(_, _, call)| call.has(WANTING));
        let is_wanted = LazyCell::new(|| self.wants_cache(caches.folders) || is_used());
        for (instruction, commands) in self.scripts().filter(|(instruction, _)| instruction.keyword == "RUN") {
            let is_call = |command: &Command, actions: &[Action]| {
                Invocation::by(command, caches.manager).is_some_and(|call| actions.contains(&call.action))
            };
            let commands = self.reached(instruction, commands);
            // Only what is cleaned after the last installation is clean.
            let is_installation = |command: &Command| is_call(command, &[Action::Install, Action::Upgrade]);
            let Some(last) = commands.iter().rposition(is_installation) else { continue };
            let after = commands.get(last..).unwrap_or_default();
            let Some((command, call)) = after.first().and_then(|command| Some((command, Invocation::by(command, caches.manager)?))) else {
                continue;
            };
            let place = Place::of(&call);
            let folders = place.folders(caches.folders);
            let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
            let cleans = |call: &Invocation<'_>| call.action == Action::Clean && Place::of(call) == place;
            let is_cleaned =
                |command: &Command| Invocation::by(command, caches.manager).is_some_and(|call| cleans(&call)) || command.removes(&folders);
            if !after.iter().any(is_cleaned) && !instruction.mounts_cache(&folders) {
                let finding = self.finding_in(meta, meta.severity, command, format!("what {} downloaded stays in the layer", caches.name));
                // The command that is added cleans where the configuration of the system says.
                let is_plain = place == Place::default() && !call.has(MOVING) && !*is_wanted;
                let edit = self.command_after(instruction, command, &format!("{} {}", command.name, caches.cleaning)).filter(|_| is_plain);
                findings.push(fixed_if(finding, FixKind::Safe, edit.map(|edit| vec![edit])));
            }
        }
        findings
    }

    /// Whether something besides `rm` names these folders: what lies in them may be wanted, and no fix takes it away.
    pub(super) fn wants_cache(&self, folders: &[&str]) -> bool {
        let names = |text: &str| folders.iter().any(|folder| text.contains(folder));
        let is_copied = |copied: &Copied<'_>| copied.from.is_some() && copied.sources.iter().any(|source| names(&source.text));
        let is_used = |command: &Command| command.name != "rm" && command.arguments().iter().any(|word| names(&word.text));
        self.copies().any(|copied| is_copied(&copied)) || self.all_commands().any(|(_, command)| is_used(command))
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
