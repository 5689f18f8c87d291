//! In-file ignores during one evaluation: which of them cover a finding, and which have ended or end too late.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::{
    finding::Finding,
    location::Location,
    policy::Exception,
    verdict::{Effect, JudgedFinding},
};

use super::permissions::fault;
use crate::policy::{exception::Ignores, rating::latest};

/// In-file ignores by what they cover, and until when they count.
pub(super) struct InlineIndex<'a> {
    all: &'a [Exception],
    ignores: Ignores<'a>,
    until_max: Option<i64>,
    today: Date,
}

impl<'a> InlineIndex<'a> {
    /// Orders the ignores; `until_max` is how many days ahead one may end at most.
    pub(super) fn new(all: &'a [Exception], until_max: Option<i64>, today: Date) -> Self {
        Self { all, ignores: Ignores::of(all), until_max, today }
    }

    /// The ignores that cover a finding, whether they still count or not.
    pub(super) fn covering(&self, finding: &Finding) -> impl Iterator<Item = &'a Exception> {
        self.ignores.covering(finding)
    }

    /// Why an ignore does not count today: the id of the finding that says so, the word for its state, and the reason.
    pub(super) fn fault(&self, ignore: &Exception) -> Option<(&'static str, &'static str, String)> {
        match ignore.expires {
            Some(end) if end < self.today => Some(("exception-expired", "expired", format!("expired after {end}"))),
            end => {
                let last = latest(self.today, self.until_max)?;
                if end.is_some_and(|end| end <= last) {
                    return None;
                }
                let most = self.until_max.unwrap_or_default();
                let reason = match end {
                    Some(end) => format!("ends on {end}, more than {most} days from now"),
                    None => format!("has no `until`, and the policy lets one last {most} days"),
                };
                Some(("exception-too-long", "too-long", reason))
            }
        }
    }

    /// A finding for each line with an ignore that does not count today, unless a rule says already that it silences nothing.
    pub(super) fn faults(&self, findings: &[JudgedFinding]) -> Vec<JudgedFinding> {
        let mut told: BTreeSet<(&str, u32)> = BTreeSet::new();
        for judged in findings.iter().filter(|judged| judged.finding.id == "inline-ignore-unused") {
            if let Some(Location::Dockerfile(span)) = judged.finding.locations.first() {
                told.insert((&*span.file, span.line));
            }
        }
        let mut faults = Vec::new();
        for ignore in self.all {
            let Some((id, word, reason)) = self.fault(ignore) else { continue };
            if !told.insert((&*ignore.location.file, ignore.location.line)) {
                continue;
            }
            let text = format!("{reason}; it has no effect");
            let clause = format!("exceptions.{word}");
            let mut judged = fault(id, "the in-file ignore", &text, &ignore.location, Effect::Warning, &clause);
            judged.finding.locations = vec![Location::Dockerfile(ignore.location.clone())];
            faults.push(judged);
        }
        faults
    }
}
