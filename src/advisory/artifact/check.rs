//! Whether a database folder is still what was signed: every file against the manifests that are kept beside it, every block against its checksum.
//! No network; who signed those manifests is for the caller to find out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    advisory::{
        self, Database,
        artifact::{
            EXPLOITATION, Local, Provenance,
            evidence::{self, Stored},
            hashes::{Hashes, Stamp},
            list,
        },
        shard::reader::Shard,
        store::EXTENSION,
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
    let mut hashes = Hashes::new(folder);
    let shards = list(folder)?
        .into_iter()
        .map(|shard| {
            let mut holds = |stored: &&Stored| stored.contents.shards.get(&shard.name).is_some_and(|entry| hashes.holds(entry).is_some());
            let held_by = artifacts.iter().filter(|stored| holds(stored)).map(|stored| stored.digest.clone()).collect();
            let pulled_from = provenance.of(&shard.name, &shard.digest).map(|origin| origin.artifact.clone());
            let damage = shard.check(folder).err();
            ShardCheck { shard, held_by, pulled_from, damage }
        })
        .collect();
    Ok(Checked { shards, artifacts })
}

/// Which shards are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    /// Every one.
    All,
    /// Those of these OSV ecosystem strings, and what is known about exploitation.
    Ecosystems(&'a BTreeSet<String>),
}

impl Of<'_> {
    fn is_about<'t>(self, mut texts: impl Iterator<Item = &'t String>) -> bool {
        match self {
            Self::All => true,
            Self::Ecosystems(wanted) => texts.any(|text| wanted.contains(text) || EXPLOITATION.contains(&text.as_str())),
        }
    }
}

/// Shards of a folder that may be used, and no others.
#[derive(Debug)]
pub struct Usable {
    folder: PathBuf,
    /// By name; `None` where everything that is there will do.
    shards: Option<BTreeMap<String, Held>>,
}

/// A shard that is, byte for byte, what an artifact holds.
#[derive(Debug, Clone)]
struct Held {
    artifact: Digest,
    digest: Digest,
    files: Vec<(String, Stamp)>,
}

impl Usable {
    /// Whatever is in the folder, whoever made it.
    #[must_use]
    pub fn everything(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), shards: None }
    }

    /// The shards that are exactly what one of `artifacts` holds; where several hold it, the first one counts. Where files come from is not asked:
    /// their bytes are hashed.
    #[must_use]
    pub fn held(folder: &Path, artifacts: &[Stored], of: Of<'_>) -> Self {
        let (mut hashes, mut shards) = (Hashes::new(folder), BTreeMap::new());
        for stored in artifacts {
            for entry in stored.contents.shards.values().filter(|entry| of.is_about(entry.ecosystems.iter())) {
                if !shards.contains_key(&entry.name)
                    && let Some(files) = hashes.holds(entry)
                {
                    let held = Held { artifact: stored.digest.clone(), digest: entry.digest.clone(), files };
                    shards.insert(entry.name.clone(), held);
                }
            }
        }
        Self { folder: folder.to_owned(), shards: Some(shards) }
    }

    /// Whether there is nothing that may be used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shards.as_ref().is_some_and(BTreeMap::is_empty)
    }

    /// Which artifact holds each shard: its name, the digest of its sections, the artifact. Of shards that were not compared nothing is said.
    pub fn artifacts(&self) -> impl Iterator<Item = (&str, &Digest, &Digest)> {
        self.shards.iter().flatten().map(|(name, held)| (name.as_str(), &held.digest, &held.artifact))
    }

    /// Opens these shards, and makes sure that what was opened is what was compared.
    ///
    /// # Errors
    /// When there is none, one is damaged, or one was replaced in the meantime.
    pub fn open(&self) -> Result<Database, advisory::Error> {
        let Some(shards) = &self.shards else { return Database::open(&self.folder) };
        let database = Database::open_only(&self.folder, shards.keys().map(String::as_str))?;
        for (name, stamp) in shards.values().flat_map(|held| &held.files) {
            if Stamp::of(&self.folder.join(name)).as_ref() != Some(stamp) {
                return Err(advisory::Error::Busy(self.folder.clone()));
            }
        }
        Ok(database)
    }

    /// Names of the other shards in the folder that would have been looked at, sorted. A file that does not read says nothing about any
    /// ecosystem, and is missed where that ecosystem is looked up.
    #[must_use]
    pub fn left_out(&self, of: Of<'_>) -> Vec<String> {
        let Some(usable) = &self.shards else { return Vec::new() };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else { continue };
            if path.extension().and_then(|end| end.to_str()) != Some(EXTENSION) || usable.contains_key(name) {
                continue;
            }
            let is_meant = match Shard::open(name, &path) {
                Ok(shard) => of.is_about(shard.coverage().keys()),
                Err(_) => EXPLOITATION.iter().any(|text| text.eq_ignore_ascii_case(name)),
            };
            if is_meant {
                names.push(name.to_owned());
            }
        }
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{
        artifact::{Contents, pack},
        build,
    };

    fn built() -> (tempfile::TempDir, Contents) {
        let out = tempfile::tempdir().unwrap();
        let feeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        build(&feeds, out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        let contents = pack(out.path()).unwrap().contents;
        (out, contents)
    }

    fn stored(name: &[u8], contents: Contents) -> Stored {
        Stored { digest: Digest::sha256_of(name), layout: PathBuf::new(), contents }
    }

    #[test]
    fn only_what_an_artifact_holds_is_opened() {
        let (folder, mut contents) = built();
        let all = contents.shards.len();
        let mut other = Contents::default();
        other.shards.extend(contents.shards.remove_entry("npm"));
        // Its header says the same; its bytes are others.
        let path = folder.path().join("pypi.plimdb");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() - 100;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let wanted = BTreeSet::from(["npm", "PyPI", "Debian:12"].map(str::to_owned));
        let only = [stored(b"a", contents.clone())];
        let usable = Usable::held(folder.path(), &only, Of::Ecosystems(&wanted));
        let names: Vec<&str> = usable.artifacts().map(|(name, _, _)| name).collect();
        assert_eq!(names, ["debian-12", "epss", "kev"]);
        assert_eq!(usable.open().unwrap().shards().collect::<Vec<_>>(), names);
        assert_eq!(usable.left_out(Of::Ecosystems(&wanted)), ["npm", "pypi"]);
        let both = [stored(b"a", contents.clone()), stored(b"b", other.clone())];
        let usable = Usable::held(folder.path(), &both, Of::All);
        assert_eq!(usable.artifacts().count(), all - 1);
        assert!(usable.artifacts().any(|(name, _, artifact)| name == "npm" && *artifact == both[1].digest));
        assert!(Usable::held(folder.path(), &[], Of::All).is_empty());
        assert!(Usable::held(folder.path(), &[], Of::All).open().is_err());
        assert_eq!(Usable::everything(folder.path()).open().unwrap().shards().count(), all);
        assert!(Usable::everything(folder.path()).left_out(Of::All).is_empty());
    }

    #[test]
    fn a_shard_that_is_replaced_after_it_was_compared_is_not_used() {
        let (folder, contents) = built();
        let usable = Usable::held(folder.path(), &[stored(b"a", contents)], Of::All);
        assert!(usable.open().is_ok());
        let path = folder.path().join("npm.plimdb");
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(matches!(usable.open(), Err(advisory::Error::Busy(_))));
    }
}
