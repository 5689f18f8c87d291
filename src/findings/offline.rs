//! `offline`: the advisory database as a finding source. In: an open database and an inventory; out: observations, Gaps, and how old the
//! knowledge is. Needs no network.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    advisory::{Database, ShardStatus, build::Unfixed, exploitation, matcher, store::Coverage},
    findings::{Error, FindingSource},
    model::{
        coverage::{Completeness, Gap, SourceId, SourceState},
        evidence::SourceReport,
        image::ResolvedImage,
        package::Inventory,
    },
};

/// Matches the inventory against an open database.
#[derive(Debug)]
pub struct Offline {
    database: Option<Database>,
    build_gaps: Vec<Gap>,
}

impl Offline {
    /// A source over `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database: Some(database), build_gaps: Vec::new() }
    }

    /// A source that knows nothing, because no database was named and none is in the default place.
    #[must_use]
    pub const fn missing() -> Self {
        Self { database: None, build_gaps: Vec::new() }
    }

    /// The same source, with what could not be read when its database was compiled for this run.
    #[must_use]
    pub fn with_build_gaps(mut self, gaps: Vec<Gap>) -> Self {
        self.build_gaps = gaps;
        self
    }

    /// What the database says about `inventory`; pure.
    #[must_use]
    pub fn report(&self, inventory: &Inventory) -> SourceReport {
        let Some(database) = &self.database else { return no_database() };
        let (mut observations, mut gaps) = matcher::match_inventory(database, inventory);
        let damaged = exploitation::join(database, &mut observations);
        let mut details = BTreeMap::from([("database.digest".to_owned(), database.digest().to_string())]);
        let mut names = BTreeSet::new();
        for ecosystem in matcher::shards_used(database, inventory) {
            let Some(status) = database.status_of(&ecosystem) else { continue };
            describe(&status, &mut details);
            if let Some(coverage) = database.coverage_of(&ecosystem) {
                cover(&status.name, &coverage, &mut details);
            }
            names.insert(status.name);
        }
        // Whether there is KEV and EPSS data at all is said of every image; a damaged shard is none.
        for status in ["EPSS", "KEV"].iter().filter_map(|ecosystem| database.status_of(ecosystem)) {
            if !damaged.iter().any(|gap| gap.subject == status.name) {
                describe(&status, &mut details);
            }
        }
        gaps.extend(damaged);
        gaps.extend(self.build_gaps.iter().cloned());
        gaps.sort();
        details.insert("shards".to_owned(), names.into_iter().collect::<Vec<_>>().join(", "));
        details.insert("packages".to_owned(), inventory.packages.len().to_string());
        // That a feed lists fixed problems alone is a note about what it is, and not something that was not looked at.
        let completeness =
            if gaps.iter().all(|gap| gap.kind == "unfixed-unknown") { Completeness::Complete } else { Completeness::Incomplete };
        SourceReport { state: SourceState { source: SourceId::Offline, completeness, asked: true, details }, observations, gaps }
    }
}

impl FindingSource for Offline {
    fn id(&self) -> SourceId {
        SourceId::Offline
    }

    fn fetch<'a>(&'a self, _image: &'a ResolvedImage, inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(async move { Ok(self.report(inventory)) })
    }

    fn report_on(&self, inventory: &Inventory) -> Option<SourceReport> {
        Some(self.report(inventory))
    }
}

/// Age, digest and size of a shard. One that is about several releases is as old as the oldest that was asked.
fn describe(status: &ShardStatus, details: &mut BTreeMap<String, String>) {
    let mut add = |what: &str, value: String| details.insert(format!("shard.{}.{what}", status.name), value);
    add("digest", status.digest.to_string());
    add("rows", status.rows.to_string());
    let as_of = status.as_of.clone().unwrap_or_else(|| "unknown".to_owned());
    let known = details.entry(format!("shard.{}.as-of", status.name)).or_insert_with(|| as_of.clone());
    if is_older(&as_of, known) {
        *known = as_of;
    }
}

/// A time that does not read may be any, so that it is older than every other.
fn is_older(left: &str, right: &str) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    time(left) < time(right)
}

/// How far the knowledge of a release goes.
fn cover(name: &str, coverage: &Coverage, details: &mut BTreeMap<String, String>) {
    let facts = [
        ("unfixed", Some(coverage.unfixed.unwrap_or(Unfixed::Unknown).name().to_owned())),
        ("end-of-life", coverage.end_of_life.clone()),
        ("frozen-since", coverage.frozen_since.clone()),
    ];
    details.extend(facts.into_iter().filter_map(|(what, value)| Some((format!("shard.{name}.{what}"), value?))));
}

/// Nobody can say anything without a database.
fn no_database() -> SourceReport {
    let gap = Gap::new(SourceId::Offline, "no-database", "", "there is no offline advisory database on this machine")
        .with_hint("build one with `plimsoll db build --from DIR`, get one with `plimsoll db update` or `plimsoll db pull REF`, or name one with --db or --advisories");
    SourceReport {
        state: SourceState { source: SourceId::Offline, completeness: Completeness::NotAsked, asked: false, details: BTreeMap::new() },
        observations: Vec::new(),
        gaps: vec![gap],
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        advisory::build,
        model::package::{Package, PackageKind, PackageUrl},
    };

    #[test]
    fn a_shard_is_as_old_as_the_oldest_release_that_was_asked() {
        for (left, right, expected) in [
            ("2026-10-05T08:00:00Z", "2026-10-06T08:00:00Z", true),
            ("2026-10-05T08:00:00+02:00", "2026-10-05T07:00:00Z", true),
            ("2026-10-06T08:00:00Z", "2026-10-05T08:00:00Z", false),
            ("unknown", "2026-10-05T08:00:00Z", true),
            ("2026-10-05T08:00:00Z", "unknown", false),
        ] {
            assert_eq!(is_older(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn the_report_says_how_old_its_knowledge_is() {
        let out = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        build(&fixtures, out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        let source = Offline::new(Database::open(out.path()).unwrap());
        let purl = PackageUrl::new(PackageKind::Npm, None, "left-anchor", Some("1.4.0"), &BTreeMap::new());
        let package = Package::new(PackageKind::Npm, "left-anchor".to_owned(), "1.4.0".to_owned(), purl, "test");
        let report = source.report(&Inventory { packages: vec![package], ..Inventory::default() });
        assert_eq!(report.observations.len(), 1);
        assert_eq!((report.state.completeness, report.state.asked), (Completeness::Complete, true));
        assert_eq!(report.state.details["shards"], "npm");
        assert_eq!(report.state.details["shard.npm.as-of"], "2026-10-05T08:00:00Z");
        assert_eq!(report.state.details["shard.npm.unfixed"], "unknown");
        assert_eq!(report.state.details["shard.kev.as-of"], "2026-10-05T08:00:00Z");
        assert_eq!(report.state.details["shard.epss.as-of"], "2026-10-06T00:00:00Z");
        let attribute = |key: &str| report.observations[0].attributes.get(key).map(String::as_str);
        assert_eq!((attribute("kev"), attribute("epss"), attribute("epss-date")), (None, Some("0.91235"), Some("2026-10-06")));
        assert!(report.state.details["database.digest"].starts_with("sha256:"));
        let empty = source.report(&Inventory::default());
        assert_eq!((empty.state.completeness, empty.gaps.len()), (Completeness::Incomplete, 1));
    }
}
