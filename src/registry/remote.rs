//! An image in a registry. Manifests, tags and referrers come over our own bounded transport; blobs are streamed by `oci_client`,
//! resumed by range after a broken connection, and checked on the way out. Distribution specification:
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use std::{
    collections::BTreeSet,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, FutureExt as _},
    stream::BoxStream,
};
use oci_client::{
    Client, Reference, RegistryOperation,
    client::{BlobResponse, Certificate, CertificateEncoding, ClientConfig, ClientProtocol, LayerDescriptor},
    errors::{DigestError, OciDistributionError},
    secrets::RegistryAuth,
    token_cache::RegistryTokenType,
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LINK};
use tokio::{
    sync::{Mutex, mpsc},
    time::Instant,
};

use crate::{
    model::{
        digest::{Algorithm, Digest},
        image::Descriptor,
        reference::RegistryReference,
    },
    progress::SharedProgress,
    registry::{
        Error, ImageSource, Options, RawManifest,
        blob::{self, VerifiedReader},
        error::shown,
        manifest::{self, ACCEPTED, Document, MANIFEST_BYTES},
        options::is_loopback,
        token::Authorization,
        transport::{Transport, Trouble, host},
    },
};

/// Most pages of referrers.
const PAGES: usize = 100;
/// Most referrers of one manifest.
const REFERRERS: usize = 1_000;
/// Chunks that wait between the network and the reader.
const CHUNKS: usize = 16;
/// Longest wait for a blob's answer to begin.
const RESPONSE_TIME: Duration = Duration::from_secs(30);

/// One repository of a registry.
pub(super) struct Remote {
    reference: RegistryReference,
    door: Arc<Door>,
    progress: SharedProgress,
}

/// What is needed to stream a blob.
struct Door {
    transport: Transport,
    reference: RegistryReference,
    ca_certificates: Vec<Vec<u8>>,
    client: Mutex<Option<(Client, u64)>>,
}

/// Chunks of a blob from `oci_client`, and how many bytes at their beginning have been seen before.
type Chunks = (BoxStream<'static, io::Result<Vec<u8>>>, u64);

impl Remote {
    pub(super) fn open(reference: &RegistryReference, options: &Options, progress: SharedProgress) -> Result<Self, Error> {
        let mut ca_certificates = Vec::new();
        for path in &options.ca_files {
            let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
            let found = certificates(&text);
            if found.is_empty() {
                return Err(Error::SetUp(format!("{} holds no PEM certificate", path.display())));
            }
            ca_certificates.extend(found);
        }
        let transport = Transport::new(reference, options, &ca_certificates)?;
        let door = Door { transport, reference: reference.clone(), ca_certificates, client: Mutex::new(None) };
        Ok(Self { reference: reference.clone(), door: Arc::new(door), progress })
    }

    async fn manifest(&self, name: &str, expected: Option<&Digest>) -> Result<RawManifest, Error> {
        let joint = if expected.is_some() { '@' } else { ':' };
        let what = format!("{}{joint}{name}", self.reference.name());
        let transport = &self.door.transport;
        let page = transport.get(&transport.url(&format!("manifests/{name}"))?, ACCEPTED, MANIFEST_BYTES, &what).await?;
        let transport_type = page.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        // The body alone says what it is; `Docker-Content-Digest` is not looked at.
        if let Some(expected) = expected {
            blob::check_digest(&page.body, expected, &format!("manifest {what}"))?;
        }
        Ok(manifest::raw(page.body, transport_type, expected.map_or(Algorithm::Sha256, Digest::algorithm)))
    }

    async fn root(&self) -> Result<RawManifest, Error> {
        match (&self.reference.digest, &self.reference.tag) {
            (Some(digest), _) => self.manifest(&digest.to_string(), Some(digest)).await,
            (None, tag) => self.manifest(tag.as_deref().unwrap_or("latest"), None).await,
        }
    }

    async fn referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let transport = &self.door.transport;
        let what = format!("referrers of {}@{subject}", self.reference.name());
        let unexpected = |message: &str| Error::Unexpected {
            registry: self.reference.registry.clone(),
            what: what.clone(),
            status: 200,
            message: message.to_owned(),
        };
        let mut url = transport.url(&format!("referrers/{subject}"))?;
        let mut found: Vec<Descriptor> = Vec::new();
        let mut seen = BTreeSet::new();
        for page_number in 0..PAGES {
            let page = match transport.get(&url, ACCEPTED, MANIFEST_BYTES, &what).await {
                // Only the very first answer can say that there is no such API.
                Err(Error::NotFound { .. }) if page_number == 0 => return Ok(None),
                other => other?,
            };
            let Document::Index(index) = manifest::parse(&manifest::raw(page.body, None, Algorithm::Sha256))? else {
                return Err(unexpected("the list of referrers is no index"));
            };
            found.extend(index.manifests.into_iter().filter(|entry| seen.insert(entry.digest.clone())));
            if found.len() > REFERRERS {
                return Err(Error::TooLarge { what, limit: format!("{REFERRERS} referrers") });
            }
            let Some(next) = next_link(&page.headers) else { return Ok(Some(found)) };
            url = page.url.join(&next).map_err(|_| unexpected("the link to the next page is no URL"))?;
            if !transport.is_ours(&url) {
                return Err(unexpected("the link to the next page leads to another host"));
            }
        }
        Err(Error::TooLarge { what, limit: format!("{PAGES} pages") })
    }

    /// Starts the download of a blob. The first answer is awaited, so that a missing or denied blob is an error here and not in the middle of a read.
    async fn stream(&self, descriptor: &Descriptor) -> Result<mpsc::Receiver<io::Result<Vec<u8>>>, Error> {
        let first = self.door.start(&descriptor.digest, 0).await?;
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let task = self.progress.start("pull", Some(descriptor.size));
        task.message(descriptor.digest.short());
        let (door, digest, size) = (Arc::clone(&self.door), descriptor.digest.clone(), descriptor.size);
        tokio::spawn(async move {
            let report = |count: usize| task.advance(count as u64);
            if let Err(error) = door.pump(first, &digest, size, &sender, report).await {
                // The reader may be gone already; then nobody needs the error.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(receiver)
    }

    async fn blob(&self, descriptor: &Descriptor, cap: u64) -> Result<Vec<u8>, Error> {
        blob::check_cap(descriptor, cap)?;
        let what = format!("blob {}", descriptor.digest);
        let mut receiver = self.stream(descriptor).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            let lost =
                |error: io::Error| Error::Unreachable { registry: self.reference.registry.clone(), reason: shown(&error.to_string()) };
            bytes.extend(chunk.map_err(|error| error.downcast::<Error>().unwrap_or_else(lost))?);
            if bytes.len() as u64 > descriptor.size {
                break;
            }
        }
        blob::check(&bytes, descriptor, &what)?;
        Ok(bytes)
    }
}

impl Door {
    /// Passes chunks on until the blob is complete; continues where a connection broke.
    async fn pump(
        &self,
        first: Chunks,
        digest: &Digest,
        size: u64,
        sender: &mpsc::Sender<io::Result<Vec<u8>>>,
        report: impl Fn(usize),
    ) -> io::Result<()> {
        let (mut chunks, mut skip) = first;
        let (mut sent, mut attempt) = (0_u64, 1_u32);
        loop {
            let next = tokio::time::timeout_at(self.transport.deadline(), chunks.next()).await;
            match next.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, self.transport.too_late("a blob")))? {
                // A clean end is taken as it is: the reader knows whether it comes too early.
                None => return Ok(()),
                Some(Ok(mut chunk)) => {
                    if skip > 0 {
                        let known = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
                        chunk.drain(..known);
                        skip -= known as u64;
                    }
                    sent = sent.saturating_add(chunk.len() as u64);
                    report(chunk.len());
                    let closed = !chunk.is_empty() && sender.send(Ok(chunk)).await.is_err();
                    if closed || sent > size {
                        return Ok(());
                    }
                }
                // Every byte is there, or oci_client saw the end and found another digest: our own check has the last word.
                Some(Err(error)) if sent >= size || error.get_ref().is_some_and(|inner| inner.is::<DigestError>()) => return Ok(()),
                Some(Err(error)) => {
                    let reason = error.to_string();
                    let trouble = Trouble::Again {
                        error: Error::Unreachable { registry: self.reference.registry.clone(), reason },
                        after: None,
                        attempts: self.transport.options().retry.attempts,
                    };
                    self.transport.pause(trouble, &mut attempt).await.map_err(io::Error::other)?;
                    (chunks, skip) = self.start(digest, sent).await.map_err(io::Error::other)?;
                }
            }
        }
    }

    /// Asks for a blob from `offset` on. The stream itself is never held in memory; the one thing that `oci_client` buffers, the body of
    /// an error, is limited by [`RESPONSE_TIME`] alone.
    async fn start(&self, digest: &Digest, offset: u64) -> Result<Chunks, Error> {
        let what = format!("blob {digest} of {}", self.reference.name());
        let image = Reference::with_digest(self.reference.registry.clone(), self.reference.repository.clone(), digest.to_string());
        let text = digest.to_string();
        // Without `urls`, so that a foreign layer's other places are never asked.
        let layer = LayerDescriptor { digest: &text, urls: &None };
        let (mut renewed, mut attempt) = (false, 1);
        loop {
            let (client, generation) = self.client(&image).await?;
            let limit = self.transport.deadline().min(Instant::now() + RESPONSE_TIME);
            let asked = async {
                if offset == 0 {
                    return client.pull_blob_stream(&image, &layer).await.map(|stream| (stream.stream, 0));
                }
                client.pull_blob_stream_partial(&image, &layer, offset, None).await.map(|answer| match answer {
                    BlobResponse::Full(stream) => (stream.stream, offset),
                    BlobResponse::Partial(stream) => (stream.stream, 0),
                })
            };
            let trouble = match tokio::time::timeout_at(limit, asked).await {
                Ok(Ok((stream, skip))) => return Ok((stream.map(|chunk| chunk.map(Vec::from)).boxed(), skip)),
                Ok(Err(error)) => self.trouble(error, digest, &what, attempt).await,
                Err(_) => Trouble::Again {
                    error: Error::Unreachable { registry: self.reference.registry.clone(), reason: "timed out".to_owned() },
                    after: None,
                    attempts: self.transport.options().retry.attempts,
                },
            };
            match trouble {
                Trouble::Unauthorized { challenge, message } => {
                    self.transport.renew(challenge, generation, &mut renewed, &what, message).await?
                }
                other => self.transport.pause(other, &mut attempt).await?,
            }
        }
    }

    /// The `oci_client` for the authorization of the moment. It is handed a finished one, so that it never asks a token service itself.
    async fn client(&self, image: &Reference) -> Result<(Client, u64), Error> {
        let (authorization, generation) = self.transport.authorization().await;
        let mut slot = self.client.lock().await;
        if let Some((client, _)) = slot.as_ref().filter(|(_, of)| *of == generation) {
            return Ok((client.clone(), generation));
        }
        let options = self.transport.options();
        let direct = is_loopback(host(&self.reference)).then(|| "http://127.0.0.1".to_owned());
        let config = ClientConfig {
            protocol: if self.transport.plain_http() { ClientProtocol::Http } else { ClientProtocol::Https },
            extra_root_certificates: self
                .ca_certificates
                .iter()
                .map(|pem| Certificate { encoding: CertificateEncoding::Pem, data: pem.clone() })
                .collect(),
            connect_timeout: Some(options.connect_timeout),
            read_timeout: Some(options.read_timeout),
            user_agent: options.user_agent,
            // A proxy with an exception for this machine is how this client is told not to use the system's proxy on loopback.
            http_proxy: direct.clone(),
            https_proxy: direct,
            no_proxy: Some("127.0.0.0/8,::1,localhost".to_owned()),
            ..ClientConfig::default()
        };
        let client = Client::try_from(config).map_err(|error| Error::SetUp(error.to_string()))?;
        match authorization {
            Authorization::None => {}
            Authorization::Basic(user, password) => {
                client.store_auth_if_needed(image.resolve_registry(), &RegistryAuth::Anonymous).await;
                client.tokens.insert(image, RegistryOperation::Pull, RegistryTokenType::Basic(user, password)).await;
            }
            Authorization::Bearer(token) => client.store_auth_if_needed(image.resolve_registry(), &RegistryAuth::Bearer(token)).await,
        }
        *slot = Some((client.clone(), generation));
        Ok((client, generation))
    }

    /// What an error of `oci_client` means. It keeps no status when the body is an error envelope, and never `Retry-After`, so those are asked for again.
    async fn trouble(&self, error: OciDistributionError, digest: &Digest, what: &str, attempt: u32) -> Trouble {
        match error {
            OciDistributionError::RequestError(error) => self.transport.classify(&error),
            OciDistributionError::UnauthorizedError { .. }
            | OciDistributionError::ServerError { .. }
            | OciDistributionError::RegistryError { .. } => match self.transport.url(&format!("blobs/{digest}")) {
                Ok(url) => self.transport.probe(&url, what, attempt).await,
                Err(error) => Trouble::Final(error),
            },
            other => Trouble::Final(Error::Unexpected {
                registry: self.reference.registry.clone(),
                what: what.to_owned(),
                status: 0,
                message: shown(&other.to_string()),
            }),
        }
    }
}

/// Blocking reads from chunks that an async task sends.
struct ChannelReader {
    receiver: mpsc::Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut rest = self.chunk.get(self.at..).unwrap_or_default();
            if !rest.is_empty() || buffer.is_empty() {
                let count = rest.read(buffer)?;
                self.at += count;
                return Ok(count);
            }
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(chunk) => (self.chunk, self.at) = (chunk?, 0),
            }
        }
    }
}

/// The target of the `rel="next"` link (RFC 8288).
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| {
            parameter
                .trim()
                .split_once('=')
                .is_some_and(|(name, value)| name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next")
        });
        next.then(|| target.to_owned())
    })
}

/// The certificates of a PEM file, one by one.
fn certificates(text: &str) -> Vec<Vec<u8>> {
    const END: &str = "-----END CERTIFICATE-----";
    let whole = |block: &str| {
        block.find("-----BEGIN CERTIFICATE-----").and_then(|at| block.get(at..)).map(|block| format!("{block}{END}\n").into_bytes())
    };
    let mut blocks: Vec<&str> = text.split(END).collect();
    blocks.pop();
    blocks.into_iter().filter_map(whole).collect()
}

impl ImageSource for Remote {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        self.root().boxed()
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        async move { self.manifest(&digest.to_string(), Some(digest)).await }.boxed()
    }

    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        async move {
            match self.manifest(tag, None).await {
                Err(Error::NotFound { .. }) => Ok(None),
                other => other.map(Some),
            }
        }
        .boxed()
    }

    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        self.referrers(subject).boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        self.blob(descriptor, cap).boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        async move {
            let receiver = self.stream(descriptor).await?;
            let reader = ChannelReader { receiver, chunk: Vec::new(), at: 0 };
            Ok(Box::new(VerifiedReader::new(reader, descriptor)) as Box<dyn Read + Send>)
        }
        .boxed()
    }

    fn holds_signatures(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_links() {
        let check = |value: &str| next_link(&HeaderMap::from_iter([(LINK, value.parse().expect("header"))]));
        assert_eq!(check(r#"</v2/a/referrers/x?n=2>; rel="next""#).as_deref(), Some("/v2/a/referrers/x?n=2"));
        assert_eq!(check(r#"<a>; rel=prev, <b>; title="t"; rel=next"#).as_deref(), Some("b"));
        assert_eq!(check(r#"<a>; rel="prev""#), None);
        assert_eq!(check("nonsense"), None);
    }

    #[test]
    fn pem_files_may_hold_several_certificates() {
        let one = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(&format!("# comment\n{one}{one}")).len(), 2);
        assert!(certificates("nothing").is_empty());
    }
}
