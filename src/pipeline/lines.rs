//! Images and a Dockerfile in, where each layer comes from out: the instruction that made it, and whether the base image brought it.

use std::collections::BTreeMap;

use crate::{
    Error,
    dockerfile::{self, LintInput},
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        image::ResolvedImage,
        mask::masked,
        origin::{Origin, Side},
        reference::ImageReference,
    },
    pipeline::{BaseInput, DockerfileInput, Inputs},
    registry::{self, ImageSource},
};

/// The annotation with the base image's name.
const BASE_NAME: &str = "org.opencontainers.image.base.name";
/// The annotation with the digest of its manifest.
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";
/// Characters of an annotation that are shown.
const SHOWN: usize = 200;

/// Fills in the origin of every layer, and says of each image what could not be found out.
pub(super) async fn trace(images: &mut [ResolvedImage], inputs: &Inputs) -> Vec<Vec<Gap>> {
    let dockerfile = match inputs.dockerfiles.as_slice() {
        [only] => Some(lint_input(only)),
        // With several of them nobody knows which one made the image.
        _ => None,
    };
    let base = inputs.image.as_ref().and_then(|image| image.base.as_ref());
    let mut gaps = Vec::with_capacity(images.len());
    for image in images {
        let mut told = Vec::new();
        if let Some(input) = &dockerfile {
            let origins = dockerfile::origins(input, image);
            for (layer, origin) in image.layers.iter_mut().zip(origins) {
                layer.origin = Some(origin);
            }
        }
        if inputs.dockerfiles.len() > 1 {
            for layer in &mut image.layers {
                layer.origin = Some(Origin::unknown("several Dockerfiles were given, and nothing says which of them made the image"));
            }
        }
        if let Some(base) = base {
            let _task = inputs.progress.start("base", None);
            match base_layers(base, image).await {
                Ok(below) => divide(image, &below, dockerfile.as_ref()),
                Err(gap) => told.push(gap),
            }
        }
        gaps.push(told);
    }
    gaps
}

/// A Dockerfile by itself, with what its build was given.
pub(super) fn lint_input(input: &DockerfileInput) -> LintInput<'_> {
    LintInput { build_args: &input.build_args, target: input.target.as_deref(), ..LintInput::new(&input.file, &input.bytes) }
}

/// What at the bottom of an image is the base's.
struct Below {
    /// How many layers.
    layers: usize,
    /// How many entries of the history; none when the base's history is not the head of the image's.
    entries: Option<usize>,
}

/// What at the bottom of the image is the base's.
async fn base_layers(base: &BaseInput, image: &ResolvedImage) -> Result<Below, Gap> {
    match base {
        BaseInput::Named { reference, source } => count_layers(reference, source.as_ref(), image).await,
        BaseInput::Annotated(open) => {
            let reference = annotated(&image.manifest.annotations)?;
            let source = open(reference.clone()).await.map_err(|error| unread(&reference, error))?;
            count_layers(&reference, source.as_ref(), image).await
        }
    }
}

/// The base image that annotations name (<https://specs.opencontainers.org/image-spec/annotations/>), by its digest where they give one. Only an image
/// of a registry: who made an image has no say over which files of this machine are opened.
fn annotated(annotations: &BTreeMap<String, String>) -> Result<ImageReference, Gap> {
    let failed = |subject: &str, reason: &str| {
        Gap::new(SourceId::Image, "base-unread", subject, reason).with_hint("name the base image with --base IMAGE, or leave --base out")
    };
    let Some(name) = annotations.get(BASE_NAME) else {
        return Err(failed("", "the image's annotations name no base image"));
    };
    let shown: String = masked(name).chars().take(SHOWN).collect();
    let text = match annotations.get(BASE_DIGEST) {
        Some(digest) if !name.contains('@') => format!("{name}@{digest}"),
        _ => name.clone(),
    };
    match ImageReference::parse(&text) {
        Ok(reference @ ImageReference::Registry(_)) => Ok(reference),
        _ => Err(failed(&shown, "the image's annotations name a base image that is no reference to a registry")),
    }
}

fn unread(reference: &ImageReference, error: registry::Error) -> Gap {
    let error = Error::from(error);
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason.push_str(": ");
        reason.push_str(&cause.to_string());
        source = cause.source();
    }
    Gap::new(SourceId::Image, "base-unread", reference.to_string(), reason)
        .with_hint("name the base image as its registry or file has it, or leave --base out")
}

/// What at the bottom of the image is the base's: all of the base's own layers, in its order.
async fn count_layers(reference: &ImageReference, source: &dyn ImageSource, image: &ResolvedImage) -> Result<Below, Gap> {
    let resolved = registry::resolve(source, reference, Some(&image.platform), &image.platform).await;
    let resolved = resolved.map_err(|error| unread(reference, error))?;
    let (lower, all) = (&resolved.config.diff_ids, &image.config.diff_ids);
    if !lower.is_empty() && all.starts_with(lower) {
        let (below, whole) = (&resolved.config.history, &image.config.history);
        let is_head = below.len() <= whole.len() && below.iter().zip(whole).all(|(a, b)| a.created_by == b.created_by);
        return Ok(Below { layers: lower.len(), entries: (is_head && !below.is_empty()).then_some(below.len()) });
    }
    let same = lower.iter().zip(all).take_while(|(a, b): &(&Digest, &Digest)| a == b).count();
    let reason = format!(
        "{same} of its {} layers are at the bottom of the image, which has {}: the image is not built on it",
        lower.len(),
        all.len()
    );
    Err(Gap::new(SourceId::Image, "base-differs", reference.to_string(), reason)
        .with_hint("name the very image that the build stood on, by digest: a tag may have moved since"))
}

/// Gives what is below to the base image and the rest to the build. Where the lines are unknown, the base's is the final FROM.
fn divide(image: &mut ResolvedImage, below: &Below, dockerfile: Option<&LintInput<'_>>) {
    let from = dockerfile.and_then(dockerfile::base_line);
    let makers =
        |is_base: bool| image.layers.iter().filter(move |layer| (layer.index < below.layers) == is_base).filter_map(|layer| layer.history);
    // Without the base's own history, what stands between its last layer and the first above it may be of either.
    let is_aligned = image.layers.iter().all(|layer| layer.history.is_some());
    let last = below.entries.or_else(|| makers(true).max().filter(|_| is_aligned).map(|last| last + 1)).unwrap_or_default();
    let first = below.entries.or_else(|| makers(false).min().filter(|_| is_aligned)).unwrap_or(usize::MAX);
    for (index, entry) in image.config.history.iter_mut().enumerate() {
        entry.side = if index < last {
            Some(Side::Base)
        } else if index >= first {
            Some(Side::Own)
        } else {
            None
        };
    }
    for layer in &mut image.layers {
        let side = if layer.index < below.layers { Side::Base } else { Side::Own };
        let origin = layer.origin.get_or_insert_with(Origin::default);
        if origin.span.is_none() && side == Side::Base {
            origin.span.clone_from(&from);
        }
        origin.side = Some(side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{image::fixture::image_of, location::Span};

    #[test]
    fn annotations_name_images_of_registries_only() {
        let check = |name: Option<&str>, digest: Option<&str>, expected: Option<&str>| {
            let named = [(BASE_NAME, name), (BASE_DIGEST, digest)];
            let annotations = named.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
            assert_eq!(annotated(&annotations).ok().map(|reference| reference.to_string()).as_deref(), expected, "{name:?} {digest:?}");
        };
        let digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let (tagged, pinned) = ("registry.example/base:1", format!("registry.example/base:1@{digest}"));
        check(Some(tagged), Some(digest), Some(&pinned));
        check(Some(tagged), None, Some(tagged));
        check(Some(&pinned), Some("sha256:00"), Some(&pinned));
        check(Some(tagged), Some("sha256:00"), None);
        for foreign in ["oci:/etc", "docker-daemon:app", "-", "sbom:/etc/passwd", "docker-archive:x.tar", ""] {
            check(Some(foreign), None, None);
        }
        check(None, Some(digest), None);
        let annotations = BTreeMap::from([(BASE_NAME.to_owned(), "https://bot:q7Rw4q@registry.example/base".to_owned())]);
        let gap = annotated(&annotations).expect_err("an address is no reference");
        assert!(!gap.subject.contains("q7Rw4q") && gap.subject.contains("registry.example"), "{gap:?}");
    }

    #[test]
    fn layers_below_the_boundary_are_the_bases() {
        let mut image = image_of(&[("a", false, ""), ("b", false, ""), ("c", false, "")]);
        divide(&mut image, &Below { layers: 2, entries: None }, None);
        let sides = |image: &ResolvedImage| image.layers.iter().map(|layer| layer.origin.clone().and_then(|o| o.side)).collect::<Vec<_>>();
        assert_eq!(sides(&image), [Some(Side::Base), Some(Side::Base), Some(Side::Own)]);
        for layer in &mut image.layers {
            layer.origin = Some(Origin::unknown("squashed"));
        }
        let input = LintInput::new("D", b"FROM a AS b\nFROM b\nRUN x\n");
        divide(&mut image, &Below { layers: 1, entries: None }, Some(&input));
        let spans: Vec<Option<u32>> =
            image.layers.iter().map(|layer| layer.origin.as_ref().and_then(|o| o.span.as_ref()).map(|span: &Span| span.line)).collect();
        assert_eq!(spans, [Some(1), None, None]);
        assert!(image.layers.iter().all(|layer| layer.origin.as_ref().is_some_and(|origin| origin.doubt.is_some())));
    }

    #[test]
    fn entries_of_the_history_are_of_the_side_of_their_layers() {
        let history = [("a", false, ""), ("b", true, ""), ("c", true, ""), ("d", false, ""), ("e", true, "")];
        let told = |layers, entries, is_aligned: bool| {
            let mut image = image_of(&history);
            for layer in image.layers.iter_mut().filter(|_| !is_aligned) {
                layer.history = None;
            }
            divide(&mut image, &Below { layers, entries }, None);
            let word = |side: Option<Side>| side.map_or('?', |side| if side == Side::Base { 'b' } else { 'o' });
            image.config.history.iter().map(|entry| word(entry.side)).collect::<String>()
        };
        assert_eq!(told(1, Some(2), true), "bbooo");
        assert_eq!(told(1, None, true), "b??oo");
        assert_eq!(told(1, Some(2), false), "bbooo");
        assert_eq!(told(1, None, false), "?????");
        assert_eq!(told(2, None, true), "bbbb?");
    }
}
