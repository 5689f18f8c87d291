//! Reads one shard. In: its two files, mapped or in memory; out: rows and records by name and id. Every offset and length is checked before use, every
//! block's checksum when the block is first touched; damage is an error that names the section.

use std::{collections::BTreeMap, io, path::Path};

pub(in crate::advisory) use super::container::Header;
use crate::{
    advisory::{
        Error,
        shard::{
            CVE_ENTRY, CVE_FACTS, CVE_KEY, ENTRIES_PER_BLOCK, MAGIC, RowStatus, Section,
            bytes::Cursor,
            container::Container,
            fields::Decoder,
            tables::{IDS, KEYS, RECORDS, ROWS},
            text::Texts,
        },
        store::text_file_name,
    },
    model::advisory::{Advisory, AdvisoryId, Affected, AffectedRange, RangeScheme},
};

/// How often a shard is opened anew whose text is gone, because another build is putting files in place.
const ATTEMPTS: u32 = 8;

/// Names and values, as the file has them.
pub(in crate::advisory) type Facts = BTreeMap<String, String>;

/// An open shard.
#[derive(Debug)]
pub(in crate::advisory) struct Shard {
    file: Container,
    text: Option<Texts>,
    facts: Facts,
    coverage: BTreeMap<String, Facts>,
}

/// One row: what a record says about one name.
#[derive(Debug, Clone)]
pub(in crate::advisory) struct Row {
    /// The record's number.
    pub(in crate::advisory) record: u32,
    /// Whether it can match.
    pub(in crate::advisory) status: RowStatus,
    /// Whether the caller said of its only fix that it is in; then its ranges are left out.
    pub(in crate::advisory) is_past: bool,
    /// Ranges, versions and ratings.
    pub(in crate::advisory) affected: Affected,
}

/// The rows of one name.
#[derive(Debug, Clone, Default)]
pub(in crate::advisory) struct Rows {
    /// Those that are to be judged.
    pub(in crate::advisory) listed: Vec<Row>,
    /// The records of all others: of rows that can match and say nothing but one fix, of which the caller said that it is in.
    pub(in crate::advisory) past: Vec<u32>,
}

impl Rows {
    /// Whether there is none.
    pub(in crate::advisory) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.past.is_empty()
    }

    /// The record of each row that can match.
    pub(in crate::advisory) fn active_records(&self) -> impl Iterator<Item = u32> {
        let listed = self.listed.iter().filter(|row| row.status == RowStatus::Active).map(|row| row.record);
        listed.chain(self.past.iter().copied())
    }
}

impl Shard {
    /// Opens a shard and the text file that belongs to it. A text file that is not there is missed when its text is asked for.
    pub(in crate::advisory) fn open(name: &str, path: &Path) -> Result<Self, Error> {
        let mut shard = Self::new(Container::open(name, path, MAGIC)?)?;
        for _ in 0..ATTEMPTS {
            let Some(text) = shard.text_file().map(|file| path.with_file_name(file)) else { break };
            match Texts::open(&format!("{name} (text)"), &text) {
                Ok(text) => return shard.with_text(text),
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            // A build that was faster put another pair in place and took this text away. Two builds in turn may even bring back the same shard.
            shard = Self::new(Container::open(name, path, MAGIC)?)?;
        }
        Ok(shard)
    }

    /// Opens bytes in memory, without text.
    pub(in crate::advisory) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::new(Container::from_bytes(name, bytes, MAGIC)?)
    }

    fn new(file: Container) -> Result<Self, Error> {
        let needed = if file.has(&[Section::ByCve]) { &Section::FACTS[..] } else { &Section::ADVISORIES };
        if !file.has(needed) {
            return Err(Error::Damaged { shard: file.name().to_owned(), what: "a section is missing".to_owned() });
        }
        let facts = read_facts(&file, &mut section(&file, Section::Meta)?, Section::Meta)?;
        let mut cursor = section(&file, Section::Coverage)?;
        let damaged = || file.damaged(Section::Coverage);
        let mut coverage = BTreeMap::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let text = cursor.text().ok_or_else(damaged)?.to_owned();
            coverage.insert(text, read_facts(&file, &mut cursor, Section::Coverage)?);
        }
        if coverage.is_empty() {
            return Err(damaged());
        }
        Ok(Self { file, text: None, facts, coverage })
    }

    /// The same shard with its text, which must be of the same build.
    pub(in crate::advisory) fn with_text(self, text: Texts) -> Result<Self, Error> {
        if self.fact("text-digest") != Some(text.digest().to_string().as_str()) {
            return Err(Error::Damaged { shard: self.name().to_owned(), what: "the text file is of another build".to_owned() });
        }
        Ok(Self { text: Some(text), ..self })
    }

    /// The shard's name.
    pub(in crate::advisory) fn name(&self) -> &str {
        self.file.name()
    }

    /// The name of the file that holds its text; shards without advisories have none.
    pub(in crate::advisory) fn text_file(&self) -> Option<String> {
        text_file_name(self.name(), self.fact("text-digest")?)
    }

    /// Counts and digest.
    pub(in crate::advisory) const fn header(&self) -> &Header {
        self.file.header()
    }

    /// Bytes of the shard's file and of its text file.
    pub(in crate::advisory) fn sizes(&self) -> (usize, Option<usize>) {
        (self.file.size(), self.text.as_ref().map(Texts::size))
    }

    /// A fact about the shard; of a shard about one ecosystem string alone, also one about that.
    pub(in crate::advisory) fn fact(&self, name: &str) -> Option<&str> {
        let only = || (self.coverage.len() == 1).then(|| self.coverage.values().next()?.get(name)).flatten();
        self.facts.get(name).or_else(only).map(String::as_str)
    }

    /// Checks every block of both files, also of sections that this program does not know.
    pub(in crate::advisory) fn check(&self) -> Result<(), Error> {
        self.file.check()?;
        if self.holds_advisories() { self.texts()?.check() } else { Ok(()) }
    }

    /// What is known about the knowledge, by OSV ecosystem string.
    pub(in crate::advisory) const fn coverage(&self) -> &BTreeMap<String, Facts> {
        &self.coverage
    }

    /// Whether it holds advisories; the others hold facts by CVE.
    pub(in crate::advisory) fn holds_advisories(&self) -> bool {
        !self.file.has(&[Section::ByCve])
    }

    /// The facts about one CVE, in a shard that has such.
    pub(in crate::advisory) fn by_cve(&self, key: [u8; CVE_KEY]) -> Result<Option<[u8; CVE_FACTS]>, Error> {
        let length = self.file.length(Section::ByCve)?;
        if length % CVE_ENTRY != 0 {
            return Err(self.damaged_entry());
        }
        let (mut low, mut high) = (0, length / CVE_ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.file.slice(Section::ByCve, middle * CVE_ENTRY, CVE_ENTRY)?;
            let (found, facts) = entry.split_first_chunk::<CVE_KEY>().ok_or_else(|| self.damaged_entry())?;
            match found.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return facts.try_into().map(Some).map_err(|_| self.damaged_entry()),
            }
        }
        Ok(None)
    }

    /// The error for facts whose bytes are right and mean nothing.
    pub(in crate::advisory) fn damaged_entry(&self) -> Error {
        self.file.damaged(Section::ByCve)
    }

    /// Every row about `name` (as the index writes it) of `ecosystem`; the rows do not repeat the two. `is_past` says of a fix
    /// whether it is in: rows that are about one fix alone, which most are, need not be unpacked then.
    pub(in crate::advisory) fn rows(&self, ecosystem: &str, name: &str, is_past: &dyn Fn(&str) -> bool) -> Result<Rows, Error> {
        let key = [ecosystem.as_bytes(), b"\0", name.as_bytes()].concat();
        if key.len() > usize::try_from(self.header().longest).unwrap_or(usize::MAX) {
            return Ok(Rows::default());
        }
        match KEYS.lower_bound(&self.file, &key)? {
            (number, true) => self.row_list(number, "", "", |_| true, is_past),
            _ => Ok(Rows::default()),
        }
    }

    /// Every row of one record; reads the whole index.
    pub(in crate::advisory) fn rows_of(&self, record: u32) -> Result<Vec<Affected>, Error> {
        let mut found = Vec::new();
        self.each_key(|number, ecosystem, name| {
            let rows = self.row_list(number, ecosystem, name, |row| row == record, &|_| false)?;
            found.extend(rows.listed.into_iter().map(|row| row.affected));
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first `most` names of one ecosystem in the index.
    pub(in crate::advisory) fn names(&self, ecosystem: &str, most: usize) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        self.each_key(|_, found, name| {
            if found == ecosystem && names.len() < most {
                names.push(name.to_owned());
            }
            Ok(names.len() < most)
        })?;
        Ok(names)
    }

    /// Calls `each` with number, ecosystem and name of every key until it says stop.
    fn each_key(&self, mut each: impl FnMut(u32, &str, &str) -> Result<bool, Error>) -> Result<(), Error> {
        for block in 0..KEYS.blocks(&self.file)? {
            let mut keys = Vec::new();
            KEYS.walk(&self.file, block, |_, key| {
                keys.push(key.to_vec());
                true
            })?;
            for (number, key) in (block.saturating_mul(ENTRIES_PER_BLOCK)..).zip(keys) {
                let damaged = || self.file.damaged(Section::Keys);
                let text = String::from_utf8(key).map_err(|_| damaged())?;
                let (ecosystem, name) = text.split_once('\0').ok_or_else(damaged)?;
                if !each(number, ecosystem, name)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The numbers of the records with this id.
    pub(in crate::advisory) fn records_with_id(&self, id: &str) -> Result<Vec<u32>, Error> {
        let (first, is_there) = IDS.lower_bound(&self.file, id.as_bytes())?;
        let mut found = Vec::new();
        if is_there {
            for number in first..self.header().records {
                if self.record_id(number)? != id {
                    break;
                }
                found.push(number);
            }
        }
        Ok(found)
    }

    /// The id of a record.
    pub(in crate::advisory) fn record_id(&self, number: u32) -> Result<String, Error> {
        String::from_utf8(IDS.front_entry(&self.file, number)?).map_err(|_| self.file.damaged(Section::Ids))
    }

    /// One record without its rows, its text and its links.
    pub(in crate::advisory) fn record_without_text(&self, number: u32) -> Result<Advisory, Error> {
        let record = Decoder::new(&self.file).record(RECORDS.entry(&self.file, number)?)?;
        Ok(Advisory { id: AdvisoryId(self.record_id(number)?), ..record })
    }

    /// One record without its rows and its details, with title and links.
    pub(in crate::advisory) fn record(&self, number: u32) -> Result<Advisory, Error> {
        let (summary, references) = self.texts()?.title(number)?;
        Ok(Advisory { summary, references, ..self.record_without_text(number)? })
    }

    /// What a record says at length.
    pub(in crate::advisory) fn details(&self, number: u32) -> Result<String, Error> {
        self.texts()?.details(number)
    }

    fn texts(&self) -> Result<&Texts, Error> {
        self.text.as_ref().ok_or_else(|| Error::Damaged {
            shard: self.name().to_owned(),
            what: format!("its text file {} is not there", self.text_file().unwrap_or_default()),
        })
    }

    /// The rows of key `number` whose record is `wanted`, with this ecosystem and name.
    fn row_list(
        &self,
        number: u32,
        ecosystem: &str,
        name: &str,
        wanted: impl Fn(u32) -> bool,
        is_past: &dyn Fn(&str) -> bool,
    ) -> Result<Rows, Error> {
        let damaged = || self.file.damaged(Section::Rows);
        let mut cursor = Cursor(ROWS.entry(&self.file, number)?);
        let decoder = Decoder::new(&self.file);
        let count = cursor.number().ok_or_else(damaged)?;
        // A row takes two bytes at least, whatever the count says.
        let room = usize::try_from(count).unwrap_or(usize::MAX).min(cursor.0.len() / 2);
        let (mut rows, mut record) = (Rows { listed: Vec::new(), past: Vec::with_capacity(room) }, 0_u32);
        for _ in 0..count {
            let (distance, head) = cursor.number().zip(cursor.number()).ok_or_else(damaged)?;
            record = record.checked_add(distance).filter(|record| *record < self.header().records).ok_or_else(damaged)?;
            let extras = if head & 2 == 0 { None } else { Some(cursor.number().ok_or_else(damaged)?) };
            if !wanted(record) {
                continue;
            }
            let status = if head & 1 == 0 { RowStatus::Active } else { RowStatus::Inactive };
            let extras = extras.map(|number| decoder.extras(number)).transpose()?;
            let is_clear = extras.as_ref().is_none_or(|extras| extras.unknown.is_none());
            let is_past = is_clear && decoder.only_fix(head >> 2)?.is_some_and(is_past);
            if is_past && extras.is_none() && status == RowStatus::Active {
                rows.past.push(record);
                continue;
            }
            let extras = extras.unwrap_or_default();
            let (mut ranges, versions) = if is_past { Default::default() } else { decoder.spec(head >> 2)? };
            if let Some(unknown) = extras.unknown {
                // A newer builder says something that may decide the row; a range of an unknown kind makes it undecidable.
                ranges.push(AffectedRange { scheme: RangeScheme::Unknown(format!("field {unknown}")), events: Vec::new() });
            }
            let affected = Affected {
                ecosystem: ecosystem.to_owned(),
                name: name.to_owned(),
                ranges,
                versions,
                ratings: extras.ratings,
                urgency: extras.urgency,
                attributes: extras.attributes,
            };
            rows.listed.push(Row { record, status, is_past, affected });
        }
        if cursor.0.is_empty() { Ok(rows) } else { Err(damaged()) }
    }
}

fn section(file: &Container, section: Section) -> Result<Cursor<'_>, Error> {
    Ok(Cursor(file.slice(section, 0, file.length(section)?)?))
}

fn read_facts(file: &Container, cursor: &mut Cursor<'_>, section: Section) -> Result<Facts, Error> {
    let damaged = || file.damaged(section);
    let mut facts = Facts::new();
    for _ in 0..cursor.number().ok_or_else(damaged)? {
        let (name, value) = cursor.text().zip(cursor.text()).ok_or_else(damaged)?;
        facts.insert(name.to_owned(), value.to_owned());
    }
    Ok(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        advisory::shard::writer::{Contents, encode},
        model::{advisory::Event, package::PackageKind},
    };

    fn affected(ecosystem: &str, name: &str, fixed: &str) -> Affected {
        let events = vec![Event::Introduced("0".to_owned()), Event::Fixed(fixed.to_owned())];
        let ranges = vec![AffectedRange { scheme: RangeScheme::Ecosystem, events }];
        Affected { ecosystem: ecosystem.to_owned(), name: name.to_owned(), ranges, ..Affected::default() }
    }

    fn shard(texts: &[&str], advisories: &[Advisory]) -> Shard {
        let coverage = texts.iter().map(|text| ((*text).to_owned(), BTreeMap::from([("unfixed", "listed".to_owned())]))).collect();
        let list: Vec<_> = advisories.iter().collect();
        let contents = Contents { coverage, kind: PackageKind::Rpm, facts: BTreeMap::new(), newest: 0, advisories: &list };
        let encoded = encode(contents).unwrap();
        let text = Texts::from_bytes("text", encoded.text.unwrap().0).unwrap();
        Shard::from_bytes("some", encoded.bytes).unwrap().with_text(text).unwrap()
    }

    #[test]
    fn one_shard_may_hold_several_releases() {
        let advisory = Advisory {
            id: AdvisoryId("A-1".to_owned()),
            details: "long".to_owned(),
            affected: vec![affected("X:1", "p", "1"), affected("X:2", "p", "2"), affected("Y:1", "p", "3")],
            ..Advisory::default()
        };
        let shard = shard(&["X:1", "X:2"], &[advisory]);
        let fixed = |text: &str| {
            let rows = shard.rows(text, "p", &|_| false).unwrap().listed;
            rows.iter().map(|row| row.affected.ranges[0].events[1].clone()).collect::<Vec<_>>()
        };
        assert_eq!(fixed("X:1"), [Event::Fixed("1".to_owned())]);
        assert_eq!(fixed("X:2"), [Event::Fixed("2".to_owned())]);
        assert_eq!(fixed("Y:1"), []);
        assert_eq!(shard.rows_of(0).unwrap().len(), 2);
        assert_eq!(shard.names("X:2", 9).unwrap(), ["p"]);
        assert_eq!((shard.coverage()["X:1"]["rows"].as_str(), shard.header().rows), ("1", 2));
        assert_eq!((shard.fact("unfixed"), shard.details(0).unwrap().as_str()), (None, "long"));
        shard.check().unwrap();
    }

    #[test]
    fn only_rows_about_one_fix_alone_are_left_packed() {
        let mut listed = affected("X", "p", "1");
        listed.versions = vec!["0.1".to_owned()];
        let mut late = affected("X", "p", "1");
        late.ranges[0].events[0] = Event::Introduced("0.5".to_owned());
        let mut other = affected("X", "p", "1");
        other.ranges[0].scheme = RangeScheme::Semver;
        let urgent = Affected { urgency: Some("low".to_owned()), ..affected("X", "p", "1") };
        let rows = [affected("X", "p", "1"), affected("X", "p", "2"), listed, late, other, urgent];
        let advisories: Vec<_> = (0..)
            .zip(rows)
            .map(|(n, row)| Advisory { id: AdvisoryId(format!("A-{n}")), affected: vec![row], ..Advisory::default() })
            .collect();
        let shard = shard(&["X"], &advisories);
        let rows = shard.rows("X", "p", &|fix| fix == "1").unwrap();
        assert_eq!(rows.active_records().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 0]);
        assert_eq!(rows.past, [0]);
        let found: Vec<_> = rows.listed.iter().map(|row| (row.is_past, row.affected.ranges.len())).collect();
        assert_eq!(found, [(false, 1), (false, 1), (false, 1), (false, 1), (true, 0)]);
    }

    #[test]
    fn many_names_and_records_come_back() {
        let advisories: Vec<_> = (0..300)
            .map(|n| {
                let mut row = affected("X", &format!("name-{}", n % 97), &format!("1.{n}"));
                row.versions = (0..n % 5).map(|minor| format!("0.{minor}.{n}")).collect();
                row.urgency = (n % 3 == 0).then(|| "low".to_owned());
                row.attributes = (0..n % 4).map(|which| (format!("key-{which}"), format!("value {}", n % 2))).collect();
                Advisory {
                    id: AdvisoryId(format!("A-{n:03}")),
                    aliases: vec![AdvisoryId(format!("CVE-2026-{n:04}")), AdvisoryId(format!("GHSA-{n}"))],
                    summary: format!("title {n}"),
                    details: "words ".repeat(n),
                    modified: Some(format!("2026-01-01T00:{:02}:{:02}Z", n / 60, n % 60)),
                    published: Some(if n % 2 == 0 { "some day".to_owned() } else { "2025-01-01T00:00:00Z".to_owned() }),
                    affected: vec![row],
                    references: (0..n % 3).map(|which| format!("https://example.org/{which}")).collect(),
                    ..Advisory::default()
                }
            })
            .collect();
        let shard = shard(&["X"], &advisories);
        for (number, advisory) in (0..).zip(&advisories) {
            let mut read = shard.record(number).unwrap();
            read.details = shard.details(number).unwrap();
            read.affected = shard.rows_of(number).unwrap();
            assert_eq!(read, *advisory);
            assert_eq!(shard.records_with_id(&advisory.id.0).unwrap(), [number]);
            let rows = shard.rows("X", &advisory.affected[0].name, &|_| false).unwrap().listed;
            let expected = Affected { ecosystem: String::new(), name: String::new(), ..advisory.affected[0].clone() };
            assert!(rows.iter().any(|row| row.record == number && row.affected == expected));
        }
        assert_eq!(shard.names("X", usize::MAX).unwrap().len(), 97);
        assert!(shard.rows("X", "name-97", &|_| false).unwrap().is_empty());
        assert!(shard.rows("X", &"long".repeat(1000), &|_| false).unwrap().is_empty());
        assert!(shard.records_with_id("A-300").unwrap().is_empty());
    }
}
