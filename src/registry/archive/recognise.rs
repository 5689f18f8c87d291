//! A path on disk in, how an image in it is named out: told by content, for messages. Nothing here decides what is read.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read, Seek as _},
    path::Path,
};

use super::TarIndex;

/// Most inflated bytes of a compressed archive that are looked through.
const LOOKED: u64 = 64 << 20;
/// Most entries of one.
const ENTRIES: usize = 10_000;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// A folder with an OCI image layout.
    Layout,
    /// An OCI image layout in a tar.
    OciArchive,
    /// What `docker save` writes, or something compressed that may be that.
    DockerArchive,
    /// Neither.
    Other,
}

impl Recognised {
    /// The scheme of references to it.
    #[must_use]
    pub const fn scheme(self) -> Option<&'static str> {
        match self {
            Self::Layout => Some("oci"),
            Self::OciArchive => Some("oci-archive"),
            Self::DockerArchive => Some("docker-archive"),
            Self::Other => None,
        }
    }
}

/// Looks at what is at a path; what cannot be read is nothing that is known.
#[must_use]
pub fn recognise(path: &Path) -> Recognised {
    let found = match std::fs::metadata(path) {
        Ok(kind) if kind.is_dir() => Ok(if path.join("index.json").is_file() { Recognised::Layout } else { Recognised::Other }),
        Ok(kind) if kind.is_file() => File::open(path).and_then(|file| archive(path, file)),
        _ => Ok(Recognised::Other),
    };
    found.unwrap_or(Recognised::Other)
}

fn archive(path: &Path, mut file: File) -> io::Result<Recognised> {
    let mut head = Vec::new();
    (&mut file).take(2).read_to_end(&mut head)?;
    file.rewind()?;
    if head.starts_with(&[0x1f, 0x8b]) {
        return Ok(compressed(flate2::read::MultiGzDecoder::new(io::BufReader::new(file)).take(LOOKED)));
    }
    Ok(TarIndex::read(path, file).map_or(Recognised::Other, |index| kind(|name| index.holds(name)).unwrap_or(Recognised::Other)))
}

/// Goes through the names at the beginning. Docker writes `manifest.json` last, so that only a whole archive without one is surely none of its own.
fn compressed(reader: impl Read) -> Recognised {
    let mut archive = tar::Archive::new(reader);
    let Ok(entries) = archive.entries() else { return Recognised::Other };
    let (mut names, mut is_whole) = (BTreeSet::new(), true);
    for entry in entries.take(ENTRIES) {
        match entry.ok().and_then(|entry| Some(entry.path().ok()?.to_string_lossy().trim_start_matches("./").to_owned())) {
            Some(name) => names.insert(name),
            None => {
                is_whole = false;
                break;
            }
        };
    }
    let is_tar = !names.is_empty();
    match kind(|name| names.contains(name)) {
        Some(kind) if is_whole => kind,
        None if is_whole || !is_tar => Recognised::Other,
        _ => Recognised::DockerArchive,
    }
}

fn kind(holds: impl Fn(&str) -> bool) -> Option<Recognised> {
    if holds("manifest.json") {
        Some(Recognised::DockerArchive)
    } else {
        (holds("index.json") && holds("oci-layout")).then_some(Recognised::OciArchive)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn tar_of(names: &[&str]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(4);
            builder.append_data(&mut header, name, &b"text"[..]).expect("member");
        }
        builder.into_inner().expect("tar")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn files_and_folders_are_told_by_content() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("file");
        let oci = tar_of(&["oci-layout", "index.json", "blobs/sha256/x"]);
        let saved = tar_of(&["x.json", "x/layer.tar", "manifest.json"]);
        let both = tar_of(&["blobs/sha256/x", "index.json", "manifest.json", "oci-layout"]);
        let other = tar_of(&["etc/os-release"]);
        for (bytes, expected) in [
            (oci.clone(), Recognised::OciArchive),
            (gzip(&oci), Recognised::OciArchive),
            (saved.clone(), Recognised::DockerArchive),
            (gzip(&saved), Recognised::DockerArchive),
            (both.clone(), Recognised::DockerArchive),
            (gzip(&both), Recognised::DockerArchive),
            // Cut short: what is missing may be the listing.
            (gzip(&oci[..1_500]), Recognised::DockerArchive),
            (other.clone(), Recognised::Other),
            (gzip(&other), Recognised::Other),
            (gzip(b"text"), Recognised::Other),
            (b"FROM scratch\n".to_vec(), Recognised::Other),
            (Vec::new(), Recognised::Other),
        ] {
            std::fs::write(&path, &bytes).expect("file");
            assert_eq!(recognise(&path), expected, "{} bytes", bytes.len());
        }
        assert_eq!(recognise(folder.path()), Recognised::Other);
        std::fs::write(folder.path().join("index.json"), "{}").expect("file");
        assert_eq!(recognise(folder.path()).scheme(), Some("oci"));
        assert_eq!(recognise(&folder.path().join("absent")).scheme(), None);
    }
}
