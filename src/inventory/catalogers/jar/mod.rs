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
    inventory::{CatalogError, Cataloger, Context, Found},
    layers::{FileEntry, Want},
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        package::{Basis, Package, PackageKind, PackageUrl},
    },
};

use examine::{JAR, extension_of};
use extract::{Artifact, Extract, Told};

/// Reads what [`JAR`] says of Java archives.
pub(super) struct Jar;

impl Cataloger for Jar {
    fn id(&self) -> &'static str {
        "jar"
    }

    fn wants(&self, path: &str) -> Want {
        if extension_of(path).is_some() { Want::Examine(&JAR) } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let most = context.limits().packages;
        for file in context.view.files().filter(|file| extension_of(file.path).is_some()) {
            let Some(bytes) = file.extract(&JAR).filter(|bytes| !bytes.is_empty()) else { continue };
            let extract = match Extract::parse(&bytes) {
                Ok(extract) => extract,
                Err(error) => {
                    found.unreadable(file.path, &error);
                    continue;
                }
            };
            let layer = first_layer(&file);
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

/// The first layer since which this file is the same.
fn first_layer(file: &FileEntry<'_>) -> usize {
    let extract = file.extract(&JAR);
    file.versions.iter().rev().take_while(|version| version.extract(&JAR) == extract).last().map_or(file.layer, |version| version.layer)
}

fn tell(found: &mut Found, path: &str, told: &Told) {
    let subject = format!("{path}{}", told.inside);
    if told.is_limit {
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
