//! Tests of layouts that are built in temporary folders.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;
use crate::{
    model::{
        image::{Platform, PlatformChoice, ResolvedImage},
        reference::ImageReference,
    },
    registry::{resolve, resolve_all},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

struct Built {
    folder: tempfile::TempDir,
}

impl Built {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).expect("blobs");
        Self { folder }
    }

    fn blob(&self, bytes: &[u8]) -> Value {
        let digest = Digest::sha256_of(bytes);
        std::fs::write(self.path().join(blob_name(&digest)), bytes).expect("blob");
        json!({ "digest": digest.to_string(), "size": bytes.len() })
    }

    fn document(&self, media_type: &str, body: &Value) -> Value {
        let mut descriptor = self.blob(body.to_string().as_bytes());
        descriptor["mediaType"] = media_type.into();
        descriptor
    }

    /// An image with one layer whose content is `text`.
    fn image(&self, architecture: &str, text: &str) -> Value {
        let diff_ids = [Digest::sha256_of(text.as_bytes()).to_string()];
        let config =
            self.blob(json!({ "os": "linux", "architecture": architecture, "rootfs": { "diff_ids": diff_ids } }).to_string().as_bytes());
        let mut descriptor =
            self.document(MANIFEST, &json!({ "schemaVersion": 2, "config": config, "layers": [self.blob(text.as_bytes())] }));
        descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        descriptor
    }

    fn index(&self, entries: &[Value]) {
        std::fs::write(self.path().join("index.json"), json!({ "manifests": entries }).to_string()).expect("index");
    }

    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    async fn resolve(&self, tag: Option<&str>, wanted: Option<&str>) -> Result<ResolvedImage, Error> {
        let layout = Layout::open(&self.path(), tag)?;
        let reference = ImageReference::OciLayout { path: self.path(), tag: tag.map(str::to_owned) };
        let host = Platform::parse("linux/amd64").expect("platform");
        let wanted = wanted.map(|text| Platform::parse(text).expect("platform"));
        let image = resolve(&layout, &reference, wanted.as_ref(), &host).await?;
        for layer in &image.layers {
            let mut bytes = Vec::new();
            layout
                .open_blob(&layer.descriptor)
                .await?
                .read_to_end(&mut bytes)
                .map_err(|source| Error::Read { path: self.path(), source })?;
        }
        Ok(image)
    }
}

fn named(mut descriptor: Value, name: &str) -> Value {
    descriptor["annotations"] = json!({ REF_NAME: name });
    descriptor
}

fn digest_of(descriptor: &Value) -> Digest {
    Digest::parse(descriptor["digest"].as_str().expect("text")).expect("digest")
}

#[tokio::test]
async fn a_single_image_needs_no_tag_and_keeps_its_platform() {
    let built = Built::new();
    let image = built.image("arm64", "layer");
    built.index(&[named(image.clone(), "v1")]);
    let resolved = built.resolve(None, None).await.expect("image");
    assert_eq!((resolved.digest(), resolved.platform_choice), (&digest_of(&image), PlatformChoice::Only));
    assert_eq!(resolved.platform.to_string(), "linux/arm64");
    assert!(built.resolve(Some("v1"), Some("linux/arm64/v8")).await.is_ok());
    assert!(built.resolve(Some(&digest_of(&image).to_string()), None).await.is_ok());
    assert!(matches!(built.resolve(None, Some("linux/s390x")).await, Err(Error::NoSuchPlatform { there, .. }) if there == ["linux/arm64"]));
    assert!(matches!(built.resolve(Some("v2"), None).await, Err(Error::NotFound { there, .. }) if there == ["v1"]));
}

#[tokio::test]
async fn several_images_need_a_tag_but_signatures_do_not_count() {
    let built = Built::new();
    let (one, two) = (built.image("amd64", "one"), built.image("amd64", "two"));
    built.index(&[named(one.clone(), "one"), named(two.clone(), "two")]);
    assert!(matches!(built.resolve(None, None).await, Err(Error::Ambiguous { there, .. }) if there == ["one", "two"]));
    assert_eq!(built.resolve(Some("two"), None).await.expect("two").digest(), &digest_of(&two));
    let signature = named(two, &format!("sha256-{}.sig", digest_of(&one).hex()));
    built.index(&[signature, named(one.clone(), "docker.io/library/app:one")]);
    assert_eq!(built.resolve(None, None).await.expect("one").digest(), &digest_of(&one));
    assert_eq!(built.resolve(Some("app:one"), None).await.expect("one").digest(), &digest_of(&one));
}

#[tokio::test]
async fn platforms_are_chosen_through_nested_indexes_and_attestations_never() {
    let built = Built::new();
    let (amd, arm) = (built.image("amd64", "amd"), built.image("arm64", "arm"));
    let mut attestation = built.image("amd64", "attestation");
    attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let inner = built.document(INDEX, &json!({ "schemaVersion": 2, "manifests": [attestation, arm, amd] }));
    let outer = built.document(INDEX, &json!({ "manifests": [inner.clone()] }));
    built.index(std::slice::from_ref(&outer));
    let host = built.resolve(None, None).await.expect("host's");
    assert_eq!(
        (host.digest(), host.platform_choice, host.index_digest.clone()),
        (&digest_of(&amd), PlatformChoice::Host, Some(digest_of(&outer)))
    );
    let asked = built.resolve(None, Some("linux/arm64")).await.expect("asked");
    assert_eq!((asked.digest(), asked.platform_choice), (&digest_of(&arm), PlatformChoice::Asked));
    assert!(
        matches!(built.resolve(None, Some("linux/s390x")).await, Err(Error::NoSuchPlatform { there, .. }) if there == ["linux/amd64", "linux/arm64"])
    );
    // Untagged entries, one per platform, straight in index.json.
    built.index(&[amd, arm.clone()]);
    assert_eq!(built.resolve(None, Some("linux/arm64")).await.expect("asked").digest(), &digest_of(&arm));
}

#[tokio::test]
async fn different_images_of_one_platform_are_refused_whatever_they_are_said_to_be() {
    let built = Built::new();
    let (one, two, arm) = (built.image("amd64", "one"), built.image("amd64", "two"), built.image("arm64", "arm"));
    let with = |key: &str, value: Value| {
        let mut entry = two.clone();
        entry[key] = value;
        entry
    };
    let named_otherwise = built.image("x86_64", "two");
    for entry in [
        two.clone(),
        named_otherwise,
        with("artifactType", "application/x".into()),
        with("annotations", json!({ "vnd.docker.reference.type": "attestation-manifest" })),
        with("mediaType", "application/x".into()),
        with("platform", Value::Null),
        with("platform", json!({ "os": "linux", "architecture": "amd64", "variant": "v1" })),
        with("platform", json!({ "os": "linux", "architecture": "amd64", "os.version": "1" })),
        built.document(INDEX, &json!({ "manifests": [two] })),
    ] {
        let index = built.document(INDEX, &json!({ "manifests": [entry, one, arm] }));
        built.index(std::slice::from_ref(&index));
        for wanted in [None, Some("linux/amd64"), Some("linux/x86_64")] {
            let refused = built.resolve(None, wanted).await;
            assert!(
                matches!(&refused, Err(Error::SeveralForPlatform { there, .. }) if there.len() == 2 && there.iter().any(|one| one.contains(digest_of(&entry).hex()) || entry["mediaType"] == INDEX)),
                "{entry}: {refused:?}"
            );
        }
        let layout = Layout::open(&built.path(), None).expect("layout");
        let reference = ImageReference::OciLayout { path: built.path(), tag: None };
        assert_eq!(resolve_all(&layout, &reference).await.expect("all").len(), 3, "{entry}");
        assert_eq!(built.resolve(None, Some("linux/arm64")).await.expect("arm").digest(), &digest_of(&arm));
        assert!(built.resolve(Some(&digest_of(&one).to_string()), None).await.is_ok(), "by its digest");
    }
    // The same manifest twice is one image, and a plainer variant beats another.
    let newer = with("platform", json!({ "os": "linux", "architecture": "amd64", "variant": "v3" }));
    built.index(&[built.document(INDEX, &json!({ "manifests": [newer, one, one] }))]);
    assert_eq!(built.resolve(None, None).await.expect("one").digest(), &digest_of(&one));
    assert_eq!(built.resolve(None, Some("linux/amd64/v3")).await.expect("two").digest(), &digest_of(&two));
}

#[tokio::test]
async fn entries_without_platform_are_asked_themselves_and_lies_are_refused() {
    let built = Built::new();
    let mut bare = built.image("arm64", "bare");
    bare.as_object_mut().expect("object").remove("platform");
    built.index(&[built.document(INDEX, &json!({ "manifests": [bare] }))]);
    assert!(built.resolve(None, Some("linux/arm64")).await.is_ok());
    assert!(matches!(built.resolve(None, None).await, Err(Error::NoSuchPlatform { .. })));
    let mut lying = built.image("arm64", "lying");
    lying["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    built.index(&[built.document(INDEX, &json!({ "manifests": [lying] }))]);
    assert!(matches!(built.resolve(None, None).await, Err(Error::Malformed { .. })));
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let built = Built::new();
    let mut entry = built.image("amd64", "deep");
    for _ in 0..50 {
        entry = built.document(INDEX, &json!({ "manifests": [entry] }));
    }
    built.index(&[entry]);
    assert!(matches!(built.resolve(None, None).await, Err(Error::TooLarge { .. })));
}

#[tokio::test]
async fn bytes_that_are_not_promised_are_refused() {
    let built = Built::new();
    let image = built.image("amd64", "layer");
    built.index(std::slice::from_ref(&image));
    let manifest = built.path().join(blob_name(&digest_of(&image)));
    let layer = built.path().join(blob_name(&Digest::sha256_of(b"layer")));
    let sound = std::fs::read(&manifest).expect("manifest");
    std::fs::write(&layer, "lAyer").expect("exchange");
    assert!(matches!(built.resolve(None, None).await, Err(Error::Read { .. })));
    std::fs::write(&layer, "lay").expect("cut");
    assert!(matches!(built.resolve(None, None).await, Err(Error::SizeMismatch { .. })));
    std::fs::remove_file(&layer).expect("remove");
    assert!(matches!(built.resolve(None, None).await, Err(Error::Incomplete { .. })));
    let mut exchanged = sound.clone();
    exchanged[2] ^= 1;
    std::fs::write(&manifest, exchanged).expect("exchange");
    assert!(matches!(built.resolve(None, None).await, Err(Error::DigestMismatch { .. })));
    std::fs::write(&manifest, vec![b' '; 5 << 20]).expect("grow");
    assert!(matches!(built.resolve(None, None).await, Err(Error::TooLarge { .. })));
    std::fs::write(&manifest, &sound).expect("restore");
    let mut wrong_size = image;
    wrong_size["size"] = 1.into();
    built.index(std::slice::from_ref(&wrong_size));
    assert!(matches!(built.resolve(None, None).await, Err(Error::SizeMismatch { .. })));
    for digest in ["sha256:../../../../etc/passwd", "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"] {
        wrong_size["digest"] = digest.into();
        built.index(std::slice::from_ref(&wrong_size));
        assert!(matches!(built.resolve(None, None).await, Err(Error::Digest { .. })), "{digest}");
    }
}

#[tokio::test]
async fn layers_and_diff_ids_must_be_as_many_and_history_must_align() {
    let built = Built::new();
    let layer = built.blob(b"layer");
    let id = Digest::sha256_of(b"layer").to_string();
    let make = |diff_ids: &[&str], history: Value| {
        let config = built.blob(
            json!({ "os": "linux", "architecture": "amd64", "rootfs": { "diff_ids": diff_ids }, "history": history })
                .to_string()
                .as_bytes(),
        );
        built.index(&[built.document(MANIFEST, &json!({ "config": config, "layers": [layer] }))]);
    };
    make(&[&id, &id], json!([]));
    assert!(matches!(built.resolve(None, None).await, Err(Error::LayerCount { layers: 1, diff_ids: 2, .. })));
    make(&[&id], json!([{ "created_by": "ENV", "empty_layer": true }, { "created_by": "COPY" }]));
    assert_eq!(built.resolve(None, None).await.expect("image").layers[0].history, Some(1));
    make(&[&id], json!([{ "created_by": "RUN" }, { "created_by": "COPY" }]));
    assert_eq!(built.resolve(None, None).await.expect("image").layers[0].history, None);
    let chart = built.document("application/vnd.cncf.helm.config.v1+json", &json!({}));
    built.index(&[built.document(MANIFEST, &json!({ "config": chart, "layers": [] }))]);
    assert!(matches!(built.resolve(None, None).await, Err(Error::NotAnImage { .. })));
}

#[tokio::test]
async fn signatures_are_found_by_tag_by_subject_and_by_cosigns_marks() {
    let built = Built::new();
    let image = built.image("amd64", "signed");
    let subject = digest_of(&image);
    let payload = |text: &str| built.document("application/vnd.example", &json!({ "is": text }));
    let by_subject =
        built.document(MANIFEST, &json!({ "artifactType": "application/x-sig", "config": payload("c"), "layers": [], "subject": image }));
    let by_tag = built.document(MANIFEST, &json!({ "config": payload("tag"), "layers": [] }));
    let sig = format!("sha256-{}.sig", subject.hex());
    built.index(&[named(image.clone(), "v1"), by_subject.clone(), named(by_tag.clone(), &sig)]);
    assert!(built.resolve(None, None).await.is_ok(), "signatures are no images");
    let layout = Layout::open(&built.path(), None).expect("layout");
    let found = layout.fetch_referrers(&subject).await.expect("readable").expect("always an answer");
    assert_eq!(
        found.iter().map(|entry| (&entry.digest, entry.artifact_type.as_deref())).collect::<Vec<_>>(),
        [(&digest_of(&by_subject), Some("application/x-sig"))]
    );
    assert_eq!(layout.fetch_tag(&sig).await.expect("readable").map(|raw| raw.digest), Some(digest_of(&by_tag)));
    assert_eq!(layout.fetch_tag("sha256-00.att").await.expect("readable"), None);
    assert_eq!(layout.fetch_referrers(&digest_of(&by_tag)).await.expect("readable"), Some(Vec::new()));

    // Only the fallback tag: the caller is sent to it.
    let fallback = built.document(INDEX, &json!({ "manifests": [by_tag] }));
    built.index(&[named(image.clone(), "v1"), named(fallback, &format!("sha256-{}", subject.hex()))]);
    let layout = Layout::open(&built.path(), None).expect("layout");
    assert_eq!(layout.fetch_referrers(&subject).await.expect("readable"), None);

    let mark = |mut descriptor: Value, kind: &str| {
        descriptor["annotations"] = json!({ KIND: format!("dev.cosignproject.cosign/{kind}") });
        descriptor
    };
    built.index(&[mark(image, "image"), mark(by_tag.clone(), "sigs")]);
    let layout = Layout::open(&built.path(), None).expect("layout");
    assert_eq!(layout.fetch_tag(&sig).await.expect("readable").map(|raw| raw.digest), Some(digest_of(&by_tag)));
    assert!(layout.fetch_root().await.is_ok());
}

#[test]
fn folders_that_are_no_layouts_are_errors() {
    let folder = tempfile::tempdir().expect("folder");
    assert!(matches!(Layout::open(folder.path(), None), Err(Error::NotALayout { is_file: false, .. })));
    assert!(matches!(Layout::open(&folder.path().join("absent"), None), Err(Error::Read { .. })));
    std::fs::create_dir(folder.path().join("index.json")).expect("folder");
    assert!(matches!(Layout::open(folder.path(), None), Err(Error::Read { .. })));
}
