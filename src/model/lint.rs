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
    /// Ids of rules whose findings are silenced whatever they are: what such a rule would tell, another one may have to.
    pub off: BTreeSet<String>,
    /// Registries and repositories that base images may come from, one `*` at either end; empty: not asked.
    pub trusted_registries: BTreeSet<String>,
    /// Frontends besides Docker's own that `# syntax=` may name, without tag, one `*` at the end.
    pub trusted_frontends: BTreeSet<String>,
    /// Files of an image that may be setuid, setgid or have capabilities; without `/` in front.
    pub allowed_setuid: BTreeSet<String>,
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
        off: BTreeSet::new(),
        trusted_registries: BTreeSet::new(),
        trusted_frontends: BTreeSet::new(),
        allowed_setuid: BTreeSet::new(),
        labels: BTreeMap::new(),
        strict_labels: false,
        ignores_refused: BTreeSet::new(),
        ignores_with_reason: BTreeSet::new(),
    };

    /// The rules that these settings switch on: each of them has nothing to judge by without its setting.
    pub fn configured(&self) -> impl Iterator<Item = &'static str> {
        const ON_VALUES: &[&str] = &[
            "label-empty",
            "label-missing",
            "label-not-email",
            "label-not-git-hash",
            "label-not-rfc3339",
            "label-not-semver",
            "label-not-spdx",
            "label-not-url",
        ];
        let of_labels = ON_VALUES.iter().copied().filter(|_| !self.labels.is_empty());
        let others = [
            ("untrusted-base-registry", !self.trusted_registries.is_empty()),
            ("label-superfluous", self.strict_labels && !self.labels.is_empty()),
            ("inline-ignore-used", !self.ignores_refused.is_empty()),
            ("inline-ignore-without-reason", !self.ignores_with_reason.is_empty()),
        ];
        of_labels.chain(others.into_iter().filter(|(_, is_on)| *is_on).map(|(id, _)| id))
    }
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

impl LabelForm {
    /// Every form with its word in policy files.
    pub const ALL: [(&'static str, Self); 7] = [
        ("text", Self::Text),
        ("url", Self::Url),
        ("rfc3339", Self::Rfc3339),
        ("spdx", Self::Spdx),
        ("hash", Self::GitHash),
        ("semver", Self::Semver),
        ("email", Self::Email),
    ];

    /// The word in policy files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, form)| *form == self).map_or("text", |(name, _)| name)
    }
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
