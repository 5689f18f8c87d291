//! What the verdict of the text report rests on: packages and sources, and the Gaps where something was not looked at.

use crate::{
    model::{
        coverage::{Completeness, SourceId},
        lint::{RULES_HALF, RULES_NEED},
        report::ScanReport,
        verdict::{Effect, Outcome},
    },
    report::{Show, Style, count::plural, escape},
};

use super::{
    layout::{Layout, Piece, faint, strong},
    sections::{LABEL, PROSE, labelled},
};

/// Gaps that are shown without `--show all`.
const GAP_ROWS: usize = 12;

/// What the verdict rests on: packages and sources.
pub(super) fn looked_at(report: &ScanReport, style: Style, layout: &mut Layout) {
    let mut words = Vec::new();
    if let Some(inventory) = &report.inventory {
        let distro = inventory.distro.as_ref().map(|distro| match &distro.version_id {
            Some(version) => format!(" of {} {version}", distro.id),
            None => format!(" of {}", distro.id),
        });
        words.push(format!("{}{}", plural(inventory.packages.len(), "package"), distro.unwrap_or_default()));
    }
    if report.image.is_some() && !report.dockerfiles.is_empty() {
        words.push(plural(report.dockerfiles.len(), "Dockerfile"));
    }
    words.extend(untraced(report));
    let named = |wanted| {
        report.sources.iter().filter(move |state| state.completeness == wanted).map(|state| state.source.name()).collect::<Vec<_>>()
    };
    let complete = named(Completeness::Complete);
    if !complete.is_empty() {
        words.push(format!("complete: {}", complete.join(", ")));
    }
    let incomplete = named(Completeness::Incomplete);
    if !incomplete.is_empty() {
        words.push(format!("incomplete: {}", incomplete.join(", ")));
    }
    let not_asked = named(Completeness::NotAsked);
    if !not_asked.is_empty() {
        words.push(format!("not asked: {}", not_asked.join(", ")));
    }
    if words.is_empty() {
        words.push("nothing".to_owned());
    }
    labelled(layout, "Looked at", vec![Piece::prose(words.join("; "))]);
    for line in passed_over(report) {
        labelled(layout, "", vec![Piece::prose(line)]);
    }
    if style.show == Show::All {
        for state in report.sources.iter().filter(|state| !state.details.is_empty()) {
            let facts: Vec<_> = state.details.iter().map(|(name, value)| format!("{name} {value}")).collect();
            layout.line(LABEL, LABEL + 2, &[Piece::prose(format!("{}: {}", state.source, facts.join(", "))).with(faint())]);
        }
    }
}

/// Which rules about Dockerfiles could not look, and for want of what.
fn passed_over(report: &ScanReport) -> Vec<String> {
    let Some(state) = report.sources.iter().find(|state| state.source == SourceId::Dockerfile) else { return Vec::new() };
    let needs = state.details.iter().filter_map(|(key, ids)| Some((key.strip_prefix(RULES_NEED)?, ids.split_whitespace().count())));
    let needs: Vec<(&str, usize)> = needs.collect();
    let total: usize = needs.iter().map(|(_, count)| count).sum();
    let words: Vec<String> = needs
        .into_iter()
        .map(|(need, count)| {
            let what = match need {
                "image" => "the built image",
                "config" => "settings of the policy",
                "context" => "--context",
                "network" => "the base image from its registry",
                other => other,
            };
            format!("{count} {} {what}", if count == 1 { "needs" } else { "need" })
        })
        .collect();
    let mut lines = Vec::new();
    if total > 0 {
        lines.push(format!("{} did not run: {}", plural(total, "rule"), words.join(", ")));
    }
    lines.extend(
        state
            .details
            .get(RULES_HALF)
            .map(|count| format!("{count} rules about security saw only a part of the shell code (gap unread-shell)")),
    );
    lines
}

/// The first reason why layers have no line, and how many have none.
fn untraced(report: &ScanReport) -> Option<String> {
    let layers = &report.image.as_ref()?.layers;
    let doubts: Vec<&str> = layers.iter().filter_map(|layer| layer.origin.as_ref()?.doubt.as_deref()).collect();
    let first = doubts.first()?;
    Some(format!("no certain line for {} of {}: {first}", doubts.len(), plural(layers.len(), "layer")))
}

/// Gaps that stop the gate, with advice; the others counted or, when asked for, shown.
pub(super) fn gaps(report: &ScanReport, style: Style, layout: &mut Layout) {
    let mut gaps: Vec<_> = report.verdict.gaps.iter().collect();
    gaps.sort_by(|a, b| (a.decision.effect, &a.gap).cmp(&(b.decision.effect, &b.gap)));
    let wanted = |effect: Effect| match effect {
        Effect::Violation => true,
        Effect::Warning => style.show >= Show::Warnings,
        Effect::Noted | Effect::Accepted | Effect::Suppressed | Effect::Known => style.show >= Show::All,
    };
    let limit = if style.show == Show::All { usize::MAX } else { GAP_ROWS };
    let (mut label, mut shown) = ("Gaps", 0);
    for judged in gaps.iter().filter(|judged| wanted(judged.decision.effect)).take(limit) {
        let gap = &judged.gap;
        let worth = match judged.decision.effect {
            Effect::Violation => "",
            other => other.name(),
        };
        let line = vec![
            Piece::name(format!("{}: {}", gap.source, gap.kind)).with(strong()),
            Piece::name(&*gap.subject),
            Piece::prose(escape::shortened(&gap.reason, PROSE)),
            Piece::prose(worth),
            Piece::prose(gap.hint.as_ref().map(|hint| format!("(hint: {})", escape::shortened(hint, PROSE))).unwrap_or_default()),
        ];
        labelled(layout, std::mem::take(&mut label), line);
        shown += 1;
    }
    let stopping = gaps.iter().filter(|judged| judged.decision.effect == Effect::Violation).count();
    if gaps.len() > shown {
        let more_stopping = stopping.saturating_sub(shown);
        let how =
            if more_stopping > 0 { format!("{more_stopping} of them stop the gate") } else { "none of them stops the gate".to_owned() };
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::prose(format!("... {} more, {how}: --show all", gaps.len() - shown)).with(faint())],
        );
    }
    if stopping > 0 && report.verdict.outcome == Outcome::Fail {
        labelled(layout, "", vec![Piece::prose("without the violations this would be INCOMPLETE, exit 3").with(faint())]);
    }
}
