//! `ResolvedImage`: a reference pinned to one manifest digest for one platform, with its configuration and layers
//! (OCI image specification 1.1; Docker schema 2 is read into the same shape).

use std::{collections::BTreeMap, fmt};

use crate::model::{
    digest::Digest,
    location::Location,
    origin::{Origin, Side, Sides},
    reference::ImageReference,
};

/// Operating system and processor of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// GOOS word, e.g. `linux`.
    pub os: String,
    /// GOARCH word, e.g. `amd64`.
    pub architecture: String,
    /// CPU variant, e.g. `v8`.
    pub variant: Option<String>,
    /// Windows build, e.g. `10.0.20348.2700`.
    pub os_version: Option<String>,
}

impl Platform {
    /// Parses `os/arch[/variant]`; `None` when it has another shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (os, architecture, variant) = (parts.next()?, parts.next()?, parts.next());
        let good = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if parts.next().is_some() || !good(os) || !good(architecture) || !variant.is_none_or(good) {
            return None;
        }
        Some(Self { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned), os_version: None })
    }

    /// Whether an image for `self` runs where `wanted` is asked for: arm64 is arm64/v8, amd64 is amd64/v1, other variants exact when asked.
    #[must_use]
    pub fn satisfies(&self, wanted: &Self) -> bool {
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || self.normal_variant() == wanted.normal_variant())
    }

    fn normal_variant(&self) -> Option<&str> {
        match (self.architecture.as_str(), self.variant.as_deref()) {
            ("arm64", None | Some("v8")) | ("amd64", None | Some("v1")) => None,
            ("arm", None) => Some("v7"),
            (_, variant) => variant,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// How the platform came to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformChoice {
    /// The reference names a single image.
    Only,
    /// The user asked for it.
    Asked,
    /// The reference names an index and the host's platform was taken.
    Host,
}

/// A pointer to content: media type, digest and size, as in the OCI image specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Media type as written; empty when missing.
    pub media_type: String,
    /// Digest of the content.
    pub digest: Digest,
    /// Size of the content in bytes.
    pub size: u64,
    /// Where else the content is said to be (foreign layers). Never fetched.
    pub urls: Vec<String>,
    /// Unsigned annotations.
    pub annotations: BTreeMap<String, String>,
    /// The `artifactType`, unsigned and often wrong.
    pub artifact_type: Option<String>,
    /// The platform, on entries of an index.
    pub platform: Option<Platform>,
}

/// The manifest of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Digest of the manifest's own bytes.
    pub digest: Digest,
    /// Media type.
    pub media_type: String,
    /// Size of the manifest in bytes.
    pub size: u64,
    /// The configuration's descriptor.
    pub config: Descriptor,
    /// The layers' descriptors, lowest first.
    pub layers: Vec<Descriptor>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Place in the manifest, from 0, lowest first.
    pub index: usize,
    /// Descriptor of the blob.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed tar, as the configuration says.
    pub diff_id: Digest,
    /// The history entry that made it: its place and text; `None` when history and layers do not align.
    pub history: Option<usize>,
    /// Which instruction made it and who brought it, where a Dockerfile or a base image was given to compare with.
    pub origin: Option<Origin>,
}

/// One entry of an image's history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The instruction as the builder wrote it.
    pub created_by: String,
    /// Whether it made no layer.
    pub empty_layer: bool,
    /// The builder's comment.
    pub comment: String,
    /// Who brought it, where a base image was given to compare with.
    pub side: Option<Side>,
}

/// Whether a `USER[:GROUP]` is the one who may do everything. As runc reads it: no name, `root`, or a number that is 0 however it is
/// written. On Windows an administrator; there no name leaves it to the base.
#[must_use]
pub fn is_root_user(user: &str, windows: bool) -> bool {
    let name = user.split(':').next().unwrap_or_default().trim();
    if windows {
        let bare = name.rsplit('\\').next().unwrap_or(name);
        return ["ContainerAdministrator", "Administrator"].iter().any(|admin| bare.eq_ignore_ascii_case(admin));
    }
    name.is_empty() || name == "root" || name.parse::<i64>() == Ok(0)
}

/// What the image says about how it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// RFC 3339 text as written.
    pub created: Option<String>,
    /// `User`; empty means root.
    pub user: String,
    /// `Env`, as `NAME=value`.
    pub env: Vec<String>,
    /// `Entrypoint`.
    pub entrypoint: Vec<String>,
    /// `Cmd`.
    pub cmd: Vec<String>,
    /// `WorkingDir`.
    pub working_dir: String,
    /// `ExposedPorts`, e.g. `22/tcp`, sorted.
    pub exposed_ports: Vec<String>,
    /// `Volumes`, sorted.
    pub volumes: Vec<String>,
    /// `Labels`.
    pub labels: BTreeMap<String, String>,
    /// `Shell`; empty where none is set.
    pub shell: Vec<String>,
    /// `Healthcheck.Test`: `NONE`, or `CMD` or `CMD-SHELL` and what follows; empty where none is set.
    pub healthcheck: Vec<String>,
    /// `OnBuild`, as written.
    pub on_build: Vec<String>,
    /// `history`.
    pub history: Vec<HistoryEntry>,
    /// `rootfs.diff_ids`.
    pub diff_ids: Vec<Digest>,
}

/// A reference pinned to a manifest digest for one platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedImage {
    /// What the user typed.
    pub reference: ImageReference,
    /// Digest of the index, when the reference names one.
    pub index_digest: Option<Digest>,
    /// The platform of this image.
    pub platform: Platform,
    /// How the platform was chosen.
    pub platform_choice: PlatformChoice,
    /// The manifest; its digest is the image's identity everywhere.
    pub manifest: Manifest,
    /// The configuration.
    pub config: ImageConfig,
    /// The layers, lowest first, as many as the configuration has diff ids.
    pub layers: Vec<Layer>,
}

impl ResolvedImage {
    /// The manifest digest.
    #[must_use]
    pub const fn digest(&self) -> &Digest {
        &self.manifest.digest
    }

    /// Where the layer of the first of these locations that is in a layer comes from.
    #[must_use]
    pub fn origin(&self, locations: &[Location]) -> Option<&Origin> {
        locations.iter().find_map(|location| match location {
            Location::Image { index, .. } => Some(self.layer(*index)?.origin.as_ref()),
            _ => None,
        })?
    }

    /// Who may have brought what stands at these locations.
    #[must_use]
    pub fn sides(&self, locations: &[Location]) -> Sides {
        let mut sides = Sides::default();
        for location in locations {
            let side = match location {
                Location::Image { index, .. } => self.layer(*index).and_then(|layer| layer.origin.as_ref()?.side),
                Location::History { index, .. } => self.config.history.get(*index).and_then(|entry| entry.side),
                Location::Dockerfile(_) | Location::Policy(_) | Location::Config => continue,
            };
            match side {
                Some(Side::Base) => sides.base = true,
                Some(Side::Own) => sides.own = true,
                None => return Sides::EITHER,
            }
        }
        if sides == Sides::default() { Sides::EITHER } else { sides }
    }

    /// The layer at this place of the manifest.
    #[must_use]
    pub fn layer(&self, index: usize) -> Option<&Layer> {
        self.layers.get(index).filter(|layer| layer.index == index).or_else(|| self.layers.iter().find(|layer| layer.index == index))
    }
}

/// Images for tests, made of their history.
#[cfg(test)]
pub(crate) mod fixture {
    use super::*;

    /// An image with a layer for each entry (text, whether it is empty, comment) that is not empty.
    pub(crate) fn image_of(history: &[(&str, bool, &str)]) -> ResolvedImage {
        let digest = Digest::sha256_of(b"");
        let descriptor = Descriptor {
            media_type: String::new(),
            digest: digest.clone(),
            size: 0,
            urls: Vec::new(),
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
        };
        let entry = |&(text, empty_layer, comment): &(&str, bool, &str)| HistoryEntry {
            created_by: text.to_owned(),
            empty_layer,
            comment: comment.to_owned(),
            side: None,
        };
        let makers = history.iter().enumerate().filter(|(_, (_, empty, _))| !empty).map(|(at, _)| at);
        let layer = |(index, history)| Layer {
            index,
            descriptor: descriptor.clone(),
            diff_id: Digest::sha256_of(format!("{index}").as_bytes()),
            history: Some(history),
            origin: None,
        };
        let layers: Vec<Layer> = makers.enumerate().map(layer).collect();
        ResolvedImage {
            reference: ImageReference::parse("oci:x").expect("reference"),
            index_digest: None,
            platform: Platform::parse("linux/amd64").expect("platform"),
            platform_choice: PlatformChoice::Only,
            manifest: Manifest {
                digest,
                media_type: String::new(),
                size: 0,
                config: descriptor,
                layers: Vec::new(),
                annotations: BTreeMap::new(),
            },
            config: ImageConfig {
                history: history.iter().map(entry).collect(),
                diff_ids: layers.iter().map(|layer| layer.diff_id.clone()).collect(),
                ..ImageConfig::default()
            },
            layers,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_those_of_all_layers() {
        let mut image = fixture::image_of(&[("a", false, ""), ("b", false, ""), ("c", false, "")]);
        let sides = [Some(Side::Base), Some(Side::Own), None];
        for (layer, side) in image.layers.iter_mut().zip(sides) {
            layer.origin = Some(Origin { side, ..Origin::default() });
        }
        let at = |index: usize| Location::Image { layer: Digest::sha256_of(b""), index, path: String::new() };
        for (indexes, base, own) in [
            (&[0][..], true, false),
            (&[1], false, true),
            (&[0, 1], true, true),
            (&[1, 2], true, true),
            (&[], true, true),
            (&[9], true, true),
        ] {
            let locations: Vec<Location> = indexes.iter().map(|index| at(*index)).collect();
            assert_eq!(image.sides(&locations), Sides { base, own }, "{indexes:?}");
        }
        image.config.history[0].side = Some(Side::Base);
        let entry = |index| [Location::History { index, layer: None }];
        assert_eq!(image.sides(&entry(0)), Sides { base: true, own: false });
        assert_eq!(image.sides(&entry(1)), Sides::EITHER);
    }

    #[test]
    fn platforms_compare_with_normal_variants() {
        let check = |image: &str, wanted: &str| Platform::parse(image).zip(Platform::parse(wanted)).map(|(i, w)| i.satisfies(&w));
        assert_eq!(check("linux/arm64/v8", "linux/arm64"), Some(true));
        assert_eq!(check("linux/arm64", "linux/arm64/v8"), Some(true));
        assert_eq!(check("linux/arm/v6", "linux/arm/v7"), Some(false));
        assert_eq!(check("linux/amd64", "linux/arm64"), Some(false));
        assert_eq!(check("windows/amd64", "linux/amd64"), Some(false));
        assert_eq!(Platform::parse("linux"), None);
        assert_eq!(Platform::parse("linux/amd64/v1/x"), None);
    }
}
