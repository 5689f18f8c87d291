//! Semantic versioning 2.0 (<https://semver.org>), by the `semver` crate; a leading `v` is not part of the version.

/// Parses a semantic version.
pub(super) fn parse(text: &str) -> Option<semver::Version> {
    semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()
}
