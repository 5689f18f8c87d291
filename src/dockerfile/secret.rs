//! Names and values in, whether they look like secrets out. Names lie, so values are looked at too.

use std::ops::Range;

use super::{command::HOLE, source::slice};

/// Words that make a name secret-like.
const SECRET_WORDS: &[&str] =
    &["PASSWORD", "PASSWD", "PASSPHRASE", "PWORD", "SECRET", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS", "SECRETS", "PASSWORDS"];
/// Words before KEY that make it a secret one.
const SECRET_KEYS: &[&str] = &[
    "API",
    "ACCESS",
    "SECRET",
    "PRIVATE",
    "AUTH",
    "ENCRYPTION",
    "SIGNING",
    "ACCOUNT",
    "MASTER",
    "SERVICE",
    "DEPLOY",
    "SSH",
    "LICENSE",
    "STORAGE",
];
/// Last words that say that the value is something else: a place, a name, a number.
const HARMLESS_ENDS: &[&str] = &[
    "FILE",
    "FILES",
    "PATH",
    "PATHS",
    "URL",
    "URI",
    "URLS",
    "VERSION",
    "DIR",
    "DIRECTORY",
    "NAME",
    "NAMES",
    "ID",
    "TTL",
    "EXPIRY",
    "EXPIRATION",
    "LENGTH",
    "SIZE",
    "ENABLED",
    "HEADER",
    "TYPE",
    "ALGORITHM",
    "ISSUER",
    "ENDPOINT",
    "HOST",
    "PORT",
    "PREFIX",
    "SUFFIX",
    "LOCATION",
    "STORE",
    "PROVIDER",
    "MODE",
    "POLICY",
    "LIMIT",
    "COUNT",
    "HASH",
    "CHECKSUM",
    "SHA256",
    "FORMAT",
    "BACKEND",
    "MOUNT",
    "REF",
    "ARN",
    "TIMEOUT",
    "REQUIRED",
    "FIELD",
    "KEYRING",
    "SERVER",
    "FINGERPRINT",
    "LABEL",
];
/// First words of switches.
const SWITCHES: &[&str] = &["ALLOW", "ENABLE", "DISABLE", "REQUIRE", "USE", "HAS", "NO", "SKIP", "CHECK", "VALIDATE", "MAX", "MIN"];
/// Values that nobody keeps secret.
const PLACEHOLDERS: &[&str] = &[
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "none",
    "null",
    "nil",
    "0",
    "1",
    "undefined",
    "unset",
    "empty",
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "todo",
    "tbd",
    "dummy",
    "fake",
    "example",
    "placeholder",
    "redacted",
    "replaceme",
    "replace_me",
    "notset",
    "not-set",
    "xxx",
    "xxxx",
    "...",
    "secret-here",
    "your_password",
    "your-password",
    "required",
];

/// Whether a variable's name says that its value is secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).filter(|word| !word.is_empty()).collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    if HARMLESS_ENDS.contains(last)
        || (SWITCHES.contains(first) && words.len() > 1)
        || words.iter().any(|word| matches!(*word, "PUBLIC" | "PUB" | "GPG" | "PGP" | "SSL" | "CACHE"))
    {
        return false;
    }
    // `PASSWORDLESS`, `TOKENIZERS` and `KEYBOARD` are words of their own and do not match.
    words.iter().any(|word| SECRET_WORDS.contains(word))
        || words.windows(2).any(|pair| matches!(pair, [before, "KEY"] if SECRET_KEYS.contains(before)))
}

/// Whether a value could be a secret at all: literal, not empty, no placeholder, no path.
pub(super) fn is_literal_secret(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let lower = value.to_ascii_lowercase();
    let hidden = value.contains(['$', HOLE])
        || (value.starts_with('<') && value.ends_with('>'))
        || (value.starts_with("{{") && value.ends_with("}}"));
    let elsewhere = value.starts_with('/') || value.starts_with("./") || value.starts_with("file:") || value.contains("://");
    let one_letter = value.chars().next().is_some_and(|first| value.chars().all(|c| c == first || c == '-'));
    let said = ["example", "placeholder", "changeme", "change_me", "your_", "your-", "dummy", "<", "insert"]
        .iter()
        .any(|word| lower.contains(word));
    !(value.is_empty() || hidden || elsewhere || one_letter || said || PLACEHOLDERS.contains(&lower.as_str()))
}

/// A credential in a known format.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// What it is.
    pub(super) kind: &'static str,
    /// Where it stands in the text.
    pub(super) range: Range<usize>,
}

struct Format {
    kind: &'static str,
    prefix: &'static str,
    /// Shortest and longest rest.
    length: (usize, usize),
    legal: fn(u8) -> bool,
}

const fn upper_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

const fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

const fn token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

const FORMATS: &[Format] = &[
    Format { kind: "AWS access key id", prefix: "AKIA", length: (16, 16), legal: upper_digit },
    Format { kind: "temporary AWS access key id", prefix: "ASIA", length: (16, 16), legal: upper_digit },
    Format { kind: "GitHub token", prefix: "ghp_", length: (36, 255), legal: alphanumeric },
    Format { kind: "GitHub OAuth token", prefix: "gho_", length: (36, 255), legal: alphanumeric },
    Format { kind: "GitHub app token", prefix: "ghs_", length: (36, 255), legal: alphanumeric },
    Format { kind: "GitHub app token", prefix: "ghu_", length: (36, 255), legal: alphanumeric },
    Format { kind: "GitHub refresh token", prefix: "ghr_", length: (36, 255), legal: alphanumeric },
    Format { kind: "GitHub fine-grained token", prefix: "github_pat_", length: (60, 255), legal: token },
    Format { kind: "GitLab token", prefix: "glpat-", length: (20, 255), legal: token },
    Format { kind: "Slack bot token", prefix: "xoxb-", length: (24, 255), legal: token },
    Format { kind: "Slack user token", prefix: "xoxp-", length: (24, 255), legal: token },
    Format { kind: "Stripe live key", prefix: "sk_live_", length: (24, 255), legal: alphanumeric },
    Format { kind: "Google API key", prefix: "AIza", length: (35, 35), legal: token },
    Format { kind: "npm token", prefix: "npm_", length: (36, 36), legal: alphanumeric },
    Format { kind: "PyPI token", prefix: "pypi-AgEI", length: (50, 512), legal: token },
    Format { kind: "Docker Hub token", prefix: "dckr_pat_", length: (27, 255), legal: token },
    Format { kind: "Hugging Face token", prefix: "hf_", length: (34, 40), legal: alphanumeric },
    Format { kind: "age secret key", prefix: "AGE-SECRET-KEY-1", length: (58, 58), legal: upper_digit },
];

/// The kinds of `-----BEGIN ... PRIVATE KEY-----` blocks.
const KEY_BLOCKS: &[&str] = &["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP "];

/// Finds credentials in known formats; the vendors' documented examples are none.
pub(super) fn literals(text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    for format in FORMATS {
        for (at, _) in text.match_indices(format.prefix) {
            let before = slice(text, 0..at).bytes().next_back();
            let rest = slice(text, at + format.prefix.len()..text.len());
            let length = rest.bytes().take(format.length.1 + 1).take_while(|&b| (format.legal)(b)).count();
            let body = slice(rest, 0..length);
            let fits = length >= format.length.0 && length <= format.length.1 && !before.is_some_and(token);
            if fits && is_random(body) {
                found.push(Literal { kind: format.kind, range: at..at + format.prefix.len() + length });
            }
        }
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        let rest = slice(text, at + 11..text.len());
        let names = |kind: &&&str| rest.strip_prefix(**kind).is_some_and(|rest| rest.starts_with("PRIVATE KEY"));
        let Some(kind) = KEY_BLOCKS.iter().find(names) else { continue };
        // A check for the mark alone (grep, sed) has no key behind it.
        let end = rest.find("-----").map_or(rest.len(), |end| end + 5);
        if slice(rest, end..rest.len()).starts_with(['"', '\'']) {
            continue;
        }
        let body: String = slice(rest, end..rest.len())
            .chars()
            .take(400)
            .filter(|c| !c.is_whitespace() && !matches!(c, '\\' | '"' | '\''))
            .take(40)
            .collect();
        let coded = body
            .trim_start_matches('n')
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b':' | b'-' | b','))
            .count();
        if coded >= 24 {
            found.push(Literal { kind: "private key", range: at..at + 11 + kind.len() + "PRIVATE KEY".len() });
        }
    }
    found.sort_by_key(|literal| literal.range.start);
    found
}

/// Whether the text has the variety of a real token and says nothing else.
fn is_random(body: &str) -> bool {
    let upper = body.to_ascii_uppercase();
    let mut letters: Vec<u8> = upper.bytes().collect();
    letters.sort_unstable();
    letters.dedup();
    let said = ["EXAMPLE", "XXXX", "0000000", "REPLACE", "PLACEHOLDER", "1234567890", "ABCDEFGH"].iter().any(|word| upper.contains(word));
    letters.len() >= 8 && !said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lie() {
        let table = [
            ("DB_PASSWORD", true),
            ("GITHUB_TOKEN", true),
            ("AWS_SECRET_ACCESS_KEY", true),
            ("API_KEY", true),
            ("apikey", true),
            ("PASSWORD_FILE", false),
            ("TOKEN_URL", false),
            ("GPG_KEY", false),
            ("GPG_KEYS", false),
            ("KEYBOARD", false),
            ("TOKENIZERS_PARALLELISM", false),
            ("PUBLIC_KEY", false),
            ("MAX_TOKEN_LENGTH", false),
            ("ALLOW_EMPTY_PASSWORD", false),
            ("USERNAME", false),
            ("PRIVATE", false),
            ("KEY", false),
            ("SECRET_VERSION", false),
        ];
        for (name, expected) in table {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }

    #[test]
    fn values_decide() {
        let table = [
            ("hunter22", true),
            ("", false),
            ("$X", false),
            ("changeme", false),
            ("<token>", false),
            ("/run/secrets/x", false),
            ("true", false),
            ("xxxxxx", false),
            ("0000-0000", false),
        ];
        for (value, expected) in table {
            assert_eq!(is_literal_secret(value), expected, "{value}");
        }
    }

    #[test]
    fn formats_are_known_and_examples_are_not_secrets() {
        let table = [
            (concat!("x=AKIA", "Q4TZ7HBLM2WXVC3D"), Some("AWS access key id")),
            ("AKIAIOSFODNN7EXAMPLE", None),
            ("MAKIAQ4TZ7HBLM2WXVC3D", None),
            (concat!("ghp_", "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Gj8Fu2E"), Some("GitHub token")),
            ("ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", None),
            ("grep -q -----BEGIN RSA PRIVATE KEY----- f", None),
            (concat!("-----BEGIN ", "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"), Some("private key")),
            ("grep -e '-----BEGIN RSA PRIVATE KEY-----' /x\nENV SUM=24454f830cdb571e2c4ad15481119c43b3", None),
            ("-----BEGIN PUBLIC KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC", None),
        ];
        for (text, expected) in table {
            assert_eq!(literals(text).first().map(|literal| literal.kind), expected, "{text}");
        }
    }
}
