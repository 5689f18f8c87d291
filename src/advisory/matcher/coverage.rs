//! What the shards of a part say about themselves. In: the facts of a shard; out: Gaps for feeds that stopped, records that nobody
//! could read, and the note that unfixed problems are not known (advisories.md R15, sections 4 and 9).

use std::collections::BTreeSet;

use crate::{
    advisory::matcher::{
        plan::{Part, Pocket, counted},
        row::rpm_arch,
    },
    model::{
        coverage::{Gap, SourceId},
        package::{Package, PackageKind},
    },
};

/// Every Gap of a part that its shards tell of.
pub(super) fn gaps(part: &Part<'_>) -> Vec<Gap> {
    let packages = counted(part.packages.len(), part.ecosystem.kind);
    let of_pocket = |pocket: &Pocket<'_>| told(&|name| pocket.fact(name), pocket.shard.name(), &pocket.text, &packages);
    let of_arches = |pocket: &Pocket<'_>| unread_arches(pocket.fact("arches")?, pocket.shard.name(), &pocket.text, &part.packages);
    part.pockets.iter().flat_map(of_pocket).chain(part.pockets.iter().filter_map(of_arches)).collect()
}

/// Packages of architectures whose repositories the feed was read without: its rows are about those of others.
fn unread_arches(arches: &str, shard: &str, text: &str, packages: &[&Package]) -> Option<Gap> {
    let read: BTreeSet<&str> = arches.split(' ').filter(|arch| !arch.is_empty()).collect();
    let is_read = |arch: &str| match arch {
        "noarch" => !read.is_empty(),
        // The repositories of 64 bits hold the packages of 32 bits that run beside the others.
        "i386" | "i486" | "i586" | "i686" => read.contains(arch) || read.contains("x86_64"),
        arch => read.contains(arch),
    };
    let unread: Vec<&str> =
        packages.iter().filter_map(|package| package.arch.as_deref().map(rpm_arch)).filter(|arch| !is_read(arch)).collect();
    let named: BTreeSet<&str> = unread.iter().copied().collect();
    let named = named.into_iter().take(5).collect::<Vec<_>>().join(", ");
    let packages = counted(unread.len(), PackageKind::Rpm);
    let reason = format!("the database was built without the advisories of {text} for {named}: {packages} not looked up");
    (!unread.is_empty()).then(|| Gap::new(SourceId::Offline, "no-advisories", shard, reason))
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::package::PackageUrl;

    const LISTED: (&str, &str) = ("unfixed", "listed");

    #[test]
    fn r15_packages_of_an_architecture_that_was_not_read_are_a_gap() {
        let package = |arch: Option<&str>| {
            let purl = PackageUrl::new(PackageKind::Rpm, None, "mast", None, &BTreeMap::new());
            Package { arch: arch.map(str::to_owned), ..Package::new(PackageKind::Rpm, "mast".to_owned(), "1-1".to_owned(), purl, "test") }
        };
        let list = [Some("aarch64"), Some("arm64"), Some("noarch"), Some("i686"), None].map(package);
        let packages: Vec<&Package> = list.iter().collect();
        for (arches, expected) in [
            ("aarch64 x86_64", None),
            ("aarch64", Some("for i686: 1 rpm package not looked up")),
            ("x86_64", Some("for aarch64: 2 rpm packages not looked up")),
            ("", Some("for aarch64, i686, noarch: 4 rpm packages not looked up")),
        ] {
            let gap = unread_arches(arches, "amazon-2", "Amazon Linux:2", &packages);
            assert_eq!(gap.is_some(), expected.is_some(), "{arches}");
            assert!(gap.is_none_or(|gap| gap.kind == "no-advisories" && gap.reason.ends_with(expected.unwrap_or_default())), "{arches}");
        }
    }

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
