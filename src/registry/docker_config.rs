//! Docker's `config.json` in, one stored credential out (<https://github.com/docker/cli/blob/master/man/src/docker-login.md>,
//! helpers: <https://github.com/docker/docker-credential-helpers>). Podman's `auth.json` has the same form and keys with a path.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::registry::{Error, auth::Credential, error::shown};

/// Most bytes of the file, and of a helper's answer.
const BYTES: u64 = 4 << 20;
/// How long a helper may take.
const HELPER_TIME: Duration = Duration::from_secs(30);
/// The key of Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

#[derive(Deserialize)]
struct Config {
    auths: Option<BTreeMap<String, Option<Auth>>>,
    #[serde(rename = "credHelpers")]
    helpers: Option<BTreeMap<String, String>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize, Default)]
struct Auth {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

#[derive(Deserialize)]
struct HelperAnswer {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Looks a registry up; runs a credential helper if one is configured for it. Blocking.
pub(super) fn lookup(path: &Path, registry: &str, repository: &str) -> Result<Option<Credential>, Error> {
    let failed = |reason: String| Error::Credentials { registry: registry.to_owned(), reason };
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(BYTES).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(format!("cannot read {}: {error}", path.display()))),
    }
    // The parser's message could quote a secret; its position is enough.
    let config: Config = serde_json::from_slice(&bytes).map_err(|error| {
        failed(format!("{} is no valid docker configuration (line {}, column {})", path.display(), error.line(), error.column()))
    })?;
    let helper = config
        .helpers
        .unwrap_or_default()
        .into_iter()
        .find(|(key, _)| scope_of(key, registry, repository) == Some(0))
        .map(|(_, name)| name);
    // An empty name says that this registry's credential stands in the file, whatever `credsStore` is.
    let in_file = helper.as_ref().is_some_and(String::is_empty);
    if let Some(name) = helper.filter(|name| !name.is_empty()) {
        return ask_helper(&name, registry).map_err(failed);
    }
    let auths = config.auths.unwrap_or_default();
    let best =
        auths.into_iter().filter_map(|(key, auth)| Some((scope_of(&key, registry, repository)?, auth?))).max_by_key(|(scope, _)| *scope);
    if let Some(found) = best.and_then(|(_, auth)| stored(auth, registry).transpose()) {
        return found.map(Some);
    }
    match config.store.filter(|name| !in_file && !name.is_empty()) {
        Some(name) => ask_helper(&name, registry).map_err(failed),
        None => Ok(None),
    }
}

/// How specifically a key is meant for this repository: 0 for the whole registry, more for a path in it, `None` for another registry.
fn scope_of(key: &str, registry: &str, repository: &str) -> Option<usize> {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let host = host.to_ascii_lowercase();
    let host = if matches!(host.as_str(), "index.docker.io" | "registry-1.docker.io") { "docker.io" } else { &host };
    if host != registry {
        return None;
    }
    let path = path.trim_end_matches('/');
    if matches!(path, "" | "v1" | "v2") {
        return Some(0);
    }
    let inside = repository == path || repository.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
    inside.then_some(path.len())
}

fn stored(auth: Auth, registry: &str) -> Result<Option<Credential>, Error> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    if let Some(token) = given(auth.identitytoken) {
        return Ok(Some(Credential::Identity(token)));
    }
    if let Some(token) = given(auth.registrytoken) {
        return Ok(Some(Credential::Token(token)));
    }
    if let Some(encoded) = given(auth.auth) {
        let decoded = BASE64_STANDARD.decode(encoded.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (user, password) = decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(|| Error::Credentials {
            registry: registry.to_owned(),
            reason: "the stored `auth` is not base64 of user:password".to_owned(),
        })?;
        // Old versions of Docker padded the password with NUL bytes.
        return Ok(Some(Credential::Basic(user.to_owned(), password.trim_end_matches('\0').to_owned())));
    }
    Ok(given(auth.username).zip(given(auth.password)).map(|(user, password)| Credential::Basic(user, password)))
}

/// Runs `docker-credential-NAME get`. "Not found" is no credential; anything else that goes wrong is an error.
fn ask_helper(name: &str, registry: &str) -> Result<Option<Credential>, String> {
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(format!("`{}` is no name of a credential helper", shown(name)));
    }
    run_helper(&format!("docker-credential-{name}"), registry)
}

fn run_helper(program: &str, registry: &str) -> Result<Option<Credential>, String> {
    let mut child =
        Command::new(program).arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(|error| {
            match error.kind() {
                io::ErrorKind::NotFound => format!("cannot run {program}, which is not in PATH"),
                _ => format!("cannot run {program} ({error})"),
            }
        })?;
    let server = if registry == "docker.io" { DOCKER_HUB } else { registry };
    if let Some(mut input) = child.stdin.take() {
        // A helper that ends without reading is judged by its answer.
        let _ = input.write_all(server.as_bytes());
    }
    let output = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        output.map(|output| output.take(BYTES).read_to_end(&mut text)).transpose().map(|_| text)
    });
    let succeeded = wait(&mut child).map_err(|reason| format!("{program} {reason}"))?;
    let text = reader.join().ok().and_then(Result::ok).unwrap_or_default();
    if !succeeded {
        let said = String::from_utf8_lossy(&text);
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(format!("{program} failed ({})", shown(&said)));
    }
    let answer: HelperAnswer = serde_json::from_slice(&text).map_err(|_| format!("{program} gave no valid answer"))?;
    Ok(match (answer.username.as_str(), answer.secret.as_str()) {
        (_, "") => None,
        ("<token>", _) => Some(Credential::Identity(answer.secret)),
        _ => Some(Credential::Basic(answer.username, answer.secret)),
    })
}

fn wait(child: &mut Child) -> Result<bool, String> {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if began.elapsed() > HELPER_TIME => {
                // Already gone is as good as killed.
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not answer within {} s", HELPER_TIME.as_secs()));
            }
            Ok(None) => thread::sleep(Duration::from_millis(10)),
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(config: &str, registry: &str, repository: &str) -> Result<Option<Credential>, String> {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).expect("file");
        lookup(&path, registry, repository).map_err(|error| error.to_string())
    }

    fn basic(user: &str, password: &str) -> Result<Option<Credential>, String> {
        Ok(Some(Credential::Basic(user.to_owned(), password.to_owned())))
    }

    #[test]
    fn finds_the_credential_of_exactly_this_registry() {
        let config = r#"{"auths":{
            "https://index.docker.io/v1/":{"auth":"aHViOnB3"},
            "r.example:5000":{"username":"u","password":"p"},
            "q.example/org":{"auth":"b3JnOnB3"},
            "q.example":{"auth":"YWxsOnB3"},
            "i.example":{"auth":"eDp5","identitytoken":"refresh"},
            "t.example":{"registrytoken":"bearer"},
            "e.example":{}}}"#;
        assert_eq!(looked(config, "docker.io", "library/alpine"), basic("hub", "pw"));
        assert_eq!(looked(config, "r.example:5000", "a"), basic("u", "p"));
        assert_eq!(looked(config, "q.example", "org/app"), basic("org", "pw"));
        assert_eq!(looked(config, "q.example", "organisation/app"), basic("all", "pw"));
        assert_eq!(looked(config, "i.example", "a"), Ok(Some(Credential::Identity("refresh".to_owned()))));
        assert_eq!(looked(config, "t.example", "a"), Ok(Some(Credential::Token("bearer".to_owned()))));
        for other in ["r.example", "r.example:5001", "x.r.example:5000", "e.example", "example"] {
            assert_eq!(looked(config, other, "a"), Ok(None), "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn helpers_are_asked_with_the_host_on_standard_input() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let run = |script: &str, registry: &str| {
            let path = folder.path().join("helper");
            // Written under another name first, so that no other thread's child holds the program open for writing.
            let draft = folder.path().join("draft");
            std::fs::write(&draft, format!("#!/bin/sh\n{script}\n")).expect("script");
            std::fs::set_permissions(&draft, std::fs::Permissions::from_mode(0o755)).expect("mode");
            let copied = Command::new("cp").arg(&draft).arg(&path).status().expect("cp");
            assert!(copied.success());
            run_helper(&path.display().to_string(), registry)
        };
        let echo = r#"read host; printf '{"Username":"%s","Secret":"%s"}' "$1" "$host""#;
        assert_eq!(run(echo, "r.example:5000"), Ok(Some(Credential::Basic("get".to_owned(), "r.example:5000".to_owned()))));
        assert_eq!(run(echo, "docker.io"), Ok(Some(Credential::Basic("get".to_owned(), DOCKER_HUB.to_owned()))));
        assert_eq!(run(r#"echo '{"Username":"<token>","Secret":"t"}'"#, "r"), Ok(Some(Credential::Identity("t".to_owned()))));
        assert_eq!(run("echo credentials not found in native keychain; exit 1", "r"), Ok(None));
        assert!(run("echo locked; exit 1", "r").is_err_and(|reason| reason.contains("failed (locked)")));
        assert!(run("echo nonsense", "r").is_err());
    }

    #[test]
    fn broken_configurations_are_errors_without_secrets() {
        for (config, word) in [
            (r#"{"auths":{"r.example":{"auth":"hush"#, "no valid docker configuration"),
            (r#"{"auths":{"r.example":{"auth":"!hush!"}}}"#, "not base64"),
            (r#"{"auths":{"r.example":{"auth":"aHVzaA=="}}}"#, "not base64 of user:password"),
            (r#"{"credHelpers":{"r.example":"../../bin/sh"}}"#, "no name of a credential helper"),
            (r#"{"credHelpers":{"r.example":"surely-not-installed"}}"#, "cannot run docker-credential-surely-not-installed"),
            (r#"{"credsStore":"surely-not-installed"}"#, "cannot run docker-credential-surely-not-installed"),
        ] {
            let error = looked(config, "r.example", "a").expect_err(config);
            assert!(error.contains(word) && !error.contains("hush"), "{error}");
        }
        assert_eq!(looked("{}", "r.example", "a"), Ok(None));
        let in_file = r#"{"credHelpers":{"r.example":""},"credsStore":"surely-not-installed","auths":{"r.example":{"auth":"aHViOnB3"}}}"#;
        assert_eq!(looked(in_file, "r.example", "a"), basic("hub", "pw"));
        assert_eq!(looked(r#"{"credHelpers":{"r.example":""},"credsStore":"surely-not-installed"}"#, "r.example", "a"), Ok(None));
        assert_eq!(lookup(Path::new("/nonexistent/config.json"), "r.example", "a").ok(), Some(None));
    }
}
