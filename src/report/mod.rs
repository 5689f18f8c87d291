//! Scan report in, bytes out. No I/O of its own, no judging; a format never changes the exit code.

mod cyclonedx;

use std::io;

pub use cyclonedx::CycloneDx;

use crate::model::report::ScanReport;

/// How a report for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// ANSI colours.
    pub colour: bool,
    /// Only ASCII characters.
    pub ascii: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// How much is shown.
    pub show: Show,
}

/// How much a report for people shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Show {
    /// Violations, requirements, gaps.
    Violations,
    /// Warnings as well.
    Warnings,
    /// Everything.
    All,
}

/// One output format.
pub trait Reporter: Sync {
    /// The id in `--output ID[=FILE]`.
    fn id(&self) -> &'static str;

    /// Writes the report.
    ///
    /// # Errors
    /// Only when `out` fails.
    fn write(&self, report: &ScanReport, style: &Style, out: &mut dyn io::Write) -> io::Result<()>;
}
