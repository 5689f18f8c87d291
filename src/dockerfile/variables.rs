//! Names and values in, the value of a name at one place of the file out. A copy shares everything with its original, so that every stage can keep
//! the variables with which it ended: a balanced tree whose nodes never change.

use std::{cmp::Ordering, rc::Rc};

use super::expand::Value;

/// Variables by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(Option<Rc<Node>>);

/// A name and its value.
type Entry = Rc<(String, Value)>;

#[derive(Debug)]
struct Node {
    entry: Entry,
    /// The longest way down, from 1.
    height: usize,
    left: Variables,
    right: Variables,
}

impl Variables {
    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|entry| &entry.1)
    }

    /// Takes over what a name is in other variables; false where it is nothing there.
    pub(super) fn take_over(&mut self, name: &str, other: &Self) -> bool {
        let entry = other.entry(name).map(Rc::clone);
        let is_there = entry.is_some();
        if let Some(entry) = entry {
            *self = self.with(entry);
        }
        is_there
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let mut at = self;
        while let Some(node) = &at.0 {
            at = match name.cmp(&node.entry.0) {
                Ordering::Less => &node.left,
                Ordering::Greater => &node.right,
                Ordering::Equal => return Some(&node.entry),
            };
        }
        None
    }

    /// Gives a name a value.
    pub(super) fn insert(&mut self, name: &str, value: Value) {
        *self = self.with(Rc::new((name.to_owned(), value)));
    }

    fn with(&self, entry: Entry) -> Self {
        let Some(node) = &self.0 else { return Self::joined(entry, Self::default(), Self::default()) };
        match entry.0.cmp(&node.entry.0) {
            Ordering::Less => Self::balanced(Rc::clone(&node.entry), node.left.with(entry), node.right.clone()),
            Ordering::Greater => Self::balanced(Rc::clone(&node.entry), node.left.clone(), node.right.with(entry)),
            Ordering::Equal => Self::joined(entry, node.left.clone(), node.right.clone()),
        }
    }

    fn height(&self) -> usize {
        self.0.as_ref().map_or(0, |node| node.height)
    }

    fn joined(entry: Entry, left: Self, right: Self) -> Self {
        let height = left.height().max(right.height()) + 1;
        Self(Some(Rc::new(Node { entry, height, left, right })))
    }

    /// A node whose sides may differ by two in height: then it is turned, as in every AVL tree.
    fn balanced(entry: Entry, left: Self, right: Self) -> Self {
        let (l, r) = (left.height(), right.height());
        if l > r + 1
            && let Some(node) = &left.0
        {
            if node.left.height() >= node.right.height() {
                let below = Self::joined(entry, node.right.clone(), right);
                return Self::joined(Rc::clone(&node.entry), node.left.clone(), below);
            }
            if let Some(middle) = &node.right.0 {
                let before = Self::joined(Rc::clone(&node.entry), node.left.clone(), middle.left.clone());
                let after = Self::joined(entry, middle.right.clone(), right);
                return Self::joined(Rc::clone(&middle.entry), before, after);
            }
        }
        if r > l + 1
            && let Some(node) = &right.0
        {
            if node.right.height() >= node.left.height() {
                let below = Self::joined(entry, left, node.left.clone());
                return Self::joined(Rc::clone(&node.entry), below, node.right.clone());
            }
            if let Some(middle) = &node.left.0 {
                let before = Self::joined(entry, left, middle.left.clone());
                let after = Self::joined(Rc::clone(&node.entry), middle.right.clone(), node.right.clone());
                return Self::joined(Rc::clone(&middle.entry), before, after);
            }
        }
        Self::joined(entry, left, right)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn copies_keep_what_they_had_and_the_tree_stays_flat() {
        for step in [1_usize, 7, 4_093, 4_095] {
            let (mut variables, mut expected) = (Variables::default(), BTreeMap::new());
            let mut copies = Vec::new();
            for number in 0..4_096_usize {
                let name = format!("A{:04}", number * step % 4_096);
                variables.insert(&name, Value::known(number.to_string()));
                expected.insert(name, number.to_string());
                if number % 1_000 == 0 {
                    copies.push((variables.clone(), expected.clone()));
                }
            }
            copies.push((variables, expected));
            for (variables, expected) in &copies {
                for (name, value) in expected {
                    assert_eq!(variables.get(name).map(|value| value.text.as_str()), Some(value.as_str()), "{name}");
                }
                assert!(variables.height() <= 18 && variables.get("B").is_none());
            }
        }
    }
}
