//! `Fix`: edits of a Dockerfile that take a finding away.

use std::ops::Range;

use crate::model::location::Span;

/// What has to be said for a fix before it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FixKind {
    /// The built image cannot change except as the finding says.
    Safe,
    /// It may change the image or the build in other ways, too.
    Unsafe,
    /// What to write is known to a registry alone.
    Network,
}

impl FixKind {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
            Self::Network => "network",
        }
    }
}

/// One change of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty where something is only put in.
    pub range: Range<usize>,
    /// The same as lines and columns, for people and reports.
    pub span: Span,
    /// What comes in their place.
    pub replacement: String,
}

/// Edits that belong together: all of them, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// How safe they are.
    pub kind: FixKind,
    /// In file order, without overlap.
    pub edits: Vec<Edit>,
}

/// One fix as a report tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixRecord {
    /// The rule's id.
    pub id: String,
    /// What was found.
    pub title: String,
    /// The line on which it stood when it was looked at.
    pub line: u32,
    /// How safe the fix is.
    pub kind: FixKind,
}

/// A fix that was not made, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldFix {
    /// Which one.
    pub fix: FixRecord,
    /// Why.
    pub reason: String,
}

/// What was mended in one Dockerfile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FixSummary {
    /// Path as the user named it.
    pub file: String,
    /// What was mended, in order.
    pub applied: Vec<FixRecord>,
    /// What could have been and was not.
    pub withheld: Vec<WithheldFix>,
}
