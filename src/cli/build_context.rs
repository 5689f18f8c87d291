//! The folder of a build in, what lies in it out: every path, and the bytes of small files whose names make one fear a credential.
//! Links are never followed, and what `.dockerignore` keeps behind as a whole is not walked through.

use std::{
    collections::{BTreeMap, VecDeque},
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::Failure;
use crate::{
    model::build_context::{BuildContext, ContextEntry},
    pipeline::{IgnorePatterns, looks_inside},
};

/// Most paths, deepest folder, largest file that is looked into, most bytes of all of them, largest ignore file.
const MAX_ENTRIES: usize = 100_000;
const MAX_DEPTH: usize = 64;
const MAX_FILE: u64 = 64 << 10;
const MAX_BYTES: usize = 4 << 20;
const MAX_IGNORE_FILE: u64 = 1 << 20;
/// Most steps in which folders are compared with patterns; then all of them are walked through.
const MAX_STEPS: usize = 200_000_000;

/// Reads the folder; `dockerfile` is where the Dockerfile lies, if it is a file: an ignore file beside it of its own name goes before
/// `.dockerignore`.
pub(super) fn read(folder: &Path, dockerfile: Option<&Path>) -> Result<BuildContext, Failure> {
    let failed = |error: &io::Error| {
        Failure::new(format!("cannot read the folder of the build `{}`: {error}", folder.display()))
            .hint("give the folder that the image is built from: --context DIR")
    };
    // A file, or nothing, in the place of the folder is a mistake of whoever typed it.
    fs::read_dir(folder).map_err(|error| failed(&error))?;
    let mut walk = Walk { entries: BTreeMap::new(), bytes: 0, unread: None, ignored: IgnorePatterns::default(), steps_left: MAX_STEPS };
    let own = dockerfile.map(|file| {
        let mut name = file.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    let mut ignore_file = None;
    for path in own.into_iter().chain([folder.join(".dockerignore")]) {
        match read_bounded(&path, MAX_IGNORE_FILE) {
            Ok(bytes) => {
                let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                walk.ignored = IgnorePatterns::parse(&bytes).unwrap_or_default();
                ignore_file = Some((name, bytes));
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                walk.missed(&format!("{}: {error}", path.display()));
                break;
            }
        }
    }
    walk.folder(folder);
    Ok(BuildContext { entries: walk.entries, ignore_file, unread: walk.unread })
}

struct Walk {
    entries: BTreeMap<String, ContextEntry>,
    bytes: usize,
    unread: Option<String>,
    ignored: IgnorePatterns,
    /// Steps left in which folders are compared with patterns.
    steps_left: usize,
}

impl Walk {
    /// Only the first reason is kept.
    fn missed(&mut self, reason: &str) {
        self.unread.get_or_insert_with(|| reason.to_owned());
    }

    /// Walks breadth first, so that a limit leaves out what lies deepest.
    fn folder(&mut self, top: &Path) {
        let mut open = VecDeque::from([(top.to_owned(), String::new(), 0_usize)]);
        while let Some((folder, prefix, depth)) = open.pop_front() {
            let listed = fs::read_dir(&folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
            let mut listed = match listed {
                Ok(listed) => listed,
                Err(error) => {
                    self.missed(&format!("{}: {error}", folder.display()));
                    continue;
                }
            };
            listed.sort_by_key(fs::DirEntry::file_name);
            for entry in listed {
                if self.entries.len() == MAX_ENTRIES {
                    self.missed(&format!("it holds more than {MAX_ENTRIES} files and folders"));
                    return;
                }
                let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
                let content = if is_file && looks_inside(&path) { self.content(&entry.path()) } else { None };
                // Of the history of git it is enough to know that it is there.
                let is_walked = is_folder && prefix != ".git/" && !self.prunes(&path);
                if is_walked && depth == MAX_DEPTH {
                    self.missed(&format!("its folders lie deeper than {MAX_DEPTH}"));
                } else if is_walked {
                    open.push_back((entry.path(), format!("{path}/"), depth + 1));
                }
                self.entries.insert(path, ContextEntry { is_folder, content });
            }
        }
    }

    fn prunes(&mut self, folder: &str) -> bool {
        self.steps_left = self.steps_left.saturating_sub(self.ignored.cost(folder));
        self.steps_left > 0 && self.ignored.prunes(folder)
    }

    /// The bytes of a small file; a large one, or one that cannot be read, is judged by its name.
    fn content(&mut self, path: &Path) -> Option<Vec<u8>> {
        let bytes = read_bounded(path, MAX_FILE).ok().filter(|bytes| self.bytes + bytes.len() <= MAX_BYTES)?;
        self.bytes += bytes.len();
        Some(bytes)
    }
}

fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // A pipe or device could keep the program waiting for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_listed_without_what_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("app/Dockerfile", "FROM a\n");
        write("app/Dockerfile.dockerignore", "node_modules\n");
        write(".dockerignore", "app\n");
        write(".git/config", "x");
        write(".git/objects/ab/cd", "x");
        write("node_modules/a/b.js", "x");
        write(".npmrc", "a=b\n");
        write("src/main.c", "x");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", folder.path().join("out")).unwrap();
        let context = read(folder.path(), Some(&folder.path().join("app/Dockerfile"))).unwrap();
        assert_eq!(context.ignore_file, Some(("Dockerfile.dockerignore".to_owned(), b"node_modules\n".to_vec())));
        assert_eq!(context.unread, None);
        let paths: Vec<&str> = context.entries.keys().map(String::as_str).filter(|path| *path != "out").collect();
        let expected = [
            ".dockerignore",
            ".git",
            ".git/config",
            ".git/objects",
            ".npmrc",
            "app",
            "app/Dockerfile",
            "app/Dockerfile.dockerignore",
            "node_modules",
            "src",
            "src/main.c",
        ];
        assert_eq!(paths, expected);
        assert_eq!(context.entries[".npmrc"].content.as_deref(), Some(&b"a=b\n"[..]));
        assert!(context.entries["src/main.c"].content.is_none() && !context.entries.contains_key("out/passwd"));
        assert_eq!(read(folder.path(), None).unwrap().ignore_file.unwrap().0, ".dockerignore");
        assert!(read(&folder.path().join("none"), None).is_err());
    }
}
