//! An image digest in, the layers of every place that can hold evidence about it out, checked one by one
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>). All places are always read: neither an
//! answer nor an error of one hides the others. Limits are looked at before anything is fetched.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::{join_all, join3};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    model::{
        attestation::{Attestation, Place, Signature, VerificationFault},
        coverage::{Gap, SourceId},
        digest::Digest,
        image::Descriptor,
    },
    registry::{self, ImageSource, RawManifest},
    verify::{
        claim::{BUNDLE, Checker, Claim, DSSE, Refusal, SIMPLE_SIGNING, Spot},
        strict_json,
    },
};

/// Referrers that are read at the same time.
const AT_ONCE: usize = 4;
/// Notation's signatures, which are read in a later step.
const NOTATION: &str = "application/vnd.cncf.notary.signature";

/// The facts gathered so far.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) signatures: Vec<Signature>,
    pub(crate) attestations: Vec<Attestation>,
    pub(crate) faults: Vec<VerificationFault>,
    pub(crate) gaps: Vec<Gap>,
    /// Whether anything that claims to be an image signature was found, good or bad.
    pub(crate) signature_seen: bool,
}

impl Findings {
    /// One Gap alone.
    pub(crate) fn gap(gap: Gap) -> Self {
        Self { gaps: vec![gap], ..Self::default() }
    }

    /// Adds what another place gave.
    pub(crate) fn append(&mut self, other: Self) {
        self.signatures.extend(other.signatures);
        self.attestations.extend(other.attestations);
        self.faults.extend(other.faults);
        self.gaps.extend(other.gaps);
        self.signature_seen |= other.signature_seen;
    }

    fn unchecked(kind: &'static str, subject: impl Into<String>, reason: impl AsRef<str>) -> Self {
        let gap = Gap::new(SourceId::Signatures, kind, subject, one_line(reason.as_ref()));
        Self::gap(match kind {
            "unchecked.trust-root" => gap.with_hint("name a trusted root: the public-good one, or a trusted_root.json file"),
            "unchecked.registry" => {
                gap.with_hint("check that the registry can be reached and that the credentials may read this repository")
            }
            _ => gap,
        })
    }

    /// A refusal as a fact. Whatever is wrong in a place for signatures may have been one.
    fn refused(refusal: Refusal, place: Place, manifest: &Digest, index: usize) -> Self {
        match refusal {
            Refusal::Invalid { code, detail } => Self {
                faults: vec![VerificationFault {
                    code,
                    place: Some(place),
                    manifest: Some(manifest.clone()),
                    index,
                    detail: one_line(&detail),
                }],
                signature_seen: place != Place::LegacyAtt,
                ..Self::default()
            },
            Refusal::Unchecked { kind, reason } => Self::unchecked(kind, shown(place, manifest, Some(index)), reason),
        }
    }
}

/// Reads the places of one image.
pub(crate) struct Reader<'a> {
    source: &'a dyn ImageSource,
    checker: &'a Checker<'a>,
    deadline: Instant,
}

/// What a fetch gave: the value, or the findings that stand in for it.
type Fetched<T> = Result<T, Findings>;

impl<'a> Reader<'a> {
    /// A reader whose time runs from now.
    pub(crate) fn new(source: &'a dyn ImageSource, checker: &'a Checker<'a>) -> Self {
        Self { source, checker, deadline: Instant::now() + checker.limits.time }
    }

    /// Reads every place for `subject`.
    pub(crate) async fn read(&self, subject: &Digest) -> Findings {
        let (signatures, attestations, referrers) =
            join3(self.read_tag(subject, Place::LegacySig), self.read_tag(subject, Place::LegacyAtt), self.read_referrers(subject)).await;
        let mut all = signatures;
        all.append(attestations);
        all.append(referrers);
        all
    }

    async fn read_tag(&self, subject: &Digest, place: Place) -> Findings {
        let (suffix, wanted) = if place == Place::LegacySig { (".sig", SIMPLE_SIGNING) } else { (".att", DSSE) };
        let tag = format!("{}-{}{suffix}", subject.algorithm().name(), subject.hex());
        let raw = match self.within(&tag, self.source.fetch_tag(&tag)).await {
            Ok(Some(raw)) => raw,
            Ok(None) => return Findings::default(),
            Err(findings) => return findings,
        };
        self.read_manifest(subject, place, &raw, &|layer| if layer == wanted { Layer::Ours } else { Layer::Foreign }).await
    }

    async fn read_referrers(&self, subject: &Digest) -> Findings {
        let listed = match self.within(&format!("referrers of {subject}"), self.source.fetch_referrers(subject)).await {
            Ok(Some(list)) => Ok((Place::Referrers, list)),
            Ok(None) => self.read_fallback(subject).await,
            Err(findings) => Err(findings),
        };
        let (place, list) = match listed {
            Ok(listed) => listed,
            Err(findings) => return findings,
        };
        let limit = self.checker.limits.referrers;
        if list.len() > limit {
            return Findings::unchecked(
                "unchecked.limit",
                format!("referrers of {subject}"),
                format!("{} referrers, more than {limit}", list.len()),
            );
        }
        let mut seen = BTreeSet::new();
        let list: Vec<&Descriptor> = list.iter().filter(|one| seen.insert(&one.digest)).collect();
        let mut findings = Findings::default();
        for some in list.chunks(AT_ONCE) {
            for one in join_all(some.iter().map(|descriptor| self.read_referrer(subject, place, descriptor))).await {
                findings.append(one);
            }
        }
        findings
    }

    /// The index under the tag that stands in for a missing referrers API.
    async fn read_fallback(&self, subject: &Digest) -> Fetched<(Place, Vec<Descriptor>)> {
        let place = Place::FallbackTag;
        let tag = format!("{}-{}", subject.algorithm().name(), subject.hex());
        let Some(raw) = self.within(&tag, self.source.fetch_tag(&tag)).await? else { return Ok((place, Vec::new())) };
        self.check_size(place, &raw)?;
        let bad = |reason: String| {
            Findings::refused(Refusal::invalid("invalid.payload", format!("fallback tag: {reason}")), place, &raw.digest, 0)
        };
        let value = strict_json::parse(&raw.bytes).map_err(bad)?;
        let entries = value.get("manifests").and_then(Value::as_array).ok_or_else(|| bad("is not an index".to_owned()))?;
        let list: Result<Vec<Descriptor>, String> = entries.iter().map(descriptor).collect();
        Ok((place, list.map_err(bad)?))
    }

    async fn read_referrer(&self, subject: &Digest, place: Place, descriptor: &Descriptor) -> Findings {
        let limit = self.checker.limits.manifest_bytes;
        if descriptor.size > limit {
            return Findings::unchecked(
                "unchecked.limit",
                shown(place, &descriptor.digest, None),
                format!("manifest of {} bytes, more than {limit}", descriptor.size),
            );
        }
        let raw = match self.within(&shown(place, &descriptor.digest, None), self.source.fetch_manifest(&descriptor.digest)).await {
            Ok(raw) => raw,
            Err(findings) => return findings,
        };
        if raw.digest != descriptor.digest {
            return Findings::unchecked(
                "unchecked.blob-digest",
                shown(place, &descriptor.digest, None),
                "manifest does not match its digest",
            );
        }
        // Whatever else refers to the image (an SBOM, a chart) is no evidence of ours; only the layer's own media type tells.
        self.read_manifest(subject, place, &raw, &|layer| match layer {
            SIMPLE_SIGNING | DSSE => Layer::Ours,
            bundle if bundle.starts_with(BUNDLE) => Layer::Ours,
            _ => Layer::Other,
        })
        .await
    }

    async fn read_manifest(&self, subject: &Digest, place: Place, raw: &RawManifest, sort: &(dyn Fn(&str) -> Layer + Sync)) -> Findings {
        let refused = |refusal| Findings::refused(refusal, place, &raw.digest, 0);
        if let Err(findings) = self.check_size(place, raw) {
            return findings;
        }
        let value = match strict_json::parse(&raw.bytes) {
            Ok(value) => value,
            Err(reason) => return refused(Refusal::invalid("invalid.payload", format!("manifest: {reason}"))),
        };
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let config = value.get("config").and_then(|config| config.get("mediaType")).and_then(Value::as_str);
        if text("artifactType") == Some(NOTATION) || config == Some(NOTATION) {
            return refused(Refusal::unchecked("unchecked.unsupported", "a Notation signature, which this version does not check"));
        }
        let Some(layers) = value.get("layers").and_then(Value::as_array) else {
            return refused(if place == Place::LegacySig || place == Place::LegacyAtt {
                Refusal::invalid("invalid.payload", "the tag holds no image manifest with layers")
            } else {
                Refusal::unchecked("unchecked.unsupported", format!("a referrer of type `{}`", raw.media_type))
            });
        };
        let limit = self.checker.limits.layers;
        if layers.len() > limit {
            return refused(Refusal::unchecked("unchecked.limit", format!("manifest with {} layers, more than {limit}", layers.len())));
        }
        let mut findings = Findings::default();
        for (index, layer) in layers.iter().enumerate() {
            let spot = Spot { place, manifest: &raw.digest, subject };
            findings.append(match descriptor(layer) {
                Err(reason) => {
                    Findings::refused(Refusal::invalid("invalid.payload", format!("manifest: {reason}")), place, &raw.digest, index)
                }
                Ok(layer) => match sort(&layer.media_type) {
                    Layer::Ours => self.read_layer(spot, index, &layer).await,
                    Layer::Foreign => {
                        let detail =
                            format!("layer of type `{}` in a place for signatures", layer.media_type.chars().take(100).collect::<String>());
                        Findings::refused(Refusal::invalid("invalid.payload", detail), place, &raw.digest, index)
                    }
                    Layer::Other => Findings::default(),
                },
            });
        }
        findings
    }

    async fn read_layer(&self, spot: Spot<'_>, index: usize, layer: &Descriptor) -> Findings {
        let limit = self.checker.limits.payload_bytes;
        let place = shown(spot.place, spot.manifest, Some(index));
        if layer.size > limit {
            return Findings::unchecked("unchecked.limit", place, format!("payload of {} bytes, more than {limit}", layer.size));
        }
        let bytes = match self.within(&place, self.source.fetch_blob(layer, limit)).await {
            Ok(bytes) => bytes,
            Err(findings) => return findings,
        };
        if u64::try_from(bytes.len()) != Ok(layer.size) || !layer.digest.matches(&bytes) {
            return Findings::unchecked("unchecked.blob-digest", place, "payload does not match its digest");
        }
        let checked = self.checker.check(spot, &layer.media_type, &layer.annotations, &bytes);
        let mut findings = match checked.result {
            Ok(claims) => {
                let mut findings = Findings::default();
                for claim in claims {
                    match claim {
                        Claim::Signature(signature) => findings.signatures.push(signature),
                        Claim::Attestation(attestation) => findings.attestations.push(attestation),
                    }
                }
                findings
            }
            Err(refusal) => Findings::refused(refusal, spot.place, spot.manifest, index),
        };
        findings.signature_seen = checked.signature_seen;
        findings
    }

    fn check_size(&self, place: Place, raw: &RawManifest) -> Fetched<()> {
        let limit = self.checker.limits.manifest_bytes;
        if u64::try_from(raw.bytes.len()).is_ok_and(|size| size <= limit) {
            return Ok(());
        }
        Err(Findings::unchecked(
            "unchecked.limit",
            shown(place, &raw.digest, None),
            format!("manifest of {} bytes, more than {limit}", raw.bytes.len()),
        ))
    }

    /// Waits for a fetch, at most until the deadline; an error or the end of time becomes a Gap about `what`.
    async fn within<T>(&self, what: &str, fetch: impl Future<Output = Result<T, registry::Error>>) -> Fetched<T> {
        match tokio::time::timeout_at(self.deadline, fetch).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let kind = if matches!(error, registry::Error::DigestMismatch { .. } | registry::Error::SizeMismatch { .. }) {
                    "unchecked.blob-digest"
                } else {
                    "unchecked.registry"
                };
                Err(Findings::unchecked(kind, what, chain(&error)))
            }
            Err(_) => {
                Err(Findings::unchecked("unchecked.timeout", what, format!("not read within {} s", self.checker.limits.time.as_secs())))
            }
        }
    }
}

/// What a layer is to the place that holds it.
#[derive(Clone, Copy)]
enum Layer {
    /// To be checked.
    Ours,
    /// Wrong here.
    Foreign,
    /// No evidence.
    Other,
}

/// Reads a descriptor of a manifest or an index.
fn descriptor(value: &Value) -> Result<Descriptor, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let digest = text("digest").ok_or("descriptor without a digest")?;
    let size = value.get("size").and_then(Value::as_u64).ok_or("descriptor without a size")?;
    let annotations: BTreeMap<String, String> = value
        .get("annotations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    Ok(Descriptor {
        media_type: text("mediaType").unwrap_or_default().to_owned(),
        digest: Digest::parse(digest).map_err(|error| error.to_string())?,
        size,
        urls: Vec::new(),
        annotations,
        artifact_type: text("artifactType").map(str::to_owned),
        platform: None,
    })
}

/// A place for people.
fn shown(place: Place, manifest: &Digest, index: Option<usize>) -> String {
    let name = place.name();
    index.map_or_else(|| format!("{name} {manifest}"), |index| format!("{name} {manifest} layer {index}"))
}

/// An error with its sources on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

/// Text that may come from whoever wrote the artifact, made fit for one line of a report.
fn one_line(text: &str) -> String {
    text.chars().take(400).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
