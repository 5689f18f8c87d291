//! Lock files of Python's package managers in, declared distributions out. Specifications:
//! <https://pip.pypa.io/en/stable/reference/requirements-file-format/>, <https://packaging.python.org/en/latest/specifications/pylock-toml/>,
//! and of poetry, Pipenv, uv and PDM what these tools write.

use super::{Context, Package, package, split};
use crate::inventory::{
    CatalogError,
    cataloger::TEXT,
    json_cursor::Json,
    lockfile,
    toml::{self, Table},
};

/// Whether a path is a lock file.
pub(super) fn is_lock(path: &str) -> bool {
    let name = split(path).1;
    match name {
        "poetry.lock" | "Pipfile.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" => true,
        _ if name.starts_with("pylock.") => name.ends_with(".toml"),
        _ => name
            .strip_suffix(".txt")
            .is_some_and(|stem| stem.starts_with("requirements") || stem.ends_with("requirements") && is_word(stem)),
    }
}

/// `dev-requirements`, not `myrequirements`.
fn is_word(stem: &str) -> bool {
    stem.strip_suffix("requirements").is_some_and(|before| before.ends_with(['-', '_', '.']))
}

/// Reads one.
pub(super) fn parse(path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let mut read = Read { packages: Vec::new(), unversioned: 0, text: 0, most: context.limits().packages };
    let result = match split(path).1 {
        "Pipfile.lock" => read.pipfile(bytes, context),
        name if name.ends_with(".txt") => read.requirements(bytes),
        name => read.tables(bytes, context, if name.starts_with("pylock.") { "packages" } else { "package" }),
    };
    let error = result.err().or_else(|| lockfile::dropped(read.unversioned, "have a name without a version, or the other way round"));
    (read.packages, error)
}

struct Read {
    packages: Vec<Package>,
    unversioned: usize,
    text: usize,
    most: usize,
}

impl Read {
    fn add(&mut self, name: &str, version: &str) {
        if !lockfile::is_plain(name) || !lockfile::is_plain(version) {
            self.unversioned += 1;
            return;
        }
        // One more than fits, so that whoever takes them sees that there are too many. With their purls they say more than what is kept of them here.
        self.text = self.text.saturating_add(name.len()).saturating_add(version.len());
        if self.packages.len() <= self.most && self.text <= TEXT {
            self.packages.push(package(name.to_owned(), version.to_owned()));
        }
    }

    /// `{"default": {NAME: {"version": "==1.0"}}, "develop": …}`.
    fn pipfile(&mut self, bytes: &[u8], context: &Context<'_>) -> Result<(), CatalogError> {
        Json::check(bytes, context.limits())?.each_key(|json, group| {
            if group == "_meta" {
                return;
            }
            json.each_key(|json, name| {
                let (mut version, mut is_elsewhere) = (None, false);
                json.each_key(|json, key| match key {
                    "version" => version = json.text(),
                    // What comes from a repository or a folder has no version here.
                    "git" | "path" | "file" | "editable" | "ref" => is_elsewhere = true,
                    _ => {}
                });
                match version.as_deref().and_then(|version| version.strip_prefix("==")) {
                    Some(version) => self.add(name, version.trim_start_matches('=').trim()),
                    None if is_elsewhere => {}
                    None => self.unversioned += 1,
                }
            });
        });
        Ok(())
    }

    /// Lines such as `name[extra]==1.0 ; marker --hash=…`. What is not pinned names no version; other files are not followed.
    fn requirements(&mut self, bytes: &[u8]) -> Result<(), CatalogError> {
        let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
            .map_err(|_| CatalogError("is no UTF-8".to_owned()))?;
        let mut is_continued = false;
        for line in text.lines() {
            // A continuation holds hashes and markers; the name stands on the first line.
            let is_rest = std::mem::replace(&mut is_continued, line.trim_end().ends_with('\\'));
            let line = line.trim().trim_end_matches('\\');
            if is_rest || line.starts_with(['#', '-']) {
                continue;
            }
            let line = line.split(" #").next().unwrap_or_default();
            let line = line.split(" --").next().unwrap_or_default();
            let line = line.split(';').next().unwrap_or_default().trim();
            let Some((name, version)) = line.split_once("==") else { continue };
            let name = name.split('[').next().unwrap_or_default().trim();
            let version = version.trim_start_matches('=').trim();
            let is_version = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-' | '_' | '+' | '!');
            let is_name = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-' | '_');
            if !name.is_empty() && name.chars().all(is_name) && !version.is_empty() && version.chars().all(is_version) {
                self.add(name, version);
            }
        }
        Ok(())
    }

    /// `[[package]]` with `name` and `version`, where the rest says whether it is a package or a folder.
    fn tables(&mut self, bytes: &[u8], context: &Context<'_>, item: &str) -> Result<(), CatalogError> {
        let mut pending: Option<Table> = None;
        let source = format!("{item}.source");
        let (directory, vcs) = (format!("{item}.directory"), format!("{item}.vcs"));
        let mut is_local = false;
        let result = toml::each_table(bytes, context.limits(), |table| {
            if table.is_item && table.name == item {
                self.settle(pending.take(), is_local);
                is_local = false;
                pending = Some(table);
            } else if table.name == source {
                is_local = matches!(table.text("type"), Some("directory" | "file"));
            } else if table.name == directory || table.name == vcs {
                is_local = table.name == directory;
            } else if !table.name.starts_with(item) {
                self.settle(pending.take(), is_local);
                is_local = false;
            }
        });
        self.settle(pending.take(), is_local);
        result
    }

    fn settle(&mut self, package: Option<Table>, is_local: bool) {
        let Some(package) = package else { return };
        let from = |keys: &[&str]| {
            package.table("source").is_some_and(|source| keys.iter().any(|key| source.contains_key(*key)))
                || keys.iter().any(|key| package.table(key).is_some() || package.text(key).is_some())
        };
        // The project itself, and its parts.
        if is_local || from(&["editable", "virtual", "directory", "path"]) {
            return;
        }
        match (package.text("name"), package.text("version")) {
            (Some(name), Some(version)) => self.add(name, version),
            (Some(_), None) if from(&["git", "vcs", "url", "archive"]) => {}
            _ => self.unversioned += 1,
        }
    }
}
