//! Facts as tests write them in YAML, turned into the model.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll::{
    model::{
        attestation::{Place, Signature, SignerIdentity, Verification, VerificationFault},
        coverage::{Completeness, Gap, SourceId, SourceState},
        digest::Digest,
        evidence::{Evidence, MatchKind, ObservedState},
        finding::{Finding, FindingKind, FindingPackage, FindingState},
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice, ResolvedImage},
        location::{Location, Span},
        package::{PackageKind, PackageUrl},
        policy::{Exception, ExceptionOrigin, Policy},
        reference::ImageReference,
        rule::{Group, RuleMeta},
        severity::{Rating, RatingAuthor, Severity},
    },
    policy::{Error, load},
};
use serde::Deserialize;

/// One finding.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FindingText {
    pub(super) id: String,
    aliases: BTreeSet<String>,
    severity: Option<String>,
    ratings: BTreeMap<String, String>,
    fixed: Vec<String>,
    kev: bool,
    epss: Option<u32>,
    package: Option<String>,
    nameless: bool,
    path: Vec<String>,
    state: Option<String>,
    group: Option<String>,
    line: Option<u32>,
    sources: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IgnoreText {
    id: String,
    first: u32,
    last: u32,
    reason: String,
    until: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SourceText {
    source: String,
    state: Option<String>,
    asked: Option<bool>,
    details: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct GapText {
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) subject: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SignatureText {
    key: Option<String>,
    issuer: String,
    subject: String,
    extensions: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    unlogged: bool,
    covers: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct VerificationText {
    signatures: Vec<SignatureText>,
    faults: Vec<String>,
    gaps: Vec<String>,
}

/// A digest that is told apart from others by its word.
pub(super) fn digest(word: &str) -> Digest {
    Digest::sha256_of(word.as_bytes())
}

pub(super) fn policy(text: &str) -> Result<Policy, Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("plimsoll.yaml");
    std::fs::write(&file, text).expect("a written file");
    let mut files = vec![file.display().to_string()];
    load::load(&files).or_else(|error| {
        if !error.to_string().contains("judges nothing") {
            return Err(error);
        }
        // A case about one key alone: with a clause that no case hits, the policy judges something.
        let more = folder.path().join("more.yaml");
        std::fs::write(&more, "version: 1\nrules: { set: { world-writable-path: fail } }\n").expect("a written file");
        files.push(more.display().to_string());
        load::load(&files)
    })
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn author(word: &str) -> RatingAuthor {
    use RatingAuthor::{EcrBasic, Ghsa, Inspector, Nvd, Osv, Vendor};
    [Vendor, Inspector, Ghsa, Osv, Nvd, EcrBasic].into_iter().find(|author| author.name() == word).expect(word)
}

pub(super) fn source(word: &str) -> SourceId {
    use SourceId::{Dockerfile, EcrBasic, Image, ImageConfig, Inspector, InspectorSbom, Inventory, Offline, Policy, Signatures};
    let all = [Dockerfile, Image, Inventory, Offline, EcrBasic, SourceId::Ecr, Inspector, InspectorSbom, Signatures, ImageConfig, Policy];
    all.into_iter().find(|source| source.name() == word).expect(word)
}

impl FindingText {
    pub(super) fn finding(&self) -> Finding {
        let severity = self.severity.as_deref().map_or(Severity::Unknown, Severity::from_word);
        if let Some(group) = &self.group {
            let group =
                [Group::Security, Group::Correctness, Group::Size, Group::Style].into_iter().find(|g| g.name() == group).expect("group");
            let aliases: Vec<&'static str> = self.aliases.iter().map(|alias| leak(alias)).collect();
            let meta = RuleMeta {
                id: leak(&self.id),
                group,
                severity,
                default_on: true,
                aliases: Box::leak(aliases.into_boxed_slice()),
                also: &[],
                needs: &[],
                fix: None,
                summary: "",
                help: "",
            };
            let line = self.line.unwrap_or(1);
            return Finding::of_rule(
                Box::leak(Box::new(meta)),
                severity,
                "rule".to_owned(),
                Location::Dockerfile(Span::lines("Dockerfile", line, line)),
            );
        }
        let mut ratings: Vec<_> = self
            .ratings
            .iter()
            .map(|(by, word)| Rating { author: author(by), word: Some(word.clone()), vector: None, score_tenths: None })
            .collect();
        if ratings.is_empty() && self.severity.is_some() {
            ratings.push(Rating { author: RatingAuthor::Vendor, word: self.severity.clone(), vector: None, score_tenths: None });
        }
        let purl = self.package.clone().unwrap_or_else(|| "pkg:deb/debian/openssl@3.0.1".to_owned());
        let (name, version) = purl.rsplit_once('@').expect("a version");
        let kind = [PackageKind::Apk, PackageKind::Deb, PackageKind::Rpm, PackageKind::Npm, PackageKind::Generic];
        let kind = kind.into_iter().find(|kind| purl.starts_with(&format!("pkg:{}/", kind.purl_type())));
        let package = FindingPackage {
            kind,
            name: name.rsplit('/').next().expect("a name").to_owned(),
            version: version.to_owned(),
            purl: if self.nameless { None } else { PackageUrl::parse(&purl) },
        };
        let paths = if self.path.is_empty() { vec!["var/lib/dpkg/status".to_owned()] } else { self.path.clone() };
        let sources = if self.sources.is_empty() { vec!["offline".to_owned()] } else { self.sources.clone() };
        let state = match self.state.as_deref() {
            None => FindingState::Open,
            Some("suppressed") => FindingState::Suppressed,
            Some("closed") => FindingState::Closed,
            Some(other) => unreachable!("state {other}"),
        };
        let observed = if state == FindingState::Suppressed { ObservedState::Suppressed } else { ObservedState::Open };
        Finding {
            id: self.id.clone(),
            aliases: self.aliases.clone(),
            kind: FindingKind::Vulnerability,
            title: "vulnerability".to_owned(),
            package: Some(Box::new(package)),
            severity,
            severity_author: None,
            ratings,
            fixed: self.fixed.clone(),
            state,
            kev: self.kev,
            epss_millionths: self.epss,
            locations: paths.into_iter().map(|path| Location::Image { layer: digest("layer"), index: 0, path }).collect(),
            evidence: sources
                .iter()
                .map(|word| Evidence {
                    source: source(word),
                    id: self.id.clone(),
                    package: None,
                    version: None,
                    matched: MatchKind::Exact,
                    fixed: Vec::new(),
                    state: observed,
                    link: None,
                    attributes: BTreeMap::new(),
                })
                .collect(),
            notes: Vec::new(),
            fix: None,
        }
    }
}

impl IgnoreText {
    pub(super) fn exception(&self) -> Exception {
        Exception {
            id: self.id.clone(),
            package: None,
            path: None,
            image: None,
            reason: self.reason.clone(),
            owner: None,
            expires: self.until.as_deref().map(|date| date.parse().expect("a date")),
            ticket: None,
            until_fix: false,
            below: None,
            location: Span::lines("Dockerfile", self.first, self.first),
            origin: ExceptionOrigin::Inline { first: self.first, last: self.last },
        }
    }
}

impl SourceText {
    /// A source that was asked and heard to the end.
    pub(super) fn heard(word: &str) -> SourceState {
        Self { source: word.to_owned(), ..Self::default() }.state()
    }

    pub(super) fn state(&self) -> SourceState {
        let completeness = match self.state.as_deref() {
            None | Some("complete") => Completeness::Complete,
            Some("incomplete") => Completeness::Incomplete,
            Some("not-asked") => Completeness::NotAsked,
            Some(other) => unreachable!("state {other}"),
        };
        let asked = self.asked.unwrap_or(completeness != Completeness::NotAsked);
        SourceState { source: source(&self.source), completeness, asked, details: self.details.clone() }
    }
}

impl GapText {
    pub(super) fn gap(&self) -> Gap {
        Gap::new(source(&self.source), leak(&self.kind), self.subject.clone(), "because")
    }
}

impl VerificationText {
    pub(super) fn verification(&self) -> Verification {
        let signatures = self.signatures.iter().enumerate().map(|(i, text)| Signature {
            place: Place::LegacySig,
            manifest: digest(&format!("signature {i}")),
            subject: digest(text.covers.as_deref().unwrap_or("image")),
            signer: match &text.key {
                Some(fingerprint) => SignerIdentity::Key { fingerprint: fingerprint.clone() },
                None => SignerIdentity::Keyless {
                    issuer: text.issuer.clone(),
                    subject: text.subject.clone(),
                    extensions: text.extensions.clone(),
                },
            },
            annotations: text.annotations.clone(),
            time: None,
            logged: !text.unlogged,
            checks: BTreeSet::new(),
            not_checked: BTreeSet::new(),
        });
        Verification {
            subject: digest("image"),
            signatures: signatures.collect(),
            attestations: Vec::new(),
            faults: self
                .faults
                .iter()
                .map(|code| VerificationFault { code: leak(code), place: None, manifest: None, index: 0, detail: code.clone() })
                .collect(),
            gaps: self.gaps.iter().map(|kind| Gap::new(SourceId::Signatures, leak(kind), "", "because")).collect(),
        }
    }
}

/// An image of that reference, reached through an index.
pub(super) fn image(reference: &str) -> ResolvedImage {
    let descriptor = Descriptor {
        media_type: String::new(),
        digest: digest("config"),
        size: 1,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    };
    ResolvedImage {
        reference: ImageReference::parse(reference).expect("a reference"),
        index_digest: Some(digest("index")),
        platform: Platform::parse("linux/amd64").expect("a platform"),
        platform_choice: PlatformChoice::Host,
        manifest: Manifest {
            digest: digest("image"),
            media_type: String::new(),
            size: 1,
            config: descriptor,
            layers: Vec::new(),
            annotations: BTreeMap::new(),
        },
        config: ImageConfig::default(),
        layers: Vec::new(),
    }
}
