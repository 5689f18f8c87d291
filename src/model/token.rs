//! Bytes in, the credentials in them out that can be told by their own format: a mark, a length, an alphabet, and a checksum where the issuer
//! puts one in. One pass over the bytes looks for all marks at once; what follows is only looked at where one stands.
//! Formats: <https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/> and the issuers' own pages.

use std::{ops::Range, sync::LazyLock};

use regex::bytes::Regex;

use crate::model::severity::Severity;

/// A credential that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is, in words.
    pub kind: &'static str,
    /// What it is worth to a stranger.
    pub severity: Severity,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it opens anything by itself.
    pub standing: Standing,
}

/// Whether a credential is one by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is all that is needed.
    Alone,
    /// It is the name that goes with a secret.
    Name,
}

#[derive(Clone, Copy)]
struct Format {
    mark: &'static str,
    kind: &'static str,
    severity: Severity,
    /// Bytes of the token before the mark, for marks that stand inside.
    before: usize,
    /// Shortest and longest rest behind the mark.
    length: (usize, usize),
    legal: fn(u8) -> bool,
    check: fn(&[u8]) -> bool,
}

const fn format(mark: &'static str, kind: &'static str, length: (usize, usize), legal: fn(u8) -> bool, check: fn(&[u8]) -> bool) -> Format {
    Format { mark, kind, severity: Severity::Critical, before: 0, length, legal, check }
}

const fn milder(format: Format, severity: Severity) -> Format {
    Format { severity, ..format }
}

const FORMATS: &[Format] = &[
    format("AKIA", AWS_KEY, (16, 16), base32, aws_key),
    milder(format("ASIA", AWS_TEMPORARY_KEY, (16, 16), base32, aws_key), Severity::High),
    format("ghp_", "GitHub personal access token", (36, 36), alphanumeric, with_crc32),
    format("gho_", "GitHub OAuth token", (36, 36), alphanumeric, with_crc32),
    format("ghu_", "GitHub app user token", (36, 36), alphanumeric, with_crc32),
    milder(format("ghs_", "GitHub app installation token", (36, 36), alphanumeric, with_crc32), Severity::High),
    format("ghr_", "GitHub refresh token", (36, 76), alphanumeric, is_random),
    format("github_pat_", "GitHub fine-grained token", (82, 82), word, is_random),
    format("glpat-", "GitLab personal access token", (20, 300), dotted, is_random),
    format("gldt-", "GitLab deploy token", (20, 20), token, is_random),
    format("glrt-", "GitLab runner token", (20, 300), dotted, is_random),
    format("glcbt-", "GitLab job token", (20, 300), token, is_random),
    format("npm_", "npm token", (36, 36), alphanumeric, with_crc32),
    format("pypi-AgEIcHlwaS5vcmc", "PyPI token", (50, 1_000), token, is_random),
    format("pypi-AgENdGVzdC5weXBpLm9yZw", "TestPyPI token", (50, 1_000), token, is_random),
    format("rubygems_", "RubyGems token", (48, 48), hex, is_random),
    format("dckr_pat_", "Docker Hub token", (27, 27), token, is_random),
    format("dckr_oat_", "Docker Hub organisation token", (32, 32), token, is_random),
    format("xoxb-", "Slack bot token", (40, 80), slack, slack_token),
    format("xoxp-", "Slack user token", (60, 120), slack, slack_token),
    format("xoxe.xoxp-", "Slack refreshable token", (100, 300), slack, is_random),
    milder(format("hooks.slack.com/services/T", "Slack webhook", (36, 60), path, slack_hook), Severity::High),
    format("sk_live_", "Stripe live key", (24, 255), alphanumeric, is_random),
    format("rk_live_", "Stripe restricted live key", (24, 255), alphanumeric, is_random),
    format("SG.", "SendGrid key", (66, 66), dotted, sendgrid),
    format("GOCSPX-", "Google OAuth client secret", (28, 28), token, is_random),
    format("AccountKey=", "Azure storage account key", (88, 88), base64, azure_storage),
    format("SharedAccessKey=", "Azure shared access key", (44, 44), base64, is_random),
    Format { before: 3, ..format("8Q~", "Azure application secret", (34, 34), azure_legal, is_random) },
    format("sk-ant-api03-", "Anthropic key", (93, 120), token, is_random),
    format("sk-proj-", "OpenAI key", (120, 200), token, is_openai),
    Format { before: 23, ..format("T3BlbkFJ", "OpenAI key", (20, 20), alphanumeric, is_random) },
    format("hf_", "Hugging Face token", (34, 34), alphanumeric, is_random),
    format("dop_v1_", "DigitalOcean token", (64, 64), hex, is_random),
    format("shpat_", "Shopify token", (32, 32), hex, is_random),
    format("hvs.", "Vault token", (90, 300), token, is_random),
    format("pul-", "Pulumi token", (40, 40), hex, is_random),
    format("glsa_", "Grafana service account token", (41, 41), word, is_random),
    format("tskey-auth-", "Tailscale key", (30, 80), token, is_random),
    format("AGE-SECRET-KEY-1", "age secret key", (58, 58), upper_digit, is_random),
];

/// What a long-lived AWS key is called.
pub const AWS_KEY: &str = "AWS access key";
/// What a temporary AWS key is called.
pub const AWS_TEMPORARY_KEY: &str = "temporary AWS access key";

static MARKS: LazyLock<Regex> = LazyLock::new(|| {
    let marks: Vec<String> = FORMATS.iter().map(|format| regex::escape(format.mark)).collect();
    Regex::new(&format!("(?-u){}", marks.join("|"))).expect("escaped literals are legal")
});

/// Finds credentials by their formats, in the order in which they stand; the issuers' documented examples are none.
#[must_use]
pub fn tokens(text: &[u8]) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for mark in MARKS.find_iter(text) {
        let token =
            FORMATS.iter().filter(|format| format.mark.as_bytes() == mark.as_bytes()).find_map(|format| read(format, text, mark.start()));
        if let Some(token) = token
            && found.last().is_none_or(|last| last.range.end <= token.range.start)
        {
            found.push(token);
        }
    }
    found
}

fn read(format: &Format, text: &[u8], at: usize) -> Option<Token> {
    let start = at.checked_sub(format.before)?;
    if !is_boundary(text.get(..start)?) || !text.get(start..at)?.iter().all(|&byte| (format.legal)(byte)) {
        return None;
    }
    let rest = text.get(at + format.mark.len()..)?;
    let length = rest.iter().take(format.length.1 + 1).take_while(|&&byte| (format.legal)(byte)).count();
    if length < format.length.0 || length > format.length.1 {
        return None;
    }
    let standing = if matches!(format.kind, AWS_KEY | AWS_TEMPORARY_KEY) { Standing::Name } else { Standing::Alone };
    (format.check)(rest.get(..length)?).then(|| Token {
        kind: format.kind,
        severity: format.severity,
        range: start..at + format.mark.len() + length,
        standing,
    })
}

/// Whether a word can begin behind these bytes: not inside of another word, but behind an escape such as `\n`.
fn is_boundary(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] => !(last.is_ascii_alphanumeric() || *last == b'_'),
        [] => true,
    }
}

/// The secret access key that stands near an AWS key id: 40 base64 digits, random, by themselves.
#[must_use]
pub fn aws_secret_near(text: &[u8], id: &Range<usize>) -> Option<Range<usize>> {
    /// How far apart tools and people write the two.
    const NEAR: usize = 400;
    let start = id.start.saturating_sub(NEAR);
    let window = text.get(start..text.len().min(id.end + NEAR))?;
    let mut at = 0;
    while let Some(first) = window.get(at..)?.iter().position(|&byte| base64_digit(byte)) {
        let from = at + first;
        let length = window.get(from..)?.iter().take_while(|&&byte| base64_digit(byte)).count();
        if length == 40 && window.get(from..from + 40).is_some_and(is_aws_secret) {
            return Some(start + from..start + from + 40);
        }
        at = from + length;
    }
    None
}

/// Whether 40 base64 digits have the variety of an AWS secret access key; a SHA-1 in hexadecimal has not, a path neither.
#[must_use]
pub fn is_aws_secret(body: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| body.iter().any(test);
    body.len() == 40
        && body.iter().all(|&byte| base64_digit(byte))
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && entropy(body) >= 4.0
        && is_no_example(body)
}

/// Shannon's entropy, in bits a byte.
#[must_use]
pub fn entropy(body: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in body {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
    }
    let all = f64::from(u32::try_from(body.len()).unwrap_or(u32::MAX)).max(1.0);
    counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / all).map(|share| -share * share.log2()).sum()
}

/// Whether the text has the variety of a real token and says nothing else.
fn is_random(body: &[u8]) -> bool {
    let letters = body.iter().any(u8::is_ascii_alphabetic);
    let enough = if body.iter().all(|&byte| hex(byte)) { 2.6 } else { 3.2 };
    letters && entropy(body) >= enough && is_no_example(body)
}

fn is_no_example(body: &[u8]) -> bool {
    const WORDS: [&[u8]; 10] =
        [b"example", b"xxxx", b"0000000", b"replace", b"placeholder", b"1234567890", b"abcdefgh", b"your", b"aaaaaa", b"...."];
    let lower = body.to_ascii_lowercase();
    !WORDS.iter().any(|word| lower.windows(word.len()).any(|part| part == *word))
}

/// The last six characters are the CRC-32 of the ones before, as a number to the base of 62.
fn with_crc32(body: &[u8]) -> bool {
    let Some((random, sum)) = body.split_last_chunk::<6>() else { return false };
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = 0_u64;
    for byte in sum {
        let Some(digit) = digits.iter().position(|known| known == byte) else { return false };
        number = number * 62 + digit as u64;
    }
    number == u64::from(crc32(random)) && is_random(body)
}

/// CRC-32 as in Ethernet and zip, bit by bit: tokens are short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

/// Key ids since 2019 hold the account's number behind the prefix, 40 bits of which 12 decimal digits are used; older ones begin with I or J.
fn aws_key(body: &[u8]) -> bool {
    let mut bits = 0_u64;
    for &byte in body.iter().take(10) {
        let digit = if byte.is_ascii_uppercase() { byte - b'A' } else { byte.wrapping_sub(b'2').wrapping_add(26) };
        bits = bits << 5 | u64::from(digit & 31);
    }
    let account = (bits >> 2 & 0x7fff_ffff_ff80) >> 7;
    let is_older = matches!(body.first(), Some(b'I' | b'J'));
    (is_older || account < 1_000_000_000_000) && entropy(body) >= 2.5 && is_no_example(body)
}

fn slack_token(body: &[u8]) -> bool {
    let mut parts = body.split(|&byte| byte == b'-');
    let is_number = |part: Option<&[u8]>| part.is_some_and(|part| part.len() >= 9 && part.iter().all(u8::is_ascii_digit));
    is_number(parts.next()) && is_number(parts.next()) && is_random(body.rsplit(|&byte| byte == b'-').next().unwrap_or_default())
}

fn slack_hook(body: &[u8]) -> bool {
    let parts: Vec<&[u8]> = body.split(|&byte| byte == b'/').collect();
    matches!(parts.as_slice(), [team, bot, secret] if team.len() >= 7 && bot.len() >= 8 && bot.first() == Some(&b'B') && secret.len() == 24 && is_random(secret))
}

fn sendgrid(body: &[u8]) -> bool {
    body.get(22) == Some(&b'.') && body.iter().filter(|&&byte| byte == b'.').count() == 1 && is_random(body)
}

fn azure_storage(body: &[u8]) -> bool {
    // The key that every storage emulator has.
    body.ends_with(b"==") && !body.starts_with(b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq") && is_random(body)
}

fn is_openai(body: &[u8]) -> bool {
    body.windows(8).any(|part| part == b"T3BlbkFJ") && is_random(body)
}

const fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

const fn upper_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

const fn base32(b: u8) -> bool {
    matches!(b, b'A'..=b'Z' | b'2'..=b'7')
}

const fn hex(b: u8) -> bool {
    matches!(b, b'0'..=b'9' | b'a'..=b'f')
}

const fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

const fn token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

const fn slack(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-'
}

const fn dotted(b: u8) -> bool {
    token(b) || b == b'.'
}

const fn path(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'/'
}

const fn base64_digit(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'+' || b == b'/'
}

const fn base64(b: u8) -> bool {
    base64_digit(b) || b == b'='
}

const fn azure_legal(b: u8) -> bool {
    dotted(b) || b == b'~'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        tokens(text.as_bytes()).iter().map(|token| token.kind).collect()
    }

    /// A token of this mark whose checksum is right.
    fn summed(mark: &str, random: &str) -> String {
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut number = crc32(random.as_bytes()) as usize;
        let mut sum = [b'0'; 6];
        for place in sum.iter_mut().rev() {
            *place = digits[number % 62];
            number /= 62;
        }
        format!("{mark}{random}{}", String::from_utf8_lossy(&sum))
    }

    #[test]
    fn formats_are_known_and_examples_are_not_secrets() {
        let body = "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0G";
        // The issuer revoked this one; it stands in articles about the format.
        assert!(with_crc32(concat!("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17").as_bytes()));
        for (mark, kind) in [
            ("ghp_", "GitHub personal access token"),
            ("gho_", "GitHub OAuth token"),
            ("ghs_", "GitHub app installation token"),
            ("npm_", "npm token"),
        ] {
            let good = summed(mark, body);
            assert_eq!(kinds(&format!("token = \"{good}\"")), [kind]);
            assert_eq!(kinds(&format!("{good}9")), Vec::<&str>::new(), "too long");
            assert_eq!(kinds(&format!("x{good}")), Vec::<&str>::new(), "inside of a word");
            assert_eq!(kinds(&good.replace('Z', "Y")), Vec::<&str>::new(), "wrong sum");
        }
        let none: &[&str] = &[];
        let table: &[(String, &[&str])] = &[
            (concat!("x=AKIA", "Q4TZ7HBLM2WXVC3D").to_owned(), &[AWS_KEY]),
            ("AKIAIOSFODNN7EXAMPLE".to_owned(), none),
            ("MAKIAQ4TZ7HBLM2WXVC3D".to_owned(), none),
            ("AKIAAAAAAAAAAAAAAAAA".to_owned(), none),
            ("AKIAQ4TZ7HBLM2WXVC18".to_owned(), none),
            (format!("xoxb-{}-{}-a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6P", "123456789013", "223456789013"), &["Slack bot token"]),
            ("xoxb-not-a-real-token-but-a-long-word-of-some-kind".to_owned(), none),
            (
                format!("https://hooks.slack.com/services/T{}/B{}/{}", "01ABCDEF", "02GHIJKL", "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6P"),
                &["Slack webhook"],
            ),
            (format!("sk_live_{}", "51Hq9ZkLm2Nv7Bt5Rc1Ym6Pd"), &["Stripe live key"]),
            ("sk_live_xxxxxxxxxxxxxxxxxxxxxxxx".to_owned(), none),
            (format!("SG.{}.{}", "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym", "a8Zk2Lq9Xw3Nv7Bt5Rc1Yma8Zk2Lq9Xw3Nv7Bt5Rc1Y"), &["SendGrid key"]),
            (format!("glpat-{}", "a8Zk2Lq9Xw3Nv7Bt5Rc1"), &["GitLab personal access token"]),
            (format!("\\nglpat-{}\\n", "a8Zk2Lq9Xw3Nv7Bt5Rc1"), &["GitLab personal access token"]),
            ("glpat-xxxxxxxxxxxxxxxxxxxx".to_owned(), none),
            ("hf_hub_download(repo_id, filename_of_the_model_here)".to_owned(), none),
        ];
        for (text, expected) in table {
            assert_eq!(kinds(text), *expected, "{text}");
        }
    }

    #[test]
    fn an_aws_key_has_its_secret_near() {
        let id = concat!("AKIA", "Q4TZ7HBLM2WXVC3D");
        let secret = "a8Zk2Lq9Xw3Nv7Bt5Rc1Ym6Pd4Hs0Ga8Zk2Lq9Xw";
        let check = |text: String, expected: Option<&str>| {
            let token = tokens(text.as_bytes()).into_iter().next().unwrap();
            assert_eq!(token.standing, Standing::Name);
            assert_eq!(aws_secret_near(text.as_bytes(), &token.range).and_then(|range| text.get(range)), expected, "{text}");
        };
        check(format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n"), Some(secret));
        check(format!("{{\"SecretAccessKey\":\"{secret}\",\"AccessKeyId\":\"{id}\"}}"), Some(secret));
        check(id.to_owned(), None);
        check(format!("{id} da39a3ee5e6b4b0d3255bfef95601890afd80709"), None);
        check(format!("{id} {secret}{secret}"), None);
        check(format!("{id}{}{secret}", " ".repeat(1_000)), None);
    }

    #[test]
    fn all_marks_are_found_in_one_pass() {
        for format in FORMATS {
            assert!(MARKS.find(format.mark.as_bytes()).is_some_and(|found| found.len() == format.mark.len()), "{}", format.mark);
        }
        assert!(FORMATS.len() <= 64, "more are searched for by a slower machine");
    }
}
