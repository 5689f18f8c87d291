//! Whether a database folder is still what was signed: every file against the manifests that are kept beside it, every block against its checksum.
//! No network; who signed those manifests is for the caller to find out.

use std::path::Path;

use crate::{
    advisory::{
        self,
        artifact::{
            Local, Provenance,
            evidence::{self, Stored},
            list, unpack,
        },
    },
    model::digest::Digest,
};

/// What was found out about one shard.
#[derive(Debug)]
pub struct ShardCheck {
    /// The shard.
    pub shard: Local,
    /// The artifacts that hold exactly these files.
    pub held_by: Vec<Digest>,
    /// The artifact that it was pulled from, when that is known.
    pub pulled_from: Option<Digest>,
    /// What is wrong with its blocks.
    pub damage: Option<advisory::Error>,
}

/// What was found out about a folder.
#[derive(Debug)]
pub struct Checked {
    /// Its shards, sorted by name.
    pub shards: Vec<ShardCheck>,
    /// The artifacts whose manifests are kept, sorted by digest.
    pub artifacts: Vec<Stored>,
}

/// Reads every byte of a database folder.
///
/// # Errors
/// When there is no database, a header is damaged, or the evidence does not read.
pub fn check(folder: &Path) -> Result<Checked, advisory::Error> {
    let artifacts = evidence::stored(folder)?;
    let provenance = Provenance::read(folder)?;
    let shards = list(folder)?
        .into_iter()
        .map(|shard| {
            let holds = |stored: &&Stored| {
                stored
                    .contents
                    .shards
                    .get(&shard.name)
                    .is_some_and(|entry| entry.files.iter().all(|file| unpack::is_same(&folder.join(&file.name), file)))
            };
            let held_by = artifacts.iter().filter(holds).map(|stored| stored.digest.clone()).collect();
            let pulled_from = provenance.of(&shard.name, &shard.digest).map(|origin| origin.artifact.clone());
            let damage = shard.check(folder).err();
            ShardCheck { shard, held_by, pulled_from, damage }
        })
        .collect();
    Ok(Checked { shards, artifacts })
}
