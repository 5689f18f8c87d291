//! `Verdict`: outcome and every decision that led to it.

use std::sync::Arc;

use crate::model::{
    coverage::Gap,
    finding::Finding,
    location::Span,
    severity::{RatingAuthor, Severity},
};

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing is violated and everything required was looked at.
    Pass,
    /// Nothing is violated, but something required was not looked at.
    Incomplete,
    /// Something is violated.
    Fail,
}

impl Outcome {
    /// The upper-case word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Incomplete => "INCOMPLETE",
            Self::Fail => "FAIL",
        }
    }
}

/// What became of one finding, requirement or gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Violates the policy.
    Violation,
    /// Worth a warning.
    Warning,
    /// Neither.
    Noted,
    /// An exception lets it pass.
    Accepted,
    /// A source's rule, VEX or an in-file ignore hides it.
    Suppressed,
    /// A baseline knew it.
    Known,
}

impl Effect {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Warning => "warning",
            Self::Noted => "noted",
            Self::Accepted => "accepted",
            Self::Suppressed => "suppressed",
            Self::Known => "known",
        }
    }
}

/// The effect and what decided it. There are as many as findings, and few texts among them: decisions share theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The effect.
    pub effect: Effect,
    /// The clause that decided (`any-critical`, `rules.fail`, `evidence.default`), when one did.
    pub clause: Option<Arc<str>>,
    /// The exception that decided: where it stands.
    pub exception: Option<Box<Span>>,
    /// One line for people: reason of the exception, value compared, ...
    pub reason: Arc<str>,
}

/// A finding with its judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedFinding {
    /// The finding.
    pub finding: Finding,
    /// Effective severity under this policy.
    pub severity: Severity,
    /// Whose rating that is.
    pub severity_author: Option<RatingAuthor>,
    /// The judgement.
    pub decision: Decision,
}

/// A gap with its judgement: `Violation` means that it stops the gate (Outcome `Incomplete`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedGap {
    /// The gap.
    pub gap: Gap,
    /// The judgement.
    pub decision: Decision,
}

/// How one requirement of the policy came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedRequirement {
    /// The requirement's id, e.g. `signatures[0]` or the name given in the policy.
    pub id: String,
    /// One line: what is asked.
    pub asks: String,
    /// How it came out.
    pub state: RequirementState,
    /// Reason code when not met (`absent.signature`, `unmet.identity` ...).
    pub code: Option<&'static str>,
    /// One line: by what it was met, or why not.
    pub detail: String,
    /// The judgement when it was not met.
    pub decision: Option<Decision>,
}

/// How a requirement came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequirementState {
    /// It is met.
    Met,
    /// It is violated.
    Violated,
    /// It could not be checked; a Gap says why.
    NotChecked,
}

/// How one exception of the policy came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionUse {
    /// The exception's id.
    pub id: String,
    /// Where it stands.
    pub location: Span,
    /// What became of it: `used`, `unused`, `expired`, `too-long`, `owner`, `soon`, `other-image`.
    pub state: &'static str,
    /// How many findings it let pass.
    pub hits: usize,
}

/// Outcome and every decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// All findings, in report order: effective severity, then id, package, version.
    pub findings: Vec<JudgedFinding>,
    /// All gaps, sorted.
    pub gaps: Vec<JudgedGap>,
    /// All requirements, in policy order.
    pub requirements: Vec<JudgedRequirement>,
    /// All exceptions, in policy order.
    pub exceptions: Vec<ExceptionUse>,
}
