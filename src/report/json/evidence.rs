//! Signatures and attestations in `plimsoll/report/1`: facts and whose they are, from a `Verification`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::model::{
    attestation::{Signature, SignerIdentity, TimeSource, Verification},
    digest::Digest,
};

#[derive(Debug, Serialize)]
pub(super) struct Found<'a> {
    subject: String,
    signatures: Vec<WireSignature<'a>>,
    attestations: Vec<WireAttestation<'a>>,
    faults: Vec<WireFault<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireSignature<'a> {
    manifest: String,
    place: &'static str,
    signer: WireSigner<'a>,
    annotations: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_source: Option<&'static str>,
    logged: bool,
    checks: &'a BTreeSet<&'static str>,
    not_checked: &'a BTreeSet<&'static str>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum WireSigner<'a> {
    Key { fingerprint: &'a str },
    Keyless { issuer: &'a str, subject: &'a str, extensions: &'a BTreeMap<String, String> },
}

/// The predicate itself may be a whole SBOM; its digest names it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireAttestation<'a> {
    predicate_type: &'a str,
    predicate_digest: String,
    predicate_size: usize,
    signature: WireSignature<'a>,
}

#[derive(Debug, Serialize)]
struct WireFault<'a> {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<String>,
    index: usize,
    detail: &'a str,
}

impl<'a> Found<'a> {
    pub(super) fn of(verification: &'a Verification) -> Self {
        let mut signatures: Vec<_> = verification.signatures.iter().collect();
        signatures.sort_by_key(|signature| order(signature));
        let mut attestations: Vec<_> = verification.attestations.iter().collect();
        attestations.sort_by(|a, b| (&a.predicate_type, order(&a.signature)).cmp(&(&b.predicate_type, order(&b.signature))));
        let mut faults: Vec<_> = verification.faults.iter().collect();
        faults.sort();
        Self {
            subject: verification.subject.to_string(),
            signatures: signatures.into_iter().map(wire_signature).collect(),
            attestations: attestations
                .into_iter()
                .map(|attestation| WireAttestation {
                    predicate_type: &attestation.predicate_type,
                    predicate_digest: Digest::sha256_of(attestation.predicate.as_bytes()).to_string(),
                    predicate_size: attestation.predicate.len(),
                    signature: wire_signature(&attestation.signature),
                })
                .collect(),
            faults: faults
                .into_iter()
                .map(|fault| WireFault {
                    code: fault.code,
                    place: fault.place.map(crate::model::attestation::Place::name),
                    manifest: fault.manifest.as_ref().map(Digest::to_string),
                    index: fault.index,
                    detail: &fault.detail,
                })
                .collect(),
        }
    }
}

fn order(signature: &Signature) -> (&Digest, crate::model::attestation::Place, &SignerIdentity) {
    (&signature.manifest, signature.place, &signature.signer)
}

fn wire_signature(signature: &Signature) -> WireSignature<'_> {
    WireSignature {
        manifest: signature.manifest.to_string(),
        place: signature.place.name(),
        signer: match &signature.signer {
            SignerIdentity::Key { fingerprint } => WireSigner::Key { fingerprint },
            SignerIdentity::Keyless { issuer, subject, extensions } => WireSigner::Keyless { issuer, subject, extensions },
        },
        annotations: &signature.annotations,
        time: signature.time.map(|(time, _)| time.to_string()),
        time_source: signature.time.map(|(_, source)| match source {
            TimeSource::LogEntry => "log-entry",
            TimeSource::Timestamp => "timestamp",
        }),
        logged: signature.logged,
        checks: &signature.checks,
        not_checked: &signature.not_checked,
    }
}
