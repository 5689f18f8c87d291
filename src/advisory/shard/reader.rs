//! Reads one shard. In: a file, mapped or in memory; out: rows and records by name and id. Every offset and length is checked before use, every
//! block's checksum when the block is first touched; damage is an error that names the section.

use std::{
    collections::BTreeMap,
    fs::File,
    ops::Deref,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    advisory::{
        Error,
        shard::{
            BLOCK, CVE_ENTRY, CVE_FACTS, CVE_KEY, FIXED_HEADER, KEYS_PER_BLOCK, MAGIC, MAJOR, MAX_SECTIONS, RowStatus, SECTION_ENTRY,
            Section, bytes::Cursor,
        },
    },
    model::{
        advisory::{Advisory, AdvisoryId, Affected, AffectedRange, Event, RangeScheme},
        digest::Digest,
        severity::{Rating, RatingAuthor},
    },
};

/// An open shard.
#[derive(Debug)]
pub(in crate::advisory) struct Shard {
    name: String,
    bytes: Backing,
    header: Header,
    sections: BTreeMap<u32, Extent>,
    facts: BTreeMap<String, String>,
}

/// Counts and digest out of the header.
#[derive(Debug, Clone)]
pub(in crate::advisory) struct Header {
    /// Records.
    pub(in crate::advisory) records: u32,
    /// Rows.
    pub(in crate::advisory) rows: u32,
    /// Digest over the sections, as the builder wrote it.
    pub(in crate::advisory) digest: Digest,
}

/// One row: what a record says about one name.
#[derive(Debug, Clone)]
pub(in crate::advisory) struct Row {
    /// The record's number.
    pub(in crate::advisory) record: u32,
    /// Whether it can match.
    pub(in crate::advisory) status: RowStatus,
    /// Ranges, versions and ratings.
    pub(in crate::advisory) affected: Affected,
}

#[derive(Debug)]
enum Backing {
    Mapped(memmap2::Mmap),
    #[cfg_attr(not(test), expect(dead_code, reason = "the layout also works with plain reads; only tests read so today"))]
    Read(Vec<u8>),
}

impl Deref for Backing {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Read(bytes) => bytes,
        }
    }
}

#[derive(Debug)]
struct Extent {
    offset: usize,
    length: usize,
    sums: usize,
    /// One flag per block: its checksum was right.
    checked: Vec<AtomicBool>,
}

impl Shard {
    /// Opens a file.
    pub(in crate::advisory) fn open(name: &str, path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        #[expect(unsafe_code, reason = "shards appear by rename and are never written in place, so that the mapped bytes do not change")]
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(failed)?;
        Self::from_backing(name, Backing::Mapped(map))
    }

    /// Opens bytes in memory.
    #[cfg(test)]
    pub(in crate::advisory) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::from_backing(name, Backing::Read(bytes))
    }

    fn from_backing(name: &str, bytes: Backing) -> Result<Self, Error> {
        let damaged = |what: &str| Error::Damaged { shard: name.to_owned(), what: what.to_owned() };
        let mut cursor = Cursor(&bytes);
        if cursor.take(MAGIC.len()) != Some(MAGIC) {
            return Err(damaged("it does not start like a shard"));
        }
        let found = cursor.u16().ok_or_else(|| damaged("the header is cut off"))?;
        if found != MAJOR {
            return Err(Error::Format { shard: name.to_owned(), found, readable: MAJOR });
        }
        let (header, sections) = parse_header(&bytes).map_err(damaged)?;
        let mut shard = Self { name: name.to_owned(), bytes, header, sections, facts: BTreeMap::new() };
        shard.facts = shard.read_facts()?;
        Ok(shard)
    }

    /// The shard's name.
    pub(in crate::advisory) fn name(&self) -> &str {
        &self.name
    }

    /// Counts and digest.
    pub(in crate::advisory) const fn header(&self) -> &Header {
        &self.header
    }

    /// A fact of the meta section.
    pub(in crate::advisory) fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }

    /// Whether it holds advisories; the others hold facts by CVE.
    pub(in crate::advisory) fn holds_advisories(&self) -> bool {
        !self.sections.contains_key(&(Section::ByCve as u32))
    }

    /// The facts about one CVE, in a shard that has such.
    pub(in crate::advisory) fn by_cve(&self, key: [u8; CVE_KEY]) -> Result<Option<[u8; CVE_FACTS]>, Error> {
        let length = self.extent(Section::ByCve)?.length;
        if length % CVE_ENTRY != 0 {
            return Err(self.damaged(Section::ByCve));
        }
        let (mut low, mut high) = (0, length / CVE_ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.slice_at(Section::ByCve, middle * CVE_ENTRY, CVE_ENTRY)?;
            let (found, facts) = entry.split_first_chunk::<CVE_KEY>().ok_or_else(|| self.damaged(Section::ByCve))?;
            match found.cmp(&key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return facts.try_into().map(Some).map_err(|_| self.damaged(Section::ByCve)),
            }
        }
        Ok(None)
    }

    /// The error for facts whose bytes are right and mean nothing.
    pub(in crate::advisory) fn damaged_entry(&self) -> Error {
        self.damaged(Section::ByCve)
    }

    /// Every row about `name` (as the index writes it) of `ecosystem`.
    pub(in crate::advisory) fn rows(&self, ecosystem: &str, name: &str) -> Result<Vec<Row>, Error> {
        let key = [ecosystem.as_bytes(), b"\0", name.as_bytes()].concat();
        let blocks = self.count(Section::KeyOffsets)?;
        let (mut low, mut high) = (0, blocks);
        // The block that may hold the key is the last one whose first key is not above it.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.first_key(middle)? <= key.as_slice() { low = middle + 1 } else { high = middle }
        }
        let Some(block) = low.checked_sub(1) else { return Ok(Vec::new()) };
        for (found, offset, length) in self.block(block)? {
            if found == key {
                return self.row_list(offset, length, ecosystem, name);
            }
        }
        Ok(Vec::new())
    }

    /// Every row of one record; reads the whole index.
    pub(in crate::advisory) fn rows_of(&self, record: u32) -> Result<Vec<Affected>, Error> {
        let mut found = Vec::new();
        for block in 0..self.count(Section::KeyOffsets)? {
            for (key, offset, length) in self.block(block)? {
                let text = String::from_utf8(key).map_err(|_| self.damaged(Section::Keys))?;
                let (ecosystem, name) = text.split_once('\0').ok_or_else(|| self.damaged(Section::Keys))?;
                found.extend(
                    self.row_list(offset, length, ecosystem, name)?.into_iter().filter(|row| row.record == record).map(|row| row.affected),
                );
            }
        }
        Ok(found)
    }

    /// The first `most` names of the index.
    #[cfg(test)]
    pub(in crate::advisory) fn names(&self, most: usize) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for block in 0..self.count(Section::KeyOffsets)? {
            names.extend(
                self.block(block)?
                    .into_iter()
                    .filter_map(|(key, ..)| String::from_utf8(key).ok()?.split_once('\0').map(|(_, name)| name.to_owned())),
            );
            if names.len() >= most {
                break;
            }
        }
        names.truncate(most);
        Ok(names)
    }

    /// The numbers of the records with this id.
    pub(in crate::advisory) fn records_with_id(&self, id: &str) -> Result<Vec<u32>, Error> {
        let (mut low, mut high) = (0, self.header.records);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.record_id(middle)? < id { low = middle + 1 } else { high = middle }
        }
        let mut found = Vec::new();
        while low < self.header.records && self.record_id(low)? == id {
            found.push(low);
            low += 1;
        }
        Ok(found)
    }

    /// One record without its rows.
    pub(in crate::advisory) fn record(&self, number: u32) -> Result<Advisory, Error> {
        let mut cursor = Cursor(self.entry(Section::Records, Section::RecordOffsets, number)?);
        self.parse_record(&mut cursor)
    }

    fn record_id(&self, number: u32) -> Result<&str, Error> {
        Cursor(self.entry(Section::Records, Section::RecordOffsets, number)?).text().ok_or_else(|| self.damaged(Section::Records))
    }

    fn parse_record(&self, cursor: &mut Cursor<'_>) -> Result<Advisory, Error> {
        let damaged = || self.damaged(Section::Records);
        let id = AdvisoryId(cursor.text().ok_or_else(damaged)?.to_owned());
        let mut lists = [Vec::new(), Vec::new(), Vec::new()];
        for list in &mut lists {
            for _ in 0..cursor.number().ok_or_else(damaged)? {
                list.push(AdvisoryId(self.string(cursor.number().ok_or_else(damaged)?)?.to_owned()));
            }
        }
        let [aliases, upstream, related] = lists;
        let published = self.optional(cursor, Section::Records)?;
        let modified = self.optional(cursor, Section::Records)?;
        let withdrawn = self.optional(cursor, Section::Records)?;
        let ratings = self.ratings(cursor, Section::Records)?;
        let (offset, length) = cursor.number().zip(cursor.number()).ok_or_else(damaged)?;
        let mut text = Cursor(self.slice(Section::Text, offset, length)?);
        let damaged = || self.damaged(Section::Text);
        let summary = text.text().ok_or_else(damaged)?.to_owned();
        let mut references = Vec::new();
        for _ in 0..text.number().ok_or_else(damaged)? {
            references.push(text.text().ok_or_else(damaged)?.to_owned());
        }
        Ok(Advisory {
            id,
            aliases,
            upstream,
            related,
            summary,
            details: String::new(),
            published,
            modified,
            withdrawn,
            ratings,
            affected: Vec::new(),
            references,
        })
    }

    /// Keys of one block with offset and length of their rows.
    fn block(&self, number: u32) -> Result<Vec<(Vec<u8>, u32, u32)>, Error> {
        let mut cursor = Cursor(self.entry(Section::Keys, Section::KeyOffsets, number)?);
        let mut keys: Vec<(Vec<u8>, u32, u32)> = Vec::new();
        while !cursor.0.is_empty() {
            let parsed = (|| {
                let shared = usize::try_from(cursor.number()?).ok()?;
                let length = usize::try_from(cursor.number()?).ok()?;
                let rest = cursor.take(length)?;
                let before = keys.last().map_or(&[][..], |(key, ..)| key.as_slice());
                let key = [before.get(..shared)?, rest].concat();
                Some((key, cursor.number()?, cursor.number()?))
            })();
            // A block holds few keys, so that keys that grow out of each other stay small.
            keys.push(parsed.filter(|_| keys.len() < KEYS_PER_BLOCK).ok_or_else(|| self.damaged(Section::Keys))?);
        }
        Ok(keys)
    }

    fn first_key(&self, block: u32) -> Result<&[u8], Error> {
        let mut cursor = Cursor(self.entry(Section::Keys, Section::KeyOffsets, block)?);
        let key = (|| {
            cursor.number().filter(|shared| *shared == 0)?;
            let length = usize::try_from(cursor.number()?).ok()?;
            cursor.take(length)
        })();
        key.ok_or_else(|| self.damaged(Section::Keys))
    }

    fn row_list(&self, offset: u32, length: u32, ecosystem: &str, name: &str) -> Result<Vec<Row>, Error> {
        let damaged = || self.damaged(Section::Rows);
        let mut cursor = Cursor(self.slice(Section::Rows, offset, length)?);
        let mut rows = Vec::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let record = cursor.number().filter(|number| *number < self.header.records).ok_or_else(damaged)?;
            let status = match cursor.number().ok_or_else(damaged)? {
                0 => RowStatus::Active,
                1 => RowStatus::Inactive,
                _ => return Err(damaged()),
            };
            let spec = cursor.number().ok_or_else(damaged)?;
            let urgency = self.optional(&mut cursor, Section::Rows)?;
            let ratings = self.ratings(&mut cursor, Section::Rows)?;
            let (ranges, versions) = self.spec(spec)?;
            let affected = Affected {
                ecosystem: ecosystem.to_owned(),
                name: name.to_owned(),
                ranges,
                versions,
                ratings,
                urgency,
                attributes: BTreeMap::new(),
            };
            rows.push(Row { record, status, affected });
        }
        Ok(rows)
    }

    fn spec(&self, number: u32) -> Result<(Vec<AffectedRange>, Vec<String>), Error> {
        let damaged = || self.damaged(Section::Specs);
        let mut cursor = Cursor(self.entry(Section::Specs, Section::SpecOffsets, number)?);
        let mut ranges = Vec::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let scheme = match cursor.number().ok_or_else(damaged)? {
                0 => RangeScheme::Ecosystem,
                1 => RangeScheme::Semver,
                2 => RangeScheme::Git,
                3 => RangeScheme::Unknown(self.string(cursor.number().ok_or_else(damaged)?)?.to_owned()),
                _ => return Err(damaged()),
            };
            let mut events = Vec::new();
            for _ in 0..cursor.number().ok_or_else(damaged)? {
                let kind = cursor.number().ok_or_else(damaged)?;
                let text = self.string(cursor.number().ok_or_else(damaged)?)?.to_owned();
                events.push(match kind {
                    0 => Event::Introduced(text),
                    1 => Event::Fixed(text),
                    2 => Event::LastAffected(text),
                    3 => Event::Limit(text),
                    4 => Event::Unknown(text),
                    _ => return Err(damaged()),
                });
            }
            ranges.push(AffectedRange { scheme, events });
        }
        let mut versions = Vec::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            versions.push(self.string(cursor.number().ok_or_else(damaged)?)?.to_owned());
        }
        Ok((ranges, versions))
    }

    fn ratings(&self, cursor: &mut Cursor<'_>, section: Section) -> Result<Vec<Rating>, Error> {
        let damaged = || self.damaged(section);
        let mut ratings = Vec::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let author = match cursor.number().ok_or_else(damaged)? {
                0 => RatingAuthor::Vendor,
                1 => RatingAuthor::Ghsa,
                2 => RatingAuthor::Nvd,
                3 => RatingAuthor::Osv,
                _ => return Err(damaged()),
            };
            let word = self.optional(cursor, section)?;
            let vector = self.optional(cursor, section)?;
            let score = cursor.number().ok_or_else(damaged)?;
            let score_tenths = score.checked_sub(1).map(u16::try_from).transpose().map_err(|_| damaged())?;
            ratings.push(Rating { author, word, vector, score_tenths });
        }
        Ok(ratings)
    }

    fn optional(&self, cursor: &mut Cursor<'_>, section: Section) -> Result<Option<String>, Error> {
        let number = cursor.number().ok_or_else(|| self.damaged(section))?;
        number.checked_sub(1).map(|number| self.string(number).map(str::to_owned)).transpose()
    }

    fn string(&self, number: u32) -> Result<&str, Error> {
        std::str::from_utf8(self.entry(Section::Strings, Section::StringOffsets, number)?).map_err(|_| self.damaged(Section::Strings))
    }

    fn read_facts(&self) -> Result<BTreeMap<String, String>, Error> {
        let damaged = || self.damaged(Section::Meta);
        let length = self.extent(Section::Meta)?.length;
        let mut cursor = Cursor(self.slice_at(Section::Meta, 0, length)?);
        let mut facts = BTreeMap::new();
        for _ in 0..cursor.number().ok_or_else(damaged)? {
            let (name, value) = cursor.text().zip(cursor.text()).ok_or_else(damaged)?;
            facts.insert(name.to_owned(), value.to_owned());
        }
        Ok(facts)
    }

    /// How many entries an offset table has.
    fn count(&self, offsets: Section) -> Result<u32, Error> {
        let entries = (self.extent(offsets)?.length / 4).checked_sub(1).ok_or_else(|| self.damaged(offsets))?;
        u32::try_from(entries).map_err(|_| self.damaged(offsets))
    }

    fn entry(&self, section: Section, offsets: Section, number: u32) -> Result<&[u8], Error> {
        let damaged = || self.damaged(offsets);
        let at = usize::try_from(number).ok().and_then(|number| number.checked_mul(4)).ok_or_else(damaged)?;
        let mut cursor = Cursor(self.slice_at(offsets, at, 8)?);
        let (start, end) = cursor.u32().zip(cursor.u32()).ok_or_else(damaged)?;
        self.slice(section, start, end.checked_sub(start).ok_or_else(damaged)?)
    }

    fn slice(&self, section: Section, offset: u32, length: u32) -> Result<&[u8], Error> {
        let (offset, length) = usize::try_from(offset).ok().zip(usize::try_from(length).ok()).ok_or_else(|| self.damaged(section))?;
        self.slice_at(section, offset, length)
    }

    /// Bytes of a section, after the checksums of the blocks they lie in.
    fn slice_at(&self, section: Section, offset: usize, length: usize) -> Result<&[u8], Error> {
        let damaged = || self.damaged(section);
        let extent = self.extent(section)?;
        let end = offset.checked_add(length).filter(|end| *end <= extent.length).ok_or_else(damaged)?;
        if length > 0 {
            for block in offset / BLOCK..=(end - 1) / BLOCK {
                self.check_block(extent, block).ok_or_else(|| Error::Damaged {
                    shard: self.name.clone(),
                    what: format!("section {}, block {block}: wrong checksum", section.name()),
                })?;
            }
        }
        self.bytes.get(extent.offset + offset..extent.offset + end).ok_or_else(damaged)
    }

    fn check_block(&self, extent: &Extent, block: usize) -> Option<()> {
        let checked = extent.checked.get(block)?;
        if checked.load(Ordering::Relaxed) {
            return Some(());
        }
        let start = block.checked_mul(BLOCK)?;
        let data = self.bytes.get(extent.offset + start..extent.offset + extent.length.min(start + BLOCK))?;
        let sum = Cursor(self.bytes.get(extent.sums + block * 4..)?).u32()?;
        (crc32c::crc32c(data) == sum).then(|| checked.store(true, Ordering::Relaxed))
    }

    /// Checks every block of every section, also of those that this program does not know.
    pub(in crate::advisory) fn check(&self) -> Result<(), Error> {
        for (kind, extent) in &self.sections {
            if let Some(block) = (0..extent.checked.len()).find(|block| self.check_block(extent, *block).is_none()) {
                return Err(Error::Damaged { shard: self.name.clone(), what: format!("section {kind}, block {block}: wrong checksum") });
            }
        }
        Ok(())
    }

    fn extent(&self, section: Section) -> Result<&Extent, Error> {
        self.sections.get(&(section as u32)).ok_or_else(|| self.damaged(section))
    }

    fn damaged(&self, section: Section) -> Error {
        Error::Damaged { shard: self.name.clone(), what: format!("section {} does not read", section.name()) }
    }
}

fn parse_header(bytes: &[u8]) -> Result<(Header, BTreeMap<u32, Extent>), &'static str> {
    const CUT: &str = "the header is cut off";
    let mut cursor = Cursor(bytes.get(12..).ok_or(CUT)?);
    let header_length = usize::try_from(cursor.u32().ok_or(CUT)?).map_err(|_| CUT)?;
    let most = FIXED_HEADER + MAX_SECTIONS * SECTION_ENTRY + 4;
    if !(FIXED_HEADER + 4..=most).contains(&header_length) || header_length > bytes.len() {
        return Err("the header has no possible length");
    }
    let (head, sum) = bytes.get(..header_length).and_then(|header| header.split_at_checked(header_length - 4)).ok_or(CUT)?;
    if Cursor(sum).u32() != Some(crc32c::crc32c(head)) {
        return Err("the header has a wrong checksum");
    }
    if cursor.u64() != Some(bytes.len()) {
        return Err("the file is not as long as its header says");
    }
    cursor.take(8).ok_or(CUT)?;
    let (records, rows) = cursor.u32().zip(cursor.u32()).ok_or(CUT)?;
    cursor.take(8).ok_or(CUT)?;
    let hex = cursor.take(64).and_then(|hex| std::str::from_utf8(hex).ok()).ok_or(CUT)?;
    let digest = Digest::parse(&format!("sha256:{hex}")).map_err(|_| "the header holds no digest")?;
    let count = cursor.u64().filter(|count| *count <= MAX_SECTIONS).ok_or("the header lists too many sections")?;
    let mut sections = BTreeMap::new();
    for _ in 0..count {
        let kind = cursor.u64().and_then(|kind| u32::try_from(kind).ok()).ok_or(CUT)?;
        let (offset, length) = cursor.u64().zip(cursor.u64()).ok_or(CUT)?;
        let sums = cursor.u64().ok_or(CUT)?;
        let blocks = length.div_ceil(BLOCK);
        let inside = |start: usize, length: usize| start.checked_add(length).is_some_and(|end| end <= bytes.len());
        if !inside(offset, length) || !inside(sums, blocks.saturating_mul(4)) {
            return Err("a section lies outside the file");
        }
        let checked = (0..blocks).map(|_| AtomicBool::new(false)).collect();
        sections.insert(kind, Extent { offset, length, sums, checked });
    }
    let needed = if sections.contains_key(&(Section::ByCve as u32)) { &[Section::Meta][..] } else { &Section::ADVISORIES };
    if needed.iter().any(|section| !sections.contains_key(&(*section as u32))) {
        return Err("a section is missing");
    }
    Ok((Header { records, rows, digest }, sections))
}
