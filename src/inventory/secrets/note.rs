//! `Hit`: a credential in a file, without the credential; and its line in what is noted of the file, which also waits in a cache on disk.

use crate::model::{facts::SecretClass, severity::Severity};

/// A credential in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inventory) struct Hit {
    /// What it is, in words.
    pub(in crate::inventory) kind: String,
    /// What it is worth to a stranger.
    pub(in crate::inventory) severity: Severity,
    /// What sort of credential.
    pub(in crate::inventory) class: SecretClass,
    /// The line, from 1.
    pub(in crate::inventory) line: u32,
    /// The mark that it begins with, at most four characters.
    pub(in crate::inventory) shown: String,
    /// Of two hits on one line the one of the lower rank says more.
    pub(super) rank: u8,
}

impl Hit {
    /// A credential on this line, of which nothing more is said.
    pub(super) const fn at(line: u32, severity: Severity) -> Self {
        Self { kind: String::new(), severity, class: SecretClass::Credential, line, shown: String::new(), rank: 0 }
    }
}

const SEVERITIES: [Severity; 4] = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

/// The hits as lines: severity, class, line, mark and kind.
pub(super) fn encode(hits: &[Hit]) -> Vec<u8> {
    let mut text = String::new();
    for hit in hits {
        let class = match hit.class {
            SecretClass::PrivateKey => 'k',
            SecretClass::Credential => 'c',
        };
        let shown: String = hit.shown.chars().filter(|c| c.is_ascii_graphic()).take(4).collect();
        let kind = hit.kind.replace(|c: char| c.is_control(), " ");
        text.push_str(&format!("{}\t{class}\t{}\t{shown}\t{kind}\n", hit.severity.name(), hit.line));
    }
    text.into_bytes()
}

/// The hits of a note.
pub(in crate::inventory) fn decode(note: &[u8]) -> Vec<Hit> {
    let text = String::from_utf8_lossy(note);
    let hit = |line: &str| {
        let mut fields = line.splitn(5, '\t');
        let word = fields.next()?;
        let severity = SEVERITIES.into_iter().find(|severity| severity.name() == word)?;
        let class = if fields.next()? == "k" { SecretClass::PrivateKey } else { SecretClass::Credential };
        let line = fields.next()?.parse().ok()?;
        let (shown, kind) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        Some(Hit { kind, severity, class, line, shown, rank: 0 })
    };
    text.lines().filter_map(hit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_holds_what_it_was_made_of_and_no_more_than_four_characters() {
        let hit = Hit {
            kind: "a\tkey\nof b".to_owned(),
            shown: "abcdefgh".to_owned(),
            class: SecretClass::PrivateKey,
            ..Hit::at(7, Severity::High)
        };
        let read = decode(&encode(std::slice::from_ref(&hit)));
        assert_eq!(read, [Hit { kind: "a key of b".to_owned(), shown: "abcd".to_owned(), ..hit }]);
        assert_eq!(decode(b"nonsense\n\xff\t\t\t\t\n"), []);
    }
}
