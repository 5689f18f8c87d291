//! The words and commands of one script in, the slips in it out. What ShellCheck says about the same scripts is the reference, so a
//! script that another program runs (`sh -c '...'`) is its author's own affair.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::{
    command::{Command, Operator, Word},
    quoted::{escape, expansion, is_sed_address, shown, takes_code},
    reference::Reference,
    scope::Scope,
    slip::{Mend, Slip, SlipKind},
    source::slice,
    spaces::{Space, Spaces},
    wrapper,
};

/// The most slips that are kept for one instruction.
const MAX_SLIPS: usize = 10_000;
/// The most variables that a function is known to change.
const MAX_CHANGES: usize = 64;
/// Variables that the shell keeps and that hold no blanks.
const WITHOUT_BLANKS: &[&str] = &[
    "#", "?", "$", "!", "-", "BASHPID", "BASH_SUBSHELL", "COLUMNS", "EPOCHREALTIME", "EPOCHSECONDS", "EUID", "HISTCMD", "LINENO", "LINES",
    "OPTIND", "PPID", "RANDOM", "SECONDS", "SHLVL", "SRANDOM", "UID",
];
/// Variables in lower case that are set without anyone's doing.
const GIVEN: &[&str] = &["all_proxy", "auto_resume", "ftp_proxy", "histchars", "http_proxy", "https_proxy", "no_proxy"];
/// Programs whose operands are file names to read or change, and nothing that is kept under its name.
const TAKES_FILES: &[&str] = &["cat", "chgrp", "chmod", "chown", "cp", "mv", "rm", "touch"];

/// Which shell reads a script, as far as it decides what a slip is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `sh`: nothing says more.
    #[default]
    Sh,
    /// dash and BusyBox's ash.
    Dash,
    /// bash.
    Bash,
    /// ksh.
    Ksh,
    /// One whose words are not split.
    Zsh,
}

impl Dialect {
    /// That of a shell's base name.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "bash" => Self::Bash,
            "dash" | "ash" | "busybox" => Self::Dash,
            "ksh" => Self::Ksh,
            "zsh" => Self::Zsh,
            _ => Self::Sh,
        }
    }
}

/// The shell of an instruction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Shell {
    /// Which one it is.
    pub(super) dialect: Dialect,
    /// Whether it stops at a failure.
    pub(super) errexit: bool,
}

/// What happens to what a word expands to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It stays one word.
    Kept,
    /// It becomes several.
    Split,
    /// It is a program, which may be several words when nothing else stands in it.
    Program,
}

#[derive(Debug, Default)]
struct Loop {
    written: BTreeSet<String>,
    /// Variables that were clean when they were read, before the loop changed them.
    reads: Vec<(String, Slip)>,
}

#[derive(Debug, Default)]
struct Function {
    changes: Vec<(String, Space)>,
    /// Variables that nothing had set when the function was defined.
    reads: Vec<(String, Slip)>,
}

#[derive(Debug, Default)]
struct Body {
    written: BTreeSet<String>,
    locals: BTreeSet<String>,
    reads: Vec<(String, Slip)>,
}

/// What an outer command is like, while an inner one is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outer {
    command: usize,
    quoted: usize,
}

/// Looks at a script while it is walked.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    scope: &'a Scope,
    shell: Shell,
    /// What is known of variables.
    pub(super) spaces: Spaces,
    slips: Vec<Slip>,
    /// Where each variable is read first.
    reads: BTreeMap<String, Slip>,
    written: BTreeSet<String>,
    /// Expansions in single quotes, of commands that are not complete, and whether they would be addresses of sed.
    quoted: Vec<(Slip, bool)>,
    command: usize,
    commands: usize,
    /// The command that was complete last.
    last: usize,
    /// How many conditions the next command stands in: somebody looks whether it fails.
    pub(super) conditions: usize,
    /// How many `` `...` `` are around the next command.
    pub(super) backquotes: usize,
    is_sourced: bool,
    loops: Vec<Loop>,
    functions: BTreeMap<String, Function>,
    bodies: Vec<Body>,
}

impl<'a> Watch<'a> {
    /// Starts at the head of a script.
    pub(super) fn new(scope: &'a Scope, shell: Shell) -> Self {
        Self {
            scope,
            shell,
            spaces: Spaces::default(),
            slips: Vec::new(),
            reads: BTreeMap::new(),
            written: BTreeSet::new(),
            quoted: Vec::new(),
            command: 0,
            commands: 0,
            last: 0,
            conditions: 0,
            backquotes: 0,
            is_sourced: false,
            loops: Vec::new(),
            functions: BTreeMap::new(),
            bodies: Vec::new(),
        }
    }

    /// The slips of the whole script.
    pub(super) fn finish(mut self) -> Vec<Slip> {
        if self.shell.dialect == Dialect::Zsh {
            return Vec::new();
        }
        let never_called = std::mem::take(&mut self.functions).into_values().flat_map(|function| function.reads);
        let never_called: Vec<Slip> = never_called.map(|(_, slip)| slip).collect();
        self.slips.extend(never_called);
        // When the last command fails, so does the instruction.
        let (errexit, last) = (self.shell.errexit, self.last);
        self.slips.retain(|slip| slip.kind != SlipKind::UncheckedCd || !(errexit || slip.command == last));
        let reads = std::mem::take(&mut self.reads);
        let unset = |name: &str| !self.written.contains(name) && !GIVEN.contains(&name) && !self.scope.declares(name);
        let unset: Vec<Slip> = reads.into_iter().filter(|(name, _)| !self.is_sourced && unset(name)).map(|(_, slip)| slip).collect();
        self.slips.extend(unset);
        self.slips.sort_by(|a, b| (a.range.start, a.kind).cmp(&(b.range.start, b.kind)));
        self.slips.dedup();
        self.slips
    }

    fn add(&mut self, slip: Slip) {
        if self.slips.len() < MAX_SLIPS {
            self.slips.push(slip);
        }
    }

    fn slip(&self, kind: SlipKind, name: &str, range: Range<usize>, mend: Mend) -> Slip {
        Slip { kind, command: self.command, name: shown(name), range, mend }
    }

    /// Begins a simple command.
    pub(super) fn open(&mut self) -> Outer {
        let outer = Outer { command: self.command, quoted: self.quoted.len() };
        self.commands += 1;
        self.command = self.commands;
        outer
    }

    /// Leaves what is no simple command; texts in single quotes are given to no program there.
    pub(super) fn close(&mut self, outer: Outer) {
        let quoted = self.quoted.split_off(outer.quoted.min(self.quoted.len()));
        quoted.into_iter().for_each(|(slip, _)| self.add(slip));
        self.command = outer.command;
    }

    /// Leaves a command that is none of ours.
    pub(super) fn leave(&mut self, outer: Outer) {
        self.quoted.truncate(outer.quoted);
        self.command = outer.command;
    }

    /// What is known of a variable's blanks.
    pub(super) fn space(&self, name: &str) -> Space {
        self.spaces.get(name).unwrap_or_else(|| self.before(name))
    }

    /// What is known of it where the script has not set it.
    fn before(&self, name: &str) -> Space {
        if WITHOUT_BLANKS.contains(&name) || self.scope.declares(name) || GIVEN.contains(&name) { Space::Clean } else { Space::Dirty }
    }

    /// An assignment.
    pub(super) fn assign(&mut self, name: &str, space: Space) {
        let before = self.before(name);
        self.spaces.set(name, space, before);
        if let Some(around) = self.loops.last_mut() {
            around.written.insert(name.to_owned());
        }
        if let Some(body) = self.bodies.last_mut() {
            body.written.insert(name.to_owned());
        }
        self.mention(name);
    }

    /// A name that the script knows.
    pub(super) fn mention(&mut self, name: &str) {
        if name.bytes().any(|b| b.is_ascii_lowercase()) && !self.written.contains(name) {
            self.written.insert(name.to_owned());
        }
    }

    /// A variable that is read; what its value is known to be.
    pub(super) fn read(&mut self, text: &str, range: Range<usize>, splits: bool, is_exact: bool) -> Space {
        let reference = Reference::of(text);
        let name = reference.name;
        let is_variable = wrapper::is_name(name);
        if is_variable && name.bytes().any(|b| b.is_ascii_lowercase()) {
            if reference.is_guarded() {
                self.mention(name);
            } else {
                self.note_first_read(name, &range);
            }
        }
        let space = if reference.is_length { Space::Clean } else { self.space(name) };
        let operator = reference.operator();
        let is_alternative = operator.strip_prefix(':').unwrap_or(operator).starts_with('+');
        let is_number = matches!(name, "#" | "?" | "$" | "!" | "-") || reference.is_length;
        if splits && !is_number && !reference.is_array && !is_alternative {
            let mend = if is_exact && self.backquotes == 0 { Mend::Quotes } else { Mend::No };
            let slip = Slip { name: shown(text), ..self.slip(SlipKind::UnquotedVariable, "", range, mend) };
            self.note_read(name, is_variable, space, slip);
        }
        if reference.modifier.is_empty() { space } else { Space::Dirty }
    }

    /// Notes where a variable is read first.
    fn note_first_read(&mut self, name: &str, range: &Range<usize>) {
        let is_known = self.reads.contains_key(name);
        if !is_known {
            let slip = self.slip(SlipKind::UnassignedVariable, name, range.clone(), Mend::No);
            self.reads.insert(name.to_owned(), slip);
        }
    }

    /// Notes a variable that is split here, now or once more is known.
    fn note_read(&mut self, name: &str, is_variable: bool, space: Space, slip: Slip) {
        if space == Space::Clean {
            if let Some(around) = self.loops.last_mut().filter(|around| is_variable && !around.written.contains(name)) {
                around.reads.push((name.to_owned(), slip));
            }
            return;
        }
        let is_open = is_variable && self.spaces.get(name).is_none();
        match self.bodies.last_mut() {
            // A call decides.
            Some(body) if is_open && !body.written.contains(name) => body.reads.push((name.to_owned(), slip)),
            _ => self.add(slip),
        }
    }

    /// The variables of an arithmetic expression: those with a `$` are read elsewhere.
    pub(super) fn arithmetic(&mut self, text: &str, range: &Range<usize>) {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let bytes = text.as_bytes();
        let has_code = text.contains("$(") || text.contains('`');
        let mut at = 0;
        while let Some(&b) = bytes.get(at) {
            if !is_name(b) {
                at += 1;
                continue;
            }
            let length = bytes.iter().skip(at).take_while(|b| is_name(**b)).count();
            let name = slice(text, at..at + length);
            let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
            at += length;
            let rest = slice(text, at..text.len()).trim_start();
            if !wrapper::is_name(name) || has_code || matches!(before, b'$' | b'{' | b'#' | b'!' | b'"' | b'\'') {
                continue;
            }
            let sets = ["++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="];
            if (rest.starts_with('=') && !rest.starts_with("==")) || sets.iter().any(|operator| rest.starts_with(operator)) {
                self.assign(name, Space::Clean);
            } else if name.bytes().any(|b| b.is_ascii_lowercase()) {
                self.note_first_read(name, range);
            }
        }
    }

    /// A `$(...)` that becomes several words.
    pub(super) fn substitution(&mut self, code: &str, range: Range<usize>, can_mend: bool) {
        let can_mend = can_mend && self.backquotes == 0;
        let name = format!("$({})", code.trim());
        let slip = self.slip(SlipKind::UnquotedSubstitution, &name, range, if can_mend { Mend::Quotes } else { Mend::No });
        self.add(slip);
    }

    /// A text in single quotes.
    pub(super) fn single_quoted(&mut self, text: &str, range: Range<usize>) {
        if let Some(expansion) = expansion(text) {
            let slip = self.slip(SlipKind::QuotedExpansion, expansion, range, Mend::No);
            self.quoted.push((slip, is_sed_address(text)));
        }
    }

    /// How many texts in single quotes there are so far.
    pub(super) fn quotes(&self) -> usize {
        self.quoted.len()
    }

    /// Forgets those since then that are the value of a prompt, which the shell expands itself.
    pub(super) fn assigned(&mut self, name: &str, quotes: usize) {
        if matches!(name, "PS1" | "PS2" | "PS3" | "PS4" | "PROMPT_COMMAND") {
            self.quoted.truncate(quotes);
        }
    }

    /// The end of a simple command.
    pub(super) fn judge(&mut self, command: &Command, outer: Outer) {
        let program = command.words.first().map_or("", |word| word.text.as_str());
        let name = slice(program, program.rfind('/').map_or(0, |at| at + 1)..program.len());
        let quoted = self.quoted.split_off(outer.quoted.min(self.quoted.len()));
        for (slip, is_sed_address) in quoted {
            if !if name == "sed" { is_sed_address } else { takes_code(name, command) } {
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
        if let Some(function) = self.functions.get_mut(program) {
            let reads = std::mem::take(&mut function.reads);
            let changes = function.changes.clone();
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
        let ends = |word: &&Word| !matches!(word.text.as_str(), "--" | ":::" | "::::");
        for word in command.arguments().iter().take_while(ends).filter(|word| word.raw.starts_with(['*', '?'])) {
            // `*(a|b)` is a pattern of its own.
            if word.raw.get(1..).is_some_and(|rest| rest.starts_with('(')) {
                continue;
            }
            let mend = if TAKES_FILES.contains(&name) && !command.has_argument("--parents") { Mend::Folder } else { Mend::No };
            let slip = self.slip(SlipKind::LeadingGlob, &word.raw, word.range.clone(), mend);
            self.add(slip);
        }
    }

    fn declaration(&mut self, command: &Command, program: &str) {
        let options = || command.arguments().iter().filter(|word| word.text.starts_with('-')).map(|word| word.text.as_str());
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
            let integer = options().any(|option| option.contains('i'));
            self.assign(name, if integer { Space::Clean } else { word.space });
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

    /// Begins a loop.
    pub(super) fn open_loop(&mut self) {
        self.loops.push(Loop::default());
    }

    /// Ends a loop: what it changed was changed already when it ran again.
    pub(super) fn close_loop(&mut self) {
        let Some(Loop { written, reads }) = self.loops.pop() else { return };
        for (name, slip) in reads {
            let space = self.space(&name);
            self.note_read(&name, true, space, slip);
        }
        if let Some(around) = self.loops.last_mut() {
            around.written.extend(written);
        }
    }

    /// Begins the body of a function.
    pub(super) fn open_function(&mut self) {
        self.bodies.push(Body::default());
    }

    /// Ends the body of a function, which has not run.
    pub(super) fn close_function(&mut self, name: &str, changes: BTreeMap<String, Space>) {
        let Some(Body { locals, reads, written }) = self.bodies.pop() else { return };
        if let Some(around) = self.bodies.last_mut() {
            around.written.extend(written);
        }
        let changes = changes.into_iter().filter(|(name, _)| !locals.contains(name)).take(MAX_CHANGES).collect();
        self.functions.insert(name.to_owned(), Function { changes, reads });
    }

    /// Whether an assignment behind this program is kept in one word.
    pub(super) fn keeps_assignments(&self, program: &str) -> bool {
        matches!(program, "export" | "readonly" | "declare" | "typeset" | "local") && self.shell.dialect != Dialect::Sh
    }
}

/// `set -e`, alone or with other options.
fn sets_errexit(command: &Command) -> bool {
    let words = command.arguments();
    words.iter().any(|word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('e'))
        || words.iter().any(|word| word.text == "errexit")
}

/// Whether the words of a SHELL say that it stops at a failure.
pub(super) fn stops_at_failure<'w>(mut words: impl Iterator<Item = &'w str>) -> bool {
    words.any(|word| word == "errexit" || (word.starts_with('-') && !word.starts_with("--") && word.contains('e')))
}

/// Whether a value of `for` is more than one word.
pub(super) fn may_be_many(raw: &str) -> bool {
    let is_quoted = raw.contains(['"', '\'']);
    raw.contains(['*', '?', '[', '{']) || (!is_quoted && raw.contains(['$', '`']))
}
