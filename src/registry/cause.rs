//! The causes inside an [`Error`](crate::registry::Error) that a user does different things about: what was found in, what to do about it out.

use std::path::Path;

/// What is not there when there is no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The registry has the repository and no such tag in it.
    Tag,
    /// The registry has no such repository, or does not show it.
    Repository,
    /// One of them, or something within the repository.
    Image,
}

impl Missing {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Repository => "repository",
            Self::Image => "image",
        }
    }
}

/// What a registry was shown that denies access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// No credentials: there are none for it.
    Nothing,
    /// Credentials, from wherever.
    Credentials,
}

/// Whom was waited for when the time was up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// A registry, its token service, or the login to it.
    Registry,
    /// A container engine.
    Daemon,
    /// Whoever writes to standard input.
    Pipe,
}

impl Party {
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Registry => "allow more with --registry-timeout SECONDS, or find out why the registry is slow",
            Self::Daemon => {
                "allow more with --registry-timeout SECONDS: a daemon writes the whole image to its own disk before it sends it"
            }
            Self::Pipe => {
                "the command before the pipe neither wrote on nor ended; allow more with --registry-timeout SECONDS if it needs longer"
            }
        }
    }
}

/// Why there is no trusted TLS connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsCause {
    /// Nobody who is trusted vouches for the certificate.
    #[error("its certificate is of an unknown authority")]
    UnknownAuthority,
    /// The certificate is for another host.
    #[error("its certificate is for another host name")]
    OtherName,
    /// The certificate is too old.
    #[error("its certificate has expired")]
    Expired,
    /// What answers does not speak TLS.
    #[error("it does not speak TLS")]
    NotTls,
    /// The other way round: it was asked over plain HTTP, and speaks TLS.
    #[error("it speaks TLS and was asked over plain http")]
    OnlyTls,
    /// Something else, in the words of the TLS library.
    #[error("{0}")]
    Other(String),
}

impl TlsCause {
    /// Reads the TLS library's words.
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_ascii_lowercase();
        let says = |word: &str| lower.contains(word);
        if says("unknownissuer") {
            Self::UnknownAuthority
        } else if says("not valid for name") || says("notvalidforname") {
            Self::OtherName
        } else if says("certificate") && says("expired") {
            Self::Expired
        } else if says("corrupt message") || says("invalidcontenttype") {
            Self::NotTls
        } else {
            Self::Other(text.to_owned())
        }
    }

    pub(super) fn hint(&self, registry: &str) -> String {
        match self {
            Self::UnknownAuthority => "if the certificate is of your own authority, trust that with --registry-ca FILE".to_owned(),
            Self::OtherName => "name the registry as its certificate does; whatever else answers here is not trusted".to_owned(),
            Self::Expired => "the registry needs a new certificate, or this machine's clock is wrong".to_owned(),
            Self::NotTls => format!("if it is meant to speak plain http, allow that with --insecure-registry {registry}"),
            Self::OnlyTls => {
                "leave --insecure-registry out; a registry on this machine also needs --registry-ca FILE with its authority".to_owned()
            }
            Self::Other(_) => {
                format!("trust its authority with --registry-ca FILE, or allow plain http with --insecure-registry {registry}")
            }
        }
    }
}

/// What is in place of an image archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotArchive {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// Somebody's keyboard.
    #[error("it is a terminal")]
    Terminal,
    /// A folder.
    #[error("it is a folder")]
    Folder,
    /// A folder with an image layout.
    #[error("it is a folder with an image layout")]
    Layout,
    /// A device, a pipe or a socket.
    #[error("it is no regular file")]
    Special,
    /// Other content.
    #[error("it is no tar file")]
    NoTar,
    /// A tar of something else.
    #[error("the tar has neither a `manifest.json` nor an OCI layout in it")]
    Bare,
    /// What `docker save` wrote, where a layout was asked for.
    #[error("it is a docker archive: it has a `manifest.json` and no `index.json`")]
    Docker,
}

impl NotArchive {
    /// `path` is the file, or not absolute and no file when it is a stream.
    pub(super) fn hint(self, path: &Path, is_stream: bool) -> String {
        let path = path.display();
        match self {
            Self::Empty if is_stream => "the command before the pipe wrote nothing: see what it says itself".to_owned(),
            Self::Terminal => "pipe an archive in: `docker save NAME | plimsoll ... -`".to_owned(),
            Self::Special => "pipes are read as standard input: `plimsoll ... - < PIPE`".to_owned(),
            Self::Layout => format!("write oci:{path}"),
            Self::Docker => format!("write docker-archive:{path}"),
            Self::Empty | Self::Folder | Self::NoTar | Self::Bare => {
                "give `docker-archive:FILE` a file that `docker save` or `podman save` wrote (not `docker export`), `oci-archive:FILE` an OCI layout in a tar, `oci:DIR` a folder with one; pipes are read as `-`".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_tls_library_are_understood() {
        for (text, cause) in [
            ("invalid peer certificate: UnknownIssuer", TlsCause::UnknownAuthority),
            ("invalid peer certificate: certificate not valid for name \"r.example\"", TlsCause::OtherName),
            ("invalid peer certificate: NotValidForName", TlsCause::OtherName),
            ("invalid peer certificate: certificate expired: verification time 2", TlsCause::Expired),
            ("received corrupt message of type InvalidContentType", TlsCause::NotTls),
            ("peer is incompatible: NoCipherSuitesInCommon", TlsCause::Other("peer is incompatible: NoCipherSuitesInCommon".to_owned())),
        ] {
            assert_eq!(TlsCause::of(text), cause);
            assert!(!cause.hint("r.example").contains('\n'));
        }
        assert!(TlsCause::NotTls.hint("r.example:5000").ends_with("--insecure-registry r.example:5000"));
    }

    #[test]
    fn every_file_that_is_no_archive_has_its_own_way_out() {
        for (cause, is_stream, word) in [
            (NotArchive::Empty, true, "before the pipe"),
            (NotArchive::Empty, false, "docker save"),
            (NotArchive::Terminal, true, "| plimsoll ... -"),
            (NotArchive::Layout, false, "write oci:a/b"),
            (NotArchive::Docker, false, "write docker-archive:a/b"),
            (NotArchive::Bare, false, "not `docker export`"),
        ] {
            let hint = cause.hint(Path::new("a/b"), is_stream);
            assert!(hint.contains(word) && !hint.contains('\n'), "{cause}: {hint}");
        }
    }
}
