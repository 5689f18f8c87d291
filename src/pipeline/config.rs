//! An image's configuration and history in, findings about them out, where no Dockerfile speaks for the image.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facted, Inputs, add_state, lines, lint::settings};
use crate::{
    dockerfile,
    findings::{image_config, image_settings},
    model::{
        coverage::SourceId,
        digest::Digest,
        finding::{Finding, FindingKind},
        image::ResolvedImage,
        location::Location,
        severity::Severity,
    },
};

/// Judges the image's configuration and history where no Dockerfile speaks for them: none was given, or several, or one that is not of this image.
pub(super) fn judge_config(facts: &mut Facted, image: &ResolvedImage, inputs: &Inputs) {
    let mut gaps = Vec::new();
    let mut details = BTreeMap::new();
    let mut is_spoken_for = false;
    let mut is_told = false;
    if let ([dockerfile], [user], [input]) = (facts.dockerfiles.as_slice(), facts.users.as_slice(), inputs.dockerfiles.as_slice()) {
        settle_missing_user(&mut facts.findings, image);
        gaps.extend(user.as_deref().and_then(|user| image_config::differs(image, &dockerfile.file, user)));
        if gaps.is_empty() {
            let reason = dockerfile::unlike(&lines::lint_input(input), image);
            gaps.extend(reason.map(|reason| image_config::unlike(&dockerfile.file, &reason)));
        }
        is_spoken_for = gaps.is_empty();
        is_told = is_spoken_for && facts.findings.iter().any(|finding| image_config::RULES.contains(&finding.id.as_str()));
    }
    if !is_told {
        facts.findings.extend(image_config::judge(image, dockerfile::rule));
    }
    let found = image_settings::judge(image, &facts.findings, dockerfile::rule);
    facts.findings.extend(found);
    if !is_spoken_for {
        let report = dockerfile::lint_history(image, &settings(&inputs.policy.rules));
        details.insert("history.entries".to_owned(), image.config.history.len().to_string());
        details.insert("history.rules".to_owned(), report.rules.to_string());
        details.insert("history.rules.need-dockerfile".to_owned(), report.unmet.to_string());
        facts.findings.extend(report.findings);
        gaps.extend(report.gaps);
    }
    add_state(facts, SourceId::ImageConfig, &gaps, details);
}

/// Where the files of a layer are findings of a rule, the history that made the layer is none of the same rule.
pub(super) fn settle_history(findings: &mut Vec<Finding>) {
    let of_files = findings.iter().filter(|finding| finding.severity != Severity::Negligible);
    let told: BTreeSet<(String, Digest)> = of_files
        .flat_map(|finding| {
            finding.locations.iter().filter_map(|location| match location {
                Location::Image { layer, .. } if matches!(finding.kind, FindingKind::Rule(_)) => Some((finding.id.clone(), layer.clone())),
                _ => None,
            })
        })
        .collect();
    findings.retain(|finding| match finding.locations.as_slice() {
        [Location::History { layer: Some(layer), .. }] => !told.contains(&(finding.id.clone(), layer.clone())),
        _ => true,
    });
}

/// A Dockerfile without USER leaves the user to its base image; the built image says who that is, so the doubt ends here.
fn settle_missing_user(findings: &mut Vec<Finding>, image: &ResolvedImage) {
    if image_config::runs_as_root(image) {
        for finding in findings.iter_mut().filter(|finding| finding.id == "missing-user") {
            finding.severity = Severity::High;
            finding.title.push_str(" (the built image runs as root)");
        }
    } else {
        findings.retain(|finding| finding.id != "missing-user");
    }
}
