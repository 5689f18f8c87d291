//! Shell code in, `Command`s in order of execution out. The only file that names `brush_parser`, whose grammar recurses:
//! nesting and length are bounded before it is called. Reference: POSIX.1-2024, Shell Command Language, and bash 5.3.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use brush_parser::{
    Parser, ParserOptions, SourceSpan,
    ast::{
        AndOr, AndOrList, Assignment as BrushAssignment, AssignmentName, AssignmentValue, Command as BrushCommand,
        CommandPrefixOrSuffixItem as Item, CompoundCommand, CompoundList, ExtendedTestExpr, IoFileRedirectKind, IoFileRedirectTarget,
        IoRedirect, Pipeline, ProcessSubstitutionKind, RedirectList, SimpleCommand, SourceLocation, SubshellCommand, Word as BrushWord,
    },
    word::{self, Parameter, ParameterExpr, WordPiece, WordPieceWithSource},
};

use super::{
    bounds::{MAX_COMMANDS, MAX_NESTING, MAX_SCRIPT, MAX_SCRIPT_DEPTH, Unread, nesting},
    command::{Assignment, Command, HOLE, Operator, Pipe, Redirect, RedirectKind, Word},
    execution::{Files, is_handed_on, unescaped},
    expand::Value,
    source::{Logical, slice},
    wrapper,
};

/// The commands of shell code, and why parts of it could not be read.
pub(super) fn commands(script: &Logical, files: &mut Files, lookup: &dyn Fn(&str) -> Option<Value>) -> (Vec<Command>, Vec<Unread>) {
    let mut walker = Walker::new(files, lookup);
    walker.script(script, 0);
    (walker.out, walker.unread)
}

/// The command of a JSON-form instruction.
pub(super) fn exec_form(
    elements: &[&str],
    range: &Range<usize>,
    files: &mut Files,
    lookup: &dyn Fn(&str) -> Option<Value>,
) -> (Vec<Command>, Vec<Unread>) {
    let mut walker = Walker::new(files, lookup);
    let words = elements.iter().map(|element| Word::literal(element)).collect();
    walker.emit(Command { words, range: range.clone(), ..Command::default() }, 0);
    (walker.out, walker.unread)
}

/// Goes through shell code in order of execution.
pub(super) struct Walker<'a> {
    /// The variables of the Dockerfile.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<Value>,
    options: ParserOptions,
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
}

/// One text that is being walked: the way from the parser's character positions to the original.
struct Text<'a> {
    script: &'a Logical,
    /// Byte offset of every character; empty for ASCII.
    bytes: Vec<usize>,
    depth: usize,
}

impl Text<'_> {
    fn at(&self, character: usize) -> usize {
        let byte = if self.bytes.is_empty() { character } else { self.bytes.get(character).copied().unwrap_or(self.script.text.len()) };
        self.script.offset(byte)
    }

    fn range(&self, span: Option<SourceSpan>) -> Option<Range<usize>> {
        let span = span?;
        let start = self.at(span.start.index);
        let end = if span.end.index > span.start.index { self.at(span.end.index - 1) + 1 } else { start };
        Some(start..end.max(start))
    }

    fn start(&self, word: &BrushWord) -> usize {
        word.loc.as_ref().map_or_else(|| self.at(0), |span| self.at(span.start.index))
    }
}

impl<'a> Walker<'a> {
    pub(super) fn new(files: &'a mut Files, lookup: &'a dyn Fn(&str) -> Option<Value>) -> Self {
        Self {
            lookup,
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
        let Ok(program) = Parser::new(text.as_bytes(), &self.options).parse_program() else {
            self.unread.push(Unread::Syntax);
            return;
        };
        let bytes = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        let text = Text { script, bytes, depth };
        for list in &program.complete_commands {
            self.list(list, &text);
        }
    }

    fn list(&mut self, list: &CompoundList, text: &Text<'_>) {
        for item in &list.0 {
            self.joined = Operator::Sequence;
            self.and_or(&item.0, text);
        }
    }

    fn and_or(&mut self, list: &AndOrList, text: &Text<'_>) {
        self.pipeline(&list.first, text);
        for next in &list.additional {
            let (operator, pipeline) = match next {
                AndOr::And(pipeline) => (Operator::And, pipeline),
                AndOr::Or(pipeline) => (Operator::Or, pipeline),
            };
            self.joined = operator;
            self.pipeline(pipeline, text);
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
            self.command(command, text);
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
                self.redirected(&function.body.0, function.body.1.as_ref(), text);
                self.in_function = before;
                let body = self.out.get(start..).unwrap_or_default();
                if body.iter().any(|command| command.words.first().is_some_and(is_handed_on)) {
                    self.forwarders.insert(function.fname.value.clone());
                }
            }
            BrushCommand::ExtendedTest(test, redirects) => {
                self.test(&test.expr, text.at(test.loc.start.index), text.depth);
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    self.redirect(redirect, text);
                }
            }
        }
    }

    fn redirected(&mut self, compound: &CompoundCommand, redirects: Option<&RedirectList>, text: &Text<'_>) {
        let outer = self.redirects.len();
        for redirect in redirects.iter().flat_map(|list| &list.0) {
            let redirect = self.redirect(redirect, text);
            self.redirects.extend(redirect);
        }
        self.compound(compound, text);
        self.redirects.truncate(outer);
    }

    fn test(&mut self, test: &ExtendedTestExpr, at: usize, depth: usize) {
        match test {
            ExtendedTestExpr::And(left, right) | ExtendedTestExpr::Or(left, right) => {
                self.test(left, at, depth);
                self.test(right, at, depth);
            }
            ExtendedTestExpr::Not(inner) | ExtendedTestExpr::Parenthesized(inner) => self.test(inner, at, depth),
            ExtendedTestExpr::UnaryTest(_, word) => {
                self.evaluate(&word.value, at, depth);
            }
            ExtendedTestExpr::BinaryTest(_, left, right) => {
                self.evaluate(&left.value, at, depth);
                self.evaluate(&right.value, at, depth);
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, text: &Text<'_>) {
        match compound {
            CompoundCommand::Arithmetic(arithmetic) => self.inside(&arithmetic.expr.value, text.at(arithmetic.loc.start.index), text.depth),
            CompoundCommand::ArithmeticForClause(clause) => {
                let at = text.at(clause.loc.start.index);
                for part in [&clause.initializer, &clause.condition, &clause.updater].into_iter().flatten() {
                    self.inside(&part.value, at, text.depth);
                }
                self.list(&clause.body.list, text);
            }
            CompoundCommand::BraceGroup(group) => self.list(&group.list, text),
            CompoundCommand::Subshell(subshell) => self.list(&subshell.list, text),
            CompoundCommand::ForClause(clause) => {
                for word in clause.values.iter().flatten() {
                    self.word(word, text);
                }
                self.locals.insert(clause.variable_name.clone(), None);
                self.list(&clause.body.list, text);
            }
            CompoundCommand::CaseClause(clause) => {
                self.word(&clause.value, text);
                for case in &clause.cases {
                    for pattern in &case.patterns {
                        self.word(pattern, text);
                    }
                    if let Some(list) = &case.cmd {
                        self.list(list, text);
                    }
                }
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, text);
                self.list(&clause.then, text);
                for branch in clause.elses.iter().flatten() {
                    if let Some(condition) = &branch.condition {
                        self.list(condition, text);
                    }
                    self.list(&branch.body, text);
                }
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, text);
                self.list(&clause.1.list, text);
            }
            CompoundCommand::Coprocess(coprocess) => self.command(&coprocess.body, text),
        }
    }

    fn simple(&mut self, simple: &SimpleCommand, text: &Text<'_>) {
        let joined = self.joined;
        let mut command = Command { joined, redirects: self.inherited(), ..Command::default() };
        let name = simple.word_or_name.as_ref();
        let mut range = name.and_then(|word| text.range(word.loc.clone()));
        let widen = |range: &mut Option<Range<usize>>, more: Option<Range<usize>>| match (range.as_mut(), more) {
            (Some(range), Some(more)) => *range = range.start.min(more.start)..range.end.max(more.end),
            (None, more) => *range = more,
            _ => {}
        };
        for item in simple.prefix.iter().flat_map(|prefix| &prefix.0) {
            widen(&mut range, text.range(item.location()));
            self.item(item, &mut command, text);
        }
        if let Some(word) = name {
            let words = self.word(word, text);
            command.words.extend(words);
        }
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            widen(&mut range, text.range(item.location()));
            self.item(item, &mut command, text);
        }
        command.range = range.unwrap_or_else(|| text.at(0)..text.at(0) + 1);
        self.joined = joined;
        self.note_assignments(&command);
        self.emit(command, text.depth);
    }

    fn item(&mut self, item: &Item, command: &mut Command, text: &Text<'_>) {
        match item {
            Item::IoRedirect(redirect) => {
                let redirect = self.redirect(redirect, text);
                command.redirects.extend(redirect);
            }
            Item::Word(word) => {
                let words = self.word(word, text);
                command.words.extend(words);
            }
            Item::AssignmentWord(assignment, word) if command.words.is_empty() => {
                let value = self.assignment_value(assignment, text, text.start(word));
                let name = match &assignment.name {
                    AssignmentName::VariableName(name) => name.clone(),
                    AssignmentName::ArrayElementName(name, place) => {
                        self.inside(place, text.start(word), text.depth);
                        name.clone()
                    }
                };
                command.assignments.push(Assignment { name, value });
            }
            Item::AssignmentWord(_, word) => {
                let words = self.word(word, text);
                command.words.extend(words);
            }
            Item::ProcessSubstitution(kind, subshell) => {
                let word = self.process(kind, subshell, text);
                command.words.push(word);
            }
        }
    }

    fn assignment_value(&mut self, assignment: &BrushAssignment, text: &Text<'_>, at: usize) -> Word {
        match &assignment.value {
            AssignmentValue::Scalar(word) => {
                self.evaluate(&word.value, word.loc.as_ref().map_or(at, |span| text.at(span.start.index)), text.depth)
            }
            AssignmentValue::Array(elements) => {
                let start = self.out.len();
                for word in elements.iter().flat_map(|(key, word)| key.iter().chain([word])) {
                    self.word(word, text);
                }
                Word { text: HOLE.to_string(), inner: start..self.out.len(), ..Word::default() }
            }
        }
    }

    fn redirect(&mut self, redirect: &IoRedirect, text: &Text<'_>) -> Option<Redirect> {
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
                        self.word(word, text);
                        return None;
                    }
                    IoFileRedirectTarget::Fd(_) => return None,
                }
            }
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                let start = text.start(&document.doc);
                let word = self.document(&document.doc.value, start, text.depth);
                return Some(Redirect { kind: RedirectKind::Text, target: word, at: start });
            }
            IoRedirect::HereDocument(_, document) => {
                let target = Word::literal(&document.doc.value);
                return Some(Redirect { kind: RedirectKind::Text, target, at: text.start(&document.doc) });
            }
            IoRedirect::HereString(_, word) => (RedirectKind::Text, word),
            IoRedirect::OutputAndError(word, _) => (RedirectKind::Write, word),
        };
        let at = text.start(word);
        Some(Redirect { kind, target: self.evaluate(&word.value, at, text.depth), at })
    }

    fn process(&mut self, end: &ProcessSubstitutionKind, subshell: &SubshellCommand, text: &Text<'_>) -> Word {
        let start = self.out.len();
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        self.list(&subshell.list, text);
        self.pipes = pipes;
        self.redirects = redirects;
        let written_to = self.out.get(start..).filter(|_| matches!(end, ProcessSubstitutionKind::Write)).unwrap_or_default();
        if written_to.iter().any(|command| wrapper::is_posix_shell(&command.name)) {
            self.unread.push(Unread::Lost);
        }
        Word { raw: "<(...)".to_owned(), text: HOLE.to_string(), inner: start..self.out.len(), is_process: true, range: 0..0 }
    }

    /// The words that one word of the source becomes: an unquoted variable with blanks in its value becomes several.
    fn word(&mut self, word: &BrushWord, text: &Text<'_>) -> Vec<Word> {
        let value = self.evaluate(&word.value, text.start(word), text.depth);
        let value = Word { range: text.range(word.loc.clone()).unwrap_or_default(), ..value };
        let splits = word.value.starts_with('$') && !word.value.contains(['"', '\'']) && value.text.contains(char::is_whitespace);
        if splits {
            return value.text.split_whitespace().map(|part| Word { text: part.to_owned(), ..value.clone() }).collect();
        }
        vec![value]
    }

    fn evaluate(&mut self, raw: &str, at: usize, depth: usize) -> Word {
        if !raw.contains(['\'', '"', '\\', '$', '`']) {
            return Word::literal(raw);
        }
        if let Some(text) = self.plain_word(raw) {
            let here = self.out.len();
            return Word { raw: raw.to_owned(), text, inner: here..here, is_process: false, range: 0..0 };
        }
        self.parsed_word(raw, at, depth)
    }

    /// A word as the grammar reads it.
    pub(super) fn parsed_word(&mut self, raw: &str, at: usize, depth: usize) -> Word {
        let pieces = word::parse(raw, &self.options).ok();
        self.pieces(raw, pieces, at, depth)
    }

    fn document(&mut self, raw: &str, at: usize, depth: usize) -> Word {
        if !raw.contains(['\\', '$', '`']) {
            return Word::literal(raw);
        }
        let pieces = word::parse_heredoc(raw, &self.options).ok();
        self.pieces(raw, pieces, at, depth)
    }

    /// Walks the substitutions in a text that is no word: arithmetic, and what stands behind the name in `${name...}`.
    fn inside(&mut self, raw: &str, at: usize, depth: usize) {
        if raw.contains("$(") || raw.contains('`') || raw.contains("${") {
            self.document(raw, at, depth);
        }
    }

    fn pieces(&mut self, raw: &str, pieces: Option<Vec<WordPieceWithSource>>, at: usize, depth: usize) -> Word {
        let start = self.out.len();
        let Some(pieces) = pieces else {
            self.unread.push(Unread::Syntax);
            return Word { raw: raw.to_owned(), text: HOLE.to_string(), ..Word::default() };
        };
        let mut value = String::new();
        self.push_pieces(raw, &pieces, at, depth, &mut value);
        Word { raw: raw.to_owned(), text: value, inner: start..self.out.len(), is_process: false, range: 0..0 }
    }

    fn push_pieces(&mut self, raw: &str, pieces: &[WordPieceWithSource], at: usize, depth: usize, value: &mut String) {
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => value.push_str(text),
                WordPiece::AnsiCQuotedText(text) if text.contains('\\') => value.push_str(&unescaped(text)),
                WordPiece::AnsiCQuotedText(text) => value.push_str(text),
                WordPiece::EscapeSequence(text) => value.push_str(text.strip_prefix('\\').unwrap_or(text)),
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    self.push_pieces(raw, inner, at, depth, value)
                }
                WordPiece::TildeExpansion(_) => value.push('~'),
                WordPiece::ParameterExpansion(expression) => {
                    let braced = slice(raw, piece.start_index..piece.end_index);
                    if let Some(inner) = braced.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                        self.inside(inner, at + piece.start_index + 2, depth);
                    }
                    let text = self.parameter(expression);
                    value.push_str(text.as_deref().unwrap_or("\u{0}"));
                }
                WordPiece::CommandSubstitution(code) => {
                    self.substitution(code, at + piece.start_index + 2, depth);
                    value.push(HOLE);
                }
                WordPiece::BackquotedCommandSubstitution(code) => {
                    self.substitution(&code.replace("\\`", "`"), at + piece.start_index + 1, depth);
                    value.push(HOLE);
                }
                WordPiece::ArithmeticExpression(expression) => {
                    self.inside(&expression.value, at + piece.start_index + 3, depth);
                    value.push(HOLE);
                }
            }
        }
    }

    /// The value of a parameter expansion, when it is known.
    fn parameter(&self, expression: &ParameterExpr) -> Option<String> {
        match expression {
            ParameterExpr::Parameter { parameter: Parameter::Named(name), indirect: false } => self.variable(name).flatten(),
            ParameterExpr::UseDefaultValues { parameter: Parameter::Named(name), default_value, indirect: false, .. }
            | ParameterExpr::AssignDefaultValues { parameter: Parameter::Named(name), default_value, indirect: false, .. } => {
                match self.variable(name) {
                    Some(value) => value,
                    None => default_value.clone().filter(|text| !text.contains(['$', '`', '"', '\'', '\\'])),
                }
            }
            _ => None,
        }
    }
}
