//! `ExitStatus` and its numbers: the same whatever the command and the report format.

use crate::model::{policy::Mode, verdict::Outcome};

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitStatus {
    /// The policy passes.
    Pass,
    /// The policy fails.
    Fail,
    /// Arguments, policy file, input or internal error.
    Error,
    /// Nothing failed, but required evidence is missing or incomplete.
    Incomplete,
}

impl ExitStatus {
    /// The process exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 2,
            Self::Incomplete => 3,
        }
    }

    /// The status that goes with an outcome; audit mode turns everything but errors into a pass.
    #[must_use]
    pub const fn of(outcome: Outcome, mode: Mode) -> Self {
        match (mode, outcome) {
            (Mode::Audit, _) | (Mode::Enforce, Outcome::Pass) => Self::Pass,
            (Mode::Enforce, Outcome::Fail) => Self::Fail,
            (Mode::Enforce, Outcome::Incomplete) => Self::Incomplete,
        }
    }
}
