//! The gate against servers: a real registry, and AWS replayed.

use std::fs;

use serde_json::{Value, json};

use crate::{
    aws_replay::{self, Scenario},
    program::{Run, plimsoll_with, root, testdata},
    real_registry::{Access, RealRegistry},
};

const IMAGE: &str = "oci:testdata/images/fixed:v1";
const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIDTESTTESTTESTTEST"),
    ("AWS_SECRET_ACCESS_KEY", "canary-secret-that-must-never-be-printed"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// Gates the fixed image with AWS answers from `testdata/findings/<scenario>`.
fn gate_with(scenario: &str, services: &str) -> Run {
    gate_on(Scenario::testdata(scenario), services)
}

/// Gates the fixed image with the AWS answers of a scenario.
fn gate_on(scenario: Scenario, services: &str) -> Run {
    let (url, _replay) = aws_replay::start(scenario);
    let args = [
        "gate",
        IMAGE,
        "--no-offline",
        "--policy",
        "testdata/images/aws-policy.yaml",
        "--aws",
        services,
        "--aws-account",
        "111122223333",
        "--aws-region",
        "eu-central-1",
        "--aws-repository",
        "acme/app",
        "--aws-wait",
        "3",
        "--aws-settle",
        "0",
        "--aws-max-attempts",
        "3",
        "--endpoint-url",
        &url,
        "--output",
        "text",
        "--show",
        "all",
    ];
    let run = plimsoll_with(&args, &KEYS, &root());
    for text in [&run.stdout, &run.stderr] {
        assert!(!text.contains("canary"), "a secret is printed:\n{text}");
    }
    run
}

#[test]
fn basic_findings_of_all_pages_are_judged() {
    let run = gate_with("basic-complete", "ecr").expect(1);
    for severity in ["critical", "medium", "low"] {
        assert!(run.stdout.contains(severity), "no {severity} in\n{}", run.stdout);
    }
}

#[test]
fn a_clean_basic_scan_passes() {
    gate_with("basic-clean", "ecr").expect(0).says("PASS");
}

#[test]
fn enhanced_findings_of_both_views_are_one() {
    let run = gate_with("enhanced", "ecr,inspector").expect(1).says("inspector");
    assert!(!run.stdout.contains("ecr-basic"), "{}", run.stdout);
    let violations = |run: &Run| {
        let verdict = run.stdout.lines().nth(1).unwrap_or_default().to_owned();
        verdict.split_once(" violation").map(|(head, _)| head.to_owned()).unwrap_or_else(|| panic!("{}", run.stdout))
    };
    assert_eq!(violations(&run), violations(&gate_with("enhanced", "inspector").expect(1)));
}

#[test]
fn a_clean_enhanced_scan_passes_and_an_unconfirmed_one_does_not() {
    gate_with("enhanced-clean", "ecr,inspector").expect(0).says("PASS");
    gate_with("enhanced-unconfirmed", "ecr").expect(3).says("incomplete");
}

#[test]
fn not_yet_scanned_access_denied_and_throttled_never_pass() {
    for (scenario, kind) in [
        ("not-yet-scanned", "not-scanned"),
        ("access-denied", "denied"),
        ("throttled", "throttled"),
        ("pending", "pending"),
        ("bad-signature", "credentials"),
    ] {
        let run = gate_with(scenario, "ecr").expect(3).says("INCOMPLETE");
        assert!(run.stdout.contains(kind), "{scenario}: no gap `{kind}` in\n{}", run.stdout);
    }
}

#[test]
fn an_answer_without_an_end_is_ended_and_never_passes() {
    let mut scenario = Scenario::testdata("basic-clean");
    let answer = json!([{ "inline": { "imageScanFindings": { "findings": [], "padding": "x".repeat(40 << 20) } } }]);
    scenario.operations.insert("DescribeImageScanFindings".to_owned(), answer);
    let run = gate_on(scenario, "ecr").expect(3);
    assert!(run.stdout.contains("length limit exceeded"), "{}", run.stdout);
}

/// The JSON report without what names where the image was read from.
fn comparable(report: &str) -> String {
    let mut value: Value = serde_json::from_str(report).expect("JSON");
    let image = value["image"].as_object_mut().expect("image");
    image.remove("reference");
    image.remove("indexDigest");
    serde_json::to_string_pretty(&value).expect("JSON")
}

fn gate_json(image: &str, more: &[&str]) -> Run {
    let mut args = vec![
        "gate",
        image,
        "--dockerfile",
        "testdata/images/vulnerable.Dockerfile",
        "--policy",
        "testdata/images/unsigned-policy.yaml",
        "--advisories",
        "testdata/advisory/osv",
        "--output",
        "json",
    ];
    args.extend_from_slice(more);
    plimsoll_with(&args, &[], &root())
}

#[test]
fn a_real_registry_gives_the_same_verdict_and_the_same_bytes() {
    let layout = gate_json("oci:testdata/images/vulnerable:v1", &[]).expect(1);
    let from = format!("oci:{}:v1", testdata("images/vulnerable").display());
    for access in [Access::Plain, Access::TlsBasic] {
        let Some(registry) = RealRegistry::start(access) else { return };
        registry.push(&from, "harbour/app:v1");
        let image = format!("{}/harbour/app:v1", registry.host);
        let ca = registry.ca_file().map(|file| file.display().to_string());
        let config = ca.as_ref().map(|_| registry.docker_config().display().to_string());
        let mut more = Vec::new();
        if let Some(config) = &config {
            more.extend(["--docker-config", config.as_str()]);
        }
        if let Some(ca) = &ca {
            more.extend(["--registry-ca", ca.as_str()]);
        }
        let pulled = gate_json(&image, &more).expect(1);
        assert_eq!(comparable(&layout.stdout), comparable(&pulled.stdout));
        assert!(layout.stdout != pulled.stdout, "the references differ");
        if config.is_some() {
            // Without the password there is no image, and no verdict.
            let ca: Vec<_> = ca.iter().flat_map(|ca| ["--registry-ca", ca.as_str()]).collect();
            gate_json(&image, &ca).expect(2).complains("denied");
        }
        gate_json(&format!("{}/harbour/none:v1", registry.host), &more).expect(2);
    }
}

#[test]
fn a_signature_is_found_in_a_real_registry() {
    let Some(registry) = RealRegistry::start(Access::Plain) else { return };
    let layout = testdata("images/fixed");
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).expect("index")).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str().expect("digest").replace(':', "-");
    let image = format!("{}/harbour/app:v1", registry.host);
    registry.push(&format!("oci:{}:v1", layout.display()), "harbour/app:v1");
    let key = ["--key", "testdata/images/demo.pub.pem", "--signed-as", "registry.example/harbour/app"];
    let verify = |more: &[&str]| plimsoll_with(&[&["verify", image.as_str()], more].concat(), &[], &root());
    verify(&key).expect(1).says("absent.signature");
    registry.push(&format!("oci:{}:{digest}.sig", layout.display()), &format!("harbour/app:{digest}.sig"));
    verify(&key).expect(0).says("PASS");
    // The payload names registry.example: without the mirror being named, it is a signature for somebody else's image.
    verify(&key[..2]).expect(1).says("invalid.reference");
}
