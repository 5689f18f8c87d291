//! dpkg: Debian's version order (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>), by the `debversion` crate.

use std::str::FromStr as _;

/// Parses a Debian version.
pub(super) fn parse(text: &str) -> Option<debversion::Version> {
    // dpkg itself reads underscores in old records, and the lenient grammar differs by nothing else.
    debversion::Version::from_str(text).or_else(|_| debversion::Version::parse_lenient(text)).ok()
}
