//! `ScanReport`: everything that a run found out and decided; what reporters print.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    attestation::Verification, coverage::SourceState, digest::Digest, fix::FixSummary, image::ResolvedImage, package::Inventory,
    policy::Mode, verdict::Verdict,
};

/// Everything that a run found out and decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanReport {
    /// Which command made it: `gate`, `scan`, `lint`, `verify`.
    pub command: &'static str,
    /// Plimsoll's version.
    pub tool_version: &'static str,
    /// The clock of evaluation.
    pub evaluated_at: Timestamp,
    /// `SOURCE_DATE_EPOCH`, when it was set: the time of documents that otherwise bear the image's.
    pub source_date: Option<Timestamp>,
    /// Name, digest and files of the policy.
    pub policy: PolicySummary,
    /// The image, when one was asked for.
    pub image: Option<ResolvedImage>,
    /// The Dockerfiles that were read.
    pub dockerfiles: Vec<DockerfileSummary>,
    /// What was mended in them.
    pub fixes: Vec<FixSummary>,
    /// The packages, when an inventory was made.
    pub inventory: Option<Inventory>,
    /// Signatures and attestations, when they were looked for.
    pub verification: Option<Verification>,
    /// How far each source got, sorted.
    pub sources: Vec<SourceState>,
    /// The verdict.
    pub verdict: Verdict,
    /// The exit code that goes with it.
    pub exit_code: u8,
}

/// What a report says about its policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySummary {
    /// Name.
    pub name: String,
    /// Digest of the merged policy.
    pub digest: Digest,
    /// Files read, with their digests.
    pub files: Vec<(String, Digest)>,
    /// Mode.
    pub mode: Mode,
}

/// What a report says about a Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DockerfileSummary {
    /// Path as the user named it.
    pub file: String,
    /// Line of the final stage's FROM, the fallback for package findings.
    pub final_from_line: Option<u32>,
    /// Text of that FROM instruction, blanks folded.
    pub final_from: Option<String>,
    /// Text of the instructions that findings stand on, by first line, blanks folded; lines without a finding may be missing.
    pub instructions: BTreeMap<u32, String>,
}
