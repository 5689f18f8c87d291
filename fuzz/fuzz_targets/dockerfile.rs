//! The bytes of a Dockerfile, every rule on: places lie inside the text, edits do not overlap, a second look gives the same, and what the fixes
//! make is a text that can be linted and has nothing left to mend.
#![no_main]

use libfuzzer_sys::fuzz_target;

/// The longest text that is mended as well: each fix is proved by judging the text again.
const MENDED: usize = 2048;

fuzz_target!(|data: &[u8]| {
    let report = plimsoll_fuzz::lint(data);
    if data.len() > MENDED || report.findings.iter().all(|finding| finding.fix.is_none()) {
        return;
    }
    let mended = plimsoll_fuzz::mend(data);
    if mended != data {
        plimsoll_fuzz::lint(&mended);
        assert_eq!(plimsoll_fuzz::mend(&mended), mended, "{:?}", String::from_utf8_lossy(&mended));
    }
});
