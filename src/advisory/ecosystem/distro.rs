//! A distribution as os-release names it in, the OSV ecosystem strings of its release out. Only the distribution's own `ID` counts: a derivative
//! rebuilds packages under the same names, and the nearest release is never taken (advisories.md R15).

use crate::model::package::Distro;

/// The OSV ecosystem strings that speak of one release.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// Those without which the release is not covered.
    pub needed: Vec<String>,
    /// Those that add to them where the database has them.
    pub further: Vec<String>,
    /// Ubuntu: what Pro subscribers get beside it, which tells where a problem is fixed.
    pub pro: Option<String>,
    /// Ubuntu: the certified builds, whose versions are apart from all others.
    pub fips: Vec<String>,
    /// Whether the choice of strings is the default of the release, because the image does not say which repositories its packages came from.
    pub is_default: bool,
}

impl Release {
    fn one(text: String) -> Self {
        Self { needed: vec![text], ..Self::default() }
    }

    /// Every string.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.needed.iter().chain(&self.further).chain(&self.pro).chain(&self.fips).map(String::as_str)
    }
}

/// Modules of SUSE Linux Enterprise 15 that free base images draw packages from; the base system is needed, these add to it.
const SUSE_MODULES: &[&str] = &[
    "Certifications",
    "Containers",
    "Desktop Applications",
    "Development Tools",
    "HPC",
    "Legacy",
    "Package Hub",
    "Public Cloud",
    "Python 3",
    "SAP Applications",
    "Server Applications",
    "Transactional Server",
    "Web and Scripting",
];

/// What is known of the release of a distribution; `None` when its advisories cannot be matched.
#[must_use]
pub fn of_distro(distro: &Distro) -> Option<Release> {
    let pretty = distro.pretty_name.as_deref().unwrap_or_default();
    // Testing and unstable of Debian tell themselves apart in no way (`trixie/sid`), and the preview of an AlmaLinux release is built from other
    // sources: neither is the release whose number it may give.
    if (distro.id == "debian" && pretty.contains("/sid")) || (distro.id == "almalinux" && pretty.contains("Kitten")) {
        return None;
    }
    // Rolling distributions name no release, or one that changes every day.
    match distro.id.as_str() {
        "wolfi" => return Some(Release::one("Wolfi".to_owned())),
        "chainguard" => return Some(Release::one("Chainguard".to_owned())),
        "opensuse-tumbleweed" => return Some(Release::one("openSUSE:Tumbleweed".to_owned())),
        _ => {}
    }
    let version = distro.version_id.as_deref().filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut parts = version.split('.');
    let major = parts.next()?;
    let minor = parts.next();
    match distro.id.as_str() {
        // Up to Debian 6 the release has two numbers.
        "debian" if matches!(major.parse(), Ok(1..=6)) => Some(Release::one(format!("Debian:{major}.{}", minor?))),
        "debian" => Some(Release::one(format!("Debian:{major}"))),
        "ubuntu" => ubuntu(major, minor?),
        // The rolling release calls itself by the coming release's number.
        "alpine" if version.contains('_') => Some(Release::one("Alpine:edge".to_owned())),
        "alpine" => Some(Release::one(format!("Alpine:v{major}.{}", minor?))),
        "almalinux" => Some(Release::one(format!("AlmaLinux:{major}"))),
        "rocky" => Some(Release::one(format!("Rocky Linux:{major}"))),
        "rhel" => red_hat(major, minor),
        "sles" | "sled" | "sles_sap" | "sle_hpc" => suse(major, minor),
        "sle-micro" | "suse-microos" | "sl-micro" => Some(Release::one(format!("SUSE:Linux Enterprise Micro {major}.{}", minor?))),
        "opensuse-leap" | "opensuse" => Some(Release::one(format!("openSUSE:Leap {major}.{}", minor?))),
        "opensuse-leap-micro" | "leap-micro" => Some(Release::one(format!("openSUSE:Leap Micro {major}.{}", minor?))),
        // The preview of 2022 never became a release; the first one calls itself by a month.
        "amzn" if matches!((major, minor), ("2018", Some("03"))) => Some(Release::one("Amazon Linux:1".to_owned())),
        "amzn" if matches!(major, "2" | "2023") => Some(Release::one(format!("Amazon Linux:{major}"))),
        _ => None,
    }
}

/// Every second April gives a release with long-term support; the feed says so in the name.
fn ubuntu(major: &str, minor: &str) -> Option<Release> {
    let year: u32 = major.parse().ok()?;
    if !year.is_multiple_of(2) || minor != "04" {
        return Some(Release::one(format!("Ubuntu:{major}.{minor}")));
    }
    let release = format!("{major}.{minor}:LTS");
    Some(Release {
        needed: vec![format!("Ubuntu:{release}")],
        pro: Some(format!("Ubuntu:Pro:{release}")),
        fips: ["FIPS", "FIPS-updates", "FIPS-preview"].map(|flavour| format!("Ubuntu:Pro:{flavour}:{release}")).to_vec(),
        ..Release::default()
    })
}

/// The default CPEs of a release: an image does not tell its content sets to the package database.
fn red_hat(major: &str, minor: Option<&str>) -> Option<Release> {
    let cpe = |tail: &str| format!("Red Hat:enterprise_linux:{tail}");
    let (needed, further) = match major.parse::<u32>().ok()? {
        6 | 7 => {
            let further = ["client", "workstation", "computenode"].iter().map(|role| cpe(&format!("{major}::{role}"))).collect();
            (vec![cpe(&format!("{major}::server"))], further)
        }
        8 | 9 => {
            let needed = vec![cpe(&format!("{major}::appstream")), cpe(&format!("{major}::baseos"))];
            (
                needed,
                ["crb", "highavailability", "nfv", "realtime", "resilientstorage", "sap", "sap_hana", "supplementary"]
                    .iter()
                    .map(|part| cpe(&format!("{major}::{part}")))
                    .collect(),
            )
        }
        // From 10 on the minor release is a part of the name: what was mended in an earlier one is mended in this one.
        10.. => {
            let last: u32 = minor?.parse().ok().filter(|minor| *minor <= 20)?;
            (vec![cpe(&format!("{major}.{last}"))], (0..last).map(|minor| cpe(&format!("{major}.{minor}"))).collect())
        }
        _ => return None,
    };
    Some(Release { needed, further, is_default: true, ..Release::default() })
}

fn suse(major: &str, minor: Option<&str>) -> Option<Release> {
    let number: u32 = major.parse().ok()?;
    let release = match minor {
        _ if number >= 16 => format!("{major}.{}", minor?),
        Some(pack) if pack != "0" => format!("{major} SP{pack}"),
        _ => major.to_owned(),
    };
    let server = format!("SUSE:Linux Enterprise Server {release}");
    if number != 15 {
        return Some(Release::one(server));
    }
    let module = |name: &str| format!("SUSE:Linux Enterprise Module for {name} {release}");
    let further = std::iter::once(server).chain(SUSE_MODULES.iter().map(|name| module(name))).collect();
    Some(Release { needed: vec![module("Basesystem")], further, is_default: true, ..Release::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(id: &str, version: Option<&str>) -> Option<Release> {
        of_distro(&Distro { id: id.to_owned(), version_id: version.map(str::to_owned), ..Distro::default() })
    }

    #[test]
    fn distributions_map_to_their_own_release_only() {
        for (id, version, expected) in [
            ("debian", Some("12"), Some("Debian:12")),
            ("debian", Some("6.0.10"), Some("Debian:6.0")),
            ("debian", None, None),
            ("alpine", Some("3.10.9"), Some("Alpine:v3.10")),
            ("alpine", Some("3.21.0_alpha20240807"), Some("Alpine:edge")),
            ("almalinux", Some("8.10"), Some("AlmaLinux:8")),
            ("rocky", Some("9.3"), Some("Rocky Linux:9")),
            ("ubuntu", Some("22.04"), Some("Ubuntu:22.04:LTS")),
            ("ubuntu", Some("24.10"), Some("Ubuntu:24.10")),
            ("ubuntu", Some("25.04"), Some("Ubuntu:25.04")),
            ("amzn", Some("2"), Some("Amazon Linux:2")),
            ("amzn", Some("2023"), Some("Amazon Linux:2023")),
            ("amzn", Some("2018.03"), Some("Amazon Linux:1")),
            ("amzn", Some("2022"), None),
            ("opensuse-leap", Some("15.5"), Some("openSUSE:Leap 15.5")),
            ("opensuse-tumbleweed", Some("20240607"), Some("openSUSE:Tumbleweed")),
            ("sles", Some("12.5"), Some("SUSE:Linux Enterprise Server 12 SP5")),
            ("sles", Some("15.5"), Some("SUSE:Linux Enterprise Module for Basesystem 15 SP5")),
            ("sles", Some("15"), Some("SUSE:Linux Enterprise Module for Basesystem 15")),
            ("alpine", Some("3.20.0_rc1"), Some("Alpine:edge")),
            ("alpine", Some("edge"), None),
            ("alpine", Some("3"), None),
            ("debian", Some("sid"), None),
            ("ubuntu", Some("22"), None),
            ("rhel", Some("9.2"), Some("Red Hat:enterprise_linux:9::appstream")),
            ("rhel", Some("10"), None),
            ("amzn", Some("2017.09"), None),
            ("amzn", Some("1"), None),
            ("opensuse", Some("20170801"), None),
            ("opensuse-slowroll", Some("20240607"), None),
            ("opensuse-microos", Some("20240607"), None),
            ("pop", Some("22.04"), None),
            ("linuxmint", Some("21"), None),
            ("raspbian", Some("12"), None),
            ("minimos", Some("20241031"), None),
            ("wolfi", Some("20230201"), Some("Wolfi")),
            ("chainguard", None, Some("Chainguard")),
            ("kali", Some("2024.1"), None),
            ("centos", Some("8"), None),
        ] {
            let found = release(id, version);
            assert_eq!(found.as_ref().and_then(|release| release.needed.first()).map(String::as_str), expected, "{id} {version:?}");
        }
    }

    /// Neither what `ID_LIKE` says nor a number makes a release of what is none.
    #[test]
    fn r15_derivatives_and_previews_are_no_release() {
        let like = |id: &str, like: &str, version: Option<&str>, pretty: &str| {
            of_distro(&Distro {
                id: id.to_owned(),
                id_like: vec![like.to_owned()],
                version_id: version.map(str::to_owned),
                pretty_name: Some(pretty.to_owned()),
                ..Distro::default()
            })
        };
        for (id, parent, version, pretty) in [
            ("debian", "", None, "Debian GNU/Linux trixie/sid"),
            ("debian", "", Some("13"), "Debian GNU/Linux trixie/sid"),
            ("almalinux", "rhel", Some("10"), "AlmaLinux Kitten 10 (Lion Cub)"),
            ("elementary", "ubuntu", Some("22.04"), "elementary OS 7"),
            ("acme", "wolfi", Some("20230201"), "Acme"),
            ("acme", "alpine", Some("3.20.3"), "Acme"),
            ("centos", "rhel", Some("9"), "CentOS Stream 9"),
        ] {
            assert_eq!(like(id, parent, version, pretty), None, "{id} {pretty}");
        }
        assert!(like("debian", "", Some("13"), "Debian GNU/Linux 13 (trixie)").is_some());
        assert!(like("almalinux", "rhel", Some("10.0"), "AlmaLinux 10.0 (Purple Lion)").is_some());
    }

    #[test]
    fn r7_ubuntu_has_pockets_for_subscribers_and_for_certified_builds() {
        let jammy = release("ubuntu", Some("22.04")).unwrap();
        assert_eq!(jammy.pro.as_deref(), Some("Ubuntu:Pro:22.04:LTS"));
        assert_eq!(jammy.fips.first().map(String::as_str), Some("Ubuntu:Pro:FIPS:22.04:LTS"));
        assert_eq!(release("ubuntu", Some("25.10")).unwrap().pro, None);
    }

    #[test]
    fn r4_red_hat_has_default_cpes() {
        for (version, needed) in [
            ("7.9", &["Red Hat:enterprise_linux:7::server"][..]),
            ("8.10", &["Red Hat:enterprise_linux:8::appstream", "Red Hat:enterprise_linux:8::baseos"]),
            ("10.1", &["Red Hat:enterprise_linux:10.1"]),
        ] {
            let found = release("rhel", Some(version)).unwrap();
            assert_eq!(
                (found.needed.as_slice(), found.is_default),
                (needed.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>().as_slice(), true)
            );
        }
        assert!(release("rhel", Some("10.1")).unwrap().further.contains(&"Red Hat:enterprise_linux:10.0".to_owned()));
        assert_eq!(release("rhel", Some("5.11")), None);
    }
}
