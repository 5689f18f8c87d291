//! One version order per file. In: the text of a version and the scheme it follows. Out: a parsed version that compares, or "no such version",
//! which is never taken for "not affected" (advisories.md R16).
//!
//! Every order is a total one on all texts that it parses, whatever they are: ranges are sorted by it. All numbers have any length, unless the
//! tool itself refuses longer ones.
//!
//! Where published answers and the real tool disagree, the real tool decides, and what it calls invalid is no version here:
//!
//! | order | rows | decided |
//! |---|---|---|
//! | apk | 8 | all refused: a text of each breaks the grammar that `apk version --check` asks for; `apk version -t` orders any texts |
//! | Maven | 20 | all as `ComparableVersion` of 3.8.7 says; it leaves a line only where that class runs in circles, see `maven` |
//! | Packagist | 14 | Composer decides, not PHP's `version_compare` over the texts: 9 by normal forms, 5 refused |
//! | PyPI | 92 | 91 refused: not PEP 440; a local version is above its release |
//! | rpm | 2 | as librpm says: no epoch is epoch 0 |
//! | RubyGems | 7 | 3 ordered as `Gem::Version` says: what follows a dash is a pre-release; 4 refused |
//! | semver, npm | 102 | all refused: not three numbers, leading zeros, `V`, or a pre-release without its dash |
//!
//! Go alone reads more than its row says: `1.21rc2` is what it calls its own releases. Records may write `1.0` for `1.0.0`, see
//! [`Scheme::parse_event`].

mod apk;
mod composer;
mod cran;
mod digits;
mod dpkg;
mod gem;
mod go;
mod hackage;
mod maven;
mod npm;
mod nuget;
mod on_vectors;
mod pep440;
mod pub_dev;
mod rpm;
mod semver;

use std::cmp::Ordering;

pub use go::is_pseudo_version;

use crate::model::package::PackageKind;

/// Longer texts are no versions; some orders take quadratic time over digits.
const MAX_LENGTH: usize = 512;

/// A version order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Alpine packages.
    Apk,
    /// PHP packages.
    Composer,
    /// R packages.
    Cran,
    /// Debian and Ubuntu packages.
    Dpkg,
    /// Ruby gems.
    Gem,
    /// Go modules, and Go itself.
    Go,
    /// Haskell packages.
    Hackage,
    /// Java packages.
    Maven,
    /// npm packages.
    Npm,
    /// .NET packages.
    Nuget,
    /// Python distributions (PEP 440).
    Pep440,
    /// Dart packages.
    Pub,
    /// RPM packages.
    Rpm,
    /// Semantic versioning 2.0 by precedence: build metadata does not count.
    Semver,
}

impl Scheme {
    /// Every order.
    pub const ALL: [Self; 14] = [
        Self::Apk,
        Self::Composer,
        Self::Cran,
        Self::Dpkg,
        Self::Gem,
        Self::Go,
        Self::Hackage,
        Self::Maven,
        Self::Npm,
        Self::Nuget,
        Self::Pep440,
        Self::Pub,
        Self::Rpm,
        Self::Semver,
    ];

    /// The word in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Composer => "Composer",
            Self::Cran => "CRAN",
            Self::Dpkg => "dpkg",
            Self::Gem => "RubyGems",
            Self::Go => "Go",
            Self::Hackage => "Hackage",
            Self::Maven => "Maven",
            Self::Npm => "npm",
            Self::Nuget => "NuGet",
            Self::Pep440 => "PEP 440",
            Self::Pub => "pub",
            Self::Rpm => "rpm",
            Self::Semver => "semver",
        }
    }

    /// Parses the version of an installed package; `None` when it is none of this scheme.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Version> {
        if text.len() > MAX_LENGTH {
            return None;
        }
        Some(Version(match self {
            Self::Apk => Inner::Apk(apk::Version::parse(text)?),
            Self::Composer => Inner::Composer(composer::Version::parse(text)?),
            Self::Cran => Inner::Cran(cran::Version::parse(text)?),
            Self::Dpkg => Inner::Dpkg(dpkg::Version::parse(text)?),
            Self::Gem => Inner::Gem(gem::Version::parse(text)?),
            Self::Go => Inner::Go(Box::new(go::parse(text)?)),
            Self::Hackage => Inner::Hackage(hackage::Version::parse(text)?),
            Self::Maven => Inner::Maven(maven::Version::parse(text)?),
            Self::Npm => Inner::Npm(Box::new(npm::parse(text)?)),
            Self::Nuget => Inner::Nuget(nuget::Version::parse(text)?),
            Self::Pep440 => Inner::Pep440(pep440::parse(text)?),
            Self::Pub => Inner::Pub(pub_dev::Version::parse(text)?),
            Self::Rpm => Inner::Rpm(rpm::Version::parse(text)?),
            Self::Semver => Inner::Semver(Box::new(semver::parse(text)?)),
        }))
    }

    /// Parses a version out of a record. npm, semver and Go feeds write `1.0` for `1.0.0` here and there, and their own tools read it so; Dart's
    /// own tool does not, but its records come from the same hands. All other orders have short versions of their own, or none.
    #[must_use]
    pub fn parse_event(self, text: &str) -> Option<Version> {
        self.parse(text).or_else(|| match self {
            Self::Go | Self::Npm | Self::Pub | Self::Semver => self.parse(&completed(text)?),
            Self::Apk
            | Self::Composer
            | Self::Cran
            | Self::Dpkg
            | Self::Gem
            | Self::Hackage
            | Self::Maven
            | Self::Nuget
            | Self::Pep440
            | Self::Rpm => None,
        })
    }
}

/// Compares two versions of packages of `kind`; `None` when the kind has no order here or a text is no version of it.
#[must_use]
pub fn compare(kind: PackageKind, left: &str, right: &str) -> Option<Ordering> {
    let scheme = match kind {
        PackageKind::Apk => Scheme::Apk,
        PackageKind::Deb => Scheme::Dpkg,
        PackageKind::Rpm => Scheme::Rpm,
        PackageKind::Npm => Scheme::Npm,
        PackageKind::Pypi => Scheme::Pep440,
        PackageKind::Golang => Scheme::Go,
        PackageKind::Maven => Scheme::Maven,
        PackageKind::Gem => Scheme::Gem,
        PackageKind::Nuget => Scheme::Nuget,
        PackageKind::Composer => Scheme::Composer,
        PackageKind::Pub => Scheme::Pub,
        PackageKind::Cran => Scheme::Cran,
        PackageKind::Hackage => Scheme::Hackage,
        // Bitnami's records are semantic versions, and so are the versions that it writes into its images.
        PackageKind::Cargo | PackageKind::Bitnami | PackageKind::Hex | PackageKind::Swift => Scheme::Semver,
        PackageKind::Alpm
        | PackageKind::Ebuild
        | PackageKind::Opkg
        | PackageKind::Conda
        | PackageKind::Conan
        | PackageKind::Cpan
        | PackageKind::Luarocks
        | PackageKind::Opam
        | PackageKind::Cocoapods
        | PackageKind::Generic => return None,
    };
    scheme.parse_event(left)?.compare(&scheme.parse_event(right)?)
}

/// A parsed version.
#[derive(Debug, Clone)]
pub struct Version(Inner);

#[derive(Debug, Clone)]
enum Inner {
    Apk(apk::Version),
    Composer(composer::Version),
    Cran(cran::Version),
    Dpkg(dpkg::Version),
    Gem(gem::Version),
    Go(Box<::semver::Version>),
    Hackage(hackage::Version),
    Maven(maven::Version),
    Npm(Box<::semver::Version>),
    Nuget(nuget::Version),
    Pep440(pep440_rs::Version),
    Pub(pub_dev::Version),
    Rpm(rpm::Version),
    Semver(Box<::semver::Version>),
}

impl Version {
    /// Compares two versions of one scheme; versions of different schemes have no order.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Inner::Apk(a), Inner::Apk(b)) => Some(a.compare(b)),
            (Inner::Composer(a), Inner::Composer(b)) => Some(a.compare(b)),
            (Inner::Cran(a), Inner::Cran(b)) => Some(a.compare(b)),
            (Inner::Dpkg(a), Inner::Dpkg(b)) => Some(a.compare(b)),
            (Inner::Gem(a), Inner::Gem(b)) => Some(a.compare(b)),
            (Inner::Go(a), Inner::Go(b)) | (Inner::Npm(a), Inner::Npm(b)) | (Inner::Semver(a), Inner::Semver(b)) => {
                Some(a.cmp_precedence(b))
            }
            (Inner::Hackage(a), Inner::Hackage(b)) => Some(a.compare(b)),
            (Inner::Maven(a), Inner::Maven(b)) => Some(a.compare(b)),
            (Inner::Nuget(a), Inner::Nuget(b)) => Some(a.compare(b)),
            (Inner::Pep440(a), Inner::Pep440(b)) => Some(a.cmp(b)),
            (Inner::Pub(a), Inner::Pub(b)) => Some(a.compare(b)),
            (Inner::Rpm(a), Inner::Rpm(b)) => Some(a.compare(b)),
            _ => None,
        }
    }

    /// Compares this version with one out of a record; `None` when the text is none, or when `scheme` is not that of this version. Distributions
    /// have many records about each of their packages, so that theirs are compared where they lie.
    #[must_use]
    pub fn compare_event(&self, scheme: Scheme, text: &str) -> Option<Ordering> {
        match (&self.0, scheme) {
            (Inner::Dpkg(version), Scheme::Dpkg) if text.len() <= MAX_LENGTH => {
                dpkg::Version::<&str>::parse(text).map(|event| version.compare(&event))
            }
            (Inner::Rpm(version), Scheme::Rpm) if text.len() <= MAX_LENGTH => {
                rpm::Version::<&str>::parse(text).map(|event| version.compare(&event))
            }
            _ => self.compare(&scheme.parse_event(text)?),
        }
    }
}

/// `1` and `1.2` as `1.0.0` and `1.2.0`.
fn completed(text: &str) -> Option<String> {
    let text = text.strip_prefix('v').unwrap_or(text);
    let mut parts = text.split('.');
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().filter(|part| numeric(part))?;
    match (parts.next(), parts.next()) {
        (None, _) => Some(format!("{first}.0.0")),
        (Some(second), None) if numeric(second) => Some(format!("{first}.{second}.0")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_records_compare_as_the_versions_that_they_are() {
        let long = "1".repeat(MAX_LENGTH + 1);
        let texts =
            ["", "0", "1", "1.0", "1.0-1", "1.0-1.el8", "1.0-1.el9", "1:1.0-1", "1~rc1-1", "1^git-1", "1.0-1 ", "a:1", "v1.0.0", &long];
        for scheme in Scheme::ALL {
            for (version, text) in texts.iter().flat_map(|left| texts.iter().map(move |right| (scheme.parse(left), right))) {
                let Some(version) = version else { continue };
                assert_eq!(
                    version.compare_event(scheme, text),
                    scheme.parse_event(text).and_then(|event| version.compare(&event)),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn texts_that_are_no_versions_are_refused() {
        for (scheme, texts) in [
            (Scheme::Apk, ["0.8.21.r2", "1.11-20-r0", "1.", "1.a", "1ab", "1-r", "1-rx", "1_zeta", "4.8.0.-r1"].as_slice()),
            (Scheme::Composer, &["dev-main", "master", "1.0-foo", "1.2.3.4.5", "1 0", "1.0-2", "x-dev", "#", "1.0@", "v"]),
            (Scheme::Cran, &["1", "1.", "1.a", "1..2", "-1"]),
            (Scheme::Dpkg, &["1 0", "x2.1-1", "1:x2.1-1", "x:2.1-1", ":1", "1:", "1.0-", "1.0-1:2", "2147483648:1", "1/2", "1.0-\u{e9}"]),
            (Scheme::Gem, &["1beta", "a", "1.", ".1", "1..2", "1-", "1.0-x86_64-linux", "1_0", "1.0 rc"]),
            (Scheme::Go, &["(devel)", "v1", "v1.2.3.4", "go1.21alpha1", "go1.21rc", "1.21.3rc1x", "devel go1.23", "v01.2.3"]),
            (Scheme::Hackage, &["1.", "1.01", "1-2", "1234567890", "1.a"]),
            (Scheme::Maven, &["${revision}", "1 0", "1\n", "1.0\u{e9}"]),
            (Scheme::Npm, &["1.0", "latest", "1.02.3", "1.2.3beta", "1.2.3-01", "9007199254740992.0.0", "V1.0.0"]),
            (Scheme::Nuget, &["v1.0", "1.2.3.4.5", "1..2", "1.0-", "1.0-a..b", "1.0-a_b", "1.0+", "-1"]),
            (Scheme::Pep440, &["0.1-bulbasaur", "trunk", "1.0-final", "0.3m1"]),
            (Scheme::Pub, &["1.2", "1.2.x", "1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-a_b", "vv1.2.3"]),
            (Scheme::Rpm, &["1 0", "1\t"]),
            (Scheme::Semver, &["2.0", "(devel)", "V1.0.0", "2024.03.30", "1.0.0.alpha", "1.1.3.4.5"]),
        ] {
            for text in texts.iter().chain(&["", " "]) {
                assert!(scheme.parse(text).is_none(), "{scheme:?} {text:?}");
            }
            assert!(scheme.parse(&"1".repeat(MAX_LENGTH + 1)).is_none(), "{scheme:?}");
        }
    }

    #[test]
    fn records_may_write_short_versions() {
        for (scheme, full) in [(Scheme::Npm, "1.0.0"), (Scheme::Semver, "1.0.0"), (Scheme::Go, "v1.0.0"), (Scheme::Pub, "1.0.0")] {
            let one = scheme.parse(full).unwrap();
            for text in ["1", "1.0", "v1.0"] {
                assert_eq!(scheme.parse_event(text).unwrap().compare(&one), Some(Ordering::Equal), "{scheme:?} {text}");
            }
        }
        assert!(Scheme::Semver.parse_event("1.0.0.0").is_none());
        for (scheme, text) in [(Scheme::Nuget, "v1"), (Scheme::Cran, "1"), (Scheme::Hackage, "v1"), (Scheme::Composer, "1-foo")] {
            assert!(scheme.parse_event(text).is_none(), "{scheme:?} {text}");
        }
    }

    #[test]
    fn versions_of_different_schemes_have_no_order() {
        let text = "1.0.0";
        for (place, a) in Scheme::ALL.into_iter().enumerate() {
            for b in Scheme::ALL.into_iter().skip(place + 1) {
                assert_eq!(a.parse(text).unwrap().compare(&b.parse(text).unwrap()), None, "{a:?} {b:?}");
            }
        }
        assert!(Scheme::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn packages_are_compared_by_their_kind() {
        for (kind, a, b) in [
            (PackageKind::Maven, "1.0.Final", "1.0"),
            (PackageKind::Gem, "1.0", "1"),
            (PackageKind::Nuget, "1.0-RC1", "1.0.0.0-rc1"),
            (PackageKind::Composer, "v1", "1.0.0"),
            (PackageKind::Golang, "v1.0.0+incompatible", "1.0.0"),
            (PackageKind::Bitnami, "1.0.0", "1.0"),
        ] {
            assert_eq!(compare(kind, a, b), Some(Ordering::Equal), "{kind:?}");
        }
        assert_eq!(compare(PackageKind::Composer, "dev-main", "1.0"), None);
        assert_eq!(compare(PackageKind::Generic, "1.0", "1.0"), None);
    }
}
