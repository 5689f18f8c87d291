//! Packages against advisories. In: an open database and an inventory; out: what is affected, and what could not be judged. Requirements R1 to
//! R17 of advisories.md: distributions match by the name their feed uses, "no data" and "cannot tell" are Gaps, never silence.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    advisory::{
        Database, Error, almalinux, cvss,
        ecosystem::{self, Ecosystem},
        range::{Judgement, judge},
        shard::{
            RowStatus,
            reader::{Row, Shard},
        },
        version::Version,
    },
    model::{
        advisory::{Advisory, Event},
        coverage::{Gap, SourceId},
        evidence::{Observation, ObservedPackage, ObservedState},
        package::{Basis, Inventory, Package, PackageKind},
        severity::{Rating, Severity},
    },
};

/// The attribute of an observation with a rating that cannot be read; its value is how many.
const RATING_UNREADABLE: &str = "rating-unreadable";
const HINT_BUILD: &str = "build the database again with `plimsoll db build --from DIR`";

/// Matches every package of `inventory`; both lists come sorted.
#[must_use]
pub fn match_inventory(database: &Database, inventory: &Inventory) -> (Vec<Observation>, Vec<Gap>) {
    let plan = Plan::of(database, inventory);
    let mut found = Found { observations: Vec::new(), gaps: plan.gaps };
    for part in &plan.parts {
        found.note_unreadable(part.shard);
        for package in &part.packages {
            if let Err(error) = found.match_package(part, package) {
                found.gaps.push(Gap::new(SourceId::Offline, "damaged", part.shard.name(), error.to_string()).with_hint(HINT_BUILD));
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
    Plan::of(database, inventory).parts.into_iter().map(|part| part.text).collect()
}

type Order<'a> = (Option<(&'a str, &'a str, &'a [crate::model::location::Location])>, &'a str, Option<&'a String>);

fn order(observation: &Observation) -> Order<'_> {
    let package =
        observation.package.as_ref().map(|package| (package.name.as_str(), package.version.as_str(), package.locations.as_slice()));
    (package, &observation.id, observation.attributes.get("advisory"))
}

/// Which packages go against which shard, and which against none.
struct Plan<'a> {
    parts: Vec<Part<'a>>,
    gaps: Vec<Gap>,
}

struct Part<'a> {
    text: String,
    ecosystem: &'static Ecosystem,
    shard: &'a Shard,
    packages: Vec<&'a Package>,
}

impl<'a> Part<'a> {
    /// The packages that the distribution knows: where it lists unfixed problems, too, it alone judges the language packages that they own (R8).
    /// Of one that its feed never names, such as another vendor's, it says nothing, whatever stands beside it.
    fn judged(&self) -> impl Iterator<Item = &'a str> {
        let is_listed = self.shard.fact("unfixed") == Some("listed");
        self.packages.iter().filter(move |_| is_listed).filter_map(|package| {
            let (name, _) = known_as(self.ecosystem.kind, package)?;
            let rows = self.shard.rows(&self.text, &ecosystem::index_name(self.ecosystem.kind, name)).ok()?;
            (!rows.is_empty()).then_some(package.name.as_str())
        })
    }
}

impl<'a> Plan<'a> {
    fn of(database: &'a Database, inventory: &'a Inventory) -> Self {
        let mut by_kind: BTreeMap<PackageKind, Vec<&Package>> = BTreeMap::new();
        // The program that the image was made for is nobody's package, whatever its name.
        for package in inventory.packages.iter().filter(|package| package.basis != Basis::Application) {
            by_kind.entry(package.kind).or_default().push(package);
        }
        let mut plan = Self { parts: Vec::new(), gaps: Vec::new() };
        if inventory.packages.is_empty() {
            plan.gaps.push(Gap::new(SourceId::Offline, "nothing-inventoried", "", "the image holds no package that is known"));
        }
        let (of_distribution, of_languages): (Vec<_>, Vec<_>) = by_kind.into_iter().partition(|(kind, _)| kind.is_os());
        for (kind, packages) in of_distribution {
            plan.add_os(database, inventory, kind, packages);
        }
        let judged: BTreeSet<&str> = plan.parts.iter().flat_map(Part::judged).collect();
        for (kind, mut packages) in of_languages {
            packages.retain(|package| package.owner.as_deref().is_none_or(|owner| !judged.contains(owner)));
            if !packages.is_empty() {
                plan.add_language(database, kind, packages);
            }
        }
        plan
    }

    fn add_os(&mut self, database: &'a Database, inventory: &Inventory, kind: PackageKind, packages: Vec<&'a Package>) {
        let count = counted(packages.len(), kind);
        let Some(distro) = &inventory.distro else {
            self.gaps.push(Gap::new(SourceId::Offline, "no-distro", count, "the image does not say which distribution it is"));
            return;
        };
        let release = [distro.id.as_str(), distro.version_id.as_deref().unwrap_or("without a release")].join(" ");
        let own_kind = |text: &String| ecosystem::of_text(text).filter(|ecosystem| ecosystem.kind == kind);
        let Some((text, ecosystem)) = ecosystem::of_distro(distro).and_then(|text| own_kind(&text).map(|ecosystem| (text, ecosystem)))
        else {
            let reason = format!("advisories of {release} cannot be matched: {count} not looked up");
            self.gaps.push(Gap::new(SourceId::Offline, "no-advisories", release, reason));
            return;
        };
        let (own, foreign): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| is_of_distribution(ecosystem, package));
        if !foreign.is_empty() {
            let reason = format!("{} of other vendors are not in the advisories of {text}", counted(foreign.len(), kind));
            self.gaps.push(Gap::new(SourceId::Offline, "no-advisories", "packages of other vendors", reason));
        }
        self.add(database, text, ecosystem, own);
    }

    fn add_language(&mut self, database: &'a Database, kind: PackageKind, packages: Vec<&'a Package>) {
        match ecosystem::of_language(kind) {
            Some(ecosystem) => self.add(database, ecosystem.name.to_owned(), ecosystem, packages),
            None => {
                let reason = format!("advisories for {} cannot be matched yet", counted(packages.len(), kind));
                self.gaps.push(Gap::new(SourceId::Offline, "unsupported-ecosystem", kind.purl_type(), reason));
            }
        }
    }

    fn add(&mut self, database: &'a Database, text: String, ecosystem: &'static Ecosystem, packages: Vec<&'a Package>) {
        match database.shard(&text) {
            _ if packages.is_empty() => {}
            Some(shard) => self.parts.push(Part { text, ecosystem, shard, packages }),
            None => {
                let reason =
                    format!("the database holds no advisories for {text}: {} not looked up", counted(packages.len(), ecosystem.kind));
                self.gaps.push(
                    Gap::new(SourceId::Offline, "no-advisories", text, reason)
                        .with_hint("`plimsoll db status` lists what the database holds"),
                );
            }
        }
    }
}

fn counted(count: usize, kind: PackageKind) -> String {
    format!("{count} {} package{}", kind.purl_type(), if count == 1 { "" } else { "s" })
}

/// An rpm of another vendor (EPEL, remi) never matches the distribution's advisories (R5).
fn is_of_distribution(ecosystem: &Ecosystem, package: &Package) -> bool {
    let vendor = package.vendor.as_deref().unwrap_or_default().to_ascii_lowercase();
    ecosystem.kind != PackageKind::Rpm || vendor.is_empty() || vendor.contains(&ecosystem.name.to_ascii_lowercase())
}

/// Under which name and version a feed knows a package (R1).
fn known_as(kind: PackageKind, package: &Package) -> Option<(&str, &str)> {
    let own = (package.name.as_str(), package.version.as_str());
    match (kind, &package.source) {
        (PackageKind::Deb, Some(source)) => Some((&source.name, source.version.as_deref().unwrap_or(&package.version))),
        (PackageKind::Apk, Some(origin)) => Some((&origin.name, &package.version)),
        (PackageKind::Apk, None) => None,
        _ => Some(own),
    }
}

/// How a package stands to modules (R3).
enum Module<'a> {
    None,
    Stream(&'a str),
    /// A modular package whose stream cannot be read, or whose label and release tag do not agree.
    Unclear,
}

impl<'a> Module<'a> {
    fn of(ecosystem: &Ecosystem, package: &'a Package) -> Self {
        if ecosystem.kind != PackageKind::Rpm {
            return Self::None;
        }
        let label = package.modularity.as_deref().filter(|label| !label.is_empty() && *label != "(none)");
        match (label, almalinux::is_modular(&package.version)) {
            (None, false) => Self::None,
            (Some(label), true) => almalinux::stream_of_label(label).map_or(Self::Unclear, Self::Stream),
            _ => Self::Unclear,
        }
    }
}

struct Found {
    observations: Vec<Observation>,
    gaps: Vec<Gap>,
}

impl Found {
    /// Records that the builder could not read may be about any package.
    fn note_unreadable(&mut self, shard: &Shard) {
        if let Some(count) = shard.fact("unreadable") {
            let names = shard.fact("unreadable-names").unwrap_or_default();
            self.gaps.push(Gap::new(
                SourceId::Offline,
                "undecidable",
                shard.name(),
                format!("{count} records of the feed could not be read: {names}"),
            ));
        }
    }

    fn match_package(&mut self, part: &Part<'_>, package: &Package) -> Result<(), Error> {
        let subject = format!("{} {}", package.name, package.version);
        let Some((name, version)) = known_as(part.ecosystem.kind, package) else {
            self.gaps.push(Gap::new(SourceId::Offline, "undecidable", subject, "the package does not say what it was built from"));
            return Ok(());
        };
        let rows = part.shard.rows(&part.text, &ecosystem::index_name(part.ecosystem.kind, name))?;
        let installed = part.ecosystem.scheme.parse(version);
        let module = Module::of(part.ecosystem, package);
        let mut undecided = BTreeMap::new();
        let mut hits: BTreeMap<u32, Hit> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.status == RowStatus::Active) {
            match judge_row(part, row, &module, installed.as_ref(), version)? {
                Judgement::NotAffected => {}
                Judgement::Undecidable(reason) => {
                    undecided.insert(row.record, reason);
                }
                Judgement::Affected { fixed, open_ended } => hits.entry(row.record).or_insert_with(Hit::new).add(row, fixed, open_ended),
            }
        }
        for (record, hit) in hits {
            undecided.remove(&record);
            let advisory = part.shard.record(record)?;
            let template = observation(part, package, (name, version), hit, &advisory);
            // Without one rating that reads nobody knows how bad this is; with one, the attribute says that another was lost.
            let rated = template.ratings.iter().any(|rating| rating.severity() != Severity::Unknown);
            if template.attributes.contains_key(RATING_UNREADABLE) && !rated {
                let reason = format!("no rating of {} can be read", advisory.id.0);
                self.gaps.push(Gap::new(SourceId::Offline, "undecidable", subject.clone(), reason));
            }
            self.observations.extend(per_cve(&advisory, &template));
        }
        let mut named = Vec::with_capacity(undecided.len());
        for (record, reason) in undecided {
            named.push((part.shard.record(record)?.id.0, reason));
        }
        if let Some((id, reason)) = named.first() {
            let reason = match named.len() {
                1 => format!("{id} cannot be decided: {reason}"),
                count => format!("{count} advisories cannot be decided, first {id}: {reason}"),
            };
            self.gaps.push(Gap::new(SourceId::Offline, "undecidable", subject, reason));
        }
        Ok(())
    }
}

fn judge_row(part: &Part<'_>, row: &Row, module: &Module<'_>, installed: Option<&Version>, version: &str) -> Result<Judgement, Error> {
    let Some(installed) = installed else {
        let listed = row.affected.versions.iter().any(|listed| listed == version);
        return Ok(if listed {
            Judgement::Affected { fixed: None, open_ended: false }
        } else {
            Judgement::Undecidable(format!(
                "`{}` is no {} version",
                version.chars().take(80).collect::<String>(),
                part.ecosystem.scheme.name()
            ))
        });
    };
    let modular_row = part.ecosystem.kind == PackageKind::Rpm
        && row
            .affected
            .ranges
            .iter()
            .flat_map(|range| &range.events)
            .any(|event| matches!(event, Event::Fixed(text) if almalinux::is_modular(text)));
    let judgement = match (module, modular_row) {
        (Module::None, true) | (Module::Stream(_), false) => return Ok(Judgement::NotAffected),
        _ => judge(part.ecosystem.scheme, installed, version, &row.affected.ranges, &row.affected.versions),
    };
    if judgement == Judgement::NotAffected || (!modular_row && !matches!(module, Module::Unclear)) {
        return Ok(judgement);
    }
    let Module::Stream(stream) = module else {
        return Ok(Judgement::Undecidable("the module stream of the package cannot be read".to_owned()));
    };
    let advisory = part.shard.record(row.record)?;
    let streams: BTreeSet<&str> = almalinux::streams(&advisory.summary).collect();
    Ok(if streams.contains(stream) {
        judgement
    } else if streams.is_empty() {
        Judgement::Undecidable("the advisory names no module stream".to_owned())
    } else {
        Judgement::NotAffected
    })
}

/// What the rows of one record say about one package; some records have several rows for one name.
struct Hit {
    fixed: Vec<String>,
    open_ended: bool,
    ratings: Vec<Rating>,
    urgency: Option<String>,
}

impl Hit {
    const fn new() -> Self {
        Self { fixed: Vec::new(), open_ended: true, ratings: Vec::new(), urgency: None }
    }

    fn add(&mut self, row: &Row, fixed: Option<String>, open_ended: bool) {
        self.fixed.extend(fixed);
        self.open_ended &= open_ended;
        self.ratings.extend(row.affected.ratings.iter().cloned());
        self.urgency = self.urgency.take().or_else(|| row.affected.urgency.clone());
    }
}

fn observation(part: &Part<'_>, package: &Package, known_as: (&str, &str), hit: Hit, advisory: &Advisory) -> Observation {
    let mut ratings = hit.ratings;
    ratings.extend(advisory.ratings.iter().cloned());
    ratings.sort();
    ratings.dedup();
    let parsed = |text: &String| part.ecosystem.scheme.parse_event(text);
    let mut fixed = hit.fixed;
    fixed.sort_by(|a, b| parsed(a).zip(parsed(b)).and_then(|(x, y)| x.compare(&y)).unwrap_or(Ordering::Equal).then_with(|| a.cmp(b)));
    fixed.dedup();
    let mut attributes =
        BTreeMap::from([("advisory".to_owned(), advisory.id.0.clone()), ("shard".to_owned(), part.shard.name().to_owned())]);
    if known_as != (package.name.as_str(), package.version.as_str()) {
        attributes.insert("matched-as".to_owned(), format!("{} {}", known_as.0, known_as.1));
    }
    let unreadable = ratings.iter().filter_map(|rating| rating.vector.as_deref()).filter(|vector| !cvss::is_well_formed(vector)).count();
    if unreadable > 0 {
        attributes.insert(RATING_UNREADABLE.to_owned(), unreadable.to_string());
    }
    if let Some(urgency) = hit.urgency {
        attributes.insert("urgency".to_owned(), urgency);
    }
    Observation {
        source: SourceId::Offline,
        id: advisory.id.0.clone(),
        aliases: BTreeSet::new(),
        title: (!advisory.summary.is_empty()).then(|| advisory.summary.clone()),
        package: Some(ObservedPackage {
            kind: Some(package.kind),
            name: package.name.clone(),
            version: package.version.clone(),
            locations: package.locations.clone(),
            path: None,
        }),
        ratings,
        says_no_fix: fixed.is_empty() && hit.open_ended,
        fixed,
        state: ObservedState::Open,
        link: advisory.references.first().cloned(),
        updated: advisory.modified.clone(),
        attributes,
    }
}

/// One observation, or one per CVE where the record names several: two CVE ids never share an observation (G1).
fn per_cve(advisory: &Advisory, template: &Observation) -> Vec<Observation> {
    let is_cve = |id: &&str| id.starts_with("CVE-");
    let linked = [&advisory.aliases, &advisory.upstream].into_iter().flatten().map(|id| id.0.as_str());
    let mut ids: BTreeSet<&str> = linked.chain([advisory.id.0.as_str()]).collect();
    // AlmaLinux names its CVEs in `related` alone; anywhere else that list proves nothing.
    if ["ALSA-", "ALBA-", "ALEA-"].iter().any(|prefix| advisory.id.0.starts_with(prefix)) {
        ids.extend(advisory.related.iter().map(|id| id.0.as_str()).filter(is_cve));
    }
    let cves: Vec<&str> = ids.iter().copied().filter(|id| is_cve(id)).collect();
    if cves.len() < 2 {
        let aliases = ids.iter().filter(|id| **id != advisory.id.0).map(|id| (*id).to_owned()).collect();
        return vec![Observation { aliases, ..template.clone() }];
    }
    cves.iter().map(|cve| Observation { id: (*cve).to_owned(), ..template.clone() }).collect()
}
