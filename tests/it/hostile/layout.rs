//! Writes image layouts that may lie about anything, into a folder of their own.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use plimsoll::model::digest::Digest;
use serde_json::{Value, json};

use super::tars::Tar;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// An image layout.
pub(crate) struct Layout {
    folder: tempfile::TempDir,
}

/// A layer: what its blob holds, and what comes out of it.
pub(crate) struct Blob {
    pub(crate) tar: Vec<u8>,
    pub(crate) packed: Vec<u8>,
    pub(crate) media_type: &'static str,
}

/// What is changed of an honest image's documents before they are written.
pub(crate) struct Lies {
    pub(crate) config: fn(&mut Value),
    pub(crate) manifest: fn(&mut Value),
    pub(crate) index: fn(&mut Value),
}

impl Default for Lies {
    fn default() -> Self {
        Self { config: |_| {}, manifest: |_| {}, index: |_| {} }
    }
}

impl Layout {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        fs::create_dir_all(folder.path().join("blobs/sha256")).expect("blobs");
        let layout = Self { folder };
        layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
        layout
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path().join(name), bytes).expect("file");
    }

    /// The file of a blob.
    pub(crate) fn blob_path(&self, digest: &Value) -> PathBuf {
        self.path().join(digest.as_str().expect("digest").replace("sha256:", "blobs/sha256/"))
    }

    /// Writes a blob; its descriptor.
    pub(crate) fn blob(&self, bytes: &[u8]) -> Value {
        let digest = Digest::sha256_of(bytes);
        self.write(&format!("blobs/sha256/{}", digest.hex()), bytes);
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    }

    /// Writes an honest image; the descriptors of its layers.
    pub(crate) fn image(&self, layers: &[Blob]) -> Vec<Value> {
        self.image_with(layers, &Lies::default())
    }

    /// Writes an image whose documents say what `lies` make of them; the descriptors of its layers.
    pub(crate) fn image_with(&self, layers: &[Blob], lies: &Lies) -> Vec<Value> {
        let (mut manifest, descriptors) = self.manifest(layers, lies.config);
        (lies.manifest)(&mut manifest);
        self.index_of(manifest.to_string().as_bytes(), lies.index);
        descriptors
    }

    /// Writes layers and a configuration, changed by `change`; the manifest, which is not written, and the descriptors of the layers.
    pub(crate) fn manifest(&self, layers: &[Blob], change: impl FnOnce(&mut Value)) -> (Value, Vec<Value>) {
        let mut descriptors = Vec::new();
        let mut diff_ids = Vec::new();
        for layer in layers {
            let mut descriptor = self.blob(&layer.packed);
            descriptor["mediaType"] = layer.media_type.into();
            descriptors.push(descriptor);
            diff_ids.push(Digest::sha256_of(&layer.tar).to_string());
        }
        let mut config =
            json!({ "architecture": "amd64", "os": "linux", "config": {}, "rootfs": { "type": "layers", "diff_ids": diff_ids } });
        change(&mut config);
        let mut config = self.blob(config.to_string().as_bytes());
        config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": &descriptors });
        (manifest, descriptors)
    }

    /// Writes a manifest of these bytes and the index that names it.
    pub(crate) fn index_of(&self, manifest: &[u8], lie: fn(&mut Value)) {
        let mut descriptor = self.blob(manifest);
        descriptor["mediaType"] = MANIFEST.into();
        descriptor["platform"] = json!({ "architecture": "amd64", "os": "linux" });
        let mut index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor] });
        lie(&mut index);
        self.write("index.json", index.to_string().as_bytes());
    }
}

/// A gzip layer.
pub(crate) fn gzip(tar: Vec<u8>) -> Blob {
    Blob { packed: gzipped(&tar), tar, media_type: "application/vnd.oci.image.layer.v1.tar+gzip" }
}

/// A layer as it is.
pub(crate) fn plain(tar: Vec<u8>) -> Blob {
    Blob { packed: tar.clone(), tar, media_type: "application/vnd.oci.image.layer.v1.tar" }
}

/// A layer whose blob is `packed` and that says that it is gzip.
pub(crate) fn packed(tar: Vec<u8>, packed: Vec<u8>) -> Blob {
    Blob { packed, tar, media_type: "application/vnd.oci.image.layer.v1.tar+gzip" }
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// The layer below most cases: Alpine with two packages, `musl` and `zlib`.
pub(crate) fn base() -> Blob {
    gzip(alpine().end())
}

/// What stands in [`base`].
pub(crate) fn alpine() -> Tar {
    Tar::new()
        .file("etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.20.3\n")
        .file("lib/apk/db/installed", "P:musl\nV:1.2.5-r0\nA:x86_64\n\nP:zlib\nV:1.3.1-r1\nA:x86_64\n\n")
}
