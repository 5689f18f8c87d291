//! `docker-daemon:NAME` and `podman:NAME`: an image's name in, the archive that the container engine makes of it out, over the Docker API
//! (<https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageGet>) on a Unix socket, or on TCP where that is asked for.

use std::{
    error::Error as _,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use reqwest::{Certificate, Client, Identity, Response, StatusCode, redirect::Policy};
use serde::Deserialize;
use tokio::{
    runtime::Handle,
    time::{Instant, timeout, timeout_at},
};
use url::Url;

use crate::{
    model::{digest::Digest, reference::Daemon},
    progress::SharedProgress,
    registry::{Error, ImageSource, Options, archive, error::shown, options::is_loopback},
};

/// Most bytes of an answer that is no image.
const ANSWER_BYTES: usize = 8 << 20;

/// Where the container engines are. Plain values; the caller reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Daemons {
    /// Docker's daemon.
    pub docker: DaemonHost,
    /// Podman's service.
    pub podman: DaemonHost,
}

/// Where one container engine is.
#[derive(Debug, Clone, Default)]
pub struct DaemonHost {
    /// The address that somebody named (`DOCKER_HOST`, `CONTAINER_HOST`): `unix://PATH` or `tcp://HOST:PORT`.
    pub address: Option<String>,
    /// Sockets that are tried in this order when there is no address.
    pub sockets: Vec<PathBuf>,
    /// Folder with `ca.pem`, `cert.pem` and `key.pem`, when TCP is to be TLS.
    pub certificates: Option<PathBuf>,
}

/// Why a container engine gave no image.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Nobody answers at the address.
    #[error("cannot reach the {} daemon at {address}: {reason}", daemon.name())]
    Unreachable {
        /// Which engine.
        daemon: Daemon,
        /// Where it was looked for.
        address: String,
        /// What happened there.
        reason: NoAnswer,
    },
    /// The address is none.
    #[error("cannot use `{address}` as the address of the {} daemon: {reason}", daemon.name())]
    Address {
        /// Which engine.
        daemon: Daemon,
        /// The address as given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine has no image of that name.
    #[error("no such image: {name} in the {} daemon at {address}", daemon.name())]
    NoSuchImage {
        /// Which engine.
        daemon: Daemon,
        /// Where it is.
        address: String,
        /// The name that was asked for.
        name: String,
    },
    /// The engine answers with something else than an image.
    #[error("the {} daemon gave no image for {name} (HTTP {status}: {message})", daemon.name())]
    Answer {
        /// Which engine.
        daemon: Daemon,
        /// The name that was asked for.
        name: String,
        /// The status.
        status: u16,
        /// What it says, shortened.
        message: String,
    },
}

/// What happened at an address that nobody answered at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// There is no socket.
    #[error("there is no such socket")]
    NoSocket,
    /// The socket may not be used.
    #[error("permission denied")]
    Denied,
    /// There is a socket, or a port, and nobody behind it.
    #[error("nobody listens there")]
    Refused,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl DaemonError {
    /// What the user can do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> String {
        let (start, variable, command) = match self.daemon() {
            Daemon::Docker => ("start it (`dockerd`, Docker Desktop)", "DOCKER_HOST", "docker"),
            Daemon::Podman => ("start it (`podman system service` or `systemctl --user start podman.socket`)", "CONTAINER_HOST", "podman"),
        };
        match self {
            Self::Unreachable { reason: NoAnswer::Denied, daemon: Daemon::Docker, .. } => {
                format!(
                    "join the group that owns the socket (`docker`), or pipe the image in: `sudo docker save NAME | plimsoll ... -`; {variable} names another socket"
                )
            }
            Self::Unreachable { reason: NoAnswer::Denied, .. } => {
                format!("use the socket of your own user's service; {variable} names another one")
            }
            Self::Unreachable { .. } => format!("{start}, or say in {variable} where it is (unix://PATH)"),
            Self::Address { .. } => {
                format!(
                    "{variable} is unix://PATH or tcp://HOST:PORT; of an engine elsewhere the image can be piped in: `{command} save NAME | plimsoll ... -`"
                )
            }
            Self::NoSuchImage { daemon, .. } => {
                format!("`{command} images` lists what it has; without `{}:` the image is read from its registry", daemon.scheme())
            }
            Self::Answer { .. } => format!("try `{command} save NAME`, which asks the same; the daemon's log may say more"),
        }
    }

    const fn daemon(&self) -> Daemon {
        match self {
            Self::Unreachable { daemon, .. }
            | Self::Address { daemon, .. }
            | Self::NoSuchImage { daemon, .. }
            | Self::Answer { daemon, .. } => *daemon,
        }
    }
}

/// Opens an image of a container engine.
pub(super) async fn open(daemon: Daemon, name: &str, options: &Options, progress: SharedProgress) -> Result<Arc<dyn ImageSource>, Error> {
    let host = match daemon {
        Daemon::Docker => &options.daemons.docker,
        Daemon::Podman => &options.daemons.podman,
    };
    let mut first = None;
    for address in addresses(daemon, host, options)? {
        let door = Door::new(daemon, address, host, options)?;
        match door.digests(name, options).await {
            Ok(digests) => return door.image(name, digests, options, progress).await,
            // The socket of another user's engine may be there and closed to us, and one of our own behind it.
            Err(error @ Error::Daemon(DaemonError::Unreachable { .. })) => first = first.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
    Err(first.unwrap_or_else(|| {
        let address = host.sockets.first().map_or_else(|| "its usual place".to_owned(), |socket| socket.display().to_string());
        DaemonError::Unreachable { daemon, address, reason: NoAnswer::NoSocket }.into()
    }))
}

/// Where a container engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    Tcp(Url),
}

/// The address that was named, else the sockets that there are.
fn addresses(daemon: Daemon, host: &DaemonHost, options: &Options) -> Result<Vec<Address>, Error> {
    match host.address.as_deref() {
        Some(text) => Ok(vec![parse_address(text, host.certificates.is_some(), options).map_err(|reason| {
            let address = shown(text);
            DaemonError::Address { daemon, address, reason }
        })?]),
        None => Ok(host.sockets.iter().filter(|socket| socket.exists()).cloned().map(Address::Socket).collect()),
    }
}

fn parse_address(text: &str, with_tls: bool, options: &Options) -> Result<Address, String> {
    if let Some(path) = text.strip_prefix("unix://") {
        return if path.starts_with('/') {
            Ok(Address::Socket(path.into()))
        } else {
            Err("the path of a socket begins with a slash".to_owned())
        };
    }
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "tcp" | "http" | "https")) else {
        return Err("it is neither a Unix socket nor a TCP address".to_owned());
    };
    let is_tls = with_tls || scheme == "https";
    let mut url = Url::parse(&format!("{}://{rest}", if is_tls { "https" } else { "http" })).map_err(|_| "it has no host".to_owned())?;
    // A port that was not said is the engine's, not that of the web.
    let has_port =
        rest.split('/').next().and_then(|authority| authority.rsplit_once(':')).is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if !has_port && url.set_port(Some(if is_tls { 2376 } else { 2375 })).is_err() {
        return Err("it has no host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds credentials, which the Docker API does not know".to_owned());
    }
    let authority = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    if !is_tls && !is_loopback(&authority) && !options.plain_http(&authority) {
        return Err(format!(
            "whoever is on the way could exchange the image; set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or allow it with --insecure-registry {authority}"
        ));
    }
    Ok(Address::Tcp(url))
}

/// A client for one container engine.
struct Door {
    daemon: Daemon,
    address: String,
    base: Url,
    client: Client,
}

#[derive(Deserialize)]
struct Inspected {
    #[serde(rename = "RepoDigests")]
    digests: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Complaint {
    message: Option<String>,
    cause: Option<String>,
}

impl Door {
    fn new(daemon: Daemon, address: Address, host: &DaemonHost, options: &Options) -> Result<Self, Error> {
        let builder =
            Client::builder().user_agent(options.user_agent).connect_timeout(options.connect_timeout).redirect(Policy::none()).no_proxy();
        let set_up = |error: reqwest::Error| Error::SetUp(error.to_string());
        let (address, base, builder) = match address {
            Address::Socket(path) => {
                let base = Url::parse("http://localhost/").map_err(|error| Error::SetUp(error.to_string()))?;
                (
                    path.display().to_string(),
                    base,
                    on_socket(builder, &path).ok_or_else(|| {
                        let reason = "there are no Unix sockets on this system".to_owned();
                        DaemonError::Address { daemon, address: path.display().to_string(), reason }
                    })?,
                )
            }
            Address::Tcp(url) => {
                let mut builder = builder;
                if let Some(folder) = host.certificates.as_deref().filter(|_| url.scheme() == "https") {
                    let read = |name: &str| {
                        let path = folder.join(name);
                        std::fs::read(&path).map_err(|source| Error::Read { path, source })
                    };
                    let own = [read("cert.pem")?, b"\n".to_vec(), read("key.pem")?].concat();
                    builder = builder
                        .tls_certs_only([Certificate::from_pem(&read("ca.pem")?).map_err(set_up)?])
                        .identity(Identity::from_pem(&own).map_err(set_up)?);
                }
                (url.to_string(), url, builder)
            }
        };
        Ok(Self { daemon, address, base, client: builder.build().map_err(set_up)? })
    }

    fn url(&self, name: &str, action: &str) -> Result<Url, Error> {
        let mut url = self.base.clone();
        let set = url.path_segments_mut().map(|mut path| {
            path.pop_if_empty().push("images").extend(name.split('/')).push(action);
        });
        set.map(|()| url).map_err(|()| Error::SetUp(format!("`{}` makes no URL", self.base)))
    }

    async fn ask(&self, name: &str, action: &str) -> Result<Response, Error> {
        let sent = self.client.get(self.url(name, action)?).send().await;
        sent.map_err(|error| self.unreachable(no_answer(&error)))
    }

    fn unreachable(&self, reason: NoAnswer) -> Error {
        DaemonError::Unreachable { daemon: self.daemon, address: self.address.clone(), reason }.into()
    }

    /// The digests that the image has in registries, as far as the engine knows; an image that it does not have is an error.
    async fn digests(&self, name: &str, options: &Options) -> Result<Vec<Digest>, Error> {
        let asked = async {
            let response = self.ask(name, "json").await?;
            let status = response.status();
            let body = whole(response).await.map_err(|reason| self.unreachable(reason))?;
            Ok::<_, Error>((status, body))
        };
        let late = || Error::Deadline {
            what: format!("the answer of the {} daemon", self.daemon.name()),
            seconds: options.read_timeout.min(options.deadline).as_secs(),
        };
        let (status, body) = timeout(options.read_timeout.min(options.deadline), asked).await.map_err(|_| late())??;
        if status != StatusCode::OK {
            return Err(self.complaint(name, status, &body));
        }
        let inspected: Inspected = serde_json::from_slice(&body).map_err(|error| Error::Malformed {
            what: format!("the {} daemon's answer", self.daemon.name()),
            reason: shown(&error.to_string()),
        })?;
        let names = inspected.digests.unwrap_or_default();
        Ok(names.iter().filter_map(|name| Digest::parse(name.rsplit_once('@')?.1).ok()).collect())
    }

    /// The image as an archive. Docker writes it to its own disk before the first byte comes, so that only the whole has a deadline.
    async fn image(
        &self,
        name: &str,
        digests: Vec<Digest>,
        options: &Options,
        progress: SharedProgress,
    ) -> Result<Arc<dyn ImageSource>, Error> {
        let what = format!("{name} from the {} daemon", self.daemon.name());
        let late = || Error::Deadline { what: what.clone(), seconds: options.deadline.as_secs() };
        let deadline = Instant::now() + options.deadline;
        let response = timeout_at(deadline, self.ask(name, "get")).await.map_err(|_| late())??;
        let status = response.status();
        if status != StatusCode::OK {
            let body = timeout_at(deadline, whole(response)).await.map_err(|_| late())?.map_err(|reason| self.unreachable(reason))?;
            return Err(self.complaint(name, status, &body));
        }
        let stream = Body { handle: Handle::current(), response, chunk: io::Cursor::default(), deadline };
        archive::open_stream(stream, &what, digests, options, progress).await
    }

    fn complaint(&self, name: &str, status: StatusCode, body: &[u8]) -> Error {
        let (daemon, name) = (self.daemon, name.to_owned());
        if status == StatusCode::NOT_FOUND {
            return DaemonError::NoSuchImage { daemon, address: self.address.clone(), name }.into();
        }
        let text = serde_json::from_slice::<Complaint>(body).ok().and_then(|complaint| complaint.message.or(complaint.cause));
        let message = text.map_or_else(|| "no message".to_owned(), |text| shown(&text));
        DaemonError::Answer { daemon, name, status: status.as_u16(), message }.into()
    }
}

#[cfg(unix)]
fn on_socket(builder: reqwest::ClientBuilder, path: &Path) -> Option<reqwest::ClientBuilder> {
    Some(builder.unix_socket(path))
}

#[cfg(not(unix))]
fn on_socket(_builder: reqwest::ClientBuilder, _path: &Path) -> Option<reqwest::ClientBuilder> {
    None
}

/// A whole answer, as long as it is small.
async fn whole(mut response: Response) -> Result<Vec<u8>, NoAnswer> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| no_answer(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES {
            return Err(NoAnswer::Other(format!("its answer exceeds the limit of {ANSWER_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What the deepest cause of a failed request means.
fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let mut cause = error.source();
    let mut deepest = error.to_string();
    while let Some(inner) = cause {
        match inner.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound) => return NoAnswer::NoSocket,
            Some(io::ErrorKind::PermissionDenied) => return NoAnswer::Denied,
            Some(io::ErrorKind::ConnectionRefused) => return NoAnswer::Refused,
            _ => {}
        }
        deepest = inner.to_string();
        cause = inner.source();
    }
    NoAnswer::Other(shown(&deepest))
}

/// The body of an answer, for a thread that may block.
struct Body {
    handle: Handle,
    response: Response,
    chunk: io::Cursor<Vec<u8>>,
    deadline: Instant,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.chunk.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let next = async { timeout_at(self.deadline, self.response.chunk()).await };
            match self.handle.block_on(next)?.map_err(io::Error::other)? {
                Some(chunk) => self.chunk = io::Cursor::new(chunk.into()),
                None => return Ok(0),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_sockets_or_tcp_that_is_safe_or_allowed() {
        let options = Options { insecure_registries: vec!["docker:2375".to_owned()], ..Options::default() };
        let check = |text: &str, with_tls: bool, expected: Result<&str, &str>| match (parse_address(text, with_tls, &options), expected) {
            (Ok(Address::Socket(path)), Ok(expected)) => assert_eq!(path.display().to_string(), expected, "{text}"),
            (Ok(Address::Tcp(url)), Ok(expected)) => assert_eq!(url.as_str(), expected, "{text}"),
            (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{text}: {reason}"),
            (other, _) => panic!("{text}: {other:?}"),
        };
        check("unix:///run/docker.sock", false, Ok("/run/docker.sock"));
        check("unix://docker.sock", false, Err("begins with a slash"));
        check("tcp://127.0.0.1:2375", false, Ok("http://127.0.0.1:2375/"));
        check("tcp://localhost", false, Ok("http://localhost:2375/"));
        check("tcp://[::1]:99/base/", false, Ok("http://[::1]:99/base/"));
        check("tcp://docker:2375", false, Ok("http://docker:2375/"));
        check("tcp://docker:2374", false, Err("--insecure-registry docker:2374"));
        check("tcp://docker", true, Ok("https://docker:2376/"));
        check("https://docker:443", false, Ok("https://docker/"));
        check("tcp://user:secret@docker:2375", false, Err("credentials"));
        for text in ["ssh://host", "npipe:////./pipe/docker_engine", "fd://", "/run/docker.sock", ""] {
            check(text, false, Err("neither a Unix socket nor a TCP address"));
        }
        check("tcp://", false, Err("no host"));
    }

    #[test]
    fn every_error_is_one_line_with_a_hint() {
        for daemon in [Daemon::Docker, Daemon::Podman] {
            let address = || "/run/x.sock".to_owned();
            let name = || "app:1".to_owned();
            let reasons = [NoAnswer::NoSocket, NoAnswer::Denied, NoAnswer::Refused, NoAnswer::Other("odd".to_owned())];
            let mut errors: Vec<DaemonError> =
                reasons.into_iter().map(|reason| DaemonError::Unreachable { daemon, address: address(), reason }).collect();
            errors.push(DaemonError::Address { daemon, address: address(), reason: "odd".to_owned() });
            errors.push(DaemonError::NoSuchImage { daemon, address: address(), name: name() });
            errors.push(DaemonError::Answer { daemon, name: name(), status: 500, message: "odd".to_owned() });
            for error in errors {
                let (text, hint) = (error.to_string(), error.hint());
                assert!(text.contains(daemon.name()) && !text.contains('\n'), "{text}");
                assert!(!hint.is_empty() && !hint.contains('\n'), "{hint}");
            }
        }
    }
}
