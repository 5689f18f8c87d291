//! Packages against advisories. In: an open database and an inventory; out: what is affected, and what could not be judged. Requirements R1 to
//! R17 of advisories.md: distributions match by the name their feed uses, "no data" and "cannot tell" are Gaps, never silence.

mod coverage;
mod lookup;
mod module;
mod observation;
mod plan;
pub(in crate::advisory) mod row;
mod said;
mod shares;
mod statement;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    ptr, thread,
};

pub(in crate::advisory) use self::observation::cve_in;
use self::{
    lookup::Lookup,
    module::Module,
    observation::RATING_UNREADABLE,
    plan::{Part, Plan, Pocket, Role},
    row::Subject,
    said::Said,
    statement::Cleared,
};
use crate::{
    advisory::{Database, Error, shard::reader::Rows},
    model::{
        coverage::{Gap, SourceId},
        evidence::Observation,
        package::{Inventory, Package},
        severity::Severity,
    },
};

/// Fewer packages are matched before another thread has begun.
const PACKAGES_PER_THREAD: usize = 50;
/// So many packages a thread takes at a time.
const SHARE: usize = 16;
const HINT_BUILD: &str = "build the database again with `plimsoll db build --from DIR`";

/// Matches every package of `inventory`; both lists come sorted.
#[must_use]
pub fn match_inventory(database: &Database, inventory: &Inventory) -> (Vec<Observation>, Vec<Gap>) {
    let most = inventory.packages.len() / PACKAGES_PER_THREAD;
    let threads = if most < 2 { 1 } else { thread::available_parallelism().map_or(1, NonZero::get).min(most) };
    match_on(database, inventory, threads)
}

/// The same on so many threads, which make no difference to what is found.
pub(in crate::advisory) fn match_on(database: &Database, inventory: &Inventory, threads: usize) -> (Vec<Observation>, Vec<Gap>) {
    let Plan { parts, gaps } = Plan::of(database, inventory);
    let packages = inventory.packages.iter().filter(|package| !package.kind.is_os());
    let owners: BTreeSet<&str> = packages.filter_map(|package| package.owner.as_deref()).collect();
    let mut found = Found { gaps, ..Found::default() };
    found.gaps.extend(parts.iter().flat_map(coverage::gaps));
    // Distributions come first where they own others: what they say of their own packages is heard for the language packages in them.
    let before = if owners.is_empty() { 0 } else { parts.iter().take_while(|part| part.ecosystem.kind.is_os()).count() };
    let (of_distributions, others) = parts.split_at(before);
    for parts in [of_distributions, others] {
        let shares: Vec<_> = parts.iter().flat_map(|part| part.packages.chunks(SHARE).map(move |packages| (part, packages))).collect();
        let context = Context { owners: &owners, cleared: &found.cleared };
        let of_shares = shares::in_order(&shares, threads, |(part, packages)| OfShare::of(part, packages, context));
        let mut ended: Option<&Part<'_>> = None;
        for ((part, _), of_share) in shares.into_iter().zip(of_shares) {
            // An error ends its part, wherever the shares of that end.
            if ended.is_none_or(|ended| !ptr::eq(ended, part)) && !found.join(part, of_share) {
                ended = Some(part);
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
#[derive(Default)]
struct Found {
    observations: Vec<Observation>,
    gaps: Vec<Gap>,
    /// What the distribution says in favour of packages that own others.
    cleared: Cleared,
}

/// What was found about a share of the packages of a part.
struct OfShare {
    found: Found,
    /// What ended it.
    error: Option<Error>,
}

impl OfShare {
    fn of(part: &Part<'_>, packages: &[&Package], context: Context<'_>) -> Self {
        let mut found = Found::default();
        let error = packages.iter().find_map(|package| found.match_package(part, package, context).err());
        Self { found, error }
    }
}

impl Found {
    /// Adds what was found about the next share of a part; whether there are more of them to add.
    fn join(&mut self, part: &Part<'_>, OfShare { found, error }: OfShare) -> bool {
        self.observations.extend(found.observations);
        self.gaps.extend(found.gaps);
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
        let mut observations = Vec::new();
        let mut undecided = Vec::new();
        let mut of_release: Vec<(&Pocket<'_>, Said, Rows)> = Vec::new();
        for pocket in &part.pockets {
            let rows = pocket.shard.rows(&pocket.text, &lookup.name, &|fix| row::is_past(&subject, fix))?;
            if rows.is_empty() {
                continue;
            }
            let mut said = Said::of(pocket, &rows.listed, &subject)?;
            match pocket.role {
                Role::Own => {}
                Role::Beside => said::beside(pocket, &mut said, &mut of_release)?,
                Role::Fallback => said::fall_back(pocket, &mut said, &of_release)?,
            }
            of_release.push((pocket, said, rows));
        }
        for (pocket, mut said, rows) in of_release {
            said::drop_what_was_fixed_later(pocket, &mut said, &rows, &subject)?;
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
                observation::add_per_cve(&mut observations, &advisory, template);
            }
            for (record, reason) in said.undecided {
                undecided.push((pocket.shard.record_id(record)?, reason));
            }
        }
        if package.kind.is_os() {
            highest_fix_per_cve(&subject, &mut observations);
        }
        for observation in &mut observations {
            statement::close(observation, package.owner.as_deref(), context.cleared);
        }
        self.observations.append(&mut observations);
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
