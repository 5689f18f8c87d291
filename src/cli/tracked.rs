//! The index of a git repository in, the paths that git tracks out: whatever `.gitignore` says, it never ignores those. Nothing is
//! executed. Format: <https://git-scm.com/docs/index-format>.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// The largest index in bytes; that of a repository with a million files is half as large.
const MAX_INDEX: u64 = 256 << 20;
/// The longest path to a repository that lies elsewhere.
const MAX_POINTER: u64 = 8 << 10;
/// The bytes of an object's name: SHA-1 and SHA-256. The index does not say which, and with the wrong one no entry ends where it must.
const HASHES: [usize; 2] = [20, 32];

/// The tracked paths that `is_wanted`, relative to the work tree's top folder. None where that is no work tree's top.
///
/// # Errors
/// When the index cannot be read or is in no known form.
pub(super) fn tracked(top: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
    let Some(repository) = repository(top)? else { return Ok(Vec::new()) };
    let mut paths = Vec::new();
    let shared = match read(&repository.join("index"), is_wanted, &mut paths) {
        // Nothing was ever added.
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        other => other?,
    };
    // What a split index leaves out of the other file may have been deleted since; then it is not on the disk, either.
    if let Some(name) = shared {
        read(&repository.join(name), is_wanted, &mut paths)?;
    }
    Ok(paths)
}

/// The folder of the repository whose work tree starts here.
fn repository(top: &Path) -> io::Result<Option<PathBuf>> {
    let git = top.join(".git");
    match std::fs::metadata(&git) {
        Ok(metadata) if metadata.is_dir() => Ok(Some(git)),
        Ok(_) => {
            // A submodule or another work tree: the file says where the repository is.
            let text = String::from_utf8(read_bounded(&git, MAX_POINTER)?).map_err(io::Error::other)?;
            let place = text.strip_prefix("gitdir:").ok_or_else(|| io::Error::other("it is neither a folder nor a pointer to one"))?;
            let repository = top.join(place.trim());
            if !repository.is_dir() {
                return Err(io::Error::other("the repository that it names is not there"));
            }
            Ok(Some(repository))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Adds what one file of the index lists; the name of the file that it goes on in, if it does.
fn read(file: &Path, is_wanted: &dyn Fn(&Path) -> bool, paths: &mut Vec<PathBuf>) -> io::Result<Option<String>> {
    let bytes = read_bounded(file, MAX_INDEX)?;
    let read = HASHES.into_iter().find_map(|hash| parse(&bytes, hash, is_wanted));
    let (found, shared) = read.ok_or_else(|| io::Error::other("its form is not known"))?;
    paths.extend(found);
    Ok(shared)
}

fn read_bounded(file: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// The wanted paths of an index whose objects have names of so many bytes, and the name of the file that holds the rest of a split one.
fn parse(bytes: &[u8], hash: usize, is_wanted: &dyn Fn(&Path) -> bool) -> Option<(Vec<PathBuf>, Option<String>)> {
    // The time, device and owner of a file, and how large it was.
    const STAT: usize = 40;
    let mut cursor = Cursor(bytes);
    if cursor.take(4)? != b"DIRC" {
        return None;
    }
    let version = cursor.number().filter(|version| (2..=4).contains(version))?;
    let mut paths = Vec::new();
    let mut path = Vec::new();
    for _ in 0..cursor.number()? {
        let before = cursor.0.len();
        cursor.take(STAT + hash)?;
        let flags = u16::from_be_bytes(cursor.take(2)?.try_into().ok()?);
        if flags & 0x4000 != 0 && version > 2 {
            cursor.take(2)?;
        }
        // In version 4 a path begins as the one before it does, without so many bytes of its end.
        let kept = if version == 4 { path.len().checked_sub(cursor.offset()?)? } else { 0 };
        path.truncate(kept);
        path.extend(cursor.until_nul()?);
        if usize::from(flags & 0xfff) != path.len().min(0xfff) {
            return None;
        }
        if version < 4 {
            let padding = (before - cursor.0.len()).next_multiple_of(8) - (before - cursor.0.len());
            cursor.take(padding).filter(|padding| padding.iter().all(|byte| *byte == 0))?;
        }
        // One without a path stands for one of the shared file.
        let own = path_of(&path)?;
        if !path.is_empty() && is_wanted(&own) {
            paths.push(own);
        }
    }
    let mut shared = None;
    while cursor.0.len() > hash {
        let (kind, length) = (cursor.take(4)?, cursor.number()?);
        let body = cursor.take(usize::try_from(length).ok()?)?;
        match kind {
            b"link" => {
                let name = body.get(..hash)?;
                let hex = name.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                shared = name.iter().any(|byte| *byte != 0).then(|| format!("sharedindex.{hex}"));
            }
            // Folders in the place of files that are not on the disk.
            b"sdir" => {}
            // Of the others only those in capitals may be passed over.
            [first, ..] if first.is_ascii_uppercase() => {}
            _ => return None,
        }
    }
    (cursor.0.len() == hash).then_some((paths, shared))
}

/// A path as the system writes it.
#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    /// A number of any length, as in the offsets of packs: each further byte stands for one more than it says.
    fn offset(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        loop {
            let byte = *self.take(1)?.first()?;
            value = value.checked_mul(128)?.checked_add(usize::from(byte & 127))?;
            if byte & 128 == 0 {
                return Some(value);
            }
            value = value.checked_add(1)?;
        }
    }

    fn until_nul(&mut self) -> Option<&'a [u8]> {
        let length = self.0.iter().position(|byte| *byte == 0)?;
        let text = self.take(length);
        self.take(1)?;
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index as git writes it; `hash` is the length of the objects' names.
    fn index(version: u32, hash: usize, paths: &[&str], extensions: &[u8]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend(u32::try_from(paths.len()).unwrap().to_be_bytes());
        let mut last = "";
        for path in paths {
            let mut entry = vec![7; 40 + hash];
            entry.extend(u16::try_from(path.len().min(0xfff)).unwrap().to_be_bytes());
            if version == 4 {
                let same = last.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
                let gone = last.len() - same;
                assert!(gone < 128 + 128, "one byte more is enough");
                if gone > 127 {
                    entry.push(128);
                    entry.push(u8::try_from(gone - 128).unwrap());
                } else {
                    entry.push(u8::try_from(gone).unwrap());
                }
                entry.extend(path.bytes().skip(same));
                entry.push(0);
                last = path;
            } else {
                entry.extend(path.bytes());
                let padding = 8 - entry.len() % 8;
                entry.extend(vec![0; padding]);
            }
            bytes.extend(entry);
        }
        bytes.extend(extensions);
        bytes.extend(vec![9; hash]);
        bytes
    }

    fn names(bytes: &[u8], hash: usize) -> Option<Vec<String>> {
        let (paths, _) = parse(bytes, hash, &|path| path.ends_with("Dockerfile"))?;
        Some(paths.iter().map(|path| path.display().to_string()).collect())
    }

    #[test]
    fn every_version_is_read() {
        let long = format!("{}/Dockerfile", "x".repeat(150));
        let paths = ["Dockerfile", "a/Dockerfile", "a/main.rs", &long, "y/Dockerfile"];
        let expected = Some(vec!["Dockerfile".to_owned(), "a/Dockerfile".to_owned(), long.clone(), "y/Dockerfile".to_owned()]);
        for version in 2..=4 {
            for hash in HASHES {
                let bytes = index(version, hash, &paths, b"TREE\0\0\0\x02ab");
                assert_eq!(names(&bytes, hash), expected, "version {version}, {hash} bytes");
                assert_eq!(names(&bytes, 52 - hash), None, "version {version}, {hash} bytes");
                // Where only the extension is missing, its place is taken for the checksum's.
                for end in (0..bytes.len()).filter(|end| *end != bytes.len() - b"TREE\0\0\0\x02ab".len()) {
                    assert_eq!(names(&bytes[..end], hash), None, "version {version}, up to {end}");
                }
            }
        }
        assert_eq!(names(&index(5, 20, &paths, b""), 20), None);
        assert_eq!(names(&index(2, 20, &paths, b"abcd\0\0\0\0"), 20), None, "an extension that must be known");
        assert_eq!(names(&index(2, 20, &[], b""), 20), Some(Vec::new()));
    }

    #[test]
    fn a_repository_may_lie_elsewhere_and_its_index_in_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        };
        let found = |top: &str| tracked(&folder.path().join(top), &|_| true);
        assert_eq!(found("none").unwrap(), Vec::<PathBuf>::new());
        write("tree/.git", b"gitdir: ../store/tree\n");
        assert!(found("tree").is_err(), "nothing is there");
        std::fs::create_dir_all(folder.path().join("store/tree")).unwrap();
        assert_eq!(found("tree").unwrap(), Vec::<PathBuf>::new(), "nothing was added yet");
        let link = [&b"link\0\0\0\x14"[..], &[0xab; 20]].concat();
        write("store/tree/index", &index(2, 20, &["a"], &link));
        assert!(found("tree").is_err(), "half of it is missing");
        write(&format!("store/tree/sharedindex.{}", "ab".repeat(20)), &index(2, 20, &["b"], b""));
        assert_eq!(found("tree").unwrap(), [PathBuf::from("a"), PathBuf::from("b")]);
        write("store/tree/index", b"DIRC");
        assert!(found("tree").is_err());
    }
}
