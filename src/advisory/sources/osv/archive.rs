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
        build::{Gathered, Provenance, Unfixed, drop_implied, is_withdrawn},
        ecosystem::{self, ECOSYSTEMS, Ecosystem, Use},
        sources::{Feed, Listing, is_there},
    },
    model::{
        advisory::{Advisory, AffectedRange, Event},
        digest::Digest,
        severity::Rating,
    },
};

/// Of a larger record nothing but its beginning is unpacked; it does not read.
const MAX_RECORD: u64 = 8 << 20;
/// All records of one feed together.
const MAX_FEED: u64 = 16 << 30;
/// What may be kept of them in memory.
const MAX_KEPT: u64 = 2 << 30;
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
        if !is_there(&path) {
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
    read_within(feed, into, MAX_KEPT)
}

fn read_within(feed: &Feed, into: &mut Gathered, most: u64) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "read", path: feed.path.clone(), source };
    let broken = |reason: String| Error::Feed { feed: feed.path.display().to_string(), reason };
    let digest = Digest::sha256_of_all(File::open(&feed.path).map_err(io)?).map_err(io)?;
    into.feeds.push(Provenance { feed: feed.name.clone(), digest: digest.to_string(), url: None });
    let file = BufReader::new(File::open(&feed.path).map_err(io)?);
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(broken("the archive has too many files".to_owned()));
    }
    let too_large = || broken(format!("the records take more than {most} bytes together"));
    let (mut bytes, mut left, mut room) = (Vec::new(), MAX_FEED, most);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let name = entry.name().map(|name| name.into_owned()).unwrap_or_default();
        if entry.is_dir() || !name.to_ascii_lowercase().ends_with(".json") {
            continue;
        }
        bytes.clear();
        // An archive that does not unpack is a damaged download: the whole feed fails and the shard of the last good one stays.
        let read = entry.by_ref().take(MAX_RECORD + 1).read_to_end(&mut bytes).map_err(|error| broken(format!("{name}: {error}")))?;
        left = left.checked_sub(weight_of(read)).ok_or_else(|| broken("the records are too large together".to_owned()))?;
        let before = into.unreadable.len();
        match parse_record(&bytes) {
            Ok(mut advisory) => {
                if let Some(reason) = lost(feed.ecosystem, &advisory).filter(|_| !is_withdrawn(&advisory, into.built_at)) {
                    into.unreadable.push(format!("{name} ({reason})"));
                }
                note_unfixed(&advisory, into);
                // What is left out here is most of what PyPI and Ubuntu hold: it is not to wait in memory.
                drop_implied(&mut advisory, feed.ecosystem.scheme);
                room = room.checked_sub(weight(&advisory)).ok_or_else(too_large)?;
                into.advisories.push(advisory);
            }
            Err(reason) => into.unreadable.push(format!("{name} ({reason})")),
        }
        let noted: usize = into.unreadable.iter().skip(before).map(String::len).sum();
        room = room.checked_sub(weight_of(noted)).ok_or_else(too_large)?;
    }
    Ok(())
}

/// Why no shard would hold what a record of this feed says, or hold it under a name that nobody has.
fn lost(ecosystem: &Ecosystem, advisory: &Advisory) -> Option<String> {
    let shown = |text: &str| text.chars().take(80).collect::<String>();
    let is_own = |text: &str| text.split_once(':').map_or(text, |(name, _)| name) == ecosystem.name;
    let mut is_about_it = false;
    for affected in advisory.affected.iter().filter(|affected| is_own(&affected.ecosystem)) {
        is_about_it = true;
        if ecosystem::of_text(&affected.ecosystem).is_none() {
            return Some(format!("no packages are of `{}`", shown(&affected.ecosystem)));
        }
        let name = affected.name.as_str();
        if name.is_empty() || name.trim() != name || name.chars().any(char::is_control) {
            return Some(format!("no package is called `{}`", shown(name)));
        }
    }
    (!is_about_it).then(|| format!("it names no package of {}", ecosystem.name))
}

/// About how many bytes of memory a record takes for as long as its feed is read.
fn weight(advisory: &Advisory) -> u64 {
    // Where it lies, how long it is, and what the allocator rounds up.
    let text = |text: &str| 48 + weight_of(text.len());
    let ids = [&advisory.aliases, &advisory.upstream, &advisory.related].into_iter().flatten().map(|id| text(&id.0));
    let ratings = |ratings: &[Rating]| ratings.iter().map(|rating| 96 + rating.vector.as_deref().map_or(0, text)).sum::<u64>();
    let event = |event: &Event| match event {
        Event::Introduced(version)
        | Event::Fixed(version)
        | Event::LastAffected(version)
        | Event::Limit(version)
        | Event::Unknown(version) => 16 + text(version),
    };
    let range = |range: &AffectedRange| 64 + range.events.iter().map(event).sum::<u64>();
    let affected = advisory.affected.iter().map(|affected| {
        let texts = affected.versions.iter().chain(affected.attributes.values()).chain([&affected.ecosystem, &affected.name]);
        192 + texts.map(|words| text(words)).sum::<u64>() + affected.ranges.iter().map(range).sum::<u64>() + ratings(&affected.ratings)
    });
    let texts = advisory.references.iter().chain([&advisory.id.0, &advisory.summary, &advisory.details]).map(|words| text(words));
    let dates = [&advisory.published, &advisory.modified, &advisory.withdrawn].into_iter().flatten().map(|date| text(date));
    256 + ids.chain(texts).chain(dates).chain(affected).sum::<u64>() + ratings(&advisory.ratings)
}

fn weight_of(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn feed(folder: &Path, ecosystem: &str, records: &[(&str, String)]) -> Feed {
        fs::create_dir_all(folder.join(ecosystem)).unwrap();
        let mut archive = zip::ZipWriter::new(File::create(folder.join(ecosystem).join("all.zip")).unwrap());
        for (name, text) in records {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        find(folder).unwrap().feeds.remove(0)
    }

    fn gathered(feed: &Feed) -> Gathered {
        Gathered::new(feed.ecosystem, "2026-11-22T00:00:00Z".parse().unwrap())
    }

    fn unreadable(ecosystem: &str, records: &[(&str, String)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let feed = feed(folder.path(), ecosystem, records);
        let mut into = gathered(&feed);
        read(&feed, &mut into).unwrap();
        into.unreadable
    }

    fn of(packages: &[(&str, &str)], more: &str) -> String {
        let entries: Vec<String> = packages
            .iter()
            .map(|(ecosystem, name)| format!(r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"versions":["1"]}}"#))
            .collect();
        format!(r#"{{"id":"A",{more}"affected":[{}]}}"#, entries.join(","))
    }

    #[test]
    fn what_no_shard_would_hold_is_named() {
        for (ecosystem, packages, more, expected) in [
            ("Debian", &[("Debian:12", "keel")][..], "", None),
            ("Debian", &[("Debian", "keel")], "", Some("A.json (no packages are of `Debian`)")),
            ("Debian", &[("Debian:12", "keel"), ("Debian", "keel")], "", Some("A.json (no packages are of `Debian`)")),
            ("npm", &[("npm:x", "keel")], "", Some("A.json (no packages are of `npm:x`)")),
            ("npm", &[("PyPI", "keel")], "", Some("A.json (it names no package of npm)")),
            ("npm", &[("PyPI", "keel"), ("npm", "keel")], "", None),
            ("npm", &[], "", Some("A.json (it names no package of npm)")),
            ("npm", &[], r#""withdrawn":"2026-01-01T00:00:00Z","#, None),
            ("npm", &[], r#""withdrawn":"2099-01-01T00:00:00Z","#, Some("A.json (it names no package of npm)")),
            ("npm", &[("npm", "")], "", Some("A.json (no package is called ``)")),
            ("npm", &[("npm", " keel")], "", Some("A.json (no package is called ` keel`)")),
            ("npm", &[("npm", "ke\\u0000el")], "", Some("A.json (no package is called `ke\u{0}el`)")),
            ("Packagist", &[("Packagist:https://packages.example.org/8", "keel/mast")], "", None),
            ("Maven", &[("Maven:https://repo.example.org/maven2/", "org.keel:mast")], "", None),
            ("Alpine", &[("Alpine:3.20", "keel")], "", None),
        ] {
            let found = unreadable(ecosystem, &[("A.json", of(packages, more))]);
            assert_eq!(found.first().map(String::as_str), expected, "{ecosystem} {packages:?} {more}");
        }
    }

    #[test]
    fn a_record_that_is_too_large_is_named_and_the_rest_is_read() {
        let long = of(&[("npm", "keel")], &format!(r#""details":"{}","#, "x".repeat(8 << 20)));
        let listed = format!(r#"{{"id":"B","affected":[{{"versions":["1"{}]}}]}}"#, r#","1""#.repeat(100_000));
        let found = unreadable("npm", &[("A.json", long), ("B.json", listed), ("C.json", of(&[("npm", "keel")], ""))]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "A.json (larger than 8388608 bytes)");
        assert!(found[1].starts_with("B.json (a list has more than 100000 entries"), "{found:?}");
    }

    #[test]
    fn what_is_kept_of_a_feed_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let versions: Vec<String> = (0..1000).map(|n| format!("\"{n}\"")).collect();
        let listed =
            format!(r#"{{"id":"A","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"versions":[{}]}}]}}"#, versions.join(","));
        let feed = feed(folder.path(), "npm", &[("A.json", listed)]);
        let error = read_within(&feed, &mut gathered(&feed), 40_000).unwrap_err().to_string();
        assert!(error.contains("npm/all.zip cannot be read: the records take more than 40000 bytes together"), "{error}");
        read_within(&feed, &mut gathered(&feed), 80_000).unwrap();
    }
}
