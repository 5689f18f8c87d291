//! Which packages go against which shards, and which against none. In: an open database and an inventory; out: parts to be matched, and a Gap for
//! everything that cannot be looked up (advisories.md R5, R7, R8, R15).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    advisory::{
        Database,
        ecosystem::{self, Ecosystem, Release},
        matcher::lookup::Lookup,
        shard::reader::Shard,
    },
    model::{
        coverage::{Gap, SourceId},
        package::{Basis, Inventory, Package, PackageKind},
    },
};

/// What is to be done.
pub(super) struct Plan<'a> {
    pub(super) parts: Vec<Part<'a>>,
    pub(super) gaps: Vec<Gap>,
}

/// Packages that are looked up in the same shards.
pub(super) struct Part<'a> {
    pub(super) ecosystem: &'static Ecosystem,
    /// The first one is that of the release itself.
    pub(super) pockets: Vec<Pocket<'a>>,
    pub(super) packages: Vec<&'a Package>,
    /// Whether the choice of shards is the default of the release.
    pub(super) is_default: bool,
}

/// One shard of a part.
#[derive(Clone)]
pub(super) struct Pocket<'a> {
    /// The OSV ecosystem string.
    pub(super) text: String,
    pub(super) shard: &'a Shard,
    /// What its words are worth for the packages of the part.
    pub(super) role: Role,
}

/// How a shard stands to the packages of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is that of the packages themselves.
    Own,
    /// It says what subscribers get beside the release, and not what the packages' own pocket gets.
    Beside,
    /// It is that of the release, for builds apart from it: it is heard where their own shards say nothing of a problem.
    Fallback,
}

impl Pocket<'_> {
    /// What the shard says about its coverage of this ecosystem string.
    pub(super) fn fact(&self, name: &str) -> Option<&str> {
        self.shard.coverage().get(&self.text).and_then(|facts| facts.get(name).map(String::as_str)).or_else(|| self.shard.fact(name))
    }
}

impl<'a> Part<'a> {
    /// Whether the feed also says what is not fixed, so that its silence means something.
    pub(super) fn lists_unfixed(&self) -> bool {
        self.pockets.first().is_some_and(|pocket| pocket.fact("unfixed") == Some("listed"))
    }

    /// Those of `owners` that the distribution judges: where it lists unfixed problems, too, it alone judges the language packages that they own
    /// (R8). Of one that its feed never names, such as another vendor's, it says nothing, whatever stands beside it.
    fn judged<'b>(&'b self, owners: &'b BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> + 'b {
        let candidates = self.packages.iter().filter(|package| self.lists_unfixed() && owners.contains(package.name.as_str()));
        candidates.filter(|package| self.names(package)).map(|package| package.name.as_str())
    }

    fn names(&self, package: &Package) -> bool {
        let Ok(lookup) = Lookup::of(self.ecosystem, package) else { return false };
        self.pockets.iter().any(|pocket| {
            pocket.shard.rows(&pocket.text, &lookup.name, &|_| false).is_ok_and(|rows| rows.active_records().next().is_some())
        })
    }
}

impl<'a> Plan<'a> {
    /// Sorts the packages of an inventory.
    pub(super) fn of(database: &'a Database, inventory: &'a Inventory) -> Self {
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
        let owners: BTreeSet<&str> =
            of_languages.iter().flat_map(|(_, packages)| packages).filter_map(|package| package.owner.as_deref()).collect();
        for (kind, packages) in of_distribution {
            plan.add_os(database, inventory, kind, packages);
        }
        let judged: BTreeSet<&str> = plan.parts.iter().flat_map(|part| part.judged(&owners)).collect();
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
        let name = [distro.id.as_str(), distro.version_id.as_deref().unwrap_or("without a release")].join(" ");
        let release = ecosystem::of_distro(distro);
        let ecosystem = release.as_ref().and_then(|release| release.texts().next()).and_then(ecosystem::of_text);
        let Some((release, ecosystem)) = release.zip(ecosystem.filter(|ecosystem| ecosystem.kind == kind)) else {
            let reason = format!("advisories of {name} cannot be matched: {count} not looked up");
            self.gaps.push(Gap::new(SourceId::Offline, "no-advisories", name, reason));
            return;
        };
        let (own, foreign): (Vec<_>, Vec<_>) = packages.into_iter().partition(|package| is_of_distribution(ecosystem, package));
        if !foreign.is_empty() {
            let reason = format!("{} of other vendors are not in the advisories of {name}", counted(foreign.len(), kind));
            self.gaps.push(Gap::new(SourceId::Offline, "no-advisories", "packages of other vendors", reason));
        }
        self.add_release(database, ecosystem, &release, own);
    }

    fn add_release(&mut self, database: &'a Database, ecosystem: &'static Ecosystem, release: &Release, packages: Vec<&'a Package>) {
        let open = |text: &String, role| Some(Pocket { shard: database.shard(text)?, text: text.clone(), role });
        let base = |role| release.needed.iter().chain(&release.further).filter_map(move |text| open(text, role));
        // Certified builds have versions of their own, and so have those for subscribers: what is fixed elsewhere says nothing of them (R5, R7).
        // What is open in the release and not mentioned in their own shards is open in them, too.
        let apart = |texts: &[String]| -> Vec<Pocket<'a>> {
            let own: Vec<_> = texts.iter().filter_map(|text| open(text, Role::Own)).collect();
            let fallback = (!own.is_empty()).then(|| base(Role::Fallback));
            own.into_iter().chain(fallback.into_iter().flatten()).collect()
        };
        let (certified, rest): (Vec<_>, Vec<_>) =
            packages.into_iter().partition(|package| !release.fips.is_empty() && package.version.to_ascii_lowercase().contains("fips"));
        let (subscribed, plain): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|package| release.pro.is_some() && is_for_subscribers(&package.version));
        let pro: Vec<String> = release.pro.iter().cloned().collect();
        for (own, packages, needed) in [(&release.fips, certified, Needed::Any), (&pro, subscribed, Needed::All)] {
            let pockets = apart(own);
            // Without the release's own shard nobody knows what is open in these builds and not mentioned in theirs.
            if !packages.is_empty() && !pockets.is_empty() {
                let missing = release.needed.iter().filter(|text| database.shard(text).is_none());
                self.gaps.extend(missing.map(|text| missing_shard(text, ecosystem, packages.len())));
            }
            self.add_part(ecosystem, own, pockets, packages, needed);
        }
        let mut pockets: Vec<_> = base(Role::Own).collect();
        if !pockets.is_empty() {
            pockets.extend(pro.iter().filter_map(|text| open(text, Role::Beside)));
        }
        let before = self.parts.len();
        self.add_part(ecosystem, &release.needed, pockets, plain, Needed::All);
        for part in self.parts.iter_mut().skip(before) {
            part.is_default = release.is_default;
        }
    }

    /// Adds a part whose pockets are those that the database has; one that is needed and missing is a Gap.
    fn add_part(
        &mut self,
        ecosystem: &'static Ecosystem,
        texts: &[String],
        pockets: Vec<Pocket<'a>>,
        packages: Vec<&'a Package>,
        needed: Needed,
    ) {
        if packages.is_empty() {
            return;
        }
        let has = |text: &&String| pockets.iter().any(|pocket| pocket.text == **text);
        let missing: Vec<&String> = match needed {
            Needed::All => texts.iter().filter(|text| !has(text)).collect(),
            Needed::Any if pockets.is_empty() => texts.iter().take(1).collect(),
            Needed::Any => Vec::new(),
        };
        for text in missing {
            self.gaps.push(missing_shard(text, ecosystem, packages.len()));
        }
        if !pockets.is_empty() {
            self.parts.push(Part { ecosystem, pockets, packages, is_default: false });
        }
    }

    fn add_language(&mut self, database: &'a Database, kind: PackageKind, mut packages: Vec<&'a Package>) {
        let Some(ecosystem) = ecosystem::of_language(kind) else {
            let reason = format!("advisories for {} cannot be matched yet", counted(packages.len(), kind));
            self.gaps.push(Gap::new(SourceId::Offline, "unsupported-ecosystem", kind.purl_type(), reason));
            return;
        };
        self.leave_out_nameless(kind, &mut packages);
        let text = ecosystem.name.to_owned();
        let pockets = database.shard(&text).map(|shard| Pocket { text: text.clone(), shard, role: Role::Own }).into_iter().collect();
        self.add_part(ecosystem, &[text], pockets, packages, Needed::All);
    }

    /// R11: advisories name Java packages by group and artifact, so that one whose group nobody knows cannot be looked up.
    fn leave_out_nameless(&mut self, kind: PackageKind, packages: &mut Vec<&'a Package>) {
        if kind != PackageKind::Maven {
            return;
        }
        let (named, nameless): (Vec<_>, Vec<_>) = packages.iter().partition(|package| package.name.contains(':'));
        *packages = named;
        if let Some(first) = nameless.first() {
            let reason = format!("{} do not say their group, first {}: not looked up", counted(nameless.len(), kind), first.name);
            self.gaps.push(Gap::new(SourceId::Offline, "undecidable", "maven packages without a group", reason));
        }
    }
}

/// How many of the strings of a release must be in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    All,
    Any,
}

fn missing_shard(text: &str, ecosystem: &Ecosystem, count: usize) -> Gap {
    let reason = format!("the database holds no advisories for {text}: {} not looked up", counted(count, ecosystem.kind));
    let hint = match ecosystem.use_of {
        ecosystem::Use::Free => "`plimsoll db status` lists what the database holds",
        ecosystem::Use::OnRequest => {
            "its licence keeps these advisories out of databases unless asked for: an empty file `asked` beside its `all.zip`"
        }
    };
    Gap::new(SourceId::Offline, "no-advisories", text, reason).with_hint(hint)
}

pub(super) fn counted(count: usize, kind: PackageKind) -> String {
    format!("{count} {} package{}", kind.purl_type(), if count == 1 { "" } else { "s" })
}

/// An rpm of another vendor (EPEL, remi), or one that is patched while it runs, never matches the distribution's advisories (R5).
fn is_of_distribution(ecosystem: &Ecosystem, package: &Package) -> bool {
    let vendor = package.vendor.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_own = vendor.is_empty() || ecosystem.vendors.is_empty() || ecosystem.vendors.iter().any(|own| begins_with(&vendor, own));
    is_own && !(ecosystem.kind == PackageKind::Rpm && package.version.contains(".ksplice"))
}

/// Whether a vendor's name begins with these words. An address in the place of a name is that of a build service, where everybody has projects;
/// the distributions write theirs behind their name (`SUSE LLC <https://www.suse.com/>`).
fn begins_with(vendor: &str, words: &str) -> bool {
    let name = vendor.split('<').next().unwrap_or_default().trim();
    name.strip_prefix(words).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)) && !name.contains("://")
}

/// Versions of Ubuntu's builds for subscribers.
fn is_for_subscribers(version: &str) -> bool {
    version.contains("+esm") || version.contains("~esm")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::PackageUrl;

    #[test]
    fn r5_vendors_are_told_by_how_they_begin() {
        for (ecosystem, vendor, expected) in [
            ("SUSE:Linux Enterprise Server 15 SP5", "SUSE LLC <https://www.suse.com/>", true),
            ("openSUSE:Leap 15.5", "SUSE LLC <https://www.suse.com/>", true),
            ("openSUSE:Leap 15.5", "openSUSE", true),
            ("openSUSE:Leap 15.5", "obs://build.opensuse.org/home:mallory", false),
            ("openSUSE:Leap 15.5", "openSUSE obs://build.opensuse.org/home:mallory", false),
            ("Amazon Linux:2", "Amazon Linux", true),
            ("Amazon Linux:2", "Amazon.com", true),
            ("Amazon Linux:2", "Amazonian Packagers", false),
            ("Amazon Linux:2", "rpms for Amazon Linux", false),
            ("AlmaLinux:9", "AlmaLinux", true),
            ("AlmaLinux:9", "AlmaLinux Packaging Team", true),
            ("AlmaLinux:9", "AlmaLinux OS Foundation <packager@almalinux.org>", true),
            ("AlmaLinux:9", "Fedora Project", false),
            ("Rocky Linux:9", "Rocky Enterprise Software Foundation", true),
            ("Rocky Linux:9", "Rocky", true),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat, Inc.", true),
            ("Red Hat:enterprise_linux:9::baseos", "Red Hat, Inc. <http://bugzilla.redhat.com/bugzilla>", true),
            ("Red Hat:enterprise_linux:9::baseos", "", true),
        ] {
            let purl = PackageUrl::new(PackageKind::Rpm, None, "keel", None, &BTreeMap::new());
            let package = Package {
                vendor: Some(vendor.to_owned()),
                ..Package::new(PackageKind::Rpm, "keel".to_owned(), "1-1".to_owned(), purl, "test")
            };
            assert_eq!(is_of_distribution(ecosystem::of_text(ecosystem).unwrap(), &package), expected, "{ecosystem} {vendor}");
        }
    }
}
