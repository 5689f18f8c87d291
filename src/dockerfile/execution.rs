//! A command in, what it runs for another out: `sudo x`, `sh -c`, and the code that reaches a shell by a here-document, a pipe
//! or a file that the Dockerfile itself wrote. Code that cannot be followed is said to be unread, never taken for harmless.

use super::{
    bounds::{MAX_COMMANDS, MAX_SCRIPT_DEPTH, Unread},
    command::{Command, HOLE, Redirect, RedirectKind, Word},
    dataflow::{Flow, MAX_FLOW, WEIGHT, base, must_be_said},
    foreign,
    shell::Walker,
    source::{Logical, slice},
    wrapper::{self, Inner},
};

impl Walker<'_> {
    /// Puts a command into the list, and after it what it runs for another.
    pub(super) fn emit(&mut self, mut command: Command, depth: usize) {
        let program = command.words.first().map_or("", |word| word.text.as_str());
        command.name = slice(program, program.rfind(['/', '\\']).map_or(0, |at| at + 1)..program.len()).to_owned();
        command.wrapped = self.wrapped;
        command.in_function = self.in_function;
        command.is_captured = self.is_captured;
        let is_asked = self.asks_status || self.watch.conditions > self.asked_outside || self.watch.shell.errexit;
        command.is_heeded = self.wrapped || self.in_function || self.followed == 0 || is_asked;
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
        if runs_unknown(&command) {
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
                Inner::Script(word) if word.is_unknown() && self.downloads(&word.inner) => {}
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
        let is_captured = std::mem::replace(&mut self.is_captured, true);
        self.script(code, depth + 1);
        self.is_captured = is_captured;
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

    /// The redirects of the groups around a command, which many commands may share.
    pub(super) fn inherited(&self) -> Vec<Redirect> {
        /// What is copied without a second thought, in bytes.
        const SHORT: usize = 1_024;
        let size = |redirect: &Redirect| size_of::<Redirect>() + redirect.target.raw.len() + redirect.target.text.len();
        let length: usize = self.redirects.iter().map(size).sum();
        if length <= SHORT || self.spend(length) {
            return self.redirects.clone();
        }
        // One for each kind: so many of them would take all memory.
        let unknown = |kind| {
            let redirect = self.redirects.iter().find(|redirect| redirect.kind == kind)?;
            Some(Redirect { target: Word { text: HOLE.to_string(), ..Word::default() }, ..*redirect })
        };
        [RedirectKind::Read, RedirectKind::Write, RedirectKind::Text].into_iter().filter_map(unknown).collect()
    }
}

/// Whether nothing says which program runs; `"$@"` are the words of a command that is judged where it stands.
fn runs_unknown(command: &Command) -> bool {
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
