//! `FileView`: the files of an image that somebody wanted, as the merged file system shows them, with the layers they come from.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    layers::{
        Want,
        limits::Limits,
        links::Links,
        tree::{Node, Tree, Version, follow},
    },
    model::coverage::Gap,
};

/// The merged view.
#[derive(Debug)]
pub struct FileView {
    tree: Tree,
    /// Path under which a file is wanted -> path where it stands.
    wanted: BTreeMap<String, String>,
    limits: Limits,
    entries: u64,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// One file of the view.
#[derive(Debug, Clone, Copy)]
pub struct FileEntry<'a> {
    /// Path inside the image, links resolved, without a leading slash.
    pub path: &'a str,
    /// Place of the layer that it comes from.
    pub layer: usize,
    /// This and the versions of it in lower layers, lowest first, without interruption.
    pub versions: &'a [Version],
}

impl<'a> FileEntry<'a> {
    /// Its bytes; empty when only its presence was asked for.
    #[must_use]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.versions.last().map_or(Cow::Borrowed(&[]), Version::bytes)
    }
}

impl FileView {
    pub(super) fn new(mut tree: Tree, wants: &dyn Fn(&str) -> Want, limits: &Limits, entries: u64, mut gaps: Vec<Gap>) -> Self {
        let mut wanted: BTreeMap<String, String> = tree
            .nodes()
            .iter()
            .filter(|(path, node)| match node {
                Node::File(versions) => {
                    let want = wants(path);
                    want.by_name() || (want != Want::No && versions.last().is_some_and(|last| last.content.is_none()))
                }
                Node::Link(_) | Node::Unread => false,
            })
            .map(|(path, _)| (path.clone(), path.clone()))
            .collect();
        let mut links = Links::new(tree.nodes(), wants, limits);
        links.follow_all();
        wanted.append(&mut links.wanted);
        gaps.append(&mut links.gaps);
        gaps.append(&mut tree.gaps);
        gaps.sort();
        gaps.dedup();
        Self { tree, wanted, limits: limits.clone(), entries, gaps }
    }

    /// The wanted files, in path order, each once.
    pub fn files(&self) -> impl Iterator<Item = FileEntry<'_>> {
        self.wanted.iter().filter_map(|(path, place)| self.entry(place).map(|entry| FileEntry { path: path.as_str(), ..entry }))
    }

    /// The file that `path` leads to, through at most as many links as the limits say.
    #[must_use]
    pub fn lookup(&self, path: &str) -> Option<FileEntry<'_>> {
        let (place, _) = follow(self.tree.nodes(), path, &self.limits, u64::MAX);
        self.entry(&place.place()?)
    }

    /// The folder that `path` leads to, as a path without links.
    #[must_use]
    pub fn resolve(&self, path: &str) -> Option<String> {
        follow(self.tree.nodes(), path, &self.limits, u64::MAX).0.place()
    }

    /// Tar entries seen in all layers.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// The limits that the view was made under.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    fn entry(&self, place: &str) -> Option<FileEntry<'_>> {
        match self.tree.nodes().get_key_value(place)? {
            (path, Node::File(versions)) => {
                let last = versions.last()?;
                Some(FileEntry { path: path.as_str(), layer: last.layer, versions: versions.as_slice() })
            }
            _ => None,
        }
    }
}
