//! Sigstore bundle in, verified claims out (<https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_bundle.proto>).
//! `sigstore-verify` decides the cryptography and is named in this file alone; what it leaves open is checked before and after its call:
//! the text is parsed strictly, inclusion proofs are demanded whatever version the unsigned media type claims, and only a statement of
//! cosign's type counts as a signature.

use jiff::Timestamp;
use serde_json::Value;
use sigstore_verify::{
    CertificateError, PublicKeyVerificationPolicy, TimestampError, TransparencyLogError, VerificationPolicy, VerificationResult,
    trust_root::TrustedRoot,
    types::{Artifact, Bundle, DerPublicKey, Sha256Hash},
};

use crate::{
    model::{
        attestation::{SignerIdentity, TimeSource},
        digest::Digest,
    },
    verify::{
        Error, TrustedKey,
        claim::{Checked, Checker, Claim, Proven, Refusal, Spot, signature, signer},
        dsse::{Envelope, Statement},
        strict_json,
    },
};

/// The predicate type of an image signature in bundle form.
const SIGN: &str = "https://sigstore.dev/cosign/sign/v1";
const MEDIA_TYPES: &[&str] = &[
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];
/// The reason code for an entry of a log that the trusted root does not know.
const UNKNOWN_LOG: &str = "invalid.log-key";
/// A trusted root is a few kilobytes; beyond this the file is something else.
const MAX_ROOT: usize = 4 << 20;

/// A trusted root, parsed and prepared.
pub(crate) struct TrustRoot {
    verifier: sigstore_verify::Verifier,
    logs: Vec<Vec<u8>>,
}

/// What a bundle is said to sign.
#[derive(Clone, Copy)]
pub(crate) enum Covered<'a> {
    /// Something whose SHA-256 is known.
    Digest(&'a Digest),
    /// These bytes.
    Bytes(&'a [u8]),
}

/// What must prove that a log holds the entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogEvidence {
    /// An inclusion proof (bundles).
    Proof,
    /// The log's signed promise, which is all that the tag layout has.
    Promise,
}

impl TrustRoot {
    /// Parses a `trusted_root.json`.
    ///
    /// # Errors
    /// When it cannot be parsed, or an authority or key in it cannot be used.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_ROOT {
            return Err(Error::TrustRoot("the file is too large".to_owned()));
        }
        strict_json::parse(bytes).map_err(Error::TrustRoot)?;
        let text = std::str::from_utf8(bytes).map_err(|error| Error::TrustRoot(error.to_string()))?;
        let root = TrustedRoot::from_json(text).map_err(|error| Error::TrustRoot(error.to_string()))?;
        let verifier = sigstore_verify::Verifier::new(&root).map_err(|error| Error::TrustRoot(error.to_string()))?;
        let logs = root.tlogs.iter().map(|log| log.log_id.key_id.as_bytes().to_vec()).collect();
        Ok(Self { verifier, logs })
    }

    /// Verifies a bundle with a certificate, whoever it is for; gives the leaf and what was proved.
    pub(crate) fn check_keyless(&self, text: &str, covered: Covered<'_>, evidence: LogEvidence) -> Result<(Vec<u8>, Proven), Refusal> {
        let bundle = self.read(text, evidence)?;
        if bundle.verification_material.tlog_entries.is_empty() {
            return Err(Refusal::invalid("invalid.proof-missing", "no transparency log entry"));
        }
        let result = self
            .verifier
            .verify(artifact(covered)?, &bundle, &VerificationPolicy::any_identity())
            .map_err(|error| refusal(&error, covered))?;
        // An `Ok` whose steps are not all done would be a change in the library, not a good signature.
        if !(result.certificate_verified() && result.sct_verified() && result.tlog_verified()) {
            return Err(Refusal::unchecked("unchecked.unsupported", "the verifier left out the certificate, its timestamp or the log"));
        }
        let leaf =
            bundle.signing_certificate().ok_or_else(|| Refusal::invalid("invalid.chain", "no signing certificate"))?.as_bytes().to_vec();
        let time = signing_time(&result).ok_or_else(|| Refusal::invalid("invalid.certificate-time", "no authenticated signing time"))?;
        let mut proven = proven(evidence);
        proven.checks.extend(["chain", "certificate-time", "sct"]);
        proven.time = Some(time);
        Ok((leaf, proven))
    }

    /// Verifies the log entries and timestamps of a bundle that `key`, by our own check, has signed.
    pub(crate) fn check_key(&self, text: &str, covered: Covered<'_>, key: &TrustedKey, evidence: LogEvidence) -> Result<Proven, Refusal> {
        let bundle = match self.read(text, evidence) {
            // A log that nobody here trusts vouches for nothing, which is as good as no log: whether one is needed, the policy says.
            Err(Refusal::Invalid { code: UNKNOWN_LOG, .. }) => return Ok(Proven::bare(&["log", "log-entry"])),
            read => read?,
        };
        let logged = !bundle.verification_material.tlog_entries.is_empty();
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.spki().to_vec()));
        let policy = if logged { policy } else { policy.skip_tlog_unsafe() };
        match self.verifier.verify(artifact(covered)?, &bundle, &policy) {
            Ok(result) => {
                let mut proven = if logged { proven(evidence) } else { Proven::bare(&["log"]) };
                proven.time = signing_time(&result);
                Ok(proven)
            }
            // The library ties one hash to each kind of key, and has not every kind; the signature itself holds, so only the log is open.
            Err(
                sigstore_verify::Error::SignatureInvalid(_)
                | sigstore_verify::Error::UnsupportedBundle(_)
                | sigstore_verify::Error::UnsupportedArtifact(_)
                | sigstore_verify::Error::Crypto(_),
            ) => Ok(Proven::bare(&["log", "log-entry"])),
            Err(error) => Err(refusal(&error, covered)),
        }
    }

    /// Parses a bundle and makes the demands on its log entries that the library leaves to its media type.
    fn read(&self, text: &str, evidence: LogEvidence) -> Result<Bundle, Refusal> {
        let bundle = Bundle::from_json(text).map_err(|error| Refusal::invalid("invalid.payload", format!("bundle: {error}")))?;
        for entry in &bundle.verification_material.tlog_entries {
            if evidence == LogEvidence::Proof && entry.inclusion_proof.is_none() {
                return Err(Refusal::invalid("invalid.proof-missing", "log entry without an inclusion proof"));
            }
            let log = entry.log_id.key_id.as_bytes();
            if !self.logs.iter().any(|known| known.as_slice() == log) {
                return Err(Refusal::invalid(UNKNOWN_LOG, "log entry of a log that the trusted root does not know"));
            }
        }
        Ok(bundle)
    }
}

/// What a verified log entry proves.
fn proven(evidence: LogEvidence) -> Proven {
    let mut proven = Proven { logged: true, ..Proven::default() };
    proven.checks.insert("log-entry");
    match evidence {
        LogEvidence::Proof => proven.checks.insert("inclusion"),
        LogEvidence::Promise => proven.not_checked.insert("inclusion"),
    };
    proven
}

fn artifact(covered: Covered<'_>) -> Result<Artifact<'_>, Refusal> {
    Ok(match covered {
        Covered::Bytes(bytes) => Artifact::from_blob(bytes),
        Covered::Digest(digest) => Artifact::from_digest(
            Sha256Hash::from_hex(digest.hex()).map_err(|_| Refusal::unchecked("unchecked.unsupported", "image digest is not SHA-256"))?,
        ),
    })
}

/// The log's time if it gives one, else the earliest authenticated timestamp.
fn signing_time(result: &VerificationResult) -> Option<(Timestamp, TimeSource)> {
    result
        .integrated_time()
        .map(|time| (time, TimeSource::LogEntry))
        .or_else(|| result.verified_timestamps().iter().min().map(|time| (*time, TimeSource::Timestamp)))
}

/// The reason code that goes with the library's error. Only the code depends on this; a refusal it is in every case.
fn refusal(error: &sigstore_verify::Error, covered: Covered<'_>) -> Refusal {
    use sigstore_verify::Error as E;
    let detail = error.to_string();
    let code = match error {
        E::SignatureInvalid(_) => "invalid.signature",
        // We hashed the bytes ourselves, so what disagrees with them is the log's entry.
        E::ArtifactMismatch(_) if matches!(covered, Covered::Bytes(_)) => "invalid.log-entry",
        E::ArtifactMismatch(_) => "invalid.subject",
        E::Certificate(problem) => match problem {
            CertificateError::NotYetValid { .. } | CertificateError::Expired { .. } => "invalid.certificate-time",
            // The chain is checked first, at the signing time, and its error carries the webpki variant only as text.
            CertificateError::ChainInvalid(text) if text.contains("CertExpired") || text.contains("CertNotValidYet") => {
                "invalid.certificate-time"
            }
            CertificateError::Sct(_) => "invalid.sct",
            _ => "invalid.chain",
        },
        E::TransparencyLog(problem) => match problem {
            TransparencyLogError::UnknownLog { .. } => UNKNOWN_LOG,
            TransparencyLogError::InclusionProof(_) | TransparencyLogError::Checkpoint(_) => "invalid.log-proof",
            TransparencyLogError::IntegratedTime(_) => "invalid.certificate-time",
            _ => "invalid.log-entry",
        },
        E::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => "invalid.certificate-time",
        E::Timestamp(_) => "invalid.timestamp",
        E::UnsupportedArtifact(_) | E::UnsupportedBundle(_) => return Refusal::unchecked("unchecked.unsupported", detail),
        E::InvalidTrustRoot(_) | E::TrustRoot(_) | E::TrustedCertificate(_) => return Refusal::unchecked("unchecked.trust-root", detail),
        _ => "invalid.payload",
    };
    Refusal::invalid(code, detail)
}

/// Checks one layer that holds a bundle.
pub(crate) fn check(checker: &Checker<'_>, spot: Spot<'_>, bytes: &[u8]) -> Checked {
    let mut signature_seen = true;
    let result = check_bundle(checker, spot, bytes, &mut signature_seen);
    Checked { signature_seen, result }
}

fn check_bundle(checker: &Checker<'_>, spot: Spot<'_>, bytes: &[u8], signature_seen: &mut bool) -> Result<Vec<Claim>, Refusal> {
    let value = strict_json::parse(bytes).map_err(|reason| Refusal::invalid("invalid.payload", format!("bundle: {reason}")))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Refusal::invalid("invalid.payload", "bundle is not UTF-8"))?;
    let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    if !MEDIA_TYPES.contains(&media_type) {
        return Err(Refusal::unchecked(
            "unchecked.unsupported",
            format!("bundle of type `{}`", media_type.chars().take(100).collect::<String>()),
        ));
    }
    let Some(envelope) = value.get("dsseEnvelope") else {
        return Err(Refusal::unchecked("unchecked.unsupported", "bundle holds no DSSE envelope"));
    };
    let envelope = Envelope::read(envelope, checker.limits)?;
    *signature_seen = Statement::claimed_type(&envelope.payload).is_none_or(|kind| kind == SIGN);
    if envelope.count != 1 {
        return Err(Refusal::invalid("invalid.signature", format!("envelope in a bundle has {} signatures", envelope.count)));
    }
    let material = value.get("verificationMaterial");
    let (signer, proven) = if material.is_some_and(|material| material.get("publicKey").is_some()) {
        key_signer(checker, spot, text, material, &envelope)?
    } else {
        let (leaf, proven) = checker.root()?.check_keyless(text, Covered::Digest(spot.subject), LogEvidence::Proof)?;
        (signer(&leaf)?, proven)
    };
    let statement = Statement::read(&envelope.payload, spot.subject, checker.limits)?;
    let signed = signature(spot, signer, proven, statement.annotations().clone(), &["signature", "payload-type", "subject"]);
    Ok(vec![if statement.predicate_type() == SIGN { Claim::Signature(signed) } else { Claim::Attestation(statement.attested(signed)) }])
}

/// Which trusted key signed the envelope; the bundle's key hint is not signed and not needed.
fn key_signer(
    checker: &Checker<'_>,
    spot: Spot<'_>,
    text: &str,
    material: Option<&Value>,
    envelope: &Envelope,
) -> Result<(SignerIdentity, Proven), Refusal> {
    let encoded = envelope.pre_authentication_encoding();
    let key = envelope.signatures.iter().find_map(|bytes| checker.key_of(&encoded, bytes)).ok_or_else(|| checker.no_key())?;
    let filled = |value: Option<&Value>| value.and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let logged = filled(material.and_then(|material| material.get("tlogEntries")));
    let dated = filled(material.and_then(|material| material.get("timestampVerificationData")?.get("rfc3161Timestamps")));
    let proven = match checker.root {
        _ if !logged && !dated => Proven::bare(&["log"]),
        None => Proven::bare(&["log", "log-entry"]),
        Some(root) => root.check_key(text, Covered::Digest(spot.subject), key, LogEvidence::Proof)?,
    };
    Ok((SignerIdentity::Key { fingerprint: key.fingerprint().to_owned() }, proven))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// One run of the conformance suite: the bundle against an artifact or its digest; `Ok` when it is accepted for the expected signer.
    fn run(case: &Value, folder: &Path, covered: Covered<'_>) -> Result<(), String> {
        let path = |name: &str| case.get(name).and_then(Value::as_str).map(|name| folder.join(name));
        let text = fs::read_to_string(path("bundle").ok_or("no bundle")?).map_err(|error| error.to_string())?;
        let root = TrustRoot::parse(&fs::read(path("trusted_root").ok_or("no root")?).map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        strict_json::parse(text.as_bytes())?;
        if let Some(key) = path("key") {
            let pem = fs::read_to_string(key).map_err(|error| error.to_string())?;
            let key = TrustedKey::parse("key", pem).map_err(|error| error.to_string())?;
            let proven = root.check_key(&text, covered, &key, LogEvidence::Proof).map_err(|refusal| format!("{refusal:?}"))?;
            // Where the library cannot say that the signature holds, we ask our own check, which has no message here.
            return if proven.logged { Ok(()) } else { Err("not verified".to_owned()) };
        }
        let (leaf, _) = root.check_keyless(&text, covered, LogEvidence::Proof).map_err(|refusal| format!("{refusal:?}"))?;
        let SignerIdentity::Keyless { issuer, subject, .. } = signer(&leaf).map_err(|refusal| format!("{refusal:?}"))? else {
            return Err("no identity".to_owned());
        };
        let expected = |name: &str| case.get(name).and_then(Value::as_str);
        if expected("issuer") == Some(&issuer) && expected("identity") == Some(&subject) {
            Ok(())
        } else {
            Err(format!("{issuer} {subject}"))
        }
    }

    #[test]
    fn conformance_cases_come_out_as_they_say() {
        let Some(folder) =
            std::env::var_os("PLIMSOLL_CORPUS").map(|root| Path::new(&root).join("corpus/signing/conformance/dev")).filter(|f| f.is_dir())
        else {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
            return;
        };
        let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).expect("index")).expect("JSON");
        let (mut runs, mut wrong) = (0, Vec::new());
        for case in index.get("cases").and_then(Value::as_array).expect("cases") {
            let text = |name: &str| case.get(name).and_then(Value::as_str).unwrap_or_default();
            let bytes = fs::read(folder.join(text("artifact"))).expect("artifact");
            let digest = Digest::parse(text("digest")).expect("digest");
            for covered in [Covered::Bytes(&bytes), Covered::Digest(&digest)] {
                runs += 1;
                let got = run(case, &folder, covered);
                if got.is_ok() != (text("expected") == "pass") {
                    wrong.push(format!("{}: expected {}, got {got:?}", text("case"), text("expected")));
                }
            }
        }
        assert_eq!(runs, 84);
        assert!(wrong.is_empty(), "{} of {runs} wrong\n{}", wrong.len(), wrong.join("\n"));
    }
}
