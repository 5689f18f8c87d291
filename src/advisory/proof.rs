//! Tests of the whole way from feed to match: on the made fixtures, and on the corpus of real records where it is present.

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::{Path, PathBuf},
    };

    use jiff::Timestamp;
    use serde_json::Value;

    use crate::{
        advisory::{Database, build, matcher::match_inventory, shard::reader::Shard},
        model::{
            advisory::Event,
            coverage::Gap,
            evidence::Observation,
            package::{Distro, Inventory, Package, PackageKind, PackageUrl, SourcePackage},
            severity::Severity,
        },
    };

    fn package(kind: PackageKind, name: &str, version: &str) -> Package {
        Package {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            purl: PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new()),
            arch: None,
            source: None,
            modularity: None,
            vendor: None,
            licences: Vec::new(),
            locations: Vec::new(),
            owner: None,
            found_by: "test",
        }
    }

    fn built_from(kind: PackageKind, name: &str, version: &str, source: &str, source_version: Option<&str>) -> Package {
        let source = Some(SourcePackage { name: source.to_owned(), version: source_version.map(str::to_owned) });
        Package { source, ..package(kind, name, version) }
    }

    fn inventory(distro: Option<(&str, &str)>, packages: Vec<Package>) -> Inventory {
        let distro = distro.map(|(id, version)| Distro { id: id.to_owned(), version_id: Some(version.to_owned()), ..Distro::default() });
        Inventory { distro, packages, gaps: Vec::new() }
    }

    fn now() -> Timestamp {
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

    fn told(observations: &[Observation]) -> Vec<(String, String, String)> {
        observations.iter().map(|o| (o.package.as_ref().unwrap().name.clone(), o.id.clone(), o.fixed.join(","))).collect()
    }

    fn severity(observation: &Observation) -> Severity {
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
            let image = inventory(
                Some(("debian", "12")),
                vec![built_from(PackageKind::Deb, "python3-keelson", "1.0-1", "python-keelson", None), owned, loose],
            );
            let (observations, gaps) = match_inventory(&Database::open(&out).unwrap(), &image);
            assert_eq!((observations.len(), gaps), (expected + 1, Vec::new()), "{debian}");
        }
    }

    /// A database of one feed with these records.
    fn database_with(feed: &str, records: &[String]) -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let (from, out) = (folder.path().join("from"), folder.path().join("out"));
        fs::create_dir_all(from.join(feed)).unwrap();
        let mut archive = zip::ZipWriter::new(fs::File::create(from.join(feed).join("all.zip")).unwrap());
        for (number, text) in records.iter().enumerate() {
            archive.start_file(format!("{number}.json"), zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut archive, text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
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
            (vec![("CVSS_V3", bad), ("CVSS_V4", four)], true, 1),
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

    fn kinds(gaps: &[Gap]) -> Vec<(&str, &str)> {
        gaps.iter().map(|gap| (gap.kind, gap.subject.as_str())).collect()
    }

    #[test]
    fn what_cannot_be_looked_up_is_a_gap() {
        let (_out, database) = fixtures();
        let ballast = || package(PackageKind::Deb, "ballast", "1.0-1");
        for (inventory, expected) in [
            (inventory(Some(("debian", "13")), vec![ballast()]), vec![("no-advisories", "Debian:13")]),
            (inventory(Some(("ubuntu", "24.04")), vec![ballast()]), vec![("no-advisories", "ubuntu 24.04")]),
            (inventory(Some(("alpine", "3.20.1")), vec![ballast()]), vec![("no-advisories", "alpine 3.20.1")]),
            (inventory(None, vec![ballast()]), vec![("no-distro", "1 deb package")]),
            (inventory(None, Vec::new()), vec![("nothing-inventoried", "")]),
            (
                inventory(None, vec![package(PackageKind::Golang, "a", "1"), package(PackageKind::Golang, "b", "1")]),
                vec![("unsupported-ecosystem", "golang")],
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
    fn no_flipped_byte_is_a_silent_miss() {
        let (out, _) = fixtures();
        let inventory = harbour();
        for name in ["debian-12", "npm", "pypi"] {
            let good = fs::read(out.path().join(format!("{name}.plimdb"))).unwrap();
            let open = |bytes| Shard::from_bytes(name, bytes).map(|shard| Database::from_shards(vec![shard]).unwrap());
            let expected = match_inventory(&open(good.clone()).unwrap(), &inventory);
            let (mut refused, mut noticed, mut untouched) = (0, 0, 0);
            for at in 0..good.len() {
                for mask in [0x01, 0x80, 0xff] {
                    let mut bytes = good.clone();
                    bytes[at] ^= mask;
                    match open(bytes) {
                        Err(_) => refused += 1,
                        Ok(database) => match match_inventory(&database, &inventory) {
                            (_, gaps) if gaps.iter().any(|gap| gap.kind == "damaged") => noticed += 1,
                            found => {
                                assert_eq!(found, expected, "{name}, byte {at}");
                                untouched += 1;
                            }
                        },
                    }
                }
            }
            for length in 0..good.len() {
                assert!(open(good[..length].to_vec()).is_err(), "{name} cut at {length}");
            }
            println!("{name}: {} bytes, {refused} refused, {noticed} noticed, {untouched} not touched", good.len());
        }
    }

    fn corpus() -> Option<PathBuf> {
        let folder = std::env::var_os("PLIMSOLL_CORPUS")
            .map(PathBuf::from)
            .map(|root| root.join("corpus/advisories"))
            .filter(|folder| folder.is_dir());
        if folder.is_none() {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
        }
        folder
    }

    /// A database of single ecosystems of the corpus.
    fn database_of(corpus: &Path, feeds: &[&str]) -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let (from, out) = (folder.path().join("from"), folder.path().join("out"));
        for feed in feeds {
            let place = from.join(Path::new(feed).file_name().unwrap());
            fs::create_dir_all(&place).unwrap();
            fs::copy(corpus.join(feed).join("all.zip"), place.join("all.zip")).unwrap();
        }
        build(&from, &out, now()).unwrap();
        let database = Database::open(&out).unwrap();
        (folder, database)
    }

    fn json(path: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value[key].as_str().unwrap()
    }

    #[test]
    fn corpus_npm_is_exact() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv/npm"]);
        let expected = json(&corpus.join("ground-truth/npm-expected.json"));
        let list = |key: &str| expected[key].as_array().unwrap().clone();
        let mut packages: BTreeSet<(String, String)> = BTreeSet::new();
        packages.extend(
            list("matches")
                .iter()
                .chain(&list("near_misses"))
                .map(|row| (text(row, "package").to_owned(), text(row, "version").to_owned())),
        );
        packages.extend(
            list("packages_without_a_record").iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned())),
        );
        let inventory = inventory(None, packages.iter().map(|(name, version)| package(PackageKind::Npm, name, version)).collect());
        let (observations, gaps) = match_inventory(&database, &inventory);
        assert_eq!(gaps, []);
        let found: BTreeSet<_> = observations
            .iter()
            .map(|o| (o.package.as_ref().unwrap().name.clone(), o.attributes["advisory"].clone(), o.fixed.clone(), severity(o).name()))
            .collect();
        let wanted: BTreeSet<_> = list("matches")
            .iter()
            .map(|row| {
                let fixed = row["fixed_in"].as_array().unwrap().iter().map(|fixed| fixed.as_str().unwrap().to_owned()).collect();
                (text(row, "package").to_owned(), text(row, "id").to_owned(), fixed, Severity::from_word(text(row, "severity")).name())
            })
            .collect();
        assert_eq!(found.symmetric_difference(&wanted).collect::<Vec<_>>(), Vec::<&(String, String, Vec<String>, &str)>::new());
        println!("npm: {} matches, {} near misses, {} packages", wanted.len(), list("near_misses").len(), packages.len());
    }

    #[test]
    fn corpus_alpine_is_exact() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv-derived/Alpine"]);
        let expected = json(&corpus.join("ground-truth/alpine-expected.json"));
        for case in expected["cases"].as_array().unwrap() {
            let release = text(case, "release").trim_start_matches("Alpine:v").to_owned() + ".9";
            let packages = case["packages"].as_array().unwrap();
            let packages = packages
                .iter()
                .map(|row| built_from(PackageKind::Apk, text(row, "name"), text(row, "version"), text(row, "source"), None))
                .collect();
            let (observations, gaps) = match_inventory(&database, &inventory(Some(("alpine", &release)), packages));
            assert_eq!(gaps, [], "{}", case["name"]);
            let found: BTreeSet<_> = told(&observations).into_iter().collect();
            let rows = case["findings"]["rows"].as_array().unwrap();
            let cell = |row: &Value, at: usize| row[at].as_str().unwrap().to_owned();
            let wanted: BTreeSet<_> = rows.iter().map(|row| (cell(row, 0), cell(row, 2), cell(row, 3))).collect();
            assert_eq!(found, wanted, "{}", case["name"]);
        }
        let unknown = inventory(Some(("alpine", "3.14.2")), vec![built_from(PackageKind::Apk, "musl", "1.2.2-r3", "musl", None)]);
        assert_eq!(kinds(&match_inventory(&database, &unknown).1), [("no-advisories", "Alpine:v3.14")]);
    }

    fn rpm(name: &str, version: &str, modularity: Option<&str>, vendor: Option<&str>) -> Package {
        Package { modularity: modularity.map(str::to_owned), vendor: vendor.map(str::to_owned), ..package(PackageKind::Rpm, name, version) }
    }

    #[test]
    fn corpus_almalinux_modules_and_vendors() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv/AlmaLinux"]);
        let alma = |packages| match_inventory(&database, &inventory(Some(("almalinux", "8.10")), packages));
        // ALSA-2022:7624 is about php:8.0; the same numbers in another stream are not its business.
        let version = "8.0.13-1.module_el8.6.0+1+aaaaaaaa";
        let (observations, gaps) = alma(vec![rpm("php-cli", version, Some("php:8.0:8060020220628:1"), Some("AlmaLinux"))]);
        assert!(
            observations.iter().any(|o| o.attributes["advisory"] == "ALSA-2022:7624" && severity(o) == Severity::Medium),
            "{observations:?}"
        );
        assert_eq!(gaps, []);
        let (observations, gaps) = alma(vec![rpm("php-cli", version, Some("php:7.1:8060020220628:1"), None)]);
        assert_eq!((observations, gaps), (Vec::new(), Vec::new()));
        // Modular by its release, and no label: nobody can tell the stream.
        let (observations, gaps) = alma(vec![rpm("php-cli", version, None, None)]);
        assert_eq!((observations, kinds(&gaps)), (Vec::new(), vec![("undecidable", "php-cli 8.0.13-1.module_el8.6.0+1+aaaaaaaa")]));
        // Not modular: module advisories do not apply.
        assert_eq!(alma(vec![rpm("php-cli", "8.0.13-1.el8", None, None)]).0, []);
        let (observations, gaps) = alma(vec![rpm("openssl-libs", "1:1.0.0-1.el8", None, Some("Fedora Project"))]);
        assert_eq!((observations, kinds(&gaps)), (Vec::new(), vec![("no-advisories", "packages of other vendors")]));
        let (observations, _) = alma(vec![rpm("openssl-libs", "1:1.1.1g-1.el8", None, Some("AlmaLinux"))]);
        assert!(!observations.is_empty());
        for observation in observations {
            assert!(
                observation.id.starts_with("CVE-") || observation.aliases.iter().filter(|id| id.starts_with("CVE-")).count() == 1,
                "{observation:?}"
            );
        }
    }

    #[test]
    fn corpus_withdrawn_records_never_match() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv/PyPI", "osv/crates.io"]);
        let mut count = 0;
        for feed in ["osv/PyPI", "osv/crates.io"] {
            let mut archive = zip::ZipArchive::new(fs::File::open(corpus.join(feed).join("all.zip")).unwrap()).unwrap();
            for index in 0..archive.len() {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut archive.by_index(index).unwrap(), &mut bytes).unwrap();
                let Ok(record) = crate::advisory::sources::osv::parse_record(&bytes) else { continue };
                if record.withdrawn.is_none() {
                    continue;
                }
                count += 1;
                assert!(database.get(&record.id.0).unwrap().unwrap().withdrawn.is_some());
                for affected in &record.affected {
                    let kind = if feed == "osv/PyPI" { PackageKind::Pypi } else { PackageKind::Cargo };
                    let (observations, _) = match_inventory(&database, &inventory(None, vec![package(kind, &affected.name, "0.0.1")]));
                    assert!(observations.iter().all(|o| o.attributes["advisory"] != record.id.0));
                }
            }
        }
        assert_eq!(count, 23);
    }

    /// Answers of a public matcher, as far as they are about ecosystems that are matched here.
    #[test]
    fn corpus_recorded_answers_are_explained() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) =
            database_of(&corpus, &["osv-derived/Debian", "osv-derived/Alpine", "osv/AlmaLinux", "osv/PyPI", "osv/npm", "osv/crates.io"]);
        let answers = json(&corpus.join("ground-truth/osv-api-answers.json"));
        let explained = json(&corpus.join("ground-truth/osv-api-explained.json"));
        let rows = explained["rows"].as_array().unwrap();
        let (mut asked, mut found_ids, mut wrong) = (0, 0, Vec::new());
        for (number, answer) in answers.as_array().unwrap().iter().enumerate() {
            let query = &answer["query"];
            let (Some(ecosystem), Some(name), Some(version)) =
                (query["package"]["ecosystem"].as_str(), query["package"]["name"].as_str(), query["version"].as_str())
            else {
                continue;
            };
            let (base, release) = ecosystem.split_once(':').unwrap_or((ecosystem, ""));
            let (distro, subject) = match base {
                "Debian" => (Some(("debian", release.to_owned())), package(PackageKind::Deb, name, version)),
                "Alpine" => (
                    Some(("alpine", release.trim_start_matches('v').to_owned() + ".0")),
                    built_from(PackageKind::Apk, name, version, name, None),
                ),
                "PyPI" => (None, package(PackageKind::Pypi, name, version)),
                "npm" => (None, package(PackageKind::Npm, name, version)),
                "crates.io" => (None, package(PackageKind::Cargo, name, version)),
                _ => continue,
            };
            asked += 1;
            let distro = distro.as_ref().map(|(id, version)| (*id, version.as_str()));
            let (observations, gaps) = match_inventory(&database, &inventory(distro, vec![subject]));
            let ours: BTreeSet<String> = observations.iter().map(|o| o.attributes["advisory"].clone()).collect();
            let row = rows.iter().find(|row| row["query"].as_u64() == Some(number as u64));
            let found = row.iter().flat_map(|row| row["found"].as_array().unwrap()).map(|id| id.as_str().unwrap().to_owned());
            let extra = row.iter().flat_map(|row| row["extra"].as_object().unwrap().keys().cloned());
            let wanted: BTreeSet<String> = found.chain(extra).collect();
            found_ids += ours.len();
            if ours != wanted || gaps.iter().any(|gap| gap.kind != "no-advisories") {
                wrong.push(format!("{number} {ecosystem} {name} {version}: found {ours:?}, wanted {wanted:?}, {gaps:?}"));
            }
        }
        println!("recorded answers: {asked} queries, {found_ids} ids, {} differ", wrong.len());
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Not a test of truth but of speed: `PLIMSOLL_MEASURE=FOLDER` builds that folder and prints what it took.
    #[test]
    fn measured_build() {
        let (Some(from), Some(_)) = (std::env::var_os("PLIMSOLL_MEASURE").map(PathBuf::from), corpus()) else { return };
        let out = tempfile::tempdir().unwrap();
        let start = std::time::Instant::now();
        let summary = build(&from, out.path(), now()).unwrap();
        let took = start.elapsed();
        let (records, rows, bytes) =
            summary.shards.iter().fold((0, 0, 0), |(a, b, c), shard| (a + shard.records, b + shard.rows, c + shard.bytes));
        let peak = fs::read_to_string("/proc/self/status")
            .unwrap_or_default()
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap_or_default()
            .to_owned();
        println!(
            "built {} shards, {records} records, {rows} rows, {bytes} bytes in {took:?}; {peak}; skipped {:?}",
            summary.shards.len(),
            summary.skipped
        );
        let start = std::time::Instant::now();
        let database = Database::open(out.path()).unwrap();
        println!("opened in {:?}", start.elapsed());
        let names = database.names("PyPI", 250);
        let pypi = names.iter().map(|name| package(PackageKind::Pypi, name, "1.2.3"));
        let npm = (0..250).map(|n| package(PackageKind::Npm, &format!("quite-unknown-{n}"), "1.2.3"));
        let inventory = inventory(None, pypi.chain(npm).collect());
        for _ in 0..2 {
            let start = std::time::Instant::now();
            let (observations, gaps) = match_inventory(&database, &inventory);
            println!("500 packages, {} observations, {} gaps in {:?}", observations.len(), gaps.len(), start.elapsed());
        }
        let (_, gaps) = match_inventory(&database, &inventory);
        for gap in summary.gaps.iter().chain(&gaps) {
            println!("{gap:?}");
        }
        // How much of each feed can never be decided, whatever is installed.
        for status in database.status() {
            let text =
                status.release.as_ref().map_or_else(|| status.ecosystem.clone(), |release| format!("{}:{release}", status.ecosystem));
            let scheme = crate::advisory::ecosystem::of_text(&text).map(|ecosystem| ecosystem.scheme);
            let Some(scheme) = scheme else { continue };
            let mut strange = BTreeSet::new();
            for name in database.names(&text, usize::MAX) {
                for row in database.shard(&text).unwrap().rows(&text, &name).unwrap() {
                    let events = row.affected.ranges.iter().flat_map(|range| &range.events);
                    strange.extend(events.filter_map(|event| match event {
                        Event::Introduced(text) | Event::Fixed(text) | Event::LastAffected(text) => {
                            scheme.parse_event(text).is_none().then(|| format!("{name} {text}"))
                        }
                        Event::Limit(_) | Event::Unknown(_) => Some(format!("{name} {event:?}")),
                    }));
                }
            }
            println!(
                "{text}: {} rows, events that do not parse: {} {:?}",
                status.rows,
                strange.len(),
                strange.iter().take(8).collect::<Vec<_>>()
            );
        }
    }
}
