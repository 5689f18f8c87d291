//! `ImageReference`: what the user typed to name an image, parsed and normalised, not yet resolved.
//! Registry references follow the distribution grammar (<https://github.com/distribution/reference>).

use std::{fmt, path::PathBuf};

use crate::model::digest::{Digest, DigestError};

/// What the user typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageReference {
    /// An image in a registry.
    Registry(RegistryReference),
    /// `oci:DIR[:TAG]`, an OCI image layout.
    OciLayout {
        /// The layout's folder.
        path: PathBuf,
        /// Tag (`org.opencontainers.image.ref.name`) or digest of the wanted entry.
        tag: Option<String>,
    },
    /// `oci-archive:FILE[:TAG]`, an OCI image layout in a tar.
    OciArchive {
        /// The tar file, plain or gzip.
        path: PathBuf,
        /// Tag or digest of the wanted entry.
        tag: Option<String>,
    },
    /// `docker-archive:FILE[:TAG]`, the output of `docker save`.
    DockerArchive {
        /// The tar file, plain or gzip.
        path: PathBuf,
        /// The wanted `RepoTags` entry.
        tag: Option<String>,
    },
    /// `-`, an archive of either form on standard input; `oci-archive:-:TAG` and `docker-archive:-:TAG` choose from several images.
    StandardInput {
        /// The wanted image, when there are several.
        tag: Option<String>,
    },
    /// `docker-daemon:NAME[:TAG]` or `podman:NAME[:TAG]`, an image in a container engine on this machine.
    Daemon {
        /// Which engine.
        daemon: Daemon,
        /// Name, digest or id as typed; checked to be nothing else.
        name: String,
    },
    /// `sbom:FILE`, a bill of materials that stands for an image.
    Sbom {
        /// The document.
        path: PathBuf,
    },
}

/// A container engine that answers the Docker API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Daemon {
    /// Docker's own daemon.
    Docker,
    /// Podman's service.
    Podman,
}

impl Daemon {
    /// The word before the colon of a reference.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Docker => "docker-daemon",
            Self::Podman => "podman",
        }
    }

    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "Docker",
            Self::Podman => "Podman",
        }
    }
}

/// Registry, repository, and tag or digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryReference {
    /// Host with optional port, lower case, `docker.io` when none was typed.
    pub registry: String,
    /// Repository path, `library/` added for Docker Hub's own images.
    pub repository: String,
    /// Tag; `latest` when neither tag nor digest was typed.
    pub tag: Option<String>,
    /// Digest; wins over the tag.
    pub digest: Option<Digest>,
}

/// A private Amazon ECR registry, read from its host name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrRegistry {
    /// Twelve digits.
    pub account: String,
    /// Region, e.g. `eu-central-1`.
    pub region: String,
    /// Whether the host asks for FIPS endpoints.
    pub fips: bool,
    /// Whether the host is the one that has IPv4 and IPv6 addresses (`dkr-ecr`).
    pub dual_stack: bool,
}

/// Why a text is no image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Nothing, or nothing after the scheme.
    #[error("image reference is empty")]
    Empty,
    /// A scheme that this version does not read.
    #[error("image source `{0}:` is not supported")]
    UnknownScheme(String),
    /// A repository path that breaks the grammar.
    #[error("`{0}` is no repository name: lower-case letters, digits, `.`, `_`, `-` and `/` only")]
    BadRepository(String),
    /// A host that breaks the grammar.
    #[error("`{0}` is no registry host")]
    BadRegistry(String),
    /// A tag that breaks the grammar.
    #[error("`{0}` is no tag: at most 128 letters, digits, `_`, `.`, `-`")]
    BadTag(String),
    /// A digest that breaks the grammar.
    #[error(transparent)]
    BadDigest(#[from] DigestError),
}

/// The path that means standard input.
const STANDARD_INPUT: &str = "-";

const OTHER_SCHEMES: &[&str] = &["dir", "file", "http", "https", "docker"];

impl ImageReference {
    /// Parses what the user typed.
    ///
    /// # Errors
    /// When the text fits none of the forms; the message names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if text == STANDARD_INPUT {
            return Ok(Self::StandardInput { tag: None });
        }
        if let Some(rest) = text.strip_prefix("oci:") {
            let (path, tag) = split_path_and_tag(rest)?;
            return Ok(Self::OciLayout { path, tag });
        }
        for scheme in ["oci-archive:", "docker-archive:"] {
            let Some(rest) = text.strip_prefix(scheme) else { continue };
            // Names of images hold colons themselves, so that what follows the one behind the dash is all of the name.
            if let Some(tag) = rest.strip_prefix("-:").filter(|tag| !tag.is_empty()) {
                return Ok(Self::StandardInput { tag: Some(tag.to_owned()) });
            }
            let (path, tag) = split_path_and_tag(rest)?;
            return Ok(match scheme {
                _ if path.as_os_str() == STANDARD_INPUT => Self::StandardInput { tag },
                "oci-archive:" => Self::OciArchive { path, tag },
                _ => Self::DockerArchive { path, tag },
            });
        }
        // `sbom:5000/app` is an image in a registry on a host called sbom, and `sbom:1` one of that name.
        if let Some(rest) = text.strip_prefix("sbom:").filter(|rest| !begins_with_port(rest)) {
            if rest.is_empty() {
                return Err(ReferenceError::Empty);
            }
            if !rest.bytes().all(|b| b.is_ascii_digit()) {
                return Ok(Self::Sbom { path: PathBuf::from(rest) });
            }
        }
        for daemon in [Daemon::Docker, Daemon::Podman] {
            let name = text.strip_prefix(daemon.scheme()).and_then(|rest| rest.strip_prefix(':'));
            // `podman:5000/app` is an image in a registry on a host called podman.
            if let Some(name) = name.filter(|name| !begins_with_port(name)) {
                return daemon_name(name).map(|name| Self::Daemon { daemon, name });
            }
        }
        if let Some((scheme, rest)) = text.split_once(':')
            && OTHER_SCHEMES.contains(&scheme)
            && !rest.bytes().all(|b| b.is_ascii_digit())
            && !begins_with_port(rest)
        {
            return Err(ReferenceError::UnknownScheme(scheme.to_owned()));
        }
        RegistryReference::parse(text).map(Self::Registry)
    }

    /// The registry reference, if it is one.
    #[must_use]
    pub const fn registry(&self) -> Option<&RegistryReference> {
        match self {
            Self::Registry(reference) => Some(reference),
            Self::OciLayout { .. }
            | Self::OciArchive { .. }
            | Self::DockerArchive { .. }
            | Self::StandardInput { .. }
            | Self::Daemon { .. }
            | Self::Sbom { .. } => None,
        }
    }
}

/// Whether what follows a colon is the port of a host with a path behind it.
fn begins_with_port(rest: &str) -> bool {
    rest.split_once('/').is_some_and(|(port, _)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// What a container engine takes for an image: a reference, or the id with or without its algorithm.
fn daemon_name(text: &str) -> Result<String, ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    if Digest::parse(text).is_err() {
        RegistryReference::parse(text)?;
    }
    Ok(text.to_owned())
}

/// `DIR[:TAG]`: the tag is what follows the last colon, if it holds no slash; `DIR@sha256:...` names a digest.
fn split_path_and_tag(rest: &str) -> Result<(PathBuf, Option<String>), ReferenceError> {
    let (path, tag) = match rest.split_once('@') {
        Some((path, digest)) if Digest::parse(digest).is_ok() => (path, Some(digest)),
        _ => match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') && !tag.is_empty() => (path, Some(tag)),
            _ => (rest, None),
        },
    };
    if path.is_empty() {
        return Err(ReferenceError::Empty);
    }
    Ok((PathBuf::from(path), tag.map(str::to_owned)))
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_tag = |f: &mut fmt::Formatter<'_>, scheme: &str, path: &PathBuf, tag: &Option<String>| {
            write!(f, "{scheme}:{}", path.display())?;
            match tag {
                Some(tag) if tag.contains(':') => write!(f, "@{tag}"),
                Some(tag) => write!(f, ":{tag}"),
                None => Ok(()),
            }
        };
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::OciLayout { path, tag } => with_tag(f, "oci", path, tag),
            Self::OciArchive { path, tag } => with_tag(f, "oci-archive", path, tag),
            Self::DockerArchive { path, tag } => with_tag(f, "docker-archive", path, tag),
            Self::StandardInput { tag: None } => f.write_str(STANDARD_INPUT),
            // The name behind the colon may hold colons itself; only a digest stands behind an at sign.
            Self::StandardInput { tag: Some(tag) } if Digest::parse(tag).is_err() => write!(f, "docker-archive:{STANDARD_INPUT}:{tag}"),
            Self::StandardInput { tag } => with_tag(f, "docker-archive", &PathBuf::from(STANDARD_INPUT), tag),
            Self::Daemon { daemon, name } => write!(f, "{}:{name}", daemon.scheme()),
            Self::Sbom { path } => write!(f, "sbom:{}", path.display()),
        }
    }
}

impl RegistryReference {
    /// Parses `[host/]repository[:tag][@digest]` with Docker's defaults.
    ///
    /// # Errors
    /// When host, repository, tag or digest breaks the grammar.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(Digest::parse(digest)?)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((head, tag)) if !tag.contains('/') => (head, Some(tag)),
            _ => (name, None),
        };
        let names_host = |host: &str| host.contains(['.', ':']) || host.eq_ignore_ascii_case("localhost");
        let (registry, repository) = match name.split_once('/') {
            Some((host, rest)) if names_host(host) => {
                // The dot of a fully qualified name goes; what is left must still be told from a part of the repository.
                let registry = host.trim_end_matches('.').to_ascii_lowercase();
                if !names_host(&registry) {
                    return Err(ReferenceError::BadRegistry(host.to_owned()));
                }
                (registry, rest.to_owned())
            }
            _ => ("docker.io".to_owned(), name.to_owned()),
        };
        let registry = if registry == "index.docker.io" { "docker.io".to_owned() } else { registry };
        let repository = if registry == "docker.io" && !repository.contains('/') { format!("library/{repository}") } else { repository };
        if !is_host(&registry) {
            return Err(ReferenceError::BadRegistry(registry));
        }
        if !is_repository(&repository) {
            return Err(ReferenceError::BadRepository(repository));
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(ReferenceError::BadTag(tag.to_owned()));
        }
        let tag = match (tag, &digest) {
            (Some(tag), _) => Some(tag.to_owned()),
            (None, Some(_)) => None,
            (None, None) => Some("latest".to_owned()),
        };
        Ok(Self { registry, repository, tag, digest })
    }

    /// `registry/repository`, the name without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The account and region of a private ECR registry, from the host name (aws.md 4).
    #[must_use]
    pub fn ecr(&self) -> Option<EcrRegistry> {
        EcrRegistry::from_host(&self.registry)
    }
}

impl fmt::Display for RegistryReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

const ECR_SUFFIXES: &[&str] =
    &["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "sc2s.sgov.gov", "c2s.ic.gov", "cloud.adc-e.uk", "csp.hci.ic.gov"];
const ECR_DUAL_STACK_SUFFIXES: &[&str] = &["on.aws", "on.amazonwebservices.com.cn"];

impl EcrRegistry {
    /// Reads a host name; `None` when it is not a private ECR registry.
    #[must_use]
    pub fn from_host(host: &str) -> Option<Self> {
        let host = host.split(':').next()?.trim_end_matches('.').to_ascii_lowercase();
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (fips, dual_stack, rest) = if let Some(rest) = rest.strip_prefix("dkr.ecr.") {
            (false, false, rest)
        } else if let Some(rest) = rest.strip_prefix("dkr.ecr-fips.") {
            (true, false, rest)
        } else if let Some(rest) = rest.strip_prefix("dkr-ecr.") {
            (false, true, rest)
        } else {
            (true, true, rest.strip_prefix("dkr-ecr-fips.")?)
        };
        let suffixes = if dual_stack { ECR_DUAL_STACK_SUFFIXES } else { ECR_SUFFIXES };
        let (region, suffix) = rest.split_once('.')?;
        (!region.is_empty() && suffixes.contains(&suffix)).then(|| Self {
            account: account.to_owned(),
            region: region.to_owned(),
            fips,
            dual_stack,
        })
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    !name.is_empty()
        && name.len() <= 253
        && name.split('.').all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
        // The parser of numbers would take a sign as well.
        && port.is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

fn is_repository(path: &str) -> bool {
    let part = |part: &str| {
        let edge = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        edge(part.bytes().next())
            && edge(part.bytes().next_back())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b))
    };
    path.len() <= 255 && path.split('/').all(part)
}

fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || b == b'.' || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_normalised() {
        let check =
            |text: &str, expected: &str| assert_eq!(ImageReference::parse(text).map(|r| r.to_string()), Ok(expected.to_owned()), "{text}");
        check("alpine", "docker.io/library/alpine:latest");
        check("alpine:3.20", "docker.io/library/alpine:3.20");
        check("acme/app", "docker.io/acme/app:latest");
        check("127.0.0.1:5000/app:v1", "127.0.0.1:5000/app:v1");
        check("localhost/app", "localhost/app:latest");
        let digest = format!("sha256:{}", "a".repeat(64));
        check(&format!("ghcr.io/a/b:v1@{digest}"), &format!("ghcr.io/a/b:v1@{digest}"));
        check(&format!("ghcr.io/a/b@{digest}"), &format!("ghcr.io/a/b@{digest}"));
        check("oci:./layout:latest", "oci:./layout:latest");
        check("oci:/a/b", "oci:/a/b");
        check("docker-archive:app.tar", "docker-archive:app.tar");
        check("docker-archive:app.tar.gz:app:1", "docker-archive:app.tar.gz:app:1");
        check(&format!("oci-archive:app.tar@{digest}"), &format!("oci-archive:app.tar@{digest}"));
        check("-", "-");
        check("docker-archive:-", "-");
        check("oci-archive:-:v1", "docker-archive:-:v1");
        check("docker-archive:./-", "docker-archive:./-");
        check("docker-archive:-:acme/app:2", "docker-archive:-:acme/app:2");
        for name in ["app", "acme/app:1", "r.example:5000/a@sha256:", "sha256:", ""] {
            let name = if name.ends_with(':') || name.is_empty() { format!("{name}{}", "a".repeat(64)) } else { name.to_owned() };
            check(&format!("docker-daemon:{name}"), &format!("docker-daemon:{name}"));
            check(&format!("podman:{name}"), &format!("podman:{name}"));
        }
        // Hosts may be called as the schemes are.
        check("podman:5000/app", "podman:5000/app:latest");
        check("docker:5000/app:1", "docker:5000/app:1");
        check("docker:27", "docker.io/library/docker:27");
        // The name of a host may be fully qualified.
        check("ghcr.io./a/b", "ghcr.io/a/b:latest");
        check("index.docker.io./alpine", "docker.io/library/alpine:latest");
        check("localhost./app", "localhost/app:latest");
    }

    #[test]
    fn bad_references_are_refused() {
        for text in [
            "",
            " ",
            "oci:",
            "UPPER/case",
            "a//b",
            "host.example/",
            "a:b:c/",
            "app:-x",
            "app@sha256:00",
            "l./p",
            "host:+5/0",
            "..../p",
            "docker-daemon:",
            "podman:../../containers",
            "docker-daemon:app?x=1",
            "docker-daemon:a%2e%2e/b",
            "oci-archive:",
            "sbom:",
        ] {
            assert!(ImageReference::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ecr_hosts_give_account_and_region() {
        let check = |host: &str| EcrRegistry::from_host(host).map(|r| (r.region, r.fips));
        assert_eq!(check("111122223333.dkr.ecr.eu-central-1.amazonaws.com"), Some(("eu-central-1".to_owned(), false)));
        assert_eq!(check("111122223333.DKR.ECR-FIPS.us-gov-west-1.amazonaws.com."), Some(("us-gov-west-1".to_owned(), true)));
        assert_eq!(check("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn:443"), Some(("cn-north-1".to_owned(), false)));
        assert_eq!(check("111122223333.dkr-ecr.us-east-1.on.aws"), Some(("us-east-1".to_owned(), false)));
        assert_eq!(check("11112222333.dkr.ecr.us-east-1.amazonaws.com"), None);
        assert_eq!(check("111122223333.dkr.ecr.us-east-1.amazonaws.com.evil.example"), None);
        assert_eq!(check("public.ecr.aws"), None);
    }
}
