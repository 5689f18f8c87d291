//! `jar`: Java archives (jar, war, ear and their kin, Android and Jenkins ones) and the archives and artifacts inside them.
//! Specification: <https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html>.

mod examine;
mod extract;
mod file_name;
mod groups;
mod identity;
mod manifest;
mod pom;

use std::collections::BTreeMap;

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution},
    layers::Want,
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        package::{Basis, Package, PackageKind, PackageUrl},
    },
};

pub(in crate::inventory) use examine::JAR;
use examine::extension_of;
use extract::{Artifact, Extract, Told};

/// Reads what [`JAR`] says of Java archives.
pub(super) struct Jar;

impl Cataloger for Jar {
    fn id(&self) -> &'static str {
        "jar"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        if extension_of(path).is_some() {
            Want::Examine(&JAR)
        } else if folder_of_properties(path).is_some() {
            Want::Bytes
        } else {
            Want::No
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let most = context.limits().packages;
        // Archives that somebody unpacked: their classes stand beside these files.
        found.each(context.view.files().filter(|file| folder_of_properties(file.path).is_some()), most, |file| {
            let pom = pom::parse_properties(&file.bytes(), folder_of_properties(file.path).unwrap_or_default());
            let (Some(name), Some(version)) = (pom.artifact, pom.version) else {
                return Err(CatalogError("names no artifact and version".to_owned()));
            };
            let locations = context.location(attribution::content_layer(&file), file.path);
            let artifact = Artifact { is_guessed: pom.group.is_none(), group: pom.group, name, version, ..Artifact::default() };
            Ok(Some(Package { locations, ..package(&artifact) }))
        });
        for file in context.view.files() {
            let Some(bytes) = file.extract(&JAR).filter(|bytes| !bytes.is_empty()) else { continue };
            let extract = match Extract::parse(&bytes) {
                Ok(extract) => extract,
                Err(error) => {
                    found.unreadable(file.path, &error);
                    continue;
                }
            };
            let layer = attribution::content_layer(&file);
            for told in &extract.faults {
                tell(&mut found, file.path, told);
            }
            for artifact in &extract.artifacts {
                if found.packages.len() >= most {
                    let reason =
                        format!("the image has more artifacts in Java archives than the limit of {most}; the others are not listed");
                    found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", file.path, reason));
                    return found;
                }
                let locations = context.location(layer, &format!("{}{}", file.path, artifact.inside));
                found.packages.push(Package { locations, ..package(artifact) });
            }
        }
        found
    }
}

/// The folder, if this is the record that Maven leaves in archives, outside of one.
fn folder_of_properties(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/pom.properties")?;
    let (above, below) = folder.split_once("META-INF/maven/")?;
    ((above.is_empty() || above.ends_with('/')) && below.split('/').count() == 2).then_some(folder)
}

/// How many archives that are too much are told one by one.
const GAPS: usize = 400;

fn tell(found: &mut Found, path: &str, told: &Told) {
    let subject = format!("{path}{}", told.inside);
    if told.is_limit && found.gaps.len() < GAPS {
        found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", subject, told.reason.clone()));
    } else {
        found.unreadable(&subject, &CatalogError(told.reason.clone()));
    }
}

fn package(artifact: &Artifact) -> Package {
    let name = artifact.group.as_ref().map_or_else(|| artifact.name.clone(), |group| format!("{group}:{}", artifact.name));
    let version = Some(artifact.version.as_str()).filter(|version| !version.is_empty());
    let purl = PackageUrl::new(PackageKind::Maven, artifact.group.as_deref(), &artifact.name, version, &BTreeMap::new());
    let mut package = Package::new(PackageKind::Maven, name, artifact.version.clone(), purl, "jar");
    package.basis = if artifact.is_guessed { Basis::Guessed } else { Basis::Installed };
    package.licences.clone_from(&artifact.licences);
    package.hashes = artifact.digest.iter().filter_map(|digest| Digest::parse(digest).ok()).collect();
    package
}

#[cfg(test)]
mod tests;
