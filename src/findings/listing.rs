//! `Listing`: all pages of one listing call, with the facts that prove that they are all.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    findings::{
        target::Target,
        wait::{LATER, Settled},
    },
    model::{
        coverage::{Completeness, Gap, SourceId, SourceState},
        evidence::{Observation, ObservedState, SourceReport},
    },
};

/// More pages than any image has; a server that never ends its list is cut off and reported.
pub(super) const MAX_PAGES: usize = 2_000;

/// How often a listing starts anew when the service refuses its own page token.
pub(super) const MAX_RESTARTS: usize = 2;

/// Rows and facts of one listing.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing {
    /// What the rows say, rows of other digests left out.
    pub(super) observations: Vec<Observation>,
    /// One text per observation: what must not change between two listings.
    pub(super) members: BTreeSet<String>,
    /// Rows that arrived, of any digest.
    pub(super) rows: usize,
    /// Rows of other digests, dropped.
    pub(super) dropped: usize,
    /// Pages that arrived.
    pub(super) pages: usize,
    /// Whether the last page arrived.
    pub(super) whole: bool,
    /// When the scan ended, RFC 3339.
    pub(super) completed_at: Option<String>,
    /// As of when the source's own database is, RFC 3339.
    pub(super) database_at: Option<String>,
    /// Push times that rows mention, in seconds since 1970.
    pub(super) pushed_at: Option<i64>,
}

impl Listing {
    /// Adds what one row says.
    pub(super) fn add(&mut self, observations: Vec<Observation>) {
        for observation in observations {
            let (name, version) =
                observation.package.as_ref().map_or(("", ""), |package| (package.name.as_str(), package.version.as_str()));
            let arn = observation.attributes.get("arn").map_or("", String::as_str);
            self.members.insert(format!("{} {name} {version} {} {arn}", observation.id, state_word(observation.state)));
            self.observations.push(observation);
        }
    }
}

/// What to do after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextPage {
    /// It was the last.
    End,
    /// Ask with this token.
    Token(String),
    /// The service gave a token for the second time, or far too many.
    Endless,
}

/// Follows page tokens and notices when they go round in a circle.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeSet<String>);

impl Pages {
    /// What the token of a page means. An empty page with a token is not the end.
    pub(super) fn follow(&mut self, token: Option<&str>) -> NextPage {
        match token.filter(|token| !token.is_empty()) {
            None => NextPage::End,
            Some(token) if self.0.len() >= MAX_PAGES || !self.0.insert(token.to_owned()) => NextPage::Endless,
            Some(token) => NextPage::Token(token.to_owned()),
        }
    }
}

/// The Gap of a list that goes round in a circle.
pub(super) fn endless(source: SourceId) -> Gap {
    Gap::new(source, "incomplete", "", "the service gave the same page token twice, so its list has no end")
}

/// The Gap of a list whose page tokens the service does not take.
pub(super) fn lost_token(source: SourceId) -> Gap {
    Gap::new(source, "incomplete", "", "the service refused its own page token three times").with_hint(LATER)
}

/// The report of a source whose waiting is over: what arrived, and the Gap that says what did not.
pub(super) fn report<const N: usize>(
    source: SourceId,
    target: &Target,
    settled: Settled,
    facts: [(&'static str, String); N],
) -> SourceReport {
    let listing = settled.listing.unwrap_or_default();
    let mut details: BTreeMap<String, String> = facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let counts = [
        ("digest", Some(target.digest.to_string())),
        ("repository", Some(target.repository.clone())),
        ("registry_id", target.registry_id.clone()),
        ("region", target.region.clone()),
        ("listings", Some(settled.looks.to_string())),
        ("pages", Some(listing.pages.to_string())),
        ("rows", Some(listing.rows.to_string())),
        ("dropped_rows", Some(listing.dropped.to_string())),
        ("scan_completed_at", listing.completed_at),
        ("database_updated_at", listing.database_at),
        ("waited_seconds", Some(settled.waited.as_secs().to_string())),
    ];
    details.extend(counts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    // A listing that never became whole is a Gap, whatever else was said about it.
    let gap = settled.gap.or_else(|| {
        (!listing.whole).then(|| Gap::new(source, "incomplete", "", "the list of findings did not arrive as a whole").with_hint(LATER))
    });
    let gaps: Vec<Gap> = gap.into_iter().map(|gap| Gap { source, ..gap }).collect();
    let completeness = if gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
    SourceReport { state: SourceState { source, completeness, asked: true, details }, observations: listing.observations, gaps }
}

const fn state_word(state: ObservedState) -> &'static str {
    match state {
        ObservedState::Open => "open",
        ObservedState::Suppressed => "suppressed",
        ObservedState::Closed => "closed",
    }
}
