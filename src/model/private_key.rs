//! Bytes in, the private keys in them out: PEM blocks and PuTTY files whose content has the structure of a key. A mark alone, a truncated block in a
//! manual and a key too small to protect anything are none. Specifications: <https://www.rfc-editor.org/rfc/rfc7468>,
//! <https://www.rfc-editor.org/rfc/rfc9580#section-6.2>, <https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key>.

use std::{ops::Range, sync::LazyLock};

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use regex::bytes::Regex;

/// A private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateKey {
    /// What it is, in words.
    pub kind: &'static str,
    /// Whether it is encrypted under a passphrase.
    pub protection: Protection,
    /// Where it stands.
    pub range: Range<usize>,
}

/// What stands between a private key and its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Nothing.
    None,
    /// A passphrase.
    Passphrase,
}

/// Longest block; a PGP key ring may hold photographs.
const MOST: usize = 256 * 1024;
/// Most keys of one file.
const KEYS: usize = 100;
/// A DER-encoded RSA key of 512 bits is smaller, one of 1,024 bits larger. The smaller ones only serve tests.
const SMALLEST_RSA: usize = 500;

/// Label, and what it is in words.
const LABELS: &[(&str, &str)] = &[
    ("PRIVATE KEY", "private key"),
    ("RSA PRIVATE KEY", "RSA private key"),
    ("EC PRIVATE KEY", "EC private key"),
    ("DSA PRIVATE KEY", "DSA private key"),
    ("OPENSSH PRIVATE KEY", "OpenSSH private key"),
    ("ENCRYPTED PRIVATE KEY", "private key"),
    ("PGP PRIVATE KEY BLOCK", "PGP private key"),
];

static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new("(?-u)PRIVATE KEY|PuTTY-User-Key-File-").expect("literals are legal"));

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Finds private keys, in the order in which they stand.
#[must_use]
pub fn private_keys(text: &[u8]) -> Vec<PrivateKey> {
    let mut found: Vec<PrivateKey> = Vec::new();
    for mark in MARK.find_iter(text) {
        if found.len() >= KEYS {
            break;
        }
        if found.last().is_some_and(|last| mark.start() < last.range.end) {
            continue;
        }
        let key = if mark.as_bytes() == b"PRIVATE KEY" { pem(text, mark.start()) } else { putty(text, mark.start()) };
        found.extend(key);
    }
    found
}

/// The PEM block in whose first line `PRIVATE KEY` stands at `mark`.
fn pem(text: &[u8], mark: usize) -> Option<PrivateKey> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let (label, kind, start) = LABELS.iter().find_map(|(label, kind)| {
        let before = label.find("PRIVATE KEY")?;
        let start = mark.checked_sub(before)?.checked_sub(BEGIN.len())?;
        let line = text.get(start..)?.strip_prefix(BEGIN)?.strip_prefix(label.as_bytes())?;
        line.starts_with(b"-----").then_some((*label, *kind, start))
    })?;
    let body_start = start + BEGIN.len() + label.len() + b"-----".len();
    let rest = text.get(body_start..)?;
    let rest = rest.get(..MOST).unwrap_or(rest);
    let length = end_of(rest)?;
    let block = rest.get(..length)?;
    if !rest.get(length + b"-----END ".len()..)?.starts_with(label.as_bytes()) {
        return None;
    }
    let end = body_start + length + b"-----END ".len() + label.len() + b"-----".len();
    let (content, is_said) = decode(block)?;
    let protection = protection(label, &content, is_said)?;
    Some(PrivateKey { kind, protection, range: start..end.min(text.len()) })
}

/// Where the line that ends a block begins. Where another block begins before that, this one has no end: so that no byte is looked at for more than
/// one of them.
fn end_of(text: &[u8]) -> Option<usize> {
    let is_edge = |part: &[u8]| part.starts_with(b"-----END ") || part == b"-----BEGIN ";
    let at = text.windows(b"-----BEGIN ".len()).position(is_edge)?;
    text.get(at..)?.starts_with(b"-----END ").then_some(at)
}

/// The bytes of a block, and whether its headers say that they are encrypted. Lines may be those of a string in a program or of a JSON document.
fn decode(block: &[u8]) -> Option<(Vec<u8>, bool)> {
    let text = String::from_utf8_lossy(block).replace("\\r", "").replace("\\n", "\n");
    let mut coded = String::with_capacity(text.len());
    let mut is_said = false;
    for line in text.lines() {
        let mut line = line.trim();
        for quote in ['"', '\''] {
            if let Some((_, inner)) = line.split_once(quote) {
                line = inner.rsplit_once(quote).map_or(inner, |(inner, _)| inner);
            }
        }
        // What joins the strings of a program looks like digits of base64.
        if line.len() < 4 && !line.trim().bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        if line.contains(':') {
            is_said |= line.contains("ENCRYPTED");
        } else if !(line.starts_with('=') && line.len() == 5) {
            // The sum of a PGP block is not part of its content.
            coded.extend(line.chars().filter(|c| !c.is_whitespace()));
        }
    }
    let content = LENIENT.decode(coded.trim_end_matches('\\')).ok()?;
    Some((content, is_said))
}

/// Whether a block of this label holds what it says, and whether it is encrypted.
fn protection(label: &str, content: &[u8], is_said: bool) -> Option<Protection> {
    if is_said {
        // What follows is the cipher's, and says nothing about its structure.
        return (content.len() >= 64).then_some(Protection::Passphrase);
    }
    match label {
        "OPENSSH PRIVATE KEY" => {
            let rest = content.strip_prefix(b"openssh-key-v1\0")?;
            let (length, rest) = rest.split_first_chunk::<4>()?;
            let cipher = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            (content.len() >= 150).then_some(if cipher == b"none" { Protection::None } else { Protection::Passphrase })
        }
        // A packet of the secret-key kind, in the old form or the new one.
        "PGP PRIVATE KEY BLOCK" => {
            let tag = match content.first()? {
                first if first & 0xc0 == 0xc0 => first & 0x3f,
                first if first & 0x80 == 0x80 => (first >> 2) & 0x0f,
                _ => return None,
            };
            // Whether it needs a passphrase stands behind numbers of the public key; GnuPG exports none without asking for one.
            (tag == 5 && content.len() >= 100).then_some(Protection::None)
        }
        _ => {
            let is_rsa = label == "RSA PRIVATE KEY" || content.get(..40).is_some_and(|head| find(head, RSA).is_some());
            let is_whole = sequence(content)? <= content.len();
            let is_small = is_rsa && content.len() < SMALLEST_RSA;
            (is_whole && !is_small && content.len() >= 40).then_some(if label == "ENCRYPTED PRIVATE KEY" {
                Protection::Passphrase
            } else {
                Protection::None
            })
        }
    }
}

/// The object identifier of RSA keys.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// How many bytes the DER sequence at the beginning takes.
fn sequence(content: &[u8]) -> Option<usize> {
    match content {
        [0x30, 0x82, high, low, ..] => Some(4 + usize::from(u16::from_be_bytes([*high, *low]))),
        [0x30, 0x81, length, ..] => Some(3 + usize::from(*length)),
        [0x30, length @ 0..=0x7f, ..] => Some(2 + usize::from(*length)),
        _ => None,
    }
}

fn putty(text: &[u8], start: usize) -> Option<PrivateKey> {
    let rest = text.get(start..)?;
    let rest = rest.get(..MOST).unwrap_or(rest);
    // What stands behind the next mark belongs to that one.
    let next = rest.get(1..).and_then(|rest| find(rest, b"PuTTY-User-Key-File-"));
    let rest = next.and_then(|next| rest.get(..=next)).unwrap_or(rest);
    let private = find(rest, b"Private-Lines:")?;
    let end = find(rest, b"Private-MAC:")?;
    let head = rest.get(..private)?;
    let protection = if find(head, b"Encryption: none").is_some() { Protection::None } else { Protection::Passphrase };
    (end > private + 40).then(|| PrivateKey { kind: "PuTTY private key", protection, range: start..start + end })
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|part| part == word)
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;

    use super::*;

    /// A DER sequence of `size` bytes in all that begins with these.
    fn der(size: usize, start: &[u8]) -> Vec<u8> {
        let rest = u16::try_from(size - 4).unwrap().to_be_bytes();
        let mut bytes = vec![0x30, 0x82, rest[0], rest[1]];
        bytes.extend_from_slice(start);
        bytes.extend((0_u8..=255).cycle().take(size - bytes.len()));
        bytes
    }

    fn block(label: &str, headers: &str, content: &[u8]) -> String {
        let coded = BASE64_STANDARD.encode(content);
        let lines: Vec<_> = coded.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        format!("-----BEGIN {label}-----\n{headers}{}\n-----END {label}-----\n", lines.join("\n"))
    }

    #[test]
    fn keys_are_told_by_their_structure() {
        let check = |text: &str, expected: Option<(&str, Protection)>| {
            let found = private_keys(text.as_bytes());
            assert_eq!(found.first().map(|key| (key.kind, key.protection)), expected, "{text}");
        };
        let (none, passphrase) = (Protection::None, Protection::Passphrase);
        let rsa = block("RSA PRIVATE KEY", "", &der(1_190, &[2, 1, 0]));
        check(&rsa, Some(("RSA private key", none)));
        check(&rsa.replace('\n', "\r\n"), Some(("RSA private key", none)));
        check(&format!("{{\"private_key\": \"{}\"}}", rsa.replace('\n', "\\n")), Some(("RSA private key", none)));
        let lines: Vec<_> = rsa.lines().map(|line| format!("    \"{line}\\n\" +")).collect();
        check(&lines.join("\n"), Some(("RSA private key", none)));
        check(&block("PRIVATE KEY", "", &der(1_200, RSA)), Some(("private key", none)));
        check(&block("EC PRIVATE KEY", "", &der(121, &[2, 1, 1])), Some(("EC private key", none)));
        check(&block("ENCRYPTED PRIVATE KEY", "", &der(1_300, &[0x30])), Some(("private key", passphrase)));
        let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n";
        check(&block("RSA PRIVATE KEY", headers, &[7; 1_200]), Some(("RSA private key", passphrase)));
        let mut ssh = b"openssh-key-v1\0\0\0\0\x04none".to_vec();
        ssh.extend([9; 300]);
        check(&block("OPENSSH PRIVATE KEY", "", &ssh), Some(("OpenSSH private key", none)));
        let mut ssh = b"openssh-key-v1\0\0\0\0\x0aaes256-ctr".to_vec();
        ssh.extend([9; 300]);
        check(&block("OPENSSH PRIVATE KEY", "", &ssh), Some(("OpenSSH private key", passphrase)));
        let mut pgp = vec![0x95, 0x03];
        pgp.extend([9; 300]);
        check(&block("PGP PRIVATE KEY BLOCK", "Version: 1\n\n", &pgp), Some(("PGP private key", none)));
        let putty = format!("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\n{}\nPrivate-MAC: 00\n", "A".repeat(64));
        check(&putty, Some(("PuTTY private key", none)));
    }

    #[test]
    fn marks_examples_and_halves_are_no_keys() {
        let check = |text: &str| assert_eq!(private_keys(text.as_bytes()), Vec::new(), "{text}");
        check("grep -q -----BEGIN RSA PRIVATE KEY----- f");
        check("-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----");
        check("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END RSA PRIVATE KEY-----");
        check(&block("PUBLIC KEY", "", &der(300, RSA)));
        check(&block("CERTIFICATE", "", &der(900, RSA)));
        check(&block("RSA PRIVATE KEY", "", &der(320, &[2, 1, 0])));
        check(&block("PRIVATE KEY", "", &[7; 1_200]));
        let whole = block("RSA PRIVATE KEY", "", &der(1_190, &[2, 1, 0]));
        check(whole.get(..900).unwrap());
        check(&whole.replace("END RSA", "END EC"));
        assert_eq!(private_keys(whole.repeat(300).as_bytes()).len(), KEYS);
    }

    #[test]
    fn marks_without_an_end_hide_nothing_and_cost_nothing() {
        let whole = block("RSA PRIVATE KEY", "", &der(1_190, &[2, 1, 0]));
        // Searched for their ends as far as a block may reach, so many marks would take minutes.
        for mark in ["-----BEGIN RSA PRIVATE KEY-----\n", "PuTTY-User-Key-File-2: x\n", "-----BEGIN RSA PRIVATE KEY----------END "] {
            let marks = mark.repeat((1 << 20) / mark.len());
            let found = private_keys(format!("{marks}\n{whole}").as_bytes());
            assert_eq!(found.iter().map(|key| key.kind).collect::<Vec<_>>(), ["RSA private key"], "{mark}");
        }
        let putty = format!("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPrivate-Lines: 1\n{}\nPrivate-MAC: 00\n", "A".repeat(64));
        assert_eq!(private_keys(putty.repeat(2).as_bytes()).len(), 2);
    }
}
