//! The tracker's statements joined to the records of the other feeds (advisories.md R6). In: both; out: rows that the tracker takes back are gone, rows
//! without a fix have the one that there is now, rows say urgency and state, and problems that only the tracker knows have a record. A copy of the tracker
//! takes nothing back that was said after it was fetched, and one of unknown age nothing that has a date.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::statement::{State, Statement, Tracker};
use crate::{
    advisory::build::{Gathered, Unfixed, is_withdrawn},
    model::{
        advisory::{Advisory, AdvisoryId, Affected, AffectedRange, Event, RangeScheme},
        severity::{Rating, RatingAuthor},
    },
};

/// The attribute of a row with the tracker's state: `no-dsa`, `postponed`, `ignored`, `end-of-life`.
const STATE: &str = "state";
/// What Debian's records by problem are called in OSV.
const BY_PROBLEM: &str = "DEBIAN-";

/// Joins everything. `fetched` is when the tracker was last known to say what it says.
pub(super) fn join(tracker: &Tracker, fetched: Option<Timestamp>, into: &mut Gathered) {
    let built_at = into.built_at;
    let fixes = fixes_of_notices(&into.advisories, built_at);
    let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut records: BTreeMap<String, usize> = BTreeMap::new();
    for (number, advisory) in into.advisories.iter_mut().enumerate() {
        let Some(problem) = problem_of(advisory).map(str::to_owned) else { continue };
        // A withdrawn record says nothing, whatever is added to it.
        if is_withdrawn(advisory, built_at) {
            continue;
        }
        let modified = advisory.modified.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        let is_newer = modified.is_some_and(|modified| fetched.is_none_or(|fetched| modified > fetched));
        advisory.affected.retain_mut(|row| {
            let Some(statement) = find(tracker, &problem, row) else { return true };
            seen.insert((&statement.problem, &statement.package, statement.release));
            match statement.state {
                State::NotAffected => is_newer,
                // That nobody has found out yet takes back no fix.
                State::Undetermined => is_newer || fix_of(row).is_some(),
                _ => apply(statement, &fixes, row),
            }
        });
        records.insert(problem, number);
    }
    for statement in &tracker.statements {
        if seen.contains(&(statement.problem.as_str(), statement.package.as_str(), statement.release)) {
            continue;
        }
        match &statement.state {
            State::NotAffected | State::Undetermined => continue,
            State::Unknown(word) => {
                let name = format!("{} in {} (state `{word}` is not known)", statement.problem, statement.package);
                into.release(&release_of(statement)).unreadable.push(name);
                continue;
            }
            State::Open(_) | State::EndOfLife | State::Fixed(_) => {}
        }
        let mut row = Affected {
            ecosystem: release_of(statement),
            name: statement.package.clone(),
            ranges: vec![AffectedRange { scheme: RangeScheme::Ecosystem, events: vec![Event::Introduced("0".to_owned())] }],
            ..Affected::default()
        };
        if !apply(statement, &fixes, &mut row) {
            continue;
        }
        let known = records.get(&statement.problem).and_then(|number| into.advisories.get_mut(*number));
        match known {
            Some(advisory) => advisory.affected.push(row),
            None => {
                records.insert(statement.problem.clone(), into.advisories.len());
                into.advisories.push(record(tracker, statement, row));
            }
        }
    }
    let releases: BTreeSet<String> = tracker.statements.iter().map(release_of).collect();
    for release in releases {
        // The tracker lists what is open, too.
        into.release(&release).unfixed = Some(Unfixed::Listed);
        if let Some(fetched) = fetched {
            into.bound(&release, fetched);
        }
    }
}

fn release_of(statement: &Statement) -> String {
    format!("Debian:{}", statement.release)
}

/// The one problem that a record is about; notices (DSA, DLA) name what one upload fixed and are none of these.
fn problem_of(advisory: &Advisory) -> Option<&str> {
    let id = advisory.id.0.as_str();
    let problem = id.strip_prefix(BY_PROBLEM).unwrap_or(id);
    (problem.starts_with("CVE-") || problem.starts_with("TEMP-")).then_some(problem)
}

fn find<'a>(tracker: &'a Tracker, problem: &str, row: &Affected) -> Option<&'a Statement> {
    let release = row.ecosystem.strip_prefix("Debian:")?;
    let key = |said: &Statement| (said.problem.as_str(), said.package.as_str(), said.release).cmp(&(problem, row.name.as_str(), release));
    tracker.statements.binary_search_by(key).ok().and_then(|at| tracker.statements.get(at))
}

/// What notices fixed: problem, package and ecosystem string to the version.
type Fixes = BTreeMap<(String, String, String), String>;

/// Versions that notices name as fixed. Of two notices the last one by id counts: a regression update follows its notice.
fn fixes_of_notices(advisories: &[Advisory], built_at: Timestamp) -> Fixes {
    let mut notices: Vec<&Advisory> = advisories
        .iter()
        .filter(|advisory| ["DSA-", "DLA-"].iter().any(|prefix| advisory.id.0.starts_with(prefix)) && !is_withdrawn(advisory, built_at))
        .collect();
    notices.sort_by(|a, b| (&a.published, &a.id).cmp(&(&b.published, &b.id)));
    let mut fixes = Fixes::new();
    for notice in notices {
        let problems = [&notice.upstream, &notice.aliases, &notice.related].into_iter().flatten().filter(|id| id.0.starts_with("CVE-"));
        for problem in problems {
            for row in &notice.affected {
                if let Some(version) = fix_of(row) {
                    fixes.insert((problem.0.clone(), row.name.clone(), row.ecosystem.clone()), version.to_owned());
                }
            }
        }
    }
    fixes
}

fn fix_of(row: &Affected) -> Option<&str> {
    row.ranges.iter().flat_map(|range| &range.events).find_map(|event| match event {
        Event::Fixed(version) => Some(version.as_str()),
        _ => None,
    })
}

/// Brings a row to what the tracker says; `false`: the row says nothing any more.
fn apply(statement: &Statement, fixes: &Fixes, row: &mut Affected) -> bool {
    let mut fix = None;
    match &statement.state {
        State::NotAffected | State::Undetermined => return false,
        State::Fixed(version) => fix = Some(version.clone()),
        State::EndOfLife => {
            row.attributes.insert(STATE.to_owned(), "end-of-life".to_owned());
        }
        State::Open(Some(reason)) => {
            // No notice was planned for it; if there is one all the same, it came later and counts.
            fix = fixes.get(&(statement.problem.clone(), row.name.clone(), row.ecosystem.clone())).cloned();
            if fix.is_none() {
                row.attributes.insert(STATE.to_owned(), (*reason).to_owned());
            }
        }
        State::Open(None) | State::Unknown(_) => {}
    }
    if let (Some(version), None) = (fix, fix_of(row)) {
        for range in row.ranges.iter_mut().filter(|range| range.scheme == RangeScheme::Ecosystem) {
            range.events.push(Event::Fixed(version.clone()));
        }
        // With a fix, a list of every version so far would still name the fixed one.
        row.versions.clear();
    }
    if let Some(word) = statement.urgency.as_ref().filter(|_| row.urgency.is_none()) {
        row.urgency = Some(word.clone());
        // The end of support rates nothing.
        if word != "end-of-life" {
            row.ratings.push(Rating { author: RatingAuthor::Vendor, word: Some(word.clone()), vector: None, score_tenths: None });
            row.ratings.sort();
        }
    }
    true
}

fn record(tracker: &Tracker, statement: &Statement, row: Affected) -> Advisory {
    let description = tracker.descriptions.get(&statement.problem).cloned().unwrap_or_default();
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let problem = vec![AdvisoryId(statement.problem.clone())];
    // What has no number yet has one of the tracker's own.
    let (aliases, upstream) = if statement.problem.starts_with("CVE-") { (Vec::new(), problem) } else { (problem, Vec::new()) };
    Advisory {
        id: AdvisoryId(format!("{BY_PROBLEM}{}", statement.problem)),
        aliases,
        upstream,
        summary: line.chars().take(200).collect(),
        details: description,
        affected: vec![row],
        references: vec![format!("https://security-tracker.debian.org/tracker/{}", statement.problem)],
        ..Advisory::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::{ecosystem::ECOSYSTEMS, sources::debian_tracker::statement::read};

    fn row(name: &str, fixed: Option<&str>) -> Affected {
        let events = [Event::Introduced("0".to_owned())].into_iter().chain(fixed.map(|version| Event::Fixed(version.to_owned())));
        Affected {
            ecosystem: "Debian:12".to_owned(),
            name: name.to_owned(),
            ranges: vec![AffectedRange { scheme: RangeScheme::Ecosystem, events: events.collect() }],
            ..Affected::default()
        }
    }

    fn gathered(records: &[(&str, &[&str], Affected)]) -> Gathered {
        let debian = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == "Debian").unwrap();
        let mut gathered = Gathered::new(debian, Timestamp::UNIX_EPOCH);
        for (id, upstream, row) in records {
            gathered.advisories.push(Advisory {
                id: AdvisoryId((*id).to_owned()),
                upstream: upstream.iter().map(|id| AdvisoryId((*id).to_owned())).collect(),
                affected: vec![row.clone()],
                ..Advisory::default()
            });
        }
        gathered
    }

    /// What is known of `keel` in Debian 12 after `release` of the tracker was joined to `records`.
    fn joined(records: &[(&str, &[&str], Affected)], release: &str) -> Vec<String> {
        let text = format!(r#"{{"keel":{{"CVE-2026-90001":{{"description":"a  b","releases":{{"bookworm":{release}}}}}}}}}"#);
        let mut gathered = gathered(records);
        join(&read(text.as_bytes()).unwrap(), None, &mut gathered);
        assert_eq!(gathered.releases["Debian:12"].unfixed, Some(Unfixed::Listed));
        let lines = gathered.advisories.iter().flat_map(|advisory| advisory.affected.iter().map(move |row| (advisory, row)));
        lines
            .map(|(advisory, row)| {
                let state = row.attributes.get(STATE).map_or("", String::as_str);
                format!("{} {} {state} {}", advisory.id.0, fix_of(row).unwrap_or("-"), row.urgency.as_deref().unwrap_or_default())
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    const OPEN: &str = r#"{"status":"open","urgency":"not yet assigned"}"#;
    const NO_DSA: &str = r#"{"status":"open","urgency":"low","nodsa":"Minor issue","nodsa_reason":""}"#;
    const POSTPONED: &str = r#"{"status":"open","urgency":"low","nodsa":"Minor issue","nodsa_reason":"postponed"}"#;

    #[test]
    fn the_tracker_corrects_the_rows_of_records_by_problem() {
        let known = || ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", None));
        for (release, expected) in [
            (r#"{"status":"resolved","fixed_version":"0"}"#, &[][..]),
            (r#"{"status":"undetermined"}"#, &[]),
            (r#"{"status":"resolved","fixed_version":"1-2"}"#, &["DEBIAN-CVE-2026-90001 1-2"]),
            (OPEN, &["DEBIAN-CVE-2026-90001 -"]),
            (NO_DSA, &["DEBIAN-CVE-2026-90001 - no-dsa low"]),
            (POSTPONED, &["DEBIAN-CVE-2026-90001 - postponed low"]),
            (r#"{"status":"open","urgency":"end-of-life"}"#, &["DEBIAN-CVE-2026-90001 - end-of-life end-of-life"]),
            (r#"{"status":"open","urgency":"unimportant"}"#, &["DEBIAN-CVE-2026-90001 -  unimportant"]),
            (r#"{"status":"new word"}"#, &["DEBIAN-CVE-2026-90001 -"]),
        ] {
            assert_eq!(joined(&[known()], release), expected, "{release}");
        }
    }

    #[test]
    fn a_later_notice_overrides_no_dsa() {
        let notice = ("DSA-1-1", &["CVE-2026-90001"][..], row("keel", Some("1-3")));
        let known = || ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", None));
        for release in [NO_DSA, POSTPONED] {
            assert_eq!(joined(&[notice.clone(), known()], release), ["DSA-1-1 1-3", "DEBIAN-CVE-2026-90001 1-3  low"]);
        }
        // Open without such a word: the tracker knows of the notice and says that it is open again.
        assert_eq!(joined(&[notice, known()], OPEN), ["DSA-1-1 1-3", "DEBIAN-CVE-2026-90001 -"]);
        let other = ("DSA-1-1", &["CVE-2026-90001"][..], row("oar", Some("1-3")));
        assert_eq!(joined(&[other, known()], NO_DSA), ["DSA-1-1 1-3", "DEBIAN-CVE-2026-90001 - no-dsa low"]);
    }

    #[test]
    fn a_fix_that_is_known_stays_and_other_records_are_left_alone() {
        let known = ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", Some("1-1")));
        assert_eq!(joined(std::slice::from_ref(&known), OPEN), ["DEBIAN-CVE-2026-90001 1-1"]);
        assert_eq!(joined(&[known], r#"{"status":"resolved","fixed_version":"1-2"}"#), ["DEBIAN-CVE-2026-90001 1-1"]);
        let notice = ("DSA-1-1", &["CVE-2026-90001"][..], row("keel", Some("1-3")));
        assert_eq!(joined(&[notice], r#"{"status":"undetermined"}"#), ["DSA-1-1 1-3"]);
    }

    #[test]
    fn what_was_said_after_the_tracker_was_fetched_stays() {
        let known = || ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", None));
        let count = |modified: Option<&str>, fetched: Option<&str>, release: &str| {
            let text = format!(r#"{{"keel":{{"CVE-2026-90001":{{"releases":{{"bookworm":{release}}}}}}}}}"#);
            let mut gathered = gathered(&[known()]);
            gathered.advisories[0].modified = modified.map(str::to_owned);
            join(&read(text.as_bytes()).unwrap(), fetched.map(|text| text.parse().unwrap()), &mut gathered);
            gathered.advisories[0].affected.len()
        };
        let (early, late) = ("2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z");
        for release in [r#"{"status":"resolved","fixed_version":"0"}"#, r#"{"status":"undetermined"}"#] {
            for (modified, fetched, expected) in [
                (Some(early), Some(late), 0),
                (Some(late), Some(late), 0),
                (Some(late), Some(early), 1),
                (Some(early), None, 1),
                (None, Some(early), 0),
                (None, None, 0),
            ] {
                assert_eq!(count(modified, fetched, release), expected, "{modified:?} {fetched:?} {release}");
            }
        }
        let fixed = ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", Some("1-1")));
        assert_eq!(joined(&[fixed], r#"{"status":"undetermined"}"#), ["DEBIAN-CVE-2026-90001 1-1"]);
    }

    #[test]
    fn a_withdrawn_record_takes_no_statement_in() {
        let text = r#"{"keel":{"CVE-2026-90001":{"releases":{"bookworm":{"status":"open"}}}},"oar":{"CVE-2026-90001":{"releases":{"bookworm":{"status":"open"}}}}}"#;
        for (withdrawn, expected) in [("1969-01-01T00:00:00Z", 2), ("2099-01-01T00:00:00Z", 1)] {
            let mut gathered = gathered(&[("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("keel", None))]);
            gathered.advisories[0].withdrawn = Some(withdrawn.to_owned());
            join(&read(text.as_bytes()).unwrap(), None, &mut gathered);
            let fresh = gathered.advisories.last().unwrap();
            assert_eq!((gathered.advisories.len(), fresh.affected.len()), (expected, 2), "{withdrawn}");
        }
    }

    #[test]
    fn what_only_the_tracker_knows_gets_a_record() {
        assert_eq!(joined(&[], NO_DSA), ["DEBIAN-CVE-2026-90001 - no-dsa low"]);
        assert_eq!(joined(&[], r#"{"status":"resolved","fixed_version":"1-2"}"#), ["DEBIAN-CVE-2026-90001 1-2"]);
        assert_eq!(joined(&[], r#"{"status":"resolved","fixed_version":"0"}"#), [""; 0]);
        let other = ("DEBIAN-CVE-2026-90001", &["CVE-2026-90001"][..], row("oar", None));
        assert_eq!(joined(&[other], OPEN), ["DEBIAN-CVE-2026-90001 -", "DEBIAN-CVE-2026-90001 -"]);
        let mut gathered = gathered(&[]);
        let text = r#"{"keel":{"CVE-2026-90001":{"description":"a  b\nc","releases":{"bookworm":{"status":"open"},"ark":{"status":"open"}}},
            "TEMP-1":{"releases":{"bookworm":{"status":"lost"}}}}}"#;
        join(&read(text.as_bytes()).unwrap(), None, &mut gathered);
        let made = &gathered.advisories[0];
        assert_eq!((made.summary.as_str(), made.upstream.len()), ("a b c", 1));
        assert_eq!(gathered.releases["Debian:12"].unreadable.len(), 1);
    }
}
