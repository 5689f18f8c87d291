//! The offline advisory database: feeds to shards (`build`, `fetch`), shards to matches (`store`, `matcher`). Works with no network and no
//! account, says how old its knowledge is, and never mistakes "no data" for "no problem".

pub mod almalinux;
pub mod artifact;
pub mod build;
pub mod cvss;
pub mod ecosystem;
pub mod end_of_life;
pub mod exploitation;
pub mod fetch;
pub mod matcher;
#[cfg(test)]
mod proof;
mod proof_on_answers;
mod proof_on_corpus;
mod proof_on_edges;
mod proof_on_goldens;
mod proof_on_rules;
pub mod range;
mod shard;
pub mod sources;
pub mod store;
pub mod version;

use std::{io, path::PathBuf};

pub use build::{BuildSummary, Gathered, Provenance, Release, ShardSummary, Unfixed, WriterLock, build};
pub use sources::{AdvisorySource, SOURCES};
pub use store::{Coverage, Database, ShardStatus};

/// Why the offline database could not be built or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no database.
    #[error("there is no advisory database in {}", .0.display())]
    NoDatabase(PathBuf),
    /// The directory holds nothing to build from.
    #[error("{0} holds no advisory feed that can be built (looked for `<Ecosystem>/all.zip` and the KEV and EPSS files)")]
    NoFeeds(String),
    /// A file could not be read or written.
    #[error("cannot {doing} {}", .path.display())]
    Io {
        /// `read`, `write`, `rename` ...
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A feed's archive is damaged or too large.
    #[error("feed {feed} cannot be read: {reason}")]
    Feed {
        /// Which feed.
        feed: String,
        /// Why.
        reason: String,
    },
    /// A shard does not hold what it says.
    #[error("database shard {shard} is damaged: {what}")]
    Damaged {
        /// Which shard.
        shard: String,
        /// Which section, and what is wrong with it.
        what: String,
    },
    /// A shard of another format.
    #[error("database shard {shard} has format {found}, this program reads format {readable}")]
    Format {
        /// Which shard.
        shard: String,
        /// The file's major version.
        found: u16,
        /// Ours.
        readable: u16,
    },
    /// Another process is writing the database.
    #[error("another process is writing the advisory database in {}", .0.display())]
    Busy(PathBuf),
    /// More data than the format holds.
    #[error("too much data for one database shard: {0}")]
    TooLarge(&'static str),
    /// An update got no feed at all.
    #[error("no feed could be fetched; what was there before is unchanged")]
    NothingFetched(#[source] Box<Self>),
    /// The database could not be pushed, pulled or checked as an artifact.
    #[error(transparent)]
    Artifact(#[from] artifact::Error),
    /// A download failed.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoDatabase(_) => Some("build one with `plimsoll db build --from DIR`".to_owned()),
            Self::Damaged { .. } | Self::Format { .. } => Some("build the database again with `plimsoll db build --from DIR`".to_owned()),
            Self::Busy(_) => Some("wait until it is done, and try again".to_owned()),
            Self::NoFeeds(_) => Some("the directory must be laid out like the OSV bucket, e.g. `Debian/all.zip`".to_owned()),
            Self::Artifact(error) => error.hint(),
            Self::Io { .. } | Self::Feed { .. } | Self::TooLarge(_) | Self::Fetch { .. } | Self::NothingFetched(_) => None,
        }
    }
}
