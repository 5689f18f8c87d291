//! Scan report in, GitHub workflow commands out (`::error file=,line=,title=::`): annotations on the lines to edit, worst first, at most
//! ten errors and ten warnings, because a step shows no more.

use std::{collections::BTreeMap, io};

use crate::{
    model::{
        report::ScanReport,
        verdict::{Effect, JudgedFinding, Outcome},
    },
    report::{
        Reporter, Style,
        count::{Counts, plural, requirement_effect, worst_first},
        escape,
        place::Place,
        platforms::platform,
    },
};

/// What one step shows of each level; the last one says how many more there are.
const PER_LEVEL: usize = 10;
/// Findings named in one annotation.
const NAMED: usize = 8;
const PROSE: usize = 300;

/// `--output github`.
#[derive(Debug, Clone, Copy)]
pub struct Github;

impl Reporter for Github {
    fn id(&self) -> &'static str {
        "github"
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        for (level, effect) in [("error", Effect::Violation), ("warning", Effect::Warning)] {
            let all = of_platforms(reports, effect);
            let shown = if all.len() > PER_LEVEL { PER_LEVEL - 1 } else { all.len() };
            for annotation in all.iter().take(shown) {
                annotation.write(level, out)?;
            }
            if all.len() > shown {
                let rest = Annotation {
                    file: None,
                    title: "Plimsoll".to_owned(),
                    text: format!("{} more places; see the other reports of this run", all.len() - shown),
                };
                rest.write(level, out)?;
            }
        }
        let lines: Vec<String> = reports.iter().map(|report| closing(report, reports.len())).collect();
        // In audit mode nothing stops the step, so that nothing here looks as if it did.
        let stops = |report: &&ScanReport| report.verdict.outcome != Outcome::Pass && report.exit_code != 0;
        let level = if reports.iter().any(|report| stops(&report)) { "error" } else { "notice" };
        Annotation { file: None, title: "Plimsoll".to_owned(), text: lines.join("\n") }.write(level, out)
    }
}

fn closing(report: &ScanReport, platforms: usize) -> String {
    let counts = Counts::of(report);
    let platform = if platforms > 1 { format!("{} ", platform(report)) } else { String::new() };
    format!(
        "{platform}{}: {}, {}, {}, exit {}",
        report.verdict.outcome.name(),
        plural(counts.violations(), "violation"),
        plural(counts.warnings(), "warning"),
        plural(counts.gaps, "gap"),
        report.exit_code
    )
}

/// The annotations of all platforms; what all of them say is said once, anything else names its platforms.
fn of_platforms(reports: &[ScanReport], effect: Effect) -> Vec<Annotation> {
    if let [report] = reports {
        return annotations(report, effect);
    }
    let mut all: Vec<(Annotation, Vec<String>)> = Vec::new();
    let mut places: BTreeMap<Annotation, usize> = BTreeMap::new();
    for report in reports {
        for annotation in annotations(report, effect) {
            match places.get(&annotation).and_then(|&at| all.get_mut(at)) {
                Some((_, platforms)) => platforms.push(platform(report)),
                None => {
                    places.insert(annotation.clone(), all.len());
                    all.push((annotation, vec![platform(report)]));
                }
            }
        }
    }
    let named = |(annotation, platforms): (Annotation, Vec<String>)| {
        if platforms.len() == reports.len() {
            return annotation;
        }
        Annotation { title: format!("{} ({})", annotation.title, platforms.join(", ")), ..annotation }
    };
    all.into_iter().map(named).collect()
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Annotation {
    file: Option<(String, u32)>,
    title: String,
    text: String,
}

impl Annotation {
    fn write(&self, level: &str, out: &mut dyn io::Write) -> io::Result<()> {
        let place = self.file.as_ref().map(|(file, line)| format!("file={},line={line},", property(file))).unwrap_or_default();
        writeln!(out, "::{level} {place}title={}::{}", property(&self.title), data(&self.text))
    }
}

/// One annotation per line to edit, requirements and Gaps first.
fn annotations(report: &ScanReport, effect: Effect) -> Vec<Annotation> {
    let mut all = Vec::new();
    for requirement in report.verdict.requirements.iter().filter(|requirement| requirement_effect(requirement) == Some(effect)) {
        let text = format!("{}: {}", requirement.id, escape::shortened(&requirement.detail, PROSE));
        all.push(Annotation { file: None, title: requirement.code.unwrap_or("requirement").to_owned(), text });
    }
    for judged in report.verdict.gaps.iter().filter(|judged| judged.decision.effect == effect) {
        let gap = &judged.gap;
        let blank = if gap.subject.is_empty() { "" } else { " " };
        let text = format!("{}{blank}{}: {}", gap.source, escape::shortened(&gap.subject, PROSE), escape::shortened(&gap.reason, PROSE));
        all.push(Annotation { file: None, title: format!("Not looked at: {}", gap.kind), text });
    }
    let mut findings: Vec<&JudgedFinding> = report.verdict.findings.iter().filter(|judged| judged.decision.effect == effect).collect();
    findings.sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
    let mut places: Vec<(Place<'_>, Vec<&JudgedFinding>)> = Vec::new();
    let mut order = BTreeMap::new();
    for judged in findings {
        let place = Place::of(judged, report);
        let at = *order.entry(place.clone()).or_insert(places.len());
        match places.get_mut(at) {
            Some((_, group)) => group.push(judged),
            None => places.push((place, vec![judged])),
        }
    }
    for (place, group) in places {
        let mut lines: Vec<_> = group.iter().take(NAMED).map(|judged| said(judged)).collect();
        if group.len() > NAMED {
            lines.push(format!("and {} more", group.len() - NAMED));
        }
        let file = match place {
            Place::Line { file, line, .. } | Place::Base { file, line, .. } => Some((file.trim_start_matches("./").to_owned(), line)),
            Place::Layer { .. } | Place::History(_) | Place::Image => None,
        };
        let title = match group.as_slice() {
            [one] => one.finding.id.clone(),
            many => format!("{} at {place}", plural(many.len(), effect.name())),
        };
        all.push(Annotation { file, title, text: lines.join("\n") });
    }
    all
}

fn said(judged: &JudgedFinding) -> String {
    let finding = &judged.finding;
    let text = match &finding.package {
        Some(package) if finding.fixed.is_empty() => {
            format!("{} {} {} {} (no fix known)", finding.id, judged.severity, package.name, package.version)
        }
        Some(package) => {
            format!("{} {} {} {} -> {}", finding.id, judged.severity, package.name, package.version, finding.fixed.join(" | "))
        }
        None => format!("{} {}", finding.id, finding.title),
    };
    escape::visible(&escape::shortened(&text, PROSE)).into_owned()
}

/// Text after the second `::`; our own line feeds survive as `%0A`, others were made visible before.
fn data(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escape::visible).collect();
    lines.join("\n").replace('%', "%25").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    escape::visible(&escape::shortened(text, PROSE)).replace('%', "%25").replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_cannot_be_forged() {
        assert_eq!(property("a,line=1::error ::x%"), "a%2Cline=1%3A%3Aerror %3A%3Ax%25");
        assert_eq!(data("a\r::error::x"), "a\\u{d}::error::x");
        assert_eq!(data("a%0A\nb"), "a%250A%0Ab");
    }
}
