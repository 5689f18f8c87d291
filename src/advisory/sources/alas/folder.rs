//! Amazon Linux on disk: `amazon/<release>/<repository>/<arch>/updateinfo.xml.gz`, or beside it the `repodata/` of a mirrored repository, whose index and
//! digest are then checked. `amazon/repositories.txt`, if there is one, names what must be there, and `amazon/failed.txt` what could not be asked for when
//! the rest was. In: that folder; out: records and what could not be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    Repository,
    failed::{FAILED, read_failed},
    record::{self, ECOSYSTEM, Records},
    repomd, updateinfo,
};
use crate::{
    advisory::{
        Error,
        build::{Gathered, Provenance, Unfixed},
        ecosystem::ECOSYSTEMS,
        sources::{Feed, Listing, is_there},
    },
    model::digest::Digest,
};

/// The folder below that of the feeds.
pub(in crate::advisory) const FOLDER: &str = "amazon";
/// The file that names every repository that belongs here.
pub(in crate::advisory) const MANIFEST: &str = "repositories.txt";
/// The repository that most packages come from.
const CORE: &str = "core";
/// The list of updates of one repository and architecture.
pub(in crate::advisory) const UPDATES: &str = "updateinfo.xml.gz";
/// The list unpacked, for mirrors that keep it so.
const UNPACKED: &str = "updateinfo.xml";
/// Folders of one level.
const MAX_FOLDERS: usize = 2_000;
/// A packed list; the largest published ones have a few megabytes.
const MAX_PACKED: u64 = 256 << 20;
/// Index and manifest are pages of text.
const MAX_TEXT: u64 = 4 << 20;

/// The feed, if the folder is there.
pub(super) fn find(from: &Path) -> Listing {
    let path = from.join(FOLDER);
    let ecosystem = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == ECOSYSTEM);
    let feeds = ecosystem.filter(|_| is_there(&path)).map(|ecosystem| Feed { ecosystem, name: format!("alas:{FOLDER}"), path });
    Listing { feeds: feeds.into_iter().collect(), skipped: Vec::new() }
}

/// Reads every repository. A release with a list that does not read is not built: its last good shard stays (A7).
pub(super) fn read(feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
    let mut releases: BTreeMap<String, BTreeSet<Repository>> = BTreeMap::new();
    for repository in there(&feed.path)? {
        releases.entry(repository.release.clone()).or_default().insert(repository);
    }
    let expected = manifest(&feed.path.join(MANIFEST))?;
    let failed = text(&feed.path.join(FAILED))?.map(|text| read_failed(&text)).unwrap_or_default();
    let mut listing = String::new();
    for (release, repositories) in releases {
        let text = record::ecosystem(&release);
        match read_release(&feed.path, &repositories, expected.as_ref(), &failed, &mut listing) {
            Ok(Read { records, arches, known_until }) => {
                if let Some(time) = known_until {
                    into.bound(&text, time);
                }
                let expected = expected.iter().flatten();
                let missing = expected.filter(|repository| repository.release == release && !repositories.contains(repository));
                let missing =
                    missing.map(|repository| format!("{}/{} (its updates could never be fetched)", repository.name, repository.arch));
                let facts = into.release(&text);
                facts.unfixed = Some(Unfixed::Unknown);
                facts.arches = Some(arches);
                facts.unreadable.extend(missing.chain(records.unreadable.iter().cloned()));
                into.advisories.extend(records.finish(&release));
            }
            Err(error) => into.release(&text).broken = Some(error.to_string()),
        }
    }
    into.feeds.push(Provenance { feed: feed.name.clone(), digest: Digest::sha256_of(listing.as_bytes()).to_string(), url: None });
    Ok(())
}

/// What the repositories of one release say.
#[derive(Default)]
struct Read {
    records: Records,
    /// The architectures of the repository that every package comes from unless it is of an extra.
    arches: BTreeSet<String>,
    /// When the oldest copy that stays for want of a new one was last right, as far as anything says so: it is silent about what was published since.
    known_until: Option<Timestamp>,
}

/// Reads the repositories of one release; `listing` gets a line for each file.
fn read_release(
    folder: &Path,
    repositories: &BTreeSet<Repository>,
    expected: Option<&BTreeSet<Repository>>,
    failed: &BTreeMap<Repository, Option<Timestamp>>,
    listing: &mut String,
) -> Result<Read, Error> {
    let Read { mut records, mut arches, mut known_until } = Read::default();
    for repository in repositories {
        let place = [&repository.release, &repository.name, &repository.arch].map(String::as_str).join("/");
        let broken = |reason: String| Error::Feed { feed: format!("{FOLDER}/{place}"), reason };
        let path = folder.join(&place);
        // The list of an extra that has none any more is removed, and its folder stays.
        let is_expected = expected.is_none_or(|expected| expected.contains(repository));
        let Some(list) = list_in(&path, repository, is_expected, &broken)? else { continue };
        let bytes = read_file(&list, MAX_PACKED)?;
        let digest = Digest::sha256_of(&bytes);
        listing.push_str(&format!("{place} {digest}\n"));
        let mut newest: Option<Timestamp> = None;
        let mut add = |update: updateinfo::Update| {
            if failed.contains_key(repository) {
                newest = newest.max(record::modified(&update).and_then(|date| date.parse().ok()));
            }
            records.add(repository, update);
        };
        unpack(&list, &bytes, &mut add).map_err(broken)?;
        if let Some(time) = failed.get(repository) {
            let time = time.or(newest).unwrap_or(Timestamp::UNIX_EPOCH);
            known_until = Some(known_until.map_or(time, |known| known.min(time)));
        }
        if repository.name == CORE {
            arches.insert(repository.arch.clone());
        }
    }
    Ok(Read { records, arches, known_until })
}

fn unpack(path: &Path, bytes: &[u8], each: &mut dyn FnMut(updateinfo::Update)) -> Result<(), String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => updateinfo::read_updates(BufReader::new(flate2::bufread::MultiGzDecoder::new(bytes)), each),
        Some("xml") => updateinfo::read_updates(bytes, each),
        other => Err(format!("a list of updates packed as `{}` is not read by this version, only gzip is", other.unwrap_or_default())),
    }
}

/// The list of updates of a repository; `None` when its own index names none, as that of some extras does. A folder with nothing in it says nothing of
/// the kind.
fn list_in(path: &Path, repository: &Repository, is_expected: bool, broken: &impl Fn(String) -> Error) -> Result<Option<PathBuf>, Error> {
    let plain = [UPDATES, UNPACKED].map(|name| path.join(name)).into_iter().find(|path| is_there(path));
    let index = path.join("repodata/repomd.xml");
    let is_core = repository.name == CORE;
    match plain {
        Some(plain) => return Ok(Some(plain)),
        None if is_there(&index) => {}
        None if is_expected || is_core => {
            return Err(broken("there is neither a list of updates nor an index of the repository".to_owned()));
        }
        None => return Ok(None),
    }
    let Some(list) = repomd::update_list(&read_file(&index, MAX_TEXT)?).map_err(|error| broken(format!("repomd.xml: {error}")))? else {
        return if is_core { Err(broken("repomd.xml names no list of updates".to_owned())) } else { Ok(None) };
    };
    let found = path.join(&list.href);
    if !list.digest.matches(&read_file(&found, MAX_PACKED)?) {
        return Err(broken(format!("{} does not have the digest that repomd.xml names", list.href)));
    }
    Ok(Some(found))
}

fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let io = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(most + 1).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(io(std::io::Error::other(format!("it is larger than {most} bytes"))));
    }
    Ok(bytes)
}

/// Every repository that has a folder.
fn there(folder: &Path) -> Result<BTreeSet<Repository>, Error> {
    let mut found = BTreeSet::new();
    for release in folders(folder)? {
        for name in folders(&folder.join(&release))? {
            for arch in folders(&folder.join(&release).join(&name))? {
                found.insert(Repository { release: release.clone(), name: name.clone(), arch });
            }
        }
    }
    Ok(found)
}

/// Names of the folders in a folder that are fit for one, sorted.
fn folders(folder: &Path) -> Result<BTreeSet<String>, Error> {
    let io = |source| Error::Io { doing: "read", path: folder.to_owned(), source };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if let Some(name) = entry.file_name().to_str().filter(|name| is_name(name) && entry.path().is_dir()) {
            names.insert(name.to_owned());
        }
        if names.len() > MAX_FOLDERS {
            return Err(Error::TooLarge("folders of Amazon Linux"));
        }
    }
    Ok(names)
}

/// The repositories that a manifest names; a line that is none is left out.
fn manifest(path: &Path) -> Result<Option<BTreeSet<Repository>>, Error> {
    Ok(text(path)?.map(|text| text.lines().filter_map(manifest_entry).take(MAX_FOLDERS).collect()))
}

/// A file of text, if it is there.
fn text(path: &Path) -> Result<Option<String>, Error> {
    if !is_there(path) {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&read_file(path, MAX_TEXT)?).into_owned()))
}

/// One line of the manifest: `<release>/<repository>/<arch>`.
pub(in crate::advisory) fn manifest_entry(line: &str) -> Option<Repository> {
    let parts: Vec<&str> = line.trim().split('/').collect();
    match parts.as_slice() {
        [release, name, arch] if [release, name, arch].iter().all(|part| is_name(part)) => {
            Some(Repository { release: (*release).to_owned(), name: (*name).to_owned(), arch: (*arch).to_owned() })
        }
        _ => None,
    }
}

/// A name that is a name in every file system and URL.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-' | '+'))
}
