//! RubyGems: the order of `Gem::Version` (<https://docs.ruby-lang.org/en/master/Gem/Version.html>). A dash means a pre-release, words are below
//! numbers, and zeros at the end of the numbers, or of the whole, do not count. The platform of a gem's file name is no part of its version:
//! whoever reads such names cuts it off.

use std::cmp::Ordering;

use super::digits;

/// A parsed version: its canonical segments, with dots between them.
#[derive(Debug, Clone)]
pub(super) struct Version(String);

impl Version {
    /// Parses a version; the tool takes an empty text for 0, which no installed gem has.
    pub(super) fn parse(text: &str) -> Option<Self> {
        is_correct(text).then(|| Self(canonical(text)))
    }

    /// Compares two versions; what one lacks is 0.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (mut a, mut b) = (self.0.split('.'), other.0.split('.'));
        loop {
            let (x, y) = match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (x, y) => (x.unwrap_or("0"), y.unwrap_or("0")),
            };
            let order = match (is_number(x), is_number(y)) {
                (true, true) => digits::compare(x.as_bytes(), y.as_bytes()),
                (false, false) => x.cmp(y),
                (x, y) => x.cmp(&y),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
    }
}

/// `digits{.alphanumerics}[-alphanumerics{.alphanumerics}]`, where the part after the dash may hold more dashes.
fn is_correct(text: &str) -> bool {
    let (release, pre) = text.split_once('-').map_or((text, None), |(release, pre)| (release, Some(pre)));
    let of = |part: &str, extra: fn(u8) -> bool| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra(byte));
    let mut parts = release.split('.');
    parts.next().is_some_and(digits::are_all)
        && parts.all(|part| of(part, |_| false))
        && pre.is_none_or(|pre| pre.split('.').all(|part| of(part, |byte| byte == b'-')))
}

fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // Where the last number that counts ended: zeros are cut there before the first word, and at the end.
    let mut kept = 0;
    let mut in_numbers = true;
    let mut push = |out: &mut String, segment: &str| {
        let number = is_number(segment);
        if !number && in_numbers {
            in_numbers = false;
            out.truncate(kept);
        }
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(segment);
        if !number || !digits::are_zero(segment.as_bytes()) {
            kept = out.len();
        }
        kept
    };
    let mut end = 0;
    for (at, part) in text.split('-').enumerate() {
        if at > 0 {
            end = push(&mut out, "pre");
        }
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let same = |ch: char| if first.is_ascii_digit() { ch.is_ascii_digit() } else { ch.is_ascii_alphabetic() };
            let length = rest.find(|ch| !same(ch)).unwrap_or(rest.len());
            let (segment, after) = rest.split_at_checked(length.max(first.len_utf8())).unwrap_or((rest, ""));
            if length > 0 {
                end = push(&mut out, segment);
            }
            rest = after;
        }
    }
    out.truncate(end);
    out
}

fn is_number(segment: &str) -> bool {
    segment.starts_with(|first: char| first.is_ascii_digit())
}
