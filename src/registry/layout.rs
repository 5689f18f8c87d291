//! `oci:DIR[:TAG]`: an OCI image layout (<https://github.com/opencontainers/image-spec/blob/main/image-layout.md>) in,
//! manifests and checked blobs out; also the layout inside an archive. Nested indexes are followed; signatures beside the image are found
//! by their tags and by the `subject` of their manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    path::Path,
};

use futures_util::future::{BoxFuture, FutureExt as _, ready};

use crate::{
    model::{
        digest::{Algorithm, Digest},
        image::Descriptor,
    },
    registry::{
        Error, ImageSource, RawManifest,
        archive::{Listing, TarIndex, recognise, same_name},
        blob,
        cause::Missing,
        error::shown,
        manifest::{self, Document, INDEX_DEPTH, MANIFEST_BYTES},
        store::{Store, blob_name},
    },
};

/// Most manifests of one layout that are read while looking for something.
const DOCUMENTS: usize = 2_000;
/// Most entries of all indexes of one layout.
const ENTRIES: usize = 50_000;

const REF_NAME: &str = "org.opencontainers.image.ref.name";
const IMAGE_NAME: &str = "io.containerd.image.name";
/// How `cosign save` marks what an entry is.
const KIND: &str = "kind";

/// An image layout, in a folder or in an archive.
pub(super) struct Layout {
    store: Store,
    tag: Option<String>,
    index: RawManifest,
    entries: Vec<Descriptor>,
    origin: Origin,
}

/// Where a layout comes from, which decides what it can vouch for.
enum Origin {
    /// Somebody made it as a layout: what stands in it is what a registry has, signatures included.
    Layout,
    /// `docker save` wrote it, with a `manifest.json` beside that must name the same image.
    Saved(Option<Listing>),
    /// A daemon sent it, and says that the image has these digests in registries.
    Daemon(Vec<Digest>),
}

impl Layout {
    /// Reads `index.json` of the layout in the folder `path`.
    pub(super) fn open(path: &Path, tag: Option<&str>) -> Result<Self, Error> {
        let kind = std::fs::metadata(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        if !kind.is_dir() {
            return Err(Error::NotALayout { path: path.to_owned(), is_file: true, scheme: recognise(path).scheme() });
        }
        Self::read(Store::Folder(path.to_owned()), tag, Origin::Layout)
    }

    /// The layout in a tar, which is worth as much as one in a folder.
    pub(super) fn of_oci_archive(index: TarIndex, tag: Option<&str>) -> Result<Self, Error> {
        Self::read(Store::Tar(index), tag, Origin::Layout)
    }

    /// The layout in the output of `docker save`. Its manifest need not be the registry's, so it holds no signatures.
    pub(super) fn of_saved_archive(index: TarIndex, tag: Option<&str>) -> Result<Self, Error> {
        let store = Store::Tar(index);
        let listing = Listing::read(&store, tag)?;
        Self::read(store, tag, Origin::Saved(listing))
    }

    /// The layout that a daemon sent for one image.
    pub(super) fn of_daemon(index: TarIndex, digests: Vec<Digest>) -> Result<Self, Error> {
        Self::read(Store::Tar(index), None, Origin::Daemon(digests))
    }

    fn read(store: Store, tag: Option<&str>, origin: Origin) -> Result<Self, Error> {
        let what = || format!("index.json of {}", store.path().display());
        let missing = || Error::NotALayout { path: store.path().to_owned(), is_file: false, scheme: None };
        let bytes = store.read("index.json", MANIFEST_BYTES)?.ok_or_else(missing)?;
        let index = manifest::raw(bytes, None, Algorithm::Sha256);
        let entries = match manifest::parse(&index)? {
            Document::Index(document) => document.manifests,
            Document::Manifest(_) => return Err(Error::Malformed { what: what(), reason: "it is no index".to_owned() }),
        };
        Ok(Self { store, tag: tag.map(str::to_owned), index, entries, origin })
    }

    /// Reads a manifest whose size may be unknown; the digest is checked in any case.
    fn manifest(&self, digest: &Digest, size: Option<u64>) -> Result<RawManifest, Error> {
        let what = format!("manifest {digest}");
        let bytes = self.store.read(&blob_name(digest), MANIFEST_BYTES)?.ok_or_else(|| self.store.missing(digest))?;
        if let Some(expected) = size.filter(|size| *size != bytes.len() as u64) {
            return Err(Error::SizeMismatch { what, expected, actual: bytes.len() as u64 });
        }
        blob::check_digest(&bytes, digest, &what)?;
        Ok(manifest::raw(bytes, None, digest.algorithm()))
    }

    /// Refuses an image that the `manifest.json` beside the layout does not list.
    fn listed(&self, raw: RawManifest) -> Result<RawManifest, Error> {
        if let Origin::Saved(Some(listing)) = &self.origin
            && let Document::Manifest(document) = manifest::parse(&raw)?
            && document.subject.is_none()
            && manifest::is_image_config(&document.config.media_type)
            && !listing.names(&document.config.digest)
        {
            return Err(Error::Malformed {
                what: self.name(),
                reason: format!(
                    "its `index.json` names the image {} and its `manifest.json` does not, so that it depends on the tool which image is loaded (oci-archive:FILE reads `index.json` alone)",
                    document.config.digest
                ),
            });
        }
        Ok(raw)
    }

    /// Every entry of index.json and of the indexes below it, those of the top first.
    fn all_entries(&self) -> Result<Vec<Descriptor>, Error> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        let mut level = self.entries.clone();
        for _ in 0..=INDEX_DEPTH {
            let mut next = Vec::new();
            if all.len().saturating_add(level.len()) > ENTRIES {
                return Err(Error::TooLarge { what: self.name(), limit: format!("{ENTRIES} entries of indexes") });
            }
            for entry in level {
                if next.len() > ENTRIES {
                    break;
                }
                if manifest::is_index(&entry) && seen.insert(entry.digest.clone()) {
                    if seen.len() > DOCUMENTS {
                        return Err(Error::TooLarge { what: self.name(), limit: format!("{DOCUMENTS} indexes") });
                    }
                    if let Document::Index(document) = manifest::parse(&self.manifest(&entry.digest, Some(entry.size))?)? {
                        next.extend(document.manifests);
                    }
                }
                all.push(entry);
            }
            if next.is_empty() {
                return Ok(all);
            }
            level = next;
        }
        Err(Error::TooLarge { what: format!("nesting of indexes in {}", self.name()), limit: format!("{INDEX_DEPTH} levels") })
    }

    fn name(&self) -> String {
        self.store.path().display().to_string()
    }

    fn root(&self) -> Result<RawManifest, Error> {
        match &self.tag {
            Some(tag) => self.tagged(tag)?.ok_or_else(|| Error::NotFound {
                what: format!("{} in {}", shown(tag), self.name()),
                missing: Missing::Image,
                there: self.all_names(),
            }),
            None => self.only(),
        }
        .and_then(|raw| self.listed(raw))
    }

    /// What the images are called, those of nested indexes included where they have names of their own.
    fn all_names(&self) -> Vec<String> {
        let has_name = |entry: &Descriptor| tags(entry).next().is_some();
        let mut below: Vec<Descriptor> = self.all_entries().unwrap_or_default().into_iter().skip(self.entries.len()).collect();
        below.retain(has_name);
        let mut own = self.entries.clone();
        // An index without a name is called by what is in it.
        own.retain(|entry| below.is_empty() || !manifest::is_index(entry) || has_name(entry));
        let mut seen = BTreeSet::new();
        let mut names = [self.names(&own), self.names(&below)].concat();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// The entry that carries a tag or has a digest.
    fn tagged(&self, tag: &str) -> Result<Option<RawManifest>, Error> {
        if let Ok(digest) = Digest::parse(tag) {
            let size = self.all_entries()?.into_iter().find(|entry| entry.digest == digest).map(|entry| entry.size);
            return match self.manifest(&digest, size) {
                Err(Error::Incomplete { .. }) if size.is_none() => Ok(None),
                other => other.map(Some),
            };
        }
        let mut found: Vec<Descriptor> =
            self.entries.iter().filter(|entry| tags(entry).any(|name| same_name(name, tag))).cloned().collect();
        if found.is_empty() {
            found = self.all_entries()?.into_iter().filter(|entry| tags(entry).any(|name| same_name(name, tag))).collect();
        }
        if found.is_empty() {
            found.extend(self.saved_by_cosign(tag));
        }
        // An exact name beats one that only ends in the tag.
        if found.iter().any(|entry| tags(entry).any(|name| name == tag)) {
            found.retain(|entry| tags(entry).any(|name| name == tag));
        }
        found.dedup_by(|a, b| a.digest == b.digest);
        match found.as_slice() {
            [] => Ok(None),
            [entry] => self.manifest(&entry.digest, Some(entry.size)).map(Some),
            several => Err(Error::Ambiguous {
                what: format!("{} in {}", shown(tag), self.name()),
                there: several.iter().map(|entry| entry.digest.to_string()).collect(),
            }),
        }
    }

    /// `cosign save` writes no tags, but marks the signatures of the one image that it saves.
    fn saved_by_cosign(&self, tag: &str) -> Option<Descriptor> {
        let (subject, suffix) = tag.strip_prefix("sha256-")?.split_once('.')?;
        let kind = match suffix {
            "sig" => "dev.cosignproject.cosign/sigs",
            "att" => "dev.cosignproject.cosign/atts",
            _ => return None,
        };
        let of_kind = |wanted: &str| {
            self.entries.iter().filter(|entry| entry.annotations.get(KIND).is_some_and(|kind| kind == wanted)).collect::<Vec<_>>()
        };
        let images = [of_kind("dev.cosignproject.cosign/image"), of_kind("dev.cosignproject.cosign/imageIndex")].concat();
        let [image] = images.as_slice() else { return None };
        let found = of_kind(kind);
        let [entry] = found.as_slice() else { return None };
        (image.digest.hex() == subject).then(|| (*entry).clone())
    }

    /// The only image, when no tag was given. Signatures and attestations beside it do not count.
    fn only(&self) -> Result<RawManifest, Error> {
        let mut images: Vec<Descriptor> = self.entries.iter().filter(|entry| may_be_image(entry)).cloned().collect();
        let mut seen = BTreeSet::new();
        images.retain(|entry| seen.insert(entry.digest.clone()));
        if images.len() > 1 {
            let mut kept = Vec::new();
            for entry in images.into_iter().take(DOCUMENTS) {
                if manifest::is_index(&entry) || self.is_image(&entry)? {
                    kept.push(entry);
                }
            }
            images = kept;
        }
        let platforms: BTreeSet<_> = images.iter().filter_map(|entry| entry.platform.clone()).collect();
        match images.as_slice() {
            [] => Err(Error::NotFound { what: format!("any image in {}", self.name()), missing: Missing::Image, there: Vec::new() }),
            [entry] => match self.several_below(entry)? {
                several if several.len() > 1 => Err(Error::Ambiguous { what: self.name(), there: several }),
                _ => self.manifest(&entry.digest, Some(entry.size)),
            },
            // Untagged entries, one for each platform, are one image whose index is index.json itself.
            several if platforms.len() == several.len() && several.iter().all(|entry| tags(entry).next().is_none()) => {
                Ok(self.index.clone())
            }
            several => Err(Error::Ambiguous { what: self.name(), there: self.names(several) }),
        }
    }

    /// The names in a nested index that itself has none, when they are of different images: it is then a folder, not an image for several platforms.
    fn several_below(&self, entry: &Descriptor) -> Result<Vec<String>, Error> {
        if !manifest::is_index(entry) || tags(entry).next().is_some() {
            return Ok(Vec::new());
        }
        let all = self.all_entries()?;
        let named = all.iter().skip(self.entries.len()).filter(|entry| may_be_image(entry));
        let names: BTreeMap<String, &Digest> = named.filter_map(|entry| Some((shown(tags(entry).next()?), &entry.digest))).collect();
        let images: BTreeSet<&Digest> = names.values().copied().collect();
        Ok(if images.len() > 1 { names.into_keys().collect() } else { Vec::new() })
    }

    fn is_image(&self, entry: &Descriptor) -> Result<bool, Error> {
        Ok(match manifest::parse(&self.manifest(&entry.digest, Some(entry.size))?)? {
            Document::Manifest(document) => document.subject.is_none() && manifest::is_image_config(&document.config.media_type),
            Document::Index(_) => true,
        })
    }

    fn names(&self, entries: &[Descriptor]) -> Vec<String> {
        entries
            .iter()
            .filter(|entry| may_be_image(entry))
            .map(|entry| tags(entry).next().map_or_else(|| entry.digest.to_string(), shown))
            .collect()
    }

    /// Manifests whose `subject` is the given one, and what the fallback tag lists.
    fn referrers(&self, subject: &Digest) -> Result<Option<Vec<Descriptor>>, Error> {
        let mut found: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        let mut read = 0_usize;
        for entry in self.all_entries()? {
            if !manifest::is_manifest(&entry) || found.contains_key(&entry.digest) {
                continue;
            }
            read += 1;
            if read > DOCUMENTS {
                return Err(Error::TooLarge { what: self.name(), limit: format!("{DOCUMENTS} manifests") });
            }
            let raw = match self.manifest(&entry.digest, Some(entry.size)) {
                // Layouts may be sparse: the images of other platforms need not be there.
                Err(Error::Incomplete { .. }) if entry.platform.is_some() => continue,
                other => other?,
            };
            let Document::Manifest(document) = manifest::parse(&raw)? else { continue };
            if document.subject.is_some_and(|about| about.digest == *subject) {
                let artifact_type = document.artifact_type.or(entry.artifact_type).unwrap_or(document.config.media_type);
                let descriptor = Descriptor {
                    media_type: raw.media_type,
                    artifact_type: Some(artifact_type),
                    annotations: document.annotations,
                    ..entry
                };
                found.insert(descriptor.digest.clone(), descriptor);
            }
        }
        if let Some(raw) = self.tagged(&format!("{}-{}", subject.algorithm().name(), subject.hex()))? {
            // With nothing but the fallback tag the caller reads that tag itself and knows the place.
            if found.is_empty() {
                return Ok(None);
            }
            if let Document::Index(document) = manifest::parse(&raw)? {
                for entry in document.manifests {
                    found.entry(entry.digest.clone()).or_insert(entry);
                }
            }
        }
        Ok(Some(found.into_values().collect()))
    }
}

/// The names that an entry carries.
fn tags(entry: &Descriptor) -> impl Iterator<Item = &str> {
    [IMAGE_NAME, REF_NAME].into_iter().filter_map(|key| entry.annotations.get(key)).map(String::as_str)
}

/// Whether an entry may be an image, as far as the index alone tells.
fn may_be_image(entry: &Descriptor) -> bool {
    let signature_tag = |name: &str| {
        let tag = name.rsplit_once(':').map_or(name, |(_, tag)| tag);
        tag.strip_prefix("sha256-").is_some_and(|rest| rest.get(..64).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())))
    };
    (manifest::is_index(entry) || manifest::is_manifest(entry))
        && !runs_nowhere(entry)
        // Runtimes go by the platform, whatever else an entry is said to be.
        && (entry.platform.is_some() || (entry.artifact_type.is_none() && !entry.annotations.contains_key("vnd.docker.reference.type")))
        && !tags(entry).any(signature_tag)
        && !entry.annotations.get(KIND).is_some_and(|kind| kind.starts_with("dev.cosignproject.cosign/") && !kind.contains("/image"))
}

/// Whether an entry of an index is for no platform, as BuildKit's attestations beside an image are: no runtime ever takes it.
pub(super) fn runs_nowhere(entry: &Descriptor) -> bool {
    entry.platform.as_ref().is_some_and(|platform| platform.os == "unknown" && platform.architecture == "unknown")
}

impl ImageSource for Layout {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        ready(self.root()).boxed()
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        let read = || if *digest == self.index.digest { Ok(self.index.clone()) } else { self.listed(self.manifest(digest, None)?) };
        ready(read()).boxed()
    }

    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        ready(self.tagged(tag)).boxed()
    }

    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        ready(self.referrers(subject)).boxed()
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        let read = || {
            blob::check_cap(descriptor, cap)?;
            let opened = self.store.open(&blob_name(&descriptor.digest))?.ok_or_else(|| self.store.missing(&descriptor.digest))?;
            blob::read_all(opened.reader, descriptor, cap)
        };
        ready(read()).boxed()
    }

    fn open_blob<'a>(&'a self, descriptor: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        ready(self.store.open_blob(descriptor)).boxed()
    }

    fn holds_signatures(&self) -> bool {
        matches!(self.origin, Origin::Layout)
    }

    fn knows_manifest_digest(&self) -> bool {
        match &self.origin {
            Origin::Layout | Origin::Saved(_) => true,
            Origin::Daemon(digests) => {
                let mut own = self.entries.iter().map(|entry| &entry.digest).chain([&self.index.digest]);
                own.any(|digest| digests.contains(digest))
            }
        }
    }
}

#[cfg(test)]
mod tests;
