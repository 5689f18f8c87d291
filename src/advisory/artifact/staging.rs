//! Where files wait until all of them are right: a folder of its own in the database's, gone when the pull is over. What a killed pull left is
//! known by its lock, which died with it, and removed by the next one.

use std::{
    fs::{self, File},
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::advisory::artifact::{Error, io};

/// How the name of a waiting folder begins; readers pass over names that begin with a dot.
const PREFIX: &str = ".pull-";
/// How it begins until the folder is locked.
const BEGUN: &str = ".begun-";
/// Held while a pull lives.
const ALIVE: &str = "alive";
/// No pull needs longer to lock its folder.
const UNLOCKED: Duration = Duration::from_secs(600);

/// A folder in which files wait.
pub(super) struct Staging {
    folder: PathBuf,
    _alive: File,
}

impl Staging {
    /// Makes a waiting folder in the database's folder, which is made if it is not there, and removes those of pulls that died.
    pub(super) fn begin(database: &Path) -> Result<Self, Error> {
        fs::create_dir_all(database).map_err(io("create", database))?;
        sweep(database);
        let begun = tempfile::Builder::new().prefix(BEGUN).tempdir_in(database).map_err(io("write in", database))?;
        let alive = File::create(begun.path().join(ALIVE)).map_err(io("write in", begun.path()))?;
        alive.lock().map_err(io("lock", begun.path()))?;
        // It gets its name when it is locked: without the lock another pull takes it for that of a dead one.
        let name = begun.path().file_name().unwrap_or_default().to_string_lossy().replacen(BEGUN, PREFIX, 1);
        let folder = database.join(name);
        fs::rename(begun.path(), &folder).map_err(io("rename", begun.path()))?;
        let _gone = begun.keep();
        Ok(Self { folder, _alive: alive })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    /// Where a file waits.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what dead pulls left. What cannot be looked at stays: it costs space, and nothing else.
pub(super) fn sweep(database: &Path) {
    let Ok(entries) = fs::read_dir(database) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_dead = if name.starts_with(PREFIX) {
            match File::open(entry.path().join(ALIVE)) {
                Ok(alive) => alive.try_lock().is_ok(),
                // It goes first, or soon, when a pull removes its folder.
                Err(error) => error.kind() == ErrorKind::NotFound,
            }
        } else {
            let age = || entry.metadata().and_then(|folder| folder.modified()).ok()?.elapsed().ok();
            name.starts_with(BEGUN) && age().is_some_and(|age| age > UNLOCKED)
        };
        if is_dead {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_goes_and_what_the_living_have_stays() {
        let database = tempfile::tempdir().unwrap();
        let dead = database.path().join(".pull-dead");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(ALIVE), "").unwrap();
        fs::write(dead.join("npm.plimdb"), "half").unwrap();
        // Died before it was locked, begun just now, and died while it removed its folder.
        let [old, young, half] = [".begun-old", ".begun-young", ".pull-half"].map(|name| database.path().join(name));
        for folder in [&old, &young, &half] {
            fs::create_dir(folder).unwrap();
        }
        File::open(&old).unwrap().set_modified(std::time::SystemTime::now() - UNLOCKED * 2).unwrap();
        let first = Staging::begin(database.path()).unwrap();
        assert!(!dead.exists() && !old.exists() && young.exists() && !half.exists());
        fs::write(first.place("npm.plimdb"), "x").unwrap();
        let second = Staging::begin(database.path()).unwrap();
        assert!(first.place("npm.plimdb").exists());
        let places = [first.place(""), second.place("")];
        drop((first, second));
        assert!(places.iter().all(|place| !place.exists()));
    }
}
