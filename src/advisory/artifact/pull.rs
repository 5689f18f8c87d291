//! An artifact in a registry in, shards in a folder out. Only what is wanted and not there yet is fetched; everything is checked while it waits
//! beside the old files, and put in place by rename when all of it is right. What goes wrong before that leaves the folder as it was.

use std::{
    collections::BTreeSet,
    io as std_io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use futures_util::{
    future::{BoxFuture, FutureExt as _},
    stream::{self, StreamExt as _, TryStreamExt as _},
};
use jiff::Timestamp;

use crate::{
    advisory::{
        self,
        artifact::{
            Contents, EXPLOITATION, Error, Recorder, ShardEntry, Stored, evidence,
            manifest::FileEntry,
            pull::{
                need::{Need, Stays, is_recorded, missing, needs},
                publish::Publish,
            },
            staging::{self, Staging},
            unpack,
        },
        build::WriterLock,
        shard::MAJOR,
    },
    model::digest::Digest,
    progress::{SharedProgress, Task},
    registry::{self, ImageSource, RawManifest},
};

mod need;
mod publish;

/// Blobs that are fetched at the same time.
const AT_ONCE: usize = 3;
/// How often a pull begins again because somebody else has changed the folder in the meantime.
const ROUNDS: usize = 3;

/// Which shards are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// All of them.
    All,
    /// These, by name.
    Named(BTreeSet<String>),
    /// Those of these OSV ecosystem strings, and what is known about exploitation. One that the artifact does not have is passed over: whoever
    /// matches says what that means.
    Ecosystems(BTreeSet<String>),
}

/// An artifact that a registry has. Nothing of it is in any folder yet, and who signed it is for the caller to find out.
pub struct Offer {
    /// What was asked for.
    pub reference: String,
    /// Digest of the manifest.
    pub digest: Digest,
    /// What it lists.
    pub contents: Contents,
    raw: RawManifest,
    source: Arc<Recorder>,
}

/// What a pull did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Shards that are new or were replaced.
    pub fetched: Vec<String>,
    /// Shards that were there already.
    pub unchanged: Vec<String>,
    /// Shards that are newer in the folder, and stayed.
    pub newer: Vec<String>,
    /// Blobs that were fetched.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Somebody who knows whose artifacts are good enough.
pub trait Voucher: Send + Sync {
    /// Those artifacts, of the ones whose evidence is kept in the folder, that are vouched for.
    fn accepted<'a>(&'a self, stored: Vec<Stored>) -> BoxFuture<'a, Vec<Stored>>;
}

/// On what conditions a folder is written.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Who says which shards that are newer in the folder may stay: those that an accepted artifact holds. Without anybody all of them stay.
    pub voucher: Option<&'a dyn Voucher>,
    /// Whether no shard stays because it is newer.
    pub replace_newer: bool,
    /// The clock of the run.
    pub now: Timestamp,
    /// When to stop waiting for somebody else who is writing.
    pub end: Instant,
}

impl Offer {
    /// Fetches the manifest; `pinned` is the only digest that is accepted, if there is one.
    ///
    /// # Errors
    /// When the registry cannot be reached, or there is no database or another one.
    pub async fn fetch(reference: &str, source: Arc<dyn ImageSource>, pinned: Option<&Digest>) -> Result<Self, Error> {
        let raw = source.fetch_root().await?;
        if let Some(pinned) = pinned.filter(|pinned| **pinned != raw.digest) {
            return Err(Error::Pinned { reference: reference.to_owned(), found: raw.digest, pinned: pinned.clone() });
        }
        let contents = Contents::parse(reference, &raw)?;
        Ok(Self { reference: reference.to_owned(), digest: raw.digest.clone(), contents, raw, source: Arc::new(Recorder::new(source)) })
    }

    /// What a verifier reads from, so that the evidence can be kept.
    #[must_use]
    pub fn source(&self) -> Arc<dyn ImageSource> {
        Arc::clone(&self.source) as Arc<dyn ImageSource>
    }

    /// The manifest's size, for those who describe it.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.raw.bytes.len() as u64
    }

    /// The shards that a choice means.
    ///
    /// # Errors
    /// When a shard is named that is not there, or one of them has a format that this program does not read.
    pub fn chosen(&self, choice: &Choice) -> Result<Vec<&ShardEntry>, advisory::Error> {
        let all = self.contents.shards.values();
        let chosen: Vec<&ShardEntry> = match choice {
            Choice::All => all.collect(),
            Choice::Ecosystems(wanted) => all
                .filter(|shard| shard.ecosystems.iter().any(|text| wanted.contains(text) || EXPLOITATION.contains(&text.as_str())))
                .collect(),
            Choice::Named(names) => {
                if let Some(missing) = names.iter().find(|name| !self.contents.shards.contains_key(*name)) {
                    let there = self.contents.shards.keys().cloned().collect();
                    return Err(Error::NoShard { reference: self.reference.clone(), shard: missing.clone(), there }.into());
                }
                all.filter(|shard| names.contains(&shard.name)).collect()
            }
        };
        match chosen.iter().find(|shard| shard.format.0 != MAJOR) {
            Some(shard) => Err(advisory::Error::Format { shard: shard.name.clone(), found: shard.format.0, readable: MAJOR }),
            None => Ok(chosen),
        }
    }

    /// Puts the chosen shards into `folder`.
    ///
    /// # Errors
    /// When a blob cannot be fetched or is not what the manifest says, or the folder cannot be written. Then the folder is as it was.
    pub async fn pull(
        &self,
        folder: &Path,
        choice: &Choice,
        terms: Terms<'_>,
        progress: &SharedProgress,
    ) -> Result<Pulled, advisory::Error> {
        let chosen: Vec<ShardEntry> = self.chosen(choice)?.into_iter().cloned().collect();
        for _ in 0..ROUNDS {
            if let Some(pulled) = self.try_pull(folder, &chosen, terms, progress).await? {
                return Ok(pulled);
            }
        }
        Err(advisory::Error::Busy(folder.to_owned()))
    }

    /// One round; nothing when the folder has become another one, so that something else would have to be fetched.
    async fn try_pull(
        &self,
        folder: &Path,
        chosen: &[ShardEntry],
        terms: Terms<'_>,
        progress: &SharedProgress,
    ) -> Result<Option<Pulled>, advisory::Error> {
        let stays = stays(folder, terms).await?;
        let (place, wanted, digest) = (folder.to_owned(), chosen.to_vec(), self.digest.clone());
        let (needs, is_up_to_date) = blocking(move || {
            let needs = needs(&place, &wanted, &stays)?;
            let unchanged: Vec<&ShardEntry> = of(&wanted, &needs, Need::Unchanged).collect();
            let is_known = is_recorded(&place, &unchanged, &digest, &stays);
            let is_up_to_date = is_known && !needs.contains(&Need::Fetch);
            if is_up_to_date {
                // No folder of ours is begun, which removes what a pull left that died at its very end.
                staging::sweep(&place);
            }
            Ok((needs, is_up_to_date))
        })
        .await?;
        // Such a folder need not even be one that can be written.
        if is_up_to_date {
            return Ok(Some(Pulled::of(chosen, &needs)));
        }
        let fetched: Vec<ShardEntry> = of(chosen, &needs, Need::Fetch).cloned().collect();
        let (place, wanted) = (folder.to_owned(), fetched.clone());
        let (staging, files) = blocking(move || Ok((Staging::begin(&place)?, missing(&place, &wanted)))).await?;
        let total = files.iter().map(|(_, file)| file.size).sum();
        let task = progress.start("pull database", Some(total));
        let staging = Arc::new(staging);
        let downloads: Vec<BoxFuture<'_, Result<(), Error>>> =
            files.iter().map(|(shard, file)| self.fetch_file(shard, file, staging.place(&file.name), task.as_ref()).boxed()).collect();
        stream::iter(downloads).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        let publish = Publish {
            folder: folder.to_owned(),
            reference: self.reference.clone(),
            raw: self.raw.clone(),
            source: Arc::clone(&self.source),
            chosen: chosen.to_vec(),
            fetched,
            now: terms.now,
        };
        let (place, waiting, end) = (folder.to_owned(), Arc::clone(&staging), terms.end);
        let checked = blocking(move || {
            if !publish.check(&waiting)? {
                return Ok(None);
            }
            let left = end.saturating_duration_since(Instant::now());
            Ok(Some((publish, WriterLock::acquire_within(&place, left)?)))
        });
        let Some((publish, lock)) = checked.await? else { return Ok(None) };
        // What was decided before the lock was held was decided about a folder that others may have written since.
        let stays = self::stays(folder, terms).await?;
        let needs = blocking(move || publish.run(&staging, &lock, &stays)).await?;
        Ok(needs.map(|needs| Pulled { blobs: files.len(), bytes: total, ..Pulled::of(chosen, &needs) }))
    }

    async fn fetch_file(&self, shard: &str, file: &FileEntry, place: PathBuf, task: &dyn Task) -> Result<(), Error> {
        let blob = self.source.open_blob(&file.descriptor()).await?;
        let entry = file.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack::unpack(blob, &entry, &place)).await;
        unpacked
            .map_err(|_| unpack::Error::Blob(std_io::Error::other("the work was interrupted")))
            .and_then(|done| done)
            .map_err(|error| self.unpack_error(shard, error))?;
        task.advance(file.size);
        Ok(())
    }

    /// A download that broke off keeps its own error, so that others can be asked, and so does a disk that takes no more; anything else is damage.
    fn unpack_error(&self, shard: &str, error: unpack::Error) -> Error {
        let error = match error {
            unpack::Error::Disk { path, source } => return Error::Io { doing: "write", path, source },
            unpack::Error::Blob(error) => error,
        };
        let reason = error.to_string();
        match error.into_inner().map(|inner| inner.downcast::<registry::Error>()) {
            Some(Ok(error)) => Error::Registry(*error),
            _ => Error::Damaged { reference: self.reference.clone(), shard: shard.to_owned(), reason },
        }
    }
}

impl Pulled {
    fn of(chosen: &[ShardEntry], needs: &[Need]) -> Self {
        let names = |need: Need| of(chosen, needs, need).map(|shard| shard.name.clone()).collect();
        Self { fetched: names(Need::Fetch), unchanged: names(Need::Unchanged), newer: names(Need::Newer), blobs: 0, bytes: 0 }
    }
}

/// The shards about which something is to be done.
fn of<'a>(chosen: &'a [ShardEntry], needs: &'a [Need], wanted: Need) -> impl Iterator<Item = &'a ShardEntry> {
    chosen.iter().zip(needs).filter(move |(_, need)| **need == wanted).map(|(shard, _)| shard)
}

/// Which of the shards that are here now may stay.
async fn stays(folder: &Path, terms: Terms<'_>) -> Result<Stays, advisory::Error> {
    let accepted = match terms.voucher {
        Some(voucher) => {
            let place = folder.to_owned();
            Some(voucher.accepted(blocking(move || Ok(evidence::readable(&place))).await?).await)
        }
        None => None,
    };
    Ok(Stays { accepted, replace_newer: terms.replace_newer })
}

/// Runs work that waits for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, advisory::Error> + Send + 'static) -> Result<T, advisory::Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => {
            Err(Error::Io { doing: "write", path: PathBuf::from("the database"), source: std_io::Error::other("interrupted") }.into())
        }
    }
}

#[cfg(test)]
mod tests;
