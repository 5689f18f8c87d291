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

/// Reads the fixes of all rows of one finding.
pub(super) fn of(rows: &[&Observation], installed: Option<(Option<PackageKind>, &str)>, compare: Compare<'_>) -> Fixes {
    let mut named: BTreeMap<SourceId, BTreeSet<&str>> = BTreeMap::new();
    let mut none: BTreeSet<SourceId> = BTreeSet::new();
    for row in rows {
        let versions = row.fixed.iter().map(|version| version.strip_prefix("0:").unwrap_or(version)).filter(|version| is_version(version));
        named.entry(row.source).or_default().extend(versions);
        if row.says_no_fix {
            none.insert(row.source);
        }
    }
    let order = |a: &str, b: &str| installed.and_then(|(kind, _)| compare(kind?, a, b));
    let mut versions: Vec<String> = Vec::new();
    for candidates in named.values() {
        // What cannot be compared with the installed version is kept: a fix too many does less harm than one too few.
        let above = candidates.iter().filter(|fix| installed.is_none_or(|(_, version)| order(fix, version) != Some(Ordering::Less)));
        let lowest = above.copied().min_by(|a, b| order(a, b).unwrap_or_else(|| a.cmp(b)));
        versions.extend(lowest.map(str::to_owned));
    }
    versions.sort_by(|a, b| order(a, b).filter(|order| order.is_ne()).unwrap_or_else(|| a.cmp(b)));
    versions.dedup();
    let has_fix = |source: &SourceId| named.get(source).is_some_and(|versions| !versions.is_empty());
    let disputed = named.keys().any(has_fix) && none.iter().any(|source| !has_fix(source));
    Fixes { versions, disputed }
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && !["NotAvailable", "None Provided", "None"].iter().any(|word| text.eq_ignore_ascii_case(word))
}
