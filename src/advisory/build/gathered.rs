//! What the feeds of one ecosystem say together, before it becomes shards. Sources fill it in, feed by feed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use crate::{
    advisory::{
        ecosystem::{self, Ecosystem},
        end_of_life,
    },
    model::advisory::Advisory,
};

/// Everything known of one ecosystem.
#[derive(Debug)]
pub struct Gathered {
    /// The ecosystem.
    pub ecosystem: &'static Ecosystem,
    /// When the build runs: bounds what a record may say about its own age.
    pub built_at: Timestamp,
    /// The records, in any order. Equal ones are one record. Rows of other ecosystems are left out: their own feeds have them, and a shard made
    /// of strays would look like coverage.
    pub advisories: Vec<Advisory>,
    /// Records that cannot be read, by name, with the reason: they may be about any package.
    pub unreadable: Vec<String>,
    /// What is known of single releases, by OSV ecosystem string (`Debian:12`; of a language its name alone).
    pub releases: BTreeMap<String, Release>,
    /// Where all that comes from, one entry per feed.
    pub feeds: Vec<Provenance>,
}

/// Facts about the coverage of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// As of when the feed knows it; without one, the date of the newest record counts.
    pub as_of: Option<Timestamp>,
    /// When a part of it was last known to be what is published: whatever its records say, it is not newer than that.
    pub known_until: Option<Timestamp>,
    /// The architectures that its feed is there for; nothing said means all.
    pub arches: Option<BTreeSet<String>>,
    /// Whether problems without a fix are listed; nobody saying so means unknown.
    pub unfixed: Option<Unfixed>,
    /// Since when the distribution does not look after it any more.
    pub end_of_life: Option<Date>,
    /// Since when the feed says nothing new about it.
    pub frozen_since: Option<Date>,
    /// The licence of its records where it is not that of the ecosystem.
    pub licence: Option<String>,
    /// Records of this release alone that cannot be read, or parts of its feed that are not there.
    pub unreadable: Vec<String>,
    /// Why no shard can be made of this release: the last good one stays.
    pub broken: Option<String>,
}

/// Whether a feed lists problems that are not fixed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfixed {
    /// It does: no row means no known problem.
    Listed,
    /// Only what was fixed is known.
    Unknown,
}

impl Unfixed {
    /// The word in shards and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Unknown => "unknown",
        }
    }
}

/// Where the contents of a shard come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provenance {
    /// Name of the feed, as in [`crate::advisory::sources::Feed::name`].
    pub feed: String,
    /// SHA-256 over what was read, as `sha256:HEX`.
    pub digest: String,
    /// Where it was fetched from, when that is known.
    pub url: Option<String>,
}

impl Gathered {
    /// Nothing yet.
    #[must_use]
    pub const fn new(ecosystem: &'static Ecosystem, built_at: Timestamp) -> Self {
        Self { ecosystem, built_at, advisories: Vec::new(), unreadable: Vec::new(), releases: BTreeMap::new(), feeds: Vec::new() }
    }

    /// The facts about one release, to be filled in.
    pub fn release(&mut self, text: &str) -> &mut Release {
        self.releases.entry(text.to_owned()).or_default()
    }

    /// Brings everything into the order that makes the same bytes of the same feeds, and takes back withdrawals that have not come.
    pub(super) fn finish(&mut self) {
        for advisory in &mut self.advisories {
            advisory.withdrawn = advisory.withdrawn.take().filter(|date| is_past(date, self.built_at));
        }
        // Some feeds hold one record once per release folder; equal ones are one record. Where one id has several, all they say decides.
        self.advisories.sort_by(|a, b| a.id.cmp(&b.id).then_with(|| format!("{a:?}").cmp(&format!("{b:?}"))));
        self.advisories.dedup();
        for text in self.texts() {
            let facts = self.release(&text);
            facts.end_of_life = facts.end_of_life.or_else(|| end_of_life::of_text(&text));
        }
        self.unreadable.sort();
        self.releases.values_mut().for_each(|release| release.unreadable.sort());
        self.feeds.sort();
    }

    /// Bounds the age of a release: it is not newer than `time`.
    pub(in crate::advisory) fn bound(&mut self, text: &str, time: Timestamp) {
        let release = self.release(text);
        release.known_until = Some(release.known_until.map_or(time, |known| known.min(time)));
    }

    /// The OSV ecosystem strings that shards are made for.
    fn texts(&self) -> Vec<String> {
        let texts: BTreeSet<&String> =
            self.advisories.iter().flat_map(|advisory| &advisory.affected).map(|affected| &affected.ecosystem).collect();
        texts.into_iter().filter(|text| self.is_own(text)).cloned().collect()
    }

    /// Whether shards are made for an OSV ecosystem string.
    pub(super) fn is_own(&self, text: &str) -> bool {
        ecosystem::of_text(text).is_some_and(|found| found.name == self.ecosystem.name)
    }
}

/// Whether a record is withdrawn by the time of a build, and says nothing any more.
pub(in crate::advisory) fn is_withdrawn(advisory: &Advisory, built_at: Timestamp) -> bool {
    advisory.withdrawn.as_deref().is_some_and(|date| is_past(date, built_at))
}

/// Whether a record is withdrawn by now: a date that does not read or has not come withdraws nothing.
fn is_past(date: &str, built_at: Timestamp) -> bool {
    date.parse::<Timestamp>().is_ok_and(|date| date <= built_at)
}
