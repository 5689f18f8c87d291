//! `BuildContext`: the files beside a Dockerfile that a build may send to the builder.

use std::collections::BTreeMap;

/// What lies in the folder of a build, before `.dockerignore`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildContext {
    /// Every path below the folder, with `/` between its parts and none in front.
    pub entries: BTreeMap<String, ContextEntry>,
    /// The ignore file that counts for this Dockerfile: its name and its bytes.
    pub ignore_file: Option<(String, Vec<u8>)>,
    /// Why not all of the folder was read; `None`: it was.
    pub unread: Option<String>,
}

/// One path of a build's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextEntry {
    /// Whether it is a folder.
    pub is_folder: bool,
    /// The bytes of a small file whose name says that a rule wants to look inside; `None`: not read.
    pub content: Option<Vec<u8>>,
}
