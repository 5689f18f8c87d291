//! The values of a Berkeley DB hash table in, one after the other out: the meta page, each bucket's chain of hash pages, and overflow chains for
//! what does not fit a page. Both byte orders; each page is used once.
//! Format: <https://docs.oracle.com/database/bdb181/html/programmer_reference/am_conf_intro.html>, laid out in Berkeley DB's `dbinc/db_page.h`.

use crate::inventory::rpmdb::{be16, be32, le16, le32};

/// Of a hash table; B-trees, queues and heaps have others.
const MAGIC: u32 = 0x0006_1561;
/// From Berkeley DB 3.1 to 18; the layout is the same.
const VERSIONS: std::ops::RangeInclusive<u32> = 7..=10;
/// The meta page's flag for a checksum on each page, which moves everything.
const CHECKSUMS: u8 = 0x01;
const META_PAGE: usize = 512;
/// Where the meta page says on which page the buckets of each doubling begin.
const SPARES: usize = 96;
const SPARE_COUNT: usize = 32;

const PAGE_HEADER: usize = 26;
const INVALID: u8 = 0;
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH: u8 = 13;

/// An item in its place on the page.
const KEY_DATA: u8 = 1;
/// An item that is a chain of overflow pages.
const OFF_PAGE: u8 = 3;

/// A hash table whose page size is known.
#[derive(Debug)]
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
    page_size: usize,
    /// The pages that were given out, by number.
    used: Vec<bool>,
    damage: Option<String>,
    rows: usize,
}

impl<'a> Database<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let is_big_endian = match (le32(bytes, 12), be32(bytes, 12)) {
            (Some(MAGIC), _) => false,
            (_, Some(MAGIC)) => true,
            _ => return Err("it does not begin as a hash table".to_owned()),
        };
        let mut database = Self { bytes, is_big_endian, page_size: 0, used: Vec::new(), damage: None, rows: 0 };
        let version = database.u32(bytes, 16).unwrap_or_default();
        if !VERSIONS.contains(&version) {
            return Err(format!("its version {version} is not known"));
        }
        database.page_size = database
            .u32(bytes, 20)
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| size.is_power_of_two() && (META_PAGE..=65_536).contains(size))
            .ok_or("its page size is impossible")?;
        let (encryption, flags, parts) = (bytes.get(24), bytes.get(26), database.u32(bytes, 36));
        if encryption != Some(&0) || flags.is_none_or(|flags| flags & CHECKSUMS != 0) || parts != Some(0) {
            return Err("it is encrypted, or has checksums or partitions".to_owned());
        }
        let pages = bytes.len() / database.page_size;
        let last = database.u32(bytes, 32).and_then(|last| usize::try_from(last).ok());
        if !bytes.len().is_multiple_of(database.page_size) || last.is_none_or(|last| last >= pages) {
            database.complain(|| "the file is cut short".to_owned());
        }
        database.used = vec![false; pages];
        Ok(database)
    }

    /// Hands each value to `visit`. Damage in one place does not hide the rest; the first of it is the error.
    pub(super) fn for_each_blob(&mut self, most: usize, visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let mut blob = Vec::new();
        let buckets = self.u32(self.bytes, 72).and_then(|last| usize::try_from(last).ok()).unwrap_or(usize::MAX);
        let pages = self.used.len();
        if buckets >= pages {
            self.complain(|| format!("it promises {buckets} buckets on {pages} pages"));
        }
        for bucket in 0..=buckets.min(pages) {
            let Some(mut number) = self.first_page(bucket) else {
                self.complain(|| format!("bucket {bucket} has no page"));
                continue;
            };
            loop {
                match self.page(number, |kind| matches!(kind, HASH | HASH_UNSORTED)) {
                    Ok(page) => {
                        self.values(page, number, most, &mut blob, visit)?;
                        number = self.u32(page, 16).unwrap_or_default();
                    }
                    Err(error) => {
                        self.complain(|| error);
                        break;
                    }
                }
                if number == 0 {
                    break;
                }
            }
        }
        self.strays(most, &mut blob, visit)?;
        self.damage.take().map_or(Ok(()), Err)
    }

    /// Reads hash pages that no bucket leads to: what was lost with the way to them is better listed than not.
    fn strays(&mut self, most: usize, blob: &mut Vec<u8>, visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        for place in 1..self.used.len() {
            let Some(number) = u32::try_from(place).ok().filter(|_| self.used.get(place) == Some(&false)) else { continue };
            let Some(page) = place.checked_mul(self.page_size).and_then(|at| self.bytes.get(at..)?.get(..self.page_size)) else { break };
            match page.get(25) {
                Some(&(HASH | HASH_UNSORTED)) if self.u16(page, 20) != Some(0) => {
                    self.complain(|| format!("no bucket leads to hash page {number}"));
                    if let Some(used) = self.used.get_mut(place) {
                        *used = true;
                    }
                    self.values(page, number, most, blob, visit)?;
                }
                // What is left of deleted and of prepared pages.
                Some(&(HASH | HASH_UNSORTED | OVERFLOW | INVALID)) => {}
                _ => self.complain(|| format!("page {number} is of a kind that is not in a hash table")),
            }
        }
        Ok(())
    }

    /// Buckets are added by doubling; all of one doubling stand in a row.
    fn first_page(&self, bucket: usize) -> Option<u32> {
        let doubling = usize::try_from(bucket.checked_add(1)?.checked_next_power_of_two()?.trailing_zeros()).ok()?;
        let start = self.u32(self.bytes, SPARES + 4 * Some(doubling).filter(|&doubling| doubling < SPARE_COUNT)?)?;
        start.checked_add(u32::try_from(bucket).ok()?)
    }

    /// Each page is given out once, so that circles end.
    fn page(&mut self, number: u32, is_kind: impl FnOnce(u8) -> bool) -> Result<&'a [u8], String> {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        let used = self.used.get_mut(place).ok_or_else(|| format!("page {number} is beyond the end of the file"))?;
        if place == 0 || *used {
            return Err(format!("page {number} is used twice or impossible"));
        }
        let page = place.checked_mul(self.page_size).and_then(|at| self.bytes.get(at..)?.get(..self.page_size));
        match page {
            Some(page) if page.get(25).is_some_and(|&kind| is_kind(kind)) => {
                *used = true;
                Ok(page)
            }
            _ => Err(format!("page {number} is not of the kind that it should be")),
        }
    }

    /// Hands the values of one hash page to `visit`: items stand in pairs from the end of the page to its beginning. The error is that of too many.
    fn values(&mut self, page: &'a [u8], number: u32, most: usize, blob: &mut Vec<u8>, visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
        let damaged = || format!("hash page {number} is damaged");
        let count = self.u16(page, 20).map_or(0, usize::from);
        let free = PAGE_HEADER + 2 * count;
        if !count.is_multiple_of(2) || free > self.page_size {
            self.complain(damaged);
            return Ok(());
        }
        let mut end = self.page_size;
        let mut key: &[u8] = &[];
        for item in 0..count {
            let start = self.u16(page, PAGE_HEADER + 2 * item).map_or(0, usize::from);
            let Some(bytes) = page.get(start..end).filter(|bytes| start >= free && !bytes.is_empty()) else {
                self.complain(damaged);
                return Ok(());
            };
            end = start;
            if item % 2 == 0 {
                key = bytes;
                continue;
            }
            // Under the key 0 rpm keeps the number of the last package.
            if matches!(key, [KEY_DATA, 0, 0, 0, 0]) && matches!(bytes, [KEY_DATA, rest @ ..] if rest.len() <= 4) {
                continue;
            }
            if self.rows >= most {
                return Err(format!("it has more records than the limit of {most}"));
            }
            self.rows += 1;
            match bytes {
                [KEY_DATA, value @ ..] => visit(value),
                [OFF_PAGE, ..] => match self.chain(bytes, blob) {
                    Ok(()) => visit(blob),
                    Err(error) => self.complain(|| error),
                },
                _ => self.complain(damaged),
            }
        }
        // The page says itself where its items begin, so that one that lost some is found out.
        if self.u16(page, 22).map(usize::from) != Some(end & 0xffff) {
            self.complain(damaged);
        }
        Ok(())
    }

    /// Puts together what stands on overflow pages.
    fn chain(&mut self, item: &[u8], blob: &mut Vec<u8>) -> Result<(), String> {
        let damaged = || "an overflow chain is damaged".to_owned();
        blob.clear();
        let mut next = self.u32(item, 4).ok_or_else(damaged)?;
        let length = self.u32(item, 8).and_then(|length| usize::try_from(length).ok()).ok_or_else(damaged)?;
        while next != 0 {
            let page = self.page(next, |kind| kind == OVERFLOW)?;
            let count = self.u16(page, 22).map(usize::from).ok_or_else(damaged)?;
            blob.extend_from_slice(page.get(PAGE_HEADER..PAGE_HEADER + count).ok_or_else(damaged)?);
            next = self.u32(page, 16).ok_or_else(damaged)?;
        }
        if blob.len() == length { Ok(()) } else { Err(damaged()) }
    }

    fn complain(&mut self, damage: impl FnOnce() -> String) {
        if self.damage.is_none() {
            self.damage = Some(damage());
        }
    }

    fn u32(&self, bytes: &[u8], at: usize) -> Option<u32> {
        if self.is_big_endian { be32(bytes, at) } else { le32(bytes, at) }
    }

    fn u16(&self, bytes: &[u8], at: usize) -> Option<u16> {
        if self.is_big_endian { be16(bytes, at) } else { le16(bytes, at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/testdata/inventory/rpm/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn read(bytes: &[u8]) -> (Vec<usize>, Option<String>) {
        let mut sizes = Vec::new();
        let result = Database::open(bytes).and_then(|mut database| database.for_each_blob(1000, &mut |blob| sizes.push(blob.len())));
        sizes.sort_unstable();
        (sizes, result.err())
    }

    #[test]
    fn both_byte_orders_hold_the_same() {
        let (little, none) = read(&fixture("Packages"));
        assert_eq!(none, None);
        assert!(little.len() > 8 && little.iter().any(|&size| size > 4096), "{little:?}");
        assert_eq!(read(&fixture("Packages.big-endian")), (little, None));
    }

    #[test]
    fn circles_and_wrong_pages_end_and_are_told() {
        let whole = fixture("Packages");
        let (all, _) = read(&whole);
        let size = usize::from(le16(&whole, 20).unwrap());
        let check = |name: &str, change: &dyn Fn(usize, &mut [u8])| {
            let mut damaged = whole.clone();
            damaged.chunks_exact_mut(size).enumerate().for_each(|(number, page)| change(number, page));
            let (found, error) = read(&damaged);
            assert!(found.len() <= all.len(), "{name}");
            assert!(error.is_some(), "{name}");
        };
        for kind in [HASH, OVERFLOW] {
            check("a page that follows itself", &|number, page| {
                if page[25] == kind {
                    page[16..20].copy_from_slice(&u32::try_from(number).unwrap().to_le_bytes());
                }
            });
            check("all go back to the first", &|_, page| {
                if page[25] == kind {
                    page[16..20].copy_from_slice(&1_u32.to_le_bytes());
                }
            });
            for other in [0, 1, 3, 5, 9, 12, 255] {
                check("a page of another kind", &|_, page| page[25] = if page[25] == kind { other } else { page[25] });
            }
        }
        check("too many items", &|number, page| page[20..22].copy_from_slice(if number == 1 { &[0xff; 2] } else { &[0, 0] }));
        check("fewer items than there are", &|number, page| {
            if number == 1 {
                page[20] -= 2;
            }
        });
        check("too few buckets", &|number, page| {
            if number == 0 {
                page[72..76].fill(0);
            }
        });
        check("too many buckets", &|number, page| {
            if number == 0 {
                page[72..76].fill(0xff);
            }
        });
        let check = |name: &str, bytes: &[u8]| assert!(read(bytes).1.is_some(), "{name}");
        check("empty", b"");
        check("cut", &whole[..whole.len() - 1]);
        check("cut at a page", &whole[..whole.len() - size]);
        check("only its first page", &whole[..size]);
        let mut tree = whole.clone();
        tree[12..16].copy_from_slice(&0x0005_3162_u32.to_le_bytes());
        check("a B-tree", &tree);
        let mut ciphered = whole.clone();
        ciphered[24] = 1;
        check("encrypted", &ciphered);
    }

    #[test]
    fn more_records_than_the_limit_are_told() {
        let bytes = fixture("Packages");
        let mut count = 0;
        let result = Database::open(&bytes).and_then(|mut database| database.for_each_blob(3, &mut |_| count += 1));
        assert_eq!((count, result.is_err()), (3, true));
    }
}
