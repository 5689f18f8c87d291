//! `WWW-Authenticate` in, an `Authorization` out: Basic, or a bearer token from the registry's token service
//! (<https://distribution.github.io/distribution/spec/auth/token/>, with identity tokens
//! <https://distribution.github.io/distribution/spec/auth/oauth/>).

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::Url;

use crate::registry::{Error, auth::Credential, error::shown, transport::Transport};

/// Most bytes of a token service's answer.
const TOKEN_BYTES: u64 = 1 << 20;

/// What requests to the registry carry.
#[derive(Clone)]
pub(super) enum Authorization {
    None,
    Basic(String, String),
    Bearer(String),
}

/// What the registry demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Challenge {
    /// Reads the headers of a 401; Bearer is preferred.
    pub(super) fn parse(headers: &HeaderMap) -> Option<Self> {
        let all: Vec<Self> = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| Self::parse_one(value.to_str().ok()?)).collect();
        all.iter().find(|challenge| matches!(challenge, Self::Bearer { .. })).or_else(|| all.first()).cloned()
    }

    fn parse_one(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value),
                "service" => service = Some(value),
                "scope" => scope = Some(value),
                _ => {}
            }
        }
        Some(Self::Bearer { realm: realm?, service, scope })
    }
}

/// `name="value", name=value`, quoted values with backslashes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|ch| ch.is_whitespace() || *ch == ',').is_some() {}
        let mut name = String::new();
        while let Some(ch) = chars.next_if(|ch| *ch != '=') {
            name.push(ch);
        }
        if chars.next().is_none() {
            return found;
        }
        let mut value = String::new();
        if chars.next_if_eq(&'"').is_some() {
            while let Some(ch) = chars.next() {
                match ch {
                    '"' => break,
                    '\\' => value.extend(chars.next()),
                    ch => value.push(ch),
                }
            }
        } else {
            while let Some(ch) = chars.next_if(|ch| *ch != ',') {
                value.push(ch);
            }
        }
        found.push((name.trim().to_owned(), value));
    }
}

/// Turns a challenge and a credential into what requests will carry.
pub(super) async fn authorize(
    transport: &Transport,
    challenge: &Challenge,
    credential: &Credential,
    scope: &str,
) -> Result<Authorization, Error> {
    match (challenge, credential) {
        (_, Credential::Token(token)) => bearer(token.clone()).ok_or_else(|| Error::Credentials {
            registry: transport.registry().to_owned(),
            reason: "the stored registry token is no header value".to_owned(),
        }),
        (Challenge::Basic, Credential::Basic(user, password)) => Ok(Authorization::Basic(user.clone(), password.clone())),
        (Challenge::Basic, Credential::Anonymous | Credential::Identity(_)) => Ok(Authorization::None),
        (Challenge::Bearer { realm, service, scope: demanded }, credential) => {
            let scopes = scopes(scope, demanded.as_deref());
            let failed = |message: &str| Error::Unexpected {
                registry: transport.registry().to_owned(),
                what: "its token service".to_owned(),
                status: 401,
                message: message.to_owned(),
            };
            let mut url = Url::parse(realm).map_err(|_| failed("the realm is no absolute URL"))?;
            check_realm(transport, &url, credential)?;
            let body = match credential {
                Credential::Identity(refresh) => {
                    let mut form = url::form_urlencoded::Serializer::new(String::new());
                    form.append_pair("grant_type", "refresh_token")
                        .append_pair("client_id", "plimsoll")
                        .append_pair("refresh_token", refresh)
                        .append_pair("scope", &scopes.join(" "));
                    form.extend_pairs(service.iter().map(|service| ("service", service)));
                    Some(form.finish())
                }
                _ => {
                    let scopes = scopes.iter().map(|scope| ("scope", scope));
                    url.query_pairs_mut().extend_pairs(service.iter().map(|service| ("service", service))).extend_pairs(scopes);
                    None
                }
            };
            let bytes = transport.ask_token_service(&url, body, credential, TOKEN_BYTES).await?;
            let answer: Answer = serde_json::from_slice(&bytes).map_err(|_| failed("the token service's answer is not valid"))?;
            let token = answer
                .token
                .or(answer.access_token)
                .filter(|token| !token.is_empty())
                .ok_or_else(|| failed("the token service gave no token"))?;
            bearer(token).ok_or_else(|| failed("the token service gave a token that is no header value"))
        }
    }
}

/// The scopes to ask for: reading the repository, and what the registry demands besides, such as the `aws` of ECR Public.
/// Nothing more is asked for of the repository itself, and nothing of others: a token should not be able to do more than it is for.
fn scopes(own: &str, demanded: Option<&str>) -> Vec<String> {
    let others = demanded.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty() && !scope.starts_with("repository:"));
    std::iter::once(own).chain(others).map(str::to_owned).collect()
}

/// Whether the token service may be asked with this credential. Over plain HTTP anybody on the way reads it, so it goes only to the host and
/// port of the registry itself, which is plain HTTP as well: another port of the host may be anybody's.
fn check_realm(transport: &Transport, realm: &Url, credential: &Credential) -> Result<(), Error> {
    let safe = match realm.scheme() {
        "https" => true,
        "http" => transport.plain_http() && (transport.is_ours(realm) || matches!(credential, Credential::Anonymous)),
        _ => false,
    };
    if safe {
        return Ok(());
    }
    let host = realm.host_str().unwrap_or_default();
    let host = realm.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Err(Error::UnsafeRealm { registry: transport.registry().to_owned(), scheme: shown(realm.scheme()), realm: shown(&host) })
}

/// The token becomes a header, so nothing that breaks one may be in it.
fn bearer(token: String) -> Option<Authorization> {
    token.bytes().all(|byte| byte.is_ascii_graphic()).then_some(Authorization::Bearer(token))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::{model::reference::RegistryReference, registry::Options};

    fn transport(registry: &str, insecure: &[&str]) -> Transport {
        let reference = RegistryReference::parse(&format!("{registry}/app:1")).expect("reference");
        let insecure_registries = insecure.iter().map(|&host| host.to_owned()).collect();
        Transport::new(&reference, &Options { insecure_registries, ..Options::default() }, &[]).expect("transport")
    }

    #[test]
    fn stored_credentials_stay_on_safe_ways() {
        let basic = Credential::Basic("u".to_owned(), "hush".to_owned());
        let identity = Credential::Identity("hush".to_owned());
        let none = Credential::Anonymous;
        for (registry, realm, credential, safe) in [
            ("docker.io", "https://auth.docker.io/token", &basic, true),
            ("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com/", &basic, true),
            ("r.example", "https://auth.example/token", &identity, true),
            ("r.example", "http://r.example/token", &basic, false),
            ("r.example", "http://auth.example/token", &basic, false),
            ("r.example", "http://auth.example/token", &none, false),
            ("r.example", "ftp://auth.example/token", &basic, false),
            ("plain.example", "http://plain.example/token", &basic, true),
            ("plain.example", "http://plain.example:80/token", &identity, true),
            ("plain.example", "http://plain.example:5001/token", &basic, false),
            ("plain.example", "http://auth.example/token", &basic, false),
            ("plain.example", "http://auth.example/token", &identity, false),
            ("plain.example", "http://auth.example/token", &none, true),
            ("plain.example", "https://auth.example/token", &basic, true),
            ("127.0.0.1:5000", "http://127.0.0.1:5000/token", &basic, true),
            ("127.0.0.1:5000", "http://127.0.0.1:5001/token", &basic, false),
            ("127.0.0.1:5000", "http://127.0.0.1:5001/token", &none, true),
            ("127.0.0.1:5000", "http://localhost:5001/token", &basic, false),
        ] {
            let checked = check_realm(&transport(registry, &["plain.example"]), &Url::parse(realm).expect("realm"), credential);
            assert_eq!(checked.is_ok(), safe, "{registry} {realm} {credential:?}");
            if let Err(error) = checked {
                let host = realm.split('/').nth(2).unwrap_or_default();
                let text = error.to_string();
                assert!(text.contains(registry) && text.contains(host) && !text.contains("hush"), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn a_realm_on_another_plain_host_is_never_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        listener.set_nonblocking(true).expect("listener");
        let realm = format!("http://localhost:{}/token", listener.local_addr().expect("address").port());
        let credential = Credential::Basic("u".to_owned(), "hush".to_owned());
        let challenge = Challenge::Bearer { realm, service: None, scope: None };
        let asked = authorize(&transport("127.0.0.1:1", &[]), &challenge, &credential, "repository:app:pull").await;
        assert!(matches!(asked, Err(Error::UnsafeRealm { .. })));
        assert!(listener.accept().is_err(), "nobody came");
    }

    #[test]
    fn challenges() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer { realm: realm.to_owned(), service: service.map(str::to_owned), scope: scope.map(str::to_owned) })
        };
        for (text, expected) in [
            (
                r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a:pull""#,
                bearer("https://auth.example/token", Some("r.example"), Some("repository:a:pull")),
            ),
            (r#"bearer service=x, realm="https://a/\"q""#, bearer("https://a/\"q", Some("x"), None)),
            (r#"Bearer realm="https://a/?x=1,2""#, bearer("https://a/?x=1,2", None, None)),
            (r#"Basic realm="r""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            ("Bearer", None),
            (r#"Bearer service="x""#, None),
            ("Negotiate", None),
            ("", None),
            (r#"Bearer realm=""#, bearer("", None, None)),
        ] {
            assert_eq!(Challenge::parse_one(text), expected, "{text}");
        }
    }

    #[test]
    fn what_the_registry_demands_is_asked_for_as_well() {
        let own = "repository:a/b:pull";
        for (demanded, expected) in [
            (None, vec![own]),
            (Some("aws"), vec![own, "aws"]),
            (Some("repository:a/b:pull"), vec![own]),
            (Some("repository:a/b:pull,push  registry:catalog:*"), vec![own, "registry:catalog:*"]),
            (Some("repository:other:pull,push"), vec![own]),
        ] {
            assert_eq!(scopes(own, demanded), expected, "{demanded:?}");
        }
    }
}
