//! One word of shell code as it is written in, its value out, and its substitutions walked. Reference: POSIX.1-2024, Shell Command Language, 2.2
//! and 2.6.

use brush_parser::{
    ParserOptions,
    ast::Word as BrushWord,
    word::{self, Parameter, ParameterExpr, WordPiece, WordPieceWithSource},
};

use super::{
    bounds::Unread,
    command::{HOLE, Word},
    dataflow::unescaped,
    effort, guest, plain_word,
    shell::{Text, Walker},
    source::{Logical, slice},
    spaces::Space,
    watch::Use,
};

/// The pieces of one word, as far as they have been read.
struct Pieces<'t> {
    /// The word as it is written.
    raw: &'t str,
    /// Where it starts in the text that is walked.
    at: usize,
    /// Whether it stands there just so.
    is_exact: bool,
    /// Whether there are backquotes in it, where quotes need quotes.
    has_backquotes: bool,
    /// Its value.
    value: String,
    space: Space,
    is_substituted: bool,
}

impl Walker<'_> {
    /// The words that one word of the source becomes: an unquoted variable with blanks in its value becomes several.
    pub(super) fn word(&mut self, word: &BrushWord, text: &Text<'_>, usage: Use) -> Vec<Word> {
        let value = self.evaluate(&word.value, text.start(word), text, usage);
        let value = Word { range: text.range(word.loc.as_ref()).unwrap_or_default(), ..value };
        let splits = word.value.starts_with('$') && !word.value.contains(['"', '\'']) && value.text.contains(char::is_whitespace);
        if splits {
            return value.text.split_whitespace().map(|part| Word { text: part.to_owned(), ..value.clone() }).collect();
        }
        vec![value]
    }

    /// The value of a word that starts at `at` in the text.
    pub(super) fn evaluate(&mut self, raw: &str, at: usize, text: &Text<'_>, usage: Use) -> Word {
        if !raw.contains(['\'', '"', '\\', '$', '`']) {
            return Word::literal(raw);
        }
        let pieces = plain_word::pieces(raw).map_or_else(|| self.parsed_word(raw, word::parse), Ok);
        self.pieces(raw, pieces, at, text, usage)
    }

    /// The value of a here-document.
    pub(super) fn document(&mut self, raw: &str, at: usize, text: &Text<'_>) -> Word {
        if !raw.contains(['\\', '$', '`']) {
            return Word::literal(raw);
        }
        let pieces = self.parsed_word(raw, word::parse_heredoc);
        self.pieces(raw, pieces, at, text, Use::Kept)
    }

    /// The pieces of a word or a here-document, from the grammar.
    fn parsed_word<E>(
        &self,
        raw: &str,
        parse: impl Fn(&str, &ParserOptions) -> Result<Vec<WordPieceWithSource>, E>,
    ) -> Result<Vec<WordPieceWithSource>, Unread> {
        if !self.files.effort.affords(effort::of_word(raw)) {
            return Err(Unread::TooDeep);
        }
        guest::ask(|| parse(raw, &self.options).ok()).ok_or(Unread::Syntax)
    }

    /// Walks the substitutions in a text that is no word: arithmetic, and what stands behind the name in `${name...}`.
    pub(super) fn inside(&mut self, raw: &str, at: usize, text: &Text<'_>) {
        if raw.contains('$') || raw.contains('`') {
            self.document(raw, at, text);
        }
    }

    /// Walks an arithmetic expression.
    pub(super) fn arithmetic(&mut self, raw: &str, at: usize, text: &Text<'_>) {
        self.inside(raw, at, text);
        if !self.wrapped {
            let at = text.script.offset(at);
            self.watch.arithmetic(raw, &(at..at + 1));
        }
    }

    fn pieces(&mut self, raw: &str, pieces: Result<Vec<WordPieceWithSource>, Unread>, at: usize, text: &Text<'_>, usage: Use) -> Word {
        let start = self.out.len();
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(why) => {
                self.unread.push(why);
                return Word { raw: raw.to_owned(), text: HOLE.to_string(), space: Space::Dirty, ..Word::default() };
            }
        };
        // A program that is a variable alone may be a program with options; `$a=b` is a faulty assignment and no word.
        let is_whole = match pieces.as_slice() {
            [_] => true,
            [_, WordPieceWithSource { piece: WordPiece::Text(text), .. }, ..] => text.starts_with('='),
            _ => false,
        };
        let splits = usage == Use::Split || (usage == Use::Program && !is_whole);
        let is_exact = slice(&text.script.text, at..at + raw.len()) == raw;
        let has_backquotes = raw.contains('`');
        let mut word = Pieces { raw, at, is_exact, has_backquotes, value: String::new(), space: Space::Empty, is_substituted: false };
        self.push_pieces(&mut word, &pieces, text, splits);
        let Pieces { value, space, is_substituted, .. } = word;
        Word { raw: raw.to_owned(), text: value, inner: start..self.out.len(), is_substituted, space, ..Word::default() }
    }

    fn push_pieces(&mut self, word: &mut Pieces<'_>, pieces: &[WordPieceWithSource], text: &Text<'_>, splits: bool) {
        let (raw, is_exact) = (word.raw, word.is_exact);
        for piece in pieces {
            let part = piece.start_index..piece.end_index;
            let at = if is_exact { word.at + part.start } else { word.at };
            let end = if is_exact { word.at + part.end } else { word.at + 1 };
            let range = || text.script.range(&(at..end));
            match &piece.piece {
                WordPiece::Text(text) => {
                    word.value.push_str(text);
                    // Braces may become several words.
                    word.space = word.space.with(if text.contains('{') { Space::Dirty } else { Space::of(text) });
                }
                WordPiece::SingleQuotedText(text) => {
                    if !self.wrapped {
                        self.watch.single_quoted(text, range());
                    }
                    word.value.push_str(text);
                    word.space = word.space.with(Space::of(text));
                }
                WordPiece::AnsiCQuotedText(text) => {
                    if text.contains('\\') {
                        word.value.push_str(&unescaped(text));
                        word.space = Space::Dirty;
                    } else {
                        word.value.push_str(text);
                        word.space = word.space.with(Space::of(text));
                    }
                }
                WordPiece::EscapeSequence(text) => {
                    let text = text.strip_prefix('\\').unwrap_or(text);
                    word.value.push_str(text);
                    word.space = word.space.with(Space::of(text));
                }
                WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                    self.push_pieces(word, inner, text, false);
                }
                WordPiece::TildeExpansion(_) => {
                    word.value.push('~');
                    word.space = word.space.with(Space::Clean);
                }
                WordPiece::ParameterExpansion(expression) => {
                    let written = slice(raw, part.clone());
                    if !self.wrapped {
                        let space = self.watch.read(written, range(), splits, is_exact);
                        word.space = word.space.with(space);
                    }
                    if let Some(inner) = written.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
                        self.inside(inner, at + 2, text);
                    }
                    let value = self.parameter(expression);
                    word.value.push_str(value.as_deref().unwrap_or("\u{0}"));
                }
                WordPiece::CommandSubstitution(code) => {
                    self.substituted(word, code, at + 2, range(), text, splits);
                }
                WordPiece::BackquotedCommandSubstitution(code) => {
                    self.substituted(word, &code.replace("\\`", "`"), at + 1, range(), text, splits);
                }
                WordPiece::ArithmeticExpression(expression) => {
                    self.arithmetic(&expression.value, at + 3, text);
                    word.value.push(HOLE);
                    word.space = word.space.with(Space::Clean);
                }
            }
        }
    }

    /// Walks the code of a `$(...)`.
    fn substituted(&mut self, word: &mut Pieces<'_>, code: &str, at: usize, range: std::ops::Range<usize>, text: &Text<'_>, splits: bool) {
        let part = at..at + code.len();
        let is_exact = word.is_exact && slice(&text.script.text, part.clone()) == code;
        let script = if is_exact { text.script.part(&part) } else { Logical::of(code, text.script.offset(at)) };
        let first = self.out.len();
        let mark = self.watch.spaces.mark();
        let in_backquotes = usize::from(word.has_backquotes);
        self.watch.backquotes += in_backquotes;
        self.substitution(&script, text.depth);
        self.watch.backquotes -= in_backquotes;
        self.watch.spaces.forget(mark);
        word.value.push(HOLE);
        word.space = Space::Dirty;
        word.is_substituted = true;
        if splits && !self.wrapped && !code.trim().is_empty() {
            // Numbers are meant to be several words.
            let counts = self.out.get(first..).unwrap_or_default();
            let is_list = matches!(counts, [command] if command.is_one_of(&["seq", "pgrep"]));
            if !is_list {
                self.watch.substitution(code, range, is_exact);
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
