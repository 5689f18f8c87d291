//! Feeds on disk to shards. In: a directory laid out like the OSV bucket (`<Ecosystem>/all.zip`), with the KEV and EPSS files if it has them; out: one file per ecosystem or distribution
//! release, the same bytes for the same feeds (advisories.md D8), put in place by rename.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{
    advisory::{
        Error,
        ecosystem::{self, ECOSYSTEMS, Ecosystem, Releases},
        exploitation,
        shard::writer::{Contents, encode},
        sources::osv,
        store::EXTENSION,
    },
    model::{
        advisory::Advisory,
        coverage::{Gap, SourceId},
        digest::{Algorithm, Hasher},
    },
};

/// One record is never larger than this; the largest published ones have a few megabytes.
const MAX_RECORD: u64 = 64 * 1024 * 1024;
/// All records of one feed together.
const MAX_FEED: u64 = 16 * 1024 * 1024 * 1024;
/// More files than this in one archive are an attack.
const MAX_ENTRIES: usize = 4_000_000;
/// Records before this time have no date: some feeds write the year 1 for "unknown" (2000-01-01).
const FIRST_DATE: i64 = 946_684_800;
/// So many unreadable records are named.
const NAMED: usize = 5;

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSummary {
    /// Shards written, sorted by name.
    pub shards: Vec<ShardSummary>,
    /// Feeds or records that could not be read; an older shard of such a feed stays in place.
    pub gaps: Vec<Gap>,
    /// Feeds in the directory that this version cannot match, sorted.
    pub skipped: Vec<String>,
}

/// One shard that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardSummary {
    /// Name, also of the file.
    pub name: String,
    /// Records, withdrawn ones included.
    pub records: usize,
    /// Rows.
    pub rows: u32,
    /// RFC 3339 time of the newest record.
    pub as_of: Option<String>,
    /// Where the records come from.
    pub feed: String,
    /// Size of the file.
    pub bytes: usize,
}

/// Builds every feed of `from` into `out`. `built_at` only bounds what a record may say about its own age: no shard is newer than its build.
///
/// # Errors
/// When there is no feed, none of them can be read, or `out` cannot be written.
pub fn build(from: &Path, out: &Path, built_at: Timestamp) -> Result<BuildSummary, Error> {
    let (feeds, skipped) = feeds_in(from)?;
    fs::create_dir_all(out).map_err(|source| Error::Io { doing: "create", path: out.to_owned(), source })?;
    let mut written = Written { out: out.to_owned(), temporary: Vec::new() };
    let mut summary = BuildSummary { shards: Vec::new(), gaps: Vec::new(), skipped };
    let mut first_error = None;
    for (ecosystem, path) in feeds {
        let feed = match read_feed(ecosystem, &path, built_at) {
            Ok(feed) => feed,
            Err(error) => {
                summary.gaps.push(gap(ecosystem.name, &error.to_string()));
                first_error.get_or_insert(error);
                continue;
            }
        };
        if !feed.unreadable.is_empty() {
            summary
                .gaps
                .push(gap(ecosystem.name, &format!("{} records cannot be read: {}", feed.unreadable.len(), named(&feed.unreadable))));
        }
        for text in feed.ecosystems() {
            let Some(name) = ecosystem::shard_name(&text) else {
                summary.gaps.push(gap(&text, "the name of the release is not fit for a file name"));
                continue;
            };
            summary.shards.push(write_shard(&feed, &text, name, built_at, &mut written)?);
        }
    }
    let exploitation_error = exploitation::build_into(from, built_at, &mut written, &mut summary)?;
    if let (true, Some(error)) = (summary.shards.is_empty(), first_error.or(exploitation_error)) {
        return Err(error);
    }
    if summary.shards.is_empty() {
        return Err(Error::NoFeeds(from.display().to_string()));
    }
    written.into_place()?;
    summary.shards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(summary)
}

/// An ecosystem and where its archive is.
type Archive = (&'static Ecosystem, PathBuf);

/// The feeds that can be built, and the names of those that cannot.
fn feeds_in(from: &Path) -> Result<(Vec<Archive>, Vec<String>), Error> {
    let failed = |source| Error::Io { doing: "read", path: from.to_owned(), source };
    let (mut feeds, mut skipped) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let archive = entry.path().join("all.zip");
        let name = entry.file_name().to_string_lossy().into_owned();
        if !archive.is_file() {
            continue;
        }
        match ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == name) {
            Some(ecosystem) => feeds.push((ecosystem, archive)),
            None => skipped.push(name),
        }
    }
    feeds.sort_by_key(|(ecosystem, _)| ecosystem.name);
    skipped.sort();
    let nothing = feeds.is_empty() && exploitation::KINDS.iter().all(|kind| kind.file_in(from).is_none());
    if nothing { Err(Error::NoFeeds(from.display().to_string())) } else { Ok((feeds, skipped)) }
}

/// Everything one archive says.
struct Feed {
    ecosystem: &'static Ecosystem,
    advisories: Vec<Advisory>,
    unreadable: Vec<String>,
    digest: String,
}

impl Feed {
    /// The ecosystem strings of this feed's own ecosystem. Rows of others are in their own feeds, too; taking them from here would make a
    /// shard that knows almost nothing look like coverage.
    fn ecosystems(&self) -> BTreeSet<String> {
        let own = |text: &&String| {
            ecosystem::of_text(text) == Some(self.ecosystem) || (self.ecosystem.releases == Releases::None && *text == self.ecosystem.name)
        };
        self.advisories.iter().flat_map(|advisory| &advisory.affected).map(|affected| &affected.ecosystem).filter(own).cloned().collect()
    }
}

/// The first entry of a language feed with a suffix that this language does not have: no shard would hold it.
fn misplaced(ecosystem: &Ecosystem, advisory: &Advisory) -> Option<String> {
    let texts = advisory.affected.iter().map(|affected| &affected.ecosystem);
    let mut wrong =
        texts.filter(|text| ecosystem.releases == Releases::None && text.split_once(':').is_some_and(|(name, _)| name == ecosystem.name));
    wrong.next().map(|text| text.chars().take(80).collect())
}

/// Whether a record is withdrawn by now: a date that does not read or has not come withdraws nothing.
fn is_past(date: &str, built_at: Timestamp) -> bool {
    date.parse::<Timestamp>().is_ok_and(|date| date <= built_at)
}

fn read_feed(ecosystem: &'static Ecosystem, path: &Path, built_at: Timestamp) -> Result<Feed, Error> {
    let io = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let broken = |reason: String| Error::Feed { feed: ecosystem.name.to_owned(), reason };
    let digest = hash_file(path).map_err(io)?;
    let file = BufReader::new(File::open(path).map_err(io)?);
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(error.to_string()))?;
    if archive.len() > MAX_ENTRIES {
        return Err(broken("the archive has too many files".to_owned()));
    }
    let (mut advisories, mut unreadable) = (Vec::new(), Vec::new());
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
            unreadable.push(format!("{name} (larger than {MAX_RECORD} bytes)"));
            continue;
        }
        match osv::parse_record(&bytes) {
            Ok(mut advisory) => {
                if let Some(text) = misplaced(ecosystem, &advisory) {
                    unreadable.push(format!("{name} (no packages are of `{text}`)"));
                }
                advisory.withdrawn = advisory.withdrawn.filter(|date| is_past(date, built_at));
                advisories.push(advisory);
            }
            Err(reason) => unreadable.push(format!("{name} ({reason})")),
        }
    }
    // Some feeds hold one record once per release folder; equal ones are one record.
    advisories.sort_by(|a, b| a.id.cmp(&b.id));
    advisories.dedup();
    unreadable.sort();
    Ok(Feed { ecosystem, advisories, unreadable, digest })
}

fn hash_file(path: &Path) -> Result<String, std::io::Error> {
    let mut file = File::open(path)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish().to_string());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}

fn write_shard(feed: &Feed, text: &str, name: String, built_at: Timestamp, written: &mut Written) -> Result<ShardSummary, Error> {
    let own = |advisory: &&Advisory| advisory.affected.iter().any(|affected| affected.ecosystem == text);
    let advisories: Vec<&Advisory> = feed.advisories.iter().filter(own).collect();
    let newest = advisories.iter().filter_map(|advisory| advisory.modified.as_deref()?.parse::<Timestamp>().ok()).max();
    let newest = newest.filter(|date| date.as_second() >= FIRST_DATE).map(|date| date.min(built_at));
    let as_of = newest.map(|date| date.to_string());
    let feed_name = format!("osv:{}/all.zip", feed.ecosystem.name);
    let mut facts = BTreeMap::from([
        ("builder", concat!("plimsoll ", env!("CARGO_PKG_VERSION")).to_owned()),
        ("ecosystem", text.to_owned()),
        ("feed", feed_name.clone()),
        ("feed-digest", feed.digest.clone()),
        ("licence", feed.ecosystem.licence.to_owned()),
    ]);
    if let Some(as_of) = &as_of {
        facts.insert("as-of", as_of.clone());
    }
    // Debian's records by CVE list what is not fixed yet; its DSA and DLA lists, and the other distributions' records, do not.
    if advisories.iter().any(|advisory| advisory.id.0.starts_with("DEBIAN-CVE-")) {
        facts.insert("unfixed", "listed".to_owned());
    }
    if !feed.unreadable.is_empty() {
        facts.insert("unreadable", feed.unreadable.len().to_string());
        facts.insert("unreadable-names", named(&feed.unreadable));
    }
    let newest = newest.and_then(|date| u64::try_from(date.as_second()).ok()).unwrap_or(0);
    let contents = Contents { ecosystem: text, kind: feed.ecosystem.kind, facts, newest, advisories: &advisories };
    let encoded = encode(&contents)?;
    written.write(&name, &encoded.bytes)?;
    Ok(ShardSummary { name, records: advisories.len(), rows: encoded.rows, as_of, feed: feed_name, bytes: encoded.bytes.len() })
}

/// Files under temporary names; dropped without [`Written::into_place`], they are removed.
pub(in crate::advisory) struct Written {
    out: PathBuf,
    temporary: Vec<(PathBuf, PathBuf)>,
}

impl Written {
    /// Writes one shard under its temporary name.
    pub(in crate::advisory) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let temporary = self.out.join(format!(".{name}.{EXTENSION}.new"));
        self.temporary.push((temporary.clone(), self.out.join(format!("{name}.{EXTENSION}"))));
        fs::write(&temporary, bytes).map_err(|source| Error::Io { doing: "write", path: temporary, source })
    }

    fn into_place(mut self) -> Result<(), Error> {
        for (temporary, place) in std::mem::take(&mut self.temporary) {
            fs::rename(&temporary, &place).map_err(|source| Error::Io { doing: "rename", path: place, source })?;
        }
        Ok(())
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for (temporary, _) in &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

fn gap(subject: &str, reason: &str) -> Gap {
    Gap::new(SourceId::Offline, "no-advisories", subject, reason)
}

fn named(list: &[String]) -> String {
    let mut names: Vec<&str> = list.iter().take(NAMED).map(String::as_str).collect();
    if list.len() > NAMED {
        names.push("...");
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{Database, shard::reader::Shard};

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
            .collect()
    }

    fn feed_of(records: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("npm")).unwrap();
        let mut archive = zip::ZipWriter::new(File::create(folder.path().join("npm/all.zip")).unwrap());
        for (name, text) in records {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        folder
    }

    const RECORD: &str =
        r#"{"id":"PLIM-1","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[]}]}"#;

    #[test]
    fn the_archives_hold_the_records_beside_them() {
        for ecosystem in ["Alpine", "Debian", "PyPI", "crates.io", "npm"] {
            let folder = fixtures().join(ecosystem);
            let mut archive = zip::ZipArchive::new(File::open(folder.join("all.zip")).unwrap()).unwrap();
            assert_eq!(archive.len() + 1, fs::read_dir(&folder).unwrap().count(), "{ecosystem}: make_osv.py was not run");
            for index in 0..archive.len() {
                let mut entry = archive.by_index(index).unwrap();
                let beside = fs::read_to_string(folder.join(&*entry.name().unwrap())).unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                assert_eq!(text, beside);
            }
        }
    }

    #[test]
    fn the_same_feeds_make_the_same_bytes() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let summary = build(&fixtures(), first.path(), at("2026-11-01T00:00:00Z")).unwrap();
        build(&fixtures(), second.path(), at("2026-11-20T12:00:00Z")).unwrap();
        assert_eq!(files(first.path()), files(second.path()));
        let names: Vec<_> = summary.shards.iter().map(|shard| shard.name.as_str()).collect();
        assert_eq!(names, ["alpine-v3.20", "crates.io", "debian-11", "debian-12", "epss", "kev", "npm", "pypi"]);
        let npm = summary.shards.iter().find(|shard| shard.name == "npm").unwrap();
        assert_eq!((npm.records, npm.rows, npm.as_of.as_deref()), (4, 4, Some("2026-10-05T08:00:00Z")));
        let status = Database::open(first.path()).unwrap().status();
        assert_eq!((status[0].ecosystem.as_str(), status[0].release.as_deref()), ("Alpine", Some("v3.20")));
    }

    #[test]
    fn records_come_back_by_id_and_alias() {
        let out = tempfile::tempdir().unwrap();
        build(&fixtures(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        let database = Database::open(out.path()).unwrap();
        for ecosystem in ["Alpine", "Debian", "PyPI", "crates.io", "npm"] {
            for entry in fs::read_dir(fixtures().join(ecosystem))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|e| e == "json"))
            {
                let written = osv::parse_record(&fs::read(&entry).unwrap()).unwrap();
                let mut read = database.get(&written.id.0).unwrap().unwrap();
                let mut affected = written.affected.clone();
                affected
                    .iter_mut()
                    .filter(|affected| affected.ecosystem == "PyPI")
                    .for_each(|affected| affected.name = affected.name.to_lowercase());
                affected.sort_by(|a, b| (&a.ecosystem, &a.name).cmp(&(&b.ecosystem, &b.name)));
                read.affected.sort_by(|a, b| (&a.ecosystem, &a.name).cmp(&(&b.ecosystem, &b.name)));
                assert_eq!(read, Advisory { affected, ..written });
            }
        }
        assert_eq!(database.get("PLIM-2026-9999").unwrap(), None);
        let found = database.find("cve-2026-90007").unwrap();
        assert_eq!(found.iter().map(|advisory| advisory.id.0.as_str()).collect::<Vec<_>>(), ["PLIM-DSA-2026-0006"]);
        assert!(database.get("PLIM-2026-0032").unwrap().unwrap().withdrawn.is_some());
    }

    #[test]
    fn a_record_that_does_not_read_is_remembered_in_the_shard() {
        let feed = feed_of(&[("a.json", RECORD), ("b.json", "{\"id\":7}"), ("readme.txt", "x")]);
        let out = tempfile::tempdir().unwrap();
        let summary = build(feed.path(), out.path(), at("2025-01-01T00:00:00Z")).unwrap();
        assert_eq!(summary.gaps.len(), 1);
        let status = &Database::open(out.path()).unwrap().status()[0];
        // A record from the future does not make the shard younger than its build.
        assert_eq!((status.unreadable, status.as_of.as_deref()), (1, Some("2025-01-01T00:00:00Z")));
    }

    #[test]
    fn spelling_hides_no_record() {
        let named = |id: &str, ecosystem: &str| RECORD.replace("PLIM-1", id).replace("\"npm\"", &format!("\"{ecosystem}\""));
        let feed = feed_of(&[
            ("a.JSON", &named("PLIM-1", "npm")),
            ("b.json", &named("PLIM-2", "NPM")),
            ("c.Json", &named("PLIM-3", "npm:")),
            ("d.json", &named("PLIM-4", "npm:old")),
        ]);
        let out = tempfile::tempdir().unwrap();
        let summary = build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(summary.shards.iter().map(|shard| (shard.name.as_str(), shard.rows)).collect::<Vec<_>>(), [("npm", 3)]);
        assert_eq!(summary.gaps.len(), 1);
        assert!(summary.gaps[0].reason.contains("d.json (no packages are of `npm:old`)"), "{:?}", summary.gaps);
    }

    #[test]
    fn only_a_date_that_has_come_withdraws_a_record() {
        for (date, expected) in [
            ("no", false),
            ("", false),
            ("2999-01-01T00:00:00Z", false),
            ("2026-10-31T00:00:00Z", true),
            ("2020-01-01T00:00:00.123456Z", true),
        ] {
            let record = RECORD.replacen('{', &format!("{{\"withdrawn\":\"{date}\","), 1);
            let feed = feed_of(&[("a.json", &record)]);
            let out = tempfile::tempdir().unwrap();
            build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
            let found = Database::open(out.path()).unwrap().get("PLIM-1").unwrap().unwrap();
            assert_eq!(found.withdrawn.is_some(), expected, "{date}");
        }
    }

    #[test]
    fn a_damaged_archive_leaves_the_last_good_shard() {
        let feed = feed_of(&[("a.json", RECORD)]);
        let out = tempfile::tempdir().unwrap();
        build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        let before = files(out.path());
        let archive = feed.path().join("npm/all.zip");
        let mut bytes = fs::read(&archive).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(&archive, bytes).unwrap();
        assert!(matches!(build(feed.path(), out.path(), at("2026-11-01T00:00:00Z")), Err(Error::Feed { .. })));
        assert_eq!(files(out.path()), before);
    }

    #[test]
    fn an_empty_directory_is_no_database_and_no_feed() {
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(build(empty.path(), empty.path(), Timestamp::UNIX_EPOCH), Err(Error::NoFeeds(_))));
        let error = Database::open(empty.path()).unwrap_err();
        assert!(matches!(error, Error::NoDatabase(_)));
        assert_eq!(error.hint().as_deref(), Some("build one with `plimsoll db build --from DIR`"));
        assert!(matches!(Database::open(&empty.path().join("missing")), Err(Error::NoDatabase(_))));
    }

    /// The header with one more section of an unknown kind, a higher minor version, and its checksum made right again.
    fn newer(bytes: &[u8], major: u16) -> Vec<u8> {
        let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        let mut header = bytes[..length - 4].to_vec();
        header[8..10].copy_from_slice(&major.to_le_bytes());
        header[10..12].copy_from_slice(&7_u16.to_le_bytes());
        header[12..16].copy_from_slice(&u32::try_from(length + 32).unwrap().to_le_bytes());
        header[16..24].copy_from_slice(&(bytes.len() as u64 + 32).to_le_bytes());
        header[112] += 1;
        for entry in header[120..].chunks_mut(32) {
            for at in [8, 24] {
                let offset = u64::from_le_bytes(entry[at..at + 8].try_into().unwrap()) + 32;
                entry[at..at + 8].copy_from_slice(&offset.to_le_bytes());
            }
        }
        for number in [99_u64, 0, 0, 0] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        let sum = crc32c::crc32c(&header);
        [header, sum.to_le_bytes().to_vec(), bytes[length..].to_vec()].concat()
    }

    #[test]
    fn a_higher_minor_is_read_and_a_higher_major_refused() {
        let out = tempfile::tempdir().unwrap();
        build(&fixtures(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        let bytes = fs::read(out.path().join("npm.plimdb")).unwrap();
        let shard = Shard::from_bytes("npm", newer(&bytes, 1)).unwrap();
        assert_eq!(shard.rows("npm", "left-anchor").unwrap().len(), 2);
        let error = Shard::from_bytes("npm", newer(&bytes, 2)).unwrap_err();
        assert_eq!(error.to_string(), "database shard npm has format 2, this program reads format 1");
    }
}
