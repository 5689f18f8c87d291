//! Shell code in, `Command`s in order of execution out, by way of the syntax tree of `brush_parser`, which only this file, [`super::simple`],
//! [`super::words`], [`super::plain_script`] and [`super::plain_word`] name. Its grammar recurses: nesting and length are bounded before it is
//! called.
//! Reference: POSIX.1-2024, Shell Command Language, and bash 5.3.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use brush_parser::{
    ParserOptions, SourceSpan, Token,
    ast::{
        AndOr, AndOrList, Command as BrushCommand, CompoundCommand, CompoundList, CompoundListItem, ExtendedTestExpr, Pipeline, Program,
        RedirectList, SeparatorOperator, UnaryPredicate, Word as BrushWord,
    },
    parse_tokens, uncached_tokenize_str,
};

use super::{
    bounds::{MAX_COMMANDS, MAX_NESTING, MAX_SCRIPT, MAX_SCRIPT_DEPTH, Unread, nesting},
    command::{Command, Operator, Pipe, Redirect, Word},
    dataflow::Files,
    dialect::Shell,
    effort,
    execution::is_handed_on,
    guest, plain_script,
    scope::Scope,
    slip::Slip,
    source::{Logical, alone, slice},
    spaces::Space,
    watch::{Use, Watch, may_be_many},
};

/// What shell code says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Its commands in order of execution.
    pub(super) commands: Vec<Command>,
    /// Why parts of it could not be read.
    pub(super) unread: Vec<Unread>,
    /// Where it does something else than its author meant.
    pub(super) slips: Vec<Slip>,
}

/// Reads shell code.
pub(super) fn commands(script: &Logical, files: &mut Files, scope: &Scope, shell: Shell) -> Reading {
    let mut walker = Walker::new(files, scope, shell);
    walker.script(script, 0);
    let slips = walker.watch.finish();
    Reading { commands: walker.out, unread: walker.unread, slips }
}

/// Reads the command of a JSON-form instruction; no shell splits its words.
pub(super) fn exec_form(elements: &[&str], range: &Range<usize>, files: &mut Files, scope: &Scope) -> Reading {
    let mut walker = Walker::new(files, scope, Shell::default());
    let words = elements.iter().map(|element| Word::literal(element)).collect();
    walker.emit(Command { words, range: range.clone(), ..Command::default() }, 0);
    Reading { commands: walker.out, unread: walker.unread, slips: Vec::new() }
}

/// Goes through shell code in order of execution.
pub(super) struct Walker<'a> {
    /// The variables of the Dockerfile.
    pub(super) scope: &'a Scope,
    pub(super) options: ParserOptions,
    /// Looks for slips.
    pub(super) watch: Watch<'a>,
    /// What the instructions so far wrote into files.
    pub(super) files: &'a mut Files,
    /// The commands so far.
    pub(super) out: Vec<Command>,
    /// What could not be read.
    pub(super) unread: Vec<Unread>,
    /// What the script itself assigned; `None` for a value that is not known.
    pub(super) locals: BTreeMap<String, Option<String>>,
    /// The functions that run the words that they are given.
    pub(super) forwarders: BTreeSet<String>,
    /// The pipelines around the next command.
    pub(super) pipes: Vec<Pipe>,
    /// Per pipeline, how many commands there were before it.
    pub(super) starts: Vec<usize>,
    /// The redirects of the groups around the next command.
    pub(super) redirects: Vec<Redirect>,
    /// What joins the next command to the last one.
    pub(super) joined: Operator,
    /// Whether another program runs the next command.
    pub(super) wrapped: bool,
    /// Whether the next command stands in a function.
    pub(super) in_function: bool,
    /// Whether what the next command prints becomes a value.
    pub(super) is_captured: bool,
    /// How many of the lists around the next command go on behind it.
    pub(super) followed: usize,
    /// How many conditions stand around the innermost of these lists, which ask its last command alone.
    pub(super) asked_outside: usize,
    /// Whether the script says that it looks at the status of its commands.
    pub(super) asks_status: bool,
}

/// One text that is being walked: the way from the parser's character positions to the original.
pub(super) struct Text<'a> {
    /// The text.
    pub(super) script: &'a Logical,
    /// Byte offset of every character; empty for ASCII.
    bytes: Vec<usize>,
    /// How deep it stands in other scripts.
    pub(super) depth: usize,
}

impl Text<'_> {
    /// The byte of a character.
    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() { character } else { self.bytes.get(character).copied().unwrap_or(self.script.text.len()) }
    }

    /// Where a character stands in the original.
    pub(super) fn at(&self, character: usize) -> usize {
        self.script.offset(self.byte(character))
    }

    /// Where it stands in the original.
    pub(super) fn range(&self, span: Option<&SourceSpan>) -> Option<Range<usize>> {
        let span = span?;
        let start = self.at(span.start.index);
        let end = if span.end.index > span.start.index { self.at(span.end.index - 1) + 1 } else { start };
        Some(start..end.max(start))
    }

    /// The byte of the text on which a word starts.
    pub(super) fn start(&self, word: &BrushWord) -> usize {
        word.loc.as_ref().map_or(0, |span| self.byte(span.start.index))
    }
}

impl<'a> Walker<'a> {
    fn new(files: &'a mut Files, scope: &'a Scope, shell: Shell) -> Self {
        Self {
            scope,
            watch: Watch::new(scope, shell),
            files,
            options: ParserOptions::default(),
            out: Vec::new(),
            unread: Vec::new(),
            locals: BTreeMap::new(),
            forwarders: BTreeSet::new(),
            pipes: Vec::new(),
            starts: Vec::new(),
            redirects: Vec::new(),
            joined: Operator::Sequence,
            wrapped: false,
            in_function: false,
            is_captured: false,
            followed: 0,
            asked_outside: 0,
            asks_status: false,
        }
    }

    /// Walks shell code.
    pub(super) fn script(&mut self, script: &Logical, depth: usize) {
        let text = script.text.as_str();
        if depth > MAX_SCRIPT_DEPTH || nesting(text) > MAX_NESTING {
            self.unread.push(Unread::TooDeep);
            return;
        }
        if text.len() > MAX_SCRIPT || self.out.len() > MAX_COMMANDS {
            self.unread.push(Unread::TooLong);
            return;
        }
        let program = match plain_script::program(text).map_or_else(|| self.parsed(text), Ok) {
            Ok(program) => program,
            Err(why) => return self.unread.push(why),
        };
        let bytes = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        let asks_status = std::mem::replace(&mut self.asks_status, asks_status(text));
        let text = Text { script, bytes, depth };
        let last = program.complete_commands.len().saturating_sub(1);
        for (at, list) in program.complete_commands.iter().enumerate() {
            self.part(at < last, |this| this.list(list, &text));
        }
        self.asks_status = asks_status;
    }

    /// The program of a script, from the grammar.
    fn parsed(&self, text: &str) -> Result<Program, Unread> {
        let tokens = guest::ask(|| tokens(text, &self.options)).ok_or(Unread::Syntax)?;
        if !self.files.effort.affords(effort::of_script(&tokens)) {
            return Err(Unread::TooDeep);
        }
        guest::ask(|| parse_tokens(&tokens, &self.options).ok()).ok_or(Unread::Syntax)
    }

    /// Walks a part of a list that goes on behind it or does not.
    fn part(&mut self, is_followed: bool, walk: impl FnOnce(&mut Self)) {
        let asked_outside = self.asked_outside;
        if is_followed {
            self.followed += 1;
            self.asked_outside = self.watch.conditions;
        }
        walk(self);
        self.followed -= usize::from(is_followed);
        self.asked_outside = asked_outside;
    }

    /// A list that what is before it does not join.
    pub(super) fn list(&mut self, list: &CompoundList, text: &Text<'_>) {
        self.joined = Operator::Sequence;
        self.group(list, text);
    }

    /// A list whose first command is joined as the whole is.
    fn group(&mut self, list: &CompoundList, text: &Text<'_>) {
        let last = list.0.len().saturating_sub(1);
        for (at, CompoundListItem(item, separator)) in list.0.iter().enumerate() {
            if at > 0 {
                self.joined = Operator::Sequence;
            }
            let mark = self.watch.spaces.mark();
            self.part(at < last, |this| this.and_or(item, text));
            if matches!(separator, SeparatorOperator::Async) {
                self.watch.spaces.forget(mark);
            }
        }
    }

    /// A list whose last command decides what runs next.
    fn condition(&mut self, list: &CompoundList, text: &Text<'_>) {
        let last = list.0.len().saturating_sub(1);
        for (at, CompoundListItem(item, _)) in list.0.iter().enumerate() {
            self.joined = Operator::Sequence;
            self.watch.conditions += usize::from(at == last);
            self.part(at < last, |this| this.and_or(item, text));
            self.watch.conditions -= usize::from(at == last);
        }
    }

    fn and_or(&mut self, list: &AndOrList, text: &Text<'_>) {
        let count = list.additional.len();
        self.watch.conditions += usize::from(count > 0);
        self.pipeline(&list.first, text);
        for (at, next) in list.additional.iter().enumerate() {
            let (operator, pipeline) = match next {
                AndOr::And(pipeline) => (Operator::And, pipeline),
                AndOr::Or(pipeline) => (Operator::Or, pipeline),
            };
            if at + 1 == count {
                // Of a list that fails in the end, nobody has looked at the last command.
                self.watch.conditions -= 1;
            }
            self.joined = operator;
            let mark = self.watch.spaces.mark();
            self.pipeline(pipeline, text);
            self.watch.spaces.weaken(mark);
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline, text: &Text<'_>) {
        if let [command] = pipeline.seq.as_slice() {
            self.command(command, text);
            return;
        }
        let id = self.starts.len();
        self.starts.push(self.out.len());
        for (position, command) in pipeline.seq.iter().enumerate() {
            self.pipes.push(Pipe { id, position });
            let mark = self.watch.spaces.mark();
            self.command(command, text);
            self.watch.spaces.forget(mark);
            self.pipes.pop();
        }
    }

    fn command(&mut self, command: &BrushCommand, text: &Text<'_>) {
        match command {
            BrushCommand::Simple(simple) => self.simple(simple, text),
            BrushCommand::Compound(compound, redirects) => self.redirected(compound, redirects.as_ref(), text),
            BrushCommand::Function(function) => {
                let before = std::mem::replace(&mut self.in_function, true);
                let start = self.out.len();
                let mark = self.watch.spaces.mark();
                self.watch.open_function();
                self.redirected(&function.body.0, function.body.1.as_ref(), text);
                let outcome = self.watch.spaces.take(mark);
                self.watch.close_function(&function.fname.value, outcome.changes);
                self.in_function = before;
                let body = self.out.get(start..).unwrap_or_default();
                if body.iter().any(|command| command.words.first().is_some_and(is_handed_on)) {
                    self.forwarders.insert(function.fname.value.clone());
                }
            }
            BrushCommand::ExtendedTest(test, redirects) => {
                let outer = self.watch.open();
                self.test(&test.expr, text.byte(test.loc.start.index), text);
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    self.redirect(redirect, text);
                }
                self.watch.close(outer);
            }
        }
    }

    fn redirected(&mut self, compound: &CompoundCommand, redirects: Option<&RedirectList>, text: &Text<'_>) {
        let before = self.redirects.len();
        let outer = self.watch.open();
        for redirect in redirects.iter().flat_map(|list| &list.0) {
            let redirect = self.redirect(redirect, text);
            self.redirects.extend(redirect);
        }
        self.watch.close(outer);
        self.compound(compound, text);
        self.redirects.truncate(before);
    }

    fn test(&mut self, test: &ExtendedTestExpr, at: usize, text: &Text<'_>) {
        let start = |word: &BrushWord| if word.loc.is_some() { text.start(word) } else { at };
        match test {
            ExtendedTestExpr::And(left, right) | ExtendedTestExpr::Or(left, right) => {
                self.test(left, at, text);
                self.test(right, at, text);
            }
            ExtendedTestExpr::Not(inner) | ExtendedTestExpr::Parenthesized(inner) => self.test(inner, at, text),
            ExtendedTestExpr::UnaryTest(predicate, word) => {
                let option = match predicate {
                    UnaryPredicate::StringHasNonZeroLength => "-n",
                    UnaryPredicate::StringHasZeroLength => "-z",
                    UnaryPredicate::ShellVariableIsSetAndAssigned => "-v",
                    _ => "",
                };
                self.watch.tested(option, &word.value);
                self.evaluate(&word.value, start(word), text, Use::Kept);
            }
            ExtendedTestExpr::BinaryTest(_, left, right) => {
                self.evaluate(&left.value, start(left), text, Use::Kept);
                self.evaluate(&right.value, start(right), text, Use::Kept);
            }
        }
    }

    /// Walks a list that runs once, often or never.
    fn repeated(&mut self, list: &CompoundList, text: &Text<'_>, variable: Option<(&str, Space)>) {
        let mark = self.watch.spaces.mark();
        self.watch.open_loop();
        if let Some((name, space)) = variable.filter(|_| !self.wrapped) {
            self.watch.assign(name, space);
        }
        self.list(list, text);
        self.watch.spaces.weaken(mark);
        self.watch.close_loop();
    }

    fn compound(&mut self, compound: &CompoundCommand, text: &Text<'_>) {
        match compound {
            CompoundCommand::Arithmetic(arithmetic) => {
                self.arithmetic(&arithmetic.expr.value, text.byte(arithmetic.loc.start.index), text);
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                let at = text.byte(clause.loc.start.index);
                for part in [&clause.initializer, &clause.condition, &clause.updater].into_iter().flatten() {
                    self.arithmetic(&part.value, at, text);
                }
                self.repeated(&clause.body.list, text, None);
            }
            CompoundCommand::BraceGroup(group) => self.group(&group.list, text),
            CompoundCommand::Subshell(subshell) => {
                let mark = self.watch.spaces.mark();
                self.group(&subshell.list, text);
                self.watch.spaces.forget(mark);
            }
            CompoundCommand::ForClause(clause) => {
                let outer = self.watch.open();
                let mut space = if clause.values.is_some() { Space::Empty } else { Space::Dirty };
                for word in clause.values.iter().flatten() {
                    let value = self.evaluate(&word.value, text.start(word), text, Use::Kept);
                    space = space.with(if may_be_many(&word.value) { Space::Dirty } else { value.space });
                }
                self.watch.close(outer);
                self.locals.insert(clause.variable_name.clone(), None);
                self.repeated(&clause.body.list, text, Some((clause.variable_name.as_str(), space)));
            }
            CompoundCommand::CaseClause(clause) => {
                let outer = self.watch.open();
                self.evaluate(&clause.value.value, text.start(&clause.value), text, Use::Kept);
                let mut outcomes = Vec::new();
                let mut takes_all = false;
                for case in &clause.cases {
                    for pattern in &case.patterns {
                        takes_all |= pattern.value == "*";
                        self.evaluate(&pattern.value, text.start(pattern), text, Use::Kept);
                    }
                    let mark = self.watch.spaces.mark();
                    if let Some(list) = &case.cmd {
                        self.list(list, text);
                    }
                    outcomes.push(self.watch.spaces.take(mark));
                }
                self.watch.close(outer);
                self.watch.spaces.settle(outcomes, !takes_all);
            }
            CompoundCommand::IfClause(clause) => {
                self.condition(&clause.condition, text);
                let mark = self.watch.spaces.mark();
                self.list(&clause.then, text);
                let mut outcomes = vec![self.watch.spaces.take(mark)];
                let mut has_else = false;
                for branch in clause.elses.iter().flatten() {
                    match &branch.condition {
                        Some(condition) => self.condition(condition, text),
                        None => has_else = true,
                    }
                    let mark = self.watch.spaces.mark();
                    self.list(&branch.body, text);
                    outcomes.push(self.watch.spaces.take(mark));
                }
                self.watch.spaces.settle(outcomes, !has_else);
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.watch.open_loop();
                self.condition(&clause.0, text);
                self.repeated(&clause.1.list, text, None);
                self.watch.close_loop();
            }
            CompoundCommand::Coprocess(coprocess) => {
                let mark = self.watch.spaces.mark();
                self.command(&coprocess.body, text);
                self.watch.spaces.forget(mark);
            }
        }
    }
}

/// The tokens of a script. A here-document whose name is empty (`<<''`) keeps the tokenizer for ever where the text ends on its line, so that
/// there the lines end.
fn tokens(text: &str, options: &ParserOptions) -> Option<Vec<Token>> {
    let options = options.tokenizer_options();
    let may_be_empty = |(at, opener): (usize, &str)| {
        let name = slice(text, at + opener.len()..text.len());
        !name.strip_prefix('-').unwrap_or(name).starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    };
    if text.match_indices("<<").any(may_be_empty) {
        return uncached_tokenize_str(&format!("{text}\n\n"), &options).ok();
    }
    uncached_tokenize_str(text, &options).ok()
}

/// Whether a script says that it looks at the status of its commands by other means than `&&`, `||` and conditions.
fn asks_status(text: &str) -> bool {
    // In `bootstrap.tgz` or `mouse-trap` nothing is trapped.
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    let has = |word: &str| alone(text, word, is_part).next().is_some();
    let is_trapped = || has("trap") && (has("ERR") || has("DEBUG"));
    text.contains("$?") || text.contains("${?") || has("PIPESTATUS") || has("errexit") || is_trapped()
}
