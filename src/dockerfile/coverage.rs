//! Which rules that are on could not look, and for want of what. A rule that has not looked has passed nothing.

use std::collections::BTreeMap;

use crate::model::{
    coverage::Gap,
    lint::LintSettings,
    rule::{Group, Need, RuleMeta},
};

use super::{
    MAX_GAPS,
    rule::{Dockerfile, Rule},
    rules_on,
    stages::Base,
};

/// Rules that look without one of their needs, too; with it they only know better.
const SAYS_WITHOUT: &[&str] = &[
    "inline-ignore-unused",
    "inline-ignore-used",
    "inline-ignore-without-reason",
    "missing-user",
    "secret-file-copied",
    "untrusted-frontend",
];

/// Which of the rules that are on had to pass over one Dockerfile, by what they need.
pub(super) fn unmet(rules: &[&&dyn Rule], dockerfile: &Dockerfile<'_>) -> BTreeMap<Need, Vec<&'static str>> {
    let mut unmet = BTreeMap::<Need, Vec<&'static str>>::new();
    for rule in rules {
        let meta = rule.meta();
        if SAYS_WITHOUT.contains(&meta.id) {
            continue;
        }
        if let Some(need) = meta.needs.iter().copied().find(|need| !is_met(*need, meta, dockerfile)) {
            unmet.entry(need).or_default().push(meta.id);
        }
    }
    unmet
}

fn is_met(need: Need, meta: &RuleMeta, dockerfile: &Dockerfile<'_>) -> bool {
    match need {
        Need::Ast | Need::Stages | Need::Shell => true,
        Need::Context => dockerfile.context.is_some(),
        Need::Config => is_configured(meta.id, dockerfile.settings),
        // A file that builds on nothing but itself asks no registry.
        Need::Network => !dockerfile.bases.is_empty() || !dockerfile.graph.stages.iter().any(|stage| matches!(stage.base, Base::Image(_))),
        Need::Image => false,
    }
}

/// Whether the settings say what the rule asks for.
fn is_configured(id: &str, settings: &LintSettings) -> bool {
    match id {
        "untrusted-base-registry" => !settings.trusted_registries.is_empty(),
        "label-superfluous" => settings.strict_labels,
        id if id.starts_with("label-") => !settings.labels.is_empty(),
        _ => true,
    }
}

/// How many rules about security saw only a part of the shell code, because something of it could not be read.
pub(super) fn half_read(settings: &LintSettings, gaps: &[Gap]) -> usize {
    if !gaps.iter().any(|gap| gap.kind == "unread-shell") {
        return 0;
    }
    let reads_shell = |meta: &RuleMeta| meta.group == Group::Security && meta.needs.contains(&Need::Shell);
    rules_on(settings).filter(|rule| reads_shell(rule.meta())).count()
}

/// The line of the file that a gap is about; 0 for one about all of it.
pub(super) fn line(gap: &Gap) -> u32 {
    gap.subject.rsplit_once(':').and_then(|(_, line)| line.parse().ok()).unwrap_or_default()
}

/// Keeps the first [`MAX_GAPS`] gaps of each kind, and says how many more there are.
pub(super) fn cut(gaps: &mut Vec<Gap>, file: &str) {
    if gaps.len() <= MAX_GAPS {
        return;
    }
    gaps.sort();
    gaps.dedup();
    gaps.sort_by_key(line);
    let mut counts = BTreeMap::<_, usize>::new();
    gaps.retain(|gap| {
        let count = counts.entry((gap.source, gap.kind)).or_default();
        *count += 1;
        *count <= MAX_GAPS
    });
    for ((source, kind), count) in counts.into_iter().filter(|(_, count)| *count > MAX_GAPS) {
        gaps.push(Gap::new(source, kind, file, format!("there are {} more like the first {MAX_GAPS}", count - MAX_GAPS)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        dockerfile::{LintInput, lint, read},
        model::{build_context::BuildContext, lint::BaseImage, severity::Severity},
    };

    const fn meta(id: &'static str) -> RuleMeta {
        RuleMeta::blank(id, Group::Style, Severity::Low)
    }

    #[test]
    fn a_need_is_met_by_what_is_at_hand() {
        let bases = BTreeMap::from([("alpine:3.22".to_owned(), BaseImage::default())]);
        let context = BuildContext::default();
        let trusted = LintSettings { trusted_registries: ["docker.io".to_owned()].into(), ..LintSettings::default() };
        let strict = LintSettings { strict_labels: true, ..LintSettings::default() };
        let alone = LintInput::new("Dockerfile", b"FROM alpine:3.22\n");
        let scratch = LintInput::new("Dockerfile", b"FROM scratch\n");
        for (need, id, input, expected) in [
            (Need::Shell, "x", alone, true),
            (Need::Context, "x", alone, false),
            (Need::Context, "x", LintInput { context: Some(&context), ..alone }, true),
            (Need::Network, "x", alone, false),
            (Need::Network, "x", scratch, true),
            (Need::Network, "x", LintInput { bases: &bases, ..alone }, true),
            (Need::Config, "untrusted-base-registry", alone, false),
            (Need::Config, "untrusted-base-registry", LintInput { settings: &trusted, ..alone }, true),
            (Need::Config, "label-missing", alone, false),
            (Need::Config, "label-superfluous", LintInput { settings: &strict, ..alone }, true),
            (Need::Config, "shellcheck", alone, true),
        ] {
            let (dockerfile, _) = read(&input);
            assert_eq!(is_met(need, &meta(id), &dockerfile), expected, "{need:?} {id}");
        }
    }

    #[test]
    fn only_rules_that_are_on_are_named() {
        let report = lint(&LintInput::new("Dockerfile", b"FROM alpine:3.22\n"));
        let on: BTreeSet<&str> = rules_on(&LintSettings::DEFAULT).map(|rule| rule.meta().id).collect();
        assert!(report.unmet.values().flatten().all(|id| on.contains(id) && *id != "missing-user"), "{:?}", report.unmet);
    }

    #[test]
    fn gaps_of_one_kind_end_and_say_so() {
        let text = format!("{}FROM alpine:3.22\nRUN \"\n", "RUN true\n".repeat(MAX_GAPS + 500));
        let gaps = lint(&LintInput::new("Dockerfile", text.as_bytes())).gaps;
        let refused: Vec<&Gap> = gaps.iter().filter(|gap| gap.kind == "refused-instruction").collect();
        let lines: BTreeSet<u32> = refused.iter().map(|gap| line(gap)).collect();
        assert_eq!(lines, (0..=2_000).collect(), "the file's own, and those of the first lines");
        let rest: Vec<&str> = refused.iter().filter(|gap| line(gap) == 0).map(|gap| gap.reason.as_str()).collect();
        assert_eq!(rest, ["there are 500 more like the first 2000"]);
        assert!(gaps.iter().any(|gap| gap.kind == "unread-shell"), "gaps of other kinds stay");
        let fewer = format!("{}FROM alpine:3.22\n", "RUN true\n".repeat(MAX_GAPS));
        let gaps = lint(&LintInput::new("Dockerfile", fewer.as_bytes())).gaps;
        assert!(gaps.iter().all(|gap| gap.subject != "Dockerfile" || gap.kind != "refused-instruction"));
    }

    #[test]
    fn unread_shell_code_is_noted() {
        let half = |text: &str| lint(&LintInput::new("Dockerfile", text.as_bytes())).half_read;
        assert_eq!(half("FROM alpine:3.22\nRUN true\n"), 0);
        assert!(half("FROM mcr.microsoft.com/windows/nanoserver:1809\nRUN dir\n") > 10);
    }
}
