//! `cocoapods`: what `Podfile.lock` declares. Specification: <https://guides.cocoapods.org/using/using-cocoapods.html#what-is-podfilelock>.

use std::collections::BTreeMap;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found,
        lockfile::{self, LockFiles},
    },
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads the `PODS:` of `Podfile.lock`.
pub(super) struct Cocoapods;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: |_| false, parse };

impl Cataloger for Cocoapods {
    fn id(&self) -> &'static str {
        "cocoapods"
    }

    fn wants(&self, path: &str) -> Want {
        if is_lock(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        LOCKS.catalog(context, &mut found);
        found
    }
}

fn is_lock(path: &str) -> bool {
    path == "Podfile.lock" || path.ends_with("/Podfile.lock")
}

/// Lines `  - Name/Part (1.0):`; parts of one pod have its version.
fn parse(_path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let text = String::from_utf8_lossy(bytes);
    let (mut pods, mut is_inside, mut any, mut broken) = (BTreeMap::new(), false, false, 0);
    for line in text.lines() {
        if !line.starts_with([' ', '-']) {
            is_inside = line.trim_end() == "PODS:";
            any |= is_inside;
        }
        let Some(item) = line.strip_prefix("  - ").filter(|_| is_inside) else { continue };
        let item = item.trim().trim_end_matches(':').trim_matches('"');
        match item.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
            Some((name, version)) if pods.len() <= context.limits().packages => {
                pods.insert(name.split('/').next().unwrap_or(name).to_owned(), version.to_owned());
            }
            Some(_) => {}
            None => broken += 1,
        }
    }
    let packages = pods
        .into_iter()
        .map(|(name, version)| {
            let purl = PackageUrl::new(PackageKind::Cocoapods, None, &name, Some(&version), &BTreeMap::new());
            Package::new(PackageKind::Cocoapods, name, version, purl, "cocoapods")
        })
        .collect();
    let error = (!any && !text.trim().is_empty()).then(|| CatalogError("holds no `PODS:`".to_owned()));
    (packages, error.or_else(|| lockfile::dropped(broken, "have a name without a version")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn lock_files_are_read() {
        let found = fixture::catalog(&Cocoapods, &[("app/Podfile.lock", "cocoapods/Podfile.lock"), ("app/Podfile", "cocoapods/malformed")]);
        assert_eq!(fixture::purls(&found), ["pkg:cocoapods/Bilge@0.3", "pkg:cocoapods/Mooring@1.2.0"]);
        assert_eq!(found.gaps, []);
        let found = fixture::catalog(&Cocoapods, &[("app/Podfile.lock", "cocoapods/malformed")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
    }
}
