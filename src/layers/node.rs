//! What the merged tree holds at a place: versions of a file, or a link; and the way through links to the place that a path means.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use crate::layers::{Content, Examiner, Want, limits::Limits};

/// What a path costs besides its bytes.
const NODE_BYTES: usize = 150;

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Place of the layer that wrote it.
    pub layer: usize,
    /// Its bytes; `None` when only its presence was asked for.
    pub content: Option<Arc<Content>>,
    /// The id of the examiner whose words the bytes are, when they are not the file's own.
    pub examiner: Option<Arc<str>>,
}

impl Version {
    /// Its bytes; empty when only its presence was asked for, or only what an examiner says of it.
    #[must_use]
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        self.content.as_ref().filter(|_| self.examiner.is_none()).map_or(Cow::Borrowed(&[]), |content| content.bytes())
    }

    /// How many bytes that are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.content.as_ref().filter(|_| self.examiner.is_none()).map_or(0, |content| content.size())
    }

    /// What this examiner said of it.
    #[must_use]
    pub fn extract(&self, examiner: &dyn Examiner) -> Option<Cow<'_, [u8]>> {
        let content = self.content.as_ref()?;
        (self.examiner.as_deref() == Some(examiner.id())).then(|| content.bytes())
    }

    /// Whether this is what was asked for.
    pub(super) fn serves(&self, want: Want) -> bool {
        match want {
            Want::Bytes => self.content.is_some() && self.examiner.is_none(),
            Want::Examine(examiner) => self.examiner.as_deref() == Some(examiner.id()),
            Want::ExamineIf(examiners) => examiners.iter().any(|examiner| self.examiner.as_deref() == Some(examiner.id())),
            Want::Presence | Want::PresenceOrExamine(_) => true,
            Want::No => false,
        }
    }

    /// What it costs to keep it.
    pub(super) fn cost(&self) -> u64 {
        self.content.as_ref().map_or(0, |content| content.cost())
    }
}

/// What stands at a place.
#[derive(Debug)]
pub(super) enum Node {
    /// Versions, lowest layer first, without interruption: a deletion forgets what was before it. Never empty.
    File(Vec<Version>),
    /// A symbolic link, with its target as written.
    Link(String),
    /// A file that looks like a package record under a name that nobody wants; too large to keep in case that a link gives it another.
    Unread,
}

impl Node {
    /// What its path and its target cost, with the nodes of the map that hold them.
    pub(super) const fn path_cost(&self, place: &str) -> usize {
        let target = match self {
            Self::Link(target) => target.len(),
            Self::File(_) | Self::Unread => 0,
        };
        place.len() + target + NODE_BYTES
    }
}

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Followed {
    /// Here, whether something is there or not.
    To(String),
    /// Into a circle of links: nothing can be there, in no reader's eyes.
    Loop,
    /// Further than the limits allow.
    TooFar,
}

impl Followed {
    /// The place, if there is one.
    pub(super) fn place(self) -> Option<String> {
        match self {
            Self::To(place) => Some(place),
            Self::Loop | Self::TooFar => None,
        }
    }
}

/// Follows all links of `path`, component by component from the image's root; `..` never leaves it. The second value is what it cost.
pub(super) fn follow(nodes: &BTreeMap<String, Node>, path: &str, limits: &Limits, budget: u64) -> (Followed, u64) {
    let mut todo: Vec<&str> = path.rsplit('/').collect();
    let mut resolved = String::new();
    let (mut hops, mut steps) = (0, 0);
    // The links that are being followed, each with what was still to come behind it. One that is met again before that is reached never ends.
    let mut open: Vec<(usize, String)> = Vec::new();
    while let Some(part) = todo.pop() {
        steps += 1 + resolved.len() as u64 / 64;
        if steps >= budget {
            return (Followed::TooFar, steps);
        }
        while open.last().is_some_and(|(behind, _)| *behind > todo.len()) {
            open.pop();
        }
        match part {
            "" | "." => continue,
            ".." => {
                resolved.truncate(resolved.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let parent = resolved.len();
        if parent > 0 {
            resolved.push('/');
        }
        resolved.push_str(part);
        if let Some(Node::Link(target)) = nodes.get(&resolved) {
            if open.iter().any(|(_, link)| *link == resolved) {
                return (Followed::Loop, steps);
            }
            hops += 1;
            if hops > limits.link_hops || todo.len() + target.len() / 2 > limits.path_bytes {
                return (Followed::TooFar, steps);
            }
            open.push((todo.len(), resolved.clone()));
            resolved.truncate(if target.starts_with('/') { 0 } else { parent });
            todo.extend(target.rsplit('/'));
        }
        if resolved.len() > limits.path_bytes {
            return (Followed::TooFar, steps);
        }
    }
    (Followed::To(resolved), steps)
}
