//! `Observation` and `Evidence`: one source's words, before and after merging.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    coverage::{Gap, SourceId, SourceState},
    location::Location,
    package::PackageKind,
    severity::Rating,
};

/// What one source says about one problem in one package; the merger turns observations into findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Who says so.
    pub source: SourceId,
    /// The source's own id for the problem (CVE, GHSA, DSA, ALAS ...).
    pub id: String,
    /// Other ids that the source links to the problem.
    pub aliases: BTreeSet<String>,
    /// One line about the problem.
    pub title: Option<String>,
    /// The package; `None` for a row that names none.
    pub package: Option<ObservedPackage>,
    /// Every rating that the source passes on.
    pub ratings: Vec<Rating>,
    /// Versions that fix this package, as written; empty when none is known.
    pub fixed: Vec<String>,
    /// Whether the source says outright that there is no fix.
    pub says_no_fix: bool,
    /// The source's own state for it.
    pub state: ObservedState,
    /// Where the problem can be read up.
    pub link: Option<String>,
    /// RFC 3339 time of the source's last change; decides between two views of one source.
    pub updated: Option<String>,
    /// Facts worth keeping, sorted by name: ARN, EPSS, exploit, KEV dates, advisory ids.
    pub attributes: BTreeMap<String, String>,
}

/// A package as a source names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPackage {
    /// Kind, when the source's word for it is known.
    pub kind: Option<PackageKind>,
    /// Name as the source writes it.
    pub name: String,
    /// Composed version: epoch, version and release in the package type's own form.
    pub version: String,
    /// Where the source saw it.
    pub locations: Vec<Location>,
    /// Path in the image, when the source names no layer that we know.
    pub path: Option<String>,
}

/// A source's state of one observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObservedState {
    /// It stands.
    Open,
    /// The source's own rules hide it.
    Suppressed,
    /// The source says it is gone.
    Closed,
}

/// What one source answered in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceReport {
    /// How far it got, with the facts that prove it.
    pub state: SourceState,
    /// Everything it says.
    pub observations: Vec<Observation>,
    /// What it could not look at.
    pub gaps: Vec<Gap>,
}

/// One source's words for a finding, kept after merging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who says so.
    pub source: SourceId,
    /// The source's own id.
    pub id: String,
    /// The package name as the source writes it.
    pub package: Option<String>,
    /// The version as the source writes it.
    pub version: Option<String>,
    /// How the observation found its package.
    pub matched: MatchKind,
    /// Fixed versions as the source writes them.
    pub fixed: Vec<String>,
    /// The source's state.
    pub state: ObservedState,
    /// Link.
    pub link: Option<String>,
    /// Further facts, sorted by name.
    pub attributes: BTreeMap<String, String>,
}

/// How an observation found its package (merge-expected.json, `match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKind {
    /// Name and version are those of a package in our inventory.
    Exact,
    /// The source names the source package.
    Source,
    /// Kept as the source names it; no inventory, or no such package in it.
    AsReported,
    /// The source names no package.
    Unlocated,
}

impl MatchKind {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Source => "source",
            Self::AsReported => "as-reported",
            Self::Unlocated => "unlocated",
        }
    }
}
