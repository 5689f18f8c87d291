//! cosign's layer annotations in, a Sigstore bundle as JSON text out, so that one verifier decides both layouts
//! (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>). Nothing is verified here.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    model::digest::{Algorithm, Digest},
    verify::{claim::Refusal, strict_json, trust},
};

/// The base64 signature.
pub(crate) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const LOG: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// The kinds of log entry that are written in this layout and that the verifier reads.
const ENTRIES: &[(&str, &str)] = &[("hashedrekord", "0.0.1"), ("dsse", "0.0.1"), ("intoto", "0.0.2")];

/// What stands beside a signature in the tag layout.
pub(crate) struct Beside<'a> {
    annotations: &'a BTreeMap<String, String>,
}

impl<'a> Beside<'a> {
    /// Reads the annotations of one layer.
    pub(crate) const fn new(annotations: &'a BTreeMap<String, String>) -> Self {
        Self { annotations }
    }

    /// The annotation with this name, unless it is empty.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.annotations.get(name).map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// The DER of the leaf certificate.
    pub(crate) fn certificate(&self) -> Result<Option<Vec<u8>>, Refusal> {
        self.text(CERTIFICATE)
            .map(|pem| {
                trust::block(pem, "CERTIFICATE")
                    .map_err(|reason| Refusal::invalid("invalid.chain", format!("certificate annotation: {reason}")))
            })
            .transpose()
    }

    /// Whether a log entry came along.
    pub(crate) fn is_logged(&self) -> bool {
        self.text(LOG).is_some()
    }

    /// Whether a timestamp came along.
    pub(crate) fn is_dated(&self) -> bool {
        self.text(TIMESTAMP).is_some()
    }

    /// The log entry in the bundle's form; `None` when there is none.
    fn log_entry(&self) -> Result<Option<Value>, Refusal> {
        let Some(text) = self.text(LOG) else { return Ok(None) };
        let bad = |reason: &str| Refusal::invalid("invalid.log-entry", format!("log annotation: {reason}"));
        let value = strict_json::parse(text.as_bytes()).map_err(|reason| bad(&reason))?;
        let field = |name: &str| value.get("Payload").and_then(|payload| payload.get(name));
        let promise = value.get("SignedEntryTimestamp").and_then(Value::as_str).ok_or_else(|| bad("no signed entry timestamp"))?;
        let body = field("body").and_then(Value::as_str).ok_or_else(|| bad("no body"))?;
        let time = field("integratedTime").and_then(Value::as_i64).ok_or_else(|| bad("no integrated time"))?;
        let index = field("logIndex").and_then(Value::as_i64).filter(|index| *index >= 0).ok_or_else(|| bad("no log index"))?;
        let log = field("logID").and_then(Value::as_str).and_then(key_id).ok_or_else(|| bad("no log id"))?;
        let bytes = STANDARD.decode(body).map_err(|_| bad("body is not base64"))?;
        let entry = strict_json::parse(&bytes).map_err(|reason| bad(&reason))?;
        let kind = entry.get("kind").and_then(Value::as_str).ok_or_else(|| bad("entry has no kind"))?;
        let version = entry.get("apiVersion").and_then(Value::as_str).ok_or_else(|| bad("entry has no version"))?;
        if !ENTRIES.contains(&(kind, version)) {
            return Err(Refusal::unchecked("unchecked.unsupported", format!("log entry of kind `{kind:.40}` version `{version:.20}`")));
        }
        Ok(Some(json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": log },
            "kindVersion": { "kind": kind, "version": version },
            "integratedTime": time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": promise },
            "canonicalizedBody": body,
        })))
    }

    fn timestamps(&self) -> Result<Value, Refusal> {
        let Some(text) = self.text(TIMESTAMP) else { return Ok(json!([])) };
        let bad = |reason: &str| Refusal::invalid("invalid.timestamp", format!("timestamp annotation: {reason}"));
        let value = strict_json::parse(text.as_bytes()).map_err(|reason| bad(&reason))?;
        let token = value.get("SignedRFC3161Timestamp").and_then(Value::as_str).ok_or_else(|| bad("no timestamp"))?;
        Ok(json!([{ "signedTimestamp": token }]))
    }

    /// A bundle of this certificate or, without one, of a managed key. Version 0.1 is the one that needs no inclusion proof.
    pub(crate) fn bundle(&self, certificate: Option<&[u8]>, content: Content<'_>) -> Result<String, Refusal> {
        let entries: Vec<Value> = self.log_entry()?.into_iter().collect();
        let mut material = json!({
            "tlogEntries": entries,
            "timestampVerificationData": { "rfc3161Timestamps": self.timestamps()? },
        });
        if let Some(object) = material.as_object_mut() {
            match certificate {
                Some(der) => {
                    object.insert("x509CertificateChain".to_owned(), json!({ "certificates": [{ "rawBytes": STANDARD.encode(der) }] }))
                }
                None => object.insert("publicKey".to_owned(), json!({ "hint": "" })),
            };
        }
        let mut bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1",
            "verificationMaterial": material,
        });
        if let Some(object) = bundle.as_object_mut() {
            match content {
                Content::Message { payload, signature } => object.insert(
                    "messageSignature".to_owned(),
                    json!({
                        "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(raw_sha256(payload)) },
                        "signature": signature,
                    }),
                ),
                Content::Envelope(envelope) => object.insert("dsseEnvelope".to_owned(), envelope.clone()),
            };
        }
        Ok(bundle.to_string())
    }
}

/// What a bundle signs.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    /// A payload, and the base64 signature over it.
    Message {
        /// The signed bytes.
        payload: &'a [u8],
        /// The signature.
        signature: &'a str,
    },
    /// A DSSE envelope.
    Envelope(&'a Value),
}

/// The hex log id of the tag layout as the base64 one of bundles.
fn key_id(hex: &str) -> Option<String> {
    let digest = Digest::parse(&format!("{}:{hex}", Algorithm::Sha256.name())).ok()?;
    Some(STANDARD.encode(unhex(&digest)))
}

fn raw_sha256(bytes: &[u8]) -> Vec<u8> {
    unhex(&Digest::sha256_of(bytes))
}

/// The bytes of a digest.
fn unhex(digest: &Digest) -> Vec<u8> {
    digest.hex().as_bytes().chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"SignedEntryTimestamp":"AA==","Payload":{"body":"eyJhcGlWZXJzaW9uIjoiMC4wLjEiLCJraW5kIjoiaGFzaGVkcmVrb3JkIn0=","integratedTime":1,"logIndex":2,"logID":"LOG"}}"#;

    #[test]
    fn log_annotations_are_read_strictly() {
        let entry = ENTRY.replace("LOG", &"ab".repeat(32));
        let check = |text: &str, expected: &str| {
            let annotations = BTreeMap::from([(LOG.to_owned(), text.to_owned())]);
            let got = match Beside::new(&annotations).log_entry() {
                Ok(Some(entry)) => entry.get("integratedTime").and_then(Value::as_str).unwrap_or_default().to_owned(),
                Ok(None) => "none".to_owned(),
                Err(Refusal::Invalid { code, .. }) => code.to_owned(),
                Err(Refusal::Unchecked { kind, .. }) => kind.to_owned(),
            };
            assert_eq!(got, expected, "{text}");
        };
        check(&entry, "1");
        check(" ", "none");
        check("{}", "invalid.log-entry");
        check("x", "invalid.log-entry");
        check(&entry.replace("\"logIndex\":2", "\"logIndex\":-2"), "invalid.log-entry");
        check(&entry.replace("\"integratedTime\":1", "\"integratedTime\":1,\"integratedTime\":9"), "invalid.log-entry");
        check(&entry.replace("abab", "zz"), "invalid.log-entry");
        check(&entry.replace("eyJh", "*"), "invalid.log-entry");
        // {"apiVersion":"0.0.1","kind":"intoto"}: older than what the verifier reads.
        check(&entry.replace("aGFzaGVkcmVrb3JkIn0=", "aW50b3RvIn0="), "unchecked.unsupported");
    }

    #[test]
    fn certificates_are_one_block() {
        let check = |pem: &str| {
            let annotations = BTreeMap::from([(CERTIFICATE.to_owned(), pem.to_owned())]);
            Beside::new(&annotations).certificate()
        };
        assert_eq!(check(""), Ok(None));
        assert_eq!(check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), Ok(Some(vec![0, 0, 0])));
        assert!(check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
        assert!(check("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").is_err());
    }
}
