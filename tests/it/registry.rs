//! Image sources against in-process registries that misbehave, against a real registry, and over every built image.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, Response, StatusCode, header},
};
use plimsoll::{
    model::{
        digest::Digest,
        image::{Descriptor, Platform, PlatformChoice, ResolvedImage},
        reference::ImageReference,
    },
    progress::Silent,
    registry::{self, Error, ImageSource, Options, Retry, Shown, TlsCause},
};
use serde_json::json;

use crate::real_registry::{Access, RealRegistry, small_layout};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(crate) type Reply = Response<Body>;

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    /// The `Host` header.
    pub(crate) host: String,
    pub(crate) authorization: Option<String>,
    pub(crate) range: Option<String>,
    /// How often this path was asked before.
    pub(crate) before: usize,
}

pub(crate) struct Server {
    pub(crate) host: String,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Serves what `answer` says on a loopback port, as long as the test's runtime lives.
    pub(crate) async fn start(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
        let host = listener.local_addr().expect("address").to_string();
        let log: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (answer, shared) = (Arc::new(answer), Arc::clone(&log));
        let handler = move |request: Request| {
            let text = |headers: &HeaderMap, name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let mut log = shared.lock().expect("log");
            let path = request.uri().to_string();
            let seen = Seen {
                before: log.iter().filter(|seen| seen.path == path).count(),
                authorization: text(request.headers(), header::AUTHORIZATION),
                range: text(request.headers(), header::RANGE),
                host: text(request.headers(), header::HOST).unwrap_or_default(),
                path,
            };
            log.push(seen.clone());
            drop(log);
            let answer = Arc::clone(&answer);
            async move { answer(&seen) }
        };
        let router = Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { host, log }
    }

    pub(crate) async fn open(&self, options: &Options) -> Arc<dyn ImageSource> {
        registry::open(&self.reference(), options, Arc::new(Silent)).await.expect("source")
    }

    pub(crate) fn reference(&self) -> ImageReference {
        ImageReference::parse(&format!("{}/app:v1", self.host)).expect("reference")
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.lock().expect("log").clone()
    }
}

pub(crate) fn options() -> Options {
    let retry = Retry { attempts: 3, initial_backoff: Duration::from_millis(5), max_backoff: Duration::from_millis(200) };
    Options { retry, deadline: Duration::from_secs(20), ..Options::default() }
}

pub(crate) fn with_credentials(folder: &Path, host: &str, entry: &serde_json::Value) -> Options {
    let path = folder.join("config.json");
    fs::write(&path, json!({ "auths": { host: entry } }).to_string()).expect("config");
    Options { docker_config: Some(path), ..options() }
}

pub(crate) fn reply(status: u16) -> Reply {
    Response::builder().status(status).body(Body::empty()).expect("reply")
}

pub(crate) fn bytes(media_type: &str, bytes: impl Into<Vec<u8>>) -> Reply {
    Response::builder().header(header::CONTENT_TYPE, media_type).body(Body::from(bytes.into())).expect("reply")
}

pub(crate) fn with(mut reply: Reply, name: &'static str, value: &str) -> Reply {
    reply.headers_mut().insert(name, value.parse().expect("header"));
    reply
}

pub(crate) fn descriptor(content: &[u8]) -> Descriptor {
    Descriptor {
        media_type: String::new(),
        digest: Digest::sha256_of(content),
        size: content.len() as u64,
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: None,
        platform: None,
    }
}

/// A sound image with one layer, as bodies by path.
pub(crate) fn image() -> (BTreeMap<String, (&'static str, Vec<u8>)>, Digest) {
    let layer = b"layer".repeat(100_000);
    let config =
        json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": [Digest::sha256_of(&layer).to_string()] } }).to_string();
    let entry = |content: &[u8], media_type: &str| json!({ "mediaType": media_type, "digest": Digest::sha256_of(content).to_string(), "size": content.len() });
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST,
        "config": entry(config.as_bytes(), "application/vnd.oci.image.config.v1+json"),
        "layers": [entry(&layer, "application/vnd.oci.image.layer.v1.tar")],
    })
    .to_string();
    let digest = Digest::sha256_of(manifest.as_bytes());
    let mut bodies = BTreeMap::new();
    for content in [layer, config.into_bytes()] {
        bodies.insert(format!("/v2/app/blobs/{}", Digest::sha256_of(&content)), ("application/octet-stream", content));
    }
    for name in ["v1", &digest.to_string()] {
        bodies.insert(format!("/v2/app/manifests/{name}"), (MANIFEST, manifest.clone().into_bytes()));
    }
    (bodies, digest)
}

/// Answers from `bodies`, 404 for the rest.
pub(crate) fn look_up(bodies: &BTreeMap<String, (&'static str, Vec<u8>)>, seen: &Seen) -> Reply {
    bodies.get(&seen.path).map_or_else(|| reply(404), |(media_type, body)| bytes(media_type, body.clone()))
}

pub(crate) async fn resolve(source: &dyn ImageSource, reference: &ImageReference) -> Result<ResolvedImage, Error> {
    registry::resolve(source, reference, None, &Platform::parse("linux/amd64").expect("platform")).await
}

/// Streams a blob to its end on a blocking thread; gives the number of bytes.
pub(crate) async fn drain(source: &Arc<dyn ImageSource>, descriptor: &Descriptor) -> Result<u64, std::io::Error> {
    let mut reader = source.open_blob(descriptor).await.map_err(std::io::Error::other)?;
    let read = move || std::io::copy(&mut reader, &mut std::io::sink());
    tokio::task::spawn_blocking(read).await.expect("reader")
}

pub(crate) async fn pull(source: &Arc<dyn ImageSource>, reference: &ImageReference) -> Result<ResolvedImage, Error> {
    let image = resolve(source.as_ref(), reference).await?;
    for layer in &image.layers {
        drain(source, &layer.descriptor).await.map_err(|source| Error::Read { path: PathBuf::from("layer"), source })?;
    }
    Ok(image)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_image_is_pulled_and_headers_are_not_believed() {
    let (bodies, digest) = image();
    let lie = Digest::sha256_of(b"lie").to_string();
    let server = Server::start(move |seen| with(look_up(&bodies, seen), "docker-content-digest", &lie)).await;
    let source = server.open(&options()).await;
    let image = pull(&source, &server.reference()).await.expect("image");
    assert_eq!(image.digest(), &digest);
    assert!(source.holds_signatures());
    assert!(server.seen().iter().all(|seen| seen.authorization.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn exchanged_content_is_refused() {
    let (bodies, digest) = image();
    let changed = move |seen: &Seen| {
        let reply = look_up(&bodies, seen);
        let (media_type, body) = bodies.get(&seen.path).cloned().unwrap_or_default();
        if reply.status() == StatusCode::OK && seen.path.contains("sha256:") {
            let mut body = body;
            body[3] ^= 1;
            return bytes(media_type, body);
        }
        reply
    };
    let server = Server::start(changed).await;
    let source = server.open(&options()).await;
    assert!(matches!(source.fetch_manifest(&digest).await, Err(Error::DigestMismatch { .. })));
    assert!(matches!(resolve(source.as_ref(), &server.reference()).await, Err(Error::DigestMismatch { .. })), "configuration");
    let layer = descriptor(&b"layer".repeat(100_000));
    assert_eq!(drain(&source, &layer).await.expect_err("changed").kind(), std::io::ErrorKind::InvalidData);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_sizes_are_refused_without_waiting_for_more() {
    let server = Server::start(|seen| match seen.path.as_str() {
        path if path.contains("blobs") => bytes("application/octet-stream", b"hello world".to_vec()),
        _ => reply(404),
    })
    .await;
    let source = server.open(&options()).await;
    for size in [5, 10, 12, 1 << 40] {
        let wrong = Descriptor { size, ..descriptor(b"hello world") };
        assert_eq!(drain(&source, &wrong).await.expect_err("size").kind(), std::io::ErrorKind::InvalidData, "{size}");
        let whole = source.fetch_blob(&wrong, 1 << 20).await;
        assert!(matches!(whole, Err(Error::SizeMismatch { .. } | Error::TooLarge { .. })), "{size}: {whole:?}");
    }
    assert_eq!(source.fetch_blob(&descriptor(b"hello world"), 11).await.expect("blob"), b"hello world");
    assert!(matches!(source.fetch_blob(&descriptor(b"hello world"), 10).await, Err(Error::TooLarge { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_download_continues_where_it_broke() {
    let content: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for ranges in [true, false] {
        let served = content.clone();
        let server = Server::start(move |seen| {
            let offset = seen.range.as_deref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
            let from = offset.filter(|_| ranges).unwrap_or(0);
            let status = if from > 0 { 206 } else { 200 };
            let rest = served[from..].to_vec();
            if seen.before < 2 {
                // The promised length is not reached: the connection breaks.
                let half = rest[..rest.len() / 2].to_vec();
                let chunks = futures_util::stream::iter([Ok(half), Err(std::io::Error::other("broken"))]);
                return with(
                    Response::builder().status(status).body(Body::from_stream(chunks)).expect("reply"),
                    "content-length",
                    &rest.len().to_string(),
                );
            }
            Response::builder().status(status).body(Body::from(rest)).expect("reply")
        })
        .await;
        let source = server.open(&options()).await;
        assert_eq!(drain(&source, &descriptor(&content)).await.expect("whole"), content.len() as u64, "ranges {ranges}");
        assert!(server.seen()[1].range.is_some());
    }
    // A server that always breaks is given up.
    let server = Server::start(|_| {
        let chunks = futures_util::stream::iter([Ok(vec![0; 10]), Err(std::io::Error::other("broken"))]);
        with(Response::new(Body::from_stream(chunks)), "content-length", "1000")
    })
    .await;
    let source = server.open(&options()).await;
    assert!(drain(&source, &Descriptor { size: 1_000, ..descriptor(b"x") }).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn down_denied_absent_and_overloaded_are_different_errors() {
    for (status, attempts) in [(401, 1), (403, 1), (404, 1), (429, 3), (500, 3), (503, 3), (418, 1)] {
        let server = Server::start(move |_| with(reply(status), "retry-after", "0")).await;
        let source = server.open(&options()).await;
        let error = source.fetch_root().await.expect_err("refused");
        let right = match status {
            401 | 403 => matches!(error, Error::Denied { status: got, .. } if got == status),
            404 => matches!(error, Error::NotFound { .. }),
            418 => matches!(error, Error::Unexpected { .. }),
            _ => matches!(error, Error::Unavailable { status: got, attempts: 3, .. } if got == status),
        };
        assert!(right, "{status}: {error}");
        assert_eq!(server.seen().iter().filter(|seen| !seen.path.ends_with("/tags/list")).count(), attempts, "{status}");
        // Only 404 means that there is nothing; everything else stays an error.
        assert_eq!(source.fetch_tag("sig").await.is_ok(), status == 404, "{status}");
        assert_eq!(source.fetch_referrers(&Digest::sha256_of(b"")).await.is_ok(), status == 404, "{status}");
        let blob = source.fetch_blob(&descriptor(b"x"), 10).await.expect_err("refused");
        // A manifest that can be read lists the blob, so that a missing one is no missing image.
        let same = std::mem::discriminant(&blob) == std::mem::discriminant(&error);
        assert!(if status == 404 { matches!(blob, Error::Incomplete { .. }) } else { same }, "{status}: {blob}");
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("port");
    let reference = ImageReference::parse(&format!("{free}/app")).expect("reference");
    let source = registry::open(&reference, &options(), Arc::new(Silent)).await.expect("source");
    let error = source.fetch_root().await.expect_err("down");
    assert!(matches!(error, Error::Unreachable { .. }) && error.hint().is_some(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_honoured_and_a_recovered_registry_is_read() {
    let (bodies, _) = image();
    let server = Server::start(move |seen| {
        if seen.before == 0 {
            with(reply(if seen.path.contains("blobs") { 503 } else { 429 }), "retry-after", "1")
        } else {
            look_up(&bodies, seen)
        }
    })
    .await;
    let slow = Options { retry: Retry { max_backoff: Duration::from_secs(2), ..options().retry }, ..options() };
    let began = Instant::now();
    let source = server.open(&slow).await;
    source.fetch_root().await.expect("second attempt");
    assert!(began.elapsed() >= Duration::from_secs(1));
    pull(&source, &server.reference()).await.expect("image");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_registry_meets_the_deadline() {
    let server = Server::start(|_| {
        with(Response::new(Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>())), "content-type", MANIFEST)
    })
    .await;
    let source = server.open(&Options { deadline: Duration::from_millis(300), ..options() }).await;
    let began = Instant::now();
    assert!(matches!(source.fetch_root().await, Err(Error::Deadline { .. })));
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_documents_are_cut_off() {
    let endless = || Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16])));
    let server = Server::start(move |seen| match seen.path.as_str() {
        "/v2/app/manifests/v1" => Response::new(endless()),
        "/v2/app/manifests/long" => bytes(MANIFEST, vec![b' '; 5 << 20]),
        _ => Response::builder().status(500).body(endless()).expect("reply"),
    })
    .await;
    let source = server.open(&options()).await;
    let began = Instant::now();
    assert!(matches!(source.fetch_root().await, Err(Error::TooLarge { .. })));
    assert!(matches!(source.fetch_tag("long").await, Err(Error::TooLarge { .. })));
    assert!(matches!(source.fetch_tag("other").await, Err(Error::Unavailable { .. })));
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_credentials_go_to_their_registry_and_not_to_the_storage_behind_it() {
    let folder = tempfile::tempdir().expect("folder");
    let (bodies, _) = image();
    let served = bodies.clone();
    let storage = Server::start(move |seen| look_up(&served, seen)).await;
    let location = storage.host.clone();
    let server = Server::start(move |seen| match &seen.authorization {
        None => with(reply(401), "www-authenticate", r#"Basic realm="r""#),
        Some(text) if text != "Basic dTpw" => reply(403),
        Some(_) if seen.path.contains("blobs") => with(reply(307), "location", &format!("http://{location}{}", seen.path)),
        Some(_) => look_up(&bodies, seen),
    })
    .await;
    let source = server.open(&with_credentials(folder.path(), &server.host, &json!({ "username": "u", "password": "p" }))).await;
    pull(&source, &server.reference()).await.expect("image");
    assert_eq!(storage.seen().len(), 2);
    assert!(storage.seen().iter().all(|seen| seen.authorization.is_none()));

    let source = server.open(&with_credentials(folder.path(), &server.host, &json!({ "username": "u", "password": "wrong" }))).await;
    assert!(matches!(source.fetch_root().await, Err(Error::Denied { status: 403, .. })));
    let source = server.open(&with_credentials(folder.path(), "127.0.0.1", &json!({ "username": "u", "password": "p" }))).await;
    assert!(matches!(source.fetch_root().await, Err(Error::Denied { status: 401, .. })), "credentials of another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn bearer_tokens_are_fetched_and_renewed_when_they_expire() {
    for (entry, expected) in [
        (json!({ "username": "u", "password": "p" }), Some("Basic dTpw")),
        (json!({ "identitytoken": "refresh" }), None),
        (json!({}), None),
    ] {
        let folder = tempfile::tempdir().expect("folder");
        let (bodies, _) = image();
        let server = Server::start(move |seen| {
            if seen.path.starts_with("/token") {
                return bytes("application/json", format!(r#"{{"token":"t{}"}}"#, seen.before));
            }
            // The first token serves for manifests only, as if it expired before the blobs are read. The scope is Amazon ECR Public's.
            let wanted = if seen.path.contains("blobs") { "Bearer t1" } else { "Bearer t0" };
            match seen.authorization.as_deref() {
                Some(token) if token == wanted => look_up(&bodies, seen),
                _ => with(reply(401), "www-authenticate", &format!(r#"Bearer realm="http://{}/token",service="s",scope="aws""#, seen.host)),
            }
        })
        .await;
        let source = server.open(&with_credentials(folder.path(), &server.host, &entry)).await;
        pull(&source, &server.reference()).await.expect("image");
        let asked: Vec<Seen> = server.seen().into_iter().filter(|seen| seen.path.starts_with("/token")).collect();
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].authorization.as_deref(), expected);
        let by_form = asked[0].path == "/token";
        assert!(by_form || asked[0].path == "/token?service=s&scope=repository%3Aapp%3Apull&scope=aws", "{}", asked[0].path);
        assert_eq!(by_form, entry.get("identitytoken").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_services_that_misbehave_are_errors() {
    for (status, body, word) in [
        (200, r#"{"token":"a\r\nX: y"}"#.to_owned(), "no header value"),
        (200, "{}".to_owned(), "no token"),
        (200, "nonsense".to_owned(), "not valid"),
        (200, " ".repeat(2 << 20), "exceeds"),
        (401, r#"{"errors":[{"code":"DENIED","message":"who are you"}]}"#.to_owned(), "who are you"),
        (302, String::new(), "unexpected answer"),
        (503, String::new(), "unavailable"),
    ] {
        let server = Server::start(move |seen| {
            if seen.path.starts_with("/token") {
                return with(
                    Response::builder().status(status).body(Body::from(body.clone())).expect("reply"),
                    "location",
                    "http://127.0.0.1:1/",
                );
            }
            reply(500)
        })
        .await;
        // A second server is the registry and points to the first.
        let realm = format!(r#"Bearer realm="http://{}/token""#, server.host);
        let front = Server::start(move |_| with(reply(401), "www-authenticate", &realm)).await;
        let source = front.open(&options()).await;
        let error = source.fetch_root().await.expect_err(word).to_string();
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn referrers_are_read_page_by_page() {
    let subject = Digest::sha256_of(b"subject");
    let entry = |text: &str| json!({ "mediaType": MANIFEST, "digest": Digest::sha256_of(text.as_bytes()).to_string(), "size": 1, "artifactType": text });
    let page = move |texts: &[&str]| {
        bytes(INDEX, json!({ "schemaVersion": 2, "manifests": texts.iter().map(|text| entry(text)).collect::<Vec<_>>() }).to_string())
    };
    let path = format!("/v2/app/referrers/{subject}");
    let (first, answer) = (path.clone(), page);
    let server = Server::start(move |seen| {
        if seen.path == first {
            with(answer(&["a", "b"]), "link", &format!(r#"<{first}?last=b>; rel="next""#))
        } else if seen.path == format!("{first}?last=b") {
            with(answer(&["b", "c"]), "link", r#"<?last=c>; rel="next""#)
        } else if seen.path == format!("{first}?last=c") {
            answer(&["d"])
        } else {
            reply(500)
        }
    })
    .await;
    let found = server.open(&options()).await.fetch_referrers(&subject).await.expect("pages").expect("an API");
    assert_eq!(found.iter().filter_map(|entry| entry.artifact_type.as_deref()).collect::<Vec<_>>(), ["a", "b", "c", "d"]);

    type Answer = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;
    let broken: Vec<(&str, Answer)> = vec![
        (
            "a later 404",
            Box::new(
                move |seen: &Seen| if seen.path.contains("last") { reply(404) } else { with(page(&["a"]), "link", "<?last=a>; rel=next") },
            ),
        ),
        ("pages without end", Box::new(move |_: &Seen| with(page(&["a"]), "link", "<?last=a>; rel=next"))),
        ("another host", Box::new(move |_: &Seen| with(page(&["a"]), "link", "<http://127.0.0.1:1/x>; rel=next"))),
        ("no index", Box::new(|_: &Seen| bytes("text/html", "<html>"))),
        (
            "too many",
            Box::new(move |_: &Seen| {
                bytes(INDEX, json!({ "manifests": (0..1_001).map(|n| entry(&n.to_string())).collect::<Vec<_>>() }).to_string())
            }),
        ),
    ];
    for (name, answer) in broken {
        let server = Server::start(answer).await;
        assert!(server.open(&options()).await.fetch_referrers(&subject).await.is_err(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_registry_is_read_plain_and_with_tls_and_password() {
    for access in [Access::Plain, Access::TlsBasic] {
        let Some(server) = RealRegistry::start(access) else { return };
        let folder = tempfile::tempdir().expect("folder");
        let root = small_layout(folder.path(), &["amd64", "arm64"]);
        server.push(&format!("oci:{}:v1", folder.path().display()), "team/app:v1");
        let name = format!("{}/team/app", server.host);
        let reference = ImageReference::parse(&format!("{name}:v1")).expect("reference");
        let set = Options { ca_files: server.ca_file().into_iter().collect(), docker_config: Some(server.docker_config()), ..options() };
        let source = registry::open(&reference, &set, Arc::new(Silent)).await.expect("source");
        let image = pull(&source, &reference).await.expect("image");
        assert_eq!((image.index_digest.as_ref(), image.platform_choice), (Some(&root), PlatformChoice::Host));
        assert_eq!(source.fetch_tag("absent").await.expect("an answer"), None);
        // This server has no referrers API: 404.
        assert_eq!(source.fetch_referrers(image.digest()).await.expect("an answer"), None);

        let pinned = ImageReference::parse(&format!("{name}@{root}")).expect("reference");
        let source = registry::open(&pinned, &set, Arc::new(Silent)).await.expect("source");
        let arm =
            registry::resolve(source.as_ref(), &pinned, Platform::parse("linux/arm64").as_ref(), &image.platform).await.expect("image");
        assert_ne!(arm.digest(), image.digest());
        let absent = ImageReference::parse(&format!("{name}:v2")).expect("reference");
        let source = registry::open(&absent, &set, Arc::new(Silent)).await.expect("source");
        let error = resolve(source.as_ref(), &absent).await.expect_err("no such tag");
        assert_eq!((error.to_string(), error.hint()), (format!("no such tag: {name}:v2"), Some("there is v1".to_owned())));
        let absent = ImageReference::parse(&format!("{}/team/none:v1", server.host)).expect("reference");
        let source = registry::open(&absent, &set, Arc::new(Silent)).await.expect("source");
        let error = resolve(source.as_ref(), &absent).await.expect_err("no such repository");
        assert_eq!(error.to_string(), format!("no such repository: {}/team/none", server.host));

        if access == Access::TlsBasic {
            let anonymous = Options { docker_config: None, ..set.clone() };
            let source = registry::open(&reference, &anonymous, Arc::new(Silent)).await.expect("source");
            let error = source.fetch_root().await.expect_err("no password");
            assert!(matches!(error, Error::Denied { status: 401, shown: Shown::Nothing, .. }), "{error}");
            let wrong = json!({ "username": "reader", "password": "wrong" });
            let wrong = Options { docker_config: with_credentials(folder.path(), &server.host, &wrong).docker_config, ..set.clone() };
            let source = registry::open(&reference, &wrong, Arc::new(Silent)).await.expect("source");
            let error = source.fetch_root().await.expect_err("wrong password");
            assert!(matches!(error, Error::Denied { status: 401, shown: Shown::Credentials, .. }), "{error}");
            // Without a CA file this machine's own registries are asked over plain HTTP.
            let in_plain = Options { ca_files: Vec::new(), ..set.clone() };
            let source = registry::open(&reference, &in_plain, Arc::new(Silent)).await.expect("source");
            let error = source.fetch_root().await.expect_err("it speaks TLS");
            assert!(matches!(error, Error::Tls { cause: TlsCause::OnlyTls, .. }), "{error}");
            let distrusting = Options { ca_files: Vec::new(), tls_registries: vec![server.host.clone()], ..set };
            let source = registry::open(&reference, &distrusting, Arc::new(Silent)).await.expect("source");
            let error = source.fetch_root().await.expect_err("unknown authority");
            assert!(matches!(error, Error::Tls { cause: TlsCause::UnknownAuthority, .. }), "{error}");
        } else {
            let over_tls = Options { tls_registries: vec![server.host.clone()], ..set };
            let source = registry::open(&reference, &over_tls, Arc::new(Silent)).await.expect("source");
            let error = source.fetch_root().await.expect_err("it does not speak TLS");
            assert!(matches!(error, Error::Tls { cause: TlsCause::NotTls, .. }), "{error}");
        }
    }
}

/// Every image below the folder PLIMSOLL_IMAGES (`oci/`, `archive/`): resolved, every blob streamed and checked.
#[tokio::test(flavor = "multi_thread")]
async fn every_built_image_is_read_to_the_last_blob() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES is not set");
        return;
    };
    let names = |below: &str| {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder.join(below)).expect("folder").map(|entry| entry.expect("entry").path()).collect();
        paths.sort();
        paths
    };
    let mut references: Vec<ImageReference> = names("oci").into_iter().map(|path| ImageReference::OciLayout { path, tag: None }).collect();
    references.extend(names("archive").into_iter().map(|path| ImageReference::DockerArchive { path, tag: None }));
    let mut wrong = Vec::new();
    for reference in references {
        let source = registry::open(&reference, &options(), Arc::new(Silent)).await.expect("source");
        let began = Instant::now();
        let outcome = pull(&source, &reference).await;
        let name = reference.to_string();
        // These have a layer whose bytes are not those of its digest, or are too few.
        let refused = ["hostile-digest", "hostile-digest-valid", "hostile-short"].iter().any(|end| name.ends_with(end));
        if outcome.is_err() != refused {
            wrong.push(name.clone());
        }
        match outcome {
            Ok(image) => eprintln!("{name}: {} {} layers, {} ms", image.platform, image.layers.len(), began.elapsed().as_millis()),
            Err(error) => {
                let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                eprintln!("{name}: {error} {source}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Some of the built images through a real registry: the same digests and layers as from the layout.
#[tokio::test(flavor = "multi_thread")]
async fn built_images_come_out_of_a_real_registry_unchanged() {
    let Some(folder) = std::env::var_os("PLIMSOLL_IMAGES").map(PathBuf::from) else {
        eprintln!("skipped: PLIMSOLL_IMAGES is not set");
        return;
    };
    let Some(server) = RealRegistry::start(Access::TlsBasic) else { return };
    let set = Options { ca_files: server.ca_file().into_iter().collect(), docker_config: Some(server.docker_config()), ..options() };
    for name in ["multiarch", "many-layers", "debian-python", "layers-zstd", "layers-mixed"] {
        let path = folder.join("oci").join(name);
        if !path.is_dir() {
            eprintln!("skipped: the image {name} is not built");
            continue;
        }
        let layout = ImageReference::OciLayout { path, tag: None };
        let source = registry::open(&layout, &set, Arc::new(Silent)).await.expect("layout");
        let mut expected = resolve(source.as_ref(), &layout).await.expect("image");
        server.push(&format!("oci:{}", folder.join("oci").join(name).display()), &format!("{name}:v1"));
        let reference = ImageReference::parse(&format!("{}/{name}:v1", server.host)).expect("reference");
        let source = registry::open(&reference, &set, Arc::new(Silent)).await.expect("source");
        let began = Instant::now();
        let image = pull(&source, &reference).await.expect("image");
        eprintln!("{reference}: {} layers, {} ms", image.layers.len(), began.elapsed().as_millis());
        expected.reference = reference;
        assert_eq!(image, expected);
    }
}

#[test]
fn readers_need_no_runtime_once_open() {
    let folder = tempfile::tempdir().expect("folder");
    small_layout(folder.path(), &["amd64"]);
    let reference = ImageReference::OciLayout { path: folder.path().to_owned(), tag: None };
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let (source, image) = runtime.block_on(async {
        let source = registry::open(&reference, &options(), Arc::new(Silent)).await.expect("source");
        let image = pull(&source, &reference).await.expect("image");
        (source, image)
    });
    let mut reader = runtime.block_on(source.open_blob(&image.layers[0].descriptor)).expect("reader");
    drop(runtime);
    let mut bytes = Vec::new();
    assert_eq!(reader.read_to_end(&mut bytes).expect("blob") as u64, image.layers[0].descriptor.size);
}
