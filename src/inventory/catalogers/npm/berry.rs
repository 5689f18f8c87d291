//! `yarn.lock` of yarn 2 and later (a small part of YAML) and the map `.pnp.cjs` in, declared packages out.
//! Specifications: <https://yarnpkg.com/advanced/lexicon#lockfile>, <https://yarnpkg.com/advanced/pnp-spec>.

use std::collections::BTreeSet;

use crate::{
    inventory::{
        CatalogError,
        listing::Listing,
        lockfile::{self, Origin, at_version, is_plain, lines, shown, unquoted},
    },
    layers::Limits,
};

/// Reads the lines of a lock file.
pub(super) fn parse<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Result<Listing, CatalogError> {
    let mut listing = Listing::default();
    let mut entry: Option<Entry<'_>> = None;
    for (indent, line) in lines {
        match line.split_once(':') {
            // A key above 1,024 characters stands on a line of its own, and a colon below it.
            _ if indent > 2 || line == ":" => {}
            _ if indent == 0 && (line.ends_with(':') || line.starts_with("? ")) => {
                close(entry.replace(Entry { key: line, ..Entry::default() }), &mut listing);
            }
            Some((field, value)) => {
                let Some(entry) = &mut entry else { continue };
                match field {
                    "version" => entry.version = Some(unquoted(value.trim())),
                    "resolution" => entry.resolution = Some(unquoted(value.trim())),
                    _ => {}
                }
            }
            None => return Err(CatalogError(format!("is no readable yarn.lock: `{}` is no entry", shown(line)))),
        }
    }
    close(entry, &mut listing);
    Ok(listing)
}

#[derive(Default)]
struct Entry<'a> {
    key: &'a str,
    version: Option<&'a str>,
    resolution: Option<&'a str>,
}

fn close(entry: Option<Entry<'_>>, listing: &mut Listing) {
    let Some(entry) = entry.filter(|entry| entry.key != "__metadata:") else { return };
    let (Some((name, reference)), Some(version)) = (entry.resolution.and_then(at_version), entry.version) else {
        listing.doubt(|| format!("the entry `{}` has no resolution or no version", shown(entry.key)));
        return;
    };
    match Origin::of(reference) {
        Origin::Local => {}
        _ if !is_plain(name) || !is_plain(version) => {
            listing.doubt(|| format!("the entry `{}` has an address in place of a name or a version", shown(entry.key)));
        }
        // `npm:1.0.0`, and `patch:` of such.
        origin => listing.add(lockfile::declared(super::package(name, version, &origin))),
    }
}

/// Reads the map that yarn hands to Node.js in place of `node_modules`, from lines as yarn writes them:
/// `["name", [\` and, in it, `["npm:1.0.0", {\` or `["virtual:…#npm:1.0.0", {\`.
pub(super) fn parse_map(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let mut listing = Listing::default();
    let (mut seen, mut has_registry) = (BTreeSet::new(), false);
    let mut name = None;
    for (_, line) in lines(bytes, limits)? {
        has_registry |= line.contains("\"packageRegistryData\"");
        let Some((text, rest)) = line.strip_prefix("[\"").and_then(|rest| rest.split_once("\", ")) else { continue };
        if rest.starts_with('[') {
            name = Some(text);
        } else if let (Some(name), true) = (name, rest.starts_with('{')) {
            let reference = text.rsplit_once('#').filter(|_| text.starts_with("virtual:")).map_or(text, |(_, reference)| reference);
            if let Some(version) = reference.strip_prefix("npm:").filter(|version| !version.is_empty()) {
                let (name, version) = at_version(version).unwrap_or((name, version));
                if !is_plain(name) || !is_plain(version) {
                    listing.doubt(|| format!("the entry `{}` has an address in place of a name or a version", shown(text)));
                } else if seen.insert((name, version)) && listing.packages.len() < limits.packages {
                    listing.add(lockfile::declared(super::package(name, version, &Origin::Registry)));
                }
            }
        }
    }
    match has_registry {
        true => Ok(listing),
        false => Err(CatalogError("is no readable .pnp.cjs: it has no map of packages".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn maps_are_read() {
        let listing = parse_map(&fixture::read("npm/pnp.cjs"), &Limits::default()).unwrap();
        let purls: Vec<_> = listing.packages.iter().map(|package| package.purl.as_str()).collect();
        assert_eq!(purls, ["pkg:npm/%40scope/a@1.0.0", "pkg:npm/real@2.0.0", "pkg:npm/peered@0.1.0"]);
    }
}
