//! `swift`: what `Package.resolved` declares; a compiled program says nothing of its packages.
//! Specification: <https://github.com/swiftlang/swift-package-manager/blob/main/Sources/PackageGraph/ResolvedPackagesStore.swift>.

use std::collections::BTreeMap;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found,
        json_cursor::Json,
        lockfile::{self, LockFiles},
    },
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `Package.resolved` of versions 1 to 3.
pub(super) struct Swift;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: |_| false, parse };

impl Cataloger for Swift {
    fn id(&self) -> &'static str {
        "swift"
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
    matches!(path.rsplit('/').next(), Some("Package.resolved" | ".package.resolved"))
}

fn parse(_path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let (mut packages, mut unversioned, mut any) = (Vec::new(), 0, false);
    let mut json = match Json::check(bytes, context.limits()) {
        Ok(json) => json,
        Err(error) => return (packages, Some(error)),
    };
    let most = context.limits().packages;
    let mut pins = |json: &mut Json<'_>| {
        any = true;
        json.each_item(|json| match pin(json) {
            Some(package) if packages.len() <= most => packages.push(package),
            Some(_) => {}
            None => unversioned += 1,
        });
    };
    json.each_key(|json, key| match key {
        "pins" => pins(json),
        "object" => json.each_key(|json, key| {
            if key == "pins" {
                pins(json);
            }
        }),
        _ => {}
    });
    let error = (!any).then(|| CatalogError("holds no pins".to_owned()));
    (packages, error.or_else(|| lockfile::dropped(unversioned, "are pinned to a branch or a revision and not to a version")))
}

fn pin(json: &mut Json<'_>) -> Option<Package> {
    let (mut identity, mut place, mut version) = (None, None, None);
    json.each_key(|json, key| match key {
        "identity" | "package" => identity = json.text(),
        "location" | "repositoryURL" => place = json.text(),
        "state" => json.each_key(|json, key| {
            if key == "version" {
                version = json.text();
            }
        }),
        _ => {}
    });
    let version = version?;
    // A package of a registry has a scope in its identity and no place.
    let path = place.map_or_else(|| identity.unwrap_or_default().replace('.', "/"), |place| repository(&place));
    let (namespace, name) = path.rsplit_once('/').map_or((None, path.as_str()), |(namespace, name)| (Some(namespace), name));
    let purl = PackageUrl::new(PackageKind::Swift, namespace, name, Some(&version), &BTreeMap::new());
    (!name.is_empty()).then(|| Package::new(PackageKind::Swift, path.clone(), version, purl, "swift"))
}

/// `https://user@host/a/b.git` and `git@host:a/b.git` are `host/a/b`.
fn repository(place: &str) -> String {
    let (rest, is_web) = place.split_once("://").map_or((place, false), |(_, rest)| (rest, true));
    let Some(rest) = lockfile::place(rest) else { return String::new() };
    let rest = if is_web { rest } else { rest.replacen(':', "/", 1) };
    let (host, path) = rest.split_once('/').unwrap_or((rest.as_str(), ""));
    let path = path.trim_end_matches('/');
    format!("{host}/{}", path.strip_suffix(".git").unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn pins_are_read() {
        for name in ["swift/v1.resolved", "swift/v3.resolved"] {
            let found = fixture::catalog(&Swift, &[("app/Package.resolved", name)]);
            assert_eq!(fixture::purls(&found), ["pkg:swift/code.example/quay/mooring@1.2.0"], "{name}");
            assert_eq!(found.packages[0].name, "code.example/quay/mooring");
            assert_eq!(found.gaps.len(), 1, "the pin to a branch, {name}");
        }
        assert!(fixture::catalog(&Swift, &[("app/Package.swift", "swift/v1.resolved")]).packages.is_empty());
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let found =
            fixture::catalog(&Swift, &[("a/Package.resolved", "swift/malformed.resolved"), ("b/Package.resolved", "conda/state.json")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 2));
    }

    #[test]
    fn repositories_are_short() {
        for place in ["https://user:x@code.example/a/b.git", "git@code.example:a/b.git", "ssh://git@code.example/a/b/"] {
            assert_eq!(repository(place), "code.example/a/b");
        }
    }
}
