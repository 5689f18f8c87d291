//! One row against one version: the affected entry of a record, a version and its order in; affected, not affected or undecidable out.
//! Semantics: <https://ossf.github.io/osv-schema/#evaluation>, made exact by advisories.md O1 to O5.

use std::cmp::Ordering;

use crate::{
    advisory::version::{Scheme, Version},
    model::advisory::{AffectedRange, Event, RangeScheme},
};

/// What a row says about a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The version is affected.
    Affected {
        /// The lowest version above it that is fixed in all ranges.
        fixed: Option<String>,
        /// The row says nothing that ends the affected versions.
        open_ended: bool,
    },
    /// The version is not affected.
    NotAffected,
    /// The row cannot be read in full, and what can be read does not hit.
    Undecidable(String),
}

/// A place on the version line; `introduced: "0"` is before every version.
#[derive(Debug)]
enum Bound {
    Start,
    At(Version),
}

/// Judges `installed`, which is `text` parsed by `scheme`.
#[must_use]
pub fn judge(scheme: Scheme, installed: &Version, text: &str, ranges: &[AffectedRange], versions: &[String]) -> Judgement {
    let mut affected = versions.iter().any(|listed| listed == text);
    let mut undecidable = None;
    for range in ranges {
        match contains(scheme, range, installed) {
            Ok(_) if !holds_versions(range) => {}
            Ok(_) if !begins(range) => undecidable = undecidable.or_else(|| Some("a range does not say where it begins".to_owned())),
            Ok(inside) => affected |= inside,
            Err(reason) => undecidable = undecidable.or(Some(reason)),
        }
    }
    // Parsing long lists is dear, so it comes last.
    let mut strange = None;
    if !affected {
        for listed in versions {
            match scheme.parse_event(listed) {
                Some(listed) => affected |= listed.compare(installed) == Some(Ordering::Equal),
                None => strange = strange.or(Some(listed)),
            }
        }
    }
    // A range that reads decides every version. Without one the list stands alone, and must read in full to say "not affected": many real
    // records list a few texts of old that are no versions beside a range that covers them.
    if !ranges.iter().any(holds_versions) {
        undecidable = match strange {
            _ if versions.is_empty() => Some("the entry names neither versions nor a range of them".to_owned()),
            Some(listed) => Some(no_version(scheme, listed)),
            None => undecidable,
        };
    }
    match undecidable {
        _ if affected => {
            let open_ended = ranges.iter().any(|range| !matches!(range.scheme, RangeScheme::Git))
                && !ranges.iter().flat_map(|range| &range.events).any(|event| matches!(event, Event::LastAffected(_)));
            Judgement::Affected { fixed: lowest_fix(scheme, installed, ranges), open_ended }
        }
        Some(reason) => Judgement::Undecidable(reason),
        None => Judgement::NotAffected,
    }
}

/// Whether a range is about versions, or at least not about commits.
fn holds_versions(range: &AffectedRange) -> bool {
    range.scheme != RangeScheme::Git
}

/// Whether a range holds anything: the specification demands at least one `introduced`.
fn begins(range: &AffectedRange) -> bool {
    range.events.iter().any(|event| matches!(event, Event::Introduced(_)))
}

/// Whether `version` lies in `range`; commit ranges hold no versions.
fn contains(scheme: Scheme, range: &AffectedRange, version: &Version) -> Result<bool, String> {
    match &range.scheme {
        RangeScheme::Git => return Ok(false),
        RangeScheme::Unknown(word) => return Err(format!("unknown range type `{word}`")),
        RangeScheme::Ecosystem | RangeScheme::Semver => {}
    }
    let mut events = Vec::with_capacity(range.events.len());
    let mut limits = Vec::new();
    for event in &range.events {
        match event {
            Event::Unknown(word) => return Err(format!("unknown event `{word}`")),
            Event::Limit(text) if text == "*" => limits.push(None),
            Event::Limit(text) => limits.push(Some(bound(scheme, text)?)),
            Event::Introduced(text) if text == "0" => events.push((Bound::Start, event)),
            Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => events.push((bound(scheme, text)?, event)),
        }
    }
    // The sort is stable: equal versions keep the order of the file.
    events.sort_by(|(a, _), (b, _)| order(a, b));
    let mut inside = false;
    for (bound, event) in &events {
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
    let below_a_limit = limits.is_empty()
        || limits.iter().any(|limit| match limit {
            None => true,
            Some(Bound::Start) => false,
            Some(Bound::At(at)) => version.compare(at) == Some(Ordering::Less),
        });
    Ok(inside && below_a_limit)
}

fn bound(scheme: Scheme, text: &str) -> Result<Bound, String> {
    scheme.parse_event(text).map(Bound::At).ok_or_else(|| no_version(scheme, text))
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

/// The lowest fixed version above `installed` that lies outside all ranges.
fn lowest_fix(scheme: Scheme, installed: &Version, ranges: &[AffectedRange]) -> Option<String> {
    let mut best: Option<(Version, &str)> = None;
    for range in ranges.iter().filter(|range| matches!(range.scheme, RangeScheme::Ecosystem | RangeScheme::Semver)) {
        for event in &range.events {
            let Event::Fixed(text) = event else { continue };
            let Some(fixed) = scheme.parse_event(text) else { continue };
            let above = fixed.compare(installed) == Some(Ordering::Greater);
            let better = best.as_ref().is_none_or(|(known, _)| fixed.compare(known) == Some(Ordering::Less));
            if above && better && !ranges.iter().any(|range| contains(scheme, range, &fixed).unwrap_or(true)) {
                best = Some((fixed, text));
            }
        }
    }
    best.map(|(_, text)| text.to_owned())
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
        judge(Scheme::Semver, &Scheme::Semver.parse(version).unwrap(), version, ranges, &[])
    }

    fn affected(fixed: Option<&str>) -> Judgement {
        Judgement::Affected { fixed: fixed.map(str::to_owned), open_ended: true }
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
        assert_eq!(check("1.2.0", &last), Judgement::Affected { fixed: None, open_ended: false });
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
            judge(Scheme::Pep440, &Scheme::Pep440.parse("1.0").unwrap(), "1.0", ranges, &versions)
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
        let installed = Scheme::Pep440.parse("1.0").unwrap();
        let judged = judge(Scheme::Pep440, &installed, "1.0", &[], &["1.0.0".to_owned(), "0.1-bulbasaur".to_owned()]);
        assert_eq!(judged, Judgement::Affected { fixed: None, open_ended: false });
    }
}
