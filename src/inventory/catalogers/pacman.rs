//! `pacman`: the local database of Arch Linux and its kin, one folder per package.
//! Format: <https://man.archlinux.org/man/alpm-db-desc.5> and <https://man.archlinux.org/man/alpm-db-files.5>.

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, ownership::Owners, purl},
    layers::{Limits, Want},
    model::package::{Distro, Package, PackageKind, SourcePackage},
};

const DATABASE: &str = "var/lib/pacman/local";

/// Reads `var/lib/pacman/local/*/desc`, and `files` beside it.
pub(super) struct Pacman;

impl Cataloger for Pacman {
    fn id(&self) -> &'static str {
        "pacman"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("desc" | "files"), Some(_), Some("local"), Some("pacman")) => Want::Bytes,
            _ => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let Some(prefix) = context.view.resolve(DATABASE).map(|folder| format!("{folder}/")) else { return found };
        let records = context.view.files().filter(|file| is_record(file.path, &prefix, "/desc"));
        found.each(records, context.limits().packages, |file| {
            let mut package = package(parse(&file.bytes(), context.limits())?, context.distro)?;
            package.locations = context.location(attribution::content_layer(&file), file.path);
            Ok(Some(package))
        });
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let Some(prefix) = context.view.resolve(DATABASE).map(|folder| format!("{folder}/")) else { return };
        let mut owners = Owners::new(context.view, paths, context.view.files().filter(|file| is_record(file.path, &prefix, "/desc")));
        for file in context.view.files().filter(|file| is_record(file.path, &prefix, "/files")) {
            let record = file.path.strip_suffix("files").and_then(|folder| context.view.lookup(&format!("{folder}desc")));
            let Some(Ok(mut record)) = record.map(|record| parse(&record.bytes(), context.limits())) else { continue };
            let Some(name) = record.take("NAME") else { continue };
            let text = file.bytes();
            let listed = text.split(|&byte| byte == b'\n').skip_while(|line| *line != b"%FILES%").skip(1);
            for path in listed.take_while(|line| !line.is_empty()).filter(|line| !line.ends_with(b"/")) {
                owners.name(&String::from_utf8_lossy(path), &name);
            }
        }
    }
}

/// Whether this is the file of that name in a package's folder of the database.
fn is_record(path: &str, database: &str, name: &str) -> bool {
    path.strip_prefix(database).and_then(|rest| rest.strip_suffix(name)).is_some_and(|package| !package.contains('/'))
}

/// What stands below each `%NAME%`, up to an empty line.
struct Record(BTreeMap<String, Vec<String>>);

impl Record {
    fn take(&mut self, field: &str) -> Option<String> {
        self.0.remove(field)?.into_iter().next()
    }
}

fn parse(bytes: &[u8], limits: &Limits) -> Result<Record, CatalogError> {
    const FIELDS: [&str; 5] = ["NAME", "VERSION", "BASE", "ARCH", "LICENSE"];
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut field = None;
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.len() > limits.line_bytes {
            return Err(CatalogError(format!("a line exceeds the limit of {} bytes", limits.line_bytes)));
        }
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() {
            field = None;
        } else if let Some(known) = &field {
            if FIELDS.contains(&String::as_str(known)) {
                fields.entry(known.clone()).or_default().push(line.to_owned());
            }
        } else if let Some(name) = line.strip_prefix('%').and_then(|line| line.strip_suffix('%')) {
            if fields.contains_key(name) {
                return Err(CatalogError(format!("says {name} twice")));
            }
            field = Some(name.to_owned());
        } else {
            return Err(CatalogError("is not a record of pacman's database".to_owned()));
        }
    }
    Ok(Record(fields))
}

fn package(mut record: Record, distro: Option<&Distro>) -> Result<Package, CatalogError> {
    let (Some(name), Some(version)) = (record.take("NAME"), record.take("VERSION")) else {
        return Err(CatalogError("has no name or version".to_owned()));
    };
    let (base, arch) = (record.take("BASE"), record.take("ARCH").unwrap_or_default());
    let upstream = base.clone().filter(|base| *base != name);
    let parts = purl::OsPackage { kind: PackageKind::Alpm, name: &name, version: &version, arch: &arch, epoch: None, upstream };
    let purl = purl::os_package(parts, distro);
    let mut licences = record.0.remove("LICENSE").unwrap_or_default();
    licences.sort();
    licences.dedup();
    Ok(Package {
        source: Some(SourcePackage { name: base.unwrap_or_else(|| name.clone()), version: Some(version.clone()) }),
        arch: Some(arch).filter(|arch| !arch.is_empty()),
        licences,
        ..Package::new(PackageKind::Alpm, name, version, purl, "pacman")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn each_folder_is_a_package() {
        let found = fixture::catalog(
            &Pacman,
            &[
                ("var/lib/pacman/local/made-libs-1:2.0-3/desc", "pacman/desc"),
                ("var/lib/pacman/local/made-libs-1:2.0-3/files", "pacman/files"),
                ("var/lib/pacman/local/ALPM_DB_VERSION", "pacman/files"),
                ("var/lib/pacman/sync/core/made-1/desc", "pacman/desc"),
                ("usr/lib/os-release", "os-release/arch"),
            ],
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(fixture::purls(&found), ["pkg:alpm/arch/made-libs@1:2.0-3?arch=x86_64&distro=arch&upstream=made"]);
        let made = &found.packages[0];
        assert_eq!(made.licences, ["BSD-3-Clause", "MIT"]);
        assert_eq!(made.source, Some(SourcePackage { name: "made".to_owned(), version: Some("1:2.0-3".to_owned()) }));
    }

    #[test]
    fn damaged_records_are_told() {
        let check = |text: &str, expected: bool| {
            let (view, layers) = fixture::image(&[&[("var/lib/pacman/local/a-1-1/desc", text.as_bytes().to_vec())]]);
            let found = Pacman.catalog(&Context { view: &view, layers: &layers, distro: None });
            assert_eq!((found.packages.len(), found.gaps.len()), if expected { (1, 0) } else { (0, 1) }, "{text}");
        };
        check("%NAME%\na\n\n%VERSION%\n1-1", true);
        check("%NAME%\na\n\n%VERSION%\n1-1\n\n%DESC%\n%ARCH%\n", true);
        check("%NAME%\na\n\n%VERSION%\n", false);
        check("%NAME%\na\n\n%VERSION%\n1-1\n\n%NAME%\nb\n", false);
        check("name = a", false);
        check("", false);
        let found = fixture::catalog(&Pacman, &[("var/lib/pacman/local/a-1-1/desc", "pacman/malformed")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 1));
    }

    #[test]
    fn files_are_owned() {
        let (view, layers) = fixture::image(&[&[
            ("var/lib/pacman/local/made-libs-1:2.0-3/desc", fixture::read("pacman/desc")),
            ("var/lib/pacman/local/made-libs-1:2.0-3/files", fixture::read("pacman/files")),
        ]]);
        let mut paths = ["usr/lib/libmade.so", "usr/lib", "etc/made.conf"].map(|path| (path, None)).into();
        Pacman.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
        assert_eq!(paths.values().map(Option::as_deref).collect::<Vec<_>>(), [None, None, Some("made-libs")]);
    }
}
