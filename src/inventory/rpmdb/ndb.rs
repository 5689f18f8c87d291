//! The blobs of rpm's own database format in, one after the other out: a page of slots that say where each package's blob stands, and blobs with
//! a head, a tail and a checksum. Format: <https://github.com/rpm-software-management/rpm/blob/master/lib/backend/ndb/rpmpkg.c>.

use crate::inventory::rpmdb::le32;

const MAGIC: &[u8] = b"RpmP";
const SLOT_MAGIC: &[u8] = b"Slot";
const BLOB_MAGIC: &[u8] = b"BlbS";
const TAIL_MAGIC: &[u8] = b"BlbE";
const SLOT: usize = 16;
/// Before the first slot, in the room of two.
const FILE_HEADER: usize = 32;
const SLOT_PAGE: usize = 4096;
/// What a slot counts in.
const BLOCK: usize = 16;
const BLOB_HEAD: usize = 16;
const BLOB_TAIL: usize = 12;

/// Where a package's blob stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    start: usize,
    end: usize,
    package: u32,
}

/// Hands each blob to `visit`. Damage in one place does not hide the rest; the first of it is the error.
pub(super) fn for_each_blob(bytes: &[u8], most: usize, visit: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    if !bytes.starts_with(MAGIC) {
        return Err("it does not begin as an ndb database".to_owned());
    }
    let (version, pages) = (le32(bytes, 4), le32(bytes, 12).unwrap_or_default());
    if version != Some(0) {
        return Err("its version is not known".to_owned());
    }
    let promised = usize::try_from(pages).ok().and_then(|pages| pages.checked_mul(SLOT_PAGE)).unwrap_or(usize::MAX);
    let mut damage = None;
    if promised == 0 || promised > bytes.len() {
        damage = Some(format!("it promises {pages} pages of slots, which the file does not have"));
    }
    let table = bytes.get(FILE_HEADER..promised.min(bytes.len())).unwrap_or_default();
    let mut slots = Vec::new();
    for (number, slot) in table.chunks_exact(SLOT).enumerate() {
        match parse_slot(slot) {
            Some(Some(_)) if slots.len() >= most => {
                damage.get_or_insert_with(|| format!("it has more records than the limit of {most}"));
                break;
            }
            Some(Some(slot)) => slots.push(slot),
            Some(None) => {}
            None => {
                damage.get_or_insert_with(|| format!("slot {number} is damaged"));
            }
        }
    }
    slots.sort_unstable();
    // Blobs that overlap could cost far more time than the file has bytes.
    let mut free = promised.min(bytes.len());
    for slot in slots {
        let Some(blob) = bytes.get(slot.start..slot.end).filter(|_| slot.start >= free) else {
            damage.get_or_insert_with(|| format!("the blob of package {} is beyond the end, or in the place of another", slot.package));
            continue;
        };
        match parse_blob(blob, slot.package) {
            Some((blob, is_sound)) => {
                free = slot.end;
                if !is_sound {
                    damage.get_or_insert_with(|| format!("the blob of package {} does not match its checksum", slot.package));
                }
                visit(blob);
            }
            None => {
                damage.get_or_insert_with(|| format!("the blob of package {} is damaged", slot.package));
            }
        }
    }
    damage.map_or(Ok(()), Err)
}

/// `None` for a damaged slot, `Some(None)` for a free one.
fn parse_slot(slot: &[u8]) -> Option<Option<Slot>> {
    let (package, start, blocks) = (le32(slot, 4)?, le32(slot, 8)?, le32(slot, 12)?);
    if !slot.starts_with(SLOT_MAGIC) {
        return None;
    }
    if start == 0 {
        // rpm clears the whole slot of an erased package.
        return (package == 0 && blocks == 0).then_some(None);
    }
    let start = usize::try_from(start).ok()?.checked_mul(BLOCK)?;
    let end = usize::try_from(blocks).ok()?.checked_mul(BLOCK)?.checked_add(start)?;
    Some(Some(Slot { start, end, package }))
}

/// What stands between head and tail, and whether the checksum holds.
fn parse_blob(blob: &[u8], package: u32) -> Option<(&[u8], bool)> {
    let length = usize::try_from(le32(blob, 12)?).ok()?;
    let (checked, tail) = blob.split_at_checked(blob.len().checked_sub(BLOB_TAIL)?)?;
    let is_whole = blob.starts_with(BLOB_MAGIC)
        && le32(blob, 4) == Some(package)
        && le32(tail, 4).and_then(|length| usize::try_from(length).ok()) == Some(length)
        && tail.get(8..) == Some(TAIL_MAGIC)
        && length.checked_add(BLOB_HEAD + BLOB_TAIL)?.div_ceil(BLOCK).checked_mul(BLOCK) == Some(blob.len());
    let bytes = checked.get(BLOB_HEAD..BLOB_HEAD.checked_add(length)?).filter(|_| is_whole)?;
    Some((bytes, le32(tail, 0) == Some(adler32(checked))))
}

/// Adler-32 (<https://www.rfc-editor.org/rfc/rfc1950>).
fn adler32(bytes: &[u8]) -> u32 {
    const BASE: u32 = 65_521;
    let (mut low, mut high) = (1_u32, 0_u32);
    // So many bytes cannot overflow 32 bits.
    for piece in bytes.chunks(5552) {
        for &byte in piece {
            low += u32::from(byte);
            high += low;
        }
        low %= BASE;
        high %= BASE;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> Vec<u8> {
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/inventory/rpm/Packages.db")).unwrap()
    }

    fn read(bytes: &[u8]) -> (usize, Option<String>) {
        let mut count = 0;
        let result = for_each_blob(bytes, 1000, &mut |_| count += 1);
        (count, result.err())
    }

    #[test]
    fn blobs_are_read_and_checked() {
        let whole = fixture();
        let (all, none) = read(&whole);
        assert!(all >= 3 && none.is_none(), "{none:?}");
        let check = |name: &str, expected: usize, change: &dyn Fn(&mut Vec<u8>)| {
            let mut damaged = whole.clone();
            change(&mut damaged);
            let (count, error) = read(&damaged);
            assert_eq!(count, expected, "{name}");
            assert!(error.is_some(), "{name}");
        };
        check("four billion pages of slots", 0, &|bytes| bytes[12..16].fill(0xff));
        check("no slots", 0, &|bytes| bytes[12..16].fill(0));
        check("another version", 0, &|bytes| bytes[4] = 1);
        check("another magic", 0, &|bytes| bytes[0] = b'r');
        check("a slot without its magic", all - 1, &|bytes| bytes[32] = 0);
        check("a slot of another package", all - 1, &|bytes| bytes[36] = 99);
        check("a slot far away", all - 1, &|bytes| bytes[43] = 0xff);
        check("a blob in the place of another", all - 1, &|bytes| {
            let slot = bytes[32..48].to_vec();
            bytes[48..64].copy_from_slice(&slot);
        });
        check("a changed blob", all, &|bytes| bytes[SLOT_PAGE + BLOB_HEAD + 200] ^= 1);
        check("a cut blob", all - 1, &|bytes| bytes.truncate(bytes.len() - 1));
        let mut count = 0;
        assert!(for_each_blob(&whole, 1, &mut |_| count += 1).is_err());
        assert_eq!(count, 1);
    }

    #[test]
    fn checksums_are_adler_32() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(b""), 1);
    }
}
