//! A bill of materials in the place of an image.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use crate::program::{Run, plimsoll};

const ADVISORIES: &str = "--advisories=testdata/advisory/osv";
const IMAGE: &str = "oci:testdata/images/vulnerable:v1";

/// Id, package and version of the vulnerabilities of a JSON report.
fn vulnerabilities(run: &Run) -> BTreeSet<(String, String, String)> {
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings").iter().filter(|finding| finding["kind"] == "vulnerability");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    findings.map(|finding| (text(&finding["id"]), text(&finding["package"]["name"]), text(&finding["package"]["version"]))).collect()
}

#[test]
fn a_document_is_judged_as_the_image_that_it_was_made_of() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("image.cdx.json");
    let document = format!("sbom:{}", file.display());
    plimsoll(&["inventory", IMAGE, "--no-cache", "--output", &format!("cyclonedx={}", file.display())]).expect(0);
    let of_image = vulnerabilities(&plimsoll(&["scan", IMAGE, "--no-cache", ADVISORIES, "--output", "json"]).expect(1));
    let run = plimsoll(&["scan", &document, ADVISORIES, "--output", "json"]).expect(1);
    assert!(of_image.len() >= 3, "{of_image:?}");
    assert_eq!(vulnerabilities(&run), of_image);
    plimsoll(&["scan", &document, ADVISORIES]).expect(1).says(&document);
    plimsoll(&["gate", &document, ADVISORIES, "--policy", "testdata/images/policy.yaml"]).expect(1).says("no-image").says("not checked");
    let again = plimsoll(&["inventory", &document]).expect(0);
    let purls = |text: &str| -> Vec<String> {
        let document: Value = serde_json::from_str(text).expect("JSON");
        document["components"]
            .as_array()
            .expect("components")
            .iter()
            .filter_map(|component| component["purl"].as_str().map(str::to_owned))
            .collect()
    };
    assert_eq!(purls(&again.stdout), purls(&fs::read_to_string(&file).expect("document")));
    for format in ["sarif", "sarif-github", "junit", "markdown", "github", "cyclonedx"] {
        plimsoll(&["scan", &document, ADVISORIES, "--output", format]).expect(1);
    }
}

#[test]
fn what_is_no_document_ends_with_one_line() {
    plimsoll(&["scan", "sbom:Cargo.toml"]).expect(2).complains("cannot read the bill of materials `sbom:Cargo.toml`");
    plimsoll(&["scan", "sbom:no-such-file.json"])
        .expect(2)
        .complains("cannot read bill of materials `no-such-file.json`")
        .complains("CycloneDX or SPDX document");
    plimsoll(&["scan", "sbom:Cargo.toml", "--platform", "linux/arm64"]).expect(2).complains("--platform chooses an image");
    plimsoll(&["inventory", "sbom:x.json", "--platform", "all"]).expect(2);
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("image.cdx.json");
    plimsoll(&["inventory", IMAGE, "--no-cache", "--output", &format!("cyclonedx={}", file.display())]).expect(0);
    let document = format!("sbom:{}", file.display());
    plimsoll(&["inventory", &document, "-f", "testdata/images/vulnerable.Dockerfile"]).expect(2).complains("leave --dockerfile out");
    plimsoll(&["verify", "sbom:Cargo.toml", "--key", "testdata/images/demo.pub.pem"]).expect(2).complains("verify needs an image");
}
