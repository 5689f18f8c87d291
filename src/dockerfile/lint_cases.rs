//! BuildKit's own cases for its checks: which check fires on which line.

#[cfg(test)]
pub(super) mod tests {
    use std::{collections::BTreeSet, fs};

    use serde_json::Value as Json;

    use crate::{
        dockerfile::{LintInput, corpus::tests::corpus, lint, rules::RULES},
        model::{lint::LintSettings, location::Location, policy::ExceptionOrigin},
    };

    /// Tests whose expectation was recorded empty while BuildKit itself, asked about the same file, has an answer.
    const ASK_BUILDKIT: &[&str] = &["testLegacyKeyValueFormat", "testMultipleInstructionsDisallowed"];

    /// Where we answer otherwise on purpose: test, check, line, and why.
    const DIFFERENT: &[(&str, &str, u64, &str)] = &[
        ("testSecretsUsedInArgOrEnv", "SecretsUsedInArgOrEnv", 9, "an empty value is no secret"),
        ("testWorkdirRelativePath", "WorkdirRelativePath", 6, "hadolint names it, and only a finding can carry the fix"),
    ];

    /// Whether another tool's id is the name of a check of BuildKit's: names in CamelCase are.
    pub(in crate::dockerfile) fn is_check(id: &str) -> bool {
        id.starts_with(|first: char| first.is_ascii_uppercase())
            && id.contains(|ch: char| ch.is_ascii_lowercase())
            && !id.contains(['-', '_'])
    }

    /// BuildKit's name for a rule of ours, where it has the check at all.
    fn checks(rule: &str) -> impl Iterator<Item = &'static str> {
        let metas = RULES.iter().map(|rule| rule.meta()).filter(move |meta| meta.id == rule);
        metas.flat_map(|meta| meta.aliases.iter().chain(meta.also)).copied().filter(|alias| is_check(alias))
    }

    /// What we find with every rule on and every in-file ignore heeded: check and line.
    fn ours(text: &str) -> BTreeSet<(String, u64)> {
        let settings = LintSettings { on: RULES.iter().map(|rule| rule.meta().id.to_owned()).collect(), ..LintSettings::DEFAULT };
        let report = lint(&LintInput { settings: &settings, ..LintInput::new("Dockerfile", text.as_bytes()) });
        let mut found = BTreeSet::new();
        for finding in &report.findings {
            let Some(Location::Dockerfile(span)) = finding.locations.first() else { continue };
            let is_silenced = report
                .ignores
                .iter()
                .filter(|ignore| ignore.id == finding.id)
                .any(|ignore| matches!(ignore.origin, ExceptionOrigin::Inline { first, last } if (first..=last).contains(&span.line)));
            for check in checks(&finding.id).filter(|_| !is_silenced) {
                let line = match check {
                    // BuildKit names the instruction that does not count, we name the one behind it.
                    "MultipleInstructionsDisallowed" => shadowed(&finding.title).unwrap_or_default(),
                    "NoEmptyContinuation" => u64::from(span.end_line),
                    _ => u64::from(span.line),
                };
                found.insert((check.to_owned(), line));
            }
        }
        found
    }

    /// The line in `..., and line 3 has one, too`.
    fn shadowed(title: &str) -> Option<u64> {
        title.split_once(" line ")?.1.split(' ').next()?.parse().ok()
    }

    #[test]
    fn the_checks_of_buildkit_fire_where_it_says() {
        let Some(folder) = corpus() else { return };
        let cases: Vec<Json> = serde_json::from_slice(&fs::read(folder.join("buildkit/lint-cases.json")).expect("cases")).expect("JSON");
        let known: BTreeSet<&str> = RULES.iter().flat_map(|rule| checks(rule.meta().id)).collect();
        let (mut binding, mut different, mut wrong) = (0, 0, Vec::new());
        for case in &cases {
            let name = case["test"].as_str().expect("a name");
            let agrees = case["oracle_agrees"] == true;
            if !agrees && !ASK_BUILDKIT.contains(&name) {
                continue;
            }
            binding += usize::from(agrees);
            let text = case["dockerfile"].as_str().expect("a text");
            let warnings = case[if agrees { "expected_warnings" } else { "oracle_warnings" }].as_array().expect("warnings");
            let mut expected: BTreeSet<(String, u64)> = warnings
                .iter()
                .map(|warning| (warning["rule"].as_str().expect("a rule").to_owned(), warning["line"].as_u64().expect("a line")))
                .collect();
            let mut found = ours(text);
            // This check is an experiment that a file must ask for.
            if !text.contains("experimental=") {
                found.retain(|(check, _)| check != "InvalidDefinitionDescription");
            }
            if text.lines().next().is_some_and(|line| line.trim_start_matches(['#', ' ']).starts_with("check=skip=all")) {
                found.clear();
            }
            for (_, check, line, _) in DIFFERENT.iter().filter(|(test, ..)| *test == name) {
                let place = ((*check).to_owned(), *line);
                if expected.contains(&place) == found.contains(&place) {
                    continue;
                }
                different += 1;
                expected.remove(&place);
                found.remove(&place);
            }
            expected.retain(|(check, line)| {
                let is_known = known.contains(check.as_str());
                if !is_known {
                    eprintln!("{name}: no rule stands for {check} (line {line})");
                }
                is_known
            });
            if found != expected {
                wrong.push(format!("{name}: found {found:?}, wanted {expected:?}\n{text}"));
            }
        }
        assert_eq!(binding, 69);
        assert_eq!(different, DIFFERENT.len(), "differences that are listed and are there");
        assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    }
}
