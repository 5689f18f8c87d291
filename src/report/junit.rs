//! Scan report in, JUnit XML out (the dialect of Jenkins and CodeBuild): a case for the verdict, for each deciding clause, requirement,
//! source and violation; an accepted finding is skipped, a Gap is an error. At most 500 cases, worst first.

use std::{collections::BTreeMap, fmt::Write as _, io};

use crate::{
    model::{
        coverage::Completeness,
        report::ScanReport,
        verdict::{Effect, JudgedFinding, Outcome, RequirementState},
    },
    report::{
        Reporter, Style,
        count::{Counts, plural, requirement_effect, worst_first},
        escape::{self, xml},
        place::Place,
    },
};

const CASES: usize = 500;
/// Findings listed in the failure of a clause.
const LISTED: usize = 50;
const PROSE: usize = 1_000;

/// `--output junit`.
#[derive(Debug, Clone, Copy)]
pub struct Junit;

impl Reporter for Junit {
    fn id(&self) -> &'static str {
        "junit"
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let suites: Vec<Vec<Case>> = reports.iter().map(cases).collect();
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites name=\"plimsoll\" {}>", numbers(&suites))?;
        for (report, cases) in reports.iter().zip(suites.chunks(1)) {
            let name = report
                .image
                .as_ref()
                .map_or_else(|| format!("plimsoll {}", report.command), |image| format!("{} {}", image.reference, image.platform));
            let time = report.evaluated_at.strftime("%Y-%m-%dT%H:%M:%S");
            writeln!(out, "  <testsuite name=\"{}\" {} time=\"0\" timestamp=\"{time}\">", xml(&name), numbers(cases))?;
            for case in cases.iter().flatten() {
                case.write(out)?;
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }
}

fn numbers(suites: &[Vec<Case>]) -> String {
    let count = |wanted: fn(&Outcomes) -> bool| suites.iter().flatten().filter(|case| wanted(&case.outcome)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        count(|_| true),
        count(|outcome| matches!(outcome, Outcomes::Failure(_))),
        count(|outcome| matches!(outcome, Outcomes::Error(_))),
        count(|outcome| matches!(outcome, Outcomes::Skipped(_)))
    )
}

struct Case {
    class: &'static str,
    name: String,
    outcome: Outcomes,
}

enum Outcomes {
    Pass,
    Failure(Vec<String>),
    Error(Vec<String>),
    Skipped(String),
}

impl Case {
    fn write(&self, out: &mut dyn io::Write) -> io::Result<()> {
        write!(
            out,
            "    <testcase classname=\"plimsoll.{}\" name=\"{}\" time=\"0\"",
            self.class,
            xml(&escape::shortened(&self.name, PROSE))
        )?;
        match &self.outcome {
            Outcomes::Pass => writeln!(out, "/>"),
            Outcomes::Skipped(why) => writeln!(out, "><skipped message=\"{}\"/></testcase>", xml(&escape::shortened(why, PROSE))),
            Outcomes::Failure(lines) => fault("failure", "violation", lines, out),
            Outcomes::Error(lines) => fault("error", "gap", lines, out),
        }
    }
}

fn fault(tag: &str, kind: &str, lines: &[String], out: &mut dyn io::Write) -> io::Result<()> {
    let message = lines.first().map(|line| xml(&escape::shortened(line, PROSE))).unwrap_or_default();
    write!(out, "><{tag} type=\"{kind}\" message=\"{message}\">")?;
    for (at, line) in lines.iter().enumerate() {
        write!(out, "{}{}", if at == 0 { "" } else { "\n" }, xml(&escape::shortened(line, PROSE)))?;
    }
    writeln!(out, "</{tag}></testcase>")
}

/// All cases: those that decide first, so that the limit cuts the least bad.
fn cases(report: &ScanReport) -> Vec<Case> {
    let verdict = &report.verdict;
    let counts = Counts::of(report);
    let mut cases = Vec::new();
    let summary = format!(
        "{}: {}, {}, exit {}",
        verdict.outcome.name(),
        plural(counts.violations(), "violation"),
        plural(counts.gaps, "gap"),
        report.exit_code
    );
    cases.push(Case {
        class: "verdict",
        name: format!("policy {}", report.policy.name),
        outcome: match verdict.outcome {
            Outcome::Pass => Outcomes::Pass,
            Outcome::Fail => Outcomes::Failure(vec![summary]),
            Outcome::Incomplete => Outcomes::Error(vec![summary]),
        },
    });
    for requirement in &verdict.requirements {
        let said =
            || vec![format!("{}: {}", requirement.code.unwrap_or("not met"), requirement.detail), format!("asked: {}", requirement.asks)];
        let outcome = match (requirement.state, requirement_effect(requirement)) {
            (RequirementState::Met, _) => Outcomes::Pass,
            (RequirementState::NotChecked, _) => Outcomes::Error(said()),
            (RequirementState::Violated, Some(Effect::Violation)) => Outcomes::Failure(said()),
            (RequirementState::Violated, _) => Outcomes::Skipped(requirement.detail.clone()),
        };
        cases.push(Case { class: "requirement", name: requirement.id.clone(), outcome });
    }
    let stops = |source| verdict.gaps.iter().any(|judged| judged.gap.source == source && judged.decision.effect == Effect::Violation);
    for state in report.sources.iter().filter(|state| state.completeness != Completeness::NotAsked || stops(state.source)) {
        let gaps: Vec<_> = verdict
            .gaps
            .iter()
            .filter(|judged| judged.gap.source == state.source && judged.decision.effect == Effect::Violation)
            .map(|judged| format!("{} {}: {}", judged.gap.kind, judged.gap.subject, judged.gap.reason))
            .take(LISTED)
            .collect();
        let outcome = if gaps.is_empty() { Outcomes::Pass } else { Outcomes::Error(gaps) };
        cases.push(Case { class: "source", name: state.source.name().to_owned(), outcome });
    }
    for judged in verdict.gaps.iter().filter(|judged| {
        judged.decision.effect == Effect::Violation && !report.sources.iter().any(|state| state.source == judged.gap.source)
    }) {
        let gap = &judged.gap;
        cases.push(Case {
            class: "gap",
            name: format!("{} {} {}", gap.source, gap.kind, gap.subject),
            outcome: Outcomes::Error(vec![gap.reason.clone()]),
        });
    }
    let mut findings: Vec<_> =
        verdict.findings.iter().filter(|judged| matches!(judged.decision.effect, Effect::Violation | Effect::Accepted)).collect();
    findings.sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
    let mut clauses: BTreeMap<&str, Vec<&JudgedFinding>> = BTreeMap::new();
    for judged in findings.iter().filter(|judged| judged.decision.effect == Effect::Violation) {
        clauses.entry(judged.decision.clause.as_deref().unwrap_or("violation")).or_default().push(judged);
    }
    for (clause, findings) in clauses {
        let mut lines = vec![plural(findings.len(), "violation")];
        lines.extend(findings.iter().take(LISTED).map(|judged| line(judged, report)));
        if findings.len() > LISTED {
            lines.push(format!("and {} more", findings.len() - LISTED));
        }
        cases.push(Case { class: "clause", name: clause.to_owned(), outcome: Outcomes::Failure(lines) });
    }
    let left = CASES.saturating_sub(cases.len() + 1);
    let more = findings.len().saturating_sub(left);
    for judged in findings.iter().take(left) {
        let said = line(judged, report);
        let outcome = if judged.decision.effect == Effect::Accepted {
            Outcomes::Skipped(judged.decision.reason.to_string())
        } else {
            Outcomes::Failure(vec![said.clone(), judged.decision.reason.to_string(), judged.finding.title.clone()])
        };
        cases.push(Case { class: "finding", name: said, outcome });
    }
    if more > 0 {
        cases.push(Case {
            class: "finding",
            name: format!("{more} more, see the JSON report"),
            outcome: Outcomes::Skipped("more cases than a report shows".to_owned()),
        });
    }
    cases
}

fn line(judged: &JudgedFinding, report: &ScanReport) -> String {
    let finding = &judged.finding;
    let mut text = format!("{} {}", finding.id, judged.severity);
    let _ = match &finding.package {
        Some(package) if finding.fixed.is_empty() => write!(text, " {} {}, no fix known", package.name, package.version),
        Some(package) => write!(text, " {} {} -> {}", package.name, package.version, finding.fixed.join(" | ")),
        None => write!(text, " {}", finding.title),
    };
    let _ = write!(text, " ({})", Place::of(judged, report));
    text
}
