//! `npm`: installed Node.js packages, one `package.json` each; where none is installed, what the lock files of npm, yarn, pnpm and bun declare.
//! Specification: <https://docs.npmjs.com/cli/configuring-npm/package-json>.

mod berry;
mod bun_lock;
mod package_lock;
mod pnpm_lock;
mod yarn_lock;
mod zip_cache;

use std::collections::BTreeMap;

use serde::Deserialize;

use zip_cache::Place;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        json::{self, Shape},
        listing::{self, Listing},
        lockfile::{self, Installed, Origin, Reach},
    },
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `package.json` directly below a package's folder in `node_modules`; any other one describes the application or a fixture. Also those in the
/// archives that yarn keeps in place of such folders.
pub(super) struct Npm;

impl Cataloger for Npm {
    fn id(&self) -> &'static str {
        "npm"
    }

    fn version(&self) -> u32 {
        3
    }

    fn wants(&self, path: &str) -> Want {
        match is_manifest(path) || lock_reader(path).is_some() {
            true => Want::Bytes,
            false if zip_cache::place(path).is_some() => Want::Examine(&zip_cache::ZIP_CACHE),
            false => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = || context.view.files();
        found.each(files().filter(|file| is_manifest(file.path)), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(package.map(|package| Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        // Without a map that leads there, a user's archives are what a package manager left behind.
        let has_map = files().any(|file| file.path.ends_with(".pnp.cjs") && lock_reader(file.path).is_some());
        for file in files() {
            match zip_cache::place(file.path) {
                Some(Place::User) if !has_map => {}
                Some(_) if found.packages.len() < context.limits().packages => zip_cache::catalog(&mut found, context, &file),
                _ => {}
            }
        }
        let project = |path: &str| match zip_cache::place(path) {
            Some(Place::Project(folder)) => Some(folder.to_owned()),
            _ => is_manifest(path).then(|| path.split("node_modules/").next().unwrap_or_default().trim_end_matches('/').to_owned()),
        };
        let installed = Installed::new(Reach::Around, files().filter_map(|file| project(file.path)));
        let locks = files().filter(|file| lock_reader(file.path).is_some() && !installed.covers(file.path));
        listing::read(&mut found, context, locks, |file, bytes| match lock_reader(file.path) {
            Some(read) => read(bytes, context.limits()),
            None => Ok(Listing::default()),
        });
        found
    }
}

fn is_manifest(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    parts.next() == Some("package.json")
        && match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some("node_modules"), _) => !name.starts_with('@') && name != ".bin",
            (Some(_), Some(scope), Some("node_modules")) => scope.starts_with('@'),
            _ => false,
        }
}

type LockReader = fn(&[u8], &Limits) -> Result<Listing, CatalogError>;

/// What reads the lock file at this path.
fn lock_reader(path: &str) -> Option<LockReader> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let reader: LockReader = match name {
        "package-lock.json" | "npm-shrinkwrap.json" => package_lock::parse,
        "yarn.lock" => yarn_lock::parse,
        ".pnp.cjs" => berry::parse_map,
        "pnpm-lock.yaml" => pnpm_lock::parse,
        "bun.lock" => bun_lock::parse,
        _ => return None,
    };
    (!lockfile::is_shipped(path)).then_some(reader)
}

/// A package from its name with its scope, its version and where it comes from.
fn package(name: &str, version: &str, origin: &Origin) -> Package {
    let (namespace, short) = match name.split_once('/') {
        Some((scope, short)) if scope.starts_with('@') => (Some(scope), short),
        _ => (None, name),
    };
    let qualifiers: BTreeMap<_, _> = origin.qualifier().into_iter().collect();
    let purl = PackageUrl::new(PackageKind::Npm, namespace, short, Some(version), &qualifiers);
    Package::new(PackageKind::Npm, name.to_owned(), version.to_owned(), purl, "npm")
}

/// `None` for a manifest with neither name nor version: tools put such files into packages to say `"type": "module"`.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Package>, CatalogError> {
    let manifest: Manifest = json::parse(bytes, limits, "package.json")?;
    if manifest.name.is_none() && manifest.version.is_none() {
        return Ok(None);
    }
    let (Some(name), Some(version)) = (json::text(manifest.name), json::text(manifest.version)) else {
        return Err(CatalogError("holds a name without a version, or the other way round".to_owned()));
    };
    let licences = json::licences([manifest.license, manifest.licenses]);
    Ok(Some(Package { licences, ..package(&name, &version, &Origin::Registry) }))
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<Shape>,
    version: Option<Shape>,
    license: Option<Shape>,
    licenses: Option<Shape>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::fixture, model::package::Basis};

    #[test]
    fn only_package_folders_count() {
        let check = |path: &str, expected: bool| assert_eq!(Npm.wants(path) == Want::Bytes, expected, "{path}");
        check("app/node_modules/express/package.json", true);
        check("node_modules/@babel/core/package.json", true);
        check("app/node_modules/.pnpm/a@1.0.0/node_modules/a/package.json", true);
        check("app/package.json", false);
        check("app/node_modules/express/test/fixtures/package.json", false);
        check("app/node_modules/@babel/package.json", false);
        check("app/node_modules/package.json", false);
        check("app/node_modules/.bin/package.json", false);
        check("app/node_modules/.left-pad/package.json", true);
        check("app/package-lock.json", true);
        check("app/node_modules/.package-lock.json", false);
        check("app/node_modules/a/yarn.lock", false);
        check("app/pnpm-lock.yaml", true);
        check("app/.pnp.cjs", true);
        check("app/bun.lock", true);
    }

    #[test]
    fn manifests_are_read() {
        let found = fixture::catalog(
            &Npm,
            &[
                ("app/node_modules/left-pad/package.json", "npm/package.json"),
                ("app/node_modules/@scope/pkg/package.json", "npm/scoped.json"),
                ("app/node_modules/esm/package.json", "npm/type-only.json"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:npm/%40scope/pkg@2.0.0-rc.1", "pkg:npm/left-pad@1.3.0"]);
        assert!(found.gaps.is_empty());
        assert_eq!(found.packages.iter().map(|package| package.licences.join(" ")).collect::<Vec<_>>(), ["Apache-2.0 MIT", "WTFPL"]);
    }

    #[test]
    fn damaged_manifests_are_told() {
        let found = fixture::catalog(&Npm, &[("node_modules/bad/package.json", "npm/malformed.json")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.len(), 1);
        let limits = Limits::default();
        assert!(
            parse(format!("{{\"name\":\"a\",\"version\":\"1\",\"x\":{}{}}}", "[".repeat(200_000), "]".repeat(200_000)).as_bytes(), &limits)
                .is_err()
        );
        assert!(parse(br#"{"name":"a","version":"1","x":"[[[\"[[["}"#, &limits).is_ok_and(|package| package.is_some()));
        assert!(parse(br#"{"name":1,"version":"1"}"#, &limits).is_err());
        for lone in [r#"{"name":"a"}"#, r#"{"version":"1"}"#, r#"{"name":"a","version":{"b":[1]}}"#, r#"{"name":"a","version":""}"#] {
            assert!(parse(lone.as_bytes(), &limits).is_err(), "{lone}");
        }
        assert!(parse(br#"{"type":"module","main":"x"}"#, &limits).is_ok_and(|package| package.is_none()));
        let many = format!(r#"{{"name":"a","version":"1","license":[{}"MIT",{{"type":"X","y":[1]}}]}}"#, r#""A","#.repeat(20));
        let package = parse(many.as_bytes(), &limits).unwrap().unwrap();
        assert_eq!(package.licences, ["A"]);
    }

    #[test]
    fn lock_files_count_where_nothing_is_installed() {
        let lock = ("app/package-lock.json", "npm/package-lock-3.json");
        let manifest = |path| (path, "npm/package.json");
        let check = |files: &[(&str, &str)], expected: usize| {
            let found = fixture::catalog(&Npm, files);
            assert_eq!(found.packages.iter().filter(|package| package.basis == Basis::Declared).count(), expected, "{files:?}");
            assert!(found.gaps.is_empty());
        };
        check(&[lock], 4);
        check(&[lock, manifest("usr/lib/node_modules/left-pad/package.json")], 4);
        check(&[lock, manifest("app/node_modules/left-pad/package.json")], 0);
        check(&[lock, manifest("app/web/node_modules/left-pad/package.json")], 0);
        check(&[lock, manifest("node_modules/left-pad/package.json")], 0);
        check(&[("app/node_modules/left-pad/package-lock.json", "npm/package-lock-3.json")], 0);
    }

    #[test]
    fn damaged_lock_files_are_told() {
        for name in ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", ".pnp.cjs"] {
            let found = fixture::catalog(&Npm, &[(&format!("app/{name}"), "npm/malformed.json")]);
            assert_eq!((found.packages.len(), found.gaps.len()), (0, 1), "{name}");
        }
    }
}
