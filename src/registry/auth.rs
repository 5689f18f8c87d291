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
    // Who names the host of both address families may have no other one.
    if ecr.dual_stack {
        builder = builder.use_dual_stack(true);
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
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        time::Duration,
    };

    use super::*;
    use crate::aws::StaticCredentials;

    /// Asks a made-up AWS endpoint for a login; gives the credential and the request.
    async fn login(status: &str, answer: &str) -> (Result<Credential, Error>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let endpoint = format!("http://{}", listener.local_addr().expect("address"));
        let reply = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("client");
            stream.set_read_timeout(Some(Duration::from_millis(300))).expect("timeout");
            let mut request = Vec::new();
            let _ = stream.read_to_end(&mut request);
            stream.write_all(reply.as_bytes()).expect("reply");
            String::from_utf8_lossy(&request).into_owned()
        });
        let keys = StaticCredentials { access_key_id: "AKID".to_owned(), secret_access_key: "hush".to_owned(), session_token: None };
        let aws = aws::Settings { endpoint_url: Some(endpoint), credentials: Some(keys), max_attempts: 1, ..aws::Settings::default() };
        let reference = RegistryReference::parse("123456789012.dkr.ecr.eu-central-1.amazonaws.com/app:1").expect("reference");
        let found = credential(&reference, &Options { aws, ..Options::default() }).await;
        (found, server.join().expect("server"))
    }

    #[tokio::test]
    async fn ecr_logs_in_to_the_region_of_the_host_name() {
        let token = BASE64_STANDARD.encode("AWS:hush");
        let (found, request) = login("200 OK", &format!(r#"{{"authorizationData":[{{"authorizationToken":"{token}"}}]}}"#)).await;
        assert_eq!(found.ok(), Some(Credential::Basic("AWS".to_owned(), "hush".to_owned())));
        assert!(request.contains("GetAuthorizationToken") && request.contains("/eu-central-1/ecr/aws4_request"), "{request}");
        for (status, answer) in [
            ("200 OK", r#"{"authorizationData":[]}"#),
            ("200 OK", r#"{"authorizationData":[{"authorizationToken":"!"}]}"#),
            ("400 Bad Request", r#"{"__type":"AccessDeniedException","message":"not for you"}"#),
        ] {
            let (found, _) = login(status, answer).await;
            let error = found.expect_err(answer);
            assert!(matches!(error, Error::Credentials { .. }) && !error.to_string().contains("hush"), "{error}");
        }
    }

    #[test]
    fn every_partition_has_its_own_login_endpoint() {
        use aws_sdk_ecr::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
        for (host, endpoint) in [
            ("dkr.ecr.eu-central-1.amazonaws.com", "https://api.ecr.eu-central-1.amazonaws.com"),
            ("dkr.ecr-fips.us-east-1.amazonaws.com", "https://api.ecr-fips.us-east-1.amazonaws.com"),
            ("dkr-ecr.us-east-1.on.aws", "https://ecr.us-east-1.api.aws"),
            ("dkr-ecr-fips.us-east-1.on.aws", "https://ecr-fips.us-east-1.api.aws"),
            ("dkr.ecr.us-gov-west-1.amazonaws.com", "https://api.ecr.us-gov-west-1.amazonaws.com"),
            ("dkr-ecr.us-gov-west-1.on.aws", "https://ecr.us-gov-west-1.api.aws"),
            ("dkr.ecr.cn-north-1.amazonaws.com.cn", "https://api.ecr.cn-north-1.amazonaws.com.cn"),
            ("dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "https://ecr.cn-north-1.api.amazonwebservices.com.cn"),
            ("dkr.ecr.us-iso-east-1.c2s.ic.gov", "https://api.ecr.us-iso-east-1.c2s.ic.gov"),
            ("dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "https://api.ecr.us-isob-east-1.sc2s.sgov.gov"),
            ("dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "https://api.ecr.eu-isoe-west-1.cloud.adc-e.uk"),
            ("dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "https://api.ecr.us-isof-south-1.csp.hci.ic.gov"),
            ("dkr.ecr.eusc-de-east-1.amazonaws.eu", "https://api.ecr.eusc-de-east-1.amazonaws.eu"),
        ] {
            let ecr = EcrRegistry::from_host(&format!("123456789012.{host}")).expect(host);
            assert_eq!(ecr.account, "123456789012");
            let params = Params::builder().region(&ecr.region).use_fips(ecr.fips).use_dual_stack(ecr.dual_stack).build().expect("params");
            let resolved = futures_util::FutureExt::now_or_never(DefaultResolver::new().resolve_endpoint(&params)).expect("no waiting");
            assert_eq!(resolved.expect("endpoint").url(), endpoint, "{host}");
        }
    }

    #[test]
    fn credentials_do_not_print() {
        for credential in [
            Credential::Basic("u".to_owned(), "hush".to_owned()),
            Credential::Identity("hush".to_owned()),
            Credential::Token("hush".to_owned()),
        ] {
            assert!(!format!("{credential:?}").contains("hush"));
        }
    }
}
