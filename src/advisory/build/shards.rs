//! What was gathered of one ecosystem to its shards: one per OSV ecosystem string.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Gathered, ShardSummary, Unfixed};
use crate::{
    advisory::{
        Error, ecosystem,
        shard::writer::{Contents, encode},
    },
    model::{
        advisory::Advisory,
        coverage::{Gap, SourceId},
    },
};

/// Records before this time have no date: some feeds write the year 1 for "unknown" (2000-01-01).
const FIRST_DATE: i64 = 946_684_800;
/// So many unreadable records are named.
const NAMED: usize = 5;

/// A shard that is ready to be written.
pub(super) struct Finished {
    pub(super) summary: ShardSummary,
    pub(super) bytes: Vec<u8>,
}

/// Encodes every shard of an ecosystem; what cannot become one is a Gap.
pub(super) fn shards_of(gathered: &Gathered) -> Result<(Vec<Finished>, Vec<Gap>), Error> {
    let (mut shards, mut gaps) = (Vec::new(), Vec::new());
    if !gathered.unreadable.is_empty() {
        let reason = format!("{} records cannot be read: {}", gathered.unreadable.len(), named(&gathered.unreadable));
        gaps.push(gap(gathered.ecosystem.name, &reason));
    }
    for text in gathered.texts() {
        match ecosystem::shard_name(&text) {
            Some(name) => shards.push(shard(gathered, &text, name)?),
            None => gaps.push(gap(&text, "the name of the release is not fit for a file name")),
        }
    }
    Ok((shards, gaps))
}

fn shard(gathered: &Gathered, text: &str, name: String) -> Result<Finished, Error> {
    let own = |advisory: &&Advisory| advisory.affected.iter().any(|affected| affected.ecosystem == text);
    let advisories: Vec<&Advisory> = gathered.advisories.iter().filter(own).collect();
    let release = gathered.releases.get(text).cloned().unwrap_or_default();
    let newest = advisories.iter().filter_map(|advisory| advisory.modified.as_deref()?.parse::<Timestamp>().ok()).max();
    let as_of = release.as_of.or(newest).filter(|date| date.as_second() >= FIRST_DATE).map(|date| date.min(gathered.built_at));
    let feed = gathered.feeds.iter().map(|feed| feed.feed.as_str()).collect::<Vec<_>>().join(", ");
    let mut facts = BTreeMap::from([
        ("builder", concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("ecosystem", text.to_owned()),
        ("feed", feed.clone()),
        ("feed-digest", gathered.feeds.iter().map(|feed| feed.digest.as_str()).collect::<Vec<_>>().join(", ")),
        ("licence", release.licence.unwrap_or_else(|| gathered.ecosystem.licence.to_owned())),
    ]);
    facts.extend(as_of.map(|as_of| ("as-of", as_of.to_string())));
    facts.extend(release.end_of_life.map(|date| ("end-of-life", date.to_string())));
    facts.extend(release.frozen_since.map(|date| ("frozen-since", date.to_string())));
    if release.unfixed == Some(Unfixed::Listed) {
        facts.insert("unfixed", Unfixed::Listed.name().to_owned());
    }
    if !gathered.unreadable.is_empty() {
        facts.insert("unreadable", gathered.unreadable.len().to_string());
        facts.insert("unreadable-names", named(&gathered.unreadable));
    }
    let newest = as_of.and_then(|date| u64::try_from(date.as_second()).ok()).unwrap_or(0);
    let encoded = encode(&Contents { ecosystem: text, kind: gathered.ecosystem.kind, facts, newest, advisories: &advisories })?;
    let as_of = as_of.map(|date| date.to_string());
    let summary = ShardSummary { name, records: advisories.len(), rows: encoded.rows, as_of, feed, bytes: encoded.bytes.len() };
    Ok(Finished { summary, bytes: encoded.bytes })
}

/// A Gap about an ecosystem or one of its releases.
pub(super) fn gap(subject: &str, reason: &str) -> Gap {
    Gap::new(SourceId::Offline, "no-advisories", subject, reason)
}

fn named(list: &[String]) -> String {
    let mut names: Vec<&str> = list.iter().take(NAMED).map(String::as_str).collect();
    if list.len() > NAMED {
        names.push("...");
    }
    names.join(", ")
}
