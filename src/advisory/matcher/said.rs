//! What the shards of a release say about one package. In: rows, judged one by one; out: what hits after the shards are held against one another:
//! what subscribers get and builds apart (advisories.md R7), what a later advisory fixed (R6).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    module::Module,
    observation::{self, Hit},
    plan::{Pocket, Role},
    row::{self, Subject},
    statement,
};
use crate::advisory::{
    Error,
    range::Judgement,
    shard::{
        RowStatus,
        reader::{Row, Rows},
    },
};

/// What the rows of one shard say about one package.
#[derive(Default)]
pub(super) struct Said {
    /// Boxed: few records hit, and a node of the map has room for eleven.
    pub(super) hits: BTreeMap<u32, Box<Hit>>,
    /// Why rows of a record cannot be decided, none of which hits.
    pub(super) undecided: BTreeMap<u32, String>,
    /// Places of rows that do not affect the package.
    not_affected: Vec<usize>,
    /// Whether the shard may say nothing in favour of the package.
    is_partial: bool,
}

impl Said {
    /// Judges the rows of a shard.
    pub(super) fn of(pocket: &Pocket<'_>, rows: &[Row], subject: &Subject<'_>) -> Result<Self, Error> {
        let mut said = Self::default();
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.status == RowStatus::Active) {
            match row::judge_row(pocket.shard, row, subject)? {
                None => {}
                Some(Judgement::NotAffected) => said.not_affected.push(place),
                Some(Judgement::Undecidable(reason)) => {
                    said.undecided.insert(row.record, reason);
                }
                Some(Judgement::Affected { fixed, open_ended, because }) => {
                    said.hits.entry(row.record).or_insert_with(|| Box::new(Hit::new(because))).add(row, fixed, open_ended);
                }
            }
        }
        Ok(said)
    }

    /// Records that say "fixed" or "not affected". Few packages need to know, and it means reading ranges again.
    pub(super) fn in_favour(&self, rows: &Rows, subject: &Subject<'_>) -> BTreeSet<u32> {
        if self.is_partial {
            return BTreeSet::new();
        }
        let listed = self.not_affected.iter().filter_map(|place| rows.listed.get(*place));
        let listed = listed.filter(|row| statement::clears(row, subject.installed.as_ref())).map(|row| row.record);
        // That something outside of modules is fixed is no word about a package of one.
        let past = if matches!(subject.module, Module::Stream(_)) { &[][..] } else { &rows.past };
        listed.chain(past.iter().copied()).collect()
    }
}

/// R7: what subscribers get says where a problem of the release is fixed, and tells of problems that the release itself has no row for. A record
/// that the release has a row for is the release's to judge.
pub(super) fn beside(pocket: &Pocket<'_>, said: &mut Said, of_release: &mut [(&Pocket<'_>, Said, Rows)]) -> Result<(), Error> {
    if said.hits.is_empty() && said.undecided.is_empty() {
        return Ok(());
    }
    let mut known: BTreeMap<String, (usize, u32)> = BTreeMap::new();
    for (index, (pocket, _, rows)) in of_release.iter().enumerate() {
        for record in rows.active_records() {
            // Of several records with one id the last one.
            let last = known.entry(pocket.shard.record_id(record)?).or_default();
            *last = (*last).max((index, record));
        }
    }
    for record in std::mem::take(&mut said.undecided) {
        if !known.contains_key(&pocket.shard.record_id(record.0)?) {
            said.undecided.insert(record.0, record.1);
        }
    }
    for (record, mut hit) in std::mem::take(&mut said.hits) {
        hit.fix_in = (!hit.fixed.is_empty()).then_some("Ubuntu Pro");
        match known.get(&pocket.shard.record_id(record)?) {
            None => {
                said.hits.insert(record, hit);
            }
            Some((index, record)) => {
                let open =
                    of_release.get_mut(*index).and_then(|(_, said, _)| said.hits.get_mut(record)).filter(|open| open.fixed.is_empty());
                if let Some(open) = open {
                    open.fixed = hit.fixed;
                    open.fix_in = hit.fix_in;
                }
            }
        }
    }
    Ok(())
}

/// R7: the release speaks of a build apart from it only where the build's own shards have no row about the problem, and never in its favour: it
/// is fixed at another version there.
pub(super) fn fall_back(pocket: &Pocket<'_>, said: &mut Said, of_build: &[(&Pocket<'_>, Said, Rows)]) -> Result<(), Error> {
    said.is_partial = true;
    if said.hits.is_empty() && said.undecided.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    for (pocket, _, rows) in of_build.iter().filter(|(pocket, ..)| pocket.role == Role::Own) {
        for record in rows.active_records().collect::<BTreeSet<_>>() {
            let advisory = pocket.shard.record_without_text(record)?;
            known.extend(observation::cves(&advisory).into_iter().map(str::to_owned));
            known.insert(advisory.id.0);
        }
    }
    let records: BTreeSet<u32> = said.hits.keys().chain(said.undecided.keys()).copied().collect();
    for record in records {
        let advisory = pocket.shard.record_without_text(record)?;
        let cves = observation::cves(&advisory);
        // A record about several problems stays while one of them is not known.
        if known.contains(&advisory.id.0) || (!cves.is_empty() && cves.iter().all(|cve| known.contains(*cve))) {
            said.hits.remove(&record);
            said.undecided.remove(&record);
        }
    }
    Ok(())
}

/// R6: a problem that was left open is closed by the advisory that fixed it later.
pub(super) fn drop_what_was_fixed_later(pocket: &Pocket<'_>, said: &mut Said, rows: &Rows, subject: &Subject<'_>) -> Result<(), Error> {
    let left_open: Vec<u32> = said
        .hits
        .iter()
        .filter(|(_, hit)| hit.fixed.is_empty() && statement::is_left_open(hit.state.as_deref()))
        .map(|(record, _)| *record)
        .collect();
    if left_open.is_empty() {
        return Ok(());
    }
    let cleared = statement::cleared(pocket.shard, &said.in_favour(rows, subject))?;
    for record in left_open {
        let advisory = pocket.shard.record_without_text(record)?;
        let cves = observation::cves(&advisory);
        if !cves.is_empty() && cves.iter().all(|cve| cleared.contains_key(*cve)) {
            said.hits.remove(&record);
        }
    }
    Ok(())
}
