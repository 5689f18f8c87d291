//! Signatures end to end: the fixture cases over an in-memory registry, and what happens when places are missing, odd or slow.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::BoxFuture;
use plimsoll::{
    model::{
        attestation::{Place, SignerIdentity, Verification},
        digest::Digest,
        image::{Descriptor, ImageConfig, Manifest, Platform, PlatformChoice, ResolvedImage},
        reference::ImageReference,
    },
    registry::{Error, ImageSource, RawManifest},
    verify::{Limits, Sigstore, Trust, TrustedKey, Verifier, fingerprint_of_pem},
};
use serde_json::{Value, json};

use crate::sign_image;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const KEY: &str = include_str!("../../testdata/verify/keys/p256.key");
const PUBLIC: &str = include_str!("../../testdata/verify/keys/p256.pub");

// ---------------------------------------------------------------- a registry in memory

#[derive(Clone, Copy, PartialEq, Eq)]
enum Referrers {
    Api,
    FallbackTag,
}

/// One repository, with the manners of the fixture server.
#[derive(Clone)]
struct Repository {
    root: String,
    tags: BTreeMap<String, String>,
    types: BTreeMap<String, String>,
    referrers: BTreeMap<String, Vec<Value>>,
    blobs: BTreeMap<String, Vec<u8>>,
    lies: BTreeSet<String>,
    endless: BTreeSet<String>,
    manner: Referrers,
    stalls: bool,
    holds_signatures: bool,
}

impl Repository {
    fn empty() -> Self {
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

    fn of_fixtures(folder: &Path, name: &str, tag: &str, manner: Referrers) -> Self {
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

    fn put_blob(&mut self, bytes: &[u8]) -> Digest {
        let digest = Digest::sha256_of(bytes);
        self.blobs.insert(digest.to_string(), bytes.to_vec());
        digest
    }

    fn put_manifest(&mut self, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Digest {
        let digest = self.put_blob(bytes);
        self.types.insert(digest.to_string(), media_type.to_owned());
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest.to_string());
        }
        digest
    }

    /// An image with no layers; its signatures are what matters here.
    fn put_image(&mut self) -> Digest {
        let digest = self.put_manifest(br#"{"schemaVersion":2,"layers":[]}"#, MANIFEST, Some("v1"));
        self.root = digest.to_string();
        digest
    }

    fn put_referrer(&mut self, subject: &Digest, layer_type: &str, layer: &[u8], config: &str) {
        let blob = self.put_blob(layer);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": { "mediaType": config, "digest": Digest::sha256_of(b"{}").to_string(), "size": 2 },
            "layers": [{ "mediaType": layer_type, "digest": blob.to_string(), "size": layer.len() }],
        })
        .to_string();
        let digest = self.put_manifest(manifest.as_bytes(), MANIFEST, None);
        self.referrers.entry(subject.to_string()).or_default().push(json!({ "mediaType": MANIFEST, "digest": digest.to_string(), "size": manifest.len() }));
    }

    fn sign(&mut self, image: &Digest, reference: &str) {
        let (payload, signature) = sign_image::cosign_signature_manifest(image, reference, KEY);
        let (manifest, _config) = sign_image::signature_manifest(&payload, &signature);
        self.put_blob(&payload);
        self.put_manifest(&manifest, MANIFEST, Some(&sign_image::signature_tag(image)));
    }

    fn manifest(&self, digest: &str) -> RawManifest {
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
                let bytes = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": self.referrers[&subject] }).to_string().into_bytes();
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

fn descriptor(value: &Value) -> Descriptor {
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

fn image(reference: &str, digest: &Digest, index_digest: Option<Digest>) -> ResolvedImage {
    let config = descriptor(&json!({ "digest": digest.to_string(), "size": 0 }));
    ResolvedImage {
        reference: ImageReference::parse(reference).expect("reference"),
        index_digest,
        platform: Platform::parse("linux/amd64").expect("platform"),
        platform_choice: PlatformChoice::Only,
        manifest: Manifest { digest: digest.clone(), media_type: MANIFEST.to_owned(), size: 0, config, layers: Vec::new(), annotations: BTreeMap::new() },
        config: ImageConfig::default(),
        layers: Vec::new(),
    }
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("readable file")).expect("JSON")
}

fn verify_with(repo: &Repository, trust: Trust, references: BTreeMap<String, String>, limits: Limits, image: &ResolvedImage) -> Verification {
    let verifier = Sigstore::new(Arc::new(repo.clone()), trust, references, limits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
    runtime.block_on(verifier.verify(image)).expect("verification")
}

fn verify(repo: &Repository, reference: &str, digest: &Digest) -> Verification {
    verify_with(repo, our_key(), BTreeMap::new(), Limits::default(), &image(reference, digest, None))
}

fn our_key() -> Trust {
    Trust { keys: vec![TrustedKey::parse("ours", PUBLIC).expect("key")], trusted_root: None }
}

fn codes(facts: &Verification) -> BTreeSet<&'static str> {
    facts.faults.iter().map(|fault| fault.code).chain(facts.gaps.iter().map(|gap| gap.kind)).collect()
}

// ---------------------------------------------------------------- the fixture cases

/// Judges a case the way a policy would; the code when it refuses.
fn judge(case: &Value, all: &[Verification]) -> Result<(), String> {
    let fingerprints: BTreeSet<String> = keys_of(case)
        .map(|name| fingerprint_of_pem(&fs::read_to_string(Path::new(case["folder"].as_str().expect("folder")).join(name)).expect("key")).expect("key"))
        .collect();
    let mut outcome = Ok(());
    for facts in all {
        let claims: Vec<_> = if case["mode"] == "signature" {
            facts.signatures.iter().collect()
        } else {
            facts.attestations.iter().filter(|one| case["predicate_type"] == *one.predicate_type).map(|one| &one.signature).collect()
        };
        let mut unmet = None;
        let mut signers = BTreeSet::new();
        for claim in claims {
            let problem = match &claim.signer {
                SignerIdentity::Key { fingerprint } => (!fingerprints.contains(fingerprint)).then_some("unmet.signer"),
                SignerIdentity::Keyless { issuer, subject, extensions } => {
                    let repository = case["require"]["source_repo"].as_str();
                    if case["identity_regexp"].is_string() {
                        Some("policy-error")
                    } else if case["issuer"] != **issuer {
                        Some("unmet.issuer")
                    } else if case["identity"] != **subject {
                        Some("unmet.identity")
                    } else if repository.is_some() && repository != extensions.get("repository").map(String::as_str) {
                        Some("unmet.extension")
                    } else if !claim.logged {
                        Some("unmet.log")
                    } else {
                        None
                    }
                }
            };
            let wanted = case["annotations"].as_object().into_iter().flatten();
            let missing = wanted.into_iter().any(|(name, value)| claim.annotations.get(name).map(String::as_str) != value.as_str());
            match problem.or(missing.then_some("unmet.annotation")) {
                Some(code) => unmet = Some(code),
                None => _ = signers.insert(claim.signer.clone()),
            }
        }
        let threshold = usize::try_from(case["threshold"].as_u64().unwrap_or(1)).expect("small");
        if signers.len() < threshold {
            let facts: Vec<&str> = codes(facts).into_iter().collect();
            let code = match unmet {
                _ if !signers.is_empty() => "unmet.threshold".to_owned(),
                Some(code) => code.to_owned(),
                None if facts.is_empty() => "absent.predicate-type".to_owned(),
                None => facts.join("+"),
            };
            outcome = Err(code);
        }
    }
    outcome
}

fn keys_of(case: &Value) -> impl Iterator<Item = &str> {
    case["key"].as_str().into_iter().chain(case["keys"].as_array().into_iter().flatten().filter_map(Value::as_str))
}

/// Everything that the case asks about: the image, or every child when it says `recursive`.
fn verify_case(folder: &Path, case: &Value, manner: Referrers, references: BTreeMap<String, String>) -> Vec<Verification> {
    let (name, tag) = case["image"].as_str().expect("image").split_once(':').expect("tag");
    let repo = Repository::of_fixtures(folder, name, tag, manner);
    let trust = Trust {
        keys: keys_of(case).map(|key| TrustedKey::parse(key, fs::read_to_string(folder.join(key)).expect("key")).expect("key")).collect(),
        trusted_root: case["trusted_root"].as_str().map(|root| fs::read(folder.join(root)).expect("root")),
    };
    let root = repo.manifest(&repo.root);
    let body: Value = serde_json::from_slice(&root.bytes).expect("manifest");
    let reference = format!("127.0.0.1:5000/{name}:{tag}");
    let run = |digest: &Digest, index: Option<&Digest>| {
        verify_with(&repo, trust.clone(), references.clone(), Limits::default(), &image(&reference, digest, index.cloned()))
    };
    match body["manifests"].as_array() {
        Some(children) => {
            let children: Vec<Digest> = children.iter().map(|child| descriptor(child).digest).collect();
            let wanted = if case["recursive"] == true { children.len() } else { 1 };
            children.iter().take(wanted).map(|child| run(child, Some(&root.digest))).collect()
        }
        None => vec![run(&root.digest, None)],
    }
}

/// Runs every case of a folder; gives the lines that are wrong.
fn run_cases(folder: &Path, manner: Referrers) -> (usize, Vec<String>) {
    let cases = read_json(&folder.join("cases.json"));
    let (mut wrong, mut count) = (Vec::new(), 0);
    for case in cases["cases"].as_array().expect("cases") {
        let mut case = case.clone();
        case["folder"] = json!(folder);
        let id = case["id"].as_str().expect("id").to_owned();
        let reason = case["reason"].as_str().unwrap_or("pass").to_owned();
        // What an attestation says inside is judged by `policy`; here it only has to be found genuine.
        let predicate = case["mode"] == "attestation" && reason.starts_with("unmet.");
        let expected = if predicate { "pass".to_owned() } else { reason };
        let facts = verify_case(folder, &case, manner, BTreeMap::new());
        let got = judge(&case, &facts).err().unwrap_or_else(|| "pass".to_owned());
        count += 1;
        let note = if predicate { " (the rest is policy's)" } else { "" };
        let right = got == expected;
        eprintln!("{} {id:<40} expected {expected:<26} got {got}{note}", if right { "  " } else { "!!" });
        if !right {
            wrong.push(format!("{id}: expected {expected}, got {got}: {:?} {:?}", facts[0].faults, facts[0].gaps));
        }
    }
    (count, wrong)
}

fn own_fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/verify/fixtures")
}

#[test]
fn fixtures_of_the_tree_come_out_as_they_say() {
    for manner in [Referrers::Api, Referrers::FallbackTag] {
        let (count, wrong) = run_cases(&own_fixtures(), manner);
        assert_eq!(count, 24);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn all_fixtures_of_the_corpus_come_out_as_they_say() {
    let Some(folder) = std::env::var_os("PLIMSOLL_CORPUS").map(|root| Path::new(&root).join("corpus/signing/fixtures")).filter(|f| f.is_dir()) else {
        eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        return;
    };
    for manner in [Referrers::Api, Referrers::FallbackTag] {
        let (count, wrong) = run_cases(&folder, manner);
        assert_eq!(count, 80);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_reference_that_the_policy_maps_is_taken() {
    let folder = own_fixtures();
    let cases = read_json(&folder.join("cases.json"));
    let mut case = cases["cases"].as_array().expect("cases").iter().find(|c| c["id"] == "k07-docker-reference-mismatch").expect("k07").clone();
    case["folder"] = json!(folder);
    let map = BTreeMap::from([("127.0.0.1:5000/k-reference".to_owned(), "registry.example.test/other/repo".to_owned())]);
    assert_eq!(judge(&case, &verify_case(&folder, &case, Referrers::Api, map)), Ok(()));
    let other = BTreeMap::from([("127.0.0.1:5000/k-other".to_owned(), "registry.example.test/other/repo".to_owned())]);
    assert_eq!(judge(&case, &verify_case(&folder, &case, Referrers::Api, other)), Err("invalid.reference".to_owned()));
}

// ---------------------------------------------------------------- places and limits

#[test]
fn our_own_signature_is_found_and_described() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.sign(&digest, "registry.example/app");
    let facts = verify(&repo, "registry.example/app:v1", &digest);
    assert_eq!(codes(&facts), BTreeSet::new());
    let [signature] = facts.signatures.as_slice() else { panic!("{facts:?}") };
    assert_eq!(signature.place, Place::LegacySig);
    assert_eq!(signature.subject, digest);
    assert_eq!(signature.signer, SignerIdentity::Key { fingerprint: fingerprint_of_pem(PUBLIC).expect("key") });
    assert!(!signature.logged && signature.time.is_none());
    assert_eq!(signature.checks, BTreeSet::from(["claim-type", "payload-digest", "reference", "signature"]));
    assert_eq!(signature.not_checked, BTreeSet::from(["log"]));
    // The same in a layout on disk, which has no name to compare.
    let facts = verify(&repo, "oci:layout:v1", &digest);
    assert!(facts.signatures.first().is_some_and(|one| one.not_checked.contains("reference")), "{facts:?}");
}

#[test]
fn a_signature_of_the_index_covers_the_image_reached_through_it() {
    let mut repo = Repository::empty();
    let child = repo.put_image();
    let index = repo.put_manifest(br#"{"schemaVersion":2,"manifests":[]}"#, INDEX, None);
    repo.sign(&index, "registry.example/app");
    let through = verify_with(&repo, our_key(), BTreeMap::new(), Limits::default(), &image("registry.example/app:v1", &child, Some(index.clone())));
    assert_eq!(through.signatures.iter().map(|one| &one.subject).collect::<Vec<_>>(), [&index]);
    assert_eq!(codes(&through), BTreeSet::new());
    assert_eq!(codes(&verify(&repo, "registry.example/app:v1", &child)), BTreeSet::from(["absent.signature"]));
}

#[test]
fn a_source_without_signatures_says_so() {
    let mut repo = Repository::empty();
    repo.holds_signatures = false;
    let digest = repo.put_image();
    assert_eq!(codes(&verify(&repo, "docker-archive:app.tar", &digest)), BTreeSet::from(["unchecked.source"]));
}

#[test]
fn a_place_that_never_answers_hides_nothing_and_is_never_none() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({}), "https://sigstore.dev/cosign/sign/v1"), "application/vnd.oci.empty.v1+json");
    repo.stalls = true;
    let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
    let facts = verify_with(&repo, our_key(), BTreeMap::new(), limits, &image("registry.example/app", &digest, None));
    assert_eq!(codes(&facts), BTreeSet::from(["unchecked.timeout"]));
    assert_eq!(facts.gaps.len(), 2, "{:?}", facts.gaps);
    assert_eq!(facts.signatures.len(), 1);
}

#[test]
fn limits_refuse_before_anything_is_fetched() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    repo.sign(&digest, "registry.example/app");
    let check = |limits: Limits| codes(&verify_with(&repo, our_key(), BTreeMap::new(), limits, &image("registry.example/app", &digest, None)));
    assert_eq!(check(Limits { payload_bytes: 10, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(check(Limits { manifest_bytes: 10, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(check(Limits { layers: 0, ..Limits::default() }), BTreeSet::from(["unchecked.limit"]));
    let mut many = repo.clone();
    for n in 0..3 {
        many.put_referrer(&digest, "application/spdx+json", format!("{n}").as_bytes(), "application/vnd.oci.empty.v1+json");
    }
    let facts = verify_with(&many, our_key(), BTreeMap::new(), Limits { referrers: 2, ..Limits::default() }, &image("registry.example/app", &digest, None));
    assert_eq!(codes(&facts), BTreeSet::from(["unchecked.limit"]));
    assert_eq!(facts.signatures.len(), 1, "the tag is read all the same");
}

#[test]
fn what_refers_to_an_image_is_told_apart() {
    let empty = "application/vnd.oci.empty.v1+json";
    let check = |layer_type: &str, layer: &[u8], config: &str, expected: &[&str]| {
        for manner in [Referrers::Api, Referrers::FallbackTag] {
            let mut repo = Repository { manner, ..Repository::empty() };
            let digest = repo.put_image();
            repo.put_referrer(&digest, layer_type, layer, config);
            let facts = verify(&repo, "registry.example/app", &digest);
            assert_eq!(codes(&facts).into_iter().collect::<Vec<_>>(), expected, "{layer_type} {config}");
            assert_eq!((facts.signatures.len(), facts.attestations.len()), (0, 0));
        }
    };
    check("application/spdx+json", b"{}", empty, &["absent.signature"]);
    check("application/jose+json", b"{}", "application/vnd.cncf.notary.signature", &["unchecked.unsupported"]);
    check("application/vnd.dev.sigstore.bundle.v0.4+json", br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.4+json"}"#, empty, &["unchecked.unsupported"]);
    check(BUNDLE, b"{", empty, &["invalid.payload"]);
    check(BUNDLE, br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","messageSignature":{}}"#, empty, &["unchecked.unsupported"]);
}

// ---------------------------------------------------------------- bundles signed with a key

const IN_TOTO: &str = "application/vnd.in-toto+json";

fn key_bundle(digest: &Digest, annotations: &Value, predicate_type: &str) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "sha256": digest.hex() }, "annotations": annotations }],
        "predicateType": predicate_type,
        "predicate": {},
    })
    .to_string();
    let encoded = format!("DSSEv1 {} {IN_TOTO} {} {statement}", IN_TOTO.len(), statement.len());
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": "any" }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&statement),
            "payloadType": IN_TOTO,
            "signatures": [{ "sig": STANDARD.encode(sign_image::sign(encoded.as_bytes(), KEY)) }],
        },
    })
    .to_string()
    .into_bytes()
}

#[test]
fn bundles_signed_with_a_key_are_signatures_or_attestations() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    let empty = "application/vnd.oci.empty.v1+json";
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({ "env": "prod" }), "https://sigstore.dev/cosign/sign/v1"), empty);
    repo.put_referrer(&digest, BUNDLE, &key_bundle(&digest, &json!({}), "https://slsa.dev/provenance/v1"), empty);
    let facts = verify(&repo, "registry.example/app", &digest);
    assert_eq!(codes(&facts), BTreeSet::new());
    let [signature] = facts.signatures.as_slice() else { panic!("{facts:?}") };
    assert_eq!(signature.annotations, BTreeMap::from([("env".to_owned(), "prod".to_owned())]));
    assert!(!signature.logged);
    assert_eq!(facts.attestations.iter().map(|one| one.predicate_type.as_str()).collect::<Vec<_>>(), ["https://slsa.dev/provenance/v1"]);
    // Without the key, both are refused and neither is lost.
    let nobody = verify_with(&repo, Trust::default(), BTreeMap::new(), Limits::default(), &image("registry.example/app", &digest, None));
    assert_eq!(nobody.faults.iter().map(|fault| fault.code).collect::<Vec<_>>(), ["invalid.signature", "invalid.signature"]);
    assert_eq!((nobody.signatures.len(), nobody.attestations.len()), (0, 0));
}

#[test]
fn a_keyless_signature_without_a_trusted_root_is_a_gap() {
    let folder = own_fixtures();
    let repo = Repository::of_fixtures(&folder, "b-ok", "v1", Referrers::Api);
    let digest = Digest::parse(&repo.root).expect("digest");
    assert_eq!(codes(&verify(&repo, "127.0.0.1:5000/b-ok", &digest)), BTreeSet::from(["unchecked.trust-root"]));
}

#[test]
fn a_flipped_byte_is_never_accepted() {
    let mut repo = Repository::empty();
    let digest = repo.put_image();
    let good = key_bundle(&digest, &json!({}), "https://sigstore.dev/cosign/sign/v1");
    let mut accepted = 0;
    for at in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let mut repo = repo.clone();
        repo.put_referrer(&digest, BUNDLE, &bad, "application/vnd.oci.empty.v1+json");
        let facts = verify(&repo, "registry.example/app", &digest);
        // Outside the envelope a byte may change without meaning: the key hint is not signed.
        accepted += usize::from(!facts.signatures.is_empty() && !String::from_utf8_lossy(&bad).contains("verificationMaterial\":{\"publicKey\""));
    }
    assert_eq!(accepted, 0);
}
