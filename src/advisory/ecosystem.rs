//! Ecosystems: which feed covers which packages, how its versions are ordered and its names written, and what a distribution is called in OSV
//! (<https://ossf.github.io/osv-schema/#defined-ecosystems>). Builder and matcher use the same functions, so that a name is one name.

use std::borrow::Cow;

use crate::{
    advisory::version::Scheme,
    model::package::{Distro, PackageKind},
};

/// One ecosystem whose advisories can be built and matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ecosystem {
    /// The OSV name in front of any colon; also the directory in the bucket.
    pub name: &'static str,
    /// The packages it is about.
    pub kind: PackageKind,
    /// How their versions are ordered.
    pub scheme: Scheme,
    /// Whether every row names a release.
    pub releases: Releases,
    /// The licence of the records, as far as it is known.
    pub licence: &'static str,
}

/// Whether an ecosystem is cut into releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Releases {
    /// A distribution: a row without a release says nothing.
    Required,
    /// A language ecosystem.
    None,
}

const UNNAMED_LICENCE: &str = "no explicit licence found";

/// Every ecosystem that can be built and matched, by name.
pub const ECOSYSTEMS: &[Ecosystem] = &[
    Ecosystem { name: "AlmaLinux", kind: PackageKind::Rpm, scheme: Scheme::Rpm, releases: Releases::Required, licence: "MIT" },
    Ecosystem { name: "Alpine", kind: PackageKind::Apk, scheme: Scheme::Apk, releases: Releases::Required, licence: UNNAMED_LICENCE },
    // Not in OSV: from its own repositories.
    Ecosystem { name: "Amazon Linux", kind: PackageKind::Rpm, scheme: Scheme::Rpm, releases: Releases::Required, licence: UNNAMED_LICENCE },
    Ecosystem { name: "Debian", kind: PackageKind::Deb, scheme: Scheme::Dpkg, releases: Releases::Required, licence: UNNAMED_LICENCE },
    Ecosystem { name: "PyPI", kind: PackageKind::Pypi, scheme: Scheme::Pep440, releases: Releases::None, licence: "CC-BY-4.0" },
    Ecosystem {
        name: "crates.io",
        kind: PackageKind::Cargo,
        scheme: Scheme::Semver,
        releases: Releases::None,
        licence: "CC0-1.0, CC-BY-4.0",
    },
    Ecosystem { name: "npm", kind: PackageKind::Npm, scheme: Scheme::Npm, releases: Releases::None, licence: "CC-BY-4.0" },
];

/// Finds the ecosystem of an OSV ecosystem string such as `Debian:12`.
#[must_use]
pub fn of_text(text: &str) -> Option<&'static Ecosystem> {
    let name = text.split_once(':').map_or(text, |(name, _)| name);
    let found = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == name)?;
    let has_release = text.split_once(':').is_some_and(|(_, release)| !release.is_empty());
    ((found.releases == Releases::Required) == has_release && (has_release || !text.contains(':'))).then_some(found)
}

/// An OSV ecosystem string as the specification writes it, when only case, blanks or an empty suffix keep it from being that: `pypi` and
/// `PyPI:` are `PyPI`. Everything else stays as it is.
#[must_use]
pub fn normal_text(text: &str) -> Cow<'_, str> {
    let (name, suffix) = text.trim().split_once(':').map_or((text.trim(), ""), |(name, suffix)| (name.trim(), suffix.trim()));
    match ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name.eq_ignore_ascii_case(name)) {
        Some(ecosystem) if suffix.is_empty() => Cow::Borrowed(ecosystem.name),
        Some(ecosystem) => Cow::Owned(format!("{}:{suffix}", ecosystem.name)),
        None => Cow::Borrowed(text),
    }
}

/// Finds the language ecosystem of a kind of package.
#[must_use]
pub fn of_language(kind: PackageKind) -> Option<&'static Ecosystem> {
    ECOSYSTEMS.iter().find(|ecosystem| ecosystem.kind == kind && ecosystem.releases == Releases::None)
}

/// The OSV ecosystem string of a distribution; `None` when its advisories cannot be matched. Only the distribution's own `ID` counts: a
/// derivative rebuilds packages under the same names, and the nearest release is never taken (advisories.md R15).
#[must_use]
pub fn of_distro(distro: &Distro) -> Option<String> {
    let version = distro.version_id.as_deref().filter(|version| version.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut parts = version.split('.');
    let major = parts.next()?;
    let minor = parts.next();
    match distro.id.as_str() {
        // Up to Debian 6 the release has two numbers.
        "debian" if matches!(major.parse(), Ok(1..=6)) => Some(format!("Debian:{major}.{}", minor?)),
        "debian" => Some(format!("Debian:{major}")),
        // The rolling release calls itself by the coming release's number.
        "alpine" if version.contains('_') => Some("Alpine:edge".to_owned()),
        "alpine" => Some(format!("Alpine:v{major}.{}", minor?)),
        "almalinux" => Some(format!("AlmaLinux:{major}")),
        // The first one calls itself by a month.
        "amzn" if matches!((major, minor), ("2018", Some("03"))) => Some("Amazon Linux:1".to_owned()),
        "amzn" if matches!(major, "2" | "2023") => Some(format!("Amazon Linux:{major}")),
        _ => None,
    }
}

/// The name of the shard of an OSV ecosystem string; `None` when the text is not fit for a file name.
#[must_use]
pub fn shard_name(text: &str) -> Option<String> {
    let name: String = text.chars().map(|ch| if ch == ':' || ch == ' ' { '-' } else { ch.to_ascii_lowercase() }).collect();
    let fit = name.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | '_'));
    (fit && name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_alphanumeric()) && !name.contains("..")).then_some(name)
}

/// A package name in the form in which the index holds it.
#[must_use]
pub fn index_name(kind: PackageKind, name: &str) -> Cow<'_, str> {
    match kind {
        PackageKind::Pypi => Cow::Owned(pypi_name(name)),
        _ => Cow::Borrowed(name),
    }
}

/// PEP 503: lower case, runs of `-`, `_` and `.` become one `-`.
fn pypi_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for ch in name.chars() {
        if !matches!(ch, '-' | '_' | '.') {
            normal.push(ch.to_ascii_lowercase());
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_map_to_their_own_release_only() {
        for (id, version, expected) in [
            ("debian", Some("12"), Some("Debian:12")),
            ("debian", Some("6.0.10"), Some("Debian:6.0")),
            ("debian", None, None),
            ("alpine", Some("3.10.9"), Some("Alpine:v3.10")),
            ("alpine", Some("3.21.0_alpha20240807"), Some("Alpine:edge")),
            ("almalinux", Some("8.10"), Some("AlmaLinux:8")),
            ("ubuntu", Some("22.04"), None),
            ("kali", Some("2024.1"), None),
        ] {
            let distro = Distro { id: id.to_owned(), version_id: version.map(str::to_owned), ..Distro::default() };
            assert_eq!(of_distro(&distro).as_deref(), expected, "{id} {version:?}");
        }
    }

    #[test]
    fn names_are_normal() {
        assert_eq!(index_name(PackageKind::Pypi, "Bilge_.Pump"), "bilge-pump");
        assert_eq!(index_name(PackageKind::Npm, "Axios"), "Axios");
        for (text, expected) in [
            ("Debian:12", Some("debian-12")),
            ("crates.io", Some("crates.io")),
            ("Rocky Linux:9", Some("rocky-linux-9")),
            ("Debian:../x", None),
        ] {
            assert_eq!(shard_name(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn case_and_empty_suffixes_do_not_make_another_ecosystem() {
        for (text, expected) in [
            ("pypi", "PyPI"),
            ("PyPI:", "PyPI"),
            (" PYPI : ", "PyPI"),
            ("debian:12", "Debian:12"),
            ("npm:x", "npm:x"),
            ("Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS"),
        ] {
            assert_eq!(normal_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_release_stands_where_it_belongs() {
        assert!(of_text("Debian:12").is_some());
        assert!(of_text("Debian").is_none());
        assert!(of_text("npm").is_some());
        assert!(of_text("npm:1").is_none());
        assert!(of_text("Ubuntu:22.04:LTS").is_none());
    }
}
