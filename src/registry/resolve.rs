//! A source and a wanted platform in, one `ResolvedImage` out: pinned to a manifest digest once, for everything that follows.
//! Platforms: <https://github.com/opencontainers/image-spec/blob/main/image-index.md>.

use std::{collections::BTreeSet, fmt};

use crate::{
    model::{
        digest::Digest,
        image::{Descriptor, Layer, Manifest, Platform, PlatformChoice, ResolvedImage},
        reference::ImageReference,
    },
    registry::{
        Error, ImageSource, RawManifest, blob,
        error::shown,
        layout::runs_nowhere,
        manifest::{self, CONFIG_BYTES, ConfigDocument, Document, INDEX_DEPTH, ManifestDocument},
    },
};

/// Most entries without a platform whose configurations are read to learn it.
const UNNAMED: usize = 32;
/// Most indexes below the root that are read.
const INDEXES: usize = 100;
/// Most entries of all of them together.
const ENTRIES: usize = 50_000;
/// Most images of one index that are read at the asking of all.
const IMAGES: usize = 100;

/// Resolves a reference once: to the manifest of the wanted platform, else of the host's when the reference names an index.
/// A reference to a single image is taken as it is unless `wanted` says otherwise.
///
/// # Errors
/// When there is no such image or platform, or when a manifest, index or configuration is not what its descriptor promises.
pub async fn resolve(
    source: &dyn ImageSource,
    reference: &ImageReference,
    wanted: Option<&Platform>,
    host: &Platform,
) -> Result<ResolvedImage, Error> {
    let root = source.fetch_root().await?;
    let name = reference.to_string();
    let (wanted, host) = (wanted.cloned().map(manifest::usual), manifest::usual(host.clone()));
    let wanted = wanted.as_ref();
    match manifest::parse(&root)? {
        Document::Manifest(document) => {
            let image = assemble(source, reference, &root, *document, None).await?;
            match wanted.filter(|wanted| !image.platform.satisfies(wanted)) {
                Some(wanted) => {
                    Err(Error::NoSuchPlatform { what: name, wanted: wanted.to_string(), there: vec![image.platform.to_string()] })
                }
                None => Ok(image),
            }
        }
        Document::Index(document) => {
            let candidates = candidates(source, document.manifests).await?;
            let platform = wanted.unwrap_or(&host);
            let chosen = match choose(&candidates, platform).as_slice() {
                [] => return Err(Error::NoSuchPlatform { what: name, wanted: platform.to_string(), there: there(&candidates) }),
                [chosen] => *chosen,
                several => {
                    let there = several.iter().map(|candidate| candidate.to_string()).collect();
                    return Err(Error::SeveralForPlatform { what: name, wanted: platform.to_string(), there });
                }
            };
            let choice = if wanted.is_some() { PlatformChoice::Asked } else { PlatformChoice::Host };
            listed(source, reference, chosen, (root.digest, choice)).await
        }
    }
}

/// Resolves a reference to the images of all its platforms, in the order of the index, each manifest once; at least one. Entries for
/// `unknown/unknown`, as attestations are, run nowhere and are left out; an image that names no platform may run anywhere and is not.
///
/// # Errors
/// When there is no image, when there are more than [`IMAGES`], or when a manifest, index or configuration is not what its descriptor promises.
pub async fn resolve_all(source: &dyn ImageSource, reference: &ImageReference) -> Result<Vec<ResolvedImage>, Error> {
    let root = source.fetch_root().await?;
    let document = match manifest::parse(&root)? {
        Document::Manifest(document) => return Ok(vec![assemble(source, reference, &root, *document, None).await?]),
        Document::Index(document) => document,
    };
    let mut candidates = candidates(source, document.manifests).await?;
    let mut seen = BTreeSet::new();
    candidates.retain(|candidate| seen.insert(candidate.descriptor.digest.clone()));
    if candidates.is_empty() {
        return Err(Error::Malformed { what: reference.to_string(), reason: "its index lists no image".to_owned() });
    }
    if candidates.len() > IMAGES {
        return Err(Error::TooLarge { what: format!("number of images in {reference}"), limit: IMAGES.to_string() });
    }
    let mut images = Vec::new();
    for candidate in &candidates {
        images.push(listed(source, reference, candidate, (root.digest.clone(), PlatformChoice::Asked)).await?);
    }
    Ok(images)
}

/// The image of an index's entry.
async fn listed(
    source: &dyn ImageSource,
    reference: &ImageReference,
    chosen: &Candidate,
    (index, choice): (Digest, PlatformChoice),
) -> Result<ResolvedImage, Error> {
    let raw = fetch(source, &chosen.descriptor).await?;
    let Document::Manifest(document) = manifest::parse(&raw)? else {
        return Err(Error::Malformed {
            what: format!("manifest {}", raw.digest),
            reason: "the index says that it is a manifest, and it is an index".to_owned(),
        });
    };
    assemble(source, reference, &raw, *document, Some((index, choice, &chosen.platform))).await
}

struct Candidate {
    descriptor: Descriptor,
    platform: Platform,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.descriptor.digest, shown(&self.platform.to_string()))?;
        self.platform.os_version.as_ref().map_or(Ok(()), |version| write!(f, ", version {}", shown(version)))?;
        f.write_str(")")
    }
}

/// The images of an index and of the indexes below it, with their platforms. What an entry is said to be beside its platform (an
/// `artifactType`, an annotation that it is an attestation) does not count: runtimes go by the platform alone.
async fn candidates(source: &dyn ImageSource, entries: Vec<Descriptor>) -> Result<Vec<Candidate>, Error> {
    let mut found = Vec::new();
    let mut level = entries;
    let mut seen = BTreeSet::new();
    let mut unnamed = 0_usize;
    for _ in 0..INDEX_DEPTH {
        let mut next = Vec::new();
        for entry in level {
            if runs_nowhere(&entry) {
                continue;
            }
            if manifest::is_index(&entry) {
                if seen.insert(entry.digest.clone()) {
                    if seen.len() > INDEXES {
                        return Err(Error::TooLarge { what: "number of nested indexes".to_owned(), limit: INDEXES.to_string() });
                    }
                    if let Document::Index(document) = manifest::parse(&fetch(source, &entry).await?)? {
                        next.extend(document.manifests);
                    }
                    if next.len() > ENTRIES {
                        return Err(Error::TooLarge { what: "number of entries of nested indexes".to_owned(), limit: ENTRIES.to_string() });
                    }
                }
            } else if manifest::is_manifest(&entry) || entry.platform.is_some() {
                let platform = match entry.platform.clone() {
                    Some(platform) => Some(platform),
                    None => {
                        unnamed += 1;
                        if unnamed > UNNAMED {
                            return Err(Error::TooLarge {
                                what: "number of index entries without a platform".to_owned(),
                                limit: UNNAMED.to_string(),
                            });
                        }
                        platform_of(source, &entry).await?
                    }
                };
                found.extend(platform.map(|platform| Candidate { descriptor: entry, platform }));
            }
        }
        if next.is_empty() {
            return Ok(found);
        }
        level = next;
    }
    Err(Error::TooLarge { what: "nesting of indexes".to_owned(), limit: format!("{INDEX_DEPTH} levels") })
}

/// The platform that an image's own configuration names; `None` when it is no image.
async fn platform_of(source: &dyn ImageSource, entry: &Descriptor) -> Result<Option<Platform>, Error> {
    match manifest::parse(&fetch(source, entry).await?)? {
        Document::Manifest(document) if manifest::is_image_config(&document.config.media_type) => {
            let platform = configuration(source, &document).await?.platform;
            // A signature may have an image's configuration, but one that says nothing.
            Ok(platform.or_else(|| document.subject.is_none().then(unknown)))
        }
        Document::Manifest(_) | Document::Index(_) => Ok(None),
    }
}

async fn fetch(source: &dyn ImageSource, entry: &Descriptor) -> Result<RawManifest, Error> {
    let raw = source.fetch_manifest(&entry.digest).await?;
    blob::check(&raw.bytes, entry, &format!("manifest {}", entry.digest))?;
    Ok(raw)
}

async fn configuration(source: &dyn ImageSource, document: &ManifestDocument) -> Result<ConfigDocument, Error> {
    let bytes = source.fetch_blob(&document.config, CONFIG_BYTES).await?;
    manifest::parse_config(&bytes, &format!("configuration {}", document.config.digest))
}

/// The best candidates: those of the plainest variant when none was asked for (so that it runs on every processor of the kind), each digest
/// once. Of several, runtimes take the first, the last, or the one whose os.version is their own.
fn choose<'a>(candidates: &'a [Candidate], wanted: &Platform) -> Vec<&'a Candidate> {
    let rank = |platform: &Platform| {
        let plain = match (platform.architecture.as_str(), platform.variant.as_deref()) {
            ("arm64", Some("v8")) | ("amd64", Some("v1")) | ("arm", Some("v7")) | (_, None) => 0,
            ("arm", Some("v6")) => 1,
            ("arm", Some("v5")) => 2,
            _ => 3,
        };
        let other_build = wanted.os_version.is_some() && wanted.os_version != platform.os_version;
        (other_build, plain)
    };
    let mut fitting: Vec<_> = candidates.iter().filter(|candidate| candidate.platform.satisfies(wanted)).collect();
    let best = fitting.iter().map(|candidate| rank(&candidate.platform)).min();
    let mut seen = BTreeSet::new();
    fitting.retain(|candidate| Some(rank(&candidate.platform)) == best && seen.insert(&candidate.descriptor.digest));
    fitting
}

fn there(candidates: &[Candidate]) -> Vec<String> {
    let names: BTreeSet<String> = candidates.iter().map(|candidate| candidate.platform.to_string()).collect();
    names.into_iter().collect()
}

fn unknown() -> Platform {
    Platform { os: "unknown".to_owned(), architecture: "unknown".to_owned(), variant: None, os_version: None }
}

async fn assemble(
    source: &dyn ImageSource,
    reference: &ImageReference,
    raw: &RawManifest,
    document: ManifestDocument,
    index: Option<(Digest, PlatformChoice, &Platform)>,
) -> Result<ResolvedImage, Error> {
    let what = format!("manifest {}", raw.digest);
    if !manifest::is_image_config(&document.config.media_type) {
        return Err(Error::NotAnImage { what, media_type: document.config.media_type });
    }
    let ConfigDocument { platform, config } = configuration(source, &document).await?;
    if config.diff_ids.len() != document.layers.len() {
        return Err(Error::LayerCount { what, layers: document.layers.len(), diff_ids: config.diff_ids.len() });
    }
    let platform = settle_platform(platform, index.as_ref().map(|(_, _, platform)| *platform), &what)?;
    // History aligns with layers only when both count the same; otherwise nothing is known about any layer.
    let makers: Vec<usize> = config.history.iter().enumerate().filter(|(_, entry)| !entry.empty_layer).map(|(place, _)| place).collect();
    let aligned = makers.len() == document.layers.len();
    let pairs = document.layers.iter().zip(&config.diff_ids).enumerate();
    let layers = pairs.map(|(index, (descriptor, diff_id))| Layer {
        index,
        descriptor: descriptor.clone(),
        diff_id: diff_id.clone(),
        history: makers.get(index).copied().filter(|_| aligned),
        origin: None,
    });
    let layers = layers.collect();
    let (index_digest, platform_choice) = index.map_or((None, PlatformChoice::Only), |(digest, choice, _)| (Some(digest), choice));
    Ok(ResolvedImage {
        reference: reference.clone(),
        index_digest,
        platform,
        platform_choice,
        manifest: Manifest {
            digest: raw.digest.clone(),
            media_type: raw.media_type.clone(),
            size: raw.bytes.len() as u64,
            config: document.config,
            layers: document.layers,
            annotations: document.annotations,
        },
        config,
        layers,
    })
}

/// The platform of the configuration, completed by the index; the two may not contradict each other, or another image than the chosen one is judged.
fn settle_platform(own: Option<Platform>, listed: Option<&Platform>, what: &str) -> Result<Platform, Error> {
    match (own, listed) {
        (Some(own), Some(listed)) if own.os != listed.os || own.architecture != listed.architecture => Err(Error::Malformed {
            what: what.to_owned(),
            reason: format!("the index lists it for {listed} and its configuration is for {own}"),
        }),
        (Some(own), listed) => Ok(Platform {
            variant: own.variant.or_else(|| listed?.variant.clone()),
            os_version: own.os_version.or_else(|| listed?.os_version.clone()),
            ..own
        }),
        (None, Some(listed)) => Ok(listed.clone()),
        (None, None) => Ok(unknown()),
    }
}
