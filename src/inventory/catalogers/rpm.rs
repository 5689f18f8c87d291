//! `rpm`: the installed-package database of RPM distributions, stored as a Berkeley DB hash table, as ndb, or in SQLite.
//! Format: <https://rpm-software-management.github.io/rpm/manual/>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        owners::Owners,
        purl,
        rpmdb::{self, Format, Header},
    },
    layers::{FileEntry, Limits, Version, Want},
    model::{
        coverage::{Gap, SourceId},
        package::{Distro, Package, PackageKind, SourcePackage},
    },
};

const FOLDERS: &[&str] = &["usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"];
/// Where rpm's macros say which format it uses; what a later one says counts.
const MACROS: &[&str] = &["usr/lib/rpm/macros", "etc/rpm/macros"];
/// Keys that rpm keeps among the packages.
const KEYS: &str = "gpg-pubkey";

/// Reads `Packages`, `Packages.db`, and `rpmdb.sqlite` with its write-ahead log.
pub(super) struct Rpm;

impl Cataloger for Rpm {
    fn id(&self) -> &'static str {
        "rpm"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("rpmdb.sqlite" | "rpmdb.sqlite-wal"), _, _)
            | (Some("Packages" | "Packages.db"), Some("rpm"), _)
            | (Some("macros"), Some("rpm"), Some("lib" | "etc")) => Want::Bytes,
            _ => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        for folder in folders(context) {
            catalog_folder(context, &databases(context, &folder), &mut found);
        }
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        // Of each folder the database that counts comes last, so that it has the last word.
        let all: Vec<_> = folders(context).iter().flat_map(|folder| databases(context, folder).into_iter().rev()).collect();
        let mut owners = Owners::new(context.view, paths);
        for database in &all {
            let _ = database.read(usize::MAX, context.limits(), &mut |header| {
                let Some(name) = header.text(rpmdb::NAME) else { return };
                header.for_each_file(|path| owners.name(path, &name));
            });
        }
    }
}

/// The identities of all packages in rpm's databases.
pub(super) fn keys(context: &Context<'_>) -> BTreeSet<Box<str>> {
    let mut keys = BTreeSet::new();
    for database in folders(context).iter().flat_map(|folder| databases(context, folder)) {
        let _ = database.read(usize::MAX, context.limits(), &mut |header| {
            keys.extend(Record::of(header).map(|record| record.key()));
        });
    }
    keys
}

/// The folders of rpm databases, links resolved, each once.
fn folders(context: &Context<'_>) -> BTreeSet<String> {
    FOLDERS.iter().filter_map(|folder| context.view.resolve(folder)).collect()
}

/// The databases of one folder, that which rpm would use first: the one in its macros, or else the first that it looks for and finds.
fn databases<'a>(context: &Context<'a>, folder: &str) -> Vec<Database<'a>> {
    let mut found: Vec<_> = Format::ALL.iter().filter_map(|&format| Database::open(context, folder, format)).collect();
    if found.len() > 1 {
        // Stable, so that the others stay in rpm's order.
        let used = configured(context);
        found.sort_by_key(|database| Some(database.format) != used);
    }
    found
}

/// The format that rpm's macros name.
fn configured(context: &Context<'_>) -> Option<Format> {
    let format = |text: &[u8]| {
        let named = String::from_utf8_lossy(text)
            .lines()
            .filter_map(|line| line.trim().strip_prefix("%_db_backend")?.strip_prefix([' ', '\t']))
            .next_back()
            .map(|value| value.trim().to_owned());
        Some(match named?.as_str() {
            "bdb" | "bdb_ro" => Format::Bdb,
            "ndb" => Format::Ndb,
            "sqlite" => Format::Sqlite,
            _ => return None,
        })
    };
    MACROS.iter().rev().filter_map(|path| context.view.lookup(path)).find_map(|file| format(&file.bytes()))
}

/// Lists the packages of the database that rpm would use. Of others beside it, what that one does not have is told; they are used only if it gives
/// nothing at all.
fn catalog_folder(context: &Context<'_>, databases: &[Database<'_>], found: &mut Found) {
    let mut contents: Vec<_> = databases.iter().map(|database| (database, database.records(context.limits(), found))).collect();
    let used = contents.iter().position(|(_, records)| records.iter().any(Record::is_package)).unwrap_or(0);
    if contents.is_empty() {
        return;
    }
    let (database, records) = contents.remove(used);
    let known: BTreeSet<_> = if contents.is_empty() { BTreeSet::new() } else { records.iter().map(Record::key).collect() };
    if used > 0 {
        let reason = format!("gives no package, although rpm would use it; those of `{}` beside it are listed", database.file.path);
        let first = databases.first().map_or("", |first| first.file.path);
        found.gaps.push(Gap::new(SourceId::Inventory, "rpmdb-several", first, reason));
    }
    for (other, records) in contents {
        let missing = records.iter().filter(|record| record.is_package() && !known.contains(&record.key())).count();
        if missing > 0 {
            let reason = format!("holds {missing} packages that are not in `{}` beside it, which rpm uses", database.file.path);
            found.gaps.push(Gap::new(SourceId::Inventory, "rpmdb-several", other.file.path, reason));
        }
    }
    database.place(context, records, found);
}

/// A database and its write-ahead log.
struct Database<'a> {
    format: Format,
    file: FileEntry<'a>,
    log: Option<FileEntry<'a>>,
}

impl<'a> Database<'a> {
    fn open(context: &Context<'a>, folder: &str, format: Format) -> Option<Self> {
        let at = |name: String| context.view.lookup(&if folder.is_empty() { name } else { format!("{folder}/{name}") });
        let file = at(format.file().to_owned())?;
        let log = if format == Format::Sqlite { at(format!("{}-wal", format.file())) } else { None };
        Some(Self { format, file, log })
    }

    /// Reads the headers as they were after layer number `layer`.
    fn read(&self, layer: usize, limits: &Limits, visit: &mut dyn FnMut(&Header<'_>)) -> Result<(), CatalogError> {
        let at = |versions: &'a [Version]| versions.iter().rev().find(|version| version.layer <= layer).map(Version::bytes);
        let Some(bytes) = at(self.file.versions) else { return Err(CatalogError("is not there yet".to_owned())) };
        rpmdb::read(self.format, &bytes, self.log.and_then(|log| at(log.versions)).as_deref(), limits, visit)
    }

    fn keys(&self, layer: usize, limits: &Limits) -> Option<BTreeSet<Key>> {
        let mut keys = BTreeSet::new();
        self.read(layer, limits, &mut |header| {
            keys.extend(Record::of(header).map(|record| record.key()));
        })
        .ok()?;
        Some(keys)
    }

    /// What it holds now; what could not be read becomes a Gap.
    fn records(&self, limits: &Limits, found: &mut Found) -> Vec<Record> {
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
        records
    }

    /// Gives each record the layer since which it is there.
    fn place(&self, context: &Context<'_>, records: Vec<Record>, found: &mut Found) {
        let written: BTreeSet<usize> =
            self.file.versions.iter().chain(self.log.map(|log| log.versions).unwrap_or_default()).map(|version| version.layer).collect();
        let top = written.last().copied().unwrap_or(self.file.layer);
        let lower = written.iter().rev().skip(1).map(|&layer| (layer, self.keys(layer, context.limits())));
        let layers = attribution::first_layers(top, records.iter().map(Record::key), lower);
        for record in records.into_iter().filter(Record::is_package) {
            let layer = layers.get(&record.key()).copied().unwrap_or(top);
            let mut package = record.package(context.distro, "rpm");
            package.locations = context.location(layer, self.file.path);
            found.packages.push(package);
        }
    }
}

type Key = Box<str>;

/// One installed package.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub name: String,
    pub epoch: Option<u32>,
    /// `version-release`.
    pub version: String,
    pub arch: String,
    pub source: Option<String>,
    pub licence: Option<String>,
    pub vendor: Option<String>,
    pub modularity: Option<String>,
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

    /// What tells it from others.
    pub(super) fn key(&self) -> Key {
        attribution::key(&self.name, &format!("{}:{}", self.epoch.unwrap_or(0), self.version), &self.arch)
    }

    /// Whether it is not one of the keys.
    pub(super) fn is_package(&self) -> bool {
        self.name != KEYS
    }

    /// The package, without its place.
    pub(super) fn package(self, distro: Option<&Distro>, found_by: &'static str) -> Package {
        let parts = purl::OsPackage {
            kind: PackageKind::Rpm,
            name: &self.name,
            version: &self.version,
            arch: &self.arch,
            epoch: self.epoch,
            upstream: self.source.clone(),
        };
        let purl = purl::os_package(parts, distro);
        let version = match self.epoch {
            Some(epoch @ 1..) => format!("{epoch}:{}", self.version),
            _ => self.version,
        };
        Package {
            arch: Some(self.arch).filter(|arch| !arch.is_empty()),
            source: self.source.as_deref().and_then(parse_source_rpm),
            modularity: self.modularity,
            vendor: self.vendor,
            licences: self.licence.into_iter().collect(),
            ..Package::new(PackageKind::Rpm, self.name, version, purl, found_by)
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
    use crate::{inventory::fixture, model::location::Location};

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
    fn berkeley_db_and_ndb_hold_the_same() {
        let check = |path: &str, name: &str| {
            let found = fixture::catalog(&Rpm, &[(path, name), ("etc/os-release", "os-release/amzn")]);
            assert!(found.gaps.is_empty(), "{:?}", found.gaps);
            assert_eq!(found.packages.len(), 15, "{name}");
            let purls = fixture::purls(&found);
            assert_eq!(
                [purls[0], purls[1], purls[2], purls[14]],
                [
                    "pkg:rpm/amzn/modular@1.0-1.made?arch=noarch&distro=amzn-2023&upstream=modular-1.0-1.made.src.rpm",
                    "pkg:rpm/amzn/plain@1.0-1.made?arch=noarch&distro=amzn-2023&upstream=plain-1.0-1.made.src.rpm",
                    "pkg:rpm/amzn/small-00@0.0-1?arch=noarch&distro=amzn-2023",
                    "pkg:rpm/amzn/with-epoch@1.0-1.made?arch=noarch&distro=amzn-2023&epoch=2&upstream=with-epoch-1.0-1.made.src.rpm",
                ]
            );
            let modular = &found.packages[0];
            assert_eq!(modular.modularity.as_deref(), Some("nodejs:20:8090020240101000000:a75119d5"));
            assert_eq!((modular.vendor.as_deref(), modular.licences.as_slice()), (Some("Made Up"), ["MIT".to_owned()].as_slice()));
            assert_eq!(found.packages[14].version, "2:1.0-1.made");
        };
        check("var/lib/rpm/Packages", "rpm/Packages");
        check("var/lib/rpm/Packages", "rpm/Packages.big-endian");
        check("usr/lib/sysimage/rpm/Packages.db", "rpm/Packages.db");
    }

    #[test]
    fn files_are_owned_in_every_format() {
        for (path, name) in [("var/lib/rpm/Packages", "rpm/Packages"), ("usr/share/rpm/Packages.db", "rpm/Packages.db")] {
            let (view, layers) = fixture::image(&[&[(path, fixture::read(name))]]);
            let mut paths =
                BTreeMap::from([("usr/lib/modular/007-xxxxxxxxxxxxxxxxxxxx.js", None), ("usr/bin/plain", None), ("usr/bin/x", None)]);
            Rpm.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
            let owners: Vec<_> = paths.values().map(Option::as_deref).collect();
            assert_eq!(owners, [Some("plain"), None, Some("modular")]);
        }
    }

    #[test]
    fn packages_belong_to_the_layer_that_brought_them_in_every_format() {
        for (path, name) in [
            ("var/lib/rpm/Packages", "rpm/Packages"),
            ("var/lib/rpm/Packages.db", "rpm/Packages.db"),
            ("var/lib/rpm/rpmdb.sqlite", "rpm/rpmdb.sqlite"),
        ] {
            let whole = fixture::read(name);
            let mut rewritten = whole.clone();
            // Something that no reader looks at: the identity, the generation, a counter.
            rewritten[if name.ends_with(".db") { 8 } else { 60 }] ^= 1;
            let (view, layers) = fixture::image(&[&[(path, whole)], &[("x", Vec::new())], &[(path, rewritten)]]);
            let found = Rpm.catalog(&Context { view: &view, layers: &layers, distro: None });
            assert!(found.gaps.is_empty() && !found.packages.is_empty(), "{:?}", found.gaps);
            assert!(found.packages.iter().all(|package| matches!(package.locations[0], Location::Image { index: 0, .. })), "{name}");
        }
    }

    #[test]
    fn damage_is_a_gap() {
        for path in ["var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db"] {
            let found = fixture::catalog(&Rpm, &[(path, "rpm/malformed.sqlite")]);
            assert!(found.packages.is_empty());
            assert_eq!(found.gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), ["record-unreadable"], "{path}");
        }
    }

    #[test]
    fn of_several_databases_that_of_rpm_counts_and_nothing_is_lost_unseen() {
        let bdb = || ("var/lib/rpm/Packages", fixture::read("rpm/Packages"));
        let ndb = || ("var/lib/rpm/Packages.db", fixture::read("rpm/Packages.db"));
        let sqlite = || ("var/lib/rpm/rpmdb.sqlite", fixture::read("rpm/rpmdb.sqlite"));
        let check = |files: Vec<(&str, Vec<u8>)>, count: usize, from: &str, gaps: &[&str]| {
            let (view, layers) = fixture::image(&[&files]);
            let found = Rpm.catalog(&Context { view: &view, layers: &layers, distro: None });
            assert_eq!(found.packages.len(), count);
            assert!(
                found.packages.iter().all(|package| matches!(&package.locations[0], Location::Image { path, .. } if path.ends_with(from)))
            );
            assert_eq!(found.gaps.iter().map(|gap| gap.subject.rsplit('/').next().unwrap()).collect::<Vec<_>>(), gaps);
        };
        let macros = |text: &str| ("usr/lib/rpm/macros", format!("%_dbpath x\n{text}\n").into_bytes());
        check(vec![bdb(), ndb()], 15, "Packages", &[]);
        check(vec![bdb(), ndb(), macros("%_db_backend\tndb")], 15, "Packages.db", &[]);
        check(vec![bdb(), sqlite()], 15, "Packages", &["rpmdb.sqlite"]);
        check(vec![bdb(), sqlite(), macros("%_db_backend\t      sqlite")], 2, "rpmdb.sqlite", &["Packages"]);
        check(vec![bdb(), sqlite(), macros("%_db_backend %{x}")], 15, "Packages", &["rpmdb.sqlite"]);
        check(vec![sqlite(), ("var/lib/rpm/Packages", Vec::new())], 2, "rpmdb.sqlite", &["Packages"]);
        check(vec![sqlite(), ("var/lib/rpm/Packages", b"x".to_vec())], 2, "rpmdb.sqlite", &["Packages", "Packages"]);
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
