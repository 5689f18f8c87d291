//! The file of one shard: a fixed little-endian header, a section table, and sections cut into blocks with a checksum each (advisories.md
//! D1 to D6). [`writer`] makes it from advisories, [`reader`] looks names up in it without reading the rest.
//!
//! ```text
//! 0    magic `PLIMSADB`       8   major u16, minor u16      12  header length u32     16  file length u64
//! 24   newest record, seconds u64                           32  records, rows, names, longest name: u32 each
//! 48   SHA-256 over all sections as 64 hex digits           112 section count u32     116 zero u32
//! 120  sections: kind u32, zero u32, offset u64, length u64, offset of the checksums u64
//! ...  crc32c of the header up to here
//! ```

pub(in crate::advisory) mod bytes;
pub(in crate::advisory) mod reader;
pub(in crate::advisory) mod writer;

/// The first bytes of every shard.
const MAGIC: &[u8; 8] = b"PLIMSADB";
/// Readers refuse another major version.
pub(in crate::advisory) const MAJOR: u16 = 1;
/// Readers read any minor version.
const MINOR: u16 = 0;
/// The header without the section table and its checksum.
const FIXED_HEADER: usize = 120;
/// One entry of the section table.
const SECTION_ENTRY: usize = 32;
/// More sections than this are damage.
const MAX_SECTIONS: usize = 256;
/// Checksums cover blocks of this size.
const BLOCK: usize = 64 * 1024;
/// So many keys share one front-coded block of the index.
const KEYS_PER_BLOCK: usize = 16;

/// One entry of a shard by CVE: the key and a few bytes of facts.
pub(in crate::advisory) const CVE_ENTRY: usize = CVE_KEY + CVE_FACTS;
/// Year (16 bits) and number (32 bits), highest byte first.
pub(in crate::advisory) const CVE_KEY: usize = 6;
/// What the facts mean is the feed's matter.
pub(in crate::advisory) const CVE_FACTS: usize = 10;

/// What a section holds; readers ignore kinds that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::advisory) enum Section {
    Meta = 1,
    Strings = 2,
    StringOffsets = 3,
    Keys = 4,
    KeyOffsets = 5,
    Rows = 6,
    Specs = 7,
    SpecOffsets = 8,
    Records = 9,
    RecordOffsets = 10,
    Text = 11,
    /// Alone with `Meta` in shards that hold no advisories: entries of one size, sorted by CVE.
    ByCve = 12,
}

impl Section {
    /// Sections of a shard of advisories.
    const ADVISORIES: [Self; 11] = [
        Self::Meta,
        Self::Strings,
        Self::StringOffsets,
        Self::Keys,
        Self::KeyOffsets,
        Self::Rows,
        Self::Specs,
        Self::SpecOffsets,
        Self::Records,
        Self::RecordOffsets,
        Self::Text,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Strings => "strings",
            Self::StringOffsets => "string offsets",
            Self::Keys => "keys",
            Self::KeyOffsets => "key offsets",
            Self::Rows => "rows",
            Self::Specs => "ranges",
            Self::SpecOffsets => "range offsets",
            Self::Records => "records",
            Self::RecordOffsets => "record offsets",
            Self::Text => "text",
            Self::ByCve => "entries by CVE",
        }
    }
}

/// Whether a row can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::advisory) enum RowStatus {
    /// It can.
    Active,
    /// Its record is withdrawn, or is no security record: kept for `explain` alone.
    Inactive,
}
