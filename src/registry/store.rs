//! A folder or a tar file in, named files out: the two places that an image layout or a saved image is read from.
//! A tar is indexed in one pass and then read by offset; nothing is unpacked to disk.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{
    model::{digest::Digest, image::Descriptor},
    registry::{Error, archive::TarIndex, blob::VerifiedReader},
};

/// Where the files of a layout are.
pub(super) enum Store {
    /// A folder on disk.
    Folder(PathBuf),
    /// A tar file, indexed.
    Tar(TarIndex),
}

/// One opened file.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) size: u64,
}

impl Store {
    /// The folder or file itself.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Folder(path) => path,
            Self::Tar(index) => index.path(),
        }
    }

    /// Opens a file by its name inside; `None` when there is none. Names are built by our own code, never taken from content.
    pub(super) fn open(&self, name: &str) -> Result<Option<Opened>, Error> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let failed = |source: io::Error| Error::Read { path: path.clone(), source };
                // The kind is checked before opening, because opening a FIFO would wait for ever.
                let kind = match std::fs::metadata(&path) {
                    Ok(kind) => kind,
                    Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
                    Err(error) => return Err(failed(error)),
                };
                if !kind.is_file() {
                    return Err(failed(io::Error::other("not a regular file")));
                }
                let file = File::open(&path).map_err(failed)?;
                Ok(Some(Opened { size: kind.len(), reader: Box::new(file) }))
            }
            Self::Tar(index) => {
                let Some((offset, size)) = index.find(name)? else { return Ok(None) };
                Ok(Some(Opened { reader: Box::new(index.window(offset, size)), size }))
            }
        }
    }

    /// Where in a tar a file is, so that two names for the same file are known to be that.
    pub(super) fn place(&self, name: &str) -> Result<Option<(u64, u64)>, Error> {
        match self {
            Self::Folder(_) => Ok(None),
            Self::Tar(index) => index.find(name),
        }
    }

    /// Reads a whole file of at most `cap` bytes; `None` when there is none.
    pub(super) fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(opened) = self.open(name)? else { return Ok(None) };
        let too_large = || Error::TooLarge { what: format!("{} of {}", name, self.path().display()), limit: format!("{cap} bytes") };
        if opened.size > cap {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let read = opened.reader.take(cap.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|source| Error::Read { path: self.path().join(name), source })?;
        if bytes.len() as u64 > cap { Err(too_large()) } else { Ok(Some(bytes)) }
    }

    /// Opens a blob of a layout for checked streaming.
    pub(super) fn open_blob(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let opened = self.open(&blob_name(&descriptor.digest))?.ok_or_else(|| self.missing(&descriptor.digest))?;
        checked(opened, descriptor)
    }

    /// The error for a blob that is not there.
    pub(super) fn missing(&self, digest: &Digest) -> Error {
        Error::Incomplete { place: self.path().display().to_string(), part: format!("blob {digest}") }
    }
}

/// A checked reader over an opened file; a wrong size is told at once.
pub(super) fn checked(opened: Opened, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
    if opened.size != descriptor.size {
        return Err(Error::SizeMismatch { what: format!("blob {}", descriptor.digest), expected: descriptor.size, actual: opened.size });
    }
    Ok(Box::new(VerifiedReader::new(opened.reader, descriptor)))
}

/// The name of a blob inside a layout. A [`Digest`] is checked hex, so that it can be no path.
pub(super) fn blob_name(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().name(), digest.hex())
}
