//! A mended text in, the file replaced by it.

use std::{
    fs::{File, Metadata},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::Failure;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewritten {
    /// It holds the new text.
    Done,
    /// It is as it was, and why.
    Refused(&'static str),
}

/// Replaces a file in one step, unless it changed since `before` was read. Its mode and owner stay; a link stays, and what it leads to must lie
/// below this folder. A file with several names would be another one under this name, so it is left alone.
pub(super) fn replace(file: &Path, before: &[u8], after: &[u8]) -> Result<Rewritten, Failure> {
    let failed = |error: io::Error| Failure::new(format!("cannot write `{}`: {error}", file.display()));
    let Some(target) = target(file).map_err(failed)? else {
        return Ok(Rewritten::Refused("the file is a link that leads out of this folder"));
    };
    let metadata = std::fs::metadata(&target).map_err(failed)?;
    if !metadata.is_file() {
        return Ok(Rewritten::Refused("it is no regular file"));
    }
    if metadata.permissions().readonly() {
        return Ok(Rewritten::Refused("the file is read-only"));
    }
    if has_other_names(&metadata) {
        return Ok(Rewritten::Refused("the file has other names (hard links), which would keep the old text"));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut new = match tempfile::Builder::new().prefix(".plimsoll-").tempfile_in(folder) {
        Ok(new) => new,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(Rewritten::Refused("its folder cannot be written")),
        Err(error) => return Err(failed(error)),
    };
    new.write_all(after).map_err(failed)?;
    if keep_owner(new.as_file(), &metadata).is_err() {
        return Ok(Rewritten::Refused("the file belongs to another user or group, and a new file cannot be given to them"));
    }
    new.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    if std::fs::read(&target).map_err(failed)? != before {
        return Ok(Rewritten::Refused("the file changed meanwhile"));
    }
    new.persist(&target).map_err(|error| failed(error.error))?;
    Ok(Rewritten::Done)
}

#[cfg(unix)]
fn has_other_names(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
const fn has_other_names(_: &Metadata) -> bool {
    false
}

/// Gives a new file to the owner and group of the old one, if they are not its own already.
#[cfg(unix)]
fn keep_owner(new: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let own = new.metadata()?;
    let change = |now: u32, before: u32| (now != before).then_some(before);
    match (change(own.uid(), old.uid()), change(own.gid(), old.gid())) {
        (None, None) => Ok(()),
        (owner, group) => fchown(new, owner, group),
    }
}

#[cfg(not(unix))]
const fn keep_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The file to replace; `None` for a link that leads elsewhere.
fn target(file: &Path) -> io::Result<Option<PathBuf>> {
    let is_link = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    // Where a path starts at the root, the folders on the way are the machine's own.
    let folders = file.ancestors().skip(1).filter(|folder| file.is_relative() && !folder.as_os_str().is_empty());
    if !is_link(file) && !folders.into_iter().any(is_link) {
        return Ok(Some(file.to_path_buf()));
    }
    let target = std::fs::canonicalize(file)?;
    let here = std::fs::canonicalize(".")?;
    Ok(target.starts_with(here).then_some(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Dockerfile");
        std::fs::write(&file, "FROM c\n").expect("a file");
        assert_eq!(replace(&file, b"FROM a\n", b"FROM b\n").expect("an answer"), Rewritten::Refused("the file changed meanwhile"));
        assert_eq!(replace(&file, b"FROM c\n", b"FROM b\n").expect("an answer"), Rewritten::Done);
        assert_eq!(std::fs::read(&file).expect("the file"), b"FROM b\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_other_names_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, other) = (folder.path().join("Dockerfile"), folder.path().join("other"));
        std::fs::write(&file, "FROM a\n").expect("a file");
        std::fs::hard_link(&file, &other).expect("a link");
        let Rewritten::Refused(reason) = replace(&file, b"FROM a\n", b"FROM b\n").expect("an answer") else { panic!("it was replaced") };
        assert!(reason.contains("hard links"), "{reason}");
        assert_eq!(std::fs::read(&file).expect("the file"), b"FROM a\n");
        std::fs::remove_file(other).expect("a file");
        assert_eq!(replace(&file, b"FROM a\n", b"FROM b\n").expect("an answer"), Rewritten::Done);
    }

    #[cfg(unix)]
    #[test]
    fn the_owner_stays() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Dockerfile");
        std::fs::write(&file, "FROM a\n").expect("a file");
        // Only root can give a file away; whoever else runs this sees that the file stays whose it was.
        let _ = chown(&file, Some(12345), Some(12346));
        let owner = |file: &Path| std::fs::metadata(file).map(|metadata| (metadata.uid(), metadata.gid())).expect("the file");
        let before = owner(&file);
        assert_eq!(replace(&file, b"FROM a\n", b"FROM b\n").expect("an answer"), Rewritten::Done);
        assert_eq!((owner(&file), std::fs::read(&file).expect("the file")), (before, b"FROM b\n".to_vec()));
    }
}
