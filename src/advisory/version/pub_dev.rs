//! pub: Dart's version order (<https://pub.dev/documentation/pub_semver/latest/pub_semver/Version-class.html>). It is semantic versioning, but
//! build metadata counts: `1.0.0` is below `1.0.0+build`. A leading `v` and more than three numbers, which records carry now and then, are read.

use std::cmp::Ordering;

use super::digits;

/// A parsed version.
#[derive(Debug, Clone)]
pub(super) struct Version {
    text: Box<str>,
    /// Where the numbers and where the pre-release end.
    ends: (usize, usize),
}

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let pre_end = text.find('+').unwrap_or(text.len());
        let (before, build) = text.split_at_checked(pre_end)?;
        let numbers_end = before.find('-').unwrap_or(pre_end);
        let (numbers, pre) = before.split_at_checked(numbers_end)?;
        let are_numbers = numbers.split('.').all(digits::are_all) && numbers.split('.').count() >= 3;
        (are_numbers && are_identifiers(pre) && are_identifiers(build)).then(|| Self { text: text.into(), ends: (numbers_end, pre_end) })
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (numbers, pre, build) = self.parts();
        let (other_numbers, other_pre, other_build) = other.parts();
        digits::compare_lists(numbers, other_numbers, |ch| ch == '.')
            // A release is above its pre-releases, but below its builds.
            .then_with(|| pre.is_empty().cmp(&other_pre.is_empty()))
            .then_with(|| identifiers(pre, other_pre))
            .then_with(|| identifiers(build, other_build))
    }

    fn parts(&self) -> (&str, &str, &str) {
        let (numbers, pre) = self.ends;
        let part = |range: std::ops::Range<usize>| self.text.get(range).unwrap_or_default();
        (part(0..numbers), part(numbers..pre), part(pre..self.text.len()))
    }
}

/// Whether a part is nothing, or its sign and identifiers with dots between them.
fn are_identifiers(part: &str) -> bool {
    let Some(list) = part.get(1..) else { return part.is_empty() };
    list.split('.').all(|identifier| !identifier.is_empty() && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

/// Compares two parts, signs and all: numbers below words, and a list above its beginning.
fn identifiers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = match (a.get(1..), b.get(1..)) {
        (Some(a), Some(b)) => (a.split('.'), b.split('.')),
        (a, b) => return a.is_some().cmp(&b.is_some()),
    };
    loop {
        let order = match (a.next(), b.next()) {
            (Some(x), Some(y)) => match (digits::are_all(x), digits::are_all(y)) {
                (true, true) => digits::compare(x.as_bytes(), y.as_bytes()),
                (false, false) => x.cmp(y),
                (x, y) => y.cmp(&x),
            },
            (None, None) => return Ordering::Equal,
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
