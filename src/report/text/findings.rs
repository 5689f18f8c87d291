//! The findings of the text report: one effect after the other, each grouped by the line to edit.

use crate::{
    model::{finding::Finding, fix::FixKind, report::ScanReport, verdict::Effect},
    report::{Show, Style, count::plural, escape},
};

use super::{
    groups::{Group, Row, groups},
    layout::{Layout, Piece, faint, severity, strong},
    sections::PROSE,
};

/// Rows of one group and of one effect that are shown without `--show all`.
const GROUP_ROWS: usize = 12;
const EFFECT_ROWS: usize = 40;

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
        let total = groups.iter().flat_map(|group| &group.rows).map(|row| row.findings()).sum();
        layout.line(0, 2, &[Piece::name(format!("{}:", title(effect, total))).with(strong())]);
    }
    let mut left = if style.show == Show::All { usize::MAX } else { EFFECT_ROWS };
    let per_group = if style.show == Show::All { usize::MAX } else { GROUP_ROWS };
    let (mut unseen, mut unseen_findings) = (0, 0_usize);
    for group in &groups {
        let shown = group.rows.len().min(per_group).min(left);
        if shown == 0 {
            unseen += 1;
            unseen_findings += group.rows.iter().map(|row| row.findings()).sum::<usize>();
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
            let names: Vec<_> = row.names().into_iter().collect();
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
    let sources: Vec<_> = row.sources().into_iter().map(|source| source.name()).collect();
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
