//! `Coverage` and `Gap`: what was looked at, and what was not and why. "I could not look" never becomes "I found nothing".

use std::{collections::BTreeMap, fmt};

/// Who contributes facts: a finding source, or a stage of our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// The Dockerfile stage.
    Dockerfile,
    /// Reading the image: manifest, layers, platform.
    Image,
    /// The package inventory.
    Inventory,
    /// The offline advisory database.
    Offline,
    /// ECR basic scan findings.
    EcrBasic,
    /// ECR scan findings of either type, before the type is known.
    Ecr,
    /// Inspector findings, through ECR or through Inspector itself.
    Inspector,
    /// Inspector's ScanSbom.
    InspectorSbom,
    /// Signature and attestation discovery and verification.
    Signatures,
    /// The image's configuration and history.
    ImageConfig,
    /// The policy itself: exceptions, severities.
    Policy,
}

impl SourceId {
    /// The sources that tell of vulnerabilities in packages, in each of the names that they answer under.
    pub const OF_FINDINGS: [Self; 5] = [Self::Offline, Self::EcrBasic, Self::Ecr, Self::Inspector, Self::InspectorSbom];

    /// The id in policy files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dockerfile => "dockerfile",
            Self::Image => "image",
            Self::Inventory => "inventory",
            Self::Offline => "offline",
            Self::EcrBasic => "ecr-basic",
            Self::Ecr => "ecr",
            Self::Inspector => "inspector",
            Self::InspectorSbom => "inspector-sbom",
            Self::Signatures => "signatures",
            Self::ImageConfig => "image-config",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Something that should have been looked at and was not, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Who could not look.
    pub source: SourceId,
    /// The permanent kind, e.g. `no-advisories`, `denied`, `unchecked.registry` (advisories.md 9, aws.md 3, signing.md 4).
    pub kind: &'static str,
    /// What was not looked at: a path, a package, a layer, a source; empty when the whole source is meant.
    pub subject: String,
    /// Why, in one line without secrets.
    pub reason: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl Gap {
    /// A gap without a hint.
    pub fn new(source: SourceId, kind: &'static str, subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { source, kind, subject: subject.into(), reason: reason.into(), hint: None }
    }

    /// The same gap with advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How far one source got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceState {
    /// Which source.
    pub source: SourceId,
    /// How far it got.
    pub completeness: Completeness,
    /// Whether this run asked for it (command line or policy).
    pub asked: bool,
    /// Facts about the answer, sorted by name: pages, rows, database digest, as-of dates, scan times.
    pub details: BTreeMap<String, String>,
}

/// Whether a source looked at all there was to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    /// Everything was looked at.
    Complete,
    /// Something was not; the Gaps say what.
    Incomplete,
    /// Not asked for in this run.
    NotAsked,
}

impl Completeness {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
            Self::NotAsked => "not-asked",
        }
    }
}

/// What the whole run looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// One state per source, sorted by source.
    pub sources: Vec<SourceState>,
    /// Everything that was not looked at, sorted.
    pub gaps: Vec<Gap>,
}
