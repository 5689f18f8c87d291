//! `docker context`: the folder of Docker's configuration in, the daemon that its commands speak to out
//! (<https://docs.docker.com/engine/manage-resources/contexts/>). A context is called by its name and kept under the SHA-256 of it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    model::digest::Digest,
    registry::{DaemonError, error::shown},
};

/// Most bytes of a file.
const BYTES: u64 = 4 << 20;
/// The context that stands for no context.
const DEFAULT: &str = "default";

/// Where Docker keeps its contexts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contexts {
    /// The folder with `config.json` and `contexts`.
    pub folder: PathBuf,
    /// The context that somebody named (`DOCKER_CONTEXT`), whatever `config.json` says.
    pub name: Option<String>,
}

/// A context that is in use.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) name: String,
    /// The daemon's address.
    pub(super) host: String,
    /// Folder with `ca.pem`, `cert.pem` and `key.pem`, if there is one.
    pub(super) certificates: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current: Option<String>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "Endpoints")]
    endpoints: Option<Endpoints>,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Option<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    #[serde(rename = "Host")]
    host: Option<String>,
}

impl Contexts {
    /// The context in use; `None` when it is the default one, which is the daemon at its usual socket.
    pub(super) fn current(&self) -> Result<Option<Context>, DaemonError> {
        let unnamed = |reason| DaemonError::Context { name: None, reason };
        let name = match &self.name {
            Some(name) => Some(name.clone()),
            None => read::<Config>(&self.folder.join("config.json")).map_err(unnamed)?.and_then(|config| config.current),
        };
        let Some(name) = name.filter(|name| !name.is_empty() && name != DEFAULT) else { return Ok(None) };
        let failed = |reason: &str| DaemonError::Context { name: Some(shown(&name)), reason: reason.to_owned() };
        let contexts = self.folder.join("contexts");
        let id = Digest::sha256_of(name.as_bytes());
        let meta: Meta = read(&contexts.join("meta").join(id.hex()).join("meta.json"))
            .map_err(|reason| failed(&reason))?
            .ok_or_else(|| failed("there is no such context"))?;
        let host = meta.endpoints.and_then(|endpoints| endpoints.docker).and_then(|endpoint| endpoint.host);
        let host = host.filter(|host| !host.is_empty()).ok_or_else(|| failed("it names no daemon"))?;
        let certificates = Some(contexts.join("tls").join(id.hex()).join("docker")).filter(|folder| folder.is_dir());
        Ok(Some(Context { name: shown(&name), host, certificates }))
    }
}

/// A small JSON file; `None` when there is none. The parser's message could quote a secret of `config.json`; its position is enough.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, String> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(BYTES).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| format!("{} is not valid (line {}, column {})", path.display(), error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration folder with the context `remote`, as `docker context create` writes it.
    fn folder(config: &str, meta: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("config.json"), config).expect("config");
        // printf remote | sha256sum
        let place = folder.path().join("contexts/meta/b71199ebd070b36beab7317920c2c2f1d777df8d05e5527d8458fda57cb17a7a");
        std::fs::create_dir_all(&place).expect("folder");
        std::fs::write(place.join("meta.json"), meta).expect("meta");
        folder
    }

    const META: &str = r#"{"Name":"remote","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://10.0.0.1:2376","SkipTLSVerify":false}}}"#;

    fn current(folder: &tempfile::TempDir, name: Option<&str>) -> Result<Option<Context>, String> {
        let contexts = Contexts { folder: folder.path().to_owned(), name: name.map(str::to_owned) };
        contexts.current().map_err(|error| error.to_string())
    }

    #[test]
    fn the_context_in_use_names_the_daemon() {
        let used = folder(r#"{"auths":{},"currentContext":"remote"}"#, META);
        let context = |certificates| Context { name: "remote".to_owned(), host: "tcp://10.0.0.1:2376".to_owned(), certificates };
        assert_eq!(current(&used, None), Ok(Some(context(None))));
        assert_eq!(current(&used, Some("default")), Ok(None));
        let tls = used.path().join("contexts/tls").join(Digest::sha256_of(b"remote").hex()).join("docker");
        std::fs::create_dir_all(&tls).expect("folder");
        assert_eq!(current(&used, None), Ok(Some(context(Some(tls)))));
        for config in ["{}", r#"{"currentContext":""}"#, r#"{"currentContext":"default"}"#] {
            let unused = folder(config, META);
            assert_eq!(current(&unused, None), Ok(None), "{config}");
            assert_eq!(current(&unused, Some("remote")), Ok(Some(context(None))), "{config}");
        }
        let nothing = tempfile::tempdir().expect("folder");
        assert_eq!(current(&nothing, None), Ok(None));
    }

    #[test]
    fn a_context_that_cannot_be_read_is_an_error() {
        let used = r#"{"currentContext":"remote"}"#;
        for (config, meta, name, reason) in [
            (used, META, Some("../remote"), "cannot read the docker context `../remote`: there is no such context"),
            (used, "{", None, "meta.json is not valid (line 1"),
            (used, "{}", None, "it names no daemon"),
            (used, r#"{"Endpoints":{"docker":{"Host":""}}}"#, None, "it names no daemon"),
            (r#"{"auths":{"r":{"auth":"hush"#, META, None, "cannot read the docker context: "),
        ] {
            let error = current(&folder(config, meta), name).expect_err(reason);
            assert!(error.contains(reason) && !error.contains("hush"), "{error}");
        }
    }
}
