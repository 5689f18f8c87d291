//! Writes zip archives, honest ones and others. Tests only.

use std::io::Write as _;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// What is written of one entry.
#[derive(Clone)]
pub(in crate::inventory) struct Written {
    pub name: String,
    /// The name in the local header, when it is another.
    pub local_name: Option<String>,
    pub method: u16,
    pub flags: u16,
    pub bytes: Vec<u8>,
    pub packed: Vec<u8>,
    pub size: u64,
    pub checksum: u32,
    /// The place among those written before whose bytes this one claims.
    pub shares: Option<usize>,
}

/// A stored entry.
pub(in crate::inventory) fn stored(name: &str, bytes: impl AsRef<[u8]>) -> Written {
    let bytes = bytes.as_ref().to_vec();
    let mut sum = Crc::new();
    sum.update(&bytes);
    Written {
        name: name.to_owned(),
        local_name: None,
        method: 0,
        flags: 0,
        size: bytes.len() as u64,
        packed: bytes.clone(),
        bytes,
        checksum: sum.sum(),
        shares: None,
    }
}

/// A deflated entry.
pub(in crate::inventory) fn deflated(name: &str, bytes: impl AsRef<[u8]>) -> Written {
    let mut entry = stored(name, bytes);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&entry.bytes).unwrap();
    (entry.packed, entry.method) = (encoder.finish().unwrap(), 8);
    entry
}

fn two(number: usize) -> u16 {
    number.try_into().expect("fixtures are small")
}

fn four(number: u64) -> u32 {
    number.try_into().expect("fixtures are small")
}

/// Where numbers of an archive stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::inventory) enum Width {
    Short,
    /// In zip64 records and extra fields.
    Large,
}

/// An archive behind `front`, with a comment.
pub(in crate::inventory) fn archive_with(front: &[u8], entries: &[Written], comment: &[u8], width: Width) -> Vec<u8> {
    let large = width == Width::Large;
    let (mut out, mut places, mut directory) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        places.push(entry.shares.map_or(out.len(), |shares| places[shares]));
        if entry.shares.is_none() {
            let name = entry.local_name.as_ref().unwrap_or(&entry.name);
            out.extend(b"PK\x03\x04\x14\0");
            out.extend([entry.flags.to_le_bytes(), entry.method.to_le_bytes(), [0; 2], [0; 2]].concat());
            out.extend([entry.checksum, four(entry.packed.len() as u64), four(entry.size)].iter().flat_map(|number| number.to_le_bytes()));
            out.extend(two(name.len()).to_le_bytes());
            out.extend(3_u16.to_le_bytes());
            out.extend(name.as_bytes());
            out.extend(b"xxx");
            out.extend(&entry.packed);
        }
    }
    for (entry, place) in entries.iter().zip(&places) {
        let all = [entry.size, entry.packed.len() as u64, *place as u64];
        let extra: Vec<u8> = all.iter().flat_map(|number| number.to_le_bytes()).collect();
        let short = |number: u64| if large { u32::MAX } else { four(number) }.to_le_bytes();
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend([entry.flags.to_le_bytes(), entry.method.to_le_bytes(), [0; 2], [0; 2]].concat());
        directory.extend(entry.checksum.to_le_bytes());
        directory.extend([short(all[1]), short(all[0])].concat());
        directory.extend(two(entry.name.len()).to_le_bytes());
        directory.extend(if large { 28_u16 } else { 0 }.to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(short(all[2]));
        directory.extend(entry.name.as_bytes());
        if large {
            directory.extend([1_u16.to_le_bytes(), 24_u16.to_le_bytes()].concat());
            directory.extend(extra);
        }
    }
    let (at, count) = (out.len() as u64, entries.len() as u64);
    out.extend(&directory);
    let end = out.len() as u64;
    if large {
        out.extend(b"PK\x06\x06");
        out.extend([44, 0, 0, count, count, directory.len() as u64, at].iter().enumerate().flat_map(|(place, number)| {
            // The record's version fields and disk numbers have 12 bytes together.
            if place == 1 { vec![0; 4] } else { number.to_le_bytes().to_vec() }
        }));
        out.extend(b"PK\x06\x07\0\0\0\0");
        out.extend(end.to_le_bytes());
        out.extend(1_u32.to_le_bytes());
    }
    out.extend(b"PK\x05\x06\0\0\0\0");
    let count = if large { u16::MAX } else { two(entries.len()) }.to_le_bytes();
    out.extend([count, count].concat());
    out.extend(if large { [0xff; 8].to_vec() } else { [four(directory.len() as u64).to_le_bytes(), four(at).to_le_bytes()].concat() });
    out.extend(two(comment.len()).to_le_bytes());
    out.extend(comment);
    [front, &out].concat()
}

/// A plain archive.
pub(in crate::inventory) fn archive(entries: &[Written]) -> Vec<u8> {
    archive_with(b"", entries, b"", Width::Short)
}
