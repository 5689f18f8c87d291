//! Whose package it is: names and versions as sources write them, placed on our own inventory (rules M4 and M5).

use std::collections::BTreeMap;

use crate::{
    findings::merge::purl_of,
    model::{
        evidence::{MatchKind, Observation, ObservedPackage},
        finding::FindingPackage,
        location::Location,
        package::{Inventory, Package, PackageKind},
    },
};

const NOT_INSTALLED: &str = "not in the inventory";

/// What must be equal for two packages to be one.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackageKey {
    class: Option<PackageKind>,
    name: String,
    version: String,
}

/// A package that an observation is about.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) key: PackageKey,
    pub(super) package: FindingPackage,
    pub(super) locations: Vec<Location>,
    pub(super) matched: MatchKind,
    pub(super) note: Option<&'static str>,
}

/// The inventory by name.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    known: bool,
    by_name: BTreeMap<(Option<PackageKind>, String), Vec<&'a Package>>,
    by_source: BTreeMap<&'a str, Vec<&'a Package>>,
}

impl<'a> Places<'a> {
    /// Reads the inventory; without one every package stays as reported.
    pub(super) fn of(inventory: Option<&'a Inventory>) -> Self {
        let mut places = Self { known: inventory.is_some(), ..Self::default() };
        for package in inventory.map(|inventory| inventory.packages.as_slice()).unwrap_or_default() {
            places.by_name.entry((class(Some(package.kind)), normal_name(Some(package.kind), &package.name))).or_default().push(package);
            if let Some(source) = &package.source {
                places.by_source.entry(&source.name).or_default().push(package);
            }
        }
        places
    }

    /// The packages that the observation is about: none when it names none, several when it names a source package.
    pub(super) fn place(&self, row: &Observation) -> Vec<Placed> {
        let Some(observed) = &row.package else { return Vec::new() };
        let version = normal_version(observed.kind, &observed.version);
        let name = normal_name(observed.kind, &observed.name);
        let named = self.by_name.get(&(class(observed.kind), name.clone())).map(Vec::as_slice).unwrap_or_default();
        let exact: Vec<&Package> = named.iter().copied().filter(|own| normal_version(Some(own.kind), &own.version) == version).collect();
        if !exact.is_empty() {
            return grouped(&exact, MatchKind::Exact);
        }
        if class(observed.kind).is_none() {
            let built = self.by_source.get(observed.name.as_str()).map(Vec::as_slice).unwrap_or_default();
            let built: Vec<&Package> = built.iter().copied().filter(|own| is_built_from(own, &version)).collect();
            if !built.is_empty() {
                return grouped(&built, MatchKind::Source);
            }
        }
        let note = self.known.then_some(NOT_INSTALLED);
        vec![Placed { note, ..as_reported(observed, name, version) }]
    }
}

fn as_reported(observed: &ObservedPackage, key_name: String, version: String) -> Placed {
    // Only Go's standard library is renamed for people; everything else is shown as the source writes it.
    let name = if key_name == "stdlib" { key_name.clone() } else { observed.name.clone() };
    let package = FindingPackage { kind: observed.kind, name, version: strip_epoch(&observed.version).to_owned(), purl: None };
    Placed {
        key: PackageKey { class: class(observed.kind), name: key_name, version },
        package,
        locations: observed.locations.clone(),
        matched: MatchKind::AsReported,
        note: None,
    }
}

/// One place per name and version; copies in several paths or architectures are one finding with several locations.
fn grouped(packages: &[&Package], matched: MatchKind) -> Vec<Placed> {
    let mut places: BTreeMap<PackageKey, Placed> = BTreeMap::new();
    for own in packages {
        let name = if own.kind.is_os() { own.name.clone() } else { purl_of(Some(&own.purl), &own.name) };
        let key = PackageKey { class: class(Some(own.kind)), name, version: own.version.clone() };
        let package = FindingPackage {
            kind: Some(own.kind),
            name: own.name.clone(),
            version: strip_epoch(&own.version).to_owned(),
            purl: Some(own.purl.clone()),
        };
        let place = places.entry(key.clone()).or_insert_with(|| Placed { key, package, locations: Vec::new(), matched, note: None });
        place.locations.extend(own.locations.iter().cloned());
    }
    places.into_values().collect()
}

/// Whether an OS package was built from that version of its source. An rpm's source file name has no epoch.
fn is_built_from(own: &Package, version: &str) -> bool {
    let source = own.source.as_ref().and_then(|source| source.version.as_deref()).unwrap_or(&own.version);
    let without_epoch = |text: &str| text.split_once(':').map_or(text, |(_, rest)| rest).to_owned();
    normal_version(Some(own.kind), source) == version || (own.kind == PackageKind::Rpm && without_epoch(source) == without_epoch(version))
}

/// OS packages are one class: no source says whether an `OS` package is a deb or an rpm. An unknown manager is taken for the OS too.
fn class(kind: Option<PackageKind>) -> Option<PackageKind> {
    kind.filter(|kind| !kind.is_os())
}

/// The name in the form in which its ecosystem compares names.
fn normal_name(kind: Option<PackageKind>, name: &str) -> String {
    match kind {
        // PEP 503.
        Some(PackageKind::Pypi) => {
            let lower = name.to_ascii_lowercase();
            lower.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
        }
        Some(PackageKind::Golang) if matches!(name, "go/stdlib" | "stdlib" | "std" | "go") => "stdlib".to_owned(),
        Some(PackageKind::Maven) => name.replace('/', ":"),
        Some(PackageKind::Nuget | PackageKind::Composer) => name.to_ascii_lowercase(),
        _ => name.to_owned(),
    }
}

/// The version without what some sources write and others do not: an epoch of 0, Go's `v` and `go`.
fn normal_version(kind: Option<PackageKind>, version: &str) -> String {
    let version = strip_epoch(version);
    let version = match kind {
        Some(PackageKind::Golang) => version.strip_prefix("go").or_else(|| version.strip_prefix('v')).unwrap_or(version),
        _ => version,
    };
    version.to_owned()
}

fn strip_epoch(version: &str) -> &str {
    version.strip_prefix("0:").unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::{
        coverage::SourceId,
        evidence::ObservedState,
        package::{Basis, PackageUrl, SourcePackage},
    };

    fn own(kind: PackageKind, name: &str, version: &str, source: Option<(&str, Option<&str>)>) -> Package {
        Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            purl: PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new()),
            arch: None,
            source: source.map(|(name, version)| SourcePackage { name: name.to_owned(), version: version.map(str::to_owned) }),
            modularity: None,
            vendor: None,
            licences: Vec::new(),
            locations: vec![Location::Config],
            owner: None,
            found_by: "test",
            basis: Basis::Installed,
            hashes: Vec::new(),
        }
    }

    #[test]
    fn packages_are_placed_on_the_inventory() {
        let inventory = Inventory {
            packages: vec![
                own(PackageKind::Deb, "login", "4.13-1", Some(("shadow", Some("4.13-1")))),
                own(PackageKind::Deb, "passwd", "4.13-1", Some(("shadow", Some("4.13-1")))),
                own(PackageKind::Deb, "util-linux", "2.38-5+b1", Some(("util-linux", Some("2.38-5")))),
                own(PackageKind::Rpm, "openssl-libs", "1:3.0.7-2", Some(("openssl", Some("3.0.7-2")))),
                own(PackageKind::Apk, "musl", "1.2.4-r2", Some(("musl", None))),
                own(PackageKind::Pypi, "Zope.Interface", "5.0", None),
                own(PackageKind::Golang, "stdlib", "go1.21.5", None),
                own(PackageKind::Golang, "golang.org/x/net", "v0.7.0", None),
                own(PackageKind::Npm, "util-linux", "2.38-5+b1", None),
            ],
            ..Inventory::default()
        };
        let places = Places::of(Some(&inventory));
        let check = |kind: Option<PackageKind>, name: &str, version: &str, expected: &[&str], matched: MatchKind| {
            let row = Observation {
                source: SourceId::Inspector,
                id: "CVE-1".to_owned(),
                aliases: BTreeSet::new(),
                title: None,
                package: Some(ObservedPackage {
                    kind,
                    name: name.to_owned(),
                    version: version.to_owned(),
                    locations: Vec::new(),
                    path: None,
                }),
                ratings: Vec::new(),
                fixed: Vec::new(),
                says_no_fix: false,
                state: ObservedState::Open,
                link: None,
                updated: None,
                attributes: BTreeMap::new(),
            };
            let placed = places.place(&row);
            assert_eq!(placed.iter().map(|placed| placed.package.name.as_str()).collect::<Vec<_>>(), expected, "{name}");
            for placed in placed {
                assert_eq!(placed.matched, matched, "{name}");
                let is_ours = matched != MatchKind::AsReported;
                assert_eq!(
                    (placed.package.purl.is_some(), placed.locations.len(), placed.note.is_none()),
                    (is_ours, usize::from(is_ours), is_ours),
                    "{name}"
                );
            }
        };
        check(None, "util-linux", "2.38-5+b1", &["util-linux"], MatchKind::Exact);
        check(Some(PackageKind::Deb), "util-linux", "0:2.38-5", &["util-linux"], MatchKind::Source);
        check(None, "shadow", "4.13-1", &["login", "passwd"], MatchKind::Source);
        check(None, "openssl", "1:3.0.7-2", &["openssl-libs"], MatchKind::Source);
        check(None, "musl", "1.2.4-r2", &["musl"], MatchKind::Exact);
        check(Some(PackageKind::Pypi), "zope_interface", "5.0", &["Zope.Interface"], MatchKind::Exact);
        check(Some(PackageKind::Golang), "go/stdlib", "1.21.5", &["stdlib"], MatchKind::Exact);
        check(Some(PackageKind::Golang), "golang.org/x/net", "0.7.0", &["golang.org/x/net"], MatchKind::Exact);
        // Another version, another ecosystem: kept, with a note.
        check(None, "shadow", "4.14-1", &["shadow"], MatchKind::AsReported);
        check(Some(PackageKind::Npm), "musl", "1.2.4-r2", &["musl"], MatchKind::AsReported);
    }
}
