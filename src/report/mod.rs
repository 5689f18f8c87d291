//! Scan report in, bytes out. No I/O of its own, no judging; a format never changes the exit code.

mod count;
mod cyclonedx;
mod escape;
mod github;
mod json;
mod junit;
mod markdown;
mod place;
mod platforms;
mod sarif;
mod sbom;
mod spdx;
mod text;
mod upgrade;

use std::io;

use crate::model::report::ScanReport;

pub(crate) use self::escape::visible;
pub use self::{
    cyclonedx::CycloneDx,
    github::Github,
    json::Json,
    junit::Junit,
    markdown::Markdown,
    platforms::file_parts,
    sarif::{Sarif, SarifGithub},
    spdx::Spdx,
    text::Text,
};

/// Every output format, sorted by id.
pub const REPORTERS: &[&dyn Reporter] = &[
    &CycloneDx::JSON,
    &CycloneDx::JSON_1_5,
    &CycloneDx::XML,
    &CycloneDx::XML_1_5,
    &Github,
    &Json,
    &Junit,
    &Markdown,
    &Sarif,
    &SarifGithub,
    &Spdx,
    &Text,
];

/// Other names of formats: short ones, and those that users bring along from other tools.
const ALIASES: &[(&str, &str)] = &[
    ("cyclonedx", "cyclonedx-json"),
    ("cyclonedx-json@1.5", "cyclonedx-json-1.5"),
    ("cyclonedx-json@1.6", "cyclonedx-json"),
    ("cyclonedx-xml@1.5", "cyclonedx-xml-1.5"),
    ("cyclonedx-xml@1.6", "cyclonedx-xml"),
    ("spdx", "spdx-json"),
    ("spdx-json@2.3", "spdx-json"),
    ("table", "text"),
];

/// The format with this id or other name.
#[must_use]
pub fn reporter(id: &str) -> Option<&'static dyn Reporter> {
    let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, id)| id);
    REPORTERS.iter().copied().find(|reporter| reporter.id() == id)
}

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
    /// Everything. SARIF then holds the noted findings too.
    All,
}

impl Default for Style {
    /// No colours, UTF-8, 100 columns, violations: what a file gets.
    fn default() -> Self {
        Self { colour: false, ascii: false, width: 100, show: Show::Violations }
    }
}

/// One output format.
pub trait Reporter: Sync {
    /// The id in `--output ID[=FILE]`.
    fn id(&self) -> &'static str;

    /// Writes the reports of one run, of which there is more than one only where an image has several platforms, as one document.
    ///
    /// # Errors
    /// Only when `out` fails, or with `Unsupported` for several reports in a format that speaks of one image (see [`Reporter::joins_platforms`]).
    fn write(&self, reports: &[ScanReport], style: &Style, out: &mut dyn io::Write) -> io::Result<()>;

    /// Whether one document can speak of several platforms.
    fn joins_platforms(&self) -> bool {
        true
    }

    /// Whether a document is a list of packages, which says nothing where nobody looked at any.
    fn lists_packages(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reporters_are_sorted_and_found_by_id() {
        let ids: Vec<_> = REPORTERS.iter().map(|reporter| reporter.id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for id in ids {
            assert_eq!(reporter(id).map(Reporter::id), Some(id));
        }
        assert!(reporter("").is_none());
        for (alias, id) in ALIASES {
            assert_eq!(reporter(alias).map(Reporter::id), Some(*id), "{alias}");
        }
    }
}
