//! A database folder in, manifest and compressed blobs out: the same database makes the same bytes. Shards whose licence does not let us give them
//! away stay behind, and are named (advisories.md D7).

use std::{collections::BTreeMap, fs, path::Path};

use crate::{
    advisory::{
        artifact::{
            Contents, Error, Local, MANIFEST, io,
            local::list,
            manifest::{EMPTY_CONFIG, FileEntry},
        },
        ecosystem::{ECOSYSTEMS, Use},
    },
    model::digest::Digest,
    registry::{Publisher, Sent},
};

/// How hard to compress. A database is pushed once and pulled often.
const LEVEL: i32 = 19;

/// A database that is ready to be pushed.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// Its digest, which is the artifact's.
    pub digest: Digest,
    /// What it lists.
    pub contents: Contents,
    /// Shards that are not part of it, with the licence that forbids it.
    pub withheld: Vec<(String, String)>,
    blobs: BTreeMap<Digest, Vec<u8>>,
}

/// What a push sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pushed {
    /// Blobs that were sent.
    pub sent: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Blobs that the registry had.
    pub known: usize,
}

/// Packs all shards of `folder` that may be given away. Every block of them is checked first.
///
/// # Errors
/// When there is no database, it is damaged, or nothing of it may be given away.
pub fn pack(folder: &Path) -> Result<Packed, crate::advisory::Error> {
    let copy = tempfile::tempdir().map_err(io("write in", Path::new("the folder for temporary files")))?;
    copy_files(folder, copy.path())?;
    let (mut contents, mut blobs, mut withheld) = (Contents::default(), BTreeMap::new(), Vec::new());
    for shard in list(copy.path())? {
        if !may_be_given_away(&shard) {
            withheld.push((shard.name, shard.licence));
            continue;
        }
        shard.check(copy.path())?;
        let mut files = Vec::new();
        for (part, name) in shard.files.clone() {
            let path = copy.path().join(&name);
            let bytes = fs::read(&path).map_err(io("read", &path))?;
            let packed = zstd::bulk::compress(&bytes, LEVEL).map_err(io("compress", &path))?;
            let blob = Digest::sha256_of(&packed);
            let size = packed.len() as u64;
            files.push(FileEntry { part, name, blob: blob.clone(), size, content: Digest::sha256_of(&bytes), bytes: bytes.len() as u64 });
            blobs.insert(blob, packed);
        }
        files.sort_by_key(|file| file.part);
        contents.shards.insert(shard.name.clone(), shard.with_files(files));
    }
    if contents.shards.is_empty() {
        return Err(Error::Nothing(folder.display().to_string()).into());
    }
    blobs.insert(Digest::sha256_of(EMPTY_CONFIG), EMPTY_CONFIG.to_vec());
    let manifest = contents.encode();
    Ok(Packed { digest: Digest::sha256_of(&manifest), manifest, contents, withheld, blobs })
}

/// Copies what a database is made of, so that nobody replaces it in the middle. No lock is needed, and a folder that may only be read is good
/// enough: where somebody writes at the same time, a shard and its text may not fit together, which is seen when they are checked.
fn copy_files(folder: &Path, copy: &Path) -> Result<(), crate::advisory::Error> {
    for shard in list(folder)? {
        for (_, name) in &shard.files {
            let path = folder.join(name);
            fs::copy(&path, copy.join(name)).map_err(io("read", &path))?;
        }
    }
    Ok(())
}

/// Whether a shard may leave this machine. A licence that names conditions which we cannot meet for others is none to pass on.
fn may_be_given_away(shard: &Local) -> bool {
    let words: Vec<String> = shard.licence.split(|ch: char| !ch.is_ascii_alphanumeric()).map(str::to_ascii_uppercase).collect();
    let forbids = words.iter().any(|word| matches!(word.as_str(), "NC" | "ND" | "NONCOMMERCIAL" | "PROPRIETARY" | "COMMERCIAL"));
    // Whatever the shard says: what this program knows of the feed counts as well.
    let is_withheld = |text: &String| {
        let name = text.split(':').next().unwrap_or_default();
        ECOSYSTEMS.iter().any(|known| known.use_of == Use::OnRequest && known.name.eq_ignore_ascii_case(name))
    };
    !forbids && !shard.ecosystems.iter().any(is_withheld)
}

impl Packed {
    /// Sends every blob that the repository lacks. The manifest itself is not visible before [`publish`](Self::publish).
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or is too slow.
    pub async fn push(&self, publisher: &Publisher) -> Result<Pushed, Error> {
        let mut pushed = Pushed::default();
        for (digest, bytes) in &self.blobs {
            match publisher.push_blob(digest, bytes).await? {
                Sent::New => {
                    pushed.sent += 1;
                    pushed.bytes = pushed.bytes.saturating_add(bytes.len() as u64);
                }
                Sent::Known => pushed.known += 1,
            }
        }
        Ok(pushed)
    }

    /// The blobs, for a registry in memory.
    #[cfg(test)]
    pub(super) fn into_blobs(self) -> BTreeMap<Digest, Vec<u8>> {
        self.blobs
    }

    /// Puts the manifest under its tag, after blobs and signatures, so that nobody ever pulls half of it.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or is too slow.
    pub async fn publish(&self, publisher: &Publisher, tag: &str) -> Result<(), Error> {
        Ok(publisher.push_manifest(tag, &self.manifest, MANIFEST).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{build, proof::tests::database_asked_for};

    fn shard(ecosystem: &str, licence: &str) -> Local {
        Local {
            name: ecosystem.to_lowercase(),
            ecosystems: vec!["Acme".to_owned(), ecosystem.to_owned()],
            as_of: None,
            records: 0,
            rows: 0,
            format: (1, 0),
            licence: licence.to_owned(),
            digest: Digest::sha256_of(b""),
            files: Vec::new(),
        }
    }

    #[test]
    fn licences_that_forbid_it_are_not_given_away() {
        for (ecosystem, licence, given) in [
            ("npm", "CC-BY-4.0", true),
            ("Ubuntu", "CC-BY-SA-4.0", true),
            ("Debian", "no explicit licence found", true),
            ("Wolfi", "Apache-2.0", false),
            ("Chainguard:rolling", "unknown", false),
            ("Chainguard", "CC-BY-NC-ND-4.0", false),
            ("Acme", "CC BY-NC 4.0", false),
            ("Acme", "cc-by-nd-4.0", false),
            ("Acme", "proprietary", false),
        ] {
            assert_eq!(may_be_given_away(&shard(ecosystem, licence)), given, "{ecosystem} {licence}");
        }
    }

    #[test]
    fn what_was_built_because_it_was_asked_for_stays_behind() {
        let record = |ecosystem: &str| {
            let ranges = r#"[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]"#;
            vec![format!(r#"{{"id":"PLIM-1","affected":[{{"package":{{"ecosystem":"{ecosystem}","name":"mast"}},"ranges":{ranges}}}]}}"#)]
        };
        for forbidden in ["Wolfi", "Chainguard"] {
            let (folder, database) = database_asked_for(&[(forbidden, record(forbidden)), ("Hex", record("Hex"))], &[forbidden]);
            assert_eq!(database.status().len(), 2, "{forbidden} is built");
            let packed = pack(&folder.path().join("out")).unwrap();
            assert_eq!(packed.contents.shards.keys().collect::<Vec<_>>(), ["hex"]);
            assert_eq!(packed.withheld.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [forbidden.to_lowercase()]);
            let (folder, _) = database_asked_for(&[(forbidden, record(forbidden))], &[forbidden]);
            assert!(pack(&folder.path().join("out")).unwrap_err().hint().is_some(), "nothing is left to push");
        }
    }

    #[test]
    fn the_same_database_is_the_same_artifact() {
        let out = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        build(&fixtures, out.path(), "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        let (first, second) = (pack(out.path()).unwrap(), pack(out.path()).unwrap());
        assert_eq!((&first.digest, &first.manifest), (&second.digest, &second.manifest));
        assert_eq!(first.contents.shards.len(), list(out.path()).unwrap().len());
        assert!(first.contents.shards.values().all(|shard| shard.files.iter().all(|file| first.blobs.contains_key(&file.blob))));
        assert!(pack(&out.path().join("absent")).is_err());
        let path = out.path().join("npm.plimdb");
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() - 100;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(pack(out.path()).is_err(), "a damaged shard is not pushed");
    }
}
