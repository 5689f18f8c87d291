//! `dart`: what Dart's and Flutter's lock files declare; a compiled program says nothing of its packages.
//! Specification: <https://dart.dev/tools/pub/glossary#lockfile>, <https://github.com/dart-lang/language/blob/main/accepted/2.8/language-versioning/package-config-file-v2.md>.

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

/// Reads `pubspec.lock` and, from the names of folders in it, `.dart_tool/package_config.json`.
pub(super) struct Dart;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: |_| false, parse };

impl Cataloger for Dart {
    fn id(&self) -> &'static str {
        "dart"
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
    path == "pubspec.lock" || path.ends_with("/pubspec.lock") || path.ends_with(".dart_tool/package_config.json")
}

fn parse(path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let mut packages = Vec::new();
    let most = context.limits().packages;
    let mut add = |name: &str, version: &str| {
        if packages.len() <= most {
            let purl = PackageUrl::new(PackageKind::Pub, None, &name.to_ascii_lowercase(), Some(version), &BTreeMap::new());
            packages.push(Package::new(PackageKind::Pub, name.to_owned(), version.to_owned(), purl, "dart"));
        }
    };
    let error = match path.ends_with(".json") {
        true => Json::check(bytes, context.limits()).map(|json| parse_config(json, &mut add)).err(),
        false => parse_lock(bytes, &mut add),
    };
    (packages, error)
}

/// `packages:`, below it names, below them `version:` and `source:`, as pub writes them with two blanks for each level.
fn parse_lock(bytes: &[u8], add: &mut dyn FnMut(&str, &str)) -> Option<CatalogError> {
    let text = String::from_utf8_lossy(bytes);
    let (mut is_inside, mut any, mut unversioned) = (false, false, 0);
    let (mut name, mut version, mut is_hosted) = (None::<String>, None::<String>, false);
    for line in text.lines().chain(["end:"]) {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        let Some((key, value)) = line.trim().split_once(':').filter(|_| !line.trim_start().starts_with('#')) else { continue };
        let value = value.trim().trim_matches(['"', '\'']);
        if blanks <= 2 {
            match (name.take(), version.take()) {
                (Some(name), Some(version)) if is_hosted => add(&name, &version),
                (Some(_), None) => unversioned += 1,
                _ => {}
            }
            is_hosted = false;
        }
        match (blanks, key) {
            (0, _) => {
                is_inside = key == "packages";
                any |= is_inside;
            }
            (2, _) if is_inside => name = Some(key.trim_matches(['"', '\'']).to_owned()),
            (4, "version") if is_inside => version = Some(value.to_owned()).filter(|version| !version.is_empty()),
            // Folders and the SDK's own parts are no packages of the registry.
            (4, "source") if is_inside => is_hosted = matches!(value, "hosted" | "git"),
            _ => {}
        }
    }
    if !any && !bytes.trim_ascii().is_empty() {
        return Some(CatalogError("holds no `packages:`".to_owned()));
    }
    lockfile::dropped(unversioned, "have a name without a version")
}

/// The version is behind the name of the folder in the cache of downloaded packages.
fn parse_config(mut json: Json<'_>, add: &mut dyn FnMut(&str, &str)) {
    json.each_key(|json, key| {
        if key != "packages" {
            return;
        }
        json.each_item(|json| {
            let (mut name, mut root) = (None, None);
            json.each_key(|json, key| match key {
                "name" => name = json.text(),
                "rootUri" => root = json.text(),
                _ => {}
            });
            let (Some(name), Some(root)) = (name, root) else { return };
            let folder = root.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            let version = folder.strip_prefix(&name).and_then(|rest| rest.strip_prefix('-'));
            if let Some(version) = version.filter(|version| version.starts_with(|first: char| first.is_ascii_digit())) {
                add(&name, &version.replace("%2B", "+"));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn lock_files_are_read() {
        let found = fixture::catalog(&Dart, &[("app/pubspec.lock", "dart/pubspec.lock")]);
        assert_eq!(fixture::purls(&found), ["pkg:pub/bilge@0.3.0-dev.1", "pkg:pub/mooring@1.2.0"]);
        assert_eq!(found.gaps, []);
        let found = fixture::catalog(&Dart, &[("app/.dart_tool/package_config.json", "dart/package_config.json")]);
        assert_eq!(fixture::purls(&found), ["pkg:pub/mooring@1.2.0%2B1"]);
        assert!(fixture::catalog(&Dart, &[("app/pubspec.yaml", "dart/pubspec.lock")]).packages.is_empty());
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let found = fixture::catalog(
            &Dart,
            &[("app/pubspec.lock", "dart/malformed.lock"), ("app/.dart_tool/package_config.json", "dart/malformed.lock")],
        );
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 2));
    }
}
