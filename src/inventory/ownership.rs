//! Paths that package databases list in, owners of the paths that somebody asks about out. A list says `/lib/x` where a link makes it `usr/lib/x`
//! (<https://www.freedesktop.org/wiki/Software/systemd/TheCaseForTheUsrMerge/>), so folders of listed paths are followed through links.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::{FileEntry, FileView};

/// Bytes of folders that are followed through links for one cataloger; more than every file list of the largest distribution images has.
const FOLLOWED_BYTES: usize = 16 * 1024 * 1024;
/// Folders remembered at a time: lists go from folder to folder, so that few are needed.
const REMEMBERED: usize = 10_000;
/// No path of a file system is longer.
const PATH_BYTES: usize = 4096;

/// The paths that are asked about, and what was learnt of them.
pub(super) struct Owners<'a, 'p> {
    view: &'a FileView,
    paths: &'a mut BTreeMap<&'p str, Option<String>>,
    /// The last parts of the paths: most of what lists hold is told by it to be something else.
    names: BTreeSet<&'p str>,
    /// Folder as listed -> where it is, `None` for there.
    folders: BTreeMap<Box<str>, Option<String>>,
    left: usize,
    /// The layers in which the package manager was at work.
    written: BTreeSet<usize>,
}

impl<'a, 'p> Owners<'a, 'p> {
    /// `records` are the package manager's own files.
    pub(super) fn new<'f>(
        view: &'a FileView,
        paths: &'a mut BTreeMap<&'p str, Option<String>>,
        records: impl Iterator<Item = FileEntry<'f>>,
    ) -> Self {
        let names = paths.keys().map(|path| split(path).1).collect();
        let written = records.flat_map(|file| file.versions).map(|version| version.layer).collect();
        Self { view, paths, names, folders: BTreeMap::new(), left: FOLLOWED_BYTES, written }
    }

    /// Notes that `owner` lists `path`.
    pub(super) fn name(&mut self, path: &str, owner: &str) {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        let (folder, name) = split(path);
        if !self.names.contains(name) {
            return;
        }
        if self.paths.contains_key(path) {
            self.put(path, owner);
        } else if let Some(place) = self.follow(folder) {
            self.put(&if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") }, owner);
        }
    }

    fn put(&mut self, path: &str, owner: &str) {
        if self.is_replaced(path) {
            return;
        }
        if let Some(known) = self.paths.get_mut(path) {
            *known = Some(owner.to_owned());
        }
    }

    /// Whether somebody else put another file in the place of the listed one: in a layer above the first in which the package manager was at work,
    /// and in which it was not.
    fn is_replaced(&self, path: &str) -> bool {
        let Some(file) = self.view.lookup(path) else { return false };
        let content = file.versions.last().map(|version| &version.content);
        let since = file.versions.iter().rposition(|version| Some(&version.content) != content);
        let layer = since.and_then(|older| file.versions.get(older + 1)).map(|version| version.layer);
        layer.is_some_and(|layer| !self.written.contains(&layer) && self.written.first().is_some_and(|&first| first < layer))
    }

    /// Where links lead this folder; `None` when there are none.
    fn follow(&mut self, folder: &str) -> Option<String> {
        if let Some(place) = self.folders.get(folder) {
            return place.clone();
        }
        if folder.is_empty() || folder.len() > PATH_BYTES {
            return None;
        }
        self.left = self.left.checked_sub(folder.len())?;
        let place = self.view.resolve(folder).filter(|place| place != folder);
        if self.folders.len() >= REMEMBERED {
            self.folders.clear();
        }
        self.folders.insert(folder.into(), place.clone());
        place
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{inventory::fixture, layers};

    #[test]
    fn listed_paths_are_found_through_links_of_folders() {
        let tar = layers::fixture::tar_with_links(
            &[("usr/lib/x/a.so", b"a".to_vec()), ("opt/real/b", b"b".to_vec()), ("c", b"c".to_vec())],
            &[("lib", "usr/lib"), ("srv/link", "../opt/real"), ("root", "/"), ("loop", "loop")],
        );
        let (view, _) = fixture::walked(vec![layers::fixture::input(0, &tar)]);
        let check = |listed: &str, asked: &str, expected: bool| {
            let mut paths = BTreeMap::from([(asked, None)]);
            let mut owners = Owners::new(&view, &mut paths, std::iter::empty());
            owners.name(listed, "owner");
            assert_eq!(paths.get(asked).is_some_and(Option::is_some), expected, "{listed} {asked}");
        };
        check("/usr/lib/x/a.so", "usr/lib/x/a.so", true);
        check("/lib/x/a.so", "usr/lib/x/a.so", true);
        check("./lib/x/a.so", "usr/lib/x/a.so", true);
        check("lib/x/a.so", "usr/lib/x/b.so", false);
        check("lib64/x/a.so", "usr/lib/x/a.so", false);
        check("/srv/link/b", "opt/real/b", true);
        check("/root/c", "c", true);
        check("/loop/c", "c", false);
        check(&format!("{}lib/x/a.so", "/./".repeat(5000)), "usr/lib/x/a.so", false);
    }

    #[test]
    fn what_was_put_over_a_listed_file_is_nobodys() {
        let check = |layers: &[&[(&str, &str)]], expected: bool| {
            let layers: Vec<Vec<(&str, Vec<u8>)>> =
                layers.iter().map(|files| files.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())).collect()).collect();
            let layers: Vec<&[(&str, Vec<u8>)]> = layers.iter().map(Vec::as_slice).collect();
            let (view, _) = fixture::image(&layers);
            let mut paths = BTreeMap::from([(RECORD, None)]);
            let records = view.files().filter(|file| file.path == STATUS);
            Owners::new(&view, &mut paths, records).name(RECORD, "owner");
            assert_eq!(paths.get(RECORD).is_some_and(Option::is_some), expected, "{layers:?}");
        };
        const STATUS: &str = "var/lib/dpkg/status";
        const RECORD: &str = "usr/share/node_modules/a/package.json";
        check(&[&[(STATUS, "1"), (RECORD, "1")]], true);
        check(&[&[(STATUS, "1"), (RECORD, "1")], &[(RECORD, "2")]], false);
        check(&[&[(STATUS, "1"), (RECORD, "1")], &[(RECORD, "1")]], true);
        check(&[&[(STATUS, "1"), (RECORD, "1")], &[(STATUS, "2"), (RECORD, "2")]], true);
        check(&[&[(STATUS, "1"), (RECORD, "1")], &[(STATUS, "2"), (RECORD, "2")], &[(RECORD, "3")]], false);
        // Copied from another stage, part by part.
        check(&[&[(STATUS, "1")], &[(RECORD, "1")]], true);
        check(&[&[(RECORD, "1")], &[(RECORD, "2")], &[(STATUS, "1")]], true);
    }

    #[test]
    fn a_hundred_thousand_listed_paths_cost_little() {
        let tar = layers::fixture::tar_with_links(&[("usr/lib/x/a.so", b"a".to_vec())], &[("lib", "usr/lib")]);
        let (view, _) = fixture::walked(vec![layers::fixture::input(0, &tar)]);
        let mut paths = BTreeMap::from([("usr/lib/x/a.so", None)]);
        let mut owners = Owners::new(&view, &mut paths, std::iter::empty());
        for number in 0..100_000 {
            owners.name(&format!("/lib/{}/a.so", number % 30_000), "other");
        }
        owners.name("/lib/x/a.so", "owner");
        assert!(owners.folders.len() <= REMEMBERED && owners.left > 0);
        assert_eq!(paths.get("usr/lib/x/a.so"), Some(&Some("owner".to_owned())));
    }
}
