//! The sections of the text report, in the order in which they are printed.

use crate::{
    model::{
        policy::Mode,
        report::ScanReport,
        verdict::{Effect, Outcome, RequirementState},
    },
    report::{
        Show, Style,
        count::{Counts, plural, requirement_effect},
        escape,
        platforms::{on_platforms, platform, worst},
    },
};

use super::layout::{Layout, Piece, faint, outcome, strong};

/// Requirements that are met and are shown without `--show all`.
const MET_ROWS: usize = 3;
/// Width of a section's label.
pub(super) const LABEL: usize = 13;
/// Longest title or reason in characters.
pub(super) const PROSE: usize = 300;

/// The verdict on all platforms, and a line for each.
pub(super) fn platforms(reports: &[ScanReport], layout: &mut Layout) {
    let Some(worst) = worst(reports) else { return };
    let numbers = |report: &ScanReport| {
        let counts = Counts::of(report);
        let all = [(counts.violations(), "violation"), (counts.warnings(), "warning"), (counts.gaps, "gap")];
        all.into_iter().filter(|(count, _)| *count > 0).map(|(count, noun)| plural(count, noun)).collect::<Vec<_>>().join(", ")
    };
    layout.line(
        0,
        2,
        &[
            Piece::name(worst.verdict.outcome.name()).with(outcome(worst.verdict.outcome)),
            Piece::prose(on_platforms(reports, worst)),
            Piece::name(format!("exit {}", worst.exit_code)).with(strong()),
        ],
    );
    let width = reports.iter().map(|report| platform(report).chars().count()).max().unwrap_or_default();
    for report in reports {
        let verdict = Piece::name(report.verdict.outcome.name()).with(outcome(report.verdict.outcome));
        let mut line = vec![Piece::name(platform(report)).padded(width), verdict];
        line.extend(Some(numbers(report)).filter(|numbers| !numbers.is_empty()).map(Piece::prose));
        layout.line(2, 2, &line);
    }
}

/// The bill of materials that was judged in the place of an image.
fn document(report: &ScanReport) -> Option<&str> {
    report.sources.iter().find_map(|state| state.details.get("document")).map(String::as_str)
}

/// One line: what was judged.
pub(super) fn subject(report: &ScanReport, layout: &mut Layout) {
    let mut line = vec![Piece::name(format!("plimsoll {}", report.tool_version)).with(faint())];
    if report.policy.mode == Mode::Audit {
        line.push(Piece::name("AUDIT, exit 0 whatever the verdict").with(strong()));
    }
    match &report.image {
        Some(image) => {
            line.push(Piece::name(image.reference.to_string()).with(strong()));
            line.push(Piece::name(format!("{}:{}", image.digest().algorithm().name(), image.digest().short())));
            line.push(Piece::name(image.platform.to_string()));
        }
        None if report.inventory.is_some() => line.extend(document(report).map(|name| Piece::name(name.to_owned()).with(strong()))),
        None => line.extend(report.dockerfiles.iter().take(5).map(|summary| Piece::name(&*summary.file).with(strong()))),
    }
    if report.image.is_none() && report.dockerfiles.len() > 5 {
        line.push(Piece::name(format!("and {} more", report.dockerfiles.len() - 5)));
    }
    layout.line(0, 2, &line);
}

/// One line: the verdict.
pub(super) fn head(report: &ScanReport, layout: &mut Layout) {
    let counts = Counts::of(report);
    let said = match report.verdict.outcome {
        Outcome::Pass => "nothing is violated",
        Outcome::Incomplete => "nothing is violated, but not everything was looked at",
        Outcome::Fail => "",
    };
    let mut numbers = Vec::new();
    if counts.violations() > 0 {
        numbers.push(plural(counts.violations(), "violation"));
    }
    if counts.warnings() > 0 {
        numbers.push(plural(counts.warnings(), "warning"));
    }
    if counts.gaps > 0 {
        numbers.push(plural(counts.gaps, "gap"));
    }
    layout.line(
        0,
        2,
        &[
            Piece::name(report.verdict.outcome.name()).with(outcome(report.verdict.outcome)),
            Piece::prose(said),
            Piece::prose(numbers.join(", ")),
            Piece::name(format!("policy {} {}", report.policy.name, report.policy.digest.hex().chars().take(8).collect::<String>())),
            Piece::name(format!("exit {}", report.exit_code)).with(strong()),
        ],
    );
}

pub(super) fn labelled(layout: &mut Layout, label: &str, pieces: Vec<Piece>) {
    if label.is_empty() {
        return layout.line(LABEL, LABEL, &pieces);
    }
    let mut line = vec![Piece::name(label).with(strong()).padded(LABEL - 2)];
    line.extend(pieces);
    layout.line(0, LABEL, &line);
}

/// Requirements: those not met always, those met while they are few.
pub(super) fn requirements(report: &ScanReport, style: Style, layout: &mut Layout) {
    let all = &report.verdict.requirements;
    let met: Vec<_> = all.iter().filter(|requirement| requirement.state == RequirementState::Met).collect();
    let mut label = "Required";
    for requirement in all.iter().filter(|requirement| requirement.state != RequirementState::Met) {
        let (word, look) = match (requirement.state, requirement_effect(requirement)) {
            (RequirementState::NotChecked, _) => ("not checked", outcome(Outcome::Incomplete)),
            (_, Some(Effect::Violation)) => ("VIOLATED", outcome(Outcome::Fail)),
            (_, effect) => (effect.map_or("not met", Effect::name), outcome(Outcome::Incomplete)),
        };
        let code = requirement.code.map(|code| Piece::name(code).with(strong()));
        let mut line = vec![Piece::name(word).with(look), Piece::name(&*requirement.id)];
        line.extend(code);
        line.push(Piece::prose(escape::shortened(&requirement.detail, PROSE)));
        line.push(Piece::prose(format!("(asked: {})", escape::shortened(&requirement.asks, PROSE))).with(faint()));
        labelled(layout, std::mem::take(&mut label), line);
    }
    let shown = if style.show == Show::All { met.len() } else { met.len().min(MET_ROWS) };
    for requirement in met.iter().take(shown) {
        let line = vec![Piece::name("met"), Piece::name(&*requirement.id), Piece::prose(escape::shortened(&requirement.detail, PROSE))];
        labelled(layout, std::mem::take(&mut label), line);
    }
    if met.len() > shown {
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::prose(format!("... {} more met: --show all", met.len() - shown)).with(faint())],
        );
    }
}

/// How many findings were judged otherwise, and what shows them.
pub(super) fn left_out(report: &ScanReport, style: Style, layout: &mut Layout) {
    let counts = Counts::of(report);
    let part = |effect: Effect, said: &str| match counts.findings(effect) {
        0 => None,
        count => Some(format!("{count} {said}")),
    };
    if style.show < Show::Warnings
        && let Some(warnings) = part(Effect::Warning, "to warn of")
    {
        labelled(layout, "Warnings", vec![Piece::prose(warnings), Piece::name("--show warnings").with(faint())]);
    }
    if style.show < Show::All {
        let parts: Vec<_> = [
            part(Effect::Accepted, "accepted by exceptions"),
            part(Effect::Suppressed, "suppressed"),
            part(Effect::Known, "known from the baseline"),
            part(Effect::Noted, "noted"),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !parts.is_empty() {
            labelled(layout, "Left out", vec![Piece::prose(parts.join(", ")), Piece::name("--show all").with(faint())]);
        }
    }
}

/// Exceptions that need a hand.
pub(super) fn exceptions(report: &ScanReport, layout: &mut Layout) {
    let mut label = "Exceptions";
    for exception in report.verdict.exceptions.iter().filter(|exception| exception.state != "used") {
        let said = match exception.state {
            "soon" => "ends soon",
            "unused" => "is not used",
            "expired" => "has expired",
            "too-long" => "runs longer than the policy allows",
            "owner" => "has no owner",
            "other-image" => "is for another image",
            other => other,
        };
        let line = vec![
            Piece::name(&*exception.id),
            Piece::prose(said),
            Piece::name(format!("({}:{})", exception.location.file, exception.location.line)).with(faint()),
        ];
        labelled(layout, std::mem::take(&mut label), line);
    }
}
