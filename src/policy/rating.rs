//! A finding and a policy in, the effective severity and whose rating it is out.

use jiff::civil::Date;

use crate::model::{
    finding::{Finding, FindingKind},
    policy::{ForeignRules, SeverityPolicy, SeveritySource},
    rule::Group,
    severity::{Rating, RatingAuthor, Severity},
};

use super::{clause::rank, exception::Term};

/// The effective severity of `finding` and its author; `terms` says which own ratings are in force.
pub(super) fn effective(finding: &Finding, policy: &SeverityPolicy, terms: &[Term]) -> (Severity, Option<RatingAuthor>) {
    // Of several own ratings that are in force the highest counts.
    let own = policy.overrides.iter().zip(terms).filter(|(rating, term)| term.in_force() && finding.answers_to(&rating.id));
    if let Some((rating, _)) = own.max_by_key(|(rating, _)| rank(rating.severity)) {
        return (rating.severity, Some(RatingAuthor::Policy));
    }
    if !matches!(finding.kind, FindingKind::Vulnerability) || finding.ratings.is_empty() {
        return (finding.severity, finding.severity_author);
    }
    let first = |authors: &[RatingAuthor]| {
        authors.iter().find_map(|author| highest(finding.ratings.iter().filter(|rating| rating.author == *author)))
    };
    let order = || highest_by_order(&finding.ratings);
    let chosen = match policy.source {
        SeveritySource::Vendor => order(),
        SeveritySource::Max => highest(finding.ratings.iter()),
        SeveritySource::Inspector => first(&[RatingAuthor::Inspector]).or_else(order),
        SeveritySource::Nvd => first(&[RatingAuthor::Nvd]).or_else(order),
    };
    chosen.map_or((Severity::Unknown, None), |(severity, author)| (severity, Some(author)))
}

/// The severity that another linter's configuration gives a rule's finding, where no own rating has: it lowers no rule about security unless it may.
pub(super) fn foreign(
    finding: &Finding,
    own: (Severity, Option<RatingAuthor>),
    foreign: &ForeignRules,
) -> (Severity, Option<RatingAuthor>) {
    let FindingKind::Rule(meta) = &finding.kind else { return own };
    if foreign.severities.is_empty() || own.1 == Some(RatingAuthor::Policy) {
        return own;
    }
    let mut ids = finding.names();
    match ids.find_map(|id| foreign.severities.get(&id.to_ascii_lowercase())) {
        Some((severity, _)) if foreign.lowers_security || meta.group != Group::Security || rank(*severity) >= rank(own.0) => {
            (*severity, Some(RatingAuthor::Policy))
        }
        _ => own,
    }
}

/// The last day a dated permission may have, when `max_days` limits it.
pub(super) fn latest(today: Date, max_days: Option<i64>) -> Option<Date> {
    let days = jiff::Span::new().try_days(max_days?).ok()?;
    today.checked_add(days).ok()
}

/// The first author, in the default order, that really rates.
fn highest_by_order(ratings: &[Rating]) -> Option<(Severity, RatingAuthor)> {
    let first = ratings.iter().filter(|rating| rating.severity() != Severity::Unknown).map(|rating| rating.author).min()?;
    highest(ratings.iter().filter(|rating| rating.author == first))
}

fn highest<'r>(ratings: impl Iterator<Item = &'r Rating>) -> Option<(Severity, RatingAuthor)> {
    ratings
        .map(|rating| (rating.severity(), rating.author))
        .filter(|(severity, _)| *severity != Severity::Unknown)
        .max_by_key(|(severity, author)| (rank(*severity), std::cmp::Reverse(*author)))
}
