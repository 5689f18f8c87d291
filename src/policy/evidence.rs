//! What was looked at and what was not: gaps of the sources in, further gaps (required source not heard, stale data, data that a clause asked
//! for) and what each gap is worth out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::model::{
    coverage::{Completeness, Gap, SourceId, SourceState},
    policy::{EvidencePolicy, Policy, Worth},
};

/// The kind of the gaps of this file that miss a source.
const REQUIRED: &str = "required-source";
/// Gaps that the policy itself asks for: that nobody asked their source is what they say, and no excuse.
const ASKED_BY_POLICY: [&str; 3] = [REQUIRED, "kev-data", "epss-data"];

/// Advisory data older than this is told while it still counts (two days).
const SOON: i64 = 2 * 86_400;
/// Data from further in the future than this has a clock that cannot be right (a day).
const AHEAD: i64 = 86_400;

/// Facts that some clause needed and no source had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// Whether something is known to be exploited.
    pub(super) kev: bool,
    /// EPSS probabilities.
    pub(super) epss: bool,
}

/// All gaps of a run: those of the sources and those that the policy sees, sorted, each once. `end_of_life_judged`: a requirement
/// of the policy says that the distribution is past its end.
pub(super) fn collect(
    policy: &Policy,
    mut gaps: Vec<Gap>,
    sources: &[SourceState],
    stages: &BTreeSet<SourceId>,
    needs: Needs,
    end_of_life_judged: bool,
    now: Timestamp,
) -> Vec<Gap> {
    let mut more = missing_sources(&policy.evidence, &gaps, sources, stages);
    more.extend(unheard(policy, &gaps, sources, stages));
    more.extend(stale(&policy.evidence, &gaps, sources, now));
    if !end_of_life_judged {
        more.extend(past_end_of_life(sources, now));
    }
    for (needed, kind, shard) in [(needs.kev, "kev-data", "kev"), (needs.epss, "epss-data", "epss")] {
        if needed && !has_shard(sources, shard) && !gaps.iter().any(|gap| gap.kind == kind) {
            more.push(
                Gap::new(SourceId::Offline, kind, "", format!("a clause asks for {shard} data and no source of this run carries it"))
                    .with_hint(format!("use an advisory database with the {shard} shard, or set `evidence.gaps: {{ {kind}: warn }}`")),
            );
        }
    }
    for gap in more {
        if !gaps.iter().any(|known| known.source == gap.source && known.kind == gap.kind && known.subject == gap.subject) {
            gaps.push(gap);
        }
    }
    gaps.sort();
    gaps.dedup();
    gaps
}

/// What a gap is worth, and the clause that says so. `None`: nobody asked for its source, so it is no gap of this run.
pub(super) fn worth(policy: &EvidencePolicy, gap: &Gap, sources: &[SourceState]) -> Option<(Worth, String)> {
    let unasked = |state: &&SourceState| state.source == gap.source && !state.asked && state.completeness == Completeness::NotAsked;
    let complete = |source: &SourceId| sources.iter().any(|state| state.source == *source && state.completeness == Completeness::Complete);
    let needed = |any: &BTreeSet<SourceId>| any.contains(&gap.source) && !any.iter().any(complete);
    if !ASKED_BY_POLICY.contains(&gap.kind) && sources.iter().any(|state| unasked(&state)) && !policy.require.iter().any(needed) {
        return None;
    }
    let exact = format!("{}.{}", gap.source, gap.kind);
    for key in [exact.as_str(), gap.kind] {
        if let Some(worth) = policy.gaps.get(key) {
            return Some((*worth, format!("evidence.gaps.{key}")));
        }
    }
    Some((policy.default, "evidence.default".to_owned()))
}

/// Gaps for sources that the policy or the command line asks for and that were not heard to the end without saying why.
fn missing_sources(policy: &EvidencePolicy, gaps: &[Gap], sources: &[SourceState], stages: &BTreeSet<SourceId>) -> Vec<Gap> {
    let complete = |source: SourceId| sources.iter().any(|state| state.source == source && state.completeness == Completeness::Complete);
    let excused = |source: SourceId| gaps.iter().any(|gap| gap.source == source);
    let mut found = Vec::new();
    for any in &policy.require {
        let Some(first) = any.intersection(stages).next() else { continue };
        if any.iter().any(|source| complete(*source) || excused(*source)) {
            continue;
        }
        let names: Vec<_> = any.iter().map(|source| source.name()).collect();
        let names = names.join(" or ");
        found.push(
            Gap::new(*first, REQUIRED, names.clone(), format!("the policy requires {names}, which was not heard to the end in this run"))
                .with_hint("ask for it on the command line, or change `evidence.require`"),
        );
    }
    for state in sources.iter().filter(|state| state.asked && state.completeness != Completeness::Complete && !excused(state.source)) {
        let name = state.source.name();
        let reason = format!("{name} was asked for and is {} without saying why", state.completeness.name());
        if !found.iter().any(|gap| gap.source == state.source) {
            found.push(Gap::new(state.source, REQUIRED, name, reason));
        }
    }
    found
}

/// The gap of a policy that judges findings where no source of findings was asked, and none is required.
fn unheard(policy: &Policy, gaps: &[Gap], sources: &[SourceState], stages: &BTreeSet<SourceId>) -> Option<Gap> {
    let judges = !policy.fail.is_empty() || !policy.at_most.is_empty();
    let required = policy.evidence.require.iter().flatten().any(|source| SourceId::OF_FINDINGS.contains(source));
    let heard = sources
        .iter()
        .any(|state| SourceId::OF_FINDINGS.contains(&state.source) && (state.asked || state.completeness == Completeness::Complete))
        || gaps.iter().any(|gap| SourceId::OF_FINDINGS.contains(&gap.source));
    let first = SourceId::OF_FINDINGS.into_iter().find(|source| stages.contains(source))?;
    (judges && !required && !heard).then(|| {
        Gap::new(first, REQUIRED, "findings", "the policy judges findings, and no source of findings was asked in this run")
            .with_hint("give the gate an advisory database (--db or --advisories), or ask AWS with --aws")
    })
}

/// Gaps for releases whose end has come: what was found since is in nobody's feed. Where the policy's `end_of_life.distro` says so of the image,
/// that is the finding, and no Gap is needed beside it; a policy that ignores it, or an image that names no distribution, leaves the Gap.
fn past_end_of_life(sources: &[SourceState], now: Timestamp) -> Vec<Gap> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let offline = sources.iter().filter(|state| state.source == SourceId::Offline && state.completeness != Completeness::NotAsked);
    let ends = offline
        .flat_map(|state| &state.details)
        .filter_map(|(key, day)| Some((key.strip_prefix("shard.")?.strip_suffix(".end-of-life")?, day.as_str())));
    let passed = ends.filter_map(|(name, day)| match day.parse::<Date>() {
        Ok(end) if end >= today => None,
        Ok(end) => Some((name, format!("its release reached the end of its life on {end}: its advisories say nothing of later problems"))),
        Err(_) => Some((name, format!("`{day}`, the end of its release's life, is no date"))),
    });
    passed
        .map(|(name, reason)| Gap::new(SourceId::Offline, "frozen", name, reason).with_hint("use a release that is looked after"))
        .collect()
}

/// Gaps for advisory data that is older than the policy takes, or whose age nobody knows. `gaps` are those of the sources: where no shard was used,
/// one of them says why.
fn stale(policy: &EvidencePolicy, gaps: &[Gap], sources: &[SourceState], now: Timestamp) -> Vec<Gap> {
    let Some(limit) = policy.database_max_age_seconds else { return Vec::new() };
    let mut found = Vec::new();
    for state in sources.iter().filter(|state| state.source == SourceId::Offline && state.completeness != Completeness::NotAsked) {
        let mut shards: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for (key, value) in &state.details {
            if let Some((name, what)) = key.strip_prefix("shard.").and_then(|rest| rest.rsplit_once('.')) {
                let as_of = shards.entry(name).or_default();
                if what == "as-of" {
                    *as_of = Some(value);
                }
            }
        }
        let mut add = |kind, subject: &str, reason: String| {
            found.push(
                Gap::new(SourceId::Offline, kind, subject, reason)
                    .with_hint("bring the database up to date: `plimsoll db update`, or `db pull` or `db build` where it comes from"),
            );
        };
        if shards.is_empty() && !gaps.iter().any(|gap| gap.source == SourceId::Offline) {
            add("stale", "", "no shard of the advisory database was used, so that nothing says how old its data is".to_owned());
        }
        for (name, as_of) in shards {
            match as_of.and_then(|text| text.parse::<Timestamp>().ok()) {
                None => add("stale", name, format!("shard {name} does not say how old its data is")),
                Some(as_of) => {
                    let age = now.as_second().saturating_sub(as_of.as_second());
                    if age < -AHEAD {
                        add(
                            "stale",
                            name,
                            format!("data of shard {name} is as of {as_of}, which is yet to come: nothing says how old it is"),
                        );
                    } else if age > limit {
                        add("stale", name, format!("data of shard {name} is as of {as_of}, older than {}", duration(limit)));
                    } else if age > SOON {
                        let limit = duration(limit);
                        add(
                            "stale-soon",
                            name,
                            format!("data of shard {name} is as of {as_of}, older than {}; the limit is {limit}", duration(SOON)),
                        );
                    }
                }
            }
        }
    }
    found
}

fn has_shard(sources: &[SourceState], word: &str) -> bool {
    sources.iter().filter(|state| state.completeness != Completeness::NotAsked).flat_map(|state| state.details.keys()).any(|key| {
        key.strip_prefix("shard.").and_then(|rest| rest.rsplit_once('.')).is_some_and(|(name, what)| what == "as-of" && name.contains(word))
    })
}

/// A duration as policies write it.
pub(super) fn duration(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s => format!("{s} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline(details: &[(&str, &str)]) -> Vec<SourceState> {
        let details = details.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        vec![SourceState { source: SourceId::Offline, completeness: Completeness::Complete, asked: true, details }]
    }

    #[test]
    fn old_data_is_told_before_it_is_refused() {
        let policy =
            EvidencePolicy { require: Vec::new(), database_max_age_seconds: Some(7 * 86_400), gaps: BTreeMap::new(), default: Worth::Fail };
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        for (as_of, expected) in [
            ("2026-11-21T00:00:00Z", None),
            ("2026-11-20T00:00:00Z", None),
            ("2026-11-19T23:59:59Z", Some("stale-soon")),
            ("2026-11-15T00:00:00Z", Some("stale-soon")),
            ("2026-11-14T23:59:59Z", Some("stale")),
            ("unknown", Some("stale")),
            ("2026-11-22T23:00:00Z", None),
            ("2026-11-23T00:00:01Z", Some("stale")),
        ] {
            let gaps = stale(&policy, &[], &offline(&[("shard.npm.as-of", as_of)]), now);
            assert_eq!(gaps.first().map(|gap| gap.kind), expected, "{as_of}");
        }
    }

    #[test]
    fn no_shard_is_told_once() {
        let policy =
            EvidencePolicy { require: Vec::new(), database_max_age_seconds: Some(86_400), gaps: BTreeMap::new(), default: Worth::Fail };
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let uncovered = Gap::new(SourceId::Offline, "no-advisories", "Debian:12", "none");
        assert_eq!(stale(&policy, &[uncovered], &offline(&[]), now), []);
        assert_eq!(stale(&policy, &[], &offline(&[]), now).len(), 1);
    }

    #[test]
    fn data_that_a_clause_asks_for_is_missed_also_where_no_database_was_asked() {
        let policy = EvidencePolicy {
            require: vec![BTreeSet::from([SourceId::Offline, SourceId::EcrBasic])],
            database_max_age_seconds: None,
            gaps: BTreeMap::new(),
            default: Worth::Fail,
        };
        let state = |source, asked, completeness| SourceState { source, completeness, asked, details: BTreeMap::new() };
        let sources = [state(SourceId::Offline, false, Completeness::NotAsked), state(SourceId::EcrBasic, true, Completeness::Complete)];
        let worth_of = |kind| worth(&policy, &Gap::new(SourceId::Offline, kind, "", "none"), &sources).map(|(worth, _)| worth);
        assert_eq!((worth_of("kev-data"), worth_of("epss-data"), worth_of("no-database")), (Some(Worth::Fail), Some(Worth::Fail), None));
    }

    #[test]
    fn r15_a_release_past_its_end_is_a_gap_unless_the_policy_judges_that() {
        let now = "2026-11-22T12:00:00Z".parse().unwrap();
        for (day, expected) in [("2026-11-21", 1), ("2026-11-22", 0), ("2028-06-30", 0), ("some day", 1)] {
            let gaps = past_end_of_life(&offline(&[("shard.debian-10.end-of-life", day), ("distro.end-of-life", "2020-01-01")]), now);
            assert_eq!((gaps.len(), gaps.iter().all(|gap| gap.kind == "frozen" && gap.subject == "debian-10")), (expected, true), "{day}");
        }
    }
}
