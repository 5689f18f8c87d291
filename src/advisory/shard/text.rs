//! The text file of a shard: what only people read (advisories.md D4). In: titles, links and details of records; out: zstd blocks, of which a reader
//! unpacks those of the records that it shows. Titles stand apart from details, because a table of findings needs no more.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    advisory::{
        Error,
        shard::{
            Section, TEXT_MAGIC,
            bytes::{Cursor, put_bytes, put_number, size},
            container::{Container, Counts, assemble},
        },
    },
    model::{advisory::Advisory, digest::Digest},
};

/// Blocks of titles are full at this size, those of details later: they are read one by one, titles by the dozen.
const TITLES_FULL: usize = 16 * 1024;
const DETAILS_FULL: usize = 64 * 1024;
/// One block never unpacks to more.
const MAX_BLOCK: usize = 64 * 1024 * 1024;
/// Good compression of English; the rest of the build takes longer.
const LEVEL: i32 = 9;
/// So many unpacked blocks are kept.
const KEPT: usize = 64;
/// An entry of a table of blocks: first record, length unpacked, offset, length packed.
const BLOCK_ENTRY: usize = 16;

/// An open text file.
#[derive(Debug)]
pub(in crate::advisory) struct Texts {
    file: Container,
    /// The tables of blocks that were asked for, whole.
    tables: Mutex<BTreeMap<Section, Arc<[u8]>>>,
    kept: Mutex<BTreeMap<(Section, u32), Arc<Vec<u8>>>>,
}

impl Texts {
    /// Opens a file.
    pub(in crate::advisory) fn open(name: &str, path: &Path) -> Result<Self, Error> {
        Self::new(Container::open_unmapped(name, path, TEXT_MAGIC)?)
    }

    /// Opens bytes in memory.
    pub(in crate::advisory) fn from_bytes(name: &str, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::new(Container::from_bytes(name, bytes, TEXT_MAGIC)?)
    }

    fn new(file: Container) -> Result<Self, Error> {
        if !file.has(&Section::TEXTS) {
            return Err(Error::Damaged { shard: file.name().to_owned(), what: "a section is missing".to_owned() });
        }
        Ok(Self { file, tables: Mutex::default(), kept: Mutex::default() })
    }

    /// The digest over its sections.
    pub(super) const fn digest(&self) -> &Digest {
        &self.file.header().digest
    }

    /// How long the file is.
    pub(super) fn size(&self) -> usize {
        self.file.size()
    }

    /// Checks every block of the file.
    pub(super) fn check(&self) -> Result<(), Error> {
        self.file.check()
    }

    /// Title and links of a record.
    pub(super) fn title(&self, record: u32) -> Result<(String, Vec<String>), Error> {
        let damaged = || self.file.damaged(Section::Titles);
        self.entry(Section::Titles, Section::TitleBlocks, record, |entry| {
            let mut cursor = Cursor(entry);
            let title = cursor.text().ok_or_else(damaged)?.to_owned();
            let mut links = Vec::new();
            for _ in 0..cursor.number().ok_or_else(damaged)? {
                links.push(cursor.text().ok_or_else(damaged)?.to_owned());
            }
            Ok((title, links))
        })
    }

    /// What a record says at length.
    pub(super) fn details(&self, record: u32) -> Result<String, Error> {
        self.entry(Section::Details, Section::DetailBlocks, record, |entry| {
            std::str::from_utf8(entry).map(str::to_owned).map_err(|_| self.file.damaged(Section::Details))
        })
    }

    fn entry<T>(&self, data: Section, blocks: Section, record: u32, read: impl Fn(&[u8]) -> Result<T, Error>) -> Result<T, Error> {
        let table = self.table(blocks)?;
        let block = |number| block(&table, number).ok_or_else(|| self.file.damaged(blocks));
        let (mut low, mut high) = (0, table.len() / BLOCK_ENTRY);
        while low < high {
            let middle = low + (high - low) / 2;
            if block(middle)?.0 <= record { low = middle + 1 } else { high = middle }
        }
        let number = low.checked_sub(1).ok_or_else(|| self.file.damaged(blocks))?;
        let (first, length, offset, packed) = block(number)?;
        let unpacked = self.unpacked(data, number, length, offset, packed)?;
        let mut cursor = Cursor(&unpacked);
        for _ in first..record {
            cursor.bytes().ok_or_else(|| self.file.damaged(data))?;
        }
        read(cursor.bytes().ok_or_else(|| self.file.damaged(data))?)
    }

    fn table(&self, blocks: Section) -> Result<Arc<[u8]>, Error> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(&blocks) {
            return Ok(Arc::clone(table));
        }
        let length = self.file.length(blocks)?;
        if length > MAX_BLOCK {
            return Err(self.file.damaged(blocks));
        }
        let table: Arc<[u8]> = self.file.bytes(blocks, 0, length)?.into();
        tables.insert(blocks, Arc::clone(&table));
        Ok(table)
    }

    fn unpacked(&self, data: Section, number: usize, length: usize, offset: usize, packed: usize) -> Result<Arc<Vec<u8>>, Error> {
        let damaged = || self.file.damaged(data);
        let key = (data, u32::try_from(number).map_err(|_| damaged())?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = kept.get(&key) {
            return Ok(Arc::clone(block));
        }
        if length > MAX_BLOCK {
            return Err(damaged());
        }
        let unpacked = zstd::bulk::decompress(&self.file.bytes(data, offset, packed)?, length).map_err(|_| damaged())?;
        if unpacked.len() != length {
            return Err(damaged());
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        let unpacked = Arc::new(unpacked);
        kept.insert(key, Arc::clone(&unpacked));
        Ok(unpacked)
    }
}

/// First record, length unpacked, offset and length packed of a block.
fn block(table: &[u8], number: usize) -> Option<(u32, usize, usize, usize)> {
    let start = number.checked_mul(BLOCK_ENTRY)?;
    let mut cursor = Cursor(table.get(start..start.checked_add(BLOCK_ENTRY)?)?);
    let first = cursor.u32()?;
    let mut length = || cursor.u32().and_then(|number| usize::try_from(number).ok());
    Some((first, length()?, length()?, length()?))
}

/// Writes the text file of records in the order of their numbers; also its digest.
pub(super) fn encode(advisories: &[&Advisory]) -> Result<(Vec<u8>, Digest), Error> {
    let (mut titles, mut details) = (Blocks::new(TITLES_FULL)?, Blocks::new(DETAILS_FULL)?);
    for (number, advisory) in (0..).zip(advisories) {
        let mut title = Vec::new();
        put_bytes(&mut title, advisory.summary.as_bytes())?;
        put_number(&mut title, size(advisory.references.len(), "links")?);
        for link in &advisory.references {
            put_bytes(&mut title, link.as_bytes())?;
        }
        titles.push(number, &title)?;
        details.push(number, advisory.details.as_bytes())?;
    }
    let counts = Counts { records: size(advisories.len(), "records")?, ..Counts::default() };
    let [titles, details] = [titles.finish()?, details.finish()?];
    let sections =
        [(Section::TitleBlocks, titles.1), (Section::Titles, titles.0), (Section::DetailBlocks, details.1), (Section::Details, details.0)];
    Ok(assemble(TEXT_MAGIC, counts, &sections))
}

struct Blocks {
    compressor: zstd::bulk::Compressor<'static>,
    full: usize,
    first: u32,
    open: Vec<u8>,
    packed: Vec<u8>,
    table: Vec<u8>,
}

impl Blocks {
    fn new(full: usize) -> Result<Self, Error> {
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(packing)?;
        Ok(Self { compressor, full, first: 0, open: Vec::new(), packed: Vec::new(), table: Vec::new() })
    }

    fn push(&mut self, record: u32, entry: &[u8]) -> Result<(), Error> {
        if self.open.is_empty() {
            self.first = record;
        }
        put_bytes(&mut self.open, entry)?;
        if self.open.len() >= self.full { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.open.len() > MAX_BLOCK {
            return Err(Error::TooLarge("text of one record"));
        }
        let packed = self.compressor.compress(&self.open).map_err(packing)?;
        for number in [self.first, size(self.open.len(), "text")?, size(self.packed.len(), "text")?, size(packed.len(), "text")?] {
            self.table.extend_from_slice(&number.to_le_bytes());
        }
        self.packed.extend_from_slice(&packed);
        self.open.clear();
        Ok(())
    }

    /// Blocks and their table.
    fn finish(mut self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if !self.open.is_empty() {
            self.close()?;
        }
        Ok((self.packed, self.table))
    }
}

fn packing(source: std::io::Error) -> Error {
    Error::Io { doing: "compress", path: "the text of a shard".into(), source }
}
