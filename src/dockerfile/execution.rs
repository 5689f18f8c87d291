//! A command in, what it runs for another out: `sudo x`, `sh -c`, and the code that reaches a shell by a here-document, a pipe
//! or a file that the Dockerfile itself wrote. Code that cannot be followed is said to be unread, never taken for harmless.

use std::{cell::Cell, collections::BTreeMap, ops::Range};

use super::{
    bounds::{MAX_COMMANDS, MAX_SCRIPT, MAX_SCRIPT_DEPTH, Unread},
    command::{Command, HOLE, Pipe, Redirect, RedirectKind, Word},
    foreign,
    shell::Walker,
    source::{Logical, slice},
    wrapper::{self, Inner},
};

/// How many members of a pipeline are followed back to where their text comes from.
pub(super) const MAX_FLOW: usize = 8;
/// The furthest member of a pipeline whose input is followed.
const MAX_PIPELINE: usize = 256;
/// How much is looked at to follow the text of one file: commands, and bytes that run from one to another.
const FLOW_BUDGET: usize = 4 << 20;
/// Reading code again takes that many times as long as copying it.
const WEIGHT: usize = 4;
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
    code: Logical,
    /// Text of the Dockerfile that could not be followed.
    is_lost: bool,
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

    fn join(&mut self, other: &Self) {
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

    const fn lost() -> Self {
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
}

impl Default for Files {
    fn default() -> Self {
        Self { written: BTreeMap::new(), budget: Cell::new(FLOW_BUDGET) }
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

    fn add(&mut self, path: &str, flow: &Flow) {
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
    fn take(&mut self, path: &str) -> Option<Flow> {
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
fn base(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    if last.contains(HOLE) { "\u{0}" } else { last }
}

impl Walker<'_> {
    /// Puts a command into the list, and after it what it runs for another.
    pub(super) fn emit(&mut self, mut command: Command, depth: usize) {
        let program = command.words.first().map_or("", |word| word.text.as_str());
        command.name = slice(program, program.rfind(['/', '\\']).map_or(0, |at| at + 1)..program.len()).to_owned();
        command.wrapped = self.wrapped;
        command.in_function = self.in_function;
        command.pipes.clone_from(&self.pipes);
        if self.out.len() > MAX_COMMANDS || depth > MAX_SCRIPT_DEPTH {
            self.unread.push(Unread::TooLong);
            return;
        }
        let mut inner = wrapper::unwrap(&command);
        self.hand_on(&command, &mut inner);
        let flow = if inner.is_empty() { self.code_of(&command) } else { None };
        self.note_copy(&command);
        let written: Vec<String> = command.written_files().map(str::to_owned).collect();
        if !written.is_empty() {
            let text = if command.name == "tee" { self.input(&command, MAX_FLOW) } else { self.output(&command, MAX_FLOW) };
            for path in &written {
                self.files.add(path, &text);
            }
        }
        if is_unknown(&command) {
            self.unread.push(Unread::Unknown);
        }
        let (range, redirects, joined) = (command.range.clone(), command.redirects.clone(), command.joined);
        self.out.push(command);
        let wrapped = std::mem::replace(&mut self.wrapped, true);
        if let Some(flow) = flow {
            self.run(&flow, depth);
        }
        for inner in inner {
            match inner {
                Inner::Words(assignments, words) => {
                    let command =
                        Command { words, assignments, range: range.clone(), redirects: redirects.clone(), joined, ..Command::default() };
                    self.emit(command, depth + 1);
                }
                // The rules judge a download by its own name, and what it brings is not in this file.
                Inner::Script(word) if word.text.trim() == "\u{0}" && self.downloads(&word.inner) => {}
                Inner::Script(word) => {
                    let outer = std::mem::replace(&mut self.redirects, redirects.clone());
                    self.script(&Logical::of(&word.text.replace(HOLE, "${_}"), range.start), depth + 1);
                    self.redirects = outer;
                }
            }
        }
        self.wrapped = wrapped;
    }

    /// The words that a function runs as a command of their own, and those that xargs reads.
    fn hand_on(&mut self, command: &Command, inner: &mut Vec<Inner>) {
        const MOST_WORDS: usize = 1_000;
        if self.forwarders.contains(&command.name) && !command.arguments().is_empty() {
            inner.push(Inner::Words(Vec::new(), command.arguments().to_vec()));
        }
        if command.name == "xargs" {
            let input = self.input(command, MAX_FLOW);
            if input.is_lost {
                self.unread.push(Unread::Lost);
            }
            for given in inner {
                if let Inner::Words(_, words) = given {
                    let said = input.code.text.split_whitespace().map(|word| Word::literal(word.trim_matches(['"', '\''])));
                    words.extend(said.take(MOST_WORDS));
                }
            }
        }
    }

    /// A file that the Dockerfile wrote may run under another name.
    fn note_copy(&mut self, command: &Command) {
        let text = match command.name.as_str() {
            "cp" | "mv" | "ln" | "install" => {
                let operands: Vec<&str> =
                    command.arguments().iter().map(|word| word.text.as_str()).filter(|text| !text.starts_with('-')).collect();
                let Some((target, sources)) = operands.split_last() else { return };
                let mut flow = Flow::default();
                for source in sources {
                    match self.files.get(source) {
                        Some(_) if base(source) == base(target) => {}
                        Some(written) if self.spend(1 + written.code.text.len()) => flow.join(written),
                        Some(_) => flow.join(&Flow::lost()),
                        None if *source == "/dev/stdin" => flow.join(&self.input(command, MAX_FLOW)),
                        _ => {}
                    }
                }
                Some((*target, flow))
            }
            "dd" => {
                let target = command.arguments().iter().find_map(|word| word.text.strip_prefix("of="));
                target.map(|target| (target, self.input(command, MAX_FLOW)))
            }
            _ => None,
        };
        if let Some((target, flow)) = text {
            self.files.add(target, &flow);
        }
    }

    /// Walks the code of a `$(...)`, which stands in no pipeline of the code around it.
    pub(super) fn substitution(&mut self, code: &Logical, depth: usize) {
        // Code within code is read once for each level that it stands in.
        if !self.spend(code.text.len().saturating_mul(WEIGHT)) {
            self.unread.push(Unread::TooLong);
            return;
        }
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        let joined = std::mem::take(&mut self.joined);
        self.script(code, depth + 1);
        self.pipes = pipes;
        self.redirects = redirects;
        self.joined = joined;
    }

    /// Walks code that reached a shell; its commands read neither the pipe nor the document that it came from.
    fn run(&mut self, flow: &Flow, depth: usize) {
        if flow.is_lost {
            self.unread.push(Unread::Lost);
        }
        if flow.code.text.trim().is_empty() {
            return;
        }
        if let Some(shebang) = flow.code.text.strip_prefix("#!")
            && !wrapper::is_posix_shell(wrapper::interpreter(shebang.lines().next().unwrap_or_default()))
        {
            self.unread.push(Unread::Foreign);
            return;
        }
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        let joined = std::mem::take(&mut self.joined);
        self.script(&flow.code, depth + 1);
        self.pipes = pipes;
        self.redirects = redirects;
        self.joined = joined;
    }

    /// The code that a command reads from its input or from a file that the Dockerfile wrote.
    fn code_of(&mut self, command: &Command) -> Option<Flow> {
        let name = command.name.as_str();
        if wrapper::is_posix_shell(name) {
            return match wrapper::script_file(command.arguments()) {
                Some(file) if file.is_process => Some(must_be_said(self.printed(&file.inner, MAX_FLOW))),
                Some(file) => self.files.take(&file.text),
                None => Some(must_be_said(self.input(command, MAX_FLOW))),
            };
        }
        if matches!(name, "." | "source") {
            let file = command.arguments().first()?;
            return match file.text.as_str() {
                _ if file.is_process => Some(must_be_said(self.printed(&file.inner, MAX_FLOW))),
                "/dev/stdin" | "/dev/fd/0" => Some(must_be_said(self.input(command, MAX_FLOW))),
                path => self.files.take(path),
            };
        }
        if wrapper::starts_shell(command) {
            return Some(must_be_said(self.input(command, MAX_FLOW)));
        }
        if foreign::is_interpreter(name) {
            return self.foreign(command);
        }
        self.files.take(&command.words.first()?.text)
    }

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

    /// The redirects of the groups around a command, which many commands may share.
    pub(super) fn inherited(&self) -> Vec<Redirect> {
        /// What is copied without a second thought, in bytes.
        const SHORT: usize = 256;
        let length: usize = self.redirects.iter().map(|redirect| redirect.target.raw.len() + redirect.target.text.len()).sum();
        if length <= SHORT || self.spend(length) {
            return self.redirects.clone();
        }
        let unknown = |redirect: &Redirect| Redirect { target: Word { text: HOLE.to_string(), ..Word::default() }, ..*redirect };
        self.redirects.iter().map(unknown).collect()
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

    fn downloads(&self, commands: &Range<usize>) -> bool {
        self.out.get(commands.clone()).unwrap_or_default().iter().any(is_download)
    }

    /// What the commands of a substitution print.
    fn printed(&self, commands: &Range<usize>, left: usize) -> Flow {
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
    fn output(&self, command: &Command, left: usize) -> Flow {
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
const fn must_be_said(mut flow: Flow) -> Flow {
    flow.is_lost |= flow.is_foreign;
    flow
}

/// Whether nothing says which program runs; `"$@"` are the words of a command that is judged where it stands.
fn is_unknown(command: &Command) -> bool {
    let Some(word) = command.words.first() else { return false };
    let handed_on = is_handed_on(word);
    let is_pattern =
        word.raw == word.text && (command.name.contains(['*', '?']) || (word.text.starts_with('{') && word.text.contains(',')));
    (command.name.contains(HOLE) && !handed_on) || is_pattern || (command.wrapped && command.name == "{}")
}

/// Whether the word stands for the words that a function or a script was given.
pub(super) fn is_handed_on(word: &Word) -> bool {
    ["$@", "${@", "$*"].iter().any(|words| word.raw.contains(words))
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
