//! The commands of one instruction in, for which of them it matters what they find or print out: whether a failure is noticed, and whether
//! somebody looks at what is printed.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    command::{Command, HOLE, Operator, Redirect, RedirectKind, Word},
    download::base,
    source::slice,
    wrapper,
};

/// How many commands behind one are looked at for what joins them to it: members of its pipeline, messages, members of its `||`.
const MOST_JOINED: usize = 16;
/// How many commands behind a message are looked at for one that ends the script.
const MOST_AFTERMATH: usize = 8;
/// How far behind a command one is looked for that reads its file.
const MOST_BETWEEN: usize = 32;
/// How many commands are asked that read the same: in the last member of a pipeline, or around a `$(...)`.
const MOST_READERS: usize = 16;
/// How many of the files of a command are looked for.
const MOST_FILES: usize = 4;

/// Programs that tell somebody something and succeed.
const TELLS: &[&str] = &["cat", "date", "echo", "logger", "ls", "printf", "sleep"];
/// Programs that keep what they read as the value of a variable or for later.
const KEEPS: &[&str] = &["", "declare", "eval", "exec", "export", "local", "mapfile", "read", "readarray", "readonly", "set", "typeset"];
/// Programs that hand on what they read, and fail for nothing in it; awk and sed unless they exit.
const SHOWS: &[&str] = &[
    "awk", "base64", "bzip2", "cat", "column", "cut", "echo", "fold", "gawk", "gzip", "head", "logger", "mawk", "nl", "od", "printf",
    "rev", "sed", "sort", "tail", "tee", "tr", "uniq", "wc", "xxd", "xz",
];
/// Programs that give a file another name.
const MOVES: &[&str] = &["cp", "install", "ln", "mv"];
/// Programs that look at whether a file is there and is empty.
const TESTS: &[&str] = &["[", "test"];
/// Programs that unpack or install what they name.
const USES: &[&str] = &["apk", "apt", "apt-get", "bsdtar", "dnf", "dpkg", "gunzip", "npm", "pip", "pip3", "rpm", "tar", "unzip", "yum"];
/// Others that do not look into the files that they name.
const BLIND: &[&str] = &[
    "aws", "chgrp", "chmod", "chown", "curl", "find", "gsutil", "less", "ls", "mkdir", "more", "rm", "rsync", "scp", "stat", "touch",
    "unlink", "wget", "zip",
];

/// The last member of a pipeline, which may be several commands.
#[derive(Debug, Clone, Copy)]
struct LastMember {
    position: usize,
    first: usize,
    last: usize,
}

/// What comes of the commands of one instruction.
pub(super) struct Outcomes<'a> {
    commands: &'a [Command],
    /// Whether functions are defined; one may be what ends the script.
    has_functions: bool,
    /// By the number of the pipeline.
    lasts: BTreeMap<usize, LastMember>,
    /// The commands that have a `$(...)` or `<(...)`, by the places of the first command in it and of the one behind it: a group and a wrapper
    /// share theirs.
    holders: BTreeMap<(usize, usize), Vec<usize>>,
    /// By place, those in which the command stands.
    around: BTreeMap<usize, Vec<(usize, usize)>>,
    /// The commands that look into a file, by its name.
    readers: BTreeMap<Cow<'a, str>, Vec<usize>>,
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
            around: BTreeMap::new(),
            readers: BTreeMap::new(),
            matters: vec![false; commands.len()],
        };
        for (at, command) in commands.iter().enumerate() {
            this.note(at, command);
        }
        // What matters of a command depends on those behind it alone.
        for (at, command) in commands.iter().enumerate().rev() {
            let finds = !only_prints(command) && !only_shows(command) && !command.is_one_of(MOVES);
            let matters = this.is_noticed(at, command, finds) || this.is_read_from_file(at, command, finds);
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
            let member = LastMember { position: pipe.position, first: at, last: at };
            let last = self.lasts.entry(pipe.id).or_insert(member);
            if pipe.position > last.position {
                *last = member;
            } else if pipe.position == last.position {
                last.last = at;
            }
        }
        let targets = command.redirects.iter().map(|redirect| &redirect.target);
        for inner in command.words.iter().chain(targets).map(|word| word.inner.clone()).filter(|inner| !inner.is_empty()) {
            let substitution = (inner.start, inner.end);
            let holders = self.holders.entry(substitution).or_default();
            if holders.is_empty() {
                inner.for_each(|place| self.around.entry(place).or_default().push(substitution));
            }
            // The commands of a group all have its redirects.
            if holders.len() < MOST_READERS {
                holders.push(at);
            }
        }
        if !command.is_one_of(USES) && !command.is_one_of(BLIND) {
            let is_read = |redirect: &&Redirect| redirect.kind == RedirectKind::Read;
            let sources = command.redirects.iter().filter(is_read).map(|redirect| &redirect.target);
            for word in command.arguments().iter().chain(sources) {
                self.readers.entry(name_of(word)).or_default().push(at);
            }
        }
    }

    /// Whether what reached a command is kept or matters there.
    fn is_followed_up(&self, at: usize) -> bool {
        self.matters(at) || self.commands.get(at).is_some_and(keeps)
    }

    /// Whether what a command finds is noticed where it stands: by its status, by the last member of its pipeline, by the command around its
    /// `$(...)`, or by who calls the function that it is in.
    fn is_noticed(&self, at: usize, command: &Command, finds: bool) -> bool {
        let by_status = |at: usize, command: &Command| command.is_heeded && !self.is_forgiven(at, command);
        // What sudo and the like run is in the list itself, but not with the substitutions in it.
        let is_wrapper = |command: &Command| !wrapper::unwrap(command).is_empty();
        let by_wrapper = |at: usize| self.commands.get(at).is_some_and(|command| is_wrapper(command) && by_status(at, command));
        let by_holder = |&at: &usize| self.is_followed_up(at) || by_wrapper(at);
        // What no command has is the value of a variable, of a loop or of a `case`.
        let is_looked_at = || {
            let around = self.around.get(&at);
            around.is_none_or(|around| around.iter().filter_map(|one| self.holders.get(one)).flatten().any(by_holder))
        };
        let by_last = |(position, id): (usize, usize)| {
            let member = self.lasts.get(&id).filter(|member| member.position > position)?;
            Some((member.first..=member.last).take(MOST_READERS).any(|at| self.is_followed_up(at)))
        };
        command.in_function
            || (finds && !is_wrapper(command) && by_status(at, command))
            || (command.is_captured && is_looked_at())
            || command.pipes.iter().filter_map(|pipe| by_last((pipe.position, pipe.id))).any(|matters| matters)
    }

    /// Whether what a command prints becomes a file that one behind it looks into; at whether it is empty only where the command `finds` something.
    fn is_read_from_file(&self, at: usize, command: &Command, finds: bool) -> bool {
        let reads = |reader: usize| {
            self.is_followed_up(reader) && (finds || !self.commands.get(reader).is_some_and(|command| command.is_one_of(TESTS)))
        };
        let is_read = |file: Cow<'_, str>| {
            let readers = self.readers.get(&*file).map_or(&[][..], Vec::as_slice);
            let behind = readers.partition_point(|reader| *reader <= at);
            let readers = readers.get(behind..).unwrap_or_default();
            readers.iter().take_while(|reader| **reader <= at + MOST_BETWEEN).any(|reader| reads(*reader))
        };
        kept_files(command).take(MOST_FILES).any(is_read)
    }

    /// Whether a failure of a command is passed over: `|| true`, or `|| echo` and what is behind it goes on. So is that of one with more joined to
    /// it than is looked at.
    fn is_forgiven(&self, at: usize, command: &Command) -> bool {
        // Pipelines stand outermost first, so that two commands share the first ones or none.
        let is_fed =
            |other: &&Command| command.pipes.iter().zip(&other.pipes).any(|(own, its)| its.id == own.id && its.position > own.position);
        let is_message = |other: &&Command| other.joined == Operator::And && other.is_one_of(TELLS);
        let is_or = |other: &&Command| other.joined == Operator::Or;
        let joined = self.commands.get(at + 1..).unwrap_or_default();
        let joined = joined.get(..MOST_JOINED).unwrap_or(joined);
        let members = joined.iter().take_while(is_fed).count();
        let messages = joined.iter().skip(members).take_while(is_message).count();
        if members + messages == MOST_JOINED {
            return true;
        }
        let at = at + 1 + members + messages;
        let Some(next) = self.commands.get(at).filter(is_or) else { return false };
        let behind = self.commands.get(at + 1..).unwrap_or_default();
        let only_tells = !self.has_functions && next.is_one_of(TELLS) && !self.is_read_from_file(at, next, true);
        let is_passed_on = || {
            let others = behind.iter().take(MOST_JOINED).take_while(is_or);
            others.clone().any(succeeds) || others.count() == MOST_JOINED
        };
        let mut aftermath = behind.iter().take(MOST_AFTERMATH).take_while(|other| !other.is_one_of(USES));
        succeeds(next) || ((only_tells || is_passed_on()) && !aftermath.any(ends))
    }
}

/// What a file is called: the last part of its path, or of the word as it is written, without quotes and braces, where that is not known.
fn name_of(word: &Word) -> Cow<'_, str> {
    let name = base(&word.text);
    if !name.contains(HOLE) {
        return Cow::Borrowed(name);
    }
    let written: String = base(&word.raw).chars().filter(|c| !matches!(c, '"' | '$' | '{' | '}')).collect();
    let known = written.find(':').unwrap_or(written.len());
    Cow::Owned(slice(&written, 0..known).to_owned())
}

/// Whether a command keeps what reaches it.
fn keeps(command: &Command) -> bool {
    command.is_one_of(KEEPS) || (command.name == "printf" && command.has_argument("-v"))
}

/// Whether a command hands on what it reads, and fails for nothing in it.
fn only_shows(command: &Command) -> bool {
    let says = |marks: &[&str]| command.arguments().iter().any(|word| marks.iter().any(|mark| word.text.contains(mark)));
    match command.name.as_str() {
        "awk" | "gawk" | "mawk" => !says(&["exit"]) && !command.has_argument("-f"),
        "sed" => !says(&["q", "Q"]),
        name => SHOWS.contains(&name),
    }
}

/// The names of the files that a command makes of what it prints or reads.
fn kept_files(command: &Command) -> impl Iterator<Item = Cow<'_, str>> {
    let arguments = command.arguments();
    let moved = arguments.last().filter(|_| command.is_one_of(MOVES));
    let out = arguments.windows(2).filter_map(|words| match words {
        [option, file] if command.name == "openssl" && option.text == "-out" => Some(file),
        _ => None,
    });
    command.written_words().chain(moved).chain(out).filter(|word| !word.text.starts_with("/dev/")).map(name_of)
}

/// Whether a command does nothing but succeed.
fn succeeds(command: &Command) -> bool {
    match command.name.as_str() {
        "true" | ":" => command.arguments().is_empty(),
        "exit" | "return" => {
            matches!(command.arguments(), [status] if !status.text.is_empty() && status.text.bytes().all(|digit| digit == b'0'))
        }
        _ => false,
    }
}

/// Whether a command ends the script, or what it is about.
fn ends(command: &Command) -> bool {
    command.is_one_of(&["break", "continue", "exit", "return", "false", "kill"]) && !succeeds(command)
}
