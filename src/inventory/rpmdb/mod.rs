//! Bounded readers of rpm's databases: every offset is checked, every page is read at most once.

mod header;
mod sqlite;
mod wal;

pub(super) use header::{ARCH, EPOCH, Header, LICENSE, MODULARITY_LABEL, NAME, RELEASE, SOURCE_RPM, VENDOR, VERSION};

use crate::{inventory::CatalogError, layers::Limits};

/// Hands every readable header of `rpmdb.sqlite` to `visit`.
///
/// # Errors
/// When something could not be read; what could be was visited.
pub(super) fn read_sqlite(
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
    let result = sqlite::Database::open(database, log).and_then(|mut database| {
        database.for_each_blob("Packages", limits.packages, &mut |blob| match Header::parse(blob) {
            Some(header) => visit(&header),
            None => unreadable += 1,
        })
    });
    match (result, unreadable) {
        (Ok(()), 0) => Ok(()),
        (Ok(()), count) => Err(CatalogError(format!("{count} rpm headers are damaged"))),
        (Err(error), _) => Err(CatalogError(format!("the SQLite database cannot be read in full: {error}"))),
    }
}

/// The big-endian number at `at`.
fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}

/// The big-endian number at `at`.
fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_be_bytes)
}
