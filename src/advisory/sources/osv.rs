//! `osv`: one OSV record as JSON (<https://ossf.github.io/osv-schema/>, 1.7). Tolerant in reading, strict in meaning (advisories.md O9):
//! missing dates and unknown fields are fine, an unknown range type or event key is kept as such and makes its row undecidable.

mod archive;
mod bounded;

pub(in crate::advisory) use archive::ASKED;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::Deserialize;
use serde_json::Value;

use self::bounded::Bounded;
use crate::{
    advisory::{
        Error, almalinux,
        build::Gathered,
        cvss, ecosystem,
        matcher::row::BINARIES,
        sources::{AdvisorySource, Feed, Listing},
    },
    model::{
        advisory::{Advisory, AdvisoryId, Affected, AffectedRange, Event, RangeScheme},
        severity::{Rating, RatingAuthor, Severity},
    },
};

/// One record is never larger than this; the largest published ones have some megabytes. Read, it takes many times as much.
const MAX_RECORD: usize = 8 << 20;
/// Affected entries of one record, and listed versions of one entry; published ones have some thousands.
const MAX_LIST: usize = 100_000;
/// Titles are cut here; records without a summary lend the start of their details.
const MAX_TITLE: usize = 200;
/// Details are cut here, in characters: they are read on a terminal, and the links lead to the whole text.
const MAX_DETAILS: usize = 4000;
/// Vectors are cut here.
const MAX_VECTOR: usize = 512;
/// So many links are kept.
const MAX_REFERENCES: usize = 4;

/// Reads one OSV record.
pub struct Osv;

impl AdvisorySource for Osv {
    fn id(&self) -> &'static str {
        "osv"
    }

    fn find(&self, from: &Path) -> Result<Listing, Error> {
        archive::find(from)
    }

    fn read(&self, feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
        archive::read(feed, into)
    }
}

/// Parses one record.
///
/// # Errors
/// When it is no JSON of this shape, or has no id.
pub fn parse_record(bytes: &[u8]) -> Result<Advisory, String> {
    if bytes.len() > MAX_RECORD {
        return Err(format!("larger than {MAX_RECORD} bytes"));
    }
    let record: Record = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if record.id.is_empty() || record.id.len() > 200 || record.id.chars().any(char::is_control) {
        return Err("the record has no usable id".to_owned());
    }
    Ok(record.into_advisory())
}

#[derive(Deserialize)]
struct Record {
    id: String,
    summary: Option<String>,
    details: Option<String>,
    aliases: Option<Vec<String>>,
    upstream: Option<Vec<String>>,
    related: Option<Vec<String>>,
    published: Option<String>,
    modified: Option<String>,
    withdrawn: Option<String>,
    severity: Option<Vec<Value>>,
    affected: Option<Bounded<AffectedEntry, MAX_LIST>>,
    references: Option<Vec<Reference>>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct AffectedEntry {
    package: Option<PackageName>,
    ranges: Option<Vec<Range>>,
    versions: Option<Bounded<String, MAX_LIST>>,
    severity: Option<Vec<Value>>,
    ecosystem_specific: Option<Value>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct PackageName {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    events: Option<Vec<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "type")]
    kind: Option<String>,
    url: String,
}

impl Record {
    fn into_advisory(self) -> Advisory {
        let mut affected = self.affected.map(|Bounded(list)| list).unwrap_or_default();
        for package in affected.iter_mut().filter_map(|entry| entry.package.as_mut()) {
            package.ecosystem = ecosystem::normal_text(&package.ecosystem).into_owned();
        }
        let is_distribution = affected
            .iter()
            .filter_map(|entry| entry.package.as_ref())
            .any(|package| ecosystem::of_text(&package.ecosystem).is_some_and(|ecosystem| ecosystem.kind.is_os()));
        // A bare vector in a distribution's record is that of the national database.
        let author = if is_distribution {
            RatingAuthor::Nvd
        } else if self.id.starts_with("GHSA-") {
            RatingAuthor::Ghsa
        } else {
            RatingAuthor::Osv
        };
        let summary = title(self.summary.as_deref(), self.details.as_deref());
        let mut ratings = ratings(self.severity.as_deref().unwrap_or_default(), author);
        let word = self.database_specific.as_ref().and_then(|specific| specific.get("severity")).and_then(Value::as_str);
        if let Some(word) = word.filter(|word| !word.is_empty()) {
            // The word is about the record, and so about each of its vectors, which may be of several versions of CVSS.
            let mut is_joined = false;
            for rating in ratings.iter_mut().filter(|rating| rating.author == author) {
                rating.word = Some(word.to_owned());
                is_joined = true;
            }
            if !is_joined {
                ratings.push(rating_by_word(author, word));
            }
        }
        if let Some(word) = is_distribution.then(|| almalinux::severity_word(&summary)).flatten() {
            ratings.push(rating_by_word(RatingAuthor::Vendor, word));
        }
        let affected: Vec<Affected> = affected.into_iter().filter_map(|entry| entry.into_affected(author)).collect();
        // These records say that a package is malware, and mostly leave it at that.
        let mut rated = ratings.iter().chain(affected.iter().flat_map(|affected| &affected.ratings));
        if self.id.starts_with("MAL-") && rated.all(|rating| rating.severity() == Severity::Unknown) {
            ratings.push(rating_by_word(author, "critical"));
        }
        ratings.sort();
        ratings.dedup();
        let own = self.id.clone();
        Advisory {
            aliases: ids(self.aliases, &own),
            upstream: ids(self.upstream, &own),
            related: ids(self.related, &own),
            id: AdvisoryId(self.id),
            details: details(self.details, &summary),
            summary,
            published: self.published,
            modified: self.modified,
            withdrawn: self.withdrawn.filter(|date| !date.is_empty()),
            ratings,
            affected,
            references: references(self.references.unwrap_or_default()),
        }
    }
}

impl AffectedEntry {
    fn into_affected(self, author: RatingAuthor) -> Option<Affected> {
        let package = self.package?;
        let text = |value: &Option<Value>, key: &str| value.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let mut ratings = ratings(self.severity.as_deref().unwrap_or_default(), author);
        // RustSec: a crate that is no longer maintained is worth knowing and no vulnerability.
        if let Some("unmaintained" | "notice") = text(&self.database_specific, "informational").as_deref() {
            ratings.push(rating_by_word(author, "informational"));
        }
        let urgency = text(&self.ecosystem_specific, "urgency").or_else(|| text(&self.database_specific, "urgency"));
        if let Some(word) = &urgency {
            ratings.push(rating_by_word(RatingAuthor::Vendor, word.trim_end_matches('*')));
        }
        ratings.sort();
        // SUSE names a source package and then, by product, the binary packages that the update is about.
        let binaries = self.ecosystem_specific.as_ref().and_then(|specific| specific.get("binaries")).and_then(Value::as_array);
        let of_suse = ["SUSE:", "openSUSE:"].iter().any(|name| package.ecosystem.starts_with(name));
        let names: BTreeSet<&str> = binaries
            .filter(|_| of_suse)
            .into_iter()
            .flatten()
            .filter_map(Value::as_object)
            .flat_map(|binary| binary.keys())
            .map(String::as_str)
            .collect();
        let mut attributes = BTreeMap::new();
        if !names.is_empty() {
            attributes.insert(BINARIES.to_owned(), names.into_iter().collect::<Vec<_>>().join(" "));
        }
        Some(Affected {
            ecosystem: package.ecosystem,
            name: package.name,
            ranges: self.ranges.into_iter().flatten().map(Range::into_range).collect(),
            versions: self.versions.map(|Bounded(list)| list).unwrap_or_default(),
            ratings,
            urgency,
            attributes,
        })
    }
}

impl Range {
    fn into_range(self) -> AffectedRange {
        let scheme = match self.kind.as_str() {
            "ECOSYSTEM" => RangeScheme::Ecosystem,
            "SEMVER" => RangeScheme::Semver,
            "GIT" => RangeScheme::Git,
            _ => RangeScheme::Unknown(self.kind),
        };
        // Commits are never evaluated, so they are not worth their room.
        if scheme == RangeScheme::Git {
            return AffectedRange { scheme, events: Vec::new() };
        }
        let mut events = Vec::new();
        for mut event in self.events.into_iter().flatten() {
            for (key, make) in EVENTS {
                events.extend(event.remove(*key).map(make));
            }
            events.extend(event.into_keys().map(Event::Unknown));
        }
        AffectedRange { scheme, events }
    }
}

/// Key of an event and what it becomes.
type EventKey = (&'static str, fn(String) -> Event);

const EVENTS: &[EventKey] =
    &[("introduced", Event::Introduced), ("fixed", Event::Fixed), ("last_affected", Event::LastAffected), ("limit", Event::Limit)];

/// Every entry of a `severity` list. One that does not read is kept as written, so that the matcher can say so: it may be the worst of them.
fn ratings(scores: &[Value], author: RatingAuthor) -> Vec<Rating> {
    let mut found: Vec<_> = scores
        .iter()
        .map(|entry| {
            let score = entry.get("score").unwrap_or(entry);
            let text = score.as_str().map_or_else(|| score.to_string(), str::to_owned);
            match entry.get("type").and_then(Value::as_str) {
                Some("Ubuntu") => rating_by_word(RatingAuthor::Vendor, &text),
                Some("CVSS_V2" | "CVSS_V3" | "CVSS_V4") => {
                    Rating { author, word: None, score_tenths: cvss::base_score_tenths(&text), vector: Some(cut(&text)) }
                }
                // The type in front of it keeps a vector of an unknown kind from reading as one that is known.
                kind => {
                    Rating { author, word: None, vector: Some(cut(&format!("{} {text}", kind.unwrap_or("unknown")))), score_tenths: None }
                }
            }
        })
        .collect();
    found.sort();
    found
}

/// A vector that reads is far shorter than this.
fn cut(text: &str) -> String {
    text.chars().take(MAX_VECTOR).collect()
}

fn rating_by_word(author: RatingAuthor, word: &str) -> Rating {
    Rating { author, word: Some(word.to_owned()), vector: None, score_tenths: None }
}

fn ids(list: Option<Vec<String>>, own: &str) -> Vec<AdvisoryId> {
    let mut list: Vec<_> = list.unwrap_or_default().into_iter().filter(|id| !id.is_empty() && id != own).map(AdvisoryId).collect();
    list.sort();
    list.dedup();
    list
}

fn title(summary: Option<&str>, details: Option<&str>) -> String {
    let line = |text: &str| text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let text = summary.and_then(line).or_else(|| details.and_then(line)).unwrap_or_default();
    let text: String = text.chars().map(|ch| if ch.is_control() { ' ' } else { ch }).collect();
    match text.char_indices().nth(MAX_TITLE) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default().trim_end()),
        None => text,
    }
}

/// What is left when the title has been said; cut where nobody reads on.
fn details(details: Option<String>, summary: &str) -> String {
    let mut details = details.unwrap_or_default();
    if let Some((at, _)) = details.char_indices().nth(MAX_DETAILS) {
        details.truncate(at);
        details.push_str("...");
    }
    if details.trim() == summary { String::new() } else { details }
}

/// The advisory's own page first.
fn references(mut list: Vec<Reference>) -> Vec<String> {
    list.retain(|reference| reference.url.starts_with("https://") || reference.url.starts_with("http://"));
    list.sort_by_key(|reference| reference.kind.as_deref() != Some("ADVISORY"));
    list.into_iter().take(MAX_REFERENCES).map(|reference| reference.url).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_with_patience() {
        let record = parse_record(
            br#"{"id":"GHSA-plim-soll-0001","details":"First line.\nSecond.","aliases":["CVE-2026-90001","CVE-2026-90001"],"modified":"0001-01-01T00:00:00Z",
            "severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "database_specific":{"severity":"CRITICAL"},"new_field":[1],
            "affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]},{"type":"NEW","events":[{"introduced":"0","until":"1"}]}]},{"ranges":[]}]}"#,
        )
        .unwrap();
        assert_eq!(record.summary, "First line.");
        assert_eq!(record.aliases, [AdvisoryId("CVE-2026-90001".to_owned())]);
        assert_eq!(record.affected.len(), 1);
        assert_eq!(record.affected[0].ranges[1].events, [Event::Introduced("0".to_owned()), Event::Unknown("until".to_owned())]);
        let scored = record.ratings.iter().find(|rating| rating.score_tenths == Some(98)).unwrap();
        assert_eq!((scored.author, scored.word.as_deref()), (RatingAuthor::Ghsa, Some("CRITICAL")));
        assert!(record.ratings.iter().all(|rating| rating.word.as_deref() == Some("CRITICAL")));
    }

    #[test]
    fn ratings_that_do_not_read_are_kept_as_written() {
        for (entry, vector) in [
            (r#"{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/garbage"}"#, "CVSS:3.1/AV:N/garbage"),
            (r#"{"type":"CVSS_V9","score":"9.8"}"#, "CVSS_V9 9.8"),
            (r#"{"type":"CVSS_V3","score":9.8}"#, "9.8"),
            (r#"{"type":3,"score":"9.8"}"#, "unknown 9.8"),
            (r#""critical""#, "unknown critical"),
        ] {
            let record = parse_record(format!(r#"{{"id":"A","severity":[{entry}]}}"#).as_bytes()).unwrap();
            let expected = Rating { author: RatingAuthor::Osv, word: None, vector: Some(vector.to_owned()), score_tenths: None };
            assert!(!cvss::is_well_formed(vector));
            assert_eq!(record.ratings, [expected], "{entry}");
        }
    }

    #[test]
    fn malware_without_a_rating_is_critical() {
        for (id, fields, expected) in [
            ("MAL-2026-1", "", &[Some("critical")][..]),
            ("MAL-2026-1", r#""severity":[{"type":"CVSS_V3","score":"garbage"}],"#, &[None, Some("critical")]),
            ("MAL-2026-1", r#""database_specific":{"severity":"LOW"},"#, &[Some("LOW")]),
            ("GHSA-1", "", &[]),
        ] {
            let text = format!(r#"{{"id":"{id}",{fields}"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"versions":["1.0"]}}]}}"#);
            let ratings = parse_record(text.as_bytes()).unwrap().ratings;
            assert_eq!(ratings.iter().map(|rating| rating.word.as_deref()).collect::<Vec<_>>(), expected, "{id} {fields}");
        }
    }

    #[test]
    fn records_that_take_too_much_memory_are_refused() {
        let entries = |count: usize| format!(r#"{{"id":"A","affected":[{}{{}}]}}"#, "{},".repeat(count - 1));
        let versions = |count: usize| format!(r#"{{"id":"A","affected":[{{"versions":[{}""]}}]}}"#, "\"\",".repeat(count - 1));
        for make in [&entries as &dyn Fn(usize) -> String, &versions] {
            assert!(parse_record(make(MAX_LIST).as_bytes()).is_ok());
            assert!(parse_record(make(MAX_LIST + 1).as_bytes()).unwrap_err().contains("more than 100000 entries"));
        }
        let long = format!(r#"{{"id":"A","summary":"{}"}}"#, "x".repeat(MAX_RECORD));
        assert_eq!(parse_record(long.as_bytes()).unwrap_err(), "larger than 8388608 bytes");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bytes in [&b"{}"[..], b"[]", b"{\"id\":\"\"}", b"{\"id\":\"A\",\"affected\":[{\"package\":1}]}", b"\xff"] {
            assert!(parse_record(bytes).is_err());
        }
    }
}
