//! A word of shell code in, its pieces out, for the words that most code is made of: text, quoted text and variables by name. Anything else
//! is left to the grammar, which takes a hundred times as long.

use brush_parser::word::{Parameter, ParameterExpr, WordPiece, WordPieceWithSource};

use super::source::slice;

/// The pieces of a word, just as the grammar gives them; `None` for one that the grammar has to read.
pub(super) fn pieces(raw: &str) -> Option<Vec<WordPieceWithSource>> {
    // A `~` stands for a folder where a word or a path in it begins, and brackets and exclamation marks belong to patterns.
    if raw.contains(['\\', '`', '~', '(', '[', '!', '\u{0}']) || raw.contains("$'") || raw.contains("$\"") {
        return None;
    }
    let mut reader = Reader { raw, at: 0 };
    let pieces = reader.run(None)?;
    (reader.at == raw.len()).then_some(pieces)
}

struct Reader<'a> {
    raw: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// The pieces up to a closing double quote, which is passed over, or up to the end.
    fn run(&mut self, closing: Option<char>) -> Option<Vec<WordPieceWithSource>> {
        let is_quoted = closing.is_some();
        let mut pieces = Vec::new();
        loop {
            let start = self.at;
            let rest = slice(self.raw, start..self.raw.len());
            let length = rest.find(|c: char| matches!(c, '"' | '$') || (c == '\'' && !is_quoted)).unwrap_or(rest.len());
            if length > 0 {
                self.at += length;
                pieces.push(placed(WordPiece::Text(slice(rest, 0..length).to_owned()), start, self.at));
                continue;
            }
            match rest.chars().next() {
                None => return (!is_quoted).then_some(pieces),
                Some('"') if is_quoted => {
                    self.at += 1;
                    return Some(pieces);
                }
                Some('"') => {
                    self.at += 1;
                    let inner = self.run(Some('"'))?;
                    pieces.push(placed(WordPiece::DoubleQuotedSequence(inner), start, self.at));
                }
                Some('\'') => {
                    let text = slice(rest, 1..1 + slice(rest, 1..rest.len()).find('\'')?);
                    self.at += text.len() + 2;
                    pieces.push(placed(WordPiece::SingleQuotedText(text.to_owned()), start, self.at));
                }
                _ => pieces.push(self.variable(slice(rest, 1..rest.len()), start)?),
            }
        }
    }

    /// The variable whose name follows a `$`.
    fn variable(&mut self, rest: &str, start: usize) -> Option<WordPieceWithSource> {
        let braced = rest.strip_prefix('{');
        let text = braced.unwrap_or(rest);
        let length = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let name = slice(text, 0..length);
        // `$1`, `$@` and their like are no names.
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if braced.is_some() && !slice(text, length..text.len()).starts_with('}') {
            return None;
        }
        self.at += 1 + length + if braced.is_some() { 2 } else { 0 };
        let parameter = Parameter::Named(name.to_owned());
        Some(placed(WordPiece::ParameterExpansion(ParameterExpr::Parameter { parameter, indirect: false }), start, self.at))
    }
}

fn placed(piece: WordPiece, start_index: usize, end_index: usize) -> WordPieceWithSource {
    WordPieceWithSource { piece, start_index, end_index }
}

#[cfg(test)]
mod tests {
    use brush_parser::{ParserOptions, word};

    use super::*;

    #[test]
    fn plain_words_are_what_the_grammar_makes_of_them() {
        let words = [
            "a",
            "'a b'",
            "\"a b\"",
            "a\"b\"'c'd",
            "$A",
            "${A}",
            "\"$A\"",
            "'$A'",
            "x${A}y$A",
            "\"x $A y\"",
            "$B",
            "\"$B.c\"",
            "a'\"'b",
            "\"it's\"",
            "--a=$A",
            "A=\"$B\"",
            "$",
            "a$",
            "\"$\"",
            "$1",
            "${1}",
            "${A:-b}",
            "${A",
            "$$",
            "'a",
            "\"a",
            "a'",
            "$A$B",
            "é'ü'$A",
            "{a,b}",
            "*.x",
            "a?b",
            "#a",
            "a#b",
            "%s\n",
            "$Aé",
            "",
            "''",
            "\"\"",
            "\"a\nb\"",
            "a:b",
            "a=b",
            "@A",
            "a|b",
            "\"'$A'\"",
            "\"{$A}\"",
        ];
        let mut plain = 0;
        for text in words {
            let Some(found) = pieces(text) else { continue };
            plain += 1;
            let parsed = word::parse(text, &ParserOptions::default()).expect("a word");
            assert_eq!(format!("{found:?}"), format!("{parsed:?}"), "{text}");
        }
        assert!(plain > 30, "{plain}");
    }
}
