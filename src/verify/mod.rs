//! Who vouches for the image: every signature and attestation, found in every layout and checked. Facts only; `policy` judges.
//!
//! In: a [`ResolvedImage`], an [`ImageSource`] that reads beside it, and a [`Trust`]. Out: a [`Verification`] with the claims that hold,
//! what is wrong or absent (`invalid.*`, `absent.*`) and what could not be looked at (`unchecked.*`).
//! Layouts: cosign's tags (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>), Sigstore bundles as OCI referrers
//! (<https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md>).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;

use crate::{
    model::{
        attestation::{Verification, VerificationFault},
        coverage::{Gap, SourceId},
        digest::{Algorithm, Digest},
        image::ResolvedImage,
    },
    registry::ImageSource,
};

mod annotations;
mod bundle;
mod claim;
mod discover;
mod dsse;
mod identity;
mod simple_signing;
mod strict_json;
mod trust;

pub use trust::{Trust, TrustedKey, fingerprint_of_pem, public_good_root};

use claim::{Checker, Names};
use discover::Findings;

/// Somebody who can find and check signatures.
pub trait Verifier: Send + Sync {
    /// Finds and checks everything beside `image`.
    fn verify<'a>(&'a self, image: &'a ResolvedImage) -> BoxFuture<'a, Result<Verification, Error>>;
}

/// Why verification could not even begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key that cannot be read: its name, and why.
    #[error("cannot read public key {0}")]
    Key(String),
    /// A trusted root that cannot be used.
    #[error("cannot use the trusted root: {0}")]
    TrustRoot(String),
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Key(_) => {
                "give a PEM block `PUBLIC KEY` with an ECDSA (P-256, P-384, P-521), Ed25519 or RSA key of at least 2048 bits; `cosign public-key` writes one"
                    .to_owned()
            }
            Self::TrustRoot(_) => "give a Sigstore `trusted_root.json` (media type application/vnd.dev.sigstore.trustedroot+json)".to_owned(),
        })
    }
}

/// The bounds of what is read for one image; hitting one is the Gap `unchecked.limit`, hitting the time is `unchecked.timeout`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a manifest that carries signatures.
    pub manifest_bytes: u64,
    /// Bytes of a payload, an envelope or a bundle.
    pub payload_bytes: u64,
    /// Layers of one such manifest.
    pub layers: usize,
    /// Referrers of one digest.
    pub referrers: usize,
    /// Subjects of one statement.
    pub subjects: usize,
    /// Digests of one subject.
    pub subject_digests: usize,
    /// Signatures of one envelope.
    pub envelope_signatures: usize,
    /// Time for all evidence of one image.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            payload_bytes: 8 << 20,
            layers: 100,
            referrers: 1_000,
            subjects: 1_024,
            subject_digests: 32,
            envelope_signatures: 64,
            time: Duration::from_secs(60),
        }
    }
}

/// The verifier for everything that cosign and the Sigstore clients write beside an image.
pub struct Sigstore {
    source: Arc<dyn ImageSource>,
    trust: Trust,
    references: BTreeMap<String, String>,
    limits: Limits,
}

impl Sigstore {
    /// A verifier that reads from `source`. `references` maps an image name to the name that its signatures may carry instead (mirrors).
    #[must_use]
    pub fn new(source: Arc<dyn ImageSource>, trust: Trust, references: BTreeMap<String, String>, limits: Limits) -> Self {
        Self { source, trust, references, limits }
    }

    async fn gather(&self, image: &ResolvedImage) -> Result<Verification, Error> {
        let root = self.trust.trusted_root.as_deref().map(bundle::TrustRoot::parse).transpose()?;
        let mut findings = Findings::default();
        if self.source.holds_signatures() {
            let checker = Checker {
                keys: &self.trust.keys,
                root: root.as_ref(),
                names: Names::of(&image.reference, &self.references),
                limits: &self.limits,
            };
            let digests: BTreeSet<&Digest> = std::iter::once(image.digest()).chain(&image.index_digest).collect();
            let reader = discover::Reader::new(self.source.as_ref(), &checker);
            for subject in digests {
                findings.append(if subject.algorithm() == Algorithm::Sha256 {
                    reader.read(subject).await
                } else {
                    // The tag layouts have no room for longer digests, and no client writes such statements.
                    Findings::gap(Gap::new(
                        SourceId::Signatures,
                        "unchecked.unsupported",
                        subject.to_string(),
                        "image digest is not SHA-256",
                    ))
                });
            }
        } else {
            findings.append(Findings::gap(
                Gap::new(
                    SourceId::Signatures,
                    "unchecked.source",
                    image.reference.to_string(),
                    "this kind of image source carries no signatures",
                )
                .with_hint("verify the image in its registry, by digest"),
            ));
        }
        Ok(findings.into_verification(image.digest()))
    }
}

impl Verifier for Sigstore {
    fn verify<'a>(&'a self, image: &'a ResolvedImage) -> BoxFuture<'a, Result<Verification, Error>> {
        Box::pin(self.gather(image))
    }
}

impl Findings {
    /// The facts in a fixed order; `absent.signature` only when every place was read and held nothing that claims to be one.
    fn into_verification(mut self, subject: &Digest) -> Verification {
        if self.signatures.is_empty() && self.gaps.is_empty() && !self.signature_seen {
            self.faults.push(VerificationFault {
                code: "absent.signature",
                place: None,
                manifest: None,
                index: 0,
                detail: "every place was read and there is no signature".to_owned(),
            });
        }
        self.faults.sort();
        self.faults.dedup();
        self.gaps.sort();
        self.gaps.dedup();
        Verification {
            subject: subject.clone(),
            signatures: self.signatures,
            attestations: self.attestations,
            faults: self.faults,
            gaps: self.gaps,
        }
    }
}
