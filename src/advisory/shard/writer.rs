//! Writes one shard. In: advisories of one OSV ecosystem string, already in order, and the shard's facts; out: bytes that depend on nothing else
//! (advisories.md D8).

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use crate::{
    advisory::{
        Error, almalinux, ecosystem,
        shard::{
            BLOCK, CVE_ENTRY, FIXED_HEADER, KEYS_PER_BLOCK, MAGIC, MAJOR, MINOR, RowStatus, SECTION_ENTRY, Section, bytes::put_number,
        },
    },
    model::{
        advisory::{Advisory, AdvisoryId, Affected, Event, RangeScheme},
        digest::Digest,
        package::PackageKind,
        severity::{Rating, RatingAuthor},
    },
};

/// What a shard is made of.
pub(in crate::advisory) struct Contents<'a> {
    /// The OSV ecosystem string; rows of others are left out.
    pub(in crate::advisory) ecosystem: &'a str,
    /// How names are written in the index.
    pub(in crate::advisory) kind: PackageKind,
    /// Facts about the shard, for the meta section.
    pub(in crate::advisory) facts: BTreeMap<&'static str, String>,
    /// Newest record, seconds since 1970; 0 when no record says.
    pub(in crate::advisory) newest: u64,
    /// The records, sorted by id; each has at least one row here.
    pub(in crate::advisory) advisories: &'a [&'a Advisory],
}

/// A finished shard.
pub(in crate::advisory) struct Encoded {
    /// The file.
    pub(in crate::advisory) bytes: Vec<u8>,
    /// How many rows it holds.
    pub(in crate::advisory) rows: u32,
}

/// Whether a record can match anything at all (advisories.md R13).
pub(in crate::advisory) fn status_of(advisory: &Advisory) -> RowStatus {
    let names_a_cve =
        || [&advisory.aliases, &advisory.upstream, &advisory.related].into_iter().flatten().any(|id| id.0.starts_with("CVE-"));
    if advisory.withdrawn.is_some() || (almalinux::is_errata_without_security(&advisory.id.0) && !names_a_cve()) {
        RowStatus::Inactive
    } else {
        RowStatus::Active
    }
}

/// Encodes a shard.
pub(in crate::advisory) fn encode(contents: &Contents<'_>) -> Result<Encoded, Error> {
    let mut strings = Pool::default();
    let mut specs = Pool::default();
    let mut keys: BTreeMap<Vec<u8>, (u32, Vec<u8>)> = BTreeMap::new();
    let (mut records, mut text) = (Table::default(), Vec::new());
    let mut rows = 0_u32;
    for advisory in contents.advisories {
        let number = size(records.offsets.len(), "records")?;
        let status = status_of(advisory);
        for affected in advisory.affected.iter().filter(|affected| affected.ecosystem == contents.ecosystem) {
            let spec = spec(affected, &mut strings)?;
            let spec = specs.number(&spec)?;
            let key = [contents.ecosystem.as_bytes(), b"\0", ecosystem::index_name(contents.kind, &affected.name).as_bytes()].concat();
            let (count, list) = keys.entry(key).or_default();
            *count += 1;
            rows += 1;
            put_number(list, number);
            put_number(list, u32::from(status == RowStatus::Inactive));
            put_number(list, spec);
            put_optional(list, affected.urgency.as_deref(), &mut strings)?;
            put_ratings(list, &affected.ratings, &mut strings)?;
        }
        let record = record(advisory, &mut strings, &mut text)?;
        records.push(&record)?;
    }
    let meta = meta(&contents.facts)?;
    let index = index(&keys)?;
    let counts = [
        size(records.offsets.len(), "records")?,
        rows,
        size(keys.len(), "names")?,
        size(keys.keys().map(Vec::len).max().unwrap_or(0), "name")?,
    ];
    let sections = [
        (Section::Meta, meta),
        (Section::StringOffsets, strings.table.offsets()?),
        (Section::Strings, strings.table.bytes),
        (Section::KeyOffsets, index.keys.offsets()?),
        (Section::Keys, index.keys.bytes),
        (Section::Rows, index.rows),
        (Section::SpecOffsets, specs.table.offsets()?),
        (Section::Specs, specs.table.bytes),
        (Section::RecordOffsets, records.offsets()?),
        (Section::Records, records.bytes),
        (Section::Text, text),
    ];
    Ok(Encoded { bytes: file(&sections, contents.newest, counts), rows })
}

/// Encodes a shard of facts by CVE; `entries` are sorted and name each CVE once.
pub(in crate::advisory) fn encode_by_cve(
    facts: &BTreeMap<&'static str, String>,
    newest: u64,
    entries: &[[u8; CVE_ENTRY]],
) -> Result<Encoded, Error> {
    let rows = size(entries.len(), "entries")?;
    let sections = [(Section::Meta, meta(facts)?), (Section::ByCve, entries.concat())];
    Ok(Encoded { bytes: file(&sections, newest, [rows, rows, 0, 0]), rows })
}

fn meta(facts: &BTreeMap<&'static str, String>) -> Result<Vec<u8>, Error> {
    let mut meta = Vec::new();
    put_number(&mut meta, size(facts.len(), "facts")?);
    for (name, value) in facts {
        put_text(&mut meta, name)?;
        put_text(&mut meta, value)?;
    }
    Ok(meta)
}

/// Entries one after another, and where each ends.
#[derive(Default)]
struct Table {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

impl Table {
    fn push(&mut self, entry: &[u8]) -> Result<u32, Error> {
        let number = size(self.offsets.len(), "entries")?;
        self.offsets.push(self.bytes.len());
        self.bytes.extend_from_slice(entry);
        Ok(number)
    }

    /// One offset per entry and the end of the last one, 32 bits each.
    fn offsets(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(self.offsets.len() * 4 + 4);
        for offset in self.offsets.iter().chain([&self.bytes.len()]) {
            out.extend_from_slice(&size(*offset, "bytes in a section")?.to_le_bytes());
        }
        Ok(out)
    }
}

/// A table that holds every entry once.
#[derive(Default)]
struct Pool {
    numbers: HashMap<Vec<u8>, u32>,
    table: Table,
}

impl Pool {
    fn number(&mut self, entry: &[u8]) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(entry) {
            return Ok(*number);
        }
        let number = self.table.push(entry)?;
        self.numbers.insert(entry.to_vec(), number);
        Ok(number)
    }
}

struct Index {
    keys: Table,
    rows: Vec<u8>,
}

/// Keys in blocks, each written as what it shares with the one before it, the rest, and where its rows are.
fn index(keys: &BTreeMap<Vec<u8>, (u32, Vec<u8>)>) -> Result<Index, Error> {
    let mut index = Index { keys: Table::default(), rows: Vec::new() };
    let entries: Vec<_> = keys.iter().collect();
    for chunk in entries.chunks(KEYS_PER_BLOCK) {
        let mut block = Vec::new();
        let mut before: &[u8] = &[];
        for (key, (count, list)) in chunk {
            let shared = key.iter().zip(before).take_while(|(a, b)| a == b).count();
            let rest = key.get(shared..).unwrap_or_default();
            put_number(&mut block, size(shared, "name")?);
            put_number(&mut block, size(rest.len(), "name")?);
            block.extend_from_slice(rest);
            let start = index.rows.len();
            put_number(&mut index.rows, *count);
            index.rows.extend_from_slice(list);
            put_number(&mut block, size(start, "rows")?);
            put_number(&mut block, size(index.rows.len() - start, "rows")?);
            before = key;
        }
        index.keys.push(&block)?;
    }
    Ok(index)
}

/// Ranges and listed versions of one row; equal ones are stored once.
fn spec(affected: &Affected, strings: &mut Pool) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    put_number(&mut out, size(affected.ranges.len(), "ranges")?);
    for range in &affected.ranges {
        match &range.scheme {
            RangeScheme::Ecosystem => put_number(&mut out, 0),
            RangeScheme::Semver => put_number(&mut out, 1),
            RangeScheme::Git => put_number(&mut out, 2),
            RangeScheme::Unknown(word) => {
                put_number(&mut out, 3);
                put_string(&mut out, word, strings)?;
            }
        }
        put_number(&mut out, size(range.events.len(), "events")?);
        for event in &range.events {
            let (kind, text) = match event {
                Event::Introduced(text) => (0, text),
                Event::Fixed(text) => (1, text),
                Event::LastAffected(text) => (2, text),
                Event::Limit(text) => (3, text),
                Event::Unknown(text) => (4, text),
            };
            put_number(&mut out, kind);
            put_string(&mut out, text, strings)?;
        }
    }
    put_number(&mut out, size(affected.versions.len(), "versions")?);
    for version in &affected.versions {
        put_string(&mut out, version, strings)?;
    }
    Ok(out)
}

fn record(advisory: &Advisory, strings: &mut Pool, text: &mut Vec<u8>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    put_text(&mut out, &advisory.id.0)?;
    for list in [&advisory.aliases, &advisory.upstream, &advisory.related] {
        put_ids(&mut out, list, strings)?;
    }
    for date in [&advisory.published, &advisory.modified, &advisory.withdrawn] {
        put_optional(&mut out, date.as_deref(), strings)?;
    }
    put_ratings(&mut out, &advisory.ratings, strings)?;
    let start = text.len();
    put_text(text, &advisory.summary)?;
    put_number(text, size(advisory.references.len(), "links")?);
    for reference in &advisory.references {
        put_text(text, reference)?;
    }
    put_number(&mut out, size(start, "text")?);
    put_number(&mut out, size(text.len() - start, "text")?);
    Ok(out)
}

fn put_ids(out: &mut Vec<u8>, list: &[AdvisoryId], strings: &mut Pool) -> Result<(), Error> {
    put_number(out, size(list.len(), "ids")?);
    list.iter().try_for_each(|id| put_string(out, &id.0, strings))
}

fn put_ratings(out: &mut Vec<u8>, ratings: &[Rating], strings: &mut Pool) -> Result<(), Error> {
    put_number(out, size(ratings.len(), "ratings")?);
    for rating in ratings {
        put_number(out, author_number(rating.author));
        put_optional(out, rating.word.as_deref(), strings)?;
        put_optional(out, rating.vector.as_deref(), strings)?;
        put_number(out, rating.score_tenths.map_or(0, |score| u32::from(score) + 1));
    }
    Ok(())
}

const fn author_number(author: RatingAuthor) -> u32 {
    match author {
        RatingAuthor::Vendor => 0,
        RatingAuthor::Ghsa => 1,
        RatingAuthor::Nvd => 2,
        RatingAuthor::Osv | RatingAuthor::Inspector | RatingAuthor::EcrBasic | RatingAuthor::Plimsoll | RatingAuthor::Policy => 3,
    }
}

fn put_string(out: &mut Vec<u8>, text: &str, strings: &mut Pool) -> Result<(), Error> {
    put_number(out, strings.number(text.as_bytes())?);
    Ok(())
}

/// 0 for nothing, else the string's number and one.
fn put_optional(out: &mut Vec<u8>, text: Option<&str>, strings: &mut Pool) -> Result<(), Error> {
    let number = text.map(|text| strings.number(text.as_bytes())).transpose()?;
    put_number(out, number.map_or(0, |number| number.saturating_add(1)));
    Ok(())
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    put_number(out, size(text.len(), "text")?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn size(number: usize, what: &'static str) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::TooLarge(what))
}

/// Puts header, sections and checksums together.
fn file(sections: &[(Section, Vec<u8>)], newest: u64, counts: [u32; 4]) -> Vec<u8> {
    let header_length = FIXED_HEADER + sections.len() * SECTION_ENTRY + 4;
    let body: usize = sections.iter().map(|(_, data)| data.len() + data.len().div_ceil(BLOCK) * 4).sum();
    let mut out = Vec::with_capacity(header_length + body);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&MAJOR.to_le_bytes());
    out.extend_from_slice(&MINOR.to_le_bytes());
    out.extend_from_slice(&u32::try_from(header_length).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&((header_length + body) as u64).to_le_bytes());
    out.extend_from_slice(&newest.to_le_bytes());
    counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
    let mut listing = String::new();
    for (section, data) in sections {
        let _ = writeln!(listing, "{} {}", section.name(), Digest::sha256_of(data));
    }
    out.extend_from_slice(Digest::sha256_of(listing.as_bytes()).hex().as_bytes());
    out.extend_from_slice(&(sections.len() as u64).to_le_bytes());
    let mut at = header_length;
    for (section, data) in sections {
        let sums = at + data.len();
        out.extend_from_slice(&(*section as u64).to_le_bytes());
        for number in [at, data.len(), sums] {
            out.extend_from_slice(&(number as u64).to_le_bytes());
        }
        at = sums + data.len().div_ceil(BLOCK) * 4;
    }
    let sum = crc32c::crc32c(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    for (_, data) in sections {
        out.extend_from_slice(data);
        data.chunks(BLOCK).for_each(|block| out.extend_from_slice(&crc32c::crc32c(block).to_le_bytes()));
    }
    out
}
