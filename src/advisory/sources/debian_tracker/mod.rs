//! `debian-tracker`: what Debian's security tracker says beyond the OSV records (<https://security-tracker.debian.org/tracker/data/json>): urgency, and
//! the state of every problem in every release (advisories.md R6). In: `debian-tracker/debian.json`; out: the rows of the other feeds corrected by it,
//! and rows for problems that only the tracker knows.

mod join;
mod statement;

use std::{
    fs::File,
    io::{BufReader, Read as _},
    path::Path,
};

use jiff::Timestamp;

use super::{AdvisorySource, Feed, Listing, Stage, is_there};
use crate::{
    advisory::{
        Error,
        build::{Gathered, Provenance},
        ecosystem::ECOSYSTEMS,
    },
    model::digest::{Algorithm, Hasher},
};

/// The folder below that of the feeds.
pub(in crate::advisory) const FOLDER: &str = "debian-tracker";
/// The file in it.
pub(in crate::advisory) const FILE: &str = "debian.json";
/// The file beside it with the time at which it was last known to be what is published: it says nothing of its own age.
pub(in crate::advisory) const FETCHED: &str = "fetched.txt";
/// A time is one line.
const MAX_TIME: u64 = 100;
/// The published file has some tens of megabytes.
pub(in crate::advisory) const MAX_FILE: u64 = 1 << 30;

/// Reads the tracker's states.
pub struct DebianTracker;

impl AdvisorySource for DebianTracker {
    fn id(&self) -> &'static str {
        "debian-tracker"
    }

    fn stage(&self) -> Stage {
        Stage::Extras
    }

    fn find(&self, from: &Path) -> Result<Listing, Error> {
        let path = from.join(FOLDER).join(FILE);
        let ecosystem = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == "Debian").filter(|_| is_there(&path));
        let feeds = ecosystem.map(|ecosystem| Feed { ecosystem, name: format!("debian-tracker:{FILE}"), path });
        Ok(Listing { feeds: feeds.into_iter().collect(), skipped: Vec::new() })
    }

    fn read(&self, feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
        let io = |source| Error::Io { doing: "read", path: feed.path.clone(), source };
        let broken = |reason: String| Error::Feed { feed: feed.name.clone(), reason };
        if std::fs::metadata(&feed.path).map_err(io)?.len() > MAX_FILE {
            return Err(broken(format!("it is larger than {MAX_FILE} bytes")));
        }
        let mut input = Hashing { inner: File::open(&feed.path).map_err(io)?.take(MAX_FILE), hasher: Hasher::new(Algorithm::Sha256) };
        let fetched = fetched(&feed.path.with_file_name(FETCHED)).filter(|time| *time <= into.built_at);
        let tracker = statement::read(BufReader::with_capacity(1 << 18, &mut input)).map_err(broken)?;
        into.feeds.push(Provenance { feed: feed.name.clone(), digest: input.hasher.finish().to_string(), url: None });
        join::join(&tracker, fetched, into);
        Ok(())
    }
}

/// The time in a file; of one that is not there or does not read nothing is known.
fn fetched(path: &Path) -> Option<Timestamp> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_TIME).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Whether a tracker file can be read to its end.
///
/// # Errors
/// When it cannot.
pub(in crate::advisory) fn check(input: impl std::io::Read) -> Result<(), String> {
    statement::read(input).map(drop)
}

/// Hashes what is read, so that the file is read once.
struct Hashing<R> {
    inner: R,
    hasher: Hasher,
}

impl<R: std::io::Read> std::io::Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(out)?;
        self.hasher.update(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(folder: &Path) -> Gathered {
        let feeds = DebianTracker.find(folder).unwrap().feeds;
        let mut into = Gathered::new(feeds[0].ecosystem, "2026-11-22T00:00:00Z".parse().unwrap());
        DebianTracker.read(&feeds[0], &mut into).unwrap();
        into
    }

    fn rows(gathered: &Gathered) -> Vec<String> {
        let rows = gathered.advisories.iter().flat_map(|advisory| advisory.affected.iter().map(move |row| (advisory, row)));
        rows.map(|(advisory, row)| {
            let state = row.attributes.get("state").map_or("", String::as_str);
            format!("{} {} {} {state}", advisory.id.0, row.ecosystem, row.name).trim_end().to_owned()
        })
        .collect()
    }

    #[test]
    fn the_fixture_becomes_records_of_its_own() {
        let into = gathered(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory"));
        assert_eq!(
            rows(&into),
            [
                "DEBIAN-CVE-2026-90002 Debian:12 ballast postponed",
                "DEBIAN-CVE-2026-90002 Debian:13 ballast",
                "DEBIAN-CVE-2026-90061 Debian:11 ballast end-of-life",
            ]
        );
    }

    #[test]
    fn a_tracker_that_was_fetched_long_ago_makes_no_release_fresh() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(FOLDER);
        std::fs::create_dir(&place).unwrap();
        std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/debian-tracker/debian.json"), place.join(FILE))
            .unwrap();
        for (text, expected) in [
            (None, None),
            (Some("soon"), None),
            (Some("2099-01-01T00:00:00Z"), None),
            (Some("2026-10-01T00:00:00Z\n"), Some("2026-10-01T00:00:00Z")),
        ] {
            text.into_iter().for_each(|text| std::fs::write(place.join(FETCHED), text).unwrap());
            let known = gathered(folder.path()).releases["Debian:12"].known_until;
            assert_eq!(known.map(|time| time.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_published_sample_reads() {
        let Some(corpus) = std::env::var_os("PLIMSOLL_CORPUS").map(std::path::PathBuf::from) else {
            eprintln!("skipped: PLIMSOLL_CORPUS names no corpus");
            return;
        };
        let into = gathered(&corpus.join("corpus/advisories/native-samples"));
        let rows = rows(&into);
        assert!(rows.contains(&"DEBIAN-CVE-2022-0456 Debian:10 chromium end-of-life".to_owned()), "{rows:?}");
        assert!(!rows.iter().any(|row| row.contains("CVE-2007-2383")), "fixed in version 0 is not affected");
    }
}
