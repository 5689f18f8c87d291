//! What besides the Dockerfile decides: the folder of a build, settings of the policy, in-file ignores, a configuration of hadolint.

use std::{fs, path::Path};

use tempfile::TempDir;

use crate::program::{Run, plimsoll_with};

struct Folder(TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        files.iter().for_each(|(path, text)| folder.write(path, text));
        folder
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn lint(&self, more: &[&str]) -> Run {
        self.lint_with(more, &[])
    }

    fn lint_with(&self, more: &[&str], environment: &[(&str, &str)]) -> Run {
        let args: Vec<&str> = ["lint", "Dockerfile", "--output", "json"].iter().chain(more).copied().collect();
        plimsoll_with(&args, environment, self.path())
    }
}

/// Effect, id, line and the place of what silenced each finding.
fn findings(run: &Run) -> Vec<String> {
    let report: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", run.stdout, run.stderr));
    let all = report["findings"].as_array().expect("findings");
    all.iter()
        .map(|finding| {
            format!("{} {}", finding["decision"]["effect"].as_str().unwrap_or_default(), finding["id"].as_str().unwrap_or_default())
        })
        .collect()
}

fn has(run: &Run, wanted: &str) -> bool {
    findings(run).iter().any(|finding| finding == wanted)
}

const COPIES: &str = "FROM alpine:3.22\nCOPY . /app\nCOPY dist/a /app/\nUSER 1000\n";

#[test]
fn a_folder_says_what_is_copied() {
    let folder =
        Folder::with(&[("Dockerfile", COPIES), (".dockerignore", "dist\n"), (".git/config", "x"), (".env", "API_TOKEN=q7Rw4qvTz2\n")]);
    let without = folder.lint(&[]);
    assert!(!has(&without, "violation sensitive-context-copied") && without.stdout.contains("rules.need-context"));
    let with = folder.lint(&["--context", "."]).expect(1);
    assert!(has(&with, "violation sensitive-context-copied") && has(&with, "warning copy-of-ignored-file"), "{:?}", findings(&with));
    assert!(!with.stdout.contains("q7Rw4qvTz2"));
    folder.write("Dockerfile.dockerignore", ".git\n.env\n");
    let own = folder.lint(&["--context", "."]);
    assert!(
        !own.stdout.contains("\"sensitive-context-copied\"") && !own.stdout.contains("\"copy-of-ignored-file\""),
        "{:?}",
        findings(&own)
    );
    folder.write("Dockerfile.dockerignore", "[\n");
    assert!(folder.lint(&["--context", "."]).expect(3).stdout.contains("ignore-file"));
    assert!(folder.lint(&["--context", "none"]).expect(2).stderr.contains("--context DIR"));
}

#[test]
fn a_policy_tells_rules_what_they_need() {
    let text = "ARG IMAGE\nFROM quay.io/x/y:1.2 AS a\nFROM ${IMAGE} AS b\nFROM alpine:3.22\nLABEL source=here\nUSER 1000\n";
    let settings = "untrusted-base-registry: { allow: [ docker.io ] }, labels: { source: url, team: text }";
    let policy = format!("version: 1\nextends: builtin:baseline\nrules: {{ settings: {{ {settings} }} }}\n");
    let folder = Folder::with(&[("Dockerfile", text), ("plimsoll.yaml", &policy)]);
    let run = folder.lint(&[]).expect(1);
    for wanted in ["violation untrusted-base-registry", "noted label-missing", "noted label-not-url"] {
        assert!(has(&run, wanted), "{wanted}: {:?}", findings(&run));
    }
    assert!(run.stdout.contains("unresolved-base"));
    assert!(!folder.lint(&["--build-arg", "IMAGE=alpine:3.22"]).stdout.contains("unresolved-base"));
    let said = plimsoll_with(&["policy", "explain"], &[], folder.path()).expect(0);
    let said = said.says("Base images may come from docker.io").says("Images have the labels source (url), team (text)");
    drop(said);
}

#[test]
fn an_ignore_that_has_ended_is_told_once() {
    let text = "FROM alpine:3.22\n# plimsoll ignore=root-user until=2020-01-01 reason=gosu\nUSER root\n# plimsoll ignore=sudo-in-run until=2020-01-01\nRUN a\n";
    let folder = Folder::with(&[("Dockerfile", text)]);
    let run = folder.lint(&[]).expect(1);
    let found = findings(&run);
    let count = |wanted: &str| found.iter().filter(|finding| finding.ends_with(wanted)).count();
    assert_eq!((count("exception-expired"), count("inline-ignore-unused")), (1, 1), "{found:?}");
    assert!(has(&run, "violation root-user"), "{found:?}");
}

const HADOLINT: &str = "ignored: [DL3002, DL3008]\noverride:\n  error: [DL4000]\ntrustedRegistries: [docker.io]\nfailure-threshold: error\nno-fail: true\nfromat: x\n";

#[test]
fn a_configuration_of_hadolint_is_obeyed_where_there_is_no_policy() {
    let text = "FROM quay.io/x/y:1.2\nMAINTAINER somebody\nUSER root\n";
    let folder = Folder::with(&[("Dockerfile", text), (".hadolint.yaml", HADOLINT)]);
    let run = folder.lint(&[]).expect(1);
    assert!(
        has(&run, "suppressed root-user") && has(&run, "violation maintainer-deprecated") && has(&run, "violation untrusted-base-registry"),
        "{:?}",
        findings(&run)
    );
    assert!(run.stdout.contains("\".hadolint.yaml\""), "{}", run.stdout);
    assert!(run.stderr.contains("`no-fail` is not obeyed") && run.stderr.contains(".hadolint.yaml:7: `fromat`"), "{}", run.stderr);
    assert!(has(&folder.lint(&["--no-hadolint-config"]).expect(1), "violation root-user"));
    assert!(has(&folder.lint(&["--policy", "baseline"]).expect(1), "violation root-user"));
    assert!(has(&folder.lint(&["--policy", "baseline", "--hadolint-config", ".hadolint.yaml"]).expect(1), "suppressed root-user"));
    let variables = [("HADOLINT_IGNORE", "DL4000,DL3026"), ("HADOLINT_FAILURE_THRESHOLD", "none")];
    folder.lint_with(&[], &variables).expect(0);
    folder.write(".hadolint.yaml", "ignored: DL3002\n");
    assert!(folder.lint(&[]).expect(2).stderr.contains(".hadolint.yaml:1:10"));
    fs::remove_file(folder.path().join(".hadolint.yaml")).expect("removed");
    folder.write("no-home/.config/hadolint.yml", "ignored: [DL3002]\n");
    assert!(has(&folder.lint(&[]), "suppressed root-user"));
}

#[test]
fn in_the_gate_it_silences_no_security_rule() {
    let folder =
        Folder::with(&[("Dockerfile", "FROM alpine:3.22\nMAINTAINER a\nUSER root\n"), (".hadolint.yaml", "ignored: [DL3002, DL4000]\n")]);
    let image = format!("oci:{}:v1", crate::program::testdata("images/fixed").display());
    let gate = |more: &[&str]| {
        let args: Vec<&str> = ["gate", image.as_str(), "-f", "Dockerfile", "--no-offline", "--output", "json", "--no-cache"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        plimsoll_with(&args, &[], folder.path())
    };
    let run = gate(&[]);
    assert!(has(&run, "violation root-user") && has(&run, "suppressed maintainer-deprecated"), "{:?}", findings(&run));
    assert!(run.stdout.contains("cannot silence a rule about security"));
    folder.write("p.yaml", "version: 1\nextends: builtin:baseline\nrules: { settings: { hadolint: { security: honour } } }\n");
    let honoured = gate(&["--policy", "p.yaml", "--hadolint-config", ".hadolint.yaml"]);
    assert!(has(&honoured, "suppressed root-user"), "{:?}", findings(&honoured));
}

#[test]
fn commands_that_judge_nothing_take_no_settings() {
    let image = format!("oci:{}:v1", crate::program::testdata("images/fixed").display());
    let run = plimsoll_with(&["inventory", image.as_str(), "--context", "."], &[], &crate::program::root()).expect(2);
    assert!(run.stderr.contains("--context is for judging"), "{}", run.stderr);
}

#[test]
fn a_named_root_is_told_by_a_rule_that_is_on() {
    let folder = Folder::with(&[("Dockerfile", "FROM alpine:3.22\nUSER root\n")]);
    let policy =
        |set: &str| folder.write("policy.yaml", &format!("version: 1\nextends: builtin:baseline\nrules: {{ set: {{ {set} }} }}\n"));
    let judged =
        || findings(&folder.lint(&["--policy", "policy.yaml"])).into_iter().filter(|finding| finding.contains("-user")).collect::<Vec<_>>();
    policy("root-user: fail, named-user: fail");
    assert_eq!(judged(), ["violation root-user"]);
    policy("root-user: \"off\", named-user: fail");
    assert_eq!(judged(), ["suppressed root-user", "violation named-user"]);
    // Of several names of one rule the strongest setting counts.
    policy("root-user: \"off\", DL3002: fail, named-user: fail");
    assert_eq!(judged(), ["violation root-user"]);
    folder.write(".hadolint.yaml", "ignored: [DL3002]\n");
    let of_hadolint = findings(&folder.lint(&[]));
    assert!(of_hadolint.iter().any(|finding| finding.ends_with(" named-user")), "{of_hadolint:?}");
}
