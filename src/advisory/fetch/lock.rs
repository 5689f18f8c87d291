//! The turn at the downloads of one database: a file of its own that updates lock, so that a pull or a run beside an update never waits for its
//! downloads. The system takes the lock back from a process that dies.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::folder::io as failed;
use crate::advisory::Error;

/// The file in the folder of the database; it stays.
const LOCK: &str = ".feeds.lock";
const PAUSE: Duration = Duration::from_millis(50);

/// The right to download for one database, for as long as this lives.
#[derive(Debug)]
pub(super) struct FeedsLock {
    _file: File,
}

impl FeedsLock {
    /// Waits for other updates; makes the folder if it is not there.
    pub(super) async fn acquire(out: &Path, patience: Duration) -> Result<Self, Error> {
        let place = out.to_owned();
        let waiting = tokio::task::spawn_blocking(move || Self::wait(&place, patience));
        waiting.await.map_err(|error| failed("lock", out)(io::Error::other(error)))?
    }

    fn wait(out: &Path, patience: Duration) -> Result<Self, Error> {
        fs::create_dir_all(out).map_err(failed("create", out))?;
        let path = out.join(LOCK);
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(failed("open", &path))?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Error::Busy(out.to_owned())),
                // A file system without locks: two updates at once then fetch twice, and what they put in place is whole all the same.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::WriterLock;

    #[tokio::test]
    async fn who_downloads_keeps_out_other_updates_and_no_writer() {
        let folder = tempfile::tempdir().unwrap();
        let first = FeedsLock::acquire(folder.path(), Duration::ZERO).await.unwrap();
        assert!(matches!(FeedsLock::acquire(folder.path(), Duration::ZERO).await, Err(Error::Busy(_))));
        WriterLock::acquire_within(folder.path(), Duration::ZERO).unwrap();
        drop(first);
        FeedsLock::acquire(folder.path(), Duration::ZERO).await.unwrap();
    }
}
