//! Scan reports for tests: what the pipeline would hand to the reporters, built by hand.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll::model::{
    attestation::{Place, Signature, SignerIdentity, TimeSource, Verification, VerificationFault},
    coverage::{Completeness, Gap, SourceId, SourceState},
    digest::Digest,
    evidence::{Evidence, MatchKind, ObservedState},
    finding::{Finding, FindingKind, FindingPackage, FindingState},
    image::{Descriptor, HistoryEntry, ImageConfig, Layer, Manifest, Platform, PlatformChoice, ResolvedImage},
    location::{Location, Span},
    origin::{Origin, Side},
    package::{Basis, Distro, Inventory, Package, PackageKind, PackageUrl},
    policy::Mode,
    reference::ImageReference,
    report::{DockerfileSummary, PolicySummary, ScanReport},
    rule::{Group, RuleMeta},
    severity::{Rating, RatingAuthor, Severity},
    verdict::{Decision, Effect, ExceptionUse, JudgedFinding, JudgedGap, JudgedRequirement, Outcome, RequirementState, Verdict},
};

pub(super) static UNTAGGED: RuleMeta = RuleMeta {
    id: "untagged-image",
    group: Group::Security,
    severity: Severity::Medium,
    default_on: true,
    aliases: &["DL3006"],
    also: &[],
    needs: &[],
    fix: None,
    summary: "The base image has neither tag nor digest",
    help: "What is built today is not what is built tomorrow. Name a tag and a digest.\n\n```dockerfile\nFROM debian\n```",
};

pub(super) static CACHE: RuleMeta = RuleMeta {
    id: "apt-lists-kept",
    group: Group::Size,
    severity: Severity::Low,
    default_on: true,
    aliases: &["DL3009"],
    also: &[],
    needs: &[],
    fix: None,
    summary: "The lists of apt stay in the layer",
    help: "Remove `/var/lib/apt/lists` in the same RUN.",
};

pub(super) fn digest(of: &str) -> Digest {
    Digest::sha256_of(of.as_bytes())
}

pub(super) fn decision(effect: Effect, clause: Option<&str>, reason: &str) -> Decision {
    Decision { effect, clause: clause.map(Into::into), exception: None, reason: reason.into() }
}

pub(super) fn layer_location(index: usize, path: &str) -> Location {
    Location::Image { layer: digest(&format!("layer {index}")), index, path: path.to_owned() }
}

pub(super) struct Vulnerability {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) kind: PackageKind,
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    pub(super) fixed: &'static [&'static str],
    pub(super) sources: &'static [SourceId],
    pub(super) effect: Effect,
    pub(super) clause: Option<&'static str>,
    pub(super) reason: &'static str,
}

pub(super) fn vulnerability(of: &Vulnerability, locations: Vec<Location>) -> JudgedFinding {
    let namespace = matches!(of.kind, PackageKind::Deb).then_some("debian");
    let purl = PackageUrl::new(of.kind, namespace, of.name, Some(of.version), &BTreeMap::new());
    let finding = Finding {
        id: of.id.to_owned(),
        aliases: BTreeSet::from([format!("DSA-{}", of.id.len())]),
        kind: FindingKind::Vulnerability,
        title: format!("A flaw in {} lets a remote peer read memory", of.name),
        package: Some(Box::new(FindingPackage {
            kind: Some(of.kind),
            name: of.name.to_owned(),
            version: of.version.to_owned(),
            purl: Some(purl),
        })),
        severity: of.severity,
        severity_author: (of.severity != Severity::Unknown).then_some(RatingAuthor::Vendor),
        ratings: vec![
            Rating { author: RatingAuthor::Vendor, word: Some(of.severity.name().to_owned()), vector: None, score_tenths: None },
            Rating {
                author: RatingAuthor::Nvd,
                word: None,
                vector: Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
                score_tenths: Some(98),
            },
        ],
        fixed: of.fixed.iter().map(|&version| version.to_owned()).collect(),
        state: FindingState::Open,
        kev: of.id == "CVE-2026-1234",
        epss_millionths: (of.id == "CVE-2026-1234").then_some(943_210),
        locations,
        evidence: of
            .sources
            .iter()
            .map(|&source| Evidence {
                source,
                id: of.id.to_owned(),
                package: Some(of.name.to_owned()),
                version: Some(of.version.to_owned()),
                matched: MatchKind::Exact,
                fixed: of.fixed.iter().map(|&version| version.to_owned()).collect(),
                state: ObservedState::Open,
                link: None,
                attributes: BTreeMap::from([("published".to_owned(), "2026-10-01".to_owned())]),
            })
            .collect(),
        notes: Vec::new(),
        fix: None,
    };
    JudgedFinding {
        severity: of.severity,
        severity_author: finding.severity_author,
        finding,
        decision: decision(of.effect, of.clause, of.reason),
    }
}

pub(super) fn rule(meta: &'static RuleMeta, line: u32, effect: Effect) -> JudgedFinding {
    let span = Span { file: "Dockerfile".into(), line, column: Some(1), end_line: line, end_column: Some(11) };
    let finding = Finding::of_rule(meta, meta.severity, format!("{} (line {line})", meta.summary), Location::Dockerfile(span));
    JudgedFinding {
        severity: meta.severity,
        severity_author: finding.severity_author,
        finding,
        decision: decision(effect, Some("rules.fail"), ""),
    }
}

pub(super) fn gap(source: SourceId, kind: &'static str, effect: Effect) -> JudgedGap {
    let gap = Gap::new(source, kind, "scan", "still running after 900 s").with_hint("run again later, or raise --wait");
    JudgedGap { gap, decision: decision(effect, Some("evidence.default"), "") }
}

pub(super) fn image(reference: &str) -> ResolvedImage {
    let descriptor = |of: &str, media_type: &str| Descriptor {
        media_type: media_type.to_owned(),
        digest: digest(of),
        size: 1_234,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    };
    let layers: Vec<_> = (0..3).map(|index| descriptor(&format!("layer {index}"), "application/vnd.oci.image.layer.v1.tar+gzip")).collect();
    let diff_ids: Vec<_> = (0..3).map(|index| digest(&format!("diff {index}"))).collect();
    ResolvedImage {
        reference: ImageReference::parse(reference).expect("a reference"),
        index_digest: Some(digest("index")),
        platform: Platform::parse("linux/amd64").expect("a platform"),
        platform_choice: PlatformChoice::Host,
        manifest: Manifest {
            digest: digest("manifest"),
            media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
            size: 1_000,
            config: descriptor("config", "application/vnd.oci.image.config.v1+json"),
            layers: layers.clone(),
            annotations: BTreeMap::new(),
        },
        config: ImageConfig {
            created: Some("2026-11-01T00:00:00Z".to_owned()),
            env: vec!["PATH=/usr/bin".to_owned(), "TOKEN=canary-secret".to_owned()],
            cmd: vec!["app".to_owned()],
            history: vec![
                HistoryEntry { created_by: "/bin/sh -c #(nop) ADD rootfs.tar /".to_owned(), ..HistoryEntry::default() },
                HistoryEntry {
                    created_by: "RUN |1 TOKEN=canary-secret /bin/sh -c pip install -r requirements.txt".to_owned(),
                    ..HistoryEntry::default()
                },
                HistoryEntry { created_by: "COPY app /app".to_owned(), ..HistoryEntry::default() },
            ],
            diff_ids: diff_ids.clone(),
            ..ImageConfig::default()
        },
        layers: layers
            .into_iter()
            .zip(diff_ids)
            .enumerate()
            .map(|(index, (descriptor, diff_id))| Layer { index, descriptor, diff_id, history: Some(index), origin: None })
            .collect(),
    }
}

pub(super) fn package(kind: PackageKind, name: &str, version: &str) -> Package {
    Package {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new()),
        arch: kind.is_os().then(|| "amd64".to_owned()),
        source: None,
        modularity: None,
        vendor: None,
        licences: vec!["Apache-2.0".to_owned()],
        locations: vec![layer_location(0, "var/lib/dpkg/status")],
        owner: None,
        found_by: "dpkg",
        basis: Basis::Installed,
        hashes: Vec::new(),
    }
}

fn source(id: SourceId, completeness: Completeness) -> SourceState {
    SourceState {
        source: id,
        completeness,
        asked: completeness != Completeness::NotAsked,
        details: BTreeMap::from([("asOf".to_owned(), "2026-11-20".to_owned())]),
    }
}

fn signature() -> Signature {
    Signature {
        place: Place::Referrers,
        manifest: digest("signature"),
        subject: digest("manifest"),
        signer: SignerIdentity::Keyless {
            issuer: "https://token.actions.githubusercontent.com".to_owned(),
            subject: "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main".to_owned(),
            extensions: BTreeMap::from([("repository".to_owned(), "acme/app".to_owned())]),
        },
        annotations: BTreeMap::new(),
        time: Some(("2026-11-20T09:12:00Z".parse().expect("a time"), TimeSource::LogEntry)),
        logged: true,
        checks: BTreeSet::from(["chain", "signature"]),
        not_checked: BTreeSet::from(["revocation"]),
    }
}

/// An image that passes, with a Dockerfile.
pub(super) fn pass() -> ScanReport {
    let from = "FROM debian:12.1".to_owned();
    ScanReport {
        command: "gate",
        tool_version: "0.1.0",
        evaluated_at: "2026-11-20T09:30:00Z".parse().expect("a time"),
        source_date: None,
        policy: PolicySummary {
            name: "acme-prod".to_owned(),
            digest: digest("policy"),
            files: vec![("plimsoll.yaml".to_owned(), digest("policy file"))],
            mode: Mode::Enforce,
        },
        image: Some(image("registry.acme.example/team/app:1.4")),
        fixes: Vec::new(),
        dockerfiles: vec![DockerfileSummary {
            file: "Dockerfile".to_owned(),
            final_from_line: Some(1),
            final_from: Some(from.clone()),
            instructions: BTreeMap::from([(1, from), (14, "RUN pip install -r requirements.txt".to_owned())]),
        }],
        inventory: Some(Inventory {
            distro: Some(Distro { id: "debian".to_owned(), version_id: Some("12".to_owned()), ..Distro::default() }),
            packages: vec![
                package(PackageKind::Deb, "libssl3", "3.0.11-1"),
                package(PackageKind::Deb, "openssl", "3.0.11-1"),
                package(PackageKind::Pypi, "requests", "2.31.0"),
            ],
            gaps: Vec::new(),
        }),
        verification: Some(Verification {
            subject: digest("manifest"),
            signatures: vec![signature()],
            attestations: Vec::new(),
            faults: Vec::new(),
            gaps: Vec::new(),
        }),
        sources: vec![
            source(SourceId::Dockerfile, Completeness::Complete),
            source(SourceId::Inventory, Completeness::Complete),
            source(SourceId::Offline, Completeness::Complete),
            source(SourceId::Inspector, Completeness::NotAsked),
            source(SourceId::Signatures, Completeness::Complete),
        ],
        verdict: Verdict {
            outcome: Outcome::Pass,
            findings: Vec::new(),
            gaps: Vec::new(),
            requirements: vec![JudgedRequirement {
                id: "release".to_owned(),
                asks: "a signature of the release workflow".to_owned(),
                state: RequirementState::Met,
                code: None,
                detail: "github.com/acme/app release.yml@main, logged 2026-11-20 09:12 UTC".to_owned(),
                decision: None,
            }],
            exceptions: Vec::new(),
        },
        exit_code: 0,
    }
}

/// An image that fails in every way that there is.
pub(super) fn fail() -> ScanReport {
    let mut report = pass();
    let both = &[SourceId::Offline, SourceId::Inspector];
    let ssl = |name, effect, clause| Vulnerability {
        id: "CVE-2026-1234",
        severity: Severity::Critical,
        kind: PackageKind::Deb,
        name,
        version: "3.0.11-1",
        fixed: &["3.0.15-1"],
        sources: both,
        effect,
        clause,
        reason: "known to be exploited",
    };
    let pip = |id, severity, effect, clause, reason| Vulnerability {
        id,
        severity,
        kind: PackageKind::Pypi,
        name: "requests",
        version: "2.31.0",
        fixed: if severity == Severity::Unknown { &[] } else { &["2.32.4"] },
        sources: &[SourceId::Offline],
        effect,
        clause,
        reason,
    };
    let line_14 = || {
        vec![
            Location::Dockerfile(Span::lines("Dockerfile", 14, 15)),
            layer_location(1, "usr/lib/python3/dist-packages/requests-2.31.0.dist-info/METADATA"),
        ]
    };
    let mut accepted = vulnerability(
        &pip("CVE-2025-0001", Severity::High, Effect::Accepted, None, "not reachable, jane@acme.example, until 2026-11-25"),
        line_14(),
    );
    accepted.decision.exception = Some(Box::new(Span::lines("plimsoll.yaml", 61, 66)));
    let mut ignored = rule(&CACHE, 14, Effect::Suppressed);
    ignored.decision.exception = Some(Box::new(Span::lines("Dockerfile", 13, 13)));
    ignored.decision.reason = "the lists are needed".into();
    let exception = JudgedFinding {
        finding: Finding {
            kind: FindingKind::Exception,
            id: "exception-expired".to_owned(),
            title: "exception CVE-2024-9 ended on 2026-11-01".to_owned(),
            package: None,
            locations: vec![Location::Policy(Span::lines("plimsoll.yaml", 70, 74))],
            ..Finding::of_rule(&UNTAGGED, Severity::Medium, String::new(), Location::Config)
        },
        severity: Severity::Medium,
        severity_author: Some(RatingAuthor::Plimsoll),
        decision: decision(Effect::Warning, Some("exceptions.expired"), ""),
    };
    report.verdict.findings = vec![
        vulnerability(&ssl("libssl3", Effect::Violation, Some("exploited")), vec![layer_location(0, "var/lib/dpkg/status")]),
        vulnerability(&ssl("openssl", Effect::Violation, Some("exploited")), vec![layer_location(0, "var/lib/dpkg/status")]),
        vulnerability(&pip("CVE-2026-2222", Severity::High, Effect::Violation, Some("fixable-high"), "fix public for 40 d"), line_14()),
        vulnerability(&pip("GHSA-aaaa-bbbb-cccc", Severity::Unknown, Effect::Warning, Some("unrated"), ""), line_14()),
        rule(&UNTAGGED, 1, Effect::Violation),
        accepted,
        ignored,
        exception,
        vulnerability(&pip("CVE-2026-3333", Severity::Low, Effect::Noted, None, ""), line_14()),
    ];
    report.verdict.requirements.push(JudgedRequirement {
        id: "signatures[1]".to_owned(),
        asks: "a signature by the security team's key".to_owned(),
        state: RequirementState::Violated,
        code: Some("absent.signature"),
        detail: "no signature at any of four places".to_owned(),
        decision: Some(decision(Effect::Violation, Some("signatures"), "")),
    });
    report.verdict.gaps =
        vec![gap(SourceId::Inspector, "pending", Effect::Violation), gap(SourceId::Dockerfile, "unresolved", Effect::Warning)];
    report.verdict.exceptions = vec![
        ExceptionUse { id: "CVE-2025-0001".to_owned(), location: Span::lines("plimsoll.yaml", 61, 66), state: "soon", hits: 1 },
        ExceptionUse { id: "CVE-2024-9".to_owned(), location: Span::lines("plimsoll.yaml", 70, 74), state: "expired", hits: 0 },
    ];
    if let Some(verification) = &mut report.verification {
        verification.faults = vec![VerificationFault {
            code: "invalid.sct",
            place: Some(Place::LegacySig),
            manifest: Some(digest("bad")),
            index: 0,
            detail: "no timestamp of a known log".to_owned(),
        }];
    }
    report.sources[3] = source(SourceId::Inspector, Completeness::Incomplete);
    report.verdict.outcome = Outcome::Fail;
    report.exit_code = 1;
    report
}

/// Nothing fails, but the scan never finished.
pub(super) fn incomplete() -> ScanReport {
    let mut report = pass();
    report.verdict.gaps = vec![gap(SourceId::Inspector, "pending", Effect::Violation)];
    report.sources[3] = source(SourceId::Inspector, Completeness::Incomplete);
    report.verdict.outcome = Outcome::Incomplete;
    report.exit_code = 3;
    report
}

/// The failing image under a policy that only watches.
pub(super) fn audit() -> ScanReport {
    let mut report = fail();
    report.policy.mode = Mode::Audit;
    report.exit_code = 0;
    report
}

/// A Dockerfile alone.
pub(super) fn lint() -> ScanReport {
    let mut report = pass();
    report.command = "lint";
    (report.image, report.inventory, report.verification) = (None, None, None);
    report.sources.truncate(1);
    report.verdict.requirements.clear();
    report.verdict.findings = vec![rule(&UNTAGGED, 1, Effect::Violation), rule(&CACHE, 14, Effect::Warning)];
    report.verdict.outcome = Outcome::Fail;
    report.exit_code = 1;
    report
}

/// An image from an archive, without a Dockerfile, whose rows stand on layers.
pub(super) fn archive() -> ScanReport {
    let mut report = fail();
    report.image = Some(image("docker-archive:/srv/build/app.tar:1.4"));
    report.dockerfiles.clear();
    report.verdict.findings.retain(|judged| judged.finding.package.is_some());
    for judged in &mut report.verdict.findings {
        judged.finding.locations.retain(|location| matches!(location, Location::Image { .. }));
    }
    report
}

/// `count` violations of all severities in `count / 4` packages.
pub(super) fn many(count: usize) -> ScanReport {
    let mut report = fail();
    report.verdict.findings = (0..count)
        .map(|at| {
            let mut judged = vulnerability(
                &Vulnerability {
                    id: "CVE-2026-0",
                    severity: Severity::ALL[at % 6],
                    kind: PackageKind::Deb,
                    name: "package",
                    version: "1.0",
                    fixed: &["1.1"],
                    sources: &[SourceId::Offline, SourceId::Inspector],
                    effect: if at % 10 == 9 { Effect::Warning } else { Effect::Violation },
                    clause: Some("any"),
                    reason: "severity is at least negligible",
                },
                vec![layer_location(at % 3, "var/lib/dpkg/status")],
            );
            judged.finding.id = format!("CVE-2026-{at:06}");
            let package = judged.finding.package.as_mut().expect("a package");
            package.name = format!("package-{}", at / 4);
            package.purl = PackageUrl::parse(&format!("pkg:deb/debian/package-{}@1.0", at / 4));
            judged
        })
        .collect();
    report
}

/// What `plimsoll inventory` finds in an image that has a bit of everything.
pub(super) fn listing() -> ScanReport {
    let mut report = pass();
    report.command = "inventory";
    report.policy.name = "baseline".to_owned();
    report.verdict.findings.clear();
    report.verdict.requirements.clear();
    report.verdict.gaps = vec![gap(SourceId::Inventory, "file-limit", Effect::Violation)];
    (report.verdict.outcome, report.exit_code) = (Outcome::Incomplete, 3);
    let other = |kind, name: &str, version: &str, found_by, layer, path: &str| {
        let mut package = package(kind, name, version);
        package.found_by = found_by;
        package.licences.clear();
        package.locations = vec![layer_location(layer, path)];
        package
    };
    let mut owner = package(PackageKind::Deb, "python3-six", "1.16.0-4");
    owner.vendor = Some("Debian".to_owned());
    let mut owned = other(PackageKind::Pypi, "six", "1.16.0", "pypi", 0, "usr/lib/python3/dist-packages/six-1.16.0.egg-info/PKG-INFO");
    owned.owner = Some("python3-six".to_owned());
    owned.licences = vec!["MIT License".to_owned(), "MIT OR Zlib".to_owned(), "Do as you like\nbut not at night".to_owned()];
    let mut own = other(
        PackageKind::Pypi,
        "requests",
        "2.31.0",
        "pypi",
        1,
        "usr/local/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA",
    );
    own.locations.push(layer_location(2, "app/venv/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA"));
    let mut outer = other(PackageKind::Maven, "com.acme:app", "1.0", "jar", 2, "app/app.war");
    outer.basis = Basis::Application;
    outer.hashes = vec![digest("app.war")];
    let mut inner = other(PackageKind::Maven, "org.acme:lib", "2.0", "jar", 2, "app/app.war!/WEB-INF/lib/lib-2.0.jar");
    (inner.basis, inner.hashes) = (Basis::Guessed, vec![digest("lib-2.0.jar")]);
    let mut wanted = other(PackageKind::Npm, "left-pad", "1.3.0", "npm", 2, "app/package-lock.json");
    wanted.basis = Basis::Declared;
    wanted.licences = vec!["WTFPL".to_owned(), "BSD".to_owned()];
    if let Some(layer) = report.image.as_mut().and_then(|image| image.layers.get_mut(1)) {
        layer.origin = Some(Origin { side: Some(Side::Own), span: Some(Span::lines("Dockerfile", 14, 14)), ..Origin::default() });
    }
    let inventory = report.inventory.get_or_insert_default();
    inventory.packages = vec![package(PackageKind::Deb, "libssl3", "3.0.11-1"), owner, owned, own, outer, inner, wanted];
    inventory.distro =
        inventory.distro.take().map(|distro| Distro { pretty_name: Some("Debian GNU/Linux 12 (bookworm)".to_owned()), ..distro });
    inventory.gaps = report.verdict.gaps.iter().map(|judged| judged.gap.clone()).collect();
    report
}

/// Every built report by name.
pub(super) fn all() -> Vec<(&'static str, ScanReport)> {
    vec![("archive", archive()), ("audit", audit()), ("fail", fail()), ("incomplete", incomplete()), ("lint", lint()), ("pass", pass())]
}
