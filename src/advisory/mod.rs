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

pub use build::{BuildSummary, Gathered, KeptShard, Provenance, Release, ShardSummary, Unfixed, WriterLock, build};
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
    #[error("no feed could be fetched")]
    NothingFetched(#[source] Box<Self>),
    /// A mirror that is none.
    #[error(
        "`--from {0}` has none of the feeds (looked for ecosystems.txt, `<Ecosystem>/all.zip`, and the folders amazon, kev, epss and debian-tracker)"
    )]
    NoMirror(String),
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
            Self::NoDatabase(_) => {
                Some("get one with `plimsoll db update` or `plimsoll db pull REF`, or build one with `plimsoll db build --from DIR`".to_owned())
            }
            Self::Damaged { shard, .. } => {
                let file = shard.strip_suffix(" (text)").unwrap_or(shard);
                Some(format!("remove {file}.{} from the database's folder, then pull or build it again", store::EXTENSION))
            }
            Self::Format { found, readable, .. } if found > readable => {
                Some("it was written by a newer program: use that one, or build the database again with this one (`plimsoll db build --from DIR`)".to_owned())
            }
            Self::Format { .. } => Some("build or pull the database again: `plimsoll db build --from DIR`, `plimsoll db pull REF`".to_owned()),
            Self::Busy(_) => Some("wait until it is done, and try again".to_owned()),
            Self::NoFeeds(place) => Some(folder_above(place).unwrap_or_else(|| "the directory must be laid out like the OSV bucket, e.g. `Debian/all.zip`".to_owned())),
            Self::NoMirror(place) => {
                let shape = "a mirror is laid out like the folder `feeds` of a database, e.g. `Debian/all.zip`";
                Some(folder_above(place).unwrap_or_else(|| shape.to_owned()))
            }
            Self::NothingFetched(error) if matches!(**error, Self::NoMirror(_) | Self::Io { .. }) => error.hint(),
            Self::NothingFetched(_) => Some(
                "without a way to these hosts: name a mirror with `--from`, or a proxy in HTTPS_PROXY or ALL_PROXY, or take a ready-made database with `plimsoll db pull`"
                    .to_owned(),
            ),
            Self::Io { source, path, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some(format!("let this user read and write {}, or name another folder with `--db`", path.display()))
            }
            Self::Artifact(error) => error.hint(),
            Self::Io { source, .. } => artifact::advice(source.kind()).map(str::to_owned),
            Self::Feed { .. } | Self::TooLarge(_) | Self::Fetch { .. } => None,
        }
    }
}

/// The folder that is meant where one ecosystem's own is named.
fn folder_above(place: &str) -> Option<String> {
    let (above, name) = place.trim_end_matches('/').rsplit_once('/')?;
    let is_own = ecosystem::ECOSYSTEMS.iter().any(|ecosystem| ecosystem.name == name.replace("%20", " "));
    is_own.then(|| format!("that is the folder of one ecosystem; name the one above it: `--from {above}`"))
}
