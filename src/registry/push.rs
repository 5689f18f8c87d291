//! Blobs and manifests in, a repository of the user's own that holds them out. `oci_client` does the sending
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push>); what it lacks is here: credentials by the same rules as for
//! reading, a second look for a token that has run out, repeated attempts, one deadline, no blob sent twice.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use oci_client::{
    Client, Reference,
    client::{Certificate, CertificateEncoding, ClientConfig, ClientProtocol},
    errors::{OciDistributionError, OciErrorCode},
    secrets::RegistryAuth,
};
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::sync::Mutex;

use crate::{
    model::{digest::Digest, reference::RegistryReference},
    progress::SharedProgress,
    registry::{
        Error, Options,
        error::shown,
        options::is_loopback,
        remote,
        retry::{self, Refusal, Trouble},
        token::Authorization,
        transport::Transport,
    },
};

/// What became of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It was there already.
    Known,
    /// It was sent.
    New,
}

/// A client that writes to one repository. Mirrors are not asked: what is pushed goes where its name says.
pub struct Publisher {
    place: RegistryReference,
    transport: Transport,
    certificates: Vec<Vec<u8>>,
    /// The client with its credentials, made when it is first needed, and again when the registry no longer takes them.
    client: Mutex<Option<Client>>,
    progress: SharedProgress,
}

impl Publisher {
    /// A client for the repository that `reference` names; nothing is asked yet.
    ///
    /// # Errors
    /// When a CA file cannot be read or the host is none.
    pub fn open(reference: &RegistryReference, options: &Options, progress: SharedProgress) -> Result<Self, Error> {
        let certificates = remote::ca_certificates(options)?;
        let transport = Transport::new(reference, options, &certificates)?;
        Ok(Self { place: reference.clone(), transport, certificates, client: Mutex::new(None), progress })
    }

    /// Sends a blob, unless the repository has it.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or is too slow.
    pub async fn push_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<Sent, Error> {
        let (what, digest) = (format!("blob {digest} of {}", self.place.name()), digest.to_string());
        let name = self.name(String::new());
        if self.repeat(&what, async |client: Client| client.blob_exists(&name, &digest).await).await? {
            return Ok(Sent::Known);
        }
        let task = self.progress.start("push", Some(bytes.len() as u64));
        task.message(&digest);
        self.repeat(&what, async |client: Client| client.push_blob(&name, bytes.to_vec(), &digest).await).await?;
        task.advance(bytes.len() as u64);
        Ok(Sent::New)
    }

    /// Puts a manifest under a tag. Everything that it lists must have been pushed.
    ///
    /// # Errors
    /// When the registry cannot be reached, refuses, or is too slow.
    pub async fn push_manifest(&self, tag: &str, bytes: &[u8], media_type: &'static str) -> Result<(), Error> {
        let (what, name) = (format!("manifest {}:{tag}", self.place.name()), self.name(tag.to_owned()));
        let media_type = HeaderValue::from_static(media_type);
        self.repeat(&what, async |client: Client| client.push_manifest_raw(&name, bytes.to_vec(), media_type.clone()).await)
            .await
            .map(|_| ())
    }

    fn name(&self, tag: String) -> Reference {
        Reference::with_tag(self.place.registry.clone(), self.place.repository.clone(), tag)
    }

    /// Asks until there is an answer, or no point in asking again.
    async fn repeat<T>(&self, what: &str, ask: impl AsyncFn(Client) -> Result<T, OciDistributionError>) -> Result<T, Error> {
        let (mut attempt, mut renewed) = (1, false);
        loop {
            // The client panics at what some registries answer, a relative address for an upload for example.
            let attempted = AssertUnwindSafe(async { ask(self.client().await?).await.map_err(Failed::Said) }).catch_unwind();
            let asked = tokio::time::timeout_at(self.transport.deadline(), attempted).await;
            let trouble = match asked.map_err(|_| self.transport.too_late(what))?.unwrap_or(Err(Failed::Broke)) {
                Ok(answer) => return Ok(answer),
                Err(Failed::Broke) => {
                    return Err(Error::Unexpected {
                        registry: self.transport.registry().to_owned(),
                        what: what.to_owned(),
                        status: 0,
                        message: "its answer is none that the protocol knows".to_owned(),
                    });
                }
                Err(Failed::Login(error)) => return Err(error),
                Err(Failed::Said(error)) => self.trouble(&error, what, attempt),
            };
            match trouble {
                // A token lives for minutes and a push may take longer; a second refusal is one.
                Trouble::Unauthorized { .. } if !renewed => {
                    renewed = true;
                    *self.client.lock().await = None;
                }
                Trouble::Unauthorized { message, .. } => return Err(self.transport.denied(what, message)),
                other => self.transport.pause(other, &mut attempt).await?,
            }
        }
    }

    async fn client(&self) -> Result<Client, Failed> {
        let mut kept = self.client.lock().await;
        if let Some(client) = kept.as_ref() {
            return Ok(client.clone());
        }
        let auth = match self.transport.authorize_push().await.map_err(Failed::Login)? {
            Authorization::None => RegistryAuth::Anonymous,
            Authorization::Basic(user, password) => RegistryAuth::Basic(user, password),
            Authorization::Bearer(token) => RegistryAuth::Bearer(token),
        };
        let name = self.name(String::new());
        let client = Client::try_from(self.config(name.resolve_registry()))
            .map_err(|error| Failed::Login(Error::SetUp(shown(&error.to_string()))))?;
        client.store_auth_if_needed(name.resolve_registry(), &auth).await;
        *kept = Some(client.clone());
        Ok(client)
    }

    fn config(&self, host: &str) -> ClientConfig {
        let options = self.transport.options();
        let certificate = |pem: &Vec<u8>| Certificate { encoding: CertificateEncoding::Pem, data: pem.clone() };
        // The client cannot be told to ask no proxy; one that is left out for this machine comes to the same, and keeps the environment's away.
        let no_proxy = is_loopback(host).then(|| "http://127.0.0.1:9".to_owned());
        ClientConfig {
            protocol: if self.transport.plain_http() { ClientProtocol::Http } else { ClientProtocol::Https },
            // One request for each blob: some registries demand parts of a size that the client does not send.
            use_monolithic_push: true,
            extra_root_certificates: self.certificates.iter().map(certificate).collect(),
            connect_timeout: Some(options.connect_timeout),
            read_timeout: Some(options.read_timeout.max(Duration::from_secs(1))),
            user_agent: options.user_agent,
            http_proxy: no_proxy.clone(),
            https_proxy: no_proxy.clone(),
            no_proxy: no_proxy.map(|_| "127.0.0.0/8,::1,localhost".to_owned()),
            ..ClientConfig::default()
        }
    }

    /// What an error of the client means for the next attempt.
    fn trouble(&self, error: &OciDistributionError, what: &str, attempt: u32) -> Trouble {
        match error {
            OciDistributionError::RequestError(error) => match error.status() {
                Some(status) => self.refused(status.as_u16(), "", what, attempt),
                None => self.transport.classify(error),
            },
            OciDistributionError::UnauthorizedError { .. } => self.refused(401, "", what, attempt),
            OciDistributionError::ServerError { code, message, .. } => self.refused(*code, message, what, attempt),
            OciDistributionError::RegistryError { envelope, .. } => {
                let status = match envelope.errors.first().map(|error| &error.code) {
                    Some(OciErrorCode::Unauthorized) => 401,
                    Some(OciErrorCode::Denied) => 403,
                    Some(OciErrorCode::Toomanyrequests) => 429,
                    _ => 400,
                };
                self.refused(status, &serde_json::to_string(envelope).unwrap_or_default(), what, attempt)
            }
            other => Trouble::Final(Error::Unexpected {
                registry: self.transport.registry().to_owned(),
                what: what.to_owned(),
                status: 0,
                message: shown(&other.to_string()),
            }),
        }
    }

    fn refused(&self, status: u16, message: &str, what: &str, attempt: u32) -> Trouble {
        if status == 401 {
            return Trouble::Unauthorized { challenge: None, message: retry::said(message.as_bytes()) };
        }
        let refusal = Refusal {
            status,
            headers: &HeaderMap::new(),
            body: message.as_bytes(),
            registry: self.transport.registry(),
            what,
            shown: self.transport.shown(),
            in_plain: self.transport.plain_http(),
        };
        retry::refused(&refusal, self.transport.options().retry, attempt)
    }
}

/// Why one attempt failed.
enum Failed {
    /// The login itself failed, which has its own attempts.
    Login(Error),
    /// What the client says.
    Said(OciDistributionError),
    /// The client did not survive the answer.
    Broke,
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        sync::{Arc, Mutex as Shared},
    };

    use axum::{
        Router,
        body::Bytes,
        extract::{Request, State},
        http::{HeaderValue as Value, Method, StatusCode},
        response::{IntoResponse, Response},
    };
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;
    use crate::{progress::Silent, registry::Retry};

    /// A registry of one repository, and its manners.
    #[derive(Default)]
    struct Registry {
        blobs: BTreeSet<String>,
        manifests: BTreeMap<String, Vec<u8>>,
        /// What it was asked, in order.
        asked: Vec<String>,
        /// Answers given instead of the right ones, first come first served, to uploads.
        troubles: Vec<u16>,
        /// Where it wants uploads to go, instead of the usual place.
        upload: Option<&'static str>,
        /// Whether it sends people to its token service, whose tokens it takes a few times only.
        wants_token: bool,
        tokens: usize,
        uses: usize,
    }

    /// A token ends in the middle of the second blob.
    const TOKEN_USES: usize = 4;

    type Kept = Arc<Shared<Registry>>;

    async fn answer(State(kept): State<Kept>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
        let mut registry = kept.lock().unwrap();
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        registry.asked.push(format!("{} {path}", parts.method));
        let host = parts.headers["host"].to_str().unwrap().to_owned();
        if path == "/token" {
            let basic = format!("Basic {}", BASE64_STANDARD.encode("writer:hush"));
            assert!(query.contains("scope=repository%3Ateam%2Fdb%3Apull%2Cpush"), "{query}");
            assert_eq!(parts.headers["authorization"], basic);
            registry.tokens += 1;
            registry.uses = 0;
            return format!(r#"{{"token":"t{}"}}"#, registry.tokens).into_response();
        }
        if registry.wants_token {
            let shown = parts.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
            let is_good = shown == format!("Bearer t{}", registry.tokens) && registry.uses < TOKEN_USES;
            registry.uses += 1;
            if !is_good {
                let mut refusal = StatusCode::UNAUTHORIZED.into_response();
                let challenge = format!(r#"Bearer realm="http://{host}/token",service="r""#);
                refusal.headers_mut().insert("www-authenticate", Value::from_str(&challenge).unwrap());
                return refusal;
            }
        }
        respond(&mut registry, &parts.method, &path, &query, &body)
    }

    fn respond(registry: &mut Registry, method: &Method, path: &str, query: &str, body: &Bytes) -> Response {
        let located = |status: StatusCode, place: &str| (status, [("location", place.to_owned())]).into_response();
        let Some(rest) = path.strip_prefix("/v2/team/db/") else { return StatusCode::OK.into_response() };
        if *method != Method::HEAD && !registry.troubles.is_empty() {
            return StatusCode::from_u16(registry.troubles.remove(0)).unwrap().into_response();
        }
        match (method.as_str(), rest) {
            ("HEAD", _) => match rest.strip_prefix("blobs/") {
                Some(digest) if registry.blobs.contains(digest) => StatusCode::OK.into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            },
            ("POST", "blobs/uploads/") => located(StatusCode::ACCEPTED, registry.upload.unwrap_or("/v2/team/db/blobs/uploads/7")),
            ("PUT", "blobs/uploads/7") => {
                let digest = query.split('=').next_back().unwrap().replace("%3A", ":");
                assert_eq!(digest, Digest::sha256_of(body).to_string());
                registry.blobs.insert(digest.clone());
                located(StatusCode::CREATED, &format!("/v2/team/db/blobs/{digest}"))
            }
            ("PUT", name) => {
                registry.manifests.insert(name.to_owned(), body.to_vec());
                located(StatusCode::CREATED, path)
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }

    async fn publisher(registry: Registry, credentials: Option<&str>) -> (Publisher, Kept, tempfile::TempDir) {
        let kept = Arc::new(Shared::new(registry));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        let auth = credentials.map(|text| format!(r#""{host}":{{"auth":"{}"}}"#, BASE64_STANDARD.encode(text))).unwrap_or_default();
        std::fs::write(&file, format!(r#"{{"auths":{{{auth}}}}}"#)).unwrap();
        let retry = Retry { attempts: 4, initial_backoff: Duration::from_millis(1), max_backoff: Duration::from_millis(5) };
        let options = Options { docker_config: Some(file), retry, ..Options::default() };
        let place = RegistryReference::parse(&format!("{host}/team/db:v1")).unwrap();
        (Publisher::open(&place, &options, Arc::new(Silent)).unwrap(), kept, folder)
    }

    #[tokio::test]
    async fn a_blob_is_sent_once_and_a_manifest_gets_its_tag() {
        let (publisher, kept, _folder) = publisher(Registry::default(), None).await;
        let digest = Digest::sha256_of(b"blob");
        assert_eq!(publisher.push_blob(&digest, b"blob").await.unwrap(), Sent::New);
        assert_eq!(publisher.push_blob(&digest, b"blob").await.unwrap(), Sent::Known);
        publisher.push_manifest("v1", b"{}", "application/vnd.oci.image.manifest.v1+json").await.unwrap();
        let registry = kept.lock().unwrap();
        assert_eq!(registry.manifests["manifests/v1"], b"{}");
        assert_eq!(registry.asked.iter().filter(|asked| asked.starts_with("POST")).count(), 1);
    }

    #[tokio::test]
    async fn a_busy_registry_is_asked_again_and_a_broken_one_not_for_ever() {
        let digest = Digest::sha256_of(b"blob");
        let (patient, kept, _folder) = publisher(Registry { troubles: vec![429, 503, 500], ..Registry::default() }, None).await;
        assert_eq!(patient.push_blob(&digest, b"blob").await.unwrap(), Sent::New);
        assert!(kept.lock().unwrap().troubles.is_empty());
        let (broken, _kept, _folder) = publisher(Registry { troubles: vec![500; 9], ..Registry::default() }, None).await;
        assert!(matches!(broken.push_blob(&digest, b"blob").await, Err(Error::Unavailable { status: 500, attempts: 4, .. })));
        let (refusing, _kept, _folder) = publisher(Registry { troubles: vec![403], ..Registry::default() }, None).await;
        assert!(matches!(refusing.push_blob(&digest, b"blob").await, Err(Error::Denied { status: 403, .. })));
    }

    #[tokio::test]
    async fn a_token_that_may_write_is_asked_for_and_renewed_when_it_runs_out() {
        let (publisher, kept, _folder) = publisher(Registry { wants_token: true, ..Registry::default() }, Some("writer:hush")).await;
        for text in ["a", "b", "c"] {
            publisher.push_blob(&Digest::sha256_of(text.as_bytes()), text.as_bytes()).await.unwrap();
        }
        assert!(kept.lock().unwrap().tokens > 1);
        assert_eq!(kept.lock().unwrap().blobs.len(), 3);
    }

    #[tokio::test]
    async fn an_answer_that_the_client_cannot_bear_is_an_error_that_names_the_registry() {
        for upload in ["uploads/7", "http://", "::"] {
            let (publisher, _kept, _folder) = publisher(Registry { upload: Some(upload), ..Registry::default() }, None).await;
            let error = publisher.push_blob(&Digest::sha256_of(b"blob"), b"blob").await.expect_err(upload).to_string();
            assert!(error.contains(&publisher.place.registry), "{upload}: {error}");
        }
    }
}
