//! What is known of the paths of a merged tree besides their content: in, the marks (permissions) and notes (secrets) of each layer's paths; out,
//! those that are still there, and every note with whether its file is.

use std::{collections::BTreeMap, ops::Bound};

use crate::layers::{
    limits::Limits,
    record::{About, PathMark},
};

/// Marks and notes of one merged tree, bounded by [`Limits::marked_paths`].
#[derive(Debug, Default)]
pub(super) struct Marks {
    marked: BTreeMap<String, Marked>,
    /// In the order of the layers.
    notes: Vec<Noted>,
}

/// What is known of a place.
#[derive(Debug, Default)]
struct Marked {
    layer: usize,
    mark: Option<PathMark>,
    /// The last note about it.
    note: Option<usize>,
}

/// What was noted of a file in one layer.
#[derive(Debug)]
pub(super) struct Noted {
    pub layer: usize,
    pub path: String,
    pub bytes: Box<[u8]>,
    /// Under how many names the file is still there: hard links give it several.
    pub places: usize,
}

impl Marks {
    /// Every path that bears a mark and is there, with the layer that gave it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize, PathMark)> {
        self.marked.iter().filter_map(|(place, marked)| Some((place.as_str(), marked.layer, marked.mark?)))
    }

    /// What was noted of files.
    pub(super) fn notes(&self) -> &[Noted] {
        &self.notes
    }

    /// Keeps what a layer says of a path besides what happens to it; `false` when there is no room. `place` is where it stands, if anywhere.
    pub(super) fn add(&mut self, path: &str, place: Option<&str>, layer: usize, about: About<'_>, limits: &Limits) -> bool {
        if about.mark.is_none() && about.note.is_none() {
            return true;
        }
        if self.marked.len() >= limits.marked_paths || (about.note.is_some() && self.notes.len() >= limits.marked_paths) {
            return false;
        }
        let note = about.note.map(|bytes| {
            self.notes.push(Noted { layer, path: path.to_owned(), bytes: bytes.into(), places: usize::from(place.is_some()) });
            self.notes.len() - 1
        });
        if let Some(place) = place {
            self.marked.insert(place.to_owned(), Marked { layer, mark: about.mark, note });
        }
        true
    }

    /// Forgets what is known of a place, and of what is below it unless it stays a folder.
    pub(super) fn remove(&mut self, place: &str, stays_folder: bool) {
        // Few paths are marked, so mostly one look is enough.
        let next = self.marked.range::<str, _>((Bound::Included(place), Bound::Unbounded)).next();
        if next.is_none_or(|(path, _)| !path.starts_with(place)) {
            return;
        }
        if let Some(marked) = self.marked.remove(place) {
            self.hide(&marked);
        }
        if !stays_folder {
            self.remove_below(place);
        }
    }

    /// Forgets what is known of everything below a place.
    pub(super) fn remove_below(&mut self, place: &str) {
        if self.marked.is_empty() {
            return;
        }
        let prefix = if place.is_empty() { String::new() } else { format!("{place}/") };
        while let Some((path, _)) = self.marked.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)).next() {
            if !path.starts_with(&prefix) {
                return;
            }
            let path = path.clone();
            if let Some(marked) = self.marked.remove(&path) {
                self.hide(&marked);
            }
        }
    }

    /// A note about a file that is no longer there stays.
    fn hide(&mut self, marked: &Marked) {
        if let Some(noted) = marked.note.and_then(|note| self.notes.get_mut(note)) {
            noted.places = noted.places.saturating_sub(1);
        }
    }

    /// Gives a hard link what is known of its file, besides what its own entry says of it; `false` when there is no room.
    pub(super) fn share(&mut self, place: &str, target: &str, layer: usize, limits: &Limits) -> bool {
        let Some(&Marked { mark: shared, note, .. }) = self.marked.get(target).filter(|_| place != target) else { return true };
        if !self.marked.contains_key(place) && self.marked.len() >= limits.marked_paths {
            return false;
        }
        let own = self.marked.entry(place.to_owned()).or_insert(Marked { layer, mark: None, note: None });
        let gives = shared.is_some_and(|mark| mark.has_capability);
        own.mark = own.mark.map(|mark| PathMark { has_capability: mark.has_capability || gives, ..mark }).or(shared);
        if own.note.is_none() {
            own.note = note;
            if let Some(noted) = note.and_then(|note| self.notes.get_mut(note)) {
                noted.places += 1;
            }
        }
        true
    }
}
