//! What an artifact holds, as a manifest and back. A manifest is read from a registry, and may be anybody's: nothing in it is used before it is
//! checked. The same contents make the same bytes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    advisory::{
        artifact::Error,
        store::{EXTENSION, TEXT_EXTENSION},
    },
    model::{digest::Digest, image::Descriptor},
    registry::{RawManifest, manifest as oci},
};

/// Media type of the artifact without its version.
const FAMILY: &str = "application/vnd.plimsoll.advisory-db.v";
/// The version that this program reads and writes.
const VERSION: u32 = 1;
/// The artifact's type.
pub const ARTIFACT_TYPE: &str = "application/vnd.plimsoll.advisory-db.v1";
/// Media type of the manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media type and bytes of the configuration, which says nothing.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The configuration's bytes.
pub const EMPTY_CONFIG: &[u8] = b"{}";
/// More shards than this are no database.
const MAX_SHARDS: usize = 4096;
/// A file is never larger than this when it is unpacked.
const MAX_FILE: u64 = 2 << 30;
/// All files together are never larger than this when they are unpacked.
const MAX_TOTAL: u64 = 16 << 30;
/// Longer annotations are none of ours.
const MAX_TEXT: usize = 16 << 10;

const SHARD: &str = "vnd.plimsoll.db.shard";
const ECOSYSTEMS: &str = "vnd.plimsoll.db.ecosystems";
const AS_OF: &str = "vnd.plimsoll.db.as-of";
const RECORDS: &str = "vnd.plimsoll.db.records";
const ROWS: &str = "vnd.plimsoll.db.rows";
const FORMAT: &str = "vnd.plimsoll.db.format";
const LICENCE: &str = "vnd.plimsoll.db.licence";
const DIGEST: &str = "vnd.plimsoll.db.digest";
const CONTENT: &str = "vnd.plimsoll.db.content";
const FILE: &str = "vnd.plimsoll.db.file";
const BYTES: &str = "vnd.plimsoll.db.bytes";
const TITLE: &str = "org.opencontainers.image.title";

/// One kind of file that a shard is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Summaries, details and links. Put in place before the rows that point into it.
    Text,
    /// What is matched.
    Rows,
}

impl Part {
    /// Every kind, in the order of putting them in place.
    pub const ALL: [Self; 2] = [Self::Text, Self::Rows];

    /// How such a file's name ends.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Text => TEXT_EXTENSION,
            Self::Rows => EXTENSION,
        }
    }

    /// Whether a file of this kind and of `shard` may have this name. A text file's also says which text it is.
    #[must_use]
    pub fn is_name_of(self, shard: &str, file: &str) -> bool {
        let middle = file.strip_prefix(shard).and_then(|rest| rest.strip_suffix(self.extension())?.strip_suffix('.'));
        match (self, middle) {
            (Self::Rows, Some("")) => true,
            (Self::Text, Some(middle)) => middle.len() <= 80 && is_fit(middle),
            (_, _) => false,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Text => "application/vnd.plimsoll.advisory-text.v1+zstd",
            Self::Rows => "application/vnd.plimsoll.advisory-shard.v1+zstd",
        }
    }
}

/// One file of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Which of the shard's files.
    pub part: Part,
    /// Its name in a database folder.
    pub name: String,
    /// Digest of the compressed blob.
    pub blob: Digest,
    /// Its size.
    pub size: u64,
    /// SHA-256 of the file.
    pub content: Digest,
    /// Size of the file.
    pub bytes: u64,
}

/// One shard of an artifact.
pub type ShardEntry = Described<FileEntry>;

/// A shard by what it says of itself, with what is known of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described<F> {
    /// Name, also of the files.
    pub name: String,
    /// OSV ecosystem strings that it covers, `KEV` or `EPSS`; sorted.
    pub ecosystems: Vec<String>,
    /// RFC 3339 time of the newest record.
    pub as_of: Option<String>,
    /// Records.
    pub records: u32,
    /// Rows.
    pub rows: u32,
    /// Major and minor version of the file format.
    pub format: (u16, u16),
    /// Licence of the records.
    pub licence: String,
    /// Digest over the shard's sections, as in its header.
    pub digest: Digest,
    /// Its files, in the order of [`Part`].
    pub files: Vec<F>,
}

impl<F> Described<F> {
    /// The same shard with its files known otherwise.
    pub(super) fn with_files<G>(self, files: Vec<G>) -> Described<G> {
        Described {
            name: self.name,
            ecosystems: self.ecosystems,
            as_of: self.as_of,
            records: self.records,
            rows: self.rows,
            format: self.format,
            licence: self.licence,
            digest: self.digest,
            files,
        }
    }
}

impl FileEntry {
    /// What the registry is asked for.
    #[must_use]
    pub fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.part.media_type().to_owned(),
            digest: self.blob.clone(),
            size: self.size,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        }
    }
}

/// Everything that an artifact holds, by the shard's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The shards.
    pub shards: BTreeMap<String, ShardEntry>,
}

impl Contents {
    /// Writes the manifest.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let layers: Vec<Value> = self.shards.values().flat_map(|shard| shard.files.iter().map(move |file| layer(shard, file))).collect();
        let mut annotations = Map::new();
        if let Some(newest) = self.shards.values().filter_map(|shard| shard.as_of.as_deref()).max() {
            annotations.insert(AS_OF.to_owned(), json!(newest));
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": ARTIFACT_TYPE,
            "config": { "mediaType": EMPTY, "digest": Digest::sha256_of(EMPTY_CONFIG).to_string(), "size": EMPTY_CONFIG.len() },
            "layers": layers,
            "annotations": annotations,
        });
        manifest.to_string().into_bytes()
    }

    /// Reads a manifest. Layers of an unknown media type are passed over: a later program of the same format may add some.
    ///
    /// # Errors
    /// When it is not of a database, or one of another format, or says what cannot be.
    pub fn parse(reference: &str, raw: &RawManifest) -> Result<Self, Error> {
        let not = |reason: String| Error::NotDatabase { reference: reference.to_owned(), reason };
        let oci::Document::Manifest(document) = oci::parse(raw)? else {
            return Err(not("it is an index of images".to_owned()));
        };
        let kind = document.artifact_type.unwrap_or(document.config.media_type);
        match kind.strip_prefix(FAMILY) {
            Some(version) if version.parse() == Ok(VERSION) => {}
            Some(version) => {
                return Err(Error::Format { reference: reference.to_owned(), found: shown(version), readable: VERSION });
            }
            None => return Err(not(format!("it is of type `{}`", shown(&kind)))),
        }
        let mut contents = Self::default();
        let mut total = 0_u64;
        for layer in &document.layers {
            let Some(part) = Part::ALL.into_iter().find(|part| part.media_type() == layer.media_type) else { continue };
            let (shard, file) = entry(part, layer).map_err(|reason| not(format!("layer {}: {reason}", layer.digest)))?;
            total = total.saturating_add(file.bytes);
            let known = contents.shards.entry(shard.name.clone()).or_insert_with(|| shard.clone());
            if (ShardEntry { files: Vec::new(), ..known.clone() }) != shard || known.files.iter().any(|other| other.part == part) {
                return Err(not(format!("it lists shard {} twice", shard.name)));
            }
            known.files.push(file);
            known.files.sort_by_key(|file| file.part);
        }
        if total > MAX_TOTAL || contents.shards.len() > MAX_SHARDS {
            return Err(not(format!("it is too large: {} shards, {total} bytes", contents.shards.len())));
        }
        match contents.shards.values().find(|shard| !shard.files.iter().any(|file| file.part == Part::Rows)) {
            Some(shard) => Err(not(format!("shard {} has no rows", shard.name))),
            None if contents.shards.is_empty() => Err(not("it holds no shard".to_owned())),
            None => Ok(contents),
        }
    }

    /// How many bytes a whole pull loads.
    #[must_use]
    pub fn download_bytes(&self) -> u64 {
        self.shards.values().flat_map(|shard| &shard.files).map(|file| file.size).sum()
    }
}

fn layer(shard: &ShardEntry, file: &FileEntry) -> Value {
    let (major, minor) = shard.format;
    let mut annotations = BTreeMap::from([
        (SHARD, shard.name.clone()),
        (ECOSYSTEMS, json!(shard.ecosystems).to_string()),
        (RECORDS, shard.records.to_string()),
        (ROWS, shard.rows.to_string()),
        (FORMAT, format!("{major}.{minor}")),
        (LICENCE, shard.licence.clone()),
        (DIGEST, shard.digest.to_string()),
        (CONTENT, file.content.to_string()),
        (BYTES, file.bytes.to_string()),
        (FILE, file.name.clone()),
        (TITLE, format!("{}.zst", file.name)),
    ]);
    annotations.extend(shard.as_of.clone().map(|as_of| (AS_OF, as_of)));
    json!({ "mediaType": file.part.media_type(), "digest": file.blob.to_string(), "size": file.size, "annotations": annotations })
}

/// One layer, with a shard that has no files yet.
fn entry(part: Part, layer: &Descriptor) -> Result<(ShardEntry, FileEntry), String> {
    let text = |key: &str| layer.annotations.get(key).filter(|text| text.len() <= MAX_TEXT);
    let need = |key: &str| text(key).ok_or_else(|| format!("no `{key}`"));
    let number = |key: &str| need(key)?.parse().map_err(|_| format!("`{key}` is no number"));
    let digest = |key: &str| Digest::parse(need(key)?).map_err(|_| format!("`{key}` is no digest"));
    let name = need(SHARD)?.clone();
    if !is_name(&name) {
        return Err(format!("`{}` is no name of a shard", shown(&name)));
    }
    let format = need(FORMAT)?.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    let file = FileEntry {
        part,
        name: need(FILE)?.clone(),
        blob: layer.digest.clone(),
        size: layer.size,
        content: digest(CONTENT)?,
        bytes: need(BYTES)?.parse().map_err(|_| format!("`{BYTES}` is no number"))?,
    };
    if !part.is_name_of(&name, &file.name) {
        return Err(format!("`{}` is no name of a file of shard {name}", shown(&file.name)));
    }
    if file.bytes > MAX_FILE || file.size > MAX_FILE {
        return Err(format!("a file of {} bytes is larger than {MAX_FILE}", file.bytes.max(file.size)));
    }
    let shard = ShardEntry {
        name,
        ecosystems: serde_json::from_str(need(ECOSYSTEMS)?).map_err(|_| format!("`{ECOSYSTEMS}` is no list"))?,
        as_of: text(AS_OF).cloned(),
        records: number(RECORDS)?,
        rows: number(ROWS)?,
        format: format.ok_or_else(|| format!("`{FORMAT}` is no version"))?,
        licence: need(LICENCE)?.clone(),
        digest: digest(DIGEST)?,
        files: Vec::new(),
    };
    Ok((shard, file))
}

/// Whether a text may be part of a file's name: it stays in its folder and is neither hidden nor a temporary one.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64 && is_fit(text) && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

fn is_fit(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)) && !text.contains("..")
}

/// A text of somebody else's, for a message.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|ch| if ch.is_control() { ' ' } else { ch }).collect()
}

/// Contents for tests.
#[cfg(test)]
pub(super) mod fixture {
    use super::*;

    /// A shard with one file of rows.
    pub(in crate::advisory::artifact) fn shard(name: &str, as_of: &str) -> ShardEntry {
        let file = FileEntry {
            part: Part::Rows,
            name: format!("{name}.plimdb"),
            blob: Digest::sha256_of(name.as_bytes()),
            size: 7,
            content: Digest::sha256_of(as_of.as_bytes()),
            bytes: 70,
        };
        ShardEntry {
            name: name.to_owned(),
            ecosystems: vec![name.to_owned()],
            as_of: Some(as_of.to_owned()),
            records: 3,
            rows: 5,
            format: (1, 0),
            licence: "CC0-1.0".to_owned(),
            digest: Digest::sha256_of(b"sections"),
            files: vec![file],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{fixture::shard, *};
    use crate::model::digest::Algorithm;

    fn contents() -> Contents {
        let mut debian = shard("debian-12", "2026-11-01T00:00:00Z");
        let text = FileEntry {
            part: Part::Text,
            name: "debian-12.0123.plimtext".to_owned(),
            blob: Digest::sha256_of(b"text"),
            ..debian.files[0].clone()
        };
        debian.files.insert(0, text);
        let mut kev = shard("kev", "2026-11-02T00:00:00Z");
        kev.as_of = None;
        Contents { shards: [debian, kev].into_iter().map(|shard| (shard.name.clone(), shard)).collect() }
    }

    fn raw(text: &str) -> RawManifest {
        oci::raw(text.as_bytes().to_vec(), None, Algorithm::Sha256)
    }

    #[test]
    fn contents_come_back_and_the_same_ones_make_the_same_bytes() {
        let bytes = contents().encode();
        assert_eq!(bytes, contents().encode());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(Contents::parse("r", &raw(&text)).unwrap(), contents());
        assert_eq!(contents().download_bytes(), 21);
        assert!(text.contains(r#""artifactType":"application/vnd.plimsoll.advisory-db.v1""#));
        // A layer of a kind that is not known yet does not matter.
        let more = text.replacen("advisory-text.v1", "advisory-graph.v1", 1);
        assert_eq!(Contents::parse("r", &raw(&more)).unwrap().shards["debian-12"].files.len(), 1);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let text = String::from_utf8(contents().encode()).unwrap();
        let content = Digest::sha256_of(b"2026-11-01T00:00:00Z").to_string();
        for (from, to, reason) in [
            ("advisory-db.v1", "advisory-db.v2", "artifact format 2, this program reads format 1"),
            ("vnd.plimsoll.advisory-db.v1", "vnd.example.thing", "it is of type `application/vnd.example.thing`"),
            ("\"debian-12\"", "\"../../etc/passwd\"", "no name of a shard"),
            ("\"debian-12\"", "\".hidden\"", "no name of a shard"),
            ("\"kev.plimdb\"", "\"npm.plimdb\"", "no name of a file"),
            ("debian-12.0123.", "debian-12../0123.", "no name of a file"),
            ("\"kev\"", "\"debian-12\"", "no name of a file"),
            ("\"1.0\"", "\"one\"", "no version"),
            (content.as_str(), "sha256:00", "no digest"),
            ("\"70\"", "\"99999999999\"", "larger than"),
            ("\"70\"", "\"-1\"", "no number"),
            ("vnd.plimsoll.db.licence", "vnd.plimsoll.db.license", "no `vnd.plimsoll.db.licence`"),
            ("advisory-shard.v1", "advisory-shard.v9", "has no rows"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Contents::parse("r", &raw(&text.replace(from, to))).expect_err(to).to_string();
            assert!(error.contains(reason), "{to}: {error}");
        }
        assert!(Contents::parse("r", &raw(r#"{"manifests":[]}"#)).is_err_and(|error| error.to_string().contains("index")));
        assert!(Contents::parse("r", &raw(&String::from_utf8(Contents::default().encode()).unwrap())).is_err());
    }
}
