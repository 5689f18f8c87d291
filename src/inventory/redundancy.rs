//! All packages that were found in, those that only repeat others out: two records of one thing are one thing, and the better one stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    location::Location,
    package::{Basis, Package},
};

/// Drops what a lock file wants and an installed record shows, and programs that an OS package brought.
pub(super) fn drop_redundant(packages: &mut Vec<Package>) {
    // The same version only: an application may well bundle another one than what is installed elsewhere in the image. What an OS package owns
    // does not count: others judge it.
    let installed: BTreeSet<(String, String)> = packages
        .iter()
        .filter(|package| package.basis == Basis::Installed && package.owner.is_none())
        .map(|package| (package.purl.without_version().to_owned(), package.version.clone()))
        .collect();
    let is_installed = |package: &Package| installed.contains(&(package.purl.without_version().to_owned(), package.version.clone()));
    let built = built_locks(packages);
    packages.retain(|package| match (package.found_by, package.basis) {
        // The distribution's own package is listed and judged.
        ("binary", _) => package.owner.is_none(),
        // Named only to find what was built from the lock file.
        ("cargo-lock", Basis::Application) => false,
        ("cargo-lock", _) => !is_installed(package) && !paths(package).all(|lock| built.contains(lock)),
        (_, Basis::Declared) => !is_installed(package),
        _ => true,
    });
}

/// The Cargo.lock files whose every own crate is in a program that was built from them: such a program lists its crates, and all of them are in the
/// lock file, which also names those of every other platform and of tests. Of a crate that no program lists, anything may be in the image.
fn built_locks(packages: &[Package]) -> BTreeSet<String> {
    let (locks, programs) = (Crates::by_path(packages, "cargo-lock"), Crates::by_path(packages, "rust-binary"));
    let is_built = |lock: &Crates<'_>| {
        let built = programs.values().filter(|program| !program.own.is_disjoint(&lock.own) && program.all.is_subset(&lock.all));
        let listed: BTreeSet<_> = built.flat_map(|program| program.all.iter().copied()).collect();
        !lock.own.is_empty() && lock.own.is_subset(&listed)
    };
    locks.into_iter().filter(|(_, lock)| is_built(lock)).map(|(path, _)| path.to_owned()).collect()
}

/// The crates that one file lists, by name and version.
#[derive(Default)]
struct Crates<'a> {
    /// What was built from a folder.
    own: BTreeSet<(&'a str, &'a str)>,
    all: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Crates<'a> {
    fn by_path(packages: &'a [Package], found_by: &str) -> BTreeMap<&'a str, Self> {
        let mut by_path: BTreeMap<&str, Self> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.found_by == found_by) {
            for path in paths(package) {
                let (crates, named) = (by_path.entry(path).or_default(), (package.name.as_str(), package.version.as_str()));
                crates.all.insert(named);
                if package.basis == Basis::Application {
                    crates.own.insert(named);
                }
            }
        }
        by_path
    }
}

fn paths(package: &Package) -> impl Iterator<Item = &str> {
    package.locations.iter().filter_map(|location| match location {
        Location::Image { path, .. } => Some(path.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        digest::Digest,
        package::{PackageKind, PackageUrl},
    };

    #[test]
    fn the_better_record_stays() {
        let package = |name: &str, version: &str, found_by, basis, owner: Option<&str>| Package {
            basis,
            owner: owner.map(str::to_owned),
            ..Package::new(
                PackageKind::Npm,
                name.to_owned(),
                version.to_owned(),
                PackageUrl::new(PackageKind::Npm, None, name, Some(version), &BTreeMap::new()),
                found_by,
            )
        };
        let at = |path: &str, package: Package| Package {
            locations: vec![Location::Image { layer: Digest::sha256_of(b""), index: 0, path: path.to_owned() }],
            ..package
        };
        let mut packages = vec![
            package("a", "1", "npm", Basis::Installed, None),
            package("a", "1", "npm", Basis::Declared, None),
            package("a", "2", "npm", Basis::Declared, None),
            package("b", "2", "npm", Basis::Declared, None),
            package("curl", "8", "binary", Basis::Guessed, Some("curl")),
            package("node", "8", "binary", Basis::Guessed, None),
        ];
        packages.extend([
            package("c", "1", "npm", Basis::Installed, Some("vendor")),
            package("c", "1", "npm", Basis::Declared, None),
            at("bin/one", package("one", "1", "rust-binary", Basis::Application, None)),
            at("bin/one", package("d", "1", "rust-binary", Basis::Installed, None)),
            // The program's own.
            at("src/Cargo.lock", package("one", "1", "cargo-lock", Basis::Application, None)),
            at("src/Cargo.lock", package("d", "1", "cargo-lock", Basis::Declared, None)),
            at("src/Cargo.lock", package("e", "1", "cargo-lock", Basis::Declared, None)),
            // Of another state of the program.
            at("old/Cargo.lock", package("one", "1", "cargo-lock", Basis::Application, None)),
            at("old/Cargo.lock", package("d", "2", "cargo-lock", Basis::Declared, None)),
            // With a second program, which may be anywhere.
            at("two/Cargo.lock", package("one", "1", "cargo-lock", Basis::Application, None)),
            at("two/Cargo.lock", package("two", "1", "cargo-lock", Basis::Application, None)),
            at("two/Cargo.lock", package("d", "1", "cargo-lock", Basis::Declared, None)),
            at("two/Cargo.lock", package("f", "1", "cargo-lock", Basis::Declared, None)),
            // Nothing of its own.
            at("Cargo.lock", package("k", "1", "cargo-lock", Basis::Declared, None)),
        ]);
        drop_redundant(&mut packages);
        let left: Vec<_> = packages.iter().map(|package| format!("{}@{} {}", package.name, package.version, package.found_by)).collect();
        let expected = ["a@1 npm", "a@2 npm", "b@2 npm", "node@8 binary", "c@1 npm", "c@1 npm"];
        let crates = ["one@1 rust-binary", "d@1 rust-binary", "d@2 cargo-lock", "f@1 cargo-lock", "k@1 cargo-lock"];
        assert_eq!(left, [&expected[..], &crates].concat());
    }
}
