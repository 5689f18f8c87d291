//! What besides its text decides about a Dockerfile: settings of rules, and what is known of base images.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::rule::Group;

/// In the details of a source, before the name of what rules need that did not look: their ids, with blanks between them.
pub const RULES_NEED: &str = "rules.need-";
/// In the details of a source: how many rules about security saw only a part of the shell code.
pub const RULES_HALF: &str = "rules.half-read";

/// Settings of the rules about Dockerfiles, from the policy or from another tool's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LintSettings {
    /// Ids of rules that run although they are off by default.
    pub on: BTreeSet<String>,
    /// Registries and repositories that base images may come from, one `*` at either end; empty: not asked.
    pub trusted_registries: Vec<String>,
    /// Frontends besides Docker's own that `# syntax=` may name, without tag.
    pub trusted_frontends: Vec<String>,
    /// The labels that an image must have, with the form of their values.
    pub labels: BTreeMap<String, LabelForm>,
    /// Whether labels besides those are wrong.
    pub strict_labels: bool,
    /// Groups of rules that no in-file ignore may silence.
    pub ignores_refused: BTreeSet<Group>,
    /// Groups of rules that an in-file ignore silences with a reason alone.
    pub ignores_with_reason: BTreeSet<Group>,
}

impl LintSettings {
    /// Nothing configured.
    pub const DEFAULT: Self = Self {
        on: BTreeSet::new(),
        trusted_registries: Vec::new(),
        trusted_frontends: Vec::new(),
        labels: BTreeMap::new(),
        strict_labels: false,
        ignores_refused: BTreeSet::new(),
        ignores_with_reason: BTreeSet::new(),
    };
}

/// The form of a label's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelForm {
    /// Any text.
    Text,
    /// A URI (RFC 3986).
    Url,
    /// A time (RFC 3339).
    Rfc3339,
    /// A licence expression of SPDX.
    Spdx,
    /// A commit of git.
    GitHash,
    /// A version (Semantic Versioning 2.0.0).
    Semver,
    /// An address of electronic mail (RFC 5322, `addr-spec`).
    Email,
}

/// What is known of an image that a Dockerfile builds on, from its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BaseImage {
    /// Digest of what the tag names in the registry (the index, where there is one).
    pub digest: Option<String>,
    /// Operating system, as in the image's configuration.
    pub os: String,
    /// Architecture, as in the image's configuration.
    pub architecture: String,
    /// `User`; empty where none is set.
    pub user: String,
    /// `WorkingDir`; empty where none is set.
    pub working_dir: String,
    /// `Env` in order.
    pub env: Vec<(String, String)>,
    /// `Shell`; empty where none is set.
    pub shell: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
}
