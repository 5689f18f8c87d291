//! DSSE envelope and in-toto statement in, what is signed about which digest out
//! (<https://github.com/secure-systems-lab/dsse>, <https://github.com/in-toto/attestation/tree/main/spec>).

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use crate::{
    model::{
        attestation::{Attestation, Signature, SignerIdentity},
        digest::Digest,
    },
    verify::{
        Limits,
        annotations::{Beside, Content},
        bundle::Covered,
        claim::{Checker, Claim, Proven, Refusal, Spot, signature, signed_annotations},
        strict_json,
    },
};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPES: &[&str] = &["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];

/// An envelope whose payload type is right; nothing in it is verified yet.
pub(crate) struct Envelope {
    /// The decoded payload.
    pub(crate) payload: Vec<u8>,
    /// The signatures that are base64, in order.
    pub(crate) signatures: Vec<Vec<u8>>,
    /// How many signatures there are, with those that are not base64.
    pub(crate) count: usize,
}

impl Envelope {
    /// Reads an envelope that was parsed strictly.
    pub(crate) fn read(value: &Value, limits: &Limits) -> Result<Self, Refusal> {
        let bad = |reason: &str| Refusal::invalid("invalid.payload", format!("envelope: {reason}"));
        let text = |name: &str| value.get(name).and_then(Value::as_str).ok_or_else(|| bad(&format!("no `{name}`")));
        let payload = STANDARD.decode(text("payload")?).map_err(|_| bad("payload is not base64"))?;
        let payload_type = text("payloadType")?;
        if payload_type != PAYLOAD_TYPE {
            return Err(Refusal::invalid(
                "invalid.payload-type",
                format!("payload type is `{}`", payload_type.chars().take(100).collect::<String>()),
            ));
        }
        let listed = value.get("signatures").and_then(Value::as_array).ok_or_else(|| bad("no `signatures`"))?;
        if listed.len() > limits.envelope_signatures {
            return Err(Refusal::unchecked(
                "unchecked.limit",
                format!("envelope has {} signatures, more than {}", listed.len(), limits.envelope_signatures),
            ));
        }
        if listed.is_empty() {
            return Err(Refusal::invalid("invalid.signature", "envelope is not signed"));
        }
        let signatures = listed.iter().filter_map(|one| STANDARD.decode(one.get("sig")?.as_str()?).ok()).collect();
        Ok(Self { payload, signatures, count: listed.len() })
    }

    /// The bytes that are signed, which are not the payload.
    pub(crate) fn pre_authentication_encoding(&self) -> Vec<u8> {
        let mut encoded = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), self.payload.len()).into_bytes();
        encoded.extend_from_slice(&self.payload);
        encoded
    }
}

/// What a statement says about one digest.
pub(crate) struct Statement {
    predicate_type: String,
    predicate: String,
    annotations: BTreeMap<String, String>,
}

impl Statement {
    /// Reads a payload; one of its subjects must be `subject`.
    pub(crate) fn read(payload: &[u8], subject: &Digest, limits: &Limits) -> Result<Self, Refusal> {
        let bad = |reason: &str| Refusal::invalid("invalid.payload", format!("statement: {reason}"));
        let value = strict_json::parse(payload).map_err(|reason| bad(&reason))?;
        let kind = value.get("_type").and_then(Value::as_str).ok_or_else(|| bad("no `_type`"))?;
        if !STATEMENT_TYPES.contains(&kind) {
            return Err(bad("`_type` is neither version 0.1 nor version 1"));
        }
        let predicate_type = value.get("predicateType").and_then(Value::as_str).ok_or_else(|| bad("no `predicateType`"))?.to_owned();
        let matched = matching_subject(&value, subject, limits)?;
        Ok(Self {
            predicate_type,
            predicate: value.get("predicate").map_or_else(|| "null".to_owned(), Value::to_string),
            annotations: signed_annotations(matched.get("annotations")).map_err(|reason| bad(&reason))?,
        })
    }

    /// The type that a payload claims before anything is verified; only for telling what is there.
    pub(crate) fn claimed_type(payload: &[u8]) -> Option<String> {
        strict_json::parse(payload).ok()?.get("predicateType")?.as_str().map(str::to_owned)
    }

    /// The signed predicate type.
    pub(crate) fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The annotations of the subject.
    pub(crate) fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// The statement as an attestation.
    pub(crate) fn attested(&self, signature: Signature) -> Attestation {
        Attestation { signature, predicate_type: self.predicate_type.clone(), predicate: self.predicate.clone() }
    }
}

/// The subject with our digest; every entry must be well-formed, so that no reader sees another list than we do.
fn matching_subject<'a>(statement: &'a Value, wanted: &Digest, limits: &Limits) -> Result<&'a Map<String, Value>, Refusal> {
    let bad = |reason: &str| Refusal::invalid("invalid.subject", reason);
    let subjects = statement.get("subject").and_then(Value::as_array).ok_or_else(|| bad("statement has no list of subjects"))?;
    if subjects.len() > limits.subjects {
        return Err(Refusal::unchecked(
            "unchecked.limit",
            format!("statement has {} subjects, more than {}", subjects.len(), limits.subjects),
        ));
    }
    let mut matched = None;
    for subject in subjects {
        let subject = subject.as_object().ok_or_else(|| bad("a subject is not an object"))?;
        let digests = subject.get("digest").and_then(Value::as_object).ok_or_else(|| bad("a subject has no digests"))?;
        if digests.len() > limits.subject_digests {
            return Err(Refusal::unchecked(
                "unchecked.limit",
                format!("a subject has {} digests, more than {}", digests.len(), limits.subject_digests),
            ));
        }
        if digests.get(wanted.algorithm().name()).and_then(Value::as_str) == Some(wanted.hex()) {
            matched = matched.or(Some(subject));
        }
    }
    matched.ok_or_else(|| bad("no subject of the statement is this image"))
}

/// Checks one layer of an `.att` manifest.
pub(crate) fn check(
    checker: &Checker<'_>,
    spot: Spot<'_>,
    annotations: &BTreeMap<String, String>,
    bytes: &[u8],
) -> Result<Vec<Claim>, Refusal> {
    let value = strict_json::parse(bytes).map_err(|reason| Refusal::invalid("invalid.payload", format!("envelope: {reason}")))?;
    let envelope = Envelope::read(&value, checker.limits)?;
    let encoded = envelope.pre_authentication_encoding();
    let beside = Beside::new(annotations);
    let covered = Covered::Digest(spot.subject);
    let mut signers: BTreeMap<SignerIdentity, _> = BTreeMap::new();
    for key in envelope.signatures.iter().filter_map(|signature| checker.key_of(&encoded, signature)) {
        // The log entry beside an envelope vouches for one signature, so it says nothing when there are several.
        let proven = if envelope.count == 1 {
            checker.key_evidence(key, &beside, Content::Envelope(&value), covered)
        } else {
            Ok(Proven::bare(&["log"]))
        };
        signers.insert(SignerIdentity::Key { fingerprint: key.fingerprint().to_owned() }, proven?);
    }
    if signers.is_empty() {
        let Some(certificate) = beside.certificate()? else { return Err(checker.no_key()) };
        if envelope.count != 1 {
            return Err(Refusal::invalid("invalid.signature", "envelope with one certificate has several signatures"));
        }
        let (signer, proven) = checker.certificate_evidence(&certificate, &beside, Content::Envelope(&value), covered)?;
        signers.insert(signer, proven);
    }
    let statement = Statement::read(&envelope.payload, spot.subject, checker.limits)?;
    Ok(signers
        .into_iter()
        .map(|(signer, proven)| {
            Claim::Attestation(statement.attested(signature(
                spot,
                signer,
                proven,
                statement.annotations.clone(),
                &["signature", "payload-type", "subject"],
            )))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_must_name_the_image() {
        let hex = "a".repeat(64);
        let image = Digest::parse(&format!("sha256:{hex}")).expect("digest");
        let statement = |kind: &str, subjects: &str| {
            format!(r#"{{"_type":"https://in-toto.io/Statement/{kind}","subject":{subjects},"predicateType":"t","predicate":{{}}}}"#)
        };
        let ours = format!(r#"{{"digest":{{"sha256":"{hex}"}},"annotations":{{"env":"prod"}}}}"#);
        let code = |text: &str| match Statement::read(text.as_bytes(), &image, &Limits::default()) {
            Ok(statement) => statement.annotations.get("env").cloned().unwrap_or_default(),
            Err(Refusal::Invalid { code, .. }) => code.to_owned(),
            Err(Refusal::Unchecked { kind, .. }) => kind.to_owned(),
        };
        let check = |text: &str, expected: &str| assert_eq!(code(text), expected, "{text:.200}");
        check(&statement("v1", &format!("[{ours}]")), "prod");
        check(&statement("v0.1", &format!(r#"[{{"name":"o","digest":{{"sha256":"{}"}}}},{ours}]"#, "b".repeat(64))), "prod");
        check(&statement("v2", &format!("[{ours}]")), "invalid.payload");
        check(&statement("v1", &format!("[{ours},null]")), "invalid.subject");
        check(&statement("v1", "[]"), "invalid.subject");
        check(&statement("v1", "null"), "invalid.subject");
        check(&statement("v1", r#"[{"name":"x"}]"#), "invalid.subject");
        check(&statement("v1", &format!(r#"[{{"digest":{{"sha256":"{}"}}}}]"#, hex.to_uppercase())), "invalid.subject");
        check(&statement("v1", &format!(r#"[{{"digest":{{"sha512":"{hex}"}}}}]"#)), "invalid.subject");
        check(&statement("v1", &format!("[{}]", vec![ours.as_str(); 1_025].join(","))), "unchecked.limit");
        check("{}", "invalid.payload");
        check("\u{feff}{}", "invalid.payload");
    }

    #[test]
    fn envelopes_are_read_strictly() {
        let code = |text: &str| match Envelope::read(&strict_json::parse(text.as_bytes()).expect("JSON"), &Limits::default()) {
            Ok(envelope) => format!("{} of {}", envelope.signatures.len(), envelope.count),
            Err(Refusal::Invalid { code, .. }) => code.to_owned(),
            Err(Refusal::Unchecked { kind, .. }) => kind.to_owned(),
        };
        let envelope = |payload: &str, kind: &str, signatures: &str| {
            format!(r#"{{"payload":"{payload}","payloadType":"{kind}","signatures":{signatures}}}"#)
        };
        assert_eq!(code(&envelope("e30=", PAYLOAD_TYPE, r#"[{"sig":"AA=="},{"sig":"*"},null]"#)), "1 of 3");
        assert_eq!(code(&envelope("e30", PAYLOAD_TYPE, r#"[{"sig":"AA=="}]"#)), "invalid.payload");
        assert_eq!(code(&envelope("e30=", "application/json", r#"[{"sig":"AA=="}]"#)), "invalid.payload-type");
        assert_eq!(code(&envelope("e30=", PAYLOAD_TYPE, "[]")), "invalid.signature");
        assert_eq!(code(&envelope("e30=", PAYLOAD_TYPE, &format!("[{}]", vec!["1"; 65].join(",")))), "unchecked.limit");
        assert_eq!(code("[]"), "invalid.payload");
    }
}
