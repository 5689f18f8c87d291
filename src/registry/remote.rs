//! An image in a registry: manifests, tags, referrers and blobs, each bounded and checked against its digest on the way out.
//! Distribution specification: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use std::{collections::BTreeSet, io::Read, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use reqwest::header::{CONTENT_TYPE, HeaderMap, LINK};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::{
    model::{
        digest::{Algorithm, Digest},
        image::Descriptor,
        reference::RegistryReference,
    },
    progress::SharedProgress,
    registry::{
        Error, ImageSource, Options, RawManifest,
        blob::{self, VerifiedReader},
        cause::Missing,
        download::{ChannelReader, Download},
        error::shown,
        manifest::{self, ACCEPTED, Document, MANIFEST_BYTES},
        mirror,
        transport::Transport,
    },
};

/// Most pages of referrers.
const PAGES: usize = 100;
/// Most referrers of one manifest.
const REFERRERS: usize = 1_000;
/// Chunks that wait between the network and the reader.
const CHUNKS: usize = 16;
/// Most bytes of a list of tags, and longest wait for it: it is only for a hint.
const TAGS_BYTES: u64 = 1 << 20;
const TAGS_TIME: Duration = Duration::from_secs(5);
/// What the registry says the digest of its answer is.
const CONTENT_DIGEST: &str = "docker-content-digest";

/// An answer of `tags/list`.
#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

/// One repository of a registry.
pub(super) struct Remote {
    reference: RegistryReference,
    /// The image's own name, and where it is asked for if that is a mirror.
    name: String,
    transport: Arc<Transport>,
    progress: SharedProgress,
}

impl Remote {
    pub(super) fn open(reference: &RegistryReference, options: &Options, progress: SharedProgress) -> Result<Self, Error> {
        let ca_certificates = ca_certificates(options)?;
        let place = mirror::locate(reference, &options.mirrors);
        let name = if place == *reference { reference.name() } else { format!("{} (on its mirror {})", reference.name(), place.name()) };
        let transport = Arc::new(Transport::new(&place, options, &ca_certificates)?);
        Ok(Self { reference: reference.clone(), name, transport, progress })
    }

    async fn manifest(&self, name: &str, expected: Option<&Digest>) -> Result<RawManifest, Error> {
        let joint = if expected.is_some() { '@' } else { ':' };
        let what = format!("{}{joint}{name}", self.name);
        let url = self.transport.url(&format!("manifests/{name}"))?;
        let page = self.transport.get(&url, ACCEPTED, MANIFEST_BYTES, &what).await?;
        let transport_type = page.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if let Some(expected) = expected {
            blob::check_digest(&page.body, expected, &format!("manifest {what}"))?;
        }
        let claimed = page.headers.get(CONTENT_DIGEST).and_then(|value| Digest::parse(value.to_str().ok()?).ok());
        let raw = manifest::raw(page.body, transport_type, expected.map_or(Algorithm::Sha256, Digest::algorithm));
        match claimed.filter(|claimed| expected.is_none() && !claimed.matches(&raw.bytes)) {
            Some(claimed) => self.confirm(raw, claimed, what).await,
            None => Ok(raw),
        }
    }

    /// A tag's answer and the digest beside it disagree. The header alone proves nothing, and registries are known to get it wrong; but bytes
    /// that the registry does not know by their own digest either were damaged on the way.
    async fn confirm(&self, raw: RawManifest, claimed: Digest, what: String) -> Result<RawManifest, Error> {
        let url = self.transport.url(&format!("manifests/{}", raw.digest))?;
        match self.transport.get(&url, ACCEPTED, MANIFEST_BYTES, &what).await {
            Ok(page) if page.body == raw.bytes => Ok(raw),
            Ok(_) | Err(Error::NotFound { .. }) => Err(Error::DigestMismatch { what: format!("manifest {what}"), expected: claimed }),
            Err(error) => Err(error),
        }
    }

    async fn root(&self) -> Result<RawManifest, Error> {
        match (&self.reference.digest, &self.reference.tag) {
            (Some(digest), _) => self.manifest(&digest.to_string(), Some(digest)).await,
            (None, tag) => {
                let tag = tag.as_deref().unwrap_or("latest");
                match self.manifest(tag, None).await {
                    Err(Error::NotFound { what, missing, .. }) => Err(self.absent(tag, what, missing).await),
                    other => other,
                }
            }
        }
    }

    /// The error for an image that is not there, with what else the registry lists there, if it says that soon.
    async fn absent(&self, tag: &str, what: String, missing: Missing) -> Error {
        let asked = async {
            let url = self.transport.url("tags/list")?;
            self.transport.get(&url, "application/json", TAGS_BYTES, &what).await
        };
        match tokio::time::timeout(TAGS_TIME, asked).await {
            Ok(Ok(page)) => match serde_json::from_slice::<Tags>(&page.body) {
                Ok(Tags { tags }) => Error::NotFound { missing: Missing::Tag, there: alike(tag, tags.unwrap_or_default()), what },
                Err(_) => Error::NotFound { what, missing, there: Vec::new() },
            },
            Ok(Err(Error::NotFound { missing: Missing::Repository, .. })) => {
                Error::NotFound { what: self.name.clone(), missing: Missing::Repository, there: Vec::new() }
            }
            _ => Error::NotFound { what, missing, there: Vec::new() },
        }
    }

    async fn referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let transport = &self.transport;
        let what = format!("referrers of {}@{subject}", self.name);
        let unexpected = |message: &str| Error::Unexpected {
            registry: transport.registry().to_owned(),
            what: what.clone(),
            status: 200,
            message: message.to_owned(),
        };
        let mut url = transport.url(&format!("referrers/{subject}"))?;
        let mut found: Vec<Descriptor> = Vec::new();
        let mut seen = BTreeSet::new();
        for page_number in 0..PAGES {
            let page = match transport.get(&url, ACCEPTED, MANIFEST_BYTES, &what).await {
                // Only the very first answer can say that there is no such API.
                Err(Error::NotFound { .. }) if page_number == 0 => return Ok(None),
                other => other?,
            };
            let Document::Index(index) = manifest::parse(&manifest::raw(page.body, None, Algorithm::Sha256))? else {
                return Err(unexpected("the list of referrers is no index"));
            };
            found.extend(index.manifests.into_iter().filter(|entry| seen.insert(entry.digest.clone())));
            if found.len() > REFERRERS {
                return Err(Error::TooLarge { what, limit: format!("{REFERRERS} referrers") });
            }
            let Some(next) = next_link(&page.headers) else { return Ok(Some(found)) };
            url = page.url.join(&next).map_err(|_| unexpected("the link to the next page is no URL"))?;
            if !transport.is_ours(&url) {
                return Err(unexpected("the link to the next page leads to another host"));
            }
        }
        Err(Error::TooLarge { what, limit: format!("{PAGES} pages") })
    }

    /// Starts the download of a blob. The first answer is awaited, so that a missing or denied blob is an error here and not in the middle of a read.
    async fn stream(&self, descriptor: &Descriptor) -> Result<mpsc::Receiver<Result<Vec<u8>, Error>>, Error> {
        // Only ever from the repository itself: the `urls` of a descriptor are not looked at.
        let url = self.transport.url(&format!("blobs/{}", descriptor.digest))?;
        let download = Download { url, size: descriptor.size, what: format!("blob {} of {}", descriptor.digest, self.name) };
        let first = download.start(&self.transport).await.map_err(|error| match error {
            // The manifest lists it, so the repository is there and may be read.
            Error::NotFound { .. } => Error::Incomplete { place: self.name.clone(), part: format!("blob {}", descriptor.digest) },
            other => other,
        })?;
        let (sender, receiver) = mpsc::channel(CHUNKS);
        let task = self.progress.start("pull", Some(descriptor.size));
        task.message(descriptor.digest.short());
        let transport = Arc::clone(&self.transport);
        tokio::spawn(async move {
            let report = |count: usize| task.advance(count as u64);
            if let Err(error) = download.pump(&transport, first, &sender, report).await {
                // The reader may be gone already; then nobody needs the error.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(receiver)
    }

    async fn blob(&self, descriptor: &Descriptor, cap: u64) -> Result<Vec<u8>, Error> {
        blob::check_cap(descriptor, cap)?;
        let mut receiver = self.stream(descriptor).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = receiver.recv().await {
            bytes.extend(chunk?);
            if bytes.len() as u64 > descriptor.size {
                break;
            }
        }
        blob::check(&bytes, descriptor, &format!("blob {}", descriptor.digest))?;
        Ok(bytes)
    }
}

/// The tags in the order in which they begin like the wanted one, safe to print.
fn alike(wanted: &str, mut tags: Vec<String>) -> Vec<String> {
    let common = |tag: &str| tag.bytes().zip(wanted.bytes()).take_while(|(one, other)| one == other).count();
    tags.sort_by(|one, other| common(other).cmp(&common(one)).then_with(|| one.cmp(other)));
    tags.iter().map(|tag| shown(tag)).collect()
}

/// The target of the `rel="next"` link (RFC 8288).
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| {
            parameter
                .trim()
                .split_once('=')
                .is_some_and(|(name, value)| name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"') == "next")
        });
        next.then(|| target.to_owned())
    })
}

/// The certificates of all the files that the options name, one by one.
pub(super) fn ca_certificates(options: &Options) -> Result<Vec<Vec<u8>>, Error> {
    let mut all = Vec::new();
    for path in &options.ca_files {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
        let found = certificates(&text);
        if found.is_empty() {
            return Err(Error::SetUp(format!("{} holds no PEM certificate", path.display())));
        }
        all.extend(found);
    }
    Ok(all)
}

/// The certificates of a PEM file, one by one.
fn certificates(text: &str) -> Vec<Vec<u8>> {
    const END: &str = "-----END CERTIFICATE-----";
    let whole = |block: &str| {
        block.find("-----BEGIN CERTIFICATE-----").and_then(|at| block.get(at..)).map(|block| format!("{block}{END}\n").into_bytes())
    };
    let mut blocks: Vec<&str> = text.split(END).collect();
    blocks.pop();
    blocks.into_iter().filter_map(whole).collect()
}

impl ImageSource for Remote {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        self.root().boxed()
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        async move { self.manifest(&digest.to_string(), Some(digest)).await }.boxed()
    }

    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        async move {
            match self.manifest(tag, None).await {
                Err(Error::NotFound { .. }) => Ok(None),
                other => other.map(Some),
            }
        }
        .boxed()
    }

    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        self.referrers(subject).boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        self.blob(descriptor, cap).boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        async move {
            let receiver = self.stream(descriptor).await?;
            Ok(Box::new(VerifiedReader::new(ChannelReader::new(receiver), descriptor)) as Box<dyn Read + Send>)
        }
        .boxed()
    }

    fn holds_signatures(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_begin_alike_come_first() {
        let tags = ["latest", "1.20", "v1.2", "v1.20", "v2"].map(str::to_owned).to_vec();
        assert_eq!(alike("v1.21", tags), ["v1.2", "v1.20", "v2", "1.20", "latest"]);
        assert_eq!(alike("v1", vec!["v\n1".to_owned()]), ["v 1"]);
    }

    #[test]
    fn next_links() {
        let check = |value: &str| next_link(&HeaderMap::from_iter([(LINK, value.parse().expect("header"))]));
        assert_eq!(check(r#"</v2/a/referrers/x?n=2>; rel="next""#).as_deref(), Some("/v2/a/referrers/x?n=2"));
        assert_eq!(check(r#"<a>; rel=prev, <b>; title="t"; rel=next"#).as_deref(), Some("b"));
        assert_eq!(check(r#"<a>; rel="prev""#), None);
        assert_eq!(check("nonsense"), None);
    }

    #[test]
    fn pem_files_may_hold_several_certificates() {
        let one = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        assert_eq!(certificates(&format!("# comment\n{one}{one}")).len(), 2);
        assert!(certificates("nothing").is_empty());
    }
}
