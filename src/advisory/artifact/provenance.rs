//! Where the shards of a folder came from: a small sorted file beside them. It says what a pull put there; whether that is still what was
//! signed, [`check`](crate::advisory::artifact::check) finds out.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Read as _, Write as _},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    advisory::artifact::{Error, io},
    model::digest::Digest,
};

/// The file's name.
const FILE: &str = "provenance.json";
/// Larger ones are not ours.
const MAX_BYTES: u64 = 4 << 20;
const VERSION: u32 = 1;

/// Where the shards of a folder came from, by the shard's name. A shard that was built here has no entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The shards.
    pub shards: BTreeMap<String, Origin>,
}

/// Where one shard came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Digest of the artifact's manifest.
    pub artifact: Digest,
    /// The reference that was pulled.
    pub reference: String,
    /// Digest over the shard's sections.
    pub digest: Digest,
    /// When it was pulled.
    pub pulled: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    shards: BTreeMap<String, WireOrigin>,
}

#[derive(Serialize, Deserialize)]
struct WireOrigin {
    artifact: String,
    digest: String,
    pulled: Timestamp,
    reference: String,
}

impl Provenance {
    /// Reads a folder's record; none is an empty one.
    ///
    /// # Errors
    /// When it is there and does not read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            other => other.map_err(io("read", &path))?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(io("read", &path))?;
        let failed = |reason: String| Error::Provenance { path: path.clone(), reason };
        let wire: Wire = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
        if wire.version != VERSION {
            return Err(failed(format!("it is of version {}, this program reads {VERSION}", wire.version)));
        }
        let origin = |wire: WireOrigin| {
            let digest = |text: &str| Digest::parse(text).map_err(|error| failed(error.to_string()));
            Ok::<_, Error>(Origin {
                artifact: digest(&wire.artifact)?,
                digest: digest(&wire.digest)?,
                pulled: wire.pulled,
                reference: wire.reference,
            })
        };
        let shards = wire.shards.into_iter().map(|(name, wire)| Ok((name, origin(wire)?))).collect::<Result<_, Error>>()?;
        Ok(Self { shards })
    }

    /// Writes a folder's record, by rename.
    pub(super) fn write(&self, folder: &Path, temporary: &Path) -> Result<(), Error> {
        let origin = |origin: &Origin| WireOrigin {
            artifact: origin.artifact.to_string(),
            digest: origin.digest.to_string(),
            pulled: origin.pulled,
            reference: origin.reference.clone(),
        };
        let wire = Wire { version: VERSION, shards: self.shards.iter().map(|(name, one)| (name.clone(), origin(one))).collect() };
        let mut text =
            serde_json::to_vec_pretty(&wire).map_err(|error| Error::Provenance { path: folder.join(FILE), reason: error.to_string() })?;
        text.push(b'\n');
        let mut file = File::create(temporary).map_err(io("write", temporary))?;
        file.write_all(&text).and_then(|()| file.sync_data()).map_err(io("write", temporary))?;
        fs::rename(temporary, folder.join(FILE)).map_err(io("rename", temporary))
    }

    /// Where a shard that is in the folder now came from. A shard that was built anew since then came from nowhere but here.
    #[must_use]
    pub fn of(&self, shard: &str, digest: &Digest) -> Option<&Origin> {
        self.shards.get(shard).filter(|origin| origin.digest == *digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Provenance::read(folder.path()).unwrap(), Provenance::default());
        let origin = Origin {
            artifact: Digest::sha256_of(b"manifest"),
            reference: "r.example/db:v1".to_owned(),
            digest: Digest::sha256_of(b"shard"),
            pulled: "2026-11-22T00:00:00Z".parse().unwrap(),
        };
        let written = Provenance { shards: BTreeMap::from([("npm".to_owned(), origin)]) };
        written.write(folder.path(), &folder.path().join("new")).unwrap();
        assert_eq!(Provenance::read(folder.path()).unwrap(), written);
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        for (from, to) in [("\"version\": 1", "\"version\": 2"), ("sha256:", "sha256"), ("{", "["), ("2026-11-22T", "yesterday ")] {
            fs::write(folder.path().join(FILE), text.replacen(from, to, 1)).unwrap();
            assert!(matches!(Provenance::read(folder.path()), Err(Error::Provenance { .. })), "{to}");
        }
    }
}
