//! Paths in, the Dockerfiles that they name or hold out.

use std::path::{Path, PathBuf};

use ignore::{Walk, WalkBuilder, overrides::OverrideBuilder};

use super::Failure;
use crate::model::coverage::{Gap, SourceId};

/// How deep folders are searched, and how many files they may give.
const DEPTH: usize = 64;
const FILES: usize = 20_000;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// In the order of the paths, those of a folder sorted.
    pub(super) files: Vec<PathBuf>,
    /// What could not be read on the way.
    pub(super) gaps: Vec<Gap>,
}

/// Finds Dockerfiles; files that are named are taken as they are, also when they are not there.
pub(super) fn dockerfiles(paths: &[PathBuf], exclude: &[String]) -> Result<Found, Failure> {
    let here = [PathBuf::from(".")];
    let mut found = Found::default();
    for path in if paths.is_empty() { &here[..] } else { paths } {
        if !path.is_dir() {
            found.files.push(path.clone());
            continue;
        }
        let before = found.files.len() + found.gaps.len();
        for entry in walk(path, exclude)? {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) && is_dockerfile(entry.path()) => {
                    found.add(entry.path());
                }
                Ok(_) => {}
                Err(error) => found.gaps.push(unread(path, &error.to_string())),
            }
            if found.files.len() > FILES {
                return Err(
                    Failure::new(format!("more than {FILES} Dockerfiles in `{}`", path.display())).hint("name folders further down")
                );
            }
        }
        if found.files.len() + found.gaps.len() == before {
            return Err(Failure::new(format!("no Dockerfile or Containerfile in `{}` and below", path.display()))
                .hint("name the file: plimsoll lint path/to/file"));
        }
    }
    Ok(found)
}

impl Found {
    /// Adds a file of a folder, which must be there to be read.
    fn add(&mut self, path: &Path) {
        match std::fs::File::open(path) {
            Ok(_) => self.files.push(path.strip_prefix("./").unwrap_or(path).to_path_buf()),
            Err(error) => self.gaps.push(unread(path, &error.to_string())),
        }
    }
}

fn unread(path: &Path, reason: &str) -> Gap {
    Gap::new(SourceId::Dockerfile, "unread-file", path.strip_prefix("./").unwrap_or(path).to_string_lossy(), reason)
}

fn walk(folder: &Path, exclude: &[String]) -> Result<Walk, Failure> {
    let wrong = |error: ignore::Error| Failure::new(format!("`--exclude`: {error}"));
    let mut overrides = OverrideBuilder::new(folder);
    for pattern in exclude {
        overrides.add(&format!("!{pattern}")).map_err(wrong)?;
    }
    let mut builder = WalkBuilder::new(folder);
    builder
        .overrides(overrides.build().map_err(wrong)?)
        .follow_links(false)
        .require_git(false)
        .git_global(false)
        .ignore(false)
        .max_depth(Some(DEPTH))
        .sort_by_file_name(|a, b| a.cmp(b));
    Ok(builder.build())
}

/// Whether a file has a name that Dockerfiles have by convention.
fn is_dockerfile(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let is_named = ["Dockerfile", "Containerfile"]
        .iter()
        .any(|stem| name.strip_prefix(stem).is_some_and(|rest| rest.is_empty() || (rest.starts_with('.') && rest.len() > 1)));
    (is_named || name.ends_with(".Dockerfile") || name.ends_with(".dockerfile") || name.ends_with(".Containerfile"))
        && !name.ends_with(".dockerignore")
        && !name.ends_with(".containerignore")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known() {
        for name in ["Dockerfile", "Containerfile", "Dockerfile.dev", "Containerfile.ci", "web.Dockerfile", "web.dockerfile", ".dockerfile"]
        {
            assert!(is_dockerfile(Path::new(name)), "{name}");
        }
        for name in
            ["Dockerfile.dockerignore", "Dockerfile.", "Dockerfiles", "dockerfile.rs", "docker-compose.yml", "web.dockerfile.dockerignore"]
        {
            assert!(!is_dockerfile(Path::new(name)), "{name}");
        }
    }
}
