//! `yarn.lock` of yarn 1 in, declared packages out; that of later versions is handed on. The format is yarn's own: a line with what asks for a
//! package, and indented below it what was found. Specification: <https://classic.yarnpkg.com/lang/en/docs/yarn-lock/>.

use crate::{
    inventory::{
        CatalogError,
        listing::Listing,
        lockfile::{self, Origin, at_version, is_plain, lines, shown, unquoted},
    },
    layers::Limits,
};

/// Reads either format of yarn's lock files.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let lines = lines(bytes, limits)?;
    if lines.clone().any(|(indent, line)| indent == 0 && line == "__metadata:") {
        return super::berry::parse(lines);
    }
    let mut listing = Listing::default();
    let mut entry: Option<Entry<'_>> = None;
    for (indent, line) in lines {
        if indent == 0 {
            let Some(wanted) = line.strip_suffix(':') else {
                return Err(CatalogError(format!("is no readable yarn.lock: `{}` is no entry", shown(line))));
            };
            close(entry.replace(Entry { wanted, version: None, resolved: None }), &mut listing);
        } else if let Some(entry) = &mut entry {
            match line.split_once(' ') {
                Some(("version", version)) if indent == 2 => entry.version = Some(unquoted(version.trim())),
                Some(("resolved", address)) if indent == 2 => entry.resolved = Some(unquoted(address.trim())),
                _ => {}
            }
        } else {
            return Err(CatalogError(format!("is no readable yarn.lock: `{}` belongs to no entry", shown(line))));
        }
    }
    close(entry, &mut listing);
    Ok(listing)
}

struct Entry<'a> {
    /// `"name@range", "name@range"`.
    wanted: &'a str,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
}

fn close(entry: Option<Entry<'_>>, listing: &mut Listing) {
    let Some(entry) = entry else { return };
    let first = unquoted(entry.wanted.split(", ").next().unwrap_or_default().trim());
    let (Some((alias, range)), Some(version)) = (at_version(first), entry.version) else {
        listing.doubt(|| format!("the entry `{}` has no name or no version", shown(entry.wanted)));
        return;
    };
    let name = range.strip_prefix("npm:").and_then(at_version).map_or(alias, |(name, _)| name);
    if !is_plain(name) || !is_plain(version) {
        listing.doubt(|| format!("the entry `{}` has an address in place of a name or a version", shown(entry.wanted)));
        return;
    }
    let origin = match (Origin::of(range), entry.resolved.map(Origin::of)) {
        (Origin::Local, _) | (_, Some(Origin::Local)) => return,
        (_, Some(Origin::Repository(address))) => Origin::Repository(address),
        // Registries have addresses too, so it is one unless an address was asked for.
        (origin, _) => origin,
    };
    listing.add(lockfile::declared(super::package(name, version, &origin)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn credentials_are_not_kept() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default());
            assert_eq!(found.as_ref().ok().map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
            assert!(!format!("{found:?}").contains("q7Rw4q"), "{found:?}");
        };
        check("\"foo@https://u:q7Rw4q@h/foo.tgz\":\n  resolved \"https://u:q7Rw4q@h/foo.tgz\"\n", Some((0, 1)));
        check("\"foo@https://u:q7Rw4q@h/foo.tgz?k=q7Rw4q\":\n  version \"1.0.0\"\n", Some((1, 0)));
        check("\"https://u:q7Rw4q@h/foo.tgz\":\n  version \"1.0.0\"\n", Some((0, 1)));
        check("  resolved \"https://u:q7Rw4q@h/foo.tgz\"\n", None);
        check("__metadata:\n  version: 6\n\n\"foo@https://u:q7Rw4q@h/f.tgz\":\n  linkType: hard\n", Some((0, 1)));
        check("__metadata:\n  version: 6\n\n\"f\":\n  version: 1\n  resolution: \"https://u:q7Rw4q@h/f\"\n", Some((0, 1)));
    }

    #[test]
    fn resolved_packages_are_read() {
        let check = |fixture: &str, expected: &[&str]| {
            let listing = parse(&fixture::read(fixture), &Limits::default()).unwrap();
            assert_eq!(listing.packages.iter().map(|package| package.purl.as_str()).collect::<Vec<_>>(), expected, "{fixture}");
            assert_eq!(listing.unread, Vec::<String>::new());
        };
        let plain = ["pkg:npm/%40scope/a@1.0.0", "pkg:npm/inner@0.1.0"];
        let git = "pkg:npm/forked@3.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fforked.git%40c0ffee";
        check("npm/yarn-1.lock", &[plain[0], git, plain[1], "pkg:npm/real@2.0.0"]);
        let git = "pkg:npm/forked@3.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fforked.git%40commit%3Dc0ffee";
        check("npm/yarn-berry.lock", &[plain[0], git, plain[1], "pkg:npm/patched@4.0.0", "pkg:npm/real@2.0.0"]);
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("bogus yarn.lock", None);
        check("# yarn lockfile v1\n\n\n", Some((0, 0)));
        check("  a@1:\n    version \"1\"\n", None);
        check("a@1:\n  version \"1\"\nb@2:\n  resolved \"x\"\n:\n", Some((1, 2)));
        check("<<<<<<< HEAD\na@1:\n  version \"1\"\n", None);
        check("__metadata:\n  version: 8\n", Some((0, 0)));
        check("__metadata:\n  version: 8\n\"a@npm:1\":\n  version: 1\n", Some((0, 1)));
        check("__metadata:\n  version: 8\nbogus\n", None);
        check("__metadata:\n  version: 8\n? \"a@npm:1\"\n:\n  version: 1\n  resolution: \"a@npm:1\"\n", Some((1, 0)));
    }
}
