//! rpm: the order of librpm's labels, `[epoch:]version[-release]` (<https://rpm-software-management.github.io/rpm/man/rpm-version.7>).
//! A missing epoch is 0.

use std::cmp::Ordering;

use super::digits;

/// A parsed label: its text, kept or borrowed, where the version begins, and where it ends.
#[derive(Debug, Clone)]
pub(super) struct Version<T = Box<str>> {
    text: T,
    start: usize,
    end: usize,
}

impl<T: AsRef<str>> Version<T> {
    /// Parses a label; only an empty text, or one that holds blanks or control characters, is none.
    pub(super) fn parse<'a>(text: &'a str) -> Option<Self>
    where
        T: From<&'a str>,
    {
        let is_apart = |ch: char| ch.is_whitespace() || ch.is_control();
        let has_blanks = if text.is_ascii() { text.bytes().any(|byte| is_apart(char::from(byte))) } else { text.contains(is_apart) };
        if text.is_empty() || has_blanks {
            return None;
        }
        let epoch = text.bytes().take_while(u8::is_ascii_digit).count();
        let start = if text.as_bytes().get(epoch) == Some(&b':') { epoch + 1 } else { 0 };
        let end = text.rfind('-').filter(|dash| *dash >= start).unwrap_or(text.len());
        Some(Self { text: text.into(), start, end })
    }

    /// Compares two labels.
    pub(super) fn compare<U: AsRef<str>>(&self, other: &Version<U>) -> Ordering {
        let (epoch, version, release) = self.parts();
        let (other_epoch, other_version, other_release) = other.parts();
        digits::compare(epoch, other_epoch).then_with(|| segments(version, other_version)).then_with(|| match (release, other_release) {
            (Some(a), Some(b)) => segments(a, b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
    }

    /// Epoch, version and release; an empty epoch is 0.
    fn parts(&self) -> (&[u8], &[u8], Option<&[u8]>) {
        let bytes = self.text.as_ref().as_bytes();
        (
            bytes.get(..self.start.saturating_sub(1)).unwrap_or_default(),
            bytes.get(self.start..self.end).unwrap_or_default(),
            bytes.get(self.end + 1..),
        )
    }
}

/// librpm's `rpmvercmp`.
fn segments(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = without_common_segments(a, b);
    one_by_one(a, b)
}

/// The same from the first segment on.
fn one_by_one(mut a: &[u8], mut b: &[u8]) -> Ordering {
    loop {
        a = without_separators(a);
        b = without_separators(b);
        match (a.strip_prefix(b"~"), b.strip_prefix(b"~")) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix(b"^"), b.strip_prefix(b"^")) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            // The caret is above the bare version and below any longer one.
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        let (Some(first), false) = (a.first(), b.is_empty()) else { break };
        let numeric = first.is_ascii_digit();
        let of_kind = |byte: &u8| if numeric { byte.is_ascii_digit() } else { byte.is_ascii_alphabetic() };
        let (x, rest_a) = split(a, of_kind);
        let (y, rest_b) = split(b, of_kind);
        if y.is_empty() {
            // Numbers are newer than letters.
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let order = if numeric { digits::compare(x, y) } else { x.cmp(y) };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    (!a.is_empty()).cmp(&!b.is_empty())
}

/// Both without the segments that they begin with alike, which most of them share: up to the last separator before they differ.
fn without_common_segments<'a>(a: &'a [u8], b: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let alike = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let common = a.get(..alike).unwrap_or_default().iter().rposition(is_separator).map_or(0, |at| at + 1);
    (a.get(common..).unwrap_or_default(), b.get(common..).unwrap_or_default())
}

fn is_separator(byte: &u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b'~' | b'^')
}

fn without_separators(text: &[u8]) -> &[u8] {
    split(text, is_separator).1
}

fn split(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| belongs(byte)).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn common_segments_decide_nothing(a in "[01a~^.é-]{0,9}", b in "[01a~^.é-]{0,9}", common in "[01a~^.é-]{0,6}") {
            let (a, b) = (common.clone() + &a, common + &b);
            prop_assert_eq!(segments(a.as_bytes(), b.as_bytes()), one_by_one(a.as_bytes(), b.as_bytes()), "{} {}", a, b);
        }
    }
}
