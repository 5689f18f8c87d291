//! Where signatures are looked for, and what happens when a place is missing, odd, slow or too large.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use plimsoll::{
    model::attestation::{Place, SignerIdentity},
    verify::{Limits, fingerprint_of_pem},
};
use serde_json::json;

use crate::{
    key_bundles::key_bundle,
    registry_in_memory::{BUNDLE, EMPTY, INDEX, MANIFEST, PUBLIC, Referrers, Repository, codes, image, our_key, verify, verify_with},
    sign_image,
};

#[test]
fn our_own_signature_is_found_and_described() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.sign(&digest, "registry.example/app");
    let facts = verify(&repo, "registry.example/app:v1", &digest);
    assert_eq!(codes(&facts), BTreeSet::new());
    let [signature] = facts.signatures.as_slice() else { panic!("{facts:?}") };
    assert_eq!(signature.place, Place::LegacySig);
    assert_eq!(signature.subject, digest);
    assert_eq!(signature.signer, SignerIdentity::Key { fingerprint: fingerprint_of_pem(PUBLIC).expect("key") });
    assert!(!signature.logged && signature.time.is_none());
    assert_eq!(signature.checks, BTreeSet::from(["claim-type", "payload-digest", "reference", "signature"]));
    assert_eq!(signature.not_checked, BTreeSet::from(["log"]));
    // The same in a layout on disk, which has no name to compare.
    let facts = verify(&repo, "oci:layout:v1", &digest);
    assert!(facts.signatures.first().is_some_and(|one| one.not_checked.contains("reference")), "{facts:?}");
}

#[test]
fn a_signature_of_the_index_covers_the_image_reached_through_it() {
    let mut repo = Repository::empty();
    let child = repo.put_image();
    let index = repo.put_manifest(br#"{"schemaVersion":2,"manifests":[]}"#, INDEX, None);
    repo.sign(&index, "registry.example/app");
    let through =
        verify_with(&repo, our_key(), BTreeMap::new(), Limits::default(), &image("registry.example/app:v1", &child, Some(index.clone())));
    assert_eq!(through.signatures.iter().map(|one| &one.subject).collect::<Vec<_>>(), [&index]);
    assert_eq!(codes(&through), BTreeSet::new());
    assert_eq!(codes(&verify(&repo, "registry.example/app:v1", &child)), BTreeSet::from(["absent.signature"]));
}

#[test]
fn a_source_without_signatures_says_so() {
    let mut repo = Repository::empty();
    repo.holds_signatures = false;
    let digest = repo.put_image();
    assert_eq!(codes(&verify(&repo, "docker-archive:app.tar", &digest)), BTreeSet::from(["unchecked.source"]));
}

#[test]
fn a_place_that_never_answers_hides_nothing_and_is_never_none() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({}), "https://sigstore.dev/cosign/sign/v1"), EMPTY);
    repo.stalls = true;
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let facts = verify_with(&repo, our_key(), BTreeMap::new(), limits, &image("registry.example/app", &digest, None));
    assert_eq!(codes(&facts), BTreeSet::from(["unchecked.timeout"]));
    assert_eq!(facts.gaps.len(), 2, "{:?}", facts.gaps);
    assert_eq!(facts.signatures.len(), 1);
}

#[test]
fn limits_refuse_before_anything_is_fetched() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.sign(&digest, "registry.example/app");
    let check =
        |limits: Limits| codes(&verify_with(&repo, our_key(), BTreeMap::new(), limits, &image("registry.example/app", &digest, None)));
    assert_eq!(check(Limits { payload_bytes: 10, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(check(Limits { manifest_bytes: 10, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(check(Limits { layers: 0, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    let mut many = repo.clone();
    for n in 0..3 {
        many.put_referrer(&digest, "application/spdx+json", format!("{n}").as_bytes(), EMPTY);
    }
    let facts = verify_with(
        &many,
        our_key(),
        BTreeMap::new(),
        Limits { referrers: 2, ..Limits::default() },
        &image("registry.example/app", &digest, None),
    );
    assert_eq!(codes(&facts), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(facts.signatures.len(), 1, "the tag is read all the same");
}

#[test]
fn what_refers_to_an_image_is_told_apart() {
    let check = |layer_type: &str, layer: &[u8], config: &str, expected: &[&str]| {
        for manner in [Referrers::Api, Referrers::FallbackTag] {
            let mut repo = Repository { manner, ..Repository::empty() };
            let digest = repo.put_image();
            repo.put_referrer(&digest, layer_type, layer, config);
            let facts = verify(&repo, "registry.example/app", &digest);
            assert_eq!(codes(&facts).into_iter().collect::<Vec<_>>(), expected, "{layer_type} {config}");
            assert_eq!((facts.signatures.len(), facts.attestations.len()), (0, 0));
        }
    };
    check("application/spdx+json", b"{}", EMPTY, &["absent.signature"]);
    check("application/jose+json", b"{}", "application/vnd.cncf.notary.signature", &["unchecked.unsupported"]);
    check(
        "application/vnd.dev.sigstore.bundle.v0.4+json",
        br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.4+json"}"#,
        EMPTY,
        &["unchecked.unsupported"],
    );
    check(BUNDLE, b"{", EMPTY, &["invalid.payload"]);
    check(
        BUNDLE,
        br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{}}"#,
        EMPTY,
        &["unchecked.unsupported"],
    );
}

#[test]
fn a_signature_tag_without_layers_is_no_signature() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.put_manifest(br#"{"schemaVersion":2,"layers":[]}"#, MANIFEST, Some(&sign_image::signature_tag(&digest)));
    assert_eq!(codes(&verify(&repo, "registry.example/app", &digest)), BTreeSet::from(["absent.signature"]));
}

#[test]
fn a_broken_fallback_index_is_wrong_and_not_absent() {
    for index in
        [r#"{"manifests":[{}]}"#, r#"{"manifests":[null]}"#, r#"{"manifests":[{"digest":"sha256:../../x","size":1}]}"#, r#"{"layers":[]}"#]
    {
        let mut repo = Repository { manner: Referrers::FallbackTag, ..Repository::empty() };
        let digest = repo.put_image();
        repo.put_manifest(index.as_bytes(), INDEX, Some(&digest.to_string().replace(':', "-")));
        assert_eq!(codes(&verify(&repo, "registry.example/app", &digest)), BTreeSet::from(["invalid.payload"]), "{index}");
    }
}

#[test]
fn an_answer_that_is_no_manifest_is_not_an_absent_signature() {
    for answer in ["", "<html>Log in first</html>", "{", "[]", "{}", r#"{"error":"maintenance"}"#, "null"] {
        for suffix in ["", ".sig", ".att"] {
            let mut repo = Repository { manner: Referrers::FallbackTag, ..Repository::empty() };
            let digest = repo.put_image();
            repo.put_manifest(answer.as_bytes(), "text/html", Some(&format!("{}{suffix}", digest.to_string().replace(':', "-"))));
            let facts = verify(&repo, "registry.example/app", &digest);
            assert_eq!(codes(&facts), BTreeSet::from(["unchecked.registry"]), "{suffix} {answer:?}");
            assert!(facts.gaps.iter().all(|gap| gap.subject.ends_with(suffix) && gap.hint.is_some()), "{facts:?}");
        }
    }
}

#[test]
fn signatures_of_several_places_are_joined() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.sign(&digest, "registry.example/app");
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({}), "https://sigstore.dev/cosign/sign/v1"), EMPTY);
    repo.put_referrer(&digest, BUNDLE, b"{}", EMPTY);
    let facts = verify(&repo, "registry.example/app", &digest);
    assert_eq!(facts.signatures.iter().map(|one| one.place).collect::<Vec<_>>(), [Place::LegacySig, Place::Referrers]);
    assert_eq!(codes(&facts), BTreeSet::from(["unchecked.unsupported"]));
}
