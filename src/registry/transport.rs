//! HTTP to one registry: bounded answers, retries with backoff, one deadline, credentials to that registry alone.
//! Distribution specification: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.
//!
//! Requests are our own because `oci_client`'s client keeps manifests, referrers and the bodies of errors whole however long they are,
//! drops status, challenge and `Retry-After` of a failed blob, and never repeats a request. Its names and error forms are used.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use oci_client::Reference;
use reqwest::{
    Certificate, Client, Method, RequestBuilder, Response, StatusCode,
    header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, RANGE},
    redirect::Policy,
};
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use crate::{
    model::reference::RegistryReference,
    registry::{
        Error, Options, auth,
        auth::Credential,
        cause::{Party, Shown},
        error::shown,
        options::is_loopback,
        retry::{self, Refusal, Trouble},
        token::{self, Authorization, Challenge},
    },
};

/// Most bytes of an error's body that are looked at.
const ERROR_BYTES: usize = 64 << 10;
/// Longest wait for an error's body.
const ERROR_TIME: Duration = Duration::from_secs(5);
/// Most redirects of one request.
const REDIRECTS: usize = 5;

/// A client for one repository of one registry.
pub(super) struct Transport {
    place: RegistryReference,
    base: Url,
    client: Client,
    ca_certificates: Vec<Certificate>,
    options: Options,
    deadline: Instant,
    access: Mutex<Access>,
    /// Whether `access` has credentials; beside it, because errors are made while it is locked.
    has_credentials: AtomicBool,
}

struct Access {
    authorization: Authorization,
    generation: u64,
    challenge: Option<Challenge>,
    credential: Option<Credential>,
}

/// How far the attempts at one request have got.
struct Turn {
    attempt: u32,
    renewed: bool,
}

/// A whole answer.
pub(super) struct Page {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// A blob, or the rest of one, whose bytes have not been read yet.
pub(super) struct Opened {
    pub(super) response: Response,
    /// How many bytes at its beginning lie before the offset that was asked for.
    pub(super) skip: u64,
}

impl Transport {
    /// A client for the repository at `place`; its name need not be that of the image (see `mirror`).
    pub(super) fn new(place: &RegistryReference, options: &Options, ca_certificates: &[Vec<u8>]) -> Result<Self, Error> {
        let host = host(place);
        let scheme = if options.plain_http(&place.registry) { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/v2/")).map_err(|_| Error::SetUp(format!("`{host}` is no registry host")))?;
        // Within the registry, redirects lead to storage; reqwest drops the credentials when host, port or scheme change.
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
        let set_up = |error: reqwest::Error| Error::SetUp(retry::deepest(&error));
        let ca_certificates: Vec<Certificate> =
            ca_certificates.iter().map(|pem| Certificate::from_pem(pem)).collect::<Result<_, _>>().map_err(set_up)?;
        Ok(Self {
            place: place.clone(),
            client: client(options, &ca_certificates, &host, storage)?,
            base,
            ca_certificates,
            options: options.clone(),
            deadline: Instant::now() + options.deadline,
            access: Mutex::new(Access { authorization: Authorization::None, generation: 0, challenge: None, credential: None }),
            has_credentials: AtomicBool::new(false),
        })
    }

    /// The registry that is asked, which a mirror may be.
    pub(super) fn registry(&self) -> &str {
        &self.place.registry
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
        let joined = self.base.join(&format!("{}/{path}", self.place.repository));
        joined.map_err(|_| Error::SetUp(format!("`{}` makes no URL", shown(path))))
    }

    /// Whether a URL is on the registry itself (scheme, host and port), so that it may be asked with credentials.
    pub(super) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Fetches a whole document of at most `cap` bytes from the registry.
    pub(super) async fn get(&self, url: &Url, accept: &str, cap: u64, what: &str) -> Result<Page, Error> {
        let mut turn = Turn { attempt: 1, renewed: false };
        loop {
            let (authorization, generation) = self.authorization().await;
            let request = authorized(self.client.request(Method::GET, url.clone()).header(ACCEPT, accept), &authorization);
            match self.attempt(request, url, cap, what, turn.attempt).await {
                Ok(page) => return Ok(page),
                Err(trouble) => self.settle(trouble, generation, &mut turn, what).await?,
            }
        }
    }

    /// Asks for a blob from `offset` on; `None` when the registry says that it has nothing there. Nothing of a good answer's body is read yet.
    pub(super) async fn open(&self, url: &Url, offset: u64, what: &str) -> Result<Option<Opened>, Error> {
        let mut turn = Turn { attempt: 1, renewed: false };
        loop {
            let (authorization, generation) = self.authorization().await;
            let mut request = authorized(self.client.request(Method::GET, url.clone()), &authorization);
            if offset > 0 {
                request = request.header(RANGE, format!("bytes={offset}-"));
            }
            let exchange = async {
                let response = request.send().await.map_err(|error| self.classify(&error))?;
                match response.status() {
                    StatusCode::OK => Ok(Some(Opened { response, skip: offset })),
                    // Where the range begins is only a promise either way: the digest is that of the whole blob.
                    StatusCode::PARTIAL_CONTENT if offset > 0 && starts_at(response.headers()).is_none_or(|start| start == offset) => {
                        Ok(Some(Opened { response, skip: 0 }))
                    }
                    StatusCode::RANGE_NOT_SATISFIABLE if offset > 0 => Ok(None),
                    _ => Err(self.refusal(response, url, what, turn.attempt).await),
                }
            };
            match self.in_time(exchange, what).await {
                Ok(opened) => return Ok(opened),
                Err(trouble) => self.settle(trouble, generation, &mut turn, what).await?,
            }
        }
    }

    /// Asks the token service. The credential goes to the realm that the registry names and, as redirects are not followed, nowhere else.
    pub(super) async fn ask_token_service(
        &self,
        url: &Url,
        form: Option<String>,
        credential: &Credential,
        cap: u64,
    ) -> Result<Vec<u8>, Error> {
        let client = client(&self.options, &self.ca_certificates, url.host_str().unwrap_or_default(), Policy::none())?;
        let what = self.place.name();
        let mut attempt = 1;
        loop {
            let mut request = match &form {
                Some(form) => client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.clone()),
                None => client.get(url.clone()),
            };
            if let (Credential::Basic(user, password), None) = (credential, &form) {
                request = request.basic_auth(user, Some(password));
            }
            match self.attempt(request, url, cap, &what, attempt).await {
                Ok(page) => return Ok(page.body),
                Err(Trouble::Unauthorized { message, .. }) => return Err(self.denied(&what, message)),
                Err(trouble) => self.pause(trouble, &mut attempt).await?,
            }
        }
    }

    /// Waits before the next attempt, or gives the error back when there is none.
    pub(super) async fn pause(&self, trouble: Trouble, attempt: &mut u32) -> Result<(), Error> {
        let (error, after, attempts) = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Again { error, after, attempts } => (error, after, attempts),
            Trouble::Unauthorized { message, .. } => return Err(self.denied(&self.place.to_string(), message)),
        };
        let wait = retry::wait(self.options.retry, *attempt, after);
        if *attempt >= attempts || wait >= self.deadline.saturating_duration_since(Instant::now()) {
            return Err(error);
        }
        *attempt += 1;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// What a failure below HTTP means.
    pub(super) fn classify(&self, error: &reqwest::Error) -> Trouble {
        retry::classify(error, self.registry(), self.options.retry)
    }

    pub(super) fn too_late(&self, what: &str) -> Error {
        Error::Deadline { what: what.to_owned(), seconds: self.options.deadline.as_secs(), party: Party::Registry }
    }

    pub(super) fn denied(&self, what: &str, message: String) -> Error {
        Error::Denied { registry: self.registry().to_owned(), what: what.to_owned(), shown: self.shown(), status: 401, message }
    }

    pub(super) fn shown(&self) -> Shown {
        if self.has_credentials.load(Ordering::Relaxed) { Shown::Credentials } else { Shown::Nothing }
    }

    /// What requests that push carry: the registry says at its front door what it wants, and its token service is asked for a token that may
    /// write. Nothing is kept: a push is another matter than reading.
    pub(super) async fn authorize_push(&self) -> Result<Authorization, Error> {
        let what = self.place.name();
        let mut attempt = 1;
        let challenge = loop {
            let request = self.client.request(Method::GET, self.base.clone());
            match self.attempt(request, &self.base, ERROR_BYTES as u64, &what, attempt).await {
                Ok(_) | Err(Trouble::Final(Error::NotFound { .. })) => break None,
                Err(Trouble::Unauthorized { challenge, message }) => break Some(challenge.ok_or_else(|| self.denied(&what, message))?),
                Err(trouble) => self.pause(trouble, &mut attempt).await?,
            }
        };
        let found = tokio::time::timeout_at(self.deadline, auth::credential(&self.place, &self.options)).await;
        let credential = found.map_err(|_| self.too_late(&format!("the credentials for {}", self.registry())))??;
        self.has_credentials.store(credential != Credential::Anonymous, Ordering::Relaxed);
        let scope = format!("repository:{}:pull,push", self.place.repository);
        match (challenge, credential) {
            (Some(challenge), credential) => match token::authorize(self, &challenge, &credential, &scope).await? {
                Authorization::None => Err(self.denied(&what, String::new())),
                authorization => Ok(authorization),
            },
            // Registries that let everybody read may say nothing at the door and still want to know who writes.
            (None, Credential::Basic(user, password)) => Ok(Authorization::Basic(user, password)),
            (None, Credential::Token(token)) => Ok(Authorization::Bearer(token)),
            (None, Credential::Anonymous | Credential::Identity(_)) => Ok(Authorization::None),
        }
    }

    /// What requests carry at the moment, and its generation.
    async fn authorization(&self) -> (Authorization, u64) {
        let access = self.access.lock().await;
        (access.authorization.clone(), access.generation)
    }

    /// Prepares the next attempt after a failed one, or gives the error back.
    async fn settle(&self, trouble: Trouble, generation: u64, turn: &mut Turn, what: &str) -> Result<(), Error> {
        match trouble {
            Trouble::Unauthorized { challenge, message } => self.renew(challenge, generation, &mut turn.renewed, what, message).await,
            other => self.pause(other, &mut turn.attempt).await,
        }
    }

    /// Gets a new authorization after a 401, once per request; a second 401 is a denial.
    async fn renew(
        &self,
        challenge: Option<Challenge>,
        generation: u64,
        renewed: &mut bool,
        what: &str,
        message: String,
    ) -> Result<(), Error> {
        let denied = || self.denied(what, message.clone());
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
            None => {
                let found = tokio::time::timeout_at(self.deadline, auth::credential(&self.place, &self.options)).await;
                found.map_err(|_| self.too_late(&format!("the credentials for {}", self.registry())))??
            }
        };
        self.has_credentials.store(credential != Credential::Anonymous, Ordering::Relaxed);
        let scope = format!("repository:{}:pull", self.place.repository);
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

    async fn attempt(&self, request: RequestBuilder, url: &Url, cap: u64, what: &str, attempt: u32) -> Result<Page, Trouble> {
        let exchange = async {
            let response = request.send().await.map_err(|error| self.classify(&error))?;
            if response.status() != StatusCode::OK {
                return Err(self.refusal(response, url, what, attempt).await);
            }
            let (url, headers) = (response.url().clone(), response.headers().clone());
            let body = self.body(response, cap, what).await?;
            Ok(Page { url, headers, body })
        };
        self.in_time(exchange, what).await
    }

    async fn in_time<T>(&self, exchange: impl Future<Output = Result<T, Trouble>>, what: &str) -> Result<T, Trouble> {
        tokio::time::timeout_at(self.deadline, exchange).await.unwrap_or_else(|_| Err(Trouble::Final(self.too_late(what))))
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

    /// What a status other than success means in an answer to a request for `asked`.
    async fn refusal(&self, mut response: Response, asked: &Url, what: &str, attempt: u32) -> Trouble {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let is_theirs = response.url().origin() == asked.origin();
        let mut body = Vec::new();
        let reading = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                body.extend(chunk.iter().take(ERROR_BYTES - body.len()));
                if body.len() >= ERROR_BYTES {
                    break;
                }
            }
        };
        // A message that comes too slowly is done without.
        let _ = tokio::time::timeout(ERROR_TIME, reading).await;
        match status {
            // Another host's challenge must not lead the registry's credentials to a token service of that host's choice,
            // and its 404 is not the registry saying that there is nothing.
            401 | 404 if !is_theirs => Trouble::Final(Error::Unexpected {
                registry: self.registry().to_owned(),
                what: what.to_owned(),
                status,
                message: "from the host that the registry redirects to".to_owned(),
            }),
            401 => Trouble::Unauthorized { challenge: Challenge::parse(&headers), message: retry::said(&body) },
            _ => {
                let (registry, shown, in_plain) = (self.registry(), self.shown(), self.plain_http());
                let refusal = Refusal { status, headers: &headers, body: &body, registry, what, shown, in_plain };
                retry::refused(&refusal, self.options.retry, attempt)
            }
        }
    }
}

/// An HTTP client; one for a host on this machine never asks a proxy.
fn client(options: &Options, ca_certificates: &[Certificate], host: &str, redirects: Policy) -> Result<Client, Error> {
    let mut builder = Client::builder()
        .user_agent(options.user_agent)
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.read_timeout)
        .tls_certs_merge(ca_certificates.iter().cloned())
        .redirect(redirects);
    if is_loopback(host) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::SetUp(retry::deepest(&error)))
}

/// The host that serves a registry; Docker Hub is served by another one than its name says.
fn host(place: &RegistryReference) -> String {
    Reference::with_tag(place.registry.clone(), place.repository.clone(), String::new()).resolve_registry().to_owned()
}

fn authorized(request: RequestBuilder, authorization: &Authorization) -> RequestBuilder {
    match authorization {
        Authorization::None => request,
        Authorization::Basic(user, password) => request.basic_auth(user, Some(password)),
        Authorization::Bearer(token) => request.bearer_auth(token),
    }
}

/// The first byte of `Content-Range: bytes FIRST-LAST/SIZE`.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes")?.trim_start().split('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_say_where_they_begin() {
        let check = |text: &str| starts_at(&HeaderMap::from_iter([(CONTENT_RANGE, text.parse().expect("header"))]));
        assert_eq!(check("bytes 100-199/200"), Some(100));
        assert_eq!(check("bytes 0-0/*"), Some(0));
        assert_eq!(check("bytes */200"), None);
        assert_eq!(check("lines 1-2"), None);
        assert_eq!(starts_at(&HeaderMap::new()), None);
    }

    #[test]
    fn ours_is_the_same_scheme_host_and_port() {
        let options = Options { insecure_registries: vec!["plain.example:5000".to_owned()], ..Options::default() };
        let transport = |name: &str| Transport::new(&RegistryReference::parse(name).expect("reference"), &options, &[]).expect("transport");
        let (hub, plain) = (transport("alpine"), transport("plain.example:5000/a"));
        for (transport, url, ours) in [
            (&hub, "https://index.docker.io/v2/library/alpine/blobs/x", true),
            (&hub, "https://index.docker.io:443/token", true),
            (&hub, "http://index.docker.io/", false),
            (&hub, "https://docker.io/", false),
            (&plain, "http://plain.example:5000/x", true),
            (&plain, "http://PLAIN.example:5000/x", true),
            (&plain, "http://plain.example:5001/x", false),
            (&plain, "http://plain.example/x", false),
            (&plain, "https://plain.example:5000/x", false),
            (&plain, "http://plain.example.evil.example:5000/x", false),
        ] {
            assert_eq!(transport.is_ours(&Url::parse(url).expect("URL")), ours, "{url}");
        }
    }
}
