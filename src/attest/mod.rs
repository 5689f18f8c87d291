//! Signing: bytes in, signatures out, put beside what they are about. Keys in files for now; certificates and key services are further [`Signer`]s.
//!
//! What is written is what cosign writes and what `verify` reads: <https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>.

use futures_util::future::BoxFuture;

use crate::registry;

pub mod key;
pub mod simple_signing;

pub use key::KeySigner;

/// Somebody who signs.
pub trait Signer: Send + Sync {
    /// Signs `message`; the hash is the signer's own matter.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, Error>>;

    /// Whether `signature` over `message` is this signer's own, so that nothing is signed twice.
    fn made(&self, message: &[u8], signature: &[u8]) -> bool;
}

/// Why something could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A private key that cannot be used: its name, and why. Never a part of the key.
    #[error("cannot use signing key {name}: {reason}")]
    Key {
        /// The file.
        name: String,
        /// Why.
        reason: String,
    },
    /// The key did not sign.
    #[error("signing failed: {0}")]
    Sign(String),
    /// What the registry has under the tag for signatures holds none.
    #[error("{what} is there and holds no signatures: {reason}")]
    Occupied {
        /// The tag.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The registry could not be read or written.
    #[error(transparent)]
    Registry(#[from] registry::Error),
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Key { .. } => Some(
                "give a private key of `cosign generate-key-pair` (password in COSIGN_PASSWORD), or a PEM block `PRIVATE KEY` with an ECDSA P-256, Ed25519 or RSA key"
                    .to_owned(),
            ),
            Self::Occupied { .. } => Some("delete that tag, or push to another repository".to_owned()),
            Self::Registry(error) => error.hint(),
            Self::Sign(_) => None,
        }
    }
}
