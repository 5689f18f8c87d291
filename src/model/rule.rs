//! `RuleMeta`: what there is to say about a rule; the one source for `explain`, SARIF and the documentation.

use crate::model::severity::Severity;

/// The group of a Dockerfile or image-configuration rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Somebody gains something.
    Security,
    /// The build fails or does something else than it says.
    Correctness,
    /// The same file builds something else tomorrow.
    Reproducibility,
    /// The image is larger or builds slower than it must.
    Size,
    /// Hard to read or keep.
    Style,
}

impl Group {
    /// The word in policy files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Security => "security",
            Self::Correctness => "correctness",
            Self::Reproducibility => "reproducibility",
            Self::Size => "size",
            Self::Style => "style",
        }
    }
}

/// What there is to say about one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleMeta {
    /// Permanent kebab-case id.
    pub id: &'static str,
    /// Group.
    pub group: Group,
    /// Severity when the finding does not say otherwise.
    pub severity: Severity,
    /// Whether it is on without configuration.
    pub default_on: bool,
    /// Ids of the same check in other tools, sorted.
    pub aliases: &'static [&'static str],
    /// One sentence: what is wrong.
    pub summary: &'static str,
    /// Why it matters and what to do; a failing and a clean example, as Markdown.
    pub help: &'static str,
}
