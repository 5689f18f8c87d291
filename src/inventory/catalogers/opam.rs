//! `opam`: OCaml packages that opam installed, told from where their records stand.
//! Specification: <https://opam.ocaml.org/doc/Manual.html#Switch-layout>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Finds `.opam-switch/packages/NAME.VERSION/opam`.
pub(super) struct Opam;

impl Cataloger for Opam {
    fn id(&self) -> &'static str {
        "opam"
    }

    fn wants(&self, path: &str) -> Want {
        if folder(path).is_some() { Want::Presence } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files(), context.limits().packages, |file| {
            let Some(folder) = folder(file.path) else { return Ok(None) };
            // Names hold no dot.
            let (name, version) = folder
                .split_once('.')
                .filter(|(name, version)| !name.is_empty() && !version.is_empty())
                .ok_or_else(|| CatalogError("stands in a folder without name and version".to_owned()))?;
            let purl = PackageUrl::new(PackageKind::Opam, None, name, Some(version), &BTreeMap::new());
            let package = Package::new(PackageKind::Opam, name.to_owned(), version.to_owned(), purl, "opam");
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// The folder of one package in a switch.
fn folder(path: &str) -> Option<&str> {
    let mut parts = path.rsplit('/');
    let (name, folder, packages, switch) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (name == "opam" && packages == "packages" && switch == ".opam-switch").then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn packages_are_told_by_their_folders() {
        let found = fixture::catalog(
            &Opam,
            &[
                ("root/.opam/default/.opam-switch/packages/mooring.1.2.0/opam", "opam/opam"),
                ("root/.opam/default/.opam-switch/packages/broken/opam", "opam/opam"),
                ("root/.opam/repo/default/packages/bilge/bilge.0.3/opam", "opam/opam"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:opam/mooring@1.2.0"]);
        assert_eq!(found.gaps.len(), 1);
    }
}
