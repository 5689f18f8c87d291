//! `Error`: why a policy cannot be used, with file, line, column and the nearest key that exists.

use std::fmt;

/// A place in a policy file; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as the user named it.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Column in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that cannot be read.
    #[error("cannot read policy file {file}")]
    Read {
        /// The file as named.
        file: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A key or policy that is not UTF-8 text.
    #[error("policy file {file} is not UTF-8 text")]
    NotText {
        /// The file as named.
        file: String,
    },
    /// A file over the limit.
    #[error("policy file {file} is larger than {limit} bytes")]
    TooLarge {
        /// The file as named.
        file: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A built-in that does not exist.
    #[error("there is no built-in policy `{0}`")]
    UnknownBuiltin(String),
    /// Something wrong at one place of a file.
    #[error("{place}: {message}")]
    Invalid {
        /// Where.
        place: Place,
        /// What.
        message: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// A key of the format that this version does not judge.
    #[error("{place}: `{key}` is not supported by this version")]
    NotSupported {
        /// Where.
        place: Place,
        /// The key or value.
        key: String,
    },
    /// Something that the merged policy lacks.
    #[error("policy `{policy}`: {message}")]
    Incomplete {
        /// The policy's name.
        policy: String,
        /// What it lacks.
        message: String,
        /// What to write.
        hint: String,
    },
}

impl Error {
    /// An error at one place, without advice.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Self::Invalid { place, message: message.into(), hint: None }
    }

    /// The same error with advice.
    pub(super) fn advise(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Invalid { place, message, .. } => Self::Invalid { place, message, hint: Some(advice.into()) },
            other => other,
        }
    }

    /// Where in a file the error stands, when it stands in one.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match self {
            Self::Invalid { place, .. } | Self::NotSupported { place, .. } => Some(place),
            _ => None,
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("name a file that exists, or a built-in policy: `builtin:baseline`, `builtin:strict`".to_owned()),
            Self::UnknownBuiltin(_) => Some("the built-in policies are `baseline` and `strict`".to_owned()),
            Self::Invalid { hint, .. } => hint.clone(),
            Self::NotSupported { .. } => Some("remove the key; a policy is never obeyed in part".to_owned()),
            Self::Incomplete { hint, .. } => Some(hint.clone()),
            Self::NotText { .. } | Self::TooLarge { .. } => None,
        }
    }
}
