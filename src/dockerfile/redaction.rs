//! What variables with secret names are worth in, texts of a report without it out.

use std::borrow::Cow;

use crate::model::mask::masked;

use super::source::slice;

/// What stands for a secret.
const MASK: &str = "***";
/// The longest text that is shown, in bytes.
const LONGEST: usize = 1_000;
/// How much of a longer one is read: credentials are hidden before the cut, since half of one no longer looks like one.
const LONGEST_READ: usize = 8_192;

/// The values that no text of a report may show.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    /// Sorted, so that all that begin alike stand together.
    secrets: Vec<String>,
}

impl Redaction {
    /// Hides these values, and what looks like a credential anywhere.
    pub(super) fn of(mut secrets: Vec<String>) -> Self {
        secrets.sort_unstable();
        secrets.dedup();
        Self { secrets }
    }

    /// The text as it may be shown.
    pub(super) fn told<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() <= LONGEST {
            return self.hidden(text);
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
        self.hidden(text) != text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_secret_is_hidden() {
        let secrets = ["hunter22", "hunter", "hunter222", "é1é2", "zzzz"];
        let redaction = Redaction::of(secrets.iter().map(|&secret| secret.to_owned()).collect());
        let table = [
            ("sets A to hunter22", "sets A to ***"),
            ("hunterhunter222hunter2222", "*********2"),
            ("hunte hunte", "hunte hunte"),
            ("é1é2é1é", "***é1é"),
            ("", ""),
            ("zzzzz", "***z"),
        ];
        for (text, expected) in table {
            assert_eq!(redaction.told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_where_no_credential_is_cut() {
        let secret = "kz7Rw4qvHx";
        let redaction = Redaction::of(vec![secret.to_owned()]);
        for blanks in [0, 985, 992, 1_000, 8_180, 8_190, 9_000] {
            let text = format!("{} {secret} {}", "ab ".repeat(blanks / 3), "cd ".repeat(4_000));
            let told = redaction.told(&text);
            assert!(told.len() <= LONGEST + 3 && !told.contains("kz7R"), "{blanks}: {told}");
        }
        assert_eq!(redaction.told(&"x".repeat(1_000)).len(), 1_000);
    }
}
