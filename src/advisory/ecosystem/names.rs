//! Names of packages in the form in which the index holds them, one rule for each ecosystem (advisories.md R12). Builder and matcher use the same
//! function, so that a name is one name.

use std::borrow::Cow;

use crate::model::package::{PackageKind, pypi_name};

/// A package name in the form in which the index holds it.
#[must_use]
pub fn index_name(kind: PackageKind, name: &str) -> Cow<'_, str> {
    match kind {
        PackageKind::Pypi => Cow::Owned(pypi_name(name)),
        PackageKind::Nuget | PackageKind::Composer | PackageKind::Hex | PackageKind::Pub => lower(name),
        PackageKind::Maven => Cow::Borrowed(without_repository(name)),
        PackageKind::Swift => swift_name(name),
        _ => Cow::Borrowed(name),
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { Cow::Owned(name.to_ascii_lowercase()) } else { Cow::Borrowed(name) }
}

/// Some records name the repository behind `group:artifact`; an image does not say from which one a jar came.
fn without_repository(name: &str) -> &str {
    let second = name.match_indices(':').nth(1).map(|(at, _)| at);
    second.and_then(|at| name.get(..at)).unwrap_or(name)
}

/// Swift packages are addresses of repositories, in any case, with and without `https://` and `.git`.
fn swift_name(name: &str) -> Cow<'_, str> {
    let bare = name.split_once("://").map_or(name, |(_, rest)| rest).trim_end_matches('/');
    lower(bare.strip_suffix(".git").unwrap_or(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r12_names_are_normal_in_one_place() {
        for (kind, name, expected) in [
            (PackageKind::Pypi, "Bilge_.Pump", "bilge-pump"),
            (PackageKind::Pypi, "bilge.pump", "bilge-pump"),
            (PackageKind::Npm, "@Harbour/Left-Anchor", "@Harbour/Left-Anchor"),
            (PackageKind::Golang, "github.com/BurntSushi/toml", "github.com/BurntSushi/toml"),
            (PackageKind::Maven, "org.keel:mast", "org.keel:mast"),
            (PackageKind::Maven, "org.Keel:mast:https://repo.example.org/", "org.Keel:mast"),
            (PackageKind::Nuget, "Harbour.Json", "harbour.json"),
            (PackageKind::Composer, "Harbour/Log", "harbour/log"),
            (PackageKind::Swift, "https://github.com/Keel/Mast.git", "github.com/keel/mast"),
            (PackageKind::Gem, "Ascii85", "Ascii85"),
            (PackageKind::Cargo, "Inflector", "Inflector"),
        ] {
            assert_eq!(index_name(kind, name), expected, "{kind:?} {name}");
        }
    }
}
