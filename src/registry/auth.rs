//! A registry in, the credential for exactly that registry out: from Docker's configuration, else from ECR's login, else none.
//! ECR: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    aws,
    model::reference::{EcrRegistry, RegistryReference},
    registry::{Error, Options, docker_config, error::shown},
};

/// What a registry, or its token service, is shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credential {
    /// Nothing.
    Anonymous,
    /// User name and password.
    Basic(String, String),
    /// An OAuth2 refresh token for the token service.
    Identity(String),
    /// A finished bearer token.
    Token(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Basic(..) => "Basic(..)",
            Self::Identity(_) => "Identity(..)",
            Self::Token(_) => "Token(..)",
        })
    }
}

/// Finds the credential for a registry. Asked for only after the registry has demanded one.
pub(super) async fn credential(reference: &RegistryReference, options: &Options) -> Result<Credential, Error> {
    if let Some(path) = options.docker_config.clone() {
        let (registry, repository) = (reference.registry.clone(), reference.repository.clone());
        let looked = tokio::task::spawn_blocking(move || docker_config::lookup(&path, &registry, &repository)).await;
        let failed = || Error::Credentials { registry: reference.registry.clone(), reason: "the lookup was interrupted".to_owned() };
        if let Some(found) = looked.map_err(|_| failed())?? {
            return Ok(found);
        }
    }
    match reference.ecr() {
        Some(ecr) => ecr_login(&ecr, reference, &options.aws).await,
        None => Ok(Credential::Anonymous),
    }
}

async fn ecr_login(ecr: &EcrRegistry, reference: &RegistryReference, settings: &aws::Settings) -> Result<Credential, Error> {
    let failed = |reason: &str| Error::Credentials { registry: reference.registry.clone(), reason: shown(reason) };
    let shared = aws::config(settings, &ecr.region).await;
    let mut builder = aws_sdk_ecr::config::Builder::from(&shared);
    if ecr.fips {
        builder = builder.use_fips(true);
    }
    let client = aws_sdk_ecr::Client::from_conf(builder.build());
    let answer = client.get_authorization_token().send().await.map_err(|error| {
        let text = aws_sdk_ecr::error::DisplayErrorContext(&error).to_string();
        failed(&format!("ECR GetAuthorizationToken in {}: {text}", ecr.region))
    })?;
    let data = answer.authorization_data().first().and_then(|data| data.authorization_token());
    let decoded = data.and_then(|token| BASE64_STANDARD.decode(token.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let (user, password) =
        decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(|| failed("ECR GetAuthorizationToken gave no usable token"))?;
    Ok(Credential::Basic(user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_do_not_print() {
        for credential in [Credential::Basic("u".to_owned(), "hush".to_owned()), Credential::Identity("hush".to_owned()), Credential::Token("hush".to_owned())] {
            assert!(!format!("{credential:?}").contains("hush"));
        }
    }
}
