//! `Origin`: which instruction of a Dockerfile made a layer, and whether the base image brought it.

use crate::model::location::Span;

/// Who brought a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The base image.
    Base,
    /// The build on top of it.
    Own,
}

impl Side {
    /// The word in reports and policies.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Own => "own",
        }
    }
}

/// Where one layer comes from, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Who brought it.
    pub side: Option<Side>,
    /// The instruction that made it; for a layer of the base image the FROM that names the image.
    pub span: Option<Span>,
    /// The stage that the instruction stands in, by name or number, when it is not the final one.
    pub stage: Option<String>,
    /// The stage or image that a `COPY --from` took it from.
    pub copied_from: Option<String>,
    /// Why line or side are not known, or not certain; none when both are certain.
    pub doubt: Option<String>,
}

impl Origin {
    /// An origin of which nothing is known.
    #[must_use]
    pub fn unknown(doubt: impl Into<String>) -> Self {
        Self { doubt: Some(doubt.into()), ..Self::default() }
    }

    /// The line, when it is certain.
    #[must_use]
    pub fn certain_span(&self) -> Option<&Span> {
        self.span.as_ref().filter(|_| self.doubt.is_none())
    }
}

/// Who may have brought a thing: it may stand in several layers, and a layer of which nobody knows may be of either side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sides {
    /// The base image may have.
    pub base: bool,
    /// The build on top of it may have.
    pub own: bool,
}

impl Sides {
    /// Either may have.
    pub const EITHER: Self = Self { base: true, own: true };

    /// Whether `side` may have.
    #[must_use]
    pub const fn may_be(self, side: Side) -> bool {
        match side {
            Side::Base => self.base,
            Side::Own => self.own,
        }
    }
}
