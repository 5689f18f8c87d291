//! Text that runs from one command of a script to another: what a command prints, what it reads from a pipe, a here-document or a file that
//! the Dockerfile itself wrote. What cannot be followed is lost, never taken for harmless.

use std::{cell::Cell, collections::BTreeMap, ops::Range};

use super::{
    bounds::MAX_SCRIPT,
    command::{Command, HOLE, Pipe, Redirect, RedirectKind},
    effort,
    shell::Walker,
    source::Logical,
    wrapper,
};

/// How many members of a pipeline are followed back to where their text comes from.
pub(super) const MAX_FLOW: usize = 8;
/// The furthest member of a pipeline whose input is followed.
const MAX_PIPELINE: usize = 256;
/// How much is looked at to follow the text of one file: commands, and bytes that run from one to another.
const FLOW_BUDGET: usize = 4 << 20;
/// Reading code again takes that many times as long as copying it.
pub(super) const WEIGHT: usize = 4;
/// Programs that print nothing that could be code.
const SILENT: &[&str] = &[
    "", ":", "true", "false", "set", "cd", "export", "unset", "test", "[", "sleep", "mkdir", "rm", "touch", "chmod", "chown", "cp", "mv",
    "ln", "exit", "return", "wait", "read", "shift", "tee",
];
/// Programs that turn the text of their input into another.
const FILTERS: &[&str] = &[
    "awk", "base64", "bunzip2", "bzcat", "cut", "envsubst", "fold", "gawk", "grep", "egrep", "gunzip", "gzip", "head", "mawk", "openssl",
    "paste", "perl", "rev", "sed", "sort", "tac", "tail", "tr", "uniq", "xargs", "xxd", "xz", "xzcat", "zcat",
];

/// Text that runs from one command to another.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    /// What of it stands in the Dockerfile.
    pub(super) code: Logical,
    /// Text of the Dockerfile that could not be followed.
    pub(super) is_lost: bool,
    /// What a program printed: nothing that the Dockerfile says.
    is_foreign: bool,
}

impl Flow {
    /// Adds text that stands at `at` in the original.
    pub(super) fn add(&mut self, text: &str, at: usize) {
        // A hole is a value that is not known: a variable keeps the code readable for the parser.
        self.code.append(&text.replace(HOLE, "${_}"), at);
        if !text.ends_with('\n') {
            self.code.append("\n", at + text.len());
        }
        if self.code.text.len() > MAX_SCRIPT {
            self.code = Logical::default();
            self.is_lost = true;
        }
    }

    /// Adds text that runs behind this.
    pub(super) fn join(&mut self, other: &Self) {
        if self.code.text.len() + other.code.text.len() > MAX_SCRIPT {
            *self = Self { is_foreign: self.is_foreign, ..Self::lost() };
            return;
        }
        self.code.join(&other.code);
        self.is_lost |= other.is_lost;
        self.is_foreign |= other.is_foreign;
    }

    /// Whether the Dockerfile says any of it.
    pub(super) fn is_said(&self) -> bool {
        self.is_lost || !self.code.text.trim().is_empty()
    }

    /// Text that could not be followed.
    pub(super) const fn lost() -> Self {
        Self { code: Logical::none(), is_lost: true, is_foreign: false }
    }

    const fn foreign() -> Self {
        Self { code: Logical::none(), is_lost: false, is_foreign: true }
    }
}

/// Files whose text stands in the Dockerfile, by base name; stages are not told apart, since they copy from each other.
#[derive(Debug)]
pub(super) struct Files {
    written: BTreeMap<String, Written>,
    /// How much may still be looked at to follow text.
    budget: Cell<usize>,
    /// What the grammar may still spend on deeply nested code.
    pub(super) effort: effort::Budget,
}

impl Default for Files {
    fn default() -> Self {
        Self { written: BTreeMap::new(), budget: Cell::new(FLOW_BUDGET), effort: effort::Budget::default() }
    }
}

#[derive(Debug, Default)]
struct Written {
    flow: Flow,
    /// How much of the text was there when it last ran.
    run: usize,
}

impl Files {
    /// Notes text that a heredoc of COPY or ADD writes.
    pub(super) fn write(&mut self, path: &str, text: &str, at: usize) {
        let mut flow = Flow::default();
        flow.add(text, at);
        self.add(path, &flow);
    }

    /// Notes text that a command writes.
    pub(super) fn add(&mut self, path: &str, flow: &Flow) {
        if path.starts_with("/dev/") || (flow.code.text.is_empty() && !flow.is_lost) {
            return;
        }
        self.written.entry(base(path).to_owned()).or_default().flow.join(flow);
    }

    /// The text of a file.
    pub(super) fn get(&self, path: &str) -> Option<&Flow> {
        self.written.get(base(path)).map(|written| &written.flow)
    }

    /// The text of a file that is about to run, unless all of it ran before.
    pub(super) fn take(&mut self, path: &str) -> Option<Flow> {
        let written = self.written.get_mut(base(path))?;
        let length = written.flow.code.text.len() + 1;
        if std::mem::replace(&mut written.run, length) >= length {
            return None;
        }
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(length.saturating_mul(WEIGHT)));
        Some(if left > 0 { written.flow.clone() } else { Flow::lost() })
    }
}

/// The last part of a path; one that is not known stands for all such.
pub(super) fn base(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    if last.contains(HOLE) { "\u{0}" } else { last }
}

impl Walker<'_> {
    /// What a command reads: the last redirect of its input, else the pipe.
    pub(super) fn input(&self, command: &Command, left: usize) -> Flow {
        let Some(left) = left.checked_sub(1) else { return Flow::lost() };
        let reads = |redirect: &&Redirect| matches!(redirect.kind, RedirectKind::Read | RedirectKind::Text);
        let flow = match (command.redirects.iter().rfind(reads), command.pipes.iter().rfind(|pipe| pipe.position > 0)) {
            (Some(redirect), _) => self.read_by(redirect, left),
            (None, Some(pipe)) => self.read_from(pipe, left),
            (None, None) => Flow::default(),
        };
        if self.spend(1 + flow.code.text.len()) { flow } else { Flow::lost() }
    }

    /// Whether there is that much left of what may be looked at.
    pub(super) fn spend(&self, amount: usize) -> bool {
        let left = self.files.budget.get();
        self.files.budget.set(left.saturating_sub(amount));
        left >= amount
    }

    fn read_from(&self, pipe: &Pipe, left: usize) -> Flow {
        let members = self.starts.get(pipe.id).and_then(|&start| self.out.get(start..)).unwrap_or_default();
        if pipe.position > MAX_PIPELINE || !self.spend(members.len()) {
            return Flow::lost();
        }
        let place = |other: &Command| other.pipes.iter().find(|at| at.id == pipe.id).map(|at| at.position);
        // The rules judge a download by its own name, however far back it stands.
        let earlier = |other: &&Command| place(other).is_some_and(|at| at < pipe.position);
        if members.iter().filter(earlier).any(is_download) {
            return Flow::default();
        }
        let mut flow = Flow::default();
        let before = |other: &&Command| place(other).is_some_and(|at| at + 1 == pipe.position);
        // Wrappers print what the commands print that they run, and these are in the list too.
        for feeder in members.iter().filter(before).filter(|other| wrapper::unwrap(other).is_empty()) {
            flow.join(&self.output(feeder, left));
        }
        flow
    }

    fn read_by(&self, redirect: &Redirect, left: usize) -> Flow {
        let target = &redirect.target;
        if redirect.kind == RedirectKind::Text {
            let mut flow = Flow::default();
            flow.add(&target.text, redirect.at);
            // The rules look into `<<< $(...)` themselves; what a program prints there is not in this file.
            flow.is_lost = target.inner.is_empty() && target.text.trim_matches([HOLE, ' ', '\n']).is_empty() && target.text.contains(HOLE);
            return flow;
        }
        if target.is_process {
            return self.printed(&target.inner, left);
        }
        self.files.get(&target.text).cloned().unwrap_or_default()
    }

    /// Whether one of the commands of a substitution fetches something.
    pub(super) fn downloads(&self, commands: &Range<usize>) -> bool {
        self.out.get(commands.clone()).unwrap_or_default().iter().any(is_download)
    }

    /// What the commands of a substitution print.
    pub(super) fn printed(&self, commands: &Range<usize>, left: usize) -> Flow {
        let mut flow = Flow::default();
        if !self.spend(commands.len()) {
            return Flow::lost();
        }
        if self.downloads(commands) {
            return flow;
        }
        let commands = self.out.get(commands.clone()).unwrap_or_default();
        for command in commands.iter().filter(|command| wrapper::unwrap(command).is_empty()) {
            flow.join(&self.output(command, left));
        }
        flow
    }

    /// What a command prints, as far as the Dockerfile says it.
    pub(super) fn output(&self, command: &Command, left: usize) -> Flow {
        let mut flow = Flow::default();
        let at = command.range.start;
        let words: Vec<&str> = command.arguments().iter().map(|word| word.text.as_str()).collect();
        match command.name.as_str() {
            "echo" => {
                let options = words.iter().take_while(|word| is_echo_option(word)).count();
                let text = words.get(options..).unwrap_or_default().join(" ");
                flow.add(&unescaped(&text), at);
            }
            "printf" => match words.split_first().and_then(|(format, values)| printf(format, values)) {
                Some(text) => flow.add(&text, at),
                None => return Flow::lost(),
            },
            "cat" => {
                let files: Vec<&&str> = words.iter().filter(|word| !word.starts_with('-') || **word == "-").collect();
                if files.is_empty() {
                    return self.input(command, left);
                }
                for file in files {
                    match self.files.get(file) {
                        _ if *file == "-" || *file == "/dev/stdin" => flow.join(&self.input(command, left)),
                        Some(written) if self.spend(1 + written.code.text.len()) => flow.join(written),
                        Some(_) => return Flow::lost(),
                        // A file that the Dockerfile did not write is no more said here than a script that is run by its name.
                        None => {}
                    }
                }
            }
            "tee" => return self.input(command, left),
            name if SILENT.contains(&name) || is_download(command) => {}
            name if FILTERS.contains(&name) => {
                let input = self.input(command, left);
                let known = words.iter().any(|word| self.files.get(word).is_some());
                return if known || input.is_said() { Flow::lost() } else { Flow::foreign() };
            }
            _ => return Flow::foreign(),
        }
        flow
    }
}

/// Text that a shell is about to run: what another program prints there is code that nobody read.
pub(super) const fn must_be_said(mut flow: Flow) -> Flow {
    flow.is_lost |= flow.is_foreign;
    flow
}

fn is_download(command: &Command) -> bool {
    command.is_one_of(&["curl", "wget", "fetch", "aria2c"])
}

fn is_echo_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && word.bytes().skip(1).all(|b| matches!(b, b'n' | b'e' | b'E'))
}

/// The text with the escapes of `echo -e` and `$'...'`, which the shells of some images always follow; one that is written as a
/// number gives a hole.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r' | 'a' | 'b' | 'v' | 'f' | 'e') => out.push(' '),
            Some('x' | 'u' | 'U' | '0'..='7') => out.push(HOLE),
            Some(quote @ ('\'' | '"')) => out.push(quote),
            Some('\\') => out.push('\\'),
            other => {
                out.push('\\');
                out.extend(other);
            }
        }
    }
    out
}

/// What printf prints, when its format has nothing but `%s`, `%b` and `%%`.
fn printf(format: &str, values: &[&str]) -> Option<String> {
    let mut out = String::new();
    let mut values = values.iter().copied();
    loop {
        let mut chars = format.chars();
        let mut took = false;
        while let Some(c) = chars.next() {
            match c {
                '%' => match chars.next()? {
                    's' | 'b' => {
                        out.push_str(values.next().unwrap_or_default());
                        took = true;
                    }
                    '%' => out.push('%'),
                    _ => return None,
                },
                c => out.push(c),
            }
        }
        if !took || values.len() == 0 || out.len() > MAX_SCRIPT {
            return Some(unescaped(&out));
        }
    }
}
