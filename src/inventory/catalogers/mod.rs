//! The catalogers, one file per package record format.

mod apk;
mod binary;
mod cargo_lock;
mod composer;
mod dotnet;
mod dotnet_binary;
mod dpkg;
mod gem;
mod go_binary;
mod jar;
mod native_image;
mod npm;
mod opkg;
mod pacman;
mod pear;
mod portage;
mod pypi;
mod rpm;
mod rpm_manifest;
mod rust_binary;

use crate::inventory::Cataloger;

/// Every cataloger, sorted by id.
pub const CATALOGERS: &[&dyn Cataloger] = &[
    &apk::Apk,
    &binary::Binary,
    &cargo_lock::CargoLock,
    &composer::Composer,
    &dotnet::Dotnet,
    &dotnet_binary::DotnetBinary,
    &dpkg::Dpkg,
    &gem::Gem,
    &go_binary::GoBinary,
    &jar::Jar,
    &native_image::NativeImage,
    &npm::Npm,
    &opkg::Opkg,
    &pacman::Pacman,
    &pear::Pear,
    &portage::Portage,
    &pypi::Pypi,
    &rpm::Rpm,
    &rpm_manifest::RpmManifest,
    &rust_binary::RustBinary,
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
