//! A Rust program in, the crates that it was built from out: the section `.dep-v0`, JSON under zlib
//! (<https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>).

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::Deserialize;

use super::{facts::Crate, object::Object};
use crate::layers::Body;

const SECTION: &str = ".dep-v0";
/// Most bytes of the list as it is stored, and inflated.
const STORED: usize = 8 << 20;
const INFLATED: usize = 8 << 20;

#[derive(Deserialize)]
struct List {
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
    /// `runtime` when it is missing.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    root: bool,
}

/// The crates that are in the program, without those that only its build needed; none when it does not tell.
pub(super) fn read(object: &Object, body: &Body<'_>) -> Result<Vec<Crate>, String> {
    let Some(section) = object.section(SECTION) else { return Ok(Vec::new()) };
    let stored = section.bytes(body, STORED)?;
    let mut list = Vec::new();
    let read = ZlibDecoder::new(&*stored).take(INFLATED as u64 + 1).read_to_end(&mut list);
    if list.len() > INFLATED {
        return Err(format!("its list of crates has more bytes than the limit of {INFLATED}"));
    }
    read.map_err(|error| format!("its list of crates cannot be inflated: {error}"))?;
    let list: List = serde_json::from_slice(&list).map_err(|error| format!("its list of crates is no such list: {error}"))?;
    let is_runtime = |entry: &Entry| entry.kind.as_deref().is_none_or(|kind| kind == "runtime");
    let crates = list.packages.into_iter().filter(is_runtime);
    Ok(crates.map(|entry| Crate { name: entry.name, version: entry.version, source: entry.source, is_root: entry.root }).collect())
}
