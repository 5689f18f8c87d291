//! `Subject`: one thing that becomes one SARIF result; its rule id, level, rank among the worst, and fingerprint.

use std::cmp::Reverse;

use crate::{
    model::{
        digest::Digest,
        finding::FindingKind,
        location::Location,
        package::PackageUrl,
        report::ScanReport,
        verdict::{Decision, Effect, JudgedFinding, JudgedGap, JudgedRequirement},
    },
    report::{count::requirement_effect, place::instruction},
};

/// One thing that becomes one result.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject<'a> {
    Finding(&'a JudgedFinding),
    Requirement(&'a JudgedRequirement),
    Gap(&'a JudgedGap),
}

impl<'a> Subject<'a> {
    /// Everything of the report that becomes a result when `noted` says whether noted findings do, worst first.
    pub(super) fn all(report: &'a ScanReport, noted: Noted) -> Vec<Self> {
        let verdict = &report.verdict;
        let findings =
            verdict.findings.iter().filter(|judged| noted == Noted::Shown || judged.decision.effect != Effect::Noted).map(Self::Finding);
        let requirements =
            verdict.requirements.iter().filter(|requirement| requirement_effect(requirement).is_some()).map(Self::Requirement);
        let gaps = verdict.gaps.iter().filter(|judged| judged.decision.effect == Effect::Violation).map(Self::Gap);
        let mut all: Vec<_> = findings.chain(requirements).chain(gaps).collect();
        all.sort_by_cached_key(|subject| (subject.rank(), subject.fields(report), subject.version()));
        all
    }

    /// The effect.
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Finding(judged) => judged.decision.effect,
            Self::Requirement(requirement) => requirement_effect(requirement).unwrap_or(Effect::Noted),
            Self::Gap(judged) => judged.decision.effect,
        }
    }

    /// The decision, when there is one.
    pub(super) const fn decision(&self) -> Option<&'a Decision> {
        match self {
            Self::Finding(judged) => Some(&judged.decision),
            Self::Requirement(requirement) => requirement.decision.as_ref(),
            Self::Gap(judged) => Some(&judged.decision),
        }
    }

    /// Whether the subject belongs to the Dockerfiles' run.
    pub(super) fn is_dockerfile(&self) -> bool {
        match self {
            Self::Finding(judged) => {
                judged.finding.package.is_none() && matches!(judged.finding.locations.first(), Some(Location::Dockerfile(_)))
            }
            Self::Requirement(_) => false,
            Self::Gap(judged) => judged.gap.source == crate::model::coverage::SourceId::Dockerfile,
        }
    }

    /// The rule's id.
    pub(super) fn rule_id(&self) -> String {
        match self {
            Self::Finding(judged) => judged.finding.id.clone(),
            Self::Requirement(requirement) => requirement.code.unwrap_or("requirement").to_owned(),
            Self::Gap(judged) => format!("gap-{}", judged.gap.kind),
        }
    }

    /// Worst first: effect, what stops everything before findings, severity, KEV, EPSS, id.
    fn rank(&self) -> (Effect, u8, bool, Reverse<u32>, String) {
        let (class, kev, epss) = match self {
            Self::Finding(judged) => {
                (judged.severity.report_order(), !judged.finding.kev, Reverse(judged.finding.epss_millionths.unwrap_or(0)))
            }
            // Requirements and Gaps are few and decide everything, so that a limit never cuts them.
            Self::Requirement(_) | Self::Gap(_) => (0, false, Reverse(u32::MAX)),
        };
        (self.effect(), class, kev, epss, self.rule_id())
    }

    /// What stays the same when lines move, tags change and databases age (reports.md 1, `partialFingerprints`).
    fn fields(&self, report: &ScanReport) -> Vec<String> {
        match self {
            Self::Finding(judged) => {
                let finding = &judged.finding;
                let mut fields = vec![finding.id.clone()];
                match (&finding.kind, &finding.package, finding.locations.first()) {
                    (_, Some(package), _) => {
                        fields.push(package.purl.as_ref().map_or(package.name.as_str(), PackageUrl::without_version).to_owned())
                    }
                    (FindingKind::Exception, None, Some(Location::Policy(span))) => fields.push(span.file.to_string()),
                    (_, None, Some(Location::Dockerfile(span) | Location::Policy(span))) => {
                        fields.push(span.file.to_string());
                        fields.push(instruction(report, &span.file, span.line).map(folded).unwrap_or_default());
                    }
                    (_, None, Some(Location::Image { path, .. })) => fields.push(path.clone()),
                    (_, None, _) => {}
                }
                fields
            }
            Self::Requirement(requirement) => vec![requirement.code.unwrap_or("requirement").to_owned(), requirement.id.clone()],
            Self::Gap(judged) => vec![judged.gap.kind.to_owned(), judged.gap.source.name().to_owned()],
        }
    }

    /// Distinguishes equal fingerprints in sorted order only.
    fn version(&self) -> String {
        match self {
            Self::Finding(judged) => judged.finding.key().subject,
            Self::Requirement(requirement) => requirement.detail.clone(),
            Self::Gap(judged) => judged.gap.subject.clone(),
        }
    }

    /// SHA-256 over the fields, joined by NUL.
    pub(super) fn fingerprint(&self, report: &ScanReport) -> String {
        Digest::sha256_of(self.fields(report).join("\0").as_bytes()).hex().to_owned()
    }
}

/// Whether noted findings become results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    Shown,
    LeftOut,
}

/// The text with blanks folded.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
