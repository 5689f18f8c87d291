//! Local versions of Python (<https://peps.python.org/pep-0440/#local-version-identifiers>): builds of a release for one platform. In: an installed
//! version and a row; out: the release, when the row does not tell its builds apart.

use super::{Installed, holds_versions};
use crate::{
    advisory::version::Scheme,
    model::advisory::{AffectedRange, Event},
};

/// The public part of a Python version with a local one (`2.0.1+cu118`), for a row that writes none: such a version is above its release in the order,
/// and yet a build of that very release, which PEP 440 has `<=2.0.1` and `==2.0.1` mean, too.
pub(super) fn without_local_part<'a>(installed: &Installed<'a>, ranges: &[AffectedRange], versions: &[String]) -> Option<Installed<'a>> {
    let (public, _) = installed.text.split_once('+').filter(|_| installed.reading.scheme == Scheme::Pep440)?;
    let events = ranges.iter().filter(|range| holds_versions(range)).flat_map(|range| &range.events);
    let of_event = |event: &Event| match event {
        Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) | Event::Limit(text) => text.contains('+'),
        Event::Unknown(_) => false,
    };
    let is_precise = versions.iter().any(|listed| listed.contains('+')) || events.into_iter().any(of_event);
    if is_precise { None } else { installed.reading.installed(public) }
}

#[cfg(test)]
mod tests {
    use crate::{
        advisory::{
            range::{Judgement, Reading, judge},
            version::Scheme,
        },
        model::advisory::{AffectedRange, Event, RangeScheme},
    };

    fn range(events: &[(&str, &str)]) -> AffectedRange {
        let event = |(key, text): &(&str, &str)| match *key {
            "introduced" => Event::Introduced((*text).to_owned()),
            "fixed" => Event::Fixed((*text).to_owned()),
            _ => Event::LastAffected((*text).to_owned()),
        };
        AffectedRange { scheme: RangeScheme::Ecosystem, events: events.iter().map(event).collect() }
    }

    #[test]
    fn local_builds_of_python_packages_are_builds_of_their_release() {
        let last = || vec![range(&[("introduced", "0"), ("last", "2.0.1")])];
        for (installed, ranges, versions, expected) in [
            ("2.0.1+cu118", last(), &[][..], Some("from 0, up to 2.0.1; a local build of 2.0.1")),
            ("2.0.1+cu118", vec![], &["2.0.0", "2.0.1"], Some("listed; a local build of 2.0.1")),
            ("2.0.1+cu118", last(), &["1.0", "2.0.1"], Some("from 0, up to 2.0.1; a local build of 2.0.1")),
            ("2.0.2+cu118", last(), &["2.0.1"], None),
            ("2.0.1+cu118", vec![range(&[("introduced", "0"), ("fixed", "2.0.1")])], &[], None),
            // A row that tells local builds apart means what it says.
            ("2.0.1+cu118", vec![], &["2.0.1", "2.0.1+cpu"], None),
            ("2.0.1+cu118", vec![range(&[("introduced", "0"), ("last", "2.0.1+cpu")])], &[], None),
            ("2.0.1+cu118", vec![range(&[("introduced", "0"), ("fixed", "2.0.1+cu118")])], &[], None),
        ] {
            let versions: Vec<_> = versions.iter().map(|text| (*text).to_owned()).collect();
            let found = match judge(&Reading::plain(Scheme::Pep440).installed(installed).unwrap(), &ranges, &versions) {
                Judgement::Affected { because, .. } => Some(because),
                Judgement::NotAffected => None,
                Judgement::Undecidable(reason) => panic!("{installed}: {reason}"),
            };
            assert_eq!(found.as_deref(), expected, "{installed} {ranges:?} {versions:?}");
        }
        // Elsewhere a plus is no such thing.
        let installed = Reading::plain(Scheme::Dpkg).installed("2.0.1+dfsg").unwrap();
        assert_eq!(judge(&installed, &last(), &[]), Judgement::NotAffected);
    }
}
