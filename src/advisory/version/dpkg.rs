//! dpkg: Debian's version order, `[epoch:]upstream[-revision]`
//! (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>). A missing epoch or revision is 0.

use std::cmp::Ordering;

use super::digits;

/// dpkg keeps epochs in a C `int`.
const MAX_EPOCH: u32 = 0x7fff_ffff;

/// A parsed version: everything behind the epoch, kept or borrowed, and where its revision begins.
#[derive(Debug, Clone)]
pub(super) struct Version<T = Box<str>> {
    epoch: u32,
    text: T,
    upstream_end: usize,
}

impl<T: AsRef<str>> Version<T> {
    /// Parses a version. Policy demands a digit after the epoch, and dpkg warns without one: the order of such a text says nothing. Underscores,
    /// which dpkg itself reads in old records, are the only other characters than policy's.
    pub(super) fn parse<'a>(text: &'a str) -> Option<Self>
    where
        T: From<&'a str>,
    {
        let (epoch, text) = match text.split_once(':') {
            Some((epoch, rest)) if digits::are_all(epoch) => (epoch.parse().ok().filter(|epoch| *epoch <= MAX_EPOCH)?, rest),
            Some(_) => return None,
            None => (0, text),
        };
        let upstream_end = text.rfind('-').unwrap_or(text.len());
        let has_empty_revision = upstream_end + 1 == text.len();
        let is_version = text.starts_with(|first: char| first.is_ascii_digit())
            && !has_empty_revision
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-:_".contains(&byte))
            && text.get(upstream_end..).is_some_and(|revision| !revision.contains(':'));
        is_version.then(|| Self { epoch, text: text.into(), upstream_end })
    }

    /// Compares two versions.
    pub(super) fn compare<U: AsRef<str>>(&self, other: &Version<U>) -> Ordering {
        let (upstream, revision) = self.parts();
        let (other_upstream, other_revision) = other.parts();
        self.epoch.cmp(&other.epoch).then_with(|| compare(upstream, other_upstream)).then_with(|| compare(revision, other_revision))
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        let text = self.text.as_ref().as_bytes();
        let part = |range| text.get(range).unwrap_or_default();
        (part(0..self.upstream_end), part((self.upstream_end + 1).min(text.len())..text.len()))
    }
}

/// Compares two parts: by turns the characters up to the next digit, and a number. The end of a part is an empty number.
fn compare(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        loop {
            let (x, y) = (a.first().copied(), b.first().copied());
            if weight(x) != weight(y) {
                return weight(x).cmp(&weight(y));
            }
            if weight(x) == 0 {
                break;
            }
            (a, b) = (a.get(1..).unwrap_or_default(), b.get(1..).unwrap_or_default());
        }
        let (x, y) = (leading_digits(a), leading_digits(b));
        match digits::compare(x, y) {
            Ordering::Equal => (a, b) = (a.get(x.len()..).unwrap_or_default(), b.get(y.len()..).unwrap_or_default()),
            order => return order,
        }
    }
    Ordering::Equal
}

/// Tilde, then the end and digits, then letters, then the rest.
fn weight(byte: Option<u8>) -> i16 {
    match byte {
        Some(b'~') => -1,
        None | Some(b'0'..=b'9') => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i16::from(letter),
        Some(other) => i16::from(other) + 256,
    }
}

fn leading_digits(text: &[u8]) -> &[u8] {
    text.get(..text.iter().take_while(|byte| byte.is_ascii_digit()).count()).unwrap_or_default()
}
