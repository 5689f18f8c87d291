//! CRAN: R's `package_version`, at least two numbers with `.` or `-` between them
//! (<https://stat.ethz.ch/R-manual/R-devel/library/base/html/numeric_version.html>). `1.8` is below `1.8.0`.

use std::cmp::Ordering;

use super::digits;

/// A parsed version.
#[derive(Debug, Clone)]
pub(super) struct Version(Box<str>);

impl Version {
    /// Parses a version.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let has_two = text.contains(is_separator);
        (has_two && text.split(is_separator).all(digits::are_all)).then(|| Self(text.into()))
    }

    /// Compares two versions.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        digits::compare_lists(&self.0, &other.0, is_separator)
    }
}

fn is_separator(ch: char) -> bool {
    matches!(ch, '.' | '-')
}
