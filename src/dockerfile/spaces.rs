//! Assignments in order of execution in, what is known of the blanks and patterns in a variable's value out. Code that may not run
//! leaves what either way leaves.

use std::collections::BTreeMap;

/// What is known of the blanks and patterns in a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Space {
    /// The value is empty.
    #[default]
    Empty,
    /// It is one word as it stands.
    Clean,
    /// It has blanks or patterns, or nothing says that it has none.
    Dirty,
}

impl Space {
    /// That of a text.
    pub(super) fn of(text: &str) -> Self {
        if text.is_empty() {
            Self::Empty
        } else if text.contains([' ', '\t', '\n', '*', '?', '[', '\0']) {
            Self::Dirty
        } else {
            Self::Clean
        }
    }

    /// That of two values, one behind the other or one in place of the other.
    pub(super) const fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Empty, other) => other,
            (this, Self::Empty) => this,
            (Self::Clean, Self::Clean) => Self::Clean,
            _ => Self::Dirty,
        }
    }
}

/// The variables at one place of a script.
#[derive(Debug, Default)]
pub(super) struct Spaces {
    known: BTreeMap<String, Space>,
    /// What the variables were before every assignment since the outermost mark.
    journal: Vec<(String, Space)>,
    /// Whether the script has ended on this way.
    is_ended: bool,
}

/// A place in the journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    is_ended: bool,
}

/// What one of several ways leaves.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The variables that it changed.
    pub(super) changes: BTreeMap<String, Space>,
    is_ended: bool,
}

impl Spaces {
    /// What was assigned to a variable.
    pub(super) fn get(&self, name: &str) -> Option<Space> {
        self.known.get(name).copied()
    }

    /// Assigns; `before` is what the variable is where nothing was assigned.
    pub(super) fn set(&mut self, name: &str, space: Space, before: Space) {
        match self.known.get_mut(name) {
            Some(known) => {
                let old = std::mem::replace(known, space);
                self.journal.push((name.to_owned(), old));
            }
            None => {
                self.known.insert(name.to_owned(), space);
                self.journal.push((name.to_owned(), before));
            }
        }
    }

    /// Says that nothing behind this place runs.
    pub(super) fn end(&mut self) {
        self.is_ended = true;
    }

    /// The place to come back to.
    pub(super) fn mark(&self) -> Mark {
        Mark { at: self.journal.len(), is_ended: self.is_ended }
    }

    /// Forgets what happened since the mark: it was in a shell of its own.
    pub(super) fn forget(&mut self, mark: Mark) {
        self.take(mark);
    }

    /// What happened since the mark may not have happened.
    pub(super) fn weaken(&mut self, mark: Mark) {
        let outcome = self.take(mark);
        self.settle(vec![outcome], true);
    }

    /// Takes back what happened since the mark.
    pub(super) fn take(&mut self, mark: Mark) -> Outcome {
        let mut changes = BTreeMap::new();
        for (name, before) in self.journal.drain(mark.at.min(self.journal.len())..).rev() {
            if let Some(known) = self.known.get_mut(&name) {
                let now = std::mem::replace(known, before);
                // The last assignment comes first.
                changes.entry(name).or_insert(now);
            }
        }
        let is_ended = std::mem::replace(&mut self.is_ended, mark.is_ended);
        Outcome { changes, is_ended }
    }

    /// One of the ways was taken, or none where that `may_be`.
    pub(super) fn settle(&mut self, outcomes: Vec<Outcome>, may_be: bool) {
        let mut ways = usize::from(may_be);
        let mut changed = BTreeMap::<String, (Space, usize)>::new();
        for outcome in outcomes.into_iter().filter(|outcome| !outcome.is_ended) {
            ways += 1;
            for (name, space) in outcome.changes {
                let entry = changed.entry(name).or_insert((Space::Empty, 0));
                *entry = (entry.0.with(space), entry.1 + 1);
            }
        }
        self.is_ended |= ways == 0;
        for (name, (space, count)) in changed {
            let before = self.get(&name).unwrap_or(Space::Dirty);
            self.set(&name, if count < ways { space.with(before) } else { space }, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_meet() {
        let mut spaces = Spaces::default();
        spaces.set("a", Space::Clean, Space::Dirty);
        let mark = spaces.mark();
        spaces.set("a", Space::Dirty, Space::Dirty);
        spaces.set("b", Space::Clean, Space::Dirty);
        spaces.forget(mark);
        assert_eq!((spaces.get("a"), spaces.get("b")), (Some(Space::Clean), Some(Space::Dirty)));
        let mark = spaces.mark();
        spaces.set("b", Space::Clean, Space::Dirty);
        spaces.weaken(mark);
        assert_eq!(spaces.get("b"), Some(Space::Dirty));
        let mark = spaces.mark();
        spaces.set("b", Space::Clean, Space::Dirty);
        let one = spaces.take(mark);
        let mark = spaces.mark();
        spaces.end();
        let other = spaces.take(mark);
        spaces.settle(vec![one, other], false);
        assert_eq!(spaces.get("b"), Some(Space::Clean));
    }
}
