//! cosign's signed payload in, a [`Signature`](crate::model::attestation::Signature) out
//! (<https://github.com/containers/image/blob/main/docs/containers-signature.5.md>). The signature is over the raw bytes.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    model::attestation::SignerIdentity,
    verify::{
        annotations::{Beside, Content, SIGNATURE},
        bundle::Covered,
        claim::{Checker, Claim, Refusal, Spot, signature, signed_annotations},
        strict_json,
    },
};

/// What the payload must say it is.
const CLAIM_TYPE: &str = "cosign container image signature";

/// Checks one layer of a `.sig` manifest.
pub(crate) fn check(
    checker: &Checker<'_>,
    spot: Spot<'_>,
    annotations: &BTreeMap<String, String>,
    payload: &[u8],
) -> Result<Vec<Claim>, Refusal> {
    let beside = Beside::new(annotations);
    let text = beside.text(SIGNATURE).ok_or_else(|| Refusal::invalid("invalid.signature", "layer carries no signature"))?;
    let bytes = STANDARD.decode(text).map_err(|_| Refusal::invalid("invalid.signature", "signature is not base64"))?;
    let content = Content::Message { payload, signature: text };
    let (signer, mut proven) = match (checker.key_of(payload, &bytes), beside.certificate()?) {
        (Some(key), _) => {
            let proven = checker.key_evidence(key, &beside, content, Covered::Bytes(payload))?;
            (SignerIdentity::Key { fingerprint: key.fingerprint().to_owned() }, proven)
        }
        (None, Some(certificate)) => checker.certificate_evidence(&certificate, &beside, content, Covered::Bytes(payload))?,
        (None, None) => return Err(checker.no_key()),
    };
    let signed = read_payload(payload)?;
    if signed.claim_type != CLAIM_TYPE {
        return Err(Refusal::invalid("invalid.claim-type", format!("payload says it is `{}`", shown(&signed.claim_type))));
    }
    if signed.digest != spot.subject.to_string() {
        return Err(Refusal::invalid("invalid.digest", format!("signed for image {}", shown(&signed.digest))));
    }
    match checker.names.admit(&signed.reference) {
        Some(true) => proven.checks.insert("reference"),
        Some(false) => {
            return Err(Refusal::invalid(
                "invalid.reference",
                format!("signed for `{}`; list it under `references` if this image is a copy of that one", shown(&signed.reference)),
            ));
        }
        None => proven.not_checked.insert("reference"),
    };
    Ok(vec![Claim::Signature(signature(spot, signer, proven, signed.annotations, &["signature", "claim-type", "payload-digest"]))])
}

struct Payload {
    claim_type: String,
    digest: String,
    reference: String,
    annotations: BTreeMap<String, String>,
}

fn read_payload(bytes: &[u8]) -> Result<Payload, Refusal> {
    let bad = |reason: &str| Refusal::invalid("invalid.payload", format!("signed payload: {reason}"));
    let value = strict_json::parse(bytes).map_err(|reason| bad(&reason))?;
    let critical = value.get("critical").ok_or_else(|| bad("no `critical`"))?;
    let text = |path: &[&str]| {
        path.iter()
            .try_fold(critical, |value, name| value.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
            .ok_or_else(|| bad(&format!("no `critical.{}`", path.join("."))))
    };
    Ok(Payload {
        claim_type: text(&["type"])?,
        digest: text(&["image", "docker-manifest-digest"])?,
        reference: text(&["identity", "docker-reference"])?,
        annotations: signed_annotations(value.get("optional")).map_err(|reason| bad(&reason))?,
    })
}

/// A signed text, cut so that a message stays one line.
fn shown(text: &str) -> String {
    text.chars().take(160).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_strictly() {
        let check = |text: &str| read_payload(text.as_bytes()).map(|payload| payload.annotations.into_iter().collect::<Vec<_>>());
        let good = |optional: &str| {
            format!(
                r#"{{"critical":{{"identity":{{"docker-reference":"r/a"}},"image":{{"docker-manifest-digest":"sha256:00"}},"type":"t"}},"optional":{optional}}}"#
            )
        };
        assert_eq!(check(&good("null")), Ok(vec![]));
        assert_eq!(
            check(&good(r#"{"env":"prod","n":1}"#)),
            Ok(vec![("env".to_owned(), "prod".to_owned()), ("n".to_owned(), "1".to_owned())])
        );
        for bad in [good("[]"), good("1"), good(r#"{"a":1,"a":2}"#), "{}".to_owned(), "[]".to_owned(), String::new(), good("null") + " {}"]
        {
            assert!(matches!(check(&bad), Err(Refusal::Invalid { code: "invalid.payload", .. })), "{bad}");
        }
    }
}
