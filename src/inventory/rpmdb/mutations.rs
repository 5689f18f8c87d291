//! Thousands of damaged databases of each format: reading ends, gives no more than the whole one, and says so when something was lost. Tests only.

use super::*;
use crate::inventory::fixture;

/// Numbers that look like chance and are the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        [0, 1, 2, 3, 7, 13, 0x7f, 0x80, 0xff, u8::try_from(self.below(256)).unwrap()][self.below(10)]
    }
}

/// The headers, each as what its blob said, so that a changed text is a header of its own.
fn headers(format: Format, bytes: &[u8]) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let result = read(format, bytes, None, &Limits::default(), &mut |header| {
        let text = |tag| header.text(tag).unwrap_or_default();
        found.push(format!("{} {} {} {}", text(NAME), text(VERSION), text(RELEASE), text(ARCH)));
        header.for_each_file(|_| {});
    });
    found.sort();
    (found, result.is_err())
}

fn check(format: Format, name: &str) {
    let whole = fixture::read(name);
    let (all, is_damaged) = headers(format, &whole);
    assert!(!is_damaged && all.len() >= 2, "{name}");
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for round in 0..3_000 {
        let mut bytes = whole.clone();
        match round % 4 {
            // A few bytes anywhere, or where the structure is.
            0 | 1 => {
                for _ in 0..=chance.below(4) {
                    let end = if round % 4 == 0 { bytes.len() } else { bytes.len().min(4096) };
                    let at = chance.below(end);
                    bytes[at] = chance.byte();
                }
            }
            // A number of four bytes, aligned.
            2 => {
                let at = chance.below(bytes.len() / 4) * 4;
                let value = chance.byte();
                bytes[at..at + 4].fill(value);
            }
            // A piece moved over another, or cut off.
            _ => {
                let (from, to, size) = (chance.below(bytes.len()), chance.below(bytes.len()), chance.below(2048));
                let size = size.min(bytes.len() - from.max(to));
                bytes.copy_within(from..from + size, to);
                if round % 8 == 7 {
                    bytes.truncate(to);
                }
            }
        }
        let (found, told) = headers(format, &bytes);
        assert!(found.len() <= all.len(), "{name} {round}: {} headers", found.len());
        // An empty file holds nothing, and nothing can be said against that.
        assert!(found.len() == all.len() || told || bytes.is_empty(), "{name} {round}: {} of {} and no word", found.len(), all.len());
    }
}

#[test]
fn damaged_hash_tables_end() {
    check(Format::Bdb, "rpm/Packages");
    check(Format::Bdb, "rpm/Packages.big-endian");
}

#[test]
fn damaged_ndb_files_end() {
    check(Format::Ndb, "rpm/Packages.db");
}

#[test]
fn damaged_sqlite_files_end() {
    check(Format::Sqlite, "rpm/rpmdb.sqlite");
}
