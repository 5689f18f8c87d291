//! An artifact in a registry in, shards in a folder out. Only what is wanted and not there yet is fetched; everything is checked while it waits
//! beside the old files, and put in place by rename when all of it is right. What goes wrong before that leaves the folder as it was.

use std::{
    collections::BTreeSet,
    fs, io as std_io,
    path::{Path, PathBuf},
    sync::Arc,
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
            Contents, EXPLOITATION, Error, Local, Provenance, Recorder, ShardEntry, evidence, io, local::list, manifest::FileEntry,
            provenance::Origin, staging::Staging, unpack,
        },
        build::{WriterLock, Written},
        shard::MAJOR,
    },
    model::digest::Digest,
    progress::{SharedProgress, Task},
    registry::{self, ImageSource, RawManifest},
};

/// Blobs that are fetched at the same time.
const AT_ONCE: usize = 3;

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

/// What is to be done about one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Fetch,
    Unchanged,
    Newer,
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

    /// Puts the chosen shards into `folder`. With `replace_newer`, also over ones that are newer there.
    ///
    /// # Errors
    /// When a blob cannot be fetched or is not what the manifest says, or the folder cannot be written. Then the folder is as it was.
    pub async fn pull(
        &self,
        folder: &Path,
        choice: &Choice,
        replace_newer: bool,
        now: Timestamp,
        progress: &SharedProgress,
    ) -> Result<Pulled, advisory::Error> {
        let chosen: Vec<ShardEntry> = self.chosen(choice)?.into_iter().cloned().collect();
        let (place, wanted, digest) = (folder.to_owned(), chosen.clone(), self.digest.clone());
        let (needs, is_known) = blocking(move || {
            let needs = needs(&place, &wanted, replace_newer)?;
            Ok((needs, is_recorded(&place, &wanted, &digest)))
        })
        .await?;
        let of = |wanted: Need| -> Vec<ShardEntry> {
            chosen.iter().zip(&needs).filter(|(_, need)| **need == wanted).map(|(shard, _)| shard.clone()).collect()
        };
        let (fetched, unchanged, newer) = (of(Need::Fetch), of(Need::Unchanged), of(Need::Newer));
        let names = |shards: &[ShardEntry]| shards.iter().map(|shard| shard.name.clone()).collect();
        let mut pulled = Pulled { fetched: names(&fetched), unchanged: names(&unchanged), newer: names(&newer), ..Pulled::default() };
        // A folder that is up to date need not even be one that can be written.
        if fetched.is_empty() && newer.is_empty() && is_known {
            return Ok(pulled);
        }
        let (place, wanted) = (folder.to_owned(), fetched.clone());
        let (staging, files) = blocking(move || Ok((Staging::begin(&place)?, missing(&place, &wanted)))).await?;
        let total = files.iter().map(|(_, file)| file.size).sum();
        let task = progress.start("pull database", Some(total));
        let staging = Arc::new(staging);
        let downloads: Vec<BoxFuture<'_, Result<(), Error>>> =
            files.iter().map(|(shard, file)| self.fetch_file(shard, file, staging.place(&file.name), task.as_ref()).boxed()).collect();
        stream::iter(downloads).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        (pulled.blobs, pulled.bytes) = (files.len(), total);
        let own = fetched.iter().chain(&unchanged).cloned().collect();
        let publish = Publish {
            folder: folder.to_owned(),
            reference: self.reference.clone(),
            raw: self.raw.clone(),
            source: Arc::clone(&self.source),
            fetched,
            own,
            now,
        };
        blocking(move || publish.run(&staging)).await?;
        Ok(pulled)
    }

    async fn fetch_file(&self, shard: &str, file: &FileEntry, place: PathBuf, task: &dyn Task) -> Result<(), Error> {
        let blob = self.source.open_blob(&file.descriptor()).await?;
        let entry = file.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack::unpack(blob, &entry, &place)).await;
        unpacked
            .map_err(|_| std_io::Error::other("the work was interrupted"))
            .and_then(|done| done)
            .map_err(|error| self.unpack_error(shard, error))?;
        task.advance(file.size);
        Ok(())
    }

    /// A download that broke off keeps its own error, so that others can be asked; anything else is damage.
    fn unpack_error(&self, shard: &str, error: std_io::Error) -> Error {
        let reason = error.to_string();
        match error.into_inner().map(|inner| inner.downcast::<registry::Error>()) {
            Some(Ok(error)) => Error::Registry(*error),
            _ => Error::Damaged { reference: self.reference.clone(), shard: shard.to_owned(), reason },
        }
    }
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

/// What is to be done about each shard.
fn needs(folder: &Path, wanted: &[ShardEntry], replace_newer: bool) -> Result<Vec<Need>, advisory::Error> {
    // A folder without a database, or with a damaged one, has nothing that is newer.
    let there = list(folder).unwrap_or_default();
    wanted
        .iter()
        .map(|shard| {
            // Two shards of one ecosystem would make the whole database unreadable.
            let shared = |other: &&Local| other.name != shard.name && other.ecosystems.iter().any(|text| shard.ecosystems.contains(text));
            if let Some(other) = there.iter().find(shared) {
                let reason =
                    format!("shard {} in {} is about `{}`, too; remove it", other.name, folder.display(), shard.ecosystems.join("`, `"));
                return Err(Error::Damaged { reference: String::from("the artifact"), shard: shard.name.clone(), reason }.into());
            }
            if shard.files.iter().all(|file| unpack::is_same(&folder.join(&file.name), file)) {
                return Ok(Need::Unchanged);
            }
            let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
            let own = there.iter().find(|own| own.name == shard.name).and_then(|own| time(&own.as_of));
            let is_newer = own.is_some_and(|own| time(&shard.as_of).is_none_or(|offered| own > offered));
            Ok(if is_newer && !replace_newer { Need::Newer } else { Need::Fetch })
        })
        .collect()
}

/// Whether the folder knows already that these shards came from this artifact.
fn is_recorded(folder: &Path, wanted: &[ShardEntry], artifact: &Digest) -> bool {
    let known = Provenance::read(folder).unwrap_or_default();
    let is_of = |shard: &ShardEntry| known.of(&shard.name, &shard.digest).is_some_and(|origin| origin.artifact == *artifact);
    wanted.iter().all(is_of) && evidence::place(folder, artifact).is_dir()
}

/// The files that are not there yet, with the name of their shard.
fn missing(folder: &Path, wanted: &[ShardEntry]) -> Vec<(String, FileEntry)> {
    let files = wanted.iter().flat_map(|shard| shard.files.iter().map(|file| (shard.name.clone(), file.clone())));
    files.filter(|(_, file)| !unpack::is_same(&folder.join(&file.name), file)).collect()
}

/// The last step: everything is on the disk and right, and gets its name.
struct Publish {
    folder: PathBuf,
    reference: String,
    raw: RawManifest,
    source: Arc<Recorder>,
    fetched: Vec<ShardEntry>,
    /// All that are now as the artifact has them.
    own: Vec<ShardEntry>,
    now: Timestamp,
}

impl Publish {
    fn run(self, staging: &Staging) -> Result<(), advisory::Error> {
        self.check(staging)?;
        let held = WriterLock::acquire(&self.folder)?;
        // Evidence first: whatever is in place when the power goes, there is something that vouches for it.
        let waiting = staging.place("evidence");
        self.source.write(&self.raw, &waiting)?;
        let kept = evidence::place(&self.folder, &self.raw.digest);
        if let Some(parent) = kept.parent() {
            fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        let old = staging.place("old-evidence");
        match fs::rename(&kept, &old) {
            Err(error) if error.kind() != std_io::ErrorKind::NotFound => return Err(io("rename", &kept)(error).into()),
            _ => fs::rename(&waiting, &kept).map_err(io("rename", &kept))?,
        }
        // A record that does not read is of no use to anybody; what is pulled now starts a new one.
        let mut provenance = Provenance::read(&self.folder).unwrap_or_default();
        let mut written = Written::new(&held);
        for file in self.fetched.iter().flat_map(|shard| &shard.files) {
            written.adopt(&file.name, &staging.place(&file.name))?;
        }
        written.into_place()?;
        for shard in &self.own {
            let origin = Origin {
                artifact: self.raw.digest.clone(),
                reference: self.reference.clone(),
                digest: shard.digest.clone(),
                pulled: self.now,
            };
            provenance.shards.insert(shard.name.clone(), origin);
        }
        provenance.write(&self.folder, &staging.place("provenance.json"))?;
        evidence::prune(&self.folder, |digest| provenance.shards.values().any(|origin| origin.artifact == *digest));
        Ok(())
    }

    /// Opens the shards where they wait, and compares what they say about themselves with what the manifest says about them.
    fn check(&self, staging: &Staging) -> Result<(), advisory::Error> {
        // Of a shard that changed in part, the rest is here.
        for file in self.fetched.iter().flat_map(|shard| &shard.files) {
            let (place, there) = (staging.place(&file.name), self.folder.join(&file.name));
            if !place.exists() {
                fs::copy(&there, &place).map_err(io("read", &there))?;
            }
        }
        let waiting = if self.fetched.is_empty() { Vec::new() } else { list(staging.path())? };
        for shard in &self.fetched {
            let damaged = |reason: String| Error::Damaged { reference: self.reference.clone(), shard: shard.name.clone(), reason };
            let found = waiting.iter().find(|found| found.name == shard.name).ok_or_else(|| damaged("it has no rows".to_owned()))?;
            if found.digest != shard.digest {
                return Err(damaged(format!("its header says {}, the manifest {}", found.digest, shard.digest)).into());
            }
            let files = shard.files.iter().map(|file| (file.part, file.name.clone())).collect();
            let promised: Local = shard.clone().with_files(files);
            if *found != promised {
                return Err(damaged(format!("it says {found:?}, the manifest {promised:?}")).into());
            }
            found.check(staging.path())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
