//! A manifest or an index: parsed, and resolved to the host's platform as far as it leads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::Memory;

fuzz_target!(|data: &[u8]| {
    let _ = Memory { root: data.to_vec(), blob: b"{}".to_vec() }.resolve();
});
