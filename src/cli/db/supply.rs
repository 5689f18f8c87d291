//! From references to shards in a folder: each registry in turn, within one deadline, and nothing in place that was not vouched for.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    advisory::{
        self,
        artifact::{
            Choice, Offer, Pulled, Stored, Terms, Voucher,
            check::{Of, Usable},
            evidence,
        },
    },
    cli::{
        Failure,
        db::{
            trust::{Trust, Unsigned, Vouched},
            vouch::{Evidence, is_database, origins},
        },
    },
    findings::supplied::{Brought, MISSING, Refusal, Supplier, UNTRUSTED},
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        reference::ImageReference,
    },
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
    /// Whether there was something that must not be believed.
    is_untrusted: bool,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, is_outage: false, is_untrusted: false }
    }
}

impl From<advisory::Error> for Refused {
    fn from(error: advisory::Error) -> Self {
        let is_outage = match &error {
            advisory::Error::Artifact(error) => error.is_outage(),
            // Somebody else writes for longer than this run waits.
            advisory::Error::Busy(_) => true,
            _ => false,
        };
        let is_untrusted = matches!(&error, advisory::Error::Artifact(advisory::artifact::Error::Pinned { .. }));
        Self { failure: error.into(), is_outage, is_untrusted }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let kind = if refused.is_untrusted { UNTRUSTED } else { MISSING };
        Self { kind, reason: refused.failure.message(), hint: refused.failure.advice().map(str::to_owned) }
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

/// Refuses a file or folder that is not there: unlike a registry it will not be there in a minute either.
pub(in crate::cli) fn refuse_absent_files(references: Vec<ImageReference>) -> Result<Vec<ImageReference>, Failure> {
    for reference in &references {
        if let ImageReference::OciLayout { path, .. } | ImageReference::OciArchive { path, .. } = reference
            && !path.exists()
        {
            return Err(Failure::new(format!("there is no `{}` to take an advisory database from", path.display()))
                .hint("use HOST/NAME[:TAG][@DIGEST], oci:DIR:TAG or oci-archive:FILE:TAG"));
        }
    }
    Ok(references)
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
        let (mut failures, mut is_outage, mut is_untrusted) = (Vec::new(), true, false);
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
                    is_untrusted |= refused.is_untrusted;
                    failures.push((reference.to_string(), refused.failure));
                }
            }
        }
        let kept =
            if is_database(&self.folder) { format!("; the database in {} is as it was", self.folder.display()) } else { String::new() };
        let reasons: Vec<String> = failures.iter().map(|(name, failure)| format!("{name}: {}", failure.message())).collect();
        let failure = match (failures.pop(), reasons.len()) {
            (None, _) => Failure::new("no reference of an advisory database was given"),
            (Some((_, only)), 1) => only.extend(&kept),
            (Some(_), count) => {
                Failure::new(format!("none of {count} places has an advisory database that can be used{kept}: {}", reasons.join("; ")))
                    .hint("each place has a reason of its own; `plimsoll db pull` with one of them says what to do")
            }
        };
        Err(Refused { failure, is_outage, is_untrusted })
    }

    async fn try_one(&self, reference: &ImageReference, choice: &Choice, time: Duration) -> Result<Supplied, Refused> {
        let end = Instant::now() + time;
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
                let failure = Failure::new(format!(
                    "the advisory database {reference} ({}) is not signed by whom it must be: {reason}",
                    offer.digest
                ))
                .hint("look at who published it, and which key is named; --allow-unsigned-db takes it all the same");
                return Err(Refused { failure, is_outage: false, is_untrusted: true });
            }
            Vouched::Unknown(reason) => {
                let failure = Failure::new(format!(
                    "the signature of the advisory database {reference} ({}) could not be checked: {reason}",
                    offer.digest
                ));
                return Err(Refused { failure, is_outage: true, is_untrusted: false });
            }
            Vouched::Unasked => self.trust.check()?,
        }
        let evidence = self.evidence();
        let terms = Terms {
            voucher: self.is_signature_demanded().then_some(&evidence as &dyn Voucher),
            replace_newer: self.pinned.is_some(),
            now: self.now,
            end,
        };
        let pulled = offer.pull(&self.folder, choice, terms, &self.progress).await?;
        Ok(Supplied { reference: reference.to_string(), digest: offer.digest, pulled, vouched, passed_over: Vec::new() })
    }

    fn evidence(&self) -> Evidence<'_> {
        Evidence { trust: &self.trust, folder: &self.folder, now: self.now, progress: &self.progress }
    }

    fn is_signature_demanded(&self) -> bool {
        self.trust.unsigned() == Unsigned::Refused
    }

    /// Fetches what is needed, and finds out what of the folder may be used after that.
    async fn bring(&self, ecosystems: BTreeSet<String>) -> Result<Brought, Refusal> {
        let (mut details, supplied) = match self.try_all(&Choice::Ecosystems(ecosystems.clone())).await {
            Ok(supplied) => (describe(&supplied), Ok(supplied)),
            // What an earlier run put there serves when no registry answers; how old it may be, the policy says.
            Err(refused) if refused.is_outage && is_database(&self.folder) => {
                let reason = format!("failed, the shards that are here are used: {}", refused.failure.message());
                (BTreeMap::from([("database.pull".to_owned(), reason)]), Err(refused))
            }
            Err(refused) => return Err(refused.into()),
        };
        let of_this_run = supplied.as_ref().ok();
        // Whatever else is in the folder, and whoever put it there: what counts is what an artifact holds that this run accepts.
        let (accepted, mut judged) = self.accepted().await?;
        if let Some(supplied) = of_this_run {
            judged.insert(supplied.digest.clone(), supplied.vouched.clone());
        }
        let is_bound = self.is_signature_demanded() || self.pinned.is_some();
        let (folder, wanted) = (self.folder.clone(), ecosystems.clone());
        let first = of_this_run.map(|supplied| supplied.digest.clone());
        let is_good = |digest: &Digest| {
            let is_signed = !self.is_signature_demanded() || matches!(judged.get(digest), Some(Vouched::By(_)));
            is_signed && self.pinned.as_ref().is_none_or(|pinned| pinned == digest)
        };
        let mut good: Vec<Stored> = accepted.into_iter().filter(|stored| is_good(&stored.digest)).collect();
        good.sort_by_key(|stored| first.as_ref() != Some(&stored.digest));
        let compared = tokio::task::spawn_blocking(move || {
            let held = Usable::held(&folder, &good, Of::Ecosystems(&wanted));
            let others = held.left_out(Of::Ecosystems(&wanted));
            (held, others)
        });
        let Ok((held, others)) = compared.await else {
            return Err(Refusal { kind: MISSING, reason: "comparing the shards was interrupted".to_owned(), hint: None });
        };
        // Of the artifact that was pulled the report says once who signed it.
        let signed = |artifact: &Digest| {
            let words = judged.get(artifact).filter(|judged| matches!(judged, Vouched::By(_)));
            words.filter(|_| first.as_ref() != Some(artifact))
        };
        let origins = origins(&held, signed);
        if !is_bound {
            if let (Some(supplied), false) = (of_this_run, others.is_empty()) {
                let said = format!("{}; not of this artifact, and not checked: {}", supplied.vouched, others.join(", "));
                details.insert("database.signature".to_owned(), said);
            }
            return Ok(Brought { usable: Usable::everything(&self.folder), details, origins, gaps: Vec::new() });
        }
        if let (true, Err(refused)) = (held.is_empty(), supplied) {
            let untrusted = if others.is_empty() {
                String::new()
            } else {
                format!("; what is here ({}) is not signed by whom it must be", others.join(", "))
            };
            let refused = Refused { failure: refused.failure.extend(&untrusted), is_untrusted: !others.is_empty(), ..refused };
            return Err(refused.into());
        }
        Ok(Brought { usable: held, details, origins, gaps: others.iter().map(|shard| self.left_out(shard)).collect() })
    }

    /// The artifacts whose evidence is kept, and what is said about their signatures.
    async fn accepted(&self) -> Result<(Vec<Stored>, BTreeMap<Digest, Vouched>), Refusal> {
        let stored = evidence::readable(&self.folder);
        let judged = if self.is_signature_demanded() { self.evidence().judge(&stored).await } else { Ok(BTreeMap::new()) };
        match judged {
            Ok(judged) => Ok((stored, judged)),
            Err(failure) => Err(Refused::from(failure).into()),
        }
    }

    /// The Gap of a shard that is here, is needed, and may not be used.
    fn left_out(&self, shard: &str) -> Gap {
        let demanded = if self.pinned.is_some() { "what the pinned artifact holds" } else { "signed by whom it must be" };
        let reason = format!("shard {shard} in {} is not {demanded}, and was left out", self.folder.display());
        Gap::new(SourceId::Offline, UNTRUSTED, shard, reason)
            .with_hint("remove its file, and pull it from somebody who is trusted and has it; `plimsoll db verify` says more")
    }
}

/// What the report says of a pull.
fn describe(supplied: &Supplied) -> BTreeMap<String, String> {
    let mut details = BTreeMap::from([
        ("database.artifact".to_owned(), supplied.digest.to_string()),
        ("database.reference".to_owned(), supplied.reference.clone()),
        ("database.signature".to_owned(), supplied.vouched.to_string()),
        ("database.fetched".to_owned(), supplied.pulled.fetched.join(", ")),
    ]);
    if !supplied.passed_over.is_empty() {
        details.insert("database.passed-over".to_owned(), supplied.passed_over.join("; "));
    }
    details
}

impl Supplier for Supply {
    fn supply<'a>(&'a self, ecosystems: BTreeSet<String>) -> BoxFuture<'a, Result<Brought, Refusal>> {
        Box::pin(self.bring(ecosystems))
    }
}
