//! Tests of matching on the corpus of real records, where it is present.

#[cfg(test)]
pub(super) use tests::{corpus, json, text};

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::{Path, PathBuf},
    };

    use serde_json::Value;

    use crate::{
        advisory::{
            Database, build,
            matcher::match_inventory,
            proof::tests::{built_from, inventory, kinds, now, package, rpm, severity, told},
        },
        model::{
            package::{Package, PackageKind},
            severity::Severity,
        },
    };

    pub(in crate::advisory) fn corpus() -> Option<PathBuf> {
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
    pub(in crate::advisory) fn database_of(corpus: &Path, feeds: &[&str]) -> (tempfile::TempDir, Database) {
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

    pub(in crate::advisory) fn json(path: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    pub(in crate::advisory) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
        value[key].as_str().unwrap()
    }

    /// Every match, and no other, of the packages that one image has of one ecosystem: near misses and packages without a record are among them.
    fn is_exact(corpus: &Path, feed: &str, kind: PackageKind, file: &str) {
        let (_folder, database) = database_of(corpus, &[feed]);
        let expected = json(&corpus.join("ground-truth").join(file));
        let list = |key: &str| expected[key].as_array().unwrap().clone();
        let mut packages: BTreeSet<(String, String)> = BTreeSet::new();
        packages.extend(
            list("matches")
                .iter()
                .chain(&list("near_misses"))
                .map(|row| (text(row, "package").to_owned(), text(row, "version").to_owned())),
        );
        let pair = |row: &Value| (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned());
        packages.extend(expected["packages_without_a_record"].as_array().into_iter().flatten().map(pair));
        let inventory = inventory(None, packages.iter().map(|(name, version)| package(kind, name, version)).collect());
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
        println!("{feed}: {} matches, {} near misses, {} packages", wanted.len(), list("near_misses").len(), packages.len());
    }

    #[test]
    fn corpus_npm_maven_and_rubygems_are_exact() {
        let Some(corpus) = corpus() else { return };
        is_exact(&corpus, "osv/npm", PackageKind::Npm, "npm-expected.json");
        is_exact(&corpus, "osv/Maven", PackageKind::Maven, "maven-expected.json");
        is_exact(&corpus, "osv/RubyGems", PackageKind::Gem, "rubygems-expected.json");
    }

    #[test]
    fn corpus_java_traps_follow_from_the_identity() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv/Maven"]);
        let expected = json(&corpus.join("ground-truth/maven-expected.json"));
        for trap in expected["identity_traps"]["if_identified_as"].as_array().unwrap() {
            let jar = package(PackageKind::Maven, text(trap, "package"), text(trap, "version"));
            let (observations, _) = match_inventory(&database, &inventory(None, vec![jar]));
            let found: BTreeSet<&str> = observations.iter().map(|o| o.attributes["advisory"].as_str()).collect();
            let wanted: BTreeSet<&str> = trap["matches"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            assert_eq!(found, wanted, "{}", text(trap, "package"));
        }
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
    fn corpus_notices_of_almalinux_never_match() {
        let Some(corpus) = corpus() else { return };
        let (_folder, database) = database_of(&corpus, &["osv/AlmaLinux"]);
        let mut archive = zip::ZipArchive::new(fs::File::open(corpus.join("osv/AlmaLinux/all.zip")).unwrap()).unwrap();
        // Every package that a notice without a CVE names, by release, at a version older than any.
        let (mut notices, mut packages) = (BTreeSet::new(), BTreeMap::<String, BTreeSet<String>>::new());
        for index in 0..archive.len() {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut archive.by_index(index).unwrap(), &mut bytes).unwrap();
            let Ok(record) = crate::advisory::sources::osv::parse_record(&bytes) else { continue };
            let names_a_cve = [&record.aliases, &record.upstream, &record.related].into_iter().flatten().any(|id| id.0.starts_with("CVE-"));
            if !["ALBA-", "ALEA-"].iter().any(|prefix| record.id.0.starts_with(prefix)) || names_a_cve {
                continue;
            }
            for affected in &record.affected {
                packages.entry(affected.ecosystem.to_string()).or_default().insert(affected.name.clone());
            }
            notices.insert(record.id.0);
        }
        assert_eq!(notices.len(), 1_197);
        let mut looked_up = 0;
        for (release, names) in packages {
            let release = release.strip_prefix("AlmaLinux:").unwrap();
            looked_up += names.len();
            let packages = names.iter().map(|name| rpm(name, "0-0.el8", None, Some("AlmaLinux"))).collect();
            let (observations, _) = match_inventory(&database, &inventory(Some(("almalinux", release)), packages));
            assert!(!observations.is_empty(), "{release}: the others do match");
            assert!(observations.iter().all(|o| !notices.contains(&o.attributes["advisory"])), "{release}");
        }
        assert!(looked_up > 1_000, "{looked_up}");
    }

    #[test]
    fn corpus_amazon_matches_by_binary_name_epoch_and_architecture() {
        let Some(corpus) = corpus() else { return };
        let folder = tempfile::tempdir().unwrap();
        let (from, out) = (folder.path().join("from"), folder.path().join("out"));
        let place = from.join("amazon/2023/core/x86_64");
        fs::create_dir_all(&place).unwrap();
        fs::copy(corpus.join("native-samples/alas/updateinfo_AL2023.xml.gz"), place.join("updateinfo.xml.gz")).unwrap();
        build(&from, &out, now()).unwrap();
        let database = Database::open(&out).unwrap();
        let fixed = "8.2204.0-3.amzn2023.0.2";
        for (name, version, arch, expected) in [
            ("rsyslog", "8.2102.0-1.amzn2023", "x86_64", 2),
            ("rsyslog", "8.2102.0-1.amzn2023", "aarch64", 2),
            ("rsyslog", "8.2102.0-1.amzn2023", "ppc64le", 0),
            ("rsyslog", fixed, "x86_64", 0),
            ("rsyslog", "1:8.2102.0-1.amzn2023", "x86_64", 0),
            ("rsyslog-openssl", "8.2102.0-1.amzn2023", "x86_64", 2),
            ("rsyslog-doc", "8.2102.0-1.amzn2023", "noarch", 2),
            ("rsyslog-debuginfo", "8.2102.0-1.amzn2023", "x86_64", 0),
        ] {
            let package = Package { arch: Some(arch.to_owned()), ..rpm(name, version, None, Some("Amazon Linux")) };
            let (observations, gaps) = match_inventory(&database, &inventory(Some(("amzn", "2023")), vec![package]));
            assert_eq!(observations.len(), expected, "{name} {version} {arch}");
            assert!(observations.iter().all(|o| o.fixed == [fixed] && o.attributes["advisory"] == "ALAS2023-2023-001"));
            // The repository of another architecture was not read, whatever the list of this one names by the way.
            let unread: &[_] = if matches!(arch, "x86_64" | "noarch") { &[] } else { &[("no-advisories", "amazon-2023")] };
            assert_eq!(kinds(&gaps), [unread, &[("unfixed-unknown", "amazon-2023")]].concat(), "{name} {version} {arch}");
        }
        // Another release has feeds of its own, and no other takes its place.
        let other = inventory(Some(("amzn", "2")), vec![rpm("rsyslog", "8.2102.0-1.amzn2", None, None)]);
        assert_eq!(kinds(&match_inventory(&database, &other).1), [("no-advisories", "Amazon Linux:2")]);
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
}
