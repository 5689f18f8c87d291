//! Bytes in, the addresses with a password in them out (<https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1>).

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::model::secret::is_literal_secret;

static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?-u)://").expect("a literal is legal"));

/// Longest `USER:PASSWORD@`.
const MOST: usize = 512;

/// An address with a password that could be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPassword<'a> {
    /// Where the user begins.
    pub at: usize,
    /// The host, with its port.
    pub host: &'a str,
}

/// Finds addresses with a password, in the order in which they stand; variables, stand-ins and marks of omission are none.
pub fn url_passwords(bytes: &[u8]) -> impl Iterator<Item = UrlPassword<'_>> {
    MARK.find_iter(bytes).filter_map(|mark| login(bytes, mark.end()).map(|host| UrlPassword { at: mark.end(), host }))
}

/// The host of the address whose authority begins at `at`, if it holds a password that could be one.
fn login(bytes: &[u8], at: usize) -> Option<&str> {
    let rest = bytes.get(at..)?;
    let rest = rest.get(..MOST).unwrap_or(rest);
    let end = rest.iter().position(|byte| byte.is_ascii_whitespace() || b"/?#\"'<>`,;()[]|\\".contains(byte)).unwrap_or(rest.len());
    let authority = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (login, host) = authority.rsplit_once('@')?;
    let (user, password) = login.split_once(':')?;
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    (is_host && is_password(user, password)).then_some(host)
}

fn is_password(user: &str, password: &str) -> bool {
    const WORDS: [&str; 18] = [
        "password", "passwd", "pass", "pwd", "pw", "secret", "user", "username", "token", "foo", "bar", "test", "guest", "admin", "root",
        "postgres", "hunter2", "redacted",
    ];
    let lower = password.to_ascii_lowercase();
    password.len() >= 5
        && is_literal_secret(password)
        && !WORDS.contains(&lower.as_str())
        && !user.eq_ignore_ascii_case(password)
        && !["${", "{", "%s", "%(", "***", "..."].iter().any(|mark| password.contains(mark) || user.contains(mark))
        && !password.chars().all(|c| matches!(c, 'x' | 'X' | '*' | '.'))
}

impl UrlPassword<'_> {
    /// Whether the host belongs to nobody, or only to this machine.
    #[must_use]
    pub fn is_nobodys(&self) -> bool {
        is_nobodys(self.host)
    }
}

fn is_nobodys(host: &str) -> bool {
    let host = host.split(':').next().unwrap_or(host);
    matches!(host, "localhost" | "host" | "hostname" | "server" | "proxy" | "127.0.0.1" | "0.0.0.0")
        || host.split('.').any(|part| part.eq_ignore_ascii_case("example"))
        || host.ends_with(".invalid")
        || host.ends_with(".test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_told_from_their_stand_ins() {
        let check = |text: &str, expected: &[&str]| {
            let found: Vec<_> = url_passwords(text.as_bytes()).map(|found| found.host).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("u: redis://:kz7Rw4qvT@cache.acme.dev:6379/0", &["cache.acme.dev:6379"]);
        check("u: https://bot:kz7Rw4qvT@git.acme.dev/x https://a.dev", &["git.acme.dev"]);
        check("u: https://git.acme.dev/@x:y", &[]);
        check("u: https://bot@git.acme.dev/", &[]);
        check("u: https://user:password@git.acme.dev/", &[]);
        check("u: https://bot:${PW}@git.acme.dev/", &[]);
        check("u: https://bot:xxxxxxx@git.acme.dev/", &[]);
        check("u: ssh://[::1]:22/", &[]);
    }
}
