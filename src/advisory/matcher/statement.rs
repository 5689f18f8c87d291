//! What the feed says in favour of a package: "fixed" and "not affected" about single CVEs. Such words of a distribution clear a language package
//! that it owns (advisories.md R9), and an advisory that fixes a problem clears the record that still calls it open (R6).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    advisory::{
        Error,
        matcher::observation::cves,
        matcher::row,
        range::{Installed, says_fixed},
        shard::reader::{Row, Shard},
    },
    model::evidence::{Observation, ObservedState},
};

/// The states in which Debian leaves a problem open that an advisory may fix later.
const LEFT_OPEN: &[&str] = &["no-dsa", "postponed", "ignored"];

/// Whether the feed says outright that a row's problem is not in this version. The row is known not to affect it.
pub(super) fn clears(row: &Row, installed: Option<&Installed<'_>>) -> bool {
    row::state(row) == Some("not-affected") || row.is_past || installed.is_some_and(|installed| says_fixed(installed, &row.affected.ranges))
}

/// Whether a state leaves a problem open for the time being.
pub(super) fn is_left_open(state: Option<&str>) -> bool {
    state.is_some_and(|state| LEFT_OPEN.contains(&state))
}

/// The CVEs of records that speak in favour of a package, each with the first of them.
pub(super) fn cleared(shard: &Shard, records: &BTreeSet<u32>) -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    for record in records {
        let advisory = shard.record_without_text(*record)?;
        for cve in cves(&advisory) {
            found.entry(cve.to_owned()).or_insert_with(|| advisory.id.0.clone());
        }
    }
    Ok(found)
}

/// What distributions say in favour of their packages: CVE to advisory, by package.
pub(super) type Cleared = BTreeMap<String, BTreeMap<String, String>>;

/// Closes an observation about a language package if the distribution says that its own package does not have the problem.
pub(super) fn close(observation: &mut Observation, owner: Option<&str>, cleared: &Cleared) {
    let Some((owner, statements)) = owner.and_then(|owner| Some((owner, cleared.get(owner)?))) else { return };
    let ids = || observation.aliases.iter().chain([&observation.id]).filter(|id| id.starts_with("CVE-"));
    // Every CVE must be cleared: one observation is about one.
    let said: Option<Vec<&String>> = ids().map(|id| statements.get(id)).collect();
    if let Some(advisory) = said.as_deref().and_then(<[_]>::first) {
        let note = format!("{advisory} says that {owner}, which brought it, does not have the problem");
        observation.attributes.insert("closed-by".to_owned(), note);
        observation.state = ObservedState::Closed;
    }
}
