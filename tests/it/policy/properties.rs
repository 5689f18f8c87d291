//! What holds for all facts: more bad news never helps, no permission is missed when it is taken away, and order means nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use plimsoll::{
    model::{
        coverage::SourceId,
        finding::Finding,
        policy::Policy,
        verdict::{Effect, Outcome, Verdict},
    },
    policy::{Facts, evaluate},
};
use proptest::prelude::*;

use super::world::{FindingText, GapText, SourceText, VerificationText, image, policy};

const POLICY: &str = r#"
version: 1
severity: { unknown_as: UNKNOWN }
findings:
  fail:
    - { id: exploited, kev: true }
    - { id: high, severity: ">= high" }
    - { id: medium-exact, severity: medium, fix: available }
    - { id: likely, severity: "< high", epss: ">= 0.5" }
  warn: [ { severity: ">= low" } ]
  at_most: { medium: 2 }
rules: { fail: [ { group: security, severity: ">= medium" } ] }
signers: { ci: { keyless: { issuer: "https://issuer.example", identity: "ci@acme.example" } } }
signatures: [ { any_of: [ci] } ]
evidence: { require: [inventory], gaps: { undecidable: warn, unchecked.registry: ignore } }
exceptions: { max_days: 90, owners: ["*@acme.example"], unused: ignore, list: [EXCEPTIONS] }
"#;

fn built(unknown_as: &str, exceptions: &[String]) -> Policy {
    policy(&POLICY.replace("UNKNOWN", unknown_as).replace("EXCEPTIONS", &exceptions.join(", "))).expect("policy")
}

fn judged(policy: &Policy, findings: &[FindingText], gaps: &[GapText], signed: &VerificationText) -> Verdict {
    let sources: Vec<_> = ["{ source: inventory }", "{ source: offline }", "{ source: signatures }"]
        .map(|text| serde_saphyr::from_str::<SourceText>(text).expect("source").state())
        .into();
    let (fingerprints, stages) = (BTreeMap::new(), BTreeSet::from([SourceId::Inventory, SourceId::Offline, SourceId::Signatures]));
    let verification = signed.verification();
    let image = image("registry.acme.example/app:v1");
    let facts = Facts {
        image: Some(&image),
        findings: findings.iter().map(FindingText::finding).collect(),
        inline_ignores: &[],
        sources: &sources,
        gaps: gaps.iter().map(GapText::gap).collect(),
        verification: Some(&verification),
        signer_fingerprints: &fingerprints,
        stages: &stages,
    };
    evaluate(policy, facts, "2026-06-15T00:00:00Z".parse().expect("time"))
}

fn finding() -> impl Strategy<Value = FindingText> {
    let severity = prop_oneof![Just("negligible"), Just("low"), Just("medium"), Just("high"), Just("critical"), Just("untriaged")];
    let epss = prop_oneof![Just("null"), Just("100000"), Just("500000")];
    (0..4_u8, severity, any::<bool>(), any::<bool>(), epss, any::<bool>()).prop_map(|(n, severity, kev, fixed, epss, rule)| {
        let fixed = if fixed { "['9']" } else { "[]" };
        let text = if rule {
            format!("{{ id: rule-{n}, severity: {severity}, group: security, line: 1{n} }}")
        } else {
            format!("{{ id: CVE-2026-{n}, severity: {severity}, kev: {kev}, fixed: {fixed}, epss: {epss} }}")
        };
        serde_saphyr::from_str(&text).expect("finding")
    })
}

fn gap() -> impl Strategy<Value = GapText> {
    let text = prop_oneof![
        Just("{ source: offline, kind: stale }"),
        Just("{ source: offline, kind: undecidable, subject: x }"),
        Just("{ source: signatures, kind: unchecked.registry }"),
        Just("{ source: signatures, kind: unchecked.limit }"),
        Just("{ source: inventory, kind: unsupported }"),
    ];
    text.prop_map(|text| serde_saphyr::from_str(text).expect("gap"))
}

fn exception() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        Just("CVE-2026-0"),
        Just("CVE-2026-1"),
        Just("rule-2"),
        Just("stale"),
        Just("signatures"),
        Just("unchecked.limit"),
        Just("absent.signature")
    ];
    let expires = prop_oneof![Just("2026-06-14"), Just("2026-06-15"), Just("2026-07-30"), Just("2027-01-01")];
    let owner = prop_oneof![Just("jane@acme.example"), Just("eve@evil.example")];
    (id, expires, owner, any::<bool>()).prop_map(|(id, expires, owner, until_fix)| {
        format!("{{ id: {id}, image: 'registry.acme.example/*', reason: r, owner: {owner}, expires: {expires}, until_fix: {until_fix} }}")
    })
}

fn signed() -> impl Strategy<Value = VerificationText> {
    let text = prop_oneof![
        Just("{ signatures: [{ issuer: 'https://issuer.example', subject: ci@acme.example }] }"),
        Just("{ signatures: [{ issuer: 'https://issuer.example', subject: other@acme.example }] }"),
        Just("{ faults: [invalid.signature] }"),
        Just("{}"),
    ];
    text.prop_map(|text| serde_saphyr::from_str(text).expect("verification"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_bad_news_never_turns_fail_into_pass(
        findings in prop::collection::vec(finding(), 0..5), gaps in prop::collection::vec(gap(), 0..3), exceptions in prop::collection::vec(exception(), 0..4),
        signed in signed(), another in finding(), one_gap in gap(),
    ) {
        let policy = built("medium", &exceptions);
        let before = judged(&policy, &findings, &gaps, &signed);
        let with_finding = judged(&policy, &[findings.clone(), vec![another]].concat(), &gaps, &signed);
        let with_gap = judged(&policy, &findings, &[gaps, vec![one_gap]].concat(), &signed);
        if before.outcome != Outcome::Pass {
            prop_assert_ne!(with_finding.outcome, Outcome::Pass);
            prop_assert_ne!(with_gap.outcome, Outcome::Pass);
        }
    }

    #[test]
    fn taking_a_permission_away_never_turns_fail_into_pass(
        findings in prop::collection::vec(finding(), 0..5), gaps in prop::collection::vec(gap(), 0..3), exceptions in prop::collection::vec(exception(), 1..5), signed in signed(),
    ) {
        let before = judged(&built("medium", &exceptions), &findings, &gaps, &signed);
        let after = judged(&built("medium", &exceptions[1..]), &findings, &gaps, &signed);
        if before.outcome != Outcome::Pass {
            prop_assert_ne!(after.outcome, Outcome::Pass);
        }
    }

    #[test]
    fn thinking_worse_of_the_unknown_never_turns_fail_into_pass(findings in prop::collection::vec(finding(), 0..6), signed in signed()) {
        let mut worst = Outcome::Pass;
        for unknown_as in ["negligible", "low", "medium", "high", "critical"] {
            let outcome = judged(&built(unknown_as, &[]), &findings, &[], &signed).outcome;
            prop_assert!(outcome >= worst, "{unknown_as}: {worst:?} became {outcome:?}");
            worst = outcome;
        }
    }

    #[test]
    fn order_never_changes_the_verdict_and_every_violation_names_a_clause(
        findings in prop::collection::vec(finding(), 0..6), gaps in prop::collection::vec(gap(), 0..4), exceptions in prop::collection::vec(exception(), 0..3), signed in signed(),
    ) {
        let policy = built("medium", &exceptions);
        let verdict = judged(&policy, &findings, &gaps, &signed);
        let turned = judged(&policy, &findings.iter().rev().cloned().collect::<Vec<_>>(), &gaps.iter().rev().cloned().collect::<Vec<_>>(), &signed);
        prop_assert_eq!(&verdict, &turned);
        for judged in verdict.findings.iter().filter(|judged| judged.decision.effect == Effect::Violation) {
            let clause = judged.decision.clause.as_deref().unwrap_or_default();
            prop_assert!(clause == "rules.fail[0]" || policy.fail.iter().any(|known| known.id == clause), "{clause}");
        }
    }
}

#[test]
fn a_large_evaluation_is_fast() {
    let clauses: String = (0..50)
        .map(|n| format!("    - {{ id: c{n}, severity: '>= high', epss: '>= 0.000001', package: 'pkg:deb/debian/p{n}@1.*' }}\n"))
        .collect();
    let exceptions: String = (0..200)
        .map(|n| format!("    - {{ id: CVE-2026-{n}, package: 'pkg:deb/debian/open*', path: 'var/lib/**', reason: r, owner: o, expires: 2026-07-01 }}\n"))
        .collect();
    let policy = policy(&format!("version: 1\nfindings:\n  fail:\n{clauses}exceptions:\n  list:\n{exceptions}")).expect("policy");
    let findings: Vec<Finding> = (0..10_000)
        .map(|n| {
            serde_saphyr::from_str::<FindingText>(&format!("{{ id: CVE-2026-{n}, severity: high, aliases: [GHSA-{n}], epss: 10 }}"))
                .expect("finding")
                .finding()
        })
        .collect();
    let (fingerprints, stages) = (BTreeMap::new(), BTreeSet::new());
    let facts = Facts {
        image: None,
        findings,
        inline_ignores: &[],
        sources: &[],
        gaps: Vec::new(),
        verification: None,
        signer_fingerprints: &fingerprints,
        stages: &stages,
    };
    let start = Instant::now();
    let verdict = evaluate(&policy, facts, "2026-06-15T00:00:00Z".parse().expect("time"));
    let took = start.elapsed();
    println!("10,000 findings, 200 exceptions, 50 clauses: {took:?}");
    assert_eq!(verdict.findings.iter().filter(|judged| judged.decision.effect == Effect::Accepted).count(), 200);
    // An unoptimised build is judged by a looser bound that still catches a quadratic walk.
    let limit = if cfg!(debug_assertions) { 2_000 } else { 50 };
    assert!(took.as_millis() < limit, "{took:?}");
}
