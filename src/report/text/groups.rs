//! Judged findings in, rows grouped by the line to edit out, the worst group and the worst row first.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{
        coverage::SourceId,
        finding::FindingKind,
        report::ScanReport,
        severity::Severity,
        verdict::{Effect, JudgedFinding},
    },
    report::{count::worst_first, place::Place},
};

/// All findings of one effect that one line mends.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// The line.
    pub(super) place: Place<'a>,
    /// Its rows.
    pub(super) rows: Vec<Row<'a>>,
}

/// One finding, or several that differ in the package's name alone.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// The first of them.
    pub(super) judged: &'a JudgedFinding,
    /// The others.
    others: Vec<&'a JudgedFinding>,
}

impl<'a> Row<'a> {
    /// Names of all packages.
    pub(super) fn names(&self) -> BTreeSet<&'a str> {
        self.all().filter_map(|judged| judged.finding.package.as_ref()).map(|package| package.name.as_str()).collect()
    }

    /// Every source that reports any of them.
    pub(super) fn sources(&self) -> BTreeSet<SourceId> {
        self.all().flat_map(|judged| &judged.finding.evidence).map(|evidence| evidence.source).collect()
    }

    /// How many findings that is.
    pub(super) const fn findings(&self) -> usize {
        1 + self.others.len()
    }

    fn all(&self) -> impl Iterator<Item = &'a JudgedFinding> {
        std::iter::once(self.judged).chain(self.others.iter().copied())
    }
}

impl Group<'_> {
    /// How many findings there are from row `from` on, per severity in report order.
    pub(super) fn rest(&self, from: usize) -> BTreeMap<u8, (Severity, usize)> {
        let mut rest = BTreeMap::new();
        for row in self.rows.iter().skip(from) {
            rest.entry(row.judged.severity.report_order()).or_insert((row.judged.severity, 0)).1 += row.findings();
        }
        rest
    }
}

/// The groups of all findings with `effect`.
pub(super) fn groups(report: &ScanReport, effect: Effect) -> Vec<Group<'_>> {
    let mut judged: Vec<_> = report.verdict.findings.iter().filter(|judged| judged.decision.effect == effect).collect();
    judged.sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
    let mut order: BTreeMap<Place<'_>, usize> = BTreeMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut folded: Vec<BTreeMap<FoldKey<'_>, usize>> = Vec::new();
    for judged in judged {
        let place = Place::of(judged, report);
        // A multi-line instruction is one place, whichever of its lines a finding names first.
        let at = *order.entry(place.clone()).or_insert_with(|| {
            // Most lines have one.
            groups.push(Group { place, rows: Vec::with_capacity(1) });
            folded.push(BTreeMap::new());
            groups.len() - 1
        });
        let (Some(group), Some(folded)) = (groups.get_mut(at), folded.get_mut(at)) else { continue };
        let fresh = group.rows.len();
        let row_at = fold_key(judged).map_or(fresh, |key| *folded.entry(key).or_insert(fresh));
        match group.rows.get_mut(row_at) {
            Some(row) => row.others.push(judged),
            None => group.rows.push(Row { judged, others: Vec::new() }),
        }
    }
    groups
}

type FoldKey<'a> = (&'a str, &'a str, &'a [String], u8, Option<&'a str>, &'a str);

/// Findings with equal keys are one row; only vulnerabilities in packages fold.
fn fold_key(judged: &JudgedFinding) -> Option<FoldKey<'_>> {
    let finding = &judged.finding;
    let package = finding.package.as_ref()?;
    matches!(finding.kind, FindingKind::Vulnerability).then(|| {
        (
            finding.id.as_str(),
            package.version.as_str(),
            finding.fixed.as_slice(),
            judged.severity.report_order(),
            judged.decision.clause.as_deref(),
            &*judged.decision.reason,
        )
    })
}
