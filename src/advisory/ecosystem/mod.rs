//! Ecosystems: which feed covers which packages, how its versions are ordered and its names written, and what a distribution is called in OSV
//! (<https://ossf.github.io/osv-schema/#defined-ecosystems>). Builder and matcher use the same functions, so that a name is one name.

mod distro;
mod names;

use std::borrow::Cow;

pub use distro::{Release, of_distro};
pub use names::index_name;

use crate::{advisory::version::Scheme, model::package::PackageKind};

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
    /// Under which name its rows are.
    pub key: Key,
    /// Words of which one begins the vendor of the distribution's own packages, in lower case; empty when packages do not name their vendor.
    pub vendors: &'static [&'static str],
    /// The licence of the records, as far as it is known.
    pub licence: &'static str,
    /// Whether the licence keeps it out of every database whose owner did not ask for it (advisories.md D7).
    pub use_of: Use,
}

/// Whether an ecosystem is cut into releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Releases {
    /// A distribution: a row without a release says nothing.
    Required,
    /// A language ecosystem, or a distribution that has one release, which is always the newest.
    None,
}

/// Under which name the rows of an ecosystem are (advisories.md R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The package's own name and version.
    Own,
    /// The origin of an apk package, at the package's version; a package that does not name it cannot be looked up.
    Origin,
    /// The source package, at the source's version.
    Source,
}

/// Who may have an ecosystem in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Everybody.
    Free,
    /// Only who asks for it, on one's own machine: the licence forbids to pass it on.
    OnRequest,
}

const UNNAMED_LICENCE: &str = "no explicit licence found";
const GHSA_LICENCE: &str = "CC-BY-4.0";
/// Leap ships packages of the enterprise product, which takes some of openSUSE's in turn.
const SUSE_VENDORS: &[&str] = &["opensuse", "suse"];

const fn language(name: &'static str, kind: PackageKind, scheme: Scheme, licence: &'static str) -> Ecosystem {
    Ecosystem { name, kind, scheme, releases: Releases::None, key: Key::Own, vendors: &[], licence, use_of: Use::Free }
}

const fn distribution(name: &'static str, kind: PackageKind, scheme: Scheme, key: Key, licence: &'static str) -> Ecosystem {
    Ecosystem { name, kind, scheme, releases: Releases::Required, key, vendors: &[], licence, use_of: Use::Free }
}

const fn rpm(name: &'static str, key: Key, vendors: &'static [&'static str], licence: &'static str) -> Ecosystem {
    Ecosystem { vendors, ..distribution(name, PackageKind::Rpm, Scheme::Rpm, key, licence) }
}

const fn rolling_apk(name: &'static str) -> Ecosystem {
    let licence = "CC-BY-NC-ND-4.0, commercial scanners need a licence of their own";
    Ecosystem {
        releases: Releases::None,
        use_of: Use::OnRequest,
        ..distribution(name, PackageKind::Apk, Scheme::Apk, Key::Origin, licence)
    }
}

/// Every ecosystem that can be built and matched, by name.
pub const ECOSYSTEMS: &[Ecosystem] = &[
    rpm("AlmaLinux", Key::Own, &["almalinux"], "MIT"),
    distribution("Alpine", PackageKind::Apk, Scheme::Apk, Key::Origin, UNNAMED_LICENCE),
    rpm("Amazon Linux", Key::Own, &["amazon"], UNNAMED_LICENCE),
    language("Bitnami", PackageKind::Bitnami, Scheme::Semver, "Apache-2.0"),
    language("CRAN", PackageKind::Cran, Scheme::Cran, "Apache-2.0"),
    rolling_apk("Chainguard"),
    distribution("Debian", PackageKind::Deb, Scheme::Dpkg, Key::Source, UNNAMED_LICENCE),
    language("Go", PackageKind::Golang, Scheme::Go, GHSA_LICENCE),
    language("Hackage", PackageKind::Hackage, Scheme::Hackage, "CC0-1.0"),
    language("Hex", PackageKind::Hex, Scheme::Semver, GHSA_LICENCE),
    language("Maven", PackageKind::Maven, Scheme::Maven, GHSA_LICENCE),
    language("NuGet", PackageKind::Nuget, Scheme::Nuget, GHSA_LICENCE),
    language("Packagist", PackageKind::Composer, Scheme::Composer, GHSA_LICENCE),
    language("Pub", PackageKind::Pub, Scheme::Pub, GHSA_LICENCE),
    language("PyPI", PackageKind::Pypi, Scheme::Pep440, GHSA_LICENCE),
    rpm("Red Hat", Key::Own, &["red hat"], "CC-BY-4.0"),
    rpm("Rocky Linux", Key::Source, &["rocky"], "BSD-3-Clause"),
    language("RubyGems", PackageKind::Gem, Scheme::Gem, GHSA_LICENCE),
    rpm("SUSE", Key::Source, SUSE_VENDORS, "CC-BY-4.0"),
    language("SwiftURL", PackageKind::Swift, Scheme::Semver, GHSA_LICENCE),
    distribution("Ubuntu", PackageKind::Deb, Scheme::Dpkg, Key::Source, "CC-BY-SA-4.0"),
    rolling_apk("Wolfi"),
    language("crates.io", PackageKind::Cargo, Scheme::Semver, "CC0-1.0, CC-BY-4.0"),
    language("npm", PackageKind::Npm, Scheme::Npm, GHSA_LICENCE),
    rpm("openSUSE", Key::Source, SUSE_VENDORS, "CC-BY-4.0"),
];

/// Finds the ecosystem of an OSV ecosystem string such as `Debian:12`.
#[must_use]
pub fn of_text(text: &str) -> Option<&'static Ecosystem> {
    let name = text.split_once(':').map_or(text, |(name, _)| name);
    let found = ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name == name)?;
    let has_release = text.split_once(':').is_some_and(|(_, release)| !release.is_empty());
    ((found.releases == Releases::Required) == has_release && (has_release || !text.contains(':'))).then_some(found)
}

/// An OSV ecosystem string as the specification writes it, when only case, blanks, an empty suffix or the `v` of Alpine's releases keep it from being
/// that: `pypi` and `PyPI:` are `PyPI`. The repository that Maven and Packagist may name is left out: an image does not say from which one a
/// package came. Everything else stays as it is.
#[must_use]
pub fn normal_text(text: &str) -> Cow<'_, str> {
    let (name, suffix) = text.trim().split_once(':').map_or((text.trim(), ""), |(name, suffix)| (name.trim(), suffix.trim()));
    match ECOSYSTEMS.iter().find(|ecosystem| ecosystem.name.eq_ignore_ascii_case(name)) {
        Some(ecosystem) if suffix.is_empty() => Cow::Borrowed(ecosystem.name),
        Some(ecosystem) if matches!(ecosystem.name, "Maven" | "Packagist") && suffix.contains("://") => Cow::Borrowed(ecosystem.name),
        Some(ecosystem)
            if ecosystem.name == "Alpine" && suffix.trim_start_matches('V').starts_with(|first: char| first.is_ascii_digit()) =>
        {
            Cow::Owned(format!("{}:v{}", ecosystem.name, suffix.trim_start_matches('V')))
        }
        Some(ecosystem) => Cow::Owned(format!("{}:{suffix}", ecosystem.name)),
        None => Cow::Borrowed(text),
    }
}

/// Finds the language ecosystem of a kind of package.
#[must_use]
pub fn of_language(kind: PackageKind) -> Option<&'static Ecosystem> {
    ECOSYSTEMS.iter().find(|ecosystem| ecosystem.kind == kind && !kind.is_os())
}

/// The name of the shard of an OSV ecosystem string; `None` when the text is not fit for a file name.
#[must_use]
pub fn shard_name(text: &str) -> Option<String> {
    // The one ecosystem that is ours and not OSV's has a short name.
    let short = text.strip_prefix("Amazon Linux:").map(|release| format!("amazon-{release}"));
    let text = short.as_deref().unwrap_or(text);
    let name: String = text.chars().map(|ch| if ch == ':' || ch == ' ' { '-' } else { ch.to_ascii_lowercase() }).collect();
    let fit = name.chars().all(|ch| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | '_'));
    (fit && name.len() <= 64 && name.starts_with(|first: char| first.is_ascii_alphanumeric()) && !name.contains("..")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_are_sorted_and_kinds_of_languages_are_unique() {
        assert!(ECOSYSTEMS.is_sorted_by(|left, right| left.name < right.name));
        for ecosystem in ECOSYSTEMS.iter().filter(|ecosystem| !ecosystem.kind.is_os()) {
            assert_eq!(of_language(ecosystem.kind), Some(ecosystem));
        }
        assert_eq!(of_language(PackageKind::Apk), None);
    }

    #[test]
    fn shards_have_names_that_are_fit_for_files() {
        for (text, expected) in [
            ("Debian:12", Some("debian-12")),
            ("crates.io", Some("crates.io")),
            ("Rocky Linux:9", Some("rocky-linux-9")),
            ("Amazon Linux:2023", Some("amazon-2023")),
            ("Red Hat:enterprise_linux:8::appstream", Some("red-hat-enterprise_linux-8--appstream")),
            ("SUSE:Linux Enterprise Module for Basesystem 15 SP5", Some("suse-linux-enterprise-module-for-basesystem-15-sp5")),
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
            ("npm:https://registry.example.org", "npm:https://registry.example.org"),
            ("Maven:https://repo.example.org/maven2/", "Maven"),
            ("Packagist:https://packages.example.org/8", "Packagist"),
            ("Packagist:8", "Packagist:8"),
            ("Alpine:3.20", "Alpine:v3.20"),
            ("Alpine:V3.20", "Alpine:v3.20"),
            ("Alpine:v3.20", "Alpine:v3.20"),
            ("Alpine:edge", "Alpine:edge"),
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
        assert!(of_text("Ubuntu:22.04:LTS").is_some());
        assert!(of_text("Wolfi").is_some());
        assert!(of_text("Oracle:8").is_none());
    }
}
