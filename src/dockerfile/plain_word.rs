//! A word of shell code in, its value out, for the words that most code is made of: text, quoted text and variables by name. Anything else is left to the
//! grammar, which takes a hundred times as long.

use super::{command::HOLE, shell::Walker, source::slice};

impl Walker<'_> {
    /// The value of a word; `None` for one that the grammar has to read.
    pub(super) fn plain_word(&self, raw: &str) -> Option<String> {
        // A `~` stands for a folder where a word or a path in it begins, and brackets and exclamation marks belong to patterns.
        if raw.contains(['\\', '`', '~', '(', '[', '!', '\u{0}']) || raw.contains("$'") || raw.contains("$\"") {
            return None;
        }
        let mut value = String::with_capacity(raw.len());
        let (mut at, mut is_quoted) = (0, false);
        while let Some(found) = slice(raw, at..raw.len()).find(['"', '\'', '$']) {
            value.push_str(slice(raw, at..at + found));
            let rest = slice(raw, at + found + 1..raw.len());
            let length = match raw.as_bytes().get(at + found)? {
                b'"' => {
                    is_quoted = !is_quoted;
                    0
                }
                b'\'' if is_quoted => {
                    value.push('\'');
                    0
                }
                b'\'' => {
                    let end = rest.find('\'')?;
                    value.push_str(slice(rest, 0..end));
                    end + 1
                }
                _ => self.push_variable(rest, &mut value)?,
            };
            at += found + 1 + length;
        }
        value.push_str(slice(raw, at..raw.len()));
        (!is_quoted).then_some(value)
    }

    /// Adds the value of the variable whose name follows a `$`, and says how long the name is with its braces.
    fn push_variable(&self, rest: &str, value: &mut String) -> Option<usize> {
        let braced = rest.strip_prefix('{');
        let text = braced.unwrap_or(rest);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
        let name = slice(text, 0..length);
        // `$1`, `$@` and their like are no names.
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || (braced.is_some() && !slice(text, length..text.len()).starts_with('}')) {
            return None;
        }
        match self.variable(name).flatten() {
            Some(known) => value.push_str(&known),
            None => value.push(HOLE),
        }
        Some(if braced.is_some() { length + 2 } else { length })
    }
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::{
        execution::Files,
        expand::Value,
        shell::Walker,
    };

    #[test]
    fn plain_words_are_what_the_grammar_makes_of_them() {
        let lookup = |name: &str| (name == "A").then(|| Value::known("1 2"));
        let words = [
            "a", "'a b'", "\"a b\"", "a\"b\"'c'd", "$A", "${A}", "\"$A\"", "'$A'", "x${A}y$A", "\"x $A y\"", "$B", "\"$B.c\"", "a'\"'b", "\"it's\"", "--a=$A", "A=\"$B\"",
            "$", "a$", "\"$\"", "$1", "${1}", "${A:-b}", "${A", "$$", "'a", "\"a", "a'", "$A$B", "é'ü'$A", "{a,b}", "*.x", "a?b", "#a", "a#b", "%s\n", "$Aé", "", "''", "\"\"",
        ];
        for word in words {
            let mut files = Files::default();
            let mut walker = Walker::new(&mut files, &lookup);
            let Some(plain) = walker.plain_word(word) else { continue };
            let parsed = walker.parsed_word(word, 0, 0);
            assert_eq!(plain, parsed.text, "{word}");
        }
    }
}
