//! Layer records in, one merged tree out: whiteouts, replaced files, and links resolved against what is there at that moment.
//! The tree holds only what can matter: kept files, symbolic links, files that are only known to exist. Everything else is a plain folder.

use std::{borrow::Cow, collections::BTreeMap, ops::Bound, sync::Arc};

use crate::{
    layers::{
        Want,
        limits::Limits,
        marks::Marks,
        node::{Followed, Node, Version, follow},
        record::{Change, LayerRecord},
        whiteout::{Whiteout, deleted_path},
    },
    model::coverage::{Gap, SourceId},
};

/// Why a whiteout deletes nothing: some engines follow the link of the lower layer, others put a folder in its place.
const THROUGH_LINK: &str = "is deleted through a link of a lower layer; engines disagree on what that deletes, so nothing was deleted here";
/// What the Gap about too many paths calls them.
const NO_ROOM: &str = "paths of links and records";
/// What the Gap about too many marks and notes calls them.
const NO_MARKS: &str = "paths with special permissions or secrets";

/// The merged tree.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: BTreeMap<String, Node>,
    links: usize,
    steps: u64,
    kept: u64,
    older: u64,
    /// What its paths and link targets cost.
    path_bytes: usize,
    cached: Option<(String, Option<String>)>,
    /// A folder to which no link leads, so that it is where its path says.
    plain: String,
    /// Two paths between which no node is; the second one is of a node, or there is none behind the first.
    free: Option<(String, Option<String>)>,
    /// Of each place what is worth knowing besides its content.
    marks: Marks,
    pub gaps: Vec<Gap>,
}

impl Tree {
    /// Puts one layer on top.
    pub(super) fn apply(&mut self, record: &LayerRecord, layer: usize, wants: &dyn Fn(&str) -> Want, limits: &Limits) {
        record.for_each_whiteout(|path, whiteout| match whiteout {
            Whiteout::Path => {
                let path = deleted_path(path);
                if let Some(place) = self.place(&path, limits) {
                    if *place == *path {
                        self.marks.remove(&place, false);
                        self.remove_with_content(&place);
                    } else if self.holds(&place) {
                        self.gap(&path, "link-target", THROUGH_LINK, limits);
                    }
                }
            }
            Whiteout::Below => {
                if let Some(place) = self.resolve(path, limits) {
                    if place == path {
                        self.remove_below(&place);
                    } else if self.holds(&place) {
                        self.gap(path, "link-target", THROUGH_LINK, limits);
                    }
                }
            }
        });
        record.for_each_change(|path, change, about| {
            let Some(place) = self.place(path, limits) else {
                if wants(path).by_name() {
                    self.gap(path, "link-loop", "its folder is a link that leads nowhere", limits);
                }
                // Nothing can be there for a program, but a secret in the layer is one all the same.
                if !self.marks.add(path, None, layer, about, limits) {
                    self.too_many_marks(limits);
                }
                return;
            };
            self.marks.remove(&place, matches!(change, Change::Directory));
            if !self.marks.add(path, Some(&place), layer, about, limits) {
                self.too_many_marks(limits);
            }
            match change {
                Change::Directory => self.remove_alone(&place),
                Change::Unkept | Change::Unread => {
                    if place != path && wants(&place).by_content() {
                        self.gap(&place, "file-not-kept", "was written through a link, and its bytes were not kept", limits);
                    }
                    self.remove_with_content(&place);
                    if matches!(change, Change::Unread) {
                        self.insert(place.into_owned(), Node::Unread, limits);
                    }
                }
                Change::Present => self.put_file(place.into_owned(), Version { layer, content: None, examiner: None }, limits),
                Change::File(content) => {
                    self.put_file(place.into_owned(), Version { layer, content: Some(Arc::clone(content)), examiner: None }, limits);
                }
                Change::Extract(examiner, content) => {
                    let version = Version { layer, content: Some(Arc::clone(content)), examiner: Some(Arc::clone(examiner)) };
                    self.put_file(place.into_owned(), version, limits);
                }
                Change::Symlink(target) => {
                    self.put_link(place.into_owned(), target.to_owned(), limits);
                }
                Change::Hardlink(target) => self.put_hardlink(place.into_owned(), target, layer, wants, limits),
            }
        });
    }

    /// All nodes by path.
    pub(super) const fn nodes(&self) -> &BTreeMap<String, Node> {
        &self.nodes
    }

    /// Drops the files that nobody will ask for, told from their place and their topmost version.
    pub(super) fn retain_files(&mut self, mut is_kept: impl FnMut(&str, Option<&Version>) -> bool) {
        self.nodes.retain(|place, node| match node {
            Node::File(versions) => is_kept(place, versions.last()),
            Node::Link(_) | Node::Unread => true,
        });
    }

    /// What the topmost versions of all files cost.
    pub(super) const fn kept(&self) -> u64 {
        self.kept
    }

    /// What is known of its paths besides their content.
    pub(super) const fn marks(&self) -> &Marks {
        &self.marks
    }

    fn too_many_marks(&mut self, limits: &Limits) {
        if !self.gaps.iter().any(|gap| gap.kind == "layer-limit" && gap.subject == NO_MARKS) {
            let reason = format!("are more than the limit of {}; the others were not kept", limits.marked_paths);
            self.gaps.push(Gap::new(SourceId::Image, "layer-limit", NO_MARKS, reason));
        }
    }

    fn put_file(&mut self, place: String, version: Version, limits: &Limits) {
        let layer = version.layer;
        self.retire(&place, layer, limits);
        if self.kept + version.cost() > limits.kept_bytes {
            let reason = format!("the wanted files of the image exceed the limit of {} bytes", limits.kept_bytes);
            self.gap(&place, "file-limit", &reason, limits);
            self.remove_below(&place);
            match self.take(&place) {
                // The topmost version was retired already, so that all of them count as older ones.
                Some(Node::File(versions)) => {
                    self.older = self.older.saturating_sub(versions.iter().map(Version::cost).sum());
                }
                other => self.forget(other),
            }
            return;
        }
        self.kept += version.cost();
        self.remove_below(&place);
        match self.nodes.get_mut(&place) {
            Some(Node::File(versions)) => versions.push(version),
            _ => {
                self.remove_alone(&place);
                let cost = version.cost();
                if !self.insert(place, Node::File(vec![version]), limits) {
                    self.kept = self.kept.saturating_sub(cost);
                }
            }
        }
    }

    fn put_link(&mut self, place: String, target: String, limits: &Limits) {
        self.remove_with_content(&place);
        self.cached = None;
        if shared_folder(&self.plain, &place) == place.len() {
            self.plain.clear();
        }
        self.links += usize::from(self.insert(place, Node::Link(target), limits));
    }

    /// Puts a node where none is, if there is room for its path: a shared folder of many paths is folded in a layer's record, but not here.
    fn insert(&mut self, place: String, node: Node, limits: &Limits) -> bool {
        let cost = node.path_cost(&place);
        if self.path_bytes + cost > limits.placed_path_bytes {
            if !self.gaps.iter().any(|gap| gap.kind == "layer-limit" && gap.subject == NO_ROOM) {
                let reason = format!("take more bytes than the limit of {}; further ones were not placed", limits.placed_path_bytes);
                self.gaps.push(Gap::new(SourceId::Image, "layer-limit", NO_ROOM, reason));
            }
            return false;
        }
        self.path_bytes += cost;
        self.free = None;
        self.nodes.insert(place, node);
        true
    }

    /// Makes room for a new version of a file: one of the same layer goes, one of a lower layer becomes an older version.
    fn retire(&mut self, place: &str, layer: usize, limits: &Limits) {
        let Some(Node::File(versions)) = self.nodes.get_mut(place) else { return };
        let cost = versions.last().map_or(0, Version::cost);
        self.kept = self.kept.saturating_sub(cost);
        if versions.last().is_some_and(|last| last.layer == layer) {
            versions.pop();
        } else {
            self.older += cost;
        }
        let mut dropped = false;
        while self.older > limits.older_bytes && !versions.is_empty() {
            self.older = self.older.saturating_sub(versions.remove(0).cost());
            dropped = true;
        }
        if versions.is_empty() {
            self.take(place);
        }
        if dropped {
            let reason = format!(
                "the lower layers' versions of such files exceed the limit of {} bytes; some of its packages may be older than the layer that \
                 they are said to come from",
                limits.older_bytes
            );
            self.gap(place, "file-limit", &reason, limits);
        }
    }

    fn put_hardlink(&mut self, place: String, target: &str, layer: usize, wants: &dyn Fn(&str) -> Want, limits: &Limits) {
        let original = self.place(target, limits);
        if original.as_ref().is_some_and(|original| !self.marks.share(&place, original, layer, limits)) {
            self.too_many_marks(limits);
        }
        match original.and_then(|original| self.nodes.get(&*original)) {
            Some(Node::File(versions)) => {
                let last = versions.last();
                let content = last.and_then(|version| version.content.clone());
                let examiner = last.and_then(|version| version.examiner.clone());
                self.put_file(place, Version { layer, content, examiner }, limits);
            }
            Some(Node::Link(target)) => {
                let target = target.clone();
                self.put_link(place, target, limits);
            }
            Some(Node::Unread) | None => {
                if wants(&place).by_name() {
                    self.gap(&place, "link-target", &format!("is a hard link to `{target}`, which is not there or was not kept"), limits);
                }
                self.remove_with_content(&place);
            }
        }
    }

    /// Whether anything is at a place or below it.
    fn holds(&self, place: &str) -> bool {
        let mut next = self.nodes.range::<str, _>((Bound::Included(place), Bound::Unbounded));
        next.next().is_some_and(|(path, _)| {
            path.strip_prefix(place).is_some_and(|rest| place.is_empty() || rest.is_empty() || rest.starts_with('/'))
        }) || self
            .nodes
            .range::<str, _>((Bound::Included(format!("{place}/").as_str()), Bound::Unbounded))
            .next()
            .is_some_and(|(path, _)| path.starts_with(&format!("{place}/")))
    }

    fn remove_with_content(&mut self, place: &str) {
        // Mostly nothing is there, and in a tar in order what comes next is still the node that it was.
        let is_next =
            |(from, next): &(String, Option<String>)| from.as_str() <= place && next.as_ref().is_none_or(|next| place <= next.as_str());
        if !self.free.as_ref().is_some_and(is_next) {
            let next = self.nodes.range::<str, _>((Bound::Included(place), Bound::Unbounded)).next();
            self.free = Some((place.to_owned(), next.map(|(path, _)| path.clone())));
        }
        if self.free.as_ref().is_some_and(|(_, next)| next.as_ref().is_none_or(|next| !next.starts_with(place))) {
            return;
        }
        self.free = None;
        self.remove_below(place);
        self.remove_alone(place);
    }

    fn remove_alone(&mut self, place: &str) {
        let removed = self.take(place);
        self.forget(removed);
    }

    fn take(&mut self, place: &str) -> Option<Node> {
        let node = self.nodes.remove(place)?;
        self.path_bytes = self.path_bytes.saturating_sub(node.path_cost(place));
        Some(node)
    }

    fn remove_below(&mut self, place: &str) {
        self.marks.remove_below(place);
        let prefix = if place.is_empty() { String::new() } else { format!("{place}/") };
        loop {
            let next = self.nodes.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)).next();
            match next {
                Some((path, _)) if path.starts_with(&prefix) => {
                    let path = path.clone();
                    self.remove_alone(&path);
                }
                _ => return,
            }
        }
    }

    fn forget(&mut self, node: Option<Node>) {
        match node {
            Some(Node::Link(_)) => {
                self.links -= 1;
                self.cached = None;
            }
            Some(Node::File(versions)) => {
                let mut costs = versions.iter().rev().map(Version::cost);
                self.kept = self.kept.saturating_sub(costs.next().unwrap_or_default());
                self.older = self.older.saturating_sub(costs.sum());
            }
            Some(Node::Unread) | None => {}
        }
    }

    /// Where a path of a layer really stands: links in its folder are followed, the last part is not.
    fn place<'a>(&mut self, path: &'a str, limits: &Limits) -> Option<Cow<'a, str>> {
        let Some((folder, name)) = path.rsplit_once('/') else { return Some(Cow::Borrowed(path)) };
        if self.links == 0 || self.is_plain(folder, limits) {
            return Some(Cow::Borrowed(path));
        }
        if self.cached.as_ref().is_none_or(|(known, _)| known != folder) {
            let resolved = self.resolve(folder, limits);
            self.cached = Some((folder.to_owned(), resolved));
        }
        let resolved = self.cached.as_ref().and_then(|(_, resolved)| resolved.as_deref())?;
        Some(Cow::Owned(if resolved.is_empty() { name.to_owned() } else { format!("{resolved}/{name}") }))
    }

    /// Whether no link leads to this folder. Tars go from folder to folder, so that of most paths only the last part is looked at.
    fn is_plain(&mut self, folder: &str, limits: &Limits) -> bool {
        if self.plain == folder {
            return true;
        }
        let known = shared_folder(&self.plain, folder);
        for at in folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]).filter(|&at| at > known) {
            self.steps += 1 + at as u64 / 64;
            if self.steps >= limits.link_steps || folder.get(..at).is_some_and(|above| matches!(self.nodes.get(above), Some(Node::Link(_))))
            {
                return false;
            }
        }
        folder.clone_into(&mut self.plain);
        true
    }

    /// Follows every link of a path, the last part included.
    fn resolve(&mut self, path: &str, limits: &Limits) -> Option<String> {
        let left = limits.link_steps.saturating_sub(self.steps);
        let resolved = if left == 0 {
            Followed::To(path.to_owned())
        } else {
            let (resolved, steps) = follow(&self.nodes, path, limits, left);
            self.steps += steps;
            resolved
        };
        if self.steps >= limits.link_steps {
            let reason = format!("more than {} steps were needed to follow its links; the rest is placed as written", limits.link_steps);
            let gap = Gap::new(SourceId::Image, "layer-limit", "", reason);
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
        }
        resolved.place()
    }

    fn gap(&mut self, path: &str, kind: &'static str, reason: &str, limits: &Limits) {
        let gap = Gap::new(SourceId::Inventory, kind, path, reason);
        if self.gaps.contains(&gap) {
            return;
        }
        if self.gaps.iter().filter(|gap| gap.kind == kind).count() < limits.gaps_per_kind {
            self.gaps.push(gap);
        } else if !self.gaps.iter().any(|gap| gap.kind == kind && gap.subject.is_empty()) {
            let reason = format!("more than {} gaps of this kind; the others are not listed", limits.gaps_per_kind);
            self.gaps.push(Gap::new(SourceId::Inventory, kind, "", reason));
        }
    }
}

/// How many bytes of two paths are the same folders.
fn shared_folder(a: &str, b: &str) -> usize {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let ends = |path: &str| path.as_bytes().get(same).is_none_or(|&byte| byte == b'/');
    if ends(a) && ends(b) { same } else { a.as_bytes().iter().take(same).rposition(|&byte| byte == b'/').unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_shared_part_by_part() {
        let check = |a: &str, b: &str, expected: &str| {
            assert_eq!(b.get(..shared_folder(a, b)), Some(expected), "{a} {b}");
            assert_eq!(shared_folder(a, b), shared_folder(b, a), "{a} {b}");
        };
        check("", "usr/lib", "");
        check("usr/lib", "usr/lib", "usr/lib");
        check("usr/lib", "usr/lib/x", "usr/lib");
        check("usr/lib", "usr/lib64", "usr");
        check("usr/lib/x", "usr/lib64", "usr");
        check("usr", "var", "");
        check("usr", "us", "");
    }
}
