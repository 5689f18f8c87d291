//! The database as an OCI artifact: shards in, a manifest with one layer for each file out, and back (advisories.md 7). Layers that a folder has
//! already are not fetched again, and a run may fetch only the shards that its inventory needs.
//!
//! Push: [`pack`](pack::pack) makes manifest and blobs, [`Packed::push`](pack::Packed::push) sends them. Pull: [`Offer`](pull::Offer) is a manifest
//! that a registry has, whose signature the caller checks while a [`Recorder`](evidence::Recorder) listens; [`Offer::pull`](pull::Offer::pull) puts
//! the wanted shards in place. What was signed, and by which bytes, stays beside the shards ([`evidence`]), so that [`check`](check::check) can look
//! again without a network.
//!
//! Image manifests as artifacts: <https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage>.

use std::{io, path::PathBuf};

use crate::{advisory::store::EXTENSION, model::digest::Digest, registry};

pub mod check;
pub mod evidence;
mod hashes;
mod local;
pub mod manifest;
pub mod pack;
pub mod provenance;
pub mod pull;
mod staging;
mod unpack;

pub use evidence::{Recorder, Stored};
pub use local::{Local, list};
pub use manifest::{ARTIFACT_TYPE, Contents, MANIFEST, ShardEntry};
pub use pack::{Packed, pack};
pub use provenance::Provenance;
pub use pull::{Choice, Offer, Pulled, Terms, Voucher};

/// What shards that hold no advisories call their ecosystem: every run wants them.
const EXPLOITATION: &[&str] = &["EPSS", "KEV"];

/// Why a database could not be pushed, pulled or checked as an artifact.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry could not be read or written.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// There is something else under that name.
    #[error("{reference} is no advisory database: {reason}")]
    NotDatabase {
        /// What was asked for.
        reference: String,
        /// What it is instead.
        reason: String,
    },
    /// An artifact of another format.
    #[error("{reference} is an advisory database of artifact format {found}, this program reads format {readable}")]
    Format {
        /// What was asked for.
        reference: String,
        /// Its format.
        found: String,
        /// Ours.
        readable: u32,
    },
    /// Another artifact than the one that was asked for.
    #[error("{reference} is {found}, and the database is pinned to {pinned}")]
    Pinned {
        /// What was asked for.
        reference: String,
        /// What is there.
        found: Digest,
        /// What was wanted.
        pinned: Digest,
    },
    /// A shard that was asked for by name.
    #[error("{reference} has no shard `{shard}`")]
    NoShard {
        /// What was asked for.
        reference: String,
        /// Which shard.
        shard: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// A shard whose bytes are not what the manifest says.
    #[error("shard {shard} of {reference} is damaged: {reason}")]
    Damaged {
        /// What was asked for.
        reference: String,
        /// Which shard.
        shard: String,
        /// What is wrong.
        reason: String,
    },
    /// Two shards of one ecosystem make a database unreadable.
    #[error("shard {other} in {} is about `{about}` as well as shard {shard}", folder.display())]
    Clash {
        /// The database's folder.
        folder: PathBuf,
        /// The shard that was to come.
        shard: String,
        /// The shard that is there.
        other: String,
        /// The OSV ecosystem string that both are about.
        about: String,
    },
    /// No shard may be given away.
    #[error("nothing to push: {0} has no shard whose licence lets it be given away")]
    Nothing(String),
    /// The record of where shards came from does not read.
    #[error("{} does not read: {reason}", path.display())]
    Provenance {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// `read`, `write`, `rename` ...
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(error) => error.hint(),
            Self::NotDatabase { .. } => Some("name what `plimsoll db push` has pushed".to_owned()),
            Self::Format { .. } => Some("use the version of plimsoll that the database is made for".to_owned()),
            Self::Pinned { .. } => {
                Some("pin the digest of the new database when you have looked at it, or name the old one by digest".to_owned())
            }
            Self::NoShard { there, .. } => Some(format!("there is {}", there.join(", "))),
            Self::Damaged { .. } => Some("push the database again; the copy in the registry is not what was signed".to_owned()),
            Self::Nothing(_) => Some("shards of Wolfi and Chainguard are for this machine alone".to_owned()),
            Self::Provenance { .. } => Some("remove the file and pull again".to_owned()),
            Self::Clash { folder, other, .. } => Some(format!("remove {}", folder.join(format!("{other}.{EXTENSION}")).display())),
            Self::Io { source, .. } => advice(source.kind()).map(str::to_owned),
        }
    }

    /// Whether the registry was not to be had, rather than something being wrong with what it has: then older data that was checked may serve.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Registry(
                registry::Error::Unreachable { .. }
                    | registry::Error::Unavailable { .. }
                    | registry::Error::Deadline { .. }
                    | registry::Error::Tls { .. }
            )
        )
    }
}

/// What to do about a folder that does not take what is written.
pub(in crate::advisory) const fn advice(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room there, or name another folder with --db DIR"),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some("name a folder that can be written with --db DIR"),
        _ => None,
    }
}

/// Makes an [`Error::Io`] of what went wrong with a file.
fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
    let path = path.into();
    move |source| Error::Io { doing, path, source }
}
