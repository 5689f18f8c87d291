//! What the shards of a part say about themselves. In: the facts of a shard; out: Gaps for feeds that stopped, releases past their end, records that
//! nobody could read, and the note that unfixed problems are not known (advisories.md R15, sections 4 and 9).

use crate::{
    advisory::{
        matcher::plan::{Part, counted},
        shard::reader::Shard,
    },
    model::coverage::{Gap, SourceId},
};

/// Every Gap of a part that its shards tell of.
pub(super) fn gaps(part: &Part<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for pocket in &part.pockets {
        let shard = pocket.shard;
        let mut add = |kind, reason: String| gaps.push(Gap::new(SourceId::Offline, kind, shard.name(), reason));
        if let Some(count) = shard.fact("unreadable") {
            let names = shard.fact("unreadable-names").unwrap_or_default();
            add("undecidable", format!("{count} records of the feed could not be read: {names}"));
        }
        let packages = counted(part.packages.len(), part.ecosystem.kind);
        if let Some(since) = shard.fact("frozen-since") {
            add("frozen", format!("the feed says nothing new about {} since {since}: {packages} looked up in old advisories", pocket.text));
        } else if let Some(day) = past_end_of_life(shard) {
            add("frozen", format!("{} reached the end of its life on {day}: {packages} looked up in old advisories", pocket.text));
        }
        if shard.fact("unfixed") == Some("unknown") {
            add("unfixed-unknown", format!("the feed of {} lists fixed problems alone; which others are open in {packages} is not known", pocket.text));
        }
    }
    gaps
}

/// The last day of a release, if its data is from after that day. The policy compares it with the day of the run; here is no clock.
fn past_end_of_life(shard: &Shard) -> Option<&str> {
    let (day, as_of) = shard.fact("end-of-life").zip(shard.fact("as-of"))?;
    // Both begin with an ISO date of one length.
    (day.len() == 10 && as_of.get(..10)? > day).then_some(day)
}
