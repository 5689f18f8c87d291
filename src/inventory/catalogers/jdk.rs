//! `jdk`: Java runtimes that bring a `release` file, one package each
//! (<https://openjdk.org/jeps/223>; the file's keys are those of the JDK's `make/ReleaseFile.gmk`).

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::{Body, Examiner, Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Most bytes of a `release` file: the list of modules is the longest line in it.
const RELEASE_BYTES: u64 = 64 * 1024;

/// Reads `release` files.
pub(super) struct Jdk;

/// Keeps those files of this name that are about a Java runtime.
static RELEASE: Release = Release;

struct Release;

impl Examiner for Release {
    fn id(&self) -> &'static str {
        "jdk"
    }

    fn is_wanted(&self, _path: &str, head: &[u8], size: u64) -> bool {
        // The head of a short file may be filled up with zeros.
        let own = usize::try_from(size).unwrap_or(usize::MAX);
        (1..=RELEASE_BYTES).contains(&size) && head.iter().take(own).all(|&byte| byte != 0)
    }

    fn examine(&self, _path: &str, body: &Body<'_>, _limits: &Limits) -> Vec<u8> {
        let bytes = body.up_to(0, body.size().try_into().unwrap_or(0));
        let is_runtime = bytes.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"JAVA_VERSION="));
        if is_runtime { bytes.into_owned() } else { Vec::new() }
    }
}

impl Cataloger for Jdk {
    fn id(&self) -> &'static str {
        "jdk"
    }

    fn wants(&self, path: &str) -> Want {
        if path.ends_with("/release") { Want::Examine(&RELEASE) } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| file.path.ends_with("/release")), context.limits().packages, |file| {
            let Some(bytes) = file.extract(&RELEASE).filter(|bytes| !bytes.is_empty()) else { return Ok(None) };
            let mut package = parse(&bytes, file.path)?;
            package.locations = context.location(attribution::content_layer(&file), file.path);
            Ok(Some(package))
        });
        found
    }
}

fn parse(bytes: &[u8], path: &str) -> Result<Package, CatalogError> {
    let text = String::from_utf8_lossy(bytes);
    let values: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim().trim_matches('"').trim()))
        .filter(|(_, value)| !value.is_empty() && value.len() <= 256)
        .collect();
    let value = |key: &str| values.get(key).copied();
    let version = value("JAVA_RUNTIME_VERSION").or_else(|| value("FULL_VERSION")).or_else(|| value("JAVA_VERSION"));
    let Some(version) = version.filter(|version| !version.contains(char::is_whitespace)) else {
        return Err(CatalogError("is the release file of a Java runtime and names no version".to_owned()));
    };
    let (vendor, name) = product(&values, path);
    let repository = value("SOURCE_REPO").unwrap_or_default().to_owned();
    let purl = PackageUrl::new(PackageKind::Generic, Some(vendor), name, Some(version), &BTreeMap::from([("repository_url", repository)]));
    Ok(Package::new(PackageKind::Generic, name.to_owned(), version.to_owned(), purl, "jdk"))
}

/// Vendor and product, as vulnerability records name them: what is built from OpenJDK's sources is Oracle's `openjdk`, whoever built it.
fn product(values: &BTreeMap<&str, &str>, path: &str) -> (&'static str, &'static str) {
    let has = |key: &str, word: &str| values.get(key).is_some_and(|value| value.to_ascii_lowercase().contains(word));
    if has("IMPLEMENTOR", "azul") || path.contains("zulu") {
        return ("azul", "zulu");
    }
    if has("IMPLEMENTOR", "oracle") || (!values.contains_key("IMPLEMENTOR") && has("BUILD_TYPE", "commercial")) {
        let is_jre = has("IMAGE_TYPE", "jre") || path.ends_with("/jre/release");
        return ("oracle", if is_jre { "jre" } else { "jdk" });
    }
    ("oracle", "openjdk")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn runtimes_are_read() {
        let check = |path: &str, name: &str, expected: &[&str]| {
            let found = fixture::catalog(&Jdk, &[(path, name)]);
            assert_eq!(fixture::purls(&found), expected, "{path}");
            assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        };
        let url = "repository_url=https:%2F%2Fexample.org%2Fjdk21u.git";
        check("opt/java/openjdk/release", "jdk/release", &[&format!("pkg:generic/oracle/openjdk@21.0.9%2B10-LTS?{url}")]);
        check("usr/lib/jvm/8/release", "jdk/eight", &["pkg:generic/azul/zulu@1.8.0_999"]);
        check("etc/release", "jdk/silent", &[]);
        check("opt/java/release", "jar/plain.jar", &[]);
        check("release", "jdk/release", &[]);
    }

    #[test]
    fn a_runtime_without_a_version_is_told() {
        let found = fixture::catalog(&Jdk, &[("opt/java/release", "jdk/malformed")]);
        assert!(found.packages.is_empty());
        assert_eq!(found.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), ["record-unreadable"]);
    }

    #[test]
    fn products_follow_the_vendor() {
        let check = |text: &str, path: &str, expected: &str| {
            assert_eq!(parse(text.as_bytes(), path).unwrap().purl.as_str(), expected, "{text}");
        };
        check("JAVA_VERSION=\"21\"\nIMPLEMENTOR=\"Oracle Corporation\"", "a/release", "pkg:generic/oracle/jdk@21");
        check("JAVA_VERSION=\"21\"\nIMPLEMENTOR=\"Oracle Corporation\"\nIMAGE_TYPE=JRE", "a/release", "pkg:generic/oracle/jre@21");
        check("JAVA_VERSION=\"1.8.0_202\"\nBUILD_TYPE=\"commercial\"", "a/jre/release", "pkg:generic/oracle/jre@1.8.0_202");
        check(
            "JAVA_VERSION=\"11.0.9\"\nFULL_VERSION=\"11.0.9+11\"\nIMPLEMENTOR=IBM",
            "a/release",
            "pkg:generic/oracle/openjdk@11.0.9%2B11",
        );
        check("JAVA_VERSION=\"17\"", "opt/zulu17/release", "pkg:generic/azul/zulu@17");
    }
}
