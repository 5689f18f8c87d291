//! What AWS is asked about: account, repository and the digest of one platform's image, from the reference alone.

use std::sync::Arc;

use crate::{
    findings::{
        Error,
        wait::{Clock, SystemClock, WaitOptions},
    },
    model::{
        coverage::SourceId,
        digest::Digest,
        image::{Layer, ResolvedImage},
        location::Location,
        reference::RegistryReference,
    },
    progress::{SharedProgress, Silent},
};

/// What the AWS sources can be told.
#[derive(Clone)]
pub struct SourceOptions {
    /// How long and how often to ask.
    pub wait: WaitOptions,
    /// Account of the registry, when the reference does not say it.
    pub registry_id: Option<String>,
    /// Name of the repository, when it is not that of the reference.
    pub repository: Option<String>,
    /// Where waiting takes its time from.
    pub clock: Arc<dyn Clock>,
    /// Where waiting is shown.
    pub progress: SharedProgress,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            wait: WaitOptions::default(),
            registry_id: None,
            repository: None,
            clock: Arc::new(SystemClock::start()),
            progress: Arc::new(Silent),
        }
    }
}

/// The image as AWS knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Account of the registry; `None` leaves it to the service, which takes the caller's.
    pub(super) registry_id: Option<String>,
    /// Name of the repository.
    pub(super) repository: String,
    /// Digest of the one platform's manifest, never of an index.
    pub(super) digest: Digest,
    /// Region, of the host name or of the client.
    pub(super) region: Option<String>,
    layers: Vec<Layer>,
}

impl Target {
    /// Reads the image's reference.
    pub(super) fn of(
        image: &ResolvedImage,
        options: &SourceOptions,
        client_region: Option<&str>,
        source_id: SourceId,
    ) -> Result<Self, Error> {
        let not_set_up = |reason: String| Error::NotSetUp { source_id, reason };
        let reference = image.reference.registry();
        let ecr = reference.and_then(RegistryReference::ecr);
        let told = options.registry_id.is_some() || options.repository.is_some();
        if ecr.is_none() && !told && !reference.is_some_and(is_loopback) {
            return Err(not_set_up(format!(
                "{} is not in an Amazon ECR registry, and no account or repository was given",
                image.reference
            )));
        }
        let Some(repository) = options.repository.clone().or_else(|| reference.map(|reference| reference.repository.clone())) else {
            return Err(not_set_up(format!("{} names no repository, and none was given", image.reference)));
        };
        let registry_id = options.registry_id.clone().or_else(|| ecr.as_ref().map(|ecr| ecr.account.clone()));
        let region = ecr.map(|ecr| ecr.region).or_else(|| client_region.map(str::to_owned));
        Ok(Self { registry_id, repository, digest: image.digest().clone(), region, layers: image.layers.clone() })
    }

    /// The image's ARN, when account and region are known.
    pub(super) fn arn(&self) -> Option<String> {
        let (account, region) = (self.registry_id.as_ref()?, self.region.as_ref()?);
        Some(format!("arn:{}:ecr:{region}:{account}:repository/{}/{}", partition(region), self.repository, self.digest))
    }

    /// Whether a digest, or an ARN that ends in one, is that of this image; `None` when the text holds no digest.
    pub(super) fn is_me(&self, text: &str) -> Option<bool> {
        let found = text.rsplit('/').next().filter(|tail| tail.starts_with("sha256:") || tail.starts_with("sha512:"))?;
        Some(found == self.digest.to_string())
    }

    /// The place of a file, when the layer is one of this image's, by the digest of its blob or of its content.
    pub(super) fn place(&self, layer: &str, path: &str) -> Option<Location> {
        let layer = self.layers.iter().find(|own| own.descriptor.digest.to_string() == layer || own.diff_id.to_string() == layer)?;
        Some(Location::Image { layer: layer.descriptor.digest.clone(), index: layer.index, path: path.trim_start_matches('/').to_owned() })
    }
}

/// Local test registries stand in for ECR without being told.
fn is_loopback(reference: &RegistryReference) -> bool {
    let host = reference.registry.split(':').next().unwrap_or_default();
    host == "localhost" || host.starts_with("127.")
}

/// The ARN partition of a region.
fn partition(region: &str) -> &'static str {
    const BY_PREFIX: &[(&str, &str)] = &[
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
        ("eu-isoe-", "aws-iso-e"),
        ("eusc-", "aws-eusc"),
    ];
    BY_PREFIX.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_partitions() {
        for (region, expected) in [
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition(region), expected);
        }
    }
}
