//! A blob as it streams in, the file that it is made of out: unpacked, bounded, hashed, and on the disk before anybody may see it.

use std::{
    fs::{self, File},
    io::{self, Read, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    advisory::artifact::manifest::FileEntry,
    model::digest::{Algorithm, Digest, Hasher},
};

/// The largest window that a blob may ask for, as a power of two; ours ask for 23.
const WINDOW_LOG: u32 = 27;
const CHUNK: usize = 1 << 20;

/// Why a file was not made of a blob.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The blob did not come, or is not what it should be.
    #[error(transparent)]
    Blob(#[from] io::Error),
    /// This machine's disk did not take it.
    #[error("cannot write {}: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Unpacks `blob` into a new file at `place`. The reader is read to its end, where it checks the blob's own digest.
pub(super) fn unpack(blob: impl Read, entry: &FileEntry, place: &Path) -> Result<(), Error> {
    let mut decoder = zstd::stream::read::Decoder::new(blob)?;
    decoder.window_log_max(WINDOW_LOG)?;
    let unpacked = write(&mut decoder, entry, place);
    if matches!(unpacked, Err(Error::Blob(_))) {
        // That the blob is another one says more than what its bytes did here. The reader ends where its descriptor does.
        io::copy(&mut decoder.finish(), &mut io::sink())?;
    }
    unpacked
}

fn write(decoder: &mut impl Read, entry: &FileEntry, place: &Path) -> Result<(), Error> {
    let wrong = |reason: String| Error::Blob(io::Error::new(io::ErrorKind::InvalidData, reason));
    let disk = |source| Error::Disk { path: place.to_owned(), source };
    let mut file = File::create_new(place).map_err(disk)?;
    let (mut hasher, mut written, mut buffer) = (Hasher::new(Algorithm::Sha256), 0_u64, vec![0; CHUNK]);
    loop {
        let count = decoder.read(&mut buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        written = written.saturating_add(bytes.len() as u64);
        if written > entry.bytes {
            return Err(wrong(format!("it unpacks to more than the {} bytes that the manifest promises", entry.bytes)));
        }
        hasher.update(bytes);
        file.write_all(bytes).map_err(disk)?;
    }
    if written != entry.bytes {
        return Err(wrong(format!("it unpacks to {written} bytes, the manifest promises {}", entry.bytes)));
    }
    let found = hasher.finish();
    if found != entry.content {
        return Err(wrong(format!("its content is {found}, the manifest promises {}", entry.content)));
    }
    // A name must never lead to bytes that a crash has lost.
    file.sync_data().map_err(disk)
}

/// SHA-256 of a file; `None` when it is not there.
pub(super) fn hash(path: &Path) -> io::Result<Option<Digest>> {
    match File::open(path) {
        Ok(file) => Digest::sha256_of_all(file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a file is exactly what an entry says.
pub(super) fn is_same(path: &Path, entry: &FileEntry) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == entry.bytes)
        && hash(path).is_ok_and(|found| found.as_ref() == Some(&entry.content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::artifact::manifest::Part;

    #[test]
    fn only_the_promised_bytes_come_out() {
        let content = vec![7; 300_000];
        let blob = zstd::encode_all(content.as_slice(), 3).unwrap();
        let entry = |bytes: u64, content: &[u8]| FileEntry {
            part: Part::Rows,
            name: "npm.plimdb".to_owned(),
            blob: Digest::sha256_of(&blob),
            size: blob.len() as u64,
            content: Digest::sha256_of(content),
            bytes,
        };
        let folder = tempfile::tempdir().unwrap();
        let check =
            |name: &str, blob: &[u8], entry: &FileEntry| unpack(blob, entry, &folder.path().join(name)).map_err(|error| error.to_string());
        let good = entry(300_000, &content);
        assert_eq!(check("good", &blob, &good), Ok(()));
        assert!(is_same(&folder.path().join("good"), &good));
        assert!(!is_same(&folder.path().join("good"), &entry(299_999, &content)));
        assert!(check("good", &blob, &good).is_err(), "a file that is there is never written over");
        assert!(check("more", &blob, &entry(299_999, &content)).is_err_and(|error| error.contains("more than")));
        assert!(check("fewer", &blob, &entry(300_001, &content)).is_err_and(|error| error.contains("unpacks to 300000 bytes")));
        assert!(check("other", &blob, &entry(300_000, b"x")).is_err_and(|error| error.contains("its content is")));
        assert!(check("cut", &blob[..blob.len() - 3], &good).is_err());
        let full = unpack(blob.as_slice(), &good, &folder.path().join("absent/file"));
        assert!(matches!(full, Err(Error::Disk { .. })), "the disk is not the registry");
        assert!(check("trailing", &[blob.as_slice(), b"x"].concat(), &good).is_err());
        assert!(check("no zstd", &content, &good).is_err());
        assert_eq!(hash(&folder.path().join("absent")).unwrap(), None);
    }
}
