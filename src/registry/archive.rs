//! `docker-archive:FILE[:TAG]`: the output of `docker save`, `podman save` or `skopeo copy docker-archive:`.
//! In: a tar with `manifest.json` (<https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format>);
//! out: the image in it. One that is an OCI layout as well is read as that; for the others a schema 2 manifest is made, always the same for the same image.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
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
        Error, ImageSource, RawManifest, blob,
        error::shown,
        layout::Layout,
        manifest::{self, CONFIG_BYTES, LAYERS, MANIFEST_BYTES},
        store::{Opened, Store, checked},
    },
};

/// Most entries of an archive.
const ENTRIES: usize = 100_000;
/// Most bytes of a long name or a PAX record.
const NAME_BYTES: u64 = 1 << 20;
/// Most links that are followed from one name.
const HOPS: usize = 8;

/// Where every file of a tar begins and how long it is.
pub(super) struct TarIndex {
    path: PathBuf,
    files: BTreeMap<String, (u64, u64)>,
    links: BTreeMap<String, String>,
}

impl TarIndex {
    /// Reads all headers of the tar at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::Read { path: path.to_owned(), source };
        let what = || path.display().to_string();
        let malformed = |reason: &str| Error::Malformed { what: what(), reason: reason.to_owned() };
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Error::NotAnArchive { path: path.to_owned(), reason: "it is no regular file" });
        }
        let mut magic = Vec::new();
        File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic)).map_err(failed)?;
        if magic.starts_with(&[0x1f, 0x8b]) || magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            return Err(malformed("it is compressed as a whole; decompress it first, for example with `gunzip` or `zstd -d`"));
        }
        let length = std::fs::metadata(path).map_err(failed)?.len();
        if !begins_like_tar(path).map_err(failed)? {
            return Err(Error::NotAnArchive { path: path.to_owned(), reason: "it is no tar file" });
        }
        let mut archive = tar::Archive::new(File::open(path).map_err(failed)?);
        let mut index = Self { path: path.to_owned(), files: BTreeMap::new(), links: BTreeMap::new() };
        let (mut long_name, mut long_link) = (None, None);
        // Raw entries, because the tar crate would hold long names of any length in memory.
        for (count, entry) in archive.entries_with_seek().map_err(failed)?.raw(true).enumerate() {
            if count >= ENTRIES {
                return Err(Error::TooLarge { what: what(), limit: format!("{ENTRIES} entries") });
            }
            let mut entry = entry.map_err(failed)?;
            let kind = entry.header().entry_type();
            if kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions() {
                let mut text = Vec::new();
                if entry.size() > NAME_BYTES {
                    return Err(Error::TooLarge { what: format!("a name in {}", what()), limit: format!("{NAME_BYTES} bytes") });
                }
                entry.read_to_end(&mut text).map_err(failed)?;
                let trimmed = || String::from_utf8_lossy(text.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
                if kind.is_gnu_longname() {
                    long_name = Some(trimmed());
                } else if kind.is_gnu_longlink() {
                    long_link = Some(trimmed());
                } else {
                    for record in tar::PaxExtensions::new(&text) {
                        let record = record.map_err(failed)?;
                        let value = || String::from_utf8_lossy(record.value_bytes()).into_owned();
                        match record.key_bytes() {
                            b"path" => long_name = Some(value()),
                            b"linkpath" => long_link = Some(value()),
                            b"size" => return Err(malformed("an entry has its size in a PAX record, which is not supported")),
                            _ => {}
                        }
                    }
                }
                continue;
            }
            let name = normal(&long_name.take().unwrap_or_else(|| String::from_utf8_lossy(&entry.path_bytes()).into_owned()));
            let link = long_link.take().or_else(|| entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned()));
            if kind.is_file() {
                let (offset, size) = (entry.raw_file_position(), entry.size());
                if offset.checked_add(size).is_none_or(|end| end > length) {
                    return Err(malformed("it is cut short"));
                }
                index.links.remove(&name);
                index.files.insert(name, (offset, size));
            } else if let Some(link) = link.filter(|_| kind.is_symlink() || kind.is_hard_link()) {
                let target = if kind.is_hard_link() { normal(&link) } else { beside(&name, &link) };
                index.files.remove(&name);
                index.links.insert(name, target);
            }
        }
        Ok(index)
    }

    /// The tar file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Offset and size of a file, links inside the archive followed.
    pub(super) fn find(&self, name: &str) -> Option<(u64, u64)> {
        let mut name = normal(name);
        for _ in 0..HOPS {
            if let Some(found) = self.files.get(&name) {
                return Some(*found);
            }
            name = self.links.get(&name)?.clone();
        }
        None
    }
}

/// Whether the first block is a tar header with a right checksum, or the end of an empty tar.
fn begins_like_tar(path: &Path) -> io::Result<bool> {
    let mut block = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut block)?;
    let mut header = tar::Header::new_old();
    if block.len() != header.as_bytes().len() {
        return Ok(false);
    }
    header.as_mut_bytes().copy_from_slice(&block);
    let sum: u32 = block.iter().enumerate().map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) }).sum();
    Ok(header.cksum().is_ok_and(|written| written == sum) || block.iter().all(|&byte| byte == 0))
}

/// A name without leading slashes, `.` components, or a way out.
fn normal(name: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Where a symbolic link at `name` points to, within the archive.
fn beside(name: &str, link: &str) -> String {
    match name.rsplit_once('/') {
        Some((folder, _)) if !link.starts_with('/') => normal(&format!("{folder}/{link}")),
        _ => normal(link),
    }
}

/// Opens an archive. The path may still hold a colon that belongs to the tag (`FILE:name:tag`), so the longest existing file counts.
pub(super) async fn open(path: &Path, tag: Option<&str>) -> Result<Arc<dyn ImageSource>, Error> {
    let (path, tag) = split(path, tag);
    let opened = tokio::task::spawn_blocking(move || open_blocking(&path, tag.as_deref())).await;
    opened.map_err(|_| Error::SetUp("reading the archive was interrupted".to_owned()))?
}

fn split(path: &Path, tag: Option<&str>) -> (PathBuf, Option<String>) {
    let whole = (path.to_owned(), tag.map(str::to_owned));
    let Some(text) = path.to_str().filter(|_| !path.exists()) else { return whole };
    let candidates = text.rmatch_indices(':').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    for (file, rest) in candidates {
        if Path::new(file).is_file() {
            let tag = tag.map_or_else(|| rest.to_owned(), |tag| format!("{rest}:{tag}"));
            return (PathBuf::from(file), Some(tag));
        }
    }
    whole
}

fn open_blocking(path: &Path, tag: Option<&str>) -> Result<Arc<dyn ImageSource>, Error> {
    let index = TarIndex::read(path)?;
    if index.find("oci-layout").is_some() && index.find("index.json").is_some() {
        return Ok(Arc::new(Layout::of_archive(index, tag)?));
    }
    Ok(Arc::new(Archive::read(index, tag)?))
}

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
struct Archive {
    store: Store,
    root: RawManifest,
    blobs: BTreeMap<Digest, String>,
}

impl Archive {
    fn read(index: TarIndex, tag: Option<&str>) -> Result<Self, Error> {
        let what = index.path().display().to_string();
        let store = Store::Tar(index);
        let absent = |name: &str| Error::Malformed { what: what.clone(), reason: format!("it has no `{}`", shown(name)) };
        let bare = || Error::NotAnArchive {
            path: store.path().to_owned(),
            reason: "the tar has neither a `manifest.json` nor an OCI layout in it",
        };
        let listing = store.read("manifest.json", MANIFEST_BYTES)?.ok_or_else(bare)?;
        let images: Vec<Saved> = serde_json::from_slice(&listing)
            .map_err(|error| Error::Malformed { what: format!("manifest.json of {what}"), reason: shown(&error.to_string()) })?;
        let image = choose(images, tag, &what)?;

        let config = store.read(&image.config, CONFIG_BYTES)?.ok_or_else(|| absent(&image.config))?;
        let diff_ids = manifest::parse_config(&config, &format!("configuration in {what}"))?.config.diff_ids;
        let names = image.layers.unwrap_or_default();
        if names.len() > LAYERS {
            return Err(Error::TooLarge { what, limit: format!("{LAYERS} layers") });
        }
        let config_digest = Digest::sha256_of(&config);
        let mut blobs = BTreeMap::from([(config_digest.clone(), image.config)]);
        let mut layers = Vec::new();
        for (place, name) in names.into_iter().enumerate() {
            let opened = store.open(&name)?.ok_or_else(|| absent(&name))?;
            let size = opened.size;
            let (digest, kind) =
                identify(opened, diff_ids.get(place)).map_err(|source| Error::Read { path: store.path().join(&name), source })?;
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

/// Digest and media type of a layer file. The digest of an uncompressed one is its diff id, which need not be computed here
/// because it is checked when the layer is read.
fn identify(opened: Opened, diff_id: Option<&Digest>) -> io::Result<(Digest, &'static str)> {
    let mut reader = opened.reader;
    let mut head = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut head)?;
    let kind = if head.starts_with(&[0x1f, 0x8b]) {
        "application/vnd.docker.image.rootfs.diff.tar.gzip"
    } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        "application/vnd.docker.image.rootfs.diff.tar.zstd"
    } else {
        "application/vnd.docker.image.rootfs.diff.tar"
    };
    if let Some(diff_id) = diff_id.filter(|_| kind.ends_with(".tar")) {
        return Ok((diff_id.clone(), kind));
    }
    let mut hasher = Hasher::new(Algorithm::Sha256);
    hasher.update(&head);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = reader.read(&mut buffer)?;
        match buffer.get(..count).unwrap_or_default() {
            [] => return Ok((hasher.finish(), kind)),
            bytes => hasher.update(bytes),
        }
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
        (1, _) => images.pop().ok_or_else(|| Error::NotFound { what: what.to_owned(), there }),
        (0, Some(wanted)) => Err(Error::NotFound { what: format!("{} in {what}", shown(wanted)), there }),
        (0, None) => Err(Error::NotFound { what: format!("any image in {what}"), there }),
        _ => Err(Error::Ambiguous { what: what.to_owned(), there }),
    }
}

/// Whether a stored name is the wanted one: whole, as a tag alone, as a config digest, or after Docker's defaults.
pub(super) fn same_name(stored: &str, wanted: &str) -> bool {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{image::Platform, reference::ImageReference},
        registry::resolve,
    };

    enum Member<'a> {
        File(&'a [u8]),
        Link(&'a str),
    }

    fn tar_of(folder: &Path, members: &[(&str, Member<'_>)]) -> PathBuf {
        let path = folder.join("saved.tar");
        let mut builder = tar::Builder::new(File::create(&path).expect("file"));
        for (name, member) in members {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            match member {
                Member::File(bytes) => {
                    header.set_size(bytes.len() as u64);
                    builder.append_data(&mut header, name, *bytes).expect("member");
                }
                Member::Link(target) => {
                    header.set_size(0);
                    header.set_entry_type(tar::EntryType::Symlink);
                    builder.append_link(&mut header, name, target).expect("link");
                }
            }
        }
        builder.finish().expect("tar");
        path
    }

    fn config(layers: &[&[u8]]) -> String {
        let ids: Vec<_> = layers.iter().map(|layer| Digest::sha256_of(layer).to_string()).collect();
        serde_json::json!({ "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": ids } }).to_string()
    }

    async fn resolved(path: &Path, tag: Option<&str>) -> Result<(Vec<Vec<u8>>, String), Error> {
        let reference = ImageReference::DockerArchive { path: path.to_owned(), tag: tag.map(str::to_owned) };
        let source = open(path, tag).await?;
        let host = Platform::parse("linux/amd64").expect("platform");
        let image = resolve(source.as_ref(), &reference, None, &host).await?;
        let mut layers = Vec::new();
        for layer in &image.layers {
            let mut bytes = Vec::new();
            let mut reader = source.open_blob(&layer.descriptor).await?;
            reader.read_to_end(&mut bytes).map_err(|source| Error::Read { path: path.to_owned(), source })?;
            layers.push(bytes);
        }
        Ok((layers, image.digest().to_string()))
    }

    #[tokio::test]
    async fn reads_old_archives_with_links_and_makes_the_same_manifest_every_time() {
        let folder = tempfile::tempdir().expect("folder");
        let long = format!("{}/layer.tar", "d".repeat(150));
        let listing = format!(r#"[{{"Config":"c.json","RepoTags":["app:1"],"Layers":["a/layer.tar","b/layer.tar","{long}"]}}]"#);
        let config = config(&[b"one", b"one", b"two"]);
        let path = tar_of(
            folder.path(),
            &[
                ("a/layer.tar", Member::File(b"one")),
                ("b/layer.tar", Member::Link("../a/layer.tar")),
                (&long, Member::File(b"two")),
                ("c.json", Member::File(config.as_bytes())),
                ("manifest.json", Member::File(listing.as_bytes())),
            ],
        );
        let (layers, digest) = resolved(&path, None).await.expect("image");
        assert_eq!(layers, [b"one".to_vec(), b"one".to_vec(), b"two".to_vec()]);
        for tag in ["1", "app:1", "docker.io/library/app:1"] {
            assert_eq!(resolved(&path, Some(tag)).await.expect(tag).1, digest);
        }
        assert!(matches!(resolved(&path, Some("2")).await, Err(Error::NotFound { there, .. }) if there == ["app:1"]));
        let with_name = PathBuf::from(format!("{}:app", path.display()));
        assert_eq!(resolved(&with_name, Some("1")).await.expect("name and tag").1, digest);
    }

    #[tokio::test]
    async fn exchanged_layers_and_loops_are_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let listing = r#"[{"Config":"c.json","Layers":["l.tar"]}]"#;
        let config = config(&[b"one"]);
        let files =
            |layer| [("c.json", Member::File(config.as_bytes())), ("manifest.json", Member::File(listing.as_bytes())), ("l.tar", layer)];
        let exchanged = resolved(&tar_of(folder.path(), &files(Member::File(b"two"))), None).await;
        assert!(matches!(exchanged, Err(Error::Read { source, .. }) if source.kind() == io::ErrorKind::InvalidData));
        let looped = resolved(&tar_of(folder.path(), &files(Member::Link("l.tar"))), None).await;
        assert!(matches!(looped, Err(Error::Malformed { .. })));
        let outside = resolved(&tar_of(folder.path(), &files(Member::Link("../../../../etc/passwd"))), None).await;
        assert!(matches!(outside, Err(Error::Malformed { .. })));
    }

    #[tokio::test]
    async fn what_is_no_archive_is_told_plainly_and_with_a_way_out() {
        let folder = tempfile::tempdir().expect("folder");
        let file = |bytes: &[u8]| {
            let path = folder.path().join("file");
            std::fs::write(&path, bytes).expect("file");
            path
        };
        let check = async |path: &Path, reason: &str| {
            let error = resolved(path, None).await.expect_err(reason);
            assert_eq!(error.to_string(), format!("{} is no image archive: {reason}", path.display()));
            assert!(error.hint().is_some_and(|hint| hint.contains("docker save") && hint.contains("oci:DIR")));
        };
        for bytes in [&b"FROM scratch\n"[..], b"", &[b'x'; 2_000], &[0; 100]] {
            check(&file(bytes), "it is no tar file").await;
        }
        check(folder.path(), "it is no regular file").await;
        let exported = tar_of(folder.path(), &[("etc/os-release", Member::File(b"ID=x"))]);
        check(&exported, "the tar has neither a `manifest.json` nor an OCI layout in it").await;
    }

    #[tokio::test]
    async fn several_images_need_a_tag() {
        let folder = tempfile::tempdir().expect("folder");
        let config = config(&[]);
        let listing = r#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":[]},{"Config":"c.json","RepoTags":["b:1"],"Layers":null}]"#;
        let path =
            tar_of(folder.path(), &[("c.json", Member::File(config.as_bytes())), ("manifest.json", Member::File(listing.as_bytes()))]);
        assert!(matches!(resolved(&path, None).await, Err(Error::Ambiguous { there, .. }) if there == ["a:1", "b:1"]));
        assert!(resolved(&path, Some("b:1")).await.is_ok());
    }

    #[test]
    fn damaged_archives_are_errors() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("x.tar");
        for bytes in [&b"\x1f\x8b\x08\x00rest"[..], b"not a tar at all", &[0xff; 2048]] {
            std::fs::write(&path, bytes).expect("file");
            assert!(open_blocking(&path, None).is_err());
        }
    }
}
