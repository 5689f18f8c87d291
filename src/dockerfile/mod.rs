//! Dockerfile text in, findings out (design: `.github/ARCHITECTURE.md`, "Dockerfiles"). Pure: no I/O, no clock.

use std::collections::BTreeMap;

use crate::model::{coverage::Gap, finding::Finding, policy::Exception, report::DockerfileSummary};

/// One Dockerfile to judge.
#[derive(Debug, Clone, Copy)]
pub struct LintInput<'a> {
    /// The path as the user named it; appears in every location.
    pub file: &'a str,
    /// The bytes of the file; invalid UTF-8 is legal.
    pub bytes: &'a [u8],
    /// `--build-arg` values.
    pub build_args: &'a BTreeMap<String, String>,
    /// `--target` stage.
    pub target: Option<&'a str>,
}

/// What there is to say about one Dockerfile.
#[derive(Debug, Clone)]
pub struct LintReport {
    /// Findings in file order, then by rule id.
    pub findings: Vec<Finding>,
    /// In-file ignores, as exceptions with the lines they cover.
    pub ignores: Vec<Exception>,
    /// What could not be judged.
    pub gaps: Vec<Gap>,
    /// The final stage's FROM, for package findings.
    pub summary: DockerfileSummary,
}
