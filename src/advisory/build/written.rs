//! Files that become visible together. In: bytes under temporary names; out: files renamed into place when everything is written, or nothing. One
//! process writes at a time; readers hold no lock and find whole files, old or new.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::advisory::{
    Error,
    shard::{MAJOR, reader::Shard, writer::Encoded},
    store::{EXTENSION, TEXT_DIGITS, TEXT_EXTENSION, text_file_name},
};

/// The file that writers lock; it stays.
const LOCK: &str = ".lock";
/// How the names of unfinished files end; they begin with a dot.
const UNFINISHED: &str = ".new";
/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(50);

/// The right to write into one database, for as long as this lives. The system takes it back from a process that dies.
#[derive(Debug)]
pub struct WriterLock {
    folder: PathBuf,
    _file: File,
}

impl WriterLock {
    /// Waits for other writers, makes the folder if it is not there, and clears away what a writer that died left: unfinished files, and texts that
    /// no shard names.
    ///
    /// # Errors
    /// When the folder cannot be written, or another writer does not end in time.
    pub fn acquire(folder: &Path) -> Result<Self, Error> {
        Self::acquire_within(folder, PATIENCE)
    }

    /// [`Self::acquire`] with another patience.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub(in crate::advisory) fn acquire_within(folder: &Path, patience: Duration) -> Result<Self, Error> {
        let io = |doing: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { doing, path, source }
        };
        fs::create_dir_all(folder).map_err(io("create", folder))?;
        let path = folder.join(LOCK);
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(io("open", &path))?;
        let start = Instant::now();
        let is_alone = loop {
            match file.try_lock() {
                Ok(()) => break true,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Error::Busy(folder.to_owned())),
                // A file system without locks: two writers at once then cost one of them its work, never a file its whole.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => break false,
                Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
            }
        };
        let mut files = files(folder)?;
        for (_, path) in files.extract_if(.., |name, _| name.starts_with('.') && name.ends_with(UNFINISHED)) {
            fs::remove_file(&path).map_err(io("remove", &path))?;
        }
        if is_alone {
            remove_unnamed_texts(folder, &files);
        }
        Ok(Self { folder: folder.to_owned(), _file: file })
    }

    /// The folder of the database.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Files under temporary names; dropped without [`Written::into_place`], they are removed.
#[derive(Debug)]
pub(in crate::advisory) struct Written<'a> {
    lock: &'a WriterLock,
    /// Names of files that are complete and wait.
    waiting: BTreeSet<String>,
}

impl<'a> Written<'a> {
    /// Nothing written yet.
    pub(in crate::advisory) const fn new(lock: &'a WriterLock) -> Self {
        Self { lock, waiting: BTreeSet::new() }
    }

    /// Writes the files of one shard under their temporary names.
    pub(in crate::advisory) fn write(&mut self, name: &str, encoded: &Encoded) -> Result<(), Error> {
        if let Some((bytes, digest)) = &encoded.text {
            let file = text_file_name(name, &digest.to_string()).ok_or(Error::TooLarge("the name of a shard"))?;
            self.write_file(&file, bytes)?;
        }
        self.write_file(&format!("{name}.{EXTENSION}"), &encoded.bytes)
    }

    /// Writes one file under its temporary name; `name` is what it will be called.
    pub(in crate::advisory) fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let temporary = self.temporary(name);
        self.waiting.insert(name.to_owned());
        // A name that comes before its bytes leaves an empty file behind when the power goes.
        let written = File::create(&temporary).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()));
        written.map_err(|source| Error::Io { doing: "write", path: temporary, source })
    }

    /// Takes over a finished file, which gets its temporary name; `name` is what it will be called.
    pub(in crate::advisory) fn adopt(&mut self, name: &str, file: &Path) -> Result<(), Error> {
        let temporary = self.temporary(name);
        self.waiting.insert(name.to_owned());
        fs::rename(file, &temporary).map_err(|source| Error::Io { doing: "rename", path: temporary, source })
    }

    fn temporary(&self, name: &str) -> PathBuf {
        self.lock.folder.join(format!(".{name}{UNFINISHED}"))
    }

    /// Whether a file of this name waits.
    pub(super) fn has(&self, name: &str) -> bool {
        self.waiting.contains(name)
    }

    /// Renames everything into place: texts before the shards that name them. Then takes away the texts that no shard names any more, and the
    /// shards of older formats, which this program cannot read.
    pub(in crate::advisory) fn into_place(mut self) -> Result<(), Error> {
        let waiting = std::mem::take(&mut self.waiting);
        let (texts, shards): (Vec<_>, Vec<_>) = waiting.iter().partition(|name| name.ends_with(TEXT_EXTENSION));
        for name in texts.iter().chain(&shards) {
            let place = self.lock.folder.join(name);
            fs::rename(self.temporary(name), &place).map_err(|source| Error::Io { doing: "rename", path: place, source })?;
        }
        // The new names should outlive a power cut as well; not every system can say so of a folder.
        let _ = File::open(&self.lock.folder).and_then(|folder| folder.sync_all());
        // Everything is in place by now: what cannot be removed costs room and nothing else.
        for (name, path) in files(&self.lock.folder)? {
            let is_replaced = shard_of_text(&name).is_some_and(|shard| waiting.contains(&format!("{shard}.{EXTENSION}")));
            if (is_replaced && !waiting.contains(&name)) || (name.ends_with(&format!(".{EXTENSION}")) && is_older(&path)) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

impl Drop for Written<'_> {
    fn drop(&mut self) {
        for name in &self.waiting {
            let _ = fs::remove_file(self.temporary(name));
        }
    }
}

/// The shard whose text a file holds, by its name.
fn shard_of_text(file: &str) -> Option<&str> {
    let (shard, digits) = file.strip_suffix(TEXT_EXTENSION)?.strip_suffix('.')?.rsplit_once('.')?;
    (digits.len() == TEXT_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit())).then_some(shard)
}

/// Takes away texts that no shard names: a writer that died between its first rename and its own removals leaves them. They cost room and nothing
/// else, so whatever is in doubt stays, and a shard with one text is not opened for it.
fn remove_unnamed_texts(folder: &Path, files: &BTreeMap<String, PathBuf>) {
    let mut by_shard = BTreeMap::<&str, Vec<(&String, &PathBuf)>>::new();
    for (name, path) in files {
        if let Some(shard) = shard_of_text(name) {
            by_shard.entry(shard).or_default().push((name, path));
        }
    }
    for (shard, texts) in by_shard {
        let path = folder.join(format!("{shard}.{EXTENSION}"));
        let named = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(_) if texts.len() > 1 => match Shard::open(shard, &path) {
                Ok(shard) => shard.text_file(),
                Err(_) => continue,
            },
            _ => continue,
        };
        for (_, path) in texts.into_iter().filter(|(name, _)| Some(*name) != named.as_ref()) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a shard has a format that came before ours; one that cannot be read is not known to.
pub(super) fn is_older(path: &Path) -> bool {
    let mut head = [0; 10];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && matches!(head, [b'P', b'L', b'I', b'M', b'S', b'A', b'D', b'B', low, high] if u16::from_le_bytes([low, high]) < MAJOR)
}

/// Plain files of a folder by name; names that are no text are not ours.
pub(super) fn files(folder: &Path) -> Result<BTreeMap<String, PathBuf>, Error> {
    let failed = |source| Error::Io { doing: "read", path: folder.to_owned(), source };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let (Ok(name), true) = (entry.file_name().into_string(), entry.file_type().map_err(failed)?.is_file()) {
            found.insert(name, entry.path());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = WriterLock::acquire(folder.path()).unwrap();
        let refused = WriterLock::acquire_within(folder.path(), Duration::ZERO);
        assert!(matches!(refused, Err(Error::Busy(_))));
        drop(first);
        WriterLock::acquire_within(folder.path(), Duration::ZERO).unwrap();
    }

    #[test]
    fn what_a_dead_writer_left_is_cleared_away_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".npm.plimdb.new", ".npm.0123456789abcdef.plimtext.new", "npm.plimdb", "notes.new", ".hidden"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let lock = WriterLock::acquire(folder.path()).unwrap();
        let names = || files(folder.path()).unwrap().into_keys().collect::<Vec<_>>();
        assert_eq!(names(), [".hidden", ".lock", "notes.new", "npm.plimdb"]);
        let mut written = Written::new(&lock);
        written.write_file("npm.plimdb", b"y").unwrap();
        drop(written);
        assert_eq!(names(), [".hidden", ".lock", "notes.new", "npm.plimdb"]);
        assert_eq!(fs::read(folder.path().join("npm.plimdb")).unwrap(), b"x");
    }

    #[test]
    fn texts_of_replaced_shards_and_shards_of_older_formats_go() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        write("npm.plimdb", b"old");
        write("npm.0000000000000000.plimtext", b"old");
        write("pypi.plimdb", &[&b"PLIMSADB"[..], &MAJOR.to_le_bytes()].concat());
        write("pypi.0000000000000000.plimtext", b"of a shard that is not replaced");
        write("go.plimdb", b"PLIMSADB\x01\0");
        write("rust.plimdb", b"damaged");
        let lock = WriterLock::acquire(folder.path()).unwrap();
        let mut written = Written::new(&lock);
        written.write_file("npm.1111111111111111.plimtext", b"new").unwrap();
        written.write_file("npm.plimdb", b"new").unwrap();
        written.into_place().unwrap();
        let names: Vec<_> = files(folder.path()).unwrap().into_keys().collect();
        let expected =
            [".lock", "npm.1111111111111111.plimtext", "npm.plimdb", "pypi.0000000000000000.plimtext", "pypi.plimdb", "rust.plimdb"];
        assert_eq!(names, expected);
    }
}
