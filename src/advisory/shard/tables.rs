//! Tables of entries by number, in blocks with one offset each: plain ones, and front-coded ones whose entries say what they share with the one
//! before. A pool is a table that holds every entry once.

use std::collections::HashMap;

use crate::advisory::{
    Error,
    shard::{
        ENTRIES_PER_BLOCK, Section,
        bytes::{Cursor, put_number, size},
        container::Container,
    },
};

/// Room for an entry of a front-coded table that is read; few are longer.
const ROOM: usize = 64;

/// Sections of a table: entries, and where their blocks begin and the last one ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub(super) data: Section,
    pub(super) offsets: Section,
}

pub(super) const STRINGS: Table = Table { data: Section::Strings, offsets: Section::StringOffsets };
pub(super) const KEYS: Table = Table { data: Section::Keys, offsets: Section::KeyOffsets };
pub(super) const ROWS: Table = Table { data: Section::Rows, offsets: Section::RowOffsets };
pub(super) const SPECS: Table = Table { data: Section::Specs, offsets: Section::SpecOffsets };
pub(super) const EXTRAS: Table = Table { data: Section::Extras, offsets: Section::ExtraOffsets };
pub(super) const IDS: Table = Table { data: Section::Ids, offsets: Section::IdOffsets };
pub(super) const RECORDS: Table = Table { data: Section::Records, offsets: Section::RecordOffsets };

impl Table {
    /// How many blocks there are.
    pub(super) fn blocks(self, file: &Container) -> Result<u32, Error> {
        let blocks = (file.length(self.offsets)? / 4).checked_sub(1).ok_or_else(|| file.damaged(self.offsets))?;
        u32::try_from(blocks).map_err(|_| file.damaged(self.offsets))
    }

    /// Entry `number` of a plain table.
    pub(super) fn entry(self, file: &Container, number: u32) -> Result<&[u8], Error> {
        let mut cursor = Cursor(self.block(file, number / ENTRIES_PER_BLOCK)?);
        for _ in 0..number % ENTRIES_PER_BLOCK {
            cursor.bytes().ok_or_else(|| file.damaged(self.data))?;
        }
        cursor.bytes().ok_or_else(|| file.damaged(self.data))
    }

    /// Entry `number` of a front-coded table.
    pub(super) fn front_entry(self, file: &Container, number: u32) -> Result<Vec<u8>, Error> {
        let place = number % ENTRIES_PER_BLOCK;
        let mut found = None;
        self.walk(file, number / ENTRIES_PER_BLOCK, |at, entry| {
            if at == place {
                found = Some(entry.to_vec());
            }
            at < place
        })?;
        found.ok_or_else(|| file.damaged(self.data))
    }

    /// Calls `each` with the entries of one block of a front-coded table until it says stop.
    pub(super) fn walk(self, file: &Container, block: u32, mut each: impl FnMut(u32, &[u8]) -> bool) -> Result<(), Error> {
        let mut cursor = Cursor(self.block(file, block)?);
        let mut entry = Vec::with_capacity(ROOM);
        for at in 0..ENTRIES_PER_BLOCK {
            if cursor.0.is_empty() {
                return Ok(());
            }
            let parsed = cursor.number().and_then(|shared| usize::try_from(shared).ok()).zip(cursor.bytes());
            let (shared, rest) = parsed.filter(|(shared, _)| *shared <= entry.len()).ok_or_else(|| file.damaged(self.data))?;
            entry.truncate(shared);
            entry.extend_from_slice(rest);
            if !each(at, &entry) {
                return Ok(());
            }
        }
        if cursor.0.is_empty() { Ok(()) } else { Err(file.damaged(self.data)) }
    }

    /// The first number whose entry of a sorted, front-coded table is not below `wanted`, and whether it is `wanted`.
    pub(super) fn lower_bound(self, file: &Container, wanted: &[u8]) -> Result<(u32, bool), Error> {
        let (mut low, mut high) = (0, self.blocks(file)?);
        // Blocks that begin below what is wanted; it is in the last of them or begins the next.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.first(file, middle)? < wanted { low = middle + 1 } else { high = middle }
        }
        let Some(block) = low.checked_sub(1) else {
            return Ok((0, low < self.blocks(file)? && self.first(file, 0)? == wanted));
        };
        let mut found = None;
        self.walk(file, block, |at, entry| {
            if entry >= wanted {
                found = Some((block * ENTRIES_PER_BLOCK + at, entry == wanted));
            }
            found.is_none()
        })?;
        match found {
            Some(found) => Ok(found),
            None => Ok((low * ENTRIES_PER_BLOCK, low < self.blocks(file)? && self.first(file, low)? == wanted)),
        }
    }

    /// The first entry of a block of a front-coded table.
    fn first(self, file: &Container, block: u32) -> Result<&[u8], Error> {
        let mut cursor = Cursor(self.block(file, block)?);
        cursor.number().filter(|shared| *shared == 0).and_then(|_| cursor.bytes()).ok_or_else(|| file.damaged(self.data))
    }

    fn block(self, file: &Container, number: u32) -> Result<&[u8], Error> {
        let damaged = || file.damaged(self.offsets);
        let at = usize::try_from(number).ok().and_then(|number| number.checked_mul(4)).ok_or_else(damaged)?;
        let mut cursor = Cursor(file.slice(self.offsets, at, 8)?);
        let (start, end) = cursor.u32().zip(cursor.u32()).ok_or_else(damaged)?;
        let length = end.checked_sub(start).ok_or_else(damaged)?;
        let (start, length) = usize::try_from(start).ok().zip(usize::try_from(length).ok()).ok_or_else(damaged)?;
        file.slice(self.data, start, length)
    }
}

/// How the entries of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Front,
}

/// A table that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    coding: Coding,
    bytes: Vec<u8>,
    offsets: Vec<u32>,
    last: Vec<u8>,
    count: u32,
}

impl Writer {
    pub(super) const fn new(coding: Coding) -> Self {
        Self { coding, bytes: Vec::new(), offsets: Vec::new(), last: Vec::new(), count: 0 }
    }

    /// Appends an entry and says its number.
    pub(super) fn push(&mut self, entry: &[u8]) -> Result<u32, Error> {
        let number = self.count;
        if number.is_multiple_of(ENTRIES_PER_BLOCK) {
            self.offsets.push(size(self.bytes.len(), "bytes in a section")?);
            self.last.clear();
        }
        let mut rest = entry;
        if self.coding == Coding::Front {
            let shared = entry.iter().zip(&self.last).take_while(|(a, b)| a == b).count();
            put_number(&mut self.bytes, size(shared, "name")?);
            rest = entry.get(shared..).unwrap_or_default();
            self.last.clear();
            self.last.extend_from_slice(entry);
        }
        put_number(&mut self.bytes, size(rest.len(), "entry")?);
        self.bytes.extend_from_slice(rest);
        self.count = number.checked_add(1).ok_or(Error::TooLarge("entries"))?;
        Ok(number)
    }

    /// How many entries there are.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The two sections.
    pub(super) fn sections(mut self, table: Table) -> Result<[(Section, Vec<u8>); 2], Error> {
        self.offsets.push(size(self.bytes.len(), "bytes in a section")?);
        let offsets = self.offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        Ok([(table.offsets, offsets), (table.data, self.bytes)])
    }
}

/// A table that holds every entry once.
#[derive(Debug)]
pub(super) struct Pool {
    numbers: HashMap<Vec<u8>, u32>,
    pub(super) table: Writer,
}

impl Pool {
    pub(super) fn new(coding: Coding) -> Self {
        Self { numbers: HashMap::new(), table: Writer::new(coding) }
    }

    /// The number of an entry, old or new.
    pub(super) fn number(&mut self, entry: &[u8]) -> Result<u32, Error> {
        if let Some(number) = self.numbers.get(entry) {
            return Ok(*number);
        }
        let number = self.table.push(entry)?;
        self.numbers.insert(entry.to_vec(), number);
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::shard::{
        MAGIC,
        container::{Counts, assemble},
    };

    #[test]
    fn entries_come_back_by_number_and_by_name() {
        let names: Vec<Vec<u8>> = (0..100).map(|n| format!("name-{:04}", n * 3).into_bytes()).collect();
        let (mut front, mut plain) = (Writer::new(Coding::Front), Writer::new(Coding::Plain));
        for name in &names {
            front.push(name).unwrap();
            plain.push(name).unwrap();
        }
        let sections: Vec<_> = front.sections(KEYS).unwrap().into_iter().chain(plain.sections(ROWS).unwrap()).collect();
        let file = Container::from_bytes("x", assemble(MAGIC, Counts::default(), &sections).0, MAGIC).unwrap();
        for (number, name) in names.iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            assert_eq!(KEYS.front_entry(&file, number).unwrap(), *name);
            assert_eq!(ROWS.entry(&file, number).unwrap(), *name);
            assert_eq!(KEYS.lower_bound(&file, name).unwrap(), (number, true));
            let above = [name.as_slice(), b"+"].concat();
            assert!(!KEYS.lower_bound(&file, &above).unwrap().1);
        }
        assert_eq!(KEYS.lower_bound(&file, b"").unwrap(), (0, false));
        assert_eq!(KEYS.lower_bound(&file, b"zzz").unwrap(), (112, false), "past the last block");
        assert!(KEYS.front_entry(&file, 100).is_err());
        assert!(ROWS.entry(&file, 112).is_err());
        let empty: Vec<_> = Writer::new(Coding::Front).sections(KEYS).unwrap().into();
        let file = Container::from_bytes("x", assemble(MAGIC, Counts::default(), &empty).0, MAGIC).unwrap();
        assert_eq!(KEYS.lower_bound(&file, b"a").unwrap(), (0, false));
    }
}
