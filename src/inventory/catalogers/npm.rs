//! `npm`: installed Node.js packages, one `package.json` each.
//! Specification: <https://docs.npmjs.com/cli/configuring-npm/package-json>.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Limits, Want},
    model::package::{Basis, Package, PackageKind, PackageUrl},
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
                (Some(name), Some("node_modules"), _) => !name.starts_with('@') && name != ".bin",
                (Some(_), Some(scope), Some("node_modules")) => scope.starts_with('@'),
                _ => false,
            };
        if wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| self.wants(file.path) == Want::Bytes), context.limits().packages, |file| {
            let package = parse(&file.bytes(), context.limits())?;
            Ok(package.map(|package| Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        found
    }
}

/// `None` for a manifest with neither name nor version: tools put such files into packages to say `"type": "module"`.
fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Package>, CatalogError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_deeper_than(bytes, limits.json_depth) {
        return Err(CatalogError(format!("JSON is nested deeper than the limit of {}", limits.json_depth)));
    }
    let manifest: Manifest =
        serde_json::from_slice(bytes).map_err(|error| CatalogError(format!("is no readable package.json: {error}")))?;
    if manifest.name.is_none() && manifest.version.is_none() {
        return Ok(None);
    }
    let text = |shape: Option<Shape>| match shape {
        Some(Shape::Text(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    };
    let (Some(name), Some(version)) = (text(manifest.name), text(manifest.version)) else {
        return Err(CatalogError("holds a name without a version, or the other way round".to_owned()));
    };
    let (namespace, short) = match name.split_once('/') {
        Some((scope, short)) if scope.starts_with('@') => (Some(scope), short),
        _ => (None, name.as_str()),
    };
    let mut licences: Vec<String> =
        [manifest.license, manifest.licenses].into_iter().flatten().flat_map(Shape::into_texts).filter(|text| !text.is_empty()).collect();
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
        basis: Basis::Installed,
        hashes: Vec::new(),
    }))
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<Shape>,
    version: Option<Shape>,
    license: Option<Shape>,
    licenses: Option<Shape>,
}

/// How many licences of one manifest are kept.
const LICENCES: usize = 20;

/// A value as far as it matters here. Everything else is skipped while it is read, so that a large one costs no memory.
enum Shape {
    Text(String),
    /// The texts of a list, and the `type` of each object in it; of an object alone as well.
    Texts(Vec<String>),
    Other,
}

impl Shape {
    fn into_texts(self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text],
            Self::Texts(texts) => texts,
            Self::Other => Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut texts = Vec::new();
        while texts.len() < LICENCES {
            let Some(shape) = list.next_element::<Shape>()? else { return Ok(Shape::Texts(texts)) };
            texts.extend(shape.into_texts());
        }
        texts.truncate(LICENCES);
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Shape::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Shape, A::Error> {
        let mut texts = Vec::new();
        while let Some(key) = object.next_key::<String>()? {
            if key == "type" && texts.is_empty() {
                if let Shape::Text(text) = object.next_value::<Shape>()? {
                    texts.push(text);
                }
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Shape::Texts(texts))
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
        check("app/node_modules/.left-pad/package.json", true);
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
        let many = format!(r#"{{"name":"a","version":"1","license":[{}"MIT",{{"type":"X","y":[1]}}]}}"#, r#""A","#.repeat(LICENCES));
        let package = parse(many.as_bytes(), &limits).unwrap().unwrap();
        assert_eq!(package.licences, ["A"]);
    }
}
