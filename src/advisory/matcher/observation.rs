//! What hits, as an observation. In: the rows of one record that affect a package; out: the source's words with everything that explains the match,
//! one observation per CVE (advisories.md G1).

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    advisory::{
        almalinux, cvss,
        matcher::{
            coverage,
            plan::Pocket,
            row::{self, Subject},
        },
        range::Reading,
        shard::reader::Row,
    },
    model::{
        advisory::Advisory,
        coverage::SourceId,
        evidence::{Observation, ObservedPackage, ObservedState},
        severity::Rating,
    },
};

/// The attribute of an observation with a rating that cannot be read; its value is how many.
pub(super) const RATING_UNREADABLE: &str = "rating-unreadable";

/// What the rows of one record say about one package; some records have several rows for one name.
#[derive(Debug)]
pub(super) struct Hit {
    pub(super) fixed: Vec<String>,
    open_ended: bool,
    because: String,
    ratings: Vec<Rating>,
    urgency: Option<String>,
    pub(super) state: Option<String>,
    repository: Option<String>,
    /// Where the fix is to be had, when that is not where the package came from.
    pub(super) fix_in: Option<&'static str>,
}

impl Hit {
    /// The first row that hits.
    pub(super) fn new(because: String) -> Self {
        Self {
            fixed: Vec::new(),
            open_ended: true,
            because,
            ratings: Vec::new(),
            urgency: None,
            state: None,
            repository: None,
            fix_in: None,
        }
    }

    /// One more row that hits.
    pub(super) fn add(&mut self, row: &Row, fixed: Option<String>, open_ended: bool) {
        self.fixed.extend(fixed);
        self.open_ended &= open_ended;
        self.ratings.extend(row.affected.ratings.iter().cloned());
        self.urgency = self.urgency.take().or_else(|| row.affected.urgency.clone());
        self.state = self.state.take().or_else(|| row::state(row).map(str::to_owned));
        self.repository = self.repository.take().or_else(|| row.affected.attributes.get("repository").cloned());
    }
}

/// The observation of a hit, not yet split by CVE.
pub(super) fn observation(pocket: &Pocket<'_>, subject: &Subject<'_>, hit: Hit, advisory: &Advisory) -> Observation {
    let mut ratings = hit.ratings;
    ratings.extend(advisory.ratings.iter().cloned());
    ratings.sort();
    ratings.dedup();
    // Of a language package the fix of every row that hits: rows are often lines of releases, each with a fix of its own.
    let fixed = sorted(subject.lookup.reading, hit.fixed);
    let (package, lookup) = (subject.package, subject.lookup);
    let mut attributes = BTreeMap::from([
        ("advisory".to_owned(), advisory.id.0.clone()),
        ("matched-by".to_owned(), lookup.by.to_owned()),
        ("range".to_owned(), hit.because),
        ("shard".to_owned(), pocket.shard.name().to_owned()),
    ]);
    let mut add = |key: &str, value: Option<String>| attributes.extend(value.map(|value| (key.to_owned(), value)));
    let differs = (lookup.name.as_ref(), lookup.version.as_ref()) != (package.name.as_str(), package.version.as_str());
    add("matched-as", differs.then(|| format!("{} {}", lookup.name, lookup.version)));
    add("confidence", lookup.doubt.map(|doubt| format!("low: {doubt}")));
    add("fix-in", hit.fix_in.map(str::to_owned));
    add("frozen", coverage::frozen_since(&|name| pocket.fact(name)).map(str::to_owned));
    add("repositories", subject.is_default.then(|| "the default ones of the release".to_owned()));
    add("repository", hit.repository);
    add("state", hit.state.filter(|state| hit.urgency.as_ref() != Some(state)));
    add("urgency", hit.urgency);
    let unreadable = ratings.iter().filter_map(|rating| rating.vector.as_deref()).filter(|vector| !cvss::is_well_formed(vector)).count();
    add(RATING_UNREADABLE, (unreadable > 0).then(|| unreadable.to_string()));
    Observation {
        source: SourceId::Offline,
        id: advisory.id.0.clone(),
        aliases: BTreeSet::new(),
        title: (!advisory.summary.is_empty()).then(|| advisory.summary.clone()),
        package: Some(ObservedPackage {
            kind: Some(package.kind),
            name: package.name.clone(),
            version: package.version.clone(),
            locations: package.locations.clone(),
            path: None,
        }),
        ratings,
        says_no_fix: fixed.is_empty() && hit.open_ended,
        fixed,
        state: ObservedState::Open,
        link: advisory.references.first().cloned(),
        updated: advisory.modified.clone(),
        attributes,
    }
}

/// Versions in the order of the ecosystem, each once; what is none of its versions comes first.
pub(super) fn sorted(reading: Reading, mut versions: Vec<String>) -> Vec<String> {
    if versions.len() < 2 {
        return versions;
    }
    let mut parsed: Vec<_> = versions.into_iter().map(|text| (reading.event(&text), text)).collect();
    parsed.sort_by(|(x, a), (y, b)| {
        let place = match (x, y) {
            (Some(x), Some(y)) => x.compare(y).unwrap_or(Ordering::Equal),
            (x, y) => x.is_some().cmp(&y.is_some()),
        };
        place.then_with(|| a.cmp(b))
    });
    versions = parsed.into_iter().map(|(_, text)| text).collect();
    versions.dedup();
    versions
}

/// The CVEs that a record is about.
pub(super) fn cves(advisory: &Advisory) -> BTreeSet<&str> {
    ids(advisory).into_iter().filter(|id| is_cve(id)).collect()
}

/// Adds one observation, or one per CVE where the record names several: two CVE ids never share an observation (G1).
pub(super) fn add_per_cve(observations: &mut Vec<Observation>, advisory: &Advisory, template: Observation) {
    let ids = ids(advisory);
    let cves: Vec<&str> = ids.iter().copied().filter(|id| is_cve(id)).collect();
    if cves.len() < 2 {
        let aliases = ids.iter().filter(|id| **id != advisory.id.0).map(|id| (*id).to_owned()).collect();
        observations.push(Observation { aliases, ..template });
    } else {
        observations.extend(cves.iter().map(|cve| Observation { id: (*cve).to_owned(), ..template.clone() }));
    }
}

fn ids(advisory: &Advisory) -> BTreeSet<&str> {
    let linked = [&advisory.aliases, &advisory.upstream].into_iter().flatten().map(|id| id.0.as_str());
    let all = linked.chain([advisory.id.0.as_str()]);
    let mut ids: BTreeSet<&str> = all.flat_map(|id| [Some(id), cve_in(id)]).flatten().collect();
    // Some errata name their CVEs in `related` alone; anywhere else that list proves nothing.
    let names_cves = ids.iter().any(|id| is_cve(id));
    if almalinux::joins_related(&advisory.id.0, names_cves) {
        ids.extend(advisory.related.iter().map(|id| id.0.as_str()).filter(|id| is_cve(id)));
    }
    ids
}

/// The CVE that a distribution's id names (`UBUNTU-CVE-2021-3782`), or that it is: `upstream` is transitive (O7), and some records name their CVE
/// in this way alone.
pub(in crate::advisory) fn cve_in(id: &str) -> Option<&str> {
    let bare = ["UBUNTU-", "DEBIAN-", "ALPINE-"].iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id);
    Some(bare).filter(|bare| is_cve(bare))
}

fn is_cve(id: &str) -> bool {
    id.starts_with("CVE-")
}
