//! An image's configuration and history in, a Dockerfile out that says what they say, with the place of each of its lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::model::{
    build_step::{BuildStep, Ran, is_variable, variables},
    coverage::{Gap, SourceId},
    image::{ImageConfig, ResolvedImage, is_root_user},
};

use crate::dockerfile::{MAX_BYTES, bounds::MAX_SCRIPT, source::number};

/// Most entries that are read: more than any image has, and fewer than a Dockerfile may have instructions.
const MAX_ENTRIES: usize = 20_000;
/// Longest instruction on one line; a longer one is refused.
const MAX_LINE: usize = 65_000;
const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// Where a line of the Dockerfile comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    /// It is there so that others are read rightly; nothing is told of it.
    Nowhere,
    /// An entry of the history.
    Entry(usize),
    /// The configuration.
    Config,
}

/// The Dockerfile.
#[derive(Debug, Default)]
pub(super) struct Pseudo {
    /// Its text.
    pub(super) text: String,
    /// First line of each place, ascending.
    stands: Vec<(u32, Stand)>,
    lines: usize,
    /// What does not stand in it, and why.
    pub(super) unread: Vec<(Stand, &'static str)>,
    /// Entries that may be no code at all.
    pub(super) uncertain: BTreeSet<usize>,
    /// What was left out altogether.
    pub(super) gap: Option<Gap>,
}

impl Pseudo {
    /// Writes it.
    pub(super) fn of(image: &ResolvedImage) -> Self {
        let config = &image.config;
        let mut this = Self::default();
        // Nothing is known of variables that neither the history nor the configuration sets.
        this.push(Stand::Config, "FROM image");
        this.history(config);
        this.config(config, image.platform.os == "windows");
        this
    }

    /// Where a line comes from.
    pub(super) fn stand(&self, line: u32) -> Stand {
        let at = self.stands.partition_point(|(first, _)| *first <= line);
        at.checked_sub(1).and_then(|at| self.stands.get(at)).map_or(Stand::Nowhere, |(_, stand)| *stand)
    }

    fn history(&mut self, config: &ImageConfig) {
        let environment: BTreeMap<&str, &str> = config.env.iter().filter_map(|variable| variable.split_once('=')).collect();
        let mut shell: Vec<&str> = Vec::new();
        let mut written: Vec<&str> = DEFAULT_SHELL.to_vec();
        let mut arguments: BTreeMap<&str, &str> = BTreeMap::new();
        for (index, entry) in config.history.iter().enumerate() {
            let stand = Stand::Entry(index);
            if index >= MAX_ENTRIES || self.text.len() + entry.created_by.len() > MAX_BYTES {
                let reason = format!("only the first {index} of {} entries of the history were read", config.history.len());
                self.gap = Some(Gap::new(SourceId::ImageConfig, "too-large", "history", reason));
                return;
            }
            if entry.created_by.len() > MAX_SCRIPT {
                self.unread.push((stand, "the entry is too long"));
                continue;
            }
            match BuildStep::of(&entry.created_by, &shell) {
                BuildStep::Run(ran) => {
                    if !ran.is_certain {
                        self.uncertain.insert(index);
                    }
                    for (name, value) in &ran.arguments {
                        if arguments.insert(name, value) != Some(value) && is_variable(name) {
                            self.set("ARG", stand, name, value);
                        }
                    }
                    let runs_in = ran.shell.clone().unwrap_or_else(|| DEFAULT_SHELL.to_vec());
                    if runs_in != written {
                        self.push(Stand::Nowhere, &format!("SHELL {}", array(&runs_in)));
                        written = runs_in;
                    }
                    self.run(stand, &ran);
                }
                BuildStep::Env(text) => {
                    for (name, value) in variables(text, &environment) {
                        self.set("ENV", Stand::Nowhere, name, value);
                    }
                }
                BuildStep::Copy { keyword, words } => {
                    // A heredoc's text is not in the history, and a last backslash would take the next line in.
                    if !words.contains("<<") && !words.ends_with('\\') {
                        self.push(stand, &format!("{keyword} {}", on_one_line(words)));
                    }
                }
                BuildStep::Shell(words) => shell = words,
                BuildStep::Arg(_) | BuildStep::Other => {}
            }
        }
    }

    /// The code of a RUN as a heredoc, which may hold anything.
    fn run(&mut self, stand: Stand, ran: &Ran<'_>) {
        let code = ran.code;
        if ran.shell.is_none() {
            let is_array = code.starts_with('[') && serde_json::from_str::<Vec<String>>(code).is_ok();
            if is_array && !code.contains('\n') {
                self.push(stand, &format!("RUN {code}"));
                return;
            }
        }
        let code = if ran.shell.is_none() { without_flags(code) } else { code };
        if code.trim().is_empty() {
            return;
        }
        // No line of the code can be its end.
        let (mut longest, mut run) = (0, 0);
        for byte in code.bytes() {
            run = if byte == b'_' { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        let end = format!("END{}", "_".repeat(longest + 1));
        self.push(stand, &format!("RUN <<{end}\n{code}\n{end}"));
    }

    /// What a container starts with.
    fn config(&mut self, config: &ImageConfig, is_windows: bool) {
        for variable in &config.env {
            if let Some((name, value)) = variable.split_once('=') {
                self.set("ENV", Stand::Config, name, value);
            }
        }
        // The one who may do everything is told of by those who read the configuration.
        if !config.user.trim().is_empty() && !is_root_user(&config.user, is_windows) {
            self.push(Stand::Config, &format!("USER {}", quoted(&config.user)));
        }
        if !config.working_dir.is_empty() {
            self.push(Stand::Config, &format!("WORKDIR {}", quoted(&config.working_dir)));
        }
        for volume in config.volumes.iter().filter(|volume| !volume.trim().is_empty()) {
            let path = volume.replace('\\', "\\\\").replace('$', "\\$");
            self.push(Stand::Config, &format!("VOLUME {}", array(&[&path])));
        }
        match config.healthcheck.split_first() {
            Some((kind, [])) if kind == "NONE" => self.push(Stand::Config, "HEALTHCHECK NONE"),
            Some((kind, words)) if kind == "CMD" && !words.is_empty() => {
                self.push(Stand::Config, &format!("HEALTHCHECK CMD {}", array(words)));
            }
            Some((kind, [code])) if kind == "CMD-SHELL" => self.shell_form("HEALTHCHECK CMD", code),
            _ => {}
        }
        for (keyword, words) in [("ENTRYPOINT", &config.entrypoint), ("CMD", &config.cmd)] {
            let default: Vec<&str> =
                if config.shell.is_empty() { DEFAULT_SHELL.to_vec() } else { config.shell.iter().map(String::as_str).collect() };
            match words.split_last() {
                // Only the usual shell is put there by a builder; another one somebody chose.
                Some((code, shell)) if default == DEFAULT_SHELL && shell == DEFAULT_SHELL => self.shell_form(keyword, code),
                Some(_) => self.push(Stand::Config, &format!("{keyword} {}", array(words))),
                None => {}
            }
        }
        for trigger in &config.on_build {
            if trigger.contains(['\n', '\r']) || trigger.contains("<<") || trigger.trim_end().ends_with('\\') {
                self.unread.push((Stand::Config, "an ONBUILD of several lines was not read"));
            } else {
                self.push(Stand::Config, &format!("ONBUILD {trigger}"));
            }
        }
    }

    /// An instruction in shell form, or in the other form where its code would be read as something else.
    fn shell_form(&mut self, keyword: &str, code: &str) {
        let code = code.trim();
        if code.is_empty() || code.contains(['\n', '\r']) || code.ends_with('\\') || code.starts_with(['[', '-']) {
            let [program, option] = DEFAULT_SHELL;
            self.push(Stand::Config, &format!("{keyword} {}", array(&[program, option, code])));
        } else {
            self.push(Stand::Config, &format!("{keyword} {code}"));
        }
    }

    fn set(&mut self, keyword: &str, stand: Stand, name: &str, value: &str) {
        if is_variable(name) && value.len() < MAX_LINE / 2 {
            self.push(stand, &format!("{keyword} {name}={}", quoted(value)));
        }
    }

    fn push(&mut self, stand: Stand, instruction: &str) {
        if instruction.lines().next().is_some_and(|line| line.len() > MAX_LINE) {
            self.unread.push((stand, "the instruction is too long"));
            return;
        }
        self.stands.push((number(self.lines + 1), stand));
        self.lines += 1 + instruction.bytes().filter(|byte| *byte == b'\n').count();
        self.text.push_str(instruction);
        self.text.push('\n');
    }
}

/// The words as a JSON array.
fn array<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    serde_json::to_string(&words).unwrap_or_else(|_| "[]".to_owned())
}

/// The text in quotes, so that nothing in it is expanded.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '\\' | '"' | '$' => write!(out, "\\{c}"),
            '\n' | '\r' => write!(out, " "),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
    out
}

fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// The code without the flags that kaniko leaves in front of it.
fn without_flags(code: &str) -> &str {
    let mut rest = code;
    while rest.starts_with("--") {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}
