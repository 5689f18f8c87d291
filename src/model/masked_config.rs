//! Texts of an image's configuration in, the same without credentials out: the words of its command and its labels. What a word is, the word
//! before it may say.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    mask::{self, masked},
    secret,
};

/// What stands for a credential.
const MASK: &str = "***";

/// The words of a command without credentials, each as its own word.
#[must_use]
pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Cow<'a, str>> {
    let (mut before, mut is_login) = ("", false);
    let mut shown = Vec::new();
    for word in words {
        is_login |= is_program(word);
        shown.push(match says_secret(before, word, is_login) {
            true => Cow::Borrowed(MASK),
            false => alone(before, word, is_login),
        });
        before = word;
    }
    shown
}

/// Labels without credentials.
#[must_use]
pub fn labels(labels: &BTreeMap<String, String>) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let value = |name: &str, value| match is_secret_name(name) && !is_switch(value) {
        true => Cow::Borrowed(MASK),
        false => masked(value),
    };
    labels.iter().map(|(name, text)| (masked(name), value(name, text))).collect()
}

fn is_secret_name(name: &str) -> bool {
    secret::is_secret_name(name) || mask::is_secret_name(name)
}

/// Whether a value is none that anybody hides.
fn is_switch(value: &str) -> bool {
    matches!(value, "" | "true" | "false" | "yes" | "no" | "0" | "1")
}

/// Whether what follows `-p` in a program's words is a password.
fn is_program(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    ["mysql", "mariadb", "sshpass", "twine", "useradd", "usermod"].iter().any(|program| name.starts_with(program)) || name == "login"
}

/// Whether the word before says that this one is a credential.
fn says_secret(before: &str, word: &str, is_login: bool) -> bool {
    let Some(option) = before.strip_prefix('-').map(|rest| rest.trim_start_matches('-')) else { return false };
    if option.contains('=') || is_switch(word) || is_variable(word) {
        return false;
    }
    let has_letters = word.chars().any(|c| !c.is_ascii_digit() && c != ':');
    match option {
        "u" | "p" | "user" | "proxy-user" | "creds" | "src-creds" | "dest-creds" | "basic-auth" | "auth" if word.contains(':') => {
            has_letters
        }
        "p" => is_login,
        "pass" | "pw" | "pwd" => true,
        _ => is_secret_name(option) && !word.starts_with("--"),
    }
}

fn is_variable(word: &str) -> bool {
    word.strip_prefix('$').is_some_and(|name| name.trim_matches(['{', '}']).chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// A word that nothing before it explains.
fn alone<'a>(before: &str, word: &'a str, is_login: bool) -> Cow<'a, str> {
    // A shell's code has words of its own, and so has a value with blanks.
    let is_code = before == "eval" || (before.starts_with('-') && !before.starts_with("--") && before.ends_with('c'));
    if let Some((name, value)) = word.split_once(['=', ':']).filter(|(name, _)| !is_code && !name.contains(char::is_whitespace))
        && is_secret_name(name.trim_start_matches('-'))
        && !is_switch(value)
        && !is_variable(value)
    {
        let mark = word.get(name.len()..=name.len()).unwrap_or_default();
        return Cow::Owned(format!("{name}{mark}{MASK}"));
    }
    match word.strip_prefix("-p").filter(|password| !password.is_empty() && (is_login || is_mixed(password))) {
        Some(_) => Cow::Owned(format!("-p{MASK}")),
        None => masked(word),
    }
}

/// Whether a text has letters and digits as passwords do, and is no list of ports.
fn is_mixed(text: &str) -> bool {
    text.len() >= 8
        && text.chars().all(|c| c.is_ascii_graphic())
        && text.contains(|c: char| c.is_ascii_digit())
        && text.contains(|c: char| c.is_ascii_uppercase())
        && text.contains(|c: char| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_hold_no_credentials() {
        let check = |input: &[&str], expected: &[&str]| assert_eq!(words(input.iter().copied()), expected, "{input:?}");
        check(&["app", "--password=hunter 22", "--password", "hunter 22"], &["app", "--password=***", "--password", "***"]);
        check(&["app", "--token", "-abc", "--token", "--verbose"], &["app", "--token", "***", "--token", "--verbose"]);
        check(&["sh", "-c", "PASSWORD=hunter22 app"], &["sh", "-c", "PASSWORD=*** app"]);
        check(&["env", "PASSWORD=hunter 22", "app"], &["env", "PASSWORD=***", "app"]);
        check(&["curl", "-u", "bot:hunter22", "https://u:hunter22@h/"], &["curl", "-u", "***", "https://***@h/"]);
        check(&["mysql", "-phunter22"], &["mysql", "-p***"]);
        check(&["sshpass", "-p", "hunter22"], &["sshpass", "-p", "***"]);
        check(&["app", "-pq7Rw4qvTz9"], &["app", "-p***"]);
        check(&["curl", "-H", "X-Api-Token: hunter 22"], &["curl", "-H", "X-Api-Token:***"]);
        let plain = ["nginx", "-g", "daemon off;", "-p", "8080:80", "-u", "1000:1000", "--token-file", "/x", "--password", "$PW"];
        check(&plain, &plain);
        check(&["redis", "-pidfile", "--port=80"], &["redis", "-pidfile", "--port=80"]);
    }

    #[test]
    fn labels_hold_no_credentials() {
        let table = [
            ("x.password", "hunter22", "***"),
            ("token-required", "true", "true"),
            ("u", "https://u:hunter22@h/", "https://***@h/"),
            ("cmd", "app --token hunter22", "app --token ***"),
            ("org.opencontainers.image.source", "https://h/a", "https://h/a"),
        ];
        for (name, value, expected) in table {
            let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            assert_eq!(labels(&given).values().next().map(AsRef::as_ref), Some(expected), "{name}");
        }
    }
}
