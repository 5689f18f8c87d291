//! ARG and ENV instructions in, the value of a variable at one place out. Reference: BuildKit's `dockerfile2llb` and
//! <https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact>.

use std::{collections::BTreeMap, rc::Rc};

use super::expand::{Certainty, Quotes, Value, expand};

/// Global arguments that BuildKit defines itself, with the values of the commonest builder.
const PREDEFINED: &[(&str, &str)] = &[
    ("BUILDARCH", "amd64"),
    ("BUILDOS", "linux"),
    ("BUILDOSVERSION", ""),
    ("BUILDPLATFORM", "linux/amd64"),
    ("BUILDVARIANT", ""),
    ("TARGETARCH", "amd64"),
    ("TARGETOS", "linux"),
    ("TARGETOSVERSION", ""),
    ("TARGETPLATFORM", "linux/amd64"),
    ("TARGETSTAGE", "default"),
    ("TARGETVARIANT", ""),
];

/// The names of the global arguments that BuildKit defines itself, sorted.
pub(super) fn predefined() -> impl Iterator<Item = &'static str> {
    PREDEFINED.iter().map(|&(name, _)| name)
}

/// What a name that nothing sets is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unset {
    /// Certainly empty: the global scope, and stages from scratch.
    Empty,
    /// The base image may set it.
    Unknown,
}

/// The variables at one place of the file; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    arguments: Rc<BTreeMap<String, Value>>,
    environment: Rc<BTreeMap<String, Value>>,
    unset: Unset,
    /// `\` or a backtick.
    escape: char,
}

impl Scope {
    /// The scope before the first FROM.
    pub(super) fn global(escape: char) -> Self {
        let predefined =
            PREDEFINED.iter().map(|&(name, value)| (name.to_owned(), Value { text: value.to_owned(), certainty: Certainty::Default }));
        Self { arguments: Rc::new(predefined.collect()), environment: Rc::default(), unset: Unset::Empty, escape }
    }

    /// The scope at the start of a stage that has no own stage as base.
    pub(super) fn stage(escape: char, unset: Unset) -> Self {
        Self { arguments: Rc::default(), environment: Rc::default(), unset, escape }
    }

    /// The value of a variable; `None` when it is certainly not set.
    pub(super) fn lookup(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.environment.get(name).or_else(|| self.arguments.get(name)) {
            return Some(value.clone());
        }
        (self.unset == Unset::Unknown).then(Value::unknown)
    }

    /// Expands a word.
    ///
    /// # Errors
    /// BuildKit's words for a bad substitution or an open quote.
    pub(super) fn expand(&self, text: &str) -> Result<Value, String> {
        if !text.contains(['$', '\'', '"', '\\', '`']) {
            return Ok(Value::known(text));
        }
        expand(text, self.escape, Quotes::Remove, &|name| self.lookup(name))
    }

    /// Declares an ARG: a build argument of this run, else the default, else the value of the outer scope.
    pub(super) fn declare(&mut self, name: &str, default: Option<Value>, given: &BTreeMap<String, String>, outer: Option<&Self>) {
        let value = match (given.get(name), default) {
            (Some(value), _) => Value::known(value.clone()),
            (None, Some(value)) => Value { certainty: value.certainty.max(Certainty::Default), ..value },
            (None, None) => outer.and_then(|outer| outer.arguments.get(name).cloned()).unwrap_or_else(Value::unset),
        };
        Rc::make_mut(&mut self.arguments).insert(name.to_owned(), value);
    }

    /// Sets an ENV.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        Rc::make_mut(&mut self.environment).insert(name.to_owned(), value);
    }
}
