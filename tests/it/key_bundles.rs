//! Bundles signed with a key instead of a certificate, with and without a log entry.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use plimsoll::{
    model::{
        attestation::{TimeSource, Verification},
        digest::Digest,
    },
    verify::{Limits, Trust, TrustedKey},
};
use serde_json::{Value, json};

use crate::{
    registry_in_memory::{BUNDLE, EMPTY, KEY, Repository, codes, image, our_key, verify, verify_with},
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

// ---------------------------------------------------------------- a log of our own

/// When the log says that it took an entry.
const TIME: i64 = 1_768_478_430;

/// A signing key of any kind.
struct Signer {
    name: &'static str,
    spki: Vec<u8>,
    sign: Sign,
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

impl Signer {
    fn ecdsa(name: &'static str, algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(algorithm).expect("key");
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("DER").as_ref().to_vec();
        Self { name, spki, sign: Box::new(move |message| pair.sign(&SystemRandom::new(), message).expect("signature").as_ref().to_vec()) }
    }

    fn rsa(name: &'static str, padding: &'static dyn signature::RsaEncoding) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("key");
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("DER").as_ref().to_vec();
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("signature");
            signature
        };
        Self { name, spki, sign: Box::new(sign) }
    }

    fn ed25519(name: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().expect("key");
        let spki = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).expect("DER").as_ref().to_vec();
        Self { name, spki, sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()) }
    }

    fn pem(&self) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&self.spki))
    }

    fn id(&self) -> Vec<u8> {
        digest(&SHA256, &self.spki).as_ref().to_vec()
    }

    /// An entry of this log about an envelope, the only one in its tree.
    fn log(&self, payload: &str, signature: &[u8], verifier: &Self) -> Value {
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": "0".repeat(64) },
                "payloadHash": { "algorithm": "sha256", "value": Digest::sha256_of(payload.as_bytes()).hex() },
                "signatures": [{ "signature": STANDARD.encode(signature), "verifier": STANDARD.encode(verifier.pem()) }],
            },
        })
        .to_string();
        let root = STANDARD.encode(digest(&SHA256, &[b"\0", body.as_bytes()].concat()).as_ref());
        let note = format!("log.example\n1\n{root}\n");
        let hinted = [&self.id()[..4], &(self.sign)(note.as_bytes())].concat();
        let body = STANDARD.encode(&body);
        let log_id: String = self.id().iter().map(|byte| format!("{byte:02x}")).collect();
        let promise = format!(r#"{{"body":"{body}","integratedTime":{TIME},"logID":"{log_id}","logIndex":0}}"#);
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(self.id()) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": TIME.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode((self.sign)(promise.as_bytes())) },
            "inclusionProof": {
                "logIndex": "0", "rootHash": root, "treeSize": "1", "hashes": [],
                "checkpoint": { "envelope": format!("{note}\n\u{2014} log.example {}\n", STANDARD.encode(hinted)) },
            },
            "canonicalizedBody": body,
        })
    }

    fn trusted_root(&self) -> Vec<u8> {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": "https://log.example",
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": STANDARD.encode(&self.spki), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": { "start": "2025-01-01T00:00:00Z" } },
                "logId": { "keyId": STANDARD.encode(self.id()) },
            }],
            "certificateAuthorities": [], "ctlogs": [], "timestampAuthorities": [],
        })
        .to_string()
        .into_bytes()
    }
}

/// What is done to a logged bundle before it is verified.
type Tamper = fn(&mut Value);

fn verify_logged(signer: &Signer, log: &Signer, trusted: &Signer, tamper: Tamper) -> Verification {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.hex() } }],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    })
    .to_string();
    let signature = (signer.sign)(format!("DSSEv1 {} {IN_TOTO} {} {statement}", IN_TOTO.len(), statement.len()).as_bytes());
    let mut bundle = json!({
        "mediaType": BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": STANDARD.encode(signer.id()) }, "tlogEntries": [log.log(&statement, &signature, signer)] },
        "dsseEnvelope": { "payload": STANDARD.encode(&statement), "payloadType": IN_TOTO, "signatures": [{ "sig": STANDARD.encode(&signature) }] },
    });
    tamper(&mut bundle);
    repo.put_referrer(&digest, BUNDLE, bundle.to_string().as_bytes(), EMPTY);
    let trust =
        Trust { keys: vec![TrustedKey::parse(signer.name, signer.pem()).expect("key")], trusted_root: Some(trusted.trusted_root()) };
    verify_with(&repo, trust, BTreeMap::new(), Limits::default(), &image("registry.example/app", &digest, None))
}

#[test]
fn every_kind_of_key_signs_bundles_and_the_log_is_checked_where_it_can_be() {
    let log = Signer::ecdsa("log", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let check = |signer: &Signer, logged: bool| {
        let facts = verify_logged(signer, &log, &log, |_| ());
        assert_eq!(codes(&facts), BTreeSet::new(), "{}: {:?}", signer.name, facts.faults);
        let [signature] = facts.signatures.as_slice() else { panic!("{}: {facts:?}", signer.name) };
        eprintln!("{}: logged {} at {:?}, not checked {:?}", signer.name, signature.logged, signature.time, signature.not_checked);
        assert_eq!(signature.logged, logged, "{}", signer.name);
        assert_eq!(
            signature.time.map(|(time, source)| (time.as_second(), source)),
            logged.then_some((TIME, TimeSource::LogEntry)),
            "{}",
            signer.name
        );
        assert_eq!(signature.not_checked.contains("log-entry"), !logged, "{}", signer.name);
    };
    check(&Signer::ecdsa("P-256", &signature::ECDSA_P256_SHA256_ASN1_SIGNING), true);
    check(&Signer::ecdsa("P-384 with SHA-384", &signature::ECDSA_P384_SHA384_ASN1_SIGNING), true);
    check(&Signer::ed25519("Ed25519"), true);
    check(&Signer::rsa("RSA PKCS#1 v1.5", &signature::RSA_PKCS1_SHA256), true);
    check(&Signer::rsa("RSA PSS", &signature::RSA_PSS_SHA256), false);
    check(&Signer::ecdsa("P-521", &signature::ECDSA_P521_SHA512_ASN1_SIGNING), false);
}

#[test]
fn a_wrong_log_entry_spoils_a_key_signature() {
    let signer = Signer::ecdsa("P-256", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let log = Signer::ecdsa("log", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let check = |tamper: Tamper, expected: &str| {
        let facts = verify_logged(&signer, &log, &log, tamper);
        assert_eq!(codes(&facts).into_iter().collect::<Vec<_>>(), [expected], "{:?}", facts.faults);
        assert!(facts.signatures.is_empty());
    };
    check(|bundle| _ = entry(bundle).remove("inclusionProof"), "invalid.proof-missing");
    check(|bundle| _ = entry(bundle).insert("integratedTime".to_owned(), json!("1768478431")), "invalid.log-entry");
    check(|bundle| entry(bundle)["inclusionProof"]["rootHash"] = json!(STANDARD.encode([7; 32])), "invalid.payload");
    check(|bundle| entry(bundle)["inclusionProof"]["hashes"] = json!([STANDARD.encode([7; 32])]), "invalid.log-proof");
}

#[test]
fn a_log_that_nobody_trusts_counts_as_no_log() {
    let signer = Signer::ecdsa("P-256", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let log = Signer::ecdsa("log", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let other = Signer::ecdsa("other log", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let facts = verify_logged(&signer, &log, &other, |_| ());
    let [signature] = facts.signatures.as_slice() else { panic!("{facts:?}") };
    assert!(!signature.logged && signature.time.is_none() && signature.not_checked.contains("log-entry"));
}

#[test]
fn an_entry_about_another_envelope_spoils_a_key_signature() {
    let signer = Signer::ecdsa("P-256", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let log = Signer::ecdsa("log", &signature::ECDSA_P256_SHA256_ASN1_SIGNING);
    let foreign = log.log("another payload", &(signer.sign)(b"another"), &signer);
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    let mut bundle: Value = serde_json::from_slice(&key_bundle(&digest, &json!({}), "https://sigstore.dev/cosign/sign/v1")).expect("JSON");
    bundle["verificationMaterial"]["tlogEntries"] = json!([foreign]);
    repo.put_referrer(&digest, BUNDLE, bundle.to_string().as_bytes(), EMPTY);
    let trust = Trust { trusted_root: Some(log.trusted_root()), ..our_key() };
    let facts = verify_with(&repo, trust, BTreeMap::new(), Limits::default(), &image("registry.example/app", &digest, None));
    assert_eq!(codes(&facts), BTreeSet::from(["invalid.log-entry"]));
}

fn entry(bundle: &mut Value) -> &mut serde_json::Map<String, Value> {
    bundle["verificationMaterial"]["tlogEntries"][0].as_object_mut().expect("entry")
}
