//! npm: the order of node-semver (<https://github.com/npm/node-semver>), by the crate of that name. The order alone: npm's range rule for
//! pre-releases has no place in advisories.

/// Parses an npm version.
pub(super) fn parse(text: &str) -> Option<node_semver::Version> {
    node_semver::Version::parse(text).ok()
}
