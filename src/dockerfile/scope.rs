//! ARG and ENV instructions in, the value of a variable at one place out. Reference: BuildKit's `dockerfile2llb` and
//! <https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact>.

use std::{cell::Cell, collections::BTreeMap, rc::Rc};

use super::{
    expand::{Certainty, Quotes, Value, expand},
    variables::Variables,
};

/// How many bytes the values of variables may give in one file, all places where they stand together. A value that doubles the one before it
/// reaches any length in a few lines.
const MAX_EXPANDED: usize = 4 << 20;

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
    /// Certainly empty: stages from scratch.
    Empty,
    /// The base image may set it.
    Unknown,
}

/// The variables at one place of the file; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    arguments: Variables,
    environment: Variables,
    unset: Unset,
    /// Whether BuildKit's own arguments are set: in the global scope.
    is_global: bool,
    /// `\` or a backtick.
    escape: char,
    /// How many bytes values may still give, in all scopes of the file.
    left: Rc<Cell<usize>>,
}

impl Scope {
    /// The scope before the first FROM.
    pub(super) fn global(escape: char) -> Self {
        Self {
            arguments: Variables::default(),
            environment: Variables::default(),
            unset: Unset::Empty,
            is_global: true,
            escape,
            left: Rc::new(Cell::new(MAX_EXPANDED)),
        }
    }

    /// The scope at the start of a stage that has no own stage as base.
    pub(super) fn stage(&self, unset: Unset) -> Self {
        let (arguments, environment) = (Variables::default(), Variables::default());
        Self { arguments, environment, unset, is_global: false, escape: self.escape, left: Rc::clone(&self.left) }
    }

    /// Whether values were so long that some were taken for unknown.
    pub(super) fn is_overrun(&self) -> bool {
        self.left.get() == 0
    }

    /// The value of a variable; `None` when it is certainly not set.
    pub(super) fn lookup(&self, name: &str) -> Option<Value> {
        let Some(value) = self.environment.get(name).or_else(|| self.arguments.get(name)) else {
            let own = if self.is_global { predefined_value(name) } else { None };
            return own.or_else(|| (self.unset == Unset::Unknown).then(Value::unknown));
        };
        let left = self.left.get().saturating_sub(value.text.len());
        self.left.set(left);
        Some(if left == 0 { Value::unknown() } else { value.clone() })
    }

    /// Whether an ARG or ENV that holds here names the variable.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.environment.get(name).is_some() || self.arguments.get(name).is_some()
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
            (None, None) if outer.is_some_and(|outer| self.arguments.take_over(name, &outer.arguments)) => return,
            (None, None) => outer.and_then(|_| predefined_value(name)).unwrap_or_else(Value::unset),
        };
        self.arguments.insert(name, value);
    }

    /// Sets an ENV.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.environment.insert(name, value);
    }
}

/// The value of an argument that BuildKit defines itself.
fn predefined_value(name: &str) -> Option<Value> {
    let &(_, value) = PREDEFINED.iter().find(|(predefined, _)| *predefined == name)?;
    Some(Value { text: value.to_owned(), certainty: Certainty::Default })
}
