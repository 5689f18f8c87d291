//! `failed.txt`: repositories of which an older copy stays because the last update could not ask for them. In: one line for each,
//! `<release>/<repository>/<arch>`, which may end in a blank and the time at which the copy was last known to be what is published; out: both.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Repository, manifest_entry};

/// The file, beside the manifest: the lines of those whose repositories could not be had in the last update, so that their lists are of before.
pub(in crate::advisory) const FAILED: &str = "failed.txt";
/// As many repositories as there may be.
const MAX_LINES: usize = 10_000;

/// The repositories of such a file, with the time if there is one that reads.
pub(super) fn read_failed(text: &str) -> BTreeMap<Repository, Option<Timestamp>> {
    let entry = |line: &str| {
        let (place, time) = line.trim().split_once(' ').unwrap_or((line, ""));
        Some((manifest_entry(place)?, time.trim().parse().ok()))
    };
    text.lines().take(MAX_LINES).filter_map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_a_time_or_none() {
        let place = |text: &str| manifest_entry(text).unwrap();
        let time = "2026-08-01T00:00:00Z".parse::<Timestamp>().ok();
        let read = read_failed("2/keel/x86_64 2026-08-01T00:00:00Z\n2/mast/x86_64 soon\n\n2/oar/x86_64\n../x y\n");
        let expected = [(place("2/keel/x86_64"), time), (place("2/mast/x86_64"), None), (place("2/oar/x86_64"), None)];
        assert_eq!(read.into_iter().collect::<Vec<_>>(), expected);
    }
}
