//! SPDX JSON 2.2 and 2.3 in, packages out. Specification: <https://spdx.github.io/spdx-spec/v2.3/>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{
        json_cursor::Json,
        sbom::{Draft, entry::Entry},
    },
    model::package::{Distro, PackageKind},
};

/// Relationships of one document that are kept.
const RELATIONSHIPS: usize = 100_000;

/// One package of the document.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub id: String,
    pub purpose: String,
    pub entry: Entry,
}

/// What the elements of a document are to each other, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Relations {
    /// What the document is about.
    subjects: BTreeSet<String>,
    /// What packages were made from or with, which is not in the image.
    sources: BTreeSet<String>,
    /// Child to parent, where the parent's package manager brought the child's record.
    owners: BTreeMap<String, String>,
}

impl Relations {
    pub(super) fn describe(&mut self, id: String) {
        if self.subjects.len() < RELATIONSHIPS {
            self.subjects.insert(id);
        }
    }

    /// Notes `from KIND to`.
    pub(super) fn add(&mut self, from: String, kind: &str, to: String, comment: &str) {
        if self.subjects.len() + self.sources.len() + self.owners.len() >= RELATIONSHIPS {
            return;
        }
        match kind {
            "DESCRIBES" => {
                self.subjects.insert(to);
            }
            "DESCRIBED_BY" if to == "SPDXRef-DOCUMENT" => {
                self.subjects.insert(from);
            }
            "GENERATED_FROM" | "DESCRIBED_BY" => {
                self.sources.insert(to);
            }
            "GENERATES"
            | "BUILD_TOOL_OF"
            | "DEV_TOOL_OF"
            | "TEST_TOOL_OF"
            | "TEST_OF"
            | "BUILD_DEPENDENCY_OF"
            | "DEV_DEPENDENCY_OF"
            | "TEST_DEPENDENCY_OF"
            | "PREREQUISITE_FOR" => {
                self.sources.insert(from);
            }
            "OTHER" if comment.starts_with("ownership-by-file-overlap") => {
                self.owners.insert(to, from);
            }
            _ => {}
        }
    }
}

/// Reads the packages of a document; `json` stands at its beginning.
pub(super) fn read(json: &mut Json<'_>, draft: &mut Draft) {
    let mut relations = Relations::default();
    let mut elements = Vec::new();
    json.each_key(|json, key| match key {
        "spdxVersion" => check_version(&json.text().unwrap_or_default(), draft),
        "documentDescribes" => json.each_item(|json| json.text().into_iter().for_each(|id| relations.describe(id))),
        "packages" => json.each_item(|json| {
            let element = element(json);
            if draft.has_room(elements.len()) {
                elements.push(element);
            }
        }),
        "relationships" => json.each_item(|json| relationship(json, &mut relations)),
        "annotations" => json.each_item(|json| {
            if let Some(aggregate) = comment(json).as_deref().and_then(|comment| comment.strip_prefix("plimsoll:aggregate: incomplete")) {
                draft.doubt("annotations", format!("the document says of itself that it is incomplete{aggregate}"));
            }
        }),
        _ => {}
    });
    settle(elements, &relations, draft);
}

pub(super) fn check_version(version: &str, draft: &mut Draft) {
    if !matches!(version, "SPDX-2.2" | "SPDX-2.3") {
        let version: String = version.chars().take(40).collect();
        draft.doubt("spdxVersion", format!("{version} is not a version that is known here; it was read as SPDX-2.3"));
    }
}

fn element(json: &mut Json<'_>) -> Element {
    let mut element = Element::default();
    let (mut declared, mut concluded) = (None, None);
    json.each_key(|json, key| match key {
        "SPDXID" => element.id = json.text().unwrap_or_default(),
        "name" => element.entry.name = json.text(),
        "versionInfo" => element.entry.version = json.text(),
        "primaryPackagePurpose" => element.purpose = json.text().unwrap_or_default(),
        "licenseDeclared" => declared = json.text(),
        "licenseConcluded" => concluded = json.text(),
        "externalRefs" => json.each_item(|json| {
            let (mut kind, mut locator) = (None, None);
            json.each_key(|json, key| match key {
                "referenceType" => kind = json.text(),
                "referenceLocator" => locator = json.text(),
                _ => {}
            });
            if kind.as_deref() == Some("purl") {
                element.entry.purl = element.entry.purl.take().or(locator);
            }
        }),
        // The vendor of an rpm; for other kinds it says nothing that matters.
        "supplier" => element.entry.vendor = json.text().and_then(|text| text.strip_prefix("Organization: ").map(str::to_owned)),
        "annotations" => json.each_item(|json| {
            for (name, value) in comment(json).iter().flat_map(|comment| comment.lines()).filter_map(|line| line.split_once(": ")) {
                element.entry.note(name, value.to_owned());
            }
        }),
        "sourceInfo" => note_source(&mut element.entry, &json.text().unwrap_or_default()),
        _ => {}
    });
    element.entry.licences.extend(told(declared).or_else(|| told(concluded)));
    element
}

fn comment(json: &mut Json<'_>) -> Option<String> {
    let mut comment = None;
    json.each_key(|json, key| {
        if key == "comment" {
            comment = json.text();
        }
    });
    comment
}

fn told(licence: Option<String>) -> Option<String> {
    licence.filter(|licence| licence != "NOASSERTION" && licence != "NONE")
}

/// Trivy writes `built package from: NAME VERSION`.
fn note_source(entry: &mut Entry, text: &str) {
    if let Some((name, version)) = text.strip_prefix("built package from: ").and_then(|rest| rest.split_once(' ')) {
        entry.source_name = Some(name.to_owned());
        entry.source_version = Some(version.to_owned());
    }
}

fn relationship(json: &mut Json<'_>, relations: &mut Relations) {
    let (mut from, mut to, mut kind, mut comment) = (None, None, None, None);
    json.each_key(|json, key| match key {
        "spdxElementId" => from = json.text(),
        "relatedSpdxElement" => to = json.text(),
        "relationshipType" => kind = json.text(),
        "comment" => comment = json.text(),
        _ => {}
    });
    if let (Some(from), Some(to), Some(kind)) = (from, to, kind) {
        relations.add(from, &kind, to, comment.as_deref().unwrap_or_default());
    }
}

/// Makes packages of the elements.
pub(super) fn settle(elements: Vec<Element>, relations: &Relations, draft: &mut Draft) {
    // A language package belongs to the OS package that brought its record, whose name is what catalogers write.
    let wanted: BTreeSet<&String> = relations.owners.values().collect();
    let names: BTreeMap<String, String> = elements
        .iter()
        .filter(|element| wanted.contains(&element.id))
        .filter(|element| PackageKind::of_purl_type(element.entry.purl_type()).is_some_and(PackageKind::is_os))
        .filter_map(|element| Some((element.id.clone(), element.entry.name.clone()?)))
        .collect();
    for Element { id, purpose, mut entry } in elements {
        let is_subject = relations.subjects.contains(&id);
        match purpose.as_str() {
            "OPERATING-SYSTEM" | "OPERATING_SYSTEM" => {
                draft.set_distro(Distro { id: entry.name.unwrap_or_default(), version_id: entry.version, ..Distro::default() });
            }
            "CONTAINER" | "FILE" | "SOURCE" | "ARCHIVE" if entry.purl.is_none() => {}
            "CONTAINER" | "SOURCE" => {}
            _ if matches!(entry.purl_type(), "oci" | "docker") => {}
            _ if is_subject && entry.purl.is_none() => {}
            _ if !is_subject && relations.sources.contains(&id) => {}
            // Trivy lists the lock files that it read as packages without a version.
            "APPLICATION" if entry.purl.is_none() && entry.version.is_none() => {}
            _ => {
                entry.owner = entry.owner.or_else(|| relations.owners.get(&id).and_then(|owner| names.get(owner)).cloned());
                draft.add(entry);
            }
        }
    }
}
