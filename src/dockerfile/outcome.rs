//! The commands of one instruction in, for which of them it matters what they find or print out: whether a failure is noticed, and whether
//! somebody looks at what is printed.

use std::collections::BTreeMap;

use super::{
    command::{Command, HOLE, Operator, Redirect, RedirectKind, Word},
    download::base,
    wrapper,
};

/// How many members of a pipeline are looked at behind a command.
const MOST_MEMBERS: usize = 16;
/// How many commands behind a message are looked at for one that ends the script.
const MOST_AFTERMATH: usize = 8;
/// How many commands are looked at for one that reads a file.
const MOST_READERS: usize = 32;
/// How many of the files of a command are looked for.
const MOST_FILES: usize = 4;

/// Programs that tell somebody something and succeed.
const TELLS: &[&str] = &["cat", "date", "echo", "logger", "ls", "printf", "sleep"];
/// Programs that keep what they read as the value of a variable.
const KEEPS: &[&str] = &["", "declare", "eval", "export", "local", "mapfile", "read", "readarray", "readonly", "set", "typeset"];
/// Programs that hand on what they read, and fail for nothing in it; awk and sed unless they exit.
const SHOWS: &[&str] = &[
    "awk", "base64", "bzip2", "cat", "column", "cut", "echo", "fold", "gawk", "gzip", "head", "logger", "mawk", "nl", "od", "printf",
    "rev", "sed", "sort", "tail", "tee", "tr", "uniq", "wc", "xxd", "xz",
];
/// Programs that give a file another name.
const MOVES: &[&str] = &["cp", "install", "ln", "mv"];
/// Programs that look into none of the files that they name, or only to unpack, pack or install them.
const BLIND: &[&str] = &[
    "[", "apk", "apt", "apt-get", "bsdtar", "chgrp", "chmod", "chown", "curl", "dnf", "dpkg", "find", "gunzip", "ls", "mkdir", "npm",
    "pip", "pip3", "rm", "rpm", "stat", "tar", "test", "touch", "unlink", "unzip", "wget", "yum", "zip",
];

/// What comes of the commands of one instruction.
pub(super) struct Outcomes<'a> {
    commands: &'a [Command],
    /// Whether functions are defined; one may be what ends the script.
    has_functions: bool,
    /// The commands that are the last member of a pipeline, by the number of the pipeline: its place, the first and the last of them.
    lasts: BTreeMap<usize, (usize, usize, usize)>,
    /// The command that has the `$(...)` or `<(...)` of another, by the place of that other.
    holders: BTreeMap<usize, usize>,
    /// The commands that look into a file, by its name.
    readers: BTreeMap<&'a str, Vec<usize>>,
    /// By place, whether it matters what the command finds or prints.
    matters: Vec<bool>,
}

impl<'a> Outcomes<'a> {
    /// Looks at the commands of an instruction; `only_prints` says of a command that it finds nothing.
    pub(super) fn of(commands: &'a [Command], only_prints: impl Fn(&Command) -> bool) -> Self {
        let mut this = Self {
            commands,
            has_functions: commands.iter().any(|command| command.in_function),
            lasts: BTreeMap::new(),
            holders: BTreeMap::new(),
            readers: BTreeMap::new(),
            matters: vec![false; commands.len()],
        };
        for (at, command) in commands.iter().enumerate() {
            this.note(at, command);
        }
        // What matters of a command depends on those behind it alone.
        for (at, command) in commands.iter().enumerate().rev() {
            let matters = this.is_noticed(at, command, &only_prints) || this.is_read_from_file(at, command);
            if let Some(known) = this.matters.get_mut(at) {
                *known = matters;
            }
        }
        this
    }

    /// Whether it matters what the command at a place finds or prints.
    pub(super) fn matters(&self, at: usize) -> bool {
        self.matters.get(at).copied().unwrap_or_default()
    }

    fn note(&mut self, at: usize, command: &'a Command) {
        for pipe in &command.pipes {
            let last = self.lasts.entry(pipe.id).or_insert((pipe.position, at, at));
            if pipe.position > last.0 {
                *last = (pipe.position, at, at);
            } else if pipe.position == last.0 {
                last.2 = at;
            }
        }
        let sources = command.redirects.iter().map(|redirect| &redirect.target);
        for word in command.words.iter().chain(sources) {
            for inner in word.inner.clone() {
                self.holders.entry(inner).or_insert(at);
            }
        }
        if !command.is_one_of(BLIND) {
            let is_read = |redirect: &&Redirect| redirect.kind == RedirectKind::Read;
            let sources = command.redirects.iter().filter(is_read).map(|redirect| &redirect.target);
            for word in command.arguments().iter().chain(sources) {
                self.readers.entry(name_of(word)).or_default().push(at);
            }
        }
    }

    /// Whether what a command finds is noticed where it stands: by its status, by the last member of its pipeline, by the command around its
    /// `$(...)`, or by who calls the function that it is in.
    fn is_noticed(&self, at: usize, command: &Command, only_prints: &impl Fn(&Command) -> bool) -> bool {
        // What sudo and the like run is in the list itself.
        let finds = !only_prints(command) && !only_shows(command) && !command.is_one_of(MOVES) && wrapper::unwrap(command).is_empty();
        let is_kept = |at: usize| self.commands.get(at).is_some_and(|command| command.is_one_of(KEEPS));
        let by_last = |(position, id): (usize, usize)| {
            let (_, first, last) = self.lasts.get(&id).copied().filter(|(last, ..)| *last > position)?;
            Some((first..=last).take(MOST_READERS).any(|at| is_kept(at) || self.matters(at)))
        };
        let by_holder = || self.holders.get(&at).is_none_or(|&holder| is_kept(holder) || self.matters(holder));
        command.in_function
            || (finds && command.is_heeded && !self.is_forgiven(at, command))
            || (command.is_captured && by_holder())
            || command.pipes.iter().filter_map(|pipe| by_last((pipe.position, pipe.id))).any(|matters| matters)
    }

    /// Whether what a command prints becomes a file that one behind it looks into.
    fn is_read_from_file(&self, at: usize, command: &Command) -> bool {
        let reads = |reader: usize| self.matters(reader) || self.commands.get(reader).is_some_and(|reader| reader.is_one_of(KEEPS));
        let is_read = |file: &str| {
            let readers = self.readers.get(file).map_or(&[][..], Vec::as_slice);
            let behind = readers.partition_point(|reader| *reader <= at);
            let readers = readers.get(behind..).unwrap_or_default();
            readers.iter().take_while(|reader| **reader <= at + MOST_READERS).any(|reader| reads(*reader))
        };
        kept_files(command).take(MOST_FILES).any(is_read)
    }

    /// Whether a failure of a command is passed over: `|| true`, or `|| echo` and what is behind it goes on.
    fn is_forgiven(&self, at: usize, command: &Command) -> bool {
        // The pipelines around both are the outermost of each.
        let is_fed =
            |other: &&Command| command.pipes.iter().zip(&other.pipes).any(|(own, at)| at.id == own.id && at.position > own.position);
        let behind = self.commands.get(at + 1..).unwrap_or_default();
        let members = behind.iter().take(MOST_MEMBERS).take_while(is_fed).count();
        let messages = |other: &&Command| other.joined == Operator::And && other.is_one_of(TELLS);
        let mut behind = behind.iter().skip(members).take(MOST_MEMBERS).skip_while(messages);
        let is_or = |other: &&Command| other.joined == Operator::Or;
        if behind.clone().take_while(is_or).any(succeeds) {
            return true;
        }
        let Some(next) = behind.next().filter(is_or) else { return false };
        // In `|| echo bad; tar xf x || exit 1` the check ends nothing.
        let is_aftermath = |other: &&Command| !other.is_one_of(&["[", "test"]);
        let ends = |other: &Command| other.joined != Operator::Or && ends(other);
        !self.has_functions && next.is_one_of(TELLS) && !behind.take(MOST_AFTERMATH).take_while(is_aftermath).any(ends)
    }
}

/// What a file is called: the last part of its path, or the word as it is written where that is not known.
fn name_of(word: &Word) -> &str {
    if word.text.contains(HOLE) { word.raw.trim_matches(['"', '$', '{', '}']) } else { base(&word.text) }
}

/// Whether a command hands on what it reads, and fails for nothing in it.
fn only_shows(command: &Command) -> bool {
    let says = |mark: &str| command.arguments().iter().any(|word| word.text.contains(mark));
    match command.name.as_str() {
        "awk" | "gawk" | "mawk" => !says("exit"),
        "sed" => !says("q"),
        name => SHOWS.contains(&name),
    }
}

/// The names of the files that a command makes of what it prints or reads.
fn kept_files(command: &Command) -> impl Iterator<Item = &str> {
    let arguments = command.arguments();
    let is_written = |redirect: &&Redirect| redirect.kind == RedirectKind::Write;
    let redirects = command.redirects.iter().filter(is_written).map(|redirect| &redirect.target);
    let copies = arguments.iter().filter(|word| command.name == "tee" && !word.text.starts_with('-'));
    let moved = arguments.last().filter(|_| command.is_one_of(MOVES));
    let out = arguments.windows(2).filter_map(|words| match words {
        [option, file] if command.name == "openssl" && option.text == "-out" => Some(file),
        _ => None,
    });
    redirects.chain(copies).chain(moved).chain(out).filter(|word| !word.text.starts_with("/dev/")).map(name_of)
}

/// Whether a command does nothing but succeed.
fn succeeds(command: &Command) -> bool {
    match command.name.as_str() {
        "true" | ":" => command.arguments().is_empty(),
        "exit" | "return" => matches!(command.arguments(), [status] if status.text.bytes().all(|digit| digit == b'0')),
        _ => false,
    }
}

/// Whether a command ends the script, or what it is about.
fn ends(command: &Command) -> bool {
    command.is_one_of(&["break", "continue", "exit", "return", "false", "kill"]) && !succeeds(command)
}
