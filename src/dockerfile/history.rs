//! An image's configuration and history in, findings of the Dockerfile's rules out: for images that come without a Dockerfile. What the builder
//! wrote down becomes a Dockerfile again, as far as it says, and the rules that mean anything there judge it. The configuration beats the history:
//! what a container starts with is told of the configuration alone.

mod text;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    coverage::{Gap, SourceId},
    digest::Digest,
    finding::{Finding, FindingKind},
    image::ResolvedImage,
    lint::LintSettings,
    location::Location,
    origin::Side,
    rule::{Group, Need, RuleMeta},
};

use super::{LintInput, read, redaction::Redaction, rule::Rule, rules_on, secret_values};
use text::{Pseudo, Stand};

/// Rules of the groups that are judged which say nothing true of a history, or which others tell of an image; and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("add-remote-unverified", "no builder writes down the checksum of an ADD"),
    ("apk-cache-left", CACHE),
    ("apt-lists-left", CACHE),
    ("consecutive-runs", "the layers are made"),
    ("credentials-in-url", TEXT),
    ("dnf-cache-left", CACHE),
    ("microdnf-cache-left", CACHE),
    ("pip-cache-left", CACHE),
    ("run-network-host", FLAGS),
    ("run-security-insecure", FLAGS),
    ("secret-in-arg", TEXT),
    ("secret-in-env", TEXT),
    ("secret-literal", TEXT),
    ("secret-mount-persisted", FLAGS),
    ("ssh-port-exposed", TEXT),
    ("whole-filesystem-copied", "no builder writes down from which stage a COPY took"),
    ("yarn-cache-left", CACHE),
    ("yum-cache-left", CACHE),
    ("zypper-cache-left", CACHE),
];
const CACHE: &str = "no builder writes down the mounts that keep a cache out of the layer; the files tell, by `package-cache-left`";
const FLAGS: &str = "no builder writes down the flags of a RUN";
const TEXT: &str = "every text of the configuration and the history is read for it, of whatever form";

/// Rules about correctness that say something of a built image. The others are about how a build may fail, and this one did not.
const OF_RUNNING: &[&str] = &["default-shell-relinked", "missing-healthcheck", "named-user", "relative-workdir", "shell-form-cmd"];

/// How many entries with code that was not read are Gaps of their own.
const EACH: usize = 10;
/// Most secrets times titles that are compared, so that no title shows one.
const MOST_COMPARED: usize = 1_000_000;

/// What there is to say of an image's history.
#[derive(Debug, Clone, Default)]
pub struct HistoryReport {
    /// Findings by place, then by rule id.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub gaps: Vec<Gap>,
    /// How many rules judged it.
    pub rules: usize,
    /// How many rules that are on need a Dockerfile.
    pub unmet: usize,
}

/// Judges an image by its configuration and history, with every rule that is on and means anything there.
#[must_use]
pub fn lint_history(image: &ResolvedImage, settings: &LintSettings) -> HistoryReport {
    let pseudo = Pseudo::of(image);
    let (dockerfile, unread) = read(&LintInput { settings, ..LintInput::new("image history", pseudo.text.as_bytes()) });
    let (applicable, unmet): (Vec<&&dyn Rule>, Vec<_>) = rules_on(settings).partition(|rule| applies(rule.meta()));
    let found: Vec<Finding> = applicable.iter().flat_map(|rule| rule.check(&dockerfile)).collect();
    let secrets = secret_values(&dockerfile, &BTreeMap::new());
    // So many of both are no honest image's, and comparing them would take its time.
    let is_untold = secrets.len().saturating_mul(found.len()) > MOST_COMPARED;
    let redaction = Redaction::of(secrets, &dockerfile);
    let layers: BTreeMap<usize, &Digest> =
        image.layers.iter().filter_map(|layer| Some((layer.history?, &layer.descriptor.digest))).collect();
    let mut findings: Vec<Finding> = found
        .into_iter()
        .filter_map(|mut finding| {
            let line = line(&finding)?;
            let (location, place) = match pseudo.stand(line) {
                Stand::Nowhere => return None,
                Stand::Config => (Location::Config, "the image's configuration"),
                Stand::Entry(index) => {
                    let layer = layers.get(&index).map(|digest| (*digest).clone());
                    let is_base = image.config.history.get(index).and_then(|entry| entry.side) == Some(Side::Base);
                    (Location::History { index, layer }, if is_base { "image history, the base image's" } else { "image history" })
                }
            };
            let title = match finding.kind {
                FindingKind::Rule(meta) if is_untold => meta.summary.trim_end_matches('.').to_owned(),
                _ => redaction.told_of(&finding.title, dockerfile.index_at(line)).into_owned(),
            };
            finding.title = format!("{title} (from {place})");
            finding.locations = vec![location];
            // There is no file to mend, and what is said of one does not hold here.
            finding.fix = None;
            finding.notes.clear();
            Some(finding)
        })
        .collect();
    findings.sort_by_cached_key(|finding| (finding.locations.clone(), finding.id.clone(), finding.title.clone()));
    findings.dedup();
    let entries = unread.iter().filter_map(|gap| {
        let line = gap.subject.rsplit_once(':')?.1.parse().ok()?;
        Some((pseudo.stand(line), gap.reason.clone()))
    });
    let mut gaps = gaps(entries.chain(pseudo.unread.iter().map(|(stand, reason)| (*stand, (*reason).to_owned()))).collect(), &pseudo);
    gaps.extend(pseudo.gap);
    HistoryReport { findings, gaps, rules: applicable.len(), unmet: unmet.len() }
}

/// Whether a rule says something true of a history.
fn applies(meta: &RuleMeta) -> bool {
    let is_met = meta.needs.iter().all(|need| matches!(need, Need::Ast | Need::Stages | Need::Shell));
    let is_meant = match meta.group {
        Group::Security | Group::Size => LEFT_OUT.binary_search_by_key(&meta.id, |(id, _)| id).is_err(),
        Group::Correctness => OF_RUNNING.binary_search(&meta.id).is_ok(),
        // The image is what it is, and nobody reads how it was written.
        Group::Reproducibility | Group::Style => false,
    };
    is_met && is_meant
}

fn line(finding: &Finding) -> Option<u32> {
    finding.locations.iter().find_map(|location| if let Location::Dockerfile(span) = location { Some(span.line) } else { None })
}

/// A Gap for each entry that was not read, as long as they are few. What nobody is sure to be code is none.
fn gaps(unread: BTreeSet<(Stand, String)>, pseudo: &Pseudo) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut more = 0;
    for (stand, reason) in unread {
        let subject = match stand {
            Stand::Nowhere => continue,
            Stand::Entry(index) if pseudo.uncertain.contains(&index) => continue,
            Stand::Entry(index) => format!("history/{index}"),
            Stand::Config => "config".to_owned(),
        };
        if gaps.len() >= EACH {
            more += 1;
            continue;
        }
        let gap = Gap::new(SourceId::ImageConfig, "unread-history", subject, reason);
        gaps.push(gap.with_hint("give the Dockerfile with --dockerfile, or lower this Gap in `evidence.gaps`"));
    }
    if more > 0 {
        let reason = format!("{more} more places of the image's history hold code that was not read");
        gaps.push(Gap::new(SourceId::ImageConfig, "unread-history", "history", reason));
    }
    gaps
}

#[cfg(test)]
mod tests;
