//! A private key in a PEM file in, signatures out that cosign accepts: ECDSA P-256 over SHA-256, Ed25519, RSA PKCS#1 v1.5 over SHA-256.
//! Encrypted keys are cosign's (scrypt and NaCl secretbox): <https://github.com/sigstore/cosign/blob/main/doc/cosign_generate-key-pair.md>.

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use sigstore::crypto::{
    CosignVerificationKey, Signature, SigningScheme,
    signing_key::{
        COSIGN_PRIVATE_KEY_PEM_LABEL, PRIVATE_KEY_PEM_LABEL, SIGSTORE_PRIVATE_KEY_PEM_LABEL, SigStoreKeyPair, SigStoreSigner,
        ecdsa::ECDSAKeys,
    },
};

use crate::attest::{Error, Signer};

/// PEM text beyond this is no private key.
const MAX_PEM: usize = 64 << 10;
/// Any number will do: the key brings its own size.
const RSA_BITS: usize = 2048;

/// A key that signs.
pub struct KeySigner {
    signer: SigStoreSigner,
    verification: CosignVerificationKey,
    public: String,
}

/// Whether a PEM text is a private key that needs a password.
#[must_use]
pub fn is_encrypted(pem: &str) -> bool {
    [COSIGN_PRIVATE_KEY_PEM_LABEL, SIGSTORE_PRIVATE_KEY_PEM_LABEL].iter().any(|label| pem.contains(&format!("-----BEGIN {label}-----")))
}

impl KeySigner {
    /// Parses a PEM private key; `password` opens an encrypted one.
    ///
    /// # Errors
    /// When the text is no such key, the password does not open it, or its kind is not one that cosign verifies.
    pub fn parse(name: &str, pem: &str, password: Option<&str>) -> Result<Self, Error> {
        let failed = |reason: &str| Error::Key { name: name.to_owned(), reason: reason.to_owned() };
        if pem.len() > MAX_PEM {
            return Err(failed("the text is too long for a PEM block"));
        }
        // The library's own words are not passed on: they may hold what it read.
        let pair = if is_encrypted(pem) {
            let password = password.ok_or_else(|| failed("it is encrypted, and there is no password"))?;
            SigStoreKeyPair::from_encrypted_pem(pem.as_bytes(), password.as_bytes())
                .map_err(|_| failed("the password does not open it, or it is damaged"))?
        } else if pem.contains(&format!("-----BEGIN {PRIVATE_KEY_PEM_LABEL}-----")) {
            SigStoreKeyPair::from_pem(pem.as_bytes()).map_err(|_| failed("it is damaged, or of a kind that is not supported"))?
        } else if pem.contains("-----BEGIN EC PRIVATE KEY-----") {
            return Err(failed(
                "it is in SEC 1 form (`EC PRIVATE KEY`); `openssl pkcs8 -topk8 -nocrypt -in FILE` makes the form that is read",
            ));
        } else {
            return Err(failed("it holds no private key in PEM form"));
        };
        let scheme = match &pair {
            SigStoreKeyPair::ECDSA(ECDSAKeys::P256(_)) => SigningScheme::ECDSA_P256_SHA256_ASN1,
            // cosign verifies these curves with SHA-256, which the library does not sign with.
            SigStoreKeyPair::ECDSA(_) => return Err(failed("the curve is not P-256")),
            SigStoreKeyPair::ED25519(_) => SigningScheme::ED25519,
            SigStoreKeyPair::RSA(_) => SigningScheme::RSA_PKCS1_SHA256(RSA_BITS),
        };
        let unusable = |_| failed("it cannot be used");
        Ok(Self {
            public: pair.public_key_to_pem().map_err(unusable)?.replace('\r', ""),
            verification: pair.to_verification_key(&scheme).map_err(unusable)?,
            signer: pair.to_sigstore_signer(&scheme).map_err(unusable)?,
        })
    }

    /// The public key, PEM.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public
    }
}

impl Signer for KeySigner {
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        ready(self.signer.sign(message).map_err(|error| Error::Sign(error.to_string()))).boxed()
    }

    fn made(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verification.verify_signature(Signature::Raw(signature), message).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256: &str = include_str!("../../testdata/verify/keys/p256.key");
    const P256_PUBLIC: &str = include_str!("../../testdata/verify/keys/p256.pub");

    fn parse(pem: &str, password: Option<&str>) -> Result<KeySigner, String> {
        KeySigner::parse("k", pem, password).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_plain_and_an_encrypted_key_sign_alike() {
        let plain = parse(P256, None).unwrap();
        assert_eq!(plain.public_key().trim(), P256_PUBLIC.trim());
        let pair = SigStoreKeyPair::from_pem(P256.as_bytes()).unwrap();
        let sealed = pair.private_key_to_encrypted_pem(b"open sesame").unwrap();
        assert!(is_encrypted(&sealed) && !is_encrypted(P256));
        let opened = parse(&sealed, Some("open sesame")).unwrap();
        assert_eq!(opened.public_key(), plain.public_key());
        let signature = opened.sign(b"message").await.unwrap();
        assert!(plain.made(b"message", &signature) && !plain.made(b"another", &signature));
        assert!(parse(&sealed, Some("wrong")).is_err_and(|error| error.contains("password") && !error.contains("sesame")));
        assert!(parse(&sealed, None).is_err_and(|error| error.contains("no password")));
    }

    #[test]
    fn every_kind_that_cosign_verifies_signs_and_no_other() {
        for (scheme, accepted) in
            [(SigningScheme::ED25519, true), (SigningScheme::ECDSA_P256_SHA256_ASN1, true), (SigningScheme::ECDSA_P384_SHA384_ASN1, false)]
        {
            let pem = scheme.create_signer().unwrap().to_sigstore_keypair().unwrap().private_key_to_pem().unwrap();
            assert_eq!(parse(&pem, None).is_ok(), accepted, "{scheme}");
        }
        for (pem, reason) in [
            ("", "no private key"),
            (P256_PUBLIC, "no private key"),
            ("-----BEGIN EC PRIVATE KEY-----\nAA==\n-----END EC PRIVATE KEY-----\n", "openssl pkcs8 -topk8 -nocrypt"),
            ("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "damaged"),
        ] {
            assert!(parse(pem, None).is_err_and(|error| error.contains(reason)), "{reason}");
        }
        assert!(parse(&"x".repeat(1 << 20), None).is_err_and(|error| error.contains("too long")));
    }
}
