//! Packages against advisories. In: an open database and an inventory; out: what is affected, and what could not be judged. Requirements R1 to
//! R17 of advisories.md: distributions match by the name their feed uses, "no data" and "cannot tell" are Gaps, never silence.

mod coverage;
mod lookup;
mod module;
mod observation;
mod plan;
pub(in crate::advisory) mod row;
mod statement;

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    num::NonZero,
    panic::resume_unwind,
    thread,
};

pub(in crate::advisory) use self::observation::cve_in;
use self::{
    lookup::Lookup,
    module::Module,
    observation::{Hit, RATING_UNREADABLE},
    plan::{Part, Plan, Pocket, Role},
    row::Subject,
    statement::Cleared,
};
use crate::{
    advisory::{
        Database, Error,
        range::Judgement,
        shard::{
            RowStatus,
            reader::{Row, Rows},
        },
    },
    model::{
        coverage::{Gap, SourceId},
        evidence::Observation,
        package::{Inventory, Package},
        severity::Severity,
    },
};

/// Fewer packages are matched before another thread has begun.
const PACKAGES_PER_THREAD: usize = 50;
const HINT_BUILD: &str = "build the database again with `plimsoll db build --from DIR`";

/// Matches every package of `inventory`; both lists come sorted.
#[must_use]
pub fn match_inventory(database: &Database, inventory: &Inventory) -> (Vec<Observation>, Vec<Gap>) {
    let Plan { parts, gaps } = Plan::of(database, inventory);
    let owners = inventory.packages.iter().filter(|package| !package.kind.is_os()).filter_map(|package| package.owner.as_deref()).collect();
    let mut found = Found { observations: Vec::new(), gaps, cleared: Cleared::new() };
    // Distributions come first: what they say of their own packages is heard for the language packages in them.
    for part in &parts {
        found.gaps.extend(coverage::gaps(part));
        for of_share in match_part(part, Context { owners: &owners, cleared: &found.cleared }) {
            if !found.join(part, of_share) {
                break;
            }
        }
    }
    found.observations.sort_by(|a, b| order(a).cmp(&order(b)));
    found.observations.dedup();
    found.gaps.sort();
    found.gaps.dedup();
    (found.observations, found.gaps)
}

/// OSV ecosystem strings of the shards that `inventory` is matched against, sorted.
#[must_use]
pub fn shards_used(database: &Database, inventory: &Inventory) -> BTreeSet<String> {
    Plan::of(database, inventory).parts.into_iter().flat_map(|part| part.pockets).map(|pocket| pocket.text).collect()
}

type Order<'a> = (Option<(&'a str, &'a str, &'a [crate::model::location::Location])>, &'a str, Option<&'a String>);

fn order(observation: &Observation) -> Order<'_> {
    let package =
        observation.package.as_ref().map(|package| (package.name.as_str(), package.version.as_str(), package.locations.as_slice()));
    (package, &observation.id, observation.attributes.get("advisory"))
}

/// What is known before a part is matched.
#[derive(Clone, Copy)]
struct Context<'a> {
    /// OS packages that own language packages.
    owners: &'a BTreeSet<&'a str>,
    /// What the distribution says in favour of those.
    cleared: &'a Cleared,
}

/// What was found so far.
struct Found {
    observations: Vec<Observation>,
    gaps: Vec<Gap>,
    /// What the distribution says in favour of packages that own others.
    cleared: Cleared,
}

/// What was found about a share of the packages of a part, and the error that ended it.
type OfShare = (Found, Option<Error>);

/// Matches the packages of a part, in shares of which each has a thread; the shares are in the order of the packages.
fn match_part(part: &Part<'_>, context: Context<'_>) -> Vec<OfShare> {
    let most = part.packages.len() / PACKAGES_PER_THREAD;
    let threads = if most < 2 { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(most) };
    let of_share = |packages: &[&Package]| {
        let mut found = Found { observations: Vec::new(), gaps: Vec::new(), cleared: Cleared::new() };
        let error = packages.iter().find_map(|package| found.match_package(part, package, context).err());
        (found, error)
    };
    let mut shares = part.packages.chunks(part.packages.len().div_ceil(threads).max(1));
    let Some(first) = shares.next() else { return Vec::new() };
    thread::scope(|scope| {
        let of_share = &of_share;
        let others: Vec<_> = shares.map(|share| (share, thread::Builder::new().spawn_scoped(scope, move || of_share(share)))).collect();
        let first = of_share(first);
        let others = others.into_iter().map(|(share, other)| match other {
            Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // The system has no thread left.
            Err(_) => of_share(share),
        });
        iter::once(first).chain(others).collect()
    })
}

/// What the rows of one shard say about one package.
#[derive(Default)]
struct Said {
    /// Boxed: few records hit, and a node of the map has room for eleven.
    hits: BTreeMap<u32, Box<Hit>>,
    undecided: BTreeMap<u32, String>,
    /// Places of rows that do not affect the package.
    not_affected: Vec<usize>,
    /// Whether the shard may say nothing in favour of the package.
    is_partial: bool,
}

impl Said {
    /// Records that say "fixed" or "not affected". Few packages need to know, and it means reading ranges again.
    fn in_favour(&self, rows: &Rows, subject: &Subject<'_>) -> BTreeSet<u32> {
        if self.is_partial {
            return BTreeSet::new();
        }
        let listed = self.not_affected.iter().filter_map(|place| rows.listed.get(*place));
        let listed = listed.filter(|row| statement::clears(row, subject.installed.as_ref())).map(|row| row.record);
        // That something outside of modules is fixed is no word about a package of one.
        let past = if matches!(subject.module, Module::Stream(_)) { &[][..] } else { &rows.past };
        listed.chain(past.iter().copied()).collect()
    }
}

impl Found {
    /// Adds what was found about the next share; whether there are more of them to add. An error ends a part, wherever its shares end.
    fn join(&mut self, part: &Part<'_>, (mut found, error): OfShare) -> bool {
        self.observations.append(&mut found.observations);
        self.gaps.append(&mut found.gaps);
        for (package, statements) in found.cleared {
            self.cleared.entry(package).or_default().extend(statements);
        }
        if let Some(error) = &error {
            let shard = part.pockets.first().map_or("", |pocket| pocket.shard.name());
            self.gaps.push(Gap::new(SourceId::Offline, "damaged", shard, error.to_string()).with_hint(HINT_BUILD));
        }
        error.is_none()
    }

    fn match_package(&mut self, part: &Part<'_>, package: &Package, context: Context<'_>) -> Result<(), Error> {
        match Lookup::of(part.ecosystem, package) {
            Ok(lookup) => self.match_lookup(part, package, &lookup, context)?,
            Err(reason) => {
                let named = format!("{} {}", package.name, package.version);
                self.gaps.push(Gap::new(SourceId::Offline, "undecidable", named, reason));
            }
        }
        Lookup::of_go_toolchain(part.ecosystem, package).map_or(Ok(()), |lookup| self.match_lookup(part, package, &lookup, context))
    }

    fn match_lookup(&mut self, part: &Part<'_>, package: &Package, lookup: &Lookup<'_>, context: Context<'_>) -> Result<(), Error> {
        let named = || format!("{} {}", package.name, package.version);
        let subject = Subject {
            ecosystem: part.ecosystem,
            package,
            lookup,
            installed: lookup.reading.installed(&lookup.version),
            module: Module::of(part.ecosystem, package),
            is_default: part.is_default,
        };
        let first = self.observations.len();
        let mut undecided = Vec::new();
        let mut of_release: Vec<(&Pocket<'_>, Said, Rows)> = Vec::new();
        for pocket in &part.pockets {
            let rows = pocket.shard.rows(&pocket.text, &lookup.name, &|fix| row::is_past(&subject, fix))?;
            if rows.listed.is_empty() && rows.past.is_empty() {
                continue;
            }
            let mut said = said(pocket, &rows.listed, &subject)?;
            match pocket.role {
                Role::Own => {}
                Role::Beside => beside(pocket, &mut said, &mut of_release)?,
                Role::Fallback => fall_back(pocket, &mut said, &of_release)?,
            }
            of_release.push((pocket, said, rows));
        }
        for (pocket, mut said, rows) in of_release {
            drop_what_was_fixed_later(pocket, &mut said, &rows, &subject)?;
            if package.kind.is_os() && context.owners.contains(package.name.as_str()) && !part.lists_unfixed() {
                let cleared = statement::cleared(pocket.shard, &said.in_favour(&rows, &subject))?;
                self.cleared.entry(package.name.clone()).or_default().extend(cleared);
            }
            for (record, hit) in said.hits {
                said.undecided.remove(&record);
                let advisory = pocket.shard.record(record)?;
                let template = observation::observation(pocket, &subject, *hit, &advisory);
                // Without one rating that reads nobody knows how bad this is; with one, the attribute says that another was lost.
                let rated = template.ratings.iter().any(|rating| rating.severity() != Severity::Unknown);
                if template.attributes.contains_key(RATING_UNREADABLE) && !rated {
                    let reason = format!("no rating of {} can be read", advisory.id.0);
                    self.gaps.push(Gap::new(SourceId::Offline, "undecidable", named(), reason));
                }
                observation::add_per_cve(&mut self.observations, &advisory, template);
            }
            for (record, reason) in said.undecided {
                undecided.push((pocket.shard.record_id(record)?, reason));
            }
        }
        let observations = self.observations.get_mut(first..).unwrap_or_default();
        if package.kind.is_os() {
            highest_fix_per_cve(&subject, observations);
        }
        for observation in observations {
            statement::close(observation, package.owner.as_deref(), context.cleared);
        }
        if let Some((id, reason)) = undecided.first() {
            let reason = match undecided.len() {
                1 => format!("{id} cannot be decided: {reason}"),
                count => format!("{count} advisories cannot be decided, first {id}: {reason}"),
            };
            self.gaps.push(Gap::new(SourceId::Offline, "undecidable", named(), reason));
        }
        Ok(())
    }
}

fn said(pocket: &Pocket<'_>, rows: &[Row], subject: &Subject<'_>) -> Result<Said, Error> {
    let mut said = Said::default();
    for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.status == RowStatus::Active) {
        match row::judge_row(pocket.shard, row, subject)? {
            None => {}
            Some(Judgement::NotAffected) => said.not_affected.push(place),
            Some(Judgement::Undecidable(reason)) => {
                said.undecided.insert(row.record, reason);
            }
            Some(Judgement::Affected { fixed, open_ended, because }) => {
                said.hits.entry(row.record).or_insert_with(|| Box::new(Hit::new(because))).add(row, fixed, open_ended);
            }
        }
    }
    Ok(said)
}

/// R7: what subscribers get says where a problem of the release is fixed, and tells of problems that the release itself has no row for. A record
/// that the release has a row for is the release's to judge.
fn beside(pocket: &Pocket<'_>, said: &mut Said, of_release: &mut [(&Pocket<'_>, Said, Rows)]) -> Result<(), Error> {
    if said.hits.is_empty() && said.undecided.is_empty() {
        return Ok(());
    }
    let mut known: BTreeMap<String, (usize, u32)> = BTreeMap::new();
    for (index, (pocket, _, rows)) in of_release.iter().enumerate() {
        for record in rows.active_records() {
            known.insert(pocket.shard.record_id(record)?, (index, record));
        }
    }
    for record in std::mem::take(&mut said.undecided) {
        if !known.contains_key(&pocket.shard.record_id(record.0)?) {
            said.undecided.insert(record.0, record.1);
        }
    }
    for (record, mut hit) in std::mem::take(&mut said.hits) {
        hit.fix_in = (!hit.fixed.is_empty()).then_some("Ubuntu Pro");
        match known.get(&pocket.shard.record_id(record)?) {
            None => {
                said.hits.insert(record, hit);
            }
            Some((index, record)) => {
                let open =
                    of_release.get_mut(*index).and_then(|(_, said, _)| said.hits.get_mut(record)).filter(|open| open.fixed.is_empty());
                if let Some(open) = open {
                    open.fixed = hit.fixed;
                    open.fix_in = hit.fix_in;
                }
            }
        }
    }
    Ok(())
}

/// R7: the release speaks of a build apart from it only where the build's own shards have no row about the problem, and never in its favour: it
/// is fixed at another version there.
fn fall_back(pocket: &Pocket<'_>, said: &mut Said, of_build: &[(&Pocket<'_>, Said, Rows)]) -> Result<(), Error> {
    said.is_partial = true;
    if said.hits.is_empty() && said.undecided.is_empty() {
        return Ok(());
    }
    let mut known = BTreeSet::new();
    for (pocket, _, rows) in of_build.iter().filter(|(pocket, ..)| pocket.role == Role::Own) {
        for record in rows.active_records().collect::<BTreeSet<_>>() {
            let advisory = pocket.shard.record_without_text(record)?;
            known.extend(observation::cves(&advisory).into_iter().map(str::to_owned));
            known.insert(advisory.id.0);
        }
    }
    let records: BTreeSet<u32> = said.hits.keys().chain(said.undecided.keys()).copied().collect();
    for record in records {
        let advisory = pocket.shard.record_without_text(record)?;
        let cves = observation::cves(&advisory);
        // A record about several problems stays while one of them is not known.
        if known.contains(&advisory.id.0) || (!cves.is_empty() && cves.iter().all(|cve| known.contains(*cve))) {
            said.hits.remove(&record);
            said.undecided.remove(&record);
        }
    }
    Ok(())
}

/// R6: a problem that was left open is closed by the advisory that fixed it later.
fn drop_what_was_fixed_later(pocket: &Pocket<'_>, said: &mut Said, rows: &Rows, subject: &Subject<'_>) -> Result<(), Error> {
    let left_open: Vec<u32> = said
        .hits
        .iter()
        .filter(|(_, hit)| hit.fixed.is_empty() && statement::is_left_open(hit.state.as_deref()))
        .map(|(record, _)| *record)
        .collect();
    if left_open.is_empty() {
        return Ok(());
    }
    let cleared = statement::cleared(pocket.shard, &said.in_favour(rows, subject))?;
    for record in left_open {
        let advisory = pocket.shard.record_without_text(record)?;
        let cves = observation::cves(&advisory);
        if !cves.is_empty() && cves.iter().all(|cve| cleared.contains_key(*cve)) {
            said.hits.remove(&record);
        }
    }
    Ok(())
}

/// R4: of several advisories about one CVE the highest fix counts, because the first one was not enough. What is fixed for subscribers alone is
/// no fix of the others, and an advisory that knows of none keeps to that.
fn highest_fix_per_cve(subject: &Subject<'_>, observations: &mut [Observation]) {
    let mut fixes: BTreeMap<_, BTreeSet<&String>> = BTreeMap::new();
    for observation in observations.iter() {
        for problem in problems(observation) {
            fixes.entry(problem).or_default().extend(&observation.fixed);
        }
    }
    let highest = |observation: &Observation| {
        let all: BTreeSet<&String> = problems(observation).filter_map(|problem| fixes.get(&problem)).flatten().copied().collect();
        observation::sorted(subject.lookup.reading, all.into_iter().cloned().collect()).pop()
    };
    let highest: Vec<_> = observations.iter().map(|found| if found.fixed.is_empty() { None } else { highest(found) }).collect();
    for (observation, highest) in observations.iter_mut().zip(highest) {
        if let Some(highest) = highest {
            observation.fixed = vec![highest];
        }
    }
}

/// The CVEs of an observation, each with the place where its fix is to be had.
fn problems(observation: &Observation) -> impl Iterator<Item = (&String, Option<&String>)> {
    let ids = observation.aliases.iter().chain([&observation.id]).filter(|id| id.starts_with("CVE-"));
    ids.map(|id| (id, observation.attributes.get("fix-in")))
}
