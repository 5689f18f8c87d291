//! The advisory database as a finding source whose shards come from somewhere else: when the inventory is known, those that it needs are brought
//! into the folder, then matched as always. In: a [`Supplier`]; out: what [`Offline`] reports, and where its shards came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use crate::{
    advisory::{
        artifact::{
            check::{Of, Usable},
            evidence,
        },
        ecosystem,
    },
    findings::{Error, FindingSource, offline::Offline},
    model::{
        coverage::{Completeness, Gap, SourceId, SourceState},
        digest::Digest,
        evidence::SourceReport,
        image::ResolvedImage,
        package::Inventory,
    },
};

/// Somebody who brings shards into a folder.
pub trait Supplier: Send + Sync {
    /// Sees to it that the shards of these OSV ecosystem strings are there, where they exist at all. Gives those that may be used, or why there
    /// are none.
    fn supply<'a>(&'a self, ecosystems: BTreeSet<String>) -> BoxFuture<'a, Result<Brought, Refusal>>;
}

/// What a supplier brought.
#[derive(Debug)]
pub struct Brought {
    /// The shards that may be used; no others are opened.
    pub usable: Usable,
    /// What is worth saying about it.
    pub details: BTreeMap<String, String>,
    /// Where shards came from.
    pub origins: Origins,
    /// What should have been used, and may not be.
    pub gaps: Vec<Gap>,
}

/// Why nothing may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of the Gap: `untrusted-database`, where there is something that must not be believed, else `no-database`.
    pub kind: &'static str,
    /// Why.
    pub reason: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

/// The Gap of a database, or a shard of it, that nobody who is trusted vouches for.
pub const UNTRUSTED: &str = "untrusted-database";
/// The Gap of a database that is not there.
pub const MISSING: &str = "no-database";

/// Where shards came from, by the shard's name.
pub type Origins = BTreeMap<String, Origin>;

/// Where one shard came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The artifact that holds it, byte for byte.
    pub artifact: Digest,
    /// Digest over the shard's sections.
    pub digest: Digest,
    /// Who vouches for the artifact, where that is to be said of this very shard.
    pub signature: Option<String>,
}

/// Fetches what an inventory needs, then matches it.
pub struct Supplied(Box<dyn Supplier>);

impl Supplied {
    /// A source over what `supplier` brings.
    #[must_use]
    pub fn new(supplier: Box<dyn Supplier>) -> Self {
        Self(supplier)
    }

    async fn report(&self, inventory: &Inventory) -> SourceReport {
        let brought = match self.0.supply(needed(inventory)).await {
            Ok(brought) => brought,
            Err(refusal) => return refused(refusal),
        };
        match brought.usable.open() {
            Ok(database) => {
                let mut report = trace(Offline::new(database).report(inventory), &brought.origins);
                report.state.details.extend(brought.details);
                if !brought.gaps.is_empty() {
                    report.state.completeness = Completeness::Incomplete;
                    report.gaps.extend(brought.gaps);
                    report.gaps.sort();
                }
                report
            }
            Err(error) => refused(Refusal { kind: MISSING, reason: error.to_string(), hint: error.hint() }),
        }
    }
}

impl FindingSource for Supplied {
    fn id(&self) -> SourceId {
        SourceId::Offline
    }

    fn fetch<'a>(&'a self, _image: &'a ResolvedImage, inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(async move { Ok(self.report(inventory).await) })
    }

    fn report_on(&self, inventory: &Inventory) -> Option<SourceReport> {
        // A bill of materials is judged on a thread of its own, which may wait.
        Some(tokio::task::block_in_place(|| Handle::current().block_on(self.report(inventory))))
    }
}

/// A database in a folder, that says where its shards came from.
#[derive(Debug)]
pub struct Traced {
    offline: Offline,
    known: Known,
}

/// What is known of where shards came from.
#[derive(Debug)]
enum Known {
    /// Everything was compared before.
    Origins(Origins),
    /// What was used is compared with the artifacts whose evidence is kept in this folder.
    In(PathBuf),
}

impl Traced {
    /// A source over `offline`, whose database is in `folder`.
    #[must_use]
    pub const fn new(offline: Offline, folder: PathBuf) -> Self {
        Self { offline, known: Known::In(folder) }
    }

    /// A source over `offline`, whose shards came from where `origins` says.
    #[must_use]
    pub const fn with_origins(offline: Offline, origins: Origins) -> Self {
        Self { offline, known: Known::Origins(origins) }
    }

    fn trace(&self, report: SourceReport, inventory: &Inventory) -> SourceReport {
        match &self.known {
            Known::Origins(origins) => trace(report, origins),
            Known::In(folder) => {
                // The record of pulls beside the shards is signed by nobody: only bytes prove where they came from.
                let artifacts = evidence::readable(folder);
                if artifacts.is_empty() {
                    return report;
                }
                let usable = Usable::held(folder, &artifacts, Of::Ecosystems(&needed(inventory)));
                let origin =
                    |digest: &Digest, artifact: &Digest| Origin { artifact: artifact.clone(), digest: digest.clone(), signature: None };
                let origins = usable.artifacts().map(|(name, digest, artifact)| (name.to_owned(), origin(digest, artifact))).collect();
                trace(report, &origins)
            }
        }
    }
}

impl FindingSource for Traced {
    fn id(&self) -> SourceId {
        SourceId::Offline
    }

    fn fetch<'a>(&'a self, image: &'a ResolvedImage, inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(async move { Ok(self.trace(self.offline.fetch(image, inventory).await?, inventory)) })
    }

    fn report_on(&self, inventory: &Inventory) -> Option<SourceReport> {
        Some(self.trace(self.offline.report_on(inventory)?, inventory))
    }
}

/// OSV ecosystem strings of the shards that an inventory may be matched against.
#[must_use]
pub fn needed(inventory: &Inventory) -> BTreeSet<String> {
    let release = inventory.distro.as_ref().and_then(ecosystem::of_distro);
    let languages = inventory.packages.iter().filter_map(|package| ecosystem::of_language(package.kind));
    let mut texts: BTreeSet<String> = languages.map(|ecosystem| ecosystem.name.to_owned()).collect();
    texts.extend(release.iter().flat_map(|release| release.texts()).map(str::to_owned));
    texts
}

/// Adds which artifact each shard that was used came from, where that is known.
fn trace(mut report: SourceReport, origins: &Origins) -> SourceReport {
    let details = &mut report.state.details;
    for (name, origin) in origins {
        if details.get(&format!("shard.{name}.digest")).is_some_and(|digest| *digest == origin.digest.to_string()) {
            details.insert(format!("shard.{name}.artifact"), origin.artifact.to_string());
            details.extend(origin.signature.clone().map(|signature| (format!("shard.{name}.signature"), signature)));
        }
    }
    report
}

/// The report of a database that may not be used.
fn refused(refusal: Refusal) -> SourceReport {
    let gap = Gap { hint: refusal.hint, ..Gap::new(SourceId::Offline, refusal.kind, "", refusal.reason) };
    SourceReport {
        state: SourceState { source: SourceId::Offline, completeness: Completeness::Incomplete, asked: true, details: BTreeMap::new() },
        observations: Vec::new(),
        gaps: vec![gap],
    }
}
