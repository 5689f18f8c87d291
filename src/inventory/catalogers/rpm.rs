//! `rpm`: the installed-package database of RPM distributions. SQLite is read; Berkeley DB and ndb are found and reported as a Gap.
//! Format: <https://rpm-software-management.github.io/rpm/manual/>.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution, purl,
        rpmdb::{self, Header},
    },
    layers::{FileEntry, Limits, Version, Want},
    model::{
        coverage::{Gap, SourceId},
        package::{Basis, Distro, Package, PackageKind, SourcePackage},
    },
};

const FOLDERS: &[&str] = &["usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"];
const OTHER_FORMATS: &[(&str, &str)] = &[("Packages", "Berkeley DB"), ("Packages.db", "ndb")];

/// Reads `rpmdb.sqlite` with its write-ahead log.
pub(super) struct Rpm;

impl Cataloger for Rpm {
    fn id(&self) -> &'static str {
        "rpm"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        match (parts.next(), parts.next()) {
            (Some("rpmdb.sqlite" | "rpmdb.sqlite-wal"), _) => Want::Bytes,
            (Some("Packages" | "Packages.db"), Some("rpm")) => Want::Presence,
            _ => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        for folder in folders(context) {
            let before = found.packages.len();
            if let Some(database) = Database::open(context, &folder) {
                database.catalog(context, &mut found);
            }
            if found.packages.len() > before {
                continue;
            }
            for (name, format) in OTHER_FORMATS {
                if let Some(file) = context.view.lookup(&format!("{folder}/{name}")) {
                    let reason = format!("is an rpm database in the format {format}, which this version does not read");
                    found.gaps.push(Gap::new(SourceId::Inventory, "rpmdb-format", file.path, reason));
                }
            }
        }
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let paths = RefCell::new(paths);
        for database in folders(context).iter().filter_map(|folder| Database::open(context, folder)) {
            let _ = database.read(usize::MAX, context.limits(), &mut |header| {
                let Some(name) = header.text(rpmdb::NAME) else { return };
                header.for_each_file(|path| {
                    if let Some(owner) = paths.borrow_mut().get_mut(path.trim_start_matches('/')) {
                        *owner = Some(name.clone());
                    }
                });
            });
        }
    }
}

/// The folders of rpm databases, links resolved, each once.
fn folders(context: &Context<'_>) -> BTreeSet<String> {
    FOLDERS.iter().filter_map(|folder| context.view.resolve(folder)).collect()
}

/// A database and its write-ahead log.
struct Database<'a> {
    file: FileEntry<'a>,
    log: Option<FileEntry<'a>>,
}

impl<'a> Database<'a> {
    fn open(context: &Context<'a>, folder: &str) -> Option<Self> {
        let file = context.view.lookup(&format!("{folder}/rpmdb.sqlite"))?;
        Some(Self { file, log: context.view.lookup(&format!("{folder}/rpmdb.sqlite-wal")) })
    }

    /// Reads the headers as they were after layer number `layer`.
    fn read(&self, layer: usize, limits: &Limits, visit: &mut dyn FnMut(&Header<'_>)) -> Result<(), CatalogError> {
        let at = |versions: &'a [Version]| versions.iter().rev().find(|version| version.layer <= layer).map(Version::bytes);
        let Some(bytes) = at(self.file.versions) else { return Err(CatalogError("is not there yet".to_owned())) };
        rpmdb::read_sqlite(&bytes, self.log.and_then(|log| at(log.versions)).as_deref(), limits, visit)
    }

    fn keys(&self, layer: usize, limits: &Limits) -> Option<BTreeSet<Key>> {
        let mut keys = BTreeSet::new();
        self.read(layer, limits, &mut |header| {
            keys.extend(Record::of(header).map(|record| record.key()));
        })
        .ok()?;
        Some(keys)
    }

    fn catalog(&self, context: &Context<'_>, found: &mut Found) {
        let limits = context.limits();
        let (mut records, mut dropped) = (Vec::new(), 0_usize);
        let result = self.read(usize::MAX, limits, &mut |header| match Record::of(header) {
            Some(record) if records.len() < limits.packages => records.push(record),
            _ => dropped += 1,
        });
        if let Err(error) = result {
            found.unreadable(self.file.path, &error);
        }
        if dropped > 0 {
            let reason =
                format!("{dropped} headers without name or version, or beyond the limit of {} packages, were dropped", limits.packages);
            found.unreadable(self.file.path, &CatalogError(reason));
        }
        let written: BTreeSet<usize> =
            self.file.versions.iter().chain(self.log.map(|log| log.versions).unwrap_or_default()).map(|version| version.layer).collect();
        let top = written.last().copied().unwrap_or(self.file.layer);
        let lower = written.iter().rev().skip(1).map(|&layer| (layer, self.keys(layer, limits)));
        let layers = attribution::first_layers(top, records.iter().map(Record::key), lower);
        for record in records.into_iter().filter(|record| record.name != "gpg-pubkey") {
            let layer = layers.get(&record.key()).copied().unwrap_or(top);
            let mut package = record.package(context.distro);
            package.locations = context.location(layer, self.file.path);
            found.packages.push(package);
        }
    }
}

type Key = Box<str>;

struct Record {
    name: String,
    epoch: Option<u32>,
    /// `version-release`.
    version: String,
    arch: String,
    source: Option<String>,
    licence: Option<String>,
    vendor: Option<String>,
    modularity: Option<String>,
}

impl Record {
    fn of(header: &Header<'_>) -> Option<Self> {
        let version = header.text(rpmdb::VERSION)?;
        Some(Self {
            name: header.text(rpmdb::NAME)?,
            epoch: header.number(rpmdb::EPOCH),
            version: header.text(rpmdb::RELEASE).map_or_else(|| version.clone(), |release| format!("{version}-{release}")),
            arch: header.text(rpmdb::ARCH).unwrap_or_default(),
            source: header.text(rpmdb::SOURCE_RPM),
            licence: header.text(rpmdb::LICENSE),
            vendor: header.text(rpmdb::VENDOR),
            modularity: header.text(rpmdb::MODULARITY_LABEL),
        })
    }

    fn key(&self) -> Key {
        attribution::key(&self.name, &format!("{}:{}", self.epoch.unwrap_or(0), self.version), &self.arch)
    }

    fn package(self, distro: Option<&Distro>) -> Package {
        let parts = purl::OsPackage {
            kind: PackageKind::Rpm,
            name: &self.name,
            version: &self.version,
            arch: &self.arch,
            epoch: self.epoch,
            upstream: self.source.clone(),
        };
        Package {
            kind: PackageKind::Rpm,
            purl: purl::os_package(parts, distro),
            version: match self.epoch {
                Some(epoch @ 1..) => format!("{epoch}:{}", self.version),
                _ => self.version,
            },
            name: self.name,
            arch: Some(self.arch).filter(|arch| !arch.is_empty()),
            source: self.source.as_deref().and_then(parse_source_rpm),
            modularity: self.modularity,
            vendor: self.vendor,
            licences: self.licence.into_iter().collect(),
            locations: Vec::new(),
            owner: None,
            found_by: "rpm",
            basis: Basis::Installed,
            hashes: Vec::new(),
        }
    }
}

/// `name-version-release.src.rpm`.
fn parse_source_rpm(file: &str) -> Option<SourcePackage> {
    let stem = file.strip_suffix(".src.rpm").or_else(|| file.strip_suffix(".nosrc.rpm"))?;
    let (rest, release) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(SourcePackage { name: name.to_owned(), version: Some(format!("{version}-{release}")) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn the_sqlite_database_is_read() {
        let found = fixture::catalog(&Rpm, &[("var/lib/rpm/rpmdb.sqlite", "rpm/rpmdb.sqlite"), ("etc/os-release", "os-release/amzn")]);
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(
            fixture::purls(&found),
            [
                "pkg:rpm/amzn/plain@1.0-1.amzn2023?arch=noarch&distro=amzn-2023&upstream=plain-1.0-1.amzn2023.src.rpm",
                "pkg:rpm/amzn/with-epoch-libs@2.5-3.amzn2023?arch=noarch&distro=amzn-2023&epoch=1&upstream=with-epoch-2.5-3.amzn2023.src.rpm",
            ]
        );
        let libs = &found.packages[1];
        assert_eq!(libs.version, "1:2.5-3.amzn2023");
        assert_eq!(libs.source, Some(SourcePackage { name: "with-epoch".to_owned(), version: Some("2.5-3.amzn2023".to_owned()) }));
    }

    #[test]
    fn the_write_ahead_log_counts() {
        let files =
            [("usr/lib/sysimage/rpm/rpmdb.sqlite", "rpm/wal.sqlite"), ("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", "rpm/wal.sqlite-wal")];
        let found = fixture::catalog(&Rpm, &files);
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["checkpointed", "logged"]);
        let found = fixture::catalog(&Rpm, &files[..1]);
        assert_eq!(found.packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>(), ["checkpointed"]);
    }

    #[test]
    fn other_formats_and_damage_are_gaps() {
        let check = |path: &str, kind: &str| {
            let found = fixture::catalog(&Rpm, &[(path, "rpm/malformed.sqlite")]);
            assert!(found.packages.is_empty());
            assert_eq!(found.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), [kind], "{path}");
        };
        check("var/lib/rpm/rpmdb.sqlite", "record-unreadable");
        check("var/lib/rpm/Packages", "rpmdb-format");
        check("usr/lib/sysimage/rpm/Packages.db", "rpmdb-format");
    }

    #[test]
    fn source_rpms_are_split_from_the_right() {
        let check = |file: &str, expected: Option<(&str, &str)>| {
            let source = parse_source_rpm(file);
            assert_eq!(source.as_ref().map(|s| (s.name.as_str(), s.version.as_deref().unwrap_or_default())), expected, "{file}");
        };
        check("python3-docutils-0.14-12.el8.src.rpm", Some(("python3-docutils", "0.14-12.el8")));
        check("a-1-2.nosrc.rpm", Some(("a", "1-2")));
        check("(none)", None);
        check("a-1.src.rpm", None);
    }
}
