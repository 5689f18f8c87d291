//! `Failure`: an error as the command line shows it: the chain of causes, then what to do.

use std::{error::Error as _, fmt};

use crate::model::mask::masked;

/// Why a command ends with exit code 2.
#[derive(Debug)]
pub(super) struct Failure {
    chain: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure with one line.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { chain: vec![message.into()], hint: None }
    }

    /// The chain of causes in one line.
    pub(super) fn message(&self) -> String {
        self.chain.join(": ")
    }

    /// What the user can do about it.
    pub(super) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The same failure with more to say at the end of its first line.
    pub(super) fn extend(mut self, more: &str) -> Self {
        if let Some(last) = self.chain.last_mut() {
            last.push_str(more);
        }
        self
    }

    /// The same failure with advice.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl<E: Into<crate::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error: crate::Error = error.into();
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Transparent wrappers and sources that repeat their cause say everything once.
            if !chain.iter().any(|said| said.contains(&text)) {
                chain.push(text);
            }
            source = cause.source();
        }
        Self { chain, hint: error.hint() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was typed may hold credentials, and errors are kept in logs.
        writeln!(f, "plimsoll: error: {}", masked(&self.chain.join(": ")))?;
        self.hint.as_ref().map_or(Ok(()), |hint| writeln!(f, "  hint: {}", masked(hint)))
    }
}
