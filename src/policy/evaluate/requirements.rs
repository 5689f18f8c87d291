//! Requirements of the policy: required signatures, counts, end of life. Each is met, violated or not checked.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::{
    attestation::Verification,
    coverage::{Completeness, Gap, SourceId, SourceState},
    image::ResolvedImage,
    policy::{Policy, SignatureRequirement, Worth},
    severity::Severity,
    verdict::{Decision, Effect, JudgedFinding, JudgedGap, JudgedRequirement, RequirementState},
};

use super::{effect_of, findings::count_standing, permissions::Permissions};
use crate::policy::signatures::Judge;

/// Judges the required signatures that are about this image.
pub(super) fn signatures(
    policy: &Policy,
    judge: &Judge<'_>,
    image: Option<&ResolvedImage>,
    verification: Option<&Verification>,
    stages: &BTreeSet<SourceId>,
    gaps: &[JudgedGap],
    permissions: &mut Permissions<'_>,
) -> Vec<JudgedRequirement> {
    let unchecked: Vec<&Gap> = gaps
        .iter()
        .filter(|judged| {
            judged.decision.effect == Effect::Violation
                && judged.gap.source == SourceId::Signatures
                && judged.gap.kind.starts_with("unchecked.")
        })
        .map(|judged| &judged.gap)
        .collect();
    let about_this = policy.signatures.iter().filter(|asked| image.is_none_or(|image| judge.applies(asked, image)));
    about_this
        .map(|asked| {
            let asks = asks(asked);
            let Some(verification) = verification else {
                // Nothing looked for signatures. That stops a command that was to look, and is a mere note for one that was not.
                let was_to_look = stages.contains(&SourceId::Signatures);
                let reason = if was_to_look { "signatures were not looked for" } else { "this command does not look for signatures" };
                let effect = if was_to_look { Effect::Violation } else { Effect::Noted };
                return JudgedRequirement {
                    id: asked.id.clone(),
                    asks,
                    state: RequirementState::NotChecked,
                    code: None,
                    detail: reason.to_owned(),
                    decision: Some(plain(effect, "signatures", reason)),
                };
            };
            let came = judge.judge(asked, verification, image, &unchecked);
            let decision = match came.state {
                RequirementState::Met => None,
                RequirementState::Violated | RequirementState::NotChecked => {
                    let accepted = permissions.accept_requirement("signatures", &asked.id, came.code);
                    Some(accepted.unwrap_or_else(|| plain(Effect::Violation, &asked.id, &came.detail)))
                }
            };
            JudgedRequirement { id: asked.id.clone(), asks, state: came.state, code: came.code, detail: came.detail, decision }
        })
        .collect()
}

/// What a required signature asks, in one line.
pub(in crate::policy) fn asks(asked: &SignatureRequirement) -> String {
    let mut text = match asked.of.as_slice() {
        [one] => format!("a signature by {one}"),
        many if asked.at_least == many.len() => format!("signatures by {}", many.join(" and ")),
        many if asked.at_least == 1 => format!("a signature by {}", many.join(" or ")),
        many => format!("signatures by {} of {}", asked.at_least, many.join(", ")),
    };
    if !asked.annotations.is_empty() {
        let pairs: Vec<_> = asked.annotations.iter().map(|(key, value)| format!("{key}={value}")).collect();
        text.push_str(&format!(" with {}", pairs.join(", ")));
    }
    text
}

/// Judges `findings.at_most`: how many findings of a severity or worse may stand.
pub(super) fn at_most(policy: &Policy, findings: &[JudgedFinding]) -> Vec<JudgedRequirement> {
    let judge = |(name, most): (&crate::model::policy::SeverityName, &u64)| {
        let severity = Severity::from_word(name.0);
        let count = count_standing(findings, severity, policy.severity.unknown_as);
        let id = format!("findings.at_most.{}", name.0);
        let detail = format!("{count} findings of severity {} or worse stand", name.0);
        let met = count <= *most;
        JudgedRequirement {
            asks: format!("at most {most} findings of severity {} or worse", name.0),
            state: if met { RequirementState::Met } else { RequirementState::Violated },
            code: None,
            decision: (!met).then(|| plain(Effect::Violation, &id, &detail)),
            detail,
            id,
        }
    };
    policy.at_most.iter().map(judge).collect()
}

/// Judges the end of life of the distribution, when a source says when that is.
pub(super) fn end_of_life(
    policy: &Policy,
    sources: &[SourceState],
    today: Date,
    permissions: &mut Permissions<'_>,
) -> Option<JudgedRequirement> {
    if policy.end_of_life_distro == Worth::Ignore {
        return None;
    }
    let ends = dates(sources).filter_map(|(_, text)| parse_date(text)).min()?;
    let over = ends < today;
    let detail =
        if over { format!("the distribution has had no fixes since {ends}") } else { format!("the distribution gets fixes until {ends}") };
    let id = "end_of_life.distro";
    let decision = over.then(|| {
        let accepted = permissions.accept_requirement("end_of_life", id, None);
        accepted.unwrap_or_else(|| plain(effect_of(policy.end_of_life_distro), id, &detail))
    });
    let state = if over { RequirementState::Violated } else { RequirementState::Met };
    Some(JudgedRequirement {
        id: id.to_owned(),
        asks: "a distribution that still gets fixes".to_owned(),
        state,
        code: None,
        detail,
        decision,
    })
}

/// Whether [`end_of_life`] says of the image that its distribution is past its end.
pub(super) fn finds_end_of_life(policy: &Policy, sources: &[SourceState], today: Date) -> bool {
    policy.end_of_life_distro != Worth::Ignore && dates(sources).filter_map(|(_, text)| parse_date(text)).any(|end| end < today)
}

/// Gaps for ends of life that cannot be read.
pub(super) fn end_of_life_gaps(policy: &Policy, sources: &[SourceState]) -> Vec<Gap> {
    if policy.end_of_life_distro == Worth::Ignore {
        return Vec::new();
    }
    let bad = dates(sources).filter(|(_, text)| parse_date(text).is_none());
    bad.map(|(source, text)| Gap::new(source, "undecidable", "end-of-life", format!("`{text}` is no date"))).collect()
}

/// What sources say about the end of life: details named `end-of-life` or `distro.end-of-life`.
fn dates(sources: &[SourceState]) -> impl Iterator<Item = (SourceId, &str)> {
    let heard = sources.iter().filter(|state| state.completeness != Completeness::NotAsked);
    heard.flat_map(|state| {
        let named = state.details.iter().filter(|(key, _)| matches!(key.as_str(), "end-of-life" | "distro.end-of-life"));
        named.map(|(_, text)| (state.source, text.as_str()))
    })
}

fn parse_date(text: &str) -> Option<Date> {
    text.get(..10).and_then(|date| date.parse().ok())
}

fn plain(effect: Effect, clause: &str, reason: &str) -> Decision {
    Decision { effect, clause: Some(clause.into()), exception: None, reason: reason.into() }
}
