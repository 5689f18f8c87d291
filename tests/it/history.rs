//! Images without a Dockerfile: what their configuration and history say is judged by the Dockerfile's rules, and told apart by side.

use std::fs;

use serde_json::{Value, json};

use crate::{
    hostile::{
        layout::{Blob, Layout, base, gzip},
        tars::Tar,
    },
    program::{Run, plimsoll},
};

/// The rules that these tests are about.
const RULES: [&str; 7] = [
    "apk-allow-untrusted",
    "curl-insecure",
    "node-tls-verify-disabled",
    "secret-in-arg",
    "secret-in-env",
    "secret-literal",
    "unneeded-file",
];
const BUILDKIT: &str = "buildkit.dockerfile.v0";

fn layer(name: &str) -> Blob {
    gzip(Tar::new().file(format!("srv/{name}"), "x").end())
}

/// An image of Alpine with one layer for each of the names above it, and the history and configuration that `change` makes.
fn image(names: &[&str], change: impl FnOnce(&mut Value)) -> Layout {
    let layout = Layout::new();
    let layers: Vec<Blob> = std::iter::once(base()).chain(names.iter().map(|name| layer(name))).collect();
    let (manifest, _) = layout.manifest(&layers, change);
    layout.index_of(manifest.to_string().as_bytes(), |_| {});
    layout
}

fn entry(created_by: &str, is_empty: bool) -> Value {
    json!({ "created_by": created_by, "empty_layer": is_empty, "comment": BUILDKIT })
}

fn gate(layout: &Layout, more: &[&str]) -> Run {
    let image = format!("oci:{}", layout.path().display());
    plimsoll(&[&["gate", &image, "--policy", "tests/real/any-age.yaml", "--advisories=testdata/advisory/osv", "--no-cache"], more].concat())
}

fn report(layout: &Layout, more: &[&str]) -> Value {
    serde_json::from_str(&gate(layout, &[&["--output", "json"], more].concat()).stdout).expect("JSON")
}

/// The rules that fire, each with its first location's kind and index.
fn rules(report: &Value) -> Vec<String> {
    let findings = report["findings"].as_array().expect("findings").iter();
    let mut rules: Vec<String> = findings
        .filter(|finding| finding["kind"] == "rule")
        .map(|finding| {
            let location = &finding["locations"][0];
            let index = location["index"].as_u64().map_or_else(String::new, |index| index.to_string());
            format!("{} {}{index}", finding["id"].as_str().expect("id"), location["kind"].as_str().expect("kind"))
        })
        .collect();
    rules.sort();
    rules.retain(|rule| RULES.iter().any(|id| rule.starts_with(&format!("{id} "))));
    rules
}

fn history() -> Value {
    json!([
        entry("ADD alpine.tar / # buildkit", false),
        entry("CMD [\"/bin/sh\"]", true),
        entry("ENV NODE_TLS_REJECT_UNAUTHORIZED=0 API_TOKEN=kz7Rw4qvT", true),
        entry("RUN |1 NPM_TOKEN=kz7Rw4qvX /bin/sh -c curl -k https://x.dev/a # buildkit", false),
        entry("RUN |1 NPM_TOKEN=kz7Rw4qvX /bin/sh -c apk add --allow-untrusted x.apk # buildkit", false),
    ])
}

#[test]
fn an_image_without_a_dockerfile_is_judged_by_what_its_builder_wrote_down() {
    let layout = image(&["a", "b"], |config| {
        config["history"] = history();
        config["config"] = json!({ "User": "10001", "Env": ["NODE_TLS_REJECT_UNAUTHORIZED=0", "API_TOKEN=kz7Rw4qvT"] });
    });
    let report = report(&layout, &[]);
    let expected = [
        "apk-allow-untrusted history4",
        "curl-insecure history3",
        "node-tls-verify-disabled config",
        "secret-in-arg history3",
        "secret-in-env config",
    ];
    assert_eq!(rules(&report), expected, "{report}");
    assert!(!report.to_string().contains("kz7Rw4qv"), "no value is repeated");
    let finding = report["findings"].as_array().expect("findings").iter().find(|one| one["id"] == "curl-insecure").expect("finding");
    assert_eq!(finding["locations"][0]["layer"], report["image"]["layers"][1]["digest"]);
    assert!(finding["title"].as_str().is_some_and(|title| title.ends_with("(from image history)")), "{finding}");
    let text = gate(&layout, &[]).expect(1).stdout;
    assert!(text.contains("curl-insecure") && text.contains("history entry"), "{text}");
}

#[test]
fn what_the_base_image_brought_is_the_bases() {
    let layers = |count: usize| {
        image(["a", "b"].get(..count).expect("layers"), |config| {
            let entries = history().as_array().expect("history").iter().take(if count == 2 { 5 } else { 4 }).cloned().collect::<Vec<_>>();
            config["history"] = entries.into();
            config["config"] = json!({ "User": "10001" });
        })
    };
    let (whole, below) = (layers(2), layers(1));
    let base = format!("oci:{}", below.path().display());
    let folder = tempfile::tempdir().expect("folder");
    let policy = folder.path().join("own.yaml");
    fs::write(&policy, "version: 1\nevidence: { gaps: { default: ignore } }\nrules: { fail: [ { group: security, origin: own } ] }\n")
        .expect("policy");
    let title = |report: &Value, id: &str| {
        let findings = report["findings"].as_array().expect("findings");
        findings.iter().find(|one| one["id"] == id).and_then(|one| one["title"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let image = format!("oci:{}", whole.path().display());
    let args =
        ["gate", &image, "--base", &base, "--policy", policy.to_str().expect("UTF-8"), "--no-offline", "--no-cache", "--output", "json"];
    let report: Value = serde_json::from_str(&plimsoll(&args).expect(1).stdout).expect("JSON");
    let effect = |id: &str| {
        let findings = report["findings"].as_array().expect("findings");
        findings.iter().find(|one| one["id"] == id).map(|one| one["decision"]["effect"].clone()).unwrap_or_default()
    };
    assert_eq!((effect("curl-insecure"), effect("apk-allow-untrusted")), ("noted".into(), "violation".into()), "{report}");
    assert!(title(&report, "curl-insecure").contains("the base image's"), "{report}");
    assert!(title(&report, "apk-allow-untrusted").ends_with("(from image history)"), "{report}");
}

#[test]
fn a_dockerfile_speaks_for_its_image_and_another_does_not() {
    let layout = image(&["a", "b"], |config| {
        config["history"] = history();
        config["config"] = json!({ "User": "10001" });
    });
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("Dockerfile");
    let own = "FROM alpine:3.20\nARG X\nRUN curl -k https://x.dev/a\nRUN apk add --allow-untrusted x.apk\nUSER 10001\n";
    fs::write(&file, own).expect("Dockerfile");
    let name = file.to_str().expect("UTF-8");
    let told = report(&layout, &["--dockerfile", name]);
    let found = rules(&told);
    assert!(
        found.contains(&"curl-insecure dockerfile".to_owned()) && !found.iter().any(|rule| rule.starts_with("curl-insecure history")),
        "{found:?}"
    );
    assert!(!told["gaps"].to_string().contains("dockerfile-differs"), "{told}");
    fs::write(&file, "FROM alpine:3.20\nRUN make\nUSER 10001\n").expect("Dockerfile");
    let told = report(&layout, &["--dockerfile", name]);
    assert!(told["gaps"].to_string().contains("dockerfile-differs"), "{told}");
    assert!(rules(&told).contains(&"curl-insecure history3".to_owned()), "{told}");
}

#[test]
fn a_history_that_does_not_fit_its_layers_names_none() {
    let layout = image(&["a"], |config| {
        config["history"] = history();
        config["config"] = json!({ "User": "10001" });
    });
    let report = report(&layout, &[]);
    let finding = report["findings"].as_array().expect("findings").iter().find(|one| one["id"] == "curl-insecure").expect("finding");
    assert_eq!(finding["locations"], json!([{ "kind": "history", "index": 3 }]));
}

#[test]
fn hostile_histories_get_an_answer() {
    for text in
        ["$(".repeat(200_000), format!("RUN /bin/sh -c {}", "x ".repeat(1_000_000)), "RUN |99999 ".to_owned() + &"A=1 ".repeat(100_000)]
    {
        let layout = image(&[], |config| {
            config["history"] = json!([entry("ADD alpine.tar /", false), entry(&text, true)]);
            config["config"] = json!({ "User": "10001" });
        });
        let report = report(&layout, &[]);
        assert!(report["verdict"]["outcome"].is_string(), "{report}");
    }
    let layout = image(&[], |config| {
        config["history"] = (0..10_000).map(|at| entry(&format!("RUN /bin/sh -c make {at}"), true)).collect::<Vec<_>>().into();
        config["config"] = json!({ "User": "10001" });
    });
    assert!(rules(&report(&layout, &[])).is_empty());
}

#[test]
fn files_that_nobody_needs_are_told_where_the_policy_asks() {
    let layout = Layout::new();
    let top = gzip(
        Tar::new().file("app/.git/HEAD", "ref: x\n").file("app/Dockerfile", "FROM a\n").file("app/node_modules/y/Dockerfile", "x").end(),
    );
    let (manifest, _) = layout.manifest(&[base(), top], |config| config["config"] = json!({ "User": "10001" }));
    layout.index_of(manifest.to_string().as_bytes(), |_| {});
    let folder = tempfile::tempdir().expect("folder");
    let policy = folder.path().join("policy.yaml");
    fs::write(&policy, "version: 1\nfindings: { fail: [ { severity: critical } ] }\nrules: { set: { DKL-LI-0003: warn } }\nevidence: { gaps: { default: ignore } }\n").expect("policy");
    let image = format!("oci:{}", layout.path().display());
    let run = |policy: &str| {
        let run = plimsoll(&["gate", &image, "--policy", policy, "--no-offline", "--no-cache", "--output", "json"]);
        rules(&serde_json::from_str(&run.stdout).expect("JSON"))
    };
    assert_eq!(run(policy.to_str().expect("UTF-8")), ["unneeded-file image", "unneeded-file image"]);
    assert!(run("tests/real/any-age.yaml").is_empty());
}

#[test]
fn lint_says_which_rules_could_not_look() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("Dockerfile");
    fs::write(&file, "FROM mcr.microsoft.com/windows/nanoserver:1809\nRUN dir\nUSER ContainerUser\n").expect("Dockerfile");
    let name = file.to_str().expect("UTF-8");
    let text = plimsoll(&["lint", name]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("did not run: ") && text.contains("the built image"), "{text}");
    assert!(text.contains("rules about security saw only a part of the shell code"), "{text}");
    let report: Value = serde_json::from_str(&plimsoll(&["lint", name, "--output", "json"]).stdout).expect("JSON");
    let details = &report["sources"][0]["details"];
    assert!(
        details["rules.need-image"].as_str().is_some_and(|ids| ids.contains("setuid-file") && !ids.contains("unneeded-file")),
        "{report}"
    );
    assert!(details["rules.ran"].is_string() && details["rules.off"].is_string(), "{report}");
}
