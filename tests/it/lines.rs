//! Lines of Dockerfiles end to end: a package finding stands on the instruction that brought it, in every format; what the base image brought is
//! told apart, and a policy can ask for it.

use std::{fs, path::Path};

use plimsoll::model::digest::Digest;
use serde_json::{Value, json as value};

use crate::{program::plimsoll, registry, registry_in_memory::read_json};

const IMAGE: &str = "oci:testdata/images/vulnerable:v1";
const DOCKERFILE: &str = "testdata/images/vulnerable.Dockerfile";
const ADVISORIES: &str = "--advisories=testdata/advisory/osv";

fn gate(format: &str, more: &[&str]) -> String {
    let mut args = vec!["gate", IMAGE, "--policy", "testdata/images/policy.yaml", ADVISORIES, "--no-cache", "--output", format];
    args.extend_from_slice(more);
    plimsoll(&args).expect(1).stdout
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Line of each package finding.
const LINES: [(&str, u64); 3] = [("CVE-2026-90021", 15), ("CVE-2026-90031", 12), ("CVE-2026-90001", 6)];

#[test]
fn findings_stand_on_the_line_that_brought_the_package() {
    let report = json(&gate("json", &["--dockerfile", DOCKERFILE]));
    let findings = report["findings"].as_array().expect("findings");
    let sarif = json(&gate("sarif", &["--dockerfile", DOCKERFILE]));
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let annotations = gate("github", &["--dockerfile", DOCKERFILE]);
    let markdown = gate("markdown", &["--dockerfile", DOCKERFILE]);
    for (id, line) in LINES {
        let finding = findings.iter().find(|finding| finding["id"] == id).expect("finding");
        assert_eq!(finding["place"], format!("{DOCKERFILE}:{line}"));
        assert_eq!(finding["origin"]["side"], "own");
        assert_eq!(finding["origin"]["certain"], true);
        assert_eq!(finding["origin"]["dockerfile"]["line"], line);
        let result =
            results.iter().find(|result| result["message"]["text"].as_str().is_some_and(|text| text.contains(id))).expect("result");
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], DOCKERFILE);
        assert_eq!(physical["region"]["startLine"], line);
        assert_eq!(result["properties"]["origin"], "own");
        assert!(annotations.contains(&format!("file={DOCKERFILE},line={line},title={id}")), "{annotations}");
        assert!(markdown.contains(&format!("vulnerable.Dockerfile&#58;{line} |")), "{markdown}");
    }
    let sides: Vec<_> = report["image"]["layers"].as_array().expect("layers").iter().map(|layer| layer["origin"]["side"].clone()).collect();
    assert_eq!(sides, ["base", "own", "own", "own", "own", "own", "own"]);
}

#[test]
fn another_dockerfile_gives_no_line_and_says_so() {
    let report = json(&gate("json", &["--dockerfile", "testdata/images/fixed.Dockerfile"]));
    for (id, _) in LINES {
        let finding = report["findings"].as_array().expect("findings").iter().find(|finding| finding["id"] == id).expect("finding").clone();
        assert!(finding["place"].as_str().is_some_and(|place| place.starts_with("layer ")), "{finding}");
        assert_eq!(finding["origin"]["side"], "unknown");
        assert!(finding["origin"]["doubt"].as_str().is_some_and(|doubt| doubt.contains("line 11")), "{finding}");
    }
    let text = gate("text", &["--dockerfile", "testdata/images/fixed.Dockerfile"]);
    assert!(text.contains("no certain line for 7 of 7 layers"), "{text}");
    assert!(!text.contains("layer not attributed") && !text.contains("use a newer base image"), "{text}");
}

#[test]
fn two_dockerfiles_tell_nothing_of_the_layers() {
    let report = json(&gate("json", &["--dockerfile", DOCKERFILE, "--dockerfile", "testdata/images/fixed.Dockerfile"]));
    let says_why = |layer: &Value| layer["origin"]["doubt"].as_str().is_some_and(|doubt| doubt.contains("several Dockerfiles"));
    assert!(report["image"]["layers"].as_array().expect("layers").iter().all(says_why), "{report}");
}

#[test]
fn options_of_a_build_belong_to_a_dockerfile_that_has_them() {
    plimsoll(&["inventory", IMAGE, "--target", "x"]).expect(2).complains("--target says how a Dockerfile was built");
    plimsoll(&["gate", IMAGE, "--build-arg", "A=1"]).expect(2).complains("--dockerfile FILE");
    let args = ["inventory", IMAGE, "--no-cache", "--dockerfile", DOCKERFILE, "--target", "nope", "--output", "table"];
    plimsoll(&args).expect(3).says("unknown-target");
}

#[test]
fn a_base_image_is_told_apart_by_its_layers() {
    let report = json(&gate("json", &["--base", IMAGE]));
    let layers = report["image"]["layers"].as_array().expect("layers");
    assert!(layers.iter().all(|layer| layer["origin"]["side"] == "base" && layer["origin"]["dockerfile"].is_null()));
    for (base, kind, reason) in [
        ("oci:testdata/images/fixed:v1", "base-differs", "1 of its 5 layers are at the bottom of the image, which has 7"),
        ("oci:testdata/images/fixed:absent", "base-unread", "absent"),
    ] {
        let report = json(&gate("json", &["--base", base]));
        let gap = report["gaps"].as_array().expect("gaps").iter().find(|gap| gap["kind"] == kind).expect(kind).clone();
        assert!(gap["reason"].as_str().is_some_and(|text| text.contains(reason)), "{gap}");
        assert!(report["image"]["layers"].as_array().expect("layers").iter().all(|layer| layer["origin"].is_null()));
    }
    plimsoll(&["scan", IMAGE, "--base", "-"]).expect(2);
}

/// The layout of the image with annotations of a base image, and the digest of its own manifest.
fn annotated(folder: &Path, annotations: &Value) -> String {
    let from = Path::new("testdata/images/vulnerable");
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("folder");
    for entry in fs::read_dir(from.join("blobs/sha256")).expect("blobs") {
        let path = entry.expect("blob").path();
        fs::copy(&path, blobs.join(path.file_name().expect("name"))).expect("copy");
    }
    fs::copy(from.join("oci-layout"), folder.join("oci-layout")).expect("copy");
    let mut index = read_json(&from.join("index.json"));
    let entries = index["manifests"].as_array().expect("manifests");
    let at = entries.iter().position(|entry| entry["annotations"]["org.opencontainers.image.ref.name"] == "v1").expect("v1");
    let digest = entries[at]["digest"].as_str().expect("digest").to_owned();
    let mut manifest = read_json(&blobs.join(digest.trim_start_matches("sha256:")));
    manifest["annotations"] = annotations.clone();
    let bytes = manifest.to_string().into_bytes();
    let changed = Digest::sha256_of(&bytes);
    fs::write(blobs.join(changed.hex()), &bytes).expect("manifest");
    index["manifests"][at]["digest"] = changed.to_string().into();
    index["manifests"][at]["size"] = bytes.len().into();
    fs::write(folder.join("index.json"), index.to_string()).expect("index");
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn annotations_may_name_the_base_image() {
    let blobs = Path::new("testdata/images/vulnerable/blobs/sha256");
    let server = registry::Server::start(move |seen| {
        let name = seen.path.rsplit('/').next().unwrap_or_default().trim_start_matches("sha256:");
        match fs::read(blobs.join(name)) {
            Ok(body) if seen.path.contains("/manifests/") => registry::bytes(registry::MANIFEST, body),
            Ok(body) => registry::bytes("application/octet-stream", body),
            Err(_) => registry::reply(404),
        }
    })
    .await;
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = |annotations: Value| {
        let digest = annotated(folder.path(), &annotations);
        let image = format!("oci:{}:v1", folder.path().display());
        let args = ["scan", &image, "--base", "auto", "--no-offline", "--no-cache", "--output", "json"];
        (json(&plimsoll(&args).stdout), digest)
    };
    let sides = |report: &Value| -> Vec<String> {
        report["image"]["layers"].as_array().expect("layers").iter().map(|layer| layer["origin"]["side"].to_string()).collect()
    };
    let digest = annotated(folder.path(), &value!({}));
    let name = format!("{}/base:1", server.host);
    let (report, _) = run(value!({ "org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": digest }));
    assert!(sides(&report).iter().all(|side| side == "\"base\""), "{report}");
    for (annotations, reason) in [
        (value!({}), "name no base image"),
        (value!({ "org.opencontainers.image.base.name": "oci:testdata/images/fixed" }), "no reference to a registry"),
        (value!({ "org.opencontainers.image.base.name": format!("{}/base:2", server.host) }), "base:2"),
    ] {
        let (report, _) = run(annotations);
        let gap = report["gaps"].as_array().expect("gaps").iter().find(|gap| gap["kind"] == "base-unread").cloned();
        assert!(gap.as_ref().is_some_and(|gap| gap.to_string().contains(reason)), "{reason}: {gap:?}");
        assert!(sides(&report).iter().all(|side| side == "null"), "{report}");
    }
}

#[test]
fn a_policy_can_ask_for_what_the_build_itself_brought() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let policy = folder.path().join("own.yaml");
    fs::write(
        &policy,
        "version: 1\nfindings: { fail: [ { severity: \">= negligible\", origin: own } ] }\nevidence: { gaps: { default: warn } }\n",
    )
    .expect("policy");
    let policy = policy.to_str().expect("UTF-8");
    let scan = |more: &[&str]| {
        let mut args = vec!["scan", IMAGE, "--policy", policy, ADVISORIES, "--no-cache", "--output", "json"];
        args.extend_from_slice(more);
        plimsoll(&args)
    };
    // Nobody knows, so that it may be the build's own.
    let report = json(&scan(&[]).expect(1).stdout);
    assert_eq!(report["verdict"]["outcome"], "fail");
    let report = json(&scan(&["--base", IMAGE]).expect(0).stdout);
    let noted = report["findings"].as_array().expect("findings").iter().filter(|finding| finding["decision"]["effect"] == "noted").count();
    assert!(noted >= LINES.len(), "{report}");
    assert!(
        report["findings"][0]["decision"]["reason"].as_str().is_some_and(|reason| reason.contains("brought by the base image")),
        "{report}"
    );
}

#[test]
fn an_inventory_names_lines_and_judges_no_dockerfile() {
    let run = plimsoll(&["inventory", IMAGE, "--dockerfile", DOCKERFILE, "--no-cache", "--output", "json"]);
    let report = json(&run.stdout);
    assert!(report["findings"].as_array().expect("findings").is_empty());
    assert_eq!(report["image"]["layers"][5]["origin"]["dockerfile"]["line"], 15);
}
