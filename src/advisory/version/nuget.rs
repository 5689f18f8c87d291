//! NuGet: semantic versioning with up to four numbers, of which missing ones are 0, with words of any case, and without metadata
//! (<https://learn.microsoft.com/en-us/nuget/concepts/package-versioning>). The order is the one of `NuGet.Versioning`, which takes a label for
//! a number only when it fits 32 bits; its bound on the numbers in front is not ours, as no order needs one.

use std::cmp::Ordering;

use super::digits;

const MAX_NUMBERS: usize = 4;

/// A parsed version: `numbers[-labels]`, without its metadata.
#[derive(Debug, Clone)]
pub(super) struct Version {
    text: Box<str>,
    numbers_end: usize,
}

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, metadata) = text.split_once('+').map_or((text, None), |(text, metadata)| (text, Some(metadata)));
        let numbers_end = text.find('-').unwrap_or(text.len());
        let (numbers, labels) = text.split_at_checked(numbers_end)?;
        let are_labels = |list: &str| {
            list.split('.').all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
        };
        let is_version = numbers.split('.').all(digits::are_all)
            && numbers.split('.').count() <= MAX_NUMBERS
            && labels.get(1..).is_none_or(are_labels)
            && metadata.is_none_or(are_labels);
        is_version.then(|| Self { text: text.into(), numbers_end })
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let (numbers, labels) = self.parts();
        let (other_numbers, other_labels) = other.parts();
        let (mut a, mut b) = (numbers.split('.'), other_numbers.split('.'));
        for _ in 0..MAX_NUMBERS {
            let order = digits::compare(a.next().unwrap_or_default().as_bytes(), b.next().unwrap_or_default().as_bytes());
            if order != Ordering::Equal {
                return order;
            }
        }
        match (labels, other_labels) {
            (Some(a), Some(b)) => compare_labels(a, b),
            // A release is above its pre-releases.
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    fn parts(&self) -> (&str, Option<&str>) {
        (self.text.get(..self.numbers_end).unwrap_or_default(), self.text.get(self.numbers_end + 1..))
    }
}

fn compare_labels(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (Some(x), Some(y)) => match (x.parse::<i32>(), y.parse::<i32>()) {
                (Ok(x), Ok(y)) => x.cmp(&y),
                (Err(_), Err(_)) => x.bytes().map(|byte| byte.to_ascii_uppercase()).cmp(y.bytes().map(|byte| byte.to_ascii_uppercase())),
                (x, y) => y.is_ok().cmp(&x.is_ok()),
            },
            (None, None) => return Ordering::Equal,
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
