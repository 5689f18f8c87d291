//! CycloneDX JSON 1.2 to 1.6 in, components out. Specification: <https://cyclonedx.org/docs/1.6/json/>.

use crate::{
    inventory::{
        json_cursor::Json,
        sbom::{Draft, entry::Entry},
    },
    model::package::Distro,
};

/// Reads the components of a document; `json` stands at its beginning.
pub(super) fn read(json: &mut Json<'_>, draft: &mut Draft) {
    json.each_key(|json, key| match key {
        "specVersion" => {
            let version = json.text().unwrap_or_default();
            if !matches!(version.as_str(), "1.2" | "1.3" | "1.4" | "1.5" | "1.6" | "1.7") {
                draft.doubt("specVersion", format!("CycloneDX {version} is not a version that is known here; it was read as 1.6"));
            }
        }
        "metadata" => json.each_key(|json, key| {
            if key == "component" {
                component(json, draft, Place::Subject);
            }
        }),
        "components" => json.each_item(|json| component(json, draft, Place::Listed)),
        "compositions" => json.each_item(|json| {
            json.each_key(|json, key| {
                // `unknown` and `not_specified` are what every honest tool says of an image; these say that something is known to be missing.
                if key == "aggregate"
                    && let Some(aggregate) = json.text().filter(|aggregate| aggregate.starts_with("incomplete"))
                {
                    draft.doubt("compositions", format!("the document says of itself that it is {aggregate}"));
                }
            });
        }),
        _ => {}
    });
}

/// Where a component stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is what the document is about.
    Subject,
    /// It is one of its parts.
    Listed,
}

#[derive(Default)]
struct Raw {
    kind: String,
    group: Option<String>,
    description: Option<String>,
    is_excluded: bool,
    is_lock_file: bool,
    source_release: Option<String>,
    source_epoch: Option<String>,
    distro: Distro,
    entry: Entry,
}

fn component(json: &mut Json<'_>, draft: &mut Draft, place: Place) {
    let mut raw = Raw::default();
    json.each_key(|json, key| match key {
        "type" => raw.kind = json.text().unwrap_or_default(),
        "group" => raw.group = json.text(),
        "name" => raw.entry.name = json.text(),
        "version" => raw.entry.version = json.text(),
        "description" => raw.description = json.text(),
        "purl" => raw.entry.purl = json.text(),
        "publisher" => raw.entry.vendor = raw.entry.vendor.take().or(json.text()),
        "supplier" => json.each_key(|json, key| {
            if key == "name" {
                raw.entry.vendor = raw.entry.vendor.take().or(json.text());
            }
        }),
        "scope" => raw.is_excluded = json.text().as_deref() == Some("excluded"),
        "licenses" => json.each_item(|json| licence(json, &mut raw.entry.licences)),
        "properties" => json.each_item(|json| {
            let (mut name, mut value) = (None, None);
            json.each_key(|json, key| match key {
                "name" => name = json.text(),
                "value" => value = json.text(),
                _ => {}
            });
            if let (Some(name), Some(value)) = (name, value) {
                property(&mut raw, &name, value);
            }
        }),
        "components" => json.each_item(|json| component(json, draft, Place::Listed)),
        _ => {}
    });
    settle(raw, draft, place);
}

fn licence(json: &mut Json<'_>, licences: &mut Vec<String>) {
    json.each_key(|json, key| match key {
        "expression" => licences.extend(json.text()),
        "license" => json.each_key(|json, key| {
            if matches!(key, "id" | "name") {
                licences.extend(json.text());
            }
        }),
        _ => {}
    });
}

/// What stands beside the fields of the format.
fn property(raw: &mut Raw, name: &str, value: String) {
    match name {
        "aquasecurity:trivy:SrcRelease" => raw.source_release = Some(value),
        "aquasecurity:trivy:SrcEpoch" => raw.source_epoch = Some(value),
        "aquasecurity:trivy:Class" => raw.is_lock_file = true,
        "syft:distro:id" => raw.distro.id = value,
        "syft:distro:versionID" => raw.distro.version_id = Some(value),
        "syft:distro:versionCodename" => raw.distro.codename = Some(value),
        name if name.starts_with("syft:distro:idLike:") => raw.distro.id_like.push(value),
        name => raw.entry.note(name, value),
    }
}

fn settle(raw: Raw, draft: &mut Draft, place: Place) {
    let mut entry = raw.entry;
    // Trivy cuts the source version into three.
    if let (Some(version), Some(release)) = (&entry.source_version, raw.source_release) {
        entry.source_version = Some(format!("{version}-{release}"));
    }
    if let (Some(version), Some(epoch)) = (&entry.source_version, raw.source_epoch.filter(|epoch| epoch != "0"))
        && !version.contains(':')
    {
        entry.source_version = Some(format!("{epoch}:{version}"));
    }
    match raw.kind.as_str() {
        "operating-system" => {
            let mut distro = raw.distro;
            if distro.id.is_empty() {
                distro.id = entry.name.unwrap_or_default();
            }
            distro.version_id = distro.version_id.or(entry.version);
            distro.pretty_name = raw.description;
            draft.set_distro(distro);
        }
        // These are no packages, and what they are made of is listed beside them.
        "container" | "file" | "data" | "device" | "machine-learning-model" | "cryptographic-asset" => {}
        _ if raw.is_excluded => {}
        _ if entry.purl.is_none() && (place == Place::Subject || raw.is_lock_file) => {}
        // What a document is about may come without a version, when it is no release.
        _ if place == Place::Subject && entry.version.is_none() && !entry.purl.as_ref().is_some_and(|purl| purl.contains('@')) => {}
        _ => {
            if let (None, Some(group), Some(name)) = (&entry.purl, raw.group, &mut entry.name) {
                *name = format!("{group}/{name}");
            }
            draft.add(entry);
        }
    }
}
