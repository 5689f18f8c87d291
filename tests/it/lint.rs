//! `lint` on folders, its fixes, and what it writes.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{folder, plimsoll_with, root};

const LOUD: &str =
    "FROM alpine:3.22\n# keep me\nRUN apk add curl && \\\n    curl -k https://x.dev/a -o a\nENV a b\nUSER 1000\nHEALTHCHECK NONE\n";

fn lint(args: &[&str], folder: &Path) -> crate::program::Run {
    plimsoll_with(&[&["lint"], args].concat(), &[], folder)
}

fn read(folder: &TempDir, name: &str) -> String {
    fs::read_to_string(folder.path().join(name)).expect("a file")
}

fn judged(args: &[&str], folder: &Path) -> Vec<String> {
    let run = lint(&[args, &["--output", "json"]].concat(), folder);
    let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr));
    let files = report["dockerfiles"].as_array().expect("files").iter();
    files.map(|file| file["file"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn folders_are_searched() {
    let text = "FROM scratch\n";
    let folder = folder(&[
        ("Dockerfile", text),
        ("Dockerfile.dockerignore", "x"),
        ("a/Containerfile", text),
        ("a/Containerfile.ci", text),
        ("b/Dockerfile.dev", text),
        ("b/web.Dockerfile", text),
        ("b/web.dockerfile", text),
        ("b/main.rs", text),
        (".hidden/Dockerfile", text),
        ("vendored/Dockerfile", text),
        (".gitignore", "/vendored/\n"),
    ]);
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path().join("a"), folder.path().join("link")).expect("a link");
    let all = ["Dockerfile", "a/Containerfile", "a/Containerfile.ci", "b/Dockerfile.dev", "b/web.Dockerfile", "b/web.dockerfile"];
    assert_eq!(judged(&[], folder.path()), all);
    assert_eq!(judged(&["."], folder.path()), all);
    assert_eq!(
        judged(&["a", "vendored/Dockerfile", "Dockerfile"], folder.path()),
        ["Dockerfile", "a/Containerfile", "a/Containerfile.ci", "vendored/Dockerfile"]
    );
    assert_eq!(judged(&["--exclude", "b/", "--exclude", "*.ci"], folder.path()), ["Dockerfile", "a/Containerfile"]);
}

#[test]
fn a_folder_without_dockerfiles_is_an_error() {
    let folder = folder(&[("x.txt", "x")]);
    lint(&[], folder.path()).expect(2).complains("no Dockerfile or Containerfile").complains("plimsoll lint path/to/file");
    lint(&["x.txt", "--exclude", "[z-a]"], folder.path());
}

#[test]
fn a_diff_changes_nothing_and_a_fix_what_it_says() {
    let folder = folder(&[("Dockerfile", LOUD), ("clean.Dockerfile", "FROM scratch\n")]);
    let run = lint(&["--diff"], folder.path())
        .expect(1)
        .says("--- a/Dockerfile\n+++ b/Dockerfile\n")
        .says("+RUN apk add --no-cache curl && \\\n");
    assert!(!run.stdout.contains("clean.Dockerfile"), "{}", run.stdout);
    assert_eq!(read(&folder, "Dockerfile"), LOUD);
    lint(&["--diff"], folder.path()).expect(1);
    let run = lint(&["--fix"], folder.path()).says("Fixed").says("apk-cache-left");
    assert!(run.stdout.contains("legacy-key-value"), "{}", run.stdout);
    let safe = LOUD.replace("apk add curl", "apk add --no-cache curl").replace("ENV a b", "ENV a=b");
    assert_eq!(read(&folder, "Dockerfile"), safe);
    lint(&["--diff"], folder.path()).expect(0);
    lint(&["--unsafe-fixes"], folder.path()).says("curl-insecure");
    assert_eq!(read(&folder, "Dockerfile"), safe.replace("curl -k https", "curl https"));
    lint(&["--diff", "--fix-unsafe"], folder.path()).expect(0);
    assert_eq!(fs::read_dir(folder.path()).expect("entries").count(), 2, "nothing is left beside the files");
}

#[test]
fn a_diff_shows_no_secret() {
    let text = "FROM alpine:3.22\nENV DB_PASSWORD=kz7Rw4qv\nRUN apk add curl\nUSER 1000\nHEALTHCHECK NONE\n";
    let beside = folder(&[("Dockerfile", text)]);
    let run = lint(&["--diff"], beside.path()).expect(1).says("@@ -3 +3 @@\n-RUN apk add curl\n+RUN apk add --no-cache curl\n");
    assert!(
        !run.stdout.contains("kz7Rw4qv") && run.stderr.contains("lines of the context that hold a secret are left out"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    let within = folder(&[("Dockerfile", &text.replace("add curl", "add curl && curl -u bot:kz7Rw4qv https://acme.dev"))]);
    let run = lint(&["--diff"], within.path()).expect(1);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("Dockerfile:3: apk-cache-left not fixed: its lines hold a secret"),
        "{}{}",
        run.stdout,
        run.stderr
    );
    lint(&["--fix"], within.path());
    assert!(read(&within, "Dockerfile").contains("RUN apk add --no-cache curl && curl -u bot:kz7Rw4qv"));
}

#[test]
fn an_ignore_keeps_a_fix_away() {
    let folder = folder(&[(
        "Dockerfile",
        "FROM alpine:3.22\n# plimsoll ignore=apk-cache-left reason=wanted\nRUN apk add curl\nUSER 1000\nHEALTHCHECK NONE\n",
    )]);
    lint(&["--diff"], folder.path()).expect(0);
}

#[cfg(unix)]
#[test]
fn modes_and_links_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = folder(&[("tree/real", LOUD), ("outside/Dockerfile", LOUD)]);
    let tree = folder.path().join("tree");
    fs::set_permissions(tree.join("real"), fs::Permissions::from_mode(0o640)).expect("a mode");
    symlink("real", tree.join("Dockerfile")).expect("a link");
    symlink("../outside/Dockerfile", tree.join("away")).expect("a link");
    lint(&["--fix", "Dockerfile"], &tree);
    assert!(fs::symlink_metadata(tree.join("Dockerfile")).expect("a link").is_symlink());
    assert_eq!(fs::metadata(tree.join("real")).expect("a file").permissions().mode() & 0o777, 0o640);
    assert!(fs::read_to_string(tree.join("real")).expect("a file").contains("--no-cache"));
    lint(&["--fix", "away"], &tree).says("a link that leads out of this folder");
    symlink("../outside", tree.join("folder")).expect("a link");
    lint(&["--fix", "folder/Dockerfile"], &tree).says("the file is a link that leads out of");
    assert_eq!(fs::read_to_string(folder.path().join("outside/Dockerfile")).expect("a file"), LOUD);
}

#[test]
fn standard_input_is_mended_to_standard_output() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["lint", "-", "--fix"])
        .current_dir(root())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary that cargo built starts");
    child.stdin.take().expect("its input").write_all(b"FROM alpine:3.22\r\nENV a b\r\n").expect("written");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.stdout, b"FROM alpine:3.22\r\nENV a=b\r\n");
}

#[test]
fn reports_hold_the_fixes() {
    let folder = folder(&[("Dockerfile", LOUD)]);
    let schema: Value = serde_json::from_slice(&fs::read(root().join("policies/report.schema.json")).expect("a schema")).expect("JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema");
    let json = lint(&["--output", "json"], folder.path()).stdout;
    let report: Value = serde_json::from_str(&json).expect("JSON");
    assert!(schema.is_valid(&report), "{:?}", schema.iter_errors(&report).map(|error| error.to_string()).collect::<Vec<_>>());
    let findings = report["findings"].as_array().expect("findings");
    let apk = findings.iter().find(|finding| finding["id"] == "apk-cache-left").expect("the finding");
    let at = LOUD.find(" curl &&").expect("the place");
    assert_eq!((&apk["fix"]["kind"], &apk["fix"]["edits"][0]["byteOffset"]), (&Value::from("safe"), &Value::from(at)));
    lint(&["--show", "all"], folder.path()).says("fix: safe (plimsoll lint --fix)").says("fix: unsafe (plimsoll lint --unsafe-fixes)");
    lint(&[], folder.path()).says("plimsoll lint --fix  mends 2 findings");

    let sarif: Value = serde_json::from_str(&lint(&["--output", "sarif", "--show", "all"], folder.path()).stdout).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let curl = results.iter().find(|result| result["ruleId"] == "curl-insecure").expect("the result");
    let change = &curl["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["artifactLocation"]["uri"], "Dockerfile");
    let region = &change["replacements"][0]["deletedRegion"];
    let number = |name: &str| region[name].as_u64().unwrap_or_default();
    assert_eq!(["startLine", "startColumn", "endLine", "endColumn"].map(number), [4, 9, 4, 12]);
    let apk = results.iter().find(|result| result["ruleId"] == "apk-cache-left").expect("the result");
    let replacement = &apk["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replacement["insertedContent"]["text"], " --no-cache");
    assert_eq!(replacement["deletedRegion"]["startColumn"], replacement["deletedRegion"]["endColumn"]);

    let report: Value = serde_json::from_str(&lint(&["--fix", "--output", "json"], folder.path()).stdout).expect("JSON");
    assert!(schema.is_valid(&report), "{:?}", schema.iter_errors(&report).map(|error| error.to_string()).collect::<Vec<_>>());
    assert_eq!(report["fixes"][0]["applied"].as_array().map(Vec::len), Some(2));
}

#[test]
fn tags_get_the_digest_of_the_index() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = listener.local_addr().expect("an address").to_string();
    let index = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut request = [0_u8; 4096];
            let length = stream.read(&mut request).unwrap_or_default();
            let request = String::from_utf8_lossy(&request[..length]).into_owned();
            let (kind, body) = if request.contains("/manifests/1.2 ") {
                ("application/vnd.oci.image.index.v1+json", index)
            } else {
                ("application/json", "{}")
            };
            let status = if request.contains("/manifests/") && body == "{}" { "404 Not Found" } else { "200 OK" };
            let body = if request.starts_with("HEAD") { "" } else { body };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let text = format!("FROM {host}/team/base:1.2\nUSER 1000\nHEALTHCHECK NONE\n");
    let folder = folder(&[("Dockerfile", &text), ("lost.Dockerfile", &format!("FROM {host}/team/gone:9\nUSER 1000\nHEALTHCHECK NONE\n"))]);
    lint(&["--pin", "Dockerfile"], folder.path()).expect(0).says("image-not-pinned");
    let digest = "sha256:6a1fa6c2ab51e6cd0bd0d9d1ee6d8e1a1a3f4d2c7d8a5c6b7d8e9f0a1b2c3d4e".len();
    let pinned = read(&folder, "Dockerfile");
    let reference = pinned.lines().next().and_then(|line| line.split_once('@')).expect("a digest");
    assert_eq!((reference.0, reference.1.len()), (format!("FROM {host}/team/base:1.2").as_str(), digest));
    // What no registry knows is not passed over.
    lint(&["--pin", "lost.Dockerfile"], folder.path()).expect(3).says("base-unread");
    lint(&["--fix", "--pin", "lost.Dockerfile", "Dockerfile"], folder.path()).expect(3);
}
