//! What a bill of materials is made of in, the members of an SPDX 2.3 document out.

use std::collections::BTreeMap;

use super::{
    extracted::expression,
    wire::{Annotation, Checksum, CreationInfo, Document, ExternalRef, ExtractedAll, Package, Packages, Relationship, Relationships},
};
use crate::{
    model::{
        digest::{Algorithm, Digest},
        image::ResolvedImage,
        location::Location,
        package::Distro,
    },
    report::sbom::{self, Entry, Materials},
};

const NO_ASSERTION: &str = "NOASSERTION";
const DOCUMENT_ID: &str = "SPDXRef-DOCUMENT";
const IMAGE_ID: &str = "SPDXRef-Image";
const SYSTEM_ID: &str = "SPDXRef-OperatingSystem";
/// The format wants a time, and nothing says one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";
/// Longest readable part of an identifier.
const READABLE: usize = 60;
/// Places named in the sentence on where a package was found; annotations hold all.
const PLACES: usize = 3;

/// The document.
pub(super) fn document<'a>(materials: &'a Materials<'a>, extracted: &'a BTreeMap<String, String>, uuid: &str) -> Document<'a> {
    let created = materials.time.as_deref().unwrap_or(NO_TIME);
    Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT_ID,
        name: materials.image.map_or_else(|| "nothing".to_owned(), |image| format!("{} {}", image.reference, image.platform)),
        document_namespace: format!("https://spdx.org/spdxdocs/plimsoll-{uuid}"),
        creation_info: CreationInfo {
            created: created.to_owned(),
            creators: [tool(materials)],
            license_list_version: sbom::LIST_VERSION,
            comment: materials.time.is_none().then_some("The time is not known: the image says none."),
        },
        annotations: annotations(materials, created),
        packages: Packages { materials, created },
        relationships: Relationships(materials),
        extracted: ExtractedAll(extracted),
    }
}

fn tool(materials: &Materials<'_>) -> String {
    format!("Tool: plimsoll-{}", materials.tool_version)
}

fn annotation(materials: &Materials<'_>, created: &str, comment: String) -> Annotation {
    Annotation { annotation_date: created.to_owned(), annotation_type: "OTHER", annotator: tool(materials), comment }
}

/// Whether the list is complete, and every Gap.
fn annotations(materials: &Materials<'_>, created: &str) -> Vec<Annotation> {
    let whole = if materials.is_incomplete { "incomplete" } else { "unknown" };
    let mut said = vec![annotation(materials, created, format!("plimsoll:aggregate: {whole}"))];
    said.extend(materials.gaps.iter().map(|gap| annotation(materials, created, format!("plimsoll:gap: {}", sbom::gap_text(gap)))));
    said
}

/// The image, its distribution and its packages.
pub(super) fn packages<'a>(materials: &'a Materials<'a>, created: &'a str) -> impl Iterator<Item = Package> {
    let image = materials.image.map(|image| {
        let platform = annotation(materials, created, format!("plimsoll:platform: {}", image.platform));
        let index = image.index_digest.iter().map(|digest| annotation(materials, created, format!("plimsoll:index: {digest}")));
        Package { annotations: std::iter::once(platform).chain(index).collect(), ..subject(image) }
    });
    let system = materials.distro.map(system);
    image.into_iter().chain(system).chain(materials.contents.entries().map(move |entry| package(entry, materials, created)))
}

fn new(id: String, name: &str, purpose: &'static str) -> Package {
    Package {
        name: name.to_owned(),
        id,
        version_info: None,
        primary_package_purpose: purpose,
        supplier: NO_ASSERTION.to_owned(),
        download_location: NO_ASSERTION,
        files_analyzed: false,
        checksums: Vec::new(),
        source_info: None,
        license_concluded: NO_ASSERTION,
        license_declared: NO_ASSERTION.to_owned(),
        copyright_text: NO_ASSERTION,
        description: None,
        external_refs: Vec::new(),
        annotations: Vec::new(),
    }
}

fn subject(image: &ResolvedImage) -> Package {
    Package {
        version_info: Some(image.digest().to_string()),
        checksums: vec![checksum(image.digest())],
        external_refs: sbom::image_purl(image).map(purl).into_iter().collect(),
        ..new(IMAGE_ID.to_owned(), &image.reference.to_string(), "CONTAINER")
    }
}

fn system(distro: &Distro) -> Package {
    Package {
        version_info: distro.version_id.clone(),
        description: distro.pretty_name.clone(),
        ..new(SYSTEM_ID.to_owned(), &distro.id, "OPERATING-SYSTEM")
    }
}

fn package(entry: &Entry<'_>, materials: &Materials<'_>, created: &str) -> Package {
    let package = entry.package;
    let mut places: Vec<String> = package
        .locations
        .iter()
        .filter_map(|location| match location {
            Location::Image { layer, path, .. } => Some(format!("/{path} in layer {layer}")),
            _ => None,
        })
        .collect();
    let more = places.len().saturating_sub(PLACES);
    places.truncate(PLACES);
    let more = if more > 0 { format!(" and {more} more places") } else { String::new() };
    let properties: Vec<String> =
        sbom::properties(package, materials.image).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Package {
        version_info: Some(package.version.clone()).filter(|version| !version.is_empty()),
        supplier: package.vendor.as_ref().map_or_else(|| NO_ASSERTION.to_owned(), |vendor| format!("Organization: {vendor}")),
        checksums: package.hashes.iter().map(checksum).collect(),
        source_info: (!places.is_empty()).then(|| format!("{} by {}: {}{more}", package.basis.name(), package.found_by, places.join(", "))),
        license_declared: expression(&sbom::licences(package)).unwrap_or_else(|| NO_ASSERTION.to_owned()),
        external_refs: vec![purl(package.purl.to_string())],
        annotations: vec![annotation(materials, created, properties.join("\n"))],
        ..new(identifier(entry), &package.name, if sbom::is_application(package) { "APPLICATION" } else { "LIBRARY" })
    }
}

/// A name of letters, digits, dots and dashes, told from others by a digest of the reference, which is unique.
fn identifier(entry: &Entry<'_>) -> String {
    let readable: String =
        entry.package.name.chars().take(READABLE).map(|ch| if ch.is_ascii_alphanumeric() || ch == '.' { ch } else { '-' }).collect();
    let digest = Digest::sha256_of(entry.reference().as_bytes());
    format!("SPDXRef-Package-{}-{readable}-{}", entry.package.kind.purl_type(), digest.hex().chars().take(16).collect::<String>())
}

fn checksum(digest: &Digest) -> Checksum {
    let algorithm = match digest.algorithm() {
        Algorithm::Sha256 => "SHA256",
        Algorithm::Sha512 => "SHA512",
    };
    Checksum { algorithm, checksum_value: digest.hex().to_owned() }
}

fn purl(locator: String) -> ExternalRef {
    ExternalRef { reference_category: "PACKAGE-MANAGER", reference_type: "purl", reference_locator: locator }
}

/// The document describes the image; the image contains its distribution and packages, packages contain what is part of them.
pub(super) fn relationships<'a>(materials: &'a Materials<'a>) -> impl Iterator<Item = Relationship> {
    let relation = |from: &str, kind: &'static str, to: String| Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type: kind,
        related_spdx_element: to,
    };
    let (top, kind) = if materials.image.is_some() { (IMAGE_ID, "CONTAINS") } else { (DOCUMENT_ID, "DESCRIBES") };
    let image = materials.image.map(|_| relation(DOCUMENT_ID, "DESCRIBES", IMAGE_ID.to_owned()));
    // A document has to describe something, if it is nothing.
    let is_empty = materials.image.is_none() && materials.distro.is_none() && materials.contents.entries().next().is_none();
    let nothing = is_empty.then(|| relation(DOCUMENT_ID, "DESCRIBES", "NONE".to_owned()));
    let system = materials.distro.map(|_| relation(top, kind, SYSTEM_ID.to_owned()));
    let parts = materials.contents.parts().into_iter().flat_map(move |(whole, parts)| {
        let (whole, kind) = whole.map_or_else(|| (top.to_owned(), kind), |entry| (identifier(entry), "CONTAINS"));
        parts.into_iter().map(move |entry| relation(&whole, kind, identifier(entry)))
    });
    image.into_iter().chain(nothing).chain(system).chain(parts)
}
