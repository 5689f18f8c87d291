//! Images and a Dockerfile in, where each layer comes from out: the instruction that made it, and whether the base image brought it.

use crate::{
    Error,
    dockerfile::{self, LintInput},
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        image::ResolvedImage,
        origin::{Origin, Side},
    },
    pipeline::{BaseInput, DockerfileInput, Inputs},
    registry,
};

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
            match count_layers(base, image).await {
                Ok(count) => divide(image, count, dockerfile.as_ref()),
                Err(gap) => told.push(gap),
            }
        }
        gaps.push(told);
    }
    gaps
}

fn lint_input(input: &DockerfileInput) -> LintInput<'_> {
    LintInput { file: &input.file, bytes: &input.bytes, build_args: &input.build_args, target: input.target.as_deref() }
}

/// How many layers at the bottom of the image are the base's: all of the base's own, in its order.
async fn count_layers(base: &BaseInput, image: &ResolvedImage) -> Result<usize, Gap> {
    let name = base.reference.to_string();
    let resolved = registry::resolve(base.source.as_ref(), &base.reference, Some(&image.platform), &image.platform).await;
    let resolved = resolved.map_err(|error| {
        let error = Error::from(error);
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            reason.push_str(": ");
            reason.push_str(&cause.to_string());
            source = cause.source();
        }
        Gap::new(SourceId::Image, "base-unread", name.clone(), reason)
            .with_hint("name the base image as its registry or file has it, or leave --base out")
    })?;
    let (lower, all) = (&resolved.config.diff_ids, &image.config.diff_ids);
    if !lower.is_empty() && all.starts_with(lower) {
        return Ok(lower.len());
    }
    let same = lower.iter().zip(all).take_while(|(a, b): &(&Digest, &Digest)| a == b).count();
    let reason = format!(
        "{same} of its {} layers are at the bottom of the image, which has {}: the image is not built on it",
        lower.len(),
        all.len()
    );
    Err(Gap::new(SourceId::Image, "base-differs", name, reason)
        .with_hint("name the very image that the build stood on, by digest: a tag may have moved since"))
}

/// Gives the lowest `count` layers to the base image and the others to the build. Where the lines are unknown, the base's is the final FROM.
fn divide(image: &mut ResolvedImage, count: usize, dockerfile: Option<&LintInput<'_>>) {
    let from = dockerfile.and_then(dockerfile::base_line);
    for layer in &mut image.layers {
        let side = if layer.index < count { Side::Base } else { Side::Own };
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
    fn layers_below_the_boundary_are_the_bases() {
        let mut image = image_of(&[("a", false, ""), ("b", false, ""), ("c", false, "")]);
        divide(&mut image, 2, None);
        let sides = |image: &ResolvedImage| image.layers.iter().map(|layer| layer.origin.clone().and_then(|o| o.side)).collect::<Vec<_>>();
        assert_eq!(sides(&image), [Some(Side::Base), Some(Side::Base), Some(Side::Own)]);
        for layer in &mut image.layers {
            layer.origin = Some(Origin::unknown("squashed"));
        }
        let input =
            LintInput { file: "D", bytes: b"FROM a AS b\nFROM b\nRUN x\n", build_args: &std::collections::BTreeMap::new(), target: None };
        divide(&mut image, 1, Some(&input));
        let spans: Vec<Option<u32>> =
            image.layers.iter().map(|layer| layer.origin.as_ref().and_then(|o| o.span.as_ref()).map(|span: &Span| span.line)).collect();
        assert_eq!(spans, [Some(1), None, None]);
        assert!(image.layers.iter().all(|layer| layer.origin.as_ref().is_some_and(|origin| origin.doubt.is_some())));
    }
}
