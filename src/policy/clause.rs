//! One clause and one finding in; whether the clause fits out. Also which facts a clause asked for that nobody has.

use std::collections::BTreeSet;

use crate::model::{
    finding::Finding,
    origin::Sides,
    package::PackageKind,
    policy::{Clause, Comparison, FixCondition, PackageClass, RuleSelection},
    rule::RuleMeta,
    severity::Severity,
};

use super::pattern::{PackagePattern, PackageText, WithoutPurl};

/// A clause without name and conditions.
pub(super) const ANY: Clause = Clause {
    id: String::new(),
    severity: None,
    fix: None,
    kev: None,
    epss_millionths: None,
    source: BTreeSet::new(),
    sources: None,
    package: None,
    finding: None,
    kind: BTreeSet::new(),
    origin: None,
};

/// Whether a clause fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// All conditions hold.
    Yes,
    /// Some condition does not.
    No,
    /// All hold but the one on exploitation, and only data that may not have been there could tell.
    NeedsKev,
    /// All hold but the one on EPSS, and the finding carries no probability.
    NeedsEpss,
}

/// A clause made ready to be compared with many findings.
pub(super) struct Prepared<'p> {
    /// The clause.
    pub(super) clause: &'p Clause,
    package: Option<PackagePattern>,
}

impl<'p> Prepared<'p> {
    /// Makes clauses ready.
    pub(super) fn all(clauses: &'p [Clause]) -> Vec<Self> {
        clauses.iter().map(|clause| Self { clause, package: clause.package.as_deref().map(PackagePattern::of) }).collect()
    }
}

/// Whether a clause fits `finding` of the effective `severity`; `text` is the finding's package, taken apart, `sides` who may have brought it.
pub(super) fn fits(
    prepared: &Prepared<'_>,
    finding: &Finding,
    text: Option<&PackageText<'_>>,
    sides: Sides,
    severity: Severity,
    unknown_as: Severity,
) -> Fit {
    let Clause { id: _, severity: wanted, fix, kev, epss_millionths, source, sources, package: _, finding: id, kind, origin } =
        prepared.clause;
    // The cheap answer first: most clauses miss by a number.
    if matches!((epss_millionths, finding.epss_millionths), (Some((comparison, wanted)), Some(own)) if !comparison.holds(&own, wanted)) {
        return Fit::No;
    }
    let rest = wanted.is_none_or(|wanted| severity_holds(wanted, severity, unknown_as))
        && fix.is_none_or(|fix| match fix {
            FixCondition::Available => !finding.fixed.is_empty(),
            FixCondition::None => finding.fixed.is_empty(),
            FixCondition::Any => true,
        })
        && (source.is_empty() || finding.evidence.iter().any(|evidence| source.contains(&evidence.source)))
        && sources.is_none_or(|(comparison, count)| comparison.holds(&count_sources(finding), &count))
        && prepared.package.as_ref().is_none_or(|pattern| text.is_some_and(|text| pattern.fits(text, WithoutPurl::ByName)))
        && id.as_ref().is_none_or(|id| finding.answers_to(id))
        && origin.is_none_or(|side| sides.may_be(side))
        && (kind.is_empty() || classes(finding).iter().any(|class| kind.contains(class)));
    if !rest {
        return Fit::No;
    }
    let kev_fits = match kev {
        None => Fit::Yes,
        Some(wanted) if *wanted == finding.kev => Fit::Yes,
        Some(true) => Fit::NeedsKev,
        Some(false) => Fit::No,
    };
    let epss_fits = match (epss_millionths, finding.epss_millionths) {
        (None, _) => Fit::Yes,
        (Some((comparison, wanted)), Some(own)) if comparison.holds(&own, wanted) => Fit::Yes,
        (Some(_), Some(_)) => Fit::No,
        (Some(_), None) => Fit::NeedsEpss,
    };
    match (kev_fits, epss_fits) {
        (Fit::No, _) | (_, Fit::No) => Fit::No,
        (Fit::Yes, other) => other,
        (other, _) => other,
    }
}

/// Whether a selection of rules fits.
pub(super) fn selects(selection: &RuleSelection, meta: &RuleMeta, sides: Sides, severity: Severity, unknown_as: Severity) -> bool {
    (selection.groups.is_empty() || selection.groups.contains(&meta.group))
        && selection.severity.is_none_or(|wanted| severity_holds(wanted, severity, unknown_as))
        && selection.origin.is_none_or(|side| sides.may_be(side))
}

/// Whether a severity condition holds. An unknown severity may be anything up to `unknown_as`: it holds when it holds for one of these,
/// so that thinking worse of the unknown never makes a clause miss.
pub(super) fn severity_holds((comparison, wanted): (Comparison, Severity), own: Severity, unknown_as: Severity) -> bool {
    let wanted = rank(wanted);
    match own {
        Severity::Unknown => (0..=rank(unknown_as)).any(|rank| comparison.holds(&rank, &wanted)),
        own => comparison.holds(&rank(own), &wanted),
    }
}

/// Ranks from 0 (negligible) to 4 (critical, and unknown when nothing else is said).
pub(super) const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Negligible => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical | Severity::Unknown => 4,
    }
}

fn count_sources(finding: &Finding) -> u32 {
    let sources: BTreeSet<_> = finding.evidence.iter().map(|evidence| evidence.source).collect();
    u32::try_from(sources.len()).unwrap_or(u32::MAX)
}

/// The classes a package may be of; one whose kind nobody knows may be of each, so that a clause never misses it.
fn classes(finding: &Finding) -> &'static [PackageClass] {
    match finding.package.as_ref().map(|package| package.kind) {
        Some(Some(PackageKind::Generic)) => &[PackageClass::Binary],
        Some(Some(kind)) if kind.is_os() => &[PackageClass::Os],
        Some(Some(_)) => &[PackageClass::Language],
        Some(None) | None => &[PackageClass::Os, PackageClass::Language, PackageClass::Binary],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_knows_is_of_either_side() {
        use crate::model::{location::Location, origin::Side, rule::Group};
        static META: RuleMeta = RuleMeta::blank("x", Group::Security, Severity::High);
        let finding = Finding::of_rule(&META, Severity::High, String::new(), Location::Config);
        let (base, own) = (Sides { base: true, own: false }, Sides { base: false, own: true });
        for (origin, sides, expected) in [
            (None, own, Fit::Yes),
            (Some(Side::Own), own, Fit::Yes),
            (Some(Side::Own), base, Fit::No),
            (Some(Side::Base), base, Fit::Yes),
            (Some(Side::Base), own, Fit::No),
            (Some(Side::Own), Sides::EITHER, Fit::Yes),
            (Some(Side::Base), Sides::EITHER, Fit::Yes),
        ] {
            let clauses = [Clause { origin, ..ANY }];
            let prepared = Prepared::all(&clauses);
            let fit = prepared.first().map(|clause| fits(clause, &finding, None, sides, Severity::High, Severity::High));
            assert_eq!(fit, Some(expected), "{origin:?} {sides:?}");
        }
    }

    #[test]
    fn unknown_is_anything_up_to_what_the_policy_says() {
        let check = |comparison, wanted, unknown_as, expected| {
            assert_eq!(
                severity_holds((comparison, wanted), Severity::Unknown, unknown_as),
                expected,
                "{comparison:?} {wanted} {unknown_as}"
            );
        };
        check(Comparison::AtLeast, Severity::High, Severity::Medium, false);
        check(Comparison::AtLeast, Severity::High, Severity::High, true);
        check(Comparison::Equal, Severity::Medium, Severity::Critical, true);
        check(Comparison::Below, Severity::Low, Severity::Critical, true);
        assert!(!severity_holds((Comparison::Equal, Severity::Medium), Severity::High, Severity::Critical));
    }
}
