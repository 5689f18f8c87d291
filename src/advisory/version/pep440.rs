//! PEP 440: Python's version order (<https://packaging.python.org/en/latest/specifications/version-specifiers/>), by the `pep440_rs` crate.

use std::str::FromStr as _;

/// Parses a PEP 440 version; the older free forms are none.
pub(super) fn parse(text: &str) -> Option<pep440_rs::Version> {
    pep440_rs::Version::from_str(text).ok()
}
