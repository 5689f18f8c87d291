//! Bundles signed with a key instead of a certificate, with and without a log entry.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plimsoll::{
    model::digest::Digest,
    verify::{Limits, Trust},
};
use serde_json::{Value, json};

use crate::{
    registry_in_memory::{BUNDLE, EMPTY, KEY, Repository, codes, image, verify, verify_with},
    sign_image,
};

const IN_TOTO: &str = "application/vnd.in-toto+json";

pub(crate) fn key_bundle(digest: &Digest, annotations: &Value, predicate_type: &str) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.hex() }, "annotations": annotations }],
        "predicateType": predicate_type,
        "predicate": {},
    })
    .to_string();
    let encoded = format!("DSSEv1 {} {IN_TOTO} {} {statement}", IN_TOTO.len(), statement.len());
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": "any" }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&statement),
            "payloadType": IN_TOTO,
            "signatures": [{ "sig": STANDARD.encode(sign_image::sign(encoded.as_bytes(), KEY)) }],
        },
    })
    .to_string()
    .into_bytes()
}

#[test]
fn bundles_signed_with_a_key_are_signatures_or_attestations() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({ "env": "prod" }), "https://sigstore.dev/cosign/sign/v1"), EMPTY);
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({}), "https://slsa.dev/provenance/v1"), EMPTY);
    let facts = verify(&repo, "registry.example/app", &digest);
    assert_eq!(codes(&facts), BTreeSet::new());
    let [signature] = facts.signatures.as_slice() else { panic!("{facts:?}") };
    assert_eq!(signature.annotations, BTreeMap::from([("env".to_owned(), "prod".to_owned())]));
    assert!(!signature.logged);
    assert_eq!(facts.attestations.iter().map(|one| one.predicate_type.as_str()).collect::<Vec<_>>(), ["https://slsa.dev/provenance/v1"]);
    // Without the key, both are refused and neither is lost.
    let nobody = verify_with(&repo, Trust::default(), BTreeMap::new(), Limits::default(), &image("registry.example/app", &digest, None));
    assert_eq!(nobody.faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["invalid.signature", "invalid.signature"]);
    assert_eq!((nobody.signatures.len(), nobody.attestations.len()), (0, 0));
}
