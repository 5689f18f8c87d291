//! dpkg: Debian's version order (<https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>), by the `debversion` crate.

use std::str::FromStr as _;

/// Parses a Debian version.
pub(super) fn parse(text: &str) -> Option<debversion::Version> {
    // Policy demands a digit after the epoch, and dpkg warns without one: the order of such a text says nothing.
    let (epoch, upstream) = text.split_once(':').unwrap_or(("0", text));
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) || !upstream.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    // dpkg itself reads underscores in old records, and the lenient grammar differs by nothing else.
    debversion::Version::from_str(text).or_else(|_| debversion::Version::parse_lenient(text)).ok()
}
