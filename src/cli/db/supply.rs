//! From references to shards in a folder: each registry in turn, within one deadline, and nothing in place that was not vouched for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    advisory::{
        self,
        artifact::{Choice, Offer, Pulled, list},
    },
    cli::{
        Failure,
        db::trust::{Trust, Unsigned, Vouched},
    },
    findings::supplied::Supplier,
    model::{digest::Digest, reference::ImageReference},
    progress::SharedProgress,
    registry,
};

/// Where a database comes from, and on what conditions.
pub(in crate::cli) struct Supply {
    /// Asked in this order.
    pub(in crate::cli) references: Vec<ImageReference>,
    /// How registries are reached; its deadline is for all of them together.
    pub(in crate::cli) registry: registry::Options,
    /// Who must have signed.
    pub(in crate::cli) trust: Trust,
    /// The only artifact that is accepted.
    pub(in crate::cli) pinned: Option<Digest>,
    /// The database's folder.
    pub(in crate::cli) folder: PathBuf,
    /// The clock of the run.
    pub(in crate::cli) now: Timestamp,
    /// Who is told what is going on.
    pub(in crate::cli) progress: SharedProgress,
}

/// What came of it.
pub(in crate::cli) struct Supplied {
    /// The reference that had it.
    pub(in crate::cli) reference: String,
    /// The artifact.
    pub(in crate::cli) digest: Digest,
    /// What was done.
    pub(in crate::cli) pulled: Pulled,
    /// Who vouches for it.
    pub(in crate::cli) vouched: Vouched,
    /// Why references before that one were passed over.
    pub(in crate::cli) passed_over: Vec<String>,
}

/// Why one reference gave no database.
struct Refused {
    failure: Failure,
    /// Whether the registry was not to be had, rather than what it has being wrong.
    is_outage: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, is_outage: false }
    }
}

impl From<advisory::Error> for Refused {
    fn from(error: advisory::Error) -> Self {
        let is_outage = matches!(&error, advisory::Error::Artifact(error) if error.is_outage());
        Self { failure: error.into(), is_outage }
    }
}

/// Reads references of databases: those that have a manifest to sign.
pub(in crate::cli) fn references(texts: &[String]) -> Result<Vec<ImageReference>, Failure> {
    texts
        .iter()
        .map(|text| match ImageReference::parse(text) {
            Ok(reference @ (ImageReference::Registry(_) | ImageReference::OciLayout { .. } | ImageReference::OciArchive { .. })) => {
                Ok(reference)
            }
            Ok(_) => Err(Failure::new(format!("`{text}` holds no advisory database"))
                .hint("use HOST/NAME[:TAG][@DIGEST], oci:DIR:TAG or oci-archive:FILE:TAG")),
            Err(error) => Err(Failure::new(format!("cannot read reference `{text}`: {error}")).hint("use HOST/NAME[:TAG][@DIGEST]")),
        })
        .collect()
}

/// Reads a digest that pins a database.
pub(in crate::cli) fn pinned(text: Option<&String>) -> Result<Option<Digest>, Failure> {
    let parse = |text: &String| {
        Digest::parse(text)
            .map_err(|error| Failure::new(format!("cannot read --db-digest `{text}`: {error}")).hint("`plimsoll db status` names it"))
    };
    text.map(parse).transpose()
}

impl Supply {
    /// Pulls from the first reference that has what is wanted and is vouched for.
    pub(in crate::cli) async fn pull(&self, choice: &Choice) -> Result<Supplied, Failure> {
        self.try_all(choice).await.map_err(|refused| refused.failure)
    }

    async fn try_all(&self, choice: &Choice) -> Result<Supplied, Refused> {
        let end = Instant::now() + self.registry.deadline;
        let (mut failures, mut is_outage) = (Vec::new(), true);
        for (at, reference) in self.references.iter().enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            // A slow registry must leave time for those after it.
            let share = if at + 1 < self.references.len() { left / 2 } else { left };
            match self.try_one(reference, choice, share).await {
                Ok(supplied) => {
                    let passed_over =
                        failures.iter().map(|(name, failure): &(String, Failure)| format!("{name}: {}", failure.message())).collect();
                    return Ok(Supplied { passed_over, ..supplied });
                }
                Err(refused) => {
                    is_outage &= refused.is_outage;
                    failures.push((reference.to_string(), refused.failure));
                }
            }
        }
        let kept =
            if list(&self.folder).is_ok() { format!("; the database in {} is as it was", self.folder.display()) } else { String::new() };
        let reasons: Vec<String> = failures.iter().map(|(name, failure)| format!("{name}: {}", failure.message())).collect();
        let failure = match (failures.pop(), reasons.len()) {
            (None, _) => Failure::new("no reference of an advisory database was given"),
            (Some((_, only)), 1) => only.extend(&kept),
            (Some(_), count) => {
                Failure::new(format!("none of {count} places has an advisory database that can be used{kept}: {}", reasons.join("; ")))
            }
        };
        Err(Refused { failure, is_outage })
    }

    async fn try_one(&self, reference: &ImageReference, choice: &Choice, time: Duration) -> Result<Supplied, Refused> {
        let options = registry::Options { deadline: time, ..self.registry.clone() };
        let unheard = |error: registry::Error| advisory::Error::from(advisory::artifact::Error::from(error));
        let source = registry::open(reference, &options, self.progress.clone()).await.map_err(unheard)?;
        let offer = Offer::fetch(&reference.to_string(), source, self.pinned.as_ref()).await.map_err(advisory::Error::from)?;
        // What cannot be used need not be verified first.
        offer.chosen(choice)?;
        let vouched = self.trust.judge(reference, &offer.digest, offer.size(), offer.source(), self.now).await?;
        match &vouched {
            Vouched::By(_) => {}
            _ if self.trust.unsigned() == Unsigned::Allowed => {}
            Vouched::Not(reason) => {
                return Err(Failure::new(format!(
                    "the advisory database {reference} ({}) is not signed by whom it must be: {reason}",
                    offer.digest
                ))
                .hint("look at who published it; --allow-unsigned-db takes it all the same")
                .into());
            }
            Vouched::Unknown(reason) => {
                let failure = Failure::new(format!(
                    "the signature of the advisory database {reference} ({}) could not be checked: {reason}",
                    offer.digest
                ));
                return Err(Refused { failure, is_outage: true });
            }
            Vouched::Unasked => self.trust.check()?,
        }
        let pulled = offer.pull(&self.folder, choice, self.pinned.is_some(), self.now, &self.progress).await?;
        Ok(Supplied { reference: reference.to_string(), digest: offer.digest, pulled, vouched, passed_over: Vec::new() })
    }
}

impl Supplier for Supply {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn supply<'a>(&'a self, ecosystems: BTreeSet<String>) -> BoxFuture<'a, Result<BTreeMap<String, String>, String>> {
        Box::pin(async move {
            match self.try_all(&Choice::Ecosystems(ecosystems)).await {
                Ok(supplied) => {
                    let mut details = BTreeMap::from([
                        ("database.artifact".to_owned(), supplied.digest.to_string()),
                        ("database.reference".to_owned(), supplied.reference),
                        ("database.signature".to_owned(), supplied.vouched.to_string()),
                        ("database.fetched".to_owned(), supplied.pulled.fetched.join(", ")),
                    ]);
                    if !supplied.passed_over.is_empty() {
                        details.insert("database.passed-over".to_owned(), supplied.passed_over.join("; "));
                    }
                    Ok(details)
                }
                // What an earlier run checked and put there serves when no registry answers; how old it may be, the policy says.
                Err(refused) if refused.is_outage && self.pinned.is_none() && list(&self.folder).is_ok() => Ok(BTreeMap::from([(
                    "database.pull".to_owned(),
                    format!("failed, the shards that are here are used: {}", refused.failure.message()),
                )])),
                Err(refused) => Err(refused.failure.message()),
            }
        })
    }
}
