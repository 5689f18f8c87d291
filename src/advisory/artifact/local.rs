//! What shards in a folder say about themselves: headers only. In: the folder; out: one value for each shard, with the files that it is made of.

use std::{fs::File, io::Read as _, path::Path};

use crate::advisory::{
    Database, Error,
    artifact::{
        io,
        manifest::{Described, Part},
    },
    shard::reader::Shard,
    store::EXTENSION,
};

/// A shard in a folder; its files are in the order of [`Part`].
pub type Local = Described<(Part, String)>;

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
    let mut found = Vec::new();
    for status in Database::open(folder)?.status() {
        let rows = format!("{}.{EXTENSION}", status.name);
        let path = folder.join(&rows);
        let mut start = [0; 12];
        File::open(&path).and_then(|mut file| file.read_exact(&mut start)).map_err(io("read", path))?;
        let [.., a, b, c, d] = start;
        found.push(Local {
            name: status.name,
            ecosystems: status.coverage.into_iter().map(|coverage| coverage.ecosystem).collect(),
            as_of: status.as_of,
            records: status.records,
            rows: status.rows,
            format: (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])),
            licence: status.licence,
            digest: status.digest,
            files: status.text_file.map(|text| (Part::Text, text)).into_iter().chain([(Part::Rows, rows)]).collect(),
        });
    }
    Ok(found)
}
