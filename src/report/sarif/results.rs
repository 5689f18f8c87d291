//! One subject in, one SARIF result out.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use serde_sarif::sarif;

use crate::{
    model::{
        finding::Finding,
        origin::Side,
        report::ScanReport,
        severity::RatingAuthor,
        verdict::{Effect, JudgedFinding},
    },
    report::escape,
};

use super::{
    location::{at_span, changed_file, deleted, message, of_finding, of_report},
    rules::{RuleTable, level},
    subject::Subject,
};

const TITLE: usize = 300;
const LIST: usize = 10;
const ID: usize = 200;

/// How often a fingerprint was seen in this run so far.
pub(super) type Ordinals = BTreeMap<String, u32>;

/// Whether the run is compared with a baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    Given,
    None,
}

/// The result of one subject.
pub(super) fn result(
    subject: &Subject<'_>,
    report: &ScanReport,
    rules: &RuleTable,
    ordinals: &mut Ordinals,
    baseline: Baseline,
) -> sarif::Result {
    let (text, location, related) = match subject {
        Subject::Finding(judged) => {
            let (location, related) = of_finding(judged, report);
            (finding_text(judged), location, related)
        }
        Subject::Requirement(requirement) => {
            (format!("{} is not met: {}", requirement.id, escape::shortened(&requirement.detail, TITLE)), of_report(report), Vec::new())
        }
        Subject::Gap(judged) => {
            let gap = &judged.gap;
            let subject = if gap.subject.is_empty() { String::new() } else { format!(" ({})", escape::shortened(&gap.subject, TITLE)) };
            (format!("{} was not looked at{subject}: {}", gap.source, escape::shortened(&gap.reason, TITLE)), of_report(report), Vec::new())
        }
    };
    let effect = subject.effect();
    let rule_id = subject.rule_id();
    let mut result = sarif::Result::builder().message(message(&text)).build();
    result.rule_index = rules.place(&rule_id);
    result.rule_id = Some(escape::visible(&escape::shortened(&rule_id, ID)).into_owned());
    result.level = Some(level(effect));
    result.locations = Some(vec![location]);
    if !related.is_empty() {
        result.related_locations = Some(related);
    }
    if let Subject::Finding(judged) = subject {
        result.fixes = fixes(&judged.finding).map(|fix| vec![fix]);
    }
    let fingerprint = subject.fingerprint(report);
    let ordinal = ordinals.entry(fingerprint.clone()).or_default();
    *ordinal += 1;
    let line_hash = format!("{}:{ordinal}", fingerprint.chars().take(16).collect::<String>());
    result.partial_fingerprints =
        Some(BTreeMap::from([("plimsoll/v1".to_owned(), fingerprint), ("primaryLocationLineHash".to_owned(), line_hash)]));
    if baseline == Baseline::Given {
        result.baseline_state = Some(json!(if effect == Effect::Known { "unchanged" } else { "new" }));
    }
    if matches!(effect, Effect::Accepted | Effect::Suppressed) {
        result.suppressions = Some(vec![suppression(subject, report)]);
    }
    result.properties = Some(sarif::PropertyBag::builder().additional_properties(properties(subject, report)).build());
    result
}

/// The last result of a run that a limit cut.
pub(super) fn truncated(left_out: usize, report: &ScanReport, rules: &RuleTable) -> sarif::Result {
    let text = format!(
        "{left_out} more results were left out, none of them worse than those in this file; the JSON report of the same run holds all"
    );
    let mut result = sarif::Result::builder().message(message(&text)).build();
    result.rule_id = Some("results-truncated".to_owned());
    result.rule_index = rules.place("results-truncated");
    result.level = Some(sarif::ResultLevel::Warning);
    result.locations = Some(vec![of_report(report)]);
    result.partial_fingerprints = Some(BTreeMap::from([("primaryLocationLineHash".to_owned(), "7265737472756e63:1".to_owned())]));
    result
}

fn finding_text(judged: &JudgedFinding) -> String {
    let finding = &judged.finding;
    let title = escape::shortened(&finding.title, TITLE);
    let Some(package) = &finding.package else { return title.into_owned() };
    let mut text = format!(
        "{} {} has {} ({}){}",
        escape::shortened(&package.name, TITLE),
        escape::shortened(&package.version, TITLE),
        escape::shortened(&finding.id, ID),
        judged.severity.name(),
        if finding.kev { ", known to be exploited" } else { "" }
    );
    match finding.fixed.as_slice() {
        [] => text.push_str("; no fixed version is known"),
        fixed => text.push_str(&format!("; fixed in {}", escape::shortened(&fixed.join(", "), TITLE))),
    }
    if !title.is_empty() && *title != *finding.id {
        text.push_str(": ");
        text.push_str(&title);
    }
    text
}

/// The edits that take a finding away.
fn fixes(finding: &Finding) -> Option<sarif::Fix> {
    let fix = finding.fix.as_ref()?;
    let file = fix.edits.first().and_then(|edit| changed_file(&edit.span))?;
    let replacements: Vec<_> = fix
        .edits
        .iter()
        .map(|edit| {
            let mut replacement = sarif::Replacement::builder().deleted_region(deleted(edit)).build();
            if !edit.replacement.is_empty() {
                let mut content = sarif::ArtifactContent::builder().build();
                content.text = Some(edit.replacement.clone());
                replacement.inserted_content = Some(content);
            }
            replacement
        })
        .collect();
    let change = sarif::ArtifactChange::builder().artifact_location(file).replacements(replacements).build();
    let mut made = sarif::Fix::builder().artifact_changes(vec![change]).build();
    made.description = Some(message(&format!("{} fix of {}", fix.kind.name(), finding.id)));
    Some(made)
}

fn suppression(subject: &Subject<'_>, report: &ScanReport) -> sarif::Suppression {
    let decision = subject.decision();
    let span = decision.and_then(|decision| decision.exception.as_deref());
    let in_source = span.is_some_and(|span| report.dockerfiles.iter().any(|summary| *summary.file == *span.file));
    let mut suppression = sarif::Suppression::builder().kind(json!(if in_source { "inSource" } else { "external" })).build();
    suppression.status = Some(json!("accepted"));
    suppression.justification = decision
        .map(|decision| escape::visible(&escape::shortened(&decision.reason, TITLE)).into_owned())
        .filter(|reason| !reason.is_empty());
    suppression.location = span.and_then(at_span);
    suppression
}

fn properties(subject: &Subject<'_>, report: &ScanReport) -> BTreeMap<String, Value> {
    let mut properties = BTreeMap::from([("effect".to_owned(), json!(subject.effect().name()))]);
    let mut put = |name: &str, value: Value| properties.insert(name.to_owned(), value);
    if let Some(decision) = subject.decision() {
        if let Some(clause) = &decision.clause {
            put("clause", json!(&**clause));
        }
        if !decision.reason.is_empty() {
            put("reason", json!(escape::shortened(&decision.reason, TITLE)));
        }
    }
    match subject {
        Subject::Finding(judged) => {
            let finding = &judged.finding;
            put("severity", json!(judged.severity.name()));
            if let Some(author) = judged.severity_author {
                put("severityAuthor", json!(author.name()));
            }
            let ratings: Vec<_> = finding
                .ratings
                .iter()
                .take(LIST)
                .map(|rating| rating_words(rating.author, rating.severity().name(), rating.score_tenths))
                .collect();
            if !ratings.is_empty() {
                put("ratings", json!(ratings));
            }
            let sources: std::collections::BTreeSet<_> = finding.evidence.iter().map(|evidence| evidence.source.name()).collect();
            if !sources.is_empty() {
                put("sources", json!(sources));
            }
            if !finding.fixed.is_empty() {
                put("fixed", json!(finding.fixed.iter().take(LIST).map(|version| escape::shortened(version, TITLE)).collect::<Vec<_>>()));
            }
            if finding.kev {
                put("kev", json!(true));
            }
            if let Some(origin) =
                report.image.as_ref().filter(|_| finding.package.is_some()).and_then(|image| image.origin(&finding.locations))
            {
                put("origin", json!(origin.side.map_or("unknown", Side::name)));
                if origin.doubt.is_some() {
                    put("lineIsUncertain", json!(true));
                }
            }
            if let Some(epss) = finding.epss_millionths {
                put("epss", json!(format!("{}.{:06}", epss / 1_000_000, epss % 1_000_000)));
            }
        }
        Subject::Requirement(requirement) => {
            put("requirement", json!(escape::shortened(&requirement.id, TITLE)));
            put("asks", json!(escape::shortened(&requirement.asks, TITLE)));
        }
        Subject::Gap(judged) => {
            put("source", json!(judged.gap.source.name()));
            if let Some(hint) = &judged.gap.hint {
                put("hint", json!(escape::shortened(hint, TITLE)));
            }
        }
    }
    properties
}

fn rating_words(author: RatingAuthor, severity: &str, score_tenths: Option<u16>) -> String {
    match score_tenths {
        Some(tenths) => format!("{} {severity} {}.{}", author.name(), tenths / 10, tenths % 10),
        None => format!("{} {severity}", author.name()),
    }
}
