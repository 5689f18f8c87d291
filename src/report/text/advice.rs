//! What the text report says to do next: upgrades, rules to mend, exceptions to renew, what to have explained.

use crate::{
    model::{finding::FindingKind, origin::Side, package::PackageKind, report::ScanReport, verdict::Effect},
    report::{
        count::{plural, requirement_effect, worst_first},
        escape,
        place::Place,
        upgrade::Advice,
    },
};

use super::{
    layout::{Layout, Piece, faint, strong},
    sections::labelled,
};

/// Upgrades and rules that are shown.
const UPGRADES: usize = 6;
const RULES: usize = 6;

/// What to do.
pub(super) fn next(report: &ScanReport, layout: &mut Layout) {
    let advice = Advice::of(report);
    let mut label = "Next";
    if advice.upgrades.iter().any(|upgrade| upgrade.os)
        && is_of_base(report)
        && let Some(base) = Place::base(report)
    {
        let text = base.text(report).map(|text| format!(" ({})", escape::shortened(&text, 100))).unwrap_or_default();
        let line = format!("use a newer base image at {base}{text}, or upgrade in a RUN:");
        labelled(layout, std::mem::take(&mut label), vec![Piece::prose(line)]);
    }
    for upgrade in advice.upgrades.iter().take(UPGRADES) {
        let names = match upgrade.names.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => format!("{first}, {second}, {third} and {} more", rest.len()),
            names => names.join(", "),
        };
        let line = vec![
            Piece::name("upgrade"),
            Piece::prose(names),
            Piece::name(format!("{} -> {}", upgrade.installed, upgrade.to)).with(strong()),
            Piece::name(format!("clears {}", upgrade.clears)).with(faint()),
        ];
        labelled(layout, std::mem::take(&mut label), line);
    }
    if let Some(rest) = advice.upgrades.get(UPGRADES..).filter(|rest| !rest.is_empty()) {
        let clears: usize = rest.iter().map(|upgrade| upgrade.clears).sum();
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::prose(format!("... {} clear {clears}: --output json", plural(rest.len(), "more upgrade"))).with(faint())],
        );
    }
    if advice.without_fix > 0 {
        let line =
            format!("{} without a known fix: remove the package, or write a dated exception", plural(advice.without_fix, "violation"));
        labelled(layout, std::mem::take(&mut label), vec![Piece::prose(line)]);
    }
    if !advice.rules.is_empty() {
        let mut rules: Vec<_> = advice
            .rules
            .iter()
            .take(RULES)
            .map(|(id, count)| if *count == 1 { (*id).to_owned() } else { format!("{id} ({count} times)") })
            .collect();
        if advice.rules.len() > RULES {
            rules.push(format!("and {} more rules", advice.rules.len() - RULES));
        }
        labelled(layout, std::mem::take(&mut label), vec![Piece::prose(format!("mend {}", rules.join(", ")))]);
    }
    if advice.mended > 0 {
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::name("plimsoll lint --fix"), Piece::prose(format!("mends {}", plural(advice.mended, "finding"))).with(faint())],
        );
    }
    if advice.exceptions > 0 {
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::prose(format!("renew or remove {} of the policy", plural(advice.exceptions, "exception")))],
        );
    }
    if let Some(id) = explainable(report) {
        labelled(layout, std::mem::take(&mut label), vec![Piece::name(format!("plimsoll explain {id}"))]);
    }
}

/// Whether the base image may have brought a package of the distribution that is a violation: then a newer one may help.
fn is_of_base(report: &ScanReport) -> bool {
    report.verdict.findings.iter().filter(|judged| judged.decision.effect == Effect::Violation).any(|judged| {
        let package = judged.finding.package.as_ref();
        let is_os = package.is_some_and(|package| package.kind.is_some_and(PackageKind::is_os));
        is_os && report.image.as_ref().is_none_or(|image| image.sides(&judged.finding.locations).may_be(Side::Base))
    })
}

/// What is most worth explaining: the worst violation, else a requirement's or a Gap's code.
fn explainable(report: &ScanReport) -> Option<String> {
    let verdict = &report.verdict;
    let worst = verdict
        .findings
        .iter()
        .filter(|judged| judged.decision.effect == Effect::Violation && !matches!(judged.finding.kind, FindingKind::Exception))
        .min_by(|a, b| worst_first(a).cmp(&worst_first(b)))
        .map(|judged| judged.finding.id.clone());
    let requirement = || {
        verdict
            .requirements
            .iter()
            .filter(|requirement| requirement_effect(requirement) == Some(Effect::Violation))
            .find_map(|requirement| requirement.code.map(str::to_owned))
    };
    let gap = || verdict.gaps.iter().find(|judged| judged.decision.effect == Effect::Violation).map(|judged| judged.gap.kind.to_owned());
    worst.or_else(requirement).or_else(gap)
}
