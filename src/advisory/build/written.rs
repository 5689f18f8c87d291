//! Files that become visible together. In: bytes under temporary names; out: files renamed into place when everything is written, or nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::advisory::{Error, store::EXTENSION};

/// Files under temporary names; dropped without [`Written::into_place`], they are removed.
pub(in crate::advisory) struct Written {
    out: PathBuf,
    temporary: Vec<(PathBuf, PathBuf)>,
}

impl Written {
    /// Nothing written yet into `out`, which is made if it is not there.
    pub(in crate::advisory) fn new(out: &Path) -> Result<Self, Error> {
        fs::create_dir_all(out).map_err(|source| Error::Io { doing: "create", path: out.to_owned(), source })?;
        Ok(Self { out: out.to_owned(), temporary: Vec::new() })
    }

    /// Writes one shard under its temporary name.
    pub(in crate::advisory) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let temporary = self.out.join(format!(".{name}.{EXTENSION}.new"));
        self.temporary.push((temporary.clone(), self.out.join(format!("{name}.{EXTENSION}"))));
        fs::write(&temporary, bytes).map_err(|source| Error::Io { doing: "write", path: temporary, source })
    }

    /// Renames everything into place.
    pub(in crate::advisory) fn into_place(mut self) -> Result<(), Error> {
        for (temporary, place) in std::mem::take(&mut self.temporary) {
            fs::rename(&temporary, &place).map_err(|source| Error::Io { doing: "rename", path: place, source })?;
        }
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for (temporary, _) in &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}
