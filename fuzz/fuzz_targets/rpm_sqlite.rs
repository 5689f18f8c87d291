//! An SQLite file as rpm writes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::catalog_file;

/// What is not of this kind is not looked at, so every input is made to be.
const MAGIC: &[u8] = b"SQLite format 3\0";

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    if let Some(head) = bytes.get_mut(..MAGIC.len()) {
        head.copy_from_slice(MAGIC);
    }
    catalog_file("var/lib/rpm/rpmdb.sqlite", &bytes);
});
