//! A complete command in, the slips in it out, and the variables that it sets.

use super::{
    command::{Command, Operator, Word},
    dialect::Dialect,
    quoted::{escape, takes_code},
    reference::Reference,
    slip::{Mend, SlipKind},
    source::slice,
    spaces::Space,
    watch::{Outer, Watch},
    wrapper,
};

/// Builtins behind which assignments stay (POSIX.1-2024, Shell Command Language, 2.15).
const SPECIAL: &[&str] = &[".", ":", "eval", "exec", "export", "readonly", "set", "shift", "trap", "unset"];
/// Programs whose operands are file names to read or change, and nothing that is kept under its name.
const TAKES_FILES: &[&str] = &["cat", "chgrp", "chmod", "chown", "cp", "mv", "rm", "touch"];

impl Watch<'_> {
    /// The end of a simple command.
    pub(super) fn judge(&mut self, command: &Command, outer: Outer) {
        let program = command.words.first().map_or("", |word| word.text.as_str());
        let name = slice(program, program.rfind('/').map_or(0, |at| at + 1)..program.len());
        let quoted = self.quoted.split_off(outer.quoted.min(self.quoted.len()));
        let is_wanted = !quoted.is_empty() && takes_code(name, command);
        for (slip, is_sed_address) in quoted {
            if !(is_wanted || (name == "sed" && is_sed_address)) {
                self.add(slip);
            }
        }
        match name {
            "" | "printf" => {}
            "echo" => self.echo(command),
            "cd" | "pushd" | "popd" => self.change_folder(command, name),
            "command" | "builtin" if command.words.get(1).is_some_and(|word| word.text == "cd") => self.change_folder(command, "cd"),
            "set" => self.shell.errexit |= sets_errexit(command),
            "exit" | "return" => self.spaces.end(),
            "." | "source" => self.is_sourced = true,
            "export" | "readonly" | "declare" | "typeset" | "local" => self.declaration(command, name),
            "[" | "test" => {
                for (option, word) in command.words.iter().zip(command.words.iter().skip(1)) {
                    self.tested(&option.text, &word.raw);
                }
            }
            _ => {}
        }
        if !matches!(name, "echo" | "printf" | "[" | "") {
            self.globs(command, name);
        }
        self.assignments(command, name);
        // In bash they hold for the command alone, as they do for any other.
        if self.shell.dialect != Dialect::Bash && SPECIAL.contains(&name) {
            command.assignments.iter().for_each(|assignment| self.assign(&assignment.name, assignment.value.space));
        }
        if let Some(function) = self.functions.get_mut(program) {
            let reads = std::mem::take(&mut function.reads);
            // A script that calls and calls is not followed any further.
            let left = self.changes_left.checked_sub(function.changes.len());
            let changes = if left.is_some() { function.changes.clone() } else { Vec::new() };
            self.changes_left = left.unwrap_or_default();
            for (name, slip) in reads {
                let space = self.space(&name);
                self.note_read(&name, true, space, slip);
            }
            for (name, space) in changes {
                self.assign(&name, space);
            }
        }
        // What is in a loop or in a function does not decide alone how the script ends.
        self.last = if self.loops.is_empty() && self.bodies.is_empty() { self.command } else { 0 };
        self.command = outer.command;
    }

    /// A test whether a variable is set or empty.
    pub(super) fn tested(&mut self, option: &str, raw: &str) {
        if matches!(option, "-n" | "-z" | "-v") {
            let bare = raw.trim_matches('"');
            let name = Reference::of(bare).name.to_owned();
            if bare.starts_with('$') || option == "-v" {
                self.mention(&name);
            }
        }
    }

    fn echo(&mut self, command: &Command) {
        if self.shell.dialect == Dialect::Dash {
            return;
        }
        let is_e = |word: &Word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('e');
        if command.arguments().iter().any(|word| is_e(word) || word.text == "--e") {
            return;
        }
        for word in command.arguments().iter().filter(|word| word.raw.contains('\\')) {
            if let Some(escape) = escape(&word.text) {
                let slip = self.slip(SlipKind::EchoEscape, escape, word.range.clone(), Mend::No);
                self.add(slip);
            }
        }
    }

    fn change_folder(&mut self, command: &Command, name: &str) {
        let is_quiet = name != "cd" && command.arguments().iter().any(|word| word.text.starts_with('-') && word.text.contains('n'));
        if self.conditions > 0 || is_quiet {
            return;
        }
        if let [_, folder] = command.words.as_slice()
            && !folder.text.is_empty()
            && folder.text.split('/').all(|part| matches!(part, "" | "." | ".."))
        {
            return;
        }
        let text = command.words.iter().map(|word| word.raw.as_str()).collect::<Vec<_>>().join(" ");
        let slip = self.slip(SlipKind::UncheckedCd, &text, command.range.clone(), Mend::No);
        self.add(slip);
    }

    fn globs(&mut self, command: &Command, name: &str) {
        let can_mend = TAKES_FILES.contains(&name) && !command.has_argument("--parents");
        let ends = |word: &&Word| !matches!(word.text.as_str(), "--" | ":::" | "::::");
        for word in command.arguments().iter().take_while(ends).filter(|word| word.raw.starts_with(['*', '?'])) {
            // `*(a|b)` is a pattern of its own.
            if word.raw.get(1..).is_some_and(|rest| rest.starts_with('(')) {
                continue;
            }
            let mend = if can_mend { Mend::Folder } else { Mend::No };
            let slip = self.slip(SlipKind::LeadingGlob, &word.raw, word.range.clone(), mend);
            self.add(slip);
        }
    }

    fn declaration(&mut self, command: &Command, program: &str) {
        let options = || command.arguments().iter().filter(|word| word.text.starts_with('-')).map(|word| word.text.as_str());
        let is_number = options().any(|option| option.contains('i'));
        let is_readonly = program == "readonly" || options().any(|option| option.contains('r'));
        let is_local = program != "export" && program != "readonly" && command.in_function && !options().any(|option| option.contains('g'));
        for (at, word) in command.arguments().iter().enumerate() {
            let Some((name, _)) = word.raw.split_once('=').filter(|(name, _)| wrapper::is_name(name.trim_end_matches('+'))) else {
                if wrapper::is_name(&word.text) {
                    self.mention(&word.text);
                }
                continue;
            };
            let name = name.trim_end_matches('+');
            let is_hidden = is_local && is_readonly;
            if is_local && let Some(body) = self.bodies.last_mut() {
                body.locals.insert(name.to_owned());
            }
            if word.is_substituted && !is_hidden {
                let alone = at == 0 && command.words.len() == 2 && command.assignments.is_empty() && command.redirects.is_empty();
                let program = command.words.first().map(|word| word.range.clone()).unwrap_or_default();
                let can_mend = alone && command.joined != Operator::Or && self.backquotes == 0 && command.pipes.is_empty();
                let in_list = command.joined == Operator::And || self.conditions > 0;
                let mend = if can_mend { Mend::Apart { program, in_list } } else { Mend::No };
                let slip = self.slip(SlipKind::MaskedStatus, name, word.range.clone(), mend);
                self.add(slip);
            }
            self.assign(name, if is_number { Space::Clean } else { word.space });
        }
    }

    /// The variables that a command sets for the commands behind it.
    fn assignments(&mut self, command: &Command, name: &str) {
        match name {
            "read" | "getopts" | "mapfile" | "readarray" | "unset" | "wait" => {
                for word in command.arguments().iter().filter(|word| wrapper::is_name(&word.text)) {
                    let before = self.before(&word.text);
                    if name == "unset" {
                        self.spaces.set(&word.text, Space::Dirty, before);
                    } else {
                        self.assign(&word.text, Space::Dirty);
                    }
                }
            }
            "printf" => {
                if let [_, option, variable, ..] = command.words.as_slice()
                    && option.text == "-v"
                {
                    self.assign(&variable.text, Space::Dirty);
                }
            }
            "let" => command.arguments().iter().for_each(|word| self.arithmetic(&word.text, &word.range)),
            _ => {}
        }
    }
}

/// `set -e`, alone or with other options: of a command that is `set`.
pub(super) fn sets_errexit(command: &Command) -> bool {
    let words = command.arguments();
    words.iter().any(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('e'))
        || words.iter().any(|word| word.text == "errexit")
}
