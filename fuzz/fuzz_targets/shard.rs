//! Both files of a shard of the advisory database: the length of the first (24 bits), the shard, its text file. Checksums and lengths in the headers are
//! made right, so that what is behind them is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::advisory::Database;

const BLOCK: usize = 4096;
const TABLE: usize = 120;
const ENTRY: usize = 32;

fuzz_target!(|data: &[u8]| {
    let Some((length, files)) = data.split_first_chunk::<3>() else { return };
    let length = usize::from(length[0]) | usize::from(length[1]) << 8 | usize::from(length[2]) << 16;
    let (shard, text) = files.split_at(length.min(files.len()));
    let files = vec![("fuzz".to_owned(), mended(shard, b"PLIMSADB"), Some(mended(text, b"PLIMSTXT")))];
    let Ok(database) = Database::from_memory(files) else { return };
    for shard in database.status() {
        for coverage in shard.coverage {
            let _ = database.names(&coverage.ecosystem, 64);
        }
    }
    let _ = database.find("CVE-2026-90001");
    for id in ["PLIM-2026-0001", "PLIM-2026-0021", "PLIM-2026-0031"] {
        let _ = database.get(id);
    }
});

/// The same file with its magic, version, length and every checksum that has a place.
fn mended(bytes: &[u8], magic: &[u8; 8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() < TABLE {
        return bytes;
    }
    bytes[..8].copy_from_slice(magic);
    bytes[8..12].copy_from_slice(&[2, 0, 0, 0]);
    let whole = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&whole.to_le_bytes());
    let number = |bytes: &[u8], at: usize| bytes.get(at..at + 8).map_or(0, |eight| u64::from_le_bytes(eight.try_into().unwrap()) as usize);
    for place in 0..bytes[112].min(64) {
        let entry = TABLE + usize::from(place) * ENTRY;
        let (offset, length, sums) = (number(&bytes, entry + 8), number(&bytes, entry + 16), number(&bytes, entry + 24));
        let Some(data) = offset.checked_add(length).and_then(|end| bytes.get(offset..end)) else { continue };
        let sound: Vec<u8> = data.chunks(BLOCK).flat_map(|block| crc32c::crc32c(block).to_le_bytes()).collect();
        if let Some(room) = sums.checked_add(sound.len()).and_then(|end| bytes.get_mut(sums..end)) {
            room.copy_from_slice(&sound);
        }
    }
    let header = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    if (TABLE + 4..=bytes.len()).contains(&header) {
        let sum = crc32c::crc32c(&bytes[..header - 4]);
        bytes[header - 4..header].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}
