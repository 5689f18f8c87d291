//! Listed versions that say nothing new. In: the rows of an ecosystem; out: the same rows without the versions that their own ranges hold anyway, which is
//! nearly all of what PyPI and Ubuntu list. A version that equals such a one is held by the same ranges, so no judgement changes.

use crate::{
    advisory::{
        range::{Judgement, Reading, judge},
        version::Scheme,
    },
    model::advisory::{Advisory, RangeScheme},
};

/// Leaves the implied versions out.
pub(super) fn drop_implied(advisory: &mut Advisory, scheme: Scheme) {
    for affected in &mut advisory.affected {
        // Ranges of another kind are read in another order, in which equal versions of this one may differ.
        let is_plain = affected.ranges.iter().all(|range| matches!(range.scheme, RangeScheme::Ecosystem | RangeScheme::Git));
        if is_plain && !affected.ranges.is_empty() {
            let ranges = &affected.ranges;
            affected.versions.retain(|listed| {
                let installed = Reading::plain(scheme).installed(listed);
                !installed.is_some_and(|installed| matches!(judge(&installed, ranges, &[]), Judgement::Affected { .. }))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::advisory::{Affected, AffectedRange, Event};

    #[test]
    fn only_what_the_ranges_say_is_left_out() {
        let check = |kind: RangeScheme, versions: &[&str], expected: &[&str]| {
            let events = vec![Event::Introduced("1.0".to_owned()), Event::Fixed("2.0".to_owned())];
            let versions = versions.iter().map(|text| (*text).to_owned()).collect();
            let affected = Affected { ranges: vec![AffectedRange { scheme: kind, events }], versions, ..Affected::default() };
            let mut advisory = Advisory { affected: vec![affected], ..Advisory::default() };
            drop_implied(&mut advisory, Scheme::Pep440);
            assert_eq!(advisory.affected[0].versions, expected);
        };
        check(RangeScheme::Ecosystem, &["0.9", "1.0", "1.5", "2.0rc1", "2.0", "3.0", "no version"], &["0.9", "2.0", "3.0", "no version"]);
        check(RangeScheme::Semver, &["1.5"], &["1.5"]);
        check(RangeScheme::Git, &["1.5"], &["1.5"]);
        check(RangeScheme::Unknown("NEW".to_owned()), &["1.5"], &["1.5"]);
    }
}
