//! One logical line in, one instruction (word, flags, arguments) out, split as BuildKit's line parsers split it.
//! Reference: `frontend/dockerfile/parser/{split_command,line_parsers}.go`.

use std::ops::Range;

use super::{
    heredoc::Heredoc,
    source::{Logical, slice},
};

/// One instruction as written.
#[derive(Debug, Clone)]
pub(super) struct Instruction {
    /// The instruction word in capitals.
    pub(super) keyword: String,
    /// The instruction word as written.
    pub(super) word: String,
    /// Leading `--flags`.
    pub(super) flags: Vec<Flag>,
    /// Everything after the flags.
    pub(super) rest: String,
    /// Where `rest` starts in the joined text.
    pub(super) rest_at: usize,
    /// The arguments as BuildKit's tree has them: words, JSON elements, the whole rest, or triples for ENV and LABEL.
    pub(super) args: Vec<Argument>,
    /// Whether the arguments are a JSON array.
    pub(super) json: bool,
    /// Heredocs in order.
    pub(super) heredocs: Vec<Heredoc>,
    /// The instruction of an ONBUILD.
    pub(super) trigger: Option<Box<Self>>,
    /// The joined text.
    pub(super) logical: Logical,
    /// Where the instruction starts in the joined text; above 0 only for a trigger.
    pub(super) at: usize,
    /// First line.
    pub(super) line: u32,
    /// Last line, heredocs included.
    pub(super) end_line: u32,
    /// The original bytes, heredocs included.
    pub(super) range: Range<usize>,
    /// The stage that it stands in; `None` before the first FROM.
    pub(super) stage: Option<usize>,
}

/// One leading flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    /// Name without dashes.
    pub(super) name: String,
    /// Value after `=`.
    pub(super) value: Option<String>,
}

/// One argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// Its text, quotes and escapes as written.
    pub(super) text: String,
    /// Where it starts in the joined text.
    pub(super) at: usize,
}

/// One `name=value` of ENV, LABEL or ARG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair<'a> {
    /// Name as written.
    pub(super) name: &'a str,
    /// Value as written, `None` for an ARG without default.
    pub(super) value: Option<&'a str>,
    /// Where it starts in the joined text.
    pub(super) at: usize,
}

impl Instruction {
    /// The value of a flag.
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.iter().find(|flag| flag.name == name)?.value.as_deref()
    }

    /// The values of a repeatable flag.
    pub(super) fn flag_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.flags.iter().filter(move |flag| flag.name == name).filter_map(|flag| flag.value.as_deref())
    }

    /// Whether a mount of RUN keeps one of these folders, or one that they lie in, out of the layer.
    pub(super) fn mounts_cache(&self, folders: &[&str]) -> bool {
        let covers = |target: &str, folder: &str| folder.strip_prefix(target).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.cache_targets().any(|target| folders.iter().any(|folder| covers(target, folder)))
    }

    /// Whether a mount of RUN keeps this folder in the `.cache` of somebody's home, or all of that, out of the layer.
    pub(super) fn mounts_home_cache(&self, folder: &str) -> bool {
        let is_cache = |path: &str| path == ".cache" || path.ends_with("/.cache");
        self.cache_targets()
            .any(|target| is_cache(target) || target.strip_suffix(folder).and_then(|path| path.strip_suffix('/')).is_some_and(is_cache))
    }

    /// Where mounts of RUN put what stays in no layer.
    fn cache_targets(&self) -> impl Iterator<Item = &str> {
        self.flag_values("mount").filter_map(|mount| {
            let field = |names: &[&str]| {
                let fields = mount.split(',').filter_map(|field| field.split_once('='));
                fields.filter(|(name, _)| names.contains(name)).map(|(_, value)| value.trim_end_matches('/')).next()
            };
            let target = field(&["target", "dst", "destination"]).filter(|target| !target.is_empty());
            target.filter(|_| matches!(field(&["type"]), Some("cache" | "tmpfs")))
        })
    }

    /// What COPY and the mounts of RUN take from, as written.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        let copied = self.flag_values("from").filter(|_| self.keyword == "COPY");
        let mounted = self.flag_values("mount").filter(|_| self.keyword == "RUN").flat_map(|mount| mount.split(','));
        copied.chain(mounted.filter_map(|field| field.strip_prefix("from=")))
    }

    /// The pairs of ENV, LABEL and ARG.
    pub(super) fn pairs(&self) -> Vec<Pair<'_>> {
        if self.keyword == "ARG" {
            let pair = |argument: &'_ Argument| argument.at;
            return self
                .args
                .iter()
                .map(|argument| match argument.text.split_once('=') {
                    Some((name, value)) => Pair { name, value: Some(value), at: pair(argument) },
                    None => Pair { name: &argument.text, value: None, at: pair(argument) },
                })
                .collect();
        }
        self.args
            .chunks_exact(3)
            .filter_map(|triple| match triple {
                [name, value, _] => Some(Pair { name: &name.text, value: Some(&value.text), at: name.at }),
                _ => None,
            })
            .collect()
    }

    /// The text from the instruction word on, without heredoc bodies.
    pub(super) fn text(&self) -> &str {
        slice(&self.logical.text, self.at..self.logical.text.len())
    }

    /// Whether the instruction may open heredocs.
    pub(super) fn takes_heredocs(&self) -> bool {
        let this = self.trigger.as_deref().unwrap_or(self);
        matches!(this.keyword.as_str(), "ADD" | "COPY" | "RUN") && !this.json
    }

    /// Splits one logical line.
    ///
    /// # Errors
    /// The words with which BuildKit's parser refuses the line, beside what could be read.
    pub(super) fn split(logical: &Logical, at: usize, escape: char, trigger_allowed: TriggerAllowed) -> (Self, Option<String>) {
        let text = slice(&logical.text, at..logical.text.len());
        let leading = text.len() - text.trim_start().len();
        let body = text.trim();
        let start = at + leading;
        let word_len = body.find(is_split_blank).unwrap_or(body.len());
        let word = slice(body, 0..word_len).to_owned();
        let after = slice(body, word_len..body.len());
        let after_at = start + word_len + (after.len() - after.trim_start_matches(is_split_blank).len());
        let (flags, tail_at) = split_flags(after.trim_start_matches(is_split_blank));
        let end = start + body.len();
        let tail = slice(&logical.text, (after_at + tail_at).min(end)..end);
        let rest_at = (after_at + tail_at + (tail.len() - tail.trim_start().len())).min(end);
        let rest = tail.trim().to_owned();
        let mut this = Self {
            keyword: word.to_ascii_uppercase(),
            word,
            flags,
            rest,
            rest_at,
            args: Vec::new(),
            json: false,
            heredocs: Vec::new(),
            trigger: None,
            at: start,
            line: logical.line,
            end_line: logical.end_line,
            range: logical.range(&(start..end)),
            logical: Logical::default(),
            stage: None,
        };
        let fault = this.read_arguments(logical, escape, trigger_allowed).err();
        this.logical = logical.clone();
        (this, fault)
    }

    fn read_arguments(&mut self, logical: &Logical, escape: char, trigger_allowed: TriggerAllowed) -> Result<(), String> {
        let (rest, at) = (self.rest.clone(), self.rest_at);
        if rest.is_empty() {
            return Ok(());
        }
        let keyword = self.keyword.clone();
        match keyword.as_str() {
            "ADD" | "COPY" | "VOLUME" if !self.take_json(&rest, at)? => self.args = blank_separated(&rest, at),
            "CMD" | "ENTRYPOINT" | "RUN" | "SHELL" if !self.take_json(&rest, at)? => self.args = vec![Argument { text: rest, at }],
            "ADD" | "COPY" | "VOLUME" | "CMD" | "ENTRYPOINT" | "RUN" | "SHELL" => {}
            "ARG" => self.args = words(&rest, at, escape),
            "ENV" | "LABEL" => self.args = name_values(&rest, at, escape, &keyword)?,
            "EXPOSE" | "FROM" => self.args = blank_separated(&rest, at),
            "MAINTAINER" | "STOPSIGNAL" | "USER" | "WORKDIR" => self.args = vec![Argument { text: rest, at }],
            "HEALTHCHECK" => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let kind = Argument { text: slice(&rest, 0..end).to_owned(), at };
                let command = slice(&rest, end..rest.len()).trim_start();
                let command_at = at + rest.len() - command.len();
                if !command.is_empty() && !self.take_json(command, command_at)? {
                    self.args = vec![Argument { text: command.to_owned(), at: command_at }];
                }
                self.args.insert(0, kind);
            }
            // Only one level is followed: a chain is refused anyway, and a long one must not eat the stack.
            "ONBUILD" if trigger_allowed == TriggerAllowed::Yes => {
                let (trigger, fault) = Self::split(logical, at, escape, TriggerAllowed::No);
                self.trigger = Some(Box::new(trigger));
                return fault.map_or(Ok(()), Err);
            }
            _ => {}
        }
        Ok(())
    }

    fn take_json(&mut self, rest: &str, at: usize) -> Result<bool, String> {
        match json_strings(rest) {
            Json::Strings(elements) => {
                self.json = true;
                self.args = elements.into_iter().map(|text| Argument { text, at }).collect();
                Ok(true)
            }
            Json::NotStrings => Err("when using JSON array syntax, arrays must be comprised of strings only".to_owned()),
            Json::No => Ok(false),
        }
    }
}

/// Whether an ONBUILD is followed into its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TriggerAllowed {
    /// A top-level instruction.
    Yes,
    /// Already inside one.
    No,
}

enum Json {
    Strings(Vec<String>),
    NotStrings,
    No,
}

/// Reads a JSON array by Go's rules, which replace a lone surrogate where serde_json refuses it.
fn json_strings(rest: &str) -> Json {
    if !rest.starts_with('[') {
        return Json::No;
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(&without_lone_surrogates(rest)) else { return Json::No };
    values
        .into_iter()
        .map(|value| if let serde_json::Value::String(text) = value { Some(text) } else { None })
        .collect::<Option<Vec<_>>>()
        .map_or(Json::NotStrings, Json::Strings)
}

/// JSON as Go reads it: half a pair of surrogates stands for the character that replaces what cannot be read.
pub(super) fn without_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(slice(rest, 0..at));
        let unit = surrogate(slice(rest, at..rest.len()));
        let length = match unit {
            None => rest.get(at + 1..).and_then(|tail| tail.chars().next()).map_or(1, |c| 1 + c.len_utf8()),
            Some(0xD800..=0xDBFF) if matches!(surrogate(rest.get(at + 6..).unwrap_or_default()), Some(0xDC00..=0xDFFF)) => 12,
            Some(_) => {
                out.push_str("\\ufffd");
                rest = rest.get(at + 6..).unwrap_or_default();
                continue;
            }
        };
        out.push_str(rest.get(at..at + length).unwrap_or_default());
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(0..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (0xD800..=0xDFFF).contains(&unit).then_some(unit)
}

/// The blanks of Go's `[\t\v\f\r ]`.
fn is_split_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ')
}

fn blank_separated(rest: &str, at: usize) -> Vec<Argument> {
    let mut out = Vec::new();
    let mut position = 0;
    for piece in rest.split(is_split_blank) {
        if !piece.is_empty() {
            out.push(Argument { text: piece.to_owned(), at: at + position });
        }
        position += piece.len() + 1;
    }
    out
}

/// Splits leading `--flags` off; the second value is where the rest starts.
fn split_flags(line: &str) -> (Vec<Flag>, usize) {
    let mut flags = Vec::new();
    let mut at = 0;
    loop {
        let tail = slice(line, at..line.len());
        at += tail.len() - tail.trim_start().len();
        let tail = slice(line, at..line.len());
        if !tail.starts_with("--") {
            return (flags, at);
        }
        let mut word = String::new();
        let mut quote = None;
        let mut quoted = false;
        let mut end = tail.len();
        let mut chars = tail.char_indices();
        while let Some((index, c)) = chars.next() {
            match (c, quote) {
                (c, None) if c.is_whitespace() => {
                    end = index;
                    break;
                }
                ('\'' | '"', None) => {
                    quote = Some(c);
                    quoted = true;
                }
                (c, Some(open)) if c == open => quote = None,
                ('\\', _) => word.extend(chars.next().map(|(_, c)| c)),
                (c, _) => word.push(c),
            }
        }
        at += end;
        if word == "--" {
            return (flags, at);
        }
        if quoted || !word.is_empty() {
            let body = word.strip_prefix("--").unwrap_or(&word);
            let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value.to_owned())));
            flags.push(Flag { name: name.to_owned(), value });
        }
        if at >= line.len() {
            return (flags, line.len());
        }
    }
}

/// Splits at blanks outside quotes, keeping quotes and escapes.
fn words(rest: &str, base: usize, escape: char) -> Vec<Argument> {
    let mut out: Vec<Argument> = Vec::new();
    let mut word: Option<Argument> = None;
    let mut quote: Option<char> = None;
    let mut chars = rest.char_indices().peekable();
    while let Some((index, c)) = chars.next() {
        if quote.is_none() && c.is_whitespace() {
            out.extend(word.take());
            continue;
        }
        let word = word.get_or_insert_with(|| Argument { text: String::new(), at: base + index });
        if c == escape && quote != Some('\'') {
            // An escape token at the very end is dropped.
            if let Some((_, next)) = chars.next() {
                word.text.push(c);
                word.text.push(next);
            }
            continue;
        }
        match quote {
            None if matches!(c, '\'' | '"') => quote = Some(c),
            Some(open) if c == open => quote = None,
            _ => {}
        }
        word.text.push(c);
    }
    out.extend(word.take().filter(|word| !word.text.is_empty()));
    out
}

fn name_values(rest: &str, at: usize, escape: char, keyword: &str) -> Result<Vec<Argument>, String> {
    let words = words(rest, at, escape);
    let Some(first) = words.first() else { return Ok(Vec::new()) };
    let mark = |text: &str, at: usize| Argument { text: text.to_owned(), at };
    if !first.text.contains('=') {
        let end = rest.find(is_split_blank).ok_or_else(|| format!("{keyword} must have two arguments"))?;
        let value = slice(rest, end..rest.len()).trim_start_matches(is_split_blank);
        return Ok(vec![mark(slice(rest, 0..end), at), mark(value, at + rest.len() - value.len()), mark("", at)]);
    }
    let mut out = Vec::with_capacity(words.len() * 3);
    for word in &words {
        let (name, value) = word
            .text
            .split_once('=')
            .ok_or_else(|| format!("Syntax error - can't find = in \"{}\". Must be of the form: name=value", word.text))?;
        out.extend([mark(name, word.at), mark(value, word.at + name.len() + 1), mark("=", word.at)]);
    }
    Ok(out)
}
