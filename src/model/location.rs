//! `Location`: where a finding, a package or a decision stands.

use std::sync::Arc;

use crate::model::digest::Digest;

/// A place that a person can look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Location {
    /// Lines of a Dockerfile.
    Dockerfile(Span),
    /// Lines of a policy or exception file.
    Policy(Span),
    /// A path in a layer of the image.
    Image {
        /// The layer's blob digest.
        layer: Digest,
        /// The layer's place in the manifest, from 0.
        index: usize,
        /// The path inside the image, without a leading slash.
        path: String,
    },
    /// An entry of the image's history.
    History {
        /// The entry's place in the configuration's `history`, from 0.
        index: usize,
        /// The blob digest of the layer that it made; none when it made none, or when nothing says which.
        layer: Option<Digest>,
    },
    /// The image's configuration as a whole.
    Config,
}

/// A range of lines of a text file; lines and columns count from 1, columns in characters, the end is inclusive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file as the user named it; all places in one file share the text.
    pub file: Arc<str>,
    /// First line.
    pub line: u32,
    /// First column, when known.
    pub column: Option<u32>,
    /// Last line.
    pub end_line: u32,
    /// Last column, when known.
    pub end_column: Option<u32>,
}

impl Span {
    /// Whole lines `line` to `end_line` of `file`.
    #[must_use]
    pub fn lines(file: impl Into<Arc<str>>, line: u32, end_line: u32) -> Self {
        Self { file: file.into(), line, column: None, end_line, end_column: None }
    }
}
