//! Feeds on disk to shards. In: a directory laid out like a mirror, e.g. the OSV bucket (`<Ecosystem>/all.zip`), with the KEV and EPSS files if it
//! has them; out: one file per ecosystem or distribution release, the same bytes for the same feeds (advisories.md D8), put in place by rename.

mod gathered;
#[cfg(test)]
mod hostile;
mod kept;
mod listed;
mod notice;
mod shards;
mod written;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Mutex,
    thread,
};

use jiff::Timestamp;

pub(in crate::advisory) use gathered::is_withdrawn;
pub use gathered::{Gathered, Provenance, Release, Unfixed};
pub use kept::KeptShard;
pub(in crate::advisory) use listed::drop_implied;
pub(in crate::advisory) use notice::notice;
pub(in crate::advisory) use shards::line;
pub use written::WriterLock;
pub(in crate::advisory) use written::Written;

use crate::{
    advisory::{
        Error, exploitation,
        sources::{AdvisorySource, Feed, SOURCES, Stage},
    },
    model::coverage::Gap,
};

/// More threads would hold more ecosystems in memory at once.
const THREADS: usize = 2;

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSummary {
    /// Shards written, sorted by name.
    pub shards: Vec<ShardSummary>,
    /// Feeds or records that could not be read; an older shard of such a feed stays in place.
    pub gaps: Vec<Gap>,
    /// Feeds in the directory that this version cannot match, sorted.
    pub skipped: Vec<String>,
    /// Shards that stay as they were although nothing in the directory is about them any more, sorted by name.
    pub kept: Vec<KeptShard>,
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
    /// Size of the text file beside it; 0 when there is none.
    pub text_bytes: usize,
}

/// Builds every feed of `from` into `out`. `built_at` only bounds what a record may say about its own age: no shard is newer than its build.
///
/// # Errors
/// When there is no feed, none of them can be read, or `out` cannot be written.
pub fn build(from: &Path, out: &Path, built_at: Timestamp) -> Result<BuildSummary, Error> {
    // A folder without feeds is not worth a database folder.
    check_for_feeds(from, &groups_in(from)?.0)?;
    build_locked(from, &WriterLock::acquire(out)?, built_at)
}

/// [`build`] for a caller that holds the lock, because it has more to do than build.
///
/// # Errors
/// As [`build`].
pub fn build_locked(from: &Path, lock: &WriterLock, built_at: Timestamp) -> Result<BuildSummary, Error> {
    build_with(from, lock, built_at, THREADS, None)
}

/// [`build_locked`] for the ecosystems of these names alone; KEV and EPSS are always built.
///
/// # Errors
/// As [`build`].
pub(in crate::advisory) fn build_some(
    from: &Path,
    lock: &WriterLock,
    built_at: Timestamp,
    ecosystems: &BTreeSet<&str>,
) -> Result<BuildSummary, Error> {
    build_with(from, lock, built_at, THREADS, Some(ecosystems))
}

fn check_for_feeds(from: &Path, groups: &Groups) -> Result<(), Error> {
    let nothing = groups.is_empty() && exploitation::KINDS.iter().all(|kind| kind.file_in(from).is_none());
    if nothing { Err(Error::NoFeeds(from.display().to_string())) } else { Ok(()) }
}

fn build_with(
    from: &Path,
    writer: &WriterLock,
    built_at: Timestamp,
    threads: usize,
    only: Option<&BTreeSet<&str>>,
) -> Result<BuildSummary, Error> {
    let (mut groups, skipped) = groups_in(from)?;
    check_for_feeds(from, &groups)?;
    groups.retain(|name, _| only.is_none_or(|only| only.contains(name)));
    let written = Mutex::new(Written::new(writer));
    let queue = Mutex::new(groups.into_iter());
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    // The guard must go before the work begins.
                    let next = lock(&queue).next();
                    let Some((name, feeds)) = next else { break };
                    let result = build_group(&feeds, built_at, &written);
                    lock(&results).push((name, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut written = written.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    results.sort_by_key(|(name, _)| *name);
    let mut summary = BuildSummary { shards: Vec::new(), gaps: Vec::new(), skipped, kept: Vec::new() };
    let (mut first_error, mut failed) = (None, BTreeSet::new());
    for (name, result) in results {
        match result {
            Ok((shards, gaps)) => {
                summary.shards.extend(shards);
                summary.gaps.extend(gaps);
            }
            // Without room for its files there is no database; a feed that is not whole is another matter.
            Err(error @ Error::Io { doing: "write", .. }) => return Err(error),
            Err(error) => {
                summary.gaps.push(shards::gap(name, &reason(&error)));
                failed.insert(name);
                first_error.get_or_insert(error);
            }
        }
    }
    let exploitation_error = exploitation::build_into(from, built_at, &mut written, &mut summary)?;
    // Of a part nothing may come: the rest of the database is there already.
    if summary.shards.is_empty() && only.is_none() {
        return Err(first_error.or(exploitation_error).unwrap_or_else(|| Error::NoFeeds(from.display().to_string())));
    }
    if only.is_none() {
        summary.kept = kept::kept(writer.folder(), &written, &failed, &summary.gaps)?;
    }
    written.into_place()?;
    summary.shards.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(summary)
}

/// What went wrong, in one line; of a file also why.
fn reason(error: &Error) -> String {
    match error {
        Error::Io { source, .. } => format!("{error}: {source}"),
        error => error.to_string(),
    }
}

/// A source and one of its feeds.
type Sourced = (&'static dyn AdvisorySource, Feed);
/// By name of the ecosystem.
type Groups = BTreeMap<&'static str, Vec<Sourced>>;

/// The feeds of each ecosystem of which somebody has records, in the order in which they are read; and the names of those that cannot be built.
fn groups_in(from: &Path) -> Result<(Groups, Vec<String>), Error> {
    let mut groups = Groups::new();
    let mut skipped = Vec::new();
    for source in SOURCES {
        let listing = source.find(from)?;
        skipped.extend(listing.skipped.iter().map(|name| line(name)));
        for feed in listing.feeds {
            groups.entry(feed.ecosystem.name).or_default().push((*source, feed));
        }
    }
    groups.retain(|_, feeds| feeds.iter().any(|(source, _)| source.stage() == Stage::Records));
    for feeds in groups.values_mut() {
        feeds.sort_by(|(a, x), (b, y)| (a.stage(), a.id(), &x.name).cmp(&(b.stage(), b.id(), &y.name)));
    }
    skipped.sort();
    skipped.dedup();
    Ok((groups, skipped))
}

/// Reads, encodes and writes one ecosystem; its memory is free again when this returns.
fn build_group(feeds: &[Sourced], built_at: Timestamp, written: &Mutex<Written<'_>>) -> Result<(Vec<ShardSummary>, Vec<Gap>), Error> {
    let Some((_, first)) = feeds.first() else { return Ok((Vec::new(), Vec::new())) };
    let mut gathered = Gathered::new(first.ecosystem, built_at);
    for (source, feed) in feeds {
        source.read(feed, &mut gathered)?;
    }
    gathered.finish();
    let mut summaries = Vec::new();
    let gaps = shards::shards_of(&gathered, |shard| {
        lock(written).write(&shard.summary.name, &shard.encoded)?;
        summaries.push(shard.summary);
        Ok(())
    })?;
    Ok((summaries, gaps))
}

/// A lock whose holder panicked is as good as any: the panic itself ends the build.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        fs::{self, File},
        io::Read as _,
        path::PathBuf,
    };

    use super::*;
    use crate::{
        advisory::{Database, shard::reader::Shard, sources::osv},
        model::advisory::Advisory,
    };

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
            .filter(|(name, _)| name != ".lock")
            .collect()
    }

    pub(super) fn feed_of(records: &[(&str, &str)]) -> tempfile::TempDir {
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

    pub(super) const RECORD: &str =
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
    fn neither_threads_nor_the_order_of_an_archive_change_a_byte() {
        let built = |from: &Path, threads| {
            let out = tempfile::tempdir().unwrap();
            build_with(from, &WriterLock::acquire(out.path()).unwrap(), at("2026-11-01T00:00:00Z"), threads, None).unwrap();
            files(out.path())
        };
        let expected = built(&fixtures(), 1);
        for threads in [2, 3, 8] {
            assert_eq!(built(&fixtures(), threads), expected, "{threads} threads");
        }
        let records: Vec<_> = (0..40)
            .map(|n| {
                (format!("{n}.json"), RECORD.replace("PLIM-1", &format!("PLIM-{}", n % 37)).replace("\"a\"", &format!("\"p{}\"", n % 7)))
            })
            .collect();
        let mut list: Vec<(&str, &str)> = records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let forth = feed_of(&list);
        list.reverse();
        let back = feed_of(&list);
        // The digest of the archive is another one and stands in the facts; everything else is equal.
        let shape = |files: BTreeMap<String, Vec<u8>>| {
            let shard = Shard::from_bytes("npm", files["npm.plimdb"].clone()).unwrap();
            let records: Vec<_> = (0..shard.header().records).map(|number| shard.record_without_text(number).unwrap()).collect();
            let rows: Vec<_> = (0..7).map(|n| format!("{:?}", shard.rows("npm", &format!("p{n}"), &|_| false).unwrap().listed)).collect();
            (files.into_iter().map(|(name, bytes)| (name, bytes.len())).collect::<Vec<_>>(), records, rows)
        };
        assert_eq!(shape(built(forth.path(), 2)), shape(built(back.path(), 2)));
    }

    #[test]
    fn readers_beside_a_builder_see_whole_shards() {
        let of = |word: &str| {
            feed_of(&[("a.json", &RECORD.replacen('{', &format!("{{\"summary\":\"{word}\",\"details\":\"{word} {word}\","), 1))])
        };
        let (old, new) = (of("old"), of("new"));
        let out = tempfile::tempdir().unwrap();
        build(old.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        let first = Database::open(out.path()).unwrap();
        thread::scope(|scope| {
            let builder = scope.spawn(|| {
                for round in 0..60 {
                    let from = if round % 2 == 0 { &new } else { &old };
                    build(from.path(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
                }
            });
            let mut seen = BTreeMap::<String, u32>::new();
            while !builder.is_finished() {
                let found = Database::open(out.path()).unwrap().get("PLIM-1").unwrap().unwrap();
                assert_eq!(found.details, format!("{0} {0}", found.summary));
                *seen.entry(found.summary).or_default() += 1;
            }
            assert!(!seen.is_empty());
        });
        // Who opened the first database has it still.
        assert_eq!(first.get("PLIM-1").unwrap().unwrap().summary, "old");
        assert_eq!(files(out.path()).len(), 2, "the texts of earlier builds are gone");
    }

    #[test]
    fn a_builder_that_died_leaves_the_old_database_and_no_rubbish() {
        let out = tempfile::tempdir().unwrap();
        build(&fixtures(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        let before = files(out.path());
        // As after a kill: unfinished files, and a text that was put in place before its shard.
        let lock = WriterLock::acquire(out.path()).unwrap();
        let mut left = Written::new(&lock);
        left.write_file("npm.0123456789abcdef.plimtext", b"half").unwrap();
        left.write_file("npm.plimdb", b"half").unwrap();
        std::mem::forget(left);
        drop(lock);
        fs::rename(out.path().join(".npm.0123456789abcdef.plimtext.new"), out.path().join("npm.0123456789abcdef.plimtext")).unwrap();
        assert!(Database::open(out.path()).unwrap().get("PLIM-2026-0021").unwrap().is_some());
        build(&fixtures(), out.path(), at("2026-11-01T00:00:00Z")).unwrap();
        assert_eq!(files(out.path()), before);
        // Killed after its last rename: the texts that were replaced are still there, also one whose shard is not.
        for text in ["npm.0123456789abcdef.plimtext", "gone.0123456789abcdef.plimtext"] {
            fs::write(out.path().join(text), b"old").unwrap();
        }
        WriterLock::acquire(out.path()).unwrap();
        assert_eq!(files(out.path()), before);
        // Whatever else has such a name is not ours, and a shard may be a link.
        fs::write(out.path().join("npm.backup.plimtext"), b"kept").unwrap();
        fs::rename(out.path().join("npm.plimdb"), out.path().join("moved")).unwrap();
        std::os::unix::fs::symlink("moved", out.path().join("npm.plimdb")).unwrap();
        let linked = files(out.path());
        WriterLock::acquire(out.path()).unwrap();
        assert_eq!(files(out.path()), linked);
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
                let mut written = osv::parse_record(&fs::read(&entry).unwrap()).unwrap();
                let scheme = crate::advisory::ecosystem::ECOSYSTEMS.iter().find(|found| found.name == ecosystem).unwrap().scheme;
                drop_implied(&mut written, scheme);
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
        assert!(["db update", "db pull", "db build"].iter().all(|way| error.hint().unwrap().contains(way)));
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
        let shard = Shard::from_bytes("npm", newer(&bytes, 2)).unwrap();
        assert_eq!(shard.rows("npm", "left-anchor", &|_| false).unwrap().listed.len(), 2);
        let error = Shard::from_bytes("npm", newer(&bytes, 3)).unwrap_err();
        assert_eq!(error.to_string(), "database shard npm has format 3, this program reads format 2");
    }
}
