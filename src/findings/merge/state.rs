//! Whether a finding still stands (rules M2 and M9). The two views of one Inspector finding are one voice: the later one speaks, on a tie ListFindings.
//! A source that closed or suppressed it does not outvote one that still sees it.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;

use crate::model::{
    coverage::SourceId,
    evidence::{Observation, ObservedState},
    finding::FindingState,
};

/// The state of a finding, and a note when its sources do not agree.
pub(super) fn of(rows: &[&Observation]) -> (FindingState, Option<String>) {
    let mut by_source: BTreeMap<SourceId, Vec<&Observation>> = BTreeMap::new();
    for row in rows {
        by_source.entry(row.source).or_default().push(row);
    }
    let mut states: BTreeMap<ObservedState, BTreeSet<&str>> = BTreeMap::new();
    for (source, rows) in &by_source {
        states.entry(of_source(rows.iter().copied())).or_default().insert(source.name());
    }
    let names = |state| states.get(&state).map(|names| names.iter().copied().collect::<Vec<_>>().join(", "));
    let (open, suppressed, closed) = (names(ObservedState::Open), names(ObservedState::Suppressed), names(ObservedState::Closed));
    let note = |hidden: Option<String>, word: &str, seen: &str| hidden.map(|hidden| format!("{word} by {hidden}, still seen by {seen}"));
    match (open, suppressed) {
        (Some(open), suppressed) => (FindingState::Open, note(closed, "closed", &open).or_else(|| note(suppressed, "suppressed", &open))),
        (None, Some(suppressed)) => (FindingState::Suppressed, note(closed, "closed", &suppressed)),
        (None, None) => (FindingState::Closed, None),
    }
}

/// What one source says: per finding of its own the later view, then open before suppressed before closed.
pub(super) fn of_source<'a>(rows: impl Iterator<Item = &'a Observation>) -> ObservedState {
    let mut latest: BTreeMap<(&str, Option<&str>), &Observation> = BTreeMap::new();
    for row in rows {
        let own = row.attributes.get("arn").unwrap_or(&row.id).as_str();
        let version = row.package.as_ref().map(|package| package.version.as_str());
        let voice = latest.entry((own, version)).or_insert(row);
        if later_first(row, voice).is_lt() {
            *voice = row;
        }
    }
    latest.values().map(|row| row.state).min().unwrap_or(ObservedState::Open)
}

/// Later rows first; on a tie ListFindings, then the state that hides less.
pub(super) fn later_first(a: &Observation, b: &Observation) -> Ordering {
    let is_list = |row: &Observation| row.attributes.get("view").is_some_and(|view| view == "inspector");
    time(b).cmp(&time(a)).then_with(|| is_list(b).cmp(&is_list(a))).then_with(|| a.state.cmp(&b.state))
}

/// When the source last changed the row.
pub(super) fn time(row: &Observation) -> Option<Timestamp> {
    row.updated.as_deref()?.parse().ok()
}
