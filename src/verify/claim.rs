//! One layer that a place holds in, checked claims or a refusal with its reason code out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    model::{
        attestation::{Attestation, Place, Signature, SignerIdentity, TimeSource},
        digest::Digest,
        reference::{ImageReference, RegistryReference},
    },
    verify::{
        Limits, TrustedKey,
        annotations::{Beside, Content},
        bundle::{self, Covered, LogEvidence, TrustRoot},
        dsse, identity, simple_signing,
    },
};

/// cosign's payload in the tag layout.
pub(crate) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// A DSSE envelope in the tag layout.
pub(crate) const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
/// How every spelling of the bundle's media type begins.
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// Where a layer was found.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    /// Layout.
    pub(crate) place: Place,
    /// Digest of the manifest that holds the layer.
    pub(crate) manifest: &'a Digest,
    /// The image digest beside which it was found.
    pub(crate) subject: &'a Digest,
}

/// Something signed that holds.
pub(crate) enum Claim {
    /// An image signature.
    Signature(Signature),
    /// A statement of another type.
    Attestation(Attestation),
}

/// Why a layer gives no claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is wrong.
    Invalid {
        /// Reason code.
        code: &'static str,
        /// One line.
        detail: String,
    },
    /// It could not be checked.
    Unchecked {
        /// Gap kind.
        kind: &'static str,
        /// One line.
        reason: String,
    },
}

impl Refusal {
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid { code, detail: detail.into() }
    }

    pub(crate) fn unchecked(kind: &'static str, reason: impl Into<String>) -> Self {
        Self::Unchecked { kind, reason: reason.into() }
    }
}

/// What one layer gave.
pub(crate) struct Checked {
    /// Whether it claims to be an image signature; then there is one, good or bad, and "absent" would be untrue.
    pub(crate) signature_seen: bool,
    /// The claims.
    pub(crate) result: Result<Vec<Claim>, Refusal>,
}

/// What certificate, log and timestamps prove beside the signature itself.
#[derive(Debug, Default)]
pub(crate) struct Proven {
    pub(crate) time: Option<(Timestamp, TimeSource)>,
    pub(crate) logged: bool,
    pub(crate) checks: BTreeSet<&'static str>,
    pub(crate) not_checked: BTreeSet<&'static str>,
}

impl Proven {
    /// Nothing but the signature.
    pub(crate) fn bare(not_checked: &[&'static str]) -> Self {
        Self { not_checked: not_checked.iter().copied().collect(), ..Self::default() }
    }
}

/// The names that a signed docker-reference may carry.
pub(crate) struct Names {
    own: Option<String>,
    alternative: Option<String>,
}

impl Names {
    /// The image's own name, and the one that the policy's `references` gives for it.
    pub(crate) fn of(reference: &ImageReference, references: &BTreeMap<String, String>) -> Self {
        let own = reference.registry().map(RegistryReference::name);
        let alternative = own.as_ref().and_then(|own| {
            references
                .iter()
                .find(|(name, _)| normal(name).as_ref() == Some(own))
                .map(|(_, target)| normal(target).unwrap_or_else(|| target.clone()))
        });
        Self { own, alternative }
    }

    /// Whether a signed reference names this image; `None` when the image came from no registry and so has no name.
    pub(crate) fn admit(&self, signed: &str) -> Option<bool> {
        let own = self.own.as_ref()?;
        let signed = normal(signed);
        Some(signed.is_some() && (signed.as_ref() == Some(own) || signed == self.alternative))
    }
}

/// `registry/repository` without tag and digest, Docker Hub's names in their long form.
fn normal(reference: &str) -> Option<String> {
    RegistryReference::parse(reference).ok().map(|reference| reference.name())
}

/// Everything that a check of one layer needs.
pub(crate) struct Checker<'a> {
    pub(crate) keys: &'a [TrustedKey],
    pub(crate) root: Option<&'a TrustRoot>,
    pub(crate) names: Names,
    pub(crate) limits: &'a Limits,
}

impl Checker<'_> {
    /// Checks a layer by its media type; the caller has seen to it that the type is one of ours.
    pub(crate) fn check(&self, spot: Spot<'_>, media_type: &str, annotations: &BTreeMap<String, String>, bytes: &[u8]) -> Checked {
        match media_type {
            SIMPLE_SIGNING => Checked { signature_seen: true, result: simple_signing::check(self, spot, annotations, bytes) },
            DSSE => Checked { signature_seen: false, result: dsse::check(self, spot, annotations, bytes) },
            _ => bundle::check(self, spot, bytes),
        }
    }

    /// The trusted key that made `signature`.
    pub(crate) fn key_of(&self, message: &[u8], signature: &[u8]) -> Option<&TrustedKey> {
        self.keys.iter().find(|key| key.verifies(message, signature))
    }

    /// The refusal for a signature that no trusted key made.
    pub(crate) fn no_key(&self) -> Refusal {
        Refusal::invalid(
            "invalid.signature",
            match self.keys.len() {
                0 => "signed with a key, and no key is trusted".to_owned(),
                1 => "the trusted key did not make this signature".to_owned(),
                n => format!("none of the {n} trusted keys made this signature"),
            },
        )
    }

    /// What the annotations prove about a signature by a trusted key in the tag layout.
    pub(crate) fn key_evidence(
        &self,
        key: &TrustedKey,
        beside: &Beside<'_>,
        content: Content<'_>,
        covered: Covered<'_>,
    ) -> Result<Proven, Refusal> {
        match self.root {
            _ if !beside.is_logged() => Ok(Proven::bare(&["log"])),
            None => Ok(Proven::bare(&["log", "log-entry"])),
            Some(root) => match beside.bundle(None, content) {
                Ok(bundle) => root.check_key(&bundle, covered, key, LogEvidence::Promise),
                Err(Refusal::Unchecked { .. }) => Ok(Proven::bare(&["log", "log-entry"])),
                Err(refusal) => Err(refusal),
            },
        }
    }

    /// Who signed with a certificate in the tag layout, and what proves it.
    pub(crate) fn certificate_evidence(
        &self,
        certificate: &[u8],
        beside: &Beside<'_>,
        content: Content<'_>,
        covered: Covered<'_>,
    ) -> Result<(SignerIdentity, Proven), Refusal> {
        let root = self.root()?;
        if !beside.is_logged() {
            return Err(if beside.is_dated() {
                Refusal::unchecked(
                    "unchecked.unsupported",
                    "a certificate that is dated by a timestamp alone, without a log entry, cannot be checked in this layout",
                )
            } else {
                Refusal::invalid("invalid.certificate-time", "neither a log entry nor a timestamp says when the certificate was used")
            });
        }
        let (leaf, proven) = root.check_keyless(&beside.bundle(Some(certificate), content)?, covered, LogEvidence::Promise)?;
        Ok((signer(&leaf)?, proven))
    }

    /// The trusted root, or why nothing keyless can be checked.
    pub(crate) fn root(&self) -> Result<&TrustRoot, Refusal> {
        self.root.ok_or_else(|| Refusal::unchecked("unchecked.trust-root", "signed with a certificate, and this run has no trusted root"))
    }
}

/// The identity of a leaf whose chain has been checked.
pub(crate) fn signer(leaf: &[u8]) -> Result<SignerIdentity, Refusal> {
    identity::read(leaf).map_err(|reason| Refusal::invalid("invalid.chain", reason))
}

/// Puts a signature together; `checks` are those beyond what `proven` lists.
pub(crate) fn signature(
    spot: Spot<'_>,
    signer: SignerIdentity,
    mut proven: Proven,
    annotations: BTreeMap<String, String>,
    checks: &[&'static str],
) -> Signature {
    proven.checks.extend(checks);
    Signature {
        place: spot.place,
        manifest: spot.manifest.clone(),
        subject: spot.subject.clone(),
        signer,
        annotations,
        time: proven.time,
        logged: proven.logged,
        checks: proven.checks,
        not_checked: proven.not_checked,
    }
}

/// Signed annotations as text: strings as they are, anything else as JSON.
pub(crate) fn signed_annotations(value: Option<&Value>) -> Result<BTreeMap<String, String>, String> {
    match value {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(members)) => Ok(members
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect()),
        Some(_) => Err("signed annotations are not an object".to_owned()),
    }
}
