//! Who vouches for the image: every signature and attestation, found in every layout and checked. Facts only; `policy` judges.

use futures_util::future::BoxFuture;

use crate::model::{attestation::Verification, image::ResolvedImage};

/// Somebody who can find and check signatures.
pub trait Verifier: Send + Sync {
    /// Finds and checks everything beside `image`.
    fn verify<'a>(&'a self, image: &'a ResolvedImage) -> BoxFuture<'a, Result<Verification, Error>>;
}

/// Why verification could not even begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key that cannot be read.
    #[error("cannot read public key {0}")]
    Key(String),
}
