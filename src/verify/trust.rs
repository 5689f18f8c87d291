//! Whom a run trusts: PEM public keys in, keys that verify signatures out (RFC 5280 SubjectPublicKeyInfo, RFC 7468, RFC 8410).
//! Algorithm and hash come from the trusted key, never from what is verified.

use aws_lc_rs::signature::{self, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use x509_cert::{
    der::{Decode as _, Reader as _, SliceReader, asn1::ObjectIdentifier, asn1::UintRef},
    spki::SubjectPublicKeyInfoRef,
};

use crate::{model::digest::Digest, verify::Error};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// PEM text beyond this is no public key.
const MAX_PEM: usize = 64 << 10;
const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

type Algorithms = &'static [&'static dyn VerificationAlgorithm];

/// Every signer whom this run can recognise.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Public keys.
    pub keys: Vec<TrustedKey>,
    /// The bytes of a `trusted_root.json`: certificate authorities, logs and timestamp authorities for keyless signatures.
    pub trusted_root: Option<Vec<u8>>,
}

/// A public key that the caller handed in.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// The caller's name for it, for messages.
    pub name: String,
    /// The PEM text as handed in.
    pub pem: String,
    fingerprint: String,
    spki: Vec<u8>,
    raw: Vec<u8>,
    algorithms: Algorithms,
}

impl TrustedKey {
    /// Parses one PEM block `PUBLIC KEY`.
    ///
    /// # Errors
    /// When the text is no such block, or its key is of a kind or size that is not accepted.
    pub fn parse(name: impl Into<String>, pem: impl Into<String>) -> Result<Self, Error> {
        let (name, pem) = (name.into(), pem.into());
        let failed = |reason: &str| Error::Key(format!("{name}: {reason}"));
        let spki = block(&pem, "PUBLIC KEY").map_err(failed)?;
        let (algorithms, raw) = algorithms(&spki).map_err(failed)?;
        Ok(Self { fingerprint: Digest::sha256_of(&spki).hex().to_owned(), name, pem, spki, raw, algorithms })
    }

    /// SHA-256 over the DER SubjectPublicKeyInfo, lower-case hex.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The DER SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether `signature` over `message` is by this key, with one of the hashes and paddings that go with its kind.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.algorithms.iter().any(|algorithm| UnparsedPublicKey::new(*algorithm, &self.raw).verify(message, signature).is_ok())
    }
}

/// Computes the fingerprint by which [`SignerIdentity::Key`](crate::model::attestation::SignerIdentity::Key) names the key of a PEM text.
///
/// # Errors
/// When the text is no acceptable public key.
pub fn fingerprint_of_pem(pem: &str) -> Result<String, Error> {
    TrustedKey::parse("of the policy", pem).map(|key| key.fingerprint)
}

/// The compiled-in `trusted_root.json` of Sigstore's public-good instance.
#[must_use]
pub fn public_good_root() -> &'static [u8] {
    sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes()
}

/// The DER of the only PEM block in `pem`.
pub(crate) fn block(pem: &str, label: &str) -> Result<Vec<u8>, &'static str> {
    if pem.len() > MAX_PEM {
        return Err("the text is too long for a PEM block");
    }
    let body = pem
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))
        .and_then(|rest| rest.strip_suffix(&format!("-----END {label}-----")))
        .ok_or("not exactly one PEM block of the expected kind")?;
    let text: String = body.chars().filter(|c| !matches!(c, '\n' | '\r' | ' ' | '\t')).collect();
    STANDARD.decode(text).map_err(|_| "the PEM block is not base64")
}

/// How to verify with a key, and the key bytes in the form that the verification wants.
fn algorithms(spki: &[u8]) -> Result<(Algorithms, Vec<u8>), &'static str> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(|_| "not a DER SubjectPublicKeyInfo")?;
    let raw = info.subject_public_key.as_bytes().ok_or("the key has unused bits")?;
    let curve = info.algorithm.parameters_oid();
    let algorithms: Algorithms = match (info.algorithm.oid, curve) {
        (EC, Ok(P256)) => &[&signature::ECDSA_P256_SHA256_ASN1],
        (EC, Ok(P384)) => &[&signature::ECDSA_P384_SHA256_ASN1, &signature::ECDSA_P384_SHA384_ASN1],
        (EC, Ok(P521)) => &[&signature::ECDSA_P521_SHA256_ASN1, &signature::ECDSA_P521_SHA512_ASN1],
        (EC, _) => return Err("the curve is not P-256, P-384 or P-521"),
        (ED25519, _) if info.algorithm.parameters.is_none() => &[&signature::ED25519],
        (RSA, _) => {
            check_rsa_size(raw)?;
            &[
                &signature::RSA_PKCS1_2048_8192_SHA256,
                &signature::RSA_PKCS1_2048_8192_SHA384,
                &signature::RSA_PKCS1_2048_8192_SHA512,
                &signature::RSA_PSS_2048_8192_SHA256,
                &signature::RSA_PSS_2048_8192_SHA384,
                &signature::RSA_PSS_2048_8192_SHA512,
            ]
        }
        _ => return Err("the key is not ECDSA, Ed25519 or RSA"),
    };
    // A point off the curve or a nonsense modulus must fail when the key is loaded, not look like a bad signature later.
    if let Some(first) = algorithms.first() {
        ParsedPublicKey::new(*first, raw).map_err(|_| "the key's value is not valid")?;
    }
    Ok((algorithms, raw.to_vec()))
}

fn check_rsa_size(raw: &[u8]) -> Result<(), &'static str> {
    let modulus_bits = SliceReader::new(raw)
        .and_then(|mut reader| {
            let bits = reader.sequence(|inner| {
                let modulus = UintRef::decode(inner)?;
                let _exponent = UintRef::decode(inner)?;
                let bytes = modulus.as_bytes();
                let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros());
                Ok((bytes.len() * 8).saturating_sub(usize::try_from(zeros).unwrap_or(0)))
            })?;
            reader.finish(bits)
        })
        .map_err(|_| "not a DER RSA key")?;
    if modulus_bits < MIN_RSA_BITS {
        return Err("the RSA key is shorter than 2048 bits");
    }
    if modulus_bits > MAX_RSA_BITS {
        return Err("the RSA key is longer than 8192 bits");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const P256_PUB: &str = include_str!("../../testdata/verify/keys/p256.pub");
    const P384_PUB: &str = include_str!("../../testdata/verify/keys/p384.pub");
    const P521_PUB: &str = include_str!("../../testdata/verify/keys/p521.pub");
    const RSA_PUB: &str = include_str!("../../testdata/verify/keys/rsa.pub");
    const ED25519_PUB: &str = include_str!("../../testdata/verify/keys/ed25519.pub");

    #[test]
    fn every_kind_of_key_verifies_what_openssl_signed() {
        let message = include_bytes!("../../testdata/verify/keys/message.txt");
        let check = |pem: &str, signature: &[u8]| {
            let key = TrustedKey::parse("k", pem).expect("key");
            assert!(key.verifies(message, signature));
            assert!(!key.verifies(b"another message", signature));
            assert!(!key.verifies(message, &[signature, b"\0"].concat()), "trailing byte");
            assert!(!key.verifies(message, signature.get(..signature.len() - 1).unwrap_or_default()), "cut");
            assert!(!key.verifies(message, b""));
        };
        check(P256_PUB, include_bytes!("../../testdata/verify/keys/p256.sha256.sig"));
        check(P384_PUB, include_bytes!("../../testdata/verify/keys/p384.sha256.sig"));
        check(P384_PUB, include_bytes!("../../testdata/verify/keys/p384.sha384.sig"));
        check(P521_PUB, include_bytes!("../../testdata/verify/keys/p521.sha256.sig"));
        check(P521_PUB, include_bytes!("../../testdata/verify/keys/p521.sha512.sig"));
        check(RSA_PUB, include_bytes!("../../testdata/verify/keys/rsa.pkcs1-sha256.sig"));
        check(RSA_PUB, include_bytes!("../../testdata/verify/keys/rsa.pss-sha256.sig"));
        check(ED25519_PUB, include_bytes!("../../testdata/verify/keys/ed25519.sig"));
    }

    #[test]
    fn der_is_taken_strictly() {
        let message = include_bytes!("../../testdata/verify/keys/message.txt");
        let good = include_bytes!("../../testdata/verify/keys/p256.sha256.sig");
        let key = TrustedKey::parse("k", P256_PUB).expect("key");
        // The same numbers with the length of the sequence in its long form: BER, not DER.
        let body = good.get(2..).expect("body");
        let long = [&[0x30, 0x81, u8::try_from(body.len()).expect("short")], body].concat();
        assert!(key.verifies(message, good));
        assert!(!key.verifies(message, &long));
    }

    #[test]
    fn keys_are_refused_when_they_are_loaded() {
        let check = |pem: &str, part: &str| match TrustedKey::parse("k", pem) {
            Err(Error::Key(text)) => assert!(text.contains(part), "{text}"),
            other => panic!("{part}: {other:?}"),
        };
        check("", "PEM");
        check(&format!("{P256_PUB}{P384_PUB}"), "base64");
        check(&P256_PUB.replace("PUBLIC", "PRIVATE"), "PEM");
        check(include_str!("../../testdata/verify/keys/p256.key"), "PEM");
        check(include_str!("../../testdata/verify/keys/rsa1024.pub"), "2048");
        check(include_str!("../../testdata/verify/keys/secp256k1.pub"), "curve");
        check("-----BEGIN PUBLIC KEY-----\nMFkw*\n-----END PUBLIC KEY-----", "base64");
        check("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "DER");
        check(&"x".repeat(1 << 20), "long");
    }

    #[test]
    fn fingerprints_are_of_the_key_not_of_its_spelling() {
        let one = fingerprint_of_pem(P256_PUB).expect("key");
        let two = fingerprint_of_pem(&format!("\n{}\n\n", P256_PUB.replace('\n', "\r\n"))).expect("key");
        assert_eq!(one, two);
        assert_eq!(one, include_str!("../../testdata/verify/keys/p256.fingerprint").trim());
    }
}
