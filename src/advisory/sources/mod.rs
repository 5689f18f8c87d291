//! The feeds: one file per upstream format. In: a folder laid out like a mirror; out: advisories, and what is known about the feed and about each
//! release (advisories.md section 1). Fetching is `fetch`'s job, making shards that of `build`.

pub mod alas;
pub mod debian_tracker;
pub mod osv;

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::advisory::{Error, build::Gathered, ecosystem::Ecosystem};

/// One upstream format.
pub trait AdvisorySource: Sync {
    /// The permanent id.
    fn id(&self) -> &'static str;

    /// When this source is read.
    fn stage(&self) -> Stage {
        Stage::Records
    }

    /// Finds the feeds of this format in a folder; none at all is fine.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn find(&self, from: &Path) -> Result<Listing, Error>;

    /// Reads one feed that [`Self::find`] found into what is known of its ecosystem so far: adds advisories, facts about releases and where they come
    /// from. A source of [`Stage::Extras`] may change what the others added.
    ///
    /// # Errors
    /// When the feed is not whole. Nothing of its ecosystem is built then, and the last good shards stay. One record that does not read is no
    /// error: it goes to [`Gathered::unreadable`].
    fn read(&self, feed: &Feed, into: &mut Gathered) -> Result<(), Error>;
}

/// When a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It brings records of its own.
    Records,
    /// It adds to the records of others, and is read when they are complete. An ecosystem of which nobody has records is not built.
    Extras,
}

/// What a source finds in a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// What can be built.
    pub feeds: Vec<Feed>,
    /// What is there and cannot be built by this version, by name.
    pub skipped: Vec<String>,
}

/// One feed on disk: what is read, or fails to be read, as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The ecosystem that it is about. Feeds of one ecosystem are built together.
    pub ecosystem: &'static Ecosystem,
    /// The name in reports: source, colon, place below the folder (`osv:Debian/all.zip`). Feeds of a stage are read in the order of their names.
    pub name: String,
    /// The file or folder.
    pub path: PathBuf,
}

/// Whether there is something at a path, be it of another kind than expected or closed to us: what cannot be read is to fail, not to be passed over.
pub(in crate::advisory) fn is_there(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

/// Every format, by id.
pub const SOURCES: &[&dyn AdvisorySource] = &[&alas::Alas, &debian_tracker::DebianTracker, &osv::Osv];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(SOURCES.windows(2).all(|pair| pair[0].id() < pair[1].id()));
    }
}
