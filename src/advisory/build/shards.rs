//! What was gathered of one ecosystem to its shards: one per name that `ecosystem::shard_name` gives to its OSV ecosystem strings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Gathered, Provenance, ShardSummary, notice::notice};
use crate::{
    advisory::{
        Error, ecosystem,
        shard::writer::{Contents, Encoded, Facts, encode},
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
/// Names and reasons are cut here, in characters: some of them are the feed's own words.
const MAX_WORDS: usize = 300;
/// More releases of one ecosystem than this are an attack; a database holds few more shards.
const MAX_SHARDS: usize = 3000;

/// A shard that is ready to be written.
pub(super) struct Finished {
    pub(super) summary: ShardSummary,
    pub(super) encoded: Encoded,
}

/// Encodes every shard of an ecosystem; what cannot become one is a Gap.
pub(super) fn shards_of(gathered: &Gathered, mut each: impl FnMut(Finished) -> Result<(), Error>) -> Result<Vec<Gap>, Error> {
    let mut gaps = Vec::new();
    if !gathered.unreadable.is_empty() {
        let reason = format!("{} records cannot be read: {}", gathered.unreadable.len(), named(&gathered.unreadable));
        gaps.push(gap(gathered.ecosystem.name, &reason));
    }
    for (text, release) in &gathered.releases {
        if !release.unreadable.is_empty() {
            gaps.push(gap(text, &format!("{} records cannot be read: {}", release.unreadable.len(), named(&release.unreadable))));
        }
        gaps.extend(release.broken.iter().map(|reason| gap(text, reason)));
    }
    let mut shards: BTreeMap<String, Vec<Texts<'_>>> = BTreeMap::new();
    let mut broken = BTreeSet::new();
    for texts in texts(gathered) {
        // A shard that holds several releases is not made without one of them.
        if gathered.releases.get(texts.text).is_some_and(|release| release.broken.is_some()) {
            broken.extend(ecosystem::shard_name(texts.text));
        }
        match ecosystem::shard_name(texts.text) {
            Some(name) => shards.entry(name).or_default().push(texts),
            None => gaps.push(gap(texts.text, "the name of the release is not fit for a file name")),
        }
    }
    shards.retain(|name, _| !broken.contains(name));
    if shards.len() > MAX_SHARDS {
        return Err(Error::TooLarge("releases of one ecosystem"));
    }
    for (name, texts) in shards {
        each(shard(gathered, name, &texts)?)?;
    }
    Ok(gaps)
}

/// What is said of one OSV ecosystem string.
struct Texts<'a> {
    text: &'a str,
    /// The places of its records, in order.
    records: Vec<usize>,
    /// The date of the newest record. One from the future says nothing about how old the feed is.
    newest: Option<Timestamp>,
}

/// The strings that shards are made for, in one pass over the records.
fn texts(gathered: &Gathered) -> Vec<Texts<'_>> {
    let mut found: BTreeMap<&str, Option<Texts<'_>>> = BTreeMap::new();
    for (place, advisory) in gathered.advisories.iter().enumerate() {
        let modified = advisory.modified.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        let modified = modified.filter(|date| *date <= gathered.built_at);
        for affected in &advisory.affected {
            let text = affected.ecosystem.as_str();
            let own = || gathered.is_own(text).then(|| Texts { text, records: Vec::new(), newest: None });
            let Some(texts) = found.entry(text).or_insert_with(own) else { continue };
            if texts.records.last() != Some(&place) {
                texts.records.push(place);
                texts.newest = texts.newest.max(modified);
            }
        }
    }
    found.into_values().flatten().collect()
}

/// Most shards are about one OSV ecosystem string; those that share a name share a file.
fn shard(gathered: &Gathered, name: String, texts: &[Texts<'_>]) -> Result<Finished, Error> {
    let places: BTreeSet<usize> = texts.iter().flat_map(|texts| &texts.records).copied().collect();
    let advisories: Vec<&Advisory> = places.into_iter().filter_map(|place| gathered.advisories.get(place)).collect();
    let (mut coverage, mut newest, mut licences, mut unreadable) = (BTreeMap::new(), None, BTreeSet::new(), gathered.unreadable.clone());
    for Texts { text, newest: newest_record, .. } in texts {
        let release = gathered.releases.get(*text).cloned().unwrap_or_default();
        let as_of = release.as_of.filter(|date| *date <= gathered.built_at).or(*newest_record);
        let as_of =
            as_of.map(|date| release.known_until.map_or(date, |known| known.min(date))).filter(|date| date.as_second() >= FIRST_DATE);
        newest = newest.max(as_of);
        unreadable.extend(release.unreadable.iter().cloned());
        licences.insert(release.licence.clone().unwrap_or_else(|| gathered.ecosystem.licence.to_owned()));
        let mut facts = Facts::new();
        facts.extend(release.unfixed.map(|unfixed| ("unfixed", unfixed.name().to_owned())));
        put_unreadable(&mut facts, &[release.unreadable.as_slice(), &gathered.unreadable].concat());
        facts.extend(as_of.map(|as_of| ("as-of", as_of.to_string())));
        facts.extend(release.arches.map(|arches| ("arches", arches.into_iter().collect::<Vec<_>>().join(" "))));
        facts.extend(release.end_of_life.map(|date| ("end-of-life", date.to_string())));
        facts.extend(release.frozen_since.map(|date| ("frozen-since", date.to_string())));
        coverage.insert((*text).to_owned(), facts);
    }
    let mut facts = facts(gathered, newest, &licences);
    put_unreadable(&mut facts, &unreadable);
    let as_of = newest.map(|date| date.to_string());
    let newest = newest.and_then(|date| u64::try_from(date.as_second()).ok()).unwrap_or(0);
    let encoded = encode(Contents { coverage, kind: gathered.ecosystem.kind, facts, newest, advisories: &advisories })?;
    let summary = ShardSummary {
        name,
        records: advisories.len(),
        rows: encoded.rows,
        as_of,
        feed: gathered.feeds.iter().map(|feed| feed.feed.as_str()).collect::<Vec<_>>().join(", "),
        bytes: encoded.bytes.len(),
        text_bytes: encoded.text.as_ref().map_or(0, |(bytes, _)| bytes.len()),
    };
    Ok(Finished { summary, encoded })
}

/// What is known about the shard as a whole. Of several feeds, each has one line in every list.
fn facts(gathered: &Gathered, newest: Option<Timestamp>, licences: &BTreeSet<String>) -> Facts {
    let lines = |of: fn(&Provenance) -> &str| gathered.feeds.iter().map(|feed| line(of(feed))).collect::<Vec<_>>().join("\n");
    let mut facts = Facts::from([
        ("builder", concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("feed", lines(|feed| &feed.feed)),
        ("feed-digest", lines(|feed| &feed.digest)),
        ("licence", licences.iter().cloned().collect::<Vec<_>>().join(", ")),
    ]);
    facts.extend(notice(gathered.ecosystem.name).map(|notice| ("notice", notice.to_owned())));
    if gathered.feeds.iter().any(|feed| feed.url.is_some()) {
        facts.insert("feed-url", lines(|feed| feed.url.as_deref().unwrap_or_default()));
    }
    facts.extend(newest.map(|as_of| ("as-of", as_of.to_string())));
    facts
}

fn put_unreadable(facts: &mut Facts, unreadable: &[String]) {
    if !unreadable.is_empty() {
        facts.insert("unreadable", unreadable.len().to_string());
        facts.insert("unreadable-names", named(unreadable));
    }
}

/// A text that takes one line and cannot lie on a screen: names of files and words of records are the feed's own.
pub(in crate::advisory) fn line(text: &str) -> String {
    let acts = |ch: char| {
        ch.is_control()
            || matches!(ch, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().map(|ch| if acts(ch) { ' ' } else { ch }).collect()
}

/// A Gap about an ecosystem or one of its releases.
pub(super) fn gap(subject: &str, reason: &str) -> Gap {
    Gap::new(SourceId::Offline, "no-advisories", line(subject), line(reason))
}

fn named(list: &[String]) -> String {
    let mut names: Vec<String> = list.iter().take(NAMED).map(|name| line(name).chars().take(MAX_WORDS).collect()).collect();
    if list.len() > NAMED {
        names.push("...".to_owned());
    }
    names.join(", ")
}
