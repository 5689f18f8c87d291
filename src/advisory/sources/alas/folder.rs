//! Amazon Linux on disk: `amazon/<release>/<repository>/<arch>/updateinfo.xml.gz`, or beside it the `repodata/` of a mirrored repository, whose index and
//! digest are then checked. `amazon/repositories.txt`, if there is one, names what must be there. In: that folder; out: records and what could not be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::{
    Repository,
    record::{self, ECOSYSTEM, Records},
    repomd, updateinfo,
};
use crate::{
    advisory::{
        Error,
        build::{Gathered, Provenance, Unfixed},
        ecosystem::ECOSYSTEMS,
        sources::{Feed, Listing},
    },
    model::digest::Digest,
};

/// The folder below that of the feeds.
pub(in crate::advisory) const FOLDER: &str = "amazon";
/// The file that names every repository that belongs here.
pub(in crate::advisory) const MANIFEST: &str = "repositories.txt";
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
    let feeds = ecosystem.filter(|_| path.is_dir()).map(|ecosystem| Feed { ecosystem, name: format!("alas:{FOLDER}"), path });
    Listing { feeds: feeds.into_iter().collect(), skipped: Vec::new() }
}

/// Reads every repository. A release with a list that does not read is not built: its last good shard stays (A7).
pub(super) fn read(feed: &Feed, into: &mut Gathered) -> Result<(), Error> {
    let mut releases: BTreeMap<String, BTreeSet<Repository>> = BTreeMap::new();
    for repository in there(&feed.path)? {
        releases.entry(repository.release.clone()).or_default().insert(repository);
    }
    let expected = manifest(&feed.path.join(MANIFEST))?;
    let mut listing = String::new();
    for (release, repositories) in releases {
        let text = record::ecosystem(&release);
        match read_release(&feed.path, &repositories, &mut listing) {
            Ok(records) => {
                let missing = expected.iter().filter(|repository| repository.release == release && !repositories.contains(repository));
                let missing =
                    missing.map(|repository| format!("{}/{} (its updates could never be fetched)", repository.name, repository.arch));
                let facts = into.release(&text);
                facts.unfixed = Some(Unfixed::Unknown);
                facts.unreadable.extend(missing.chain(records.unreadable.iter().cloned()));
                into.advisories.extend(records.finish(&release));
            }
            Err(error) => into.release(&text).broken = Some(error.to_string()),
        }
    }
    into.feeds.push(Provenance { feed: feed.name.clone(), digest: Digest::sha256_of(listing.as_bytes()).to_string(), url: None });
    Ok(())
}

/// Reads the repositories of one release; `listing` gets a line for each file.
fn read_release(folder: &Path, repositories: &BTreeSet<Repository>, listing: &mut String) -> Result<Records, Error> {
    let mut records = Records::default();
    for repository in repositories {
        let place = [&repository.release, &repository.name, &repository.arch].map(String::as_str).join("/");
        let broken = |reason: String| Error::Feed { feed: format!("{FOLDER}/{place}"), reason };
        let path = folder.join(&place);
        let Some(list) = list_in(&path, &broken)? else { continue };
        let bytes = read_file(&list, MAX_PACKED)?;
        let digest = Digest::sha256_of(&bytes);
        listing.push_str(&format!("{place} {digest}\n"));
        for update in unpacked(&list, &bytes).map_err(broken)? {
            records.add(repository, update);
        }
    }
    Ok(records)
}

fn unpacked(path: &Path, bytes: &[u8]) -> Result<Vec<updateinfo::Update>, String> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => updateinfo::read_updates(BufReader::new(flate2::bufread::MultiGzDecoder::new(bytes))),
        Some("xml") => updateinfo::read_updates(bytes),
        other => Err(format!("a list of updates packed as `{}` is not read by this version, only gzip is", other.unwrap_or_default())),
    }
}

/// The list of updates of a repository; `None` when it has none, as some extras do.
fn list_in(path: &Path, broken: &impl Fn(String) -> Error) -> Result<Option<PathBuf>, Error> {
    let plain = [UPDATES, UNPACKED].map(|name| path.join(name)).into_iter().find(|path| path.is_file());
    let index = path.join("repodata/repomd.xml");
    if plain.is_some() || !index.is_file() {
        return Ok(plain);
    }
    let Some(list) = repomd::update_list(&read_file(&index, MAX_TEXT)?).map_err(|error| broken(format!("repomd.xml: {error}")))? else {
        return Ok(None);
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

/// The repositories that a manifest names; a line that is none is left out. Without a manifest none is expected.
fn manifest(path: &Path) -> Result<BTreeSet<Repository>, Error> {
    if !path.is_file() {
        return Ok(BTreeSet::new());
    }
    let bytes = read_file(path, MAX_TEXT)?;
    Ok(String::from_utf8_lossy(&bytes).lines().filter_map(manifest_entry).take(MAX_FOLDERS).collect())
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
