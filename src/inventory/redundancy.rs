//! All packages that were found in, those that only repeat others out: two records of one thing are one thing, and the better one stays.

use std::collections::BTreeSet;

use crate::model::{
    location::Location,
    package::{Basis, Package},
};

/// Drops what a lock file wants and an installed record shows, and programs that an OS package brought.
pub(super) fn drop_redundant(packages: &mut Vec<Package>) {
    // The same version only: an application may well bundle another one than what is installed elsewhere in the image.
    let installed: BTreeSet<(String, String)> = packages
        .iter()
        .filter(|package| package.basis == Basis::Installed)
        .map(|package| (package.purl.without_version().to_owned(), package.version.clone()))
        .collect();
    let is_installed = |package: &Package| installed.contains(&(package.purl.without_version().to_owned(), package.version.clone()));
    // A Cargo.lock names the crates of every platform and test; beside a program that lists its own crates it has nothing to add.
    let built: BTreeSet<Location> = packages
        .iter()
        .filter(|package| package.found_by == "cargo-lock" && is_installed(package))
        .flat_map(|package| package.locations.iter().cloned())
        .collect();
    packages.retain(|package| match (package.found_by, package.basis) {
        // The distribution's own package is listed and judged.
        ("binary", _) => package.owner.is_none(),
        ("cargo-lock", _) => !package.locations.iter().any(|location| built.contains(location)),
        (_, Basis::Declared) => !is_installed(package),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::package::{PackageKind, PackageUrl};

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
        let mut packages = vec![
            package("a", "1", "npm", Basis::Installed, None),
            package("a", "1", "npm", Basis::Declared, None),
            package("a", "2", "npm", Basis::Declared, None),
            package("b", "2", "npm", Basis::Declared, None),
            package("curl", "8", "binary", Basis::Guessed, Some("curl")),
            package("node", "8", "binary", Basis::Guessed, None),
        ];
        drop_redundant(&mut packages);
        let left: Vec<_> = packages.iter().map(|package| format!("{}@{} {}", package.name, package.version, package.found_by)).collect();
        assert_eq!(left, ["a@1 npm", "a@2 npm", "b@2 npm", "node@8 binary"]);
    }
}
