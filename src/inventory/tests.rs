//! Whole inventories of made-up images.

use super::*;

const ALPINE: &[u8] = b"ID=alpine\nVERSION_ID=3.20.3\n";

fn kinds(inventory: &Inventory) -> Vec<&str> {
    inventory.gaps.iter().map(|gap| gap.kind).collect()
}

/// A list of files alone makes no owner: otherwise any file of that name would silence a package's own advisories.
#[test]
fn lists_of_packages_that_are_not_installed_own_nothing() {
    let status = b"Package: libc6\nStatus: install ok installed\nVersion: 2.36-9\nArchitecture: amd64\n".to_vec();
    let record = b"{\"name\":\"left-anchor\",\"version\":\"1.4.0\"}".to_vec();
    for (list, owner) in [("libc6", Some("libc6")), ("nobody", None)] {
        let list = format!("var/lib/dpkg/info/{list}.list");
        let files: Vec<(&str, Vec<u8>)> = vec![
            ("etc/os-release", b"ID=debian\nVERSION_ID=12\n".to_vec()),
            ("var/lib/dpkg/status", status.clone()),
            (&list, b"/app/node_modules/left-anchor/package.json\n".to_vec()),
            ("app/node_modules/left-anchor/package.json", record.clone()),
        ];
        let (view, layers) = fixture::image(&[&files]);
        let inventory = catalog(&view, &layers);
        let package = inventory.packages.iter().find(|package| package.name == "left-anchor").expect("package");
        assert_eq!(package.owner.as_deref(), owner);
    }
}

#[test]
fn packages_belong_to_the_layer_that_brought_them() {
    let apk = |names: &[&str]| names.iter().map(|name| format!("P:{name}\nV:1-r0\nA:x86_64\n\n")).collect::<String>().into_bytes();
    let (view, layers) = fixture::image(&[
        &[("etc/os-release", ALPINE.to_vec()), ("lib/apk/db/installed", apk(&["musl", "gone"]))],
        &[("lib/apk/db/installed", apk(&["musl", "curl", "gone"]))],
        &[("lib/apk/db/installed", apk(&["musl", "curl", "late"]))],
    ]);
    let inventory = catalog(&view, &layers);
    let found: Vec<_> = inventory
        .packages
        .iter()
        .map(|package| match package.locations.as_slice() {
            [Location::Image { index, path, .. }] => (package.name.as_str(), *index, path.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(found, [("curl", 1, "lib/apk/db/installed"), ("late", 2, "lib/apk/db/installed"), ("musl", 0, "lib/apk/db/installed")]);
    assert!(inventory.gaps.is_empty());
}

#[test]
fn records_that_say_the_same_are_one_package() {
    let manifest = || br#"{"name":"a","version":"1.0.0"}"#.to_vec();
    let (view, layers) = fixture::image(&[
        &[("etc/os-release", ALPINE.to_vec()), ("x/node_modules/a/package.json", manifest())],
        &[("node_modules/a/package.json", manifest())],
    ]);
    let inventory = catalog(&view, &layers);
    assert_eq!(inventory.packages.len(), 1);
    let places: Vec<_> =
        inventory.packages[0].locations.iter().map(|location| matches!(location, Location::Image { index: 0, .. })).collect();
    assert_eq!(places, [true, false]);
}

#[test]
fn an_os_package_owns_its_language_records() {
    let (view, layers) = fixture::image(&[&[
        ("etc/os-release", ALPINE.to_vec()),
        ("var/lib/dpkg/status", b"Package: python3-six\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n".to_vec()),
        ("var/lib/dpkg/info/python3-six.list", b"/.\n/usr\n/usr/lib/python3/dist-packages/six-1.egg-info\n".to_vec()),
        ("usr/lib/python3/dist-packages/six-1.egg-info", b"Name: six\nVersion: 1\n".to_vec()),
        ("usr/local/lib/six-2.egg-info", b"Name: six\nVersion: 2\n".to_vec()),
    ]]);
    let inventory = catalog(&view, &layers);
    let owners: Vec<_> = inventory.packages.iter().map(|package| (package.purl.as_str(), package.owner.as_deref())).collect();
    assert_eq!(
        owners,
        [
            ("pkg:deb/alpine/python3-six@1?arch=all&distro=alpine-3.20.3", None),
            ("pkg:pypi/six@1", Some("python3-six")),
            ("pkg:pypi/six@2", None)
        ]
    );
}

#[test]
fn an_image_that_was_not_understood_is_a_gap() {
    let check = |files: &[(&str, Vec<u8>)], expected: &[&str]| {
        let (view, layers) = fixture::image(&[files]);
        assert_eq!(kinds(&catalog(&view, &layers)), expected, "{files:?}");
    };
    check(&[], &[]);
    check(&[("app", b"x".to_vec())], &["nothing-inventoried"]);
    check(&[("etc/os-release", ALPINE.to_vec())], &["nothing-inventoried"]);
    check(&[("lib/apk/db/installed", b"P:musl\nV:1\n".to_vec())], &["no-distro"]);
    check(
        &[("etc/os-release", ALPINE.to_vec()), ("lib/apk/db/installed", b"P:musl\nV:1\n".to_vec()), ("a.jar", b"x".to_vec())],
        &["record-unreadable"],
    );
}

#[test]
fn a_distribution_whose_package_manager_is_silent_is_a_gap() {
    let check = |os: &str, database: &str, record: &str, expected: &[&str]| {
        let npm = br#"{"name":"a","version":"1.0.0"}"#.to_vec();
        let (view, layers) = fixture::image(&[&[
            ("etc/os-release", os.as_bytes().to_vec()),
            ("app/node_modules/a/package.json", npm),
            (database, record.as_bytes().to_vec()),
        ]]);
        let found = catalog(&view, &layers);
        assert_eq!(found.gaps.iter().map(|gap| gap.subject.as_str()).collect::<Vec<_>>(), expected, "{os} {record}");
        assert!(found.gaps.iter().all(|gap| gap.kind == "nothing-inventoried"));
    };
    let record = "Package: a\nVersion: 1\n";
    check("ID=debian\n", "var/lib/dpkg/status", record, &[]);
    check("ID=debian\n", "var/lib/dpkg/status", "", &["os"]);
    check("ID=x\nID_LIKE=\"y ubuntu\"\n", "etc/x", "", &["os"]);
    check("ID=alpine\n", "var/lib/dpkg/status", record, &["os"]);
    check("ID=amzn\n", "etc/x", "", &["os"]);
    check("ID=buildroot\n", "etc/x", "", &[]);
}

/// Folders that package managers leave things in are counted, and hide no program.
#[test]
fn programs_among_leftovers_are_examined() {
    let program = fixture::read("go-binary/elf64");
    for path in ["var/cache/dnf/x.rpm", "root/.npm/_cacache/index-v5/app", "usr/local/bin/app"] {
        let (view, layers) = fixture::image(&[&[("etc/os-release", ALPINE.to_vec()), (path, program.clone())]]);
        let inventory = catalog(&view, &layers);
        assert!(inventory.packages.iter().any(|package| package.found_by == "go-binary"), "{path}");
    }
}

/// Java runs an archive whatever it is called.
#[test]
fn java_archives_are_told_by_content() {
    let jar = fixture::read("jar/plain.jar");
    for (path, bytes, expected) in
        [("app/service", jar.clone(), true), ("app/x.zip", jar.clone(), true), ("app/notes.zip", b"PK\x03\x04no archive".to_vec(), false)]
    {
        let (view, layers) = fixture::image(&[&[("etc/os-release", ALPINE.to_vec()), (path, bytes)]]);
        let inventory = catalog(&view, &layers);
        assert_eq!(inventory.packages.iter().any(|package| package.found_by == "jar"), expected, "{path}");
    }
}
