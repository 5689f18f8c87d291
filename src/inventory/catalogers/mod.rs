//! The catalogers, one file per package record format.

mod apk;
mod dpkg;
mod jar;
mod jdk;
mod npm;
mod pypi;
mod rpm;

use crate::inventory::Cataloger;

/// Every cataloger, sorted by id.
pub const CATALOGERS: &[&dyn Cataloger] = &[&apk::Apk, &dpkg::Dpkg, &jar::Jar, &jdk::Jdk, &npm::Npm, &pypi::Pypi, &rpm::Rpm];

/// Whether records are looked for in a folder of this name, so that a link in its place must lead to some.
pub(super) fn holds_records(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
        ("node_modules", _, _) | ("dpkg" | "apk", "lib", _) | ("status.d", "dpkg", _) | ("db", "apk", _) => true,
        ("rpm", "lib", "var") | ("rpm", "sysimage", _) => true,
        (name, "node_modules", _) => !name.starts_with('.'),
        (name, scope, "node_modules") if scope.starts_with('@') => !name.starts_with('.'),
        (name, _, _) => [".dist-info", ".egg-info", ".egg"].iter().any(|end| name.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(CATALOGERS.is_sorted_by(|a, b| a.id() < b.id()));
    }
}
