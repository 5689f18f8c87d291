//! The bytes of a Dockerfile, every rule on: places lie inside the text, edits do not overlap, a second look gives the same, and what the edits of one
//! finding make is a text that can be linted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let report = plimsoll_fuzz::lint(data);
    let Some(fix) = report.findings.iter().find_map(|finding| finding.fix.as_ref()) else { return };
    let mut mended = data.to_vec();
    for edit in fix.edits.iter().rev() {
        mended.splice(edit.range.clone(), edit.replacement.bytes());
    }
    plimsoll_fuzz::lint(&mended);
});
