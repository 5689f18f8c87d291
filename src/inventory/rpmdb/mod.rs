//! Bounded readers of rpm's databases in each of the formats that rpm has had since its version 4: every offset is checked, every page or blob
//! is read at most once, so that whatever the bytes are, the time is in proportion to them.

mod bdb;
mod header;
mod ndb;
mod sqlite;
mod wal;

pub(super) use header::{ARCH, EPOCH, Header, LICENSE, MODULARITY_LABEL, NAME, RELEASE, SOURCE_RPM, VENDOR, VERSION};

use crate::{inventory::CatalogError, layers::Limits};

/// How a database is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// A hash table of Berkeley DB.
    Bdb,
    /// rpm's own.
    Ndb,
    /// SQLite, perhaps with a write-ahead log.
    Sqlite,
}

impl Format {
    /// In the order in which rpm looks for them when its macros name none that is there.
    pub(super) const ALL: [Self; 3] = [Self::Bdb, Self::Ndb, Self::Sqlite];

    /// The name of the file.
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Bdb => "Packages",
            Self::Ndb => "Packages.db",
            Self::Sqlite => "rpmdb.sqlite",
        }
    }

    /// The name in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Bdb => "Berkeley DB",
            Self::Ndb => "ndb",
            Self::Sqlite => "SQLite",
        }
    }
}

/// Hands every readable header of a database to `visit`; `log` is the write-ahead log, of SQLite only.
///
/// # Errors
/// When something could not be read; what could be was visited.
pub(super) fn read(
    format: Format,
    database: &[u8],
    log: Option<&[u8]>,
    limits: &Limits,
    visit: &mut dyn FnMut(&Header<'_>),
) -> Result<(), CatalogError> {
    // rpm leaves an empty file behind when it only opened the database.
    if database.is_empty() && log.is_none_or(<[u8]>::is_empty) {
        return Ok(());
    }
    let mut unreadable = 0_usize;
    let mut take = |blob: &[u8]| match Header::parse(blob) {
        Some(header) => visit(&header),
        None => unreadable += 1,
    };
    let result = match format {
        Format::Bdb => bdb::Database::open(database).and_then(|mut database| database.for_each_blob(limits.packages, &mut take)),
        Format::Ndb => ndb::for_each_blob(database, limits.packages, &mut take),
        Format::Sqlite => {
            sqlite::Database::open(database, log).and_then(|mut database| database.for_each_blob("Packages", limits.packages, &mut take))
        }
    };
    match (result, unreadable) {
        (Ok(()), 0) => Ok(()),
        (Ok(()), count) => Err(CatalogError(format!("{count} rpm headers are damaged"))),
        (Err(error), _) => Err(CatalogError(format!("the {} database cannot be read in full: {error}", format.name()))),
    }
}

/// The big-endian number at `at`.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

/// The little-endian number at `at`.
fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

/// The big-endian number at `at`.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_be_bytes)
}

/// The little-endian number at `at`.
fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

#[cfg(test)]
mod mutations;
