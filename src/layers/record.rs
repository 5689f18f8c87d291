//! `LayerRecord`: what one layer does to the view below it, in the order of its tar.

use std::sync::Arc;

use crate::{
    layers::{Content, limits::Limits, whiteout::Whiteout},
    model::coverage::Gap,
};

mod stored;

pub(super) use stored::{Origin, cache_key};

/// What one layer does, in tar order.
#[derive(Default)]
pub(super) struct LayerRecord {
    suffixes: String,
    items: Vec<Item>,
    last: String,
    payloads: Vec<Payload>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Tar entries.
    pub entries: u64,
    /// Uncompressed bytes.
    pub bytes: u64,
    /// Bytes of link targets.
    target_bytes: usize,
    /// What its kept files cost.
    pub kept: u64,
    /// Paths that bear a mark, by their place among the items, rising.
    marks: Vec<(u32, PathMark)>,
    /// What was noted of files, by their place among the items, rising.
    notes: Vec<(u32, Box<[u8]>)>,
    note_bytes: usize,
}

/// What a note costs besides its bytes.
const NOTE_BYTES: usize = 24;

/// What is worth knowing of a path besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathMark {
    /// Permission bits with setuid, setgid and the sticky bit.
    pub mode: u16,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether the file gives capabilities to who runs it.
    pub has_capability: bool,
}

impl PathMark {
    /// Whether there is anything worth knowing: setuid or setgid of a file, capabilities, or that everybody may write (to a folder: without the
    /// sticky bit, which protects what is in it).
    pub(super) const fn is_notable(self) -> bool {
        let everybody_writes = self.mode & 0o002 != 0;
        if self.is_folder {
            everybody_writes && self.mode & 0o1000 == 0
        } else {
            everybody_writes || self.mode & 0o6000 != 0 || self.has_capability
        }
    }
}

/// What a layer says of a path besides what happens to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub mark: Option<PathMark>,
    pub note: Option<&'a [u8]>,
}

/// A path as the bytes that differ from the path before: tars are sorted by folder, so this is a fraction of the whole.
struct Item {
    shared: u32,
    fresh: u32,
    kind: ItemKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemKind {
    Directory,
    Unkept,
    WithPayload,
}

pub(super) enum Payload {
    File(Arc<Content>),
    /// What the examiner of this id says.
    Extract(Arc<str>, Arc<Content>),
    Present,
    Unread,
    Symlink(String),
    Hardlink(String),
    Whiteout(Whiteout),
}

/// One thing that a layer does to one path.
#[derive(Debug)]
pub(super) enum Change<'a> {
    /// A directory is there.
    Directory,
    /// Something that is no directory is there, and its content was not kept.
    Unkept,
    /// A file is there that somebody wants to know of without its bytes.
    Present,
    /// A file that looks like a package record, but its bytes were not kept.
    Unread,
    /// A file whose bytes were kept.
    File(&'a Arc<Content>),
    /// A file of which an examiner said something.
    Extract(&'a Arc<str>, &'a Arc<Content>),
    /// A symbolic link to this target as written.
    Symlink(&'a str),
    /// A hard link to this path.
    Hardlink(&'a str),
}

impl LayerRecord {
    /// Adds a path. `false` when there is no room for more.
    pub(super) fn push(&mut self, path: &str, kind: ItemKind, limits: &Limits) -> bool {
        let (shared, fresh) = self.split(path);
        self.push_fresh(shared, fresh, kind, limits)
    }

    /// Adds a path with what is known of it. `false` when there is no room for more.
    pub(super) fn push_with(&mut self, path: &str, payload: Payload, limits: &Limits) -> bool {
        let (shared, fresh) = self.split(path);
        self.push_fresh_with(shared, fresh, payload, limits)
    }

    /// How much of a path the path before it has too, and the rest.
    fn split<'a>(&self, path: &'a str) -> (usize, &'a str) {
        let mut shared = path.bytes().zip(self.last.bytes()).take_while(|(a, b)| a == b).count();
        while !path.is_char_boundary(shared) {
            shared -= 1;
        }
        (shared, path.get(shared..).unwrap_or_default())
    }

    /// Adds the path that begins with `shared` bytes of the path before it.
    fn push_fresh(&mut self, shared: usize, fresh: &str, kind: ItemKind, limits: &Limits) -> bool {
        let (Ok(shared_len), Ok(fresh_len)) = (u32::try_from(shared), u32::try_from(fresh.len())) else { return false };
        if self.path_bytes() + fresh.len() > limits.remembered_path_bytes || !self.last.is_char_boundary(shared) {
            return false;
        }
        self.suffixes.push_str(fresh);
        self.last.truncate(shared);
        self.last.push_str(fresh);
        self.items.push(Item { shared: shared_len, fresh: fresh_len, kind });
        true
    }

    fn push_fresh_with(&mut self, shared: usize, fresh: &str, payload: Payload, limits: &Limits) -> bool {
        let target = match &payload {
            Payload::Symlink(target) | Payload::Hardlink(target) => target.len(),
            Payload::File(_) | Payload::Extract(..) | Payload::Present | Payload::Unread | Payload::Whiteout(_) => 0,
        };
        if self.path_bytes() + target > limits.remembered_path_bytes || !self.push_fresh(shared, fresh, ItemKind::WithPayload, limits) {
            return false;
        }
        self.target_bytes += target;
        self.payloads.push(payload);
        true
    }

    /// What its paths and link targets cost.
    pub(super) fn path_bytes(&self) -> usize {
        self.suffixes.len()
            + self.target_bytes
            + self.items.len() * size_of::<Item>()
            + self.payloads.len() * size_of::<Payload>()
            + self.marks.len() * size_of::<(u32, PathMark)>()
            + self.note_bytes
    }

    /// What was last added with a path, if the last path had anything.
    pub(super) fn last_payload(&self) -> Option<&Payload> {
        self.items.last().filter(|item| item.kind == ItemKind::WithPayload).and_then(|_| self.payloads.last())
    }

    /// Marks the path that was added last.
    pub(super) fn mark(&mut self, mark: PathMark) {
        if let Some(at) = self.items.len().checked_sub(1).and_then(|at| u32::try_from(at).ok()) {
            self.marks.push((at, mark));
        }
    }

    /// Notes something of the file that was added last.
    pub(super) fn note(&mut self, bytes: Box<[u8]>) {
        if let Some(at) = self.items.len().checked_sub(1).and_then(|at| u32::try_from(at).ok()) {
            self.note_bytes += bytes.len() + NOTE_BYTES;
            self.notes.push((at, bytes));
        }
    }

    /// Calls `whiteout` for each path that the layer deletes from the layers below.
    pub(super) fn for_each_whiteout(&self, mut deleted: impl FnMut(&str, Whiteout)) {
        if !self.payloads.iter().any(|payload| matches!(payload, Payload::Whiteout(_))) {
            return;
        }
        self.walk(|path, payload, _, _| {
            if let Some(Payload::Whiteout(whiteout)) = payload {
                deleted(path, *whiteout);
            }
        });
    }

    /// Calls `change` for everything else, in tar order.
    pub(super) fn for_each_change(&self, mut change: impl FnMut(&str, Change<'_>, About<'_>)) {
        let mut marks = self.marks.iter().peekable();
        let mut notes = self.notes.iter().peekable();
        self.walk(|path, payload, kind, at| {
            let about = About {
                mark: marks.next_if(|(place, _)| *place as usize == at).map(|(_, mark)| *mark),
                note: notes.next_if(|(place, _)| *place as usize == at).map(|(_, note)| &**note),
            };
            let what = match (payload, kind) {
                (Some(Payload::Whiteout(_)), _) => return,
                (Some(Payload::File(content)), _) => Change::File(content),
                (Some(Payload::Extract(examiner, content)), _) => Change::Extract(examiner, content),
                (Some(Payload::Present), _) => Change::Present,
                (Some(Payload::Unread), _) => Change::Unread,
                (Some(Payload::Symlink(target)), _) => Change::Symlink(target),
                (Some(Payload::Hardlink(target)), _) => Change::Hardlink(target),
                (None, ItemKind::Directory) => Change::Directory,
                (None, _) => Change::Unkept,
            };
            change(path, what, about);
        });
    }

    fn walk(&self, mut visit: impl FnMut(&str, Option<&Payload>, ItemKind, usize)) {
        let mut path = String::new();
        let mut rest = self.suffixes.as_str();
        let mut payloads = self.payloads.iter();
        for (at, item) in self.items.iter().enumerate() {
            let Some((fresh, after)) = rest.split_at_checked(item.fresh as usize) else { return };
            rest = after;
            path.truncate(item.shared as usize);
            path.push_str(fresh);
            let payload = if item.kind == ItemKind::WithPayload { payloads.next() } else { None };
            visit(&path, payload, item.kind, at);
        }
    }
}
