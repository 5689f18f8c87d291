//! The catalogers, one file per package record format.

mod apk;
mod binary;
mod cargo_lock;
mod cocoapods;
mod composer;
mod conan;
mod conda;
mod dart;
mod dotnet;
mod dotnet_binary;
mod dpkg;
mod embedded_sbom;
mod erlang;
mod gem;
mod go_binary;
mod haskell;
mod jar;
mod jdk;
mod lua;
mod native_image;
mod npm;
mod opam;
mod opkg;
mod pacman;
mod pear;
mod perl;
mod portage;
mod pypi;
mod r;
mod rpm;
mod rpm_manifest;
mod rust_binary;
mod swift;

use crate::inventory::Cataloger;

pub(super) use jar::JAR;

/// The id of the cataloger whose packages stand back behind those that package managers recorded.
pub(super) const EMBEDDED_SBOM: &str = embedded_sbom::ID;

/// Every cataloger, sorted by id.
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &apk::Apk,
    &binary::Binary,
    &cargo_lock::CargoLock,
    &cocoapods::Cocoapods,
    &composer::Composer,
    &conan::Conan,
    &conda::Conda,
    &dart::Dart,
    &dotnet::Dotnet,
    &dotnet_binary::DotnetBinary,
    &dpkg::Dpkg,
    &embedded_sbom::EmbeddedSbom,
    &erlang::Erlang,
    &gem::Gem,
    &go_binary::GoBinary,
    &haskell::Haskell,
    &jar::Jar,
    &jdk::Jdk,
    &lua::Lua,
    &native_image::NativeImage,
    &npm::Npm,
    &opam::Opam,
    &opkg::Opkg,
    &pacman::Pacman,
    &pear::Pear,
    &perl::Perl,
    &portage::Portage,
    &pypi::Pypi,
    &r::R,
    &rpm::Rpm,
    &rpm_manifest::RpmManifest,
    &rust_binary::RustBinary,
    &swift::Swift,
];

/// Whether records are looked for in a folder of this name, so that a link in its place must lead to some.
pub(super) fn holds_records(folder: &str) -> bool {
    let mut parts = folder.rsplit('/');
    match (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default()) {
        ("node_modules" | "specifications" | ".registry", _, _)
        | ("composer", "vendor", _)
        | ("dpkg" | "apk" | "opkg" | "pacman" | "rpmmanifest", "lib", _)
        | ("status.d", "dpkg", _)
        | ("db", "apk", _) => true,
        ("local", "pacman", "lib") | ("pkg", "db", "var") | ("info", "opkg", "lib") => true,
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
