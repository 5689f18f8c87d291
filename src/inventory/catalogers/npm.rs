//! `npm`: installed Node.js packages, one `package.json` each.
//! Specification: <https://docs.npmjs.com/cli/configuring-npm/package-json>.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `package.json` directly below a package's folder in `node_modules`; any other one describes the application or a fixture.
pub(super) struct Npm;

impl Cataloger for Npm {
    fn id(&self) -> &'static str {
        "npm"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        let wanted = parts.next() == Some("package.json")
            && match (parts.next(), parts.next(), parts.next()) {
                (Some(name), Some("node_modules"), _) => !name.starts_with(['@', '.']),
                (Some(_), Some(scope), Some("node_modules")) => scope.starts_with('@'),
                _ => false,
            };
        if wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), |file| {
            let package = parse(file.bytes, context.limits())?;
            Ok(package.map(|package| Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// `None` for a manifest without name or version: tools put such files into packages to say `"type": "module"`.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Package>, CatalogError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_deeper_than(bytes, limits.json_depth) {
        return Err(CatalogError(format!("JSON is nested deeper than the limit of {}", limits.json_depth)));
    }
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| CatalogError(format!("is no readable package.json: {error}")))?;
    let (Some(Value::String(name)), Some(Value::String(version))) = (manifest.name, manifest.version) else { return Ok(None) };
    let (name, version) = (name.trim().to_owned(), version.trim().to_owned());
    if name.is_empty() || version.is_empty() {
        return Ok(None);
    }
    let (namespace, short) = match name.split_once('/') {
        Some((scope, short)) if scope.starts_with('@') => (Some(scope), short),
        _ => (None, name.as_str()),
    };
    let mut licences: Vec<String> =
        [manifest.license, manifest.licenses].into_iter().flatten().flat_map(|value| licences(&value)).collect();
    licences.sort();
    licences.dedup();
    Ok(Some(Package {
        kind: PackageKind::Npm,
        purl: PackageUrl::new(PackageKind::Npm, namespace, short, Some(&version), &BTreeMap::new()),
        name,
        version,
        arch: None,
        source: None,
        modularity: None,
        vendor: None,
        licences,
        locations: Vec::new(),
        owner: None,
        found_by: "npm",
    }))
}

#[derive(serde::Deserialize)]
struct Manifest {
    name: Option<Value>,
    version: Option<Value>,
    license: Option<Value>,
    licenses: Option<Value>,
}

/// `"MIT"`, `{"type": "MIT"}`, or a list of either.
fn licences(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.is_empty() => vec![text.clone()],
        Value::Object(object) => object.get("type").and_then(Value::as_str).map(str::to_owned).into_iter().collect(),
        Value::Array(list) => list.iter().filter(|value| !value.is_array()).flat_map(licences).collect(),
        _ => Vec::new(),
    }
}

/// Counts open brackets outside strings, because the JSON reader skips unknown fields at any depth.
fn is_deeper_than(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

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
        assert!(parse(br#"{"name":1,"version":"1"}"#, &limits).is_ok_and(|package| package.is_none()));
    }
}
