//! A Berkeley DB file as rpm writes it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::catalog_file;

fuzz_target!(|data: &[u8]| catalog_file("var/lib/rpm/Packages", data));
