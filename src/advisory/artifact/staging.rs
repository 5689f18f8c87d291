//! Where files wait until all of them are right: a folder of its own in the database's, gone when the pull is over. What a killed pull left is
//! known by its lock, which died with it, and removed by the next one.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::advisory::artifact::{Error, io};

/// How the name of a waiting folder begins; readers pass over names that begin with a dot.
const PREFIX: &str = ".pull-";
/// Held while a pull lives.
const ALIVE: &str = "alive";

/// No pull needs longer to lock its folder.
const UNLOCKED: Duration = Duration::from_secs(600);

/// A folder in which files wait.
pub(super) struct Staging {
    folder: tempfile::TempDir,
    _alive: File,
}

impl Staging {
    /// Makes a waiting folder in the database's folder, which is made if it is not there, and removes those of pulls that died.
    pub(super) fn begin(database: &Path) -> Result<Self, Error> {
        fs::create_dir_all(database).map_err(io("create", database))?;
        sweep(database);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(database).map_err(io("write in", database))?;
        // It gets its name when it is locked: without the lock another pull takes it for that of a dead one.
        let unnamed = folder.path().join("new");
        let alive = File::create(&unnamed).map_err(io("write in", folder.path()))?;
        alive.lock().map_err(io("lock", folder.path()))?;
        fs::rename(&unnamed, folder.path().join(ALIVE)).map_err(io("write in", folder.path()))?;
        Ok(Self { folder, _alive: alive })
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a file waits.
    pub(super) fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Removes what dead pulls left. What cannot be looked at stays: it costs space, and nothing else.
pub(super) fn sweep(database: &Path) {
    let Ok(entries) = fs::read_dir(database) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let is_dead = match File::open(entry.path().join(ALIVE)) {
            Ok(alive) => alive.try_lock().is_ok(),
            // One that has no lock yet has only just begun, or died then.
            Err(_) => entry.metadata().and_then(|folder| folder.modified()).is_ok_and(|begun| begun.elapsed().is_ok_and(|age| age > UNLOCKED)),
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
        // Died before it was locked, and begun just now.
        let (old, young) = (database.path().join(".pull-old"), database.path().join(".pull-young"));
        fs::create_dir(&old).unwrap();
        fs::create_dir(&young).unwrap();
        File::open(&old).unwrap().set_modified(std::time::SystemTime::now() - UNLOCKED * 2).unwrap();
        let first = Staging::begin(database.path()).unwrap();
        assert!(!dead.exists() && !old.exists() && young.exists());
        fs::write(first.place("npm.plimdb"), "x").unwrap();
        let second = Staging::begin(database.path()).unwrap();
        assert!(first.place("npm.plimdb").exists());
        let places = [first.place(""), second.place("")];
        drop((first, second));
        assert!(places.iter().all(|place| !place.exists()));
    }
}
