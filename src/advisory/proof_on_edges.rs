//! Where two words of the same feeds meet: builds beside their release, several advisories about one problem, ids that name others, versions that
//! are none. Requirements O7, R3, R5, R7, R8 and R10 of advisories.md.

#[cfg(test)]
mod tests {
    use crate::{
        advisory::{
            Database,
            matcher::match_inventory,
            proof::tests::{built_from, database_of, inventory, package, rpm, severity},
            proof_on_rules::tests::{check, owned, record, with},
        },
        model::{
            digest::Digest,
            location::Location,
            package::{Basis, Package, PackageKind},
            severity::Severity,
        },
    };

    const NOBLE: Option<(&str, &str)> = Some(("ubuntu", "24.04"));

    #[test]
    fn o7_upstream_is_transitive() {
        let noble = "Ubuntu:24.04:LTS";
        let (_folder, database) = database_of(&[
            (
                "Ubuntu",
                vec![
                    with("USN-5614-1", noble, "wayland", Some("2.0-1"), r#""upstream":["UBUNTU-CVE-2021-3782"],"#, ""),
                    record("UBUNTU-CVE-2021-3782", noble, "wayland", Some("2.0-1")),
                ],
            ),
            ("Alpine", vec![record("ALPINE-CVE-2021-3782", "Alpine:v3.20", "wayland", Some("2.0-r1"))]),
        ]);
        let packages = vec![package(PackageKind::Deb, "wayland", "1.0-1")];
        let both = ["wayland 1.0-1 UBUNTU-CVE-2021-3782 2.0-1", "wayland 1.0-1 USN-5614-1 2.0-1"];
        for observation in check(&database, NOBLE, packages, &both, &[]) {
            assert!(observation.aliases.contains("CVE-2021-3782"), "{observation:?}");
        }
        let found: Vec<_> = database.find("cve-2021-3782").unwrap().into_iter().map(|advisory| advisory.id.0).collect();
        assert_eq!(found, ["ALPINE-CVE-2021-3782", "UBUNTU-CVE-2021-3782", "USN-5614-1"]);
        // What merely looks like one names none.
        assert_eq!(database.find("CVE-2021-378").unwrap(), []);
    }

    #[test]
    fn g4_vectors_of_version_4_rate() {
        let four = r#""severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H"}],"#;
        let (_folder, database) = database_of(&[("crates.io", vec![with("RUSTSEC-2025-1", "crates.io", "keel", Some("2.0.0"), four, "")])]);
        let found = check(&database, None, vec![package(PackageKind::Cargo, "keel", "1.0.0")], &["keel 1.0.0 RUSTSEC-2025-1 2.0.0"], &[]);
        assert_eq!(severity(&found[0]), Severity::Critical);
    }

    #[test]
    fn python_builds_for_a_platform_are_builds_of_their_release() {
        let last = r#"{"id":"PYSEC-1","affected":[{"package":{"ecosystem":"PyPI","name":"torch"},"versions":["2.0.1"],"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"last_affected":"2.0.1"}]}]}]}"#;
        let (_folder, database) = database_of(&[("PyPI", vec![last.to_owned()])]);
        let torch =
            |version: &str, expected: &[&str]| check(&database, None, vec![package(PackageKind::Pypi, "torch", version)], expected, &[]);
        let found = torch("2.0.1+cu118", &["torch 2.0.1+cu118 PYSEC-1"]);
        assert!(found[0].attributes["range"].contains("local build"));
        torch("2.0.2+cu118", &[]);
    }

    #[test]
    fn r7_what_is_open_in_the_release_is_open_in_builds_apart_from_it() {
        let (base, pro, fips) = ("Ubuntu:24.04:LTS", "Ubuntu:Pro:24.04:LTS", "Ubuntu:Pro:FIPS:24.04:LTS");
        let about = |cve: &str| format!(r#""upstream":["{cve}"],"#);
        let records = || {
            vec![
                record("UBUNTU-CVE-2024-11", base, "keel", None),
                with("USN-12-1", base, "keel", Some("2.0-1"), &about("CVE-2024-12"), ""),
                // Two problems, of which the subscribers' shard knows one.
                with("USN-13-1", base, "keel", Some("2.0-1"), r#""upstream":["CVE-2024-12","CVE-2024-13"],"#, ""),
                with("USN-14-1", pro, "keel", Some("1.0-1ubuntu0.1~esm1"), &about("UBUNTU-CVE-2024-12"), ""),
                with("USN-15-1", pro, "keel", Some("1.0-1ubuntu0.1~esm9"), &about("CVE-2024-15"), ""),
                record("UBUNTU-CVE-2024-16", fips, "mast", Some("1.0-1.fips.2")),
                record("UBUNTU-CVE-2024-17", base, "mast", None),
            ]
        };
        let (_folder, database) = database_of(&[("Ubuntu", records())]);
        let noble = |name: &str, version: &str, expected: &[&str]| {
            check(&database, NOBLE, vec![package(PackageKind::Deb, name, version)], expected, &[])
        };
        let version = "1.0-1ubuntu0.1~esm1";
        let found = noble(
            "keel",
            version,
            &[
                &format!("keel {version} USN-13-1 2.0-1"),
                &format!("keel {version} USN-13-1 2.0-1"),
                &format!("keel {version} UBUNTU-CVE-2024-11"),
                &format!("keel {version} USN-15-1 1.0-1ubuntu0.1~esm9"),
            ],
        );
        assert!(found.iter().all(|observation| !observation.attributes.contains_key("fix-in")));
        noble("mast", "1.0-1.fips.2", &["mast 1.0-1.fips.2 UBUNTU-CVE-2024-17"]);
        noble("mast", "1.0-1.fips.1", &["mast 1.0-1.fips.1 UBUNTU-CVE-2024-16 1.0-1.fips.2", "mast 1.0-1.fips.1 UBUNTU-CVE-2024-17"]);
        // Without the shard of the release nobody knows what is open in it.
        let of_pro = records().into_iter().filter(|record| record.contains(pro)).collect();
        let (_folder, without) = database_of(&[("Ubuntu", of_pro)]);
        let fixed = package(PackageKind::Deb, "keel", "1.0-1ubuntu0.1~esm9");
        check(&without, NOBLE, vec![fixed], &[], &[("no-advisories", base)]);
    }

    #[test]
    fn r3_the_id_of_a_record_is_no_stream() {
        let fix = "2.0-1.module_el8.6.0+1+aaaaaaaa";
        let (_folder, database) = database_of(&[(
            "AlmaLinux",
            vec![
                with(
                    "ALSA-2022:5468",
                    "AlmaLinux:8",
                    "keel",
                    Some(fix),
                    r#""summary":"ALSA-2022:5468: keel security update (Important)","#,
                    "",
                ),
                with("ALSA-2022:5469", "AlmaLinux:8", "mast", Some(fix), r#""summary":"Important: security update for mast:8.0.","#, ""),
            ],
        )]);
        let version = "1.0-1.module_el8.5.0+1+bbbbbbbb";
        let alma = |name: &str, label, expected: &[&str], gaps: &[(&str, &str)]| {
            check(&database, Some(("almalinux", "8.9")), vec![rpm(name, version, Some(label), None)], expected, gaps)
        };
        alma("keel", "keel:8.0:8050020211001:1", &[], &[("undecidable", &format!("keel {version}"))]);
        alma("mast", "mast:8.0:8050020211001:1", &[&format!("mast {version} ALSA-2022:5469 {fix}")], &[]);
        alma("mast", "mast:7.4:8050020211001:1", &[], &[]);
    }

    #[test]
    fn r5_a_project_of_a_build_service_is_not_the_distribution() {
        let (_folder, database) = database_of(&[("openSUSE", vec![record("openSUSE-SU-1", "openSUSE:Tumbleweed", "keel", Some("2-1"))])]);
        let of =
            |vendor: &str| Package { vendor: Some(vendor.to_owned()), ..built_from(PackageKind::Rpm, "keel", "1-1", "keel", Some("1-1")) };
        for (vendor, expected, gaps) in [
            ("openSUSE", &["keel 1-1 openSUSE-SU-1 2-1"][..], &[][..]),
            ("SUSE LLC <https://www.suse.com/>", &["keel 1-1 openSUSE-SU-1 2-1"], &[]),
            ("obs://build.opensuse.org/home:mallory", &[], &[("no-advisories", "packages of other vendors")]),
            ("Friends of openSUSE", &[], &[("no-advisories", "packages of other vendors")]),
        ] {
            check(&database, Some(("opensuse-tumbleweed", "20261101")), vec![of(vendor)], expected, gaps);
        }
    }

    #[test]
    fn r8_a_record_that_was_withdrawn_does_not_name_an_owner() {
        let withdrawn = r#""withdrawn":"2025-01-01T00:00:00Z","#;
        let (_folder, database) = database_of(&[
            (
                "Ubuntu",
                vec![
                    with("UBUNTU-CVE-2026-1", "Ubuntu:24.04:LTS", "python3-keel", None, withdrawn, ""),
                    record("UBUNTU-CVE-2026-2", "Ubuntu:24.04:LTS", "mast", None),
                ],
            ),
            ("PyPI", vec![record("GHSA-1", "PyPI", "keel", Some("9.0"))]),
        ]);
        let both = owned(PackageKind::Pypi, package(PackageKind::Deb, "python3-keel", "1.0-1"), "keel", "1.0");
        check(&database, NOBLE, both, &["keel 1.0 GHSA-1 9.0"], &[]);
    }

    #[test]
    fn r4_the_fix_of_an_os_package_is_affected_by_no_other_advisory() {
        let about = |cve: &str| format!(r#""related":["{cve}"],"#);
        let two_rows = r#"{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"keel"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.5.0"}]}]},{"package":{"ecosystem":"npm","name":"keel"},"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"2.3.0"}]}]}]}"#;
        let (_folder, database) = database_of(&[
            (
                "AlmaLinux",
                vec![
                    with("ALSA-1", "AlmaLinux:8", "keel", Some("2-1"), &about("CVE-2026-1"), ""),
                    with("ALSA-2", "AlmaLinux:8", "keel", Some("3-1"), &about("CVE-2026-1"), ""),
                    with("ALSA-3", "AlmaLinux:8", "keel", Some("4-1"), &about("CVE-2026-3"), ""),
                ],
            ),
            ("npm", vec![two_rows.to_owned()]),
        ]);
        let alma = |version: &str, expected: &[&str]| {
            check(&database, Some(("almalinux", "8.9")), vec![rpm("keel", version, None, None)], expected, &[])
        };
        alma("1-1", &["keel 1-1 ALSA-1 3-1", "keel 1-1 ALSA-2 3-1", "keel 1-1 ALSA-3 4-1"]);
        alma("2-1", &["keel 2-1 ALSA-2 3-1", "keel 2-1 ALSA-3 4-1"]);
        let npm =
            |version: &str, expected: &[&str]| check(&database, None, vec![package(PackageKind::Npm, "keel", version)], expected, &[]);
        npm("1.2.0", &["keel 1.2.0 GHSA-1 1.5.0,2.3.0"]);
        npm("0.9.0", &["keel 0.9.0 GHSA-1 1.5.0"]);
    }

    fn go() -> (tempfile::TempDir, Database) {
        let of = |id: &str, name: &str, events: &str| {
            format!(
                r#"{{"id":"{id}","affected":[{{"package":{{"ecosystem":"Go","name":"{name}"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}]}}]}}"#
            )
        };
        let both = r#"{"introduced":"0"},{"fixed":"1.22.6"},{"introduced":"1.23.0-0"},{"fixed":"1.23.0-rc.2"}"#;
        let old = r#"{"introduced":"0"},{"fixed":"1.9.1"}"#;
        database_of(&[("Go", vec![of("GO-1", "stdlib", both), of("GO-2", "stdlib", old), of("GO-3", "toolchain", both)])])
    }

    #[test]
    fn r10_releases_with_experiments_match_and_development_builds_are_never_cleared() {
        let (_folder, database) = go();
        let standard = |version: &str, basis, expected: &[&str], is_undecidable| {
            let gap = ("undecidable", format!("stdlib {version}"));
            let gaps = if is_undecidable { vec![(gap.0, gap.1.as_str())] } else { Vec::new() };
            check(&database, None, vec![Package { basis, ..package(PackageKind::Golang, "stdlib", version) }], expected, &gaps)
        };
        standard("1.22.5 X:boringcrypto", Basis::Installed, &["stdlib 1.22.5 X:boringcrypto GO-1 1.22.6"], false);
        standard("1.22.6 X:boringcrypto", Basis::Installed, &[], false);
        standard("go1.22.5-X:jsonv2", Basis::Installed, &["stdlib go1.22.5-X:jsonv2 GO-1 1.22.6"], false);
        standard("go1.23-abcdef", Basis::Installed, &[], true);
        standard("devel go1.23-abcdef", Basis::Installed, &[], true);
        // A program that was built by `devel go1.23-abcdef` has the standard library of some day before 1.23.0.
        standard("1.23.0", Basis::Guessed, &["stdlib 1.23.0 GO-1 1.23.0-rc.2"], true);
        standard("1.23.0", Basis::Installed, &[], false);
    }

    #[test]
    fn r10_the_tools_of_go_match_where_the_go_command_is() {
        let (_folder, database) = go();
        let at = |path: &str, version: &str| {
            let locations = vec![Location::Image { layer: Digest::sha256_of(b""), index: 0, path: path.to_owned() }];
            vec![Package { locations, ..package(PackageKind::Golang, "stdlib", version) }]
        };
        let found =
            check(&database, None, at("usr/local/go/bin/go", "1.22.5"), &["stdlib 1.22.5 GO-1 1.22.6", "stdlib 1.22.5 GO-3 1.22.6"], &[]);
        assert_eq!(found[1].attributes["matched-as"], "toolchain 1.22.5");
        check(&database, None, at("usr/local/go/bin/go", "1.22.6"), &[], &[]);
        check(&database, None, at("usr/local/bin/mast", "1.22.5"), &["stdlib 1.22.5 GO-1 1.22.6"], &[]);
        let listed = vec![package(PackageKind::Golang, "toolchain", "go1.22.5 X:boringcrypto")];
        check(&database, None, listed, &["toolchain go1.22.5 X:boringcrypto GO-3 1.22.6"], &[]);
        let (observations, gaps) = match_inventory(&database, &inventory(None, at("usr/local/go/bin/go", "devel")));
        assert_eq!((observations.len(), gaps.len()), (0, 2));
        assert!(gaps.iter().all(|gap| gap.kind == "undecidable"));
    }
}
