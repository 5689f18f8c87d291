//! The walk of one finding (first effect that fits decides): suppressed, accepted, violation, warning, noted.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::model::{
    evidence::ObservedState,
    finding::{Finding, FindingKind, FindingState},
    image::ResolvedImage,
    origin::{Side, Sides},
    policy::{InlineIgnores, Policy, RuleSetting, Suppressions},
    rule::{Group, RuleMeta},
    severity::{RatingAuthor, Severity},
    verdict::{Decision, Effect, JudgedFinding},
};

use super::{effect_of, inline::InlineIndex, permissions::Permissions};
use crate::policy::{
    clause::{Fit, Prepared, fits, rank, selects},
    evidence::Needs,
    pattern::PackageText,
    rating,
};

/// The id under which sources report that a distribution gets no more fixes.
pub(super) const END_OF_LIFE: &str = "distro-eol";

/// Judges every finding, and says which facts clauses missed.
pub(super) fn judge(
    policy: &Policy,
    image: Option<&ResolvedImage>,
    findings: Vec<Finding>,
    inline_ignores: &InlineIndex<'_>,
    permissions: &mut Permissions<'_>,
) -> (Vec<JudgedFinding>, Needs) {
    let mut needs = Needs::default();
    let (fail, warn) = (Prepared::all(&policy.fail), Prepared::all(&policy.warn));
    let mut settings = BTreeMap::new();
    let mut texts = BTreeSet::new();
    let mut judged = Vec::with_capacity(findings.len());
    judged.extend(in_parts(findings).map(|finding| {
        let own = rating::effective(&finding, &policy.severity, permissions.override_terms());
        let (severity, severity_author) = rating::foreign(&finding, own, &policy.rules.foreign);
        let sides = image.map_or(Sides::EITHER, |image| image.sides(&finding.locations));
        let setting = match &finding.kind {
            // All findings of a rule have its names.
            FindingKind::Rule(meta) => *settings.entry(meta.id).or_insert_with(|| strongest_setting(policy, &finding)),
            FindingKind::Vulnerability | FindingKind::Exception => None,
        };
        let walk = Walk { policy, fail: &fail, warn: &warn, finding: &finding, setting, sides, severity, severity_author };
        let mut decision = walk.decide(inline_ignores, permissions, &mut needs);
        decision.clause = decision.clause.map(|clause| shared(&mut texts, clause));
        decision.reason = shared(&mut texts, decision.reason);
        JudgedFinding { finding, severity, severity_author, decision }
    }));
    (judged, needs)
}

/// The text, or an equal one that is there already.
fn shared(texts: &mut BTreeSet<Arc<str>>, text: Arc<str>) -> Arc<str> {
    if let Some(known) = texts.get(&text) {
        return Arc::clone(known);
    }
    texts.insert(Arc::clone(&text));
    text
}

/// The findings in order. What was taken is given back on the way: of very many, two copies need not lie side by side.
fn in_parts(mut findings: Vec<Finding>) -> impl Iterator<Item = Finding> {
    const PART: usize = 1_024;
    findings.reverse();
    std::iter::from_fn(move || {
        if findings.len().is_multiple_of(PART) {
            findings.shrink_to_fit();
        }
        findings.pop()
    })
}

/// The strongest setting by id or alias.
fn strongest_setting(policy: &Policy, finding: &Finding) -> Option<RuleSetting> {
    let strength = |setting: &RuleSetting| match setting {
        RuleSetting::Off => 0,
        RuleSetting::Note => 1,
        RuleSetting::Warn => 2,
        RuleSetting::Fail => 3,
    };
    let named = policy.rules.set.iter().filter(|(id, _)| finding.answers_to(id));
    named.map(|(_, setting)| *setting).max_by_key(strength)
}

struct Walk<'a> {
    policy: &'a Policy,
    fail: &'a [Prepared<'a>],
    warn: &'a [Prepared<'a>],
    finding: &'a Finding,
    /// What the policy says of its rule by name.
    setting: Option<RuleSetting>,
    sides: Sides,
    severity: Severity,
    severity_author: Option<RatingAuthor>,
}

impl Walk<'_> {
    fn decide(&self, inline_ignores: &InlineIndex<'_>, permissions: &mut Permissions<'_>, needs: &mut Needs) -> Decision {
        let mut remarks = Vec::new();
        if let Some(decision) = self.suppressed(inline_ignores, &mut remarks) {
            permissions.note_redundant(self.finding);
            return decision;
        }
        match permissions.accept_finding(self.finding, self.severity, self.policy.severity.unknown_as) {
            Ok(decision) => return decision,
            Err(mut ended) => remarks.append(&mut ended),
        }
        let (mut decision, more) = if self.finding.answers_to(END_OF_LIFE) {
            let worth = self.policy.end_of_life_distro;
            (decision(effect_of(worth), Some("end_of_life.distro"), "the distribution gets no more fixes".to_owned()), Needs::default())
        } else {
            match &self.finding.kind {
                FindingKind::Rule(meta) => (self.by_rules(meta), Needs::default()),
                FindingKind::Vulnerability | FindingKind::Exception => self.by_clauses(),
            }
        };
        needs.kev |= more.kev;
        needs.epss |= more.epss;
        if !remarks.is_empty() {
            remarks.insert(0, decision.reason.to_string());
            decision.reason = remarks.join("; ").into();
        }
        decision
    }

    fn suppressed(&self, inline_ignores: &InlineIndex<'_>, remarks: &mut Vec<String>) -> Option<Decision> {
        match (self.finding.state, self.policy.inspector_suppressions) {
            (FindingState::Closed, _) => return Some(decision(Effect::Suppressed, None, "its source says that it is gone".to_owned())),
            (FindingState::Suppressed, Suppressions::Honour) => {
                let by = self.finding.evidence.iter().find(|evidence| evidence.state == ObservedState::Suppressed);
                let by = by.map_or("its source", |evidence| evidence.source.name());
                return Some(decision(Effect::Suppressed, Some("inspector_suppressions"), format!("suppressed by a rule at {by}")));
            }
            (FindingState::Suppressed, Suppressions::Refuse) => {
                remarks.push("suppressed at its source, which the policy does not honour".to_owned())
            }
            (FindingState::Open, _) => {}
        }
        let FindingKind::Rule(meta) = &self.finding.kind else { return None };
        if self.setting == Some(RuleSetting::Off) {
            return Some(decision(Effect::Suppressed, Some("rules.set"), "the policy switches this rule off".to_owned()));
        }
        if let Some(decision) = self.ignored_by_foreign(meta, remarks) {
            return Some(decision);
        }
        let says = self.policy.rules.inline_ignores.get(&meta.group).copied().unwrap_or(InlineIgnores::Allow);
        for ignore in inline_ignores.covering(self.finding) {
            if let Some((_, _, why)) = inline_ignores.fault(ignore) {
                remarks.push(format!("the in-file ignore on line {} {why}", ignore.location.line));
                continue;
            }
            match says {
                InlineIgnores::Refuse => remarks.push(format!("the policy refuses the in-file ignore on line {}", ignore.location.line)),
                InlineIgnores::WithReason if ignore.reason.trim().is_empty() => {
                    remarks.push(format!("the in-file ignore on line {} gives no reason", ignore.location.line));
                }
                InlineIgnores::Allow | InlineIgnores::WithReason => {
                    let reason = if ignore.reason.trim().is_empty() { "ignored in the file".to_owned() } else { ignore.reason.clone() };
                    return Some(Decision {
                        effect: Effect::Suppressed,
                        clause: Some("rules.inline_ignores".into()),
                        exception: Some(Box::new(ignore.location.clone())),
                        reason: reason.into(),
                    });
                }
            }
        }
        None
    }

    /// Whether another linter's configuration ignores the rule; a say of the policy itself goes before it.
    fn ignored_by_foreign(&self, meta: &RuleMeta, remarks: &mut Vec<String>) -> Option<Decision> {
        let foreign = &self.policy.rules.foreign;
        if foreign.ignored.is_empty() || self.setting.is_some() {
            return None;
        }
        let span = self.finding.names().find_map(|id| foreign.ignored.get(&id.to_ascii_lowercase()))?;
        if meta.group == Group::Security && !foreign.lowers_security {
            remarks.push(format!("{} cannot silence a rule about security", span.file));
            return None;
        }
        Some(Decision {
            exception: Some(Box::new(span.clone())),
            ..decision(Effect::Suppressed, Some("rules.foreign"), format!("ignored in {}", span.file))
        })
    }

    fn by_rules(&self, meta: &RuleMeta) -> Decision {
        let rules = &self.policy.rules;
        let facts = format!("{} {}", meta.group.name(), self.severity);
        match self.setting {
            Some(RuleSetting::Fail) => return decision(Effect::Violation, Some("rules.set"), facts),
            Some(RuleSetting::Warn) => return decision(Effect::Warning, Some("rules.set"), facts),
            Some(RuleSetting::Note | RuleSetting::Off) => return decision(Effect::Noted, Some("rules.set"), facts),
            None => {}
        }
        let unknown_as = self.policy.severity.unknown_as;
        for (key, selections, effect) in [("fail", &rules.fail, Effect::Violation), ("warn", &rules.warn, Effect::Warning)] {
            if let Some(i) = selections.iter().position(|selection| selects(selection, meta, self.sides, self.severity, unknown_as)) {
                return decision(effect, Some(&format!("rules.{key}[{i}]")), facts);
            }
        }
        decision(Effect::Noted, None, facts)
    }

    fn by_clauses(&self) -> (Decision, Needs) {
        let unknown_as = self.policy.severity.unknown_as;
        let text = self.finding.package.as_deref().map(PackageText::of);
        let fitting = |clauses: &[Prepared<'_>]| -> (Vec<String>, Needs) {
            let (mut ids, mut needs) = (Vec::new(), Needs::default());
            for clause in clauses {
                match fits(clause, self.finding, text.as_ref(), self.sides, self.severity, unknown_as) {
                    Fit::Yes => ids.push(clause.clause.id.clone()),
                    Fit::No => {}
                    Fit::NeedsKev => needs.kev = true,
                    Fit::NeedsEpss => needs.epss = true,
                }
            }
            (ids, needs)
        };
        let (fails, needs) = fitting(self.fail);
        let (warns, _) = fitting(self.warn);
        let mut reason = self.describe();
        let (effect, clause, others, needs) = match (fails.split_first(), warns.split_first()) {
            (Some((first, rest)), _) => (Effect::Violation, Some(first), [rest, warns.as_slice()].concat(), Needs::default()),
            (None, Some((first, rest))) => (Effect::Warning, Some(first), rest.to_vec(), needs),
            (None, None) => (Effect::Noted, None, Vec::new(), needs),
        };
        if !others.is_empty() {
            reason.push_str("; also fits ");
            reason.push_str(&others.join(", "));
        }
        (decision(effect, clause.map(String::as_str), reason), needs)
    }

    /// The values that clauses compare, in words.
    fn describe(&self) -> String {
        let mut text = match (self.severity, self.severity_author) {
            (Severity::Unknown, _) => format!("unknown, compared as {}", self.policy.severity.unknown_as),
            (severity, Some(author)) => format!("{severity} ({})", author.name()),
            (severity, None) => severity.name().to_owned(),
        };
        text.push_str(", ");
        if self.finding.fixed.is_empty() {
            text.push_str("no fix known");
        } else {
            text.push_str("fixed in ");
            text.push_str(&self.finding.fixed.join(", "));
        }
        if self.fail.iter().chain(self.warn).any(|clause| clause.clause.origin.is_some()) {
            text.push_str(match (self.sides.may_be(Side::Base), self.sides.may_be(Side::Own)) {
                (true, false) => ", brought by the base image",
                (false, true) => ", brought by the build itself",
                _ => ", brought by nobody knows whom",
            });
        }
        if self.finding.kev {
            text.push_str(", known to be exploited");
        }
        if let Some(millionths) = self.finding.epss_millionths {
            text.push_str(&format!(", EPSS {}.{:06}", millionths / 1_000_000, millionths % 1_000_000));
        }
        text
    }
}

/// How many findings at least as bad as `severity` stand, that is, are neither suppressed nor accepted.
pub(super) fn count_standing(findings: &[JudgedFinding], severity: Severity, unknown_as: Severity) -> u64 {
    let stands = |judged: &&JudgedFinding| {
        let own = if judged.severity == Severity::Unknown { unknown_as } else { judged.severity };
        matches!(judged.finding.kind, FindingKind::Vulnerability)
            && matches!(judged.decision.effect, Effect::Violation | Effect::Warning | Effect::Noted)
            && rank(own) >= rank(severity)
    };
    u64::try_from(findings.iter().filter(stands).count()).unwrap_or(u64::MAX)
}

fn decision(effect: Effect, clause: Option<&str>, reason: String) -> Decision {
    Decision { effect, clause: clause.map(Arc::from), exception: None, reason: reason.into() }
}
