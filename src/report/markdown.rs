//! Scan report in, GitHub-flavoured Markdown out, for `GITHUB_STEP_SUMMARY`: verdict, a table of violations, the rest counted or folded.
//! Below 1 MiB, which is what a step's summary may have; cut at whole rows.

use std::{fmt::Write as _, io};

use crate::{
    model::{
        policy::Mode,
        report::ScanReport,
        verdict::{Effect, JudgedFinding, RequirementState},
    },
    report::{
        Reporter, Style,
        count::{Counts, plural, requirement_effect, worst_first},
        escape::{self, markdown},
        place::Place,
        platforms::{on_platforms, platform, worst},
    },
};

/// Rows of a table, and bytes of the whole; GitHub refuses more than 1 MiB.
const ROWS: usize = 500;
const BYTES: usize = 900_000;
const PROSE: usize = 300;

/// `--output markdown`.
#[derive(Debug, Clone, Copy)]
pub struct Markdown;

impl Reporter for Markdown {
    fn id(&self) -> &'static str {
        "markdown"
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let mut page = Page { text: String::new() };
        if reports.len() > 1 {
            platforms(reports, &mut page);
        }
        for (at, report) in reports.iter().enumerate() {
            if at > 0 {
                page.line("");
            }
            one(report, &mut page);
        }
        out.write_all(page.text.as_bytes())
    }
}

fn one(report: &ScanReport, page: &mut Page) {
    head(report, page);
    findings(report, Effect::Violation, page);
    requirements(report, page);
    gaps(report, page);
    for effect in [Effect::Warning, Effect::Accepted, Effect::Suppressed] {
        findings(report, effect, page);
    }
    left_out(report, page);
}

/// The verdict on all platforms, and a row for each.
fn platforms(reports: &[ScanReport], page: &mut Page) {
    let Some(worst) = worst(reports) else { return };
    page.line(&format!("# Plimsoll: {}", worst.verdict.outcome.name()));
    page.line("");
    page.line(&format!("{}; exit {}", on_platforms(reports, worst), worst.exit_code));
    page.line("");
    let row = |report: &ScanReport| {
        let counts = Counts::of(report);
        let outcome = report.verdict.outcome.name();
        format!("| {} | {outcome} | {} | {} | {} |", cell(&platform(report)), counts.violations(), counts.warnings(), counts.gaps)
    };
    page.table("| Platform | Verdict | Violations | Warnings | Gaps |", 5, reports.iter().map(row));
}

/// The text so far; rows are refused once it is long.
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes a table of at most `ROWS` rows and says how many it left out.
    fn table(&mut self, head: &str, columns: usize, rows: impl ExactSizeIterator<Item = String>) {
        self.line(head);
        self.line(&format!("|{}", " --- |".repeat(columns)));
        let total = rows.len();
        let mut shown = 0;
        for row in rows.take(ROWS) {
            if self.text.len() + row.len() > BYTES {
                break;
            }
            self.line(&row);
            shown += 1;
        }
        if total > shown {
            self.line(&format!("\n{} more; the JSON report of the same run holds all.", total - shown));
        }
        self.line("");
    }
}

fn cell(text: &str) -> String {
    markdown(&escape::shortened(text, PROSE))
}

fn head(report: &ScanReport, page: &mut Page) {
    let counts = Counts::of(report);
    let mut title = format!("## Plimsoll: {}", report.verdict.outcome.name());
    if report.policy.mode == Mode::Audit {
        title.push_str(" (audit: exit 0 whatever the verdict)");
    }
    page.line(&title);
    page.line("");
    page.line(&format!(
        "**{}**, {}, {}; exit {}",
        plural(counts.violations(), "violation"),
        plural(counts.warnings(), "warning"),
        plural(counts.gaps, "gap"),
        report.exit_code
    ));
    page.line("");
    if let Some(image) = &report.image {
        page.line(&format!("- Image: {} ({})", cell(&image.reference.to_string()), cell(&image.platform.to_string())));
        page.line(&format!("- Digest: {}", cell(&image.digest().to_string())));
    }
    for summary in report.dockerfiles.iter().take(20) {
        page.line(&format!("- Dockerfile: {}", cell(&summary.file)));
    }
    page.line(&format!("- Policy: {} {}", cell(&report.policy.name), report.policy.digest.short()));
    page.line(&format!("- Evaluated: {}", markdown(&report.evaluated_at.to_string())));
    page.line("");
}

fn findings(report: &ScanReport, effect: Effect, page: &mut Page) {
    let mut findings: Vec<_> = report.verdict.findings.iter().filter(|judged| judged.decision.effect == effect).collect();
    if findings.is_empty() {
        return;
    }
    findings.sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
    let title = match effect {
        Effect::Violation => "Violations",
        Effect::Warning => "Warnings",
        Effect::Accepted => "Accepted by exceptions",
        Effect::Suppressed => "Suppressed",
        Effect::Noted => "Noted",
        Effect::Known => "Known",
    };
    let open = effect == Effect::Violation;
    page.line(&if open { format!("### {title}") } else { format!("<details><summary>{title}: {}</summary>", findings.len()) });
    page.line("");
    page.table("| Severity | Id | What | Fixed in | Where | Why |", 6, findings.into_iter().map(|judged| row(judged, report)));
    if !open {
        page.line("</details>\n");
    }
}

fn row(judged: &JudgedFinding, report: &ScanReport) -> String {
    let finding = &judged.finding;
    let what = finding.package.as_ref().map_or_else(|| finding.title.clone(), |package| format!("{} {}", package.name, package.version));
    let fixed = match (&finding.package, finding.fixed.as_slice()) {
        (Some(_), []) => "no fix known".to_owned(),
        (_, fixed) => fixed.join(", "),
    };
    let why = [judged.decision.clause.as_deref().unwrap_or_default(), &judged.decision.reason]
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(": ");
    let mut out = String::from("|");
    let severity = if finding.kev { format!("{} (KEV)", judged.severity) } else { judged.severity.to_string() };
    for text in [&severity, &finding.id, &what, &fixed, &Place::of(judged, report).to_string(), &why] {
        let _ = write!(out, " {} |", cell(text));
    }
    out
}

fn requirements(report: &ScanReport, page: &mut Page) {
    let all = &report.verdict.requirements;
    if all.is_empty() {
        return;
    }
    page.line("### Requirements\n");
    page.table(
        "| State | Requirement | Detail |",
        3,
        all.iter().map(|requirement| {
            let state = match (requirement.state, requirement_effect(requirement)) {
                (RequirementState::Met, _) => "met",
                (RequirementState::NotChecked, _) => "not checked",
                (RequirementState::Violated, Some(Effect::Violation)) => "**violated**",
                (RequirementState::Violated, effect) => effect.map_or("not met", Effect::name),
            };
            format!("| {state} | {} | {} |", cell(&requirement.id), cell(&requirement.detail))
        }),
    );
}

fn gaps(report: &ScanReport, page: &mut Page) {
    let mut gaps: Vec<_> = report.verdict.gaps.iter().collect();
    if gaps.is_empty() {
        return;
    }
    gaps.sort_by(|a, b| (a.decision.effect, &a.gap).cmp(&(b.decision.effect, &b.gap)));
    page.line("### Not looked at\n");
    page.table(
        "| Worth | Source | Kind | What | Why | Hint |",
        6,
        gaps.into_iter().map(|judged| {
            let gap = &judged.gap;
            let worth = if judged.decision.effect == Effect::Violation { "**stops the gate**" } else { judged.decision.effect.name() };
            format!(
                "| {worth} | {} | {} | {} | {} | {} |",
                gap.source,
                cell(gap.kind),
                cell(&gap.subject),
                cell(&gap.reason),
                cell(gap.hint.as_deref().unwrap_or_default())
            )
        }),
    );
}

fn left_out(report: &ScanReport, page: &mut Page) {
    let counts = Counts::of(report);
    let parts: Vec<_> = [(Effect::Known, "known from the baseline"), (Effect::Noted, "noted")]
        .into_iter()
        .filter(|(effect, _)| counts.findings(*effect) > 0)
        .map(|(effect, said)| format!("{} {said}", counts.findings(effect)))
        .collect();
    if !parts.is_empty() {
        page.line(&format!("Not listed here: {}; the JSON report of the same run holds all.", parts.join(", ")));
    }
}
