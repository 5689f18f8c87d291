//! Manifest, index and configuration bytes in, checked documents out. OCI image specification 1.1
//! (<https://github.com/opencontainers/image-spec/blob/main/manifest.md>, `image-index.md`, `config.md`) and Docker's manifest schema 2;
//! schema 1 is refused because it has no digests to check.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    model::{
        digest::{Algorithm, Digest, Hasher},
        image::{Descriptor, HistoryEntry, ImageConfig, Platform},
    },
    registry::{Error, RawManifest, error::shown, spelling},
};

/// Most bytes of a manifest or index.
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// Most bytes of an image configuration.
pub const CONFIG_BYTES: u64 = 8 << 20;
/// How deep indexes may nest.
pub const INDEX_DEPTH: usize = 4;
/// Most layers that a manifest may list; how many of them are read is decided where layers are read.
pub const LAYERS: usize = 10_000;
/// Most entries of an index.
pub const INDEX_ENTRIES: usize = 10_000;

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// The media types that are asked for, in the order of preference.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A parsed manifest or index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Document {
    /// A manifest: of an image, a signature or another artifact.
    Manifest(Box<ManifestDocument>),
    /// An index.
    Index(Box<IndexDocument>),
}

/// A parsed manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestDocument {
    /// The configuration's descriptor.
    pub config: Descriptor,
    /// The layers' descriptors.
    pub layers: Vec<Descriptor>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// The manifest that this one is about.
    pub subject: Option<Descriptor>,
    /// The `artifactType`.
    pub artifact_type: Option<String>,
}

/// A parsed index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDocument {
    /// The entries in their order.
    pub manifests: Vec<Descriptor>,
    /// The manifest that this index is about.
    pub subject: Option<Descriptor>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// The `artifactType`.
    pub artifact_type: Option<String>,
}

#[derive(Deserialize)]
struct WireDocument {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<u64>,
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    config: Option<WireDescriptor>,
    layers: Option<Vec<WireDescriptor>>,
    manifests: Option<Vec<WireDescriptor>>,
    subject: Option<WireDescriptor>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct WireDescriptor {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
    digest: String,
    size: u64,
    urls: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    platform: Option<WirePlatform>,
}

#[derive(Deserialize)]
struct WirePlatform {
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
}

#[derive(Deserialize)]
struct WireConfig {
    created: Option<String>,
    architecture: Option<String>,
    os: Option<String>,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
    config: Option<WireRun>,
    rootfs: Option<WireRootfs>,
    history: Option<Vec<WireHistory>>,
}

#[derive(Deserialize)]
struct WireRun {
    #[serde(rename = "User")]
    user: Option<String>,
    #[serde(rename = "Env")]
    env: Option<Vec<String>>,
    #[serde(rename = "Entrypoint")]
    entrypoint: Option<Words>,
    #[serde(rename = "Cmd")]
    cmd: Option<Words>,
    #[serde(rename = "WorkingDir")]
    working_dir: Option<String>,
    #[serde(rename = "ExposedPorts")]
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    #[serde(rename = "Volumes")]
    volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    #[serde(rename = "Labels")]
    labels: Option<BTreeMap<String, Option<String>>>,
    #[serde(rename = "Shell")]
    shell: Option<Words>,
    #[serde(rename = "Healthcheck")]
    healthcheck: Option<WireHealthcheck>,
    #[serde(rename = "OnBuild")]
    on_build: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WireHealthcheck {
    #[serde(rename = "Test")]
    test: Option<Words>,
}

/// Old builders wrote a command as one string.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Many(Vec<String>),
    One(String),
}

#[derive(Deserialize)]
struct WireRootfs {
    diff_ids: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct WireHistory {
    created_by: Option<String>,
    comment: Option<String>,
    empty_layer: Option<bool>,
}

/// What a configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigDocument {
    pub(super) platform: Option<Platform>,
    pub(super) config: ImageConfig,
}

/// Makes a [`RawManifest`] of a body: hashes it, and finds its media type in the body, else in the transport, else by shape.
pub fn raw(bytes: Vec<u8>, transport_type: Option<&str>, algorithm: Algorithm) -> RawManifest {
    #[derive(Deserialize)]
    struct Peek {
        #[serde(rename = "mediaType")]
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
    }
    let peek = serde_json::from_slice::<Peek>(&bytes).ok();
    let transport = transport_type.map(|text| text.split(';').next().unwrap_or_default().trim()).filter(|text| text.contains("vnd."));
    let media_type = match (peek, transport) {
        (Some(Peek { media_type: Some(own), .. }), _) if !own.is_empty() => shown(&own),
        (_, Some(transport)) => shown(transport),
        (Some(Peek { manifests: Some(_), .. }), None) => OCI_INDEX.to_owned(),
        (_, None) => OCI_MANIFEST.to_owned(),
    };
    let mut hasher = Hasher::new(algorithm);
    hasher.update(&bytes);
    RawManifest { digest: hasher.finish(), media_type, bytes }
}

/// Parses a manifest or an index.
///
/// # Errors
/// When the body is neither, is both, is Docker schema 1, names a digest that cannot be checked, repeats a field, or exceeds a limit.
pub fn parse(raw: &RawManifest) -> Result<Document, Error> {
    let what = format!("manifest {}", raw.digest);
    let malformed = |reason: String| Error::Malformed { what: what.clone(), reason };
    if raw.bytes.len() as u64 > MANIFEST_BYTES {
        return Err(Error::TooLarge { what, limit: format!("{MANIFEST_BYTES} bytes") });
    }
    if raw.media_type.starts_with("application/vnd.docker.distribution.manifest.v1+") {
        return Err(Error::SchemaOne { what });
    }
    if raw.bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(malformed("it is no JSON object".to_owned()));
    }
    let wire: WireDocument = spelling::from_slice(&raw.bytes).map_err(|error| malformed(shown(&error.to_string())))?;
    match wire.schema_version {
        Some(1) => return Err(Error::SchemaOne { what }),
        Some(2) | None => {}
        Some(other) => return Err(malformed(format!("schema version {other} is unknown"))),
    }
    let annotations = wire.annotations.unwrap_or_default();
    let subject = wire.subject.map(|subject| descriptor(subject, &what)).transpose()?;
    let says = wire.media_type.as_deref().unwrap_or_default();
    match (wire.manifests, wire.layers, wire.config) {
        (Some(manifests), None, None) => {
            if matches!(says, OCI_MANIFEST | DOCKER_MANIFEST) {
                return Err(malformed("it says that it is a manifest and has the fields of an index".to_owned()));
            }
            if manifests.len() > INDEX_ENTRIES {
                return Err(Error::TooLarge { what, limit: format!("{INDEX_ENTRIES} entries") });
            }
            let manifests = manifests.into_iter().map(|entry| descriptor(entry, &what)).collect::<Result<_, _>>()?;
            let document = IndexDocument { manifests, subject, annotations, artifact_type: wire.artifact_type };
            Ok(Document::Index(Box::new(document)))
        }
        (None, layers, Some(config)) => {
            if matches!(says, OCI_INDEX | DOCKER_LIST) {
                return Err(malformed("it says that it is an index and has the fields of a manifest".to_owned()));
            }
            let layers = layers.unwrap_or_default();
            if layers.len() > LAYERS {
                return Err(Error::TooLarge { what, limit: format!("{LAYERS} layers") });
            }
            let layers = layers.into_iter().map(|layer| descriptor(layer, &what)).collect::<Result<_, _>>()?;
            let config = descriptor(config, &what)?;
            let document = ManifestDocument { config, layers, annotations, subject, artifact_type: wire.artifact_type };
            Ok(Document::Manifest(Box::new(document)))
        }
        (Some(_), _, _) => Err(malformed("it has the fields of a manifest and of an index".to_owned())),
        (None, _, None) => Err(malformed("it has neither a configuration nor manifests".to_owned())),
    }
}

/// Whether a descriptor points to an index, as far as its media type says.
pub(super) fn is_index(descriptor: &Descriptor) -> bool {
    matches!(descriptor.media_type.as_str(), OCI_INDEX | DOCKER_LIST)
}

/// Whether a descriptor may point to a manifest; one without media type may.
pub(super) fn is_manifest(descriptor: &Descriptor) -> bool {
    matches!(descriptor.media_type.as_str(), OCI_MANIFEST | DOCKER_MANIFEST | "")
}

/// Whether a configuration's media type is that of an image.
pub(super) fn is_image_config(media_type: &str) -> bool {
    matches!(media_type, OCI_CONFIG | DOCKER_CONFIG | "" | "application/json" | "application/octet-stream")
}

fn descriptor(wire: WireDescriptor, what: &str) -> Result<Descriptor, Error> {
    let digest = Digest::parse(&wire.digest).map_err(|source| Error::Digest { what: what.to_owned(), source })?;
    Ok(Descriptor {
        media_type: wire.media_type.unwrap_or_default(),
        digest,
        size: wire.size,
        urls: wire.urls.unwrap_or_default(),
        annotations: wire.annotations.unwrap_or_default(),
        artifact_type: wire.artifact_type.filter(|text| !text.is_empty()),
        platform: wire.platform.and_then(|wire| platform(wire.os, wire.architecture, wire.variant, wire.os_version)),
    })
}

fn platform(os: Option<String>, architecture: Option<String>, variant: Option<String>, os_version: Option<String>) -> Option<Platform> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    Some(usual(Platform { os: given(os)?, architecture: given(architecture)?, variant: given(variant), os_version: given(os_version) }))
}

/// A platform by its usual words: containerd runs an image for `x86_64` as one for `amd64`
/// (<https://github.com/containerd/platforms/blob/main/database.go>), so that it has to compete with those here as well.
pub(super) fn usual(platform: Platform) -> Platform {
    let Platform { os, architecture, variant, os_version } = platform;
    let os = match os.to_lowercase() {
        os if os == "macos" => "darwin".to_owned(),
        os => os,
    };
    let architecture = architecture.to_lowercase();
    let variant = variant.map(|variant| variant.to_lowercase());
    let (architecture, variant) = match (architecture.as_str(), variant) {
        ("i386", _) => ("386", None),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", Some("v7".to_owned())),
        ("armel", _) => ("arm", Some("v6".to_owned())),
        (other, variant) => (other, variant),
    };
    let variant = match variant {
        Some(number) if architecture.starts_with("arm") && number.bytes().all(|b| b.is_ascii_digit()) => Some(format!("v{number}")),
        variant => variant,
    };
    Platform { os, architecture: architecture.to_owned(), variant, os_version }
}

/// Parses an image configuration; every field may be missing.
pub(super) fn parse_config(bytes: &[u8], what: &str) -> Result<ConfigDocument, Error> {
    let malformed = |reason: &str| Error::Malformed { what: what.to_owned(), reason: shown(reason) };
    let wire: WireConfig = spelling::from_slice(bytes).map_err(|error| malformed(&error.to_string()))?;
    let mut diff_ids = Vec::new();
    for text in wire.rootfs.and_then(|rootfs| rootfs.diff_ids).unwrap_or_default() {
        diff_ids.push(Digest::parse(&text).map_err(|source| Error::Digest { what: what.to_owned(), source })?);
    }
    let history = wire.history.unwrap_or_default().into_iter().map(|entry| HistoryEntry {
        created_by: entry.created_by.unwrap_or_default(),
        empty_layer: entry.empty_layer.unwrap_or_default(),
        comment: entry.comment.unwrap_or_default(),
        side: None,
    });
    let mut config = ImageConfig { created: wire.created, history: history.collect(), diff_ids, ..ImageConfig::default() };
    if let Some(run) = wire.config {
        let words = |words: Option<Words>| match words {
            Some(Words::Many(words)) => words,
            Some(Words::One(word)) => vec![word],
            None => Vec::new(),
        };
        config.user = run.user.unwrap_or_default();
        config.env = run.env.unwrap_or_default();
        config.entrypoint = words(run.entrypoint);
        config.cmd = words(run.cmd);
        config.working_dir = run.working_dir.unwrap_or_default();
        config.exposed_ports = run.exposed_ports.unwrap_or_default().into_keys().collect();
        config.volumes = run.volumes.unwrap_or_default().into_keys().collect();
        config.labels = run.labels.unwrap_or_default().into_iter().map(|(name, value)| (name, value.unwrap_or_default())).collect();
        config.shell = words(run.shell);
        config.healthcheck = words(run.healthcheck.and_then(|healthcheck| healthcheck.test));
        config.on_build = run.on_build.unwrap_or_default();
    }
    Ok(ConfigDocument { platform: platform(wire.os, wire.architecture, wire.variant, wire.os_version), config })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Document, String> {
        parse(&raw(text.as_bytes().to_vec(), None, Algorithm::Sha256)).map_err(|error| match error {
            Error::Malformed { reason, .. } => reason,
            Error::Digest { source, .. } => source.to_string(),
            Error::SchemaOne { .. } => "schema 1".to_owned(),
            other => other.to_string(),
        })
    }

    fn wire_descriptor(digest: &str) -> String {
        format!(r#"{{"digest":"{digest}","size":2}}"#)
    }

    #[test]
    fn documents_are_told_by_their_fields() {
        let good = wire_descriptor(&format!("sha256:{}", "0".repeat(64)));
        assert!(
            matches!(parsed(&format!(r#"{{"schemaVersion":2,"config":{good},"layers":[{good}]}}"#)), Ok(Document::Manifest(m)) if m.layers.len() == 1)
        );
        assert!(matches!(parsed(&format!(r#"{{"manifests":[{good}]}}"#)), Ok(Document::Index(i)) if i.manifests.len() == 1));
        for (text, reason) in [
            (format!(r#"{{"manifests":[],"layers":[],"config":{good}}}"#), "of a manifest and of an index"),
            (format!(r#"{{"mediaType":"{OCI_INDEX}","config":{good},"layers":[]}}"#), "says that it is an index"),
            (format!(r#"{{"mediaType":"{OCI_MANIFEST}","manifests":[]}}"#), "says that it is a manifest"),
            (format!(r#"{{"config":{good},"config":{good}}}"#), "duplicate field"),
            (format!(r#"{{"config":{},"layers":[]}}"#, wire_descriptor("sha256:../../etc/passwd")), "lower-case hex"),
            (format!(r#"{{"config":{},"layers":[]}}"#, wire_descriptor("md5:00")), "not supported"),
            (r#"{"schemaVersion":1,"fsLayers":[]}"#.to_owned(), "schema 1"),
            (r#"{"schemaVersion":3}"#.to_owned(), "schema version 3"),
            ("{}".to_owned(), "neither"),
            ("[[[".to_owned(), "no JSON object"),
            (format!("{}{}", "[".repeat(300), "]".repeat(300)), "no JSON object"),
            (format!(r#"{{"annotations":{}"#, r#"{"x":"#.repeat(300)), "invalid type"),
            (format!(r#"{{"config":{{"digest":"x","size":-1}},"x":{good}}}"#), "invalid value"),
        ] {
            let error = parsed(&text).expect_err(&text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn keys_in_another_case_are_refused_at_every_level() {
        let digest = format!(r#""digest":"sha256:{}","size":2"#, "0".repeat(64));
        let good = format!("{{{digest}}}");
        let described = |more: &str| format!(r#"{{"config":{good},"layers":[{{{digest},{more}}}]}}"#);
        for text in [
            format!(r#"{{"config":{good},"layers":[],"Config":{good}}}"#),
            format!(r#"{{"config":{good},"layers":[],"layer\u017f":[]}}"#),
            format!(r#"{{"manifests":[{good}],"Manifests":[]}}"#),
            r#"{"manifests":[],"MediaType":"x"}"#.to_owned(),
            r#"{"manifests":[],"SchemaVersion":1}"#.to_owned(),
            format!(r#"{{"manifests":[],"subject":{{{digest},"Digest":"x"}}}}"#),
            described(r#""mediatype":"x""#),
            described(r#""Size":1"#),
            described(r#""URLs":[]"#),
            described(r#""Annotations":{}"#),
            described(r#""artifacttype":"x""#),
            described(r#""Platform":{}"#),
            described(r#""platform":{"OS":"linux"}"#),
            described(r#""platform":{"Architecture":"amd64"}"#),
        ] {
            let error = parsed(&text).expect_err(&text);
            assert!(error.contains("is not spelled"), "{text}: {error}");
        }
        for text in [described(r#""annotations":{"a":"1","A":"2","Digest":"3"}"#), described(r#""data":"e30=","other":{"Size":1}"#)] {
            parsed(&text).expect(&text);
        }
        for text in [
            r#"{"config":{"User":"1000","user":"root"}}"#,
            r#"{"config":{"ENV":[]}}"#,
            r#"{"Config":{}}"#,
            r#"{"OS":"linux"}"#,
            r#"{"RootFS":{}}"#,
            r#"{"rootfs":{"Diff_IDs":[]}}"#,
            r#"{"history":[{},{"Created_By":"x"}]}"#,
        ] {
            assert!(
                matches!(parse_config(text.as_bytes(), "x"), Err(Error::Malformed { reason, .. }) if reason.contains("is not spelled")),
                "{text}"
            );
        }
        let old = r#"{"id":"x","Size":1,"container_config":{"user":"x","User":"y"},"config":{"Hostname":"","User":"app","Labels":{"a":"1","A":"2"}}}"#;
        assert_eq!(parse_config(old.as_bytes(), "x").expect("legal").config.user, "app");
    }

    #[test]
    fn platforms_have_one_name_each() {
        for (written, usual) in [
            ("linux/x86_64", "linux/amd64"),
            ("Linux/AMD64", "linux/amd64"),
            ("linux/aarch64/8", "linux/arm64/v8"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("macos/i386", "darwin/386"),
            ("linux/riscv64", "linux/riscv64"),
        ] {
            assert_eq!(super::usual(Platform::parse(written).expect("platform")).to_string(), usual, "{written}");
        }
    }

    #[test]
    fn media_type_comes_from_the_body_then_the_transport_then_the_shape() {
        let check = |body: &str, transport: Option<&str>| raw(body.as_bytes().to_vec(), transport, Algorithm::Sha256).media_type;
        assert_eq!(check(&format!(r#"{{"mediaType":"{DOCKER_LIST}"}}"#), Some(OCI_MANIFEST)), DOCKER_LIST);
        assert_eq!(check("{}", Some("application/vnd.docker.distribution.manifest.v2+json; charset=utf-8")), DOCKER_MANIFEST);
        assert_eq!(check(r#"{"manifests":[]}"#, Some("application/json")), OCI_INDEX);
        assert_eq!(check("{}", None), OCI_MANIFEST);
    }

    #[test]
    fn a_configuration_may_lack_everything() {
        let empty = parse_config(b"{}", "config").expect("legal");
        assert_eq!((empty.platform, empty.config), (None, ImageConfig::default()));
        let nulls = parse_config(
            br#"{"os":"linux","architecture":"amd64","config":{"Env":null,"Cmd":"sh","Labels":{"a":null}},"history":null,"rootfs":null}"#,
            "config",
        )
        .expect("legal");
        assert_eq!(nulls.platform.map(|platform| platform.to_string()).as_deref(), Some("linux/amd64"));
        assert_eq!(nulls.config.cmd, ["sh"]);
        let old = parse_config(br#"{"config":{"Healthcheck":{"Test":["NONE"]},"OnBuild":["RUN make"],"Shell":["sh","-c"]}}"#, "config");
        let old = old.expect("legal").config;
        assert_eq!((old.healthcheck, old.on_build, old.shell.len()), (vec!["NONE".to_owned()], vec!["RUN make".to_owned()], 2));
        assert!(parse_config(br#"{"rootfs":{"diff_ids":["x"]}}"#, "config").is_err());
        assert!(parse_config(b"", "config").is_err());
    }
}
