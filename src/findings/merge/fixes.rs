//! Which version fixes it (rule M8): per source the lowest one above the installed version; a source that says "none" while another knows one is noted.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    findings::merge::Compare,
    model::{coverage::SourceId, evidence::Observation, package::PackageKind},
};

/// The fixes of one finding.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fixes {
    /// One version per source that names one, in the order of versions, unique.
    pub(super) versions: Vec<String>,
    /// One source names a fix and another says that there is none.
    pub(super) disputed: bool,
}

/// A row of ours that was looked up under the source package's name: its fixes are versions of that, which the matcher has held against the source's
/// own version. The binary's version may be of another count.
const OF_SOURCE: &str = "matched-as";

/// Reads the fixes of all rows of one finding.
pub(super) fn of(rows: &[&Observation], installed: Option<(Option<PackageKind>, &str)>, compare: Compare<'_>) -> Fixes {
    let mut named: BTreeMap<SourceId, BTreeSet<&str>> = BTreeMap::new();
    let mut none: BTreeSet<SourceId> = BTreeSet::new();
    let order = |a: &str, b: &str| installed.and_then(|(kind, _)| compare(kind?, a, b));
    for row in rows {
        let of_source = row.attributes.contains_key(OF_SOURCE);
        // What cannot be compared with the installed version is kept: a fix too many does less harm than one too few.
        let is_above = |fix: &&str| of_source || installed.is_none_or(|(_, version)| order(fix, version) != Some(Ordering::Less));
        let versions = row
            .fixed
            .iter()
            .map(|version| version.strip_prefix("0:").unwrap_or(version))
            .filter(|version| is_version(version))
            .filter(is_above);
        named.entry(row.source).or_default().extend(versions);
        if row.says_no_fix {
            none.insert(row.source);
        }
    }
    let mut versions: Vec<String> = Vec::new();
    for candidates in named.values() {
        let lowest = candidates.iter().copied().min_by(|a, b| order(a, b).unwrap_or_else(|| a.cmp(b)));
        versions.extend(lowest.map(str::to_owned));
    }
    let versions = in_order(versions, &order);
    let has_fix = |source: &SourceId| named.get(source).is_some_and(|versions| !versions.is_empty());
    let disputed = named.keys().any(has_fix) && none.iter().any(|source| !has_fix(source));
    Fixes { versions, disputed }
}

/// Sorts by insertion: an order that is not total, as version orders of odd texts can be, must not make a sort panic.
fn in_order(versions: Vec<String>, order: &dyn Fn(&str, &str) -> Option<Ordering>) -> Vec<String> {
    let mut sorted: Vec<String> = Vec::new();
    for version in versions {
        if sorted.contains(&version) {
            continue;
        }
        let after =
            sorted.iter().position(|other| order(&version, other).unwrap_or_else(|| version.cmp(other)).is_lt()).unwrap_or(sorted.len());
        sorted.insert(after, version);
    }
    sorted
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && !["NotAvailable", "None Provided", "None"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::{ObservedPackage, ObservedState};

    fn row(source: SourceId, fixed: &[&str], says_no_fix: bool) -> Observation {
        Observation {
            source,
            id: "CVE-2024-1".to_owned(),
            aliases: BTreeSet::new(),
            title: None,
            package: Some(ObservedPackage { kind: None, name: "p".to_owned(), version: "1".to_owned(), locations: Vec::new(), path: None }),
            ratings: Vec::new(),
            fixed: fixed.iter().map(|&text| text.to_owned()).collect(),
            says_no_fix,
            state: ObservedState::Open,
            link: None,
            updated: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Whole numbers only; anything else cannot be compared.
    fn numbers(_: PackageKind, a: &str, b: &str) -> Option<Ordering> {
        Some(a.parse::<u32>().ok()?.cmp(&b.parse().ok()?))
    }

    #[test]
    fn the_lowest_fix_above_the_installed_version_is_taken_per_source() {
        let check = |rows: &[Observation], expected: &[&str], disputed: bool| {
            let rows: Vec<&Observation> = rows.iter().collect();
            let fixes = of(&rows, Some((Some(PackageKind::Npm), "10")), &numbers);
            assert_eq!((fixes.versions.iter().map(String::as_str).collect::<Vec<_>>(), fixes.disputed), (expected.to_vec(), disputed));
        };
        check(&[row(SourceId::Offline, &["9", "12", "11"], false)], &["11"], false);
        check(&[row(SourceId::Offline, &["20"], false), row(SourceId::Inspector, &["0:12"], false)], &["12", "20"], false);
        check(&[row(SourceId::Offline, &["12"], false), row(SourceId::Inspector, &[], true)], &["12"], true);
        check(&[row(SourceId::Inspector, &["NotAvailable", ""], true)], &[], false);
        check(&[row(SourceId::Inspector, &[], true), row(SourceId::Inspector, &["12"], false)], &["12"], false);
        let of_source = Observation {
            attributes: BTreeMap::from([(OF_SOURCE.to_owned(), "source 2".to_owned())]),
            ..row(SourceId::Offline, &["3"], false)
        };
        check(&[of_source], &["3"], false);
        check(&[row(SourceId::Offline, &["3"], false)], &[], false);
        // What cannot be compared stays.
        check(&[row(SourceId::Offline, &["next"], false)], &["next"], false);
    }
}
