//! `testdata/policy/{valid,invalid}`: the reader and the JSON Schema accept and refuse the same files. An invalid file says in its first line at
//! which line and column the error stands; `schema cannot tell` marks what only the reader can see.

use std::{fs, path::Path};

use plimsoll::policy::{check, explain, load, schema_json};

fn schema() -> jsonschema::Validator {
    let schema: serde_json::Value = serde_json::from_str(schema_json()).expect("the schema is JSON");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is a schema")
}

/// The text as a reader of YAML 1.2 hands it to a validator: `off` is a word, not a truth value.
fn value(text: &str) -> Result<serde_json::Value, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(text, serde_saphyr::options! { strict_booleans: true })
}

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/policy").join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "yaml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("text")))
        .collect();
    files.sort();
    files
}

#[test]
fn valid_files_are_accepted_by_reader_and_schema() {
    let schema = schema();
    let files = files("valid");
    for (file, text) in &files {
        let policy = load::load(std::slice::from_ref(file)).or_else(|error| {
            // A file that only adds to another one is refused alone, and only for that.
            assert!(error.to_string().contains("judges nothing"), "{error}");
            load::load(&["baseline".to_owned(), file.clone()])
        });
        let policy = policy.unwrap_or_else(|error| panic!("{error}"));
        let value = value(text).expect("YAML");
        if let Err(error) = schema.validate(&value) {
            panic!("{file}: the schema refuses it: {error} at {}", error.instance_path());
        }
        assert!(explain(&policy).ends_with('\n'));
        let _ = check(&policy, jiff::Timestamp::UNIX_EPOCH);
    }
    assert!(files.len() >= 12, "only {} files", files.len());
}

#[test]
fn invalid_files_are_refused_at_their_place_by_reader_and_schema() {
    let schema = schema();
    let mut wrong = Vec::new();
    let files = files("invalid");
    for (file, text) in &files {
        let first = text.lines().next().unwrap_or_default();
        let expected = first.strip_prefix("# ").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
        match load::load(std::slice::from_ref(file)) {
            Ok(_) => wrong.push(format!("{file}: accepted")),
            Err(error) => {
                let place = error.place().map(|place| format!("{}:{}", place.line, place.column)).unwrap_or_default();
                if place != expected {
                    wrong.push(format!("{file}: expected {expected}: {error}"));
                }
                if !error.to_string().starts_with(file.as_str()) {
                    wrong.push(format!("{file}: the message does not begin with the file: {error}"));
                }
            }
        }
        let cannot_tell = first.contains("schema cannot tell");
        let accepts = value(text).is_ok_and(|value| schema.is_valid(&value));
        if accepts != cannot_tell {
            wrong.push(format!("{file}: the schema {} it", if accepts { "accepts" } else { "refuses" }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(files.len() >= 40, "only {} files", files.len());
}

#[test]
fn built_ins_load_and_fit_the_schema() {
    let schema = schema();
    for (name, text) in load::BUILTINS {
        let value = value(text).expect("YAML");
        assert!(schema.is_valid(&value), "{name}");
    }
    let baseline = load::builtin("baseline").expect("baseline");
    assert_eq!(load::load(&[]).expect("default").digest, baseline.digest);
    assert_eq!(load::load(&["baseline".to_owned()]).expect("bare name").digest, baseline.digest);
    assert_eq!(check(&baseline, jiff::Timestamp::UNIX_EPOCH), []);
    let error = load::builtin("strict").expect_err("no signers yet");
    assert!(error.hint().is_some_and(|hint| hint.contains("signers")), "{error}");
    assert!(load::builtin("none").is_err());
}

#[test]
fn files_merge_in_order_and_a_final_one_is_not_loosened() {
    let folder = tempfile::tempdir().expect("folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let signer =
        "signers: { ci: { keyless: { issuer: 'https://issuer.example', identity: 'ci@acme.example' } } }\nsignatures: [{ any_of: [ci] }]\n";
    let rules = "rules:\n  inline_ignores: { until_max: 30d }\n  settings:\n    untrusted-base-registry: { allow: [ docker.io ] }\n    \
                 labels: { source: url }\n    strict_labels: true\n";
    let base = write("base.yaml", &format!("version: 1\nextends: builtin:strict\nname: base\nfinal: true\n{rules}{signer}"));
    let policy = load::load(&["baseline".to_owned(), base.clone()]).expect("merged");
    assert_eq!(policy.name, "base");
    assert_eq!(policy.exceptions.max_days, Some(30));
    assert_eq!(policy.files.iter().filter(|(file, _)| file == "builtin:baseline").count(), 1);
    assert_eq!(
        policy.fail.iter().map(|clause| clause.id.as_str()).collect::<Vec<_>>(),
        ["exploited", "fixable-high", "likely-exploited", "high", "fixable-medium"]
    );
    // A shared base is applied once: naming it again later loosens nothing.
    let again = load::load(&[base.clone(), "baseline".to_owned()]).expect("merged");
    assert_eq!(again.exceptions.max_days, Some(30));
    for loosening in [
        "mode: audit",
        "severity: { unknown_as: low }",
        "severity: { source: vendor }",
        "rules: { set: { root-user: off } }",
        "rules: { inline_ignores: { security: allow } }",
        "rules: { inline_ignores: { until_max: 31d } }",
        "rules: { settings: { untrusted-base-registry: { allow: [ quay.io ] } } }",
        "rules: { settings: { untrusted-frontend: { allow: [ quay.io ] } } }",
        "rules: { settings: { setuid-file: { allow: [ /usr/bin/su ] } } }",
        "rules: { settings: { labels: { source: text } } }",
        "rules: { settings: { strict_labels: false } }",
        "rules: { settings: { hadolint: { security: honour } } }",
        "evidence: { database_max_age: 30d }",
        "evidence: { gaps: { default: warn } }",
        "evidence: { gaps: { stale: ignore } }",
        "exceptions: { max_days: 365 }",
        "exceptions: { unused: ignore }",
        "inspector_suppressions: honour",
        "end_of_life: { distro: warn }",
        "signers: { ci: { keyless: { issuer: 'https://evil.example', identity: 'x' } } }",
        "references: { 'mirror.example/a': 'registry.example/a' }",
        "trust: { root: github }",
    ] {
        let later = write("later.yaml", &format!("version: 1\nextends: base.yaml\n{loosening}\n"));
        let error = load::load(std::slice::from_ref(&later)).expect_err(loosening);
        assert!(error.to_string().contains("cannot be loosened") && error.to_string().starts_with(&later), "{error}");
    }
    let tighter =
        write("tighter.yaml", "version: 1\nextends: base.yaml\nexceptions: { max_days: 7 }\nseverity: { unknown_as: critical }\n");
    assert_eq!(load::load(&[tighter]).expect("tightened").exceptions.max_days, Some(7));
    let circle = write("circle.yaml", "version: 1\nextends: circle.yaml\n");
    assert!(load::load(&[circle]).expect_err("a circle").to_string().contains("circle"));
}

#[test]
fn the_digest_follows_the_meaning() {
    let digest = |text: &str| super::world::policy(text).expect("policy").digest;
    let one = digest("version: 1\nfindings: { fail: [{ kev: true }] }\nrules: { set: { a: fail, b: off } }\n");
    let same = digest("# A comment\nversion: 1\nrules:\n  set: { b: off, a: fail }\nfindings:\n  fail:\n    - kev: true\n");
    assert_eq!(one, same);
    assert_ne!(one, digest("version: 1\nfindings: { fail: [{ kev: false }] }\nrules: { set: { a: fail, b: off } }\n"));
}

#[test]
fn a_policy_that_judges_nothing_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let load_text = |text: &str| {
        let file = folder.path().join("p.yaml");
        fs::write(&file, format!("version: 1\n{text}\n")).expect("written");
        load::load(&[file.display().to_string()])
    };
    for text in
        ["", "findings: { fail: [], warn: [ { severity: high } ] }", "rules: { set: { root-user: warn } }", "end_of_life: { distro: warn }"]
    {
        assert!(load_text(text).expect_err(text).to_string().contains("judges nothing"), "{text}");
    }
    for text in [
        "findings: { at_most: { high: 0 } }",
        "rules: { set: { root-user: fail } }",
        "end_of_life: { distro: fail }",
        "evidence: { require: [offline] }",
    ] {
        assert!(load_text(text).is_ok(), "{text}");
    }
    let name = |text: &str| load_text(text).expect(text).name;
    assert_eq!(name("extends: builtin:baseline"), "unnamed (extends baseline)");
    assert_eq!(name("extends: builtin:baseline\nname: harbour"), "harbour");
}

#[test]
fn keys_are_read_beside_the_policy() {
    let folder = tempfile::tempdir().expect("folder");
    let pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n";
    fs::write(folder.path().join("release.pub"), pem).expect("written");
    fs::write(folder.path().join("secret.pem"), "-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n").expect("written");
    let load_with = |key: &str| {
        let file = folder.path().join("p.yaml");
        fs::write(&file, format!("version: 1\nsigners: {{ release: {{ key: {key} }} }}\nsignatures: [{{ any_of: [release] }}]\n"))
            .expect("written");
        load::load(&[file.display().to_string()])
    };
    let policy = load_with("release.pub").expect("key read");
    assert_eq!(policy.files.len(), 2);
    assert!(load_with("secret.pem").expect_err("private key").to_string().contains("private key"));
    assert!(load_with("none.pub").expect_err("no file").to_string().contains(":2:"));
}
