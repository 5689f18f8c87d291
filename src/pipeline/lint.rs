//! Dockerfiles in, findings about them out, and which rules had to pass over them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facted, Inputs, add_state, rule};
use crate::{
    dockerfile::{self, LintInput},
    findings::image_rules,
    model::{
        coverage::SourceId,
        lint::{LintSettings, RULES_HALF, RULES_NEED},
        policy::{RulePolicy, RuleSetting},
        rule::{Need, RuleMeta},
    },
};

/// Reads the Dockerfiles: for what they say of the image's layers, and to judge them where that was asked for.
pub(super) fn lint(inputs: &Inputs, facts: &mut Facted) {
    let (dockerfiles, is_judged) = (&inputs.dockerfiles, inputs.stages.contains(&SourceId::Dockerfile));
    let settings = settings(&inputs.policy.rules);
    let mut gaps = Vec::new();
    let mut unmet = BTreeMap::<Need, BTreeSet<&'static str>>::new();
    let mut half_read = 0;
    for input in dockerfiles {
        let report = dockerfile::lint(&LintInput {
            file: &input.file,
            bytes: &input.bytes,
            build_args: &input.build_args,
            target: input.target.as_deref(),
            context: input.context.as_ref(),
            settings: &settings,
            bases: &input.bases,
        });
        facts.dockerfiles.push(report.summary);
        if !is_judged {
            // Without that stage no layer has a line.
            gaps.extend(report.gaps.into_iter().filter(|gap| gap.kind == "unknown-target"));
            continue;
        }
        facts.findings.extend(report.findings);
        facts.ignores.extend(report.ignores);
        facts.users.push(report.user);
        for (need, ids) in report.unmet {
            unmet.entry(need).or_default().extend(ids);
        }
        half_read = half_read.max(report.half_read);
        gaps.extend(report.gaps);
    }
    if (is_judged && !dockerfiles.is_empty()) || !gaps.is_empty() {
        let mut details = BTreeMap::from([("files".to_owned(), dockerfiles.len().to_string())]);
        if is_judged {
            if inputs.image.is_none() {
                let of_images = image_rules::RULES.iter().filter(|meta| is_on(meta, &settings));
                unmet.entry(Need::Image).or_default().extend(of_images.map(|meta| meta.id));
            }
            add_rules(&mut details, &unmet, half_read, &settings);
        }
        add_state(facts, SourceId::Dockerfile, &gaps, details);
    }
}

/// Says how many rules looked, and which did not for want of what. Those that are off are only counted.
fn add_rules(
    details: &mut BTreeMap<String, String>,
    unmet: &BTreeMap<Need, BTreeSet<&'static str>>,
    half_read: usize,
    settings: &LintSettings,
) {
    let rules = dockerfile::rules();
    let on = rules.iter().filter(|meta| is_on(meta, settings)).count();
    let missed = unmet.iter().filter(|(need, _)| **need != Need::Image).flat_map(|(_, ids)| ids).collect::<BTreeSet<_>>().len();
    details.insert("rules.ran".to_owned(), on.saturating_sub(missed).to_string());
    details.insert("rules.off".to_owned(), (rules.len() - on).to_string());
    for (need, ids) in unmet {
        details.insert(format!("{RULES_NEED}{}", need.name()), ids.iter().copied().collect::<Vec<_>>().join(" "));
    }
    if half_read > 0 {
        details.insert(RULES_HALF.to_owned(), half_read.to_string());
    }
}

/// Whether a rule runs.
pub(super) fn is_on(meta: &RuleMeta, settings: &LintSettings) -> bool {
    meta.default_on || settings.on.contains(meta.id)
}

/// The settings of a policy, and the rules that it switches on.
pub(super) fn settings(policy: &RulePolicy) -> LintSettings {
    let mut settings = policy.settings.clone();
    let named = policy.set.iter().filter(|(_, setting)| **setting != RuleSetting::Off);
    settings.on.extend(named.filter_map(|(id, _)| rule(id)).map(|meta| meta.id.to_owned()));
    settings
}
