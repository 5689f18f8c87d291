//! `Error`: why an image could not be read at all. One variant per thing a user does something different about, each with a hint.

use std::{io, path::PathBuf};

use crate::{
    model::{
        digest::{Digest, DigestError},
        reference::EcrRegistry,
    },
    registry::{
        DaemonError,
        cause::{Missing, NotArchive, Party, Shown, TlsCause},
    },
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
    #[error("no such {}: {what}", missing.name())]
    NotFound {
        /// What was looked for.
        what: String,
        /// What of it is not there.
        missing: Missing,
        /// What there is instead, if that is known.
        there: Vec<String>,
    },
    /// A layout or an archive lacks something that is part of the image.
    #[error("{place} is incomplete: it has no {part}")]
    Incomplete {
        /// The layout or archive.
        place: String,
        /// What is not there.
        part: String,
    },
    /// An archive ends too early, or was changed.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// The archive, or the stream that it came from.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A stream that ended in the middle.
    #[error("reading {what} broke off")]
    Broken {
        /// What was being read.
        what: String,
        /// Why.
        source: io::Error,
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
    /// Several different images fit the wanted platform equally well, and runtimes differ in which of them they take.
    #[error("{what} has several images for platform {wanted}, and it depends on the tool which is taken: {}", list(.there))]
    SeveralForPlatform {
        /// The image.
        what: String,
        /// What was asked for, or the host's.
        wanted: String,
        /// Digest and platform of each.
        there: Vec<String>,
    },
    /// The registry refuses access.
    #[error("access to {what} denied (HTTP {status}{})", detail(.message))]
    Denied {
        /// Host.
        registry: String,
        /// What was asked for.
        what: String,
        /// What the registry was shown.
        shown: Shown,
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
    #[error("no trusted TLS connection to registry {registry}: {cause}")]
    Tls {
        /// Host.
        registry: String,
        /// What went wrong.
        cause: TlsCause,
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
    #[error("registry {registry} gave an unexpected answer for {what} ({}{})", answer(*.status), detail(.message))]
    Unexpected {
        /// Host.
        registry: String,
        /// What was asked for.
        what: String,
        /// The status; 0 when there is none.
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
        /// Whom that is up to.
        party: Party,
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
    #[error("{} is no image archive: {cause}", path.display())]
    NotAnArchive {
        /// Which file.
        path: PathBuf,
        /// What it is, or lacks.
        cause: NotArchive,
    },
    /// A path that should be an image layout is something else.
    #[error("{} is no image layout: {}", path.display(), if *.is_file { "it is a file" } else { "it has no `index.json`" })]
    NotALayout {
        /// Which file or folder.
        path: PathBuf,
        /// Whether it is a file.
        is_file: bool,
        /// How the image in it is read, if there is one.
        scheme: Option<&'static str>,
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
            Self::NotFound { what, missing, .. } => return Some(missing_hint(what, *missing)),
            Self::Incomplete { .. } => "push, save or copy the image again, whole",
            Self::Damaged { .. } => {
                "the copy is incomplete or was changed on its way: see what the command that wrote it says, and save the image again"
            }
            Self::Broken { .. } => "the other side ended the connection; its log may say why",
            Self::Ambiguous { what, there } if what == STANDARD_INPUT => {
                return Some(format!("name one of {} as docker-archive:-:NAME", list(there)));
            }
            Self::Ambiguous { there, .. } => return Some(format!("name one of {} after a colon", list(there))),
            Self::NoSuchPlatform { there, .. } => {
                return there.first().map(|first| format!("choose one with --platform, for example --platform {first}"));
            }
            Self::SeveralForPlatform { .. } => "name one of them by its digest, here and where it runs, or judge all with --platform all",
            Self::Denied { registry, what, shown, status, .. } => return Some(denied_hint(registry, what, *shown, *status)),
            Self::Unreachable { registry, .. } if registry == DOCKER_HUB => {
                "check the network and proxy settings; an image of the local Docker is docker-daemon:NAME[:TAG]"
            }
            Self::Unreachable { .. } => "check the host name, the network and proxy settings; nothing was scanned",
            Self::Tls { registry, cause } => return Some(cause.hint(registry)),
            Self::Unavailable { status: 429, .. } => "the registry limits the rate of requests; log in or try again later",
            Self::Unavailable { .. } => "the registry has a problem of its own; try again later",
            Self::Deadline { party, .. } => party.hint(),
            Self::Credentials { .. } => "check the docker config file and its credential helpers, or the AWS credentials for ECR",
            Self::NotAnArchive { path, cause } => return Some(cause.hint(path, path.as_os_str() == STANDARD_INPUT)),
            Self::NotALayout { path, scheme: Some(scheme), .. } => return Some(format!("write {scheme}:{}", path.display())),
            Self::NotALayout { .. } => "`oci:DIR` is the folder that holds `index.json`, `oci-layout` and `blobs`",
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

/// What the name of an archive without a name is in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";
const DOCKER_HUB: &str = "docker.io";
const ECR_PUBLIC: &str = "public.ecr.aws";

fn is_of_hub(what: &str) -> bool {
    what.strip_prefix(DOCKER_HUB).is_some_and(|rest| rest.starts_with('/'))
}

fn missing_hint(what: &str, missing: Missing) -> String {
    match missing {
        _ if is_of_hub(what) => "check the name; an image of the local Docker is docker-daemon:NAME[:TAG]",
        Missing::Tag => "check the tag",
        Missing::Repository => "check the repository's name; a private repository may also look like this without a login",
        Missing::Image => "check repository and tag; a private repository may also look like this without a login",
    }
    .to_owned()
}

fn denied_hint(registry: &str, what: &str, shown: Shown, status: u16) -> String {
    let login = match registry {
        DOCKER_HUB => "`docker login`".to_owned(),
        ECR_PUBLIC => format!("`aws ecr-public get-login-password --region us-east-1 | docker login -u AWS --password-stdin {ECR_PUBLIC}`"),
        host => format!("`docker login {host}`"),
    };
    match shown {
        Shown::Credentials if EcrRegistry::from_host(registry).is_some() => {
            "the ECR login was refused: check the account, that stored credentials are not older than 12 hours, and that ecr:BatchGetImage is allowed".to_owned()
        }
        Shown::Credentials if status == 401 => format!("the credentials that were found for {registry} are not accepted: log in again with {login}"),
        Shown::Credentials => "the credentials are known but lack the right to pull from this repository".to_owned(),
        // Docker Hub says of a repository that it does not have that access is denied.
        Shown::Nothing if is_of_hub(what) => format!("check the name, or log in with {login}; an image of the local Docker is docker-daemon:NAME[:TAG]"),
        Shown::Nothing => format!("no credentials for {registry} were found: log in with {login}"),
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

fn answer(status: u16) -> String {
    if status == 0 { "no HTTP status".to_owned() } else { format!("HTTP {status}") }
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
        let denied = denied(Shown::Nothing, "r.example", 401);
        let absent = Error::NotFound { what: "r.example/a:1".to_owned(), missing: Missing::Image, there: Vec::new() };
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

    fn denied(shown: Shown, registry: &str, status: u16) -> Error {
        Error::Denied { registry: registry.to_owned(), what: format!("{registry}/a:1"), shown, status, message: String::new() }
    }

    #[test]
    fn who_is_denied_access_hears_what_to_do_about_it() {
        for (error, hint) in [
            (
                denied(Shown::Nothing, "r.example:5000", 401),
                "no credentials for r.example:5000 were found: log in with `docker login r.example:5000`",
            ),
            (denied(Shown::Credentials, "r.example", 401), "not accepted: log in again with `docker login r.example`"),
            (denied(Shown::Credentials, "r.example", 403), "lack the right to pull"),
            (denied(Shown::Nothing, "docker.io", 401), "log in with `docker login`; an image of the local Docker is docker-daemon:NAME"),
            (denied(Shown::Nothing, "public.ecr.aws", 403), "aws ecr-public get-login-password"),
            (denied(Shown::Credentials, "111122223333.dkr.ecr.us-east-1.amazonaws.com", 403), "ecr:BatchGetImage"),
        ] {
            let found = error.hint().unwrap_or_default();
            assert!(found.contains(hint) && !found.contains('\n'), "{error}: {found}");
        }
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
