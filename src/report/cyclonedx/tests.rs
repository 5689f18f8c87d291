//! What the documents say of small inventories.

use super::CycloneDx;
use crate::{
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        location::Location,
        package::{Basis, Distro, Inventory, Package, PackageKind, PackageUrl},
        report::ScanReport,
    },
    report::{Reporter, Style, sbom::fixture},
};

fn six(owner: Option<&str>) -> Package {
    let mut package =
        Package::new(PackageKind::Pypi, "six".to_owned(), "1.16".to_owned(), PackageUrl::parse("pkg:pypi/six@1.16").unwrap(), "pypi");
    package.licences = vec!["MIT or so".to_owned()];
    package.locations = vec![Location::Image { layer: Digest::sha256_of(b"layer"), index: 0, path: "lib/six.egg-info".to_owned() }];
    package.owner = owner.map(str::to_owned);
    package
}

fn write(format: CycloneDx, report: &ScanReport) -> String {
    let mut out = Vec::new();
    format.write(std::slice::from_ref(report), &Style::default(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn bom(inventory: Inventory) -> serde_json::Value {
    let report = fixture::report(inventory);
    assert_eq!(write(CycloneDx::JSON, &report), write(CycloneDx::JSON, &report));
    serde_json::from_str(&write(CycloneDx::JSON, &report)).unwrap()
}

#[test]
fn components_have_unique_references_and_named_licences() {
    let distro = Distro { id: "debian".to_owned(), version_id: Some("12".to_owned()), ..Distro::default() };
    let bom = bom(Inventory { distro: Some(distro), packages: vec![six(Some("python3-six")), six(None)], gaps: Vec::new() });
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

#[test]
fn licences_are_identifiers_expressions_or_names() {
    let check = |licences: &[&str], expected: serde_json::Value| {
        let mut package = six(None);
        package.licences = licences.iter().map(|&text| text.to_owned()).collect();
        let bom = bom(Inventory { packages: vec![package], ..Inventory::default() });
        assert_eq!(bom["components"][0]["licenses"], expected);
    };
    let id = |id: &str| serde_json::json!({"license": {"id": id, "acknowledgement": "declared"}});
    let name = |name: &str| serde_json::json!({"license": {"name": name, "acknowledgement": "declared"}});
    check(&["mit"], serde_json::json!([id("MIT")]));
    check(&["MIT OR Zlib"], serde_json::json!([{"expression": "MIT OR Zlib", "acknowledgement": "declared"}]));
    check(&["MIT OR Zlib", "BSD", "Zlib"], serde_json::json!([id("Zlib"), name("MIT OR Zlib"), name("BSD")]));
    let text = "\nPermission is granted\nto all";
    let with_text = serde_json::json!({"license": {
        "name": "Permission is granted", "acknowledgement": "declared", "text": {"contentType": "text/plain", "content": text},
    }});
    check(&[text], serde_json::json!([with_text]));
}

#[test]
fn one_serial_number_and_the_same_facts_in_each_version_and_syntax() {
    let mut package = six(None);
    package.basis = Basis::Guessed;
    package.hashes = vec![Digest::sha256_of(b"file")];
    package.vendor = Some("A & B".to_owned());
    let report = fixture::report(Inventory { packages: vec![package], ..Inventory::default() });
    let json: serde_json::Value = serde_json::from_str(&write(CycloneDx::JSON, &report)).unwrap();
    let older: serde_json::Value = serde_json::from_str(&write(CycloneDx::JSON_1_5, &report)).unwrap();
    assert_eq!(json["serialNumber"], older["serialNumber"]);
    assert_eq!((&older["specVersion"], &json["specVersion"]), (&"1.5".into(), &"1.6".into()));
    assert_eq!(json["components"][0]["evidence"], older["components"][0]["evidence"]);
    assert!(older["components"][0]["licenses"][0]["license"]["acknowledgement"].is_null());
    assert_eq!(json["components"][0]["evidence"]["identity"]["confidence"], 0.4);
    for (format, version) in [(CycloneDx::XML, "1.6"), (CycloneDx::XML_1_5, "1.5")] {
        let xml = write(format, &report);
        assert!(xml.contains(&format!("xmlns=\"http://cyclonedx.org/schema/bom/{version}\"")), "{xml}");
        assert!(xml.contains(json["serialNumber"].as_str().unwrap()) && xml.contains("<name>A &amp; B</name>"), "{xml}");
        assert_eq!(xml.contains("acknowledgement"), version == "1.6");
    }
}
