//! What the shards of a part say about themselves. In: the facts of a shard; out: Gaps for feeds that stopped, records that nobody
//! could read, and the note that unfixed problems are not known (advisories.md R15, sections 4 and 9).

use crate::{
    advisory::matcher::plan::{Part, Pocket, counted},
    model::coverage::{Gap, SourceId},
};

/// Every Gap of a part that its shards tell of.
pub(super) fn gaps(part: &Part<'_>) -> Vec<Gap> {
    let packages = counted(part.packages.len(), part.ecosystem.kind);
    let of_pocket = |pocket: &Pocket<'_>| told(&|name| pocket.fact(name), pocket.shard.name(), &pocket.text, &packages);
    part.pockets.iter().flat_map(of_pocket).collect()
}

fn told<'a>(fact: &dyn Fn(&str) -> Option<&'a str>, shard: &str, text: &str, packages: &str) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut add = |kind, reason: String| gaps.push(Gap::new(SourceId::Offline, kind, shard, reason));
    if let Some(count) = fact("unreadable") {
        let names = fact("unreadable-names").unwrap_or_default();
        add("undecidable", format!("{count} records of the feed could not be read: {names}"));
    }
    if let Some(since) = fact("frozen-since") {
        add("frozen", format!("the feed says nothing new about {text} since {since}: {packages} looked up in old advisories"));
    }
    // The other distributions' feeds are also silent about what is not fixed; the report says so beside every shard (section 4, A6).
    if fact("unfixed") != Some("listed") && text.starts_with("Amazon Linux:") {
        add("unfixed-unknown", format!("the feed of {text} lists fixed problems alone; which others are open in {packages} is not known"));
    }
    gaps
}

/// Since when the advisories of a release are old ones: the feed stopped, or the data is from after the release's last day. That such a release is
/// past its end is a matter of the policy (`end_of_life.distro`), which compares the day with that of the run; here is no clock.
pub(super) fn frozen_since<'a>(fact: &dyn Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    fact("frozen-since").or_else(|| past_end_of_life(fact))
}

fn past_end_of_life<'a>(fact: &dyn Fn(&str) -> Option<&'a str>) -> Option<&'a str> {
    let (day, as_of) = fact("end-of-life").zip(fact("as-of"))?;
    // Both begin with an ISO date of one length.
    (day.len() == 10 && as_of.get(..10)? > day).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: (&str, &str) = ("unfixed", "listed");

    #[test]
    fn r15_old_and_partial_coverage_is_a_gap() {
        for (facts, expected) in [
            (&[][..], &["unfixed-unknown"][..]),
            (&[("unfixed", "listed"), ("as-of", "2026-11-01T00:00:00Z"), ("end-of-life", "2028-06-30")], &[]),
            (&[("unfixed", "unknown")], &["unfixed-unknown"]),
            (&[LISTED, ("frozen-since", "2024-07-01")], &["frozen"]),
            (&[LISTED, ("frozen-since", "2024-07-01"), ("end-of-life", "2024-06-30"), ("as-of", "2026-11-01T00:00:00Z")], &["frozen"]),
            (&[LISTED, ("end-of-life", "2024-06-30"), ("as-of", "2026-11-01T00:00:00Z")], &[]),
            (&[LISTED, ("unreadable", "2"), ("unreadable-names", "a.json, b.json")], &["undecidable"]),
        ] {
            let fact = |name: &str| facts.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
            let gaps = told(&fact, "amazon-2", "Amazon Linux:2", "3 rpm packages");
            assert_eq!(gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>(), expected, "{facts:?}");
            assert!(gaps.iter().all(|gap| gap.subject == "amazon-2"));
        }
        for (facts, expected) in [
            (&[("frozen-since", "2024-07-01"), ("end-of-life", "2024-06-30")][..], Some("2024-07-01")),
            (&[("end-of-life", "2024-06-30"), ("as-of", "2026-11-01T00:00:00Z")], Some("2024-06-30")),
            (&[("end-of-life", "2024-06-30"), ("as-of", "2024-06-30T09:00:00Z")], None),
            (&[("as-of", "2026-11-01T00:00:00Z")], None),
        ] {
            let fact = |name: &str| facts.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
            assert_eq!(frozen_since(&fact), expected, "{facts:?}");
        }
        assert_eq!(told(&|name| (name == "unfixed").then_some("unknown"), "alpine-v3.20", "Alpine:v3.20", "1 apk package"), []);
    }
}
