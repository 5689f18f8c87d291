//! `pypi`: installed Python distributions: `dist-info` and `egg-info`.
//! Specification: <https://packaging.python.org/en/latest/specifications/core-metadata/>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Limits, Want},
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Reads `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, `*.egg-info` files and `*.egg/EGG-INFO/PKG-INFO`.
pub(super) struct Pypi;

impl Cataloger for Pypi {
    fn id(&self) -> &'static str {
        "pypi"
    }

    fn wants(&self, path: &str) -> Want {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let wanted = match name {
            "METADATA" => folder.ends_with(".dist-info"),
            "PKG-INFO" => folder.ends_with(".egg-info") || folder.ends_with(".egg/EGG-INFO"),
            _ => name.ends_with(".egg-info"),
        };
        match wanted {
            true => Want::Bytes,
            false if is_trace(folder, name) || is_zip(folder, name) => Want::Presence,
            false => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        let mut bare = BTreeSet::new();
        for file in context.view.files() {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", file.path));
            if is_zip(folder, name) {
                found.unreadable(file.path, &CatalogError("is a zipped egg, which this version does not read".to_owned()));
            } else if is_trace(folder, name) && context.view.lookup(&format!("{folder}/METADATA")).is_none() && bare.insert(folder) {
                found.unreadable(folder, &CatalogError("holds no METADATA, so that name and version are not known".to_owned()));
            }
        }
        found
    }
}

/// A file that installers leave beside METADATA.
fn is_trace(folder: &str, name: &str) -> bool {
    folder.ends_with(".dist-info")
        && matches!(name, "RECORD" | "WHEEL" | "INSTALLER" | "REQUESTED" | "top_level.txt" | "entry_points.txt" | "direct_url.json")
}

/// A whole distribution in one file on Python's path.
fn is_zip(folder: &str, name: &str) -> bool {
    name.ends_with(".egg") && (folder.ends_with("site-packages") || folder.ends_with("dist-packages"))
}

/// Reads the headers, which end at the first empty line: descriptions below it may say `Name:` again.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    let (mut name, mut version, mut licence, mut expression) = (None, None, None, None);
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.trim_ascii().is_empty() {
            break;
        }
        if line.len() > limits.line_bytes {
            return Err(CatalogError(format!("a header line exceeds the limit of {} bytes", limits.line_bytes)));
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':').filter(|_| !line.starts_with(b" ") && !line.starts_with(b"\t")) else {
            continue;
        };
        let (field, value) = line.split_at(colon);
        let value =
            || Some(String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned()).filter(|value| !value.is_empty());
        // The first of several counts, as Python's own reader has it.
        if field.eq_ignore_ascii_case(b"name") {
            name = name.or_else(value);
        } else if field.eq_ignore_ascii_case(b"version") {
            version = version.or_else(value);
        } else if field.eq_ignore_ascii_case(b"license-expression") {
            expression = expression.or_else(value);
        } else if field.eq_ignore_ascii_case(b"license") {
            licence = licence.or_else(value);
        }
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(CatalogError("holds no Name and Version".to_owned()));
    };
    let licence = expression.or(licence).filter(|licence| licence != "UNKNOWN" && licence.len() <= 200);
    Ok(Package {
        kind: PackageKind::Pypi,
        purl: PackageUrl::new(PackageKind::Pypi, None, &name.to_ascii_lowercase().replace('_', "-"), Some(&version), &BTreeMap::new()),
        name,
        version,
        arch: None,
        source: None,
        modularity: None,
        vendor: None,
        licences: licence.into_iter().collect(),
        locations: Vec::new(),
        owner: None,
        found_by: "pypi",
        basis: Basis::Installed,
        hashes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn metadata_is_read() {
        let found = fixture::catalog(
            &Pypi,
            &[
                ("usr/lib/python3/dist-packages/Sample_Pkg-1.0.dist-info/METADATA", "pypi/METADATA"),
                ("usr/lib/python3/dist-packages/old-2.0.egg-info", "pypi/PKG-INFO"),
                ("usr/lib/python3/dist-packages/METADATA", "pypi/malformed"),
            ],
        );
        assert_eq!(fixture::purls(&found), ["pkg:pypi/old@2.0", "pkg:pypi/sample-pkg@1.0"]);
        assert!(found.gaps.is_empty());
        assert_eq!(found.packages.iter().map(|package| package.licences.join(" ")).collect::<Vec<_>>(), ["BSD", "Apache-2.0 OR MIT"]);
    }

    #[test]
    fn damaged_metadata_is_told() {
        let found = fixture::catalog(&Pypi, &[("x/a.dist-info/METADATA", "pypi/malformed")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.len(), 1);
    }

    #[test]
    fn distributions_without_metadata_are_told() {
        let gaps = |files: &[(&str, &str)]| fixture::catalog(&Pypi, files).gaps.into_iter().map(|gap| gap.subject).collect::<Vec<_>>();
        assert_eq!(gaps(&[("x/a.dist-info/RECORD", "pypi/malformed"), ("x/a.dist-info/WHEEL", "pypi/malformed")]), ["x/a.dist-info"]);
        assert_eq!(gaps(&[("x/site-packages/a-1.egg", "pypi/malformed")]), ["x/site-packages/a-1.egg"]);
        let whole =
            [("x/a.dist-info/RECORD", "pypi/malformed"), ("x/a.dist-info/METADATA", "pypi/METADATA"), ("x/a.egg", "pypi/malformed")];
        assert!(gaps(&whole).is_empty());
    }
}
