//! What was signed, and by what, kept beside the shards: whatever a verifier reads from a registry is written down as a small OCI layout, which the
//! same verifier reads again when there is no network (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>).

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Map, Value, json};

use crate::{
    advisory::artifact::{Contents, Error, io},
    model::{
        digest::{Algorithm, Digest},
        image::Descriptor,
        reference::ImageReference,
    },
    registry::{self, ImageSource, RawManifest, manifest as oci},
};

/// The folder of all evidence in a database's folder.
const FOLDER: &str = "artifacts";
/// The name of the artifact's manifest in its layout.
const NAME: &str = "database";
/// More evidence than this is not kept; then it has to be looked at in the registry.
const MAX_BYTES: usize = 32 << 20;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A source that writes down what is read from another one.
pub struct Recorder {
    inner: Arc<dyn ImageSource>,
    heard: Mutex<Heard>,
}

/// What was read, by digest; tags lead to digests.
#[derive(Default)]
struct Heard {
    tags: BTreeMap<String, Digest>,
    manifests: BTreeMap<Digest, RawManifest>,
    blobs: BTreeMap<Digest, Vec<u8>>,
    bytes: usize,
}

impl Recorder {
    /// A source that reads from `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn ImageSource>) -> Self {
        Self { inner, heard: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Heard) -> T) -> T {
        // A thread that panicked in here left at most one entry out.
        work(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn manifest(&self, tag: Option<&str>, raw: &RawManifest) {
        self.with(|heard| {
            if heard.take(raw.bytes.len()) {
                heard.tags.extend(tag.map(|tag| (tag.to_owned(), raw.digest.clone())));
                heard.manifests.insert(raw.digest.clone(), raw.clone());
            }
        });
    }

    /// Writes a layout of the artifact's manifest and of everything that was read so far.
    pub(super) fn write(&self, artifact: &RawManifest, folder: &Path) -> Result<(), Error> {
        self.with(|heard| {
            let blobs = folder.join("blobs/sha256");
            fs::create_dir_all(&blobs).map_err(io("create", &blobs))?;
            let put = |digest: &Digest, bytes: &[u8]| {
                // The verifier asks for nothing else; a longer digest would have no place here.
                if digest.algorithm() != Algorithm::Sha256 {
                    return Ok(());
                }
                let path = blobs.join(digest.hex());
                fs::write(&path, bytes).map_err(io("write", path))
            };
            put(&artifact.digest, &artifact.bytes)?;
            let mut entries = vec![index_entry(artifact, Some(NAME))];
            for raw in heard.manifests.values() {
                put(&raw.digest, &raw.bytes)?;
                let tags: Vec<&String> = heard.tags.iter().filter(|(_, digest)| **digest == raw.digest).map(|(tag, _)| tag).collect();
                entries.extend(tags.iter().map(|tag| index_entry(raw, Some(tag.as_str()))));
                if tags.is_empty() && raw.digest != artifact.digest {
                    entries.push(index_entry(raw, None));
                }
            }
            for (digest, bytes) in &heard.blobs {
                put(digest, bytes)?;
            }
            let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string();
            for (name, text) in [("index.json", index.as_str()), ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#)] {
                fs::write(folder.join(name), text).map_err(io("write", folder.join(name)))?;
            }
            Ok(())
        })
    }
}

impl Heard {
    /// Whether there is room for so many more bytes.
    fn take(&mut self, bytes: usize) -> bool {
        let sum = self.bytes.saturating_add(bytes);
        if sum <= MAX_BYTES {
            self.bytes = sum;
        }
        sum <= MAX_BYTES
    }
}

fn index_entry(raw: &RawManifest, name: Option<&str>) -> Value {
    let mut entry = Map::from_iter([
        ("mediaType".to_owned(), json!(raw.media_type)),
        ("digest".to_owned(), json!(raw.digest.to_string())),
        ("size".to_owned(), json!(raw.bytes.len())),
    ]);
    if let Some(name) = name {
        entry.insert("annotations".to_owned(), json!({ "org.opencontainers.image.ref.name": name }));
    }
    Value::Object(entry)
}

impl ImageSource for Recorder {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, registry::Error>> {
        self.inner.fetch_root()
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, registry::Error>> {
        async move {
            let raw = self.inner.fetch_manifest(digest).await?;
            self.manifest(None, &raw);
            Ok(raw)
        }
        .boxed()
    }

    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, registry::Error>> {
        async move {
            let found = self.inner.fetch_tag(tag).await?;
            found.iter().for_each(|raw| self.manifest(Some(tag), raw));
            Ok(found)
        }
        .boxed()
    }

    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, registry::Error>> {
        // Those that matter are fetched one by one, and say themselves what they are about.
        self.inner.fetch_referrers(subject)
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, registry::Error>> {
        async move {
            let bytes = self.inner.fetch_blob(descriptor, cap).await?;
            self.with(|heard| {
                if heard.take(bytes.len()) {
                    heard.blobs.insert(descriptor.digest.clone(), bytes.clone());
                }
            });
            Ok(bytes)
        }
        .boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, registry::Error>> {
        self.inner.open_blob(descriptor)
    }

    fn holds_signatures(&self) -> bool {
        self.inner.holds_signatures()
    }
}

/// An artifact of which shards were pulled: its manifest and what vouches for it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Its layout.
    pub layout: PathBuf,
    /// What it lists.
    pub contents: Contents,
}

impl Stored {
    /// The layout as a place to read from.
    #[must_use]
    pub fn reference(&self) -> ImageReference {
        ImageReference::OciLayout { path: self.layout.clone(), tag: Some(NAME.to_owned()) }
    }
}

/// Where the evidence of an artifact is, or would be.
pub(super) fn place(folder: &Path, artifact: &Digest) -> PathBuf {
    folder.join(FOLDER).join(artifact.hex())
}

/// Reads the manifests that are kept in a database's folder, sorted by digest.
///
/// # Errors
/// When one of them is damaged or cannot be read.
pub fn stored(folder: &Path) -> Result<Vec<Stored>, Error> {
    let all = folder.join(FOLDER);
    let entries = match fs::read_dir(&all) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io("read", &all))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(read(entry.map_err(io("read", &all))?.path())?);
    }
    found.sort_by(|a, b| a.digest.cmp(&b.digest));
    Ok(found)
}

/// The manifests of [`stored`] that do read: what is damaged vouches for nothing.
#[must_use]
pub fn readable(folder: &Path) -> Vec<Stored> {
    let entries = fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten();
    let mut found: Vec<Stored> = entries.filter_map(|entry| read(entry.path()).ok()?).collect();
    found.sort_by(|a, b| a.digest.cmp(&b.digest));
    found
}

/// Reads one manifest; `None` for what is being written, or is somebody else's: it is not named by a digest.
fn read(layout: PathBuf) -> Result<Option<Stored>, Error> {
    let name = layout.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(digest) = Digest::parse(&format!("sha256:{name}")) else { return Ok(None) };
    let path = layout.join("blobs/sha256").join(&name);
    let reference = layout.display().to_string();
    if fs::metadata(&path).map_err(io("read", &path))?.len() > oci::MANIFEST_BYTES {
        return Err(Error::NotDatabase { reference, reason: "its manifest is too large".to_owned() });
    }
    let bytes = fs::read(&path).map_err(io("read", &path))?;
    if !digest.matches(&bytes) {
        return Err(Error::Registry(registry::Error::DigestMismatch { what: format!("manifest {}", path.display()), expected: digest }));
    }
    let contents = Contents::parse(&reference, &oci::raw(bytes, None, Algorithm::Sha256))?;
    Ok(Some(Stored { digest, layout, contents }))
}

/// Removes the evidence of artifacts that no shard of the folder is of any more, and what does not read.
pub(super) fn prune(folder: &Path, mut keep: impl FnMut(&Stored) -> bool) {
    for entry in fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten() {
        let is_kept = match read(entry.path()) {
            Ok(Some(stored)) => keep(&stored),
            // Somebody else's, or something that may read the next time.
            Ok(None) | Err(Error::Io { .. }) => true,
            Err(_) => false,
        };
        if !is_kept {
            // What cannot be removed is removed next time.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{advisory::artifact::manifest::fixture::shard, progress::Silent, registry::Options};

    async fn open(path: &Path, tag: &str) -> Arc<dyn ImageSource> {
        let reference = ImageReference::OciLayout { path: path.to_owned(), tag: Some(tag.to_owned()) };
        registry::open(&reference, &Options::default(), Arc::new(Silent)).await.unwrap()
    }

    #[tokio::test]
    async fn what_a_verifier_read_can_be_read_again_from_what_was_kept() {
        let signed = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/images/fixed");
        let source = open(&signed, "v1").await;
        let root = source.fetch_root().await.unwrap();
        let tag = format!("sha256-{}.sig", root.digest.hex());
        let recorder = Recorder::new(source);
        let signature = recorder.fetch_tag(&tag).await.unwrap().unwrap();
        assert_eq!(recorder.fetch_tag("absent").await.unwrap(), None);
        let oci::Document::Manifest(document) = oci::parse(&signature).unwrap() else { panic!("a manifest") };
        let payload = recorder.fetch_blob(&document.layers[0], 1 << 20).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        recorder.write(&root, folder.path()).unwrap();
        let kept = open(folder.path(), NAME).await;
        assert_eq!(kept.fetch_root().await.unwrap(), root);
        assert_eq!(kept.fetch_tag(&tag).await.unwrap(), Some(signature));
        assert_eq!(kept.fetch_blob(&document.layers[0], 1 << 20).await.unwrap(), payload);
        assert!(kept.holds_signatures());
        assert_eq!(kept.fetch_tag("absent").await.unwrap(), None);
    }

    #[test]
    fn damaged_evidence_is_an_error_and_old_evidence_goes() {
        let folder = tempfile::tempdir().unwrap();
        assert!(stored(folder.path()).unwrap().is_empty());
        let put = |name: &str| {
            let shard = shard(name, "2026-11-01T00:00:00Z");
            let bytes = Contents { shards: BTreeMap::from([(shard.name.clone(), shard)]) }.encode();
            let raw = oci::raw(bytes.clone(), None, Algorithm::Sha256);
            let blobs = place(folder.path(), &raw.digest).join("blobs/sha256");
            fs::create_dir_all(&blobs).unwrap();
            fs::write(blobs.join(raw.digest.hex()), bytes).unwrap();
            raw.digest
        };
        let (npm, kev) = (put("npm"), put("kev"));
        assert_eq!(stored(folder.path()).unwrap().len(), 2);
        prune(folder.path(), |stored| stored.digest == kev);
        let left: Vec<Digest> = stored(folder.path()).unwrap().into_iter().map(|stored| stored.digest).collect();
        assert_eq!((left, place(folder.path(), &npm).exists()), (vec![kev.clone()], false));
        let blob = place(folder.path(), &kev).join("blobs/sha256").join(kev.hex());
        let mut bytes = fs::read(&blob).unwrap();
        bytes[20] ^= 1;
        fs::write(&blob, bytes).unwrap();
        assert!(matches!(stored(folder.path()), Err(Error::Registry(registry::Error::DigestMismatch { .. }))));
        let npm = put("npm");
        assert_eq!(readable(folder.path()).into_iter().map(|stored| stored.digest).collect::<Vec<_>>(), vec![npm.clone()]);
        prune(folder.path(), |stored| stored.digest == npm);
        assert_eq!(stored(folder.path()).unwrap().len(), 1, "what does not read is of no use");
    }
}
