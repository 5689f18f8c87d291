//! Text with `$variables` in, their names out, and the known name that is nearest to one. Reference: BuildKit's
//! `frontend/dockerfile/shell/lex.go` and `util/suggest`.

use super::{
    expand::{Quotes, name_length},
    source::slice,
};

/// How many edits may lie between a name and the one that is suggested.
const MOST_EDITS: usize = 2;
/// The longest name that is compared, in bytes.
const LONGEST: usize = 40;
/// How many names one file may have compared.
pub(super) const COMPARISONS: usize = 50_000;

/// The names of the variables that the builder looks up in a text, in order; those in a default are among them.
pub(super) fn used(text: &str, escape: char, quotes: Quotes) -> Vec<&str> {
    let mut found = Vec::new();
    if !text.contains('$') {
        return found;
    }
    let mut rest = text;
    let mut double = false;
    while let Some(at) = rest.find(['$', '\'', '"', escape]) {
        let from = slice(rest, at..rest.len());
        let c = from.chars().next().unwrap_or_default();
        let after = slice(from, c.len_utf8()..from.len());
        rest = match c {
            '\'' if quotes == Quotes::Remove && !double => after.split_once('\'').map_or("", |(_, rest)| rest),
            '"' if quotes == Quotes::Remove => {
                double = !double;
                after
            }
            '$' => {
                let name = after.strip_prefix('{').unwrap_or(after);
                let length = name_length(name);
                if length > 0 {
                    found.push(slice(name, 0..length));
                }
                slice(name, length..name.len())
            }
            c if c == escape => slice(after, after.chars().next().map_or(0, char::len_utf8)..after.len()),
            _ => after,
        };
    }
    found
}

/// The first of the nearest names, at most two edits away; `left` is how many comparisons there may still be.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>, left: &mut usize) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for other in known {
        let Some(fewer) = left.checked_sub(1) else { break };
        *left = fewer;
        if other.len().abs_diff(name.len()) > MOST_EDITS || other.len().max(name.len()) > LONGEST {
            continue;
        }
        let edits = distance(name, other);
        if edits <= MOST_EDITS && best.is_none_or(|(fewest, _)| edits < fewest) {
            best = Some((edits, other));
        }
    }
    best.map(|(_, other)| other)
}

/// How many letters must be put in, taken out or changed to make one text of another.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (j, right) in b.bytes().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or_default();
            before = (diagonal + usize::from(left != right)).min(above + 1).min(before + 1);
            diagonal = above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_that_is_looked_up_is_named() {
        for (text, expected) in [
            ("a", ""),
            ("$A/${B}", "A B"),
            ("${A:-${B:+$C}}", "A B C"),
            ("'$A' \"$B\" \\$C", "B"),
            ("\"'$A'\"", "A"),
            ("$1x $$", "1 $"),
            ("${A", "A"),
            ("$", ""),
            ("'$A", ""),
        ] {
            assert_eq!(used(text, '\\', Quotes::Remove).join(" "), expected, "{text}");
        }
        assert_eq!(used("'$A' `$B", '`', Quotes::Keep), ["A"]);
    }

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["DIR_ASSETS", "PATH", "VERSION"];
        for (name, expected) in [("DIR_ASSET", Some("DIR_ASSETS")), ("GOPATH", Some("PATH")), ("FOO", None), ("VERSOIN", Some("VERSION"))] {
            assert_eq!(nearest(name, known.into_iter(), &mut 100), expected, "{name}");
        }
        assert_eq!(nearest("DIR_ASSET", known.into_iter(), &mut 0), None);
    }
}
