//! Bills of materials that are attached to the image as attestations in, packages that only they name out. Only those count that somebody signed
//! whom the policy wants signatures of this image from: anybody else could attach one that says that all is well, or that makes a gate fail.

use std::borrow::Cow;

use serde_json::Value;

use super::Inputs;
use crate::{
    inventory,
    model::{attestation::Verification, image::ResolvedImage, package::Inventory},
    policy,
};

/// How the types of such predicates begin (<https://github.com/in-toto/attestation/tree/main/spec/predicates>); versions may follow.
const PREDICATES: [&str; 2] = ["https://cyclonedx.org/bom", "https://spdx.dev/Document"];

/// Adds the packages that accepted attestations name.
pub(super) fn add(inventory: &mut Inventory, image: &ResolvedImage, verification: &Verification, inputs: &Inputs) {
    for attestation in policy::accepted(&inputs.policy, &inputs.signer_fingerprints, image, verification) {
        if PREDICATES.iter().any(|kind| attestation.predicate_type.strip_prefix(kind).is_some_and(is_version)) {
            let name = format!("attestation {}", attestation.signature.manifest);
            inventory::sbom::attach(inventory, &name, document(&attestation.predicate).as_bytes(), &inputs.limits);
        }
    }
}

fn is_version(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

/// The document: the predicate itself, or the text that cosign of old put into its field `Data`.
fn document(predicate: &str) -> Cow<'_, str> {
    let wrapped = || match serde_json::from_str::<Value>(predicate).ok()?.get("Data")? {
        Value::String(text) => Some(text.clone()),
        object @ Value::Object(_) => Some(object.to_string()),
        _ => None,
    };
    wrapped().map_or(Cow::Borrowed(predicate), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_found_where_cosign_puts_them() {
        let check = |predicate: &str, expected: &str| assert_eq!(document(predicate), expected);
        check(r#"{"bomFormat":"CycloneDX"}"#, r#"{"bomFormat":"CycloneDX"}"#);
        check(r#"{"Data":"SPDXVersion: SPDX-2.3\n","Timestamp":"x"}"#, "SPDXVersion: SPDX-2.3\n");
        check(r#"{"Data":{"spdxVersion":"SPDX-2.3"}}"#, r#"{"spdxVersion":"SPDX-2.3"}"#);
        check("null", "null");
        assert!(is_version("") && is_version("/v1.6") && !is_version("x"));
    }
}
