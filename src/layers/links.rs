//! The merged tree in, files that only a link gives a wanted name out: `node_modules/x -> /opt/x` makes `/opt/x/package.json` a package record.
//! A link of a wanted name that leads to nothing that was kept is a Gap.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use crate::{
    layers::{
        Want,
        limits::Limits,
        node::{Followed, Node, follow},
    },
    model::coverage::{Gap, SourceId},
};

/// How many links may stand behind each other in one path. What lies deeper is reached by links of its own.
const DEPTH: usize = 3;
/// How many folders may stand between a link and a record whose kind the link's name decides.
const FOLDERS: usize = 3;
/// How many paths are looked at through links.
const PROBES: u64 = 4_000_000;

/// A link under the path that leads to it, which may itself go through links.
struct Step {
    path: String,
    place: String,
    depth: usize,
}

/// Follows the links of one tree.
pub(super) struct Links<'a> {
    nodes: &'a BTreeMap<String, Node>,
    wants: &'a dyn Fn(&str) -> Want,
    limits: &'a Limits,
    steps: u64,
    probes: u64,
    seen: BTreeSet<(String, String)>,
    /// Path under which a file is wanted -> path where it stands.
    pub wanted: BTreeMap<String, String>,
    /// Links of wanted names that lead to nothing.
    pub gaps: Vec<Gap>,
}

impl<'a> Links<'a> {
    pub(super) fn new(nodes: &'a BTreeMap<String, Node>, wants: &'a dyn Fn(&str) -> Want, limits: &'a Limits) -> Self {
        let (seen, wanted) = (BTreeSet::new(), BTreeMap::new());
        Self { nodes, wants, limits, steps: limits.link_steps, probes: PROBES, seen, wanted, gaps: Vec::new() }
    }

    /// Follows every link once, under its own path and under those that other links give it.
    pub(super) fn follow_all(&mut self) {
        let nodes = self.nodes;
        for (path, node) in nodes {
            if !matches!(node, Node::Link(_)) {
                continue;
            }
            let mut todo = vec![Step { path: path.clone(), place: path.clone(), depth: 0 }];
            while let Some(step) = todo.pop() {
                self.follow(&step, &mut todo);
                if self.steps == 0 || self.probes == 0 {
                    let reason = format!(
                        "more than {} steps or {PROBES} paths were needed to follow its links; the rest was not looked at",
                        self.limits.link_steps
                    );
                    self.gaps.push(Gap::new(SourceId::Image, "layer-limit", "", reason));
                    return;
                }
            }
        }
    }

    fn follow(&mut self, step: &Step, todo: &mut Vec<Step>) {
        let want = (self.wants)(&step.path);
        let is_folder = (self.wants)(&format!("{}/", step.path)) != Want::No;
        let (place, cost) = follow(self.nodes, &step.place, self.limits, self.steps);
        self.steps = self.steps.saturating_sub(cost);
        let place = match place {
            Followed::To(place) => place,
            // What no reader can reach hides nothing; only a record that is itself such a link was surely meant to be read.
            Followed::Loop if !want.by_name() => return,
            Followed::Loop | Followed::TooFar => {
                if want.by_name() || is_folder {
                    self.gap(&step.path, &step.place);
                }
                return;
            }
        };
        match self.nodes.get(&place) {
            Some(Node::File(_)) if (self.wants)(&place) == want => {}
            Some(Node::File(versions)) if want.by_content() => {
                if versions.last().is_some_and(|last| last.serves(want)) {
                    // A wanted name that is a link to a file under another name counts, unless that name is wanted itself.
                    self.wanted.insert(step.path.clone(), place);
                } else {
                    self.gap(&step.path, &step.place);
                }
            }
            Some(_) if want.by_name() => self.gap(&step.path, &step.place),
            // A link of a folder's name to a file: nothing can stand below it.
            Some(_) => {}
            None => {
                let same = (want.by_name() && (self.wants)(&place).by_name())
                    || (is_folder && !place.is_empty() && (self.wants)(&format!("{place}/")) != Want::No);
                let found = self.look_below(step, &place, todo);
                if (want.by_name() || is_folder) && !found && !same {
                    self.gap(&step.path, &step.place);
                }
            }
        }
    }

    /// Whether anything below the folder is wanted, under its own name or under the one that the link gives it.
    fn look_below(&mut self, step: &Step, place: &str, todo: &mut Vec<Step>) -> bool {
        let prefix = if place.is_empty() { String::new() } else { format!("{place}/") };
        let nodes = self.nodes;
        let mut found = false;
        for (inner, node) in nodes.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)) {
            let Some(rest) = inner.strip_prefix(&prefix) else { break };
            self.probes = self.probes.saturating_sub(1);
            if self.probes == 0 {
                break;
            }
            if rest.bytes().filter(|&byte| byte == b'/').count() > FOLDERS {
                continue;
            }
            let path = format!("{}/{rest}", step.path);
            match node {
                Node::Link(_) => {
                    if step.depth < DEPTH && self.matters(&path) && self.seen.insert((path.clone(), inner.clone())) {
                        todo.push(Step { path, place: inner.clone(), depth: step.depth + 1 });
                        found = true;
                    }
                }
                Node::File(_) | Node::Unread if !(self.wants)(&path).by_content() => {}
                Node::File(_) if (self.wants)(inner).by_name() => found = true,
                Node::File(versions) if versions.last().is_some_and(|last| last.serves((self.wants)(&path))) => {
                    self.wanted.insert(path, inner.clone());
                    found = true;
                }
                Node::File(_) | Node::Unread => {
                    self.gap(&path, inner);
                    found = true;
                }
            }
        }
        found
    }

    fn matters(&self, path: &str) -> bool {
        (self.wants)(path).by_name() || (self.wants)(&format!("{path}/")) != Want::No
    }

    fn gap(&mut self, path: &str, place: &str) {
        let leads = match self.nodes.get(place) {
            Some(Node::Link(target)) => target.as_str(),
            _ => place,
        };
        let leads: String = leads.chars().take(200).collect();
        if self.gaps.len() < self.limits.gaps_per_kind {
            let reason = format!("is a link to `{leads}`, where nothing is that could be read or was kept");
            self.gaps.push(Gap::new(SourceId::Inventory, "link-target", path, reason));
        } else if self.gaps.len() == self.limits.gaps_per_kind {
            let reason = format!("more than {} gaps of this kind; the others are not listed", self.limits.gaps_per_kind);
            self.gaps.push(Gap::new(SourceId::Inventory, "link-target", "", reason));
        }
    }
}
