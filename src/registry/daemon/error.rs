//! Why a container engine gave no image, in words for the user.

use crate::model::reference::Daemon;

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
    /// The address is none, or none that is spoken to.
    #[error("cannot use {address} as the address of the {} daemon: {reason}", daemon.name())]
    Address {
        /// Which engine.
        daemon: Daemon,
        /// The address as given, and by what.
        address: String,
        /// What is wrong with it.
        reason: BadAddress,
    },
    /// The context that is in use cannot be read.
    #[error("cannot read the docker context{}: {reason}", name.as_ref().map(|name| format!(" `{name}`")).unwrap_or_default())]
    Context {
        /// Its name, if that much is known.
        name: Option<String>,
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
    /// Somebody is there and says nothing.
    #[error("it did not answer within {0} s")]
    Silent(u64),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// A socket whose path depends on the folder.
    #[error("the path of a socket begins with a slash")]
    RelativePath,
    /// A path without a scheme.
    #[error("it has no scheme")]
    NoScheme,
    /// The way to the engine is one that only its own client goes.
    #[error("{0} connections are not supported")]
    Foreign(&'static str),
    /// Anything else.
    #[error("it is neither a Unix socket nor a TCP address")]
    Unknown,
    /// There is nobody to ask.
    #[error("it has no host")]
    NoHost,
    /// A name and a password, which would end up in messages.
    #[error("it holds credentials, which the Docker API does not know")]
    Credentials,
    /// Plain TCP to another machine.
    #[error("whoever is on the way could exchange the image")]
    Plain {
        /// Host and port.
        authority: String,
    },
    /// The engine speaks TLS there, and was asked without.
    #[error("it speaks TLS")]
    NeedsTls,
    /// This system has no Unix sockets.
    #[error("there are no Unix sockets on this system")]
    NoSockets,
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
            Self::Unreachable { reason: NoAnswer::Silent(_), .. } => {
                format!("see whether `{command} images` answers; the daemon's log may say more")
            }
            Self::Unreachable { .. } => format!("{start}, or say in {variable} where it is (unix://PATH)"),
            Self::Address { reason: BadAddress::Foreign(_), .. } => {
                format!("let {command} go that way: `{command} save NAME | plimsoll ... -`")
            }
            Self::Address { reason: BadAddress::NoScheme, .. } => format!("write {variable}=unix://PATH"),
            Self::Address { reason: BadAddress::Plain { authority }, daemon: Daemon::Docker, .. } => {
                format!("set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, or allow it with --insecure-registry {authority}")
            }
            Self::Address { reason: BadAddress::Plain { authority }, .. } => {
                format!("pipe the image in (`{command} save NAME | plimsoll ... -`), or allow it with --insecure-registry {authority}")
            }
            Self::Address { reason: BadAddress::NeedsTls, daemon: Daemon::Docker, .. } => {
                "set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem".to_owned()
            }
            Self::Address { .. } => {
                format!(
                    "{variable} is unix://PATH or tcp://HOST:PORT; an image can also be piped in: `{command} save NAME | plimsoll ... -`"
                )
            }
            Self::Context { .. } => "`docker context ls` lists them; DOCKER_HOST=unix://PATH names a daemon without one".to_owned(),
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
            Self::Context { .. } => Daemon::Docker,
        }
    }
}
