//! A Mach-O program with its sections.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::catalog_file;

/// What is not of this kind is not looked at, so every input is made to be.
const MAGIC: &[u8] = b"\xcf\xfa\xed\xfe";

fuzz_target!(|data: &[u8]| {
    let mut bytes = data.to_vec();
    if let Some(head) = bytes.get_mut(..MAGIC.len()) {
        head.copy_from_slice(MAGIC);
    }
    catalog_file("app/program", &bytes);
});
