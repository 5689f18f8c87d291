//! Every rule: one file each, one list.

use super::rule::Rule;

/// The rules, sorted by id.
pub(super) const RULES: &[&dyn Rule] = &[];
