//! The frame that both files of a shard share: header, section table, sections with a checksum per block. In: a mapped file, an open one or bytes; out:
//! parts of sections, after their checksums. Every offset and length is checked before use; damage is an error that names the section.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::Write as _,
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::RangeInclusive,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    advisory::{
        Error,
        shard::{BLOCK, FIXED_HEADER, MAJOR, MAX_SECTIONS, MINOR, SECTION_ENTRY, Section, bytes::Cursor},
    },
    model::digest::Digest,
};

/// An open file.
#[derive(Debug)]
pub(super) struct Container {
    name: String,
    bytes: Backing,
    header: Header,
    /// By kind.
    sections: Vec<(u32, Extent)>,
    /// Where in `sections` the kinds below [`KINDS`] are, plus one: they are asked for all the time.
    places: [u16; KINDS],
}

/// Counts and digest out of the header.
#[derive(Debug, Clone)]
pub(in crate::advisory) struct Header {
    /// Records.
    pub(in crate::advisory) records: u32,
    /// Rows.
    pub(in crate::advisory) rows: u32,
    /// Bytes of the longest key.
    pub(in crate::advisory) longest: u32,
    /// Digest over the sections, as the builder wrote it.
    pub(in crate::advisory) digest: Digest,
}

#[derive(Debug)]
enum Backing {
    Mapped(memmap2::Mmap),
    Read(Vec<u8>),
    /// The file and its length. What is seldom read, and copied then in any case, need not stay mapped.
    Open(Mutex<File>, usize),
}

impl Backing {
    fn size(&self) -> usize {
        match self {
            Self::Mapped(map) => map.len(),
            Self::Read(bytes) => bytes.len(),
            Self::Open(_, length) => *length,
        }
    }

    /// Bytes of the file; `None` where it has none.
    fn get(&self, offset: usize, length: usize) -> Option<Cow<'_, [u8]>> {
        let end = offset.checked_add(length).filter(|end| *end <= self.size())?;
        match self {
            Self::Mapped(map) => map.get(offset..end).map(Cow::Borrowed),
            Self::Read(bytes) => bytes.get(offset..end).map(Cow::Borrowed),
            Self::Open(file, _) => read_at(file, offset, length).ok().map(Cow::Owned),
        }
    }

    /// The same for a file that is in memory.
    fn in_memory(&self) -> Option<&[u8]> {
        match self {
            Self::Mapped(map) => Some(map),
            Self::Read(bytes) => Some(bytes),
            Self::Open(..) => None,
        }
    }
}

fn read_at(file: &Mutex<File>, offset: usize, length: usize) -> io::Result<Vec<u8>> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(offset as u64))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[derive(Debug)]
struct Extent {
    offset: usize,
    length: usize,
    sums: usize,
    /// One flag per block: its checksum was right.
    checked: Vec<AtomicBool>,
}

impl Extent {
    /// Whether the checksums of these blocks were right.
    fn is_checked(&self, blocks: RangeInclusive<usize>) -> bool {
        self.checked.get(blocks).is_some_and(|flags| flags.iter().all(|flag| flag.load(Ordering::Relaxed)))
    }
}

impl Container {
    /// Opens a file.
    pub(super) fn open(name: &str, path: &Path, magic: &[u8; 8]) -> Result<Self, Error> {
        let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        #[expect(unsafe_code, reason = "shards appear by rename and are never written in place, so that the mapped bytes do not change")]
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(failed)?;
        Self::parse(name, Backing::Mapped(map), magic)
    }

    /// Opens a file without mapping it: [`Self::bytes`] alone reads such a one.
    pub(super) fn open_unmapped(name: &str, path: &Path, magic: &[u8; 8]) -> Result<Self, Error> {
        let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let length = usize::try_from(file.metadata().map_err(failed)?.len()).unwrap_or(usize::MAX);
        Self::parse(name, Backing::Open(Mutex::new(file), length), magic)
    }

    /// Opens bytes in memory.
    pub(super) fn from_bytes(name: &str, bytes: Vec<u8>, magic: &[u8; 8]) -> Result<Self, Error> {
        Self::parse(name, Backing::Read(bytes), magic)
    }

    fn parse(name: &str, bytes: Backing, magic: &[u8; 8]) -> Result<Self, Error> {
        let damaged = |what: &str| Error::Damaged { shard: name.to_owned(), what: what.to_owned() };
        let head = bytes.get(0, LONGEST_HEADER.min(bytes.size())).ok_or_else(|| damaged("it cannot be read"))?;
        let mut cursor = Cursor(&head);
        if cursor.take(magic.len()) != Some(magic) {
            return Err(damaged("it does not start like one"));
        }
        let found = cursor.u16().ok_or_else(|| damaged("the header is cut off"))?;
        if found != MAJOR {
            return Err(Error::Format { shard: name.to_owned(), found, readable: MAJOR });
        }
        let (header, sections) = parse_header(&head, bytes.size()).map_err(damaged)?;
        drop(head);
        let mut places = [0; KINDS];
        for (place, (kind, _)) in (1..).zip(&sections) {
            if let Some(found) = usize::try_from(*kind).ok().and_then(|kind| places.get_mut(kind)) {
                *found = place;
            }
        }
        Ok(Self { name: name.to_owned(), bytes, header, sections, places })
    }

    /// The name in errors.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Counts and digest.
    pub(super) const fn header(&self) -> &Header {
        &self.header
    }

    /// How long the whole file is.
    pub(super) fn size(&self) -> usize {
        self.bytes.size()
    }

    /// Whether it has all of `sections`.
    pub(super) fn has(&self, sections: &[Section]) -> bool {
        sections.iter().all(|section| self.find(*section).is_some())
    }

    /// The length of a section.
    pub(super) fn length(&self, section: Section) -> Result<usize, Error> {
        self.extent(section).map(|extent| extent.length)
    }

    /// Bytes of a section of a file in memory, after the checksums of the blocks they lie in.
    pub(super) fn slice(&self, section: Section, offset: usize, length: usize) -> Result<&[u8], Error> {
        let (extent, end) = self.place(section, offset, length)?;
        self.bytes.in_memory().and_then(|bytes| bytes.get(extent.offset + offset..extent.offset + end)).ok_or_else(|| self.damaged(section))
    }

    /// Bytes of a section, after the checksums of the blocks they lie in.
    pub(super) fn bytes(&self, section: Section, offset: usize, length: usize) -> Result<Cow<'_, [u8]>, Error> {
        let (extent, _) = self.place(section, offset, length)?;
        self.bytes.get(extent.offset + offset, length).ok_or_else(|| self.damaged(section))
    }

    /// Where the bytes of a section lie, and where they end in it, after the checksums of their blocks.
    fn place(&self, section: Section, offset: usize, length: usize) -> Result<(&Extent, usize), Error> {
        let extent = self.extent(section)?;
        let end = offset.checked_add(length).filter(|end| *end <= extent.length).ok_or_else(|| self.damaged(section))?;
        if length > 0 && !extent.is_checked(offset / BLOCK..=(end - 1) / BLOCK) {
            for block in offset / BLOCK..=(end - 1) / BLOCK {
                self.check_block(extent, block).ok_or_else(|| self.damaged_as(section, &format!("block {block} has a wrong checksum")))?;
            }
        }
        Ok((extent, end))
    }

    /// Checks every block of every section, also of those that this program does not know.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (kind, extent) in &self.sections {
            if let Some(block) = (0..extent.checked.len()).find(|block| self.check_block(extent, *block).is_none()) {
                // One that a later program added has a number and no name.
                let mut known = Section::ADVISORIES.iter().chain(&Section::FACTS).chain(&Section::TEXTS);
                let section = known.find(|section| **section as u32 == *kind);
                let name = section.map_or_else(|| kind.to_string(), |section| section.name().to_owned());
                let what = format!("section {name}: block {block} has a wrong checksum");
                return Err(Error::Damaged { shard: self.name.clone(), what });
            }
        }
        Ok(())
    }

    fn check_block(&self, extent: &Extent, block: usize) -> Option<()> {
        let checked = extent.checked.get(block)?;
        if checked.load(Ordering::Relaxed) {
            return Some(());
        }
        let start = block.checked_mul(BLOCK)?;
        let data = self.bytes.get(extent.offset + start, extent.length.min(start + BLOCK).checked_sub(start)?)?;
        let sum = Cursor(&self.bytes.get(extent.sums + block * 4, 4)?).u32()?;
        (crc32c::crc32c(&data) == sum).then(|| checked.store(true, Ordering::Relaxed))
    }

    fn extent(&self, section: Section) -> Result<&Extent, Error> {
        self.find(section).ok_or_else(|| self.damaged_as(section, "is missing"))
    }

    fn find(&self, section: Section) -> Option<&Extent> {
        let place = usize::from(*self.places.get(section as usize)?).checked_sub(1)?;
        self.sections.get(place).map(|(_, extent)| extent)
    }

    /// The error for a section whose bytes are not what they should be.
    pub(super) fn damaged(&self, section: Section) -> Error {
        self.damaged_as(section, "does not read")
    }

    fn damaged_as(&self, section: Section, what: &str) -> Error {
        Error::Damaged { shard: self.name.clone(), what: format!("section {}: {what}", section.name()) }
    }
}

/// No section of this program has a higher number.
const KINDS: usize = Section::DetailBlocks as usize + 1;
/// A header is never longer than this.
const LONGEST_HEADER: usize = FIXED_HEADER + MAX_SECTIONS * SECTION_ENTRY + 4;

/// Reads the header in `bytes`, the beginning of a file of `whole` bytes.
fn parse_header(bytes: &[u8], whole: usize) -> Result<(Header, Vec<(u32, Extent)>), &'static str> {
    const CUT: &str = "the header is cut off";
    let mut cursor = Cursor(bytes.get(12..).ok_or(CUT)?);
    let header_length = usize::try_from(cursor.u32().ok_or(CUT)?).map_err(|_| CUT)?;
    if !(FIXED_HEADER + 4..=LONGEST_HEADER).contains(&header_length) || header_length > bytes.len() {
        return Err("the header has no possible length");
    }
    let (head, sum) = bytes.get(..header_length).and_then(|header| header.split_at_checked(header_length - 4)).ok_or(CUT)?;
    if Cursor(sum).u32() != Some(crc32c::crc32c(head)) {
        return Err("the header has a wrong checksum");
    }
    if cursor.u64() != Some(whole) {
        return Err("the file is not as long as its header says");
    }
    cursor.take(8).ok_or(CUT)?;
    let (records, rows) = cursor.u32().zip(cursor.u32()).ok_or(CUT)?;
    let (_, longest) = cursor.u32().zip(cursor.u32()).ok_or(CUT)?;
    let hex = cursor.take(64).and_then(|hex| std::str::from_utf8(hex).ok()).ok_or(CUT)?;
    let digest = Digest::parse(&format!("sha256:{hex}")).map_err(|_| "the header holds no digest")?;
    let count = cursor.u64().filter(|count| *count <= MAX_SECTIONS).ok_or("the header lists too many sections")?;
    let mut sections = BTreeMap::new();
    for _ in 0..count {
        let kind = cursor.u64().and_then(|kind| u32::try_from(kind).ok()).ok_or(CUT)?;
        let (offset, length) = cursor.u64().zip(cursor.u64()).ok_or(CUT)?;
        let sums = cursor.u64().ok_or(CUT)?;
        let blocks = length.div_ceil(BLOCK);
        let inside = |start: usize, length: usize| start.checked_add(length).is_some_and(|end| end <= whole);
        if !inside(offset, length) || !inside(sums, blocks.saturating_mul(4)) {
            return Err("a section lies outside the file");
        }
        let checked = (0..blocks).map(|_| AtomicBool::new(false)).collect();
        if sections.insert(kind, Extent { offset, length, sums, checked }).is_some() {
            return Err("the header lists a section twice");
        }
    }
    Ok((Header { records, rows, longest, digest }, sections.into_iter().collect()))
}

/// What a finished file says about itself in its header.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counts {
    pub(super) newest: u64,
    pub(super) records: u32,
    pub(super) rows: u32,
    pub(super) names: u32,
    pub(super) longest: u32,
}

/// Puts header, sections and checksums together; also the digest over the sections.
pub(super) fn assemble(magic: &[u8; 8], counts: Counts, sections: &[(Section, Vec<u8>)]) -> (Vec<u8>, Digest) {
    let header_length = FIXED_HEADER + sections.len() * SECTION_ENTRY + 4;
    let body: usize = sections.iter().map(|(_, data)| data.len() + data.len().div_ceil(BLOCK) * 4).sum();
    let mut out = Vec::with_capacity(header_length + body);
    out.extend_from_slice(magic);
    out.extend_from_slice(&MAJOR.to_le_bytes());
    out.extend_from_slice(&MINOR.to_le_bytes());
    out.extend_from_slice(&u32::try_from(header_length).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(&((header_length + body) as u64).to_le_bytes());
    out.extend_from_slice(&counts.newest.to_le_bytes());
    for count in [counts.records, counts.rows, counts.names, counts.longest] {
        out.extend_from_slice(&count.to_le_bytes());
    }
    let mut listing = String::new();
    for (section, data) in sections {
        let _ = writeln!(listing, "{} {}", section.name(), Digest::sha256_of(data));
    }
    let digest = Digest::sha256_of(listing.as_bytes());
    out.extend_from_slice(digest.hex().as_bytes());
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
    (out, digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_its_place() {
        let known = Section::ADVISORIES.iter().chain(&Section::FACTS).chain(&Section::TEXTS);
        assert!(known.clone().all(|section| (*section as usize) < KINDS) && known.count() > 0);
    }
}
