//! The whole gate against registries that fail at random: whatever a registry does, the report is the right one to the last byte, or there is
//! a clear failure. Never a pass that is not the clean one, never a credential at another host, never a hang.
//!
//! `PLIMSOLL_FAULTS` is the number of runs (default 1,000), `PLIMSOLL_FAULT_SEED` the first seed (default 1); both are printed, and so is the
//! seed of every run that goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use plimsoll::{
    model::{coverage::SourceId, digest::Digest, image::Platform, policy::Policy, reference::ImageReference},
    pipeline::{self, ImageInput, Inputs, Platforms, Wanted},
    policy,
    progress::Silent,
    registry::{self, Mirror, Options, Retry},
    report,
    verify::{self, Sigstore, Trust, TrustedKey},
};
use serde_json::json;

use crate::{
    faulty_registry::{Access, Content, FAULTS, Fault, FaultyRegistry, MILD, PASSWORD, Plan, Random, USER},
    key_bundles::key_bundle,
    registry_in_memory::{BUNDLE, EMPTY, INDEX, KEY, MANIFEST, PUBLIC},
    sign_image,
};

/// The image's own name; where it is asked for is a mirror, so that reports do not depend on the port.
const NAME: &str = "registry.example/app";
/// Runs at the same time.
const TOGETHER: usize = 32;
/// For one image of a registry that may do anything, retries included.
const DEADLINE: Duration = Duration::from_secs(3);
/// For one image of a registry that means well, which must come through however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// After this a run counts as hanging. Far more than the deadlines, because the machine may be busy.
const HANG: Duration = Duration::from_secs(120);

/// Where the signature lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    /// As a tag, in a registry without the referrers API.
    ByTag,
    /// As a bundle on the last of three pages of referrers.
    ByReferrer,
}

/// How a run ended.
enum Ended {
    /// With this exit code and these reports.
    Report(u8, Vec<u8>),
    /// With this message, exit code 2.
    Error(String),
}

fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, content.as_slice()).expect("member");
    }
    builder.into_inner().expect("tar")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// Bytes that do not compress, so that there is something to cut.
fn noise(story: &str, count: usize) -> Vec<u8> {
    let mut random = Random::new(7, story);
    std::iter::repeat_with(|| random.next().to_le_bytes()).flatten().take(count).collect()
}

/// A signed image of three layers for two platforms, as a registry holds it.
fn content(signed: Signed) -> Content {
    let mut content = Content::default();
    let mut put = |kind: &str, media_type: &'static str, body: &[u8]| {
        let digest = Digest::sha256_of(body);
        content.bodies.insert(format!("/v2/app/{kind}/{digest}"), (media_type, body.to_vec()));
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": body.len() })
    };
    let status = "Package: base-files\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4\n\nPackage: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\n";
    let base = tar(&[
        ("etc/os-release", b"ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n".to_vec()),
        ("var/lib/dpkg/status", status.into()),
        ("usr/lib/noise", noise("base", 120_000)),
    ]);
    let node = tar(&[
        ("app/node_modules/left/package.json", br#"{"name":"left","version":"1.2.3"}"#.to_vec()),
        ("app/noise", noise("node", 60_000)),
    ]);
    let top = tar(&[("app/main.js", b"require('left')\n".to_vec()), ("app/more", noise("top", 30_000))]);
    let mut images = Vec::new();
    for architecture in ["amd64", "arm64"] {
        let diff_ids: Vec<String> = [&base, &node, &top].iter().map(|tar| Digest::sha256_of(tar).to_string()).collect();
        let config = json!({
            "os": "linux", "architecture": architecture, "config": { "User": "65532" }, "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": put("blobs", "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes()),
            "layers": [
                put("blobs", "application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&base)),
                put("blobs", "application/vnd.oci.image.layer.v1.tar+gzip", &gzip(&node)),
                put("blobs", "application/vnd.oci.image.layer.v1.tar", &top),
            ],
        });
        let mut entry = put("manifests", MANIFEST, manifest.to_string().as_bytes());
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        images.push(entry);
    }
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": images }).to_string();
    put("manifests", INDEX, index.as_bytes());
    let subject = Digest::sha256_of(index.as_bytes());
    let mut tags = vec![("v1".to_owned(), INDEX, index.into_bytes())];
    match signed {
        Signed::ByTag => {
            let (payload, signature) = sign_image::cosign_signature_manifest(&subject, NAME, KEY);
            let (manifest, config) = sign_image::signature_manifest(&payload, &signature);
            put("blobs", "application/octet-stream", &payload);
            put("blobs", "application/octet-stream", &config);
            put("manifests", MANIFEST, &manifest);
            tags.push((sign_image::signature_tag(&subject), MANIFEST, manifest));
        }
        Signed::ByReferrer => {
            put("blobs", EMPTY, b"{}");
            let mut referrer = |layer_type: &'static str, layer: &[u8]| {
                let manifest = json!({
                    "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": layer_type,
                    "config": { "mediaType": EMPTY, "digest": Digest::sha256_of(b"{}").to_string(), "size": 2 },
                    "layers": [put("blobs", layer_type, layer)],
                });
                put("manifests", MANIFEST, manifest.to_string().as_bytes())
            };
            let pages = [
                vec![referrer("application/spdx+json", b"{}"), referrer("application/vnd.cyclonedx+json", b"{ }")],
                vec![],
                vec![referrer(BUNDLE, &key_bundle(&subject, &json!({}), "https://sigstore.dev/cosign/sign/v1"))],
            ];
            for digest in [subject.to_string(), images[0]["digest"].as_str().expect("text").to_owned()] {
                let path =
                    |page: usize| format!("/v2/app/referrers/{digest}{}", if page == 0 { String::new() } else { format!("?page={page}") });
                for (page, entries) in pages.iter().enumerate() {
                    // Only the index is signed; the image below it has an empty list.
                    let entries = if digest == subject.to_string() { entries.clone() } else { Vec::new() };
                    content.bodies.insert(
                        path(page),
                        (INDEX, json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string().into_bytes()),
                    );
                    if page + 1 < pages.len() && digest == subject.to_string() {
                        content.links.insert(path(page), path(page + 1));
                    }
                }
            }
        }
    }
    for (tag, media_type, body) in tags {
        content.bodies.insert(format!("/v2/app/manifests/{tag}"), (media_type, body));
    }
    content
}

/// A policy that wants the signature, the packages and every answer.
fn demands(folder: &Path) -> Policy {
    fs::write(folder.join("key.pub"), PUBLIC).expect("key");
    let text = "version: 1\nname: faults\nsigners:\n  ours: { key: key.pub, log: allow-missing }\nsignatures:\n  - any_of: [ours]\nend_of_life:\n  distro: ignore\nevidence:\n  require: [inventory, signatures]\n  gaps:\n    default: fail\n";
    let file = folder.join("policy.yaml");
    fs::write(&file, text).expect("policy");
    policy::load::load(&[file.display().to_string()]).expect("policy")
}

async fn gate(content: &Arc<Content>, plan: Plan, policy: &Policy, folder: &Path) -> (Ended, FaultyRegistry) {
    let server = FaultyRegistry::start(Arc::clone(content), plan).await;
    let config = folder.join(format!("{}-{}.json", plan.seed, server.host.replace(':', "-")));
    fs::write(&config, json!({ "auths": { &server.host: { "username": USER, "password": PASSWORD } } }).to_string()).expect("config");
    let options = Options {
        docker_config: Some(config.clone()),
        mirrors: vec![Mirror::parse(&format!("registry.example={}", server.host)).expect("mirror")],
        retry: Retry { attempts: 4, initial_backoff: Duration::from_millis(2), max_backoff: Duration::from_millis(20) },
        deadline: if means_well(plan) { PATIENCE } else { DEADLINE },
        connect_timeout: Duration::from_secs(10),
        read_timeout: if means_well(plan) { PATIENCE } else { Duration::from_millis(400) },
        ..Options::default()
    };
    let ended =
        tokio::time::timeout(HANG, judge(&options, policy)).await.unwrap_or_else(|_| panic!("seed {}: it hangs ({plan:?})", plan.seed));
    fs::remove_file(config).expect("config");
    (ended, server)
}

async fn judge(options: &Options, policy: &Policy) -> Ended {
    let reference = ImageReference::parse(&format!("{NAME}:v1")).expect("reference");
    let source = match registry::open(&reference, options, Arc::new(Silent)).await {
        Ok(source) => source,
        Err(error) => return Ended::Error(error.to_string()),
    };
    let key = TrustedKey::parse("ours", PUBLIC).expect("key");
    let signer_fingerprints = BTreeMap::from([("ours".to_owned(), key.fingerprint().to_owned())]);
    let trust = Trust { keys: vec![key], trusted_root: None };
    let verifier = Sigstore::new(Arc::clone(&source), trust, BTreeMap::new(), verify::Limits::default());
    let host = Platform::parse("linux/amd64").expect("platform");
    let ended = pipeline::run(Inputs {
        command: "gate",
        stages: BTreeSet::from([SourceId::Image, SourceId::Inventory, SourceId::Signatures]),
        image: Some(ImageInput { reference, source, platforms: Platforms::Host(host), inventory: Wanted::Yes, cache: None, base: None }),
        dockerfiles: Vec::new(),
        sources: Vec::new(),
        verifier: Some(Box::new(verifier)),
        signer_fingerprints,
        policy: policy.clone(),
        now: jiff::Timestamp::UNIX_EPOCH,
        source_date: Some(jiff::Timestamp::UNIX_EPOCH),
        files: Wanted::Yes,
        limits: pipeline::Limits { threads: 2, ..pipeline::Limits::default() },
        progress: Arc::new(Silent),
    })
    .await;
    match ended {
        Ok(reports) => {
            let exit_code = reports.first().expect("one report").exit_code;
            let mut bytes = Vec::new();
            for format in ["json", "cyclonedx"] {
                report::reporter(format).expect("format").write(&reports, &report::Style::default(), &mut bytes).expect("memory");
            }
            Ended::Report(exit_code, bytes)
        }
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(inner) = cause {
                text.push_str(&format!(": {inner}"));
                cause = inner.source();
            }
            Ended::Error(text)
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// Whether a registry fails only in ways that asking again mends.
fn means_well(plan: Plan) -> bool {
    plan.faults == MILD || plan.percent == 0
}

fn plan(seed: u64) -> (Signed, Plan) {
    let mut random = Random::new(seed, "plan");
    let mild = random.below(3) == 0;
    // Four attempts are made, so that three failures are one too few to end a run.
    let most: &[usize] = if mild { &[1, 2, 3] } else { &[1, 2, 3, usize::MAX] };
    let signed = random.pick(&[Signed::ByTag, Signed::ByReferrer]);
    let plan = Plan {
        seed,
        access: random.pick(&[Access::Everybody, Access::Basic, Access::Bearer, Access::Bearer]),
        percent: random.pick(&[10, 20, 35, 60, 100]),
        faults: if mild { MILD } else { FAULTS },
        most: random.pick(most),
        ranges: random.below(4) > 0,
        says_digest: random.below(4) > 0,
    };
    (signed, plan)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn random_faults_never_make_a_false_pass() {
    let (runs, first) = (number("PLIMSOLL_FAULTS", 1_000), number("PLIMSOLL_FAULT_SEED", 1));
    eprintln!("{runs} runs with faults, seeds {first} to {}", first + runs.saturating_sub(1));
    let folder = tempfile::tempdir().expect("folder");
    let policy = demands(folder.path());
    let contents = [Arc::new(content(Signed::ByTag)), Arc::new(content(Signed::ByReferrer))];
    let mut clean = Vec::new();
    for content in &contents {
        let mut outcomes = BTreeSet::new();
        for access in [Access::Everybody, Access::Basic, Access::Bearer] {
            let plan = Plan { seed: 0, access, percent: 0, faults: FAULTS, most: 0, ranges: true, says_digest: true };
            let (ended, server) = gate(content, plan, &policy, folder.path()).await;
            let Ended::Report(0, bytes) = ended else { panic!("the clean run does not pass: {}", ended.text()) };
            assert!(server.log().faults.is_empty() && server.log().strayed == 0);
            outcomes.insert(bytes);
        }
        assert_eq!(outcomes.len(), 1, "clean runs are alike");
        clean.extend(outcomes);
    }
    let began = Instant::now();
    // A seed whose plan happens to spoil nothing does not count as a run with faults; the next ones take its place.
    let mut seeds = stream::iter(first..)
        .map(|seed| {
            let (contents, policy, folder) = (&contents, &policy, folder.path());
            async move {
                let (signed, plan) = plan(seed);
                let started = Instant::now();
                let (ended, server) = gate(&contents[usize::from(signed == Signed::ByReferrer)], plan, policy, folder).await;
                (signed, plan, ended, server, started.elapsed())
            }
        })
        .buffer_unordered(TOGETHER);
    let (mut counted, mut same, mut refused, mut failed, mut strayed) = (0_u64, 0_u64, 0_u64, 0_u64, 0_usize);
    let mut met: BTreeMap<Fault, usize> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    let mut wrong = Vec::new();
    while counted < runs {
        let (signed, plan, ended, server, took) = seeds.next().await.expect("there is always a next seed");
        let log = server.log();
        let story = || format!("seed {}: {signed:?} {plan:?} {:?}", plan.seed, log.faults);
        if !log.leaked.is_empty() {
            wrong.push(format!("a credential at the other host: {:?} in {}", log.leaked, story()));
        }
        match &ended {
            Ended::Report(0, bytes) if *bytes == clean[usize::from(signed == Signed::ByReferrer)] => same += 1,
            _ if means_well(plan) => wrong.push(format!("not survived: {} in {}", ended.text(), story())),
            Ended::Report(0, bytes) => wrong.push(format!("a false pass in {}\n{}", story(), String::from_utf8_lossy(bytes))),
            Ended::Report(_, _) => failed += 1,
            Ended::Error(text) if text.is_empty() || text.contains('\n') || text.contains("canary") => {
                wrong.push(format!("an unclear message, `{text}`, in {}", story()));
            }
            Ended::Error(_) => refused += 1,
        }
        counted += u64::from(!log.faults.is_empty());
        strayed += log.strayed;
        for (_, fault) in &log.faults {
            *met.entry(*fault).or_default() += 1;
        }
        slowest = slowest.max(took);
    }
    drop(seeds);
    eprintln!(
        "{counted} runs with {} faults in {} s: {same} passed with the clean bytes, {failed} failed with a report, {refused} ended with an error; the slowest took {} ms; the other host was asked {strayed} times",
        met.values().sum::<usize>(),
        began.elapsed().as_secs(),
        slowest.as_millis()
    );
    eprintln!("{met:?}");
    assert!(wrong.is_empty(), "{} of {counted} runs went wrong:\n{}", wrong.len(), wrong.join("\n"));
    if runs >= 1_000 {
        assert_eq!(met.keys().copied().collect::<BTreeSet<_>>(), FAULTS.iter().copied().collect(), "every kind of fault was met");
        assert!(same >= runs / 4 && failed > 0 && refused > 0 && strayed > 0, "every kind of end was met");
    }
}

impl Ended {
    fn text(&self) -> String {
        match self {
            Self::Report(code, bytes) => format!("exit {code}\n{}", String::from_utf8_lossy(bytes)),
            Self::Error(text) => text.clone(),
        }
    }
}
