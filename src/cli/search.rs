//! Paths in, the Dockerfiles that they name or hold out.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

use ignore::{
    DirEntry, Walk, WalkBuilder,
    overrides::{Override, OverrideBuilder},
};

use super::{Failure, tracked::tracked};
use crate::model::coverage::{Gap, SourceId};

/// How many files one folder may give.
const FILES: usize = 20_000;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the paths, those of a folder sorted.
    pub(super) files: Vec<PathBuf>,
    /// What could not be read on the way.
    pub(super) gaps: Vec<Gap>,
}

/// Finds Dockerfiles; files that are named are taken as they are.
pub(super) fn dockerfiles(paths: &[PathBuf], exclude: &[String]) -> Result<Found, Failure> {
    let here = [PathBuf::from(".")];
    let mut found = Found::default();
    for path in if paths.is_empty() { &here[..] } else { paths } {
        let is_missing = std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        if is_missing && path != Path::new("-") {
            return Err(Failure::new(format!("there is no file or folder `{}`", path.display()))
                .hint("name Dockerfiles or folders that are searched for them; without a name, this folder is searched"));
        }
        if !path.is_dir() {
            found.files.push(path.clone());
            continue;
        }
        let overrides = overrides(path, exclude)?;
        let mut of_folder = Found::default();
        let mut trees = Vec::from_iter(WorkTree::around(path));
        for entry in walk(path, overrides.clone(), GitIgnore::Heeded) {
            match entry {
                Ok(entry) if is_folder(&entry) => trees.push(WorkTree::at(entry.path())),
                Ok(entry) if is_file(&entry) && is_dockerfile(entry.path()) => of_folder.add(entry.path()),
                Ok(_) => {}
                Err(error) => of_folder.gaps.push(unread(path, &error.to_string())),
            }
            if of_folder.files.len() > FILES {
                return Err(
                    Failure::new(format!("more than {FILES} Dockerfiles in `{}`", path.display())).hint("name folders further down")
                );
            }
        }
        let unknown: Vec<Gap> = trees.iter().filter_map(|tree| of_folder.add_tracked(tree, &overrides).err()).collect();
        // What git tracks matters only where `.gitignore` hides something.
        let known: BTreeSet<&PathBuf> = of_folder.files.iter().collect();
        if !unknown.is_empty() && all(path, overrides.clone()).any(|file| !known.contains(&file)) {
            of_folder.gaps.extend(unknown);
        }
        if of_folder.files.is_empty() && of_folder.gaps.is_empty() {
            return Err(nothing_in(path, overrides));
        }
        // In the order in which the folder was walked, and each once.
        of_folder.files.sort();
        of_folder.files.dedup();
        found.files.append(&mut of_folder.files);
        found.gaps.append(&mut of_folder.gaps);
    }
    Ok(found)
}

/// Says that a folder gave nothing, and whether that is because of `.gitignore`.
fn nothing_in(folder: &Path, overrides: Override) -> Failure {
    let place = folder.display();
    let hint = "name the file: plimsoll lint path/to/file";
    match all(folder, overrides).next() {
        Some(first) => Failure::new(format!(
            "every Dockerfile or Containerfile in `{place}` and below is one that .gitignore names, such as `{}`",
            first.display()
        ))
        .hint(format!("{hint}; or take it out of .gitignore")),
        None => Failure::new(format!("no Dockerfile or Containerfile in `{place}` and below")).hint(hint),
    }
}

/// Every Dockerfile in a folder, whatever `.gitignore` says.
fn all(folder: &Path, overrides: Override) -> impl Iterator<Item = PathBuf> {
    let entries = walk(folder, overrides, GitIgnore::PassedOver).flatten();
    entries.filter(|entry| is_file(entry) && is_dockerfile(entry.path())).map(|entry| shown(entry.path()).to_path_buf())
}

impl Found {
    /// Adds a file of a folder, which must be there to be read.
    fn add(&mut self, path: &Path) {
        match std::fs::File::open(path) {
            Ok(_) => self.files.push(shown(path).to_path_buf()),
            Err(error) => self.gaps.push(unread(path, &error.to_string())),
        }
    }

    /// Adds what git tracks although `.gitignore` names it; a gap where nobody knows what that is.
    fn add_tracked(&mut self, tree: &WorkTree, overrides: &Override) -> Result<(), Gap> {
        let is_wanted = |path: &Path| path.strip_prefix(&tree.below).is_ok() && is_dockerfile(path);
        let tracked = tracked(&tree.top, &is_wanted).map_err(|error| {
            let reason = format!(".gitignore names Dockerfiles here, and nobody knows which of them git tracks all the same: {error}");
            unread(&tree.top.join(".git"), &reason)
        })?;
        for path in tracked.iter().filter_map(|path| path.strip_prefix(&tree.below).ok()) {
            if !is_passed_over(&tree.folder, path, overrides) {
                self.add(&tree.folder.join(path));
            }
        }
        Ok(())
    }
}

/// A folder that may be the top of git's work tree, and the folder in it that is searched.
struct WorkTree {
    top: PathBuf,
    /// The way from the top to the folder.
    below: PathBuf,
    folder: PathBuf,
}

impl WorkTree {
    fn at(folder: &Path) -> Self {
        Self { top: folder.to_path_buf(), below: PathBuf::new(), folder: folder.to_path_buf() }
    }

    /// The one that a folder is in without being its top.
    fn around(folder: &Path) -> Option<Self> {
        let real = std::fs::canonicalize(folder).ok().filter(|real| !real.join(".git").exists())?;
        let top = real.ancestors().skip(1).find(|above| above.join(".git").exists())?;
        Some(Self { top: top.to_path_buf(), below: real.strip_prefix(top).ok()?.to_path_buf(), folder: folder.to_path_buf() })
    }
}

/// Whether a path below a folder is none that a search finds: hidden, left out, behind a link, or not there.
fn is_passed_over(folder: &Path, path: &Path, overrides: &Override) -> bool {
    let is_hidden = path.components().any(|part| !matches!(part, Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".")));
    let kind = |path: &Path| std::fs::symlink_metadata(path).map(|metadata| metadata.file_type());
    let file = folder.join(path);
    let folders = path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).map(|path| folder.join(path));
    is_hidden
        || !kind(&file).is_ok_and(|kind| kind.is_file())
        || overrides.matched(&file, false).is_ignore()
        || folders.into_iter().any(|path| overrides.matched(&path, true).is_ignore() || !kind(&path).is_ok_and(|kind| kind.is_dir()))
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// A path as reports name it.
fn shown(path: &Path) -> &Path {
    path.strip_prefix("./").unwrap_or(path)
}

fn unread(path: &Path, reason: &str) -> Gap {
    Gap::new(SourceId::Dockerfile, "unread-file", shown(path).to_string_lossy(), reason)
}

/// The patterns of `--exclude`.
fn overrides(folder: &Path, exclude: &[String]) -> Result<Override, Failure> {
    let wrong = |error: ignore::Error| Failure::new(format!("`--exclude`: {error}"));
    let mut overrides = OverrideBuilder::new(folder);
    for pattern in exclude {
        overrides.add(&format!("!{pattern}")).map_err(wrong)?;
    }
    overrides.build().map_err(wrong)
}

/// What becomes of the files that `.gitignore` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GitIgnore {
    /// They are not found.
    Heeded,
    /// They are found like others.
    PassedOver,
}

/// Walks a folder, however deep.
fn walk(folder: &Path, overrides: Override, git_ignore: GitIgnore) -> Walk {
    let is_heeded = git_ignore == GitIgnore::Heeded;
    let mut builder = WalkBuilder::new(folder);
    builder
        .overrides(overrides)
        .follow_links(false)
        .require_git(false)
        .git_global(false)
        .git_ignore(is_heeded)
        .git_exclude(is_heeded)
        .ignore(false)
        .sort_by_file_name(|a, b| a.cmp(b));
    builder.build()
}

/// Whether a file has a name that Dockerfiles have by convention.
fn is_dockerfile(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let is_named = ["Dockerfile", "Containerfile"]
        .iter()
        .any(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && rest.len() > 1)));
    // What `docker build` takes where there is no `Dockerfile`.
    let is_lower = name == "dockerfile";
    (is_named || is_lower || name.ends_with(".Dockerfile") || name.ends_with(".dockerfile") || name.ends_with(".Containerfile"))
        && !name.ends_with(".dockerignore")
        && !name.ends_with(".containerignore")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known() {
        for name in [
            "Dockerfile",
            "Containerfile",
            "Dockerfile.dev",
            "Containerfile.ci",
            "web.Dockerfile",
            "web.dockerfile",
            ".dockerfile",
            "dockerfile",
        ] {
            assert!(is_dockerfile(Path::new(name)), "{name}");
        }
        for name in
            ["Dockerfile.dockerignore", "Dockerfile.", "Dockerfiles", "dockerfile.rs", "docker-compose.yml", "web.dockerfile.dockerignore"]
        {
            assert!(!is_dockerfile(Path::new(name)), "{name}");
        }
    }
}
