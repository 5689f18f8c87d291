//! The matching requirements R1 to R17 of advisories.md, each with records that must match and records that must not.

#[cfg(test)]
pub(super) mod tests {
    use crate::{
        advisory::{
            Database,
            matcher::match_inventory,
            proof::tests::{built_from, database_asked_for, database_of, inventory, kinds, package, rpm, severity},
        },
        model::{
            evidence::{Observation, ObservedState},
            package::{Basis, Package, PackageKind},
            severity::Severity,
        },
    };

    /// A record about one package, affected from the beginning to `fixed`.
    pub(in crate::advisory) fn record(id: &str, ecosystem: &str, name: &str, fixed: Option<&str>) -> String {
        with(id, ecosystem, name, fixed, "", "")
    }

    /// The same with more fields of the record and of the affected entry, each ending in a comma.
    pub(in crate::advisory) fn with(id: &str, ecosystem: &str, name: &str, fixed: Option<&str>, record: &str, entry: &str) -> String {
        let fixed = fixed.map(|fixed| format!(r#",{{"fixed":"{fixed}"}}"#)).unwrap_or_default();
        format!(
            r#"{{"id":"{id}",{record}"modified":"2022-01-01T00:00:00Z","affected":[{{{entry}"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{fixed}]}}]}}]}}"#
        )
    }

    fn said(observations: &[Observation]) -> Vec<String> {
        observations
            .iter()
            .map(|o| {
                let package = o.package.as_ref().unwrap();
                format!("{} {} {} {}", package.name, package.version, o.attributes["advisory"], o.fixed.join(",")).trim_end().to_owned()
            })
            .collect()
    }

    pub(in crate::advisory) fn check(
        database: &Database,
        distro: Option<(&str, &str)>,
        packages: Vec<Package>,
        expected: &[&str],
        gaps: &[(&str, &str)],
    ) -> Vec<Observation> {
        let (observations, found) = match_inventory(database, &inventory(distro, packages));
        assert_eq!(said(&observations), expected);
        assert_eq!(kinds(&found), gaps);
        observations
    }

    #[test]
    fn r1_debian_and_alpine_match_by_source() {
        let (_folder, database) = database_of(&[
            ("Debian", vec![record("DSA-1-1", "Debian:12", "mast", Some("2.0-1")), record("DSA-2-1", "Debian:12", "libmast1", Some("9"))]),
            ("Alpine", vec![record("ALPINE-CVE-2026-1", "Alpine:v3.20", "mast", Some("2.0-r1"))]),
        ]);
        let deb = || built_from(PackageKind::Deb, "libmast1", "5.0-1", "mast", Some("1.0-1"));
        // The binary's own number is above the fix, and a record of its own name is about another source.
        check(&database, Some(("debian", "12")), vec![deb()], &["libmast1 5.0-1 DSA-1-1 2.0-1"], &[]);
        let fixed = built_from(PackageKind::Deb, "libmast1", "1.0-1", "mast", Some("2.0-1"));
        check(&database, Some(("debian", "12")), vec![fixed], &[], &[]);
        let apk = built_from(PackageKind::Apk, "mast-libs", "1.0-r0", "mast", None);
        check(&database, Some(("alpine", "3.20.3")), vec![apk], &["mast-libs 1.0-r0 ALPINE-CVE-2026-1 2.0-r1"], &[]);
        let nameless = package(PackageKind::Apk, "mast-libs", "1.0-r0");
        check(&database, Some(("alpine", "3.20.3")), vec![nameless], &[], &[("undecidable", "mast-libs 1.0-r0")]);
    }

    #[test]
    fn r1_rpm_matches_by_binary_or_by_source_as_the_feed_is_written() {
        let (_folder, database) = database_of(&[
            ("AlmaLinux", vec![record("ALSA-1", "AlmaLinux:8", "mast-libs", Some("2.0-1.el8"))]),
            ("Rocky Linux", vec![record("RLSA-1", "Rocky Linux:8", "mast", Some("2.0-1.el8"))]),
        ]);
        let libs = || vec![built_from(PackageKind::Rpm, "mast-libs", "1.0-1.el8", "mast", Some("1.0-1.el8"))];
        let other = || vec![built_from(PackageKind::Rpm, "mast", "1.0-1.el8", "mast", Some("1.0-1.el8"))];
        check(&database, Some(("almalinux", "8.9")), libs(), &["mast-libs 1.0-1.el8 ALSA-1 2.0-1.el8"], &[]);
        check(&database, Some(("almalinux", "8.9")), other(), &[], &[]);
        check(&database, Some(("rocky", "8.9")), libs(), &["mast-libs 1.0-1.el8 RLSA-1 2.0-1.el8"], &[]);
        check(&database, Some(("rocky", "8.9")), other(), &["mast 1.0-1.el8 RLSA-1 2.0-1.el8"], &[]);
    }

    #[test]
    fn r2_missing_epochs_count_as_0_for_own_names_and_are_left_out_on_the_source_path() {
        let (_folder, database) = database_of(&[
            ("AlmaLinux", vec![record("ALSA-1", "AlmaLinux:8", "mast", Some("1:2.0-1.el8"))]),
            ("Rocky Linux", vec![record("RLSA-1", "Rocky Linux:8", "mast", Some("1:2.0-1.el8"))]),
        ]);
        let alma = |version: &str, expected: &[&str]| {
            check(&database, Some(("almalinux", "8.9")), vec![rpm("mast", version, None, None)], expected, &[])
        };
        alma("3.0-1.el8", &["mast 3.0-1.el8 ALSA-1 1:2.0-1.el8"]);
        alma("1:3.0-1.el8", &[]);
        let rocky = |version: &str, source: &str, expected: &[&str]| {
            let libs = built_from(PackageKind::Rpm, "mast-libs", version, "mast", Some(source));
            check(&database, Some(("rocky", "8.9")), vec![libs], expected, &[])
        };
        // Nobody knows the epoch of the source, so that 3.0 is not below 1:2.0.
        rocky("3.0-1.el8", "3.0-1.el8", &[]);
        rocky("1:1.0-1.el8", "1.0-1.el8", &["mast-libs 1:1.0-1.el8 RLSA-1 1:2.0-1.el8"]);
    }

    #[test]
    fn r3_modules_match_their_own_stream() {
        let fix = "2.0-1.module_el8.6.0+1+aaaaaaaa";
        let fixed = Some(fix);
        let summary = |text: &str| format!(r#""summary":"{text}","related":["CVE-2026-1"],"#);
        let (_folder, database) = database_of(&[(
            "AlmaLinux",
            vec![
                with("ALSA-1", "AlmaLinux:8", "keel", fixed, &summary("Important: keel:2 security update"), ""),
                with("ALSA-2", "AlmaLinux:8", "boom", fixed, &summary("Important: boom security update"), ""),
            ],
        )]);
        let alma = |name, label, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, Some(("almalinux", "8.9")), vec![rpm(name, "1.0-1.module_el8.5.0+1+bbbbbbbb", label, None)], expected, gaps)
        };
        let version = "1.0-1.module_el8.5.0+1+bbbbbbbb";
        alma("keel", Some("keel:2:8050020211001:1"), &[&format!("keel {version} ALSA-1 {fix}")], &[]);
        alma("keel", Some("keel:1:8050020211001:1"), &[], &[]);
        alma("keel", None, &[], &[("undecidable", &format!("keel {version}"))]);
        alma("boom", Some("boom:1:8050020211001:1"), &[], &[("undecidable", &format!("boom {version}"))]);
        check(&database, Some(("almalinux", "8.9")), vec![rpm("keel", "1.0-1.el8", None, None)], &[], &[]);
    }

    #[test]
    fn r4_red_hat_takes_the_default_cpes_and_the_highest_fix() {
        let upstream = r#""upstream":["CVE-2026-1"],"#;
        let base = "Red Hat:enterprise_linux:9::baseos";
        let (_folder, database) = database_of(&[(
            "Red Hat",
            vec![
                with("RHSA-2026:1", base, "mast", Some("0:1.0-2.el9"), upstream, ""),
                with("RHSA-2026:2", base, "mast", Some("0:1.0-4.el9"), upstream, ""),
                record("RHSA-2026:3", "Red Hat:rhel_eus:9.2::baseos", "mast", Some("0:9.0-1.el9")),
            ],
        )]);
        let rhel = |version: &str, expected: &[&str], vendor, gaps: &[(&str, &str)]| {
            check(&database, Some(("rhel", "9.4")), vec![rpm("mast", version, None, vendor)], expected, gaps)
        };
        // The other half of the release is missing in this database, and that is said.
        let half = ("no-advisories", "Red Hat:enterprise_linux:9::appstream");
        let both = ["mast 1.0-1.el9 RHSA-2026:1 0:1.0-4.el9", "mast 1.0-1.el9 RHSA-2026:2 0:1.0-4.el9"];
        let found = rhel("1.0-1.el9", &both, Some("Red Hat, Inc."), &[half]);
        assert_eq!(found[0].attributes["repositories"], "the default ones of the release");
        rhel("1.0-3.el9", &["mast 1.0-3.el9 RHSA-2026:2 0:1.0-4.el9"], None, &[half]);
        rhel("1.0-4.el9", &[], None, &[half]);
    }

    #[test]
    fn r5_other_vendors_and_patched_kernels_stay_apart() {
        let (_folder, database) = database_of(&[
            ("AlmaLinux", vec![record("ALSA-1", "AlmaLinux:8", "mast", Some("2.0-1.el8"))]),
            ("Ubuntu", vec![record("UBUNTU-CVE-2026-1", "Ubuntu:22.04:LTS", "mast", Some("9.0"))]),
        ]);
        let foreign = [("no-advisories", "packages of other vendors")];
        let alma = |version, vendor, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, Some(("almalinux", "8.9")), vec![rpm("mast", version, None, vendor)], expected, gaps)
        };
        alma("1.0-1.el8", Some("AlmaLinux"), &["mast 1.0-1.el8 ALSA-1 2.0-1.el8"], &[]);
        alma("1.0-1.el8", Some("Fedora Project"), &[], &foreign);
        alma("1.0-1.el8", Some("Remi's RPM repository"), &[], &foreign);
        alma("1.0-1.ksplice1.el8", None, &[], &foreign);
        // A certified build is not judged by the rows of the others.
        let fips = package(PackageKind::Deb, "mast", "1.1.1f-1ubuntu2.fips.2.8");
        check(&database, Some(("ubuntu", "22.04")), vec![fips], &[], &[("no-advisories", "Ubuntu:Pro:FIPS:22.04:LTS")]);
    }

    #[test]
    fn r6_debian_states() {
        let state = |id: &str, name: &str, cve: &str, urgency: &str, fixed| {
            let urgency = if urgency.is_empty() { String::new() } else { format!(r#""ecosystem_specific":{{"urgency":"{urgency}"}},"#) };
            with(id, "Debian:12", name, fixed, &format!(r#""upstream":["{cve}"],"#), &urgency)
        };
        let (_folder, database) = database_of(&[(
            "Debian",
            vec![
                state("DEBIAN-CVE-2026-1", "keel", "CVE-2026-1", "not-affected", None),
                state("DEBIAN-CVE-2026-2", "keel", "CVE-2026-2", "undetermined", None),
                state("DEBIAN-CVE-2026-3", "keel", "CVE-2026-3", "unimportant", None),
                state("DEBIAN-CVE-2026-4", "keel", "CVE-2026-4", "end-of-life", None),
                state("DEBIAN-CVE-2026-5", "mast", "CVE-2026-5", "no-dsa", None),
                state("DSA-5-1", "mast", "CVE-2026-5", "", Some("2.0-1")),
                state("DEBIAN-CVE-2026-6", "mast", "CVE-2026-6", "postponed", None),
            ],
        )]);
        let deb = |name: &str, version: &str, expected: &[&str]| {
            check(&database, Some(("debian", "12")), vec![package(PackageKind::Deb, name, version)], expected, &[])
        };
        let found = deb("keel", "1.0-1", &["keel 1.0-1 DEBIAN-CVE-2026-3", "keel 1.0-1 DEBIAN-CVE-2026-4"]);
        assert_eq!(found.iter().map(severity).collect::<Vec<_>>(), [Severity::Negligible, Severity::Unknown]);
        assert!(found.iter().all(|observation| observation.says_no_fix));
        deb("mast", "1.0-1", &["mast 1.0-1 DEBIAN-CVE-2026-5", "mast 1.0-1 DEBIAN-CVE-2026-6", "mast 1.0-1 DSA-5-1 2.0-1"]);
        // The advisory that came later fixed what had been left open.
        deb("mast", "2.0-1", &["mast 2.0-1 DEBIAN-CVE-2026-6"]);
    }

    #[test]
    fn r7_ubuntu_pro_says_where_the_fix_is_and_judges_its_own_builds() {
        let (base, pro) = ("Ubuntu:20.04:LTS", "Ubuntu:Pro:20.04:LTS");
        let both = |id: &str, name: &str, of_base: &str, of_pro: &str| {
            let entry = |ecosystem: &str, fixed: &str| {
                let fixed = if fixed.is_empty() { String::new() } else { format!(r#",{{"fixed":"{fixed}"}}"#) };
                format!(
                    r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{fixed}]}}]}}"#
                )
            };
            format!(r#"{{"id":"{id}","affected":[{},{}]}}"#, entry(base, of_base), entry(pro, of_pro))
        };
        let (_folder, database) = database_of(&[(
            "Ubuntu",
            vec![
                both("UBUNTU-CVE-2026-1", "keel", "", "1.0-1ubuntu1+esm1"),
                both("UBUNTU-CVE-2026-2", "keel", "0.9-1", "1.0-1ubuntu1+esm2"),
                record("UBUNTU-CVE-2026-3", pro, "keel", Some("1.0-1ubuntu1+esm3")),
            ],
        )]);
        let focal = |version: &str, expected: &[&str]| {
            check(&database, Some(("ubuntu", "20.04")), vec![package(PackageKind::Deb, "keel", version)], expected, &[])
        };
        // The second was fixed for everybody before this version was built.
        let found = focal(
            "1.0-1ubuntu1",
            &["keel 1.0-1ubuntu1 UBUNTU-CVE-2026-1 1.0-1ubuntu1+esm1", "keel 1.0-1ubuntu1 UBUNTU-CVE-2026-3 1.0-1ubuntu1+esm3"],
        );
        assert!(found.iter().all(|observation| observation.attributes["fix-in"] == "Ubuntu Pro" && !observation.says_no_fix));
        focal("1.0-1ubuntu1+esm2", &["keel 1.0-1ubuntu1+esm2 UBUNTU-CVE-2026-3 1.0-1ubuntu1+esm3"]);
        focal("1.0-1ubuntu1+esm3", &[]);
        // The last one of several records with one id is where the fix for subscribers goes, whatever the one before it says.
        let titled = |title: &str, text: String| text.replacen('{', &format!(r#"{{"summary":"{title}","#), 1);
        let fixed = titled("a", record("UBUNTU-CVE-2026-4", base, "hull", Some("1.0-1")));
        let (_folder, doubled) = database_of(&[("Ubuntu", vec![fixed, titled("b", both("UBUNTU-CVE-2026-4", "hull", "", "2.0-1+esm1"))])]);
        let hull = package(PackageKind::Deb, "hull", "1.5-1");
        check(&doubled, Some(("ubuntu", "20.04")), vec![hull], &["hull 1.5-1 UBUNTU-CVE-2026-4 2.0-1+esm1"], &[]);
        let (_folder, without) = database_of(&[("Ubuntu", vec![record("UBUNTU-CVE-2026-1", base, "keel", None)])]);
        let subscribed = package(PackageKind::Deb, "keel", "1.0-1ubuntu1+esm2");
        check(&without, Some(("ubuntu", "20.04")), vec![subscribed], &[], &[("no-advisories", pro)]);
    }

    /// An OS package that owns a language package.
    pub(in crate::advisory) fn owned(kind: PackageKind, owner: Package, name: &str, version: &str) -> Vec<Package> {
        let inner = Package { owner: Some(owner.name.clone()), ..package(kind, name, version) };
        vec![owner, inner]
    }

    #[test]
    fn r8_amazon_and_others_that_list_fixes_alone_do_not_judge_what_they_own() {
        // Such a feed says nothing of what it did not fix, so that its silence clears nothing.
        let (_folder, database) = database_of(&[
            ("AlmaLinux", vec![record("ALSA-1", "AlmaLinux:8", "python3-keel", Some("2.0-1.el8"))]),
            ("PyPI", vec![with("GHSA-1", "PyPI", "keel", Some("9.0"), r#""aliases":["CVE-2026-9"],"#, "")]),
        ]);
        let both = owned(PackageKind::Pypi, rpm("python3-keel", "1.0-1.el8", None, None), "keel", "1.0");
        check(&database, Some(("almalinux", "8.9")), both, &["keel 1.0 GHSA-1 9.0", "python3-keel 1.0-1.el8 ALSA-1 2.0-1.el8"], &[]);
        let (_folder, database) = database_of(&[
            ("Ubuntu", vec![record("UBUNTU-CVE-2026-1", "Ubuntu:22.04:LTS", "python3-keel", None)]),
            ("PyPI", vec![record("GHSA-1", "PyPI", "keel", Some("9.0"))]),
        ]);
        let both = owned(PackageKind::Pypi, package(PackageKind::Deb, "python3-keel", "1.0-1"), "keel", "1.0");
        check(&database, Some(("ubuntu", "22.04")), both, &["python3-keel 1.0-1 UBUNTU-CVE-2026-1"], &[]);
    }

    #[test]
    fn r9_what_the_distribution_fixed_is_closed_in_the_language_package_it_owns() {
        let cve = |cve: &str| format!(r#""related":["{cve}"],"#);
        let alias = |cve: &str| format!(r#""aliases":["{cve}"],"#);
        let (_folder, database) = database_of(&[
            (
                "AlmaLinux",
                vec![
                    with("ALSA-1", "AlmaLinux:8", "python3-keel", Some("1.0-2.el8"), &cve("CVE-2026-1"), ""),
                    with("ALSA-2", "AlmaLinux:8", "python3-keel", Some("1.0-9.el8"), &cve("CVE-2026-2"), ""),
                ],
            ),
            (
                "PyPI",
                vec![
                    with("GHSA-1", "PyPI", "keel", Some("9.0"), &alias("CVE-2026-1"), ""),
                    with("GHSA-2", "PyPI", "keel", Some("9.0"), &alias("CVE-2026-2"), ""),
                    record("GHSA-3", "PyPI", "keel", Some("9.0")),
                ],
            ),
        ]);
        let states = |packages: Vec<Package>| -> Vec<(String, ObservedState)> {
            let (observations, _) = match_inventory(&database, &inventory(Some(("almalinux", "8.9")), packages));
            let of_pypi = observations.into_iter().filter(|observation| observation.attributes["advisory"].starts_with("GHSA"));
            of_pypi.map(|observation| (observation.attributes["advisory"].clone(), observation.state)).collect()
        };
        let told = |first| {
            [("GHSA-1", first), ("GHSA-2", ObservedState::Open), ("GHSA-3", ObservedState::Open)].map(|(id, state)| (id.to_owned(), state))
        };
        let owner = || rpm("python3-keel", "1.0-3.el8", None, None);
        assert_eq!(states(owned(PackageKind::Pypi, owner(), "keel", "1.0")), told(ObservedState::Closed));
        // What nobody's package brought is nobody's to clear.
        assert_eq!(states(vec![owner(), package(PackageKind::Pypi, "keel", "1.0")]), told(ObservedState::Open));
    }

    #[test]
    fn r10_go_working_copies_never_match_and_the_standard_library_does() {
        let (_folder, database) = database_of(&[(
            "Go",
            vec![
                record("GO-1", "Go", "example.org/Mast", Some("1.4.0")),
                record("GO-2", "Go", "stdlib", Some("1.22.2")),
                record("GO-3", "Go", "example.org/rope", Some("0.0.0-20240601000000-0123456789ab")),
            ],
        )]);
        let go = |name: &str, version: &str, basis, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, None, vec![Package { basis, ..package(PackageKind::Golang, name, version) }], expected, gaps)
        };
        go("example.org/Mast", "v1.3.0", Basis::Installed, &["example.org/Mast v1.3.0 GO-1 1.4.0"], &[]);
        go("example.org/Mast", "v1.4.0+incompatible", Basis::Installed, &[], &[]);
        go("example.org/mast", "v1.3.0", Basis::Installed, &[], &[]);
        go("example.org/Mast", "(devel)", Basis::Installed, &[], &[("undecidable", "example.org/Mast (devel)")]);
        go("example.org/Mast", "(devel)", Basis::Application, &[], &[]);
        let main = "v0.0.0-20240102030405-0123456789ab";
        go("example.org/Mast", main, Basis::Guessed, &[], &[("undecidable", &format!("example.org/Mast {main}"))]);
        go("stdlib", "go1.22.1 X:rangefunc", Basis::Installed, &["stdlib go1.22.1 X:rangefunc GO-2 1.22.2"], &[]);
        go("stdlib", "1.22.2", Basis::Installed, &[], &[]);
        let found = go(
            "example.org/rope",
            main,
            Basis::Installed,
            &[&format!("example.org/rope {main} GO-3 0.0.0-20240601000000-0123456789ab")],
            &[],
        );
        assert!(found[0].attributes["confidence"].starts_with("low: "));
    }

    #[test]
    fn r11_java_groups_that_are_guessed_are_doubted_and_those_that_are_missing_are_gaps() {
        let (_folder, database) = database_of(&[("Maven", vec![record("GHSA-1", "Maven", "org.keel:mast", Some("1.4"))])]);
        let maven = |name: &str, basis, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, None, vec![Package { basis, ..package(PackageKind::Maven, name, "1.3") }], expected, gaps)
        };
        let sure = maven("org.keel:mast", Basis::Installed, &["org.keel:mast 1.3 GHSA-1 1.4"], &[]);
        assert!(!sure[0].attributes.contains_key("confidence"));
        let guessed = maven("org.keel:mast", Basis::Guessed, &["org.keel:mast 1.3 GHSA-1 1.4"], &[]);
        assert!(guessed[0].attributes["confidence"].starts_with("low: "));
        maven("org.other:mast", Basis::Installed, &[], &[]);
        maven("mast", Basis::Guessed, &[], &[("undecidable", "maven packages without a group")]);
    }

    #[test]
    fn r12_names_are_written_as_the_ecosystem_compares_them() {
        let (_folder, database) = database_of(&[
            ("NuGet", vec![record("GHSA-1", "NuGet", "Keel.Json", Some("2.0.0"))]),
            ("Packagist", vec![record("GHSA-2", "Packagist", "keel/log", Some("v2.0.0"))]),
            ("npm", vec![record("GHSA-3", "npm", "Keel", Some("2.0.0"))]),
            ("RubyGems", vec![record("GHSA-4", "RubyGems", "keel", Some("1.16.5"))]),
        ]);
        check(&database, None, vec![package(PackageKind::Nuget, "keel.JSON", "1.0.0.0")], &["keel.JSON 1.0.0.0 GHSA-1 2.0.0"], &[]);
        check(&database, None, vec![package(PackageKind::Composer, "Keel/Log", "v1.9")], &["Keel/Log v1.9 GHSA-2 v2.0.0"], &[]);
        check(&database, None, vec![package(PackageKind::Npm, "keel", "1.0.0")], &[], &[]);
        check(
            &database,
            None,
            vec![package(PackageKind::Gem, "keel", "1.16.4-x86_64-linux")],
            &["keel 1.16.4-x86_64-linux GHSA-4 1.16.5"],
            &[],
        );
        check(&database, None, vec![package(PackageKind::Gem, "keel", "1.16.5-x86_64-linux")], &[], &[]);
    }

    #[test]
    fn r13_withdrawn_and_plain_errata_never_match() {
        let withdrawn = |date: &str| format!(r#""withdrawn":"{date}","#);
        let (_folder, database) = database_of(&[
            (
                "npm",
                vec![
                    with("GHSA-1", "npm", "keel", None, &withdrawn("2026-01-01T00:00:00Z"), ""),
                    // A withdrawal that has not come yet withdraws nothing.
                    with("GHSA-2", "npm", "keel", None, &withdrawn("2099-01-01T00:00:00Z"), ""),
                ],
            ),
            (
                "Red Hat",
                vec![
                    record("RHBA-2026:1", "Red Hat:enterprise_linux:7::server", "keel", Some("9-1.el7")),
                    with("RHBA-2026:2", "Red Hat:enterprise_linux:7::server", "keel", Some("9-1.el7"), r#""upstream":["CVE-2026-2"],"#, ""),
                ],
            ),
        ]);
        check(&database, None, vec![package(PackageKind::Npm, "keel", "1.0.0")], &["keel 1.0.0 GHSA-2"], &[]);
        check(&database, Some(("rhel", "7.9")), vec![rpm("keel", "1-1.el7", None, None)], &["keel 1-1.el7 RHBA-2026:2 9-1.el7"], &[]);
    }

    #[test]
    fn r13_records_name_their_cves_where_their_feed_does() {
        let (_folder, database) = database_of(&[
            ("Rocky Linux", vec![with("RLSA-1", "Rocky Linux:8", "keel", None, r#""related":["CVE-2026-1","CVE-2026-2"],"#, "")]),
            ("npm", vec![with("GHSA-1", "npm", "keel", None, r#""related":["CVE-2026-1"],"#, "")]),
        ]);
        let ids = |distro, packages| -> Vec<String> {
            let (observations, _) = match_inventory(&database, &inventory(distro, packages));
            observations.iter().flat_map(|observation| observation.aliases.iter().chain([&observation.id]).cloned()).collect()
        };
        let source = built_from(PackageKind::Rpm, "keel", "1-1.el8", "keel", Some("1-1.el8"));
        assert_eq!(ids(Some(("rocky", "8.9")), vec![source]), ["CVE-2026-1", "CVE-2026-2"]);
        assert_eq!(ids(None, vec![package(PackageKind::Npm, "keel", "1.0.0")]), ["GHSA-1"]);
    }

    #[test]
    fn r14_ratings_name_their_author() {
        let scored = r#""severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"database_specific":{"severity":"HIGH"},"#;
        let (_folder, database) = database_of(&[
            ("npm", vec![with("GHSA-1", "npm", "keel", None, scored, "")]),
            (
                "Ubuntu",
                vec![with(
                    "UBUNTU-CVE-2026-1",
                    "Ubuntu:22.04:LTS",
                    "keel",
                    None,
                    r#""severity":[{"type":"Ubuntu","score":"negligible"}],"#,
                    "",
                )],
            ),
        ]);
        let authors = |distro, one| -> Vec<(&'static str, Severity)> {
            let (observations, _) = match_inventory(&database, &inventory(distro, vec![one]));
            observations
                .iter()
                .flat_map(|observation| &observation.ratings)
                .map(|rating| (rating.author.name(), rating.severity()))
                .collect()
        };
        assert_eq!(authors(None, package(PackageKind::Npm, "keel", "1.0.0")), [("ghsa", Severity::High)]);
        assert_eq!(authors(Some(("ubuntu", "22.04")), package(PackageKind::Deb, "keel", "1")), [("vendor", Severity::Negligible)]);
    }

    #[test]
    fn r15_the_nearest_release_is_never_taken() {
        let (_folder, database) = database_of(&[
            ("Debian", vec![record("DSA-1-1", "Debian:12", "keel", None)]),
            ("Ubuntu", vec![record("UBUNTU-CVE-2026-1", "Ubuntu:22.04:LTS", "keel", None)]),
        ]);
        for (distro, gap) in [
            (("debian", "13"), "Debian:13"),
            (("debian", "10"), "Debian:10"),
            (("ubuntu", "20.04"), "Ubuntu:20.04:LTS"),
            (("ubuntu", "22.10"), "Ubuntu:22.10"),
            (("linuxmint", "21"), "linuxmint 21"),
        ] {
            check(&database, Some(distro), vec![package(PackageKind::Deb, "keel", "1")], &[], &[("no-advisories", gap)]);
        }
        check(&database, Some(("debian", "12")), vec![package(PackageKind::Deb, "keel", "1")], &["keel 1 DSA-1-1"], &[]);
        // A release that is covered and has no row for the package is clean.
        check(&database, Some(("debian", "12")), vec![package(PackageKind::Deb, "mast", "1")], &[], &[]);
    }

    #[test]
    fn r16_what_does_not_compare_is_a_gap_and_never_not_affected() {
        let (_folder, database) = database_of(&[
            ("Alpine", vec![record("ALPINE-CVE-2026-1", "Alpine:v3.20", "gcc", Some("13.2.1_git20240309-r0"))]),
            ("PyPI", vec![record("GHSA-1", "PyPI", "keel", Some("2.0"))]),
            ("NuGet", vec![record("GHSA-2", "NuGet", "keel", Some("2.0"))]),
        ]);
        let gcc = |version: &str| built_from(PackageKind::Apk, "libgcc", version, "gcc", None);
        let alpine = |version: &str, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, Some(("alpine", "3.20.1")), vec![gcc(version)], expected, gaps)
        };
        alpine("13.2.1_git20231014-r0", &["libgcc 13.2.1_git20231014-r0 ALPINE-CVE-2026-1 13.2.1_git20240309-r0"], &[]);
        alpine("13.2.1_git20240309-r1", &[], &[]);
        alpine("13.2.1~beta!", &[], &[("undecidable", "libgcc 13.2.1~beta!")]);
        check(&database, None, vec![package(PackageKind::Pypi, "keel", "unknown")], &[], &[("undecidable", "keel unknown")]);
        check(&database, None, vec![package(PackageKind::Nuget, "keel", "")], &[], &[("undecidable", "keel ")]);
    }

    #[test]
    fn r17_commits_never_end_the_evaluation() {
        let text = |last: &str| {
            format!(
                r#"{{"id":"PYSEC-1","affected":[{{"package":{{"ecosystem":"PyPI","name":"keel"}},"ranges":[{{"type":"GIT","repo":"https://example.org/keel","events":[{{"introduced":"0"}},{{"fixed":"{last}"}}]}},{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"2.0"}}]}}]}}]}}"#
            )
        };
        let (_folder, database) = database_of(&[("PyPI", vec![text("0123456789abcdef0123456789abcdef01234567")])]);
        check(&database, None, vec![package(PackageKind::Pypi, "keel", "1.0")], &["keel 1.0 PYSEC-1 2.0"], &[]);
        check(&database, None, vec![package(PackageKind::Pypi, "keel", "2.0")], &[], &[]);
    }

    #[test]
    fn what_may_not_be_passed_on_is_built_only_when_asked_for() {
        let feeds =
            [("Wolfi", vec![record("CGA-1", "Wolfi", "mast", Some("2.0-r1"))]), ("npm", vec![record("GHSA-1", "npm", "mast", None)])];
        let apk = || vec![built_from(PackageKind::Apk, "mast-libs", "1.0-r0", "mast", None)];
        let (_folder, database) = database_of(&feeds);
        check(&database, Some(("wolfi", "20230201")), apk(), &[], &[("no-advisories", "Wolfi")]);
        let (_folder, database) = database_asked_for(&feeds, &["Wolfi"]);
        check(&database, Some(("wolfi", "20230201")), apk(), &["mast-libs 1.0-r0 CGA-1 2.0-r1"], &[]);
    }

    #[test]
    fn every_match_says_why() {
        let (_folder, database) = database_of(&[("Debian", vec![record("DSA-1-1", "Debian:12", "mast", Some("2.0-1"))])]);
        let lib = built_from(PackageKind::Deb, "libmast1", "1.0-1", "mast", None);
        let found = check(&database, Some(("debian", "12")), vec![lib], &["libmast1 1.0-1 DSA-1-1 2.0-1"], &[]);
        let attributes = &found[0].attributes;
        let told = ["advisory", "matched-as", "matched-by", "range", "shard"].map(|key| attributes[key].as_str());
        assert_eq!(told, ["DSA-1-1", "mast 1.0-1", "source package", "from 0, fixed in 2.0-1", "debian-12"]);
    }
}
