//! `ScanReport` in, the members of `plimsoll/report/1` out, every array sorted.

use serde::{Serialize, Serializer};

use crate::{
    model::{
        digest::Digest,
        evidence::{Evidence, ObservedState},
        finding::{Finding, FindingKind, FindingPackage, FindingState},
        fix::{Edit, Fix, FixRecord, FixSummary},
        image::{PlatformChoice, ResolvedImage},
        location::{Location, Span},
        mask::masked,
        masked_config,
        origin::{Origin, Side},
        package::{Inventory, PackageKind, PackageUrl},
        policy::Mode,
        report::ScanReport,
        severity::{Rating, RatingAuthor, Severity},
        verdict::{Decision, Effect, JudgedFinding, RequirementState},
    },
    report::{
        count::{Counts, EFFECTS},
        place::{Place, history_text},
    },
};

use super::{evidence::Found, wire};

/// The findings of a report, in order; each is converted when it is written, since there may be very many.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    sorted: Vec<&'a JudgedFinding>,
    report: &'a ScanReport,
}

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.sorted.iter().map(|judged| finding(judged, self.report)))
    }
}

/// The reports of one run, of which `worst` decides.
pub(super) fn reports<'a>(reports: &'a [ScanReport], worst: &ScanReport) -> wire::Reports<'a> {
    wire::Reports { schema: "plimsoll/reports/1", verdict: verdict(worst), reports: reports.iter().map(report).collect() }
}

fn verdict(report: &ScanReport) -> wire::Verdict {
    wire::Verdict { outcome: report.verdict.outcome.name().to_ascii_lowercase(), exit_code: report.exit_code }
}

/// The report's wire form.
pub(super) fn report(report: &ScanReport) -> wire::Report<'_> {
    let verdict = &report.verdict;
    let mut findings: Vec<_> = verdict.findings.iter().collect();
    findings.sort_by(|a, b| a.finding.locations.cmp(&b.finding.locations));
    findings.sort_by_cached_key(|judged| (judged.severity.report_order(), judged.finding.key()));
    let mut gaps: Vec<_> = verdict.gaps.iter().collect();
    gaps.sort_by(|a, b| a.gap.cmp(&b.gap));
    let mut dockerfiles: Vec<_> = report.dockerfiles.iter().collect();
    dockerfiles.sort_by(|a, b| a.file.cmp(&b.file));
    let mut sources: Vec<_> = report.sources.iter().collect();
    sources.sort_by_key(|state| state.source);
    wire::Report {
        schema: "plimsoll/report/1",
        tool: wire::Tool { name: "plimsoll", version: report.tool_version },
        command: report.command,
        evaluated_at: report.evaluated_at.to_string(),
        mode: match report.policy.mode {
            Mode::Enforce => "enforce",
            Mode::Audit => "audit",
        },
        verdict: self::verdict(report),
        counts: counts(report),
        policy: wire::Policy {
            name: &report.policy.name,
            digest: report.policy.digest.to_string(),
            files: report.policy.files.iter().map(|(file, digest)| wire::File { file, digest: digest.to_string() }).collect(),
        },
        image: report.image.as_ref().map(image),
        dockerfiles: dockerfiles
            .into_iter()
            .map(|summary| wire::Dockerfile {
                file: &summary.file,
                final_from_line: summary.final_from_line,
                final_from: summary.final_from.as_deref(),
            })
            .collect(),
        fixes: report.fixes.iter().map(fixes).collect(),
        sources: sources
            .into_iter()
            .map(|state| wire::Source {
                id: state.source.name(),
                state: state.completeness.name(),
                asked: state.asked,
                details: &state.details,
            })
            .collect(),
        findings: Findings { sorted: findings, report },
        requirements: verdict
            .requirements
            .iter()
            .map(|requirement| wire::Requirement {
                id: &requirement.id,
                asks: &requirement.asks,
                state: match requirement.state {
                    RequirementState::Met => "met",
                    RequirementState::Violated => "violated",
                    RequirementState::NotChecked => "not-checked",
                },
                code: requirement.code,
                detail: &requirement.detail,
                decision: requirement.decision.as_ref().map(decision),
            })
            .collect(),
        evidence: report.verification.as_ref().map(Found::of),
        gaps: gaps
            .into_iter()
            .map(|judged| wire::Gap {
                source: judged.gap.source.name(),
                kind: judged.gap.kind,
                subject: &judged.gap.subject,
                reason: &judged.gap.reason,
                hint: judged.gap.hint.as_deref(),
                decision: decision(&judged.decision),
            })
            .collect(),
        exceptions: verdict
            .exceptions
            .iter()
            .map(|exception| wire::Exception {
                id: &exception.id,
                location: span(&exception.location),
                state: exception.state,
                hits: exception.hits,
            })
            .collect(),
        distro: report.inventory.as_ref().and_then(|inventory| inventory.distro.as_ref()).map(|distro| wire::Distro {
            id: &distro.id,
            version_id: distro.version_id.as_deref(),
            codename: distro.codename.as_deref(),
            pretty_name: distro.pretty_name.as_deref(),
        }),
        packages: report.inventory.as_ref().map(packages),
    }
}

fn counts(report: &ScanReport) -> wire::Counts {
    let counts = Counts::of(report);
    wire::Counts {
        findings: EFFECTS.into_iter().map(|effect| (effect.name(), counts.findings(effect))).collect(),
        violations_by_severity: Severity::ALL
            .into_iter()
            .map(|severity| (severity.name(), counts.findings_of(Effect::Violation, severity)))
            .collect(),
        requirements_violated: counts.requirements,
        gaps: counts.gaps,
        gaps_blocking: counts.blocking_gaps,
        packages: report.inventory.as_ref().map(|inventory| inventory.packages.len()),
    }
}

fn image(image: &ResolvedImage) -> wire::Image<'_> {
    let config = &image.config;
    // Both make one command, so an option may stand in one list and its value in the other.
    let mut entrypoint = masked_config::words(config.entrypoint.iter().chain(&config.cmd).map(String::as_str));
    let cmd = entrypoint.split_off(config.entrypoint.len().min(entrypoint.len()));
    wire::Image {
        reference: image.reference.to_string(),
        digest: image.digest().to_string(),
        index_digest: image.index_digest.as_ref().map(Digest::to_string),
        platform: image.platform.to_string(),
        platform_choice: match image.platform_choice {
            PlatformChoice::Only => "only",
            PlatformChoice::Asked => "asked",
            PlatformChoice::Host => "host",
        },
        media_type: &image.manifest.media_type,
        config_digest: image.manifest.config.digest.to_string(),
        config: wire::Config {
            created: config.created.as_deref(),
            user: masked(&config.user),
            env_names: config.env.iter().map(|entry| masked(entry.split_once('=').map_or(entry, |(name, _)| name))).collect(),
            entrypoint,
            cmd,
            working_dir: masked(&config.working_dir),
            exposed_ports: &config.exposed_ports,
            volumes: config.volumes.iter().map(|volume| masked(volume)).collect(),
            labels: masked_config::labels(&config.labels),
        },
        layers: image
            .layers
            .iter()
            .map(|layer| wire::Layer {
                index: layer.index,
                digest: layer.descriptor.digest.to_string(),
                diff_id: layer.diff_id.to_string(),
                media_type: &layer.descriptor.media_type,
                size: layer.descriptor.size,
                history: layer.history,
                created_by: layer.history.and_then(|index| config.history.get(index)).map(|entry| history_text(&entry.created_by)),
                origin: layer.origin.as_ref().map(origin),
            })
            .collect(),
    }
}

fn origin(origin: &Origin) -> wire::Origin<'_> {
    wire::Origin {
        side: origin.side.map_or("unknown", Side::name),
        dockerfile: origin.span.as_ref().map(span),
        stage: origin.stage.as_deref(),
        copied_from: origin.copied_from.as_deref(),
        certain: origin.doubt.is_none(),
        doubt: origin.doubt.as_deref(),
    }
}

fn packages(inventory: &Inventory) -> Vec<wire::Package<'_>> {
    let mut packages: Vec<_> = inventory.packages.iter().collect();
    packages.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    packages
        .into_iter()
        .map(|package| wire::Package {
            purl: package.purl.as_str(),
            name: &package.name,
            version: &package.version,
            kind: package.kind.purl_type(),
            arch: package.arch.as_deref(),
            source: package.source.as_ref().map(|source| wire::SourcePackage { name: &source.name, version: source.version.as_deref() }),
            owner: package.owner.as_deref(),
            licences: package.licences.iter().map(String::as_str).collect(),
            locations: package.locations.iter().map(location).collect(),
            found_by: package.found_by,
            basis: package.basis.name(),
            hashes: package.hashes.iter().map(Digest::to_string).collect(),
        })
        .collect()
}

fn finding<'a>(judged: &'a JudgedFinding, report: &'a ScanReport) -> wire::Finding<'a> {
    let finding = &judged.finding;
    let mut evidence: Vec<_> = finding.evidence.iter().collect();
    evidence.sort_by(|a, b| (a.source, &a.id, &a.package, &a.version).cmp(&(b.source, &b.id, &b.package, &b.version)));
    let mut locations: Vec<_> = finding.locations.iter().collect();
    locations.sort();
    wire::Finding {
        id: &finding.id,
        aliases: finding.names().skip(1).collect(),
        kind: kind(finding),
        title: &finding.title,
        package: finding.package.as_deref().map(package),
        severity: severity(judged),
        fixed: &finding.fixed,
        state: match finding.state {
            FindingState::Open => "open",
            FindingState::Suppressed => "suppressed",
            FindingState::Closed => "closed",
        },
        kev: finding.kev,
        epss: finding.epss_millionths.map(millionths),
        locations: locations.into_iter().map(location).collect(),
        place: Place::of(judged, report).to_string(),
        origin: report.image.as_ref().filter(|_| finding.package.is_some()).and_then(|image| image.origin(&finding.locations)).map(origin),
        evidence: evidence.into_iter().map(wire_evidence).collect(),
        notes: &finding.notes,
        fix: finding.fix.as_ref().map(fix),
        decision: decision(&judged.decision),
        fingerprint: finding.fingerprint().to_string(),
    }
}

fn fix(fix: &Fix) -> wire::Fix<'_> {
    wire::Fix { kind: fix.kind.name(), edits: fix.edits.iter().map(edit).collect() }
}

fn edit(edit: &Edit) -> wire::Edit<'_> {
    wire::Edit {
        byte_offset: edit.range.start,
        byte_length: edit.range.len(),
        line: edit.span.line,
        column: edit.span.column,
        replacement: &edit.replacement,
    }
}

fn fixes(summary: &FixSummary) -> wire::FixSummary<'_> {
    wire::FixSummary {
        file: &summary.file,
        applied: summary.applied.iter().map(|record| fix_record(record, None)).collect(),
        withheld: summary.withheld.iter().map(|withheld| fix_record(&withheld.fix, Some(&withheld.reason))).collect(),
    }
}

fn fix_record<'a>(record: &'a FixRecord, reason: Option<&'a str>) -> wire::FixRecord<'a> {
    wire::FixRecord { id: &record.id, line: record.line, kind: record.kind.name(), title: &record.title, reason }
}

/// The word for a finding's kind.
const fn kind(finding: &Finding) -> &'static str {
    match finding.kind {
        FindingKind::Vulnerability => "vulnerability",
        FindingKind::Rule(_) => "rule",
        FindingKind::Exception => "exception",
    }
}

fn package(package: &FindingPackage) -> wire::FindingPackage<'_> {
    wire::FindingPackage {
        name: &package.name,
        version: &package.version,
        kind: package.kind.map(PackageKind::purl_type),
        purl: package.purl.as_ref().map(PackageUrl::as_str),
    }
}

fn severity(judged: &JudgedFinding) -> wire::Severity<'_> {
    let mut ratings: Vec<&Rating> = judged.finding.ratings.iter().collect();
    ratings.sort();
    wire::Severity {
        effective: judged.severity.name(),
        author: judged.severity_author.map(RatingAuthor::name),
        ratings: ratings
            .into_iter()
            .map(|rating| wire::Rating {
                author: rating.author.name(),
                severity: rating.severity().name(),
                word: rating.word.as_deref(),
                vector: rating.vector.as_deref(),
                score: rating.score_tenths.map(|tenths| format!("{}.{}", tenths / 10, tenths % 10)),
            })
            .collect(),
    }
}

/// A probability in millionths as a decimal string.
fn millionths(value: u32) -> String {
    format!("{}.{:06}", value / 1_000_000, value % 1_000_000)
}

fn location(location: &Location) -> wire::Location<'_> {
    match location {
        Location::Dockerfile(at) => wire::Location::Dockerfile(span(at)),
        Location::Policy(at) => wire::Location::Policy(span(at)),
        Location::Image { layer, index, path } => wire::Location::Image { layer: layer.to_string(), layer_index: *index, path },
        Location::History { index, layer } => wire::Location::History { index: *index, layer: layer.as_ref().map(ToString::to_string) },
        Location::Config => wire::Location::Config,
    }
}

fn span(span: &Span) -> wire::Span<'_> {
    wire::Span { file: &span.file, line: span.line, column: span.column, end_line: span.end_line, end_column: span.end_column }
}

fn wire_evidence(evidence: &Evidence) -> wire::Evidence<'_> {
    wire::Evidence {
        source: evidence.source.name(),
        id: &evidence.id,
        package: evidence.package.as_deref(),
        version: evidence.version.as_deref(),
        matched: evidence.matched.name(),
        fixed: &evidence.fixed,
        state: match evidence.state {
            ObservedState::Open => "open",
            ObservedState::Suppressed => "suppressed",
            ObservedState::Closed => "closed",
        },
        link: evidence.link.as_deref(),
        attributes: &evidence.attributes,
    }
}

fn decision(decision: &Decision) -> wire::Decision<'_> {
    wire::Decision {
        effect: decision.effect.name(),
        clause: decision.clause.as_deref(),
        exception: decision.exception.as_deref().map(span),
        reason: &decision.reason,
    }
}
