//! NuGet's `packages.lock.json` and `packages.config` in, declared packages out.
//! Specifications: <https://learn.microsoft.com/en-us/nuget/consume-packages/package-references-in-project-files#locking-dependencies>,
//! <https://learn.microsoft.com/en-us/nuget/reference/packages-config>.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::{
    inventory::{
        CatalogError,
        json::{self, Entries, Shape},
        listing::Listing,
        lockfile::{self, shown},
    },
    layers::Limits,
};

/// Reads `packages.lock.json`: what each target framework resolves.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let lock: Lock = json::parse(bytes, limits, "packages.lock.json")?;
    let Some(frameworks) = lock.dependencies else {
        return Err(CatalogError("is no readable packages.lock.json: it has no dependencies".to_owned()));
    };
    let mut listing = Listing::default();
    let mut seen = BTreeSet::new();
    for (_, framework) in frameworks.items {
        listing.unread.extend(framework.cut());
        for (name, entry) in framework.items {
            let (kind, version) = (json::text(entry.kind).unwrap_or_default(), json::text(entry.resolved));
            match version {
                _ if kind.eq_ignore_ascii_case("project") => {}
                Some(version) if !name.is_empty() => {
                    let package = lockfile::declared(super::package(&name, &version));
                    if seen.insert((name, version)) {
                        listing.add(package);
                    }
                }
                _ => listing.doubt(|| format!("the entry `{}` has no resolved version", shown(&name))),
            }
        }
    }
    Ok(listing)
}

#[derive(Deserialize)]
struct Lock {
    dependencies: Option<Entries<Entries<Entry>>>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: Option<Shape>,
    resolved: Option<Shape>,
}

/// Reads `packages.config`: XML with one `package` element each, as Visual Studio and NuGet write it.
pub(super) fn parse_config(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let text = String::from_utf8_lossy(bytes);
    let Some((_, mut rest)) = text.split_once("<packages").filter(|(before, _)| !before.contains("<!--")) else {
        return Err(CatalogError("is no readable packages.config: it has no packages element".to_owned()));
    };
    let mut listing = Listing::default();
    while let Some((_, behind)) = rest.split_once('<') {
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let Some((element, after)) = behind.split_once('>') else {
            return Err(CatalogError("is no readable packages.config: an element does not end".to_owned()));
        };
        rest = after;
        let Some(attributes) = element.strip_prefix("package").filter(|rest| rest.starts_with(|first: char| first.is_ascii_whitespace()))
        else {
            continue;
        };
        if listing.packages.len() >= limits.packages {
            listing.doubt(|| format!("it has more packages than the limit of {}", limits.packages));
            break;
        }
        match (attribute(attributes, "id"), attribute(attributes, "version")) {
            (Some(name), Some(version)) => listing.add(lockfile::declared(super::package(name, version))),
            _ => listing.doubt(|| format!("the element `{}` has no id or no version", shown(element))),
        }
    }
    Ok(listing)
}

/// The value of an attribute that needs no XML escapes, as ids and versions never do.
fn attribute<'a>(mut rest: &'a str, name: &str) -> Option<&'a str> {
    loop {
        let (key, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|&quote| quote == '"' || quote == '\'')?;
        let (value, after) = behind.strip_prefix(quote)?.split_once(quote)?;
        if key.trim() == name {
            return Some(value).filter(|value| !value.is_empty() && !value.contains(['&', ' ']));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_lock_files_are_told() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("{}", None);
        check("\"bogus\"", None);
        check(r#"{"version":1,"dependencies":{"net6.0":{}}}"#, Some((0, 0)));
        check(r#"{"dependencies":{"net6.0":{"a":{"type":"Direct"},"b":{"resolved":"1"}},"net8.0":{"b":{"resolved":"1"}}}}"#, Some((1, 1)));
    }

    #[test]
    fn damaged_configurations_are_told() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse_config(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("", None);
        check("<packages><package id='a' version='1'", None);
        check("<packages><!-- <package id='a' version='1'/> --><package\n id='b'\n version='1'/></packages>", Some((1, 0)));
        check("<packages><package id='a'/><package version='1' id=\"\"/><packaged id='x' version='1'/></packages>", Some((0, 2)));
        check("<packages/>", Some((0, 0)));
    }
}
