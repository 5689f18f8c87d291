//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3, in, declared packages out.
//! Specification: <https://docs.npmjs.com/cli/configuring-npm/package-lock-json>.

use serde::Deserialize;

use crate::{
    inventory::{
        CatalogError,
        json::{self, Entries, Shape},
        listing::Listing,
        lockfile::{self, Origin, at_version, is_plain, shown},
    },
    layers::Limits,
    model::package::Package,
};

/// Reads what stands in `node_modules` after an installation. Workspaces, links and local folders are the project's own.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let lock: Lock = json::parse(bytes, limits, "package-lock.json")?;
    let mut listing = Listing::default();
    match (lock.packages, lock.dependencies, lock.version) {
        (Some(packages), _, _) => read_packages(packages, &mut listing),
        (None, Some(dependencies), _) => read_dependencies(dependencies, &mut listing),
        (None, None, Some(_)) => {}
        (None, None, None) => {
            return Err(CatalogError("is no readable package-lock.json: it has neither packages nor a version".to_owned()));
        }
    }
    Ok(listing)
}

/// Since version 2: one entry per folder.
fn read_packages(packages: Entries<Placed>, listing: &mut Listing) {
    listing.unread.extend(packages.cut());
    for (place, entry) in packages.items {
        let Some((_, folder)) = place.rsplit_once("node_modules/") else { continue };
        if entry.link == Some(Shape::True) {
            continue;
        }
        // The folder of an alias has another name than the package in it.
        let name = json::text(entry.name).unwrap_or_else(|| folder.to_owned());
        let Some(version) = json::text(entry.version) else {
            // npm notes optional peers that nobody asked for.
            if entry.optional != Some(Shape::True) && entry.peer != Some(Shape::True) {
                listing.doubt(|| format!("the entry `{}` has no version", shown(&place)));
            }
            continue;
        };
        if !is_plain(&name) || !is_plain(&version) {
            listing.doubt(|| format!("the entry `{}` has an address in place of a name or a version", shown(&place)));
            continue;
        }
        let origin = match json::text(entry.resolved).map(|resolved| Origin::of(&resolved)) {
            Some(Origin::Local) => continue,
            // Registries have addresses too, and nothing tells them from others.
            Some(Origin::Download(_)) | None => Origin::Registry,
            Some(origin) => origin,
        };
        let licences = json::licences([entry.license]);
        listing.add(lockfile::declared(Package { licences, ..super::package(&name, &version, &origin) }));
    }
}

/// Version 1: one entry per package, with those of its own folder inside.
fn read_dependencies(dependencies: Entries<Nested>, listing: &mut Listing) {
    listing.unread.extend(dependencies.cut());
    for (key, entry) in dependencies.items {
        if let Some(nested) = entry.dependencies {
            read_dependencies(nested, listing);
        }
        let Some(version) = json::text(entry.version).filter(|_| !key.is_empty()) else {
            if entry.optional != Some(Shape::True) {
                listing.doubt(|| format!("the entry `{}` has no version", shown(&key)));
            }
            continue;
        };
        let alias = version.strip_prefix("npm:").and_then(at_version);
        let (name, version) = alias.unwrap_or((&key, &version));
        let origin = Origin::of(version);
        if origin == Origin::Local {
            continue;
        }
        // Where the version is an address, the commit is all that is known of it.
        let Some(version) = origin.version(version).filter(|_| is_plain(name)) else {
            listing.doubt(|| format!("the entry `{}` has an address without a commit in place of its version", shown(&key)));
            continue;
        };
        listing.add(lockfile::declared(super::package(name, version, &origin)));
    }
}

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "lockfileVersion")]
    version: Option<Shape>,
    packages: Option<Entries<Placed>>,
    dependencies: Option<Entries<Nested>>,
}

#[derive(Deserialize)]
struct Placed {
    name: Option<Shape>,
    version: Option<Shape>,
    resolved: Option<Shape>,
    link: Option<Shape>,
    optional: Option<Shape>,
    peer: Option<Shape>,
    license: Option<Shape>,
}

#[derive(Deserialize)]
struct Nested {
    version: Option<Shape>,
    optional: Option<Shape>,
    dependencies: Option<Entries<Self>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    fn purls(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
        let listing = parse(bytes, &Limits::default()).ok()?;
        Some((listing.packages.iter().map(|package| package.purl.as_str().to_owned()).collect(), listing.unread.len()))
    }

    #[test]
    fn entries_of_every_version_are_read() {
        let expected = [
            "pkg:npm/%40scope/a@1.0.0",
            "pkg:npm/inner@0.1.0",
            "pkg:npm/real@2.0.0",
            "pkg:npm/forked@3.0.0?vcs_url=git%2Bssh:%2F%2Fexample.org%2Fforked.git%40c0ffee",
        ];
        for name in ["npm/package-lock-2.json", "npm/package-lock-3.json"] {
            assert_eq!(purls(&fixture::read(name)), Some((expected.map(str::to_owned).to_vec(), 0)), "{name}");
        }
        let expected = [
            "pkg:npm/inner@0.1.0",
            "pkg:npm/%40scope/a@1.0.0",
            "pkg:npm/real@2.0.0",
            "pkg:npm/forked@c0ffee?vcs_url=git%2Bssh:%2F%2Fexample.org%2Fforked.git%40c0ffee",
        ];
        assert_eq!(purls(&fixture::read("npm/package-lock-1.json")), Some((expected.map(str::to_owned).to_vec(), 0)));
    }

    #[test]
    fn credentials_are_not_kept() {
        let check = |text: &str, packages: usize, unread: usize| {
            let listing = parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!((listing.packages.len(), listing.unread.len()), (packages, unread), "{text}");
            assert!(!format!("{listing:?}").contains("q7Rw4q"), "{listing:?}");
        };
        let key = "u:q7Rw4q@h.example";
        check(&format!(r#"{{"dependencies":{{"a":{{"version":"https://{key}/a.tgz?token=q7Rw4q"}}}}}}"#), 0, 1);
        check(&format!(r#"{{"dependencies":{{"a":{{"version":"HTTPS://{key}/a.tgz"}}}}}}"#), 0, 1);
        check(&format!(r#"{{"dependencies":{{"a":{{"version":"git+https://{key}/a.git"}}}}}}"#), 0, 1);
        check(&format!(r#"{{"dependencies":{{"a":{{"version":"git+https://{key}/a.git#c0ffee"}}}}}}"#), 1, 0);
        check(&format!(r#"{{"dependencies":{{"https://{key}/a":{{"version":"1"}},"https://{key}/b":{{}}}}}}"#), 0, 2);
        check(
            &format!(r#"{{"packages":{{"node_modules/a":{{"version":"https://{key}/a.tgz","resolved":"https://{key}/a.tgz"}}}}}}"#),
            0,
            1,
        );
        check(r#"{"packages":{"node_modules/a":{"version":"1","resolved":"git+https://u:q7Rw4q/z@h/b.git#1"}}}"#, 1, 0);
        check(&format!(r#"{{"packages":{{"node_modules/a":{{"version":"1","name":"https://{key}/a"}}}}}}"#), 0, 1);
        let error = parse(format!(r#"{{"packages":"https://{key}/a"}}"#).as_bytes(), &Limits::default()).unwrap_err();
        assert!(!error.0.contains("q7Rw4q"), "{}", error.0);
    }

    #[test]
    fn odd_lock_files() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            assert_eq!(purls(text.as_bytes()).map(|(purls, unread)| (purls.len(), unread)), expected, "{text:.80}");
        };
        check("{}", None);
        check(r#"{"name":"a"}"#, None);
        check(r#"{"lockfileVersion":3}"#, Some((0, 0)));
        check(r#"{"packages":{"node_modules/a":{},"node_modules/b":{"optional":true,"peer":true}}}"#, Some((0, 1)));
        check(r#"{"dependencies":{"a":{"version":"file:../a"},"b":{}}}"#, Some((0, 1)));
        check(&format!("{}{{}}{}", r#"{"dependencies":{"a":"#.repeat(40), "}}".repeat(40)), Some((0, 11)));
        check(&format!("{}{{}}{}", r#"{"dependencies":{"a":"#.repeat(80), "}}".repeat(80)), None);
    }
}
