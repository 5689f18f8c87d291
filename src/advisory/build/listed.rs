//! Listed versions that say nothing new. In: a record; out: the same record without the versions that its own ranges hold anyway, which is nearly all of
//! what PyPI and Ubuntu list. A version that equals such a one is held by the same ranges, so no judgement changes.

use std::cmp::Ordering;

use crate::{
    advisory::version::{Scheme, Version},
    model::advisory::{Advisory, AffectedRange, Event, RangeScheme},
};

/// Leaves the implied versions out.
pub(in crate::advisory) fn drop_implied(advisory: &mut Advisory, scheme: Scheme) {
    for affected in advisory.affected.iter_mut().filter(|affected| !affected.versions.is_empty()) {
        // Ranges of another kind are read in another order, in which equal versions of this one may differ.
        let is_plain = affected.ranges.iter().all(|range| matches!(range.scheme, RangeScheme::Ecosystem | RangeScheme::Git));
        if is_plain {
            let lines: Vec<Line> = affected.ranges.iter().filter_map(|range| Line::of(scheme, range)).collect();
            if lines.is_empty() {
                continue;
            }
            affected.versions.retain(|listed| !scheme.parse(listed).is_some_and(|version| lines.iter().any(|line| line.holds(&version))));
            affected.versions.shrink_to_fit();
        }
    }
}

/// One range as steps, so that each of many versions costs one search: what [`crate::advisory::range`] finds by walking the events.
struct Line {
    /// Places of events, each once, in order.
    steps: Vec<Step>,
    /// Whether what comes after the last step is affected.
    after: bool,
    /// An upper bound of the whole, itself outside.
    limit: Option<Version>,
}

struct Step {
    /// `None` is before every version.
    place: Option<Version>,
    /// Whether what comes right before it is affected.
    before: bool,
    /// Whether the version itself is.
    at: bool,
}

impl Line {
    /// `None` for a range that is not about versions, does not read or does not begin: it holds nothing.
    fn of(scheme: Scheme, range: &AffectedRange) -> Option<Self> {
        if range.scheme != RangeScheme::Ecosystem || !range.events.iter().any(|event| matches!(event, Event::Introduced(_))) {
            return None;
        }
        let (mut events, mut limits, mut is_unlimited) = (Vec::with_capacity(range.events.len()), Vec::new(), false);
        for event in &range.events {
            match event {
                Event::Unknown(_) => return None,
                Event::Limit(text) if text == "*" => is_unlimited = true,
                Event::Limit(text) => limits.push(scheme.parse_event(text)?),
                Event::Introduced(text) if text == "0" => events.push((None, event)),
                Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => {
                    events.push((Some(scheme.parse_event(text)?), event))
                }
            }
        }
        // The sort is stable: equal versions keep the order of the file.
        events.sort_by(|(a, _), (b, _)| order(a.as_ref(), b.as_ref()));
        let mut line = Self { steps: Vec::new(), after: false, limit: None };
        for (place, event) in events {
            let is_new = line.steps.last().is_none_or(|step| order(step.place.as_ref(), place.as_ref()) != Ordering::Equal);
            if is_new {
                line.steps.push(Step { place, before: line.after, at: line.after });
            }
            let Some(step) = line.steps.last_mut() else { continue };
            match event {
                Event::Introduced(_) => (step.at, line.after) = (true, true),
                Event::Fixed(_) => (step.at, line.after) = (false, false),
                // The last affected version is affected itself.
                Event::LastAffected(_) => line.after = false,
                Event::Limit(_) | Event::Unknown(_) => {}
            }
        }
        if !is_unlimited {
            line.limit = limits.into_iter().max_by(|a, b| a.compare(b).unwrap_or(Ordering::Equal));
        }
        Some(line)
    }

    fn holds(&self, version: &Version) -> bool {
        let next = self.steps.partition_point(|step| order(step.place.as_ref(), Some(version)) == Ordering::Less);
        let inside = match self.steps.get(next) {
            Some(step) if order(step.place.as_ref(), Some(version)) == Ordering::Equal => step.at,
            Some(step) => step.before,
            None => self.after,
        };
        inside && self.limit.as_ref().is_none_or(|limit| version.compare(limit) == Some(Ordering::Less))
    }
}

fn order(a: Option<&Version>, b: Option<&Version>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        advisory::range::{Judgement, Reading, judge},
        model::advisory::Affected,
    };

    fn left(scheme: Scheme, ranges: Vec<AffectedRange>, versions: Vec<String>) -> Vec<String> {
        let mut advisory = Advisory { affected: vec![Affected { ranges, versions, ..Affected::default() }], ..Advisory::default() };
        drop_implied(&mut advisory, scheme);
        advisory.affected.remove(0).versions
    }

    #[test]
    fn only_what_the_ranges_say_is_left_out() {
        let check = |kind: RangeScheme, versions: &[&str], expected: &[&str]| {
            let events = vec![Event::Introduced("1.0".to_owned()), Event::Fixed("2.0".to_owned())];
            let versions = versions.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(left(Scheme::Pep440, vec![AffectedRange { scheme: kind, events }], versions), expected);
        };
        check(RangeScheme::Ecosystem, &["0.9", "1.0", "1.5", "2.0rc1", "2.0", "3.0", "no version"], &["0.9", "2.0", "3.0", "no version"]);
        check(RangeScheme::Semver, &["1.5"], &["1.5"]);
        check(RangeScheme::Git, &["1.5"], &["1.5"]);
        check(RangeScheme::Unknown("NEW".to_owned()), &["1.5"], &["1.5"]);
    }

    #[test]
    fn very_many_versions_and_events_take_no_time() {
        let events =
            (0..20_000).map(|n| if n % 2 == 0 { Event::Introduced(format!("1.{n}")) } else { Event::Fixed(format!("1.{n}")) }).collect();
        let versions = (0..20_000).map(|n| format!("1.{n}")).collect();
        let start = std::time::Instant::now();
        let kept = left(Scheme::Dpkg, vec![AffectedRange { scheme: RangeScheme::Ecosystem, events }], versions);
        assert_eq!((kept.len(), kept.first().map(String::as_str)), (10_000, Some("1.1")));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    fn event() -> impl Strategy<Value = Event> {
        let text = || {
            prop_oneof![Just("0".to_owned()), (0_u8..5).prop_map(|n| format!("1.{n}")), Just("no version".to_owned()), Just("*".to_owned())]
        };
        prop_oneof![
            4 => text().prop_map(Event::Introduced),
            4 => text().prop_map(Event::Fixed),
            3 => text().prop_map(Event::LastAffected),
            1 => text().prop_map(Event::Limit),
        ]
    }

    fn ranges() -> impl Strategy<Value = Vec<AffectedRange>> {
        let scheme = prop_oneof![9 => Just(RangeScheme::Ecosystem), 1 => Just(RangeScheme::Git)];
        let range = (scheme, prop::collection::vec(event(), 0..7)).prop_map(|(scheme, events)| AffectedRange { scheme, events });
        prop::collection::vec(range, 0..3)
    }

    proptest! {
        #[test]
        fn a_version_is_left_out_when_the_matcher_finds_it_in_the_ranges(ranges in ranges()) {
            let versions: Vec<String> = (0..6).flat_map(|n| [format!("1.{n}"), format!("1.{n}.post1")]).collect();
            let expected: Vec<String> = versions
                .iter()
                .filter(|text| {
                    let installed = Reading::plain(Scheme::Pep440).installed(text).unwrap();
                    !matches!(judge(&installed, &ranges, &[]), Judgement::Affected { .. })
                })
                .cloned()
                .collect();
            prop_assert_eq!(left(Scheme::Pep440, ranges, versions), expected);
        }
    }
}
