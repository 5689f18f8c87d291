//! `alas`: Amazon Linux security advisories, as the updates of its rpm repositories (<https://alas.aws.amazon.com/>; advisories.md section 4). In: a
//! folder `amazon/<release>/<repository>/<arch>/`, where each has `updateinfo.xml.gz` or a whole `repodata/`; out: one record per advisory, one row
//! per binary package. The lists name fixed problems only, so that coverage says `unfixed: unknown`.

mod folder;
mod record;
pub(in crate::advisory) mod repomd;
mod updateinfo;
mod xml;

use std::{io::BufRead, path::Path};

use super::{AdvisorySource, Feed, Listing};
use crate::advisory::{Error, build::Gathered};

pub(in crate::advisory) use folder::{FOLDER, MANIFEST, UPDATES, manifest_entry};

/// Reads the updates of Amazon Linux.
pub struct Alas;

impl AdvisorySource for Alas {
    fn id(&self) -> &'static str {
        "alas"
    }

    fn find(&self, from: &Path) -> Result<Listing, Error> {
        Ok(folder::find(from))
    }

    fn read(&self, feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
        folder::read(feed, into)
    }
}

/// A repository of one release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::advisory) struct Repository {
    /// `2`, `2023`, `2018.03`.
    pub(in crate::advisory) release: String,
    /// `core`, or the name of one of the extras of Amazon Linux 2.
    pub(in crate::advisory) name: String,
    /// `x86_64`, `aarch64`.
    pub(in crate::advisory) arch: String,
}

/// Whether a list of updates can be read to its end.
///
/// # Errors
/// When it cannot.
pub(in crate::advisory) fn check_updates(input: impl BufRead) -> Result<(), String> {
    updateinfo::read_updates(input).map(drop)
}
