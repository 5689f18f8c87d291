//! `Counts`: how many findings, requirements and gaps came out which way; the same numbers in every format.

use std::collections::BTreeMap;

use crate::model::{
    report::ScanReport,
    severity::Severity,
    verdict::{Effect, JudgedFinding, JudgedRequirement, RequirementState},
};

/// Every effect, in the order of reports.
pub(crate) const EFFECTS: [Effect; 6] =
    [Effect::Violation, Effect::Warning, Effect::Noted, Effect::Accepted, Effect::Suppressed, Effect::Known];

/// How many came out which way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    findings: BTreeMap<Effect, BTreeMap<u8, usize>>,
    /// Requirements that are violated.
    pub(crate) requirements: usize,
    /// Requirements that violate but whose decision is a warning.
    pub(crate) requirement_warnings: usize,
    /// Gaps that stop the gate.
    pub(crate) blocking_gaps: usize,
    /// All gaps.
    pub(crate) gaps: usize,
}

impl Counts {
    pub(crate) fn of(report: &ScanReport) -> Self {
        let verdict = &report.verdict;
        let mut counts = Self { gaps: verdict.gaps.len(), ..Self::default() };
        for judged in &verdict.findings {
            *counts.findings.entry(judged.decision.effect).or_default().entry(judged.severity.report_order()).or_default() += 1;
        }
        counts.requirements =
            verdict.requirements.iter().filter(|requirement| requirement_effect(requirement) == Some(Effect::Violation)).count();
        counts.requirement_warnings =
            verdict.requirements.iter().filter(|requirement| requirement_effect(requirement) == Some(Effect::Warning)).count();
        counts.blocking_gaps = verdict.gaps.iter().filter(|gap| gap.decision.effect == Effect::Violation).count();
        counts
    }

    /// Findings with this effect.
    pub(crate) fn findings(&self, effect: Effect) -> usize {
        self.findings.get(&effect).map_or(0, |by_severity| by_severity.values().sum())
    }

    /// Findings with this effect and severity.
    pub(crate) fn findings_of(&self, effect: Effect, severity: Severity) -> usize {
        self.findings.get(&effect).and_then(|by_severity| by_severity.get(&severity.report_order())).copied().unwrap_or(0)
    }

    /// Findings and requirements that violate.
    pub(crate) fn violations(&self) -> usize {
        self.findings(Effect::Violation) + self.requirements
    }

    /// Findings and requirements that warn.
    pub(crate) fn warnings(&self) -> usize {
        self.findings(Effect::Warning) + self.requirement_warnings
    }
}

/// What a requirement is worth when it is not met: its decision, else a violation; `None` when it is met or was not checked.
pub(crate) fn requirement_effect(requirement: &JudgedRequirement) -> Option<Effect> {
    (requirement.state == RequirementState::Violated)
        .then(|| requirement.decision.as_ref().map_or(Effect::Violation, |decision| decision.effect))
}

/// The place of a finding among the worst: effect, severity, known exploitation, probability of exploitation, id, package.
pub(crate) fn worst_first(
    judged: &JudgedFinding,
) -> (Effect, u8, bool, std::cmp::Reverse<u32>, &str, Option<&crate::model::finding::FindingPackage>) {
    let finding = &judged.finding;
    (
        judged.decision.effect,
        judged.severity.report_order(),
        !finding.kev,
        std::cmp::Reverse(finding.epss_millionths.unwrap_or(0)),
        finding.id.as_str(),
        finding.package.as_deref(),
    )
}

/// `1 violation`, `2 violations`.
pub(crate) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
