//! The blobs of one table of an SQLite database, read page by page with the committed pages of its write-ahead log.
//! Format: <https://www.sqlite.org/fileformat2.html>.

use std::collections::BTreeSet;

use crate::inventory::rpmdb::{be16, be32, wal};

const MAGIC: &[u8] = b"SQLite format 3\0";
const FILE_HEADER: usize = 100;
const MAX_DEPTH: usize = 20;
const LEAF: u8 = 13;
const INTERIOR: u8 = 5;

/// A database whose page size is known.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    log: wal::Pages<'a>,
    page_size: usize,
    /// Page size without the reserved end of each page.
    usable: usize,
    visited: BTreeSet<u32>,
}

impl<'a> Database<'a> {
    pub(super) fn open(bytes: &'a [u8], log: Option<&'a [u8]>) -> Result<Self, String> {
        let mut log = log.map(wal::Pages::parse).unwrap_or_default();
        // A database that was never checkpointed has its first page in the log only.
        let head = log.get(1).unwrap_or(bytes);
        if !head.starts_with(MAGIC) {
            return Err("it does not begin as an SQLite database".to_owned());
        }
        let page_size = match be16(head, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => usize::from(size),
            _ => return Err("its page size is impossible".to_owned()),
        };
        let reserved = head.get(20).copied().map_or(0, usize::from);
        let usable = page_size.checked_sub(reserved).filter(|&usable| usable >= 480).ok_or("its reserved space is impossible")?;
        log.keep_only(page_size);
        Ok(Self { bytes, log, page_size, usable, visited: BTreeSet::new() })
    }

    /// Hands the last column of each row of `table` to `visit`, if it is a blob.
    pub(super) fn for_each_blob(&mut self, table: &str, most: usize, visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let mut root = None;
        self.walk(1, 10_000, &mut |row| {
            let columns = columns(row)?;
            let [kind, name, _, page, ..] = columns.as_slice() else { return None };
            if *kind == Column::Text(b"table") && *name == Column::Text(table.as_bytes()) {
                root = page.number();
            }
            Some(())
        })?;
        let root = root.ok_or_else(|| format!("it has no table `{table}`"))?;
        self.visited.clear();
        self.walk(root, most, &mut |row| {
            match columns(row)?.last() {
                Some(Column::Blob(blob)) => visit(blob),
                _ => return None,
            }
            Some(())
        })
    }

    /// Hands each row of the table with this root page to `visit`. Damage in one place does not hide the rest; the first of it is the error.
    fn walk(&mut self, root: u32, most: usize, visit: &mut dyn FnMut(&[u8]) -> Option<()>) -> Result<(), String> {
        let mut damage = None;
        let mut rows = 0;
        let mut todo = vec![(root, 0)];
        let mut payload = Vec::new();
        while let Some((number, depth)) = todo.pop() {
            let page = match self.page(number) {
                Ok(page) if depth <= MAX_DEPTH => page,
                Ok(_) => return Err(format!("its tree is deeper than {MAX_DEPTH} pages")),
                Err(error) => {
                    damage.get_or_insert(error);
                    continue;
                }
            };
            let start = if number == 1 { FILE_HEADER } else { 0 };
            let kind = page.get(start).copied();
            // Cells that overlap could cost far more time than the page has bytes.
            let mut room = self.usable;
            let cells = be16(page, start + 3).map_or(0, usize::from);
            match kind {
                Some(LEAF) => {
                    for cell in 0..cells {
                        if rows >= most {
                            return Err(format!("it has more rows than the limit of {most}"));
                        }
                        rows += 1;
                        let read = be16(page, start + 8 + 2 * cell)
                            .ok_or_else(|| format!("page {number} is damaged"))
                            .and_then(|at| self.payload(page, usize::from(at), &mut room, &mut payload));
                        let read = read.and_then(|()| visit(&payload).ok_or_else(|| format!("a row of page {number} is damaged")));
                        if let Err(error) = read {
                            damage.get_or_insert(error);
                        }
                    }
                }
                Some(INTERIOR) => {
                    // The rightmost child comes last, so it goes onto the stack first.
                    todo.extend(be32(page, start + 8).map(|child| (child, depth + 1)));
                    for cell in (0..cells).rev() {
                        let child = be16(page, start + 12 + 2 * cell).and_then(|at| be32(page, usize::from(at)));
                        todo.extend(child.map(|child| (child, depth + 1)));
                    }
                }
                _ => {
                    damage.get_or_insert_with(|| format!("page {number} is no page of a table"));
                }
            }
        }
        damage.map_or(Ok(()), Err)
    }

    /// Each page is given out once, so that circles end.
    fn page(&mut self, number: u32) -> Result<&'a [u8], String> {
        if number == 0 || !self.visited.insert(number) {
            return Err(format!("page {number} is used twice or impossible"));
        }
        if let Some(page) = self.log.get(number) {
            return Ok(page);
        }
        let start = usize::try_from(number - 1).ok().and_then(|number| number.checked_mul(self.page_size));
        start
            .and_then(|start| self.bytes.get(start..start.checked_add(self.page_size)?))
            .ok_or_else(|| format!("page {number} is beyond the end of the file"))
    }

    /// The payload of the table leaf cell at `at`, put together from its overflow pages.
    fn payload(&mut self, page: &'a [u8], at: usize, room: &mut usize, out: &mut Vec<u8>) -> Result<(), String> {
        let damaged = || "a cell is damaged".to_owned();
        out.clear();
        let mut cell = page.get(at..self.usable).ok_or_else(damaged)?;
        let length = varint(&mut cell).and_then(|length| usize::try_from(length).ok()).ok_or_else(damaged)?;
        varint(&mut cell).ok_or_else(damaged)?;
        if length > self.bytes.len() + self.log.len() {
            return Err("a cell promises more bytes than there are".to_owned());
        }
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + length.saturating_sub(least) % (self.usable - 4);
        let local = if length <= most {
            length
        } else if fitting <= most {
            fitting
        } else {
            least
        };
        *room = room.checked_sub(local).ok_or("the cells of a page overlap")?;
        if length <= most {
            out.extend_from_slice(cell.get(..length).ok_or_else(damaged)?);
            return Ok(());
        }
        out.extend_from_slice(cell.get(..local).ok_or_else(damaged)?);
        let mut next = be32(cell, local).ok_or_else(damaged)?;
        while out.len() < length {
            let overflow = self.page(next)?;
            next = be32(overflow, 0).ok_or_else(damaged)?;
            let count = (length - out.len()).min(self.usable - 4);
            out.extend_from_slice(overflow.get(4..4 + count).ok_or_else(damaged)?);
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Column<'a> {
    Blob(&'a [u8]),
    Text(&'a [u8]),
    Number(&'a [u8]),
    Other,
}

impl Column<'_> {
    fn number(&self) -> Option<u32> {
        match self {
            Self::Number(bytes) => bytes.iter().try_fold(0_u32, |value, &byte| value.checked_mul(256)?.checked_add(u32::from(byte))),
            _ => None,
        }
    }
}

/// A record: its header of types, then the values.
fn columns(row: &[u8]) -> Option<Vec<Column<'_>>> {
    let mut types = row;
    let header = usize::try_from(varint(&mut types)?).ok()?;
    let used = row.len() - types.len();
    let mut types = types.get(..header.checked_sub(used)?)?;
    let mut values = row.get(header..)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        if columns.len() >= 64 {
            return None;
        }
        let kind = varint(&mut types)?;
        let size = match kind {
            0 | 8 | 9 | 10 | 11 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let (value, rest) = values.split_at_checked(size)?;
        values = rest;
        columns.push(match kind {
            1..=6 => Column::Number(value),
            9 => Column::Number(&[1]),
            12.. if kind % 2 == 0 => Column::Blob(value),
            13.. => Column::Text(value),
            _ => Column::Other,
        });
    }
    Some(columns)
}

/// A big-endian number of seven bits per byte, at most nine bytes long.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 8 {
            return Some(value << 8 | u64::from(byte));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_read() {
        let check = |mut bytes: &[u8], expected| assert_eq!(varint(&mut bytes), expected);
        check(&[0x07], Some(7));
        check(&[0x81, 0x00], Some(128));
        check(&[0xff; 9], Some(u64::MAX));
        check(&[0x81], None);
        check(&[], None);
    }

    #[test]
    fn a_damaged_database_ends_in_an_error() {
        let whole = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/inventory/rpm/rpmdb.sqlite")).unwrap();
        let read = |bytes: &[u8]| {
            let mut count = 0;
            let result = Database::open(bytes, None).and_then(|mut database| database.for_each_blob("Packages", 1000, &mut |_| count += 1));
            (count, result.is_ok())
        };
        let (count, fine) = read(&whole);
        assert!(fine && count >= 2);
        for end in (0..whole.len()).step_by(1021) {
            assert!(read(&whole[..end]).0 <= count);
        }
        let mut damaged = whole.clone();
        for at in (0..whole.len()).step_by(37) {
            damaged[at] ^= 0xff;
            let _ = read(&damaged);
            damaged[at] = whole[at];
        }
    }
}
