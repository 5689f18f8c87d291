//! SPDX 2.2 and 2.3 in its tag-value form in, packages out. Specification: <https://spdx.github.io/spdx-spec/v2.3/>.

use crate::inventory::{
    CatalogError,
    sbom::{
        Draft,
        spdx::{self, Element, Relations},
    },
};

/// Reads the packages of a document.
///
/// # Errors
/// When a line is longer than `line_bytes`.
pub(super) fn read(text: &str, draft: &mut Draft, line_bytes: usize) -> Result<(), CatalogError> {
    let mut relations = Relations::default();
    let mut elements: Vec<Element> = Vec::new();
    let mut in_package = false;
    let mut in_text = false;
    for line in text.lines() {
        if line.len() > line_bytes {
            return Err(CatalogError(format!("a line exceeds the limit of {line_bytes} bytes")));
        }
        if in_text {
            in_text = !line.contains("</text>");
            continue;
        }
        let Some((tag, value)) = line.split_once(':').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        in_text = value.contains("<text>") && !value.contains("</text>");
        match tag.trim() {
            "SPDXVersion" => spdx::check_version(value, draft),
            "PackageName" => {
                in_package = draft.has_room(elements.len());
                if in_package {
                    elements.push(Element::default());
                    note(&mut elements, |element| element.entry.name = Some(value.to_owned()));
                }
            }
            "FileName" | "SnippetSPDXID" | "LicenseID" => in_package = false,
            "Relationship" => relationship(value, &mut relations),
            "SPDXID" if in_package => note(&mut elements, |element| element.id = value.to_owned()),
            "PackageVersion" if in_package => note(&mut elements, |element| element.entry.version = Some(value.to_owned())),
            "PrimaryPackagePurpose" if in_package => note(&mut elements, |element| element.purpose = value.to_owned()),
            "PackageLicenseDeclared" if in_package => note(&mut elements, |element| element.entry.licences = vec![value.to_owned()]),
            "ExternalRef" if in_package => {
                let mut words = value.split_whitespace();
                if let (Some(_), Some("purl"), Some(locator)) = (words.next(), words.next(), words.next()) {
                    note(&mut elements, |element| element.entry.purl = Some(locator.to_owned()));
                }
            }
            _ => {}
        }
    }
    spdx::settle(elements, &relations, draft);
    Ok(())
}

fn note(elements: &mut [Element], change: impl FnOnce(&mut Element)) {
    if let Some(element) = elements.last_mut() {
        change(element);
    }
}

fn relationship(value: &str, relations: &mut Relations) {
    let mut words = value.split_whitespace();
    if let (Some(from), Some(kind), Some(to)) = (words.next(), words.next(), words.next()) {
        relations.add(from.to_owned(), kind, to.to_owned(), "");
    }
}
