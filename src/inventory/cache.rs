//! Layer entries in, the same entries out in a later run: a folder of files, each named by its key, for any number of processes at once.
//!
//! A file is written under another name, synced and renamed, so that whoever reads it finds all of it or nothing, even if its writer was killed. Its
//! name and a hash stand inside: one that is damaged all the same is deleted and the layer read again. Nobody locks and nobody waits.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use crate::{
    inventory::{CATALOGERS, facts, secrets},
    layers::LayerCache,
    model::digest::{Algorithm, Digest, Hasher},
};

const MAGIC: &[u8] = b"plimsoll layer 1\n";
/// Hex digits of a SHA-256.
const HEX: usize = 64;
const HEADER: usize = MAGIC.len() + 2 * HEX;
/// Bytes of the largest entry. Ordinary layers need a hundredth.
const ENTRY_BYTES: usize = 64 << 20;
/// Files still being written have names that begin like this.
const UNFINISHED: &str = ".new-";
/// Unfinished files of this age belong to processes that were killed.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// How exactly the time of the last use is kept.
const USE_STEP: Duration = Duration::from_secs(60 * 60);

/// Entries in a folder.
#[derive(Debug)]
pub struct FolderCache {
    folder: PathBuf,
    most: u64,
    now: SystemTime,
    /// Whether this run added something, so that the size needs a look.
    grown: AtomicBool,
}

impl FolderCache {
    /// Entries below `folder`, of `most` bytes in all; the folder is made if need be. Uses are dated `now`.
    ///
    /// # Errors
    /// When entries cannot be written there, or when other users could write some.
    pub fn open(folder: &Path, most: u64, now: SystemTime) -> io::Result<Self> {
        let folder = folder.join("layers");
        create(&folder)?;
        let probe = unfinished(&folder)?;
        for level in [Some(folder.as_path()), folder.parent()].into_iter().flatten() {
            check_owner(level, probe.as_file())?;
        }
        Ok(Self { folder, most, now, grown: AtomicBool::new(false) })
    }

    /// Deletes entries, those unused for longest first, while they are too many bytes. Without entries added by this run it does nothing.
    pub fn trim(&self) {
        if !self.grown.load(Ordering::Relaxed) {
            return;
        }
        let Ok(listing) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, PathBuf, u64)> = Vec::new();
        for entry in listing.flatten() {
            let Ok(about) = entry.metadata() else { continue };
            let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let is_unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            if is_unfinished && self.now.duration_since(used).is_ok_and(|age| age > ABANDONED) {
                delete(&entry.path());
            } else if about.is_file() {
                files.push((used, entry.path(), about.len()));
            }
        }
        let mut total: u64 = files.iter().map(|(_, _, size)| size).sum();
        if total <= self.most {
            return;
        }
        files.sort();
        // A little more than needed, so that not every run has to.
        let enough = self.most - self.most / 10;
        for (_, path, size) in files {
            if total <= enough {
                return;
            }
            delete(&path);
            total = total.saturating_sub(size);
        }
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Unusable> {
        let path = self.folder.join(name);
        // The kind is checked before opening, because opening a FIFO would wait for ever.
        let about = fs::symlink_metadata(&path).map_err(|_| Unusable::Missing)?;
        let size = usize::try_from(about.len()).ok().and_then(|size| size.checked_sub(HEADER));
        let size = size.filter(|size| about.is_file() && *size <= ENTRY_BYTES).ok_or(Unusable::Damaged)?;
        let mut file = File::open(&path).map_err(|_| Unusable::Missing)?;
        let mut header = [0; HEADER];
        file.read_exact(&mut header).map_err(|_| Unusable::Damaged)?;
        let mut entry = Vec::with_capacity(size);
        (&mut file).take(size as u64).read_to_end(&mut entry).map_err(|_| Unusable::Damaged)?;
        if header != self::header(name, &entry) {
            return Err(Unusable::Damaged);
        }
        if about.modified().is_ok_and(|used| self.now.duration_since(used).is_ok_and(|age| age > USE_STEP)) {
            // An entry whose use cannot be dated is deleted sooner, no more.
            let _ = file.set_modified(self.now);
        }
        Ok(entry)
    }

    fn write(&self, name: &str, entry: &[u8]) -> io::Result<()> {
        let mut file = unfinished(&self.folder)?;
        file.write_all(&header(name, entry))?;
        file.write_all(entry)?;
        file.as_file().sync_data()?;
        file.persist(self.folder.join(name)).map_err(|error| error.error)?;
        Ok(())
    }
}

impl LayerCache for FolderCache {
    fn load(&self, key: &str) -> Option<Vec<u8>> {
        let name = name(key);
        match self.read(&name) {
            Ok(entry) => Some(entry),
            Err(Unusable::Missing) => None,
            Err(Unusable::Damaged) => {
                delete(&self.folder.join(name));
                None
            }
        }
    }

    fn save(&self, key: &str, entry: &[u8]) {
        // A cache that cannot be written, because the disk is full or the folder gone, costs time and nothing else.
        if entry.len() <= ENTRY_BYTES && self.write(&name(key), entry).is_ok() {
            self.grown.store(true, Ordering::Relaxed);
        }
    }

    fn discard(&self, key: &str) {
        delete(&self.folder.join(name(key)));
    }
}

enum Unusable {
    Missing,
    Damaged,
}

/// The file's name: everything that decides what the entry says, hashed.
fn name(key: &str) -> String {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(format!("plimsoll {}\n", env!("CARGO_PKG_VERSION")).as_bytes());
    for cataloger in CATALOGERS {
        hasher.update(format!("cataloger {} {}\n", cataloger.id(), cataloger.version()).as_bytes());
    }
    hasher.update(format!("facts {}\nsecrets {}\n", facts::VERSION, secrets::VERSION).as_bytes());
    hasher.update(key.as_bytes());
    hasher.finish().hex().to_owned()
}

/// What stands in front of an entry: the format, its name, and a hash of it.
fn header(name: &str, entry: &[u8]) -> [u8; HEADER] {
    let hash = Digest::sha256_of(entry);
    let mut header = [b' '; HEADER];
    for (to, from) in header.iter_mut().zip(MAGIC.iter().chain(name.as_bytes()).chain(hash.hex().as_bytes())) {
        *to = *from;
    }
    header
}

/// A new file that deletes itself unless it is renamed.
fn unfinished(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)
}

/// Deletes a file that another process may have deleted or replaced meanwhile; in both cases nothing is lost but time.
fn delete(path: &Path) {
    let _ = fs::remove_file(path);
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Refuses a folder in which somebody else could put entries: they would be believed. `ours` is a file of this process.
#[cfg(unix)]
fn check_owner(folder: &Path, ours: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (folder_about, us) = (fs::metadata(folder)?, ours.metadata()?.uid());
    let refuse = |why: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("{} {why}", folder.display())));
    if folder_about.mode() & 0o022 != 0 {
        return refuse("can be written by other users (chmod go-w mends it)");
    }
    // In a container root often works in a folder that belongs to the user outside.
    if us != 0 && folder_about.uid() != us && folder_about.uid() != 0 {
        return refuse("belongs to another user");
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 1 << 30;

    fn cache(folder: &Path, most: u64, seconds: u64) -> FolderCache {
        FolderCache::open(folder, most, SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap()
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        fs::read_dir(folder.join("layers")).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    #[test]
    fn what_was_saved_is_loaded_under_its_own_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let one = cache(folder.path(), MOST, 0);
        assert_eq!(one.load("a"), None);
        one.save("a", b"entry of a");
        one.save("b", b"");
        one.save("a", b"entry of a");
        let other = cache(folder.path(), MOST, 0);
        assert_eq!(
            (other.load("a").as_deref(), other.load("b").as_deref(), other.load("c")),
            (Some(&b"entry of a"[..]), Some(&b""[..]), None)
        );
        fs::copy(folder.path().join("layers").join(name("a")), folder.path().join("layers").join(name("c"))).unwrap();
        assert_eq!(other.load("c"), None, "an entry under another's name");
        other.discard("a");
        assert_eq!(one.load("a"), None);
    }

    #[test]
    fn damaged_entries_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), MOST, 0);
        cache.save("a", b"entry of a");
        let path = folder.path().join("layers").join(name("a"));
        let good = fs::read(&path).unwrap();
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            assert_eq!(cache.load("a"), None);
            assert!(!path.exists());
        };
        for at in 0..good.len() {
            check(&good[..at]);
            let mut damaged = good.clone();
            damaged[at] ^= 1;
            check(&damaged);
        }
        check(&[good.as_slice(), b"x"].concat());
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(cache.load("a"), None);
        fs::create_dir(&path).unwrap();
        assert_eq!(cache.load("a"), None);
        fs::remove_dir(&path).unwrap();
        cache.save("a", b"entry of a");
        assert_eq!(fs::read(&path).unwrap(), good);
    }

    #[test]
    fn the_entries_unused_for_longest_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let day = 24 * 60 * 60;
        let writer = cache(folder.path(), MOST, 0);
        for (key, at) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            writer.save(key, &[0; 1000]);
            let path = folder.path().join("layers").join(name(key));
            File::options().write(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(at * day)).unwrap();
        }
        let old = folder.path().join("layers").join(format!("{UNFINISHED}old"));
        File::create(&old).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let user = cache(folder.path(), 3 * (1000 + HEADER as u64), 10 * day);
        assert!(user.load("a").is_some());
        user.trim();
        assert_eq!(files(folder.path()).len(), 5, "nothing was added");
        user.grown.store(true, Ordering::Relaxed);
        user.trim();
        assert_eq!(["a", "b", "c", "d"].map(|key| user.load(key).is_some()), [true, false, false, true]);
        assert!(!old.exists());
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_others_can_write_to_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("cache");
        FolderCache::open(&inner, MOST, SystemTime::UNIX_EPOCH).unwrap();
        for open in [inner.clone(), inner.join("layers")] {
            for mode in [0o777, 0o775, 0o757] {
                fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
                assert!(FolderCache::open(&inner, MOST, SystemTime::UNIX_EPOCH).is_err(), "{mode:o}");
            }
            fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        }
        FolderCache::open(&inner, MOST, SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(files(&inner).len(), 0);
    }
}
