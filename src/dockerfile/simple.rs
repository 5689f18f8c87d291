//! A simple command with its assignments and redirects in, a `Command` out. Reference: POSIX.1-2024, Shell Command Language, 2.9.1.

use std::ops::Range;

use brush_parser::ast::{
    Assignment as BrushAssignment, AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem as Item, IoFileRedirectKind,
    IoFileRedirectTarget, IoRedirect, ProcessSubstitutionKind, SimpleCommand, SourceLocation, SubshellCommand, Word as BrushWord,
};

use super::{
    bounds::Unread,
    command::{Assignment, Command, HOLE, Redirect, RedirectKind, Word},
    shell::{Text, Walker},
    spaces::Space,
    watch::Use,
    wrapper,
};

/// Programs that run the program that their next word names, with no options in between.
const RUNS_NEXT: &[&str] = &["builtin", "busybox", "command", "exec"];

impl Walker<'_> {
    /// Walks a simple command.
    pub(super) fn simple(&mut self, simple: &SimpleCommand, text: &Text<'_>) {
        let joined = self.joined;
        let outer = self.watch.open();
        let mut command = Command { joined, redirects: self.inherited(), ..Command::default() };
        let name = simple.word_or_name.as_ref();
        command.words.reserve_exact(usize::from(name.is_some()) + simple.suffix.as_ref().map_or(0, |suffix| suffix.0.len()));
        let mut range = name.and_then(|word| text.range(word.loc.as_ref()));
        let widen = |range: &mut Option<Range<usize>>, more: Option<Range<usize>>| match (range.as_mut(), more) {
            (Some(range), Some(more)) => *range = range.start.min(more.start)..range.end.max(more.end),
            (None, more) => *range = more,
            _ => {}
        };
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            widen(&mut range, text.range(item.location().as_ref()));
            self.item(item, &mut command, text);
            // With a program behind them, they hold for it alone.
            if name.is_none() && matches!(item, Item::AssignmentWord(..)) {
                self.note_value(&command);
            }
        }
        if let Some(word) = name {
            let words = self.word(word, text, Use::Program);
            command.words.extend(words);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            widen(&mut range, text.range(item.location().as_ref()));
            self.item(item, &mut command, text);
        }
        command.range = range.unwrap_or_else(|| text.at(0)..text.at(0) + 1);
        self.joined = joined;
        command.in_function = self.in_function;
        command.pipes.clone_from(&self.pipes);
        if self.wrapped {
            self.watch.leave(outer);
        } else {
            self.watch.judge(&command, outer);
        }
        self.note_assignments(&command);
        self.emit(command, text.depth);
    }

    /// Notes what the last assignment of a command gives.
    fn note_value(&mut self, command: &Command) {
        if let Some(Assignment { name, value }) = command.assignments.last()
            && !self.wrapped
        {
            self.watch.assign(name, value.space);
        }
    }

    fn item(&mut self, item: &Item, command: &mut Command, text: &Text<'_>) {
        match item {
            Item::IoRedirect(redirect) => {
                let redirect = self.redirect(redirect, text);
                command.redirects.extend(redirect);
            }
            Item::Word(word) => {
                let is_program = matches!(command.words.as_slice(), [program] if RUNS_NEXT.contains(&program.text.as_str()));
                let words = self.word(word, text, if is_program { Use::Program } else { Use::Split });
                command.words.extend(words);
            }
            Item::AssignmentWord(assignment, word) if command.words.is_empty() => {
                let quotes = self.watch.quotes();
                let mut value = self.assignment_value(assignment, text, word);
                let name = match &assignment.name {
                    AssignmentName::VariableName(name) => name.clone(),
                    AssignmentName::ArrayElementName(name, place) => {
                        self.inside(place, text.start(word), text);
                        name.clone()
                    }
                };
                self.watch.assigned(&name, quotes);
                if assignment.append {
                    value.space = value.space.with(self.watch.space(&name));
                }
                command.assignments.push(Assignment { name, value });
            }
            Item::AssignmentWord(assignment, word) => {
                let is_array = matches!(assignment.value, AssignmentValue::Array(_));
                let keeps = is_array || command.words.first().is_some_and(|program| self.watch.keeps_assignments(&program.text));
                let mut words = self.word(word, text, if keeps { Use::Kept } else { Use::Split });
                for word in words.iter_mut().filter(|_| is_array) {
                    word.is_substituted = false;
                }
                command.words.extend(words);
            }
            Item::ProcessSubstitution(kind, subshell) => {
                let word = self.process(kind, subshell, text);
                command.words.push(word);
            }
        }
    }

    fn assignment_value(&mut self, assignment: &BrushAssignment, text: &Text<'_>, whole: &BrushWord) -> Word {
        let at = text.start(whole);
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                let value = whole.value.len().saturating_sub(word.value.len());
                self.evaluate(&word.value, at + value, text, Use::Kept)
            }
            AssignmentValue::Array(elements) => {
                let start = self.out.len();
                for word in elements.iter().flat_map(|(key, word)| key.iter().chain([word])) {
                    self.evaluate(&word.value, if word.loc.is_some() { text.start(word) } else { at }, text, Use::Kept);
                }
                Word { text: HOLE.to_string(), inner: start..self.out.len(), space: Space::Dirty, ..Word::default() }
            }
        }
    }

    /// Walks a redirect.
    pub(super) fn redirect(&mut self, redirect: &IoRedirect, text: &Text<'_>) -> Option<Redirect> {
        let (kind, word) = match redirect {
            IoRedirect::File(_, kind, target) => {
                let kind = match kind {
                    IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput => RedirectKind::Read,
                    IoFileRedirectKind::Write
                    | IoFileRedirectKind::Append
                    | IoFileRedirectKind::ReadAndWrite
                    | IoFileRedirectKind::Clobber
                    | IoFileRedirectKind::DuplicateOutput => RedirectKind::Write,
                };
                match target {
                    IoFileRedirectTarget::Filename(word) => (kind, word),
                    IoFileRedirectTarget::ProcessSubstitution(end, subshell) => {
                        return Some(Redirect { kind, target: self.process(end, subshell, text), at: text.at(0) });
                    }
                    IoFileRedirectTarget::Duplicate(word) => {
                        self.word(word, text, Use::Split);
                        return None;
                    }
                    IoFileRedirectTarget::Fd(_) => return None,
                }
            }
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                let start = text.start(&document.doc);
                let word = self.document(&document.doc.value, start, text);
                return Some(Redirect { kind: RedirectKind::Text, target: word, at: text.script.offset(start) });
            }
            IoRedirect::HereDocument(_, document) => {
                let target = Word::literal(&document.doc.value);
                return Some(Redirect { kind: RedirectKind::Text, target, at: text.script.offset(text.start(&document.doc)) });
            }
            IoRedirect::HereString(_, word) => (RedirectKind::Text, word),
            IoRedirect::OutputAndError(word, _) => (RedirectKind::Write, word),
        };
        let start = text.start(word);
        let usage = if kind == RedirectKind::Text { Use::Kept } else { Use::Split };
        Some(Redirect { kind, target: self.evaluate(&word.value, start, text, usage), at: text.script.offset(start) })
    }

    fn process(&mut self, end: &ProcessSubstitutionKind, subshell: &SubshellCommand, text: &Text<'_>) -> Word {
        let start = self.out.len();
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        let mark = self.watch.spaces.mark();
        let is_captured = std::mem::replace(&mut self.is_captured, matches!(end, ProcessSubstitutionKind::Read));
        self.list(&subshell.list, text);
        self.is_captured = is_captured;
        self.watch.spaces.forget(mark);
        self.pipes = pipes;
        self.redirects = redirects;
        let written_to = self.out.get(start..).filter(|_| matches!(end, ProcessSubstitutionKind::Write)).unwrap_or_default();
        if written_to.iter().any(|command| wrapper::is_posix_shell(&command.name)) {
            self.unread.push(Unread::Lost);
        }
        Word { raw: "<(...)".to_owned(), text: HOLE.to_string(), inner: start..self.out.len(), is_process: true, ..Word::default() }
    }
}
