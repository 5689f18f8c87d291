//! npm: the order of node-semver (<https://github.com/npm/node-semver>), which is the one of semantic versioning. The order alone: npm's range
//! rule for pre-releases has no place in advisories. What its strict grammar refuses is none: `1.02.3`, `1.2.3beta`, and numbers that
//! JavaScript cannot hold.

use super::semver;

/// The largest number that JavaScript counts up to.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Parses an npm version.
pub(super) fn parse(text: &str) -> Option<::semver::Version> {
    semver::parse(text.trim())
        .filter(|version| [version.major, version.minor, version.patch].into_iter().all(|part| part <= MAX_SAFE_INTEGER))
}
