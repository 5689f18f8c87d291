//! `Extract`: what is said of one Java archive, as bytes that wait, also from run to run, until it is known which files are there.

use serde::{Deserialize, Serialize};

use crate::inventory::CatalogError;

/// What one file holds.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extract {
    pub(super) artifacts: Vec<Artifact>,
    pub(super) faults: Vec<Told>,
}

/// One artifact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Artifact {
    /// What follows the file's path: nothing, or `!/` and a path inside, as often as archives stand inside each other.
    pub(super) inside: String,
    pub(super) group: Option<String>,
    pub(super) name: String,
    /// Empty when nothing says it.
    pub(super) version: String,
    /// Whether group, name or version are inferred.
    pub(super) is_guessed: bool,
    pub(super) licences: Vec<String>,
    /// Of the archive that it is; none for one that was merged into another's archive.
    pub(super) digest: Option<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) inside: String,
    pub(super) is_limit: bool,
    pub(super) reason: String,
}

impl Extract {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, CatalogError> {
        serde_json::from_slice(bytes).map_err(|error| CatalogError(format!("what was found in it cannot be read again: {error}")))
    }

    /// Nothing for an archive without anything to say.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        if self.artifacts.is_empty() && self.faults.is_empty() {
            return Vec::new();
        }
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// How many bytes this takes.
pub(super) fn size_of(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |bytes| bytes.len() + 1)
}
