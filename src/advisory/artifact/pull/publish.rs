//! The last step of a pull: everything is on the disk and right, and gets its name under the lock of writers.

use std::{fs, io as std_io, path::PathBuf, sync::Arc};

use jiff::Timestamp;

use crate::{
    advisory::{
        self,
        artifact::{
            Error, Local, Provenance, Recorder, ShardEntry, evidence,
            hashes::Hashes,
            io,
            local::list,
            provenance::Origin,
            pull::{
                need::{Need, Stays, needs},
                of,
            },
            staging::Staging,
            unpack,
        },
        build::{WriterLock, Written},
    },
    registry::RawManifest,
};

/// What is put in place.
pub(super) struct Publish {
    pub(super) folder: PathBuf,
    pub(super) reference: String,
    pub(super) raw: RawManifest,
    pub(super) source: Arc<Recorder>,
    /// All that was asked for.
    pub(super) chosen: Vec<ShardEntry>,
    /// Those of them that wait.
    pub(super) fetched: Vec<ShardEntry>,
    pub(super) now: Timestamp,
}

impl Publish {
    /// Puts in place what is still wanted now that nobody else writes. Nothing when a shard is wanted that does not wait.
    pub(super) fn run(self, staging: &Staging, lock: &WriterLock, stays: &Stays) -> Result<Option<Vec<Need>>, advisory::Error> {
        let needs = needs(&self.folder, &self.chosen, stays)?;
        let waits = |shard: &ShardEntry| self.fetched.iter().any(|fetched| fetched.name == shard.name);
        if !of(&self.chosen, &needs, Need::Fetch).all(waits) {
            return Ok(None);
        }
        if needs.iter().all(|need| *need == Need::Newer) {
            return Ok(Some(needs));
        }
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
        let mut written = Written::new(lock);
        for file in of(&self.chosen, &needs, Need::Fetch).flat_map(|shard| &shard.files) {
            written.adopt(&file.name, &staging.place(&file.name))?;
        }
        written.into_place()?;
        for (shard, _) in self.chosen.iter().zip(&needs).filter(|(_, need)| **need != Need::Newer) {
            let origin = Origin {
                artifact: self.raw.digest.clone(),
                reference: self.reference.clone(),
                digest: shard.digest.clone(),
                pulled: self.now,
            };
            provenance.shards.insert(shard.name.clone(), origin);
        }
        provenance.write(&self.folder, &staging.place("provenance.json"))?;
        // What vouches for a shard stays, whoever pulled it.
        let mut hashes = Hashes::new(&self.folder);
        evidence::prune(&self.folder, |stored| stored.contents.shards.values().any(|entry| hashes.holds(entry).is_some()));
        Ok(Some(needs))
    }

    /// Opens the shards where they wait, and compares what they say about themselves with what the manifest says about them. Whether everything
    /// is there: of a shard that changed in part, the rest is in the folder, unless somebody has taken it away.
    pub(super) fn check(&self, staging: &Staging) -> Result<bool, advisory::Error> {
        for file in self.fetched.iter().flat_map(|shard| &shard.files) {
            let (place, there) = (staging.place(&file.name), self.folder.join(&file.name));
            if !place.exists() {
                match fs::copy(&there, &place) {
                    Err(error) if error.kind() == std_io::ErrorKind::NotFound => return Ok(false),
                    other => other.map_err(io("read", &there))?,
                };
                if !unpack::is_same(&place, file) {
                    return Ok(false);
                }
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
            if let Some(difference) = difference(found, &promised) {
                return Err(damaged(difference).into());
            }
            found.check(staging.path())?;
        }
        Ok(true)
    }
}

/// The first thing that a shard and the manifest say otherwise.
fn difference(found: &Local, promised: &Local) -> Option<String> {
    let date = |shard: &Local| shard.as_of.clone().unwrap_or_else(|| "no date".to_owned());
    let files = |shard: &Local| shard.files.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().join(", ");
    [
        ("its name", found.name.clone(), promised.name.clone()),
        ("its ecosystems", found.ecosystems.join(", "), promised.ecosystems.join(", ")),
        ("its as-of date", date(found), date(promised)),
        ("its records", found.records.to_string(), promised.records.to_string()),
        ("its rows", found.rows.to_string(), promised.rows.to_string()),
        ("its format", format!("{}.{}", found.format.0, found.format.1), format!("{}.{}", promised.format.0, promised.format.1)),
        ("its licence", found.licence.clone(), promised.licence.clone()),
        ("its files", files(found), files(promised)),
    ]
    .into_iter()
    .find(|(_, found, promised)| found != promised)
    .map(|(what, found, promised)| format!("{what}: the shard says `{found}`, the manifest `{promised}`"))
}
