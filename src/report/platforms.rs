//! What the formats say about the reports of one run together, when there is one for each platform of an image.

use crate::model::report::ScanReport;

/// The report whose outcome counts for all: the first of the worst.
pub(crate) fn worst(reports: &[ScanReport]) -> Option<&ScanReport> {
    reports.iter().rev().max_by_key(|report| report.verdict.outcome)
}

/// On how many platforms the worst verdict is.
pub(crate) fn on_platforms(reports: &[ScanReport], worst: &ScanReport) -> String {
    let same = reports.iter().filter(|report| report.verdict.outcome == worst.verdict.outcome).count();
    if same == reports.len() { format!("on all {same} platforms") } else { format!("on {same} of {} platforms", reports.len()) }
}

/// The platform of a report's image; empty without an image.
pub(crate) fn platform(report: &ScanReport) -> String {
    report.image.as_ref().map(|image| image.platform.to_string()).unwrap_or_default()
}

/// For each report its platform as a part of a file name, such as `linux-arm-v7`; two images of one platform are told apart by their digest.
#[must_use]
pub fn file_parts(reports: &[ScanReport]) -> Vec<String> {
    let safe = |ch: char| if ch.is_ascii_alphanumeric() || ch == '.' { ch } else { '-' };
    let part = |report: &ScanReport| match platform(report) {
        platform if platform.is_empty() => "none".to_owned(),
        platform => platform.chars().map(safe).collect(),
    };
    let parts: Vec<String> = reports.iter().map(part).collect();
    let is_alone = |part: &String| parts.iter().filter(|other| *other == part).count() == 1;
    let digest = |report: &ScanReport| report.image.as_ref().map(|image| image.digest().short().to_owned()).unwrap_or_default();
    let told = |(part, report): (&String, &ScanReport)| if is_alone(part) { part.clone() } else { format!("{part}-{}", digest(report)) };
    let mut names: Vec<String> = Vec::new();
    for name in parts.iter().zip(reports).map(told) {
        // An architecture can be called as if it were another image's platform and digest.
        let unique = if names.contains(&name) { format!("{name}-{}", names.len() + 1) } else { name };
        names.push(unique);
    }
    names
}
