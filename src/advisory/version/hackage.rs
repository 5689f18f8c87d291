//! Hackage: Cabal's versions, numbers with dots between them (<https://hackage.haskell.org/package/Cabal-syntax/docs/Distribution-Version.html>).
//! `1.0` is below `1.0.0`; Cabal reads no number of more than nine digits, none with a leading zero, and no tags.

use std::cmp::Ordering;

use super::digits;

const MAX_DIGITS: usize = 9;

/// A parsed version.
#[derive(Debug, Clone)]
pub(super) struct Version(Box<str>);

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_number = |part: &str| digits::are_all(part) && part.len() <= MAX_DIGITS && (part == "0" || !part.starts_with('0'));
        text.split('.').all(is_number).then(|| Self(text.into()))
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        digits::compare_lists(&self.0, &other.0, |ch| ch == '.')
    }
}
