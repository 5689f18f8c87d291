//! The text of an instruction in, the heredocs that it opens out. Reference: `heredocsFromLine` in BuildKit's Dockerfile parser.

use std::{iter::Peekable, ops::Range, str::CharIndices};

/// One heredoc of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heredoc {
    /// The end word without quotes.
    pub(super) name: String,
    /// The file descriptor before `<<`, 0 when none is named.
    pub(super) descriptor: u32,
    /// Whether variables in the body are expanded.
    pub(super) expand: bool,
    /// `<<-`: leading tabs go.
    pub(super) chomp: bool,
    /// The body in the original text; empty until it is read.
    pub(super) body: Range<usize>,
}

/// Finds the heredocs that a line opens; an open quote hides all of them, as in BuildKit.
pub(super) fn openers(line: &str) -> Vec<Heredoc> {
    if !line.contains("<<") {
        return Vec::new();
    }
    let Some(words) = raw_words(line) else { return Vec::new() };
    let mut found = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(mut word) = words.next() {
        // Blanks are allowed between the operator and the word.
        let operator = word.trim_start_matches(|c: char| c.is_ascii_digit());
        if matches!(operator, "<<" | "<<-")
            && let Some(next) = words.next()
        {
            word.push_str(&next);
        }
        found.extend(opener(&word));
    }
    found
}

fn opener(word: &str) -> Option<Heredoc> {
    let digits = word.len() - word.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (descriptor, rest) = word.split_at_checked(digits)?;
    let rest = rest.strip_prefix("<<")?;
    let (chomp, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let mut name = String::new();
    let mut quoted = false;
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => quoted = true,
            // An escaped word still expands: only quotes count.
            '\\' => name.extend(chars.next()),
            _ => name.push(c),
        }
    }
    (!name.is_empty()).then(|| Heredoc { name, descriptor: descriptor.parse().unwrap_or(0), expand: !quoted, chomp, body: 0..0 })
}

/// Splits at blanks outside quotes and `${}`, keeping quotes and escapes; `None` when a quote stays open.
fn raw_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut chars = line.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        match c {
            c if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            '\\' => {
                word.push(c);
                word.extend(chars.next().map(|(_, c)| c));
            }
            '\'' => {
                word.push(c);
                copy_quoted(&mut chars, '\'', &mut word)?;
            }
            '"' => {
                word.push(c);
                copy_quoted(&mut chars, '"', &mut word)?;
            }
            _ => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    Some(words)
}

fn copy_quoted(chars: &mut Peekable<CharIndices<'_>>, quote: char, word: &mut String) -> Option<()> {
    loop {
        let (_, c) = chars.next()?;
        word.push(c);
        if c == quote {
            return Some(());
        }
        if c == '\\' && quote == '"' {
            word.push(chars.next()?.1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openers_are_found_where_buildkit_finds_them() {
        let table: &[(&str, &[(&str, u32, bool, bool)])] = &[
            ("RUN <<EOF", &[("EOF", 0, true, false)]),
            ("RUN <<-EOF", &[("EOF", 0, true, true)]),
            ("RUN cat << EOF", &[("EOF", 0, true, false)]),
            ("RUN <<'E O F'", &[("E O F", 0, false, false)]),
            ("RUN cat <<\\EOF", &[("EOF", 0, true, false)]),
            ("COPY <<a.txt <<b.txt /x/", &[("a.txt", 0, true, false), ("b.txt", 0, true, false)]),
            ("RUN cat 3<<EOF > /x", &[("EOF", 3, true, false)]),
            ("RUN cat <<< EOF", &[]),
            ("RUN echo \"<<EOF\"", &[]),
            ("RUN echo $((1<<2))", &[]),
            ("RUN echo $(( 1 << 2 ))", &[("2", 0, true, false)]),
            ("RUN cat <<EOF don't", &[]),
        ];
        for (line, expected) in table {
            let found: Vec<_> = openers(line).into_iter().map(|h| (h.name, h.descriptor, h.expand, h.chomp)).collect();
            let expected: Vec<_> = expected.iter().map(|&(n, d, e, c)| (n.to_owned(), d, e, c)).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
