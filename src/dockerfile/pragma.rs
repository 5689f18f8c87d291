//! A comment in, what it asks of us out: `plimsoll ignore=ID,ID until=DATE reason=WHY`, also `plimsoll: ignore=...`.

use std::ops::Range;

use jiff::civil::Date;

use super::source::{offset_in, slice};

/// How an ignore is written.
pub(super) const FORM: &str = "# plimsoll ignore=ID until=YYYY-MM-DD reason=WHY";

/// One comment for us.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pragma<'a> {
    /// What is ignored where: `ignore`, `ignore-stage` or `ignore-file`, and a list of ids.
    pub(super) ignores: Vec<(&'a str, &'a str)>,
    /// Why; without quotes around it.
    pub(super) reason: &'a str,
    /// The last day.
    pub(super) until: Option<Date>,
    /// Whether an `until` is there that is no date.
    pub(super) has_wrong_date: bool,
}

/// What stands behind the word that makes a comment one for us: `plimsoll` in any case, and a colon or a blank.
pub(super) fn body(comment: &str) -> Option<&str> {
    const WORD: &str = "plimsoll";
    let (_, rest) = comment.split_at_checked(WORD.len()).filter(|(word, _)| word.eq_ignore_ascii_case(WORD))?;
    let text = rest.trim_start();
    match text.strip_prefix(':') {
        Some(text) => Some(text.trim_start()),
        None => (text.len() < rest.len()).then_some(text),
    }
}

/// Whether a comment for us that ignores nothing was meant to.
pub(super) fn is_misread(comment: &str) -> bool {
    body(comment).is_some_and(|text| text.to_ascii_lowercase().contains("ignore") && Pragma::of(text).ignores.is_empty())
}

impl<'a> Pragma<'a> {
    /// Reads what stands behind the word for us.
    pub(super) fn of(text: &'a str) -> Self {
        let mut this = Self::default();
        let (head, rest) = text.split_once("reason=").unwrap_or((text, ""));
        let (reason, tail) = unquoted(rest);
        this.reason = reason;
        this.words(head);
        // The reason runs to the end of the line, and an end that stands in it is meant as one, but for quotes around it.
        for word in tail.split_whitespace().filter(|word| word.starts_with("until=")) {
            this.word(word);
        }
        this
    }

    fn words(&mut self, text: &'a str) {
        let mut at = 0;
        while let Some(range) = next_word(text, at) {
            at = range.end;
            self.word(slice(text, range));
        }
    }

    fn word(&mut self, word: &'a str) {
        match word.split_once('=') {
            // A date that cannot be read must not make an ignore that never ends.
            Some(("until", date)) => match date.parse::<Date>() {
                Ok(date) => self.until = Some(date),
                Err(_) => self.has_wrong_date = true,
            },
            Some((scope @ ("ignore" | "ignore-stage" | "ignore-file"), ids)) => self.ignores.push((scope, ids)),
            _ => {}
        }
    }
}

/// Where the next word is: up to a blank, but for one behind a comma and before an id.
fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let tail = slice(text, from..text.len()).trim_start();
    let start = offset_in(text, tail).filter(|_| !tail.is_empty())?;
    let mut end = 0;
    loop {
        let rest = slice(tail, end..tail.len());
        let blanks = rest.len() - rest.trim_start().len();
        let length = rest.trim_start().find(char::is_whitespace).unwrap_or(rest.len() - blanks);
        if end > 0 && (length == 0 || slice(rest, blanks..blanks + length).contains('=')) {
            return Some(start..start + end);
        }
        end += blanks + length;
        if !slice(tail, 0..end).ends_with(',') {
            return Some(start..start + end);
        }
    }
}

/// What stands in the quotes that a text begins with, and behind them; the whole of a text without quotes as both.
fn unquoted(text: &str) -> (&str, &str) {
    let quoted = ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.split_once(quote));
    quoted.unwrap_or((text, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_word_is_read() {
        for comment in ["plimsoll ignore=a", "plimsoll: ignore=a", "plimsoll:ignore=a", "Plimsoll ignore=a", "PLIMSOLL : ignore=a"] {
            assert_eq!(Pragma::of(body(comment).expect(comment)).ignores, [("ignore", "a")], "{comment}");
        }
        for comment in
            ["plimsolls ignore=a", "plimsoll", "plimsoll-ignore=a", "a plimsoll ignore=a", "plimsol: ignore=a", "plimsöll ignore=a", ""]
        {
            assert_eq!(body(comment), None, "{comment}");
        }
    }

    #[test]
    fn words_are_read() {
        let day = |text: &str| text.parse::<Date>().ok();
        for (text, ignores, reason, until) in [
            ("ignore=a,b", &[("ignore", "a,b")][..], "", None),
            ("ignore=a, b ,c until=2027-01-02", &[("ignore", "a, b")], "", day("2027-01-02")),
            ("ignore-file=a ignore-stage=b", &[("ignore-file", "a"), ("ignore-stage", "b")], "", None),
            ("ignore=a reason=it is so until=2027-01-02", &[("ignore", "a")], "it is so until=2027-01-02", day("2027-01-02")),
            ("ignore=a until=2027-01-02 reason=\"it is so\"", &[("ignore", "a")], "it is so", day("2027-01-02")),
            ("ignore=a reason=\"not until=2027-01-02\"", &[("ignore", "a")], "not until=2027-01-02", None),
            ("ignore=a reason='it is' until=2027-01-02", &[("ignore", "a")], "it is", day("2027-01-02")),
            ("ignore=a reason=\"", &[("ignore", "a")], "\"", None),
            ("ignore=a reason=\"\"", &[("ignore", "a")], "", None),
            ("ignore=a,", &[("ignore", "a,")], "", None),
            ("ignore=a, until=2027-01-02", &[("ignore", "a,")], "", day("2027-01-02")),
            ("ignore a", &[], "", None),
        ] {
            let expected = Pragma { ignores: ignores.to_vec(), reason, until, has_wrong_date: false };
            assert_eq!(Pragma::of(text), expected, "{text}");
        }
        assert!(Pragma::of("ignore=a until=soon").has_wrong_date);
    }

    #[test]
    fn what_was_meant_as_an_ignore_is_told() {
        for comment in [
            "plimsoll ignore sudo-in-run",
            "plimsoll: ignore: sudo-in-run",
            "Plimsoll Ignore=a",
            "plimsoll disable ignore",
            "plimsoll ignore = a",
        ] {
            assert!(is_misread(comment), "{comment}");
        }
        for comment in ["plimsoll: ignore=a", "plimsoll checks this file", "to ignore plimsoll", "plimsoll-ignore"] {
            assert!(!is_misread(comment), "{comment}");
        }
    }
}
