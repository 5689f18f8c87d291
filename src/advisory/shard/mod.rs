//! The two files of one shard (advisories.md D1 to D6): a fixed little-endian header, a section table, and sections cut into blocks with a checksum
//! each. [`writer`] makes them from advisories, [`reader`] looks names up without reading the rest, [`text`] is what only people read.
//!
//! ```text
//! 0    magic `PLIMSADB`       8   major u16, minor u16      12  header length u32     16  file length u64
//! 24   newest record, seconds u64                           32  records, rows, names, longest name: u32 each
//! 48   SHA-256 over all sections as 64 hex digits           112 section count u32     116 zero u32
//! 120  sections: kind u32, zero u32, offset u64, length u64, offset of the checksums u64
//! ...  crc32c of the header up to here
//! ```
//!
//! The text file (`PLIMSTXT`) has the same frame and stands beside the shard under a name that holds its digest, so that a shard never reads the
//! text of another build. Readers pass over sections that they do not know; a field of a row that they do not know makes the row undecidable.
//!
//! Malware records (`MAL-`) are rows like all others: a set of 64-bit fingerprints does not compress and is no smaller than the front-coded names
//! with their rows, and the record is needed on a hit either way.

pub(in crate::advisory) mod bytes;
mod container;
mod fields;
pub(in crate::advisory) mod reader;
mod tables;
pub(in crate::advisory) mod text;
pub(in crate::advisory) mod writer;

/// The first bytes of every shard.
const MAGIC: &[u8; 8] = b"PLIMSADB";
/// The first bytes of every text file.
const TEXT_MAGIC: &[u8; 8] = b"PLIMSTXT";
/// Readers refuse another major version.
pub(in crate::advisory) const MAJOR: u16 = 2;
/// Readers read any minor version.
const MINOR: u16 = 0;
/// The header without the section table and its checksum.
const FIXED_HEADER: usize = 120;
/// One entry of the section table.
const SECTION_ENTRY: usize = 32;
/// More sections than this are damage.
const MAX_SECTIONS: usize = 256;
/// Checksums cover blocks of this size: one page, so that checking what was asked for touches little else.
const BLOCK: usize = 4096;
/// So many entries of a table share one offset.
const ENTRIES_PER_BLOCK: u32 = 16;

/// One entry of a shard by CVE: the key and a few bytes of facts.
pub(in crate::advisory) const CVE_ENTRY: usize = CVE_KEY + CVE_FACTS;
/// Year (16 bits) and number (32 bits), highest byte first.
pub(in crate::advisory) const CVE_KEY: usize = 6;
/// What the facts mean is the feed's matter.
pub(in crate::advisory) const CVE_FACTS: usize = 10;

/// What a section holds; readers ignore kinds that they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::advisory) enum Section {
    /// Facts about the shard: names and values.
    Meta = 1,
    Strings = 2,
    StringOffsets = 3,
    /// `ecosystem\0name`, sorted bytewise.
    Keys = 4,
    KeyOffsets = 5,
    /// Entry by entry what the keys are about.
    Rows = 6,
    RowOffsets = 7,
    /// Ranges and listed versions, each set once.
    Specs = 8,
    SpecOffsets = 9,
    /// Whatever else a row or a record says, each set once.
    Extras = 10,
    ExtraOffsets = 11,
    /// Ids of records, sorted.
    Ids = 12,
    IdOffsets = 13,
    /// Entry by entry what the ids are about.
    Records = 14,
    RecordOffsets = 15,
    /// Per OSV ecosystem string what is known about the knowledge.
    Coverage = 16,
    /// Alone with `Meta` and `Coverage` in shards that hold no advisories: entries of one size, sorted by CVE.
    ByCve = 17,
    /// In the text file: title and links of each record, in compressed blocks, and where the blocks are.
    Titles = 32,
    TitleBlocks = 33,
    /// In the text file: what records say at length.
    Details = 34,
    DetailBlocks = 35,
}

impl Section {
    /// Sections of a shard of advisories.
    const ADVISORIES: [Self; 16] = [
        Self::Meta,
        Self::Strings,
        Self::StringOffsets,
        Self::Keys,
        Self::KeyOffsets,
        Self::Rows,
        Self::RowOffsets,
        Self::Specs,
        Self::SpecOffsets,
        Self::Extras,
        Self::ExtraOffsets,
        Self::Ids,
        Self::IdOffsets,
        Self::Records,
        Self::RecordOffsets,
        Self::Coverage,
    ];
    /// Sections of a shard of facts by CVE.
    const FACTS: [Self; 3] = [Self::Meta, Self::Coverage, Self::ByCve];
    /// Sections of a text file.
    const TEXTS: [Self; 4] = [Self::Titles, Self::TitleBlocks, Self::Details, Self::DetailBlocks];

    const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Strings => "strings",
            Self::StringOffsets => "string offsets",
            Self::Keys => "keys",
            Self::KeyOffsets => "key offsets",
            Self::Rows => "rows",
            Self::RowOffsets => "row offsets",
            Self::Specs => "ranges",
            Self::SpecOffsets => "range offsets",
            Self::Extras => "extras",
            Self::ExtraOffsets => "extra offsets",
            Self::Ids => "ids",
            Self::IdOffsets => "id offsets",
            Self::Records => "records",
            Self::RecordOffsets => "record offsets",
            Self::Coverage => "coverage",
            Self::ByCve => "entries by CVE",
            Self::Titles => "titles",
            Self::TitleBlocks => "title blocks",
            Self::Details => "details",
            Self::DetailBlocks => "detail blocks",
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
