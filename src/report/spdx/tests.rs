//! What the document says of small inventories.

use super::Spdx;
use crate::{
    model::{
        coverage::{Gap, SourceId},
        digest::Digest,
        location::Location,
        package::{Distro, Inventory, Package, PackageKind, PackageUrl},
    },
    report::{Reporter, Style, sbom::fixture},
};

fn package(kind: PackageKind, name: &str, licences: &[&str], owner: Option<&str>) -> Package {
    let purl = PackageUrl::parse(&format!("pkg:{}/{name}@1", kind.purl_type())).unwrap();
    let mut package = Package::new(kind, name.to_owned(), "1".to_owned(), purl, "test");
    package.licences = licences.iter().map(|&text| text.to_owned()).collect();
    package.locations = vec![Location::Image { layer: Digest::sha256_of(b"layer"), index: 0, path: format!("lib/{name}") }];
    package.owner = owner.map(str::to_owned);
    package
}

#[test]
fn owners_contain_what_they_own_and_texts_are_extracted() {
    let packages = vec![
        package(PackageKind::Deb, "python3-six", &[], None),
        package(PackageKind::Pypi, "six", &["BSD", "MIT OR Zlib"], Some("python3-six")),
    ];
    let distro = Distro { id: "debian".to_owned(), ..Distro::default() };
    let gaps = vec![Gap::new(SourceId::Inventory, "file-limit", "", "too many")];
    let report = fixture::report(Inventory { distro: Some(distro), packages, gaps });
    let mut out = Vec::new();
    Spdx.write(std::slice::from_ref(&report), &Style::default(), &mut out).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    let relations: Vec<String> = document["relationships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["relationshipType"].as_str().unwrap(), one["relatedSpdxElement"].as_str().unwrap()))
        .collect();
    assert!(relations[0].starts_with("DESCRIBES SPDXRef-OperatingSystem"), "{relations:?}");
    assert!(relations[1].starts_with("DESCRIBES SPDXRef-Package-deb-python3-six-"), "{relations:?}");
    assert!(relations[2].starts_with("CONTAINS SPDXRef-Package-pypi-six-"), "{relations:?}");
    assert_eq!(document["packages"][2]["licenseDeclared"], "(MIT OR Zlib) AND LicenseRef-BSD");
    assert_eq!(document["packages"][1]["licenseDeclared"], "NOASSERTION");
    assert_eq!(document["hasExtractedLicensingInfos"][0]["licenseId"], "LicenseRef-BSD");
    assert_eq!(document["annotations"][0]["comment"], "plimsoll:aggregate: incomplete");
    assert_eq!(document["annotations"][1]["comment"], "plimsoll:gap: file-limit: too many");
    assert_eq!(document["creationInfo"]["created"], "1970-01-01T00:00:00Z");
}
