//! The downloads that are kept between updates: the folder `feeds` of a database, laid out like a mirror so that `build` reads it, and `state.json` with
//! what is known of each file. In: files that came whole; out: files in place by rename, and what a server has to be asked.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::transfer::{Known, Place, Received};
use crate::{
    advisory::{Error, sources::osv::ASKED},
    model::digest::Digest,
};

/// The folder in that of the database.
pub(super) const FOLDER: &str = "feeds";
const STATE: &str = "state.json";
/// Downloads on their way.
const INCOMING: &str = ".incoming";
/// The layout of the state; another one is as good as none.
const FORMAT: u32 = 2;
/// Some hundred files with half a kilobyte each.
const MAX_STATE: u64 = 16 << 20;

/// What is known of everything in the folder.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    format: u32,
    /// By place below the folder, with slashes.
    files: BTreeMap<String, FileState>,
    /// When the last update got something.
    #[serde(default)]
    updated: Option<Timestamp>,
    /// What the database was built from.
    #[serde(default)]
    pub(super) built: Built,
}

/// What is known of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FileState {
    /// Where it came from: a hash, because addresses hold tokens.
    place: String,
    digest: String,
    etag: Option<String>,
    last_modified: Option<String>,
    /// When it was last fetched as a whole; records that were brought in since do not count.
    whole: String,
}

/// What the database was built from.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Built {
    /// The program that built it.
    pub(super) builder: String,
    /// Digests of the files that went into it, by place.
    pub(super) files: BTreeMap<String, String>,
    /// Digests of the shards that came out, by what they are about (an OSV ecosystem, `KEV`, `EPSS`) and name.
    #[serde(default)]
    pub(super) shards: BTreeMap<String, BTreeMap<String, String>>,
    /// Digests of shards that stood in their place, came from elsewhere and stayed, by name.
    #[serde(default)]
    pub(super) others: BTreeMap<String, String>,
}

/// The folder, held by one process.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    state: Mutex<State>,
}

impl Folder {
    /// Opens the folder, which is made if it is not there; what an earlier process left half done is removed. A state that does not read is none:
    /// everything is fetched again.
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        let incoming = root.join(INCOMING);
        if incoming.exists() {
            fs::remove_dir_all(&incoming).map_err(io("remove", &incoming))?;
        }
        fs::create_dir_all(&incoming).map_err(io("create", &incoming))?;
        let state = read_state(&root.join(STATE)).unwrap_or_default();
        Ok(Self { root: root.to_owned(), state: Mutex::new(state) })
    }

    /// Where the feeds are.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Where downloads go first.
    pub(super) fn incoming(&self) -> PathBuf {
        self.root.join(INCOMING)
    }

    /// The path of a file.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        name.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    /// What is known of a file that came from `place` and is still as it was put there.
    pub(super) fn known(&self, name: &str, place: &Place) -> Option<Known> {
        let file = self.lock().files.get(name).filter(|file| file.place == place.identity())?.clone();
        let digest = Digest::parse(&file.digest).ok()?;
        let is_whole = hash(&self.path(name)).is_ok_and(|found| found == digest);
        is_whole.then_some(Known { etag: file.etag, last_modified: file.last_modified, digest: Some(digest) })
    }

    /// When a file was last fetched as a whole.
    pub(super) fn whole(&self, name: &str) -> Option<Timestamp> {
        self.lock().files.get(name).and_then(|file| file.whole.parse().ok())
    }

    /// Puts a file in its place. The state follows the file: a process that ends in between leaves a file that the state does not know, which is
    /// fetched again.
    pub(super) fn put(&self, name: &str, place: &Place, received: Received, whole: Timestamp) -> Result<(), Error> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io("create", parent))?;
        }
        fs::rename(&received.path, &path).map_err(io("rename", &path))?;
        let Received { digest, etag, last_modified, .. } = received;
        let file = FileState { place: place.identity(), digest: digest.to_string(), etag, last_modified, whole: whole.to_string() };
        let mut state = self.lock();
        state.files.insert(name.to_owned(), file);
        self.save(&state)
    }

    /// Whether anything of a feed is kept: a folder with something in it.
    pub(super) fn has(&self, folder: &str) -> bool {
        fs::read_dir(self.path(folder)).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Writes a note beside a feed, or removes it. Notes are no feeds: the state does not know them.
    pub(super) fn note(&self, name: &str, text: Option<&str>) -> Result<(), Error> {
        let path = self.path(name);
        let Some(text) = text else {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("remove", &path)(error)),
                _ => Ok(()),
            };
        };
        let new = self.incoming().join(name.replace('/', "-"));
        fs::write(&new, text).map_err(io("write", &new))?;
        fs::rename(&new, &path).map_err(io("rename", &path))
    }

    /// Notes that the user asked for an ecosystem that is off by default; the builder looks for the note beside the archive.
    pub(super) fn mark_as_asked(&self, ecosystem: &str) -> Result<(), Error> {
        let folder = self.path(ecosystem);
        let note = folder.join(ASKED);
        if folder.is_dir() { fs::write(&note, "").map_err(io("write", &note)) } else { Ok(()) }
    }

    /// Removes a file that there is no more.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io("remove", &path)(error)),
            _ => {}
        }
        let mut state = self.lock();
        if state.files.remove(name).is_some() { self.save(&state) } else { Ok(()) }
    }

    /// Digests of every file that the state knows, by place.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        self.lock().files.iter().map(|(name, file)| (name.clone(), file.digest.clone())).collect()
    }

    /// What the database was built from.
    pub(super) fn built(&self) -> Built {
        self.lock().built.clone()
    }

    /// Remembers when feeds were got.
    pub(super) fn set_updated(&self, now: Timestamp) -> Result<(), Error> {
        let mut state = self.lock();
        state.updated = Timestamp::from_second(now.as_second()).ok();
        self.save(&state)
    }

    /// Remembers what the database was built from.
    pub(super) fn set_built(&self, built: Built) -> Result<(), Error> {
        let mut state = self.lock();
        state.built = built;
        self.save(&state)
    }

    fn save(&self, state: &State) -> Result<(), Error> {
        let (path, new) = (self.root.join(STATE), self.root.join(INCOMING).join(STATE));
        let text = serde_json::to_vec_pretty(&State { format: FORMAT, ..state.clone() });
        let text = text.map_err(|error| io("write", &path)(std::io::Error::other(error)))?;
        private(&new).and_then(|mut file| file.write_all(&text)).map_err(io("write", &new))?;
        fs::rename(&new, &path).map_err(io("rename", &path))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.incoming());
    }
}

/// A new file that nobody else reads: validators of a server may be as good as cookies.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn read_state(path: &Path) -> Option<State> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MAX_STATE).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|state: &State| state.format == FORMAT)
}

/// When feeds were last got into the folder, as far as its state can be read.
pub(super) fn updated(root: &Path) -> Option<Timestamp> {
    read_state(&root.join(STATE))?.updated
}

/// Hashes a file.
pub(super) fn hash(path: &Path) -> std::io::Result<Digest> {
    Digest::sha256_of_all(File::open(path)?)
}

/// What a failed operation on a path becomes.
pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(folder: &Folder, text: &str) -> Received {
        let path = folder.incoming().join("1");
        fs::write(&path, text).unwrap();
        Received { digest: Digest::sha256_of(text.as_bytes()), path, etag: Some("\"e\"".to_owned()), last_modified: None }
    }

    #[test]
    fn files_are_known_as_long_as_they_are_what_they_were() {
        let place = tempfile::tempdir().unwrap();
        let url = Place::parse("http://127.0.0.1/npm/all.zip").unwrap();
        let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
        {
            let folder = Folder::open(place.path()).unwrap();
            assert_eq!(folder.known("npm/all.zip", &url), None);
            folder.put("npm/all.zip", &url, received(&folder, "abc"), now).unwrap();
        }
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(folder.known("npm/all.zip", &url).unwrap().etag.as_deref(), Some("\"e\""));
        assert_eq!(folder.whole("npm/all.zip"), Some(now));
        assert_eq!(folder.known("npm/all.zip", &Place::parse("http://127.0.0.2/npm/all.zip").unwrap()), None, "another mirror");
        fs::write(folder.path("npm/all.zip"), "abd").unwrap();
        assert_eq!(folder.known("npm/all.zip", &url), None, "the file was changed by somebody else");
        folder.put("npm/all.zip", &url, received(&folder, "abc"), now).unwrap();
        let state = fs::read_to_string(place.path().join(STATE)).unwrap();
        assert!(!state.contains("127.0.0.1"), "addresses may hold tokens: {state}");
        #[cfg(unix)]
        {
            let mode = fs::metadata(place.path().join(STATE)).unwrap().permissions();
            assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        }
        fs::write(place.path().join(STATE), "{\"format\":9,\"files\":{}}").unwrap();
        assert_eq!(Folder::open(place.path()).unwrap().known("npm/all.zip", &url), None, "another format");
        fs::write(place.path().join(STATE), "{").unwrap();
        assert_eq!(Folder::open(place.path()).unwrap().digests().len(), 0);
    }
}
