//! Merging: what all sources say in, one finding per problem and package out. Pure: no clock, no I/O, and any order of the inputs gives the same findings.
//! Union, never intersection: a finding that one source alone sees is a finding.

mod fixes;
mod ids;
mod packages;
mod severity;
mod state;

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    findings::merge::{
        ids::Ids,
        packages::{Placed, Places},
    },
    model::{
        evidence::{Evidence, MatchKind, Observation, SourceReport},
        finding::{Finding, FindingKind, FindingPackage},
        location::Location,
        package::{Inventory, PackageKind, PackageUrl},
    },
};

/// Compares two versions of one package kind; `None` when they cannot be compared.
pub type Compare<'a> = &'a dyn Fn(PackageKind, &str, &str) -> Option<Ordering>;

/// Merges what all sources say about one image. `compare` orders versions; it decides which fix is the lowest above the installed version.
#[must_use]
pub fn merge(reports: &[SourceReport], inventory: Option<&Inventory>, compare: Compare<'_>) -> Vec<Finding> {
    let mut observations: Vec<&Observation> = reports.iter().flat_map(|report| &report.observations).collect();
    // Everything below walks this order, so the order of the inputs cannot show.
    observations.sort_by(|a, b| in_full(a).cmp(&in_full(b)));
    observations.dedup();
    let ids = Ids::of(&observations);
    let places = Places::of(inventory);
    let mut located: BTreeMap<Key, Group<'_>> = BTreeMap::new();
    let mut unlocated: BTreeMap<String, Vec<&Observation>> = BTreeMap::new();
    for observation in observations {
        let placed = places.place(observation);
        for id in ids.canonical(observation) {
            if placed.is_empty() {
                unlocated.entry(id.clone()).or_default().push(observation);
            }
            for placed in &placed {
                let key = Key { id: id.clone(), package: placed.key.clone() };
                located.entry(key).or_default().add(observation, placed);
            }
        }
    }
    fold_advisories(&mut located);
    join_unlocated(&mut located, &mut unlocated);
    let mut findings: Vec<Finding> = located.iter().map(|(key, group)| group.finding(&key.id, compare)).collect();
    findings.extend(unlocated.into_iter().map(|(id, rows)| {
        let group = Group { members: rows.into_iter().map(|row| (row, MatchKind::Unlocated)).collect(), ..Group::default() };
        group.finding(&id, compare)
    }));
    findings.sort_by_cached_key(|finding| (finding.severity.report_order(), finding.id.clone(), finding.package.clone()));
    findings
}

/// What must be equal for two observations to be about one thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    id: String,
    package: packages::PackageKey,
}

/// All observations of one thing.
#[derive(Debug, Default)]
struct Group<'a> {
    members: Vec<(&'a Observation, MatchKind)>,
    package: Option<FindingPackage>,
    locations: BTreeSet<Location>,
    notes: BTreeSet<String>,
}

impl<'a> Group<'a> {
    fn add(&mut self, observation: &'a Observation, placed: &Placed) {
        self.members.push((observation, placed.matched));
        self.locations.extend(placed.locations.iter().cloned());
        self.notes.extend(placed.note.map(str::to_owned));
        let package = self.package.get_or_insert_with(|| placed.package.clone());
        if package.kind.is_none() {
            package.kind = placed.package.kind;
        }
    }

    fn finding(&self, id: &str, compare: Compare<'_>) -> Finding {
        let rows: Vec<&Observation> = self.members.iter().map(|(row, _)| *row).collect();
        let ratings = severity::ratings(&rows);
        let (severity, severity_author) = severity::effective(&ratings);
        let installed = self.package.as_ref().map(|package| (package.kind, package.version.as_str()));
        let fixes = fixes::of(&rows, installed, compare);
        let (state, state_note) = state::of(&rows);
        let mut notes: BTreeSet<String> = self.notes.clone();
        notes.extend(fixes.disputed.then(|| "fix disputed".to_owned()));
        notes.extend(state_note);
        let title = rows.iter().find_map(|row| row.title.clone()).unwrap_or_else(|| match &self.package {
            Some(package) => format!("{id} in {} {}", package.name, package.version),
            None => id.to_owned(),
        });
        Finding {
            id: id.to_owned(),
            aliases: ids::aliases(&rows, id),
            kind: FindingKind::Vulnerability,
            title,
            package: self.package.clone(),
            severity,
            severity_author,
            ratings,
            fixed: fixes.versions,
            state,
            kev: rows.iter().any(|row| is_kev(row)),
            epss_millionths: epss(&rows),
            locations: self.locations.iter().cloned().collect(),
            evidence: evidence(&self.members),
            notes: notes.into_iter().collect(),
        }
    }
}

/// An advisory that no source links to a CVE is a finding of its own, but not beside a CVE in the same package with the same fix (M3).
fn fold_advisories(located: &mut BTreeMap<Key, Group<'_>>) {
    let fixes = |group: &Group<'_>| -> BTreeSet<String> { group.members.iter().flat_map(|(row, _)| row.fixed.iter().cloned()).collect() };
    let mut cves: BTreeMap<(packages::PackageKey, BTreeSet<String>), Vec<Key>> = BTreeMap::new();
    for (key, group) in located.iter().filter(|(key, _)| ids::is_cve(&key.id)) {
        cves.entry((key.package.clone(), fixes(group))).or_default().push(key.clone());
    }
    let lonely: Vec<Key> = located.keys().filter(|key| ids::is_advisory(&key.id)).cloned().collect();
    for key in lonely {
        let Some(targets) = located.get(&key).map(fixes).filter(|fixes| !fixes.is_empty()).and_then(|fixes| cves.get(&(key.package.clone(), fixes))) else { continue };
        let Some(advisory) = located.remove(&key) else { continue };
        for target in targets {
            if let Some(group) = located.get_mut(target) {
                group.members.extend(advisory.members.iter().copied());
                group.locations.extend(advisory.locations.iter().cloned());
            }
        }
    }
}

/// A row without a package joins the only located finding of its id (M6).
fn join_unlocated<'a>(located: &mut BTreeMap<Key, Group<'a>>, unlocated: &mut BTreeMap<String, Vec<&'a Observation>>) {
    unlocated.retain(|id, rows| {
        let from = Key { id: id.clone(), package: packages::PackageKey::default() };
        let mut same = located.range_mut(from..).take_while(|(key, _)| key.id == *id);
        match (same.next(), same.next()) {
            (Some((_, group)), None) => {
                group.members.extend(rows.iter().map(|row| (*row, MatchKind::Unlocated)));
                false
            }
            _ => true,
        }
    });
}

/// One evidence per source and id: the two views of Inspector are one source, so the later one speaks and attributes of both are kept.
fn evidence(members: &[(&Observation, MatchKind)]) -> Vec<Evidence> {
    let mut by_source: BTreeMap<_, Vec<(&Observation, MatchKind)>> = BTreeMap::new();
    for (row, matched) in members {
        by_source.entry((row.source, row.id.as_str())).or_default().push((row, *matched));
    }
    let one = |((source, id), mut rows): ((_, &str), Vec<(&Observation, MatchKind)>)| {
        rows.sort_by(|(a, _), (b, _)| state::later_first(a, b));
        let mut attributes: BTreeMap<String, String> = BTreeMap::new();
        let mut views: BTreeSet<&str> = BTreeSet::new();
        let mut paths: BTreeSet<&str> = BTreeSet::new();
        for (row, _) in &rows {
            for (key, value) in &row.attributes {
                attributes.entry(key.clone()).or_insert_with(|| value.clone());
            }
            views.extend(row.attributes.get("view").map(String::as_str));
            paths.extend(row.package.as_ref().and_then(|package| package.path.as_deref()));
        }
        for (key, values) in [("view", views), ("path", paths)] {
            if !values.is_empty() {
                attributes.insert(key.to_owned(), values.into_iter().collect::<Vec<_>>().join(", "));
            }
        }
        let fixed: BTreeSet<String> = rows.iter().flat_map(|(row, _)| row.fixed.iter().cloned()).collect();
        let package = rows.iter().find_map(|(row, _)| row.package.as_ref());
        Evidence {
            source,
            id: id.to_owned(),
            package: package.map(|package| package.name.clone()),
            version: package.map(|package| package.version.clone()),
            matched: rows.iter().map(|(_, matched)| *matched).min().unwrap_or(MatchKind::Unlocated),
            fixed: fixed.into_iter().collect(),
            state: state::of_source(rows.iter().map(|(row, _)| *row)),
            link: rows.iter().find_map(|(row, _)| row.link.clone()),
            attributes,
        }
    };
    by_source.into_iter().map(one).collect()
}

/// Whether a source says that the problem is in CISA's catalogue of known exploited vulnerabilities. "An exploit exists" is not that.
fn is_kev(row: &Observation) -> bool {
    row.attributes.iter().any(|(key, value)| key.starts_with("kev") && !matches!(value.to_ascii_lowercase().as_str(), "" | "false" | "no"))
}

/// The newest EPSS probability, in millionths.
fn epss(rows: &[&Observation]) -> Option<u32> {
    let given = rows.iter().filter_map(|row| {
        let score: f64 = row.attributes.get("epss")?.parse().ok()?;
        let millionths: u32 = (0.0..=1.0).contains(&score).then(|| format!("{:.0}", score * 1_000_000.0).parse().ok()).flatten()?;
        Some((state::time(row), millionths))
    });
    given.max().map(|(_, millionths)| millionths)
}

/// Everything about an observation, as a key that sorts.
fn in_full(row: &Observation) -> impl Ord + '_ {
    let package = row.package.as_ref().map(|package| (&package.name, &package.version, package.kind, &package.path, &package.locations));
    let said = (&row.state, &row.updated, &row.fixed, row.says_no_fix, &row.aliases, &row.ratings);
    (row.source, &row.id, package, said, &row.attributes, &row.title, &row.link)
}

/// The package's purl without its version, or its name.
fn purl_of(purl: Option<&PackageUrl>, name: &str) -> String {
    purl.map_or_else(|| name.to_owned(), |purl| purl.without_version().to_owned())
}
