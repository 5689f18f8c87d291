//! What `lint` could not look at is said, and what it cannot do is refused: never silence, never a pass.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Run, folder, plimsoll_with};

const QUIET: &str = "FROM alpine:3.22\nUSER 1000\nHEALTHCHECK NONE\n";

fn lint(args: &[&str], folder: &TempDir) -> Run {
    plimsoll_with(&[&["lint"], args].concat(), &[], folder.path())
}

/// Runs `lint - ARGS` on a text.
fn lint_text(args: &[&str], text: &[u8], folder: &Path) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["lint", "-"])
        .args(args)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary that cargo built starts");
    // It may end before it has read anything.
    let _ = child.stdin.take().expect("its input").write_all(text);
    let output = child.wait_with_output().expect("an end");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code().unwrap_or(-1), stdout: told(&output.stdout), stderr: told(&output.stderr) }
}

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr))
}

/// The kinds and subjects of the gaps of a JSON report.
fn gaps(run: &Run) -> Vec<String> {
    let report = report(run);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    report["gaps"].as_array().expect("gaps").iter().map(|gap| format!("{} {}", text(&gap["kind"]), text(&gap["subject"]))).collect()
}

fn files(args: &[&str], folder: &TempDir) -> Vec<String> {
    let report = report(&lint(&[args, &["--output", "json"]].concat(), folder));
    let files = report["dockerfiles"].as_array().expect("files").iter();
    files.map(|file| file["file"].as_str().expect("a name").to_owned()).collect()
}

/// An index of git, version 2.
fn index(paths: &[&str]) -> Vec<u8> {
    let count = u32::try_from(paths.len()).expect("a number");
    let mut bytes = [&b"DIRC\0\0\0\x02"[..], &count.to_be_bytes()].concat();
    for path in paths {
        let length = u16::try_from(path.len()).expect("a number");
        let mut entry = [&[0; 60][..], &length.to_be_bytes(), path.as_bytes()].concat();
        entry.resize((entry.len() + 8) / 8 * 8, 0);
        bytes.extend(entry);
    }
    bytes.extend([0; 20]);
    bytes
}

#[test]
fn no_folder_is_too_deep() {
    let deep = format!("{}Dockerfile", "d/".repeat(100));
    let folder = folder(&[("Dockerfile", QUIET), (&deep, QUIET)]);
    assert_eq!(files(&[], &folder), ["Dockerfile", &deep]);
}

#[test]
fn what_git_tracks_is_judged_whatever_gitignore_says() {
    let all = [
        ("Dockerfile", QUIET),
        ("a/Dockerfile", QUIET),
        ("a/new.Dockerfile", QUIET),
        ("b/Dockerfile.x", QUIET),
        (".ci/Dockerfile", QUIET),
        (".gitignore", "*\n"),
    ];
    let folder = folder(&all);
    lint(&[], &folder)
        .expect(2)
        .complains("every Dockerfile or Containerfile in `.` and below is one that .gitignore names, such as `Dockerfile`");
    fs::create_dir(folder.path().join(".git")).expect("a folder");
    lint(&[], &folder).expect(2).complains(".gitignore names");
    let tracked = [".ci/Dockerfile", "Dockerfile", "a/Dockerfile", "a/main.rs", "b/Dockerfile.x", "gone/Dockerfile"];
    fs::write(folder.path().join(".git/index"), index(&tracked)).expect("a file");
    assert_eq!(files(&[], &folder), ["Dockerfile", "a/Dockerfile", "b/Dockerfile.x"]);
    assert_eq!(files(&["a"], &folder), ["a/Dockerfile"]);
    assert_eq!(files(&["--exclude", "a/", "--exclude", "*.x"], &folder), ["Dockerfile"]);
    lint(&["a", "--exclude", "Dockerfile"], &folder).expect(2).complains(".gitignore names, such as `a/new.Dockerfile`");
    // An index that nobody can read may track anything.
    fs::write(folder.path().join(".git/index"), "DIRC").expect("a file");
    assert_eq!(gaps(&lint(&["--output", "json"], &folder).expect(3)), ["unread-file .git"]);
    // That matters only where something is hidden.
    fs::write(folder.path().join(".gitignore"), "/target/\n").expect("a file");
    lint(&["--exclude", "loud.*"], &folder).expect(0);
}

#[test]
fn a_rule_that_the_policy_names_and_that_cannot_look_is_a_gap() {
    let policy = |set: &str| format!("version: 1\nextends: builtin:baseline\nrules: {{ set: {{ {set} }} }}\n");
    let folder = folder(&[("Dockerfile", QUIET)]);
    let judged = |set: &str, more: &[&str]| {
        fs::write(folder.path().join("plimsoll.yaml"), policy(set)).expect("a file");
        lint(&[&["Dockerfile", "--output", "json"], more].concat(), &folder)
    };
    assert_eq!(gaps(&judged("sensitive-context-copied: fail", &[]).expect(3)), ["rule-unjudged sensitive-context-copied"]);
    assert_eq!(gaps(&judged("sensitive-context-copied: fail", &["--context", "."]).expect(0)), Vec::<String>::new());
    assert_eq!(gaps(&judged("copy-of-ignored-file: warn", &[]).expect(3)), ["rule-unjudged copy-of-ignored-file"]);
    assert_eq!(gaps(&judged("DL3026: fail", &[]).expect(3)), ["rule-unjudged untrusted-base-registry"]);
    assert_eq!(gaps(&judged("sensitive-context-copied: note, untrusted-base-registry: \"off\"", &[]).expect(0)), Vec::<String>::new());
    // A command that looks at no image is not asked about images.
    assert_eq!(gaps(&judged("tools-in-image: fail", &[]).expect(0)), Vec::<String>::new());
    fs::remove_file(folder.path().join("plimsoll.yaml")).expect("a file");
    assert_eq!(gaps(&lint(&["Dockerfile", "--output", "json"], &folder).expect(0)), Vec::<String>::new());
}

#[test]
fn a_file_that_is_too_large_to_be_mended_is_no_pass() {
    let text = format!("FROM alpine:3.22\nENV a b\n{}", format!("#{}\n", "x".repeat(1022)).repeat(8 << 10));
    let folder = folder(&[("Dockerfile", &text)]);
    let run = lint(&["--diff"], &folder).expect(3);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, "Dockerfile: it is larger than 8388608 bytes, so that nothing of it is mended\n");
    let run = lint_text(&["--fix"], text.repeat(2).as_bytes(), folder.path()).expect(2);
    assert_eq!(run.stdout, "");
    run.complains("standard input holds more than 16777216 bytes");
    // As many are read whole, and given back as they are.
    let mut whole = text.repeat(2);
    whole.truncate(16 << 20);
    let run = lint_text(&["--fix"], whole.as_bytes(), folder.path()).expect(1);
    assert!(run.stdout == whole, "{} bytes came back", run.stdout.len());
}

#[test]
fn what_is_not_there_is_named() {
    let folder = folder(&[("Dockerfile", QUIET)]);
    let run = lint(&["Dockerfile", "docker/images"], &folder).expect(2).complains("there is no file or folder `docker/images`");
    assert!(!run.stderr.contains("image is built from"), "{}", run.stderr);
}

#[test]
fn a_diff_without_changes_is_no_pass_where_something_was_not_read() {
    for (text, says) in [
        ("FROM debian:12\nFOO bar\nUSER 1\n", "Dockerfile:2: "),
        ("FROM debian:12\nSHELL [\"fish\", \"-c\"]\nRUN x\nUSER 1\n", "Dockerfile:3: "),
        ("FROM debian:12\nRUN <<EOF ${${R}\nEOF\nUSER 1\n", "Dockerfile:2: the shell code cannot be parsed\n"),
    ] {
        let folder = folder(&[("Dockerfile", text)]);
        lint(&[], &folder).expect(3);
        let run = lint(&["--diff"], &folder).expect(3);
        assert!(run.stdout.is_empty() && run.stderr.starts_with(says), "{text}: {}", run.stderr);
    }
}

#[test]
fn a_report_that_has_no_place_is_refused() {
    let folder = folder(&[("Dockerfile", QUIET)]);
    let text = b"FROM alpine:3.22\nENV a b\n";
    let run = lint_text(&["--fix", "-o", "json"], text, folder.path()).expect(2);
    assert_eq!(run.stdout, "");
    run.complains("the mended text of `-` goes to standard output, and so would the report").complains("--output FORMAT=FILE");
    let run = lint_text(&["--fix", "-o", "json=report.json"], text, folder.path());
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("FROM alpine:3.22\nENV a=b\n", ""));
    let written: Value = serde_json::from_slice(&fs::read(folder.path().join("report.json")).expect("a report")).expect("JSON");
    assert_eq!(written["fixes"][0]["applied"][0]["id"], "legacy-key-value");
    // Without any, one line says what the exit code means.
    let run = lint_text(&["--fix"], text, folder.path()).expect(1);
    assert_eq!(run.stderr, "plimsoll: note: FAIL, and no report was written; name a file for it: --output text=FILE\n");
    assert_eq!(lint_text(&["--fix"], QUIET.as_bytes(), folder.path()).expect(0).stderr, "");
    lint(&["--diff", "-o", "json=diff.json"], &folder).expect(2).complains("--diff prints the changes in the place of a report");
    assert!(!folder.path().join("diff.json").exists());
}

#[test]
fn a_list_of_packages_is_refused_where_nobody_looks_at_packages() {
    let folder = folder(&[("Dockerfile", QUIET)]);
    for format in ["cyclonedx", "cyclonedx-xml-1.5", "spdx", "spdx-json=sbom.json"] {
        let run = lint(&["Dockerfile", "-o", format], &folder).expect(2);
        assert_eq!(run.stdout, "");
        run.complains("is a list of packages, and `lint` looks at none")
            .complains("hint: formats of `lint`: github, json, junit, markdown, sarif, sarif-github, text");
    }
    assert!(!folder.path().join("sbom.json").exists());
    lint(&["Dockerfile", "-o", "pdf"], &folder).expect(2).complains("unknown output format `pdf`");
    let verify = plimsoll_with(&["verify", "oci:x", "--key", "x.pub", "-o", "spdx"], &[], folder.path());
    verify.expect(2).complains("`verify` looks at none");
}

#[test]
fn strict_judges_dockerfiles_without_signers() {
    let folder = folder(&[("Dockerfile", QUIET), ("loud.Dockerfile", "FROM alpine:3.22\nUSER root\n")]);
    lint(&["-p", "strict", "Dockerfile"], &folder).expect(0).says("policy strict");
    lint(&["-p", "strict", "loud.Dockerfile"], &folder).expect(1).says("root-user");
    for command in ["gate", "verify"] {
        let run = plimsoll_with(&[command, "oci:none", "-p", "strict"], &[], folder.path()).expect(2);
        run.complains("the strict policy needs to know who must have signed").complains("hint: write a file with");
    }
}

#[test]
fn a_frontend_of_a_build_argument_is_judged() {
    let folder = folder(&[("Dockerfile", QUIET)]);
    let told = "the build runs in the frontend evil.example/f:1, by --build-arg\n      BUILDKIT_SYNTAX";
    lint(&["Dockerfile", "--build-arg", "BUILDKIT_SYNTAX=evil.example/f:1"], &folder).expect(1).says("untrusted-frontend").says(told);
    lint(&["Dockerfile", "--build-arg", "BUILDKIT_SYNTAX=docker/dockerfile:1"], &folder).expect(0);
}

#[cfg(unix)]
#[test]
fn what_was_not_mended_is_not_promised_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let loud = "FROM alpine:3.22\nRUN apk add curl\nENV a b\nUSER 1000\nHEALTHCHECK NONE\n";
    let folder = folder(&[("Dockerfile", loud), ("linked", loud), ("other.Dockerfile", loud)]);
    lint(&["Dockerfile"], &folder).says("plimsoll lint --fix  mends 2 findings");
    fs::set_permissions(folder.path().join("Dockerfile"), fs::Permissions::from_mode(0o444)).expect("a mode");
    fs::hard_link(folder.path().join("linked"), folder.path().join("link")).expect("a link");
    let run = lint(&["--fix", "Dockerfile", "linked", "other.Dockerfile"], &folder)
        .says("the file is read-only")
        .says("the file has other names (hard links)");
    assert!(!run.stdout.contains("plimsoll lint --fix"), "{}", run.stdout);
    assert_eq!(fs::read_to_string(folder.path().join("link")).expect("a file"), loud);
    lint(&["--show", "all", "Dockerfile"], &folder).says("plimsoll lint --fix  mends 2 findings");
}

#[test]
fn a_policy_that_names_a_rule_that_is_not_there_is_refused() {
    let folder = folder(&[("Dockerfile", QUIET)]);
    let write =
        |rules: &str| fs::write(folder.path().join("plimsoll.yaml"), format!("version: 1\nname: own\nrules: {{ set: {{ {rules} }} }}\n"));
    write("latst-tag: fail").expect("a policy");
    for command in [&["lint"][..], &["policy", "check", "plimsoll.yaml"], &["scan", "oci:x"], &["gate", "oci:x"]] {
        let run = plimsoll_with(command, &[], folder.path()).expect(2);
        run.complains("the policy own sets the rule `latst-tag` under `rules.set`, and there is no such rule")
            .complains("did you mean `latest-tag`?");
    }
    // Names of other tools are names, and so are codes of ShellCheck.
    write("DL3007: fail, SC2086: note, ds-0002: warn, setuid-file: note").expect("a policy");
    lint(&[], &folder).expect(0);
}
