//! Fulcio certificate in, [`SignerIdentity`] out (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).
//! The chain has been checked by `bundle`; here only the claims are read.

use std::collections::BTreeMap;

use x509_cert::{
    Certificate,
    der::{Decode as _, asn1::ObjectIdentifier, asn1::Utf8StringRef},
    ext::pkix::{SubjectAltName, name::GeneralName},
};

use crate::model::attestation::SignerIdentity;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// Fulcio's name for a user name that is neither an e-mail address nor a URI.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");
const OLD_ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const CLAIMS: &[(ObjectIdentifier, &str)] = &[
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.9"), "build_signer"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.11"), "runner"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.12"), "repository"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.14"), "ref"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.16"), "owner"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.20"), "trigger"),
    (ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.21"), "run"),
];

/// GitHub's issuer, and the host that its claims begin with; policies write such claims without it (`acme/app`).
const GITHUB: (&str, &str) = ("https://token.actions.githubusercontent.com", "https://github.com/");

/// Reads issuer, subject and further claims of a leaf certificate. `repository` and `owner` are URIs as certified, except that those
/// of GitHub's own issuer lose `https://github.com/`: under that issuer no other host can stand there.
pub(crate) fn read(der: &[u8]) -> Result<SignerIdentity, String> {
    let certificate = Certificate::from_der(der).map_err(|error| format!("certificate cannot be parsed: {error}"))?;
    let mut found: BTreeMap<ObjectIdentifier, &[u8]> = BTreeMap::new();
    for extension in certificate.tbs_certificate.extensions.iter().flatten() {
        if found.insert(extension.extn_id, extension.extn_value.as_bytes()).is_some() {
            return Err(format!("certificate extension {} stands twice", extension.extn_id));
        }
    }
    let issuer = match (found.get(&ISSUER), found.get(&OLD_ISSUER)) {
        (Some(value), _) => utf8_string(value)?,
        (None, Some(value)) => std::str::from_utf8(value).map_err(|_| "certificate issuer claim is not UTF-8".to_owned())?.to_owned(),
        (None, None) => return Err("certificate names no OIDC issuer".to_owned()),
    };
    let names = found.get(&SUBJECT_ALT_NAME).ok_or_else(|| "certificate has no subject alternative name".to_owned())?;
    let mut extensions = BTreeMap::new();
    for (oid, name) in CLAIMS {
        if let Some(value) = found.get(oid) {
            let value = utf8_string(value)?;
            let short = if issuer == GITHUB.0 && matches!(*name, "repository" | "owner") { value.strip_prefix(GITHUB.1) } else { None };
            extensions.insert((*name).to_owned(), short.map(str::to_owned).unwrap_or(value));
        }
    }
    Ok(SignerIdentity::Keyless { issuer, subject: subject(names)?, extensions })
}

/// The one subject alternative name; a certificate with several could be read as two different signers.
fn subject(der: &[u8]) -> Result<String, String> {
    let names = SubjectAltName::from_der(der).map_err(|error| format!("subject alternative name cannot be parsed: {error}"))?;
    let [name] = names.0.as_slice() else {
        return Err(format!("certificate has {} subject alternative names", names.0.len()));
    };
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Ok(uri.as_str().to_owned()),
        GeneralName::Rfc822Name(address) => Ok(address.as_str().to_owned()),
        GeneralName::OtherName(other) if other.type_id == OTHER_NAME => other
            .value
            .decode_as::<Utf8StringRef<'_>>()
            .map(|text| text.as_str().to_owned())
            .map_err(|_| "user name is no UTF-8 string".to_owned()),
        _ => Err("subject alternative name is neither URI, e-mail address nor user name".to_owned()),
    }
}

fn utf8_string(der: &[u8]) -> Result<String, String> {
    Utf8StringRef::from_der(der)
        .map(|text| text.as_str().to_owned())
        .map_err(|error| format!("certificate claim is no UTF-8 string: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = include_bytes!("../../testdata/verify/certificates/b01-ok.der");
    const FORK: &[u8] = include_bytes!("../../testdata/verify/certificates/b18-fork-pull-request.der");

    #[test]
    fn claims_are_read_as_policies_write_them() {
        let check = |der: &[u8], repository: &str, trigger: &str| {
            let Ok(SignerIdentity::Keyless { issuer, subject, extensions }) = read(der) else { panic!("not keyless") };
            assert_eq!(issuer, "https://token.actions.githubusercontent.com");
            assert_eq!(subject, "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main");
            let expected = [
                ("build_signer", subject.as_str()),
                ("ref", "refs/heads/main"),
                ("repository", repository),
                ("runner", "github-hosted"),
                ("trigger", trigger),
            ];
            assert_eq!(extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
        };
        check(GOOD, "acme/app", "push");
        check(FORK, "mallory/app", "pull_request_target");
    }

    #[test]
    fn damaged_certificates_never_panic() {
        for at in 0..GOOD.len() {
            assert!(read(GOOD.get(..at).expect("shorter")).is_err());
            let mut bad = GOOD.to_vec();
            bad[at] ^= 0xff;
            let _ = read(&bad);
        }
        assert!(read(&[GOOD, b"x"].concat()).is_err());
    }

    #[test]
    fn an_extension_that_stands_twice_is_refused() {
        // The claims .14 and .12 get the same number; lengths do not change.
        let oid = |last: u8| [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, last];
        let at = GOOD.windows(12).position(|window| window == oid(14)).expect("claim .14");
        let mut bad = GOOD.to_vec();
        bad[at + 11] = 12;
        assert!(read(&bad).is_err_and(|reason| reason.contains("twice")));
    }
}
