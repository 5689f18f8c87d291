//! Ranges of versions. In: the ranges and listed versions of a row, and an installed version read in its order; out: affected, not affected or
//! undecidable. Semantics: <https://ossf.github.io/osv-schema/#evaluation>, made exact by advisories.md O1 to O5.

mod fix;
mod likeness;
mod local;

use std::{borrow::Cow, cmp::Ordering};

use self::{fix::lowest_fix, likeness::may_be_equal, local::without_local_part};
use crate::{
    advisory::version::{Scheme, Version},
    model::advisory::{AffectedRange, Event, RangeScheme},
};

/// More events are no advisory; everything here takes time by their number.
const MAX_EVENTS: usize = 20_000;

/// What a row says about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The version is affected.
    Affected {
        /// The lowest version above it that is fixed in all ranges.
        fixed: Option<String>,
        /// The row says nothing that ends the affected versions.
        open_ended: bool,
        /// What hits: the events around the version, or that it is listed.
        because: String,
    },
    /// The version is not affected.
    NotAffected,
    /// The row cannot be read in full, and what can be read does not hit.
    Undecidable(String),
}

/// Whether the epochs of rpm versions count (advisories.md R2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epochs {
    /// They do; a missing one is 0.
    Count,
    /// Nobody knows the installed one, so they are left out on both sides.
    LeftOut,
}

/// How the versions of one look-up are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The ecosystem's order.
    pub scheme: Scheme,
    /// Whether epochs count.
    pub epochs: Epochs,
}

impl Reading {
    /// Reads with epochs.
    #[must_use]
    pub const fn plain(scheme: Scheme) -> Self {
        Self { scheme, epochs: Epochs::Count }
    }

    /// The version of an installed package; `None` when it is none of this order.
    #[must_use]
    pub fn installed<'a>(self, text: &'a str) -> Option<Installed<'a>> {
        Some(Installed { reading: self, text, version: self.scheme.parse(self.without_epoch(text))? })
    }

    /// A version out of a record.
    #[must_use]
    pub fn event(self, text: &str) -> Option<Version> {
        self.scheme.parse_event(self.without_epoch(text))
    }

    fn without_epoch(self, text: &str) -> &str {
        let is_epoch = |epoch: &str| !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
        match self.epochs {
            Epochs::Count => text,
            Epochs::LeftOut => text.split_once(':').filter(|(epoch, _)| is_epoch(epoch)).map_or(text, |(_, rest)| rest),
        }
    }

    /// SEMVER ranges follow semver also where the ecosystem has another order (O4); orders that agree with it on its versions stay.
    fn of_range(self, range: &AffectedRange) -> Self {
        let differs = matches!(
            self.scheme,
            Scheme::Apk | Scheme::Cran | Scheme::Dpkg | Scheme::Gem | Scheme::Hackage | Scheme::Maven | Scheme::Pep440 | Scheme::Rpm
        );
        if range.scheme == RangeScheme::Semver && differs { Self::plain(Scheme::Semver) } else { self }
    }
}

/// An installed version and how it is read.
#[derive(Debug, Clone)]
pub struct Installed<'a> {
    reading: Reading,
    text: &'a str,
    version: Version,
}

impl Installed<'_> {
    /// Whether a fix is in: it is a version, and not above the installed one. That decides ranges in the ecosystem's own order.
    #[must_use]
    pub fn has(&self, fix: &str) -> bool {
        let place = self.version.compare_event(self.reading.scheme, self.reading.without_epoch(fix));
        place.is_some_and(|place| place != Ordering::Less)
    }
}

/// A place on the version line; `introduced: "0"` is before every version.
#[derive(Debug)]
enum Bound {
    Start,
    At(Version),
}

/// A range whose events are parsed and sorted, so that many versions can be held against it.
#[derive(Debug)]
struct Line<'a> {
    reading: Reading,
    events: Vec<(Bound, &'a Event)>,
    limits: Vec<Option<Bound>>,
}

impl<'a> Line<'a> {
    fn of(reading: Reading, range: &'a AffectedRange) -> Result<Self, String> {
        let reading = reading.of_range(range);
        let mut line = Self { reading, events: Vec::with_capacity(range.events.len()), limits: Vec::new() };
        if let RangeScheme::Unknown(word) = &range.scheme {
            return Err(format!("unknown range type `{word}`"));
        }
        let bound = |text: &str| reading.event(text).map(Bound::At).ok_or_else(|| no_version(reading.scheme, text));
        for event in &range.events {
            match event {
                Event::Unknown(word) => return Err(format!("unknown event `{word}`")),
                Event::Limit(text) if text == "*" => line.limits.push(None),
                Event::Limit(text) => line.limits.push(Some(bound(text)?)),
                Event::Introduced(text) if text == "0" => line.events.push((Bound::Start, event)),
                Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => line.events.push((bound(text)?, event)),
            }
        }
        // The sort is stable: equal versions keep the order of the file.
        line.events.sort_by(|(a, _), (b, _)| order(a, b));
        Ok(line)
    }

    /// Whether `version` lies on the affected part.
    fn holds(&self, version: &Version) -> bool {
        let mut inside = false;
        for (bound, event) in &self.events {
            let place = match bound {
                Bound::Start => Ordering::Less,
                Bound::At(at) => at.compare(version).unwrap_or(Ordering::Greater),
            };
            match event {
                Event::Introduced(_) if place != Ordering::Greater => inside = true,
                Event::Fixed(_) if place != Ordering::Greater => inside = false,
                Event::LastAffected(_) if place == Ordering::Less => inside = false,
                _ => {}
            }
        }
        let below_a_limit = self.limits.is_empty()
            || self.limits.iter().any(|limit| match limit {
                None => true,
                Some(Bound::Start) => false,
                Some(Bound::At(at)) => version.compare(at) == Some(Ordering::Less),
            });
        inside && below_a_limit
    }

    /// The installed version in the order of this range.
    fn place<'i>(&self, installed: &'i Installed<'_>) -> Result<Cow<'i, Version>, String> {
        if self.reading == installed.reading {
            return Ok(Cow::Borrowed(&installed.version));
        }
        self.reading.event(installed.text).map(Cow::Owned).ok_or_else(|| no_version(self.reading.scheme, installed.text))
    }

    /// The events around a version that the range holds, in words.
    fn around(&self, version: &Version) -> String {
        let below = |bound: &Bound| match bound {
            Bound::Start => true,
            Bound::At(at) => at.compare(version) != Some(Ordering::Greater),
        };
        let from = self.events.iter().rev().find_map(|(bound, event)| match event {
            Event::Introduced(text) if below(bound) => Some(text.as_str()),
            _ => None,
        });
        let to = self.events.iter().find_map(|(bound, event)| match (bound, event) {
            (Bound::At(at), Event::Fixed(text)) if at.compare(version) == Some(Ordering::Greater) => Some(format!("fixed in {text}")),
            (Bound::At(at), Event::LastAffected(text)) if at.compare(version) != Some(Ordering::Less) => Some(format!("up to {text}")),
            _ => None,
        });
        format!("from {}, {}", from.unwrap_or("0"), to.unwrap_or_else(|| "no end".to_owned()))
    }
}

/// Judges an installed version by the ranges and the listed versions of one row.
#[must_use]
pub fn judge(installed: &Installed<'_>, ranges: &[AffectedRange], versions: &[String]) -> Judgement {
    let judgement = judge_as_written(installed, ranges, versions);
    if judgement != Judgement::NotAffected {
        return judgement;
    }
    let Some(public) = without_local_part(installed, ranges, versions) else { return judgement };
    match judge_as_written(&public, ranges, versions) {
        Judgement::Affected { fixed, open_ended, because } => {
            Judgement::Affected { fixed, open_ended, because: format!("{because}; a local build of {}", public.text) }
        }
        other => other,
    }
}

fn judge_as_written(installed: &Installed<'_>, ranges: &[AffectedRange], versions: &[String]) -> Judgement {
    if ranges.iter().filter(|range| holds_versions(range)).map(|range| range.events.len()).sum::<usize>() > MAX_EVENTS {
        return Judgement::Undecidable(format!("the entry has more than {MAX_EVENTS} events"));
    }
    let mut because = versions.iter().any(|listed| listed == installed.text).then(|| "listed".to_owned());
    let mut undecidable = None;
    let mut lines = Vec::with_capacity(ranges.len());
    for range in ranges.iter().filter(|range| holds_versions(range)) {
        let line = Line::of(installed.reading, range).and_then(|line| Ok((line.place(installed)?, line)));
        match line {
            Err(reason) => undecidable = undecidable.or(Some(reason)),
            Ok(_) if !begins(range) => undecidable = undecidable.or_else(|| Some("a range does not say where it begins".to_owned())),
            Ok((version, line)) => {
                if line.holds(&version) && because.as_deref().is_none_or(|because| because == "listed") {
                    because = Some(line.around(&version));
                }
                lines.push(line);
            }
        }
    }
    // Parsing long lists is dear, so it comes last; where a range decides, only what may be the same version is parsed.
    let is_decided = ranges.iter().any(holds_versions);
    let mut strange = None;
    if because.is_none() {
        for listed in versions.iter().filter(|listed| !is_decided || may_be_equal(installed.text, listed)) {
            match installed.reading.event(listed) {
                Some(version) if version.compare(&installed.version) == Some(Ordering::Equal) => {
                    because = Some(format!("listed as {listed}"));
                    break;
                }
                Some(_) => {}
                None => strange = strange.or(Some(listed)),
            }
        }
    }
    // A range that reads decides every version. Without one the list stands alone, and must read in full to say "not affected": many real
    // records list a few texts of old that are no versions beside a range that covers them.
    if !is_decided {
        undecidable = match strange {
            _ if versions.is_empty() => Some("the entry names neither versions nor a range of them".to_owned()),
            Some(listed) => Some(no_version(installed.reading.scheme, listed)),
            None => undecidable,
        };
    }
    match (because, undecidable) {
        (Some(because), undecidable) => {
            let events = || ranges.iter().filter(|range| holds_versions(range)).flat_map(|range| &range.events);
            let open_ended = is_decided && !events().any(|event| matches!(event, Event::LastAffected(_)));
            // A range that does not read may hold any version, so that nothing is known to be fixed.
            let fixed = if undecidable.is_some() { None } else { lowest_fix(installed, &lines) };
            Judgement::Affected { fixed, open_ended, because }
        }
        (None, Some(reason)) => Judgement::Undecidable(reason),
        (None, None) => Judgement::NotAffected,
    }
}

/// Whether some range ends at or before an installed version that the row does not affect: the feed says "fixed", and not just nothing.
#[must_use]
pub fn says_fixed(installed: &Installed<'_>, ranges: &[AffectedRange]) -> bool {
    let events = ranges.iter().filter(|range| holds_versions(range)).flat_map(|range| &range.events);
    events.into_iter().any(|event| matches!(event, Event::Fixed(fix) if installed.has(fix)))
}

/// Whether a range is about versions, or at least not about commits.
fn holds_versions(range: &AffectedRange) -> bool {
    range.scheme != RangeScheme::Git
}

/// Whether a range holds anything: the specification demands at least one `introduced`.
fn begins(range: &AffectedRange) -> bool {
    range.events.iter().any(|event| matches!(event, Event::Introduced(_)))
}

fn no_version(scheme: Scheme, text: &str) -> String {
    format!("`{}` is no {} version", text.chars().take(80).collect::<String>(), scheme.name())
}

fn order(a: &Bound, b: &Bound) -> Ordering {
    match (a, b) {
        (Bound::Start, Bound::Start) => Ordering::Equal,
        (Bound::Start, Bound::At(_)) => Ordering::Less,
        (Bound::At(_), Bound::Start) => Ordering::Greater,
        (Bound::At(a), Bound::At(b)) => a.compare(b).unwrap_or(Ordering::Equal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(scheme: RangeScheme, events: &[(&str, &str)]) -> AffectedRange {
        let events = events
            .iter()
            .map(|(key, text)| match *key {
                "introduced" => Event::Introduced((*text).to_owned()),
                "fixed" => Event::Fixed((*text).to_owned()),
                "last" => Event::LastAffected((*text).to_owned()),
                "limit" => Event::Limit((*text).to_owned()),
                other => Event::Unknown(other.to_owned()),
            })
            .collect();
        AffectedRange { scheme, events }
    }

    fn check(version: &str, ranges: &[AffectedRange]) -> Judgement {
        plainly(judge(&Reading::plain(Scheme::Semver).installed(version).unwrap(), ranges, &[]))
    }

    /// Without its words.
    fn plainly(judgement: Judgement) -> Judgement {
        match judgement {
            Judgement::Affected { fixed, open_ended, .. } => Judgement::Affected { fixed, open_ended, because: String::new() },
            other => other,
        }
    }

    fn affected(fixed: Option<&str>) -> Judgement {
        Judgement::Affected { fixed: fixed.map(str::to_owned), open_ended: true, because: String::new() }
    }

    #[test]
    fn ranges_alternate_and_need_not_be_sorted() {
        let ranges = [range(RangeScheme::Semver, &[("introduced", "2.0.0"), ("fixed", "2.3.0"), ("introduced", "0"), ("fixed", "1.4.0")])];
        for (version, expected) in [
            ("0.0.1-a", affected(Some("1.4.0"))),
            ("1.4.0", Judgement::NotAffected),
            ("1.9.0", Judgement::NotAffected),
            ("2.0.0", affected(Some("2.3.0"))),
            ("2.3.0", Judgement::NotAffected),
        ] {
            assert_eq!(check(version, &ranges), expected, "{version}");
        }
    }

    #[test]
    fn the_fix_lies_outside_all_ranges() {
        let ranges = [
            range(RangeScheme::Semver, &[("introduced", "0"), ("fixed", "1.2.0")]),
            range(RangeScheme::Semver, &[("introduced", "1.1.0"), ("fixed", "1.5.0")]),
        ];
        assert_eq!(check("1.0.0", &ranges), affected(Some("1.5.0")));
    }

    #[test]
    fn last_affected_is_inclusive_and_limits_are_exclusive() {
        let last = [range(RangeScheme::Semver, &[("introduced", "0"), ("last", "1.2.0")])];
        assert_eq!(check("1.2.0", &last), Judgement::Affected { fixed: None, open_ended: false, because: String::new() });
        assert_eq!(check("1.2.1", &last), Judgement::NotAffected);
        let limits = [range(RangeScheme::Semver, &[("introduced", "0"), ("limit", "1.0.0"), ("limit", "2.0.0")])];
        assert_eq!(check("1.5.0", &limits), affected(None));
        assert_eq!(check("2.0.0", &limits), Judgement::NotAffected);
    }

    #[test]
    fn commit_ranges_do_not_end_the_evaluation() {
        let ranges =
            [range(RangeScheme::Git, &[("introduced", "0")]), range(RangeScheme::Ecosystem, &[("introduced", "0"), ("fixed", "1.0.0")])];
        assert_eq!(check("0.9.0", &ranges), affected(Some("1.0.0")));
        assert_eq!(check("1.0.0", &ranges), Judgement::NotAffected);
    }

    #[test]
    fn what_cannot_be_read_is_undecidable_unless_another_range_hits() {
        let strange = range(RangeScheme::Unknown("CALENDAR".to_owned()), &[("introduced", "0")]);
        assert!(matches!(check("1.0.0", std::slice::from_ref(&strange)), Judgement::Undecidable(_)));
        assert!(matches!(check("1.0.0", &[range(RangeScheme::Semver, &[("retired", "1")])]), Judgement::Undecidable(_)));
        assert!(matches!(
            check("1.0.0", &[range(RangeScheme::Semver, &[("introduced", "0"), ("fixed", "soon")])]),
            Judgement::Undecidable(_)
        ));
        assert!(matches!(
            check("1.0.0", &[strange, range(RangeScheme::Semver, &[("introduced", "0"), ("fixed", "2.0.0")])]),
            Judgement::Affected { .. }
        ));
    }

    #[test]
    fn an_entry_that_says_nothing_is_undecidable() {
        let git = || range(RangeScheme::Git, &[]);
        let unknown = |ranges: &[AffectedRange], versions: &[&str]| {
            let versions: Vec<_> = versions.iter().map(|text| (*text).to_owned()).collect();
            judge(&Reading::plain(Scheme::Pep440).installed("1.0").unwrap(), ranges, &versions)
        };
        let good = || range(RangeScheme::Ecosystem, &[("introduced", "2"), ("fixed", "3")]);
        for (ranges, versions) in [
            (vec![], vec![]),
            (vec![git()], vec![]),
            (vec![range(RangeScheme::Ecosystem, &[])], vec![]),
            (vec![range(RangeScheme::Ecosystem, &[("fixed", "2.0")])], vec![]),
            (vec![range(RangeScheme::Ecosystem, &[("fixed", "2.0")]), good()], vec!["0.9"]),
            (vec![], vec!["0.9", "1.0 beta@@"]),
            (vec![git()], vec!["bulbasaur"]),
        ] {
            assert!(matches!(unknown(&ranges, &versions), Judgement::Undecidable(_)), "{ranges:?} {versions:?}");
        }
        for (ranges, versions) in
            [(vec![git()], vec!["0.9"]), (vec![], vec!["0.9"]), (vec![good()], vec!["bulbasaur"]), (vec![good()], vec![])]
        {
            assert_eq!(unknown(&ranges, &versions), Judgement::NotAffected, "{ranges:?} {versions:?}");
        }
        assert!(matches!(unknown(&[git()], &["bulbasaur", "1.0.0"]), Judgement::Affected { .. }));
    }

    #[test]
    fn listed_versions_are_equal_under_the_order() {
        let installed = Reading::plain(Scheme::Pep440).installed("1.0").unwrap();
        let judged = judge(&installed, &[], &["1.0.0".to_owned(), "0.1-bulbasaur".to_owned()]);
        assert_eq!(judged, Judgement::Affected { fixed: None, open_ended: false, because: "listed as 1.0.0".to_owned() });
    }

    #[test]
    fn the_words_name_the_events_around_the_version() {
        let ranges = [range(RangeScheme::Semver, &[("introduced", "0"), ("fixed", "1.4.0"), ("introduced", "2.0.0"), ("last", "2.3.0")])];
        for (version, expected) in [("1.0.0", "from 0, fixed in 1.4.0"), ("2.1.0", "from 2.0.0, up to 2.3.0")] {
            let installed = Reading::plain(Scheme::Semver).installed(version).unwrap();
            let Judgement::Affected { because, .. } = judge(&installed, &ranges, &[version.to_owned()]) else { panic!("{version}") };
            assert_eq!(because, expected);
        }
    }

    #[test]
    fn epochs_are_left_out_on_both_sides_or_on_none() {
        let ranges = [range(RangeScheme::Ecosystem, &[("introduced", "0"), ("fixed", "1:1.1.1k-5.el8")])];
        for (epochs, version, expected) in [
            (Epochs::Count, "1.1.1k-6.el8", true),
            (Epochs::LeftOut, "1.1.1k-6.el8", false),
            (Epochs::LeftOut, "1.1.1k-4.el8", true),
            (Epochs::Count, "1:1.1.1k-6.el8", false),
        ] {
            let reading = Reading { scheme: Scheme::Rpm, epochs };
            let judged = judge(&reading.installed(version).unwrap(), &ranges, &[]);
            assert_eq!(judged != Judgement::NotAffected, expected, "{epochs:?} {version}");
            assert_eq!(says_fixed(&reading.installed(version).unwrap(), &ranges), !expected, "{epochs:?} {version}");
        }
    }

    #[test]
    fn rows_of_more_events_than_any_advisory_has_are_undecidable() {
        let of = |count: usize| {
            let events = (0..count).map(|number| Event::Introduced(format!("{number}.0.0"))).collect();
            check("0.0.1", &[AffectedRange { scheme: RangeScheme::Semver, events }])
        };
        assert!(matches!(of(MAX_EVENTS + 1), Judgement::Undecidable(_)));
        assert!(!matches!(of(MAX_EVENTS), Judgement::Undecidable(_)));
    }

    #[test]
    fn semver_ranges_follow_semver_in_any_ecosystem() {
        let ranges = [range(RangeScheme::Semver, &[("introduced", "1.0.0-rc.1"), ("fixed", "1.0.1")])];
        let read = |text| judge(&Reading::plain(Scheme::Pep440).installed(text).unwrap(), &ranges, &[]);
        assert!(matches!(read("1.0.0"), Judgement::Affected { .. }));
        assert_eq!(read("1.0.1"), Judgement::NotAffected);
        assert!(matches!(read("1.0.0.post1"), Judgement::Undecidable(_)));
    }
}
