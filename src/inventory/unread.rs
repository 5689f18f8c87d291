//! Package records of ecosystems that this version does not read. An image that holds some says so in a Gap, one per ecosystem.

use std::collections::BTreeMap;

use crate::{
    layers::FileView,
    model::coverage::{Gap, SourceId},
};

/// The ecosystem whose record this is, told from the path.
pub(super) fn ecosystem(path: &str) -> Option<&'static str> {
    Some(match path {
        "nix/var/nix/db/db.sqlite" => "Nix packages",
        "var/lib/chisel/manifest.wall" => "slices that chisel cut out of Ubuntu packages",
        "meta/snap.yaml" => "snap packages",
        _ if path.starts_with("var/lib/flatpak/") && path.ends_with("/metadata") => "flatpak packages",
        _ if path.starts_with("var/guix/") && path.ends_with("/db.sqlite") => "Guix packages",
        _ => return None,
    })
}

/// One Gap per ecosystem that is there and was not read.
pub(super) fn gaps(view: &FileView) -> Vec<Gap> {
    let mut seen: BTreeMap<&'static str, (usize, String)> = BTreeMap::new();
    for file in view.files() {
        if let Some(ecosystem) = ecosystem(file.path) {
            seen.entry(ecosystem).or_insert_with(|| (0, file.path.to_owned())).0 += 1;
        }
    }
    seen.into_iter()
        .map(|(ecosystem, (count, first))| {
            Gap::new(
                SourceId::Inventory,
                "unsupported-ecosystem",
                ecosystem,
                format!("{count} record files, such as `{first}`, are of a kind that this version does not read"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn records_that_nobody_reads_are_told() {
        let file = |path: &str| fixture::image(&[&[(path, b"x".to_vec())]]).0;
        for path in ["nix/var/nix/db/db.sqlite", "var/lib/chisel/manifest.wall", "var/lib/flatpak/app/a/current/active/metadata"] {
            let gaps = gaps(&file(path));
            assert_eq!(gaps.len(), 1, "{path}");
            assert!(gaps[0].reason.contains(path), "{path}");
        }
        assert!(gaps(&file("app/x.json")).is_empty());
    }
}
