//! Tests of the whole way from feed to match: on the made fixtures, and on the corpus of real records where it is present.

#[cfg(test)]
pub(super) mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use jiff::Timestamp;

    use crate::{
        advisory::{
            Database, build,
            matcher::{match_inventory, match_on},
        },
        model::{
            coverage::Gap,
            evidence::Observation,
            package::{Distro, Inventory, Package, PackageKind, PackageUrl, SourcePackage},
            severity::Severity,
        },
    };

    pub(in crate::advisory) fn package(kind: PackageKind, name: &str, version: &str) -> Package {
        let purl = PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new());
        Package::new(kind, name.to_owned(), version.to_owned(), purl, "test")
    }

    pub(in crate::advisory) fn built_from(
        kind: PackageKind,
        name: &str,
        version: &str,
        source: &str,
        source_version: Option<&str>,
    ) -> Package {
        let source = Some(SourcePackage { name: source.to_owned(), version: source_version.map(str::to_owned) });
        Package { source, ..package(kind, name, version) }
    }

    pub(in crate::advisory) fn rpm(name: &str, version: &str, modularity: Option<&str>, vendor: Option<&str>) -> Package {
        Package { modularity: modularity.map(str::to_owned), vendor: vendor.map(str::to_owned), ..package(PackageKind::Rpm, name, version) }
    }

    pub(in crate::advisory) fn inventory(distro: Option<(&str, &str)>, packages: Vec<Package>) -> Inventory {
        let distro = distro.map(|(id, version)| Distro { id: id.to_owned(), version_id: Some(version.to_owned()), ..Distro::default() });
        Inventory { distro, packages, gaps: Vec::new() }
    }

    pub(in crate::advisory) fn now() -> Timestamp {
        "2026-11-22T00:00:00Z".parse().unwrap()
    }

    fn fixtures() -> (tempfile::TempDir, Database) {
        let out = tempfile::tempdir().unwrap();
        build(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv"), out.path(), now()).unwrap();
        let database = Database::open(out.path()).unwrap();
        (out, database)
    }

    fn harbour() -> Inventory {
        inventory(
            Some(("debian", "12")),
            vec![
                built_from(PackageKind::Deb, "libhullpaint2", "2.1-1", "hullpaint", None),
                package(PackageKind::Deb, "ballast", "1.0-1"),
                package(PackageKind::Npm, "left-anchor", "1.4.0"),
                package(PackageKind::Pypi, "keelson", "0.9.0"),
                package(PackageKind::Pypi, "bilge_pump", "1.0"),
            ],
        )
    }

    pub(in crate::advisory) fn told(observations: &[Observation]) -> Vec<(String, String, String)> {
        observations.iter().map(|o| (o.package.as_ref().unwrap().name.clone(), o.id.clone(), o.fixed.join(","))).collect()
    }

    pub(in crate::advisory) fn severity(observation: &Observation) -> Severity {
        observation
            .ratings
            .iter()
            .map(crate::model::severity::Rating::severity)
            .find(|severity| *severity != Severity::Unknown)
            .unwrap_or(Severity::Unknown)
    }

    fn owned(rows: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
    }

    #[test]
    fn the_harbour_image_matches_exactly() {
        let (_out, database) = fixtures();
        let (observations, gaps) = match_inventory(&database, &harbour());
        assert_eq!(gaps, []);
        let expected = [
            ("ballast", "PLIM-2026-0002", ""),
            ("keelson", "PLIM-2026-0031", "0.9.1"),
            ("left-anchor", "PLIM-2026-0021", "1.4.2"),
            ("libhullpaint2", "PLIM-2026-0001", "2.1-3"),
        ];
        assert_eq!(told(&observations), owned(&expected));
        assert_eq!(
            observations.iter().map(severity).collect::<Vec<_>>(),
            [Severity::High, Severity::High, Severity::Critical, Severity::Medium]
        );
        assert!(observations[0].says_no_fix);
        assert_eq!(observations[2].aliases.iter().map(String::as_str).collect::<Vec<_>>(), ["CVE-2026-90021", "GHSA-plim-soll-0021"]);
        assert_eq!(observations[3].link.as_deref(), Some("https://advisories.example.org/PLIM-2026-0001"));
        assert_eq!(observations[3].attributes["matched-as"], "hullpaint 2.1-1");
    }

    #[test]
    fn a_source_version_counts_where_it_differs() {
        let (_out, database) = fixtures();
        let fixed = built_from(PackageKind::Deb, "libhullpaint2", "1.0-1", "hullpaint", Some("2.1-3"));
        let (observations, gaps) = match_inventory(&database, &inventory(Some(("debian", "12")), vec![fixed]));
        assert_eq!((told(&observations), gaps), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_record_with_two_cves_gives_two_observations() {
        let (_out, database) = fixtures();
        let (observations, _) =
            match_inventory(&database, &inventory(Some(("debian", "12")), vec![package(PackageKind::Deb, "rigging", "3.2-1")]));
        let ids: Vec<_> = observations.iter().map(|o| (o.id.as_str(), o.aliases.len(), o.attributes["advisory"].as_str())).collect();
        assert_eq!(ids, [("CVE-2026-90006", 0, "PLIM-DSA-2026-0006"), ("CVE-2026-90007", 0, "PLIM-DSA-2026-0006")]);
    }

    #[test]
    fn a_distribution_that_lists_unfixed_problems_judges_its_own_language_packages() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        let keelson = r#"{"id":"PLIM-1","affected":[{"package":{"ecosystem":"PyPI","name":"keelson"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}"#;
        for (number, debian, expected) in [(0, "DSA-9001-1", 1), (1, "DEBIAN-CVE-2026-90009", 0)] {
            let record = format!(
                r#"{{"id":"{debian}","affected":[{{"package":{{"ecosystem":"Debian:12","name":"python-keelson"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"0.5-1"}}]}}]}}]}}"#
            );
            for (ecosystem, text) in [("PyPI", keelson), ("Debian", record.as_str())] {
                fs::create_dir_all(from.join(ecosystem)).unwrap();
                let mut archive = zip::ZipWriter::new(fs::File::create(from.join(ecosystem).join("all.zip")).unwrap());
                archive.start_file("a.json", zip::write::SimpleFileOptions::default()).unwrap();
                std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
                archive.finish().unwrap();
            }
            let out = folder.path().join(number.to_string());
            build(&from, &out, now()).unwrap();
            let owned = Package { owner: Some("python3-keelson".to_owned()), ..package(PackageKind::Pypi, "keelson", "1.0") };
            let loose = package(PackageKind::Pypi, "Keelson", "1.1");
            // A package that Debian has never heard of brought this one.
            let foreign = Package { owner: Some("acme-portal".to_owned()), ..package(PackageKind::Pypi, "keelson", "1.2") };
            let mut packages = vec![built_from(PackageKind::Deb, "python3-keelson", "1.0-1", "python-keelson", None), owned, loose];
            packages.extend([package(PackageKind::Deb, "acme-portal", "1"), foreign]);
            let (observations, gaps) = match_inventory(&Database::open(&out).unwrap(), &inventory(Some(("debian", "12")), packages));
            assert_eq!((observations.len(), gaps), (expected + 2, Vec::new()), "{debian}");
        }
    }

    /// A database of one feed with these records.
    fn database_with(feed: &str, records: &[String]) -> (tempfile::TempDir, Database) {
        database_of(&[(feed, records.to_vec())])
    }

    /// A database of several feeds with these records.
    pub(in crate::advisory) fn database_of(feeds: &[(&str, Vec<String>)]) -> (tempfile::TempDir, Database) {
        database_asked_for(feeds, &[])
    }

    /// The same, with those feeds that are asked for.
    pub(in crate::advisory) fn database_asked_for(feeds: &[(&str, Vec<String>)], asked: &[&str]) -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let (from, out) = (folder.path().join("from"), folder.path().join("out"));
        for (feed, records) in feeds {
            fs::create_dir_all(from.join(feed)).unwrap();
            let mut archive = zip::ZipWriter::new(fs::File::create(from.join(feed).join("all.zip")).unwrap());
            for (number, text) in records.iter().enumerate() {
                archive.start_file(format!("{number}.json"), zip::write::SimpleFileOptions::default()).unwrap();
                std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
            }
            archive.finish().unwrap();
            if asked.contains(feed) {
                fs::write(from.join(feed).join("asked"), "").unwrap();
            }
        }
        build(&from, &out, now()).unwrap();
        let database = Database::open(&out).unwrap();
        (folder, database)
    }

    #[test]
    fn a_damaged_rating_is_told_and_one_without_company_is_a_gap() {
        let (bad, four) = ("CVSS:3.1/AV:N/garbage", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N");
        for (scores, told, gaps) in [
            (vec![("CVSS_V3", bad)], true, 1),
            (vec![("CVSS_V9", "9.8")], true, 1),
            (vec![("CVSS_V3", bad), ("CVSS_V4", four)], true, 0),
            (vec![("CVSS_V3", bad), ("CVSS_V3", "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H")], true, 0),
            (vec![("CVSS_V4", four)], false, 0),
            (vec![("CVSS_V4", "CVSS:4.0/AV:N")], true, 1),
            (vec![], false, 0),
        ] {
            let severity: Vec<_> = scores.iter().map(|(kind, score)| format!(r#"{{"type":"{kind}","score":"{score}"}}"#)).collect();
            let record = format!(
                r#"{{"id":"PLIM-1","severity":[{}],"affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"versions":["1.0.0"]}}]}}"#,
                severity.join(",")
            );
            let (_folder, database) = database_with("npm", &[record]);
            let (observations, found) = match_inventory(&database, &inventory(None, vec![package(PackageKind::Npm, "a", "1.0.0")]));
            assert_eq!(observations.len(), 1);
            assert_eq!(observations[0].attributes.contains_key("rating-unreadable"), told, "{scores:?}");
            assert_eq!(found.iter().filter(|gap| gap.kind == "undecidable").count(), gaps, "{scores:?} {found:?}");
        }
    }

    #[test]
    fn a_package_of_an_unclear_module_is_not_cleared_by_plain_rows() {
        let record = r#"{"id":"ALSA-2026:1","summary":"Important: keel security update","related":["CVE-2026-90001"],"affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"keel"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0-1.el8"}]}]}]}"#;
        let (_folder, database) = database_with("AlmaLinux", &[record.to_owned()]);
        for (version, label, expected) in [
            ("1.0-1.module_el8.6.0+1+aaaaaaaa", None, vec!["undecidable"]),
            ("1.0-1.el8", Some("keel:1:8060020220628:1"), vec!["undecidable"]),
            ("3.0-1.module_el8.6.0+1+aaaaaaaa", None, vec![]),
            ("1.0-1.module_el8.6.0+1+aaaaaaaa", Some("keel:1:8060020220628:1"), vec![]),
        ] {
            let image = inventory(Some(("almalinux", "8.10")), vec![rpm("keel", version, label, None)]);
            let (observations, gaps) = match_inventory(&database, &image);
            assert_eq!((observations, gaps.iter().map(|gap| gap.kind).collect::<Vec<_>>()), (Vec::new(), expected), "{version}");
        }
    }

    pub(in crate::advisory) fn kinds(gaps: &[Gap]) -> Vec<(&str, &str)> {
        gaps.iter().map(|gap| (gap.kind, gap.subject.as_str())).collect()
    }

    #[test]
    fn what_cannot_be_looked_up_is_a_gap() {
        let (_out, database) = fixtures();
        let ballast = || package(PackageKind::Deb, "ballast", "1.0-1");
        for (inventory, expected) in [
            (inventory(Some(("debian", "13")), vec![ballast()]), vec![("no-advisories", "Debian:13")]),
            (inventory(Some(("ubuntu", "24.04")), vec![ballast()]), vec![("no-advisories", "Ubuntu:24.04:LTS")]),
            (inventory(Some(("kali", "2024.1")), vec![ballast()]), vec![("no-advisories", "kali 2024.1")]),
            (inventory(Some(("alpine", "3.20.1")), vec![ballast()]), vec![("no-advisories", "alpine 3.20.1")]),
            (inventory(None, vec![ballast()]), vec![("no-distro", "1 deb package")]),
            (inventory(None, Vec::new()), vec![("nothing-inventoried", "")]),
            (
                inventory(None, vec![package(PackageKind::Golang, "a", "1"), package(PackageKind::Cpan, "b", "1")]),
                vec![("no-advisories", "Go"), ("unsupported-ecosystem", "cpan")],
            ),
            (inventory(Some(("debian", "12")), vec![package(PackageKind::Deb, "ballast", "1_ 0")]), vec![("undecidable", "ballast 1_ 0")]),
            (inventory(Some(("debian", "12")), vec![package(PackageKind::Deb, "unheard-of", "1_ 0")]), vec![]),
            (
                inventory(Some(("alpine", "3.20.1")), vec![package(PackageKind::Apk, "keel", "1.0-r0")]),
                vec![("undecidable", "keel 1.0-r0")],
            ),
            (
                inventory(Some(("alpine", "3.20.1")), vec![built_from(PackageKind::Apk, "bilge", "0.8.21-r1", "bilge", None)]),
                vec![("undecidable", "bilge 0.8.21-r1")],
            ),
        ] {
            let (observations, gaps) = match_inventory(&database, &inventory);
            assert_eq!(kinds(&gaps), expected);
            assert_eq!(observations, []);
        }
    }

    #[test]
    fn names_and_releases_are_not_guessed() {
        let (_out, database) = fixtures();
        let packages = vec![
            package(PackageKind::Npm, "@harbour/left-anchor", "1.9.1"),
            package(PackageKind::Npm, "left-anchor", "1.4.2"),
            package(PackageKind::Pypi, "bilge.pump", "0.1"),
            package(PackageKind::Cargo, "oakum", "0.3.1"),
        ];
        assert_eq!(match_inventory(&database, &inventory(None, packages)), (Vec::new(), Vec::new()));
        let (observations, _) = match_inventory(&database, &inventory(None, vec![package(PackageKind::Cargo, "tallow", "1.0.0")]));
        assert_eq!(observations.iter().map(severity).collect::<Vec<_>>(), [Severity::Negligible]);
    }

    #[test]
    fn the_number_of_threads_makes_no_difference() {
        let (out, _) = fixtures();
        let mut inventory = harbour();
        for minor in 0..60 {
            let version = format!("1.{minor}.0");
            inventory.packages.push(built_from(PackageKind::Deb, &format!("libhullpaint{minor}"), &version, "hullpaint", None));
            inventory.packages.push(package(PackageKind::Npm, "left-anchor", &version));
            inventory.packages.push(package(PackageKind::Npm, &format!("none-{minor}"), &version));
        }
        inventory.packages.push(Package { owner: Some("ballast".to_owned()), ..package(PackageKind::Pypi, "keelson", "0.8.0") });
        let good = |name: &str| fs::read(out.path().join(name)).unwrap();
        let texts = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let texts: Vec<String> = texts.filter(|name| name.ends_with(".plimtext")).collect();
        let text = |name: &str| good(texts.iter().find(|text| text.starts_with(&format!("{name}."))).unwrap());
        let mut damaged = 0;
        for at in [None].into_iter().chain((0..good("npm.plimdb").len()).step_by(13).map(Some)) {
            let mut npm = good("npm.plimdb");
            if let Some(byte) = at.and_then(|at| npm.get_mut(at)) {
                *byte ^= 0xff;
            }
            let shards = ["debian-12", "pypi"].map(|name| (name.to_owned(), good(&format!("{name}.plimdb")), Some(text(name))));
            let open =
                || Database::from_memory(shards.iter().cloned().chain([("npm".to_owned(), npm.clone(), Some(text("npm")))]).collect());
            let Ok(database) = open() else { continue };
            let alone = match_on(&database, &inventory, 1);
            damaged += usize::from(alone.1.iter().any(|gap| gap.kind == "damaged"));
            for threads in [2, 7] {
                // Opened anew: a block is checked when it is first read.
                assert_eq!(match_on(&open().unwrap(), &inventory, threads), alone, "{at:?} {threads}");
            }
        }
        assert!(damaged > 5, "{damaged}");
    }

    #[test]
    fn no_flipped_byte_is_a_silent_miss() {
        let (out, _) = fixtures();
        let inventory = harbour();
        for name in ["debian-12", "npm", "pypi"] {
            let names = fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let text = names.filter(|file| file.starts_with(&format!("{name}."))).find(|file| file.ends_with(".plimtext")).unwrap();
            let good = [format!("{name}.plimdb"), text].map(|file| fs::read(out.path().join(file)).unwrap());
            let open = |[shard, text]: [Vec<u8>; 2]| Database::from_memory(vec![(name.to_owned(), shard, Some(text))]);
            let expected = match_inventory(&open(good.clone()).unwrap(), &inventory);
            for which in [0, 1] {
                let (mut refused, mut noticed, mut untouched) = (0, 0, 0);
                for at in 0..good[which].len() {
                    for mask in [0x01, 0x80, 0xff] {
                        let mut bytes = good.clone();
                        bytes[which][at] ^= mask;
                        match open(bytes) {
                            Err(_) => refused += 1,
                            Ok(database) => match match_inventory(&database, &inventory) {
                                (_, gaps) if gaps.iter().any(|gap| gap.kind == "damaged") => noticed += 1,
                                found => {
                                    assert_eq!(found, expected, "{name}, file {which}, byte {at}");
                                    untouched += 1;
                                }
                            },
                        }
                    }
                }
                for length in 0..good[which].len() {
                    let mut bytes = good.clone();
                    bytes[which].truncate(length);
                    assert!(open(bytes).is_err(), "{name}, file {which} cut at {length}");
                }
                println!(
                    "{name}, file {which}: {} bytes, {refused} refused, {noticed} noticed, {untouched} not touched",
                    good[which].len()
                );
                // What a look-up passes over, such as the details, is the smaller part.
                assert!(refused > 0 && noticed > 0);
            }
        }
    }
}
