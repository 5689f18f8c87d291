//! What variables with secret names are worth in, texts of a report without it out.

use std::{borrow::Cow, cell::RefCell};

use crate::model::mask::{holds_literal, masked};

use super::{
    rule::Dockerfile,
    source::{self, slice},
};

/// What stands for a secret.
const MASK: &str = "***";
/// The longest text that is shown, in bytes.
const LONGEST: usize = 1_000;
/// How much of a longer one is read: credentials are hidden before the cut, since half of one no longer looks like one.
const LONGEST_READ: usize = 8_192;

/// Values that say nothing by themselves, in small letters: users, images, environments, switches, and what reports are about.
const COMMON_WORDS: &str = "
    admin administrator anonymous app apache bot client cloud daemon deploy developer git gitlab guest jenkins manager me nobody node
    nonroot operator owner root runner server service superuser system tomcat ubuntu user username web webmaster
    alpine busybox cassandra centos consul couchdb debian docker elastic elasticsearch fedora golang grafana httpd influxdb java kafka
    keycloak kibana mariadb memcached minio mongo mongodb mssql mysql nats neo4j nginx openjdk oracle php postgres postgresql python
    rabbitmq redis registry ruby rust scratch sonar sonarqube sqlite traefik vault wordpress
    ci dev devel develop development latest live local localhost main master prod production qa release sandbox stable stage staging
    test tester testing tests trunk
    always auto default disable disabled enable enabled false never no none null off on optional required true yes
    api backend build cache config container curl data database file frontend http https image install key name password private public
    secret shell string text token value version
";
/// A number of at most that many digits is a port or a user as like as a secret.
const MOST_DIGITS: usize = 5;
/// How many such values are told from others, one bit for each; what goes beyond is hidden everywhere.
const MOST_WORDS: usize = u32::BITS as usize;

/// The values that no text of a report may show.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    /// Sorted, so that all that begin alike stand together.
    secrets: Vec<String>,
    /// Variables whose values are common words: hidden everywhere, they would riddle a report and give themselves away.
    words: Vec<(String, String)>,
    /// Per instruction, which of these variables it names as written: a bit for each.
    named: Vec<u32>,
    /// The last text with nothing to hide: findings of one rule often say the same.
    told_last: RefCell<String>,
    /// The same of texts that are only looked at.
    looked_last: RefCell<String>,
}

impl Redaction {
    /// Hides the values of these variables of a file, and what looks like a credential anywhere.
    pub(super) fn of(variables: impl IntoIterator<Item = (String, String)>, dockerfile: &Dockerfile<'_>) -> Self {
        let mut this = Self::hiding(variables);
        if !this.words.is_empty() {
            this.named = vec![0; dockerfile.instructions.len()];
        }
        let text = &dockerfile.source.text;
        for (bit, (name, _)) in this.words.iter().enumerate() {
            let mut at = 0;
            while let Some(found) = slice(text, at..text.len()).find(name.as_str()) {
                let index = dockerfile.instructions.partition_point(|instruction| instruction.range.end <= at + found);
                let Some(instruction) = dockerfile.instructions.get(index) else { break };
                if let Some(named) = this.named.get_mut(index).filter(|_| instruction.range.contains(&(at + found))) {
                    *named |= 1 << bit;
                    // Once is enough.
                    at = instruction.range.end;
                } else {
                    at = instruction.range.start;
                }
            }
        }
        this
    }

    fn hiding(variables: impl IntoIterator<Item = (String, String)>) -> Self {
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

    /// The text about an instruction, if about one, as it may be shown; a common word is hidden where the instruction names its variable.
    pub(super) fn told_of<'t>(&self, text: &'t str, instruction: Option<usize>) -> Cow<'t, str> {
        let mut told = self.told(text);
        for word in self.words_of(instruction) {
            if let Some(without) = without_word(&told, word) {
                told = Cow::Owned(without);
            }
        }
        told
    }

    /// Whether something in a text about an instruction may not be shown.
    pub(super) fn hides_of(&self, text: &str, instruction: Option<usize>) -> bool {
        self.hides(text) || self.words_of(instruction).any(|word| alone(text, word).next().is_some())
    }

    /// The same but for credentials that are a variable alone, whose name tells nobody anything.
    pub(super) fn hides_literal_of(&self, text: &str, instruction: Option<usize>) -> bool {
        let is_word = || self.words_of(instruction).any(|word| alone(text, word).next().is_some());
        holds_literal(text) || self.without_secrets(Cow::Borrowed(text)) != text || is_word()
    }

    /// The common words that are the values of variables that an instruction names.
    fn words_of(&self, instruction: Option<usize>) -> impl Iterator<Item = &str> {
        let named = instruction.and_then(|index| self.named.get(index)).copied().unwrap_or_default();
        self.words.iter().enumerate().filter(move |(bit, _)| named & (1 << bit) != 0).map(|(_, (_, value))| value.as_str())
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
        self.without_secrets(masked(text))
    }

    fn without_secrets<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
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
    let is_number = value.len() <= MOST_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number || COMMON_WORDS.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(value))
}

/// Where the word stands alone in the text.
fn alone<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> {
    source::alone(text, word, |c| c.is_ascii_alphanumeric())
}

/// The text with a mask for the word wherever it stands alone; `None` where it does not.
fn without_word(text: &str, word: &str) -> Option<String> {
    let mut out = String::new();
    let mut done = 0;
    for at in alone(text, word) {
        out.push_str(slice(text, done..at));
        out.push_str(MASK);
        done = at + word.len();
    }
    out.push_str(slice(text, done..text.len()));
    (done > 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::{LintInput, lint, read};

    fn redaction(secrets: &[&str]) -> Redaction {
        Redaction::hiding(named(secrets))
    }

    fn named(secrets: &[&str]) -> Vec<(String, String)> {
        secrets.iter().map(|&secret| ("API_TOKEN".to_owned(), secret.to_owned())).collect()
    }

    #[test]
    fn common_words_are_hidden_where_their_variable_is_named() {
        let secrets = named(&["postgres", "Admin", "5432", "kz7Rw4qv"]);
        let table = [
            ("the image postgres:17 is kz7Rw4qv", "FROM postgres:17", "the image postgres:17 is ***"),
            ("runs as postgres", "USER $API_TOKEN", "runs as ***"),
            ("runs as postgres, not as postgresql", "USER ${API_TOKEN}", "runs as ***, not as postgresql"),
            ("runs as Admin on 5432", "USER $API_TOKEN", "runs as *** on ***"),
            ("opens 5432", "EXPOSE 5432", "opens 5432"),
        ];
        for (text, written, expected) in table {
            let file = format!("FROM scratch\n# API_TOKEN\n{written}\n# API_TOKEN\nSTOPSIGNAL 9\n");
            let (dockerfile, _) = read(&LintInput::new("Dockerfile", file.as_bytes()));
            let redaction = Redaction::of(secrets.clone(), &dockerfile);
            assert_eq!(redaction.told_of(text, dockerfile.index_at(3)), expected, "{text}");
            assert_eq!(redaction.hides_of(text, dockerfile.index_at(3)), text != expected, "{text}");
            for line in [0, 1, 2, 4, 5, 6] {
                assert_eq!(redaction.told_of("postgres", dockerfile.index_at(line)), "postgres", "{written}: {line}");
            }
        }
    }

    #[test]
    fn every_word_has_its_own_variable() {
        let names = |at: usize| format!("A{at}_PASSWORD");
        let variables = (0..MOST_WORDS + 1).map(|at| (names(at), format!("{}", 5_000 + at)));
        let text = (0..MOST_WORDS).map(|at| format!("RUN ${}\n", names(at))).collect::<String>();
        let file = format!("FROM scratch\n{text}");
        let (dockerfile, _) = read(&LintInput::new("Dockerfile", file.as_bytes()));
        let redaction = Redaction::of(variables, &dockerfile);
        for at in 0..MOST_WORDS {
            let told = redaction.told_of("5000 5001 5002 5029 5030 5031 5032", Some(at + 1));
            let expected = ["5000", "5001", "5002", "5029", "5030", "5031", "5032"].map(|word| {
                let is_hidden = word == "5032" || word == (5_000 + at).to_string();
                if is_hidden { MASK } else { word }
            });
            assert_eq!(told, expected.join(" "), "{at}");
        }
    }

    #[test]
    fn a_common_word_is_hidden_far_down_a_line() {
        let line = format!("RUN {}; login $API_TOKEN postgres", "true; ".repeat(LONGEST));
        let file = format!("FROM scratch\n{line}\n");
        let (dockerfile, _) = read(&LintInput::new("Dockerfile", file.as_bytes()));
        assert!(Redaction::of(named(&["postgres"]), &dockerfile).hides_of(&line, dockerfile.index_at(2)));
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
    fn only_listed_words_and_short_numbers_are_common() {
        for (value, expected) in [
            ("root", true),
            ("Production", true),
            ("LATEST", true),
            ("65534", true),
            ("655340", false),
            ("1.2.3", false),
            ("qzkwvbtrpla", false),
            ("letmein", false),
            ("QZKWVB", false),
            ("hunter22", false),
            ("rootroot", false),
        ] {
            assert_eq!(is_word(value), expected, "{value}");
        }
    }

    #[test]
    fn a_password_of_small_letters_is_hidden_everywhere() {
        let text = "FROM alpine:3.22\nENV DB_PASSWORD=qzkwvbtrpla\nUSER qzkwvbtrpla\nADD https://acme.dev/qzkwvbtrpla /\n";
        let report = format!("{:?}", lint(&LintInput::new("Dockerfile", text.as_bytes())));
        assert!(!report.contains("qzkwvb"), "{report}");
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
