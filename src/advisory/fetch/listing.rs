//! `modified_id.csv`: every record of an ecosystem with the time of its last change (<https://google.github.io/osv.dev/data/#downloading-recent-changes>).
//! In: an older and a newer listing; out: the records to fetch one by one, or that the whole archive is needed, because there are too many of them or
//! a time is not to be trusted. The listings are compared as a whole and not read down to a known time, so that a record which comes in late with an
//! old time is not missed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, ToSpan as _};

/// The largest published listing has some tens of megabytes.
pub(super) const MAX_LISTING: u64 = 512 << 20;
/// Records of one ecosystem.
const MAX_RECORDS: usize = 8_000_000;
/// More single records than this are slower than the archive.
pub(super) const MAX_SINGLE: usize = 2_000;
/// No feed is older; such times stand for "unknown" (2000-01-01).
const FIRST_DATE: i64 = 946_684_800;

/// A listing: time, as written, by id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<String, String>);

/// What has to be fetched.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// These records, at most [`MAX_SINGLE`].
    Records(BTreeSet<String>),
    /// Everything, and why.
    Whole(String),
}

impl Listing {
    /// Reads a listing; a line that is none makes all of it useless.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "the listing is no text".to_owned())?;
        let mut records = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (time, id) = line.trim().split_once(',').ok_or_else(|| format!("the listing has a line `{line:.80}`"))?;
            // Listings of several ecosystems have the ecosystem in front.
            let id = id.rsplit('/').next().unwrap_or(id);
            if !is_id(id) {
                return Err(format!("the listing names a record `{id:.80}`"));
            }
            if records.len() == MAX_RECORDS {
                return Err("the listing has too many records".to_owned());
            }
            records.insert(id.to_owned(), time.to_owned());
        }
        Ok(Self(records))
    }

    /// What is new in this listing since `old`.
    pub(super) fn since(&self, old: &Self, now: Timestamp) -> Difference {
        let mut changed = BTreeSet::new();
        for (id, time) in &self.0 {
            let before = old.0.get(id);
            if before == Some(time) {
                continue;
            }
            let Some(at) = trusted(time, now) else {
                return Difference::Whole(format!("the time `{time:.40}` of {id} is not to be trusted"));
            };
            if before.and_then(|before| trusted(before, now)).is_some_and(|before| before > at) {
                return Difference::Whole(format!("{id} went back in time"));
            }
            changed.insert(id.clone());
        }
        if let Some(id) = old.0.keys().find(|id| !self.0.contains_key(*id)) {
            return Difference::Whole(format!("{id} is not listed any more"));
        }
        if changed.len() > MAX_SINGLE {
            return Difference::Whole(format!("{} records changed", changed.len()));
        }
        Difference::Records(changed)
    }

    /// Ids with their times.
    pub(super) fn records(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, time)| (id.as_str(), time.as_str()))
    }

    /// The records that changed within the last two days of the listing, newest first, at most [`MAX_SINGLE`]: those that an archive which was made
    /// before the listing has in an older state.
    pub(super) fn newest(&self, now: Timestamp) -> Vec<(&str, Timestamp)> {
        let mut times: Vec<(Timestamp, &str)> = self.0.iter().filter_map(|(id, time)| Some((trusted(time, now)?, id.as_str()))).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let last = times.first().map(|(time, _)| *time - 48.hours());
        times
            .into_iter()
            .take_while(|(time, _)| last.is_some_and(|last| *time >= last))
            .take(MAX_SINGLE)
            .map(|(time, id)| (id, time))
            .collect()
    }
}

/// A time that can have been: neither before all feeds nor to come.
fn trusted(text: &str, now: Timestamp) -> Option<Timestamp> {
    let time = text.parse::<Timestamp>().ok()?;
    (time.as_second() >= FIRST_DATE && time <= now + 24.hours()).then_some(time)
}

/// An id that is a name in every file system and URL.
pub(super) fn is_id(id: &str) -> bool {
    let fit = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '_' | '.' | ':' | '+');
    !id.is_empty() && id.len() <= 200 && !id.starts_with('.') && id.chars().all(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(old: &str, new: &str) -> Result<String, String> {
        let listing = |text: &str| Listing::parse(text.as_bytes()).unwrap();
        match listing(new).since(&listing(old), "2026-11-22T12:00:00Z".parse().unwrap()) {
            Difference::Records(ids) => Ok(ids.into_iter().collect::<Vec<_>>().join(" ")),
            Difference::Whole(reason) => Err(reason),
        }
    }

    #[test]
    fn changed_and_new_records_are_found_wherever_they_stand() {
        let old = "2026-11-20T00:00:00Z,A\n2026-11-19T00:00:00Z,B\n";
        assert_eq!(since(old, old).unwrap(), "");
        // The last one came in late: it is older than what was newest before.
        assert_eq!(since(old, "2026-11-21T00:00:00Z,B\n2026-11-20T00:00:00Z,A\r\n2026-11-18T00:00:00.123456Z,npm/C\n\n").unwrap(), "B C");
    }

    #[test]
    fn what_cannot_be_trusted_needs_the_whole_archive() {
        let old = "2026-11-20T00:00:00Z,A\n";
        for (new, expected) in [
            ("2026-11-20T00:00:00Z,A\n0001-01-01T00:00:00Z,B\n", "not to be trusted"),
            ("2026-11-20T00:00:00Z,A\n2027-01-01T00:00:00Z,B\n", "not to be trusted"),
            ("2026-11-20T00:00:00Z,A\nyesterday,B\n", "not to be trusted"),
            ("2026-11-19T00:00:00Z,A\n", "went back in time"),
            ("2026-11-20T00:00:00Z,B\n", "A is not listed any more"),
        ] {
            assert!(since(old, new).unwrap_err().contains(expected), "{new}");
        }
        // What has always had no time, and has it still, did not change as far as anybody can say.
        assert_eq!(since("0001-01-01T00:00:00Z,A\n", "0001-01-01T00:00:00Z,A\n").unwrap(), "");
        let many: String = (0..=MAX_SINGLE).map(|number| format!("2026-11-21T00:00:00Z,A{number}\n")).collect();
        assert_eq!(since("", &many).unwrap_err(), "2001 records changed");
    }

    #[test]
    fn listings_that_are_none_are_refused() {
        for text in ["<html>", "2026-11-20T00:00:00Z,a/..", "2026-11-20T00:00:00Z,", "2026-11-20T00:00:00Z,a b"] {
            assert!(Listing::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Listing::parse(b"\xff").is_err());
    }

    #[test]
    fn the_newest_are_those_of_the_last_two_days() {
        let text = "2026-11-20T00:00:00Z,A\n2026-11-18T00:00:00Z,B\n2026-11-17T23:59:59Z,C\n2999-01-01T00:00:00Z,D\n";
        let listing = Listing::parse(text.as_bytes()).unwrap();
        let names: Vec<_> = listing.newest("2026-11-22T12:00:00Z".parse().unwrap()).into_iter().map(|(id, _)| id).collect();
        assert_eq!(names, ["A", "B"]);
        assert_eq!(listing.records().count(), 4);
    }
}
