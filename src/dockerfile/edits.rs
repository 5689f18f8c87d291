//! What rules change and how it is written: words go or come, commands are added, instructions go. `None` wherever the original does not
//! say exactly what the change is about; [`super::fix`] proves the rest.

use std::ops::Range;

use crate::model::{
    finding::Finding,
    fix::{Edit, FixKind},
};

use super::{
    calls::sets_errexit,
    command::{Command, Operator, Word},
    dialect::stops_at_failure,
    instruction::{Instruction, Pair},
    options::Arguments,
    package_caches::flat_length,
    package_manager::Invocation,
    rule::{Dockerfile, fixed_by},
    stages::ImageUse,
};

/// The most flags, in bytes, and the most variables of one instruction in which something is changed.
const MAX_FLAGS: usize = 16_384;
pub(super) const MAX_PAIRS: usize = 256;

/// A finding with edits where there are some.
pub(super) fn fixed_if(finding: Finding, kind: FixKind, edits: Option<Vec<Edit>>) -> Finding {
    match edits.filter(|edits| !edits.is_empty()) {
        Some(edits) => fixed_by(finding, kind, edits),
        None => finding,
    }
}

impl Dockerfile<'_> {
    /// Whether a word stands in the original as its text says: no quotes, no variables, no escapes.
    pub(super) fn is_plain(&self, word: &Word) -> bool {
        !word.range.is_empty() && self.source.text.get(word.range.clone()) == Some(word.text.as_str())
    }

    /// Whether a word stands in the original as such, with its quotes, and no variable in it.
    fn stands(&self, word: &Word) -> bool {
        let raw = self.source.text.get(word.range.clone());
        !word.range.is_empty() && raw == Some(word.raw.as_str()) && !word.raw.contains(['$', '`'])
    }

    /// Puts text behind a word.
    pub(super) fn after_word(&self, word: &Word, text: &str) -> Option<Edit> {
        self.is_plain(word).then(|| self.edit(word.range.end..word.range.end, text))
    }

    /// Puts text behind the name of a program.
    pub(super) fn after_program(&self, command: &Command, text: &str) -> Option<Edit> {
        self.after_word(command.words.first()?, text)
    }

    /// Puts text behind the word that tells a package manager what to do.
    pub(super) fn after_verb(&self, command: &Command, call: &Invocation<'_>, text: &str) -> Option<Edit> {
        self.after_word(command.arguments().iter().find(|word| word.text == call.verb)?, text)
    }

    /// Writes another word in a word's place.
    pub(super) fn other_word(&self, word: &Word, text: &str) -> Option<Edit> {
        self.is_plain(word).then(|| self.edit(word.range.clone(), text))
    }

    /// Takes a word out, with the blanks and line ends between it and the one before.
    pub(super) fn without_word(&self, before: &Word, word: &Word) -> Option<Edit> {
        (!before.range.is_empty() && self.stands(word)).then(|| self.without(before.range.end, &word.range)).flatten()
    }

    /// Takes a part of an instruction out, together with what stands between it and the part that ends at `from`: blanks and line ends alone.
    fn without(&self, from: usize, part: &Range<usize>) -> Option<Edit> {
        let between = self.source.text.get(from..part.start)?;
        let is_blank = |ch: char| matches!(ch, ' ' | '\t' | '\r' | '\n') || ch == self.directives.escape;
        (!between.is_empty() && between.chars().all(is_blank)).then(|| self.edit(from..part.end, ""))
    }

    /// Takes an option without value out of a command, as a word, or as a letter out of a bundle.
    pub(super) fn without_option(&self, command: &Command, letter: Option<char>, long: &str) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        for (at, pair) in command.words.windows(2).enumerate() {
            let [before, word] = pair else { continue };
            if word.text == long {
                edits.push(self.without_word(before, word)?);
                continue;
            }
            let Some(letter) = letter.filter(|letter| is_bundle(&word.text) && word.text.contains(*letter)) else { continue };
            // The word before may be an option that takes this one for its value.
            let given = if at == 0 { std::slice::from_ref(word) } else { pair };
            if !Arguments::of_words(&command.name, given).has_short(letter)
                || !Arguments::of_words(&command.name, std::slice::from_ref(word)).has_short(letter)
            {
                continue;
            }
            edits.push(if word.text.chars().eq(['-', letter]) {
                self.without_word(before, word)?
            } else {
                self.other_word(word, &word.text.replacen(letter, "", 1))?
            });
        }
        Some(edits)
    }

    /// Adds a command behind another one that must have run; `None` where that could change what decides.
    pub(super) fn command_after(&self, instruction: &Instruction, command: &Command, text: &str) -> Option<Edit> {
        let is_simple = !command.wrapped && !command.in_function && command.pipes.is_empty() && command.redirects.is_empty();
        if !is_simple || command.joined == Operator::Or || instruction.json || !instruction.heredocs.is_empty() {
            return None;
        }
        let first = command.words.first().filter(|word| self.is_plain(word))?;
        let end = command.words.last().map(|word| word.range.end)?.max(command.range.end);
        if !(instruction.range.start <= first.range.start && end <= instruction.range.end) {
            return None;
        }
        let is_gap = |ch: char| matches!(ch, ' ' | '\t' | '\r' | '\n') || ch == self.directives.escape;
        let start = command.range.start.min(first.range.start);
        let before = self.source.text.get(instruction.range.start..start)?.trim_end_matches(is_gap);
        let word = before.rsplit(|ch: char| !ch.is_ascii_alphabetic() && ch != '!').next().unwrap_or_default();
        if matches!(word, "if" | "elif" | "while" | "until" | "!" | "time") {
            return None;
        }
        let after = self.source.text.get(end..instruction.range.end)?;
        if !after.is_empty() && !after.starts_with(|ch: char| is_gap(ch) || matches!(ch, ';' | '&' | '|' | ')')) {
            return None;
        }
        let after = after.trim_start_matches(is_gap);
        // Comments between lines, and here-documents.
        if after.starts_with(['#', '<', '>']) || (after.starts_with('|') && !after.starts_with("||")) {
            return None;
        }
        let joint = self.joint(instruction, if after.starts_with(';') { self.operator_before_end(instruction, command)? } else { "&&" });
        Some(self.edit(end..end, format!("{joint}{text}")))
    }

    /// What joins a command to one that `;` ends, so that a failure decides what it did before: `&&`; but where the shell stops at failures it
    /// would not stop at one before `&&`, which takes `;`. `None` where it may or may not stop.
    fn operator_before_end(&self, instruction: &Instruction, command: &Command) -> Option<&'static str> {
        let index = self.instructions.partition_point(|other| other.range.end < instruction.range.end);
        let commands = self.commands.get(index)?;
        let unsets = |other: &Command| other.arguments().iter().any(|word| word.text.starts_with('+') && word.text.contains('e'));
        let mut sets = commands.iter().filter(|other| other.name == "set" && (sets_errexit(other) || unsets(other))).peekable();
        let shell_stops = self.shell_of(instruction).is_some_and(|shell| stops_at_failure(shell.into_iter().skip(1)));
        if sets.peek().is_none() && !shell_stops {
            return Some("&&");
        }
        let start = instruction.range.start;
        let flat = start + flat_length(self.source.text.get(start..command.range.start)?);
        let is_sure = |other: &Command| {
            let is_alone = !other.wrapped && !other.in_function && other.pipes.is_empty() && other.joined == Operator::Sequence;
            is_alone && other.range.end <= flat && !other.arguments().iter().any(|word| word.text.starts_with('+'))
        };
        (command.joined == Operator::Sequence && flat == command.range.start && sets.all(is_sure)).then_some(";")
    }

    /// Adds a command at the end of a RUN.
    pub(super) fn command_at_end(&self, instruction: &Instruction, commands: &[Command], text: &str) -> Option<Edit> {
        if instruction.json || !instruction.heredocs.is_empty() {
            return None;
        }
        let last = commands.last()?;
        let rest = instruction.rest.as_str();
        let end = instruction.logical.range(&(instruction.rest_at..instruction.rest_at + rest.len())).end;
        let line = self.source.text.get(instruction.range.start..end)?.rsplit('\n').next()?;
        let is_open = rest.ends_with([';', '&', '|', '\\', self.directives.escape]) || line.contains('#');
        if is_open || last.is_one_of(&["exit", "exec", "return"]) {
            return None;
        }
        Some(self.edit(end..end, format!("{}{text}", self.joint(instruction, "&&"))))
    }

    /// What joins another command to those of an instruction, in the way in which it is broken into lines.
    fn joint(&self, instruction: &Instruction, operator: &str) -> String {
        let inline = if operator == ";" { "; ".to_owned() } else { format!(" {operator} ") };
        let Some(text) = self.source.text.get(instruction.range.clone()) else { return inline };
        let escape = self.directives.escape;
        let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let indent = |line: &str| line.chars().take_while(|ch| matches!(ch, ' ' | '\t')).collect::<String>();
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2) {
            let [line, next] = pair else { continue };
            if next.trim_start().starts_with(operator) {
                return format!(" {escape}{newline}{}{operator} ", indent(next));
            }
            let Some(code) = line.trim_end().strip_suffix(escape) else { continue };
            if code.trim_end().ends_with(operator) && !next.trim_start().starts_with('#') {
                let blank = if operator == ";" { "" } else { " " };
                return format!("{blank}{operator} {escape}{newline}{}", indent(next));
            }
        }
        inline
    }

    /// Takes an instruction out, with its lines; `None` for one that shares a line or holds comments.
    pub(super) fn without_instruction(&self, instruction: &Instruction) -> Option<Edit> {
        let text = self.source.text.as_str();
        let range = &instruction.range;
        let start = text.get(..range.start)?.rfind('\n').map_or(0, |newline| newline + 1);
        let end = text.get(range.end..)?.find('\n').map_or(text.len(), |newline| range.end + newline + 1);
        let is_alone = text.get(start..range.start)?.trim().is_empty() && text.get(range.end..end)?.trim().is_empty();
        let has_comment = text.get(range.clone())?.lines().any(|line| line.trim_start().starts_with('#'));
        (is_alone && !has_comment && instruction.heredocs.is_empty()).then(|| self.edit(start..end, ""))
    }

    /// Takes one variable out of ENV or ARG, or the instruction when it sets no other.
    pub(super) fn without_pair(&self, instruction: &Instruction, at: usize) -> Option<Edit> {
        let pairs = instruction.pairs();
        if pairs.len() > MAX_PAIRS {
            return None;
        }
        if pairs.len() == 1 {
            // The trigger of an ONBUILD cannot go alone.
            return self.is_own(instruction).then(|| self.without_instruction(instruction)).flatten();
        }
        let part = |pair: &Pair<'_>| instruction.logical.range(&(pair.at..pair_end(instruction, pair)));
        let this = part(pairs.get(at)?);
        match at.checked_sub(1) {
            Some(before) => self.without(part(pairs.get(before)?).end, &this),
            None => {
                // The first one goes with what stands behind it.
                let next = part(pairs.get(1)?);
                let gap = self.without(this.end, &(next.start..next.start))?;
                Some(self.edit(this.start..gap.range.end, ""))
            }
        }
    }

    /// Whether an instruction stands for itself, in no ONBUILD.
    fn is_own(&self, instruction: &Instruction) -> bool {
        let index = self.instructions.partition_point(|other| other.range.start < instruction.range.start);
        self.instructions.get(index).is_some_and(|other| std::ptr::eq(other, instruction))
    }

    /// The start of the line on which an instruction begins, before the comments that stand directly above it.
    pub(super) fn above(&self, instruction: &Instruction) -> usize {
        let text = self.source.text.as_str();
        let line_start = |at: usize| text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
        let mut start = line_start(instruction.range.start);
        while start > 0 {
            let before = line_start(start - 1);
            if !text.get(before..start).is_some_and(|line| line.trim_start().starts_with('#')) {
                break;
            }
            start = before;
        }
        start
    }

    /// How the lines of the file end.
    pub(super) fn newline(&self) -> &'static str {
        let first = self.source.text.find('\n').and_then(|at| self.source.text.get(..at));
        if first.is_some_and(|line| line.ends_with('\r')) { "\r\n" } else { "\n" }
    }
}

fn is_bundle(text: &str) -> bool {
    text.len() > 1 && text.starts_with('-') && !text.starts_with("--")
}

/// The reference of an image with the digest that the registry gives it; one without a tag gets the tag that it means.
pub(super) fn pinned(dockerfile: &Dockerfile<'_>, image: &ImageUse) -> Option<Edit> {
    let text = image.reference.text.as_str();
    let digest = dockerfile.bases.get(text)?.digest.as_deref()?;
    let instruction = dockerfile.instructions.get(image.instruction)?;
    let pinned = if image.name.tag.is_some() { format!("{text}@{digest}") } else { format!("{text}:latest@{digest}") };
    if instruction.keyword == "FROM" {
        let argument = instruction.args.first().filter(|argument| argument.text == text)?;
        return dockerfile.edit_in(instruction, &(argument.at..argument.at + text.len()), pinned);
    }
    // `--from=IMAGE` of COPY, `from=IMAGE` in a mount.
    let flags = instruction.logical.text.get(instruction.at..instruction.rest_at).filter(|flags| flags.len() <= MAX_FLAGS)?;
    let mark = format!("from={text}");
    let ends = |at: &usize| flags.get(at + mark.len()..).is_some_and(|rest| rest.starts_with([' ', '\t', ',']) || rest.is_empty());
    let at = flags.match_indices(&mark).map(|(at, _)| at).find(ends)?;
    let start = instruction.at + at + "from=".len();
    dockerfile.edit_in(instruction, &(start..start + text.len()), pinned)
}

/// Where a pair of ENV, LABEL or ARG ends in the joined text.
pub(super) fn pair_end(instruction: &Instruction, pair: &Pair<'_>) -> usize {
    let own = |argument: &&super::instruction::Argument| argument.at == pair.at;
    if instruction.keyword == "ARG" {
        return instruction.args.iter().find(own).map_or(pair.at, |argument| argument.at + argument.text.len());
    }
    let triple = instruction.args.chunks_exact(3).find(|triple| triple.first().is_some_and(|name| name.at == pair.at));
    triple.and_then(|triple| triple.get(1)).map_or(pair.at, |value| value.at + value.text.len())
}
