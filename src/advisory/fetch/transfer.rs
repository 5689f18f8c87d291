//! One file from a mirror. In: an address (`http`, `https`, `file` or a path), what is known of an earlier copy, and a bound; out: a file that came whole, with
//! its digest, or that nothing changed. Every request is repeated when that may help, within one deadline for all of them; redirects stay within the
//! scheme, and no answer is kept that is longer or shorter than it said.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use base64::Engine as _;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_ENCODING, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
    redirect,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::Instant,
};
use url::Url;

use crate::{
    advisory::Error,
    model::digest::{Algorithm, Digest, Hasher},
    progress::Task,
    registry::retry_after,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest silence within one answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Hosts that files move to are few.
const MAX_REDIRECTS: usize = 5;
/// Attempts at one file.
const ATTEMPTS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// What a validator may be long.
const MAX_VALIDATOR: usize = 512;

/// Where a file, or a tree of files, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// On a server.
    Url(Url),
    /// On this machine.
    Path(PathBuf),
}

impl Place {
    /// Reads an `http` or `https` URL, a `file` URL or a plain path.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Self::Path(PathBuf::from(path)));
        }
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::Path(PathBuf::from(text))) };
        // What does not read may hold a password anywhere.
        let failed = |reason: String| Error::Fetch { url: format!("{scheme:.20}://{}", if rest.is_empty() { "" } else { "..." }), reason };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Url::parse(text).map(Self::Url).map_err(|error| failed(error.to_string())),
            _ => Err(failed("only http, https and file addresses, and paths, are supported".to_owned())),
        }
    }

    /// The place of something below; parts are percent-encoded where that is needed.
    pub(super) fn join(&self, parts: &[&str]) -> Result<Self, Error> {
        match self {
            Self::Path(path) => Ok(Self::Path(parts.iter().fold(path.clone(), |path, part| path.join(part)))),
            Self::Url(base) => {
                let mut url = base.clone();
                let failed = |()| Error::Fetch { url: shown(base), reason: "the URL has no path".to_owned() };
                url.path_segments_mut().map_err(failed)?.pop_if_empty().extend(parts);
                Ok(Self::Url(url))
            }
        }
    }

    /// What tells this place from every other one and gives nothing of it away.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Url(url) => Digest::sha256_of(url.as_str().as_bytes()),
            Self::Path(path) => Digest::sha256_of(path.to_string_lossy().as_bytes()),
        }
        .to_string()
    }

    /// The place as text, without credentials.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Url(url) => shown(url),
            Self::Path(path) => path.display().to_string(),
        }
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        Error::Fetch { url: self.text(), reason: reason.into() }
    }
}

/// What is known of the copy that is there: a server that still has it does not send it again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) digest: Option<Digest>,
}

/// What came of asking for a file.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is the one that is known.
    Unchanged,
    /// There is no such file.
    Missing,
    /// It came whole.
    Here(Received),
}

/// A file that came whole, under a name of its own.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) path: PathBuf,
    pub(super) digest: Digest,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

/// Gets files, all within one deadline.
pub(super) struct Transfer<'a> {
    client: Client,
    ends: Instant,
    /// New files are made here.
    folder: PathBuf,
    number: std::sync::atomic::AtomicU64,
    task: &'a dyn Task,
}

/// Why an attempt failed, and whether another one makes sense.
struct Trouble {
    reason: String,
    again: bool,
    after: Option<Duration>,
}

impl Trouble {
    fn last(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: false, after: None }
    }

    fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), again: true, after: None }
    }
}

impl<'a> Transfer<'a> {
    /// A transfer into `folder`, which must be there.
    pub(super) fn new(folder: &Path, deadline: Duration, task: &'a dyn Task) -> Result<Self, Error> {
        let agent = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));
        let policy = redirect::Policy::custom(|attempt| {
            let first = attempt.previous().first().map(|url| url.scheme().to_owned());
            if attempt.previous().len() > MAX_REDIRECTS {
                attempt.error("too many redirects")
            } else if first.as_deref() != Some(attempt.url().scheme()) {
                attempt.error("it redirects to another scheme")
            } else {
                attempt.follow()
            }
        });
        let client =
            Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).user_agent(agent).redirect(policy).build();
        let client = client.map_err(|error| Error::Fetch { url: "the network".to_owned(), reason: chain(&error) })?;
        Ok(Self { client, ends: Instant::now() + deadline, folder: folder.to_owned(), number: 0.into(), task })
    }

    /// Gets a file of at most `most` bytes.
    pub(super) async fn file(&self, place: &Place, known: &Known, most: u64) -> Result<Answer, Error> {
        let mut attempt = 1;
        loop {
            let path = self.folder.join(self.number.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_string());
            let once = async {
                match place {
                    Place::Url(url) => self.ask_server(url, known, most, &path).await,
                    Place::Path(source) => copy_file(source, known, most, &path).await,
                }
            };
            let trouble = match tokio::time::timeout_at(self.ends, once).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(trouble)) => trouble,
                Err(_) => Trouble::last("the time for all downloads is up (`--timeout`)"),
            };
            let _ = tokio::fs::remove_file(&path).await;
            let wait = (FIRST_WAIT * 2_u32.saturating_pow(attempt - 1)).min(LONGEST_WAIT).max(trouble.after.unwrap_or_default());
            if !trouble.again || attempt >= ATTEMPTS {
                return Err(place.error(trouble.reason));
            }
            // A server may ask for any number of seconds.
            if wait >= self.ends.saturating_duration_since(Instant::now()) {
                let reason = format!("{}; there is no time left to wait {} s (`--timeout`)", trouble.reason, wait.as_secs());
                return Err(place.error(reason));
            }
            self.task.message(&format!("{}: {}, waiting", place.text(), trouble.reason));
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// Gets a short file into memory; `None` when there is none.
    pub(super) async fn bytes(&self, place: &Place, most: u64) -> Result<Option<Vec<u8>>, Error> {
        match self.file(place, &Known::default(), most).await? {
            Answer::Here(received) => {
                let bytes = tokio::fs::read(&received.path).await;
                let _ = tokio::fs::remove_file(&received.path).await;
                bytes.map(Some).map_err(|source| Error::Io { doing: "read", path: received.path, source })
            }
            Answer::Missing => Ok(None),
            Answer::Unchanged => Err(place.error("it is said to be unchanged, and no copy of it was named")),
        }
    }

    async fn ask_server(&self, url: &Url, known: &Known, most: u64, path: &Path) -> Result<Answer, Trouble> {
        let mut request = self.client.get(url.clone());
        request = match (&known.etag, &known.last_modified) {
            (Some(etag), _) => request.header(IF_NONE_MATCH, etag),
            (None, Some(date)) => request.header(IF_MODIFIED_SINCE, date),
            (None, None) => request,
        };
        let mut response = request
            .send()
            .await
            .map_err(|error| Trouble { again: !error.is_redirect() && !error.is_builder(), ..Trouble::last(chain(&error)) })?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(Answer::Missing),
            StatusCode::NOT_MODIFIED if known.etag.is_some() || known.last_modified.is_some() => return Ok(Answer::Unchanged),
            status => {
                let again = matches!(status.as_u16(), 408 | 429 | 500..=599);
                return Err(Trouble {
                    again,
                    after: retry_after(response.headers()),
                    ..Trouble::last(format!("the server answers {status}"))
                });
            }
        }
        if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Trouble::last("the server packs its answer in a way that it was not asked for"));
        }
        let (expected, check) = (response.content_length(), crc32c_of(response.headers()));
        let text = |name: HeaderName| header(&response, &name);
        let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
        if expected.is_some_and(|expected| expected > most) {
            return Err(Trouble::last(format!("the answer is larger than {most} bytes")));
        }
        let mut file = Writing::create(path).await?;
        while let Some(chunk) = response.chunk().await.map_err(|error| Trouble::passing(chain(&error)))? {
            if file.size.saturating_add(size(chunk.len())) > most {
                return Err(Trouble::last(format!("the answer is larger than {most} bytes")));
            }
            file.write(&chunk).await?;
            self.task.advance(size(chunk.len()));
        }
        if let Some(expected) = expected.filter(|expected| *expected != file.size) {
            return Err(Trouble::passing(format!("the answer ends after {} of {expected} bytes", file.size)));
        }
        if check.is_some_and(|check| check != file.crc) {
            return Err(Trouble::passing("the answer does not have the checksum that the server names"));
        }
        let received = file.finish().await?;
        Ok(Answer::Here(Received { etag, last_modified, ..received }))
    }
}

async fn copy_file(source: &Path, known: &Known, most: u64, path: &Path) -> Result<Answer, Trouble> {
    let failed = |error: std::io::Error| Trouble::last(error.to_string());
    let mut input = match tokio::fs::File::open(source).await {
        Ok(input) => input,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Answer::Missing),
        Err(error) => return Err(failed(error)),
    };
    let mut file = Writing::create(path).await?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = input.read(&mut buffer).await.map_err(failed)?;
        if count == 0 {
            break;
        }
        if file.size.saturating_add(size(count)) > most {
            return Err(Trouble::last(format!("the file is larger than {most} bytes")));
        }
        file.write(buffer.get(..count).unwrap_or_default()).await?;
    }
    let received = file.finish().await?;
    if known.digest.as_ref() == Some(&received.digest) {
        let _ = tokio::fs::remove_file(path).await;
        return Ok(Answer::Unchanged);
    }
    Ok(Answer::Here(received))
}

/// A file that is being written.
struct Writing {
    path: PathBuf,
    file: tokio::fs::File,
    size: u64,
    crc: u32,
    hasher: Hasher,
}

impl Writing {
    async fn create(path: &Path) -> Result<Self, Trouble> {
        let file =
            tokio::fs::File::create(path).await.map_err(|error| Trouble::last(format!("cannot write {}: {error}", path.display())))?;
        Ok(Self { path: path.to_owned(), file, size: 0, crc: 0, hasher: Hasher::new(Algorithm::Sha256) })
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.file.write_all(bytes).await.map_err(|error| Trouble::last(format!("cannot write {}: {error}", self.path.display())))?;
        self.size = self.size.saturating_add(size(bytes.len()));
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.hasher.update(bytes);
        Ok(())
    }

    /// The bytes are on the disk before the file can get its place.
    async fn finish(mut self) -> Result<Received, Trouble> {
        let failed = |error: std::io::Error| Trouble::last(format!("cannot write {}: {error}", self.path.display()));
        self.file.flush().await.map_err(failed)?;
        self.file.sync_all().await.map_err(failed)?;
        Ok(Received { path: self.path, digest: self.hasher.finish(), etag: None, last_modified: None })
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let text = response.headers().get(name)?.to_str().ok()?;
    (!text.is_empty() && text.len() <= MAX_VALIDATOR).then(|| text.to_owned())
}

/// The checksum that Google's storage names (<https://cloud.google.com/storage/docs/hashes-etags>).
fn crc32c_of(headers: &HeaderMap) -> Option<u32> {
    let mut names = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let text = names.find_map(|text| text.trim().strip_prefix("crc32c="))?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).ok()?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn size(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A URL without name and password, and without its query, which may be a signature.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.query().is_some() {
        url.set_query(Some("..."));
    }
    url.to_string()
}

/// The innermost cause says most, and has no URL with a query in it.
fn chain(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut text = "the request failed".to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_urls_or_paths() {
        let join = |base: &str, parts: &[&str]| Place::parse(base).unwrap().join(parts).unwrap().text();
        assert_eq!(join("http://127.0.0.1:1/osv/", &["Rocky Linux", "all.zip"]), "http://127.0.0.1:1/osv/Rocky%20Linux/all.zip");
        assert_eq!(join("http://127.0.0.1:1", &["npm", "all.zip"]), "http://127.0.0.1:1/npm/all.zip");
        assert_eq!(join("http://user:secret@127.0.0.1:1/a", &["x"]), "http://127.0.0.1:1/a/x");
        assert_eq!(join("file:///srv/mirror", &["Rocky Linux"]), "/srv/mirror/Rocky Linux");
        assert_eq!(join("mirror", &["a"]), "mirror/a");
        assert_eq!(join("https://127.0.0.1:1/a?sig=TOKEN", &["x"]), "https://127.0.0.1:1/a/x?...");
        for (text, expected) in [
            ("http://", "http://: "),
            ("http://user:TOKEN@[/a", "http://...: "),
            ("ftp://127.0.0.1/a", "only http, https and file"),
            ("s3://bucket/a?TOKEN", "only http, https and file"),
        ] {
            let error = Place::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("TOKEN"), "{error}");
        }
        let identity = |text: &str| Place::parse(text).unwrap().identity();
        assert_ne!(identity("https://127.0.0.1/a?sig=1"), identity("https://127.0.0.1/a?sig=2"));
    }

    #[test]
    fn checksums_are_read() {
        let mut headers = HeaderMap::new();
        headers.append("x-goog-hash", "md5=AAAA".parse().unwrap());
        assert_eq!(crc32c_of(&headers), None);
        headers.append("x-goog-hash", "crc32c=n03x6A==".parse().unwrap());
        assert_eq!(crc32c_of(&headers), Some(0x9f4d_f1e8));
    }
}
