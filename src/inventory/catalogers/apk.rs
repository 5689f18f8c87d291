//! `apk`: the installed-package database of Alpine, Wolfi and Chainguard.
//! Specification: <https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, ownership::Owners, purl},
    layers::{FileEntry, Limits, Want},
    model::package::{Distro, Package, PackageKind, SourcePackage},
};

const DATABASES: &[&str] = &["lib/apk/db/installed", "usr/lib/apk/db/installed"];

/// Reads `lib/apk/db/installed`, in `usr` as well.
pub(super) struct Apk;

impl Cataloger for Apk {
    fn id(&self) -> &'static str {
        "apk"
    }

    fn wants(&self, path: &str) -> Want {
        if path.ends_with("apk/db/installed") { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        for file in databases(context) {
            let parsed = parse(&file.bytes(), context.limits());
            if let Some(error) = parsed.error {
                found.unreadable(file.path, &error);
            }
            let lower = file.versions.iter().rev().skip(1).map(|version| {
                let older = parse(&version.bytes(), context.limits());
                (version.layer, Some(older.records.into_iter().map(|record| record.key()).collect::<BTreeSet<_>>()))
            });
            let layers = attribution::first_layers(file.layer, parsed.records.iter().map(Record::key), lower);
            for record in parsed.records {
                let layer = layers.get(&record.key()).copied().unwrap_or(file.layer);
                let mut package = package(record, context.distro);
                package.locations = context.location(layer, file.path);
                found.packages.push(package);
            }
        }
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let mut owners = Owners::new(context.view, paths, databases(context));
        for file in databases(context) {
            let (mut name, mut folder, mut path) = (String::new(), String::new(), String::new());
            for line in file.bytes().split(|&byte| byte == b'\n').filter(|line| line.len() <= context.limits().line_bytes) {
                match line {
                    // What a record does not say is not what the one before it said.
                    line if line.trim_ascii().is_empty() => [&mut name, &mut folder].into_iter().for_each(String::clear),
                    [b'P', b':', value @ ..] => name = text(value),
                    [b'F', b':', value @ ..] => folder = text(value),
                    [b'R', b':', value @ ..] if !name.is_empty() => {
                        path.clone_from(&folder);
                        path.push('/');
                        path.push_str(&String::from_utf8_lossy(value));
                        owners.name(&path, &name);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The databases of the image; both names may lead to the same file.
fn databases<'a>(context: &Context<'a>) -> impl Iterator<Item = FileEntry<'a>> {
    let files: BTreeMap<&str, FileEntry<'a>> =
        DATABASES.iter().filter_map(|path| context.view.lookup(path)).map(|file| (file.path, file)).collect();
    files.into_values()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Record {
    name: String,
    version: String,
    arch: String,
    origin: String,
    licence: String,
}

impl Record {
    fn key(&self) -> Box<str> {
        attribution::key(&self.name, &self.version, &self.arch)
    }
}

struct Parsed {
    records: Vec<Record>,
    error: Option<CatalogError>,
}

/// Blocks of `KEY:value` lines, separated by empty lines.
fn parse(bytes: &[u8], limits: &Limits) -> Parsed {
    let mut records = Vec::new();
    let (mut dropped, mut long) = (0_usize, 0_usize);
    let mut record = Record::default();
    let mut damaged = false;
    let mut any = false;
    for line in bytes.split(|&byte| byte == b'\n').chain([&b""[..]]) {
        if line.trim_ascii().is_empty() {
            let done = std::mem::take(&mut record);
            if any && (damaged || done.name.is_empty() || done.version.is_empty()) {
                dropped += 1;
            } else if any && records.len() < limits.packages {
                records.push(done);
            } else if any {
                dropped += 1;
            }
            (damaged, any) = (false, false);
            continue;
        }
        any = true;
        if line.len() > limits.line_bytes {
            long += 1;
            damaged = true;
            continue;
        }
        match line {
            [b'P', b':', value @ ..] => record.name = text(value),
            [b'V', b':', value @ ..] => record.version = text(value),
            [b'A', b':', value @ ..] => record.arch = text(value),
            [b'o', b':', value @ ..] => record.origin = text(value),
            [b'L', b':', value @ ..] => record.licence = text(value),
            _ => {}
        }
    }
    let error = (dropped > 0).then(|| {
        let lines = if long > 0 { format!("; {long} lines exceed the limit of {} bytes", limits.line_bytes) } else { String::new() };
        CatalogError(format!(
            "{dropped} records without name or version, or beyond the limit of {} packages, were dropped{lines}",
            limits.packages
        ))
    });
    Parsed { records, error }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).trim().to_owned()
}

fn package(record: Record, distro: Option<&Distro>) -> Package {
    let upstream = (!record.origin.is_empty() && record.origin != record.name).then(|| record.origin.clone());
    let parts =
        purl::OsPackage { kind: PackageKind::Apk, name: &record.name, version: &record.version, arch: &record.arch, epoch: None, upstream };
    let purl = purl::os_package(parts, distro);
    let source = if record.origin.is_empty() { record.name.clone() } else { record.origin };
    Package {
        source: Some(SourcePackage { name: source, version: Some(record.version.clone()) }),
        arch: Some(record.arch).filter(|arch| !arch.is_empty()),
        licences: Some(record.licence).filter(|licence| !licence.is_empty()).into_iter().collect(),
        ..Package::new(PackageKind::Apk, record.name, record.version, purl, "apk")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::fixture, layers};

    #[test]
    fn the_fixture_is_read() {
        let found = fixture::catalog(&Apk, &[("lib/apk/db/installed", "apk/installed"), ("etc/os-release", "os-release/alpine")]);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:apk/alpine/busybox-binsh@1.36.1-r7?arch=x86_64&distro=alpine-3.18.9&upstream=busybox",
                "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.9",
            ]
        );
        assert!(found.gaps.is_empty());
        let busybox = &found.packages[0];
        assert_eq!(busybox.source.as_ref().map(|source| source.name.as_str()), Some("busybox"));
        assert_eq!(busybox.licences, ["GPL-2.0-only"]);
    }

    #[test]
    fn files_are_owned_on_a_merged_usr() {
        let database = b"P:musl\nV:1\nF:lib\nR:ld.so\nF:\nR:top\n\nV:1\nF:lib\nR:nobody\n\nP:x\nV:1\nF:usr/lib/x\nR:a\n".to_vec();
        let tar = layers::fixture::tar_with_links(&[("usr/lib/apk/db/installed", database)], &[("lib", "usr/lib")]);
        let (view, layers) = fixture::walked(vec![layers::fixture::input(0, &tar)]);
        let mut paths = ["usr/lib/ld.so", "top", "usr/lib/nobody", "usr/lib/x/a", "usr/lib/x/b"].map(|path| (path, None)).into();
        Apk.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
        let owners: Vec<_> = paths.values().map(Option::as_deref).collect();
        assert_eq!(owners, [Some("musl"), Some("musl"), None, Some("x"), None]);
    }

    #[test]
    fn damaged_records_are_dropped_and_told() {
        let found = fixture::catalog(&Apk, &[("lib/apk/db/installed", "apk/malformed")]);
        assert_eq!(fixture::purls(&found), ["pkg:apk/zlib@1.3.1-r1?arch=x86_64"]);
        assert_eq!(found.gaps.len(), 1);
        let limits = Limits { line_bytes: 100, ..Limits::default() };
        let parsed = parse(format!("P:huge\nV:{}\n\nP:a\nV:1", "9".repeat(1000)).as_bytes(), &limits);
        assert_eq!(parsed.records.len(), 1);
        assert!(parsed.error.is_some());
        assert!(parse(b"", &limits).records.is_empty() && parse(b"\n\n\n", &limits).error.is_none());
    }
}
