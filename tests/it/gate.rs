//! The gate end to end: the demonstration images, and everything that must never pass.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::program::{plimsoll, plimsoll_with, root, testdata};

const ADVISORIES: &str = "--advisories=testdata/advisory/osv";

fn gate<'a>(image: &'a str, dockerfile: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["gate", image, "--dockerfile", dockerfile, "--policy", "testdata/images/policy.yaml", ADVISORIES];
    args.extend_from_slice(more);
    args
}

#[test]
fn the_vulnerable_image_fails_for_reasons_a_person_can_act_on() {
    let run = plimsoll(&gate("oci:testdata/images/vulnerable:v1", "testdata/images/vulnerable.Dockerfile", &[])).expect(1);
    for reason in [
        "FAIL",
        "CVE-2026-90001",
        "libhullpaint2 2.1-1",
        "2.1-3",
        "left-anchor 1.4.0",
        "1.4.2",
        "keelson 0.9.0",
        "0.9.1",
        "absent.signature",
        "download-piped-to-shell",
        "secret-in-env",
        "apt-allow-unauthenticated",
        "add-remote-unverified",
    ] {
        assert!(run.stdout.contains(reason), "no `{reason}` in\n{}", run.stdout);
    }
    assert!(!run.stdout.contains("tr0ub4dor"), "a secret is printed:\n{}", run.stdout);
    for innocent in ["flotsam", "bilge-pump 1.0", "driftwood"] {
        assert!(!run.stdout.contains(innocent), "`{innocent}` is no finding:\n{}", run.stdout);
    }
}

#[test]
fn the_fixed_image_passes() {
    let run = plimsoll(&gate("oci:testdata/images/fixed:v1", "testdata/images/fixed.Dockerfile", &[])).expect(0).says("PASS");
    assert!(run.stdout.lines().count() <= 12, "a pass is short:\n{}", run.stdout);
}

#[test]
fn a_signature_by_another_key_fails() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let policy = folder.path().join("other.yaml");
    fs::copy(testdata("verify/keys/p256.pub"), folder.path().join("other.pem")).expect("key");
    fs::write(
        &policy,
        "version: 1\nextends: builtin:baseline\nsigners: { other: { key: other.pem } }\nsignatures: [ { any_of: [other] } ]\n",
    )
    .expect("policy");
    let policy = policy.to_str().expect("UTF-8");
    plimsoll(&["gate", "oci:testdata/images/fixed:v1", ADVISORIES, "--policy", policy]).expect(1).says("invalid.signature");
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut seen = Vec::new();
    for round in 0..2 {
        let formats = ["text", "json", "sarif", "sarif-github", "cyclonedx"];
        let files: Vec<_> = formats.iter().map(|format| folder.path().join(format!("{round}.{format}"))).collect();
        let outputs: Vec<_> = formats.iter().zip(&files).map(|(format, file)| format!("--output={format}={}", file.display())).collect();
        let outputs: Vec<_> = outputs.iter().map(String::as_str).collect();
        plimsoll(&gate("oci:testdata/images/vulnerable:v1", "testdata/images/vulnerable.Dockerfile", &outputs)).expect(1);
        seen.push(files.iter().map(|file| fs::read(file).expect("report")).collect::<Vec<_>>());
    }
    assert_eq!(seen.first(), seen.last());
}

#[test]
fn an_archive_holds_the_same_packages_as_the_layout() {
    let purls = |image: &str| -> Vec<String> {
        let run = plimsoll(&["inventory", image]).expect(0);
        let sbom: Value = serde_json::from_str(&run.stdout).expect("JSON");
        let components = sbom["components"].as_array().expect("components");
        components.iter().filter_map(|component| component["purl"].as_str().map(str::to_owned)).collect()
    };
    let layout = purls("oci:testdata/images/fixed:v1");
    assert_eq!(layout.len(), 6, "{layout:?}");
    assert_eq!(layout, purls("docker-archive:testdata/images/fixed.docker.tar"));
}

/// Copies the fixed layout, lets `damage` at its blobs, and gates the copy.
fn damaged(damage: impl Fn(&Path, &str), code: i32, message: &str) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let layout = folder.path().join("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("folder");
    let from = testdata("images/fixed");
    for name in ["oci-layout", "index.json"] {
        fs::copy(from.join(name), layout.join(name)).expect("copy");
    }
    for entry in fs::read_dir(from.join("blobs/sha256")).expect("blobs") {
        let entry = entry.expect("entry");
        fs::copy(entry.path(), blobs.join(entry.file_name())).expect("copy");
    }
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).expect("index")).expect("JSON");
    let manifest = index["manifests"][0]["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("digest").to_owned();
    let manifest: Value = serde_json::from_slice(&fs::read(blobs.join(manifest)).expect("manifest")).expect("JSON");
    let layer = manifest["layers"][1]["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).expect("digest").to_owned();
    damage(&blobs, &layer);
    let image = format!("oci:{}:v1", layout.display());
    let run = plimsoll(&["gate", &image, ADVISORIES, "--output", "text"]).expect(code);
    if code == 2 {
        run.complains(message);
    } else {
        run.says(message);
    }
}

#[test]
fn a_layer_with_other_bytes_is_refused() {
    damaged(
        |blobs, layer| {
            let mut bytes = fs::read(blobs.join(layer)).expect("layer");
            // The gzip header's time stamp: what comes out of it is the same, the bytes are not.
            bytes[4] ^= 1;
            fs::write(blobs.join(layer), bytes).expect("write");
        },
        2,
        "digest",
    );
}

#[test]
fn a_truncated_layer_is_refused() {
    damaged(
        |blobs, layer| {
            let bytes = fs::read(blobs.join(layer)).expect("layer");
            fs::write(blobs.join(layer), &bytes[..bytes.len() / 2]).expect("write");
        },
        2,
        "sha256:",
    );
}

#[test]
fn a_missing_layer_is_refused() {
    damaged(|blobs, layer| fs::remove_file(blobs.join(layer)).expect("remove"), 2, "sha256:");
}

#[test]
fn inputs_that_cannot_be_read_are_errors() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let typo = folder.path().join("typo.yaml");
    fs::write(&typo, "version: 1\nextends: builtin:baseline\nevidnce: {}\n").expect("policy");
    let typo = typo.to_str().expect("UTF-8");
    let fixed = "oci:testdata/images/fixed:v1";
    for (args, message) in [
        (vec!["gate", "127.0.0.1:1/app:v1", ADVISORIES, "--registry-timeout", "5"], "127.0.0.1:1"),
        (vec!["gate", "oci:testdata/images/nowhere", ADVISORIES], "testdata/images/nowhere"),
        (vec!["gate", "oci:testdata/images/fixed:v9", ADVISORIES], "v9"),
        (vec!["gate", "docker-archive:Cargo.toml", ADVISORIES], "Cargo.toml is no image archive: it is no tar file"),
        (vec!["gate", "docker-archive:Cargo.toml", ADVISORIES], "docker save"),
        (vec!["gate", fixed, ADVISORIES, "--platform", "linux/riscv64"], "linux/riscv64"),
        (vec!["gate", fixed, "--db", "no/such/db"], "no/such/db"),
        (vec!["gate", fixed, "--advisories", "no/such/dumps"], "no/such/dumps"),
        (vec!["gate", fixed, ADVISORIES, "--dockerfile", "no/Dockerfile"], "no/Dockerfile"),
        (vec!["gate", fixed, ADVISORIES, "--policy", "no/policy.yaml"], "no/policy.yaml"),
        (vec!["gate", fixed, ADVISORIES, "--policy", typo], "evidence"),
        (vec!["gate", fixed, ADVISORIES, "--output", "pdf"], "pdf"),
        (vec!["gate", fixed, ADVISORIES, "--output", "json=no/such/folder/x.json"], "no/such/folder"),
        (vec!["gate", fixed, ADVISORIES, "--aws", "ecr"], "--aws"),
        (vec!["gate", "Bad:Reference:x", ADVISORIES], "Bad:Reference:x"),
        (vec!["verify", fixed], "nobody to trust"),
        (vec!["explain", "no-such-thing"], "no-such-thing"),
        (vec!["lint", "no/Dockerfile"], "no/Dockerfile"),
    ] {
        plimsoll(&args).expect(2).complains(message);
    }
}

#[test]
fn no_database_at_all_is_a_gap_and_stops_the_gate() {
    plimsoll(&["gate", "oci:testdata/images/fixed:v1"]).expect(3).says("INCOMPLETE").says("db build");
    plimsoll(&["gate", "oci:testdata/images/fixed:v1", "--no-offline"]).expect(3).says("INCOMPLETE");
}

#[test]
fn lint_judges_dockerfiles_alone() {
    plimsoll(&["lint", "testdata/images/vulnerable.Dockerfile"]).expect(1).says("secret-in-env");
    plimsoll(&["lint", "testdata/images/fixed.Dockerfile"]).expect(0).says("PASS");
}

#[test]
fn lint_reads_a_file_once_however_often_it_is_named() {
    let once = plimsoll(&["lint", "testdata/images/vulnerable.Dockerfile"]).expect(1).stdout;
    let twice = ["lint", "testdata/images/vulnerable.Dockerfile", "./testdata/../testdata/images/vulnerable.Dockerfile"];
    assert_eq!(plimsoll(&twice).expect(1).stdout, once);
}

#[test]
fn lint_reads_standard_input() {
    let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["lint", "-"])
        .current_dir(root())
        .env_clear()
        .stdin(fs::File::open(testdata("images/vulnerable.Dockerfile")).expect("a Dockerfile"))
        .output()
        .expect("the binary that cargo built starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("<stdin>") && said.contains("secret-in-env"), "{said}");
}

#[test]
fn verify_needs_the_right_key() {
    let image = "oci:testdata/images/fixed:v1";
    plimsoll(&["verify", image, "--key", "testdata/images/demo.pub.pem"]).expect(0).says("PASS");
    plimsoll(&["verify", image, "--key", "testdata/verify/keys/p256.pub"]).expect(1).says("invalid.signature");
    plimsoll(&["verify", image, "--key", "testdata/images/demo.pub.pem", "--annotation", "env=demo"]).expect(0);
    plimsoll(&["verify", image, "--key", "testdata/images/demo.pub.pem", "--annotation", "env=prod"]).expect(1).says("unmet.annotation");
    plimsoll(&["verify", "oci:testdata/images/vulnerable:v1", "--key", "testdata/images/demo.pub.pem"]).expect(1).says("absent.signature");
    // An archive of a daemon cannot hold signatures: nobody looked, so nobody passes.
    plimsoll(&["verify", "docker-archive:testdata/images/fixed.docker.tar", "--key", "testdata/images/demo.pub.pem"])
        .expect(3)
        .says("unchecked.source");
}

#[test]
fn explain_knows_rules_codes_and_advisories() {
    plimsoll(&["explain", "root-user"]).expect(0).says("DL3002");
    plimsoll(&["explain", "DL3002"]).expect(0).says("root-user");
    plimsoll(&["explain", "unchecked.registry"]).expect(0);
    plimsoll(&["explain"]).expect(0).says("no-advisories");
    let folder = tempfile::tempdir().expect("temporary folder");
    let db = folder.path().join("db");
    let db = db.to_str().expect("UTF-8");
    plimsoll(&["db", "build", "--from", "testdata/advisory/osv", "--db", db]).expect(0).says("npm");
    plimsoll(&["db", "status", "--db", db]).expect(0).says("debian-12");
    plimsoll(&["explain", "CVE-2026-90001", "--db", db]).expect(0).says("hullpaint");
    plimsoll(&["gate", "oci:testdata/images/fixed:v1", "--db", db, "--policy", "testdata/images/unsigned-policy.yaml"]).expect(0);
    // Why a report has a finding: the record, the name that was looked up and the range.
    let report = folder.path().join("report.json");
    let (report, json) = (report.to_str().expect("UTF-8"), format!("json={}", report.display()));
    plimsoll(&["gate", "oci:testdata/images/vulnerable:v1", "--db", db, "--policy", "testdata/images/unsigned-policy.yaml", "-o", &json])
        .expect(1);
    let run = plimsoll(&["explain", "CVE-2026-90001", "--report", report]).expect(0);
    run.says("libhullpaint2 2.1-1").says("looked up as: hullpaint 2.1-1").says("shard: debian-12").says("as of: ");
    plimsoll(&["explain", "CVE-1999-0001", "--report", report]).expect(2).complains("has no finding, Gap or requirement `CVE-1999-0001`");
    plimsoll(&["explain", "CVE-2026-90001", "--report", "Cargo.toml"]).expect(2).complains("is not a JSON report of plimsoll");
    let status = plimsoll(&["db", "status", "--db", db, "--json"]).expect(0);
    let status = serde_json::from_str::<Value>(&status.stdout).expect("JSON");
    assert_eq!(status["schema"], "plimsoll/db-status/1");
    plimsoll(&["db", "status", "--db", db, "--licences"]).expect(0).says("CC-BY-4.0");
    // A shard of a format that comes after ours is refused, and both are named.
    let shard = folder.path().join("db/npm.plimdb");
    let mut bytes = fs::read(&shard).expect("shard");
    bytes[8] = 9;
    fs::write(&shard, bytes).expect("shard");
    plimsoll(&["gate", "oci:testdata/images/fixed:v1", "--db", db]).expect(2).complains("has format 9, this program reads format 2");
}

#[test]
fn policies_are_checked_shown_and_explained() {
    plimsoll(&["policy", "check", "testdata/images/policy.yaml"]).expect(0).says("harbour");
    plimsoll(&["policy", "show", "strict"]).expect(0).says("version: 1");
    plimsoll(&["policy", "explain"]).expect(0).says("baseline");
    let schema = plimsoll(&["policy", "schema"]).expect(0);
    serde_json::from_str::<Value>(&schema.stdout).expect("a JSON Schema");
}

#[test]
fn audit_mode_says_so_and_exits_0() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let policy = folder.path().join("audit.yaml");
    fs::write(&policy, "version: 1\nextends: builtin:baseline\nmode: audit\n").expect("policy");
    let policy = policy.to_str().expect("UTF-8");
    plimsoll(&["gate", "oci:testdata/images/vulnerable:v1", ADVISORIES, "--policy", policy]).expect(0).says("FAIL").says("AUDIT");
}

#[test]
fn help_completions_and_manual_are_there() {
    plimsoll(&["--help"]).expect(0).says("Exit codes").says("gate");
    for command in ["gate", "lint", "inventory", "scan", "verify", "db", "policy", "explain", "completions"] {
        plimsoll(&[command, "--help"]).expect(0).says("Usage");
    }
    plimsoll(&["completions", "bash"]).expect(0).says("_plimsoll");
    plimsoll(&["man"]).expect(0).says(".TH plimsoll");
    plimsoll::<&str>(&[]).expect(2);
    plimsoll(&["gate"]).expect(2);
    plimsoll(&["gat"]).expect(2);
}

#[test]
fn a_policy_in_the_working_folder_is_found() {
    let folder = tempfile::tempdir().expect("temporary folder");
    fs::write(folder.path().join("plimsoll.yaml"), "version: 1\nextends: builtin:baseline\nname: from-here\n").expect("policy");
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nUSER 1\n").expect("Dockerfile");
    plimsoll_with(&["lint"], &[], folder.path()).expect(0).says("from-here");
    assert!(root().is_dir());
}

#[test]
fn the_image_speaks_for_itself_where_no_dockerfile_does() {
    let policy = "--policy=testdata/images/unsigned-policy.yaml";
    let (fixed, vulnerable) = ("oci:testdata/images/fixed:v1", "oci:testdata/images/vulnerable:v1");
    plimsoll(&["gate", fixed, ADVISORIES, policy]).expect(0);
    plimsoll(&["gate", vulnerable, ADVISORIES, policy]).expect(1).says("missing-user").says("names no user, so it runs as root");
    let folder = tempfile::tempdir().expect("temporary folder");
    let other = folder.path().join("Dockerfile");
    let text = fs::read_to_string("testdata/images/fixed.Dockerfile").expect("Dockerfile");
    fs::write(&other, text.replace("USER 10001", "USER 4711")).expect("Dockerfile");
    let other = other.to_str().expect("UTF-8");
    plimsoll(&["gate", fixed, ADVISORIES, policy, "--dockerfile", other]).expect(3).says("dockerfile-differs").says("`4711`");
    plimsoll(&["gate", vulnerable, ADVISORIES, policy, "--dockerfile", other]).expect(1).says("dockerfile-differs").says("missing-user");
}
