//! `conan`: packages in Conan's cache, and what its lock files declare.
//! Specifications: <https://docs.conan.io/2/tutorial/versioning/lockfiles.html>, <https://docs.conan.io/1/versioning/lockfiles.html>.

use std::collections::BTreeMap;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        json_cursor::Json,
        lockfile::{self, LockFiles},
    },
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `conanfile.lock`, `conan.lock` (versions 0.4 and 0.5), and `conaninfo.txt`: that of Conan 1's cache says by its path what is installed,
/// others declare with which packages something was built.
pub(super) struct Conan;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: |path| cached(path).is_some(), parse };

impl Cataloger for Conan {
    fn id(&self) -> &'static str {
        "conan"
    }

    fn wants(&self, path: &str) -> Want {
        if is_lock(path) || cached(path).is_some() { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = context.view.files().filter(|file| cached(file.path).is_some());
        found.each(files, context.limits().packages, |file| {
            let package = cached(file.path).and_then(|reference| parse_reference(&reference));
            let package = package.ok_or_else(|| CatalogError("stands in a cache, but not below a name and a version".to_owned()))?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        LOCKS.catalog(context, &mut found);
        found
    }
}

fn is_lock(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(name, "conan.lock" | "conanfile.lock") || (name == "conaninfo.txt" && cached(path).is_none())
}

/// `…/data/NAME/VERSION/USER/CHANNEL/package/ID/conaninfo.txt` as a reference.
fn cached(path: &str) -> Option<String> {
    let mut parts = path.strip_suffix("/conaninfo.txt")?.rsplit('/');
    let _id = parts.next()?;
    let (package, channel, user, version, name, data) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (package == "package" && data == "data").then(|| match (user, channel) {
        ("_", "_") => format!("{name}/{version}"),
        _ => format!("{name}/{version}@{user}/{channel}"),
    })
}

fn parse(path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let mut references = Vec::new();
    let most = context.limits().packages;
    let mut take = |text: &str| {
        if references.len() <= most {
            references.push(text.to_owned());
        }
    };
    if path.ends_with(".txt") {
        parse_info(bytes, &mut take);
    } else {
        match Json::check(bytes, context.limits()) {
            Ok(json) => parse_lock(json, &mut take),
            Err(error) => return (Vec::new(), Some(error)),
        }
    }
    let all = references.len();
    let packages: Vec<Package> = references.iter().filter_map(|reference| parse_reference(reference)).collect();
    let error = lockfile::dropped(all - packages.len(), "have no name and version");
    (packages, error)
}

fn parse_lock(mut json: Json<'_>, take: &mut dyn FnMut(&str)) {
    json.each_key(|json, key| match key {
        // Version 0.5, of Conan 2. Tools that only build are not part of what is built.
        "requires" => json.each_item(|json| json.text().iter().for_each(|text| take(text))),
        "graph_lock" => json.each_key(|json, key| {
            if key == "nodes" {
                json.each_key(|json, _| {
                    let (mut reference, mut is_own, mut is_tool) = (None, false, false);
                    json.each_key(|json, key| match key {
                        "ref" => reference = json.text(),
                        "path" => is_own = json.text().is_some(),
                        "context" => is_tool = json.text().as_deref() == Some("build"),
                        _ => {}
                    });
                    if let Some(reference) = reference.filter(|_| !is_own && !is_tool) {
                        take(&reference);
                    }
                });
            }
        }),
        _ => {}
    });
}

/// The references in the section that names them in full.
fn parse_info(bytes: &[u8], take: &mut dyn FnMut(&str)) {
    let mut is_inside = false;
    for line in String::from_utf8_lossy(bytes).lines().map(str::trim) {
        if line.starts_with('[') {
            is_inside = line == "[full_requires]";
        } else if is_inside && !line.is_empty() {
            take(line.split(':').next().unwrap_or(line));
        }
    }
}

/// `name/version[@user/channel][#revision][%time]`.
fn parse_reference(text: &str) -> Option<Package> {
    let text = text.split(['#', '%']).next()?;
    let (head, tail) = text.split_once('@').unwrap_or((text, ""));
    let (name, version) = head.split_once('/').filter(|(name, version)| !name.is_empty() && !version.is_empty())?;
    let (user, channel) = tail.split_once('/').unwrap_or((tail, ""));
    let qualifiers = BTreeMap::from([("user", user.to_owned()), ("channel", channel.to_owned())]);
    let purl = PackageUrl::new(PackageKind::Conan, None, name, Some(version), &qualifiers);
    Some(Package::new(PackageKind::Conan, name.to_owned(), version.to_owned(), purl, "conan"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn lock_files_are_read() {
        let check = |path: &str, name: &str, expected: &[&str]| {
            let found = fixture::catalog(&Conan, &[(path, name)]);
            assert_eq!(fixture::purls(&found), expected, "{name}");
            assert_eq!(found.gaps, [], "{name}");
        };
        check("app/conan.lock", "conan/v2.lock", &["pkg:conan/bilge@0.3", "pkg:conan/mooring@1.2.0?channel=stable&user=quay"]);
        check("app/conan.lock", "conan/v1.lock", &["pkg:conan/mooring@1.2.0"]);
        check("app/conaninfo.txt", "conan/conaninfo.txt", &["pkg:conan/bilge@0.3"]);
        check("root/.conan/data/mooring/1.2.0/_/_/package/0123/conaninfo.txt", "conan/conaninfo.txt", &["pkg:conan/mooring@1.2.0"]);
        check("app/conanfile.txt", "conan/conaninfo.txt", &[]);
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let found = fixture::catalog(&Conan, &[("a/conan.lock", "conan/malformed.lock"), ("b/conan.lock", "conan/odd.lock")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 2));
    }
}
