//! What rows and records are made of, as bytes and back: ranges with listed versions, extras (ratings, urgency, attributes), ids, dates. The two
//! directions stand side by side, because they must agree.

use std::{cell::Cell, collections::BTreeMap};

use jiff::Timestamp;

use crate::{
    advisory::{
        Error,
        shard::{
            ENTRIES_PER_BLOCK, Section,
            bytes::{Cursor, put_bytes, put_distance, put_number, size},
            container::Container,
            tables::{Coding, EXTRAS, Pool, SPECS, STRINGS},
        },
    },
    model::{
        advisory::{Advisory, AdvisoryId, Affected, AffectedRange, Event, RangeScheme},
        severity::{Rating, RatingAuthor},
    },
};

/// Seconds from 1970 to the year 2000: dates before it are written as text.
const EPOCH: i64 = 946_684_800;
/// The first year of a CVE id, and how many years a number has room for.
const FIRST_YEAR: u32 = 1990;
const YEARS: u32 = 64;
/// One row or record never says more than this: a damaged file must not grow in memory.
const MAX_ENTRY: usize = 64 * 1024 * 1024;

/// Tags of extras. A reader that does not know one cannot tell what the row says.
const URGENCY: u32 = 1;
const RATING: u32 = 2;
const ATTRIBUTE: u32 = 3;

/// Kinds of events; 5 is `introduced: "0"`, by far the most frequent one.
const BEGINNING: u32 = 5;

/// The pools of a shard that is being written.
#[derive(Debug)]
pub(super) struct Encoder {
    pub(super) strings: Pool,
    pub(super) specs: Pool,
    pub(super) extras: Pool,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { strings: Pool::new(Coding::Front), specs: Pool::new(Coding::Plain), extras: Pool::new(Coding::Plain) }
    }

    /// The number of a row's ranges and listed versions.
    pub(super) fn spec(&mut self, affected: &Affected) -> Result<u32, Error> {
        let mut out = Vec::new();
        put_number(&mut out, size(affected.ranges.len(), "ranges")?);
        for range in &affected.ranges {
            match &range.scheme {
                RangeScheme::Ecosystem => put_number(&mut out, 0),
                RangeScheme::Semver => put_number(&mut out, 1),
                RangeScheme::Git => put_number(&mut out, 2),
                RangeScheme::Unknown(word) => {
                    put_number(&mut out, 3);
                    put_bytes(&mut out, word.as_bytes())?;
                }
            }
            put_number(&mut out, size(range.events.len(), "events")?);
            for event in &range.events {
                let (kind, text) = match event {
                    Event::Introduced(text) if text == "0" => {
                        put_number(&mut out, BEGINNING);
                        continue;
                    }
                    Event::Introduced(text) => (0, text),
                    Event::Fixed(text) => (1, text),
                    Event::LastAffected(text) => (2, text),
                    Event::Limit(text) => (3, text),
                    Event::Unknown(text) => (4, text),
                };
                put_number(&mut out, kind);
                put_bytes(&mut out, text.as_bytes())?;
            }
        }
        put_number(&mut out, size(affected.versions.len(), "versions")?);
        let mut before = 0;
        for version in &affected.versions {
            let number = self.strings.number(version.as_bytes())?;
            put_distance(&mut out, before, number);
            before = number;
        }
        self.specs.number(&out)
    }

    /// The number of what a row says besides its ranges; `None` when that is nothing.
    pub(super) fn extras_of_row(&mut self, affected: &Affected) -> Result<Option<u32>, Error> {
        let mut out = Vec::new();
        if let Some(urgency) = &affected.urgency {
            put_number(&mut out, URGENCY);
            put_bytes(&mut out, urgency.as_bytes())?;
        }
        self.put_ratings(&mut out, &affected.ratings)?;
        for (name, value) in &affected.attributes {
            let mut field = Vec::new();
            put_number(&mut field, self.strings.number(name.as_bytes())?);
            field.extend_from_slice(value.as_bytes());
            put_number(&mut out, ATTRIBUTE);
            put_bytes(&mut out, &field)?;
        }
        if out.is_empty() { Ok(None) } else { self.extras.number(&out).map(Some) }
    }

    /// A record without its id and its text.
    pub(super) fn record(&mut self, advisory: &Advisory) -> Result<Vec<u8>, Error> {
        let mut ratings = Vec::new();
        self.put_ratings(&mut ratings, &advisory.ratings)?;
        let lists = [&advisory.aliases, &advisory.upstream, &advisory.related];
        let dates = [&advisory.published, &advisory.modified, &advisory.withdrawn];
        let present = lists.map(|list| !list.is_empty()).into_iter().chain(dates.map(|date| date.is_some())).chain([!ratings.is_empty()]);
        let mut out = Vec::new();
        put_number(&mut out, present.enumerate().map(|(bit, is)| u32::from(is) << bit).sum());
        for list in lists.into_iter().filter(|list| !list.is_empty()) {
            put_number(&mut out, size(list.len(), "ids")?);
            for id in list {
                self.put_id(&mut out, &id.0)?;
            }
        }
        let mut before = 0;
        for date in dates.into_iter().flatten() {
            let seconds = compact_date(date);
            put_distance(&mut out, before, seconds.unwrap_or(0));
            match seconds {
                Some(seconds) => before = seconds,
                None => put_number(&mut out, self.strings.number(date.as_bytes())?),
            }
        }
        if !ratings.is_empty() {
            put_number(&mut out, self.extras.number(&ratings)?);
        }
        Ok(out)
    }

    fn put_id(&mut self, out: &mut Vec<u8>, id: &str) -> Result<(), Error> {
        match compact_cve(id) {
            Some(number) => put_number(out, number),
            None => {
                put_number(out, 0);
                put_number(out, self.strings.number(id.as_bytes())?);
            }
        }
        Ok(())
    }

    fn put_ratings(&mut self, out: &mut Vec<u8>, ratings: &[Rating]) -> Result<(), Error> {
        for rating in ratings {
            let mut field = Vec::new();
            put_number(&mut field, author_number(rating.author));
            for text in [&rating.word, &rating.vector] {
                // 0 for nothing, else the string's number and one.
                let number = text.as_ref().map(|text| self.strings.number(text.as_bytes())).transpose()?;
                put_number(&mut field, number.map_or(0, |number| number.saturating_add(1)));
            }
            put_number(&mut field, rating.score_tenths.map_or(0, |score| u32::from(score) + 1));
            put_number(out, RATING);
            put_bytes(out, &field)?;
        }
        Ok(())
    }
}

/// What a row says besides its ranges.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) urgency: Option<String>,
    pub(super) ratings: Vec<Rating>,
    pub(super) attributes: BTreeMap<String, String>,
    /// The first field that this version does not know.
    pub(super) unknown: Option<u32>,
}

/// Reads fields of an open shard, and never more of them than one entry may hold.
#[derive(Debug)]
pub(super) struct Decoder<'a> {
    file: &'a Container,
    left: Cell<usize>,
}

impl<'a> Decoder<'a> {
    pub(super) const fn new(file: &'a Container) -> Self {
        Self { file, left: Cell::new(MAX_ENTRY) }
    }

    /// The fix, where ranges and listed versions of this number say no more than "from the beginning to this fix", as most do.
    pub(super) fn only_fix(&self, number: u32) -> Result<Option<&'a str>, Error> {
        let mut cursor = Cursor(SPECS.entry(self.file, number)?);
        // One range in the ecosystem's order, two events, the beginning, a fix.
        let is_plain = [1, 0, 2, BEGINNING, 1].into_iter().all(|expected| cursor.number() == Some(expected));
        let fix = if is_plain { cursor.text() } else { None };
        Ok(fix.filter(|_| cursor.0 == [0]))
    }

    /// Ranges and listed versions by number.
    pub(super) fn spec(&self, number: u32) -> Result<(Vec<AffectedRange>, Vec<String>), Error> {
        let damaged = || self.file.damaged(Section::Specs);
        let mut cursor = Cursor(SPECS.entry(self.file, number)?);
        let text = |cursor: &mut Cursor<'a>| self.take(cursor.text().ok_or_else(damaged)?, Section::Specs);
        let mut ranges = Vec::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let scheme = match cursor.number().ok_or_else(damaged)? {
                0 => RangeScheme::Ecosystem,
                1 => RangeScheme::Semver,
                2 => RangeScheme::Git,
                3 => RangeScheme::Unknown(text(&mut cursor)?),
                _ => return Err(damaged()),
            };
            let mut events = Vec::new();
            for _ in 0..cursor.number().ok_or_else(damaged)? {
                events.push(match cursor.number().ok_or_else(damaged)? {
                    0 => Event::Introduced(text(&mut cursor)?),
                    1 => Event::Fixed(text(&mut cursor)?),
                    2 => Event::LastAffected(text(&mut cursor)?),
                    3 => Event::Limit(text(&mut cursor)?),
                    4 => Event::Unknown(text(&mut cursor)?),
                    BEGINNING => Event::Introduced("0".to_owned()),
                    _ => return Err(damaged()),
                });
            }
            ranges.push(AffectedRange { scheme, events });
        }
        let mut versions = Vec::new();
        let (mut before, mut block) = (0, (u32::MAX, Vec::new()));
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            before = cursor.distance(before).ok_or_else(damaged)?;
            versions.push(self.listed(before, &mut block)?);
        }
        if cursor.0.is_empty() { Ok((ranges, versions)) } else { Err(damaged()) }
    }

    /// Extras by number.
    pub(super) fn extras(&self, number: u32) -> Result<Extras, Error> {
        let damaged = || self.file.damaged(Section::Extras);
        let mut cursor = Cursor(EXTRAS.entry(self.file, number)?);
        let mut extras = Extras::default();
        while !cursor.0.is_empty() {
            let (tag, field) = cursor.number().zip(cursor.bytes()).ok_or_else(damaged)?;
            let mut field = Cursor(field);
            match tag {
                URGENCY => {
                    let word = std::str::from_utf8(field.0).map_err(|_| damaged())?;
                    extras.urgency = Some(self.take(word, Section::Extras)?);
                }
                RATING => extras.ratings.push(self.rating(&mut field)?),
                ATTRIBUTE => {
                    let name = self.string(field.number().ok_or_else(damaged)?)?;
                    let value = std::str::from_utf8(field.0).map_err(|_| damaged())?;
                    extras.attributes.insert(name, self.take(value, Section::Extras)?);
                }
                unknown => {
                    extras.unknown.get_or_insert(unknown);
                }
            }
        }
        Ok(extras)
    }

    /// A record without its id, its text and its rows.
    pub(super) fn record(&self, bytes: &'a [u8]) -> Result<Advisory, Error> {
        let damaged = || self.file.damaged(Section::Records);
        let mut cursor = Cursor(bytes);
        let present = cursor.number().ok_or_else(damaged)?;
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for (_, list) in (0..).zip(&mut lists).filter(|(bit, _)| present >> bit & 1 == 1) {
            for _ in 0..cursor.number().ok_or_else(damaged)? {
                list.push(self.id(&mut cursor)?);
            }
        }
        let mut dates = [None, None, None];
        let mut before = 0;
        for (_, date) in (3..).zip(&mut dates).filter(|(bit, _)| present >> bit & 1 == 1) {
            *date = Some(match cursor.distance(before).ok_or_else(damaged)? {
                0 => self.string(cursor.number().ok_or_else(damaged)?)?,
                seconds => {
                    before = seconds;
                    Timestamp::from_second(EPOCH + i64::from(seconds) - 1).map_err(|_| damaged())?.to_string()
                }
            });
        }
        let ratings = if present >> 6 & 1 == 1 { self.extras(cursor.number().ok_or_else(damaged)?)?.ratings } else { Vec::new() };
        // What a later version appends is not ours to read.
        let ([aliases, upstream, related], [published, modified, withdrawn]) = (lists, dates);
        Ok(Advisory { aliases, upstream, related, published, modified, withdrawn, ratings, ..Advisory::default() })
    }

    fn id(&self, cursor: &mut Cursor<'_>) -> Result<AdvisoryId, Error> {
        let damaged = || self.file.damaged(Section::Records);
        Ok(AdvisoryId(match cursor.number().ok_or_else(damaged)? {
            0 => self.string(cursor.number().ok_or_else(damaged)?)?,
            number => {
                let number = number - 1;
                let text = format!("CVE-{}-{:04}", FIRST_YEAR + number % YEARS, number / YEARS);
                self.take(&text, Section::Records)?
            }
        }))
    }

    fn rating(&self, field: &mut Cursor<'_>) -> Result<Rating, Error> {
        let damaged = || self.file.damaged(Section::Extras);
        let author = match field.number().ok_or_else(damaged)? {
            0 => RatingAuthor::Vendor,
            1 => RatingAuthor::Ghsa,
            2 => RatingAuthor::Nvd,
            3 => RatingAuthor::Osv,
            _ => return Err(damaged()),
        };
        let mut optional = || {
            let number = field.number().ok_or_else(damaged)?;
            number.checked_sub(1).map(|number| self.string(number)).transpose()
        };
        let (word, vector) = (optional()?, optional()?);
        let score = field.number().ok_or_else(damaged)?;
        let score_tenths = score.checked_sub(1).map(u16::try_from).transpose().map_err(|_| damaged())?;
        Ok(Rating { author, word, vector, score_tenths })
    }

    fn string(&self, number: u32) -> Result<String, Error> {
        let bytes = STRINGS.front_entry(self.file, number)?;
        let text = String::from_utf8(bytes).map_err(|_| self.file.damaged(Section::Strings))?;
        self.spend(text.len(), Section::Strings)?;
        Ok(text)
    }

    /// One of many strings that mostly follow each other: the block of the last one is kept.
    fn listed(&self, number: u32, block: &mut (u32, Vec<Vec<u8>>)) -> Result<String, Error> {
        let damaged = || self.file.damaged(Section::Strings);
        if block.0 != number / ENTRIES_PER_BLOCK {
            block.0 = number / ENTRIES_PER_BLOCK;
            block.1.clear();
            STRINGS.walk(self.file, block.0, |_, entry| {
                block.1.push(entry.to_vec());
                true
            })?;
        }
        let place = usize::try_from(number % ENTRIES_PER_BLOCK).map_err(|_| damaged())?;
        let text = std::str::from_utf8(block.1.get(place).ok_or_else(damaged)?).map_err(|_| damaged())?;
        self.take(text, Section::Strings)
    }

    fn take(&self, text: &str, section: Section) -> Result<String, Error> {
        self.spend(text.len(), section)?;
        Ok(text.to_owned())
    }

    /// Few bytes of a damaged file may point at long texts many times.
    fn spend(&self, bytes: usize, section: Section) -> Result<(), Error> {
        let left = self.left.get().checked_sub(bytes.saturating_add(16)).ok_or_else(|| self.file.damaged(section))?;
        self.left.set(left);
        Ok(())
    }
}

const fn author_number(author: RatingAuthor) -> u32 {
    match author {
        RatingAuthor::Vendor => 0,
        RatingAuthor::Ghsa => 1,
        RatingAuthor::Nvd => 2,
        RatingAuthor::Osv | RatingAuthor::Inspector | RatingAuthor::EcrBasic | RatingAuthor::Plimsoll | RatingAuthor::Policy => 3,
    }
}

/// Seconds of a date, and one; fractions of seconds are not kept. `None`: it must be kept as written.
fn compact_date(text: &str) -> Option<u32> {
    let seconds = text.parse::<Timestamp>().ok()?.as_second().checked_sub(EPOCH)?;
    u32::try_from(seconds).ok()?.checked_add(1)
}

/// A CVE id as one number above 0; `None` for what is not written the one way ids are.
fn compact_cve(id: &str) -> Option<u32> {
    let (year, digits) = id.strip_prefix("CVE-")?.split_once('-')?;
    let year = year.parse::<u32>().ok()?.checked_sub(FIRST_YEAR).filter(|year| *year < YEARS)?;
    let number = digits.parse::<u32>().ok()?;
    let packed = number.checked_mul(YEARS)?.checked_add(year)?.checked_add(1)?;
    (format!("CVE-{}-{number:04}", FIRST_YEAR + year) == id).then_some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::shard::{
        MAGIC,
        container::{Counts, assemble},
    };

    #[test]
    fn cve_ids_that_read_back_are_numbers() {
        for (id, expected) in [
            ("CVE-1990-0000", Some(1)),
            ("CVE-1999-0001", Some(74)),
            ("CVE-2026-1234567", Some(1_234_567 * 64 + 37)),
            ("CVE-2026-01234", None),
            ("CVE-2026-123", None),
            ("CVE-2026-+1234", None),
            ("CVE-1989-0001", None),
            ("CVE-2099-0001", None),
            ("CVE-2026-99999999", None),
            ("cve-2026-0001", None),
            ("GHSA-plim-soll-0001", None),
        ] {
            assert_eq!(compact_cve(id), expected, "{id}");
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_noticed() {
        let mut encoder = Encoder::new();
        let known = encoder.extras_of_row(&Affected { urgency: Some("low".to_owned()), ..Affected::default() }).unwrap().unwrap();
        let unknown = encoder.extras.number(&[9, 2, b'x', b'y', 1, 1, b'z']).unwrap();
        let sections: Vec<_> = encoder.extras.table.sections(EXTRAS).unwrap().into();
        let bytes = assemble(MAGIC, Counts::default(), &sections).0;
        let file = Container::from_bytes("x", bytes, MAGIC).unwrap();
        let read = |number| Decoder::new(&file).extras(number).map(|extras| (extras.urgency, extras.unknown)).unwrap();
        assert_eq!(read(known), (Some("low".to_owned()), None));
        assert_eq!(read(unknown), (Some("z".to_owned()), Some(9)));
    }

    #[test]
    fn dates_after_2000_are_seconds() {
        for (date, expected) in [
            ("2000-01-01T00:00:00Z", Some(1)),
            ("2000-01-01T01:00:05.75+01:00", Some(6)),
            ("1999-12-31T23:59:59Z", None),
            ("0001-01-01T00:00:00Z", None),
            ("yesterday", None),
        ] {
            assert_eq!(compact_date(date), expected, "{date}");
        }
    }
}
