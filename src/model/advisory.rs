//! `Advisory`: a published record, as OSV 1.7 shapes it (<https://ossf.github.io/osv-schema/>); other feeds are read into the same shape.

use std::collections::BTreeMap;

use crate::model::severity::Rating;

/// A published record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advisory {
    /// The record's own id.
    pub id: AdvisoryId,
    /// Other ids for the same problem; symmetric and transitive.
    pub aliases: Vec<AdvisoryId>,
    /// The upstream records a distribution's record is about; transitive, not symmetric.
    pub upstream: Vec<AdvisoryId>,
    /// Related records; proves nothing (but for AlmaLinux, advisories.md R13).
    pub related: Vec<AdvisoryId>,
    /// One line.
    pub summary: String,
    /// What the record says at length; empty when it says nothing more, or was read without its text.
    pub details: String,
    /// RFC 3339 text, as written.
    pub published: Option<String>,
    /// RFC 3339 text, as written.
    pub modified: Option<String>,
    /// Set when the record was withdrawn: it matches nothing and stays known.
    pub withdrawn: Option<String>,
    /// Ratings of the record as a whole.
    pub ratings: Vec<Rating>,
    /// What is affected.
    pub affected: Vec<Affected>,
    /// Links.
    pub references: Vec<String>,
}

/// The id of an advisory, as published.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdvisoryId(pub String);

/// One affected package of an advisory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Affected {
    /// OSV ecosystem with its release, e.g. `Debian:12`.
    pub ecosystem: String,
    /// Name in the ecosystem's own form.
    pub name: String,
    /// Ranges.
    pub ranges: Vec<AffectedRange>,
    /// Versions listed one by one.
    pub versions: Vec<String>,
    /// Ratings of this package alone.
    pub ratings: Vec<Rating>,
    /// The feed's own word for urgency, e.g. Debian's `unimportant`.
    pub urgency: Option<String>,
    /// Whatever else a feed says of this package and the matcher asks for, by a kebab-case name that feed and matcher agree on (`arch`, `binaries`,
    /// `stream` ...). Shards hold any name, so that a new one is no new format; equal sets are stored once.
    pub attributes: BTreeMap<String, String>,
}

/// One range of affected versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedRange {
    /// How versions are compared.
    pub scheme: RangeScheme,
    /// Events in file order.
    pub events: Vec<Event>,
}

/// How the versions of a range are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeScheme {
    /// The ecosystem's own order.
    Ecosystem,
    /// Semantic versioning 2.0.
    Semver,
    /// Commits; never evaluated, never ends the evaluation of the other ranges.
    Git,
    /// A word that we do not know: the row is undecidable.
    Unknown(String),
}

/// One event of a range.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// Affected from here on; `0` is before everything.
    Introduced(String),
    /// Not affected from here on.
    Fixed(String),
    /// Not affected after this version.
    LastAffected(String),
    /// Exclusive upper bound of the range.
    Limit(String),
    /// A key that we do not know: the row is undecidable.
    Unknown(String),
}
