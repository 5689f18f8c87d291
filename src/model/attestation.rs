//! `Signature`, `Attestation`, `SignerIdentity`, `Verification`: verified claims and whose they are. Facts only; nothing here is "trusted".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{coverage::Gap, digest::Digest};

/// Who signed, as proved by the cryptography.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignerIdentity {
    /// A key that the caller handed in.
    Key {
        /// SHA-256 over the DER SubjectPublicKeyInfo, lower-case hex.
        fingerprint: String,
    },
    /// A short-lived certificate.
    Keyless {
        /// OIDC issuer (Fulcio extension .8, else .1).
        issuer: String,
        /// Subject alternative name.
        subject: String,
        /// Fulcio's further extensions by short name: `repository`, `owner`, `ref`, `trigger`, `runner`, `build_signer`, `run`.
        extensions: BTreeMap<String, String>,
    },
}

/// In which layout a signature was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Tag `sha256-<hex>.sig`.
    LegacySig,
    /// Tag `sha256-<hex>.att`.
    LegacyAtt,
    /// The referrers API.
    Referrers,
    /// The fallback tag `sha256-<hex>`.
    FallbackTag,
}

impl Place {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacySig => "legacy-sig",
            Self::LegacyAtt => "legacy-att",
            Self::Referrers => "referrers",
            Self::FallbackTag => "fallback-tag",
        }
    }
}

/// Where an authenticated time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeSource {
    /// The transparency log's signed entry timestamp.
    LogEntry,
    /// An RFC 3161 timestamp.
    Timestamp,
}

/// A signature whose cryptography holds and which covers the image's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Where it was found.
    pub place: Place,
    /// Digest of the manifest that carries it.
    pub manifest: Digest,
    /// The image digest that it covers.
    pub subject: Digest,
    /// Who signed.
    pub signer: SignerIdentity,
    /// Signed annotations.
    pub annotations: BTreeMap<String, String>,
    /// Authenticated signing time and its source.
    pub time: Option<(Timestamp, TimeSource)>,
    /// Whether a transparency log vouches for it.
    pub logged: bool,
    /// What was checked, e.g. `signature`, `payload-digest`, `chain`, `sct`, `inclusion`.
    pub checks: BTreeSet<&'static str>,
    /// What was not checked and might have been.
    pub not_checked: BTreeSet<&'static str>,
}

/// A signed statement about the image, of a type other than "signature".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The signature over it.
    pub signature: Signature,
    /// Predicate type, from the signed statement.
    pub predicate_type: String,
    /// The predicate as JSON text.
    pub predicate: String,
}

/// Something that was found and is wrong (`invalid.*`), or was looked for and is not there (`absent.*`) (signing.md 4).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct VerificationFault {
    /// Permanent reason code.
    pub code: &'static str,
    /// Where; `None` when it is about all places.
    pub place: Option<Place>,
    /// Digest of the manifest that carries it, when there is one.
    pub manifest: Option<Digest>,
    /// Which of the manifest's signatures, from 0.
    pub index: usize,
    /// One line.
    pub detail: String,
}

/// All that was found beside one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The digest that was asked about.
    pub subject: Digest,
    /// Signatures that hold.
    pub signatures: Vec<Signature>,
    /// Attestations that hold.
    pub attestations: Vec<Attestation>,
    /// What is wrong or absent, sorted.
    pub faults: Vec<VerificationFault>,
    /// What could not be looked at (`unchecked.*`), sorted.
    pub gaps: Vec<Gap>,
}
