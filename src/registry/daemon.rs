//! `docker-daemon:NAME` and `podman:NAME`: an image's name in, the archive that the container engine makes of it out, over the Docker API
//! (<https://docs.docker.com/reference/api/engine/version/v1.47/#tag/Image/operation/ImageGet>) on a Unix socket, or on TCP where that is asked for.

mod error;

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
    registry::{Error, ImageSource, Options, archive, cause::Party, docker_context::Contexts, error::shown, options::is_loopback},
};

pub use self::error::{BadAddress, DaemonError, NoAnswer};

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

/// Where one container engine is. What was named counts before a context, and that before the sockets.
#[derive(Debug, Clone, Default)]
pub struct DaemonHost {
    /// The address that somebody named (`DOCKER_HOST`, `CONTAINER_HOST`): `unix://PATH` or `tcp://HOST:PORT`.
    pub address: Option<String>,
    /// Where `docker context use` says which daemon is meant.
    pub contexts: Option<Contexts>,
    /// Sockets that are tried in this order when there is neither an address nor a context.
    pub sockets: Vec<PathBuf>,
    /// Folder with `ca.pem`, `cert.pem` and `key.pem`, when TCP to the address is to be TLS.
    pub certificates: Option<PathBuf>,
}

/// Opens an image of a container engine.
pub(super) async fn open(daemon: Daemon, name: &str, options: &Options, progress: SharedProgress) -> Result<Arc<dyn ImageSource>, Error> {
    let host = match daemon {
        Daemon::Docker => &options.daemons.docker,
        Daemon::Podman => &options.daemons.podman,
    };
    let mut first = None;
    for place in places(daemon, host, options)? {
        let door = Door::new(daemon, place, options)?;
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

/// A place where a container engine is asked.
struct Place {
    address: Address,
    /// What messages call it.
    shown: String,
    certificates: Option<PathBuf>,
}

/// How a container engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Address {
    Socket(PathBuf),
    Tcp(Url),
}

impl Address {
    fn shown(&self) -> String {
        match self {
            Self::Socket(path) => path.display().to_string(),
            Self::Tcp(url) => url.to_string(),
        }
    }
}

/// The place that was named, else that of the context in use, else the sockets that there are.
fn places(daemon: Daemon, host: &DaemonHost, options: &Options) -> Result<Vec<Place>, Error> {
    let parse = |text: &str, certificates: Option<PathBuf>, by: &str| {
        let address = parse_address(text, certificates.is_some(), options).map_err(|reason| DaemonError::Address {
            daemon,
            address: format!("`{}`{by}", shown(text)),
            reason,
        })?;
        Ok(vec![Place { shown: format!("{}{by}", address.shown()), address, certificates }])
    };
    if let Some(text) = host.address.as_deref() {
        return parse(text, host.certificates.clone(), "");
    }
    if let Some(context) = host.contexts.as_ref().map(Contexts::current).transpose()?.flatten() {
        return parse(&context.host, context.certificates, &format!(" (docker context `{}`)", context.name));
    }
    let there = host.sockets.iter().filter(|socket| socket.exists()).cloned().map(Address::Socket);
    Ok(there.map(|address| Place { shown: address.shown(), address, certificates: None }).collect())
}

fn parse_address(text: &str, with_tls: bool, options: &Options) -> Result<Address, BadAddress> {
    if let Some(path) = text.strip_prefix("unix://") {
        return if path.starts_with('/') { Ok(Address::Socket(path.into())) } else { Err(BadAddress::RelativePath) };
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme @ ("tcp" | "http" | "https"), rest)) => (scheme, rest),
        Some(("ssh", _)) => return Err(BadAddress::Foreign("ssh")),
        Some(("npipe", _)) => return Err(BadAddress::Foreign("named pipe")),
        None if text.starts_with('/') => return Err(BadAddress::NoScheme),
        _ => return Err(BadAddress::Unknown),
    };
    let is_tls = with_tls || scheme == "https";
    let mut url = Url::parse(&format!("{}://{rest}", if is_tls { "https" } else { "http" })).map_err(|_| BadAddress::NoHost)?;
    // A port that was not said is the engine's, not that of the web.
    let has_port =
        rest.split('/').next().and_then(|authority| authority.rsplit_once(':')).is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if !has_port && url.set_port(Some(if is_tls { 2376 } else { 2375 })).is_err() {
        return Err(BadAddress::NoHost);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadAddress::Credentials);
    }
    let authority = format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    if !is_tls && !is_loopback(&authority) && !options.plain_http(&authority) {
        return Err(BadAddress::Plain { authority });
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
    fn new(daemon: Daemon, place: Place, options: &Options) -> Result<Self, Error> {
        let mut builder =
            Client::builder().user_agent(options.user_agent).connect_timeout(options.connect_timeout).redirect(Policy::none()).no_proxy();
        let set_up = |error: reqwest::Error| Error::SetUp(error.to_string());
        let base = match &place.address {
            Address::Socket(path) => {
                builder = on_socket(builder, path).ok_or_else(|| DaemonError::Address {
                    daemon,
                    address: place.shown.clone(),
                    reason: BadAddress::NoSockets,
                })?;
                Url::parse("http://localhost/").map_err(|error| Error::SetUp(error.to_string()))?
            }
            Address::Tcp(url) => {
                if let Some(folder) = place.certificates.as_deref().filter(|_| url.scheme() == "https") {
                    let read = |name: &str| {
                        let path = folder.join(name);
                        std::fs::read(&path).map_err(|source| Error::Read { path, source })
                    };
                    let own = [read("cert.pem")?, b"\n".to_vec(), read("key.pem")?].concat();
                    builder = builder
                        .tls_certs_only([Certificate::from_pem(&read("ca.pem")?).map_err(set_up)?])
                        .identity(Identity::from_pem(&own).map_err(set_up)?);
                }
                url.clone()
            }
        };
        Ok(Self { daemon, address: place.shown, base, client: builder.build().map_err(set_up)? })
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
        let patience = options.read_timeout.min(options.deadline);
        let late = || self.unreachable(NoAnswer::Silent(patience.as_secs()));
        let (status, body) = timeout(patience, asked).await.map_err(|_| late())??;
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
        let late = || Error::Deadline { what: what.clone(), seconds: options.deadline.as_secs(), party: Party::Daemon };
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
        // An engine that speaks TLS says so in plain text when it is asked without.
        if status == StatusCode::BAD_REQUEST && self.base.scheme() == "http" && String::from_utf8_lossy(body).contains("HTTPS") {
            return DaemonError::Address { daemon, address: self.address.clone(), reason: BadAddress::NeedsTls }.into();
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
            (Ok(address), Ok(expected)) => assert_eq!(address.shown(), expected, "{text}"),
            (Err(reason), Err(expected)) => assert!(reason.to_string().contains(expected), "{text}: {reason}"),
            (other, _) => panic!("{text}: {other:?}"),
        };
        check("unix:///run/docker.sock", false, Ok("/run/docker.sock"));
        check("unix://docker.sock", false, Err("begins with a slash"));
        check("tcp://127.0.0.1:2375", false, Ok("http://127.0.0.1:2375/"));
        check("tcp://localhost", false, Ok("http://localhost:2375/"));
        check("tcp://[::1]:99/base/", false, Ok("http://[::1]:99/base/"));
        check("tcp://docker:2375", false, Ok("http://docker:2375/"));
        check("tcp://docker:2374", false, Err("could exchange the image"));
        check("tcp://docker", true, Ok("https://docker:2376/"));
        check("https://docker:443", false, Ok("https://docker/"));
        check("tcp://user:secret@docker:2375", false, Err("credentials"));
        for (text, reason) in [
            ("ssh://me@host", "ssh connections are not supported"),
            ("npipe:////./pipe/docker_engine", "named pipe connections are not supported"),
            ("/run/docker.sock", "no scheme"),
            ("fd://", "neither a Unix socket nor a TCP address"),
            ("", "neither a Unix socket nor a TCP address"),
        ] {
            check(text, false, Err(reason));
        }
        check("tcp://", false, Err("no host"));
    }

    #[test]
    fn every_error_is_one_line_with_a_hint() {
        for daemon in [Daemon::Docker, Daemon::Podman] {
            let address = || "/run/x.sock".to_owned();
            let name = || "app:1".to_owned();
            let reasons =
                [NoAnswer::NoSocket, NoAnswer::Denied, NoAnswer::Refused, NoAnswer::Silent(60), NoAnswer::Other("odd".to_owned())];
            let mut errors: Vec<DaemonError> =
                reasons.into_iter().map(|reason| DaemonError::Unreachable { daemon, address: address(), reason }).collect();
            let plain = BadAddress::Plain { authority: "docker:2375".to_owned() };
            for reason in [BadAddress::Foreign("ssh"), BadAddress::NoScheme, plain, BadAddress::NeedsTls, BadAddress::NoHost] {
                errors.push(DaemonError::Address { daemon, address: address(), reason });
            }
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
