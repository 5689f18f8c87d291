//! Layer blobs in, one merged file view out. Nothing is written to disk, no path of an image is ever opened.

mod ahead;
mod body;
mod content;
mod decompress;
mod guard;
mod interest;
mod limits;
mod links;
mod marks;
mod node;
mod pool;
mod reading;
mod record;
mod shared;
mod tree;
mod unpack;
mod untar;
mod view;
mod whiteout;

use std::io::{self, Read};

pub use body::{Body, BodyReader, Go, Spool};
pub use content::Content;
pub use interest::{Examiner, Examiners, Interest, Want};
pub use limits::Limits;
pub use node::Version;
pub use record::PathMark;
pub use shared::SharedLayers;
pub use view::{FileEntry, FileView, Note};

use crate::model::{
    coverage::{Gap, SourceId},
    digest::Digest,
    image::Layer,
};

/// A layer and its blob.
pub struct LayerInput {
    /// What the manifest and the configuration say about it.
    pub layer: Layer,
    /// The blob as it is stored. It is read to its end, so that the reader can check size and digest; any error of its own refuses the image,
    /// except `NotFound` before the first byte of a layer that has `urls`: that one is a Gap.
    pub reader: Box<dyn Read + Send>,
}

/// Keeps from run to run what single layers hold. A key names the blob and everything else in this module that decides what its entry says; who
/// keeps the entries adds what else decides it, first of all who wants which file.
pub trait LayerCache: Sync {
    /// Whether it is worth asking for this key, and making an entry of it.
    fn is_asked(&self, _key: &str) -> bool {
        true
    }

    /// The entry of this key, as it was saved, or none.
    fn load(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps an entry, or not.
    fn save(&self, key: &str, entry: &[u8]);

    /// Forgets an entry that turned out to be of no use.
    fn discard(&self, key: &str);

    /// Hears, once for each layer that was looked for, that nothing more will be asked or saved for it.
    fn done(&self, _key: &str) {}
}

/// Reads all layers, several at a time, and merges them in order. The result does not depend on the number of threads.
///
/// # Errors
/// When a blob cannot be read or is not what its digest or its diff id promises: then there is no image to talk about.
pub fn walk(inputs: Vec<LayerInput>, interest: &dyn Interest, limits: &Limits) -> Result<FileView, Error> {
    walk_with(inputs, interest, limits, None)
}

/// The same with a cache: a layer that it knows is not read. The result does not depend on what the cache knows.
///
/// # Errors
/// As [`walk`].
pub fn walk_with(
    mut inputs: Vec<LayerInput>,
    interest: &dyn Interest,
    limits: &Limits,
    cache: Option<&dyn LayerCache>,
) -> Result<FileView, Error> {
    let wants = |path: &str| interest.wants(path);
    let mut gaps = Vec::new();
    let count = inputs.len();
    if count > limits.layers {
        inputs.truncate(limits.layers);
        gaps.push(Gap::new(
            SourceId::Image,
            "layer-limit",
            "",
            format!("the image has {count} layers; only the lowest {} were read", limits.layers),
        ));
    }
    let used = inputs.len();
    let refused = guard::guard(&mut inputs, limits);
    let mut tree = tree::Tree::default();
    let (mut entries, mut bytes) = (0, 0_u64);
    // A layer that is too large for the image is not taken from the cache either: the limits hold whatever the cache knows.
    let known = |place: usize| cache.filter(|_| !refused.contains(&place));
    pool::for_each_record(inputs, interest, limits, &known, |index, mut record| {
        gaps.append(&mut record.gaps);
        entries += record.entries;
        bytes = bytes.saturating_add(record.bytes);
        tree.apply(&record, index, &wants, limits);
        let left = used - index - 1;
        if bytes > limits.image_bytes && left > 0 {
            let reason = format!(
                "the image's first {} layers hold {bytes} uncompressed bytes; the limit for an image is {}, so the {left} above were not read",
                index + 1,
                limits.image_bytes
            );
            gaps.push(Gap::new(SourceId::Image, "layer-limit", "", reason));
            return None;
        }
        Some(tree.kept())
    })?;
    Ok(FileView::new(tree, &wants, limits, entries, gaps))
}

/// Why there is no file view.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The blob could not be read, or is not what its digest promises.
    #[error("cannot read layer {layer}")]
    Blob {
        /// The blob's digest.
        layer: Digest,
        /// What the reader says.
        source: io::Error,
    },
    /// The uncompressed content is not what the configuration promises.
    #[error("layer {layer} holds {actual}, but the image's configuration promises {expected}")]
    DiffId {
        /// The blob's digest.
        layer: Digest,
        /// The configuration's diff id.
        expected: Digest,
        /// The digest of what came out.
        actual: Digest,
    },
}

impl Error {
    /// What the blob's own reader said, if that is why.
    #[must_use]
    pub fn origin(&self) -> Option<&(dyn std::error::Error + Send + Sync + 'static)> {
        match self {
            Self::Blob { source, .. } => source.get_ref().map(|origin| origin as _),
            Self::DiffId { .. } => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod notes_tests;
#[cfg(test)]
mod tests;
