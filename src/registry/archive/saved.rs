//! `manifest.json` of an archive in, the image that it lists out. The form is that of
//! <https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format>; a schema 2 manifest is made
//! for it, always the same for the same image.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use serde::Deserialize;

use crate::{
    model::{
        digest::{Algorithm, Digest, Hasher},
        image::Descriptor,
        reference::RegistryReference,
    },
    registry::{
        Error, ImageSource, RawManifest,
        archive::TarIndex,
        blob,
        cause::{Missing, NotArchive},
        error::shown,
        manifest::{self, CONFIG_BYTES, LAYERS, MANIFEST_BYTES},
        spelling,
        store::{Opened, Store, checked},
    },
};

/// Most images of one archive.
const IMAGES: usize = 1_000;

#[derive(Deserialize)]
struct Saved {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Option<Vec<String>>,
}

/// One image of an archive that is no OCI layout.
pub(super) struct Archive {
    store: Store,
    root: RawManifest,
    blobs: BTreeMap<Digest, String>,
}

impl Archive {
    /// Finds the wanted image and makes its manifest.
    pub(super) fn read(index: TarIndex, tag: Option<&str>) -> Result<Self, Error> {
        let what = index.path().display().to_string();
        let store = Store::Tar(index);
        let absent = |name: &str| Error::Incomplete { place: what.clone(), part: format!("`{}`", shown(name)) };
        let images = images(&store)?.ok_or_else(|| Error::NotAnArchive { path: store.path().to_owned(), cause: NotArchive::Bare })?;
        let image = choose(images, tag, &what)?;

        let config = store.read(&image.config, CONFIG_BYTES)?.ok_or_else(|| absent(&image.config))?;
        let diff_ids = manifest::parse_config(&config, &format!("configuration in {what}"))?.config.diff_ids;
        let names = image.layers.unwrap_or_default();
        if names.len() > LAYERS {
            return Err(Error::TooLarge { what, limit: format!("{LAYERS} layers") });
        }
        if names.len() != diff_ids.len() {
            return Err(Error::LayerCount { what: format!("manifest.json of {what}"), layers: names.len(), diff_ids: diff_ids.len() });
        }
        let config_digest = Digest::sha256_of(&config);
        let mut blobs = BTreeMap::from([(config_digest.clone(), image.config)]);
        let mut layers = Vec::new();
        // A file that is listed many times is hashed once, or a small archive could keep us busy for hours.
        let mut known: BTreeMap<(u64, u64), Digest> = BTreeMap::new();
        for (name, diff_id) in names.into_iter().zip(&diff_ids) {
            let place = store.place(&name)?.ok_or_else(|| absent(&name))?;
            let opened = store.open(&name)?.ok_or_else(|| absent(&name))?;
            let size = opened.size;
            let failed = |source| Error::Read { path: store.path().join(&name), source };
            let (kind, rest) = identify(opened).map_err(failed)?;
            let digest = match (rest, known.get(&place)) {
                // The digest of a plain layer is its diff id, which is checked when the layer is read.
                (None, _) => diff_id.clone(),
                (Some(_), Some(digest)) => digest.clone(),
                (Some(rest), None) => known.entry(place).or_insert(hash(rest).map_err(failed)?).clone(),
            };
            layers.push(serde_json::json!({ "mediaType": kind, "digest": digest.to_string(), "size": size }));
            blobs.insert(digest, name);
        }
        let body = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "digest": config_digest.to_string(), "size": config.len() },
            "layers": layers,
        });
        let root = manifest::raw(body.to_string().into_bytes(), None, Algorithm::Sha256);
        Ok(Self { store, root, blobs })
    }

    fn open(&self, descriptor: &Descriptor) -> Result<Box<dyn Read + Send>, Error> {
        let name = self.blobs.get(&descriptor.digest).ok_or_else(|| self.store.missing(&descriptor.digest))?;
        checked(self.store.open(name)?.ok_or_else(|| self.store.missing(&descriptor.digest))?, descriptor)
    }
}

/// Media type of a layer file by its first bytes; of a compressed one also the whole of it, because only hashing tells its digest.
fn identify(mut opened: Opened) -> io::Result<(&'static str, Option<impl Read>)> {
    let mut head = Vec::new();
    opened.reader.by_ref().take(4).read_to_end(&mut head)?;
    let kind = if head.starts_with(&[0x1f, 0x8b]) {
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        "application/vnd.docker.image.rootfs.diff.tar.zstd"
    } else {
        return Ok(("application/vnd.docker.image.rootfs.diff.tar", None));
    };
    Ok((kind, Some(io::Cursor::new(head).chain(opened.reader))))
}

fn hash(mut reader: impl Read) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut buffer)?;
        match buffer.get(..count).unwrap_or_default() {
            [] => return Ok(hasher.finish()),
            bytes => hasher.update(bytes),
        }
    }
}

/// What `manifest.json` lists; `None` when there is none.
fn images(store: &Store) -> Result<Option<Vec<Saved>>, Error> {
    let Some(listing) = store.read("manifest.json", MANIFEST_BYTES)? else { return Ok(None) };
    let what = format!("manifest.json of {}", store.path().display());
    let images: Vec<Saved> = match spelling::from_slice(&listing) {
        Ok(images) => images,
        Err(error) => return Err(Error::Malformed { what, reason: shown(&error.to_string()) }),
    };
    if images.len() > IMAGES {
        return Err(Error::TooLarge { what, limit: format!("{IMAGES} images") });
    }
    Ok(Some(images))
}

/// The configurations that the `manifest.json` beside an OCI layout names. Docker's classic store loads by that file and others load by
/// `index.json`: an archive in which the two disagree would be judged as one image and run as another.
pub(in crate::registry) struct Listing {
    configs: BTreeSet<Digest>,
}

impl Listing {
    /// Reads `manifest.json`; of the images in it only those that carry the tag count, if any does. `None` when there is no such file.
    pub(in crate::registry) fn read(store: &Store, tag: Option<&str>) -> Result<Option<Self>, Error> {
        let Some(mut images) = images(store)? else { return Ok(None) };
        let carries = |image: &Saved| tag.is_some_and(|tag| image.tags.iter().flatten().any(|name| same_name(name, tag)));
        if images.iter().any(carries) {
            images.retain(carries);
        }
        let mut configs = BTreeSet::new();
        for name in images.into_iter().map(|image| image.config).collect::<BTreeSet<_>>() {
            let bytes = store.read(&name, CONFIG_BYTES)?.ok_or_else(|| Error::Malformed {
                what: format!("manifest.json of {}", store.path().display()),
                reason: format!("it names `{}`, which is not there", shown(&name)),
            })?;
            configs.insert(Digest::sha256_of(&bytes));
        }
        Ok(Some(Self { configs }))
    }

    /// Whether a configuration is listed.
    pub(in crate::registry) fn names(&self, config: &Digest) -> bool {
        self.configs.contains(config)
    }
}

fn choose(mut images: Vec<Saved>, tag: Option<&str>, what: &str) -> Result<Saved, Error> {
    let names = |image: &Saved| match image.tags.as_deref() {
        None | Some([]) => vec![shown(image.config.trim_end_matches(".json"))],
        Some(tags) => tags.iter().map(|tag| shown(tag)).collect(),
    };
    let there: Vec<String> = images.iter().flat_map(names).collect();
    if let Some(wanted) = tag {
        images.retain(|image| names(image).iter().any(|name| same_name(name, wanted)));
    }
    match (images.len(), tag) {
        (1, _) => images.pop().ok_or_else(|| Error::NotFound { what: what.to_owned(), missing: Missing::Image, there }),
        (0, Some(wanted)) => Err(Error::NotFound { what: format!("{} in {what}", shown(wanted)), missing: Missing::Image, there }),
        (0, None) => Err(Error::NotFound { what: format!("any image in {what}"), missing: Missing::Image, there }),
        _ => Err(Error::Ambiguous { what: what.to_owned(), there }),
    }
}

/// Whether a stored name is the wanted one: whole, as a tag alone, as a config digest, or after Docker's defaults.
pub(in crate::registry) fn same_name(stored: &str, wanted: &str) -> bool {
    let normal = |text: &str| RegistryReference::parse(text).map(|reference| reference.to_string()).ok();
    stored == wanted
        || stored.rsplit_once(':').is_some_and(|(_, tag)| tag == wanted)
        || wanted.strip_prefix("sha256:").is_some_and(|hex| stored == hex)
        || (wanted.contains([':', '/']) && normal(stored).is_some_and(|name| normal(wanted) == Some(name)))
}

impl ImageSource for Archive {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        ready(Ok(self.root.clone())).boxed()
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        ready(if *digest == self.root.digest { Ok(self.root.clone()) } else { Err(self.store.missing(digest)) }).boxed()
    }

    fn fetch_tag<'a>(&'a self, _tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        ready(Ok(None)).boxed()
    }

    fn fetch_referrers<'a>(&'a self, _subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        ready(Ok(None)).boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        let read = || {
            blob::check_cap(descriptor, cap)?;
            let name = self.blobs.get(&descriptor.digest).ok_or_else(|| self.store.missing(&descriptor.digest))?;
            let opened = self.store.open(name)?.ok_or_else(|| self.store.missing(&descriptor.digest))?;
            blob::read_all(opened.reader, descriptor, cap)
        };
        ready(read()).boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        ready(self.open(descriptor)).boxed()
    }

    fn holds_signatures(&self) -> bool {
        false
    }

    fn knows_manifest_digest(&self) -> bool {
        false
    }
}
