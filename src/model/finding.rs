//! `Finding`: one thing wrong with this image or its Dockerfile.

use std::collections::BTreeSet;

use crate::model::{
    digest::Digest,
    evidence::Evidence,
    fix::Fix,
    location::Location,
    package::{PackageKind, PackageUrl},
    rule::RuleMeta,
    severity::{Rating, RatingAuthor, Severity},
};

/// One thing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Canonical id: CVE, else GHSA, else the native id; or the rule id.
    pub id: String,
    /// Every other id for it, but those that its rule says ([`Finding::names`] has them all).
    pub aliases: BTreeSet<String>,
    /// What kind of thing.
    pub kind: FindingKind,
    /// One line for people: what is wrong here.
    pub title: String,
    /// The package; vulnerabilities only.
    pub package: Option<Box<FindingPackage>>,
    /// Effective severity under the default order; policy may choose another.
    pub severity: Severity,
    /// Whose rating it is; `None` when nobody rates.
    pub severity_author: Option<RatingAuthor>,
    /// Every rating, sorted, kept with its author.
    pub ratings: Vec<Rating>,
    /// Lowest fixed version above the installed one, per source that names one, sorted and unique.
    pub fixed: Vec<String>,
    /// Whether it still stands.
    pub state: FindingState,
    /// Known to be exploited (CISA KEV), by any source.
    pub kev: bool,
    /// EPSS probability in millionths, the newest any source gives.
    pub epss_millionths: Option<u32>,
    /// Where it stands, sorted; for a package its records, for a rule the instruction.
    pub locations: Vec<Location>,
    /// Who says what.
    pub evidence: Vec<Evidence>,
    /// Remarks: `fix disputed`, `closed at inspector`, ...
    pub notes: Vec<String>,
    /// Edits that take it away; rules about Dockerfiles only.
    pub fix: Option<Fix>,
}

/// The package of a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingPackage {
    /// Kind, when known.
    pub kind: Option<PackageKind>,
    /// Name, of our inventory where matched, else as the source writes it.
    pub name: String,
    /// Installed version.
    pub version: String,
    /// Purl of the inventory's package.
    pub purl: Option<PackageUrl>,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingKind {
    /// A published vulnerability in a package.
    Vulnerability,
    /// A rule about the Dockerfile or the image's configuration.
    Rule(&'static RuleMeta),
    /// A fault of an exception in the policy (`exception-expired`, ...).
    Exception,
}

/// Whether a finding still stands after its sources were heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingState {
    /// It stands.
    Open,
    /// Every source that sees it hides it by its own rules.
    Suppressed,
    /// The only source that saw it says it is gone.
    Closed,
}

/// The identity of a finding within one report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingKey {
    /// Canonical id.
    pub id: String,
    /// Package name and version, or the first location's text for rules.
    pub subject: String,
}

impl Finding {
    /// A finding of a Dockerfile or image-configuration rule.
    #[must_use]
    pub fn of_rule(meta: &'static RuleMeta, severity: Severity, title: String, location: Location) -> Self {
        Self {
            id: meta.id.to_owned(),
            aliases: BTreeSet::new(),
            kind: FindingKind::Rule(meta),
            title,
            package: None,
            severity,
            severity_author: Some(RatingAuthor::Plimsoll),
            ratings: Vec::new(),
            fixed: Vec::new(),
            state: FindingState::Open,
            kev: false,
            epss_millionths: None,
            locations: vec![location],
            evidence: Vec::new(),
            notes: Vec::new(),
            fix: None,
        }
    }

    /// Whether `id` names this finding, by its own id or an alias, in any case.
    #[must_use]
    pub fn answers_to(&self, id: &str) -> bool {
        self.names().any(|name| name.eq_ignore_ascii_case(id))
    }

    /// Its own id, then every other id for it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let of_rule = if let FindingKind::Rule(meta) = &self.kind { meta.aliases } else { &[] };
        std::iter::once(self.id.as_str()).chain(of_rule.iter().copied()).chain(self.aliases.iter().map(String::as_str))
    }

    /// The identity within one report.
    #[must_use]
    pub fn key(&self) -> FindingKey {
        let subject = match (&self.package, self.locations.first()) {
            (Some(package), _) => {
                format!("{} {}", package.purl.as_ref().map_or(package.name.as_str(), PackageUrl::without_version), package.version)
            }
            (None, Some(Location::Dockerfile(span) | Location::Policy(span))) => format!("{}:{}", span.file, span.line),
            (None, Some(Location::Image { path, .. })) => path.clone(),
            (None, Some(Location::History { .. } | Location::Config) | None) => String::new(),
        };
        FindingKey { id: self.id.clone(), subject }
    }

    /// SHA-256 over canonical id, purl without version and path inside the image, joined by NUL (aws.md M13): the same on every machine, tag and day.
    #[must_use]
    pub fn fingerprint(&self) -> Digest {
        let name =
            self.package.as_ref().map_or("", |package| package.purl.as_ref().map_or(package.name.as_str(), PackageUrl::without_version));
        let place = match self.locations.first() {
            Some(Location::Image { path, .. }) => path.as_str(),
            Some(Location::Dockerfile(span) | Location::Policy(span)) => &*span.file,
            Some(Location::History { .. } | Location::Config) | None => "",
        };
        Digest::sha256_of(format!("{}\0{name}\0{place}", self.id).as_bytes())
    }
}
