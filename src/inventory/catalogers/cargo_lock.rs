//! `cargo-lock`: what `Cargo.lock` declares. Nothing that Cargo installs stands beside it: what a program was built of is in the program.
//! Specification: <https://doc.rust-lang.org/cargo/guide/cargo-toml-vs-cargo-lock.html>; the format is the one that Cargo writes, a small part of TOML.

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found,
        listing::{self, Listing},
        lockfile::{self, Origin, is_plain, lines, shown, unquoted},
    },
    layers::{Limits, Want},
    model::package::{Basis, Package, PackageKind},
};

/// Reads the packages of `Cargo.lock`; those without a source are the project's own, and only serve to find the programs that were built from it.
pub(super) struct CargoLock;

impl Cataloger for CargoLock {
    fn id(&self) -> &'static str {
        "cargo-lock"
    }

    fn version(&self) -> u32 {
        3
    }

    fn wants(&self, path: &str) -> Want {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        if name == "Cargo.lock" && !lockfile::is_shipped(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let files = context.view.files().filter(|file| self.wants(file.path) == Want::Bytes);
        listing::read(&mut found, context, files, |_, bytes| parse(bytes, context.limits()));
        found
    }
}

fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let mut listing = Listing::default();
    let (mut entry, mut in_list, mut is_lock): (Option<Entry<'_>>, _, _) = (None, false, false);
    for (_, line) in lines(bytes, limits)? {
        if in_list {
            in_list = !line.ends_with(']');
        } else if line.starts_with('[') {
            close(entry.take(), &mut listing);
            is_lock = true;
            entry = (line == "[[package]]").then(Entry::default);
        } else if let Some((field, value)) = line.split_once('=') {
            let (field, value) = (field.trim(), value.trim());
            in_list = value.starts_with('[') && !value.ends_with(']');
            let value = unquoted(value);
            match (&mut entry, field) {
                (Some(entry), "name") => entry.name = Some(value),
                (Some(entry), "version") => entry.version = Some(value),
                (Some(entry), "source") => entry.source = Some(value),
                (None, "version") => is_lock = true,
                _ => {}
            }
        } else {
            return Err(CatalogError(format!("is no readable Cargo.lock: `{}` is no field", shown(line))));
        }
    }
    close(entry, &mut listing);
    match is_lock {
        true => Ok(listing),
        false => Err(CatalogError("is no readable Cargo.lock: it has neither packages nor a version".to_owned())),
    }
}

#[derive(Default)]
struct Entry<'a> {
    name: Option<&'a str>,
    version: Option<&'a str>,
    source: Option<&'a str>,
}

fn close(entry: Option<Entry<'_>>, listing: &mut Listing) {
    let Some(entry) = entry else { return };
    let (Some(name), Some(version)) = (entry.name.filter(|name| !name.is_empty()), entry.version.filter(|version| !version.is_empty()))
    else {
        listing.doubt(|| match entry.name.or(entry.source) {
            Some(known) => format!("the package `{}` has no name or no version", shown(known)),
            None => "a package has neither name nor version".to_owned(),
        });
        return;
    };
    if !is_plain(name) || !is_plain(version) {
        listing.doubt(|| format!("the package `{}` has an address in place of a name or a version", shown(name)));
        return;
    }
    let package = |origin| lockfile::package(PackageKind::Cargo, name, version, &origin, "cargo-lock");
    listing.add(match entry.source {
        // The project's own.
        None => Package { basis: Basis::Application, ..package(Origin::Registry) },
        // `registry+https://…`, `sparse+https://…`, `git+https://…?rev=…#commit`.
        Some(source) => package(if source.starts_with("git+") { Origin::of(source) } else { Origin::Registry }),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn packages_with_a_source_are_declared_and_others_the_projects_own() {
        let found = fixture::catalog(&CargoLock, &[("app/Cargo.lock", "cargo-lock/Cargo.lock")]);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:cargo/app@0.1.0",
                "pkg:cargo/forked@0.4.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fforked%40c0ffee",
                "pkg:cargo/plain@1.0.1%2Bbuild.2",
                "pkg:cargo/plain@2.0.0"
            ]
        );
        let basis: Vec<_> = found.packages.iter().map(|package| package.basis).collect();
        assert_eq!(basis, [Basis::Application, Basis::Declared, Basis::Declared, Basis::Declared]);
        assert!(found.gaps.is_empty());
        let found = fixture::catalog(&CargoLock, &[("root/.cargo/registry/src/x/a-1.0.0/Cargo.lock", "cargo-lock/Cargo.lock")]);
        assert!(found.packages.is_empty());
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let found = fixture::catalog(&CargoLock, &[("app/Cargo.lock", "cargo-lock/malformed.lock")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (1, 1));
        let check = |text: &str, expected: Option<(usize, usize)>| {
            let found = parse(text.as_bytes(), &Limits::default()).ok();
            assert_eq!(found.map(|listing| (listing.packages.len(), listing.unread.len())), expected, "{text}");
        };
        check("bogus", None);
        check("", None);
        check("version = 4\n", Some((0, 0)));
        check("[[package]]\nname = \"a\"\ndependencies = [\n \"b\",\n]\nsource = \"x\"\nversion = \"1\"\n", Some((1, 0)));
        check("[[package]]\r\nname = \"a\"\r\nversion = \"1\"\r\nsource = \"x\"\r\n", Some((1, 0)));
        // A project's own crate decides whether the lock file still says something, so that one that does not read is no trifle.
        check("[[package]]\nname = \"a\"\n", Some((0, 1)));
        check("[[package]]\n", Some((0, 1)));
        check("[[package]]\nname = \"https://u:k@h/a\"\nversion = \"1\"\n", Some((0, 1)));
        check("[metadata]\n\"checksum a 1 (registry+x)\" = \"0\"\n", Some((0, 0)));
    }
}
