//! Signs images the way `cosign sign --key` does in the tag layout, so that tests can make signed layouts without cosign.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use plimsoll::model::digest::Digest;
use serde_json::json;

/// Signs `image_digest` under the name `docker_reference` (`registry/repository`) with a P-256 PKCS#8 PEM key;
/// gives the payload (the blob of the signature's layer) and the base64 signature over it.
pub(crate) fn cosign_signature_manifest(image_digest: &Digest, docker_reference: &str, key_pem: &str) -> (Vec<u8>, String) {
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": docker_reference },
            "image": { "docker-manifest-digest": image_digest.to_string() },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
    .into_bytes();
    let signature = STANDARD.encode(sign(&payload, key_pem));
    (payload, signature)
}

/// The tag under which the signatures of an image stand.
pub(crate) fn signature_tag(image_digest: &Digest) -> String {
    format!("sha256-{}.sig", image_digest.hex())
}

/// The manifest of a signature tag and its configuration blob; the third blob to store is the payload itself.
pub(crate) fn signature_manifest(payload: &[u8], signature: &str) -> (Vec<u8>, Vec<u8>) {
    let layer = Digest::sha256_of(payload).to_string();
    let config =
        json!({ "architecture": "", "os": "", "config": {}, "rootfs": { "type": "layers", "diff_ids": [layer] } }).to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::sha256_of(&config).to_string(),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": layer,
            "size": payload.len(),
            "annotations": { "dev.cosignproject.cosign/signature": signature },
        }],
    });
    (manifest.to_string().into_bytes(), config)
}

/// Signs bytes with a P-256 PKCS#8 PEM key (ECDSA, SHA-256, DER).
pub(crate) fn sign(message: &[u8], key_pem: &str) -> Vec<u8> {
    let body: String = key_pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body).expect("base64 of the key");
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).expect("PKCS#8 P-256 key");
    pair.sign(&SystemRandom::new(), message).expect("signature").as_ref().to_vec()
}
