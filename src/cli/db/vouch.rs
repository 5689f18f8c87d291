//! Who vouches for what is in a database folder: the evidence that is kept there, judged anew by whom this run trusts; no network. In: folder and
//! trust; out: artifacts that count, and shards that may be used because such an artifact holds them byte for byte.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use futures_util::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;

use crate::{
    advisory::{
        self, Database,
        artifact::{
            Provenance, Stored, Voucher,
            check::{self, Of, ShardCheck, Usable},
        },
    },
    cli::{
        Failure,
        db::trust::{Trust, Vouched},
    },
    findings::supplied::{Origin, Origins},
    model::{digest::Digest, reference::ImageReference},
    progress::SharedProgress,
    registry,
};

/// Whoever judges the evidence of a folder.
pub(in crate::cli) struct Evidence<'a> {
    /// Who is trusted to sign.
    pub(in crate::cli) trust: &'a Trust,
    /// The database's folder.
    pub(in crate::cli) folder: &'a Path,
    /// The clock of the run.
    pub(in crate::cli) now: Timestamp,
    /// Who is told what is going on.
    pub(in crate::cli) progress: &'a SharedProgress,
}

impl Evidence<'_> {
    /// Who vouches for each artifact.
    pub(in crate::cli) async fn judge(&self, artifacts: &[Stored]) -> Result<BTreeMap<Digest, Vouched>, Failure> {
        let provenance = Provenance::read(self.folder).unwrap_or_default();
        let mut all = BTreeMap::new();
        for stored in artifacts {
            // The name that the signature must carry is one under which it was pulled.
            let pulled = provenance.shards.values().filter(|origin| origin.artifact == stored.digest);
            let names: BTreeSet<&str> = pulled.map(|origin| origin.reference.as_str()).collect();
            let mut references: Vec<ImageReference> = names.into_iter().filter_map(|name| ImageReference::parse(name).ok()).collect();
            if references.is_empty() {
                references.push(stored.reference());
            }
            let mut judged = Vouched::Unasked;
            for reference in references {
                let source = registry::open(&stored.reference(), &registry::Options::default(), self.progress.clone()).await?;
                judged = self.trust.judge(&reference, &stored.digest, 0, source, self.now).await?;
                if matches!(judged, Vouched::By(_)) {
                    break;
                }
            }
            all.insert(stored.digest.clone(), judged);
        }
        Ok(all)
    }
}

impl Voucher for Evidence<'_> {
    fn accepted<'a>(&'a self, stored: Vec<Stored>) -> BoxFuture<'a, Vec<Stored>> {
        async move {
            // What cannot be judged is not accepted.
            let judged = self.judge(&stored).await.unwrap_or_default();
            stored.into_iter().filter(|stored| matches!(judged.get(&stored.digest), Some(Vouched::By(_)))).collect()
        }
        .boxed()
    }
}

/// What every shard of a folder must be before it is used.
pub(in crate::cli) struct Demand<'a> {
    /// Signed by one of these, if anybody is named.
    pub(in crate::cli) evidence: Evidence<'a>,
    /// Of this artifact.
    pub(in crate::cli) pinned: Option<&'a Digest>,
}

impl Demand<'_> {
    /// Opens the database of a folder, every shard of which is what is demanded.
    pub(in crate::cli) async fn open(&self) -> Result<(Database, Origins), Failure> {
        let folder = self.evidence.folder;
        let place = folder.to_owned();
        let checked =
            tokio::task::spawn_blocking(move || check::check(&place)).await.map_err(|_| Failure::new("the check was interrupted"))??;
        let judged = self.evidence.judge(&checked.artifacts).await?;
        let counts = |digest: &Digest| {
            let is_signed = !self.evidence.trust.is_named() || matches!(judged.get(digest), Some(Vouched::By(_)));
            is_signed && self.pinned.is_none_or(|pinned| pinned == digest)
        };
        for shard in checked.shards {
            if let Some(damage) = shard.damage {
                return Err(damage.into());
            }
            if !shard.held_by.iter().any(counts) {
                return Err(self.refuse(&shard, &judged));
            }
        }
        let accepted: Vec<Stored> = checked.artifacts.into_iter().filter(|stored| counts(&stored.digest)).collect();
        let place = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let usable = Usable::held(&place, &accepted, Of::All);
            usable.open().map(|database| (usable, database))
        });
        let (usable, database) = opened.await.map_err(|_| Failure::new("the check was interrupted"))??;
        Ok((database, origins(&usable, |artifact| judged.get(artifact).filter(|judged| matches!(judged, Vouched::By(_))))))
    }

    fn refuse(&self, shard: &ShardCheck, judged: &BTreeMap<Digest, Vouched>) -> Failure {
        let folder = self.evidence.folder.display();
        let name = &shard.shard.name;
        if let Some(pinned) = self.pinned.filter(|pinned| !shard.held_by.contains(pinned)) {
            let from = match (shard.held_by.first(), &shard.pulled_from) {
                (Some(digest), _) => format!("is of {digest}"),
                (None, Some(_)) => "is not what was pulled".to_owned(),
                (None, None) => "was built here".to_owned(),
            };
            return Failure::new(format!("the advisory database is pinned to {pinned}, and shard {name} in {folder} {from}"))
                .hint("pull it with `plimsoll db pull REF --db-digest DIGEST`");
        }
        let reason = match shard.held_by.first() {
            Some(digest) => judged.get(digest).map_or_else(|| format!("{digest} was not judged"), |judged| format!("{digest}, {judged}")),
            None => "it is not what any artifact holds whose signature is kept beside it".to_owned(),
        };
        Failure::new(format!("shard {name} of the advisory database in {folder} is not signed by whom it must be: {reason}"))
            .hint("pull it with `plimsoll db pull REF --signed-by ...`, or remove its file; `plimsoll db verify` says more")
    }
}

/// Where shards came from, for the report; `signed` gives what is said about an artifact's signature.
pub(in crate::cli) fn origins<'v>(usable: &Usable, signed: impl Fn(&Digest) -> Option<&'v Vouched>) -> Origins {
    let origin = |artifact: &Digest, digest: &Digest| Origin {
        artifact: artifact.clone(),
        digest: digest.clone(),
        signature: signed(artifact).map(ToString::to_string),
    };
    usable.artifacts().map(|(name, digest, artifact)| (name.to_owned(), origin(artifact, digest))).collect()
}

/// Whether there is anything at all in a folder that may be opened.
pub(in crate::cli) fn is_database(folder: &Path) -> bool {
    advisory::artifact::list(folder).is_ok()
}
