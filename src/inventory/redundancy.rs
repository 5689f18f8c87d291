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
        ("cargo-lock", _) => !is_installed(package) && !paths(package).all(|lock| built.contains(lock)),
        (_, Basis::Declared) => !is_installed(package),
        _ => true,
    });
}

/// The Cargo.lock files that a program below their folder was built from: it lists its own crates, and all of them are in the lock file, which also
/// names those of every other platform and of tests. A program that only stands there says nothing of the lock file.
fn built_locks(packages: &[Package]) -> BTreeSet<String> {
    let crates = |found_by: &str| {
        let mut by_path: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.found_by == found_by && package.basis != Basis::Application) {
            for path in paths(package) {
                by_path.entry(path).or_default().insert((package.purl.without_version(), package.version.as_str()));
            }
        }
        by_path
    };
    let programs = crates("rust-binary");
    let is_built = |lock: &str, wanted: &BTreeSet<(&str, &str)>| {
        let folder = lock.strip_suffix("Cargo.lock").unwrap_or(lock);
        // The root folder is nobody's project: everything is below it.
        let below = programs.range(folder..).take_while(|(program, _)| program.starts_with(folder) && !folder.is_empty());
        below.into_iter().any(|(_, own)| own.is_subset(wanted))
    };
    crates("cargo-lock").iter().filter(|(lock, wanted)| is_built(lock, wanted)).map(|(lock, _)| (*lock).to_owned()).collect()
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
            at("srv/a/Cargo.lock", package("d", "1", "cargo-lock", Basis::Declared, None)),
            at("srv/a/Cargo.lock", package("e", "1", "cargo-lock", Basis::Declared, None)),
            at("srv/b/Cargo.lock", package("d", "1", "cargo-lock", Basis::Declared, None)),
            at("srv/b/Cargo.lock", package("f", "1", "cargo-lock", Basis::Declared, None)),
            at("srv/a/bin/d", package("d", "1", "rust-binary", Basis::Installed, None)),
            // Built from something else.
            at("srv/c/bin/tool", package("d", "1", "rust-binary", Basis::Installed, None)),
            at("srv/c/bin/tool", package("g", "9", "rust-binary", Basis::Installed, None)),
            at("srv/c/Cargo.lock", package("d", "1", "cargo-lock", Basis::Declared, None)),
            at("srv/c/Cargo.lock", package("h", "1", "cargo-lock", Basis::Declared, None)),
            at("Cargo.lock", package("k", "1", "cargo-lock", Basis::Declared, None)),
        ]);
        drop_redundant(&mut packages);
        let left: Vec<_> = packages.iter().map(|package| format!("{}@{} {}", package.name, package.version, package.found_by)).collect();
        assert_eq!(left, ["a@1 npm", "a@2 npm", "b@2 npm", "node@8 binary", "c@1 npm", "c@1 npm", "f@1 cargo-lock", "d@1 rust-binary", "d@1 rust-binary", "g@9 rust-binary", "h@1 cargo-lock", "k@1 cargo-lock"]);
    }
}
