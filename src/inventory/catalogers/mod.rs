//! The catalogers, one file per package record format.

mod apk;
mod cocoapods;
mod conan;
mod conda;
mod dart;
mod dpkg;
mod embedded_sbom;
mod erlang;
mod haskell;
mod lua;
mod npm;
mod opam;
mod perl;
mod pypi;
mod r;
mod rpm;
mod swift;

use crate::inventory::Cataloger;

/// The id of the cataloger whose packages stand back behind those that package managers recorded.
pub(super) const EMBEDDED_SBOM: &str = embedded_sbom::ID;

/// Every cataloger, sorted by id.
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &apk::Apk,
    &cocoapods::Cocoapods,
    &conan::Conan,
    &conda::Conda,
    &dart::Dart,
    &dpkg::Dpkg,
    &embedded_sbom::EmbeddedSbom,
    &erlang::Erlang,
    &haskell::Haskell,
    &lua::Lua,
    &npm::Npm,
    &opam::Opam,
    &perl::Perl,
    &pypi::Pypi,
    &r::R,
    &rpm::Rpm,
    &swift::Swift,
];

/// Whether records are looked for in a folder of this name, so that a link in its place must lead to some.
pub(super) fn holds_records(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
        ("node_modules", _, _) | ("dpkg" | "apk", "lib", _) | ("status.d", "dpkg", _) | ("db", "apk", _) => true,
        ("rpm", "lib", "var") | ("rpm", "sysimage", _) => true,
        ("conda-meta" | "ebin" | "package.conf.d" | "site-library", _, _) | ("library", "R", _) => true,
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
