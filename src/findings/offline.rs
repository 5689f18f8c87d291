//! `offline`: the advisory database as a finding source. In: an open database and an inventory; out: observations, Gaps, and how old the
//! knowledge is. Needs no network.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;

use crate::{
    advisory::{Database, matcher},
    findings::{Error, FindingSource},
    model::{
        coverage::{Completeness, SourceId, SourceState},
        evidence::SourceReport,
        image::ResolvedImage,
        package::Inventory,
    },
};

/// Matches the inventory against an open database.
#[derive(Debug)]
pub struct Offline {
    database: Database,
}

impl Offline {
    /// A source over `database`.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// What the database says about `inventory`; pure.
    #[must_use]
    pub fn report(&self, inventory: &Inventory) -> SourceReport {
        let (observations, gaps) = matcher::match_inventory(&self.database, inventory);
        let mut details = BTreeMap::from([("database.digest".to_owned(), self.database.digest().to_string())]);
        let mut names = Vec::new();
        for ecosystem in matcher::shards_used(&self.database, inventory) {
            let Some(status) = self.database.status_of(&ecosystem) else { continue };
            let as_of = status.as_of.unwrap_or_else(|| "unknown".to_owned());
            details.insert(format!("shard.{}.as-of", status.name), as_of);
            details.insert(format!("shard.{}.digest", status.name), status.digest.to_string());
            details.insert(format!("shard.{}.rows", status.name), status.rows.to_string());
            names.push(status.name);
        }
        details.insert("shards".to_owned(), names.join(", "));
        details.insert("packages".to_owned(), inventory.packages.len().to_string());
        let completeness = if gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
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
    fn the_report_says_how_old_its_knowledge_is() {
        let out = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        build(&fixtures, out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        let source = Offline::new(Database::open(out.path()).unwrap());
        let package = Package {
            kind: PackageKind::Npm,
            name: "left-anchor".to_owned(),
            version: "1.4.0".to_owned(),
            purl: PackageUrl::new(PackageKind::Npm, None, "left-anchor", Some("1.4.0"), &BTreeMap::new()),
            arch: None,
            source: None,
            modularity: None,
            vendor: None,
            licences: Vec::new(),
            locations: Vec::new(),
            owner: None,
            found_by: "test",
        };
        let report = source.report(&Inventory { packages: vec![package], ..Inventory::default() });
        assert_eq!(report.observations.len(), 1);
        assert_eq!((report.state.completeness, report.state.asked), (Completeness::Complete, true));
        assert_eq!(report.state.details["shards"], "npm");
        assert_eq!(report.state.details["shard.npm.as-of"], "2026-10-05T08:00:00Z");
        assert!(report.state.details["database.digest"].starts_with("sha256:"));
        let empty = source.report(&Inventory::default());
        assert_eq!((empty.state.completeness, empty.gaps.len()), (Completeness::Incomplete, 1));
    }
}
