//! `composer`: PHP packages that Composer installed; where none is installed, what `composer.lock` declares.
//! Specifications: <https://getcomposer.org/doc/07-runtime.md>, <https://getcomposer.org/doc/01-basic-usage.md#commit-your-composer-lock-file-to-version-control>.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer, value::SeqAccessDeserializer},
};

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found,
        json::{self, Entries, Shape},
        listing::{self, Listing},
        lockfile::{self, Installed, Reach},
    },
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `installed.json` in the folder `composer` of a folder of packages, and `composer.lock`.
pub(super) struct Composer;

impl Cataloger for Composer {
    fn id(&self) -> &'static str {
        "composer"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        if is_installed(path) || is_lock(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = || context.view.files();
        listing::read(&mut found, context, files().filter(|file| is_installed(file.path)), |_, bytes| {
            let installed: Contents = json::parse(bytes, context.limits(), "installed.json")?;
            packages(installed, "installed.json")
        });
        // project/vendor/composer/installed.json
        let project = |path: &str| path.rsplitn(4, '/').nth(3).unwrap_or_default().to_owned();
        let installed = Installed::new(Reach::Below, files().filter(|file| is_installed(file.path)).map(|file| project(file.path)));
        let locks = files().filter(|file| is_lock(file.path) && !installed.covers(file.path));
        listing::read(&mut found, context, locks, |_, bytes| lock(bytes, context.limits()));
        found
    }
}

fn is_installed(path: &str) -> bool {
    path.strip_suffix("/composer/installed.json").is_some_and(|folder| !folder.is_empty())
}

fn is_lock(path: &str) -> bool {
    path.rsplit_once('/').map_or(path, |(_, name)| name) == "composer.lock" && !lockfile::is_shipped(path)
}

/// `composer.lock`: what is wanted in production and for development.
fn lock(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let mut listing = packages(json::parse(bytes, limits, "composer.lock")?, "composer.lock")?;
    listing.packages = listing.packages.into_iter().map(lockfile::declared).collect();
    Ok(listing)
}

fn packages(contents: Contents, what: &str) -> Result<Listing, CatalogError> {
    let Some(packages) = contents.packages else {
        return Err(CatalogError(format!("is no readable {what}: it has no list of packages")));
    };
    let mut listing = Listing::default();
    for entries in [packages, contents.development] {
        listing.unread.extend(entries.cut());
        for (_, entry) in entries.items {
            let (name, version) = (json::text(entry.name), json::text(entry.version));
            let is_address = |text: &String| text.contains("://");
            let (Some(name), Some(version)) = (name.filter(|name| !is_address(name)), version.filter(|version| !is_address(version)))
            else {
                listing.doubt(|| "an entry holds no name or no version".to_owned());
                continue;
            };
            listing.add(package(name, version, json::licences([entry.license])));
        }
    }
    Ok(listing)
}

/// The version stays as written, with its `v`; names are compared in lower case, as purls have them.
fn package(name: String, version: String, licences: Vec<String>) -> Package {
    let lower = name.to_ascii_lowercase();
    let (vendor, short) = lower.split_once('/').map_or((None, lower.as_str()), |(vendor, short)| (Some(vendor), short));
    let purl = PackageUrl::new(PackageKind::Composer, vendor, short, Some(&version), &BTreeMap::new());
    Package { licences, ..Package::new(PackageKind::Composer, name, version, purl, "composer") }
}

/// What matters of either file. What a package replaces or provides is no package.
#[derive(Default)]
struct Contents {
    packages: Option<Entries<Entry>>,
    development: Entries<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: Option<Shape>,
    version: Option<Shape>,
    license: Option<Shape>,
}

/// Composer 1 wrote a list, Composer 2 an object with the list in it; lock files are such objects as well.
impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentsVisitor)
    }
}

struct ContentsVisitor;

impl<'de> Visitor<'de> for ContentsVisitor {
    type Value = Contents;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("an object or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Contents, A::Error> {
        let packages = Entries::deserialize(SeqAccessDeserializer::new(list))?;
        Ok(Contents { packages: Some(packages), development: Entries::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Contents, A::Error> {
        let fields = Fields::deserialize(MapAccessDeserializer::new(object))?;
        Ok(Contents { packages: fields.packages, development: fields.development })
    }
}

#[derive(Deserialize)]
struct Fields {
    packages: Option<Entries<Entry>>,
    #[serde(default, rename = "packages-dev")]
    development: Entries<Entry>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::fixture, model::package::Basis};

    #[test]
    fn records_are_told_by_path() {
        let check = |path: &str, expected: bool| assert_eq!(Composer.wants(path) == Want::Bytes, expected, "{path}");
        check("app/vendor/composer/installed.json", true);
        check("var/www/3rdparty/composer/installed.json", true);
        check("composer/installed.json", false);
        check("app/installed.json", false);
        check("app/composer.lock", true);
        check("app/vendor/a/b/composer.lock", false);
        check("app/composer.json", false);
    }

    #[test]
    fn installed_packages_are_read() {
        let check = |fixture: &str| {
            let found = fixture::catalog(&Composer, &[("app/vendor/composer/installed.json", fixture)]);
            assert_eq!(
                fixture::purls(&found),
                ["pkg:composer/example/logger@v2.1.0", "pkg:composer/example/tester@dev-main", "pkg:composer/metapackage@1.0"],
                "{fixture}"
            );
            assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>()[0], "Example/Logger");
            assert_eq!(found.packages.iter().map(|package| package.licences.join(" ")).collect::<Vec<_>>(), ["MIT", "Apache-2.0 MIT", ""]);
            assert!(found.gaps.is_empty());
        };
        check("composer/installed-1.json");
        check("composer/installed-2.json");
    }

    #[test]
    fn damaged_records_are_told() {
        let check = |fixture: &str, packages: usize, gaps: usize| {
            let found = fixture::catalog(&Composer, &[("app/vendor/composer/installed.json", fixture)]);
            assert_eq!((found.packages.len(), found.gaps.len()), (packages, gaps), "{fixture}");
        };
        check("composer/malformed.json", 0, 1);
        check("composer/nameless.json", 1, 2);
        for (text, readable) in [("{}", false), ("[]", true), (r#"{"packages":[]}"#, true), ("1", false), ("", false)] {
            let found = json::parse(text.as_bytes(), &Limits::default(), "x").and_then(|contents| packages(contents, "x"));
            assert_eq!(found.is_ok(), readable, "{text}");
        }
    }

    #[test]
    fn lock_files_count_where_nothing_is_installed() {
        let lock = ("app/composer.lock", "composer/composer.lock");
        let found = fixture::catalog(&Composer, &[lock]);
        assert_eq!(fixture::purls(&found), ["pkg:composer/example/logger@v2.1.0", "pkg:composer/example/tester@1.0.0"]);
        assert!(found.packages.iter().all(|package| package.basis == Basis::Declared));
        let found = fixture::catalog(&Composer, &[lock, ("app/lib/vendor/composer/installed.json", "composer/nameless.json")]);
        assert_eq!(fixture::purls(&found), ["pkg:composer/example/named@1"]);
        let found = fixture::catalog(&Composer, &[lock, ("srv/vendor/composer/installed.json", "composer/nameless.json")]);
        assert_eq!(found.packages.len(), 3);
    }
}
