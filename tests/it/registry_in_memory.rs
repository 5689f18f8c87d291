//! A repository held in memory, with the manners of registries that the signing tests need.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::Path,
    sync::Arc,
};

use futures_util::future::BoxFuture;
use plimsoll::{
    model::{
        attestation::Verification,
        digest::Digest,
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice, ResolvedImage},
        reference::ImageReference,
    },
    registry::{Error, ImageSource, RawManifest},
    verify::{Limits, Sigstore, Trust, TrustedKey, Verifier},
};
use serde_json::{Value, json};

use crate::sign_image;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(crate) const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const KEY: &str = include_str!("../../testdata/verify/keys/p256.key");
pub(crate) const PUBLIC: &str = include_str!("../../testdata/verify/keys/p256.pub");

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referrers {
    Api,
    FallbackTag,
}

/// One repository, with the manners of the fixture server.
#[derive(Clone)]
pub(crate) struct Repository {
    pub(crate) root: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) referrers: BTreeMap<String, Vec<Value>>,
    pub(crate) blobs: BTreeMap<String, Vec<u8>>,
    pub(crate) lies: BTreeSet<String>,
    pub(crate) endless: BTreeSet<String>,
    pub(crate) manner: Referrers,
    pub(crate) stalls: bool,
    pub(crate) holds_signatures: bool,
}

impl Repository {
    pub(crate) fn empty() -> Self {
        Self {
            root: String::new(),
            tags: BTreeMap::new(),
            types: BTreeMap::new(),
            referrers: BTreeMap::new(),
            blobs: BTreeMap::new(),
            lies: BTreeSet::new(),
            endless: BTreeSet::new(),
            manner: Referrers::Api,
            stalls: false,
            holds_signatures: true,
        }
    }

    pub(crate) fn of_fixtures(folder: &Path, name: &str, tag: &str, manner: Referrers) -> Self {
        let repos: Value = read_json(&folder.join("repos.json"));
        let repo = &repos[name];
        let texts = |value: &Value| -> BTreeMap<String, String> {
            value.as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.as_str().expect("text").to_owned())).collect()
        };
        let mut new = Self { tags: texts(&repo["tags"]), types: texts(&repo["manifests"]), manner, ..Self::empty() };
        new.root = new.tags[tag].clone();
        // A client that believes the body and not the header sees what is served.
        if repo["lie_header"]["tag"] == tag {
            new.root = repo["lie_header"]["serve"].as_str().expect("digest").to_owned();
        }
        for (subject, list) in repo["referrers"].as_object().into_iter().flatten() {
            new.referrers.insert(subject.clone(), list.as_array().expect("list").clone());
        }
        new.lies = texts(&repo["lie_blob"]).into_keys().collect();
        new.endless = repo["endless_blob"].as_array().into_iter().flatten().map(|d| d.as_str().expect("digest").to_owned()).collect();
        for entry in fs::read_dir(folder.join("blobs/sha256")).expect("blobs") {
            let path = entry.expect("entry").path();
            new.blobs.insert(format!("sha256:{}", path.file_name().expect("name").to_string_lossy()), fs::read(&path).expect("blob"));
        }
        new
    }

    pub(crate) fn put_blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        self.blobs.insert(digest.to_string(), bytes.to_vec());
        digest
    }

    pub(crate) fn put_manifest(&mut self, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Digest {
        let digest = self.put_blob(bytes);
        self.types.insert(digest.to_string(), media_type.to_owned());
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest.to_string());
        }
        digest
    }

    /// An image with no layers; its signatures are what matters here.
    pub(crate) fn put_image(&mut self) -> Digest {
        let digest = self.put_manifest(br#"{"schemaVersion":2,"layers":[]}"#, MANIFEST, Some("v1"));
        self.root = digest.to_string();
        digest
    }

    pub(crate) fn put_referrer(&mut self, subject: &Digest, layer_type: &str, layer: &[u8], config: &str) {
        let blob = self.put_blob(layer);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": config, "digest": Digest::sha256_of(b"{}").to_string(), "size": 2 },
            "layers": [{ "mediaType": layer_type, "digest": blob.to_string(), "size": layer.len() }],
        })
        .to_string();
        let digest = self.put_manifest(manifest.as_bytes(), MANIFEST, None);
        self.referrers
            .entry(subject.to_string())
            .or_default()
            .push(json!({ "mediaType": MANIFEST, "digest": digest.to_string(), "size": manifest.len() }));
    }

    pub(crate) fn sign(&mut self, image: &Digest, reference: &str) {
        let (payload, signature) = sign_image::cosign_signature_manifest(image, reference, KEY);
        let (manifest, _config) = sign_image::signature_manifest(&payload, &signature);
        self.put_blob(&payload);
        self.put_manifest(&manifest, MANIFEST, Some(&sign_image::signature_tag(image)));
    }

    pub(crate) fn manifest(&self, digest: &str) -> RawManifest {
        let bytes = self.blobs[digest].clone();
        RawManifest { digest: Digest::sha256_of(&bytes), bytes, media_type: self.types[digest].clone() }
    }
}

impl ImageSource for Repository {
    fn fetch_root(&self) -> BoxFuture<'_, Result<RawManifest, Error>> {
        Box::pin(async { Ok(self.manifest(&self.root)) })
    }

    fn fetch_manifest<'a>(&'a self, digest: &'a Digest) -> BoxFuture<'a, Result<RawManifest, Error>> {
        Box::pin(async move { Ok(self.manifest(&digest.to_string())) })
    }

    fn fetch_tag<'a>(&'a self, tag: &'a str) -> BoxFuture<'a, Result<Option<RawManifest>, Error>> {
        Box::pin(async move {
            if self.stalls {
                std::future::pending::<()>().await;
            }
            let subject = tag.replacen('-', ":", 1);
            if self.manner == Referrers::FallbackTag && self.referrers.contains_key(&subject) {
                let bytes =
                    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.referrers[&subject] }).to_string().into_bytes();
                return Ok(Some(RawManifest { digest: Digest::sha256_of(&bytes), bytes, media_type: INDEX.to_owned() }));
            }
            Ok(self.tags.get(tag).map(|digest| self.manifest(digest)))
        })
    }

    fn fetch_referrers<'a>(&'a self, subject: &'a Digest) -> BoxFuture<'a, Result<Option<Vec<Descriptor>>, Error>> {
        Box::pin(async move {
            let list = self.referrers.get(&subject.to_string()).into_iter().flatten().map(descriptor).collect();
            Ok((self.manner == Referrers::Api).then_some(list))
        })
    }

    fn fetch_blob<'a>(&'a self, descriptor: &'a Descriptor, cap: u64) -> BoxFuture<'a, Result<Vec<u8>, Error>> {
        Box::pin(async move {
            let name = descriptor.digest.to_string();
            assert!(descriptor.size <= cap && !self.endless.contains(&name), "asked for more than it may: {name}");
            if self.lies.contains(&name) {
                return Err(Error::DigestMismatch { what: "layer".to_owned(), expected: descriptor.digest.clone() });
            }
            Ok(self.blobs[&name].clone())
        })
    }

    fn open_blob<'a>(&'a self, _: &'a Descriptor) -> BoxFuture<'a, Result<Box<dyn Read + Send>, Error>> {
        Box::pin(async { panic!("verification streams no blobs") })
    }

    fn holds_signatures(&self) -> bool {
        self.holds_signatures
    }
}

pub(crate) fn descriptor(value: &Value) -> Descriptor {
    Descriptor {
        media_type: value["mediaType"].as_str().unwrap_or_default().to_owned(),
        digest: Digest::parse(value["digest"].as_str().expect("digest")).expect("digest"),
        size: value["size"].as_u64().expect("size"),
        urls: Vec::new(),
        annotations: BTreeMap::new(),
        artifact_type: value["artifactType"].as_str().map(str::to_owned),
        platform: None,
    }
}

pub(crate) fn image(reference: &str, digest: &Digest, index_digest: Option<Digest>) -> ResolvedImage {
    let config = descriptor(&json!({ "digest": digest.to_string(), "size": 0 }));
    ResolvedImage {
        reference: ImageReference::parse(reference).expect("reference"),
        index_digest,
        platform: Platform::parse("linux/amd64").expect("platform"),
        platform_choice: PlatformChoice::Only,
        manifest: Manifest {
            digest: digest.clone(),
            media_type: MANIFEST.to_owned(),
            size: 0,
            config,
            layers: Vec::new(),
            annotations: BTreeMap::new(),
        },
        config: ImageConfig::default(),
        layers: Vec::new(),
    }
}

pub(crate) fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("readable file")).expect("JSON")
}

pub(crate) fn verify_with(
    repo: &Repository,
    trust: Trust,
    references: BTreeMap<String, String>,
    limits: Limits,
    image: &ResolvedImage,
) -> Verification {
    let verifier = Sigstore::new(Arc::new(repo.clone()), trust, references, limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
    runtime.block_on(verifier.verify(image)).expect("verification")
}

pub(crate) fn verify(repo: &Repository, reference: &str, digest: &Digest) -> Verification {
    verify_with(repo, our_key(), BTreeMap::new(), Limits::default(), &image(reference, digest, None))
}

pub(crate) fn our_key() -> Trust {
    Trust { keys: vec![TrustedKey::parse("ours", PUBLIC).expect("key")], trusted_root: None }
}

pub(crate) fn codes(facts: &Verification) -> BTreeSet<&'static str> {
    facts.faults.iter().map(|fault| fault.code).chain(facts.gaps.iter().map(|gap| gap.kind)).collect()
}
