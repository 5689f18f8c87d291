//! Facts, a policy and a clock in; the verdict out. Pure: the same input gives the same verdict, whatever the order of the facts.

mod findings;
mod inline;
mod permissions;
mod requirements;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};

use crate::model::{
    attestation::Verification,
    coverage::{Gap, SourceId, SourceState},
    finding::{Finding, FindingPackage},
    image::ResolvedImage,
    package::{PackageKind, PackageUrl},
    policy::{Exception, Policy, Worth},
    verdict::{Decision, Effect, JudgedFinding, JudgedGap, JudgedRequirement, Outcome, RequirementState, Verdict},
};

use super::evidence;
use permissions::Permissions;
pub(super) use requirements::asks;

/// Everything that a run found out.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The image, when one was asked for.
    pub image: Option<&'a ResolvedImage>,
    /// Findings of every source, merged, and of the Dockerfile.
    pub findings: Vec<Finding>,
    /// In-file ignores of the Dockerfiles.
    pub inline_ignores: &'a [Exception],
    /// How far each source got.
    pub sources: &'a [SourceState],
    /// What was not looked at.
    pub gaps: Vec<Gap>,
    /// Signatures and attestations, when they were looked for.
    pub verification: Option<&'a Verification>,
    /// SHA-256 of each key signer's SubjectPublicKeyInfo in lower-case hex, by the signer's name.
    pub signer_fingerprints: &'a BTreeMap<String, String>,
    /// What this command was asked to look at; a required source outside is no gap for it.
    pub stages: &'a BTreeSet<SourceId>,
}

/// Judges `facts` by `policy` at the time `now`.
#[must_use]
pub fn evaluate(policy: &Policy, facts: Facts<'_>, now: Timestamp) -> Verdict {
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut permissions = Permissions::new(policy, facts.image, today);
    let Facts { image, findings, inline_ignores, sources, gaps, verification, signer_fingerprints, stages } = facts;

    let inline_ignores = inline::InlineIndex::new(inline_ignores, policy.rules.ignores_until_max, today);
    let (mut findings, needs) = findings::judge(policy, image, findings, &inline_ignores, &mut permissions);
    findings.extend(inline_ignores.faults(&findings));

    let mut all_gaps = gaps;
    all_gaps.extend(verification.iter().flat_map(|verification| verification.gaps.iter().cloned()));
    let judge = super::signatures::Judge::new(policy, signer_fingerprints);
    if stages.contains(&SourceId::Signatures) && verification.is_some() {
        all_gaps.extend(
            policy
                .signatures
                .iter()
                .filter(|asked| image.is_none_or(|image| judge.applies(asked, image)))
                .flat_map(|asked| judge.key_gaps(asked)),
        );
    }
    all_gaps.extend(requirements::end_of_life_gaps(policy, sources));
    let end_of_life_judged = requirements::finds_end_of_life(policy, sources, today);
    let gaps = evidence::collect(policy, all_gaps, sources, stages, needs, end_of_life_judged, now);
    let gaps: Vec<JudgedGap> = gaps.into_iter().map(|gap| judge_gap(policy, gap, sources, &mut permissions)).collect();

    let mut all = requirements::signatures(policy, &judge, image, verification, stages, &gaps, &mut permissions);
    all.extend(requirements::at_most(policy, &findings));
    all.extend(requirements::end_of_life(policy, sources, today, &mut permissions));
    let requirements = all;

    let (uses, faults) = permissions.finish(policy, sources, stages, &gaps);
    findings.extend(faults);
    // The order is total, and a sort that is not stable needs no second copy.
    findings.sort_unstable_by(report_order);
    Verdict { outcome: outcome(&findings, &gaps, &requirements), findings, gaps, requirements, exceptions: uses }
}

fn outcome(findings: &[JudgedFinding], gaps: &[JudgedGap], requirements: &[JudgedRequirement]) -> Outcome {
    let stops = |requirement: &&JudgedRequirement, state| {
        requirement.state == state && requirement.decision.as_ref().is_some_and(|decision| decision.effect == Effect::Violation)
    };
    let violated = findings.iter().any(|judged| judged.decision.effect == Effect::Violation)
        || requirements.iter().any(|requirement| stops(&requirement, RequirementState::Violated));
    let unseen = gaps.iter().any(|judged| judged.decision.effect == Effect::Violation)
        || requirements.iter().any(|requirement| stops(&requirement, RequirementState::NotChecked));
    match (violated, unseen) {
        (true, _) => Outcome::Fail,
        (false, true) => Outcome::Incomplete,
        (false, false) => Outcome::Pass,
    }
}

fn judge_gap(policy: &Policy, gap: Gap, sources: &[SourceState], permissions: &mut Permissions<'_>) -> JudgedGap {
    let decision = match evidence::worth(&policy.evidence, &gap, sources) {
        None => Decision { effect: Effect::Noted, clause: None, exception: None, reason: "nobody asked for this source".into() },
        Some((worth, clause)) => permissions.accept_gap(&gap).unwrap_or_else(|| Decision {
            effect: effect_of(worth),
            clause: Some(clause.into()),
            exception: None,
            reason: match worth {
                Worth::Fail => "what was not looked at stops the gate",
                Worth::Warn => "the policy lets this gap warn only",
                Worth::Ignore => "the policy ignores this gap",
            }
            .into(),
        }),
    };
    JudgedGap { gap, decision }
}

/// The effect that goes with a worth.
const fn effect_of(worth: Worth) -> Effect {
    match worth {
        Worth::Fail => Effect::Violation,
        Worth::Warn => Effect::Warning,
        Worth::Ignore => Effect::Noted,
    }
}

/// Effective severity, id, package and version, then places; findings that are alike in all of it are told apart by all they hold.
fn report_order(left: &JudgedFinding, right: &JudgedFinding) -> std::cmp::Ordering {
    let key = |judged: &JudgedFinding| judged.severity.report_order();
    key(left)
        .cmp(&key(right))
        .then_with(|| left.finding.id.cmp(&right.finding.id))
        .then_with(|| left.finding.package.as_deref().map(package_order).cmp(&right.finding.package.as_deref().map(package_order)))
        .then_with(|| left.finding.locations.cmp(&right.finding.locations))
        .then_with(|| left.finding.title.cmp(&right.finding.title))
        .then_with(|| format!("{left:?}").cmp(&format!("{right:?}")))
}

fn package_order(package: &FindingPackage) -> (&str, &str, Option<PackageKind>, Option<&PackageUrl>) {
    (&package.name, &package.version, package.kind, package.purl.as_ref())
}
