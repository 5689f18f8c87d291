//! The sections of the text report, in the order in which they are printed.

use crate::{
    model::{
        coverage::{Completeness, SourceId},
        finding::{Finding, FindingKind},
        fix::FixKind,
        lint::{RULES_HALF, RULES_NEED},
        origin::Side,
        package::PackageKind,
        policy::Mode,
        report::ScanReport,
        verdict::{Effect, JudgedFinding, Outcome, RequirementState},
    },
    report::{
        Show, Style,
        count::{Counts, plural, requirement_effect, worst_first},
        escape,
        place::Place,
        platforms::{on_platforms, platform, worst},
        upgrade::Advice,
    },
};

use super::{
    groups::{Group, Row, groups},
    layout::{Layout, Piece, faint, outcome, severity, strong},
};

/// Rows of one group and of one effect that are shown without `--show all`.
const GROUP_ROWS: usize = 12;
const EFFECT_ROWS: usize = 40;
/// Gaps, requirements that are met, upgrades and rules that are shown without `--show all`.
const GAP_ROWS: usize = 12;
const MET_ROWS: usize = 3;
const UPGRADES: usize = 6;
const RULES: usize = 6;
/// Width of a section's label.
pub(super) const LABEL: usize = 13;
/// Longest title or reason in characters.
const PROSE: usize = 300;

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

/// Violations, then whatever else `--show` asks for, each grouped by the line to edit.
pub(super) fn findings(report: &ScanReport, style: Style, layout: &mut Layout) {
    effect(report, style, Effect::Violation, layout);
    if style.show >= Show::Warnings {
        effect(report, style, Effect::Warning, layout);
    }
    if style.show >= Show::All {
        for one in [Effect::Accepted, Effect::Suppressed, Effect::Known, Effect::Noted] {
            effect(report, style, one, layout);
        }
    }
}

fn effect(report: &ScanReport, style: Style, effect: Effect, layout: &mut Layout) {
    let groups = groups(report, effect);
    if groups.is_empty() {
        return;
    }
    layout.gap();
    if effect != Effect::Violation {
        let total = groups.iter().flat_map(|group| &group.rows).map(|row| row.findings).sum();
        layout.line(0, 2, &[Piece::name(format!("{}:", title(effect, total))).with(strong())]);
    }
    let mut left = if style.show == Show::All { usize::MAX } else { EFFECT_ROWS };
    let per_group = if style.show == Show::All { usize::MAX } else { GROUP_ROWS };
    let (mut unseen, mut unseen_findings) = (0, 0_usize);
    for group in &groups {
        let shown = group.rows.len().min(per_group).min(left);
        if shown == 0 {
            unseen += 1;
            unseen_findings += group.rows.iter().map(|row| row.findings).sum::<usize>();
            continue;
        }
        left -= shown;
        heading(group, report, layout);
        let id_width = group.rows.iter().take(shown).map(|row| row.judged.finding.id.chars().count().min(24)).max().unwrap_or(0);
        for row in group.rows.iter().take(shown) {
            finding(row, style, id_width, layout);
        }
        let rest = group.rest(shown);
        let more: usize = rest.values().map(|(_, count)| count).sum();
        if more > 0 {
            let classes: Vec<_> = rest.values().map(|(severity, count)| format!("{count} {severity}")).collect();
            layout.line(2, 4, &[Piece::prose(format!("... {more} more here ({}): --show all", classes.join(", "))).with(faint())]);
        }
    }
    if unseen > 0 {
        layout.line(
            0,
            2,
            &[Piece::prose(format!("... {unseen_findings} more at {}: --show all", plural(unseen, "other place"))).with(faint())],
        );
    }
}

fn title(effect: Effect, count: usize) -> String {
    match effect {
        Effect::Violation => plural(count, "violation"),
        Effect::Warning => plural(count, "warning"),
        Effect::Noted | Effect::Accepted | Effect::Suppressed | Effect::Known => format!("{count} {}", effect.name()),
    }
}

fn heading(group: &Group<'_>, report: &ScanReport, layout: &mut Layout) {
    let remark = group.place.remark();
    let remark = if remark.is_empty() { String::new() } else { format!("({})", escape::shortened(&remark, 100)) };
    let text = group.place.text(report).map(|text| escape::shortened(&text, 100).into_owned()).unwrap_or_default();
    layout.line(0, 2, &[Piece::name(group.place.to_string()).with(strong()), Piece::prose(text), Piece::prose(remark).with(faint())]);
}

fn finding(row: &Row<'_>, style: Style, id_width: usize, layout: &mut Layout) {
    let (judged, finding) = (row.judged, &row.judged.finding);
    let mut line = vec![
        Piece::name(&*finding.id).with(strong()).padded(id_width),
        Piece::name(judged.severity.name()).with(severity(judged.severity)).padded(10),
    ];
    if finding.kev {
        line.push(Piece::name("KEV").with(strong()));
    }
    if let Some(percent) = finding.epss_millionths.map(|millionths| millionths / 10_000).filter(|percent| *percent >= 10) {
        line.push(Piece::name(format!("EPSS {percent}%")));
    }
    match &finding.package {
        Some(package) => {
            let names: Vec<_> = row.names.iter().copied().collect();
            line.push(match names.as_slice() {
                [] | [_] => Piece::name(format!("{} {}", package.name, package.version)),
                [first, second] => Piece::name(format!("{first}, {second} {}", package.version)),
                [first, second, rest @ ..] => Piece::name(format!("{first}, {second} and {} more {}", rest.len(), package.version)),
            });
            line.push(match finding.fixed.as_slice() {
                [] => Piece::name("no fix known").with(faint()),
                fixed => Piece::name(format!("-> {}", fixed.join(" | "))),
            });
        }
        None => line.push(Piece::prose(escape::shortened(&finding.title, PROSE))),
    }
    if let Some(way) = way_to_fix(finding) {
        line.push(Piece::name(way).with(faint()));
    }
    let sources: Vec<_> = row.sources.iter().map(|source| source.name()).collect();
    line.push(Piece::prose(sources.join(", ")).with(faint()));
    if let Some(clause) = &judged.decision.clause {
        line.push(Piece::name(format!("clause {clause}")).with(faint()));
    }
    line.push(Piece::prose(escape::shortened(&judged.decision.reason, PROSE)).with(faint()));
    if let Some(span) = &judged.decision.exception {
        line.push(Piece::name(format!("({}:{})", span.file, span.line)).with(faint()));
    }
    layout.line(2, 6, &line);
    if style.show == Show::All {
        if finding.package.is_some() {
            layout.line(6, 6, &[Piece::prose(escape::shortened(&finding.title, PROSE)).with(faint())]);
        }
        for note in &finding.notes {
            layout.line(6, 6, &[Piece::prose(format!("note: {note}")).with(faint())]);
        }
    }
}

/// How a finding is mended without a hand.
fn way_to_fix(finding: &Finding) -> Option<&'static str> {
    Some(match finding.fix.as_ref()?.kind {
        FixKind::Safe => "fix: safe (plimsoll lint --fix)",
        FixKind::Unsafe => "fix: unsafe (plimsoll lint --unsafe-fixes)",
        FixKind::Network => "fix: network (plimsoll lint --pin)",
    })
}

pub(super) fn labelled(layout: &mut Layout, label: &str, pieces: Vec<Piece>) {
    if label.is_empty() {
        return layout.line(LABEL, LABEL, &pieces);
    }
    let mut line = vec![Piece::name(label).with(strong()).padded(LABEL - 2)];
    line.extend(pieces);
    layout.line(0, LABEL, &line);
}

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
    let mends = |judged: &&JudgedFinding| {
        let is_safe = judged.finding.fix.as_ref().is_some_and(|fix| fix.kind == FixKind::Safe);
        is_safe && !matches!(judged.decision.effect, Effect::Accepted | Effect::Suppressed)
    };
    let mended = report.verdict.findings.iter().filter(mends).count();
    if mended > 0 {
        labelled(
            layout,
            std::mem::take(&mut label),
            vec![Piece::name("plimsoll lint --fix"), Piece::prose(format!("mends {}", plural(mended, "finding"))).with(faint())],
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
