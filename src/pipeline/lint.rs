//! Dockerfiles in, what the rules find in them out, several at a time; and their fixes, where those are asked for.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

use super::{DockerfileInput, Facted, Inputs, add_state, judge, rule};
use crate::{
    dockerfile::{
        self, LintInput, LintReport,
        fix::{Secrets, fix},
    },
    findings::image_rules,
    model::{
        coverage::{Gap, SourceId},
        finding::Finding,
        fix::{FixKind, FixSummary},
        lint::{LintSettings, RULES_HALF, RULES_NEED},
        location::Location,
        policy::{Exception, InlineIgnores, Policy, RulePolicy, RuleSetting},
        report::ScanReport,
        rule::{Group, Need, RuleMeta},
        verdict::Effect,
    },
    policy::{self, Facts},
};

/// What came of Dockerfiles before they are judged.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    /// What could not be looked at.
    pub gaps: Vec<Gap>,
    /// What was mended.
    pub fixes: Vec<FixSummary>,
}

/// Judges Dockerfiles alone.
#[must_use]
pub fn run_lint(mut inputs: Inputs, prepared: Prepared) -> ScanReport {
    let mut facts = Facted::default();
    let Prepared { gaps, fixes } = prepared;
    // Nothing asks for their bytes once they are judged.
    let dockerfiles = std::mem::take(&mut inputs.dockerfiles);
    read(&inputs, dockerfiles.into_iter(), gaps, &mut facts);
    ScanReport { fixes, ..judge(&inputs, facts, None) }
}

/// A mended Dockerfile: its bytes, and what was done.
#[derive(Debug, Clone)]
pub struct FixedDockerfile {
    /// The bytes, those that came in where nothing was mended.
    pub bytes: Vec<u8>,
    /// What was mended and what was not.
    pub summary: FixSummary,
    /// Why there may be more to mend than anybody knows of.
    pub gaps: Vec<Gap>,
}

/// Mends Dockerfiles: what the policy accepts or suppresses stays as it is. `besides` are rules that are on for this alone.
#[must_use]
pub fn fix_dockerfiles(
    dockerfiles: &[DockerfileInput],
    kinds: &BTreeSet<FixKind>,
    secrets: Secrets,
    besides: &[&str],
    policy: &Policy,
    now: Timestamp,
) -> Vec<FixedDockerfile> {
    let mut settings = settings(&policy.rules);
    settings.on.extend(besides.iter().map(|&id| id.to_owned()));
    let mend = |input: &DockerfileInput| {
        let chosen = |findings: &[Finding], ignores: &[Exception]| not_excepted(policy, findings, ignores, now);
        let fixed = fix(&lint_input(input, &settings, true), kinds, secrets, &chosen);
        FixedDockerfile {
            bytes: fixed.bytes,
            summary: FixSummary { file: input.file.clone(), applied: fixed.applied, withheld: fixed.withheld },
            gaps: fixed.gaps,
        }
    };
    let mut fixed = Vec::with_capacity(dockerfiles.len());
    each(threads(), dockerfiles.iter(), mend, |mended| fixed.push(mended));
    fixed
}

/// The lines that hold a secret in a text of a Dockerfile, from 1.
#[must_use]
pub fn secret_lines(input: &DockerfileInput, bytes: &[u8]) -> BTreeSet<u32> {
    dockerfile::secret_lines(&LintInput { bytes, ..lint_input(input, &LintSettings::DEFAULT, true) })
}

/// The images that a Dockerfile names and that registries know, with the frontend where a rule asks for it.
#[must_use]
pub fn images(input: &DockerfileInput, policy: &Policy) -> BTreeSet<String> {
    dockerfile::images(&lint_input(input, &settings(&policy.rules), true))
}

/// Whether a rule that is on asks for what registries say of images.
#[must_use]
pub fn asks_registries(policy: &Policy) -> bool {
    let named = policy.rules.set.iter().filter(|(_, setting)| **setting != RuleSetting::Off);
    named.filter_map(|(id, _)| dockerfile::rule(id)).any(|meta| meta.needs.contains(&Need::Network))
}

/// Which findings no exception covers.
fn not_excepted(policy: &Policy, findings: &[Finding], ignores: &[Exception], now: Timestamp) -> Vec<bool> {
    let verdict = policy::evaluate(
        policy,
        Facts {
            image: None,
            findings: findings.to_vec(),
            inline_ignores: ignores,
            sources: &[],
            gaps: Vec::new(),
            verification: None,
            signer_fingerprints: &BTreeMap::new(),
            stages: &BTreeSet::from([SourceId::Dockerfile]),
        },
        now,
    );
    let key = |finding: &Finding| (finding.id.clone(), finding.title.clone(), finding.locations.clone());
    let is_excepted = |effect: Effect| matches!(effect, Effect::Accepted | Effect::Suppressed);
    let excepted: BTreeSet<(String, String, Vec<Location>)> =
        verdict.findings.iter().filter(|judged| is_excepted(judged.decision.effect)).map(|judged| key(&judged.finding)).collect();
    findings.iter().map(|finding| !excepted.contains(&key(finding))).collect()
}

/// Reads Dockerfiles: for what they say of the image's layers, and to judge them where that was asked for. Each is let go of when it is read.
pub(super) fn read<D>(inputs: &Inputs, dockerfiles: impl ExactSizeIterator<Item = D> + Send, mut gaps: Vec<Gap>, facts: &mut Facted)
where
    D: Borrow<DockerfileInput> + Send,
{
    let (files, is_judged) = (dockerfiles.len(), inputs.stages.contains(&SourceId::Dockerfile));
    let settings = settings(&inputs.policy.rules);
    let mut unmet = BTreeMap::<Need, BTreeSet<&'static str>>::new();
    let mut half_read = 0;
    let lint = |input: D| dockerfile::lint(&lint_input(input.borrow(), &settings, inputs.image.is_none()));
    each(threads(), dockerfiles, lint, |report: LintReport| {
        facts.dockerfiles.push(report.summary);
        if !is_judged {
            // Without that stage no layer has a line.
            gaps.extend(report.gaps.into_iter().filter(|gap| gap.kind == "unknown-target"));
            return;
        }
        facts.findings.extend(report.findings);
        facts.ignores.extend(report.ignores);
        facts.users.push(report.user);
        for (need, ids) in report.unmet {
            unmet.entry(need).or_default().extend(ids);
        }
        half_read = half_read.max(report.half_read);
        gaps.extend(report.gaps);
    });
    if (is_judged && files > 0) || !gaps.is_empty() {
        let mut details = BTreeMap::from([("files".to_owned(), files.to_string())]);
        if is_judged {
            if inputs.image.is_none() {
                let of_images = image_rules::RULES.iter().filter(|meta| is_on(meta, &settings));
                unmet.entry(Need::Image).or_default().extend(of_images.map(|meta| meta.id));
            }
            add_rules(&mut details, &unmet, half_read, &settings);
            gaps.extend(unjudged(&inputs.policy.rules, &unmet));
        }
        add_state(facts, SourceId::Dockerfile, &gaps, details);
    }
}

/// The rules that the policy names, to fail or to warn, and that had to pass over a Dockerfile. Those about images are not asked for here.
fn unjudged(policy: &RulePolicy, unmet: &BTreeMap<Need, BTreeSet<&'static str>>) -> Vec<Gap> {
    let worth = |id: &str| {
        let is_set = |wanted: &RuleSetting| {
            policy.set.iter().any(|(name, setting)| setting == wanted && rule(name).is_some_and(|meta| meta.id == id))
        };
        [RuleSetting::Fail, RuleSetting::Warn].into_iter().find(is_set)
    };
    let mut gaps = Vec::new();
    for (need, ids) in unmet {
        let (needed, hint) = match need {
            Need::Context => ("the folder of the build", "give it with --context DIR"),
            Need::Network => {
                ("the base image from its registry", "`plimsoll lint` asks registries for the rules that the policy names, `gate` does not")
            }
            Need::Config => ("settings of its own", "say in the policy what it judges by: `rules: { settings: ... }`"),
            Need::Ast | Need::Stages | Need::Shell | Need::Image => continue,
        };
        for (id, setting) in ids.iter().filter_map(|id| Some((id, worth(id)?))) {
            let says = if setting == RuleSetting::Fail { "fail" } else { "warn" };
            let reason = format!("the policy sets this rule to {says}, and it cannot judge without {needed}");
            gaps.push(Gap::new(SourceId::Dockerfile, "rule-unjudged", *id, reason).with_hint(hint));
        }
    }
    gaps
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

/// The rules whose findings the policy silences, by its own word or that of another tool's configuration.
fn silenced(policy: &RulePolicy) -> impl Iterator<Item = &'static str> {
    let mut is_off = BTreeMap::new();
    for (meta, setting) in policy.set.iter().filter_map(|(id, setting)| Some((rule(id)?, setting))) {
        *is_off.entry(meta.id).or_insert(true) &= *setting == RuleSetting::Off;
    }
    let may_silence = |meta: &&RuleMeta| policy.foreign.lowers_security || meta.group != Group::Security;
    for meta in policy.foreign.ignored.keys().filter_map(|id| rule(id)).filter(may_silence) {
        is_off.entry(meta.id).or_insert(true);
    }
    is_off.into_iter().filter(|(_, off)| *off).map(|(id, _)| id)
}

/// The settings of a policy, and the rules that it switches on.
pub(super) fn settings(policy: &RulePolicy) -> LintSettings {
    let mut settings = policy.settings.clone();
    let named = policy.set.iter().filter(|(_, setting)| **setting != RuleSetting::Off);
    let rated = policy.foreign.severities.keys();
    let on = named.map(|(id, _)| id).chain(rated).filter_map(|id| rule(id));
    settings.on.extend(on.map(|meta| meta.id.to_owned()));
    settings.off.extend(silenced(policy).map(str::to_owned));
    for (group, say) in &policy.inline_ignores {
        match say {
            InlineIgnores::Refuse => settings.ignores_refused.insert(*group),
            InlineIgnores::WithReason => settings.ignores_with_reason.insert(*group),
            InlineIgnores::Allow => false,
        };
    }
    settings
}

fn lint_input<'a>(input: &'a DockerfileInput, settings: &'a LintSettings, is_alone: bool) -> LintInput<'a> {
    LintInput {
        file: &input.file,
        bytes: &input.bytes,
        build_args: &input.build_args,
        target: input.target.as_deref(),
        context: input.context.as_ref(),
        settings,
        bases: &input.bases,
        remarks: input.remarks.as_ref(),
        is_alone,
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// What several threads share: the items to come, and the results that wait for an earlier one.
struct Shared<I, R, F> {
    items: I,
    waiting: BTreeMap<usize, R>,
    /// The place of the result that is taken next.
    next: usize,
    take: F,
}

/// Does `work` for each item on that many threads, and hands what came of it to `take` in the order of the items.
fn each<T: Send, R: Send>(
    threads: usize,
    items: impl ExactSizeIterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
    mut take: impl FnMut(R) + Send,
) {
    let threads = threads.min(items.len());
    if threads < 2 {
        items.map(work).for_each(take);
        return;
    }
    let shared = Mutex::new(Shared { items: items.enumerate(), waiting: BTreeMap::new(), next: 0, take: &mut take });
    let run = || {
        loop {
            let item = lock(&shared).items.next();
            let Some((at, item)) = item else { return };
            let result = work(item);
            let mut shared = lock(&shared);
            shared.waiting.insert(at, result);
            while let next = shared.next
                && let Some(result) = shared.waiting.remove(&next)
            {
                (shared.take)(result);
                shared.next += 1;
            }
        }
    };
    // What panics on one thread panics on all: the scope sees to it.
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_depend_on_the_number_of_threads() {
        let items: Vec<u32> = (0..500).collect();
        for threads in [1, 2, 7] {
            let mut done = Vec::new();
            each(threads, items.iter(), |item| item * 2, |double| done.push(double));
            assert_eq!(done, (0..500).map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
