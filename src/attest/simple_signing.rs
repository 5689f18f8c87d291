//! A manifest's digest in, a signature in cosign's tag layout beside it out (<https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md>):
//! the tag `sha256-<hex>.sig` holds a manifest with one layer for each signature, its payload as the blob, the signature in an annotation.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    attest::{Error, Signer},
    model::{digest::Digest, reference::RegistryReference},
    registry::{ImageSource, Publisher, RawManifest},
};

/// Media type of a payload.
const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Annotation that holds the signature, base64.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// What the payload says it is.
const CLAIM: &str = "cosign container image signature";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// More signatures than this beside one manifest are not added to.
const MAX_SIGNATURES: usize = 64;

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// This signer had signed this digest before.
    Before,
    /// The signature is new.
    Now,
}

/// The tag under which the signatures of a manifest stand.
#[must_use]
pub fn tag(digest: &Digest) -> String {
    format!("{}-{}.sig", digest.algorithm().name(), digest.hex())
}

/// Signs `digest` as a manifest of `place` and puts the signature beside it; those of others stay. The manifest itself need not be there yet, so
/// that nobody ever sees it unsigned.
///
/// # Errors
/// When the key fails, or the registry.
pub async fn sign(
    signer: &dyn Signer,
    digest: &Digest,
    place: &RegistryReference,
    source: &dyn ImageSource,
    publisher: &Publisher,
) -> Result<Signed, Error> {
    let (payload, tag) = (payload(digest, place), tag(digest));
    let there = source.fetch_tag(&tag).await?;
    let mut layers = there
        .as_ref()
        .map_or(Ok(Vec::new()), layers_of)
        .map_err(|reason| Error::Occupied { what: format!("{}:{tag}", place.name()), reason })?;
    let blob = Digest::sha256_of(&payload);
    let is_own = |layer: &&Value| {
        let signature = layer.get("annotations").and_then(|all| all.get(SIGNATURE)).and_then(Value::as_str).unwrap_or_default();
        layer.get("digest").and_then(Value::as_str) == Some(&blob.to_string())
            && STANDARD.decode(signature).is_ok_and(|signature| signer.made(&payload, &signature))
    };
    if layers.iter().any(|layer| is_own(&layer)) {
        return Ok(Signed::Before);
    }
    let signature = STANDARD.encode(signer.sign(&payload).await?);
    layers
        .push(json!({ "mediaType": PAYLOAD, "digest": blob.to_string(), "size": payload.len(), "annotations": { SIGNATURE: signature } }));
    let (config, manifest) = documents(&layers);
    publisher.push_blob(&blob, &payload).await?;
    publisher.push_blob(&Digest::sha256_of(&config), &config).await?;
    publisher.push_manifest(&tag, &manifest, MANIFEST).await?;
    Ok(Signed::Now)
}

/// What is signed.
fn payload(digest: &Digest, place: &RegistryReference) -> Vec<u8> {
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": place.name() },
            "image": { "docker-manifest-digest": digest.to_string() },
            "type": CLAIM,
        },
        "optional": null,
    });
    payload.to_string().into_bytes()
}

/// The signatures that are there, as they are written.
fn layers_of(raw: &RawManifest) -> Result<Vec<Value>, String> {
    let value: Value = serde_json::from_slice(&raw.bytes).map_err(|error| error.to_string())?;
    let layers = value.get("layers").and_then(Value::as_array).ok_or("it lists no layers")?;
    if layers.len() >= MAX_SIGNATURES {
        return Err(format!("it lists {} layers", layers.len()));
    }
    match layers.iter().find(|layer| layer.get("mediaType").and_then(Value::as_str) != Some(PAYLOAD)) {
        Some(_) => Err("not all of its layers are signatures".to_owned()),
        None => Ok(layers.clone()),
    }
}

/// Configuration and manifest, as cosign writes them.
fn documents(layers: &[Value]) -> (Vec<u8>, Vec<u8>) {
    let diff_ids: Vec<&Value> = layers.iter().filter_map(|layer| layer.get("digest")).collect();
    let config = json!({
        "architecture": "", "os": "", "config": {}, "created": "0001-01-01T00:00:00Z",
        "history": layers.iter().map(|_| json!({ "created": "0001-01-01T00:00:00Z" })).collect::<Vec<_>>(),
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = config.to_string().into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": CONFIG, "digest": Digest::sha256_of(&config).to_string(), "size": config.len() },
        "layers": layers,
    });
    (config, manifest.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> RawManifest {
        RawManifest { digest: Digest::sha256_of(text.as_bytes()), bytes: text.as_bytes().to_vec(), media_type: MANIFEST.to_owned() }
    }

    #[test]
    fn only_signatures_are_added_to() {
        let one = format!(r#"{{"mediaType":"{PAYLOAD}","digest":"sha256:00","size":1}}"#);
        assert_eq!(layers_of(&raw(&format!(r#"{{"layers":[{one},{one}]}}"#))).map(|layers| layers.len()), Ok(2));
        for (text, reason) in [
            ("{", "EOF"),
            (r#"{"manifests":[]}"#, "no layers"),
            (r#"{"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar"}]}"#, "not all"),
            (r#"{"layers":[1]}"#, "not all"),
            (&format!(r#"{{"layers":[{}]}}"#, vec![one.as_str(); MAX_SIGNATURES].join(",")), "64 layers"),
        ] {
            assert!(layers_of(&raw(text)).is_err_and(|error| error.contains(reason)), "{text}");
        }
    }

    #[test]
    fn the_payload_names_digest_and_repository() {
        let digest = Digest::sha256_of(b"x");
        let place = RegistryReference::parse("r.example:5000/team/db:v1").unwrap();
        let value: Value = serde_json::from_slice(&payload(&digest, &place)).unwrap();
        assert_eq!(value["critical"]["identity"]["docker-reference"], "r.example:5000/team/db");
        assert_eq!(value["critical"]["image"]["docker-manifest-digest"], digest.to_string());
        assert_eq!(tag(&digest), format!("sha256-{}.sig", digest.hex()));
    }
}
