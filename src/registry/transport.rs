//! HTTP to one registry: bounded answers, retries with backoff, one deadline, credentials to that registry alone.
//! Distribution specification: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.
//! This is what `oci_client` lacks: its manifests and referrers have no size limit and no pages, and it never repeats a request.

use std::{
    error::Error as _,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use reqwest::{
    Certificate, Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use crate::{
    model::reference::RegistryReference,
    registry::{
        Error, Options, auth,
        auth::Credential,
        error::shown,
        options::is_loopback,
        token::{self, Authorization, Challenge},
    },
};

/// Most bytes of an error's body that are looked at.
const ERROR_BYTES: usize = 64 << 10;
/// Most redirects of one request.
const REDIRECTS: usize = 5;
/// Attempts to connect to a host that refuses or cannot be found, where the rest of the attempts would only delay the message.
const CONNECT_ATTEMPTS: u32 = 3;

/// A client for one repository of one registry.
pub(super) struct Transport {
    reference: RegistryReference,
    base: Url,
    client: Client,
    token_client: Client,
    options: Options,
    deadline: Instant,
    access: Mutex<Access>,
}

struct Access {
    authorization: Authorization,
    generation: u64,
    challenge: Option<Challenge>,
    credential: Option<Credential>,
}

/// A whole answer.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why one attempt failed, and whether another one makes sense.
pub(super) enum Trouble {
    /// Asking again will not help.
    Final(Error),
    /// Asking again may help, `attempts` times in all, not before `after`.
    Again { error: Error, after: Option<Duration>, attempts: u32 },
    /// The registry wants credentials, or better ones.
    Unauthorized { challenge: Option<Challenge>, message: String },
}

#[derive(Deserialize)]
struct Envelope {
    errors: Vec<EnvelopeError>,
}

#[derive(Deserialize)]
struct EnvelopeError {
    code: Option<String>,
    message: Option<String>,
}

impl Transport {
    pub(super) fn new(reference: &RegistryReference, options: &Options, ca_certificates: &[Vec<u8>]) -> Result<Self, Error> {
        let host = host(reference);
        let scheme = if options.plain_http(&reference.registry) { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|_| Error::SetUp(format!("`{host}` is no registry host")))?;
        let build = |policy: Policy| {
            let mut builder = Client::builder()
                .user_agent(options.user_agent)
                .connect_timeout(options.connect_timeout)
                .read_timeout(options.read_timeout)
                .redirect(policy);
            for pem in ca_certificates {
                builder = builder.tls_certs_merge([Certificate::from_pem(pem)?]);
            }
            if is_loopback(host) {
                builder = builder.no_proxy();
            }
            builder.build()
        };
        // Within the registry, redirects lead to storage; reqwest drops the credentials when the host changes.
        let storage = Policy::custom(|attempt| {
            let downgrade = attempt.url().scheme() != "https" && attempt.previous().iter().any(|url| url.scheme() == "https");
            if downgrade {
                attempt.error("redirect from HTTPS to HTTP")
            } else if attempt.previous().len() > REDIRECTS {
                attempt.error("too many redirects")
            } else {
                attempt.follow()
            }
        });
        let set_up = |error: reqwest::Error| Error::SetUp(deepest(&error));
        Ok(Self {
            reference: reference.clone(),
            base,
            client: build(storage).map_err(set_up)?,
            token_client: build(Policy::none()).map_err(set_up)?,
            options: options.clone(),
            deadline: Instant::now() + options.deadline,
            access: Mutex::new(Access { authorization: Authorization::None, generation: 0, challenge: None, credential: None }),
        })
    }

    pub(super) fn registry(&self) -> &str {
        &self.reference.registry
    }

    pub(super) fn plain_http(&self) -> bool {
        self.base.scheme() == "http"
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) const fn options(&self) -> &Options {
        &self.options
    }

    /// A URL below `/v2/<repository>/`.
    pub(super) fn url(&self, path: &str) -> Result<Url, Error> {
        let joined = self.base.join(&format!("{}/{path}", self.reference.repository));
        joined.map_err(|_| Error::SetUp(format!("`{}` makes no URL", shown(path))))
    }

    /// Whether a URL is on the registry itself, so that it may be asked with credentials.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Whether a URL is on the registry's host, on whatever port.
    pub(super) fn is_host_of(&self, url: &Url) -> bool {
        url.host().is_some() && url.host() == self.base.host()
    }

    /// What requests carry at the moment, and its generation.
    pub(super) async fn authorization(&self) -> (Authorization, u64) {
        let access = self.access.lock().await;
        (access.authorization.clone(), access.generation)
    }

    /// Fetches a whole document of at most `cap` bytes from the registry.
    pub(super) async fn get(&self, url: &Url, accept: &str, cap: u64, what: &str) -> Result<Page, Error> {
        let (mut renewed, mut attempt) = (false, 1);
        loop {
            let (authorization, generation) = self.authorization().await;
            let request = authorized(self.client.request(Method::GET, url.clone()).header(ACCEPT, accept), &authorization);
            match self.attempt(request, cap, what, attempt).await {
                Ok(page) => return Ok(page),
                Err(Trouble::Unauthorized { challenge, message }) => {
                    self.renew(challenge, generation, &mut renewed, what, message).await?;
                }
                Err(trouble) => self.pause(trouble, &mut attempt).await?,
            }
        }
    }

    /// Gets a new authorization after a 401, once per request; a second 401 is a denial.
    pub(super) async fn renew(
        &self,
        challenge: Option<Challenge>,
        generation: u64,
        renewed: &mut bool,
        what: &str,
        message: String,
    ) -> Result<(), Error> {
        let denied = || Error::Denied { what: what.to_owned(), status: 401, message: message.clone() };
        if *renewed {
            return Err(denied());
        }
        *renewed = true;
        let mut access = self.access.lock().await;
        if access.generation != generation {
            // Another request has already done it.
            return Ok(());
        }
        let challenge = challenge.or_else(|| access.challenge.clone()).ok_or_else(denied)?;
        let credential = match access.credential.clone() {
            Some(credential) => credential,
            None => auth::credential(&self.reference, &self.options).await?,
        };
        let scope = format!("repository:{}:pull", self.reference.repository);
        let authorization = token::authorize(self, &challenge, &credential, &scope).await?;
        access.challenge = Some(challenge);
        access.credential = Some(credential);
        if matches!(authorization, Authorization::None) {
            return Err(denied());
        }
        access.authorization = authorization;
        access.generation += 1;
        Ok(())
    }

    /// Asks the token service. The credential goes to the realm that the registry names and, as redirects are not followed, nowhere else.
    pub(super) async fn ask_token_service(
        &self,
        url: &Url,
        form: Option<String>,
        credential: &Credential,
        cap: u64,
    ) -> Result<Vec<u8>, Error> {
        let what = format!("a token for {}", self.reference.name());
        let mut attempt = 1;
        loop {
            let mut request = match &form {
                Some(form) => {
                    self.token_client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone())
                }
                None => self.token_client.get(url.clone()),
            };
            if let (Credential::Basic(user, password), None) = (credential, &form) {
                request = request.basic_auth(user, Some(password));
            }
            match self.attempt(request, cap, &what, attempt).await {
                Ok(page) => return Ok(page.body),
                Err(Trouble::Unauthorized { message, .. }) => return Err(Error::Denied { what, status: 401, message }),
                Err(trouble) => self.pause(trouble, &mut attempt).await?,
            }
        }
    }

    async fn attempt(&self, request: RequestBuilder, cap: u64, what: &str, attempt: u32) -> Result<Page, Trouble> {
        let exchange = async {
            let response = request.send().await.map_err(|error| self.classify(&error))?;
            if response.status() != StatusCode::OK {
                return Err(self.refusal(response, what, attempt).await);
            }
            let (url, headers) = (response.url().clone(), response.headers().clone());
            let body = self.body(response, cap, what).await?;
            Ok(Page { url, headers, body })
        };
        tokio::time::timeout_at(self.deadline, exchange).await.unwrap_or_else(|_| Err(Trouble::Final(self.too_late(what))))
    }

    /// Asks again for something that `oci_client` failed to get, to learn the status, the challenge and how long to wait; it keeps none of them.
    pub(super) async fn probe(&self, url: &Url, what: &str, attempt: u32) -> Trouble {
        let (authorization, _) = self.authorization().await;
        let exchange = async {
            match authorized(self.client.get(url.clone()), &authorization).send().await {
                Ok(response) if response.status() == StatusCode::OK => Trouble::Again {
                    error: Error::Unreachable { registry: self.registry().to_owned(), reason: "the registry's answers change".to_owned() },
                    after: None,
                    attempts: self.options.retry.attempts,
                },
                Ok(response) => self.refusal(response, what, attempt).await,
                Err(error) => self.classify(&error),
            }
        };
        tokio::time::timeout_at(self.deadline, exchange).await.unwrap_or_else(|_| Trouble::Final(self.too_late(what)))
    }

    async fn body(&self, mut response: Response, cap: u64, what: &str) -> Result<Vec<u8>, Trouble> {
        let too_large = || Trouble::Final(Error::TooLarge { what: what.to_owned(), limit: format!("{cap} bytes") });
        if response.content_length().is_some_and(|length| length > cap) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.classify(&error))? {
            if (body.len() + chunk.len()) as u64 > cap {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a status other than 200 means.
    async fn refusal(&self, mut response: Response, what: &str, attempt: u32) -> Trouble {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > ERROR_BYTES {
                break;
            }
        }
        if status == 401 {
            return Trouble::Unauthorized { challenge: Challenge::parse(&headers), message: said(&body) };
        }
        let after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
        self.status_trouble(status, said(&body), after, what, attempt)
    }

    /// What a status means that is neither success nor 401.
    fn status_trouble(&self, status: u16, message: String, after: Option<Duration>, what: &str, attempt: u32) -> Trouble {
        let (registry, what) = (self.registry().to_owned(), what.to_owned());
        match status {
            403 => Trouble::Final(Error::Denied { what, status, message }),
            404 => Trouble::Final(Error::NotFound { what, there: Vec::new() }),
            408 | 429 | 500..=599 => Trouble::Again {
                error: Error::Unavailable { registry, status, attempts: attempt, message },
                after,
                attempts: self.options.retry.attempts,
            },
            _ => Trouble::Final(Error::Unexpected { registry, what, status, message }),
        }
    }

    /// What a failure below HTTP means.
    pub(super) fn classify(&self, error: &reqwest::Error) -> Trouble {
        let (registry, reason) = (self.registry().to_owned(), deepest(error));
        let tls = ["certificate", "peer", "TLS", "corrupt message", "handshake"].iter().any(|word| reason.contains(word));
        if error.is_redirect() || error.is_builder() {
            return Trouble::Final(Error::Unexpected { registry, what: "a request".to_owned(), status: 0, message: reason });
        }
        if error.is_connect() && tls {
            return Trouble::Final(Error::Tls { registry, reason });
        }
        let attempts = if error.is_connect() { self.options.retry.attempts.min(CONNECT_ATTEMPTS) } else { self.options.retry.attempts };
        Trouble::Again { error: Error::Unreachable { registry, reason }, after: None, attempts }
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    pub(super) async fn pause(&self, trouble: Trouble, attempt: &mut u32) -> Result<(), Error> {
        let (error, after, attempts) = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Again { error, after, attempts } => (error, after, attempts),
            Trouble::Unauthorized { message, .. } => return Err(Error::Denied { what: self.reference.to_string(), status: 401, message }),
        };
        let retry = self.options.retry;
        let wait = backoff(retry.initial_backoff, *attempt).max(after.unwrap_or_default()).min(retry.max_backoff);
        if *attempt >= attempts || Instant::now() + wait >= self.deadline {
            return Err(error);
        }
        *attempt += 1;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    pub(super) fn too_late(&self, what: &str) -> Error {
        Error::Deadline { what: what.to_owned(), seconds: self.options.deadline.as_secs() }
    }
}

/// The host that serves a registry; Docker Hub is served by another one than its name says.
pub(super) fn host(reference: &RegistryReference) -> &str {
    if reference.registry == "docker.io" { "index.docker.io" } else { &reference.registry }
}

fn authorized(request: RequestBuilder, authorization: &Authorization) -> RequestBuilder {
    match authorization {
        Authorization::None => request,
        Authorization::Basic(user, password) => request.basic_auth(user, Some(password)),
        Authorization::Bearer(token) => request.bearer_auth(token),
    }
}

/// Doubles with every attempt; half of it at random, so that many clients do not come back at the same moment.
fn backoff(initial: Duration, attempt: u32) -> Duration {
    let full = initial.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let random = RandomState::new().build_hasher().finish() % 1_000;
    full / 2 + full.mul_f64(random as f64 / 2_000.0)
}

/// The innermost cause: short, and without the URL, which may hold a signed query.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    if error.is_timeout() { "timed out".to_owned() } else { shown(&text) }
}

/// What an error's body says, as one short line.
fn said(body: &[u8]) -> String {
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) => {
            let texts =
                envelope.errors.into_iter().take(3).filter_map(|error| error.message.filter(|text| !text.is_empty()).or(error.code));
            shown(&texts.collect::<Vec<_>>().join("; "))
        }
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_and_stays_bounded() {
        let initial = Duration::from_millis(100);
        for (attempt, most) in [(1, 100), (2, 200), (3, 400)] {
            let wait = backoff(initial, attempt);
            assert!(wait >= Duration::from_millis(most / 2) && wait <= Duration::from_millis(most), "{attempt}: {wait:?}");
        }
        assert!(backoff(initial, u32::MAX) < Duration::from_secs(7_000));
    }

    #[test]
    fn error_bodies_become_one_line() {
        assert_eq!(said(br#"{"errors":[{"code":"DENIED","message":"no\nway"},{"code":"X"}]}"#), "no way; X");
        assert_eq!(said(b"<html>"), "");
    }
}
