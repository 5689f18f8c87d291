//! The end record and the central directory of a zip archive: where they stand, and the entries they list.

use std::borrow::Cow;

use crate::{
    inventory::archive::{ArchiveFault, Entry},
    layers::Body,
};

const END: &[u8; 4] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const LOCATOR: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_BYTES: u64 = 20;
const END64: &[u8; 4] = b"PK\x06\x06";
const END64_BYTES: usize = 56;
const LISTED: &[u8; 4] = b"PK\x01\x02";
const LISTED_BYTES: usize = 46;
/// Longest comment behind the end record.
const COMMENT_BYTES: usize = u16::MAX as usize;
/// How much of the directory is read at once.
const WINDOW: usize = 256 * 1024;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Where the central directory stands.
#[derive(Debug)]
pub(super) struct Place {
    at: u64,
    size: u64,
    /// What stands in front of the archive: offsets in it count from here.
    shift: u64,
    count: u64,
    /// Whether the count has 16 bits, as some writers leave it also for more entries.
    is_short: bool,
}

impl Place {
    /// How many entries the end record promises.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    pub(super) const fn start(&self) -> u64 {
        self.at
    }

    pub(super) const fn counts(&self, entries: u64) -> bool {
        if self.is_short { entries % 0x1_0000 == self.count % 0x1_0000 } else { entries == self.count }
    }

    /// From the end record at `at`.
    fn of(body: &Body<'_>, at: u64, record: &[u8]) -> Option<Self> {
        let (count, size, offset) = (u16_at(record, 10)?, u32_at(record, 12)?, u32_at(record, 16)?);
        let mut place = (at, u64::from(count), u64::from(size), u64::from(offset), true);
        if (count == u16::MAX || size == u32::MAX || offset == u32::MAX)
            && let Some(large) = Self::large(body, at)
        {
            place = large;
        }
        let (end, count, size, offset, is_short) = place;
        let start = end.checked_sub(size)?;
        let shift = start.checked_sub(offset)?;
        let is_listed = |at| size == 0 || body.range(at, LISTED.len()).as_deref() == Some(LISTED);
        if !is_listed(start) && is_listed(offset) {
            // Something stands between the directory and the end record.
            return Some(Self { at: offset, size, shift: 0, count, is_short });
        }
        Some(Self { at: start, size, shift, count, is_short })
    }

    /// The zip64 end record: its place, the count of entries, the directory's size and offset.
    fn large(body: &Body<'_>, end: u64) -> Option<(u64, u64, u64, u64, bool)> {
        let locator_at = end.checked_sub(LOCATOR_BYTES)?;
        let locator = body.range(locator_at, 20).filter(|locator| locator.starts_with(LOCATOR))?;
        let said = u64_at(&locator, 8)?;
        // Where the locator says, or right before it when something in front of the archive shifts everything.
        [said, locator_at.checked_sub(END64_BYTES as u64)?].into_iter().find_map(|at| {
            let record = body.range(at, END64_BYTES).filter(|record| record.starts_with(END64) && at < locator_at)?;
            Some((at, u64_at(&record, 32)?, u64_at(&record, 40)?, u64_at(&record, 48)?, false))
        })
    }

    fn begins_with_entry(&self, body: &Body<'_>) -> bool {
        self.size > 0 && body.range(self.at, LISTED.len()).as_deref() == Some(LISTED)
    }
}

/// Finds the last end record whose comment ends the file, or that has a directory before it.
pub(super) fn find(body: &Body<'_>) -> Result<Place, ArchiveFault> {
    let from = body.size().saturating_sub((END_BYTES + COMMENT_BYTES) as u64);
    let tail = body.up_to(from, END_BYTES + COMMENT_BYTES);
    let mut found = false;
    for at in (0..=tail.len().saturating_sub(END_BYTES)).rev() {
        let Some(record) = tail.get(at..).filter(|record| record.len() >= END_BYTES && record.starts_with(END)) else { continue };
        found = true;
        let ends = u16_at(record, 20).is_some_and(|comment| END_BYTES + usize::from(comment) == record.len());
        if let Some(place) = Place::of(body, from + at as u64, record).filter(|place| ends || place.begins_with_entry(body)) {
            return Ok(place);
        }
    }
    Err(ArchiveFault::Damaged(
        if found { "is a zip archive without a central directory" } else { "is no zip archive, or is cut short: it has no end record" }
            .to_owned(),
    ))
}

/// Goes through the directory once, with a small part of it in memory.
pub(super) struct Walk<'a, 'b> {
    body: &'b Body<'a>,
    at: u64,
    end: u64,
    shift: u64,
    window: Cow<'a, [u8]>,
    window_at: u64,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(body: &'b Body<'a>, place: &Place) -> Self {
        let end = place.at.saturating_add(place.size).min(body.size());
        Self { body, at: place.at, end, shift: place.shift, window: Cow::Borrowed(&[]), window_at: place.at }
    }

    /// The next entry: `None` at the end, `Some(None)` for one that nobody wants.
    pub(super) fn next(&mut self, select: &mut impl FnMut(&str) -> bool) -> Result<Option<Option<Entry>>, ArchiveFault> {
        if self.at >= self.end {
            return Ok(None);
        }
        let (at, shift) = (self.at, self.shift);
        let broken = || ArchiveFault::Damaged(format!("its directory is damaged at byte {at}; what it lists behind was not read"));
        let fixed = self.bytes(at, LISTED_BYTES).filter(|fixed| fixed.starts_with(LISTED)).ok_or_else(broken)?;
        let short = |field: usize| u16_at(fixed, field).map(usize::from).ok_or_else(broken);
        let (name, extra, comment) = (short(28)?, short(30)?, short(32)?);
        let whole = LISTED_BYTES + name + extra + comment;
        let bytes = self.bytes(at, LISTED_BYTES + name + extra).ok_or_else(broken)?;
        let text = String::from_utf8_lossy(bytes.get(LISTED_BYTES..LISTED_BYTES + name).unwrap_or_default());
        let entry = if text.ends_with('/') || !select(&text) {
            None
        } else {
            Some(Entry::parse(bytes, text.into_owned(), shift).ok_or_else(broken)?)
        };
        self.at += whole as u64;
        Ok(Some(entry))
    }

    fn bytes(&mut self, at: u64, count: usize) -> Option<&[u8]> {
        at.checked_add(count as u64).filter(|&end| end <= self.end)?;
        let is_inside = |window: &[u8], window_at: u64| at >= window_at && at + count as u64 <= window_at + window.len() as u64;
        if !is_inside(&self.window, self.window_at) {
            self.window = self.body.up_to(at, WINDOW.max(count));
            self.window_at = at;
        }
        let from = usize::try_from(at - self.window_at).ok()?;
        self.window.get(from..from.checked_add(count)?)
    }
}

/// The zip64 sizes and offset in an entry's extra field, in the place of those that are all ones.
pub(super) fn widen(extra: &[u8], fields: [&mut u64; 3]) -> Option<()> {
    let is_wide = |field: &u64| *field == u64::from(u32::MAX);
    if !fields.iter().any(|field| is_wide(field)) {
        return Some(());
    }
    let mut rest = extra;
    while let (Some(id), Some(size)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let data = rest.get(4..4 + usize::from(size))?;
        if id == 1 {
            let mut at = 0;
            for field in fields.into_iter().filter(|field| is_wide(field)) {
                *field = u64_at(data, at)?;
                at += 8;
            }
            return Some(());
        }
        rest = rest.get(4 + usize::from(size)..)?;
    }
    // Without the extra field the numbers are what they are.
    Some(())
}
