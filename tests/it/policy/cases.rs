//! `testdata/policy/cases/*.yaml`: facts, policy and clock, and the verdict that they must get.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use jiff::Timestamp;
use plimsoll::{
    exit::ExitStatus,
    policy::{Facts, evaluate},
};
use serde::Deserialize;

use super::world::{FindingText, GapText, IgnoreText, SourceText, VerificationText, image, policy, source};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    clock: Option<String>,
    policy: String,
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    findings: Vec<FindingText>,
    #[serde(default)]
    ignores: Vec<IgnoreText>,
    /// Without any, the offline database was heard.
    #[serde(default)]
    sources: Option<Vec<SourceText>>,
    #[serde(default)]
    gaps: Vec<GapText>,
    #[serde(default)]
    stages: Option<Vec<String>>,
    #[serde(default)]
    verification: Option<VerificationText>,
    #[serde(default)]
    fingerprints: BTreeMap<String, String>,
    expect: Expected,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    outcome: String,
    #[serde(default)]
    exit: Option<u8>,
    #[serde(default)]
    findings: Option<Vec<String>>,
    #[serde(default)]
    gaps: Option<Vec<String>>,
    #[serde(default)]
    requirements: Option<Vec<String>>,
    #[serde(default)]
    exceptions: Option<Vec<String>>,
}

#[test]
fn every_case_gets_its_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/policy/cases");
    let mut count = 0;
    let mut wrong = Vec::new();
    let mut files: Vec<_> = fs::read_dir(folder).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        let cases: Vec<Case> = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in cases {
            count += 1;
            let at = format!("{}: {}", file.file_name().expect("name").display(), case.name);
            if let Err(difference) = run(&case) {
                wrong.push(format!("{at}\n  {difference}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= 60, "only {count} cases");
}

fn run(case: &Case) -> Result<(), String> {
    let policy = policy(&case.policy).map_err(|error| error.to_string())?;
    let now: Timestamp = case.clock.as_deref().unwrap_or("2026-06-15T12:00:00Z").parse().map_err(|error| format!("{error}"))?;
    let image = case.image.as_deref().map(image);
    let ignores: Vec<_> = case.ignores.iter().map(IgnoreText::exception).collect();
    let sources: Vec<_> =
        case.sources.as_ref().map_or_else(|| vec![SourceText::heard("offline")], |texts| texts.iter().map(SourceText::state).collect());
    let verification = case.verification.as_ref().map(VerificationText::verification);
    let all =
        ["dockerfile", "image", "inventory", "offline", "ecr", "ecr-basic", "inspector", "inspector-sbom", "signatures", "image-config"];
    let stages: BTreeSet<_> = case
        .stages
        .as_ref()
        .map_or_else(|| all.iter().map(|word| source(word)).collect(), |words| words.iter().map(|word| source(word)).collect());
    let facts = |turn: bool| {
        let mut findings: Vec<_> = case.findings.iter().map(FindingText::finding).collect();
        let mut gaps: Vec<_> = case.gaps.iter().map(GapText::gap).collect();
        if turn {
            findings.reverse();
            gaps.reverse();
        }
        Facts {
            image: image.as_ref(),
            findings,
            inline_ignores: &ignores,
            sources: &sources,
            gaps,
            verification: verification.as_ref(),
            signer_fingerprints: &case.fingerprints,
            stages: &stages,
        }
    };
    let verdict = evaluate(&policy, facts(false), now);
    if format!("{verdict:?}") != format!("{:?}", evaluate(&policy, facts(true), now)) {
        return Err("the order of the facts changes the verdict".to_owned());
    }
    let clause = |clause: &Option<std::sync::Arc<str>>| clause.as_deref().unwrap_or("-").to_owned();
    let findings = verdict
        .findings
        .iter()
        .map(|judged| format!("{} {} {}", judged.finding.id, judged.decision.effect.name(), clause(&judged.decision.clause)));
    let gaps = verdict
        .gaps
        .iter()
        .map(|judged| format!("{} {} {}", judged.gap.kind, judged.decision.effect.name(), clause(&judged.decision.clause)));
    let requirements = verdict.requirements.iter().map(|asked| {
        let effect = asked.decision.as_ref().map_or("-", |decision| decision.effect.name());
        format!("{} {:?} {} {effect}", asked.id, asked.state, asked.code.unwrap_or("-"))
    });
    let exceptions = verdict.exceptions.iter().map(|used| format!("{} {} {}", used.id, used.state, used.hits));
    let compare = |what: &str, expected: &Option<Vec<String>>, got: Vec<String>| match expected {
        Some(expected) if *expected != got => Err(format!("{what}: expected {expected:#?}\n  got {got:#?}")),
        _ => Ok(()),
    };
    compare("findings", &case.expect.findings, findings.collect())?;
    compare("gaps", &case.expect.gaps, gaps.collect())?;
    compare("requirements", &case.expect.requirements, requirements.collect())?;
    compare("exceptions", &case.expect.exceptions, exceptions.collect())?;
    let outcome = verdict.outcome.name().to_lowercase();
    if outcome != case.expect.outcome {
        return Err(format!("outcome: expected {}, got {outcome}: {verdict:#?}", case.expect.outcome));
    }
    let exit = ExitStatus::of(verdict.outcome, policy.mode).code();
    match case.expect.exit {
        Some(expected) if expected != exit => Err(format!("exit: expected {expected}, got {exit}")),
        _ => Ok(()),
    }
}
