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

use jiff::Timestamp;

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
            package: self.package.clone().map(Box::new),
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
            fix: None,
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
        let Some(targets) =
            located.get(&key).map(fixes).filter(|fixes| !fixes.is_empty()).and_then(|fixes| cves.get(&(key.package.clone(), fixes)))
        else {
            continue;
        };
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
        Some((scored_on(row), millionths))
    });
    given.max().map(|(_, millionths)| millionths)
}

/// When the probability of a row was worked out: its own day, else when the row last changed.
fn scored_on(row: &Observation) -> Option<Timestamp> {
    let day = row.attributes.get("epss-date").and_then(|day| format!("{day}T00:00:00Z").parse().ok());
    day.or_else(|| state::time(row))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        coverage::{Completeness, SourceId, SourceState},
        evidence::{ObservedPackage, ObservedState},
        finding::FindingState,
        severity::{Rating, RatingAuthor},
    };

    fn row(source: SourceId, id: &str, package: Option<&str>) -> Observation {
        Observation {
            source,
            id: id.to_owned(),
            aliases: BTreeSet::new(),
            title: None,
            package: package.map(|name| ObservedPackage {
                kind: Some(PackageKind::Npm),
                name: name.to_owned(),
                version: "1".to_owned(),
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
        }
    }

    fn merged(rows: &[Observation]) -> Vec<Finding> {
        let report = |observations: Vec<Observation>| SourceReport {
            state: SourceState { source: SourceId::Offline, completeness: Completeness::Complete, asked: true, details: BTreeMap::new() },
            observations,
            gaps: Vec::new(),
        };
        let compare = |_: PackageKind, a: &str, b: &str| Some(a.parse::<u32>().ok()?.cmp(&b.parse().ok()?));
        let findings = merge(&[report(rows.to_vec())], None, &compare);
        let one_each: Vec<SourceReport> = rows.iter().rev().map(|row| report(vec![row.clone()])).collect();
        assert_eq!(findings, merge(&one_each, None, &compare), "the order of the inputs shows");
        findings
    }

    fn named(findings: &[Finding]) -> Vec<String> {
        findings
            .iter()
            .map(|finding| format!("{} {}", finding.id, finding.package.as_ref().map_or("-", |package| package.name.as_str())))
            .collect()
    }

    #[test]
    fn unlocated_rows_join_the_only_located_finding_of_their_id() {
        let (basic, offline) = (SourceId::EcrBasic, SourceId::Offline);
        assert_eq!(named(&merged(&[row(basic, "CVE-2024-1", None), row(offline, "CVE-2024-1", Some("a"))])), ["CVE-2024-1 a"]);
        let two = merged(&[row(basic, "CVE-2024-1", None), row(offline, "CVE-2024-1", Some("a")), row(offline, "CVE-2024-1", Some("b"))]);
        assert_eq!(named(&two), ["CVE-2024-1 -", "CVE-2024-1 a", "CVE-2024-1 b"]);
        assert_eq!(two[0].evidence[0].matched, MatchKind::Unlocated);
    }

    #[test]
    fn unlinked_advisories_are_not_counted_beside_a_cve_with_the_same_fix() {
        let with_fix = |id: &str, fix: &str| Observation { fixed: vec![fix.to_owned()], ..row(SourceId::Inspector, id, Some("a")) };
        assert_eq!(named(&merged(&[with_fix("CVE-2024-1", "2"), with_fix("USN-1-1", "2")])), ["CVE-2024-1 a"]);
        assert_eq!(named(&merged(&[with_fix("CVE-2024-1", "2"), with_fix("USN-1-1", "3")])), ["CVE-2024-1 a", "USN-1-1 a"]);
        // Two fixes that nobody knows are not the same fix.
        let rows = [row(SourceId::Inspector, "CVE-2024-1", Some("a")), row(SourceId::Inspector, "USN-1-1", Some("a"))];
        assert_eq!(named(&merged(&rows)), ["CVE-2024-1 a", "USN-1-1 a"]);
    }

    #[test]
    fn sources_that_do_not_agree_are_noted_and_the_careful_one_wins() {
        let inspector =
            Observation { says_no_fix: true, state: ObservedState::Closed, ..row(SourceId::Inspector, "CVE-2024-1", Some("a")) };
        let offline = Observation { fixed: vec!["2".to_owned()], ..row(SourceId::Offline, "CVE-2024-1", Some("a")) };
        let findings = merged(&[inspector.clone(), offline]);
        assert_eq!(findings[0].notes, ["closed by inspector, still seen by offline", "fix disputed"]);
        assert_eq!((findings[0].state, findings[0].fixed.as_slice()), (FindingState::Open, ["2".to_owned()].as_slice()));
        assert_eq!(merged(&[inspector])[0].state, FindingState::Closed);
    }

    #[test]
    fn the_later_view_of_one_inspector_finding_speaks() {
        let view = |view: &str, state, updated: &str| Observation {
            state,
            updated: Some(updated.to_owned()),
            attributes: BTreeMap::from([("arn".to_owned(), "arn:1".to_owned()), ("view".to_owned(), view.to_owned())]),
            ..row(SourceId::Inspector, "CVE-2024-1", Some("a"))
        };
        let (open, closed) = (ObservedState::Open, ObservedState::Closed);
        let check = |rows: [Observation; 2], expected| {
            let findings = merged(&rows);
            assert_eq!((findings.len(), findings[0].state, findings[0].evidence.len()), (1, expected, 1));
        };
        check([view("ecr", open, "2026-01-01T00:00:00Z"), view("inspector", closed, "2026-01-01T00:00:00Z")], FindingState::Closed);
        check([view("ecr", open, "2026-01-01T00:00:00.5Z"), view("inspector", closed, "2026-01-01T00:00:00Z")], FindingState::Open);
        check([view("ecr", closed, "2026-01-02T00:00:00Z"), view("inspector", open, "2026-01-01T00:00:00Z")], FindingState::Closed);
    }

    #[test]
    fn exploits_and_probabilities_are_kept_apart_from_kev() {
        let fact = |source, key: &str, value: &str, updated: &str| Observation {
            updated: Some(updated.to_owned()),
            attributes: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            ..row(source, "CVE-2024-1", Some("a"))
        };
        let exploit = fact(SourceId::Inspector, "exploit", "YES", "2026-01-01T00:00:00Z");
        assert!(!merged(std::slice::from_ref(&exploit))[0].kev);
        assert!(merged(&[exploit, fact(SourceId::InspectorSbom, "kev_date_added", "2025-11-02", "2026-01-01T00:00:00Z")])[0].kev);
        let old = fact(SourceId::Inspector, "epss", "0.9", "2026-01-01T00:00:00Z");
        let new = fact(SourceId::InspectorSbom, "epss", "0.25", "2026-01-02T00:00:00Z");
        assert_eq!(merged(&[old, new])[0].epss_millionths, Some(250_000));
        // A record that changed lately may carry an old probability.
        let mut dated = fact(SourceId::Offline, "epss", "0.5", "2026-01-09T00:00:00Z");
        dated.attributes.insert("epss-date".to_owned(), "2026-01-01".to_owned());
        let undated = fact(SourceId::InspectorSbom, "epss", "0.25", "2026-01-02T00:00:00Z");
        assert_eq!(merged(&[dated, undated])[0].epss_millionths, Some(250_000));
        assert_eq!(merged(&[fact(SourceId::Inspector, "epss", "NaN", "")])[0].epss_millionths, None);
    }

    #[test]
    fn findings_are_sorted_by_severity_id_package() {
        let rated = |id: &str, package: &str, word: &str| Observation {
            ratings: vec![Rating { author: RatingAuthor::Inspector, word: Some(word.to_owned()), vector: None, score_tenths: None }],
            ..row(SourceId::Inspector, id, Some(package))
        };
        let rows = [
            rated("CVE-1", "a", "LOW"),
            rated("CVE-2", "b", "UNTRIAGED"),
            rated("CVE-3", "b", "HIGH"),
            rated("CVE-3", "a", "HIGH"),
            rated("CVE-4", "a", "CRITICAL"),
        ];
        assert_eq!(named(&merged(&rows)), ["CVE-4 a", "CVE-3 a", "CVE-3 b", "CVE-2 b", "CVE-1 a"]);
    }
}
