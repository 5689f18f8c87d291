//! `pnpm-lock.yaml`, versions 5 to 9, in, declared packages out. pnpm writes a small and regular part of YAML, one field a line.
//! Specification: <https://github.com/pnpm/spec/tree/master/lockfile>.

use std::collections::BTreeSet;

use crate::{
    inventory::{
        CatalogError,
        listing::Listing,
        lockfile::{self, Origin, at_version, is_plain, lines, shown, unquoted},
    },
    layers::Limits,
};

/// Reads the `packages` of every document in the file.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let mut listing = Listing::default();
    let mut seen = BTreeSet::new();
    let (mut major, mut is_lock, mut in_packages) = (None, false, false);
    let mut entry: Option<Entry<'_>> = None;
    for (indent, line) in lines(bytes, limits)? {
        if indent == 0 {
            close(entry.take(), major, &mut seen, &mut listing);
            in_packages = line == "packages:";
            if line == "---" || line == "..." {
                continue;
            }
            let Some((field, value)) = line.split_once(':') else {
                return Err(CatalogError(format!("is no readable pnpm-lock.yaml: `{}` is no field", shown(line))));
            };
            if matches!(field, "lockfileVersion" | "shrinkwrapVersion") {
                let number = unquoted(value.trim()).split(['.', '-']).next().unwrap_or_default().parse::<u32>().ok();
                major = number.map(|number| if field == "lockfileVersion" { number } else { 5 });
                is_lock |= major.is_some();
            }
        } else if in_packages && indent == 2 {
            let line = line.strip_prefix("? ").unwrap_or(line);
            // Behind a long key, which stands on a line of its own, the fields begin with a colon.
            if let Some(field) = line.strip_prefix(": ") {
                if let Some(entry) = &mut entry {
                    entry.field(field);
                }
                continue;
            }
            let key = line.strip_suffix(':').or_else(|| line.strip_suffix(" {}").and_then(|line| line.strip_suffix(':'))).unwrap_or(line);
            close(entry.replace(Entry { key: unquoted(key), ..Entry::default() }), major, &mut seen, &mut listing);
        } else if in_packages && let Some(entry) = &mut entry {
            match indent {
                4 => entry.field(line),
                _ if entry.in_resolution => entry.resolve(line),
                _ => {}
            }
        }
    }
    close(entry, major, &mut seen, &mut listing);
    match is_lock {
        true => Ok(listing),
        false => Err(CatalogError("is no readable pnpm-lock.yaml: it has no lockfileVersion".to_owned())),
    }
}

#[derive(Default)]
struct Entry<'a> {
    key: &'a str,
    name: Option<&'a str>,
    version: Option<&'a str>,
    repository: Option<&'a str>,
    commit: Option<&'a str>,
    tarball: Option<&'a str>,
    is_folder: bool,
    in_resolution: bool,
}

impl<'a> Entry<'a> {
    fn field(&mut self, line: &'a str) {
        let Some((field, value)) = line.split_once(':') else { return };
        let value = value.trim();
        self.in_resolution = field == "resolution";
        match field {
            "name" => self.name = Some(unquoted(value)),
            "version" => self.version = Some(unquoted(value)),
            "resolution" => {
                for part in value.trim_start_matches('{').trim_end_matches('}').split(", ") {
                    self.resolve(part);
                }
            }
            _ => {}
        }
    }

    fn resolve(&mut self, line: &'a str) {
        let Some((field, value)) = line.split_once(':') else { return };
        let value = unquoted(value.trim());
        match field.trim() {
            "repo" => self.repository = Some(value),
            "commit" => self.commit = Some(value),
            "tarball" => self.tarball = Some(value),
            "directory" => self.is_folder = true,
            _ => {}
        }
    }

    fn origin(&self) -> Origin {
        match (self.repository, self.tarball) {
            _ if self.is_folder => Origin::Local,
            (Some(repository), _) => {
                let address = format!("{repository}#{}", self.commit.unwrap_or_default());
                match Origin::of(&address) {
                    Origin::Download(_) => Origin::of(&format!("git+{address}")),
                    origin => origin,
                }
            }
            (None, Some(tarball)) if Origin::of(tarball) == Origin::Local => Origin::Local,
            // Registries have addresses too: only one that is the package's name says that it is from elsewhere.
            (None, Some(tarball)) if self.key.contains(tarball) || self.name.is_some() => Origin::of(tarball),
            _ => Origin::Registry,
        }
    }
}

fn close(entry: Option<Entry<'_>>, major: Option<u32>, seen: &mut BTreeSet<(String, String)>, listing: &mut Listing) {
    let Some(entry) = entry else { return };
    let origin = entry.origin();
    if origin == Origin::Local || entry.key.starts_with("file:") || entry.key.contains("@file:") || entry.key.contains("@link:") {
        return;
    }
    let from_key = if major.is_some_and(|major| major < 6) { in_path(entry.key) } else { in_specifier(entry.key) };
    let (name, version) = (entry.name.or(from_key.map(|(name, _)| name)), entry.version.or(from_key.map(|(_, version)| version)));
    let (Some(name), Some(version)) = (name, version) else {
        listing.doubt(|| format!("the entry `{}` does not name a package and its version", shown(entry.key)));
        return;
    };
    if !is_plain(name) || !is_plain(version) {
        listing.doubt(|| format!("the entry `{}` has an address in place of a name or a version", shown(entry.key)));
        return;
    }
    if seen.insert((name.to_owned(), version.to_owned())) {
        listing.add(lockfile::declared(super::package(name, version, &origin)));
    }
}

/// Version 5: `/name/1.0.0`, `/@scope/name/1.0.0_peers`, `registry.example.org/name/1.0.0`.
fn in_path(key: &str) -> Option<(&str, &str)> {
    let path = match key.strip_prefix('/') {
        Some(path) => path,
        None => key.split_once('/')?.1,
    };
    // Peers may have slashes and scopes too, so the name is taken from the front.
    let is_scoped = path.starts_with('@');
    let at = path.match_indices('/').nth(usize::from(is_scoped))?.0;
    let (name, version) = path.split_at_checked(at)?;
    let version = version.trim_start_matches('/').split(['_', '/']).next()?;
    (!name.is_empty() && version.starts_with(|first: char| first.is_ascii_digit())).then_some((name, version))
}

/// Since version 6: `/name@1.0.0(peers)`; since version 9 without the slash.
fn in_specifier(key: &str) -> Option<(&str, &str)> {
    let key = key.strip_prefix('/').unwrap_or(key);
    at_version(key.split('(').next().unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn packages_of_every_version_are_read() {
        let check = |fixture: &str, expected: &[&str]| {
            let listing = parse(&fixture::read(fixture), &Limits::default()).unwrap();
            assert_eq!(listing.packages.iter().map(|package| package.purl.as_str()).collect::<Vec<_>>(), expected, "{fixture}");
            assert_eq!(listing.unread, Vec::<String>::new());
        };
        let plain = ["pkg:npm/%40scope/a@1.0.0", "pkg:npm/inner@0.1.0"];
        let git = "pkg:npm/forked@3.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fforked.git%40c0ffee";
        let hosted = "pkg:npm/hosted@5.0.0?download_url=https:%2F%2Fcode.example.org%2Fsome%2Fhosted%2Ftar.gz%2Fc0ffee";
        check("npm/pnpm-5.yaml", &[plain[0], plain[1], "pkg:npm/mirrored@1.2.3", git, hosted]);
        check("npm/pnpm-6.yaml", &[plain[0], plain[1], git, hosted]);
        check("npm/pnpm-9.yaml", &[plain[0], hosted, plain[1], git]);
    }

    #[test]
    fn addresses_are_no_packages() {
        let check = |text: &str| {
            let listing = parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!((listing.packages.len(), listing.unread.len()), (0, 1), "{text}");
            assert!(!format!("{listing:?}").contains("q7Rw4q"), "{listing:?}");
        };
        check(
            "lockfileVersion: '6.0'\npackages:\n  'https://u:q7Rw4q@h/x.tgz':\n    resolution: {tarball: 'https://u:q7Rw4q@h/x.tgz?t=q7Rw4q'}\n",
        );
        check(
            "lockfileVersion: '9.0'\npackages:\n  'x@https://u:q7Rw4q@h/x.tgz':\n    resolution: {tarball: 'https://u:q7Rw4q@h/x.tgz'}\n",
        );
        check("lockfileVersion: '9.0'\npackages:\n  what:\n    name: 'https://u:q7Rw4q@h/x'\n    version: 1.0.0\n");
        check("lockfileVersion: 5.4\npackages:\n  https://u:q7Rw4q@h/x.tgz:\n    resolution: {tarball: 'https://u:q7Rw4q@h/x.tgz'}\n");
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("bogus pnpm-lock.yaml", None);
        check("{broken}", None);
        check("packages:\n  a@1:\n", None);
        check("lockfileVersion: '9.0'\n", Some((0, 0)));
        check("lockfileVersion: '9.0'\npackages:\n  a@1: {}\n  a@1(b@2):\n    dev: true\n  what:\n", Some((1, 1)));
        check("lockfileVersion: 5.4\npackages:\n  /a/1:\n  /b:\n  /@c/d:\n", Some((1, 2)));
        check("lockfileVersion: '6.0'\nlu\n", None);
        check("lockfileVersion: '9.0'\npackages:\n  ? 'a@1'\n  : resolution: {integrity: x}\n    dev: true\n", Some((1, 0)));
        check("---\nlockfileVersion: '9.0'\npackages:\n  a@1:\n---\nlockfileVersion: '9.0'\npackages:\n  b@1:\n", Some((2, 0)));
    }
}
