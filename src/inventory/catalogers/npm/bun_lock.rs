//! `bun.lock` in, declared packages out. It is JSON with commas behind last elements. Specification: <https://bun.sh/docs/install/lockfile>.

use serde::Deserialize;

use crate::{
    inventory::{
        CatalogError,
        json::{self, Entries, Shape},
        listing::Listing,
        lockfile::{self, Origin, at_version, is_plain, shown},
    },
    layers::Limits,
};

/// Reads what bun resolved.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let lock: Lock = json::parse(&without_last_commas(bytes), limits, "bun.lock")?;
    let Some(packages) = lock.packages.or_else(|| lock.version.map(|_| Entries::default())) else {
        return Err(CatalogError("is no readable bun.lock: it has neither packages nor a version".to_owned()));
    };
    let mut listing = Listing::default();
    listing.unread.extend(packages.cut());
    for (key, entry) in packages.items {
        let resolved = entry.into_texts().into_iter().next().unwrap_or_default();
        let Some((name, version)) = at_version(&resolved) else {
            listing.doubt(|| format!("the entry `{}` does not say what it resolves to", shown(&key)));
            continue;
        };
        let origin = Origin::of(version);
        if origin == Origin::Local {
            continue;
        }
        let Some(version) = origin.version(version).filter(|_| is_plain(name)) else {
            listing.doubt(|| format!("the entry `{}` resolves to an address without a commit", shown(&key)));
            continue;
        };
        listing.add(lockfile::declared(super::package(name, version, &origin)));
    }
    Ok(listing)
}

/// Leaves out each comma behind which an object or a list ends.
fn without_last_commas(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let (mut in_string, mut escaped, mut comma) = (false, false, None);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        if !in_string
            && matches!(byte, b']' | b'}')
            && let Some(at) = comma
        {
            kept.truncate(at);
        }
        if in_string || !byte.is_ascii_whitespace() {
            comma = (!in_string && byte == b',').then_some(kept.len());
        }
        kept.push(byte);
    }
    kept
}

#[derive(Deserialize)]
struct Lock {
    #[serde(rename = "lockfileVersion")]
    version: Option<Shape>,
    packages: Option<Entries<Shape>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn resolved_packages_are_read() {
        let listing = parse(&fixture::read("npm/bun.lock"), &Limits::default()).unwrap();
        let purls: Vec<_> = listing.packages.iter().map(|package| package.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:npm/%40scope/a@1.0.0",
                "pkg:npm/real@2.0.0",
                "pkg:npm/forked@c0ffee?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fsome%2Fforked%40c0ffee",
                "pkg:npm/inner@0.1.0"
            ]
        );
        assert_eq!(listing.unread, Vec::<String>::new());
    }

    #[test]
    fn last_commas_are_left_out() {
        let check = |text: &str, expected: &str| assert_eq!(String::from_utf8(without_last_commas(text.as_bytes())).unwrap(), expected);
        check("[1,2,]", "[1,2]");
        check("{\"a,]\": [\"\\\",]\" , \n],}", "{\"a,]\": [\"\\\",]\" ]}");
        check("[,,]", "[,]");
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("{}", None);
        check(r#"{"lockfileVersion":1}"#, Some((0, 0)));
        check(r#"{"packages":{"a":["a"],"b":1,"c":["c@1",],}}"#, Some((1, 2)));
        check(
            r#"{"packages":{"a":["a@https://u:q7Rw4q@h/a.tgz"],"b":["https://u:q7Rw4q@h/b"],"c":["c@git+https://h/c.git"]}}"#,
            Some((0, 3)),
        );
    }
}
