//! Images that Dockerfiles name in, what their registries say of them out.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::stream::{self, StreamExt as _};

use super::{
    Failure,
    options::{RegistryOptions, host_platform},
};
use crate::{
    aws,
    model::{
        coverage::{Gap, SourceId},
        lint::BaseImage,
        policy::Policy,
        reference::{ImageReference, RegistryReference},
    },
    pipeline::{self, DockerfileInput},
    progress::SharedProgress,
    registry,
};

/// How many images are asked for at a time.
const AT_ONCE: usize = 8;

/// Asks the registries for every image that the Dockerfiles name and fills in what they say; what could not be had is a gap.
pub(super) async fn ask(
    dockerfiles: &mut [DockerfileInput],
    policy: &Policy,
    options: &RegistryOptions,
    progress: SharedProgress,
) -> Result<Vec<Gap>, Failure> {
    let options = options.build(aws::Settings::default())?;
    let wanted: Vec<BTreeSet<String>> = dockerfiles.iter().map(|input| pipeline::images(input, policy)).collect();
    let all: BTreeSet<&String> = wanted.iter().flatten().collect();
    let answers: Vec<(&String, Result<BaseImage, String>)> = stream::iter(all.into_iter().map(|name| {
        let (options, progress) = (&options, progress.clone());
        async move { (name, fetch(name, options, progress).await) }
    }))
    .buffered(AT_ONCE)
    .collect()
    .await;
    let mut known = BTreeMap::new();
    let mut gaps = Vec::new();
    for (name, answer) in answers {
        match answer {
            Ok(base) => {
                known.insert(name.clone(), base);
            }
            Err(reason) => {
                let gap = Gap::new(SourceId::Dockerfile, "base-unread", name.clone(), reason);
                gaps.push(gap.with_hint("its digest is not known; see `plimsoll lint --help` for how registries are reached"));
            }
        }
    }
    for (input, names) in dockerfiles.iter_mut().zip(wanted) {
        input.bases = names.into_iter().filter_map(|name| known.get(&name).map(|base| (name, base.clone()))).collect();
    }
    Ok(gaps)
}

async fn fetch(name: &str, options: &registry::Options, progress: SharedProgress) -> Result<BaseImage, String> {
    let reference: RegistryReference = RegistryReference::parse(name).map_err(|error| error.to_string())?;
    let reference = ImageReference::Registry(reference);
    let source = registry::open(&reference, options, progress).await.map_err(|error| told(&error))?;
    // The index, where there is one: a digest of one platform would tie the others to it.
    let root = source.fetch_root().await.map_err(|error| told(&error))?;
    let digest = Some(root.digest.to_string());
    // A digest can be written without knowing what the image is for this machine.
    let Ok(image) = registry::resolve(source.as_ref(), &reference, None, &host_platform()).await else {
        return Ok(BaseImage { digest, ..BaseImage::default() });
    };
    let env = image.config.env.iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(BaseImage {
        digest,
        os: image.platform.os,
        architecture: image.platform.architecture,
        user: image.config.user,
        working_dir: image.config.working_dir,
        env,
        shell: Vec::new(),
        labels: image.config.labels,
    })
}

/// Takes back the images of which nothing but the digest is known: their empty settings would be taken for real ones. Each is a gap.
pub(super) fn forget_unknown(dockerfiles: &mut [DockerfileInput]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for input in dockerfiles {
        let unknown: Vec<String> = input.bases.iter().filter(|(_, base)| base.os.is_empty()).map(|(name, _)| name.clone()).collect();
        for name in unknown {
            input.bases.remove(&name);
            gaps.push(Gap::new(
                SourceId::Dockerfile,
                "base-unread",
                name,
                "its configuration for this machine's platform could not be read",
            ));
        }
    }
    gaps
}

/// An error with what caused it.
fn told(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
