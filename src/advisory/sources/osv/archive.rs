//! The archive of one OSV ecosystem (`<Ecosystem>/all.zip`). In: a zip of records; out: the records, one after another, and the names of those
//! that do not read.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _},
    path::Path,
};

use super::parse_record;
use crate::{
    advisory::{
        Error,
        build::{Gathered, Provenance, Unfixed},
        ecosystem::{ECOSYSTEMS, Ecosystem, Releases, Use},
        sources::{Feed, Listing},
    },
    model::{
        advisory::Advisory,
        digest::Digest,
    },
};

/// One record is never larger than this; the largest published ones have a few megabytes.
const MAX_RECORD: u64 = 64 * 1024 * 1024;
/// All records of one feed together.
const MAX_FEED: u64 = 16 * 1024 * 1024 * 1024;
/// More files than this in one archive are an attack.
const MAX_ENTRIES: usize = 4_000_000;
/// Records that list what is not fixed yet. Debian's DSA and DLA lists, and the records of the other distributions, do not.
const LISTS_UNFIXED: [&str; 2] = ["DEBIAN-CVE-", "UBUNTU-CVE-"];

/// The name of the empty file beside an archive that says that its owner asks for what is off by default.
pub(in crate::advisory) const ASKED: &str = "asked";

/// The archives in a folder laid out like the bucket.
pub(super) fn find(from: &Path) -> Result<Listing, Error> {
    let failed = |source| Error::Io { doing: "read", path: from.to_owned(), source };
    let mut listing = Listing::default();
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path().join("all.zip");
        let name = entry.file_name().to_string_lossy().into_owned();
        if !path.is_file() {
            continue;
        }
        // What may not be passed on is not built unasked (advisories.md D7).
        let may_be_built = |ecosystem: &Ecosystem| ecosystem.use_of == Use::Free || entry.path().join(ASKED).is_file();
        match ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == name && may_be_built(ecosystem)) {
            Some(ecosystem) => listing.feeds.push(Feed { ecosystem, name: format!("osv:{name}/all.zip"), path }),
            None => listing.skipped.push(name),
        }
    }
    Ok(listing)
}

/// Reads every record of an archive.
pub(super) fn read(feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "read", path: feed.path.clone(), source };
    let broken = |reason: String| Error::Feed { feed: feed.path.display().to_string(), reason };
    into.feeds.push(Provenance { feed: feed.name.clone(), digest: Digest::sha256_of_all(File::open(&feed.path).map_err(io)?).map_err(io)?.to_string(), url: None });
    let file = BufReader::new(File::open(&feed.path).map_err(io)?);
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(broken("the archive has too many files".to_owned()));
    }
    let (mut bytes, mut left) = (Vec::new(), MAX_FEED);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let name = entry.name().map(|name| name.into_owned()).unwrap_or_default();
        if entry.is_dir() || !name.to_ascii_lowercase().ends_with(".json") {
            continue;
        }
        bytes.clear();
        // An archive that does not unpack is a damaged download: the whole feed fails and the shard of the last good one stays.
        let read = entry.by_ref().take(MAX_RECORD + 1).read_to_end(&mut bytes).map_err(|error| broken(format!("{name}: {error}")))?;
        let read = u64::try_from(read).unwrap_or(u64::MAX);
        left = left.checked_sub(read).ok_or_else(|| broken("the records are too large together".to_owned()))?;
        if read > MAX_RECORD {
            into.unreadable.push(format!("{name} (larger than {MAX_RECORD} bytes)"));
            continue;
        }
        match parse_record(&bytes) {
            Ok(advisory) => {
                if let Some(text) = misplaced(feed.ecosystem, &advisory) {
                    into.unreadable.push(format!("{name} (no packages are of `{text}`)"));
                }
                note_unfixed(&advisory, into);
                into.advisories.push(advisory);
            }
            Err(reason) => into.unreadable.push(format!("{name} ({reason})")),
        }
    }
    Ok(())
}

/// The first entry of a language feed with a suffix that this language does not have: no shard would hold it.
fn misplaced(ecosystem: &Ecosystem, advisory: &Advisory) -> Option<String> {
    let texts = advisory.affected.iter().map(|affected| &affected.ecosystem);
    let mut wrong =
        texts.filter(|text| ecosystem.releases == Releases::None && text.split_once(':').is_some_and(|(name, _)| name == ecosystem.name));
    wrong.next().map(|text| text.chars().take(80).collect())
}

fn note_unfixed(advisory: &Advisory, into: &mut Gathered) {
    if LISTS_UNFIXED.iter().any(|prefix| advisory.id.0.starts_with(prefix)) {
        for affected in &advisory.affected {
            if into.releases.get(&affected.ecosystem).is_none_or(|release| release.unfixed != Some(Unfixed::Listed)) {
                into.release(&affected.ecosystem).unfixed = Some(Unfixed::Listed);
            }
        }
    }
}
