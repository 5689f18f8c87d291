//! A registry that misbehaves by a plan: plain sockets on loopback ports, so that every byte of an answer is its own to spoil.
//!
//! Which fault hits a request depends on the seed, the path and how often that path was asked, never on time or order: a seed tells a story again.
//! Beside the registry stands another host, where some redirects lead. Whatever it hears is searched for credentials.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the registry wants to hear; canaries, so that they are found wherever they go.
pub(crate) const USER: &str = "canary-user";
/// See [`USER`].
pub(crate) const PASSWORD: &str = "canary-password";
const TOKEN: &str = "canary-token";
/// The tests' clock, as the registry's `Date`.
const NOW: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

/// Random numbers that are the same for the same seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, story: &str) -> Self {
        // FNV-1a, so that every request has numbers of its own.
        let mixed = story.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self(mixed ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("it was a usize")
    }

    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// Who may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Everybody,
    Basic,
    Bearer,
}

/// What a registry holds: path to media type and body. A `link` names the next page of a path.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) bodies: BTreeMap<String, (&'static str, Vec<u8>)>,
    pub(crate) links: BTreeMap<String, String>,
}

/// How a registry behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) access: Access,
    /// How many of a hundred answers are spoiled.
    pub(crate) percent: usize,
    /// What happens to them.
    pub(crate) faults: &'static [Fault],
    /// After so many requests a path is answered honestly.
    pub(crate) most: usize,
    /// Whether ranges are understood.
    pub(crate) ranges: bool,
    /// Whether manifests come with `Docker-Content-Digest`.
    pub(crate) says_digest: bool,
}

/// What was done and heard.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) faults: Vec<(String, Fault)>,
    /// Requests that the other host got.
    pub(crate) strayed: usize,
    /// Of those, the ones that held a credential.
    pub(crate) leaked: Vec<String>,
    asked: BTreeMap<String, usize>,
}

/// Everything that can go wrong with one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    CutBeforeHead,
    CutInHead,
    CutInBody,
    CutUnannounced,
    TooManyRequests,
    NotToday,
    ServerError,
    EndlessError,
    EndlessBody,
    WrongByte,
    OtherContent,
    LengthTooLarge,
    LengthTooSmall,
    Drip,
    Stall,
    ToOtherHost,
    Loop,
    Unauthorized,
    StrangeRealm,
    Refused,
    Absent,
    Garbage,
    WrongRange,
    Empty,
    OddStatus,
    WrongDigestHeader,
    SaysGzip,
}

/// Every fault.
pub(crate) const FAULTS: &[Fault] = &[
    Fault::CutBeforeHead,
    Fault::CutInHead,
    Fault::CutInBody,
    Fault::CutUnannounced,
    Fault::TooManyRequests,
    Fault::NotToday,
    Fault::ServerError,
    Fault::EndlessError,
    Fault::EndlessBody,
    Fault::WrongByte,
    Fault::OtherContent,
    Fault::LengthTooLarge,
    Fault::LengthTooSmall,
    Fault::Drip,
    Fault::Stall,
    Fault::ToOtherHost,
    Fault::Loop,
    Fault::Unauthorized,
    Fault::StrangeRealm,
    Fault::Refused,
    Fault::Absent,
    Fault::Garbage,
    Fault::WrongRange,
    Fault::Empty,
    Fault::OddStatus,
    Fault::WrongDigestHeader,
    Fault::SaysGzip,
];

/// The faults of a registry that means well; a client that asks again gets what it wants.
pub(crate) const MILD: &[Fault] = &[
    Fault::CutBeforeHead,
    Fault::CutInHead,
    Fault::CutInBody,
    Fault::CutInBody,
    Fault::TooManyRequests,
    Fault::ServerError,
    Fault::SaysGzip,
    Fault::WrongDigestHeader,
];

/// The registry and the other host; both end when this is dropped.
pub(crate) struct FaultyRegistry {
    pub(crate) host: String,
    log: Arc<Mutex<Log>>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    content: Arc<Content>,
    plan: Plan,
    host: String,
    other: String,
    log: Arc<Mutex<Log>>,
}

struct Request {
    /// Everything that came, for the search.
    text: String,
    path: String,
    authorization: Option<String>,
    offset: Option<usize>,
}

/// An answer before it is spoiled.
#[derive(Clone)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// What really goes over the wire.
struct Wire {
    bytes: Vec<u8>,
    /// Pieces and the pause after each.
    drip: Option<(usize, Duration)>,
    then: Then,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    NextRequest,
    Close,
    Endless,
    Silence,
}

impl FaultyRegistry {
    pub(crate) async fn start(content: Arc<Content>, plan: Plan) -> Self {
        let registry = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let elsewhere = TcpListener::bind("127.0.0.1:0").await.expect("port");
        let host = registry.local_addr().expect("address").to_string();
        let port = elsewhere.local_addr().expect("address").port();
        // Another host is one of another name or of another port.
        let name = if plan.seed.is_multiple_of(2) { "localhost" } else { "127.0.0.1" };
        let log: Arc<Mutex<Log>> = Arc::default();
        let shared = Arc::new(Shared { content, plan, host: host.clone(), other: format!("{name}:{port}"), log: Arc::clone(&log) });
        let tasks =
            vec![tokio::spawn(listen(registry, Arc::clone(&shared), Side::Registry)), tokio::spawn(listen(elsewhere, shared, Side::Other))];
        Self { host, log, tasks }
    }

    pub(crate) fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("log")
    }
}

impl Drop for FaultyRegistry {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Registry,
    Other,
}

async fn listen(listener: TcpListener, shared: Arc<Shared>, side: Side) {
    // Connections end with the listener: the set aborts what it holds.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(converse(stream, Arc::clone(&shared), side));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers requests until one of the two has had enough. A client that goes away is no error here.
async fn converse(mut stream: TcpStream, shared: Arc<Shared>, side: Side) {
    while let Some(request) = hear(&mut stream).await {
        let wire = match side {
            Side::Registry => shared.registry(&request),
            Side::Other => shared.other_host(&request),
        };
        let (piece, pause) = wire.drip.unwrap_or((wire.bytes.len().max(1), Duration::ZERO));
        for part in wire.bytes.chunks(piece) {
            if stream.write_all(part).await.is_err() {
                return;
            }
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
        match wire.then {
            Then::NextRequest => {}
            Then::Close => return,
            Then::Silence => return tokio::time::sleep(Duration::from_secs(60)).await,
            Then::Endless => {
                let chunk = [b"1000\r\n".as_slice(), &[b' '; 0x1000], b"\r\n"].concat();
                while stream.write_all(&chunk).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                return;
            }
        }
    }
}

async fn hear(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.ok()?;
        if count == 0 || bytes.len() > 1 << 16 {
            return None;
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let header = |name: &str| {
        text.lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()))
    };
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    let offset = header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    Some(Request { path, authorization: header("authorization"), offset, text })
}

impl Shared {
    fn registry(&self, request: &Request) -> Wire {
        let time = {
            let mut log = self.log.lock().expect("log");
            let count = log.asked.entry(request.path.clone()).or_default();
            *count += 1;
            *count
        };
        let honest = self.honest(request);
        let mut random = Random::new(self.plan.seed, &format!("{} {time}", request.path));
        if time > self.plan.most || random.below(100) >= self.plan.percent {
            return honest.wire();
        }
        let fault = random.pick(self.plan.faults);
        self.log.lock().expect("log").faults.push((request.path.clone(), fault));
        self.spoil(fault, honest, request, &mut random)
    }

    fn honest(&self, request: &Request) -> Answer {
        let basic = format!("Basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}")));
        let is = |expected: &str| request.authorization.as_deref() == Some(expected);
        if request.path.starts_with("/token?") {
            return if is(&basic) {
                Answer::of("application/json", format!(r#"{{"token":"{TOKEN}"}}"#).into_bytes())
            } else {
                Answer::status(401)
            };
        }
        let challenge = match self.plan.access {
            Access::Basic if !is(&basic) => Some("Basic realm=\"faulty\"".to_owned()),
            Access::Bearer if !is(&format!("Bearer {TOKEN}")) => {
                Some(format!("Bearer realm=\"http://{}/token\",service=\"faulty\"", self.host))
            }
            _ => None,
        };
        if let Some(challenge) = challenge {
            return Answer::status(401).with("WWW-Authenticate", challenge);
        }
        self.stored(request)
    }

    fn stored(&self, request: &Request) -> Answer {
        let Some((media_type, body)) = self.content.bodies.get(&request.path) else { return Answer::status(404) };
        let mut answer = Answer::of(media_type, body.clone());
        if self.plan.says_digest && request.path.contains("/manifests/") {
            answer = answer.with("Docker-Content-Digest", plimsoll::model::digest::Digest::sha256_of(body).to_string());
        }
        if let Some(next) = self.content.links.get(&request.path) {
            answer = answer.with("Link", format!("<{next}>; rel=\"next\""));
        }
        match request.offset.filter(|_| self.plan.ranges) {
            Some(offset) if offset >= body.len() => Answer::status(416),
            Some(offset) => {
                answer.status = 206;
                answer.body.drain(..offset);
                answer.with("Content-Range", format!("bytes {offset}-{}/{}", body.len() - 1, body.len()))
            }
            None => answer,
        }
    }

    /// The other host has the same content, and tries to be given credentials.
    fn other_host(&self, request: &Request) -> Wire {
        let mut random = Random::new(self.plan.seed, &format!("other {}", request.path));
        {
            let mut log = self.log.lock().expect("log");
            log.strayed += 1;
            let encoded = STANDARD.encode(format!("{USER}:{PASSWORD}"));
            if request.authorization.is_some() || ["canary", &encoded].iter().any(|secret| request.text.contains(secret)) {
                log.leaked.push(request.text.clone());
            }
        }
        let here = &self.other;
        match random.below(8) {
            0 => Answer::status(401).with("WWW-Authenticate", "Basic realm=\"faulty\"".to_owned()),
            1 => Answer::status(401).with("WWW-Authenticate", format!("Bearer realm=\"http://{here}/token\",service=\"faulty\"")),
            2 => Answer::status(404),
            3 => Answer::status(307).with("Location", format!("http://{}{}", self.host, request.path)),
            4 => Answer::of("application/octet-stream", b"something else".to_vec()),
            _ => self.stored(request),
        }
        .wire()
    }

    fn spoil(&self, fault: Fault, honest: Answer, request: &Request, random: &mut Random) -> Wire {
        let head = honest.head(Some(honest.body.len()));
        let whole = [head.as_bytes(), &honest.body].concat();
        let cut = |bytes: &[u8], at: usize| Wire { bytes: bytes[..at].to_vec(), drip: None, then: Then::Close };
        match fault {
            Fault::CutBeforeHead => cut(&whole, 0),
            Fault::CutInHead => cut(&whole, random.below(head.len())),
            Fault::CutInBody => cut(&whole, head.len() + random.below(honest.body.len())),
            Fault::CutUnannounced => {
                let bytes = [honest.head(None).as_bytes(), &honest.body[..random.below(honest.body.len() + 1)]].concat();
                Wire { bytes, drip: None, then: Then::Close }
            }
            Fault::TooManyRequests => {
                let answer = Answer::status(429).with("Date", NOW.to_owned());
                match random.below(12) {
                    0 => answer.with("Retry-After", "1".to_owned()),
                    1 => answer.with("Retry-After", "Sun, 22 Nov 2026 12:00:01 GMT".to_owned()),
                    2 => answer,
                    _ => answer.with("Retry-After", "0".to_owned()),
                }
                .wire()
            }
            Fault::NotToday => Answer::status(429).with("Retry-After", "86400".to_owned()).wire(),
            Fault::ServerError => {
                let mut answer = Answer::status(random.pick(&[500, 502, 503, 504]));
                answer.body =
                    random.pick(&["", "<html>bad gateway</html>", r#"{"errors":[{"code":"UNAVAILABLE","message":"later"}]}"#]).into();
                answer.wire()
            }
            Fault::EndlessError => Answer::status(random.pick(&[401, 404, 429, 500])).endless(),
            Fault::EndlessBody => honest.endless(),
            Fault::WrongByte => {
                let mut answer = honest;
                if !answer.body.is_empty() {
                    let at = random.below(answer.body.len());
                    answer.body[at] ^= 1 << random.below(8);
                }
                answer.wire()
            }
            Fault::OtherContent => {
                let all: Vec<_> = self.content.bodies.values().collect();
                Answer { body: all[random.below(all.len())].1.clone(), ..honest }.wire()
            }
            Fault::LengthTooLarge => {
                let head = honest.head(Some(honest.body.len() + 1 + random.below(1 << 20)));
                let then = random.pick(&[Then::Close, Then::Silence]);
                Wire { bytes: [head.as_bytes(), &honest.body].concat(), drip: None, then }
            }
            Fault::LengthTooSmall => {
                let head = honest.head(Some(random.below(honest.body.len())));
                Wire { bytes: [head.as_bytes(), &honest.body].concat(), drip: None, then: Then::Close }
            }
            Fault::Drip => {
                // Either a slow line or one that never gets anywhere.
                let (piece, pause) = random.pick(&[(whole.len() / 20 + 1, 20), (7, 40)]);
                Wire { bytes: whole, drip: Some((piece, Duration::from_millis(pause))), then: Then::Close }
            }
            Fault::Stall => Wire { then: Then::Silence, ..cut(&whole, random.below(whole.len())) },
            Fault::ToOtherHost => Answer::status(random.pick(&[301, 302, 303, 307, 308]))
                .with("Location", format!("http://{}{}", self.other, request.path))
                .wire(),
            Fault::Loop => Answer::status(307).with("Location", request.path.clone()).wire(),
            Fault::Unauthorized => {
                Answer::status(401).with("WWW-Authenticate", random.pick(&["Basic realm=\"faulty\"", "Bearer", ""]).to_owned()).wire()
            }
            Fault::StrangeRealm => {
                Answer::status(401).with("WWW-Authenticate", format!("Bearer realm=\"http://{}/token\"", self.other)).wire()
            }
            Fault::Refused => Answer::status(403).wire(),
            Fault::Absent => Answer::status(404).wire(),
            Fault::Garbage => Wire { bytes: (0..200).map(|_| random.next().to_le_bytes()[0]).collect(), drip: None, then: Then::Close },
            Fault::WrongRange => {
                let at = random.below(honest.body.len());
                let mut answer = honest;
                answer.status = 206;
                answer.headers.retain(|(name, _)| *name != "Content-Range");
                answer.body.drain(..at);
                if random.below(2) == 0 {
                    answer = answer.with("Content-Range", format!("bytes {at}-{}/*", at + 1));
                }
                answer.wire()
            }
            Fault::Empty => Answer { body: Vec::new(), ..honest }.wire(),
            Fault::OddStatus => Answer { status: random.pick(&[201, 204, 206, 304, 400, 405, 418, 501]), ..honest }.wire(),
            Fault::WrongDigestHeader => {
                let mut answer = honest;
                answer.headers.retain(|(name, _)| *name != "Docker-Content-Digest");
                answer.with("Docker-Content-Digest", format!("sha256:{}", "0123456789abcdef".repeat(4))).wire()
            }
            Fault::SaysGzip => honest.with("Content-Encoding", "gzip".to_owned()).wire(),
        }
    }
}

impl Answer {
    fn of(media_type: &str, body: Vec<u8>) -> Self {
        Self { status: 200, headers: vec![("Content-Type", media_type.to_owned())], body }
    }

    fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    fn head(&self, length: Option<usize>) -> String {
        let mut head = format!("HTTP/1.1 {} Whatever\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match length {
            Some(length) => head.push_str(&format!("Content-Length: {length}\r\n\r\n")),
            None => head.push_str("Connection: close\r\n\r\n"),
        }
        head
    }

    fn wire(&self) -> Wire {
        // These have no body whatever is said of it, and what follows would be taken for the next answer.
        let then = if matches!(self.status, 204 | 304) { Then::Close } else { Then::NextRequest };
        Wire { bytes: [self.head(Some(self.body.len())).as_bytes(), &self.body].concat(), drip: None, then }
    }

    /// Begins as it should, and goes on for ever.
    fn endless(&self) -> Wire {
        let head = self.head(None).replace("Connection: close", "Transfer-Encoding: chunked");
        let first = if self.body.is_empty() { String::new() } else { format!("{:x}\r\n", self.body.len()) };
        let end: &[u8] = if self.body.is_empty() { b"" } else { b"\r\n" };
        Wire { bytes: [head.as_bytes(), first.as_bytes(), &self.body, end].concat(), drip: None, then: Then::Endless }
    }
}
