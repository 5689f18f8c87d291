//! `dotnet`: NuGet packages that a published .NET program brings along and installed .NET runtimes, one `deps.json` each; where there is none, what
//! NuGet's lock files declare. Specification: <https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>.

mod lock;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found,
        json::{self, Entries, Shape},
        listing::{self, Listing},
        lockfile::{self, Installed, Reach},
    },
    layers::{Limits, Want},
    model::{
        digest::Digest,
        package::{Basis, Package, PackageKind, PackageUrl},
    },
};

/// Reads `*.deps.json`, `packages.lock.json` and `packages.config`.
pub(super) struct Dotnet;

impl Cataloger for Dotnet {
    fn id(&self) -> &'static str {
        "dotnet"
    }

    fn wants(&self, path: &str) -> Want {
        if is_record(path) || is_lock(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = || context.view.files();
        listing::read(&mut found, context, files().filter(|file| is_record(file.path)), |file, bytes| {
            let mut listing = match parse(bytes, context.limits()) {
                Ok(listing) => listing,
                // The runtime is there, whatever its record says: its place names it.
                Err(error) if runtime(file.path).is_some() => Listing { unread: vec![error.0], ..Listing::default() },
                Err(error) => return Err(error),
            };
            listing.packages.extend(runtime(file.path).map(|(name, version)| package(name, version)));
            Ok(listing)
        });
        let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let installed = Installed::new(Reach::Below, files().filter(|file| is_record(file.path)).map(|file| folder(file.path)));
        let locks = files().filter(|file| is_lock(file.path) && !installed.covers(file.path));
        listing::read(&mut found, context, locks, |file, bytes| match file.path.ends_with(".json") {
            true => lock::parse(bytes, context.limits()),
            false => lock::parse_config(bytes, context.limits()),
        });
        found
    }
}

fn is_record(path: &str) -> bool {
    path.ends_with(".deps.json")
}

fn is_lock(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    matches!(name, "packages.lock.json" | "packages.config") && !lockfile::is_shipped(path)
}

/// Name and version of the runtime whose own record stands at `…/shared/NAME/VERSION/NAME.deps.json`.
fn runtime(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.rsplit('/');
    let file = parts.next()?.strip_suffix(".deps.json")?;
    let (version, name) = (parts.next()?, parts.next()?);
    let is_runtime = parts.next() == Some("shared") && name == file && version.starts_with(|first: char| first.is_ascii_digit());
    is_runtime.then_some((name, version))
}

fn package(name: &str, version: &str) -> Package {
    let purl = PackageUrl::new(PackageKind::Nuget, None, name, Some(version), &BTreeMap::new());
    Package::new(PackageKind::Nuget, name.to_owned(), version.to_owned(), purl, "dotnet")
}

/// Reads what the record lists, as far as something of it comes with the program: a package of which no file is used left nothing.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let record: Record = json::parse(bytes, limits, "deps.json")?;
    let Some(libraries) = record.libraries else {
        return if record.targets.items.is_empty() {
            Err(CatalogError("is no readable deps.json: it has neither libraries nor targets".to_owned()))
        } else {
            Ok(Listing::default())
        };
    };
    let mut listing = Listing::default();
    listing.unread.extend([libraries.cut(), record.targets.cut()].into_iter().flatten());
    let target = json::text(record.runtime.and_then(|runtime| runtime.name)).unwrap_or_default();
    let unused = unused(&record.targets, &target);
    for (key, library) in libraries.items {
        let kind = json::text(library.kind).unwrap_or_default();
        let Some((name, version)) = key.rsplit_once('/').filter(|(name, version)| !name.is_empty() && !version.is_empty()) else {
            listing.doubt(|| format!("`{}` is no name with a version", lockfile::shown(&key)));
            continue;
        };
        let basis = match kind.as_str() {
            "project" => Basis::Application,
            "package" if unused.contains(key.as_str()) => continue,
            // A library that fits every runtime is compiled against packages that its user brings.
            "package" if target.starts_with(".NETStandard") => Basis::Declared,
            "package" | "runtimepack" => Basis::Installed,
            // Assemblies that it is compiled against and that the runtime brings.
            _ => continue,
        };
        let name = if kind == "runtimepack" { name.strip_prefix("runtimepack.").unwrap_or(name) } else { name };
        let hashes = json::text(library.sha512).and_then(|hash| digest(&hash)).into_iter().collect();
        listing.add(Package { basis, hashes, ..package(name, version) });
    }
    Ok(listing)
}

/// What the program's own target lists without any file.
fn unused<'a>(targets: &'a Entries<Entries<Assets>>, target: &str) -> BTreeSet<&'a str> {
    let used = targets.items.iter().find(|(name, _)| name == target).map(|(_, libraries)| libraries);
    used.into_iter().flat_map(|used| &used.items).filter(|(_, assets)| assets.is_empty()).map(|(key, _)| key.as_str()).collect()
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "runtimeTarget")]
    runtime: Option<RuntimeTarget>,
    #[serde(default)]
    targets: Entries<Entries<Assets>>,
    libraries: Option<Entries<Library>>,
}

#[derive(Deserialize)]
struct RuntimeTarget {
    name: Option<Shape>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type")]
    kind: Option<Shape>,
    sha512: Option<Shape>,
}

/// The files of a library that a program uses.
#[derive(Deserialize)]
struct Assets {
    #[serde(default)]
    runtime: Entries<Shape>,
    #[serde(default)]
    native: Entries<Shape>,
    #[serde(default)]
    resources: Entries<Shape>,
    #[serde(default, rename = "runtimeTargets")]
    by_runtime: Entries<Shape>,
}

impl Assets {
    /// `_._` says that a package has nothing for this target.
    fn is_empty(&self) -> bool {
        let none = |files: &Entries<Shape>| files.items.iter().all(|(file, _)| file.ends_with("_._"));
        none(&self.runtime) && none(&self.native) && none(&self.resources) && none(&self.by_runtime)
    }
}

/// `sha512-` and base64, as the digest of the package's archive.
fn digest(text: &str) -> Option<Digest> {
    let encoded = text.strip_prefix("sha512-")?;
    let mut hex = String::with_capacity(128);
    let (mut bits, mut held) = (0_u32, 0_u32);
    if encoded.len() != 88 {
        return None;
    }
    for byte in encoded.bytes().take_while(|&byte| byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        while held >= 4 {
            held -= 4;
            hex.push(char::from_digit((bits >> held) & 0xf, 16)?);
            bits &= (1 << held) - 1;
        }
    }
    // 64 bytes take 86 characters, which have room for half a byte more.
    hex.truncate(128);
    Digest::parse(&format!("sha512:{hex}")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn records_are_told_by_path() {
        let check = |path: &str, expected: bool| assert_eq!(Dotnet.wants(path) == Want::Bytes, expected, "{path}");
        check("app/App.deps.json", true);
        check("app/deps.json", false);
        check("src/packages.lock.json", true);
        check("src/packages.config", true);
        check("src/obj/project.assets.json", false);
        let check = |path: &str, expected: Option<(&str, &str)>| assert_eq!(runtime(path), expected, "{path}");
        let own = "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json";
        check(own, Some(("Microsoft.NETCore.App", "8.0.1")));
        check("app/shared/Other/8.0.1/App.deps.json", None);
        check("usr/share/dotnet/sdk/8.0.100/dotnet.deps.json", None);
    }

    #[test]
    fn packages_of_programs_are_read() {
        let found = fixture::catalog(&Dotnet, &[("app/App.deps.json", "dotnet/App.deps.json")]);
        let listed: Vec<_> = found.packages.iter().map(|package| (package.purl.as_str(), package.basis)).collect();
        assert_eq!(
            listed,
            [
                ("pkg:nuget/App.Core@1.0.0", Basis::Application),
                ("pkg:nuget/App@1.0.0", Basis::Application),
                ("pkg:nuget/Example.Json@13.0.1", Basis::Installed),
                ("pkg:nuget/Example.Native@2.1.0-beta.1", Basis::Installed),
                ("pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.0", Basis::Installed),
            ]
        );
        assert!(found.gaps.is_empty());
        let hashes: Vec<usize> = found.packages.iter().map(|package| package.hashes.len()).collect();
        assert_eq!(hashes, [0, 0, 1, 0, 0]);
        assert_eq!(found.packages[2].hashes[0], Digest::parse(&format!("sha512:{}", "0123456789abcdef".repeat(8))).unwrap());
    }

    #[test]
    fn libraries_only_declare_what_they_are_compiled_against() {
        let found = fixture::catalog(&Dotnet, &[("lib/Library.deps.json", "dotnet/Library.deps.json")]);
        let listed: Vec<_> = found.packages.iter().map(|package| (package.name.as_str(), package.basis)).collect();
        assert_eq!(listed, [("Example.Json", Basis::Declared), ("Library", Basis::Application)]);
    }

    #[test]
    fn runtimes_are_told_by_their_place() {
        let place = "usr/lib/dotnet/shared/Microsoft.NETCore.App/8.0.1/Microsoft.NETCore.App.deps.json";
        let found = fixture::catalog(&Dotnet, &[(place, "dotnet/runtime.deps.json")]);
        let expected = ["pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1", "pkg:nuget/Microsoft.NETCore.App@8.0.1"];
        assert_eq!(fixture::purls(&found), expected);
        let found = fixture::catalog(&Dotnet, &[(place, "dotnet/malformed.deps.json")]);
        assert_eq!((fixture::purls(&found), found.gaps.len()), (vec![expected[1]], 1));
    }

    #[test]
    fn damaged_records_are_told() {
        let found = fixture::catalog(&Dotnet, &[("app/App.deps.json", "dotnet/malformed.deps.json")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
        let check = |text: &str, expected: Option<usize>| {
            assert_eq!(parse(text.as_bytes(), &Limits::default()).ok().map(|listing| listing.packages.len()), expected, "{text}");
        };
        check("{}", None);
        check(r#"{"libraries":{}}"#, Some(0));
        check(r#"{"targets":{"a":{}}}"#, Some(0));
        check(r#"{"libraries":{"a/1":{"type":"package","sha512":""}}}"#, Some(1));
        check(r#"{"libraries":{"a":{"type":"package"}}}"#, Some(0));
        for hash in ["sha512-", "sha512-!!!!", "sha256-AAAA", &format!("sha512-{}", "A".repeat(200))] {
            assert_eq!(digest(hash), None);
        }
    }

    #[test]
    fn lock_files_count_where_nothing_is_published() {
        let lock = ("src/packages.lock.json", "dotnet/packages.lock.json");
        let found = fixture::catalog(&Dotnet, &[lock, ("web/packages.config", "dotnet/packages.config")]);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:nuget/Example.Json@13.0.1",
                "pkg:nuget/Example.Legacy@2.0.5",
                "pkg:nuget/Example.Legacy@2.0.5",
                "pkg:nuget/Example.Old@1.2"
            ]
        );
        assert!(found.packages.iter().all(|package| package.basis == Basis::Declared));
        let found = fixture::catalog(&Dotnet, &[lock, ("src/bin/App.deps.json", "dotnet/malformed.deps.json")]);
        assert!(found.packages.is_empty());
    }
}
