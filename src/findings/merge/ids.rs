//! Which ids are one problem. CVE ids never join each other; other ids (GHSA, PYSEC, GO, RUSTSEC ...) join through the links that sources give.
//! A distribution's advisories (DSA, USN, ALAS ...) speak of many problems at once, so they link to CVEs but never join them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::evidence::Observation;

/// Prefixes of advisories that cover many problems.
const ADVISORIES: &[&str] = &[
    "USN-",
    "DSA-",
    "DLA-",
    "ALAS",
    "FEDORA-",
    "RHSA-",
    "RHBA-",
    "RHEA-",
    "ELSA-",
    "SUSE-SU-",
    "OPENSUSE-SU-",
    "RLSA-",
    "ALSA-",
    "CESA-",
    "MGASA-",
    "LSN-",
];

/// Whether an id is a CVE id.
pub(super) fn is_cve(id: &str) -> bool {
    id.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("CVE-"))
}

/// Whether an id is an advisory that may cover many problems.
pub(super) fn is_advisory(id: &str) -> bool {
    let upper = id.get(..12).unwrap_or(id).to_ascii_uppercase();
    ADVISORIES.iter().any(|prefix| upper.starts_with(prefix))
}

/// Every other id of a finding. The ids of other CVEs are left out: an exception for one must not let the other pass.
pub(super) fn aliases(rows: &[&Observation], canonical: &str) -> BTreeSet<String> {
    let all = rows.iter().flat_map(|row| row.aliases.iter().chain([&row.id]));
    all.filter(|id| !id.eq_ignore_ascii_case(canonical) && !is_cve(id)).cloned().collect()
}

/// The links between all ids of one merge.
#[derive(Debug, Default)]
pub(super) struct Ids<'a> {
    /// Number of each id that is neither CVE nor advisory.
    numbers: BTreeMap<&'a str, usize>,
    /// Union-find over these numbers.
    parents: Vec<usize>,
    /// CVEs of each component, by its root.
    cves: BTreeMap<usize, BTreeSet<&'a str>>,
    /// Best id of each component, by its root.
    names: BTreeMap<usize, &'a str>,
    /// CVEs that any source links to an advisory.
    advisories: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Ids<'a> {
    /// Reads the links of all observations.
    pub(super) fn of(observations: &[&'a Observation]) -> Self {
        let mut ids = Self::default();
        let mut links: BTreeSet<(usize, &'a str)> = BTreeSet::new();
        for row in observations {
            let all = || row.aliases.iter().map(String::as_str).chain([row.id.as_str()]);
            let joining: Vec<usize> = all().filter(|id| !is_cve(id) && !is_advisory(id)).map(|id| ids.number(id)).collect();
            // A row that is an advisory itself lists everything the advisory is about; that makes none of it the same.
            if !is_advisory(&row.id) {
                for pair in joining.windows(2) {
                    if let [a, b] = pair {
                        ids.join(*a, *b);
                    }
                }
                let cves = all().filter(|id| is_cve(id));
                let own: Vec<&str> = if is_cve(&row.id) { vec![&row.id] } else { cves.collect() };
                links.extend(joining.iter().flat_map(|number| own.iter().map(move |cve| (*number, *cve))));
                for advisory in row.aliases.iter().filter(|id| is_advisory(id)) {
                    ids.advisories.entry(advisory).or_default().extend(own.iter().copied());
                }
            } else {
                ids.advisories.entry(&row.id).or_default().extend(all().filter(|id| is_cve(id)));
            }
        }
        // Every parent has the smaller number, so one pass makes every path one step long.
        for number in 0..ids.parents.len() {
            ids.halve(number);
        }
        for (number, cve) in links {
            let root = ids.root(number);
            ids.cves.entry(root).or_default().insert(cve);
        }
        let named: Vec<(&str, usize)> = ids.numbers.iter().map(|(id, number)| (*id, *number)).collect();
        for (id, number) in named {
            let root = ids.root(number);
            let name = ids.names.entry(root).or_insert(id);
            if rank(id) < rank(name) {
                *name = id;
            }
        }
        ids
    }

    /// The canonical ids of an observation: its CVE, or the CVEs that it is linked to, else its component's GHSA, else the native id.
    pub(super) fn canonical(&self, row: &'a Observation) -> Vec<String> {
        let upper = |id: &str| id.to_ascii_uppercase();
        if is_cve(&row.id) {
            return vec![upper(&row.id)];
        }
        let own: BTreeSet<String> = row.aliases.iter().filter(|id| is_cve(id)).map(|id| upper(id)).collect();
        if !own.is_empty() {
            return own.into_iter().collect();
        }
        if is_advisory(&row.id) {
            let linked: BTreeSet<String> = self.advisories.get(row.id.as_str()).into_iter().flatten().map(|id| upper(id)).collect();
            return if linked.is_empty() { vec![row.id.clone()] } else { linked.into_iter().collect() };
        }
        let root = self.numbers.get(row.id.as_str()).map(|number| self.root(*number));
        let linked: BTreeSet<String> = root.and_then(|root| self.cves.get(&root)).into_iter().flatten().map(|id| upper(id)).collect();
        if !linked.is_empty() {
            return linked.into_iter().collect();
        }
        vec![root.and_then(|root| self.names.get(&root)).map_or_else(|| row.id.clone(), |id| (*id).to_owned())]
    }

    fn number(&mut self, id: &'a str) -> usize {
        let next = self.parents.len();
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.parents.push(next);
        }
        number
    }

    fn root(&self, mut number: usize) -> usize {
        while let Some(parent) = self.parents.get(number).copied().filter(|parent| *parent != number) {
            number = parent;
        }
        number
    }

    /// Joins two components; the smaller root stays. Paths are halved on the way, so that hostile chains of ids stay cheap.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.halve(a), self.halve(b));
        if let Some(parent) = self.parents.get_mut(a.max(b)) {
            *parent = a.min(b);
        }
    }

    fn halve(&mut self, mut number: usize) -> usize {
        while let Some(parent) = self.parents.get(number).copied().filter(|parent| *parent != number) {
            let grandparent = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(number) {
                *slot = grandparent;
            }
            number = grandparent;
        }
        number
    }
}

/// GHSA before anything else, then by spelling.
fn rank(id: &str) -> (bool, &str) {
    (!id.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("GHSA-")), id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{coverage::SourceId, evidence::ObservedState};

    fn row(id: &str, aliases: &[&str]) -> Observation {
        Observation {
            source: SourceId::Offline,
            id: id.to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            title: None,
            package: None,
            ratings: Vec::new(),
            fixed: Vec::new(),
            says_no_fix: false,
            state: ObservedState::Open,
            link: None,
            updated: None,
            attributes: BTreeMap::new(),
        }
    }

    fn check(rows: &[(&str, &[&str])], expected: &[&[&str]]) {
        let mut rows: Vec<Observation> = rows.iter().map(|(id, aliases)| row(id, aliases)).collect();
        for _ in 0..2 {
            let borrowed: Vec<&Observation> = rows.iter().collect();
            let ids = Ids::of(&borrowed);
            let mut found: Vec<Vec<String>> = borrowed.iter().map(|row| ids.canonical(row)).collect();
            found.sort();
            let mut wanted: Vec<Vec<String>> = expected.iter().map(|ids| ids.iter().map(|&id| id.to_owned()).collect()).collect();
            wanted.sort();
            assert_eq!(found, wanted);
            rows.reverse();
        }
    }

    #[test]
    fn ids_join_through_links_and_cves_never_do() {
        check(&[("CVE-2024-1", &["GHSA-aaaa"]), ("PYSEC-1", &["GHSA-aaaa"])], &[&["CVE-2024-1"], &["CVE-2024-1"]]);
        check(&[("PYSEC-1", &["GHSA-aaaa"]), ("GHSA-aaaa", &[])], &[&["GHSA-aaaa"], &["GHSA-aaaa"]]);
        check(&[("RUSTSEC-2", &[]), ("rustsec-x", &[])], &[&["RUSTSEC-2"], &["rustsec-x"]]);
        check(&[("CVE-2024-1", &["CVE-2024-2"]), ("CVE-2024-2", &[])], &[&["CVE-2024-1"], &["CVE-2024-2"]]);
        // One advisory about two CVEs is said of both and makes them no single problem.
        check(&[("GHSA-two", &["CVE-2024-1", "CVE-2024-2"]), ("CVE-2024-1", &[])], &[&["CVE-2024-1", "CVE-2024-2"], &["CVE-2024-1"]]);
    }

    #[test]
    fn advisories_link_to_cves_or_stand_alone() {
        check(
            &[("ALAS2023-2024-1", &["CVE-2024-1", "CVE-2024-2"]), ("CVE-2024-3", &[])],
            &[&["CVE-2024-1", "CVE-2024-2"], &["CVE-2024-3"]],
        );
        // Another source links it.
        check(&[("USN-1-1", &[]), ("CVE-2024-1", &["USN-1-1"])], &[&["CVE-2024-1"], &["CVE-2024-1"]]);
        check(&[("USN-1-1", &[])], &[&["USN-1-1"]]);
        // Two GHSA ids named beside one advisory stay apart.
        check(&[("DSA-1", &["GHSA-a", "GHSA-b"]), ("GHSA-a", &[]), ("GHSA-b", &[])], &[&["DSA-1"], &["GHSA-a"], &["GHSA-b"]]);
    }

    #[test]
    fn words_shorter_than_a_prefix_are_safe() {
        for id in ["", "C", "é", "CVÉ-", "USN"] {
            assert!(!is_cve(id) && !is_advisory(id), "{id}");
        }
    }
}
