//! Shell code in, `Command`s in order of execution out. The only file that names `brush_parser`, whose grammar recurses:
//! nesting and length are bounded before it is called. Reference: POSIX.1-2024, Shell Command Language, and bash 5.3.

use std::{collections::BTreeMap, ops::Range};

use brush_parser::{
    Parser, ParserOptions, SourceSpan,
    ast::{
        AndOr, AndOrList, Assignment as BrushAssignment, AssignmentName, AssignmentValue, Command as BrushCommand,
        CommandPrefixOrSuffixItem as Item, CompoundCommand, CompoundList, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline,
        SimpleCommand, SourceLocation, SubshellCommand, Word as BrushWord,
    },
    word::{self, Parameter, ParameterExpr, WordPiece, WordPieceWithSource},
};

use super::{
    command::{Assignment, Command, HOLE, Operator, Pipe, Redirect, RedirectKind, Word},
    expand::Value,
    source::{Logical, slice},
    wrapper::{self, Inner},
};

/// The deepest nesting of brackets and compound commands that is handed to the parser.
const MAX_NESTING: usize = 24;
/// The longest script that is handed to the parser, in bytes.
const MAX_SCRIPT: usize = 512 * 1024;
/// The most commands that one instruction may give.
const MAX_COMMANDS: usize = 50_000;
/// How deep `sh -c`, `eval` and `$(...)` are followed.
const MAX_SCRIPT_DEPTH: usize = 12;

/// Why shell code gave no commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Nested more deeply than is followed.
    TooDeep,
    /// Longer than is read.
    TooLong,
    /// No shell code, as far as the parser can tell.
    Syntax,
}

impl Unread {
    /// The reason in words.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::TooDeep => "the shell code is nested too deeply",
            Self::TooLong => "the shell code is too long",
            Self::Syntax => "the shell code cannot be parsed",
        }
    }
}

/// The commands of shell code, and why parts of it could not be read.
pub(super) fn commands(script: &Logical, lookup: &dyn Fn(&str) -> Option<Value>) -> (Vec<Command>, Vec<Unread>) {
    let mut walker = Walker::new(lookup);
    walker.script(script, 0);
    (walker.out, walker.unread)
}

/// The command of a JSON-form instruction.
pub(super) fn exec_form(elements: &[&str], range: &Range<usize>, lookup: &dyn Fn(&str) -> Option<Value>) -> (Vec<Command>, Vec<Unread>) {
    let mut walker = Walker::new(lookup);
    let words = elements.iter().map(|element| Word::literal(element)).collect();
    walker.emit(Command { words, range: range.clone(), ..Command::default() }, 0);
    (walker.out, walker.unread)
}

struct Walker<'a> {
    lookup: &'a dyn Fn(&str) -> Option<Value>,
    options: ParserOptions,
    out: Vec<Command>,
    unread: Vec<Unread>,
    /// What the script itself assigned; `None` for a value that is not known.
    locals: BTreeMap<String, Option<String>>,
    pipes: Vec<Pipe>,
    next_pipe: usize,
    redirects: Vec<Redirect>,
    joined: Operator,
    wrapped: bool,
    in_function: bool,
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
        word.loc.as_ref().map_or(0, |span| self.at(span.start.index))
    }
}

impl<'a> Walker<'a> {
    fn new(lookup: &'a dyn Fn(&str) -> Option<Value>) -> Self {
        Self {
            lookup,
            options: ParserOptions::default(),
            out: Vec::new(),
            unread: Vec::new(),
            locals: BTreeMap::new(),
            pipes: Vec::new(),
            next_pipe: 0,
            redirects: Vec::new(),
            joined: Operator::Sequence,
            wrapped: false,
            in_function: false,
        }
    }

    fn script(&mut self, script: &Logical, depth: usize) {
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
        let id = self.next_pipe;
        self.next_pipe += 1;
        for (position, command) in pipeline.seq.iter().enumerate() {
            self.pipes.push(Pipe { id, position });
            self.command(command, text);
            self.pipes.pop();
        }
    }

    fn command(&mut self, command: &BrushCommand, text: &Text<'_>) {
        match command {
            BrushCommand::Simple(simple) => self.simple(simple, text),
            BrushCommand::Compound(compound, redirects) => {
                let outer = self.redirects.len();
                for redirect in redirects.iter().flat_map(|list| &list.0) {
                    let redirect = self.redirect(redirect, text);
                    self.redirects.extend(redirect);
                }
                self.compound(compound, text);
                self.redirects.truncate(outer);
            }
            BrushCommand::Function(function) => {
                let before = std::mem::replace(&mut self.in_function, true);
                self.compound(&function.body.0, text);
                self.in_function = before;
            }
            BrushCommand::ExtendedTest(..) => {}
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, text: &Text<'_>) {
        match compound {
            CompoundCommand::Arithmetic(_) => {}
            CompoundCommand::ArithmeticForClause(clause) => self.list(&clause.body.list, text),
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
                for list in clause.cases.iter().filter_map(|case| case.cmd.as_ref()) {
                    self.list(list, text);
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
        let mut command = Command { joined, redirects: self.redirects.clone(), ..Command::default() };
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
                    AssignmentName::VariableName(name) | AssignmentName::ArrayElementName(name, _) => name.clone(),
                };
                command.assignments.push(Assignment { name, value });
            }
            Item::AssignmentWord(_, word) => {
                let words = self.word(word, text);
                command.words.extend(words);
            }
            Item::ProcessSubstitution(_, subshell) => {
                let word = self.process(subshell, text);
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
                for (_, word) in elements {
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
                    IoFileRedirectTarget::ProcessSubstitution(_, subshell) => {
                        return Some(Redirect { kind, target: self.process(subshell, text) });
                    }
                    IoFileRedirectTarget::Fd(_) | IoFileRedirectTarget::Duplicate(_) => return None,
                }
            }
            IoRedirect::HereDocument(_, document) if document.requires_expansion => {
                let start = text.start(&document.doc);
                let word = self.document(&document.doc.value, start, text.depth);
                return Some(Redirect { kind: RedirectKind::Text, target: word });
            }
            IoRedirect::HereDocument(_, document) => {
                return Some(Redirect { kind: RedirectKind::Text, target: Word::literal(&document.doc.value) });
            }
            IoRedirect::HereString(_, word) => (RedirectKind::Text, word),
            IoRedirect::OutputAndError(word, _) => (RedirectKind::Write, word),
        };
        let target = self.evaluate(&word.value, text.start(word), text.depth);
        Some(Redirect { kind, target })
    }

    fn process(&mut self, subshell: &SubshellCommand, text: &Text<'_>) -> Word {
        let start = self.out.len();
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        self.list(&subshell.list, text);
        self.pipes = pipes;
        self.redirects = redirects;
        Word { raw: "<(...)".to_owned(), text: HOLE.to_string(), inner: start..self.out.len(), is_process: true }
    }

    /// The words that one word of the source becomes: an unquoted variable with blanks in its value becomes several.
    fn word(&mut self, word: &BrushWord, text: &Text<'_>) -> Vec<Word> {
        let value = self.evaluate(&word.value, text.start(word), text.depth);
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
        match word::parse(raw, &self.options) {
            Ok(pieces) => self.pieces(raw, &pieces, at, depth),
            Err(_) => Word { raw: raw.to_owned(), text: HOLE.to_string(), ..Word::default() },
        }
    }

    fn document(&mut self, raw: &str, at: usize, depth: usize) -> Word {
        if !raw.contains(['\\', '$', '`']) {
            return Word::literal(raw);
        }
        match word::parse_heredoc(raw, &self.options) {
            Ok(pieces) => self.pieces(raw, &pieces, at, depth),
            Err(_) => Word { raw: raw.to_owned(), text: HOLE.to_string(), ..Word::default() },
        }
    }

    fn pieces(&mut self, raw: &str, pieces: &[WordPieceWithSource], at: usize, depth: usize) -> Word {
        let start = self.out.len();
        let mut value = String::new();
        self.push_pieces(pieces, at, depth, &mut value);
        Word { raw: raw.to_owned(), text: value, inner: start..self.out.len(), is_process: false }
    }

    fn push_pieces(&mut self, pieces: &[WordPieceWithSource], at: usize, depth: usize, value: &mut String) {
        for piece in pieces {
            match &piece.piece {
                WordPiece::Text(text) | WordPiece::SingleQuotedText(text) | WordPiece::AnsiCQuotedText(text) => value.push_str(text),
                WordPiece::EscapeSequence(text) => value.push_str(text.strip_prefix('\\').unwrap_or(text)),
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    self.push_pieces(inner, at, depth, value)
                }
                WordPiece::TildeExpansion(_) => value.push('~'),
                WordPiece::ParameterExpansion(expression) => {
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
                WordPiece::ArithmeticExpression(_) => value.push(HOLE),
            }
        }
    }

    fn substitution(&mut self, code: &str, at: usize, depth: usize) {
        let pipes = std::mem::take(&mut self.pipes);
        let redirects = std::mem::take(&mut self.redirects);
        let joined = std::mem::take(&mut self.joined);
        self.script(&Logical::of(code, at), depth + 1);
        self.pipes = pipes;
        self.redirects = redirects;
        self.joined = joined;
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

    /// `None`: nothing sets it; `Some(None)`: set to something that is not known.
    fn variable(&self, name: &str) -> Option<Option<String>> {
        if let Some(local) = self.locals.get(name) {
            return Some(local.clone());
        }
        let value = (self.lookup)(name)?;
        Some(value.is_decided().then_some(value.text))
    }

    fn note_assignments(&mut self, command: &Command) {
        if command.words.is_empty() {
            for assignment in &command.assignments {
                self.locals.insert(assignment.name.clone(), assignment.value.known().map(str::to_owned));
            }
        }
        let Some(program) = command.words.first() else { return };
        for word in command.arguments() {
            match (program.text.as_str(), word.text.split_once('=')) {
                ("export" | "declare" | "local" | "readonly" | "typeset", Some((name, value))) => {
                    self.locals.insert(name.to_owned(), (!value.contains(HOLE)).then(|| value.to_owned()));
                }
                ("read", None) if wrapper::is_name(&word.text) => {
                    self.locals.insert(word.text.clone(), None);
                }
                _ => {}
            }
        }
    }

    /// Puts a command into the list, and after it what it runs for another.
    fn emit(&mut self, mut command: Command, depth: usize) {
        let program = command.words.first().map_or("", |word| word.text.as_str());
        command.name = slice(program, program.rfind(['/', '\\']).map_or(0, |at| at + 1)..program.len()).to_owned();
        command.wrapped = self.wrapped;
        command.in_function = self.in_function;
        command.pipes.clone_from(&self.pipes);
        if self.out.len() > MAX_COMMANDS || depth > MAX_SCRIPT_DEPTH {
            self.unread.push(Unread::TooLong);
            return;
        }
        let inner = wrapper::unwrap(&command);
        let documents: Vec<String> = if wrapper::is_posix_shell(&command.name) && inner.is_empty() {
            command
                .redirects
                .iter()
                .filter(|redirect| redirect.kind == RedirectKind::Text)
                .map(|redirect| redirect.target.text.clone())
                .collect()
        } else {
            Vec::new()
        };
        let (range, redirects, joined) = (command.range.clone(), command.redirects.clone(), command.joined);
        self.out.push(command);
        let wrapped = std::mem::replace(&mut self.wrapped, true);
        for document in documents {
            self.script(&Logical::of(&document, range.end), depth + 1);
        }
        for inner in inner {
            match inner {
                Inner::Words(assignments, words) => {
                    let command =
                        Command { words, assignments, range: range.clone(), redirects: redirects.clone(), joined, ..Command::default() };
                    self.emit(command, depth + 1);
                }
                Inner::Script(word) => {
                    let outer = std::mem::replace(&mut self.redirects, redirects.clone());
                    // A hole is a value that is not known: a variable keeps the code readable for the parser.
                    let code = word.text.replace(HOLE, "${_}");
                    self.script(&Logical::of(&code, range.start), depth + 1);
                    self.redirects = outer;
                }
            }
        }
        self.wrapped = wrapped;
    }
}

/// An upper bound for how deep brackets and compound commands are nested; quotes are not looked at, so it may say too much.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    for b in text.bytes() {
        match b {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let (mut depth, mut words, mut bangs) = (0_usize, 0_usize, 0_usize);
    for word in text.split(|c: char| c.is_whitespace() || c == ';' || c == '&' || c == '|') {
        match word {
            "if" | "for" | "while" | "until" | "case" | "select" | "coproc" => depth += 1,
            "fi" | "done" | "esac" => depth = depth.saturating_sub(1),
            "!" => bangs += 1,
            "" => {}
            _ => bangs = 0,
        }
        words = words.max(depth).max(bangs);
    }
    deepest + words
}
