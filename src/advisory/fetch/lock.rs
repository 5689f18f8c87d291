//! One writer at a time. In: the folder of a database; out: the right to change it, until it is dropped or the process ends. Readers need none: files
//! change by rename alone.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::advisory::Error;

/// The file that is locked; it holds nothing.
const NAME: &str = ".lock";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The right to change a database.
#[derive(Debug)]
pub struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Waits until no other process has it, for `most` at most; `waiting` is called once if there is somebody to wait for. The folder is made if it
    /// is not there. Blocks the thread.
    ///
    /// # Errors
    /// When the folder cannot be written, or another process holds on for too long.
    pub fn acquire(folder: &Path, most: Duration, waiting: impl FnOnce()) -> Result<Self, Error> {
        let io = |doing: &'static str, path: PathBuf| move |source| Error::Io { doing, path, source };
        std::fs::create_dir_all(folder).map_err(io("create", folder.to_owned()))?;
        let path = folder.join(NAME);
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io("write", path.clone()))?;
        let (ends, mut waiting) = (Instant::now() + most, Some(waiting));
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < ends => {
                    if let Some(say) = waiting.take() {
                        say();
                    }
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(Error::Busy(folder.to_owned())),
                // Some network file systems know no locks. Without one, two updates may do the same work twice; files still change by rename.
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => return Ok(Self { _file: file }),
                Err(TryLockError::Error(source)) => return Err(Error::Io { doing: "lock", path, source }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("db");
        let first = WriterLock::acquire(&place, Duration::ZERO, || panic!("nobody to wait for")).unwrap();
        let mut waited = false;
        let second = WriterLock::acquire(&place, Duration::from_millis(1), || waited = true);
        assert!(matches!(second, Err(Error::Busy(_))) && waited);
        drop(first);
        WriterLock::acquire(&place, Duration::ZERO, || {}).unwrap();
    }
}
