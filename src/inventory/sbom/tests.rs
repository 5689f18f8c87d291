//! Whole documents.

use super::*;
use crate::inventory::fixture;

fn read_file(name: &str) -> Inventory {
    read_document(&fixture::read(name), &Limits::default()).expect(name)
}

fn purls(inventory: &Inventory) -> Vec<&str> {
    inventory.packages.iter().map(|package| package.purl.as_str()).collect()
}

fn gaps(inventory: &Inventory) -> Vec<(&str, &str)> {
    inventory.gaps.iter().map(|gap| (gap.kind, gap.subject.as_str())).collect()
}

#[test]
fn cyclonedx_is_read() {
    let found = read_file("embedded-sbom/image.cdx.json");
    assert_eq!(
        purls(&found),
        [
            "pkg:apk/alpine/harbour-libs@1.2-r0?arch=x86_64&distro=alpine-3.20.3&upstream=harbour",
            "pkg:apk/alpine/harbour@1.2-r0?arch=x86_64&distro=alpine-3.20.3",
            "pkg:maven/org.example/keel@2.0.1",
            "pkg:npm/%40quay/rope@1.0.0",
        ]
    );
    assert_eq!(found.distro.as_ref().map(|distro| (distro.id.as_str(), distro.version_id.as_deref())), Some(("alpine", Some("3.20.3"))));
    assert_eq!(gaps(&found), [("component-unidentified", "mystery"), ("component-unidentified", "pkg:npm/unversioned")]);
    let sources: Vec<_> = found.packages.iter().filter_map(|package| package.source.as_ref()).map(|source| source.name.as_str()).collect();
    assert_eq!(sources, ["harbour", "harbour"]);
    assert_eq!(found.packages[2].licences, ["Apache-2.0", "Some licence"]);
    assert_eq!(found.packages[2].name, "org.example:keel");
}

#[test]
fn spdx_is_read_in_both_forms() {
    for name in ["embedded-sbom/image.spdx.json", "embedded-sbom/image.spdx"] {
        let found = read_file(name);
        assert_eq!(
            purls(&found),
            [
                "pkg:deb/debian/libhull2@1:2.0-1?arch=amd64&distro=debian-12&upstream=hull",
                "pkg:deb/debian/python3-keelson@1.0-1?arch=all&distro=debian-12",
                "pkg:pypi/keelson@1.0",
            ],
            "{name}"
        );
        assert_eq!(found.distro.as_ref().map(|distro| distro.id.as_str()), Some("debian"), "{name}");
        assert_eq!(found.gaps, [], "{name}");
        let source = found.packages[1].source.as_ref().map(|source| source.name.as_str());
        assert_eq!(source, name.ends_with(".json").then_some("keelson"), "{name}");
        let owner = found.packages[2].owner.as_deref();
        assert_eq!(owner, name.ends_with(".json").then_some("python3-keelson"), "{name}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    let limits = Limits::default();
    for text in
        ["", "x", "[]", "{}", "<bom/>", "{\"bomFormat\":\"x\"}", "{\"@graph\":[]}", "{\"bomFormat\":\"CycloneDX\"", "{\"payload\":\"\"}"]
    {
        assert!(read_document(text.as_bytes(), &limits).is_err(), "{text}");
    }
    let empty = read_document(b"{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\"}", &limits).unwrap();
    assert_eq!(gaps(&empty), [("nothing-inventoried", "")]);
    let inner = String::from_utf8(fixture::read("embedded-sbom/bitnami.spdx")).unwrap();
    let statement = format!("{{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicate\":{inner}}}");
    assert_eq!(read_document(statement.as_bytes(), &limits).unwrap().packages.len(), 2);
    let odd = read_document(b"{\"spdxVersion\":\"SPDX-2.1\",\"packages\":{\"x\":[]}}", &limits).unwrap();
    assert_eq!(gaps(&odd), [("document-unclear", "spdxVersion"), ("nothing-inventoried", "")]);
}

#[test]
fn documents_stay_in_bounds() {
    let limits = Limits { packages: 3, gaps_per_kind: 2, ..Limits::default() };
    let many: Vec<String> = (0..9).map(|n| format!("{{\"type\":\"library\",\"name\":\"a\",\"purl\":\"pkg:npm/a@{n}\"}}")).collect();
    let found = read_document(
        format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{}]}}", many.join(",")).as_bytes(),
        &limits,
    );
    let found = found.unwrap();
    assert_eq!((found.packages.len(), gaps(&found)), (3, vec![("file-limit", "sbom")]));
    let found = read_document(
        format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.5\",\"components\":[{}]}}", ["{}"; 9].join(",")).as_bytes(),
        &limits,
    );
    assert_eq!(gaps(&found.unwrap()).len(), 3, "one that is listed, one that counts, and that nothing is there");
    let nested = format!("{}{}", "{\"components\":[".repeat(100), "]}".repeat(100));
    assert!(read_document(format!("{{\"bomFormat\":\"CycloneDX\",\"components\":[{nested}]}}").as_bytes(), &limits).is_err());
}

#[test]
fn distributions_come_from_qualifiers() {
    let check = |text: &str, expected: (&str, Option<&str>)| {
        let distro = of_qualifier(text);
        assert_eq!((distro.id.as_str(), distro.version_id.as_deref()), expected, "{text}");
    };
    check("debian-12", ("debian", Some("12")));
    check("opensuse-leap-15.5", ("opensuse-leap", Some("15.5")));
    check("redhat-8.4", ("rhel", Some("8.4")));
    check("wolfi", ("wolfi", None));
    check("debian-bookworm", ("debian-bookworm", None));
}

#[test]
fn records_win_over_documents() {
    let package = |purl: &str, found_by: &'static str| {
        Entry { purl: Some(purl.to_owned()), ..Entry::default() }.into_package(found_by).map(|(package, _)| package).unwrap()
    };
    let mut packages = vec![
        package("pkg:apk/wolfi/a@2-r0?arch=x86_64&distro=wolfi-1", "apk"),
        package("pkg:apk/wolfi/a@1-r0?arch=x86_64", "embedded-sbom"),
        package("pkg:apk/wolfi/b@1-r0?arch=x86_64", "embedded-sbom"),
        package("pkg:pypi/A_b@1", "pypi"),
        package("pkg:pypi/a-b@1", "embedded-sbom"),
        package("pkg:pypi/a-b@2", "embedded-sbom"),
    ];
    drop_known(&mut packages, "embedded-sbom");
    let left: Vec<_> = packages.iter().map(|package| package.purl.as_str()).collect();
    assert_eq!(
        left,
        ["pkg:apk/wolfi/a@2-r0?arch=x86_64&distro=wolfi-1", "pkg:apk/wolfi/b@1-r0?arch=x86_64", "pkg:pypi/A_b@1", "pkg:pypi/a-b@2"]
    );
}

/// Whatever is cut off or put in, reading ends, and nothing panics.
#[test]
fn damaged_documents_end() {
    let limits = Limits::default();
    for name in ["image.cdx.json", "image.spdx.json", "image.spdx", "bitnami.spdx", "melange.spdx.json"] {
        let whole = fixture::read(&format!("embedded-sbom/{name}"));
        for at in 0..whole.len() {
            let _ = read_document(&whole[..at], &limits);
            let mut bytes = whole.clone();
            bytes[at] = b"\"{}[]\\,:\n\xff"[at % 10];
            let _ = read_document(&bytes, &limits);
        }
    }
}
