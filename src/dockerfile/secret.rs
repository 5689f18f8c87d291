//! Text of a Dockerfile in, the credentials in it out, told by their formats.

use std::ops::Range;

use super::{command::HOLE, source::slice};
use crate::model::{mask, secret};

pub(super) use crate::model::secret::is_secret_name;

/// Whether a value could be a secret at all: literal, known, not empty, no placeholder, no path. It is what quotes and known variables leave of what was
/// written, so that a `$` stands for itself or for something that is put in later.
pub(super) fn is_literal_secret(value: &str) -> bool {
    if value.contains(HOLE) {
        return false;
    }
    if !value.contains('$') {
        return secret::is_literal_secret(value);
    }
    !names_another(value) && secret::is_literal_secret(&value.replace('$', "_"))
}

/// Whether a value with a `$` is a template: `$token`, `$1`, `a${X}`, `a$(x)`, `a$NAME` and `a-$name` are, `pa$$w0rd` and `p@$sw0rd` are none.
fn names_another(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let mut before = "-";
    value.split('$').skip(1).zip(value.split('$')).any(|(rest, part)| {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest, |end| slice(rest, 0..end));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let is_upper = name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        // Of `$$` the second one begins nothing.
        let is_apart = match part.chars().next_back() {
            None => before == "-",
            Some(last) if is_upper => !last.is_alphanumeric(),
            Some(last) => matches!(last, '-' | '_' | '.' | ':' | '/' | ',' | ' '),
        };
        before = part;
        let is_number = !name.is_empty() && name.len() + 1 == value.len() && name.bytes().all(|b| b.is_ascii_digit());
        rest.starts_with(['{', '(']) || (is_name && ((is_upper && name.len() > 1) || is_apart)) || is_number
    })
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

const fn dotted(b: u8) -> bool {
    token(b) || b == b'.'
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
    Format { kind: "SendGrid key", prefix: "SG.", length: (66, 66), legal: dotted },
    Format { kind: "Anthropic key", prefix: "sk-ant-", length: (40, 255), legal: token },
    Format { kind: "OpenAI key", prefix: "sk-proj-", length: (40, 255), legal: token },
    Format { kind: "OpenAI key", prefix: "sk-svcacct-", length: (40, 255), legal: token },
    Format { kind: "DigitalOcean token", prefix: "dop_v1_", length: (64, 64), legal: alphanumeric },
    Format { kind: "Shopify token", prefix: "shpat_", length: (32, 32), legal: alphanumeric },
    Format { kind: "age secret key", prefix: "AGE-SECRET-KEY-1", length: (58, 58), legal: upper_digit },
];

/// The kinds of `-----BEGIN ... PRIVATE KEY-----` blocks.
const KEY_BLOCKS: &[&str] = &["", "RSA ", "EC ", "DSA ", "OPENSSH ", "ENCRYPTED ", "PGP "];

/// Finds credentials in known formats; the vendors' documented examples are none.
pub(super) fn literals(text: &str) -> Vec<Literal> {
    let mut found = Vec::new();
    // One pass tells that there is nothing in nearly all texts.
    if !mask::may_hold_token(text) {
        return found;
    }
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
    fn no_format_is_passed_over() {
        assert!(FORMATS.iter().all(|format| mask::may_hold_token(format.prefix)) && mask::may_hold_token("-----BEGIN "));
    }

    #[test]
    fn a_dollar_may_stand_for_itself() {
        let table = [
            ("pa$$w0rd", true),
            ("Pa$sw0rd", true),
            ("hunter22$", true),
            ("$$hunter22", true),
            ("$6$salt", true),
            ("$token", false),
            ("'$token'", false),
            ("${TOKEN}", false),
            ("a-${token}", false),
            ("a-$TOKEN", false),
            ("a-$token", false),
            ("a/$token", false),
            ("@$X", false),
            ("P@$HOME", false),
            ("P@$sw0rd9x", true),
            ("Adm!$ecret9", true),
            ("$1", false),
            ("a-$(cat x)", false),
            ("$A$B", false),
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
            (concat!("SG", ".a8Zk2Lq9Xw3Nv7Bt5Rc1Ym.a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Gj8Fu2Ea8Zk2Lq"), Some("SendGrid key")),
            (concat!("sk-", "ant-a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Gj8Fu2E-a8Zk"), Some("Anthropic key")),
            (concat!("sk-", "proj-a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Gj8Fu2E-a8Zk"), Some("OpenAI key")),
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
