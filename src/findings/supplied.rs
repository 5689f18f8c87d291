//! The advisory database as a finding source whose shards come from somewhere else: when the inventory is known, those that it needs are brought
//! into the folder, then matched as always. In: a [`Supplier`]; out: what [`Offline`] reports, and where its shards came from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

use crate::{
    advisory::{Database, artifact::Provenance, ecosystem},
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
    /// The folder.
    fn folder(&self) -> &Path;

    /// Sees to it that the shards of these OSV ecosystem strings are there, where they exist at all. Gives what is worth saying about it, or why
    /// nothing of the folder may be used.
    fn supply<'a>(&'a self, ecosystems: BTreeSet<String>) -> BoxFuture<'a, Result<BTreeMap<String, String>, String>>;
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
        let supplied = self.0.supply(needed(inventory)).await;
        let opened = supplied.and_then(|details| match Database::open(self.0.folder()) {
            Ok(database) => Ok((details, database)),
            Err(error) => Err(error.to_string()),
        });
        match opened {
            Ok((details, database)) => {
                let mut report = trace(Offline::new(database).report(inventory), self.0.folder());
                report.state.details.extend(details);
                report
            }
            Err(reason) => refused(&reason),
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
    folder: PathBuf,
}

impl Traced {
    /// A source over `offline`, whose database is in `folder`.
    #[must_use]
    pub const fn new(offline: Offline, folder: PathBuf) -> Self {
        Self { offline, folder }
    }
}

impl FindingSource for Traced {
    fn id(&self) -> SourceId {
        SourceId::Offline
    }

    fn fetch<'a>(&'a self, image: &'a ResolvedImage, inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(async move { Ok(trace(self.offline.fetch(image, inventory).await?, &self.folder)) })
    }

    fn report_on(&self, inventory: &Inventory) -> Option<SourceReport> {
        Some(trace(self.offline.report_on(inventory)?, &self.folder))
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

/// Adds which artifact each shard that was used came from, as far as that is known and still true.
fn trace(mut report: SourceReport, folder: &Path) -> SourceReport {
    let Ok(provenance) = Provenance::read(folder) else { return report };
    let details = &mut report.state.details;
    for (name, origin) in &provenance.shards {
        let digest = details.get(&format!("shard.{name}.digest")).and_then(|text| Digest::parse(text).ok());
        if digest.is_some_and(|digest| digest == origin.digest) {
            details.insert(format!("shard.{name}.artifact"), origin.artifact.to_string());
        }
    }
    report
}

/// The report of a database that may not be used.
fn refused(reason: &str) -> SourceReport {
    let gap =
        Gap::new(SourceId::Offline, "no-database", "", reason).with_hint("what was pulled before is used only when no registry answers");
    SourceReport {
        state: SourceState { source: SourceId::Offline, completeness: Completeness::Incomplete, asked: true, details: BTreeMap::new() },
        observations: Vec::new(),
        gaps: vec![gap],
    }
}
