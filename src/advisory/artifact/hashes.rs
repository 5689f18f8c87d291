//! The files of a database folder by what they hold: each is hashed once, and it can be told afterwards whether it is still the same file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use crate::{
    advisory::artifact::{
        manifest::{FileEntry, ShardEntry},
        unpack,
    },
    model::digest::Digest,
};

/// What tells a file from the one that took its name. Files get their names by rename and are never written in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    /// That of the plain file which has this name now.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some(Self { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

/// What the files of one folder hold.
pub(super) struct Hashes {
    folder: PathBuf,
    known: BTreeMap<String, Option<(Stamp, Digest)>>,
}

impl Hashes {
    /// Nothing is read yet.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), known: BTreeMap::new() }
    }

    /// Names and stamps of a shard's files, when all of them are exactly what the entry says.
    pub(super) fn holds(&mut self, entry: &ShardEntry) -> Option<Vec<(String, Stamp)>> {
        entry.files.iter().map(|file| Some((file.name.clone(), self.is_same(file)?))).collect()
    }

    fn is_same(&mut self, file: &FileEntry) -> Option<Stamp> {
        let path = self.folder.join(&file.name);
        // A file of another length need not be read.
        Stamp::of(&path).filter(|stamp| stamp.bytes == file.bytes)?;
        let found = self.known.entry(file.name.clone()).or_insert_with(|| {
            let before = Stamp::of(&path)?;
            let digest = unpack::hash(&path).ok()??;
            // One that was replaced while it was read is nothing yet.
            (Stamp::of(&path)? == before).then_some((before, digest))
        });
        found.as_ref().filter(|(_, digest)| *digest == file.content).map(|(stamp, _)| stamp.clone())
    }
}
