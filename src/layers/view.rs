//! `FileView`: the files of an image that somebody wanted, as the merged file system shows them, with the layers they come from.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    layers::{
        Examiner, Want,
        limits::Limits,
        links::Links,
        node::{Node, Version, follow},
        record::PathMark,
        tree::Tree,
    },
    model::coverage::{Gap, SourceId},
};

/// The merged view.
#[derive(Debug)]
pub struct FileView {
    tree: Tree,
    /// Path under which only a link makes a file wanted -> path where it stands.
    linked: BTreeMap<String, String>,
    /// Places of files that are there only because a link leads to them.
    unlisted: BTreeSet<String>,
    limits: Limits,
    /// Path components looked up so far by those who ask.
    steps: AtomicU64,
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

/// What was noted of a file while its layer streamed past.
#[derive(Debug, Clone, Copy)]
pub struct Note<'a> {
    /// Place of the layer.
    pub layer: usize,
    /// Path as the layer has it.
    pub path: &'a str,
    /// What was noted.
    pub bytes: &'a [u8],
    /// Whether the file is still there: not deleted or replaced by an upper layer, nor by a later entry of its own.
    pub is_visible: bool,
}

impl<'a> FileEntry<'a> {
    /// Its bytes; empty when only its presence was asked for, or only what an examiner says of it.
    #[must_use]
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        self.versions.last().map_or(Cow::Borrowed(&[]), Version::bytes)
    }

    /// How many bytes that are; this does not unpack them.
    #[must_use]
    pub fn size(&self) -> usize {
        self.versions.last().map_or(0, Version::size)
    }

    /// What this examiner said of it; `None` when it was not asked, or had nothing to say.
    #[must_use]
    pub fn extract(&self, examiner: &dyn Examiner) -> Option<Cow<'a, [u8]>> {
        self.versions.last()?.extract(examiner)
    }
}

impl FileView {
    pub(super) fn new(mut tree: Tree, wants: &dyn Fn(&str) -> Want, limits: &Limits, entries: u64, mut gaps: Vec<Gap>) -> Self {
        let mut links = Links::new(tree.nodes(), wants, limits);
        links.follow_all();
        let (linked, mut unreached) = (links.wanted, links.gaps);
        gaps.append(&mut unreached);
        gaps.append(&mut tree.gaps);
        gaps.sort();
        gaps.dedup();
        let targets: BTreeSet<String> = linked.values().cloned().collect();
        let mut unlisted = BTreeSet::new();
        tree.retain_files(|place, last| {
            let want = wants(place);
            if want.by_name() || last.is_some_and(|last| last.serves(want)) {
                return true;
            }
            let is_target = targets.contains(place);
            if is_target {
                unlisted.insert(place.to_owned());
            }
            is_target
        });
        Self { tree, linked, unlisted, limits: limits.clone(), steps: AtomicU64::new(0), entries, gaps }
    }

    /// The wanted files, in path order, each once.
    pub fn files(&self) -> impl Iterator<Item = FileEntry<'_>> {
        let mut own = self
            .tree
            .nodes()
            .iter()
            .filter_map(|(path, node)| entry(path, node))
            .filter(|file| !self.unlisted.contains(file.path))
            .peekable();
        let mut linked =
            self.linked.iter().filter_map(|(path, place)| Some(FileEntry { path: path.as_str(), ..self.entry(place)? })).peekable();
        std::iter::from_fn(move || match (own.peek(), linked.peek()) {
            (Some(mine), Some(other)) if mine.path > other.path => linked.next(),
            (None, _) => linked.next(),
            _ => own.next(),
        })
    }

    /// The file that `path` leads to, through at most as many links as the limits say.
    #[must_use]
    pub fn lookup(&self, path: &str) -> Option<FileEntry<'_>> {
        match self.left() {
            0 => self.entry(path),
            budget => self.entry(&self.follow(path, budget)?),
        }
    }

    /// The folder that `path` leads to, as a path without links.
    #[must_use]
    pub fn resolve(&self, path: &str) -> Option<String> {
        match self.left() {
            0 => None,
            budget => self.follow(path, budget),
        }
    }

    /// Says that questions took more steps than the limit, so that links on the paths of later ones were not followed.
    #[must_use]
    pub fn unfollowed(&self) -> Option<Gap> {
        (self.left() == 0).then(|| {
            let reason = format!(
                "looking up paths took more than the limit of {} steps; links on later ones were not followed",
                self.limits.link_steps
            );
            Gap::new(SourceId::Inventory, "link-target", "", reason)
        })
    }

    fn left(&self) -> u64 {
        self.limits.link_steps.saturating_sub(self.steps.load(Ordering::Relaxed))
    }

    fn follow(&self, path: &str, budget: u64) -> Option<String> {
        let (place, steps) = follow(self.tree.nodes(), path, &self.limits, budget);
        self.steps.fetch_add(steps, Ordering::Relaxed);
        place.place()
    }

    /// Paths with special permissions that are there, in path order, each with the layer that gave them.
    pub fn marks(&self) -> impl Iterator<Item = (&str, usize, PathMark)> {
        self.tree.marks().iter()
    }

    /// What was noted of files in every layer, lowest first.
    pub fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        self.tree.marks().notes().iter().map(|noted| Note {
            layer: noted.layer,
            path: &noted.path,
            bytes: &noted.bytes,
            is_visible: noted.places > 0,
        })
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
        self.tree.nodes().get_key_value(place).and_then(|(path, node)| entry(path, node))
    }
}

fn entry<'a>(path: &'a str, node: &'a Node) -> Option<FileEntry<'a>> {
    match node {
        Node::File(versions) => {
            let last = versions.last()?;
            Some(FileEntry { path, layer: last.layer, versions: versions.as_slice() })
        }
        _ => None,
    }
}
