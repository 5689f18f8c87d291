//! Signatures end to end: the fixture cases over a registry in memory, judged as a policy would.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use plimsoll::{
    model::{
        attestation::{SignerIdentity, Verification},
        digest::Digest,
    },
    verify::{Limits, Trust, TrustedKey, fingerprint_of_pem},
};
use serde_json::{Value, json};

use crate::registry_in_memory::{BUNDLE, EMPTY, Referrers, Repository, codes, descriptor, image, read_json, verify, verify_with};

/// Judges a case the way a policy would; the code when it refuses.
fn judge(case: &Value, all: &[Verification]) -> Result<(), String> {
    let fingerprints: BTreeSet<String> = keys_of(case)
        .map(|name| {
            fingerprint_of_pem(&fs::read_to_string(Path::new(case["folder"].as_str().expect("folder")).join(name)).expect("key"))
                .expect("key")
        })
        .collect();
    let mut outcome = Ok(());
    for facts in all {
        let claims: Vec<_> = if case["mode"] == "signature" {
            facts.signatures.iter().collect()
        } else {
            facts.attestations.iter().filter(|one| case["predicate_type"] == *one.predicate_type).map(|one| &one.signature).collect()
        };
        let mut unmet = None;
        let mut signers = BTreeSet::new();
        for claim in claims {
            let problem = match &claim.signer {
                SignerIdentity::Key { fingerprint } => (!fingerprints.contains(fingerprint)).then_some("unmet.signer"),
                SignerIdentity::Keyless { issuer, subject, extensions } => {
                    let repository = case["require"]["source_repo"].as_str().and_then(|uri| uri.strip_prefix("https://github.com/"));
                    if case["identity_regexp"].is_string() {
                        Some("policy-error")
                    } else if case["issuer"] != **issuer {
                        Some("unmet.issuer")
                    } else if case["identity"] != **subject {
                        Some("unmet.identity")
                    } else if repository.is_some() && repository != extensions.get("repository").map(String::as_str) {
                        Some("unmet.extension")
                    } else if !claim.logged {
                        Some("unmet.log")
                    } else {
                        None
                    }
                }
            };
            let wanted = case["annotations"].as_object().into_iter().flatten();
            let missing = wanted.into_iter().any(|(name, value)| claim.annotations.get(name).map(String::as_str) != value.as_str());
            match problem.or(missing.then_some("unmet.annotation")) {
                Some(code) => unmet = Some(code),
                None => _ = signers.insert(claim.signer.clone()),
            }
        }
        let threshold = usize::try_from(case["threshold"].as_u64().unwrap_or(1)).expect("small");
        if signers.len() < threshold {
            let other = if case["mode"] == "signature" { "absent.attestation" } else { "absent.signature" };
            let facts: Vec<&str> = codes(facts).into_iter().filter(|code| *code != other).collect();
            let code = match unmet {
                _ if !signers.is_empty() => "unmet.threshold".to_owned(),
                Some(code) => code.to_owned(),
                None if facts.is_empty() => "absent.predicate-type".to_owned(),
                None => facts.join("+"),
            };
            outcome = Err(code);
        }
    }
    outcome
}

fn keys_of(case: &Value) -> impl Iterator<Item = &str> {
    case["key"].as_str().into_iter().chain(case["keys"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Everything that the case asks about: the image, or every child when it says `recursive`.
fn verify_case(folder: &Path, case: &Value, manner: Referrers, references: &BTreeMap<String, String>) -> Vec<Verification> {
    let (name, tag) = case["image"].as_str().expect("image").split_once(':').expect("tag");
    let repo = Repository::of_fixtures(folder, name, tag, manner);
    let trust = Trust {
        keys: keys_of(case).map(|key| TrustedKey::parse(key, fs::read_to_string(folder.join(key)).expect("key")).expect("key")).collect(),
        trusted_root: case["trusted_root"].as_str().map(|root| fs::read(folder.join(root)).expect("root")),
    };
    let root = repo.manifest(&repo.root);
    let body: Value = serde_json::from_slice(&root.bytes).expect("manifest");
    let reference = format!("{}/{name}:{tag}", case["registry"].as_str().unwrap_or("127.0.0.1:5000"));
    let run = |digest: &Digest, index: Option<&Digest>| {
        verify_with(&repo, trust.clone(), references.clone(), Limits::default(), &image(&reference, digest, index.cloned()))
    };
    match body["manifests"].as_array() {
        Some(children) => {
            let children: Vec<Digest> = children.iter().map(|child| descriptor(child).digest).collect();
            let wanted = if case["recursive"] == true { children.len() } else { 1 };
            children.iter().take(wanted).map(|child| run(child, Some(&root.digest))).collect()
        }
        None => vec![run(&root.digest, None)],
    }
}

/// Runs every case of a folder; gives the lines that are wrong.
fn run_cases(folder: &Path, manner: Referrers) -> (usize, Vec<String>) {
    let cases = read_json(&folder.join("cases.json"));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in cases["cases"].as_array().expect("cases") {
        let mut case = case.clone();
        case["folder"] = json!(folder);
        case["registry"] = cases["registry"].clone();
        let id = case["id"].as_str().expect("id").to_owned();
        let reason = case["reason"].as_str().unwrap_or("pass").to_owned();
        // What an attestation says inside is judged by `policy`; here it only has to be found genuine.
        let predicate = case["mode"] == "attestation" && reason.starts_with("unmet.");
        let expected = if predicate { "pass".to_owned() } else { reason };
        let facts = verify_case(folder, &case, manner, &BTreeMap::new());
        let got = judge(&case, &facts).err().unwrap_or_else(|| "pass".to_owned());
        count += 1;
        let note = if predicate { " (the rest is policy's)" } else { "" };
        let right = got == expected;
        eprintln!("{} {id:<40} expected {expected:<26} got {got}{note}", if right { "  " } else { "!!" });
        if !right {
            wrong.push(format!("{id}: expected {expected}, got {got}: {:?} {:?}", facts[0].faults, facts[0].gaps));
        }
    }
    (count, wrong)
}

pub(crate) fn own_fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/verify/fixtures")
}

#[test]
fn fixtures_of_the_tree_come_out_as_they_say() {
    for manner in [Referrers::Api, Referrers::FallbackTag] {
        let (count, wrong) = run_cases(&own_fixtures(), manner);
        assert_eq!(count, 24);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn all_fixtures_of_the_corpus_come_out_as_they_say() {
    let Some(folder) =
        std::env::var_os("PLIMSOLL_CORPUS").map(|root| Path::new(&root).join("corpus/signing/fixtures")).filter(|f| f.is_dir())
    else {
        eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        return;
    };
    for manner in [Referrers::Api, Referrers::FallbackTag] {
        let (count, wrong) = run_cases(&folder, manner);
        assert_eq!(count, 80);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_reference_that_the_policy_maps_is_taken() {
    let folder = own_fixtures();
    let cases = read_json(&folder.join("cases.json"));
    let mut case =
        cases["cases"].as_array().expect("cases").iter().find(|c| c["id"] == "k07-docker-reference-mismatch").expect("k07").clone();
    case["folder"] = json!(folder);
    let map = BTreeMap::from([("127.0.0.1:5000/k-reference".to_owned(), "registry.example.test/other/repo".to_owned())]);
    assert_eq!(judge(&case, &verify_case(&folder, &case, Referrers::Api, &map)), Ok(()));
    let other = BTreeMap::from([("127.0.0.1:5000/k-other".to_owned(), "registry.example.test/other/repo".to_owned())]);
    assert_eq!(judge(&case, &verify_case(&folder, &case, Referrers::Api, &other)), Err("invalid.reference".to_owned()));
}

#[test]
fn a_keyless_signature_without_a_trusted_root_is_a_gap() {
    let folder = own_fixtures();
    let repo = Repository::of_fixtures(&folder, "b-ok", "v1", Referrers::Api);
    let digest = Digest::parse(&repo.root).expect("digest");
    assert_eq!(codes(&verify(&repo, "127.0.0.1:5000/b-ok", &digest)), BTreeSet::from(["unchecked.trust-root"]));
}

#[test]
fn a_changed_byte_never_changes_what_is_accepted() {
    let folder = own_fixtures();
    let repo = Repository::of_fixtures(&folder, "b-ok", "v1", Referrers::Api);
    let digest = Digest::parse(&repo.root).expect("digest");
    let trust = Trust { keys: Vec::new(), trusted_root: Some(fs::read(folder.join("trusted_root.json")).expect("root")) };
    let run = |repo: &Repository| {
        verify_with(repo, trust.clone(), BTreeMap::new(), Limits::default(), &image("127.0.0.1:5000/b-ok", &digest, None))
    };
    let good = run(&repo);
    let referrer = descriptor(&repo.referrers[&digest.to_string()][0]);
    let manifest: Value = serde_json::from_slice(&repo.blobs[&referrer.digest.to_string()]).expect("manifest");
    let bundle = repo.blobs[manifest["layers"][0]["digest"].as_str().expect("digest")].clone();
    let (mut accepted, mut tried) = (0, 0);
    for at in (0..bundle.len()).step_by(11) {
        let mut bad = bundle.clone();
        bad[at] ^= 1;
        let mut repo = Repository { referrers: BTreeMap::new(), ..repo.clone() };
        repo.put_referrer(&digest, BUNDLE, &bad, EMPTY);
        let facts = run(&repo);
        tried += 1;
        assert!(facts.attestations.is_empty());
        for signature in &facts.signatures {
            accepted += 1;
            assert_eq!(
                (&signature.signer, &signature.subject, &signature.time),
                (&good.signatures[0].signer, &digest, &good.signatures[0].time),
                "byte {at}"
            );
            assert_eq!(
                (&signature.annotations, signature.logged, &signature.checks),
                (&good.signatures[0].annotations, true, &good.signatures[0].checks)
            );
        }
        assert!(!facts.signatures.is_empty() || !facts.faults.is_empty() || !facts.gaps.is_empty(), "byte {at} is silent");
    }
    eprintln!("{accepted} of {tried} changed bytes carry no meaning");
}
