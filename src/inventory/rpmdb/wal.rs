//! The committed pages of an SQLite write-ahead log. Format: <https://www.sqlite.org/fileformat2.html#walformat>.

use std::collections::BTreeMap;

use crate::inventory::rpmdb::be32;

const FILE_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Page number -> its newest committed content.
#[derive(Debug, Default)]
pub(super) struct Pages<'a> {
    pages: BTreeMap<u32, &'a [u8]>,
    bytes: usize,
}

impl<'a> Pages<'a> {
    /// Reads frames as long as salts and checksums hold, and keeps those up to the last commit; an unreadable log has none, as for SQLite itself.
    pub(super) fn parse(log: &'a [u8]) -> Self {
        Self { pages: parse(log).unwrap_or_default(), bytes: log.len() }
    }

    pub(super) fn get(&self, number: u32) -> Option<&'a [u8]> {
        self.pages.get(&number).copied()
    }

    /// Forgets a log that was written for another page size.
    pub(super) fn keep_only(&mut self, page_size: usize) {
        self.pages.retain(|_, page| page.len() == page_size);
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes
    }
}

fn parse(log: &[u8]) -> Option<BTreeMap<u32, &[u8]>> {
    let big_endian = match be32(log, 0)? {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return None,
    };
    let page_size = usize::try_from(be32(log, 8)?).ok().filter(|size| size.is_power_of_two() && (512..=65_536).contains(size))?;
    let salts = log.get(16..24)?;
    let mut sum = checksum((0, 0), log.get(..24)?, big_endian);
    if (be32(log, 24)?, be32(log, 28)?) != sum {
        return None;
    }
    let (mut committed, mut open) = (BTreeMap::new(), BTreeMap::new());
    for frame in log.get(FILE_HEADER..)?.chunks_exact(FRAME_HEADER + page_size) {
        let (Some(head), Some(page)) = (frame.get(..FRAME_HEADER), frame.get(FRAME_HEADER..)) else { break };
        sum = checksum(sum, head.get(..8)?, big_endian);
        sum = checksum(sum, page, big_endian);
        if head.get(8..16) != Some(salts) || (be32(head, 16)?, be32(head, 20)?) != sum {
            break;
        }
        open.insert(be32(head, 0)?, page);
        if be32(head, 4)? != 0 {
            committed.append(&mut open);
        }
    }
    Some(committed)
}

fn checksum(sum: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |bytes: &[u8]| -> u32 {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    bytes.chunks_exact(8).fold(sum, |(first, second), pair| {
        let (left, right) = pair.split_at(4);
        let first = first.wrapping_add(word(left)).wrapping_add(second);
        (first, second.wrapping_add(word(right)).wrapping_add(first))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_committed_frames_with_good_sums_count() {
        let log = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/inventory/rpm/wal.sqlite-wal")).unwrap();
        let whole = Pages::parse(&log);
        assert!(!whole.pages.is_empty());
        let mut damaged = log.clone();
        damaged[FILE_HEADER + FRAME_HEADER + 5] ^= 1;
        assert!(Pages::parse(&damaged).pages.is_empty());
        damaged.clone_from(&log);
        damaged[3] ^= 0x10;
        assert!(Pages::parse(&damaged).pages.is_empty());
        assert!(Pages::parse(&log[..log.len() - 1]).pages.len() <= whole.pages.len());
        assert!(Pages::parse(b"").pages.is_empty());
    }
}
