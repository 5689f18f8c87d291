//! Image reference in, manifest and digest-checked blobs out.

use std::io::Read;

use futures_util::future::BoxFuture;

use crate::model::{digest::Digest, image::Descriptor};

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
    /// nothing read before a clean end may be used for a verdict.
    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>>;

    /// Whether signatures can be found here at all (false for archives of a daemon).
    fn holds_signatures(&self) -> bool;
}

/// Why an image could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not what their digest promises.
    #[error("{what} does not match its digest {expected}")]
    DigestMismatch {
        /// Manifest, configuration or layer.
        what: String,
        /// The promised digest.
        expected: Digest,
    },
}
