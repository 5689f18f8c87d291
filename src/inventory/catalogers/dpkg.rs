//! `dpkg`: the status database of Debian and its kin, and the one file per package of distroless images.
//! Specification: <https://manpages.debian.org/deb-control.5> and <https://manpages.debian.org/dpkg-query.1>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, ownership::Owners, purl},
    layers::{Limits, Want},
    model::package::{Distro, Package, PackageKind, SourcePackage},
};

const STATUS: &str = "var/lib/dpkg/status";
const STATUS_FOLDER: &str = "var/lib/dpkg/status.d";
const INFO_FOLDER: &str = "var/lib/dpkg/info";
const DIVERSIONS: &str = "var/lib/dpkg/diversions";

/// Reads `var/lib/dpkg/status` and `var/lib/dpkg/status.d/*`.
pub(super) struct Dpkg;

impl Cataloger for Dpkg {
    fn id(&self) -> &'static str {
        "dpkg"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        let Some((folder, name)) = path.rsplit_once('/') else { return Want::No };
        let wanted = match folder.rsplit('/').next() {
            Some("dpkg") => name == "status" || name == "diversions",
            Some("status.d") => true,
            Some("info") => folder.ends_with("dpkg/info") && name.ends_with(".list"),
            _ => false,
        };
        if wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        if let Some(file) = context.view.lookup(STATUS) {
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
                let mut package = package(&record, context.distro);
                package.locations = context.location(layer, file.path);
                found.packages.push(package);
            }
        }
        if let Some(folder) = context.view.resolve(STATUS_FOLDER) {
            let prefix = format!("{folder}/");
            // A folder that is a link gives its files names of their own, below the link.
            let below =
                |path: &str| path.starts_with(&prefix) || path.strip_prefix(STATUS_FOLDER).is_some_and(|rest| rest.starts_with('/'));
            let files = context.view.files().filter(|file| below(file.path) && !file.path.ends_with(".md5sums"));
            for file in files {
                let parsed = parse(&file.bytes(), context.limits());
                if let Some(error) = parsed.error {
                    found.unreadable(file.path, &error);
                } else if parsed.records.is_empty() && !parsed.any {
                    found.unreadable(file.path, &CatalogError("holds no package record".to_owned()));
                }
                for record in &parsed.records {
                    let mut package = package(record, context.distro);
                    package.locations = context.location(attribution::content_layer(&file), file.path);
                    found.packages.push(package);
                }
            }
        }
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let mut owners = Owners::new(context.view, paths, context.view.files().filter(|file| self.wants(file.path) == Want::Bytes));
        if let Some(folder) = context.view.resolve(INFO_FOLDER) {
            let prefix = format!("{folder}/");
            let diverted = context.view.lookup(DIVERSIONS).map(|file| file.bytes()).unwrap_or_default();
            let diversions = parse_diversions(&diverted);
            for file in context.view.files() {
                let Some(name) = file.path.strip_prefix(&prefix).and_then(|name| name.strip_suffix(".list")) else { continue };
                let name = name.split(':').next().unwrap_or(name);
                for line in file.bytes().split(|&byte| byte == b'\n') {
                    let path = match diversions.get(line) {
                        Some((to, by)) if *by != name.as_bytes() => to,
                        _ => line,
                    };
                    owners.name(&String::from_utf8_lossy(path), name);
                }
            }
        }
        // Distroless images have no other lists than these: a checksum, two spaces, a path. Their names may be encoded, the record beside them says.
        if let Some(folder) = context.view.resolve(STATUS_FOLDER) {
            let prefix = format!("{folder}/");
            for file in context.view.files() {
                let Some(record) = file.path.strip_suffix(".md5sums").filter(|path| path.starts_with(&prefix)) else { continue };
                let Some(record) = context.view.lookup(record).and_then(|file| parse(&file.bytes(), context.limits()).records.pop()) else {
                    continue;
                };
                for line in String::from_utf8_lossy(&file.bytes()).lines() {
                    if let Some((_, path)) = line.split_once("  ") {
                        owners.name(path, &record.name);
                    }
                }
            }
        }
    }
}

/// Three lines each: a path, where that of every other package really is, and the package that asked for it, or a colon for the administrator.
fn parse_diversions(bytes: &[u8]) -> BTreeMap<&[u8], (&[u8], &[u8])> {
    let mut lines = bytes.split(|&byte| byte == b'\n');
    std::iter::from_fn(|| Some((lines.next()?, (lines.next()?, lines.next()?)))).collect()
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub name: String,
    pub version: String,
    pub arch: String,
    pub source: String,
    status: Option<String>,
}

impl Record {
    /// What tells it from others.
    pub(super) fn key(&self) -> Box<str> {
        attribution::key(&self.name, &self.version, &self.arch)
    }

    /// The value of a field, by its place in [`FIELDS`].
    fn field(&mut self, place: usize) -> Option<&mut String> {
        match place {
            0 => Some(&mut self.name),
            1 => Some(&mut self.version),
            2 => Some(&mut self.arch),
            3 => Some(&mut self.source),
            4 => Some(self.status.get_or_insert_default()),
            _ => None,
        }
    }

    /// The third word of Status. Without one (status.d) the package is there; half-installed ones have files and count.
    fn is_installed(&self) -> bool {
        let state = self.status.as_deref().and_then(|status| status.split_whitespace().nth(2));
        !matches!(state, Some("not-installed" | "config-files"))
    }
}

/// The fields of one record that matter here.
#[derive(Default)]
struct Fields {
    seen: [bool; FIELDS.len()],
    last: Option<usize>,
    twice: bool,
}

const FIELDS: [&[u8]; 5] = [b"package", b"version", b"architecture", b"source", b"status"];

impl Fields {
    fn begin(&mut self, name: &[u8]) {
        self.last = FIELDS.iter().position(|field| field.eq_ignore_ascii_case(name.trim_ascii()));
        if let Some(seen) = self.last.and_then(|field| self.seen.get_mut(field)) {
            self.twice |= *seen;
            *seen = true;
        }
    }
}

/// What a status file holds.
pub(super) struct Parsed {
    pub records: Vec<Record>,
    any: bool,
    pub error: Option<CatalogError>,
}

/// Blocks of `Field: value` lines, separated by empty lines; lines that begin with a blank continue a field. A record that says a field twice is
/// damaged: readers differ in which one counts.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Parsed {
    let mut records = Vec::new();
    let (mut dropped, mut any, mut in_record, mut damaged) = (0_usize, false, false, false);
    let mut record = Record::default();
    let mut fields = Fields::default();
    for line in bytes.split(|&byte| byte == b'\n').chain([&b""[..]]) {
        if line.trim_ascii().is_empty() {
            let done = std::mem::take(&mut record);
            let twice = std::mem::take(&mut fields).twice;
            if in_record && (twice || done.is_installed()) {
                if twice || damaged || done.name.is_empty() || done.version.is_empty() || records.len() >= limits.packages {
                    dropped += 1;
                } else {
                    records.push(done);
                }
            }
            (in_record, damaged) = (false, false);
            continue;
        }
        (any, in_record) = (true, true);
        if line.len() > limits.line_bytes {
            damaged = true;
            continue;
        }
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            if let Some(value) = fields.last.and_then(|field| record.field(field)) {
                value.push(' ');
                value.push_str(String::from_utf8_lossy(line).trim());
                value.truncate(value.trim_end().len());
                if let Some(text) = value.strip_prefix(' ') {
                    *value = text.to_owned();
                }
            }
            continue;
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            damaged = true;
            continue;
        };
        let (field, value) = line.split_at(colon);
        fields.begin(field);
        if let Some(kept) = fields.last.and_then(|field| record.field(field)) {
            *kept = String::from_utf8_lossy(value.get(1..).unwrap_or_default()).trim().to_owned();
        }
    }
    let reason = || {
        format!(
            "{dropped} installed records are damaged, say a field twice, have no name or version, or are beyond the limit of {} packages",
            limits.packages
        )
    };
    Parsed { records, any, error: (dropped > 0).then(|| CatalogError(reason())) }
}

fn package(record: &Record, distro: Option<&Distro>) -> Package {
    // `Source: name (version)`; a missing name or version is the package's own.
    let (name, version) = record.source.split_once('(').unwrap_or((&record.source, ""));
    let (name, version) = (name.trim(), version.trim_end_matches(')').trim());
    let source = SourcePackage {
        name: if name.is_empty() { record.name.clone() } else { name.to_owned() },
        version: Some(if version.is_empty() { record.version.clone() } else { version.to_owned() }),
    };
    let upstream = match (source.name == record.name, version) {
        (true, "") => None,
        (false, "") => Some(source.name.clone()),
        (_, version) => Some(format!("{}@{version}", source.name)),
    };
    let parts =
        purl::OsPackage { kind: PackageKind::Deb, name: &record.name, version: &record.version, arch: &record.arch, epoch: None, upstream };
    let purl = purl::os_package(parts, distro);
    Package {
        arch: Some(record.arch.clone()).filter(|arch| !arch.is_empty()),
        source: Some(source),
        ..Package::new(PackageKind::Deb, record.name.clone(), record.version.clone(), purl, "dpkg")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::fixture, layers};

    #[test]
    fn installed_records_are_read() {
        let found = fixture::catalog(&Dpkg, &[("var/lib/dpkg/status", "dpkg/status"), ("usr/lib/os-release", "os-release/debian")]);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:deb/debian/adduser@3.134?arch=all&distro=debian-12",
                "pkg:deb/debian/half@1.0-1%2Bb1?arch=amd64&distro=debian-12&upstream=half%401.0-1",
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=amd64&distro=debian-12&upstream=glibc",
                "pkg:deb/debian/libc6@2.36-9%2Bdeb12u8?arch=i386&distro=debian-12&upstream=glibc",
                "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14",
            ]
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    }

    #[test]
    fn distroless_files_are_read() {
        let found = fixture::catalog(
            &Dpkg,
            &[("var/lib/dpkg/status.d/bmV0YmFzZQ==", "dpkg/status.d-netbase"), ("var/lib/dpkg/status.d/netbase.md5sums", "dpkg/malformed")],
        );
        assert_eq!(fixture::purls(&found), ["pkg:deb/netbase@6.4?arch=all"]);
        assert!(found.gaps.is_empty());
    }

    #[test]
    fn files_are_owned_through_links_diversions_and_checksum_lists() {
        let list = |text: &str| text.as_bytes().to_vec();
        let tar = layers::fixture::tar_with_links(
            &[
                ("usr/lib/x/libc.so.6", Vec::new()),
                ("var/lib/dpkg/info/libc6:amd64.list", list("/.\n/lib\n/lib/x/libc.so.6\n/usr/bin/ldd\n")),
                ("var/lib/dpkg/info/dash.list", list("/bin/sh\n/bin/dash\n")),
                ("var/lib/dpkg/info/bash.list", list("/bin/sh\n")),
                ("var/lib/dpkg/diversions", list("/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/ldd\n/usr/bin/ldd.real\n:\n")),
                ("var/lib/dpkg/status.d/bmV0YmFzZQ==", fixture::read("dpkg/status.d-netbase")),
                ("var/lib/dpkg/status.d/bmV0YmFzZQ==.md5sums", list("0123456789abcdef0123456789abcdef  etc/protocols\nbad\n")),
                ("var/lib/dpkg/status.d/gone.md5sums", list("0123456789abcdef0123456789abcdef  etc/rpc\n")),
            ],
            &[("lib", "usr/lib"), ("bin", "usr/bin")],
        );
        let (view, layers) = fixture::walked(vec![layers::fixture::input(0, &tar)]);
        let mut paths: BTreeMap<&str, Option<String>> = [
            "usr/lib/x/libc.so.6",
            "usr/bin/sh",
            "usr/bin/sh.distrib",
            "usr/bin/dash",
            "usr/bin/ldd",
            "usr/bin/ldd.real",
            "etc/protocols",
            "etc/rpc",
        ]
        .map(|path| (path, None))
        .into();
        Dpkg.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
        let found: Vec<_> = paths.iter().map(|(path, owner)| (*path, owner.as_deref())).collect();
        assert_eq!(
            found,
            [
                ("etc/protocols", Some("netbase")),
                ("etc/rpc", None),
                ("usr/bin/dash", Some("dash")),
                ("usr/bin/ldd", None),
                ("usr/bin/ldd.real", Some("libc6")),
                ("usr/bin/sh", Some("dash")),
                ("usr/bin/sh.distrib", Some("bash")),
                ("usr/lib/x/libc.so.6", Some("libc6")),
            ]
        );
    }

    #[test]
    fn damaged_records_are_told() {
        let found = fixture::catalog(&Dpkg, &[("var/lib/dpkg/status", "dpkg/malformed")]);
        assert_eq!(fixture::purls(&found), ["pkg:deb/good@1?arch=all"]);
        assert_eq!(found.gaps.len(), 1);
    }

    #[test]
    fn a_field_said_twice_and_folded_fields_are_read_with_care() {
        let check = |text: &str, names: &[(&str, &str, &str)], told: bool| {
            let parsed = parse(text.as_bytes(), &Limits::default());
            let found: Vec<_> = parsed.records.iter().map(|r| (r.name.as_str(), r.version.as_str(), r.source.as_str())).collect();
            assert_eq!((found.as_slice(), parsed.error.is_some()), (names, told), "{text}");
        };
        let good = [("a", "1", "")];
        check("Package: a\nVersion: 1\n", &good, false);
        check("Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\nPackage: c\n", &good, true);
        check("Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\nVersion: 2\n", &good, true);
        check("Package: b\nVersion: 1\nStatus: install ok installed\nStatus: deinstall ok config-files\n", &[], true);
        check("Package: b\nVersion: 1\nStatus:\n deinstall ok config-files\n", &[], false);
        check("Package: b\nVersion: 1\nSource:\n hull (2)\nDescription: x\n text\n", &[("b", "1", "hull (2)")], false);
        check("Package: a\nVersion: x1\n", &[("a", "x1", "")], false);
    }
}
