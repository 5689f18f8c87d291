//! A script in, what the grammar makes of it out, for the scripts that most are: simple commands joined by `&&`, `||`, `|`, `;`, `&` and ends
//! of lines, with quoted words, variables, files as redirects and comments. Anything else is left to the grammar, which takes twenty times as
//! long.

use std::sync::Arc;

use brush_parser::{
    SourcePosition, SourceSpan,
    ast::{
        AndOr, AndOrList, Assignment, AssignmentName, AssignmentValue, Command, CommandPrefix, CommandPrefixOrSuffixItem as Item,
        CommandSuffix, CompoundList, CompoundListItem, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect, Pipeline, Program,
        SeparatorOperator, SimpleCommand, Word,
    },
};

use super::source::slice;

/// Words that mean something else where a program is named.
const RESERVED: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then", "time",
    "until", "while", "{", "}",
];
/// The most digits of a number before a redirect.
const MAX_DIGITS: usize = 4;

/// The program of a script, just as the grammar gives it; `None` for one that the grammar has to read.
pub(super) fn program(text: &str) -> Option<Program> {
    if !text.is_ascii() || text.contains(['`', '\u{0}']) {
        return None;
    }
    let mut reader = Reader { text, at: 0, next: Token::End, start: 0, end: 0, line: 1, line_start: 0 };
    reader.advance()?;
    let mut complete_commands = Vec::new();
    loop {
        while reader.next == LINE_END {
            reader.advance()?;
        }
        if reader.next == Token::End {
            break;
        }
        complete_commands.push(CompoundList(reader.line()?));
    }
    (!complete_commands.is_empty()).then_some(Program { complete_commands })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Operator(&'static str),
    End,
}

const LINE_END: Token<'static> = Token::Operator("\n");

/// Reads one token ahead.
struct Reader<'t> {
    text: &'t str,
    /// Behind the next token.
    at: usize,
    next: Token<'t>,
    /// Where the next token starts and ends.
    start: usize,
    end: usize,
    /// The line of the next token, from 1, and where that starts.
    line: usize,
    line_start: usize,
}

impl<'t> Reader<'t> {
    /// The lists up to the end of a line.
    fn line(&mut self) -> Option<Vec<CompoundListItem>> {
        let mut items = Vec::new();
        while !matches!(self.next, Token::End | LINE_END) {
            let list = self.and_or()?;
            let separator = match self.next {
                Token::End | Token::Operator(";" | "\n") => SeparatorOperator::Sequence,
                Token::Operator("&") => SeparatorOperator::Async,
                _ => return None,
            };
            if matches!(self.next, Token::Operator(";" | "&")) {
                self.advance()?;
            }
            items.push(CompoundListItem(list, separator));
        }
        Some(items)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Goes on to the next token; `None` where it is none of the plain ones.
    fn advance(&mut self) -> Option<()> {
        if self.next == LINE_END {
            self.line += 1;
            self.line_start = self.at;
        }
        while matches!(self.byte(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if self.byte(self.at) == Some(b'#') {
            let rest = slice(self.text, self.at..self.text.len());
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
        self.start = self.at;
        self.next = match self.byte(self.at) {
            None => Token::End,
            Some(b'&' | b'|' | b';' | b'<' | b'>' | b'\n') => Token::Operator(self.operator()?),
            Some(_) => {
                self.word()?;
                Token::Word(slice(self.text, self.start..self.at))
            }
        };
        self.end = self.at;
        Some(())
    }

    fn operator(&mut self) -> Option<&'static str> {
        let operator = match (self.byte(self.at)?, self.byte(self.at + 1)) {
            (b'&', Some(b'&')) => "&&",
            (b'&', Some(b'>')) if self.byte(self.at + 2) == Some(b'>') => return None,
            (b'&', Some(b'>')) => "&>",
            (b'&', _) => "&",
            (b'|', Some(b'|')) => "||",
            (b'>', Some(b'>')) => ">>",
            (b'>', Some(b'&')) => ">&",
            (b'|' | b';', Some(b'&')) | (b';', Some(b';')) | (b'>', Some(b'|')) | (b'<', Some(b'<' | b'&' | b'>')) => return None,
            (b'|', _) => "|",
            (b';', _) => ";",
            (b'>', _) => ">",
            (b'<', _) => "<",
            (b'\n', _) => "\n",
            _ => return None,
        };
        self.at += operator.len();
        Some(operator)
    }

    /// Goes to the end of a word.
    fn word(&mut self) -> Option<()> {
        let start = self.at;
        let mut is_quoted = false;
        loop {
            match self.byte(self.at) {
                None if is_quoted => return None,
                None => return Some(()),
                Some(b'"') => is_quoted = !is_quoted,
                Some(b'\\') => {
                    self.at += 1;
                    self.byte(self.at).filter(|byte| *byte != b'\n')?;
                }
                Some(b'$') => match self.byte(self.at + 1) {
                    Some(b'(' | b'[') => return None,
                    Some(b'{') => {
                        let inner = slice(self.text, self.at + 2..self.text.len());
                        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || "_:+-?=%#/.,*@!^".contains(c)))?;
                        self.at += 2 + end;
                        if self.byte(self.at) != Some(b'}') {
                            return None;
                        }
                    }
                    _ => {}
                },
                // A word over several lines.
                Some(b'\n') if is_quoted => return None,
                Some(_) if is_quoted => {}
                Some(b'\'') => {
                    // Behind a `$`, a quote is of another kind.
                    if self.at > start && self.byte(self.at - 1) == Some(b'$') {
                        return None;
                    }
                    let inner = slice(self.text, self.at + 1..self.text.len());
                    self.at += 1 + inner.find(['\'', '\n']).filter(|end| inner.as_bytes().get(*end) == Some(&b'\''))?;
                }
                Some(b'(' | b')') => return None,
                Some(b' ' | b'\t' | b'\n' | b'&' | b'|' | b';' | b'<' | b'>') => return Some(()),
                Some(_) => {}
            }
            self.at += 1;
        }
    }

    fn and_or(&mut self) -> Option<AndOrList> {
        let first = self.pipeline()?;
        let mut additional = Vec::new();
        loop {
            let join = match self.next {
                Token::Operator("&&") => AndOr::And,
                Token::Operator("||") => AndOr::Or,
                _ => return Some(AndOrList { first, additional }),
            };
            self.advance()?;
            additional.push(join(self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Option<Pipeline> {
        let mut seq = vec![Command::Simple(self.simple()?)];
        while self.next == Token::Operator("|") {
            self.advance()?;
            seq.push(Command::Simple(self.simple()?));
        }
        Some(Pipeline { timed: None, bang: false, seq })
    }

    fn simple(&mut self) -> Option<SimpleCommand> {
        let (mut prefix, mut suffix) = (Vec::new(), Vec::new());
        let mut word_or_name = None;
        loop {
            let word = match self.next {
                Token::Operator(">" | ">>" | ">&" | "<" | "&>") => {
                    let items = if word_or_name.is_some() { &mut suffix } else { &mut prefix };
                    items.push(Item::IoRedirect(self.redirect(None)?));
                    continue;
                }
                Token::Operator(_) | Token::End => break,
                Token::Word(word) => word,
            };
            let loc = self.span();
            let end = self.end;
            self.advance()?;
            let is_number = word.bytes().all(|b| b.is_ascii_digit()) && self.start == end;
            if is_number && matches!(self.next, Token::Operator(operator) if operator.starts_with(['<', '>'])) {
                let number = if word.len() <= MAX_DIGITS { word.parse().ok()? } else { return None };
                let items = if word_or_name.is_some() { &mut suffix } else { &mut prefix };
                items.push(Item::IoRedirect(self.redirect(Some(number))?));
                continue;
            }
            let written = Word { value: word.to_owned(), loc: Some(loc.clone()) };
            match assignment(word, loc)? {
                Some(assignment) => {
                    let items = if word_or_name.is_some() { &mut suffix } else { &mut prefix };
                    items.push(Item::AssignmentWord(assignment, written));
                }
                None if word_or_name.is_some() => suffix.push(Item::Word(written)),
                None if RESERVED.contains(&word) => return None,
                None => word_or_name = Some(written),
            }
        }
        if prefix.is_empty() && word_or_name.is_none() {
            return None;
        }
        let prefix = (!prefix.is_empty()).then_some(CommandPrefix(prefix));
        Some(SimpleCommand { prefix, word_or_name, suffix: (!suffix.is_empty()).then_some(CommandSuffix(suffix)) })
    }

    /// The redirect whose operator is the next token.
    fn redirect(&mut self, number: Option<i32>) -> Option<IoRedirect> {
        let Token::Operator(operator) = self.next else { return None };
        self.advance()?;
        let Token::Word(word) = self.next else { return None };
        let word = Word { value: word.to_owned(), loc: Some(self.span()) };
        self.advance()?;
        Some(match operator {
            "&>" => IoRedirect::OutputAndError(word, false),
            ">&" => IoRedirect::File(number, IoFileRedirectKind::DuplicateOutput, IoFileRedirectTarget::Duplicate(word)),
            ">" => IoRedirect::File(number, IoFileRedirectKind::Write, IoFileRedirectTarget::Filename(word)),
            ">>" => IoRedirect::File(number, IoFileRedirectKind::Append, IoFileRedirectTarget::Filename(word)),
            "<" => IoRedirect::File(number, IoFileRedirectKind::Read, IoFileRedirectTarget::Filename(word)),
            _ => return None,
        })
    }

    /// Where the next token stands.
    fn span(&self) -> SourceSpan {
        let position = |index: usize| Arc::new(SourcePosition { index, line: self.line, column: index - self.line_start + 1 });
        SourceSpan { start: position(self.start), end: position(self.end) }
    }
}

/// The assignment that a word is, if it is one; the outer `None` for one to a place in an array.
fn assignment(word: &str, loc: SourceSpan) -> Option<Option<Assignment>> {
    let length = word.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let name = slice(word, 0..length);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Some(None);
    }
    let rest = slice(word, length..word.len());
    if rest.starts_with('[') {
        return None;
    }
    let (rest, append) = rest.strip_prefix('+').map_or((rest, false), |rest| (rest, true));
    let Some(value) = rest.strip_prefix('=') else { return Some(None) };
    let name = AssignmentName::VariableName(name.to_owned());
    Some(Some(Assignment { name, value: AssignmentValue::Scalar(Word::from(value.to_owned())), append, loc }))
}

#[cfg(test)]
mod tests {
    use brush_parser::{Parser, ParserOptions};

    use super::*;

    #[test]
    fn plain_scripts_are_what_the_grammar_makes_of_them() {
        let scripts = [
            "a",
            "a b",
            " a  b\tc ",
            "a && b || c",
            "a | b|c",
            "a; b;",
            "a & b &",
            "a&&b||c;d&",
            "A=1",
            "A=1 B= c D=2",
            "export A=1 B+=2",
            "A+=x b",
            "a 'b c' \"d e\" f\\ g",
            "a 'b\"c' \"d'e\" \"f\\\"g\"",
            "a $B ${C} \"$D ${E:-f}\"",
            "a ${B%.*} ${C##*/} ${#D} ${!E}",
            "a > b 2>&1 < c",
            "a >>b &>c",
            "2>&1 a",
            "a 2 >b",
            "a 2> b",
            "> a",
            "> a b c",
            "a if then",
            "a b#c",
            "a --b=c",
            "a-b=c d",
            "a $ b",
            "\"a\"=b c",
            "''",
            "a \"\"",
            "a '\\' b",
            "a {b,c} {d}",
            "a *.[ch] @b",
            "a %s\\n",
            "a ! b",
            "a time",
            "1 2",
            "1=2 a",
            "a 1=2",
            "a \r b",
            "a $1 $@ $?",
            "a \\; b",
            "a \"$\" b",
            "a;b",
            "a 12>b",
            "a \"1\">b",
            "a b>c",
            "A=$B/c:\"$D\" e",
            "A='b c' d",
            "[ -f a ] && b",
            "test a = b || exit 1",
            "a \\&& b",
            "a ~/b",
            "a =b",
            "if a; then b; fi",
            "a (b)",
            "a $(b)",
            "a `b`",
            "a # b",
            "! a",
            "time a",
            "{ a; }",
            "a <<b",
            "a <<<b",
            "a |& b",
            "a &>>b",
            "a;; b",
            "a >|b",
            "a[1]=b",
            "a $'b'",
            "a \\$'b'",
            "a \"$(b)\"",
            "a ${B",
            "a 'b",
            "a \"b",
            "a\\",
            "a &&",
            "&& a",
            "a; ; b",
            "a |",
            "",
            " ",
            ";",
            "a >",
            "[[ a ]]",
            "a ${B:-'c'}",
            "a ${B:-$C}",
            "a\nb",
            "function a",
            "a 99999999999>b",
            "a \"${B}\"'c'",
            "a $\"b\"",
            "a \"b$\"'c'",
            "a<b>c",
            "a 1>&2 2>/dev/null",
            "a\n",
            "a b\n\n",
            "a;\n",
            "a &\n",
            "a && b | c >d\n",
            "A=1\n",
            "a \n",
            "a 'b\n",
            "a \\\n",
            "a &&\n",
            "a b\r\n",
            "\n",
            "a\nb c\n\n\nd",
            "\n\na",
            "a;\nb&\nc",
            " a \n b ",
            "a # b\nc",
            "# a\nb",
            "a;# b\n# c\n\n#d",
            "#",
            "a #",
            "a>b\n2>c d",
            "A=1\nB=2 c\n",
            "a 'b\nc'",
            "a \"b\nc\"",
            "a \\\nb",
            "a &&\nb",
            "a |\nb",
            "a\n&& b",
            "a\nif b; then c; fi",
            "a\n;b",
            "a >\nb",
            "a\t\n\tb",
            "a\r\nb",
            "a\n'b\n",
        ];
        let mut plain = 0;
        for text in scripts {
            let Some(found) = program(text) else { continue };
            plain += 1;
            let parsed = Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program().expect("a script");
            assert_eq!(format!("{found:?}"), format!("{parsed:?}"), "{text}");
        }
        assert!(plain >= 80, "{plain}");
    }

    #[test]
    fn random_plain_scripts_are_what_the_grammar_makes_of_them() {
        const PARTS: &[&str] = &[
            "a", "b=c", " ", " ", "\n", "\n", ";", "&&", "||", "|", "&", "'x y'", "\"q $B\"", "#", "# c", ">f", "2>&1", "\\ ", "\t", "if",
            "${A:-b}", "$", "\\\n", "'", "\"", "!", "1", "<g", "=", "-", "\r",
        ];
        let (mut state, mut plain) = (1_u64, 0);
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text += PARTS[usize::try_from(state >> 33).expect("31 bits") % PARTS.len()];
            }
            let Some(found) = program(&text) else { continue };
            plain += 1;
            let parsed = Parser::new(text.as_bytes(), &ParserOptions::default()).parse_program().expect("a script");
            assert_eq!(format!("{found:?}"), format!("{parsed:?}"), "{text:?}");
        }
        assert!(plain >= 1_000, "{plain}");
    }
}
