//! `--platform all`: every image of an index is judged, the worst verdict counts, and layers that they share are read once.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    hostile::{
        layout::{Blob, Layout, gzip},
        tars::Tar,
    },
    program::{Run, plimsoll, plimsoll_with},
};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The layer that all platforms have.
fn shared() -> Blob {
    gzip(
        Tar::new()
            .file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
            .file("var/lib/dpkg/status", "Package: bilge\nStatus: install ok installed\nVersion: 1-1\nArchitecture: all\n\n")
            .end(),
    )
}

fn npm(name: &str, version: &str) -> Blob {
    let record = format!("{{\"name\":\"{name}\",\"version\":\"{version}\"}}");
    gzip(Tar::new().file(format!("app/node_modules/{name}/package.json"), &record).end())
}

/// Writes an image for a platform; its entry of an index.
fn image(layout: &Layout, architecture: &str, user: &str, layers: &[Blob]) -> Value {
    let (manifest, _) = layout.manifest(layers, |config| {
        config["architecture"] = architecture.into();
        config["config"]["User"] = user.into();
    });
    let mut entry = layout.blob(manifest.to_string().as_bytes());
    entry["mediaType"] = MANIFEST.into();
    entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
    entry
}

fn index(layout: &Layout, entries: &[Value]) {
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
    let mut descriptor = layout.blob(index.as_bytes());
    descriptor["mediaType"] = INDEX.into();
    layout.write("index.json", json!({ "schemaVersion": 2, "manifests": [descriptor] }).to_string().as_bytes());
}

/// A vulnerable image for amd64, one without a fault for arm64, and an attestation.
fn two() -> Layout {
    let layout = Layout::new();
    let amd64 = image(&layout, "amd64", "1000", &[shared(), npm("left-anchor", "1.4.0")]);
    let arm64 = image(&layout, "arm64", "1000", &[shared(), npm("left-anchor", "1.4.2")]);
    let mut attestation = image(&layout, "unknown", "", &[npm("none", "1.0.0")]);
    attestation["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    index(&layout, &[amd64, arm64, attestation]);
    layout
}

fn gate(layout: &Path, options: &[&str]) -> Run {
    let image = format!("oci:{}", layout.display());
    plimsoll(
        &[&["gate", &image, "--policy", "tests/real/any-age.yaml", "--advisories=testdata/advisory/osv", "--no-cache"], options].concat(),
    )
}

fn json_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", run.stdout, run.stderr))
}

#[test]
fn every_platform_is_judged_and_the_worst_verdict_counts() {
    let layout = two();
    let all = gate(layout.path(), &["--platform", "all", "-o", "json"]).expect(1);
    let all = json_of(&all);
    assert_eq!((&all["schema"], &all["verdict"]), (&json!("plimsoll/reports/1"), &json!({ "outcome": "fail", "exitCode": 1 })));
    let reports = all["reports"].as_array().expect("reports");
    assert_eq!(reports.len(), 2);
    for (report, platform, outcome) in [(&reports[0], "linux/amd64", "fail"), (&reports[1], "linux/arm64", "pass")] {
        let alone = gate(layout.path(), &["--platform", platform, "-o", "json"]);
        assert_eq!(*report, json_of(&alone), "{platform}");
        assert_eq!(report["verdict"]["outcome"], outcome, "{platform}");
    }
    for format in ["text", "markdown", "github", "junit", "sarif"] {
        let written = gate(layout.path(), &["--platform", "all", "-o", format]).expect(1).stdout;
        assert!(written.contains("amd64") && written.contains("arm64") && written.contains("left-anchor"), "{format}\n{written}");
    }
}

#[test]
fn reports_of_several_platforms_fit_their_schemas() {
    let layout = two();
    let all = json_of(&gate(layout.path(), &["--platform", "all", "-o", "json"]));
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(crate::program::root().join("policies").join(name)).expect("schema")).expect("JSON")
    };
    let one = read("report.schema.json");
    let registry =
        jsonschema::Registry::new().add("urn:plimsoll:report:1", &one).and_then(|registry| registry.prepare()).expect("registry");
    let schema = jsonschema::options().with_registry(&registry).build(&read("reports.schema.json")).expect("a schema");
    let errors: Vec<_> = schema.iter_errors(&all).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let sarif = json_of(&gate(layout.path(), &["--platform", "all", "-o", "sarif"]));
    let categories: std::collections::BTreeSet<_> =
        sarif["runs"].as_array().expect("runs").iter().map(|run| run["automationDetails"]["id"].to_string()).collect();
    assert_eq!(categories.len(), 2, "{categories:?}");
}

#[test]
fn sboms_of_several_platforms_are_several_files() {
    let layout = two();
    let folder = tempfile::tempdir().expect("folder");
    let image = format!("oci:{}", layout.path().display());
    let run = |options: &[&str]| {
        plimsoll_with(&[&["inventory", &image, "--no-cache", "--platform", "all"], options].concat(), &[], folder.path())
    };
    run(&[]).expect(2).complains("cyclonedx=NAME-{platform}.json");
    run(&["-o", "cyclonedx=one.json"]).expect(2).complains("describes one image");
    run(&["-o", "cyclonedx=sbom-{platform}.json"]).expect(0);
    for (platform, version) in [("amd64", "1.4.0"), ("arm64", "1.4.2")] {
        let sbom = fs::read_to_string(folder.path().join(format!("sbom-linux-{platform}.json"))).expect("SBOM");
        assert!(sbom.contains(&format!("pkg:npm/left-anchor@{version}")), "{platform}\n{sbom}");
    }
}

#[test]
fn one_broken_platform_is_no_pass_for_the_others() {
    let layout = Layout::new();
    let good = image(&layout, "amd64", "1000", &[shared()]);
    let mut bad = shared();
    bad.tar.push(0);
    let bad = image(&layout, "arm64", "1000", &[bad, npm("bilge-pump", "1.0.0")]);
    index(&layout, &[good.clone(), bad]);
    gate(layout.path(), &["--platform", "linux/amd64"]).expect(0);
    gate(layout.path(), &["--platform", "all"]).expect(2).complains("promises");
    index(&layout, &[]);
    gate(layout.path(), &["--platform", "all"]).expect(2).complains("lists no image");
    index(&layout, &[good.clone(), good]);
    let once = json_of(&gate(layout.path(), &["--platform", "all", "-o", "json"]).expect(0));
    assert_eq!(once["schema"], "plimsoll/report/1", "the same manifest twice is one image");
}

#[test]
fn two_images_of_one_platform_keep_their_reports_apart() {
    let layout = Layout::new();
    let one = image(&layout, "amd64", "1000", &[shared()]);
    let two = image(&layout, "amd64", "1000", &[shared(), npm("left-anchor", "1.4.0")]);
    index(&layout, &[one, two]);
    let folder = tempfile::tempdir().expect("folder");
    let image = format!("oci:{}", layout.path().display());
    let options = ["inventory", &image, "--no-cache", "--platform", "all", "-o", "cyclonedx={platform}.json"];
    plimsoll_with(&options, &[], folder.path()).expect(0);
    assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 2);
    let sarif = json_of(&gate(layout.path(), &["--platform", "all", "-o", "sarif"]));
    let categories: std::collections::BTreeSet<_> =
        sarif["runs"].as_array().expect("runs").iter().map(|run| run["automationDetails"]["id"].to_string()).collect();
    assert_eq!(categories.len(), 2, "{categories:?}");
}
