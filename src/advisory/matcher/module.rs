//! How an rpm stands to modules (advisories.md R3): modular packages match advisories of their own stream alone, the others never match those of
//! modules, and a stream that nobody can read is said.

use std::collections::BTreeSet;

use crate::{
    advisory::{almalinux, ecosystem::Ecosystem, shard::reader::Row},
    model::{
        advisory::{Advisory, Event},
        package::{Package, PackageKind},
    },
};

/// How a package stands to modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Module<'a> {
    /// It is of none.
    None,
    /// It is of this stream, as `name:stream`.
    Stream(&'a str),
    /// A modular package whose stream cannot be read, or whose label and release tag do not agree.
    Unclear,
}

impl<'a> Module<'a> {
    /// Reads label and release tag.
    pub(super) fn of(ecosystem: &Ecosystem, package: &'a Package) -> Self {
        if ecosystem.kind != PackageKind::Rpm {
            return Self::None;
        }
        let label = package.modularity.as_deref().filter(|label| !label.is_empty() && *label != "(none)");
        match (label, almalinux::is_modular(&package.version)) {
            (None, false) => Self::None,
            (Some(label), true) => almalinux::stream_of_label(label).map_or(Self::Unclear, Self::Stream),
            _ => Self::Unclear,
        }
    }
}

/// Whether a row is about packages that were built for a module.
pub(super) fn is_modular(ecosystem: &Ecosystem, row: &Row) -> bool {
    ecosystem.kind == PackageKind::Rpm
        && row
            .affected
            .ranges
            .iter()
            .flat_map(|range| &range.events)
            .any(|event| matches!(event, Event::Fixed(text) if almalinux::is_modular(text)))
}

/// Whether an advisory is about the stream; the error says why nobody knows.
pub(super) fn names_stream(advisory: &Advisory, stream: &str) -> Result<bool, String> {
    let streams: BTreeSet<&str> = almalinux::streams(&advisory.summary).collect();
    if streams.is_empty() { Err("the advisory names no module stream".to_owned()) } else { Ok(streams.contains(stream)) }
}
