//! What a bill of materials is made of in, the members of a CycloneDX document out.

use super::{
    Version,
    wire::{
        Bom, Component, Components, Composition, Dependencies, Dependency, Evidence, Hash, Identity, License, LicenseChoice, Lifecycle,
        Metadata, Method, Occurrence, Property, Supplier, Tenths, Text, Tools,
    },
};
use crate::{
    model::{
        digest::{Algorithm, Digest},
        image::ResolvedImage,
        location::Location,
        package::{Basis, Distro, Package},
    },
    report::sbom::{self, Entry, Expression, Licence, Materials},
};

const IMAGE_REF: &str = "image";
const SYSTEM_REF: &str = "operating-system";

/// Longest version that the schema of 1.6 takes, in characters.
const VERSION: usize = 1_024;
/// Longest licence text that stands as a name.
const LICENCE_NAME: usize = 120;

/// The document, without its serial number.
pub(super) fn bom<'a>(materials: &'a Materials<'a>, version: Version) -> Bom<'a> {
    let image: Vec<&'static str> = materials.image.map(|_| IMAGE_REF).into_iter().collect();
    Bom {
        schema: match version {
            Version::V1_5 => "http://cyclonedx.org/schema/bom-1.5.schema.json",
            Version::V1_6 => "http://cyclonedx.org/schema/bom-1.6.schema.json",
        },
        bom_format: "CycloneDX",
        spec_version: version.number(),
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: materials.time.clone(),
            lifecycles: vec![Lifecycle { phase: "post-build" }],
            tools: Tools {
                components: vec![Component { version: Some(materials.tool_version.to_owned()), ..new("application", "plimsoll") }],
            },
            component: materials.image.map(subject),
            properties: materials.gaps.iter().map(|gap| Property { name: "plimsoll:gap", value: sbom::gap_text(gap) }).collect(),
        },
        components: Components { materials, version },
        dependencies: Dependencies(materials),
        compositions: vec![Composition {
            aggregate: if materials.is_incomplete { "incomplete" } else { "unknown" },
            assemblies: image.clone(),
            dependencies: image,
        }],
    }
}

fn new(kind: &'static str, name: &str) -> Component {
    Component { kind, name: name.to_owned(), ..Component::default() }
}

fn subject(image: &ResolvedImage) -> Component {
    let mut properties = vec![Property { name: "plimsoll:platform", value: image.platform.to_string() }];
    properties.extend(image.index_digest.iter().map(|digest| Property { name: "plimsoll:index", value: digest.to_string() }));
    Component {
        bom_ref: Some(IMAGE_REF.to_owned()),
        version: Some(image.digest().to_string()),
        hashes: vec![hash(image.digest())],
        purl: sbom::image_purl(image),
        properties,
        ..new("container", &image.reference.to_string())
    }
}

/// The distribution.
pub(super) fn system(distro: &Distro) -> Component {
    Component {
        bom_ref: Some(SYSTEM_REF.to_owned()),
        version: distro.version_id.as_deref().and_then(fitting),
        description: distro.pretty_name.clone(),
        ..new("operating-system", &distro.id)
    }
}

/// One package.
pub(super) fn component(entry: &Entry<'_>, image: Option<&ResolvedImage>, version: Version) -> Component {
    let package = entry.package;
    let occurrences = package.locations.iter().filter_map(|location| match location {
        Location::Image { path, .. } => Some(Occurrence { location: format!("/{path}") }),
        _ => None,
    });
    Component {
        bom_ref: Some(entry.reference().into_owned()),
        supplier: package.vendor.clone().map(|name| Supplier { name }),
        version: fitting(&package.version),
        hashes: package.hashes.iter().map(hash).collect(),
        licenses: licences(package, version),
        purl: Some(package.purl.to_string()),
        properties: sbom::properties(package, image).into_iter().map(|(name, value)| Property { name, value }).collect(),
        evidence: Some(Evidence { identity: identity(package), occurrences: occurrences.collect() }),
        ..new(if sbom::is_application(package) { "application" } else { "library" }, &package.name)
    }
}

/// A version that the schema takes; a longer one is in the purl all the same.
fn fitting(version: &str) -> Option<String> {
    (version.chars().count() <= VERSION).then(|| version.to_owned())
}

fn hash(digest: &Digest) -> Hash {
    let alg = match digest.algorithm() {
        Algorithm::Sha256 => "SHA-256",
        Algorithm::Sha512 => "SHA-512",
    };
    Hash { alg, content: digest.hex().to_owned() }
}

fn identity(package: &Package) -> Identity {
    let confidence = Tenths(sbom::confidence(package));
    let technique = match package.basis {
        _ if package.found_by.ends_with("binary") => "binary-analysis",
        Basis::Guessed => "other",
        Basis::Installed | Basis::Declared | Basis::Application => "manifest-analysis",
    };
    Identity { field: "purl", confidence, methods: [Method { technique, confidence, value: package.found_by.to_owned() }] }
}

/// The licences: identifiers and names side by side, or one expression alone, since the format has no way to say both.
fn licences(package: &Package, version: Version) -> Vec<LicenseChoice> {
    let acknowledgement = (version == Version::V1_6).then_some("declared");
    let found = sbom::licences(package);
    if let [Licence::Expression(expression)] = found.as_slice() {
        return vec![LicenseChoice::Expression { expression: expression.text.clone(), acknowledgement }];
    }
    let named = |name: &str| {
        let line = name.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let short: String = line.chars().take(LICENCE_NAME).collect();
        let text = (short != name).then(|| Text { content_type: "text/plain", content: name.to_owned() });
        License { id: None, name: Some(short), acknowledgement, text }
    };
    let licence = |licence: Licence| match licence {
        Licence::Id(id) => License { id: Some(id), name: None, acknowledgement, text: None },
        Licence::Expression(Expression { text, .. }) | Licence::Text(text) => named(&text),
    };
    found.into_iter().map(|found| LicenseChoice::License { license: licence(found) }).collect()
}

/// What is part of what: the format has no other relation that every reader keeps.
pub(super) fn dependencies<'a>(materials: &'a Materials<'a>) -> impl Iterator<Item = Dependency> {
    let has_image = materials.image.is_some();
    let parts = materials.contents.parts();
    // An image without packages still has its distribution.
    let has_own = parts.first().is_some_and(|(whole, _)| whole.is_none());
    let bare = (!has_own).then(|| (None, Vec::new()));
    bare.into_iter().chain(parts).filter(move |(whole, _)| has_image || whole.is_some()).map(|(whole, parts)| {
        let system = materials.distro.filter(|_| whole.is_none()).map(|_| SYSTEM_REF.to_owned());
        Dependency {
            reference: whole.map_or_else(|| IMAGE_REF.to_owned(), |entry| entry.reference().into_owned()),
            depends_on: system.into_iter().chain(parts.into_iter().map(|entry| entry.reference().into_owned())).collect(),
        }
    })
}
