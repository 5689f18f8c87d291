//! `RuleMeta`: what there is to say about a rule; the one source for `explain`, SARIF and the documentation.

use crate::model::{fix::FixKind, severity::Severity};

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

/// What a rule looks at; where it is not at hand, the rule says nothing and is not counted as passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The text of the Dockerfile.
    Ast,
    /// Its stages and the values of its variables.
    Stages,
    /// The shell code in it.
    Shell,
    /// The files beside it that a build sends.
    Context,
    /// What the user configured.
    Config,
    /// The configuration of base images, from a registry.
    Network,
    /// The built image.
    Image,
}

impl Need {
    /// The word in reports and in the list of rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ast => "ast",
            Self::Stages => "stages",
            Self::Shell => "shell",
            Self::Context => "context",
            Self::Config => "config",
            Self::Network => "network",
            Self::Image => "image",
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
    /// Ids of other tools that belong to another rule, and whose in-file ignore silences this one as well; sorted.
    pub also: &'static [&'static str],
    /// What it looks at.
    pub needs: &'static [Need],
    /// What kind of fix it offers where it can.
    pub fix: Option<FixKind>,
    /// One sentence: what is wrong.
    pub summary: &'static str,
    /// Why it matters and what to do; a failing and a clean example, as Markdown.
    pub help: &'static str,
}

#[cfg(test)]
impl RuleMeta {
    /// A rule about which there is nothing to say.
    pub(crate) const fn blank(id: &'static str, group: Group, severity: Severity) -> Self {
        Self { id, group, severity, default_on: true, aliases: &[], also: &[], needs: &[], fix: None, summary: "", help: "" }
    }
}
