//! Findings in, SARIF locations out: a line of the checkout when there is one, else the image, always with logical locations.

use serde_sarif::sarif;

use crate::{
    model::{
        fix::Edit,
        location::{Location, Span},
        report::ScanReport,
        verdict::JudgedFinding,
    },
    report::{
        escape,
        place::{Place, span_of},
    },
};

use super::uri;

/// GitHub shows 100 of 1,000; more than this helps nobody.
const RELATED: usize = 20;
const PATH: usize = 1_000;

/// The one location and the related ones of a finding.
pub(super) fn of_finding(judged: &JudgedFinding, report: &ScanReport) -> (sarif::Location, Vec<sarif::Location>) {
    let finding = &judged.finding;
    let main_span = finding.locations.iter().find_map(span_of);
    let mut location = main_span
        .and_then(at_span)
        .or_else(|| finding.package.as_ref().and_then(|_| made_by(judged, report).or_else(|| fallback_line(report))))
        .unwrap_or_else(|| of_image(report));
    let logical = logical(judged, report);
    if !logical.is_empty() {
        location.logical_locations = Some(logical);
    }
    let image_uri = image_uri(report);
    let related = finding
        .locations
        .iter()
        .filter(|location| span_of(location).is_none_or(|span| Some(span) != main_span))
        .filter_map(|location| match location {
            Location::Dockerfile(span) | Location::Policy(span) => at_span(span),
            Location::Image { path, layer, .. } => {
                // A cut path would name another file.
                let uri = if path.chars().count() > PATH { image_uri.clone() } else { uri::below(&image_uri, path) };
                let mut at = physical(uri, Some(whole()));
                at.message = Some(message(&format!("{} in layer {}", escape::shortened(path, PATH), layer)));
                Some(at)
            }
            Location::History { .. } | Location::Config => None,
        })
        .take(RELATED)
        .zip(1_i64..)
        .map(|(mut location, id)| {
            location.id = Some(id);
            location
        })
        .collect();
    (location, related)
}

/// Where requirements and Gaps stand: the final FROM, else the image.
pub(super) fn of_report(report: &ScanReport) -> sarif::Location {
    fallback_line(report).unwrap_or_else(|| of_image(report))
}

/// Where an exception stands.
pub(super) fn at_span(span: &Span) -> Option<sarif::Location> {
    let mut region =
        sarif::Region::builder().start_line(i64::from(span.line.max(1))).end_line(i64::from(span.end_line.max(span.line).max(1))).build();
    region.start_column = span.column.filter(|column| *column > 0).map(i64::from);
    // The end column of SARIF is the one behind the last character; without a start column it would say nothing.
    region.end_column = region.start_column.and(span.end_column).map(|column| i64::from(column) + 1);
    if region.start_line == region.end_line && region.end_column.is_some_and(|end| Some(end) <= region.start_column) {
        region.end_column = None;
    }
    Some(physical(uri::checkout(&span.file)?, Some(region)))
}

/// The file of an edit.
pub(super) fn changed_file(span: &Span) -> Option<sarif::ArtifactLocation> {
    Some(sarif::ArtifactLocation::builder().uri(uri::checkout(&span.file)?).uri_base_id("%SRCROOT%").build())
}

/// What an edit takes out; a region without a character is a place to put something in.
pub(super) fn deleted(edit: &Edit) -> sarif::Region {
    let span = &edit.span;
    let column = i64::from(span.column.unwrap_or(1).max(1));
    let mut region = sarif::Region::builder().start_line(i64::from(span.line.max(1))).start_column(column).build();
    let (end_line, end_column) = if edit.range.is_empty() {
        (region.start_line, column)
    } else {
        (Some(i64::from(span.end_line.max(span.line).max(1))), i64::from(span.end_column.unwrap_or(1)) + 1)
    };
    region.end_line = end_line;
    region.end_column = Some(end_column);
    region
}

/// The instruction that made the layer which the package is in.
fn made_by(judged: &JudgedFinding, report: &ScanReport) -> Option<sarif::Location> {
    at_span(report.image.as_ref()?.origin(&judged.finding.locations)?.span.as_ref()?)
}

fn fallback_line(report: &ScanReport) -> Option<sarif::Location> {
    match Place::base(report)? {
        Place::Base { file, line, .. } => at_span(&Span::lines(file, line, line)),
        _ => None,
    }
}

fn of_image(report: &ScanReport) -> sarif::Location {
    match (&report.image, report.dockerfiles.iter().find_map(|summary| uri::checkout(&summary.file))) {
        (None, Some(file)) => physical(file, Some(whole())),
        _ => physical(image_uri(report), Some(whole())),
    }
}

/// The region of what has no lines; code scanning and the validator of the format want one on every location.
fn whole() -> sarif::Region {
    sarif::Region::builder().start_line(1_i64).end_line(1_i64).build()
}

fn image_uri(report: &ScanReport) -> String {
    report.image.as_ref().map_or_else(|| "oci/image".to_owned(), |image| format!("oci/{}", uri::repository(image)))
}

fn physical(uri: String, region: Option<sarif::Region>) -> sarif::Location {
    let artifact = sarif::ArtifactLocation::builder().uri(uri).uri_base_id("%SRCROOT%").build();
    let mut physical = sarif::PhysicalLocation::builder().artifact_location(artifact).build();
    physical.region = region;
    sarif::Location::builder().physical_location(physical).build()
}

/// Package, layer and path: what the finding is about, whatever line it stands on.
fn logical(judged: &JudgedFinding, report: &ScanReport) -> Vec<sarif::LogicalLocation> {
    let one = |kind: &str, name: &str, full: &str| {
        sarif::LogicalLocation::builder()
            .kind(kind)
            .name(escape::visible(&escape::shortened(name, PATH)))
            .fully_qualified_name(escape::visible(&escape::shortened(full, PATH)))
            .build()
    };
    let finding = &judged.finding;
    let mut logical = Vec::new();
    if let Some(package) = &finding.package {
        logical.push(one("package", &package.name, package.purl.as_ref().map_or(package.name.as_str(), |purl| purl.as_str())));
    }
    for location in &finding.locations {
        match location {
            Location::Image { layer, path, .. } => {
                logical.push(one("layer", layer.short(), &layer.to_string()));
                logical.push(one("file", path.rsplit('/').next().unwrap_or(path), path));
                break;
            }
            Location::History { index, .. } => logical.push(one("history", &index.to_string(), &format!("history/{index}"))),
            Location::Config => logical.push(one("config", "config", "config")),
            Location::Dockerfile(_) | Location::Policy(_) => {}
        }
    }
    if let (true, None, Some(image)) = (logical.is_empty(), finding.locations.first(), &report.image) {
        logical.push(one("image", &image.reference.to_string(), &image.digest().to_string()));
    }
    logical
}

/// A message of plain text that holds no link and ends as a sentence does.
pub(super) fn message(text: &str) -> sarif::Message {
    sarif::Message::builder().text(sentence(text)).build()
}

/// The text made visible, without embedded links (SARIF 2.1.0, 3.11.6), ending in a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut text = escape::visible(text.trim()).replace("](", "] (");
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}
