//! `dotnet-binary`: .NET assemblies that stand alone, by the version resource in them, and programs of one file, by the `deps.json` inside. Assemblies
//! that a `deps.json` beside or above them speaks of are left to it.
//! Specifications: <https://learn.microsoft.com/en-us/windows/win32/menurc/vs-versioninfo>,
//! <https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md>.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    inventory::{
        Cataloger, Context, Found, attribution,
        executable::{self, Assembly},
    },
    layers::Want,
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Reads what was noted of assemblies.
pub(super) struct DotnetBinary;

impl Cataloger for DotnetBinary {
    fn id(&self) -> &'static str {
        "dotnet-binary"
    }

    fn wants(&self, _path: &str) -> Want {
        Want::No
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let mut faults = Vec::new();
        let folder = |path: &'_ str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
        let described: BTreeSet<String> =
            context.view.files().filter(|file| file.path.ends_with(".deps.json")).map(|file| folder(file.path)).collect();
        for (file, facts) in executable::each(context) {
            let Ok(facts) = facts else { continue };
            faults.extend(facts.faults.into_iter().filter(|fault| fault.of == self.id()).map(|fault| (file.path.to_owned(), fault.reason)));
            if let Some(deps) = facts.bundled_deps {
                match bundled(&deps) {
                    Ok(bundled) => found.packages.extend(bundled.into_iter().map(|mut package| {
                        package.locations = context.location(attribution::content_layer(&file), file.path);
                        package
                    })),
                    Err(reason) => faults.push((file.path.to_owned(), reason)),
                }
            }
            let Some(assembly) = facts.assembly.filter(|assembly| assembly.is_managed) else { continue };
            if is_described(&folder(file.path), &described) {
                continue;
            }
            if let Some(mut package) = package(file.path, &assembly) {
                package.locations = context.location(attribution::content_layer(&file), file.path);
                found.packages.push(package);
            }
        }
        executable::add_faults(context, self.id(), &faults, &mut found);
        found
    }
}

#[derive(Deserialize)]
struct Deps {
    libraries: BTreeMap<String, Library>,
}

#[derive(Deserialize)]
struct Library {
    #[serde(rename = "type", default)]
    kind: String,
}

/// The packages in a program of one file, with the runtime that was put into it.
fn bundled(deps: &str) -> Result<Vec<Package>, String> {
    let deps: Deps = serde_json::from_str(deps.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("the deps.json in its .NET bundle cannot be read: {error}"))?;
    let package = |(id, library): (String, Library)| {
        let (name, version) = id.split_once('/')?;
        let name = match library.kind.as_str() {
            "package" => name,
            "runtimepack" => name.strip_prefix("runtimepack.").unwrap_or(name),
            _ => return None,
        };
        let purl = PackageUrl::new(PackageKind::Nuget, None, name, Some(version), &BTreeMap::new());
        Some(Package::new(PackageKind::Nuget, name.to_owned(), version.to_owned(), purl, "dotnet-binary"))
    };
    Ok(deps.libraries.into_iter().filter_map(package).collect())
}

/// Whether a `deps.json` stands in this folder or in one above it.
fn is_described(folder: &str, described: &BTreeSet<String>) -> bool {
    let mut folder = folder;
    loop {
        if described.contains(folder) {
            return true;
        }
        let Some((above, _)) = folder.rsplit_once('/') else { return described.contains("") };
        folder = above;
    }
}

/// The package that an assembly most likely came with: it mostly has the same name, and a version that begins the same.
fn package(path: &str, assembly: &Assembly) -> Option<Package> {
    let file = path.rsplit('/').next().unwrap_or(path);
    let name = file.strip_suffix(".dll").or_else(|| file.strip_suffix(".exe")).unwrap_or(file);
    // Texts of translations have their library's version, and come with it.
    let name = if name.ends_with(".resources") { return None } else { name };
    let product = assembly.product_version.split(['+', ' ']).next().unwrap_or_default();
    let version = if product.starts_with(|first: char| first.is_ascii_digit()) { product } else { assembly.file_version.as_str() };
    let is_version = version.starts_with(|first: char| first.is_ascii_digit()) && version != "0.0.0.0";
    if name.is_empty() || !is_version {
        return None;
    }
    let purl = PackageUrl::new(PackageKind::Nuget, None, name, Some(version), &BTreeMap::new());
    let mut package = Package::new(PackageKind::Nuget, name.to_owned(), version.to_owned(), purl, "dotnet-binary");
    package.basis = Basis::Guessed;
    package.vendor = Some(assembly.company.clone()).filter(|company| !company.is_empty());
    Some(package)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn assemblies_that_stand_alone_are_listed() {
        let found = fixture::catalog(&DotnetBinary, &[("srv/Acme.Json.dll", "dotnet-binary/Acme.Json.dll")]);
        assert_eq!(fixture::purls(&found), ["pkg:nuget/Acme.Json@13.0.1"]);
        assert_eq!(found.packages.first().map(|package| (package.basis, package.vendor.as_deref())), Some((Basis::Guessed, Some("Acme"))));
    }

    #[test]
    fn assemblies_that_are_described_are_left_out() {
        let found = fixture::catalog(
            &DotnetBinary,
            &[("srv/App.deps.json", "dotnet-binary/App.deps.json"), ("srv/runtimes/any/Acme.Json.dll", "dotnet-binary/Acme.Json.dll")],
        );
        assert!(found.packages.is_empty() && found.gaps.is_empty());
    }

    #[test]
    fn bundles_tell_what_is_in_them() {
        for name in ["dotnet-binary/bundle-1", "dotnet-binary/bundle-6"] {
            let found = fixture::catalog(&DotnetBinary, &[("app/server", name)]);
            assert_eq!(fixture::purls(&found), ["pkg:nuget/Acme.Json@13.0.1"], "{name}");
            assert!(found.gaps.is_empty() && found.packages.iter().all(|package| package.basis == Basis::Installed));
        }
        let deps = r#"{"libraries":{"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1":{"type":"runtimepack"},"app/1.0":{"type":"project"}}}"#;
        let names: Vec<_> = bundled(deps).unwrap().into_iter().map(|package| package.name).collect();
        assert_eq!(names, ["Microsoft.NETCore.App.Runtime.linux-x64"]);
        assert!(bundled("{").is_err() && bundled("[]").is_err());
    }

    #[test]
    fn damaged_resources_are_told() {
        let found = fixture::catalog(&DotnetBinary, &[("srv/Bad.dll", "dotnet-binary/malformed.dll")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.iter().map(|gap| gap.reason.as_str()).collect::<Vec<_>>(), ["its version resource cannot be read"]);
    }
}
