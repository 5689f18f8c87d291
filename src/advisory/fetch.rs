//! Downloads feeds. In: the base URL of an OSV bucket or a mirror of it; out: the same directory layout on disk, which `build` reads.
//! Bucket: <https://google.github.io/osv.dev/data/#data-dumps>.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use tokio::io::AsyncWriteExt as _;

use crate::{
    advisory::{
        BuildSummary, Error,
        build::build,
        ecosystem::ECOSYSTEMS,
        exploitation::{KINDS, Kind},
    },
    model::coverage::{Gap, SourceId},
};

/// The list of ecosystems is a page of text.
const MAX_LIST: u64 = 1 << 20;
/// The largest archive, npm's with its malware records, has a few hundred megabytes.
const MAX_ARCHIVE: u64 = 4 << 30;
/// KEV and EPSS have a few megabytes.
const MAX_EXPLOITATION: u64 = 256 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest silence within one answer.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Builds from `base`: an `http(s)` URL of a bucket, a `file` URL or a plain path.
///
/// # Errors
/// When nothing can be fetched or built.
pub async fn build_from_url(base: &str, out: &Path, built_at: Timestamp) -> Result<BuildSummary, Error> {
    if !base.starts_with("http://") && !base.starts_with("https://") {
        return build(Path::new(base.strip_prefix("file://").unwrap_or(base)), out, built_at);
    }
    let folder = Downloads(out.join(".feeds"));
    let gaps = fetch_feeds(base, &folder.0).await?;
    let mut summary = build(&folder.0, out, built_at)?;
    summary.gaps.extend(gaps);
    summary.gaps.sort();
    Ok(summary)
}

/// The folder of the downloads, removed in the end whatever happened.
struct Downloads(PathBuf);

impl Drop for Downloads {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Fetches every archive that the bucket has and that can be built; what is listed and does not come is a Gap.
async fn fetch_feeds(base: &str, into: &Path) -> Result<Vec<Gap>, Error> {
    let failed = |reason: String| Error::Fetch { url: base.to_owned(), reason };
    let agent = concat!("plimsoll/", env!("CARGO_PKG_VERSION"));
    let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).user_agent(agent).build();
    let client = client.map_err(|error| failed(error.to_string()))?;
    let mut gaps = Vec::new();
    let list = into.join("ecosystems.txt");
    let listed = match fetch_file(&client, &url(base, &["ecosystems.txt"])?, &list, MAX_LIST).await? {
        Fetched::Missing => None,
        Fetched::Written => Some(fs::read_to_string(&list).map_err(|source| Error::Io { doing: "read", path: list, source })?),
    };
    for ecosystem in ECOSYSTEMS {
        let named = |text: &String| text.lines().any(|line| line.trim() == ecosystem.name);
        if listed.as_ref().is_some_and(|text| !named(text)) {
            continue;
        }
        let place = into.join(ecosystem.name).join("all.zip");
        let reason = match fetch_file(&client, &url(base, &[ecosystem.name, "all.zip"])?, &place, MAX_ARCHIVE).await {
            Ok(Fetched::Written) => continue,
            Ok(Fetched::Missing) if listed.is_none() => continue,
            Ok(Fetched::Missing) => "the archive is listed and not there".to_owned(),
            Err(error) => error.to_string(),
        };
        // A half archive must not look like a whole one.
        let _ = fs::remove_file(&place);
        gaps.push(Gap::new(SourceId::Offline, "no-advisories", ecosystem.name, reason));
    }
    for kind in KINDS {
        gaps.extend(fetch_kind(&client, base, kind, into).await?);
    }
    Ok(gaps)
}

/// Fetches the preferred file of KEV or EPSS from the base or its own folder there. Few mirrors have them: not there is no Gap.
async fn fetch_kind(client: &Client, base: &str, kind: &Kind, into: &Path) -> Result<Option<Gap>, Error> {
    let Some(name) = kind.files.first() else { return Ok(None) };
    let place = into.join(name);
    for parts in [&[*name][..], &[kind.shard, name]] {
        match fetch_file(client, &url(base, parts)?, &place, MAX_EXPLOITATION).await {
            Ok(Fetched::Written) => return Ok(None),
            Ok(Fetched::Missing) => {}
            Err(error) => {
                let _ = fs::remove_file(&place);
                return Ok(Some(kind.gap(error.to_string())));
            }
        }
    }
    Ok(None)
}

enum Fetched {
    Written,
    Missing,
}

async fn fetch_file(client: &Client, url: &url::Url, place: &Path, most: u64) -> Result<Fetched, Error> {
    let failed = |reason: String| Error::Fetch { url: url.to_string(), reason };
    let io = |source| Error::Io { doing: "write", path: place.to_owned(), source };
    let mut response = client.get(url.clone()).send().await.map_err(|error| failed(chain(&error)))?;
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(Fetched::Missing);
    }
    if !response.status().is_success() {
        return Err(failed(format!("the server answers {}", response.status())));
    }
    if let Some(parent) = place.parent() {
        tokio::fs::create_dir_all(parent).await.map_err(io)?;
    }
    let expected = response.content_length();
    let mut file = tokio::fs::File::create(place).await.map_err(io)?;
    let mut written = 0_u64;
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(chain(&error)))? {
        written = written.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if written > most {
            return Err(failed(format!("the answer is larger than {most} bytes")));
        }
        file.write_all(&chunk).await.map_err(io)?;
    }
    file.flush().await.map_err(io)?;
    match expected {
        Some(expected) if expected != written => Err(failed(format!("the answer ends after {written} of {expected} bytes"))),
        _ => Ok(Fetched::Written),
    }
}

/// `base` and further path parts, percent-encoded.
fn url(base: &str, parts: &[&str]) -> Result<url::Url, Error> {
    let failed = |reason: &str| Error::Fetch { url: base.to_owned(), reason: reason.to_owned() };
    let mut url = url::Url::parse(base).map_err(|error| failed(&error.to_string()))?;
    url.path_segments_mut().map_err(|()| failed("the URL has no path"))?.pop_if_empty().extend(parts);
    Ok(url)
}

/// An error and its causes: the outermost alone says little.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded() {
        assert_eq!(
            url("http://127.0.0.1:1/osv/", &["Rocky Linux", "all.zip"]).unwrap().as_str(),
            "http://127.0.0.1:1/osv/Rocky%20Linux/all.zip"
        );
        assert_eq!(url("http://127.0.0.1:1", &["npm", "all.zip"]).unwrap().as_str(), "http://127.0.0.1:1/npm/all.zip");
    }

    #[tokio::test]
    async fn a_bucket_is_fetched_and_built() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        let serve = |axum::extract::Path((ecosystem, file)): axum::extract::Path<(String, String)>| async move {
            fs::read(base.join(ecosystem).join(file)).map_err(|_| StatusCode::NOT_FOUND)
        };
        let kev = async || {
            fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv/known_exploited_vulnerabilities.json")).unwrap()
        };
        let router = axum::Router::new()
            .route("/{ecosystem}/{file}", axum::routing::get(serve))
            .route("/known_exploited_vulnerabilities.json", axum::routing::get(kev))
            .route("/ecosystems.txt", axum::routing::get(async || "npm\nPyPI\nAlpine\nAlmaLinux\nGIT\n"));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let out = tempfile::tempdir().unwrap();
        let summary = build_from_url(&format!("http://{address}"), out.path(), Timestamp::UNIX_EPOCH + jiff::Span::new().hours(500_000))
            .await
            .unwrap();
        server.abort();
        assert_eq!(summary.shards.iter().map(|shard| shard.name.as_str()).collect::<Vec<_>>(), ["alpine-v3.20", "kev", "npm", "pypi"]);
        assert_eq!(summary.gaps.len(), 1, "AlmaLinux is listed and not there; EPSS is not there and not missed");
        assert!(!out.path().join(".feeds").exists());
    }
}
