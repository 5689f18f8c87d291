//! A text record of any kind; the first byte chooses the path under which it is found.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::{RECORDS, catalog_file};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    if let Some(path) = RECORDS.get(usize::from(choice) % RECORDS.len()) {
        catalog_file(path, bytes);
    }
});
