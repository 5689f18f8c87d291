//! What variables with secret names are worth in, texts of a report without it out.

use std::{borrow::Cow, cell::RefCell};

use crate::model::mask::masked;

use super::source::slice;

/// What stands for a secret.
const MASK: &str = "***";
/// The longest text that is shown, in bytes.
const LONGEST: usize = 1_000;
/// How much of a longer one is read: credentials are hidden before the cut, since half of one no longer looks like one.
const LONGEST_READ: usize = 8_192;

/// A value that says nothing by itself is shorter than that, in bytes: `postgres`, `production`, `5432`.
const LONGEST_WORD: usize = 12;
/// How many such values are told from others; what goes beyond is hidden everywhere.
const MOST_WORDS: usize = 32;

/// The values that no text of a report may show.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    /// Sorted, so that all that begin alike stand together.
    secrets: Vec<String>,
    /// Variables whose values are common words: hidden everywhere, they would riddle a report and give themselves away.
    words: Vec<(String, String)>,
    /// The last text with nothing to hide: findings of one rule often say the same.
    told_last: RefCell<String>,
    /// The same of texts that are only looked at.
    looked_last: RefCell<String>,
}

impl Redaction {
    /// Hides the values of these variables, and what looks like a credential anywhere.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut this = Self::default();
        for (name, value) in variables {
            if is_word(&value) && this.words.len() < MOST_WORDS {
                this.words.push((name, value));
            } else {
                this.secrets.push(value);
            }
        }
        this.secrets.sort_unstable();
        this.secrets.dedup();
        this
    }

    /// The text about an instruction as it may be shown; a common word is hidden where the instruction, as written, names its variable.
    pub(super) fn told_of<'t>(&self, text: &'t str, written: &str) -> Cow<'t, str> {
        let mut told = self.told(text);
        for (name, value) in &self.words {
            if let Some(without) = without_word(&told, value).filter(|_| written.contains(name)) {
                told = Cow::Owned(without);
            }
        }
        told
    }

    /// Whether something in a text about an instruction may not be shown.
    pub(super) fn hides_of(&self, text: &str, written: &str) -> bool {
        self.hides(text) || (!self.words.is_empty() && self.told_of(text, written) != self.told(text))
    }

    /// The text as it may be shown.
    pub(super) fn told<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() <= LONGEST {
            if *self.told_last.borrow() == text {
                return Cow::Borrowed(text);
            }
            let told = self.hidden(text);
            if matches!(told, Cow::Borrowed(_)) {
                text.clone_into(&mut self.told_last.borrow_mut());
            }
            return told;
        }
        let read = slice(text, 0..text.floor_char_boundary(LONGEST_READ));
        let shown = self.hidden(read);
        // What the end of the part that was read cuts in two may be a credential.
        let whole = if read.len() < text.len() { shown.rfind(char::is_whitespace).unwrap_or_default() } else { shown.len() };
        let end = shown.floor_char_boundary(LONGEST.min(whole));
        if end == shown.len() && read.len() == text.len() {
            return shown;
        }
        Cow::Owned(format!("{}...", slice(&shown, 0..end)))
    }

    /// Whether something in the text may not be shown.
    pub(super) fn hides(&self, text: &str) -> bool {
        if *self.looked_last.borrow() == text {
            return false;
        }
        let hides = self.hidden(text) != text;
        if !hides && text.len() <= LONGEST {
            text.clone_into(&mut self.looked_last.borrow_mut());
        }
        hides
    }

    fn hidden<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let text = masked(text);
        if self.secrets.is_empty() {
            return text;
        }
        let mut out = String::new();
        let (mut at, mut done) = (0, 0);
        while let Some(first) = slice(&text, at..text.len()).chars().next() {
            let Some(length) = self.longest_at(slice(&text, at..text.len())) else {
                at += first.len_utf8();
                continue;
            };
            out.push_str(slice(&text, done..at));
            out.push_str(MASK);
            at += length;
            done = at;
        }
        if done == 0 {
            return text;
        }
        out.push_str(slice(&text, done..text.len()));
        Cow::Owned(out)
    }

    /// The length of the longest secret that the text begins with.
    fn longest_at(&self, text: &str) -> Option<usize> {
        let mut alike = self.secrets.as_slice();
        let mut longest = None;
        for (depth, byte) in text.bytes().enumerate() {
            let there = |secret: &String| secret.as_bytes().get(depth).copied();
            let start = alike.partition_point(|secret| there(secret) < Some(byte));
            let end = alike.partition_point(|secret| there(secret) <= Some(byte));
            alike = alike.get(start..end).unwrap_or_default();
            let Some(first) = alike.first() else { break };
            if first.len() == depth + 1 {
                longest = Some(depth + 1);
            }
        }
        longest
    }
}

/// Whether a value is a word or number like others, so that seeing it tells nobody that it is a secret.
fn is_word(value: &str) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let is_lower =
        value.bytes().skip(1).all(|byte| byte.is_ascii_lowercase()) && value.starts_with(|first: char| first.is_ascii_alphabetic());
    value.len() < LONGEST_WORD && (is_number || is_lower || value.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// The text with a mask for the word wherever it stands alone; `None` where it does not.
fn without_word(text: &str, word: &str) -> Option<String> {
    let is_part = |beside: Option<u8>| beside.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let mut out = String::new();
    let mut done = 0;
    for (at, _) in text.match_indices(word) {
        let end = at + word.len();
        if !is_part(slice(text, 0..at).bytes().next_back()) && !is_part(slice(text, end..text.len()).bytes().next()) {
            out.push_str(slice(text, done..at));
            out.push_str(MASK);
            done = end;
        }
    }
    out.push_str(slice(text, done..text.len()));
    (done > 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{LintInput, lint};

    fn redaction(secrets: &[&str]) -> Redaction {
        Redaction::of(secrets.iter().map(|&secret| ("API_TOKEN".to_owned(), secret.to_owned())))
    }

    #[test]
    fn common_words_are_hidden_where_their_variable_is_named() {
        let redaction = redaction(&["postgres", "Admin", "5432", "kz7Rw4qv"]);
        let table = [
            ("the image postgres:17 is kz7Rw4qv", "FROM postgres:17", "the image postgres:17 is ***"),
            ("runs as postgres", "USER $API_TOKEN", "runs as ***"),
            ("runs as postgres, not as postgresql", "USER ${API_TOKEN}", "runs as ***, not as postgresql"),
            ("runs as Admin on 5432", "USER $API_TOKEN", "runs as *** on ***"),
            ("opens 5432", "EXPOSE 5432", "opens 5432"),
        ];
        for (text, written, expected) in table {
            assert_eq!(redaction.told_of(text, written), expected, "{text}");
            assert_eq!(redaction.hides_of(text, written), text != expected, "{text}");
        }
    }

    #[test]
    fn a_report_keeps_the_words_that_a_password_shares_with_it() {
        let titles = |text: &str| -> Vec<String> {
            let report = lint(&LintInput::new("Dockerfile", text.as_bytes()));
            report.findings.into_iter().map(|finding| finding.title).collect()
        };
        let found = titles("FROM postgres:17\nENV POSTGRES_PASSWORD=postgres APP_TOKEN=image\n");
        assert!(found.iter().any(|title| title.ends_with("the image runs as the user of its base image postgres:17")), "{found:?}");
        let found = titles("FROM scratch\nARG DB_PASS=postgres\nUSER $DB_PASS\n");
        assert!(found.contains(&"`***` is a name, not a number".to_owned()), "{found:?}");
    }

    #[test]
    fn only_short_words_of_one_kind_are_common() {
        for (value, expected) in [
            ("root", true),
            ("production", true),
            ("LATEST", true),
            ("1.2.3", true),
            ("hunter22", false),
            ("kzRwqvHx", false),
            ("correcthorsebattery", false),
            ("123456789012", false),
            ("my-password", false),
        ] {
            assert_eq!(is_word(value), expected, "{value}");
        }
    }

    #[test]
    fn the_longest_secret_is_hidden() {
        let redaction = redaction(&["hunter22", "hunter2", "hunter222", "é1é2", "zzzz9"]);
        let table = [
            ("sets A to hunter22", "sets A to ***"),
            ("hunter2hunter222hunter2222", "*********2"),
            ("hunter hunter", "hunter hunter"),
            ("é1é2é1é", "***é1é"),
            ("", ""),
            ("zzzz9z", "***z"),
        ];
        for (text, expected) in table {
            assert_eq!(redaction.told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_no_credential_is_cut() {
        let secret = "kz7Rw4qvHx";
        let redaction = redaction(&[secret]);
        for blanks in [0, 985, 992, 1_000, 8_180, 8_190, 9_000] {
            let text = format!("{} {secret} {}", "ab ".repeat(blanks / 3), "cd ".repeat(4_000));
            let told = redaction.told(&text);
            assert!(told.len() <= LONGEST + 3 && !told.contains("kz7R"), "{blanks}: {told}");
        }
        assert_eq!(redaction.told(&"x".repeat(1_000)).len(), 1_000);
    }
}
