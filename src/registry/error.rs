//! `Error`: why an image could not be read at all. One variant per thing a user does something different about, each with a hint.

use std::{io, path::PathBuf};

use crate::{
    model::digest::{Digest, DigestError},
    registry::DaemonError,
};

/// Why an image could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are not what their digest promises.
    #[error("{what} does not match its digest {expected}")]
    DigestMismatch {
        /// Manifest, configuration or layer.
        what: String,
        /// The promised digest.
        expected: Digest,
    },
    /// The bytes are more or fewer than their descriptor promises.
    #[error("{what} has {actual} bytes, its descriptor promises {expected}")]
    SizeMismatch {
        /// Manifest, configuration or layer.
        what: String,
        /// The promised size.
        expected: u64,
        /// What came, or more than that.
        actual: u64,
    },
    /// Something exceeds a limit.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What, e.g. `manifest sha256:...`.
        what: String,
        /// The limit with its unit.
        limit: String,
    },
    /// A document does not have the form that its specification demands.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A digest that this version cannot check.
    #[error("{what} names a digest that cannot be checked")]
    Digest {
        /// Which document.
        what: String,
        /// What is wrong with the digest.
        source: DigestError,
    },
    /// A Docker manifest of schema 1, which has no digests to check.
    #[error("{what} is a Docker manifest of schema 1, which is not supported")]
    SchemaOne {
        /// Which manifest.
        what: String,
    },
    /// A manifest that describes something other than an image.
    #[error("{what} is not an image but an artifact of type `{media_type}`")]
    NotAnImage {
        /// Which manifest.
        what: String,
        /// Media type of its configuration.
        media_type: String,
    },
    /// Manifest and configuration disagree about the number of layers.
    #[error("{what} has {layers} layers but its configuration has {diff_ids} diff ids")]
    LayerCount {
        /// Which manifest.
        what: String,
        /// Layers in the manifest.
        layers: usize,
        /// Diff ids in the configuration.
        diff_ids: usize,
    },
    /// There is no such image, tag, manifest or blob.
    #[error("no such image: {what}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// What there is instead, if that is known.
        there: Vec<String>,
    },
    /// Several images and nothing that chooses one.
    #[error("{what} holds several images and none was named")]
    Ambiguous {
        /// The layout or archive.
        what: String,
        /// The images that there are.
        there: Vec<String>,
    },
    /// The image does not exist for the wanted platform.
    #[error("{what} has no image for platform {wanted}; it has {}", list(.there))]
    NoSuchPlatform {
        /// The image.
        what: String,
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// The registry refuses access.
    #[error("access to {what} denied (HTTP {status}{})", detail(.message))]
    Denied {
        /// What was asked for.
        what: String,
        /// 401 or 403.
        status: u16,
        /// What the registry says, shortened.
        message: String,
    },
    /// The registry cannot be reached.
    #[error("cannot reach registry {registry}: {reason}")]
    Unreachable {
        /// Host.
        registry: String,
        /// What went wrong.
        reason: String,
    },
    /// The registry's certificate is not trusted, or it does not speak TLS.
    #[error("no trusted TLS connection to registry {registry}: {reason}")]
    Tls {
        /// Host.
        registry: String,
        /// What went wrong.
        reason: String,
    },
    /// The registry answers, but is overloaded or broken.
    #[error("registry {registry} is unavailable after {attempts} attempts (HTTP {status}{})", detail(.message))]
    Unavailable {
        /// Host.
        registry: String,
        /// The last status.
        status: u16,
        /// How often it was asked.
        attempts: u32,
        /// What the registry says, shortened.
        message: String,
    },
    /// An answer that no specification foresees.
    #[error("registry {registry} gave an unexpected answer for {what} (HTTP {status}{})", detail(.message))]
    Unexpected {
        /// Host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The status.
        status: u16,
        /// What is wrong, or what the registry says.
        message: String,
    },
    /// The total time for this image is used up.
    #[error("reading {what} did not end within {seconds} s")]
    Deadline {
        /// What was being read.
        what: String,
        /// The deadline.
        seconds: u64,
    },
    /// Credentials are configured but cannot be had.
    #[error("cannot get credentials for {registry}: {reason}")]
    Credentials {
        /// Host.
        registry: String,
        /// What went wrong; never a secret.
        reason: String,
    },
    /// A file that should be an image archive is something else.
    #[error("{} is no image archive: {reason}", path.display())]
    NotAnArchive {
        /// Which file.
        path: PathBuf,
        /// What it is, or lacks.
        reason: &'static str,
    },
    /// The registry names a token service that credentials are not safe on the way to.
    #[error("the credentials for registry {registry} are not sent to the token service at {realm} that it names: {scheme}, not https")]
    UnsafeRealm {
        /// Host of the registry.
        registry: String,
        /// Scheme of the token service.
        scheme: String,
        /// Host of the token service.
        realm: String,
    },
    /// The client itself cannot be set up, for example because a CA file is no certificate.
    #[error("cannot set up the registry client: {0}")]
    SetUp(String),
    /// A container engine cannot be asked, or has no such image.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// A stream or an inflated archive cannot be kept while it is read.
    #[error("cannot write a temporary file{}", folder.as_ref().map(|folder| format!(" in {}", folder.display())).unwrap_or_default())]
    Spool {
        /// Where, if that was said.
        folder: Option<PathBuf>,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// What the user can do about it, in one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::DigestMismatch { .. } | Self::SizeMismatch { .. } | Self::LayerCount { .. } => {
                "the content was damaged or exchanged; pull or build the image again, and distrust this copy"
            }
            Self::TooLarge { .. } | Self::Malformed { .. } | Self::Digest { .. } | Self::Unexpected { .. } => return None,
            Self::SchemaOne { .. } => "push the image again with a current tool; it converts the manifest",
            Self::NotAnImage { .. } => "name the image itself, not its signature, attestation or chart",
            Self::NotFound { there, .. } if !there.is_empty() => return Some(format!("there is {}", list(there))),
            Self::NotFound { .. } => "check repository and tag; a private repository may also look like this without a login",
            Self::Ambiguous { there, .. } => return Some(format!("name one of {} after a colon", list(there))),
            Self::NoSuchPlatform { there, .. } => {
                return there.first().map(|first| format!("choose one with --platform, for example --platform {first}"));
            }
            Self::Denied { status: 401, .. } => {
                "log in to the registry (`docker login`), or check that the stored credentials are still valid"
            }
            Self::Denied { .. } => "the credentials are known but lack the right to pull from this repository",
            Self::Unreachable { .. } => "check the host name, the network and proxy settings; nothing was scanned",
            Self::Tls { .. } => "pass the registry's CA file, or list the host as insecure if it only speaks plain HTTP",
            Self::Unavailable { status: 429, .. } => "the registry limits the rate of requests; log in or try again later",
            Self::Unavailable { .. } => "the registry has a problem of its own; try again later",
            Self::Deadline { .. } => "raise the deadline, or check why the registry is slow",
            Self::Credentials { .. } => "check the docker config file and its credential helpers, or the AWS credentials for ECR",
            Self::NotAnArchive { .. } => {
                "give `docker-archive:FILE` a file that `docker save` or `podman save` wrote (not `docker export`), `oci-archive:FILE` an OCI layout in a tar, `oci:DIR` a folder with one; pipes are read as `-`"
            }
            Self::UnsafeRealm { .. } => {
                "nothing was sent; the token service has to be https, or on host and port of a registry that is itself plain http"
            }
            Self::SetUp(_) => "check the CA files; on a system without CA certificates install them (`ca-certificates`)",
            Self::Daemon(error) => return Some(error.hint()),
            Self::Spool { .. } => "name a folder with enough space in TMPDIR",
            Self::Read { .. } => "check path and permissions",
        };
        Some(text.to_owned())
    }
}

/// Names in a row, at most twenty of them.
pub(super) fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

fn detail(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// Text that came from outside, made safe to print: one line, no control characters, at most 200 characters.
pub(super) fn shown(text: &str) -> String {
    text.trim().chars().map(|ch| if ch.is_control() { ' ' } else { ch }).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_three_messages_three_hints() {
        let down = Error::Unreachable { registry: "r.example".to_owned(), reason: "connection refused".to_owned() };
        let denied = Error::Denied { what: "r.example/a:1".to_owned(), status: 401, message: String::new() };
        let absent = Error::NotFound { what: "r.example/a:1".to_owned(), there: Vec::new() };
        for (error, message) in [
            (&down, "cannot reach registry r.example: connection refused"),
            (&denied, "access to r.example/a:1 denied (HTTP 401)"),
            (&absent, "no such image: r.example/a:1"),
        ] {
            assert_eq!(error.to_string(), message);
            assert!(error.hint().is_some_and(|hint| !hint.contains('\n')), "{message}");
        }
        assert_ne!(down.hint(), denied.hint());
        assert_ne!(denied.hint(), absent.hint());
    }

    #[test]
    fn a_missing_platform_lists_what_there_is() {
        let error = Error::NoSuchPlatform {
            what: "a".to_owned(),
            wanted: "linux/s390x".to_owned(),
            there: vec!["linux/amd64".to_owned(), "linux/arm64/v8".to_owned()],
        };
        assert_eq!(error.to_string(), "a has no image for platform linux/s390x; it has linux/amd64, linux/arm64/v8");
    }

    #[test]
    fn foreign_text_is_one_safe_line() {
        assert_eq!(shown("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(shown(&"x".repeat(500)).len(), 200);
    }
}
