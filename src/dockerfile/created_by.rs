//! The text of a history entry in, whether an instruction of a Dockerfile wrote it out. Builders write what they ran, each in its own form:
//! BuildKit `RUN |1 A=b /bin/sh -c make # buildkit`, the classic builder `|1 A=b /bin/sh -c make` and `/bin/sh -c #(nop) COPY file:... in /x`,
//! buildah nearly that with the words as written, kaniko the instruction itself.

use std::cell::OnceCell;

use crate::model::{
    build_step::{NOP, SHELL_WORDS, behind_argument_count, first_word, is_keyword, is_shell},
    image::HistoryEntry,
};

use super::{
    expand::{Certainty, Value, glob},
    instruction::Instruction,
    source::{Source, slice},
};

/// Longest text that is compared; a RUN is one line of a process' arguments, and they have a limit too.
const LONGEST: usize = 1 << 20;
/// Most bytes of a pattern times those of a text.
const MOST_COMPARED: usize = 1 << 22;
const BUILDKIT: &str = "buildkit.dockerfile.v0";

/// A history entry, taken apart.
#[derive(Debug)]
pub(super) struct Entry {
    /// The instruction word; RUN for what names none.
    pub(super) keyword: String,
    /// What follows it, blanks folded.
    body: String,
    /// The whole text, blanks folded.
    whole: String,
    form: Form,
    /// Who wrote it.
    pub(super) builder: Builder,
    /// Whether it made no layer.
    pub(super) is_empty: bool,
    /// Whether it stands for a layer into which others were squashed.
    pub(super) is_merge: bool,
    /// Whether buildah says on which image it put it.
    pub(super) names_parent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Behind `#(nop)`: an instruction that ran nothing.
    Nop,
    /// The instruction's word and its text.
    Plain,
    /// What was run.
    Run,
}

/// Who wrote an entry, as far as its text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builder {
    /// One layer for each instruction that changes files.
    BuildKit,
    /// Docker's classic builder: the same.
    Classic,
    /// Another, which may have merged layers.
    Unknown,
}

impl Entry {
    /// Takes an entry apart.
    pub(super) fn of(entry: &HistoryEntry) -> Self {
        let text = entry.created_by.trim();
        let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default();
        let (text, marked) = text.strip_suffix("# buildkit").map_or((text, false), |text| (text, true));
        let is_buildkit = marked || entry.comment.starts_with(BUILDKIT);
        let nop = text.split_once(NOP).filter(|(shell, _)| shell.len() < 300);
        let (form, rest) = match nop {
            Some((_, rest)) => (Form::Nop, rest),
            None if is_keyword(first_word(text)) => (Form::Plain, text),
            None => (Form::Run, text),
        };
        let (keyword, body) = match form {
            Form::Run => ("RUN", rest),
            Form::Nop | Form::Plain => {
                let rest = rest.trim_start();
                let word = first_word(rest);
                (word, slice(rest, word.len()..rest.len()))
            }
        };
        // Docker writes two blanks behind the mark of what changed no file.
        let is_classic = nop.is_some_and(|(_, rest)| rest.starts_with("  "));
        Self {
            keyword: keyword.to_ascii_uppercase(),
            body: fold(body),
            whole: fold(text),
            form,
            builder: if is_buildkit {
                Builder::BuildKit
            } else if is_classic {
                Builder::Classic
            } else {
                Builder::Unknown
            },
            is_empty: entry.empty_layer,
            is_merge: entry.comment.starts_with("merge sha256:"),
            names_parent: entry.comment.starts_with("FROM "),
        }
    }

    /// Whether `step` wrote this entry.
    pub(super) fn is_of(&self, step: &Step<'_>) -> bool {
        let instruction = step.instruction;
        if self.keyword != instruction.keyword {
            return false;
        }
        match instruction.keyword.as_str() {
            "RUN" => step.run_texts().iter().any(|text| self.ran(text, step)),
            "ADD" | "COPY" => self.copied(step),
            "WORKDIR" => self.went_to(step),
            // These make no layer; that one stands here is enough, unless a builder gave it the layer of all before it.
            _ => self.is_empty || self.body == fold(&instruction.rest),
        }
    }

    fn ran(&self, command: &str, step: &Step<'_>) -> bool {
        // Kaniko writes what stands in the file, and Docker what an exec form ran.
        let is_exact = self.body == command || self.whole == command;
        is_exact || self.runs(&self.body, command, step) || self.without_suffix().is_some_and(|body| self.runs(body, command, step))
    }

    /// Whether `body` is `command`, behind build arguments or a shell or both.
    fn runs(&self, body: &str, command: &str, step: &Step<'_>) -> bool {
        let Some(front) = body.strip_suffix(command) else { return false };
        let (front, arguments) = behind_argument_count(front);
        let has_arguments = arguments.is_some();
        if !front.is_empty() && !front.ends_with(' ') && !command.is_empty() {
            return false;
        }
        let front = front.trim_end();
        if front.is_empty() {
            return true;
        }
        if step.shell.as_deref().is_some_and(|shell| ends_with_words(front, shell, has_arguments)) {
            return true;
        }
        // buildah names /bin/sh whatever the shell is.
        if ends_with_words(front, "/bin/sh -c", has_arguments) {
            return true;
        }
        if step.shell.is_none() && ends_with_shell(front, has_arguments) {
            return true;
        }
        has_arguments && step.instruction.json && front.contains('=')
    }

    /// The text without what buildah appends: `|name=value`.
    fn without_suffix(&self) -> Option<&str> {
        let (body, suffix) = self.body.rsplit_once('|')?;
        let (name, _) = suffix.split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        (is_name && self.builder == Builder::Unknown).then(|| body.trim_end())
    }

    fn copied(&self, step: &Step<'_>) -> bool {
        if self.form == Form::Nop {
            // The content has no name here, only a digest.
            let place = self.body.rsplit_once(" in ").or_else(|| self.body.strip_prefix("in ").map(|place| ("", place)));
            let Some((_, place)) = place else { return false };
            let place = place.split('|').next().unwrap_or_default().trim();
            let (Some(raw), value) = (step.instruction.args.last(), step.values.last()) else { return false };
            return fits(place, &raw.text, value);
        }
        let bare = without_flags(&self.body);
        let mut paths: Vec<(&str, Option<&Value>)> = Vec::new();
        let mut contents: Vec<String> = Vec::new();
        let Some((place, sources)) = step.instruction.args.split_last() else { return false };
        for (at, source) in sources.iter().enumerate() {
            if source.text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("<<") && !step.instruction.json {
                continue;
            }
            paths.push((&source.text, step.values.get(at)));
        }
        contents.extend(step.outer.heredocs.iter().map(|heredoc| format!("<<{}", heredoc.name)));
        paths.extend(contents.iter().map(|name| (name.as_str(), None)));
        paths.push((&place.text, step.values.last()));
        // Each word of its own can be a pattern, and together they can be the words as written.
        let raw: Vec<&str> = paths.iter().map(|(raw, _)| *raw).collect();
        if bare == fold(&raw.join(" ")) || self.body == fold(&step.instruction.rest) {
            return true;
        }
        let known: Vec<&str> = paths.iter().map(|(raw, value)| value.map_or(*raw, |value| value.text.as_str())).collect();
        if bare == fold(&known.join(" ")) {
            return true;
        }
        let patterns: Vec<String> = paths.iter().map(|(raw, value)| pattern(raw, *value)).collect();
        patterns.iter().zip(&known).any(|(pattern, known)| pattern != known) && is_fitting(&fold(&patterns.join(" ")), bare)
    }

    fn went_to(&self, step: &Step<'_>) -> bool {
        let place = self.body.trim_end_matches('/');
        let (Some(raw), value) = (step.instruction.args.first(), step.values.first()) else { return false };
        let known = value.map_or(raw.text.as_str(), |value| value.text.as_str()).trim_end_matches('/');
        // BuildKit names the whole path also when the instruction names its end.
        let is_end =
            place.strip_suffix(known.trim_start_matches("./")).is_some_and(|front| front.ends_with('/') && !known.starts_with('/'));
        is_end || known == "." || fits(place, raw.text.trim_end_matches('/'), value) || place == known
    }
}

/// An instruction of the stages that became the image, with what is needed to know its history entry.
#[derive(Debug)]
pub(super) struct Step<'a> {
    /// The instruction; of an ONBUILD its trigger.
    pub(super) instruction: &'a Instruction,
    /// The instruction that holds heredocs and lines.
    pub(super) outer: &'a Instruction,
    /// Its arguments after expansion.
    pub(super) values: &'a [Value],
    /// The text of the file.
    pub(super) source: &'a Source,
    /// The shell of the moment, when the file says which it is.
    pub(super) shell: Option<String>,
    /// Place of its stage.
    pub(super) stage: usize,
    /// What a builder may say that a RUN ran.
    pub(super) texts: OnceCell<Vec<String>>,
}

impl Step<'_> {
    /// Whether it changes files and so makes a layer, whatever the builder.
    pub(super) fn makes_layer(&self) -> bool {
        matches!(self.instruction.keyword.as_str(), "ADD" | "COPY" | "RUN")
    }

    /// What a builder may say that a RUN ran, blanks folded, without the shell.
    fn run_texts(&self) -> &[String] {
        self.texts.get_or_init(|| self.read_run_texts())
    }

    fn read_run_texts(&self) -> Vec<String> {
        let instruction = self.instruction;
        let whole = instruction.text();
        let with_flags = slice(whole, instruction.word.len().min(whole.len())..whole.len());
        let mut texts = Vec::new();
        if instruction.json {
            let words: Vec<&str> = instruction.args.iter().map(|argument| argument.text.as_str()).collect();
            texts.push(words.join(" "));
        }
        let heredocs = &self.outer.heredocs;
        let body = |at: usize| heredocs.get(at).map_or("", |heredoc| slice(&self.source.text, heredoc.body.clone()));
        if heredocs.is_empty() {
            texts.push(instruction.rest.clone());
            texts.push(with_flags.to_owned());
        } else {
            let with_bodies = |head: &str, ends: bool| {
                let mut text = head.to_owned();
                for (at, heredoc) in heredocs.iter().enumerate() {
                    text.push('\n');
                    text.push_str(body(at));
                    if ends {
                        text.push_str(&heredoc.name);
                    }
                    text.push(' ');
                }
                text
            };
            texts.push(with_bodies(&instruction.rest, true));
            texts.push(with_bodies(&instruction.rest, false));
            texts.push(with_bodies(with_flags, false));
            if let ([heredoc], true) = (heredocs.as_slice(), instruction.rest.trim_start().starts_with("<<")) {
                if body(0).starts_with("#!") {
                    texts.push(format!("/dev/pipes/{}", heredoc.name));
                }
                texts.push(body(0).to_owned());
            }
        }
        texts.iter().map(|text| fold(text)).collect()
    }
}

/// Whether a text is a word as it was expanded, as it was written, or fits it where nothing says what a variable is worth.
fn fits(text: &str, raw: &str, value: Option<&Value>) -> bool {
    let same = |other: &str| fold(other) == text;
    same(raw) || value.is_some_and(|value| same(&value.text)) || {
        let pattern = fold(&pattern(raw, value));
        pattern != fold(raw) && is_fitting(&pattern, text)
    }
}

/// Whether the text fits the pattern; neither is so long in earnest that comparing them would take its time.
fn is_fitting(pattern: &str, text: &str) -> bool {
    pattern.len().saturating_mul(text.len()) <= MOST_COMPARED && glob(pattern, text)
}

/// The word with `*` for its variables, where the caller of the build may have set them; the expanded text where nobody can have.
fn pattern(raw: &str, value: Option<&Value>) -> String {
    match value {
        Some(value) if value.certainty == Certainty::Known => escaped(&value.text),
        None => escaped(raw),
        Some(_) => {
            let mut out = String::new();
            let mut chars = raw.chars().peekable();
            while let Some(c) = chars.next() {
                match c {
                    '"' | '\'' => {}
                    '$' => {
                        if chars.next_if_eq(&'{').is_some() {
                            let mut depth = 1_usize;
                            for c in chars.by_ref() {
                                depth = if c == '{' { depth + 1 } else { depth - usize::from(c == '}') };
                                if depth == 0 {
                                    break;
                                }
                            }
                        } else {
                            while chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_').is_some() {}
                        }
                        out.push('*');
                    }
                    c => out.push_str(&escaped(c.encode_utf8(&mut [0; 4]))),
                }
            }
            out
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// The words without leading `--flags`.
fn without_flags(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with("--") {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest);
    }
    rest
}

/// Whether `front` is `shell`, or ends with it behind build arguments.
fn ends_with_words(front: &str, shell: &str, has_arguments: bool) -> bool {
    let shell = fold(shell);
    front == shell || has_arguments && front.strip_suffix(&shell).is_some_and(|arguments| arguments.ends_with(' '))
}

/// Whether `front` is a shell with its options as builders write them, or ends with one behind build arguments.
fn ends_with_shell(front: &str, has_arguments: bool) -> bool {
    let words: Vec<&str> = front.split(' ').collect();
    let first = if has_arguments { words.len().saturating_sub(SHELL_WORDS) } else { 0 };
    let last = if has_arguments { words.len() } else { 1 };
    (first..last).any(|at| words.get(at..).is_some_and(is_shell))
}

/// The text with one blank for each run of them: builders and editors differ in them.
fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
