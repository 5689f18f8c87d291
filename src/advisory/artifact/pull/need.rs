//! What is to be done about each shard of an artifact, given what a folder has. In: the folder and the manifest's entries; out: one word each.

use std::path::Path;

use jiff::Timestamp;

use crate::{
    advisory::{
        self,
        artifact::{Error, Local, Provenance, ShardEntry, Stored, evidence, hashes::Hashes, list, manifest::FileEntry, unpack},
    },
    model::digest::Digest,
};

/// What is to be done about one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It comes from the artifact.
    Fetch,
    /// It is here, byte for byte.
    Unchanged,
    /// A newer one is here, and stays.
    Newer,
}

/// Which shards may stay that are newer than what is offered.
#[derive(Debug)]
pub(super) struct Stays {
    /// Those that one of these artifacts holds; `None` where nobody asks who made them.
    pub(super) accepted: Option<Vec<Stored>>,
    /// None at all.
    pub(super) replace_newer: bool,
}

/// What is to be done about each shard.
pub(super) fn needs(folder: &Path, wanted: &[ShardEntry], stays: &Stays) -> Result<Vec<Need>, advisory::Error> {
    // A folder without a database, or with a damaged one, has nothing that is newer.
    let there = list(folder).unwrap_or_default();
    let mut hashes = Hashes::new(folder);
    let mut needs = Vec::new();
    for shard in wanted {
        // Two shards of one ecosystem would make the whole database unreadable.
        for other in there.iter().filter(|other| other.name != shard.name) {
            if let Some(about) = other.ecosystems.iter().find(|text| shard.ecosystems.contains(text)) {
                let (shard, other, about) = (shard.name.clone(), other.name.clone(), about.clone());
                return Err(Error::Clash { folder: folder.to_owned(), shard, other, about }.into());
            }
        }
        needs.push(if hashes.holds(shard).is_some() {
            Need::Unchanged
        } else if !stays.replace_newer && is_newer(&there, shard) && stays.may_stay(&shard.name, &mut hashes) {
            Need::Newer
        } else {
            Need::Fetch
        });
    }
    Ok(needs)
}

fn is_newer(there: &[Local], offered: &ShardEntry) -> bool {
    let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
    let own = there.iter().find(|own| own.name == offered.name).and_then(|own| time(&own.as_of));
    own.is_some_and(|own| time(&offered.as_of).is_none_or(|offered| own > offered))
}

impl Stays {
    /// Whoever can write into the folder can make a shard that calls itself newer than all others: where somebody must have signed, only a
    /// signed one stays.
    fn may_stay(&self, shard: &str, hashes: &mut Hashes) -> bool {
        let Some(accepted) = &self.accepted else { return true };
        accepted.iter().filter_map(|stored| stored.contents.shards.get(shard)).any(|entry| hashes.holds(entry).is_some())
    }
}

/// Whether the folder knows already that these shards came from this artifact, and has what vouches for that.
pub(super) fn is_recorded(folder: &Path, shards: &[&ShardEntry], artifact: &Digest, stays: &Stays) -> bool {
    if shards.is_empty() {
        return true;
    }
    let known = Provenance::read(folder).unwrap_or_default();
    let is_of = |shard: &&ShardEntry| known.of(&shard.name, &shard.digest).is_some_and(|origin| origin.artifact == *artifact);
    let has_evidence = |all: &[Stored]| all.iter().any(|stored| stored.digest == *artifact);
    shards.iter().all(is_of)
        && match &stays.accepted {
            Some(accepted) => has_evidence(accepted),
            None => has_evidence(&evidence::readable(folder)),
        }
}

/// The files that are not there yet, with the name of their shard.
pub(super) fn missing(folder: &Path, wanted: &[ShardEntry]) -> Vec<(String, FileEntry)> {
    let files = wanted.iter().flat_map(|shard| shard.files.iter().map(|file| (shard.name.clone(), file.clone())));
    files.filter(|(_, file)| !unpack::is_same(&folder.join(&file.name), file)).collect()
}
