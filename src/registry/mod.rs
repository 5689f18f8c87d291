//! Image reference in, manifest and digest-checked blobs out.

use std::{io::Read, sync::Arc};

use futures_util::future::BoxFuture;

use crate::{
    model::{digest::Digest, image::Descriptor, reference::ImageReference},
    progress::SharedProgress,
    registry::archive::Form,
};

mod archive;
mod auth;
mod blob;
mod cause;
mod daemon;
mod docker_config;
mod docker_context;
mod download;
mod error;
mod layout;
pub mod manifest;
mod mirror;
mod options;
mod push;
mod remote;
mod resolve;
mod retry;
mod spelling;
mod store;
mod token;
mod transport;

pub use archive::{Recognised, Spool, recognise};
pub use cause::{Missing, NotArchive, Party, Shown, TlsCause};
pub use daemon::{BadAddress, DaemonError, DaemonHost, Daemons, NoAnswer};
pub use docker_context::Contexts;
pub use error::Error;
pub use mirror::{Mirror, MirrorError, check_mirrors};
pub use options::{Options, Retry};
pub use push::{Publisher, Sent};
pub use resolve::{resolve, resolve_all};
pub(crate) use retry::retry_after;

/// A manifest or index as it came, with the digest of exactly these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawManifest {
    /// The body.
    pub bytes: Vec<u8>,
    /// Media type: of the body's `mediaType`, else of the transport, else by shape.
    pub media_type: String,
    /// Digest computed from `bytes`, never taken from a header.
    pub digest: Digest,
}

/// Somewhere that images are read from. All bytes that come out are checked against their digest.
pub trait ImageSource: Send + Sync {
    /// Fetches what the reference names: an image manifest or an index.
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>>;

    /// Fetches a manifest or index by digest.
    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>>;

    /// Fetches what a tag of the same repository names; `None` only when the answer was "no such tag".
    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>>;

    /// Fetches all pages of the referrers API; `None` only when the source says that it has no such API (404).
    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>>;

    /// Fetches a whole blob of at most `cap` bytes, checked against size and digest.
    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>>;

    /// Opens a blob for blocking, streaming reads. A wrong size or digest is an `io::Error` of kind `InvalidData` at the end;
    /// nothing read before a clean end may be used for a verdict. The reader must be read on a thread that may block,
    /// not inside an async task.
    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>>;

    /// Whether signatures can be found here at all (false for archives of a daemon).
    fn holds_signatures(&self) -> bool;

    /// Whether the manifest's digest may be the one that a registry has (false where the manifest was made here, for want of a real one).
    fn knows_manifest_digest(&self) -> bool {
        true
    }
}

/// Opens the source that `reference` names. A registry is not asked before something is fetched.
///
/// # Errors
/// When a layout, an archive, a CA file or the docker configuration cannot be read.
pub async fn open(reference: &ImageReference, options: &Options, progress: SharedProgress) -> Result<Arc<dyn ImageSource>, Error> {
    match reference {
        ImageReference::Registry(reference) => Ok(Arc::new(remote::Remote::open(reference, options, progress)?)),
        ImageReference::OciLayout { path, tag } => Ok(Arc::new(layout::Layout::open(path, tag.as_deref())?)),
        ImageReference::OciArchive { path, tag } => archive::open(path, tag.as_deref(), Form::Oci, options, progress).await,
        ImageReference::DockerArchive { path, tag } => archive::open(path, tag.as_deref(), Form::Docker, options, progress).await,
        ImageReference::StandardInput { tag } => archive::open_standard_input(tag.as_deref(), options, progress).await,
        ImageReference::Daemon { daemon, name } => daemon::open(*daemon, name, options, progress).await,
        ImageReference::Sbom { .. } => {
            Err(Error::Malformed { what: reference.to_string(), reason: "a bill of materials holds no image".to_owned() })
        }
    }
}
