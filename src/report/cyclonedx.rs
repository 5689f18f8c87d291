//! `cyclonedx`: the inventory as a CycloneDX 1.6 bill of materials. Specification: <https://cyclonedx.org/docs/1.6/json/>.
//! The same image and tool version give the same bytes: nothing here comes from a clock or from chance.

use std::{collections::BTreeSet, io};

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    model::{
        coverage::{Gap, SourceId},
        digest::{Algorithm, Hasher},
        image::ResolvedImage,
        location::Location,
        package::{Inventory, Package},
        report::ScanReport,
    },
    report::{Reporter, Style, escape},
};

const IMAGE_REF: &str = "image";
const SYSTEM_REF: &str = "operating-system";

/// Components with purl, layer, path and licences; Gaps as an incomplete composition.
pub struct CycloneDx;

impl Reporter for CycloneDx {
    fn id(&self) -> &'static str {
        "cyclonedx"
    }

    fn joins_platforms(&self) -> bool {
        false
    }

    fn write(&self, reports: &[ScanReport], _style: &Style, out: &mut dyn io::Write) -> io::Result<()> {
        let [report] = reports else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "a CycloneDX document describes one image"));
        };
        let empty = Inventory::default();
        let inventory = report.inventory.as_ref().unwrap_or(&empty);
        let image = report.image.as_ref();
        let of_the_image = report.verdict.gaps.iter().map(|judged| &judged.gap).filter(|gap| gap.source == SourceId::Image);
        let gaps: BTreeSet<&Gap> = inventory.gaps.iter().chain(of_the_image).collect();
        let incomplete = report.inventory.is_none() || !gaps.is_empty();
        let mut bom = Bom {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            serial_number: String::new(),
            version: 1,
            metadata: Metadata {
                timestamp: image
                    .and_then(|image| image.config.created.as_deref())
                    .and_then(|created| created.parse::<Timestamp>().ok())
                    .map(|at| at.to_string()),
                tools: Tools {
                    components: vec![Component {
                        version: Some(report.tool_version.to_owned()),
                        ..Component::new("application", "plimsoll")
                    }],
                },
                component: image.map(subject),
                properties: gaps.iter().map(|gap| Property::new("plimsoll:gap", gap_text(gap))).collect(),
            },
            components: Components(inventory),
            // Files that no package manager recorded are not looked at, so no inventory claims to be complete.
            compositions: vec![Composition {
                aggregate: if incomplete { "incomplete" } else { "unknown" },
                assemblies: image.map(|_| IMAGE_REF).into_iter().collect(),
            }],
        };
        bom.serial_number = serial_number(image, &bom)?;
        escape::write_json(&bom, out)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Components<'a>,
    compositions: Vec<Composition>,
}

#[derive(Serialize)]
struct Metadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

#[derive(Serialize)]
struct Tools {
    components: Vec<Component>,
}

#[derive(Serialize, Default)]
struct Component {
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<String>,
    #[serde(rename = "type")]
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenseChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
}

impl Component {
    fn new(kind: &'static str, name: &str) -> Self {
        Self { kind, name: name.to_owned(), ..Self::default() }
    }
}

#[derive(Serialize)]
struct LicenseChoice {
    license: License,
}

/// A licence by name only: an `id` would have to be one of SPDX's, and package managers write what they like.
#[derive(Serialize)]
struct License {
    name: String,
}

#[derive(Serialize)]
struct Evidence {
    occurrences: Vec<Occurrence>,
}

#[derive(Serialize)]
struct Occurrence {
    location: String,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

impl Property {
    fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into() }
    }
}

#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assemblies: Vec<&'static str>,
}

fn subject(image: &ResolvedImage) -> Component {
    let mut properties = vec![Property::new("plimsoll:platform", image.platform.to_string())];
    properties.extend(image.index_digest.iter().map(|digest| Property::new("plimsoll:index", digest.to_string())));
    Component {
        bom_ref: Some(IMAGE_REF.to_owned()),
        version: Some(image.digest().to_string()),
        properties,
        ..Component::new("container", &image.reference.to_string())
    }
}

/// The components of an inventory, made one at a time while they are written: all at once they would take several times the inventory's room.
struct Components<'a>(&'a Inventory);

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(inventory) = self;
        let system = inventory.distro.iter().map(|distro| Component {
            bom_ref: Some(SYSTEM_REF.to_owned()),
            version: distro.version_id.clone(),
            description: distro.pretty_name.clone(),
            ..Component::new("operating-system", &distro.id)
        });
        let mut packages: Vec<&Package> = inventory.packages.iter().collect();
        packages.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let mut last = ("", 0_usize);
        let packages = packages.into_iter().map(|package| {
            let purl = package.purl.as_str();
            last = (purl, if last.0 == purl { last.1 + 1 } else { 1 });
            // A purl may come twice, for instance owned by the distribution and installed beside it.
            component(package, if last.1 == 1 { purl.to_owned() } else { format!("{purl}#{}", last.1) })
        });
        serializer.collect_seq(system.chain(packages))
    }
}

fn component(package: &Package, bom_ref: String) -> Component {
    let mut properties = vec![Property::new("plimsoll:found-by", package.found_by)];
    let mut occurrences = Vec::new();
    for location in &package.locations {
        if let Location::Image { layer, path, .. } = location {
            properties.push(Property::new("plimsoll:layer", layer.to_string()));
            properties.push(Property::new("plimsoll:path", path.clone()));
            occurrences.push(Occurrence { location: format!("/{path}") });
        }
    }
    properties.extend(package.owner.iter().map(|owner| Property::new("plimsoll:owner", owner.clone())));
    if let Some(source) = &package.source {
        properties.push(Property::new("plimsoll:source-name", source.name.clone()));
        properties.extend(source.version.iter().map(|version| Property::new("plimsoll:source-version", version.clone())));
    }
    properties.extend(package.modularity.iter().map(|label| Property::new("plimsoll:modularity", label.clone())));
    Component {
        bom_ref: Some(bom_ref),
        version: Some(package.version.clone()),
        licenses: package.licences.iter().map(|name| LicenseChoice { license: License { name: name.clone() } }).collect(),
        purl: Some(package.purl.to_string()),
        evidence: (!occurrences.is_empty()).then_some(Evidence { occurrences }),
        properties,
        ..Component::new("library", &package.name)
    }
}

fn gap_text(gap: &Gap) -> String {
    if gap.subject.is_empty() { format!("{}: {}", gap.kind, gap.reason) } else { format!("{}: {}: {}", gap.kind, gap.subject, gap.reason) }
}

/// A version 8 UUID (RFC 9562) of the image's digest, its platform and everything that the document says.
fn serial_number(image: Option<&ResolvedImage>, document: &Bom<'_>) -> io::Result<String> {
    let identity = image.map(|image| format!("{} {}\0", image.digest(), image.platform)).unwrap_or_else(|| "\0".to_owned());
    let mut hashed = Hashed(Hasher::new(Algorithm::Sha256));
    hashed.0.update(identity.as_bytes());
    serde_json::to_writer(&mut hashed, document)?;
    let digest = hashed.0.finish();
    let mut hex: Vec<char> = digest.hex().chars().take(32).collect();
    if let Some(version) = hex.get_mut(12) {
        *version = '8';
    }
    if let Some(variant) = hex.get_mut(16) {
        *variant = match *variant {
            '0' | '4' | '8' | 'c' => '8',
            '1' | '5' | '9' | 'd' => '9',
            '2' | '6' | 'a' | 'e' => 'a',
            _ => 'b',
        };
    }
    let mut text = "urn:uuid:".to_owned();
    for (place, ch) in hex.into_iter().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(ch);
    }
    Ok(text)
}

/// Hashes what is written.
struct Hashed(Hasher);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{
            coverage::SourceId,
            digest::Digest,
            package::{Basis, Distro, PackageKind, PackageUrl},
            policy::Mode,
            report::PolicySummary,
            verdict::{Outcome, Verdict},
        },
        report::Show,
    };

    fn package(purl: &str, owner: Option<&str>) -> Package {
        Package {
            kind: PackageKind::Pypi,
            name: "six".to_owned(),
            version: "1.16".to_owned(),
            purl: PackageUrl::parse(purl).unwrap(),
            arch: None,
            source: None,
            modularity: None,
            vendor: None,
            licences: vec!["MIT or so".to_owned()],
            locations: vec![Location::Image { layer: Digest::sha256_of(b"layer"), index: 0, path: "lib/six.egg-info".to_owned() }],
            owner: owner.map(str::to_owned),
            found_by: "pypi",
            basis: Basis::Installed,
            hashes: Vec::new(),
        }
    }

    fn bom(inventory: Inventory) -> serde_json::Value {
        let report = ScanReport {
            command: "scan",
            tool_version: "0.0.0",
            evaluated_at: Timestamp::UNIX_EPOCH,
            policy: PolicySummary { name: String::new(), digest: Digest::sha256_of(b""), files: Vec::new(), mode: Mode::Enforce },
            image: None,
            dockerfiles: Vec::new(),
            inventory: Some(inventory),
            verification: None,
            sources: Vec::new(),
            verdict: Verdict {
                outcome: Outcome::Pass,
                findings: Vec::new(),
                gaps: Vec::new(),
                requirements: Vec::new(),
                exceptions: Vec::new(),
            },
            exit_code: 0,
        };
        let style = Style { colour: false, ascii: false, width: 80, show: Show::All };
        let write = || {
            let mut out = Vec::new();
            CycloneDx.write(std::slice::from_ref(&report), &style, &mut out).unwrap();
            out
        };
        assert_eq!(write(), write());
        serde_json::from_slice(&write()).unwrap()
    }

    #[test]
    fn components_have_unique_references_and_named_licences() {
        let distro = Distro { id: "debian".to_owned(), version_id: Some("12".to_owned()), ..Distro::default() };
        let packages = vec![package("pkg:pypi/six@1.16", Some("python3-six")), package("pkg:pypi/six@1.16", None)];
        let bom = bom(Inventory { distro: Some(distro), packages, gaps: Vec::new() });
        let refs: Vec<_> = bom["components"].as_array().unwrap().iter().map(|component| component["bom-ref"].as_str().unwrap()).collect();
        assert_eq!(refs, ["operating-system", "pkg:pypi/six@1.16", "pkg:pypi/six@1.16#2"]);
        assert_eq!(bom["components"][1]["licenses"][0]["license"]["name"], "MIT or so");
        assert_eq!(bom["compositions"][0]["aggregate"], "unknown");
        let serial = bom["serialNumber"].as_str().unwrap();
        assert_eq!((serial.len(), serial.as_bytes()[23]), (45, b'8'), "{serial}");
    }

    #[test]
    fn gaps_make_it_incomplete() {
        let bom = bom(Inventory {
            gaps: vec![Gap::new(SourceId::Inventory, "record-unreadable", "var/lib/rpm/Packages", "not read")],
            ..Inventory::default()
        });
        assert_eq!(bom["compositions"][0]["aggregate"], "incomplete");
        assert_eq!(bom["metadata"]["properties"][0]["value"], "record-unreadable: var/lib/rpm/Packages: not read");
    }
}
