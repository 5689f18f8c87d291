//! The exceptions of a policy during one evaluation: what each let pass, and at the end what is wrong with each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::model::{
    coverage::{Completeness, Gap, SourceId, SourceState},
    finding::{Finding, FindingKind, FindingState},
    image::ResolvedImage,
    location::{Location, Span},
    policy::{Exception, Policy},
    severity::{RatingAuthor, Severity},
    verdict::{Decision, Effect, ExceptionUse, JudgedFinding, JudgedGap},
};

use super::effect_of;
use crate::policy::exception::{Term, covers_finding, covers_gap, covers_image, covers_requirement, ended};

/// The exceptions of a policy and what became of them so far.
pub(super) struct Permissions<'p> {
    list: &'p [Exception],
    terms: Vec<Term>,
    override_terms: Vec<Term>,
    /// Exceptions by lower-case id: most findings have none.
    by_id: BTreeMap<String, Vec<usize>>,
    here: Vec<bool>,
    hits: Vec<usize>,
    matched: Vec<bool>,
    redundant: Vec<bool>,
}

impl<'p> Permissions<'p> {
    pub(super) fn new(policy: &'p Policy, image: Option<&ResolvedImage>, today: Date) -> Self {
        let list = policy.exceptions.list.as_slice();
        let mut by_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, exception) in list.iter().enumerate() {
            by_id.entry(exception.id.to_ascii_lowercase()).or_default().push(i);
        }
        Self {
            list,
            terms: list
                .iter()
                .map(|exception| Term::of(exception.owner.as_deref(), exception.expires, &policy.exceptions, today))
                .collect(),
            override_terms: policy
                .severity
                .overrides
                .iter()
                .map(|own| Term::of(own.owner.as_deref(), own.expires, &policy.exceptions, today))
                .collect(),
            by_id,
            here: list.iter().map(|exception| covers_image(exception, image)).collect(),
            hits: vec![0; list.len()],
            matched: vec![false; list.len()],
            redundant: vec![false; list.len()],
        }
    }

    /// Which own ratings are in force, in policy order.
    pub(super) fn override_terms(&self) -> &[Term] {
        &self.override_terms
    }

    /// Lets a finding pass, or says which permissions for it have ended.
    pub(super) fn accept_finding(&mut self, finding: &Finding, severity: Severity, unknown_as: Severity) -> Result<Decision, Vec<String>> {
        let (mut accepted, mut remarks) = (None, Vec::new());
        for i in self.naming(finding) {
            let Some((exception, term)) = self.at(i).filter(|(exception, _)| covers_finding(exception, finding)) else { continue };
            set(&mut self.matched, i);
            if !term.in_force() {
                remarks.push(without_effect(exception, term));
            } else if let Some(why) = ended(exception, finding, severity, unknown_as) {
                remarks.push(why.to_owned());
            } else {
                self.hit(i);
                accepted.get_or_insert_with(|| accept(exception));
            }
        }
        accepted.ok_or(remarks)
    }

    /// Notes that exceptions cover a finding which needs none.
    pub(super) fn note_redundant(&mut self, finding: &Finding) {
        for i in self.naming(finding) {
            if self.at(i).is_some_and(|(exception, _)| covers_finding(exception, finding)) {
                set(&mut self.redundant, i);
            }
        }
    }

    /// Lets a gap pass, when an exception covers it.
    pub(super) fn accept_gap(&mut self, gap: &Gap) -> Option<Decision> {
        self.accept_if(|exception| covers_gap(exception, gap))
    }

    /// Lets a requirement pass, when an exception covers it.
    pub(super) fn accept_requirement(&mut self, class: &str, id: &str, code: Option<&str>) -> Option<Decision> {
        self.accept_if(|exception| covers_requirement(exception, class, id, code))
    }

    /// What became of each exception, and a finding for every fault.
    pub(super) fn finish(
        self,
        policy: &Policy,
        sources: &[SourceState],
        stages: &BTreeSet<SourceId>,
        gaps: &[JudgedGap],
    ) -> (Vec<ExceptionUse>, Vec<JudgedFinding>) {
        let (mut uses, mut faults) = (Vec::new(), Vec::new());
        for (i, exception) in self.list.iter().enumerate() {
            let flag = |flags: &[bool]| flags.get(i).copied().unwrap_or_default();
            let term = self.terms.get(i).copied().unwrap_or(Term::Expired);
            let what = format!("exception for {}", exception.id);
            let mut state = if flag(&self.matched) { "used" } else { "unused" };
            if let Some((id, word)) = term.fault() {
                state = word;
                faults.push(fault(
                    id,
                    &what,
                    &term_text(term, exception.expires, exception.owner.as_deref(), policy),
                    &exception.location,
                    Effect::Warning,
                    &format!("exceptions.{word}"),
                ));
            }
            let idle = term.in_force() && !flag(&self.matched);
            if idle && !flag(&self.here) {
                state = "other-image";
            } else if idle && flag(&self.redundant) {
                let why = "covers only what is suppressed already";
                faults.push(fault("exception-redundant", &what, why, &exception.location, Effect::Noted, "exceptions.redundant"));
            } else if idle && was_looked_for(exception, policy, sources, stages, gaps) {
                state = "unused";
                let effect = effect_of(policy.exceptions.unused);
                faults.push(fault(
                    "exception-unused",
                    &what,
                    "matches nothing in this run",
                    &exception.location,
                    effect,
                    "exceptions.unused",
                ));
            }
            let hits = self.hits.get(i).copied().unwrap_or_default();
            uses.push(ExceptionUse { id: exception.id.clone(), location: exception.location.clone(), state, hits });
        }
        for (own, term) in policy.severity.overrides.iter().zip(&self.override_terms) {
            if let Some((id, word)) = term.fault() {
                let text = term_text(*term, own.expires, own.owner.as_deref(), policy);
                faults.push(fault(
                    id,
                    &format!("own rating of {}", own.id),
                    &text,
                    &own.location,
                    Effect::Warning,
                    &format!("exceptions.{word}"),
                ));
            }
        }
        (uses, faults)
    }

    fn accept_if(&mut self, covers: impl Fn(&Exception) -> bool) -> Option<Decision> {
        let mut accepted = None;
        for i in 0..self.list.len() {
            let Some((exception, term)) = self.at(i).filter(|(exception, _)| covers(exception)) else { continue };
            set(&mut self.matched, i);
            if term.in_force() {
                self.hit(i);
                accepted.get_or_insert_with(|| accept(exception));
            }
        }
        accepted
    }

    /// The exception at `i` and its term, when it is about this image.
    fn at(&self, i: usize) -> Option<(&'p Exception, Term)> {
        let here = self.here.get(i).copied().unwrap_or_default();
        self.list.get(i).zip(self.terms.get(i).copied()).filter(|_| here)
    }

    /// Exceptions that name the finding by id or alias, in policy order.
    fn naming(&self, finding: &Finding) -> BTreeSet<usize> {
        if self.by_id.is_empty() {
            return BTreeSet::new();
        }
        finding.names().filter_map(|id| self.by_id.get(&id.to_ascii_lowercase())).flatten().copied().collect()
    }

    fn hit(&mut self, i: usize) {
        if let Some(hits) = self.hits.get_mut(i) {
            *hits += 1;
        }
    }
}

fn set(flags: &mut [bool], i: usize) {
    if let Some(flag) = flags.get_mut(i) {
        *flag = true;
    }
}

fn accept(exception: &Exception) -> Decision {
    let until = exception.expires.map_or_else(String::new, |date| format!(" (until {date})"));
    Decision {
        effect: Effect::Accepted,
        clause: None,
        exception: Some(Box::new(exception.location.clone())),
        reason: format!("{}{until}", exception.reason).into(),
    }
}

fn without_effect(exception: &Exception, term: Term) -> String {
    let line = exception.location.line;
    match term {
        Term::Expired => format!("the exception on line {line} has expired"),
        Term::TooLong => format!("the exception on line {line} ends later than the policy allows"),
        Term::Owner | Term::Running | Term::Soon(_) => format!("the exception on line {line} has no owner that the policy knows"),
    }
}

fn term_text(term: Term, expires: Option<Date>, owner: Option<&str>, policy: &Policy) -> String {
    let date = expires.map_or_else(|| "never".to_owned(), |date| date.to_string());
    match term {
        Term::Expired => format!("expired after {date}; it has no effect"),
        Term::TooLong => {
            let most = policy.exceptions.max_days.unwrap_or_default();
            format!("ends on {date}, more than {most} days from now; it has no effect")
        }
        Term::Owner => format!("its owner {} is none that `exceptions.owners` allows; it has no effect", owner.unwrap_or("(nobody)")),
        Term::Soon(0) => "ends today".to_owned(),
        Term::Soon(days) => format!("ends in {days} days, on {date}"),
        Term::Running => String::new(),
    }
}

/// Whether everything that could have made an exception match was looked at, so that "unused" says something.
fn was_looked_for(
    exception: &Exception,
    policy: &Policy,
    sources: &[SourceState],
    stages: &BTreeSet<SourceId>,
    gaps: &[JudgedGap],
) -> bool {
    let state = |source: SourceId| sources.iter().find(|state| state.source == source).map(|state| state.completeness);
    let complete = |source: &SourceId| state(*source) == Some(Completeness::Complete);
    let asked_are_complete = sources
        .iter()
        .all(|state| state.completeness != Completeness::Incomplete && (!state.asked || state.completeness == Completeness::Complete));
    if !asked_are_complete || gaps.iter().any(|judged| judged.decision.effect == Effect::Violation) {
        return false;
    }
    // Ids of rules, requirements, codes and kinds of gaps are lower case; those of advisories have a capital or name a package.
    let advisory = exception.package.is_some() || exception.id.bytes().any(|b| b.is_ascii_uppercase());
    if advisory {
        // An exception may name an advisory that only one of the required sources knows; each requirement must have been met.
        return SourceId::OF_FINDINGS.iter().any(|source| stages.contains(source) && complete(source))
            && policy.evidence.require.iter().all(|any| any.is_disjoint(stages) || any.iter().any(complete));
    }
    [SourceId::Dockerfile, SourceId::Signatures].iter().all(complete)
}

/// A finding about an exception, at its file and line.
pub(super) fn fault(id: &str, what: &str, text: &str, location: &Span, effect: Effect, clause: &str) -> JudgedFinding {
    let finding = Finding {
        id: id.to_owned(),
        aliases: BTreeSet::new(),
        kind: FindingKind::Exception,
        title: format!("{what} {text}"),
        package: None,
        severity: Severity::Low,
        severity_author: Some(RatingAuthor::Policy),
        ratings: Vec::new(),
        fixed: Vec::new(),
        state: FindingState::Open,
        kev: false,
        epss_millionths: None,
        locations: vec![Location::Policy(location.clone())],
        evidence: Vec::new(),
        notes: Vec::new(),
        fix: None,
    };
    let decision = Decision { effect, clause: Some(clause.into()), exception: Some(Box::new(location.clone())), reason: text.into() };
    JudgedFinding { severity: finding.severity, severity_author: finding.severity_author, finding, decision }
}
