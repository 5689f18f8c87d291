//! What shards in a folder say about themselves: headers only. In: the folder; out: one value for each shard, with the files that it is made of.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::Path,
};

use crate::{
    advisory::{
        Error,
        artifact::{io, manifest::Part},
        shard::reader::Shard,
        store::EXTENSION,
    },
    model::digest::Digest,
};

/// More shards than this are no database.
const MAX_SHARDS: usize = 4096;

/// A shard in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Name, also of the files.
    pub name: String,
    /// OSV ecosystem with its release, `KEV` or `EPSS`.
    pub ecosystem: String,
    /// RFC 3339 time of the newest record.
    pub as_of: Option<String>,
    /// Records.
    pub records: u32,
    /// Rows.
    pub rows: u32,
    /// Major and minor version of the file format.
    pub format: (u16, u16),
    /// Licence of the records.
    pub licence: String,
    /// Digest over the sections.
    pub digest: Digest,
    /// The files, in the order of [`Part`].
    pub files: Vec<(Part, String)>,
}

impl Local {
    /// Checks every block of the shard's files.
    ///
    /// # Errors
    /// When a file is damaged or not there.
    pub fn check(&self, folder: &Path) -> Result<(), Error> {
        Shard::open(&self.name, &folder.join(format!("{}.{EXTENSION}", self.name)))?.check()
    }
}

/// The shards of a folder, sorted by name.
///
/// # Errors
/// When there is none, or one of them is damaged or of another format.
pub fn list(folder: &Path) -> Result<Vec<Local>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(Error::NoDatabase(folder.to_owned()));
        }
        other => other.map_err(io("read", folder))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(io("read", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(EXTENSION)?.strip_suffix('.'));
        // What is being written has a name that begins with a dot.
        if let Some(name) = name.filter(|name| !name.starts_with('.')) {
            found.push(describe(name, &path)?);
        }
        if found.len() > MAX_SHARDS {
            return Err(Error::TooLarge("shards"));
        }
    }
    found.sort_by(|a: &Local, b| a.name.cmp(&b.name));
    if found.is_empty() { Err(Error::NoDatabase(folder.to_owned())) } else { Ok(found) }
}

/// What the shard in a file says about itself.
pub(super) fn describe(name: &str, path: &Path) -> Result<Local, Error> {
    let shard = Shard::open(name, path)?;
    let mut start = [0; 12];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).map_err(io("read", path))?;
    let [.., a, b, c, d] = start;
    let fact = |key| shard.fact(key).unwrap_or_default().to_owned();
    Ok(Local {
        name: name.to_owned(),
        ecosystem: fact("ecosystem"),
        as_of: shard.fact("as-of").map(str::to_owned),
        records: shard.header().records,
        rows: shard.header().rows,
        format: (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])),
        licence: fact("licence"),
        digest: shard.header().digest.clone(),
        files: vec![(Part::Rows, format!("{name}.{EXTENSION}"))],
    })
}
