//! `Policy`: what the owner of the image asks for, after loading and merging (policy.md). The file format lives in `policy/schema.rs`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{coverage::SourceId, digest::Digest, lint::LintSettings, location::Span, origin::Side, rule::Group, severity::Severity};

/// A loaded, merged and validated policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Name for people.
    pub name: String,
    /// SHA-256 of the merged, canonical policy.
    pub digest: Digest,
    /// Every file that was read, with its digest; built-ins as `builtin:NAME`.
    pub files: Vec<(String, Digest)>,
    /// Whether the exit code follows the verdict.
    pub mode: Mode,
    /// Which rating decides, and what no rating counts as.
    pub severity: SeverityPolicy,
    /// Clauses for package findings that fail; OR between clauses, AND inside one.
    pub fail: Vec<Clause>,
    /// Clauses for package findings that warn.
    pub warn: Vec<Clause>,
    /// Most findings per severity after exceptions.
    pub at_most: BTreeMap<SeverityName, u64>,
    /// Rules.
    pub rules: RulePolicy,
    /// Named signers.
    pub signers: BTreeMap<String, Signer>,
    /// Trust root: a file, or the name of a compiled-in one.
    pub trust_root: Option<String>,
    /// Names that a signed reference may carry instead of the image's own (mirrors).
    pub references: BTreeMap<String, String>,
    /// Required signatures.
    pub signatures: Vec<SignatureRequirement>,
    /// What Gaps are worth and which sources must have been heard.
    pub evidence: EvidencePolicy,
    /// Permissions.
    pub exceptions: ExceptionPolicy,
    /// What Inspector's suppressions are worth.
    pub inspector_suppressions: Suppressions,
    /// End of life of the distribution: what it is worth.
    pub end_of_life_distro: Worth,
}

/// A severity as a map key, ordered as in reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeverityName(pub &'static str);

/// Whether the exit code follows the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It does.
    Enforce,
    /// Same verdict, exit 0.
    Audit,
}

/// Which rating decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityPolicy {
    /// Order of authors.
    pub source: SeveritySource,
    /// What thresholds make of an unrated finding; never `Unknown`.
    pub unknown_as: Severity,
    /// Own ratings.
    pub overrides: Vec<SeverityOverride>,
}

/// Which author's rating is effective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeveritySource {
    /// Default order of authors.
    Vendor,
    /// The highest of all.
    Max,
    /// Inspector first.
    Inspector,
    /// NVD first.
    Nvd,
}

/// An own, dated rating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityOverride {
    /// Finding id or alias.
    pub id: String,
    /// The rating.
    pub severity: Severity,
    /// Why.
    pub reason: String,
    /// Whose decision.
    pub owner: Option<String>,
    /// Last day, UTC.
    pub expires: Option<Date>,
    /// Where it stands.
    pub location: Span,
}

/// One clause: all conditions must hold; a condition that is `None` always holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Name in decisions.
    pub id: String,
    /// Severity condition.
    pub severity: Option<(Comparison, Severity)>,
    /// Whether a fix must be known.
    pub fix: Option<FixCondition>,
    /// Known to be exploited.
    pub kev: Option<bool>,
    /// EPSS probability in millionths.
    pub epss_millionths: Option<(Comparison, u32)>,
    /// Sources, any of which must have reported it.
    pub source: BTreeSet<SourceId>,
    /// How many sources must have reported it.
    pub sources: Option<(Comparison, u32)>,
    /// Purl pattern of the package (`*` in the version and at the end of the name).
    pub package: Option<String>,
    /// Finding id or alias.
    pub finding: Option<String>,
    /// Kinds of package.
    pub kind: BTreeSet<PackageClass>,
    /// Who brought the package; one of which nobody knows fits both.
    pub origin: Option<Side>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `=` or nothing
    Equal,
}

impl Comparison {
    /// Applies the comparison to `left` and `right`.
    pub fn holds<T: Ord>(self, left: &T, right: &T) -> bool {
        match self {
            Self::AtLeast => left >= right,
            Self::Above => left > right,
            Self::AtMost => left <= right,
            Self::Below => left < right,
            Self::Equal => left == right,
        }
    }
}

/// Whether a fix must be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixCondition {
    /// Some source names a fixed version.
    Available,
    /// No source does.
    None,
    /// Either.
    Any,
}

/// Coarse class of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageClass {
    /// The distribution's package manager installed it.
    Os,
    /// A language's package manager installed it.
    Language,
    /// A binary without a package.
    Binary,
}

/// What Dockerfile and image-configuration rules are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulePolicy {
    /// Selections that fail.
    pub fail: Vec<RuleSelection>,
    /// Selections that warn.
    pub warn: Vec<RuleSelection>,
    /// Single rules by id or alias; the strongest say.
    pub set: BTreeMap<String, RuleSetting>,
    /// What in-file ignores may do, per group; a missing group is `Allow`.
    pub inline_ignores: BTreeMap<Group, InlineIgnores>,
    /// Most days from today to the `until` of an in-file ignore; one without `until` ends too late, then.
    pub ignores_until_max: Option<i64>,
    /// What rules read that need configuration.
    pub settings: LintSettings,
    /// What another linter's configuration says of rules; the policy's own say goes before it.
    pub foreign: ForeignRules,
}

/// What the configuration of another linter says of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignRules {
    /// Rules that it ignores, by id or alias in lower case, with the place that says so.
    pub ignored: BTreeMap<String, Span>,
    /// Its own ratings, by id or alias in lower case, with the place that says so.
    pub severities: BTreeMap<String, (Severity, Span)>,
    /// Whether it may also silence and lower rules about security.
    pub lowers_security: bool,
}

/// Rules by group, severity and who brought what they found; empty groups means all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSelection {
    /// Groups.
    pub groups: BTreeSet<Group>,
    /// Severity condition.
    pub severity: Option<(Comparison, Severity)>,
    /// Who must have brought it. What nobody knows the side of, or what is no part of an image, fits either.
    pub origin: Option<Side>,
}

/// What one rule is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSetting {
    /// Its findings fail.
    Fail,
    /// Its findings warn.
    Warn,
    /// Its findings are noted.
    Note,
    /// It does not run.
    Off,
}

/// What in-file ignores of one group may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InlineIgnores {
    /// They count.
    Allow,
    /// They count when they give a reason.
    WithReason,
    /// They do not count.
    Refuse,
}

/// A signer by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// A public key.
    Key {
        /// PEM text (read by `policy::load`).
        pem: String,
        /// Where it came from, for messages.
        origin: String,
        /// Whether a transparency log entry is required.
        log: LogRequirement,
    },
    /// A keyless identity.
    Keyless {
        /// Exact OIDC issuer.
        issuer: String,
        /// Subject.
        identity: IdentityMatch,
        /// Fulcio extensions that must be equal, by the short names of `SignerIdentity::Keyless`; several values are alternatives.
        extensions: BTreeMap<String, BTreeSet<String>>,
    },
}

/// Whether a transparency log must vouch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRequirement {
    /// It must.
    Require,
    /// It need not.
    AllowMissing,
}

/// How a keyless subject is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityMatch {
    /// Whole, exact.
    Exact(String),
    /// Anchored regular expression that passed the load-time checks (signing.md 5).
    Pattern(String),
}

/// A required signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureRequirement {
    /// Name in decisions.
    pub id: String,
    /// Signers, by name.
    pub of: Vec<String>,
    /// How many distinct ones (1 for `any_of`).
    pub at_least: usize,
    /// Signed annotations that the same signature must carry.
    pub annotations: BTreeMap<String, String>,
    /// Image patterns; empty means every image.
    pub images: Vec<String>,
}

/// What Gaps are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidencePolicy {
    /// Required sources: each inner set needs one complete member.
    pub require: Vec<BTreeSet<SourceId>>,
    /// Oldest advisory data in seconds.
    pub database_max_age_seconds: Option<i64>,
    /// Worth by `kind` or `source.kind`.
    pub gaps: BTreeMap<String, Worth>,
    /// Worth of all other kinds.
    pub default: Worth,
}

/// What a Gap or another fact is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Shown only.
    Ignore,
    /// A warning.
    Warn,
    /// Stops the gate.
    Fail,
}

/// What Inspector's suppressions are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppressions {
    /// They count.
    Honour,
    /// They do not.
    Refuse,
}

/// Permissions and the rules for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionPolicy {
    /// Longest time from today to `expires`, in days.
    pub max_days: Option<i64>,
    /// Patterns of allowed owners; empty means any.
    pub owners: Vec<String>,
    /// What an exception that nothing needs is worth.
    pub unused: Worth,
    /// Days before the end from which it is announced.
    pub soon_days: i64,
    /// The exceptions.
    pub list: Vec<Exception>,
}

/// A dated, reasoned, owned permission to let a finding pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Finding id, rule id, requirement or Gap kind; aliases count.
    pub id: String,
    /// Purl pattern.
    pub package: Option<String>,
    /// Path pattern, in the image or of the Dockerfile.
    pub path: Option<String>,
    /// Image pattern.
    pub image: Option<String>,
    /// Why.
    pub reason: String,
    /// Whose decision.
    pub owner: Option<String>,
    /// Last day, inclusive, UTC. `None` only for in-file ignores.
    pub expires: Option<Date>,
    /// Ticket.
    pub ticket: Option<String>,
    /// Ends the day a fix is known.
    pub until_fix: bool,
    /// Ends when the severity reaches this.
    pub below: Option<Severity>,
    /// Where it stands.
    pub location: Span,
    /// Whether it is a comment in a Dockerfile; then `scope` says which lines it covers.
    pub origin: ExceptionOrigin,
}

/// Where an exception was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExceptionOrigin {
    /// In the policy or an exception file.
    Policy,
    /// In the Dockerfile: it covers findings that start on these lines of the same file.
    Inline {
        /// First line.
        first: u32,
        /// Last line.
        last: u32,
    },
}
