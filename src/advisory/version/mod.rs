//! One version order per file. In: the text of a version and the scheme it follows. Out: a parsed version that compares, or "no such version",
//! which is never taken for "not affected" (advisories.md R16).

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
            Self::Dpkg => Inner::Dpkg(dpkg::parse(text)?),
            Self::Gem => Inner::Gem(gem::Version::parse(text)?),
            Self::Go => Inner::Go(Box::new(go::parse(text)?)),
            Self::Hackage => Inner::Hackage(hackage::Version::parse(text)?),
            Self::Maven => Inner::Maven(maven::Version::parse(text)?),
            Self::Npm => Inner::Npm(Box::new(npm::parse(text)?)),
            Self::Nuget => Inner::Nuget(nuget::Version::parse(text)?),
            Self::Pep440 => Inner::Pep440(Box::new(pep440::parse(text)?)),
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
    Dpkg(debversion::Version),
    Gem(gem::Version),
    Go(Box<::semver::Version>),
    Hackage(hackage::Version),
    Maven(maven::Version),
    Npm(Box<node_semver::Version>),
    Nuget(nuget::Version),
    Pep440(Box<pep440_rs::Version>),
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
            (Inner::Dpkg(a), Inner::Dpkg(b)) => Some(a.cmp(b)),
            (Inner::Gem(a), Inner::Gem(b)) => Some(a.compare(b)),
            (Inner::Go(a), Inner::Go(b)) | (Inner::Semver(a), Inner::Semver(b)) => Some(a.cmp_precedence(b)),
            (Inner::Hackage(a), Inner::Hackage(b)) => Some(a.compare(b)),
            (Inner::Maven(a), Inner::Maven(b)) => Some(a.compare(b)),
            (Inner::Npm(a), Inner::Npm(b)) => Some(a.cmp(b)),
            (Inner::Nuget(a), Inner::Nuget(b)) => Some(a.compare(b)),
            (Inner::Pep440(a), Inner::Pep440(b)) => Some(a.cmp(b)),
            (Inner::Pub(a), Inner::Pub(b)) => Some(a.compare(b)),
            (Inner::Rpm(a), Inner::Rpm(b)) => Some(a.compare(b)),
            _ => None,
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
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn vectors(name: &str) -> Option<Vec<(String, String, String)>> {
        let folder = std::env::var_os("PLIMSOLL_CORPUS").map(PathBuf::from)?.join("corpus/versions");
        serde_json::from_str(&std::fs::read_to_string(folder.join(format!("{name}.json"))).ok()?).ok()
    }

    /// Runs one file of vectors; `compare` gives the raw order of the tool that decided them.
    fn run(name: &str, compare: impl Fn(&str, &str) -> Option<Ordering>) {
        let Some(rows) = vectors(name) else {
            eprintln!("skipped: PLIMSOLL_CORPUS is not set");
            return;
        };
        let mut wrong = Vec::new();
        for (a, op, b) in &rows {
            let expected = match op.as_str() {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                _ => Ordering::Greater,
            };
            if compare(a, b) != Some(expected) || compare(b, a) != Some(expected.reverse()) {
                wrong.push(format!("{a} {op} {b}: {:?}, back {:?}", compare(a, b), compare(b, a)));
            }
        }
        println!("{name}: {} of {}", rows.len() - wrong.len(), rows.len());
        assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    fn scheme(scheme: Scheme) -> impl Fn(&str, &str) -> Option<Ordering> {
        move |a, b| scheme.parse(a)?.compare(&scheme.parse(b)?)
    }

    #[test]
    fn vectors_dpkg() {
        run("dpkg", scheme(Scheme::Dpkg));
    }

    #[test]
    fn vectors_pypi() {
        run("pypi", scheme(Scheme::Pep440));
    }

    #[test]
    fn vectors_npm() {
        run("semver", scheme(Scheme::Npm));
    }

    #[test]
    fn vectors_semver() {
        run("semver", scheme(Scheme::Semver));
    }

    #[test]
    fn vectors_rpm() {
        run("rpm", scheme(Scheme::Rpm));
    }

    #[test]
    fn vectors_apk() {
        run("apk", |a, b| Some(apk::compare(a, b)));
    }

    #[test]
    fn vectors_of_languages() {
        for (name, order) in [
            ("cran", Scheme::Cran),
            ("hackage", Scheme::Hackage),
            ("maven", Scheme::Maven),
            ("nuget", Scheme::Nuget),
            ("pub", Scheme::Pub),
            ("rubygems", Scheme::Gem),
        ] {
            run(name, scheme(order));
        }
    }

    #[test]
    fn vectors_composer() {
        run("packagist", |a, b| Some(composer::version_compare(a, b)));
    }

    #[test]
    fn texts_that_are_no_versions_are_refused() {
        for (scheme, text) in [
            (Scheme::Apk, "0.8.21.r2"),
            (Scheme::Apk, "1.11-20-r0"),
            (Scheme::Apk, ""),
            (Scheme::Dpkg, "1 0"),
            (Scheme::Dpkg, ""),
            (Scheme::Dpkg, "x2.1-1"),
            (Scheme::Dpkg, "1:x2.1-1"),
            (Scheme::Dpkg, "x:2.1-1"),
            (Scheme::Npm, "1.0"),
            (Scheme::Npm, "latest"),
            (Scheme::Pep440, "0.1-bulbasaur"),
            (Scheme::Rpm, ""),
            (Scheme::Semver, "2.0"),
            (Scheme::Semver, "(devel)"),
        ] {
            assert!(scheme.parse(text).is_none(), "{scheme:?} {text}");
        }
        assert!(Scheme::Dpkg.parse(&"1".repeat(MAX_LENGTH + 1)).is_none());
        for text in ["13.2.1_git20231014-r0", "6.6.4p1-r0", "1.1.1k-r0", "8.1_p1-r0", "20191127-r2"] {
            assert!(Scheme::Apk.parse(text).is_some(), "{text}");
        }
        for text in ["1.", "1.a", "1ab", "1-r", "1-rx", "1_zeta", "4.8.0.-r1"] {
            assert!(Scheme::Apk.parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn records_may_write_short_versions() {
        let one = Scheme::Npm.parse("1.0.0").unwrap();
        for text in ["1", "1.0", "v1.0"] {
            assert_eq!(Scheme::Npm.parse_event(text).unwrap().compare(&one), Some(Ordering::Equal), "{text}");
        }
        assert!(Scheme::Semver.parse_event("1.0.0.0").is_none());
    }

    proptest! {
        #[test]
        fn orders_never_panic_and_are_antisymmetric(a in "\\PC{0,24}", b in "[0-9a-z.:~^+_-]{0,16}") {
            for scheme in Scheme::ALL {
                if let (Some(x), Some(y)) = (scheme.parse(&a).or_else(|| scheme.parse("1.0.0")), scheme.parse(&b)) {
                    prop_assert_eq!(x.compare(&y), y.compare(&x).map(Ordering::reverse));
                    prop_assert_eq!(y.compare(&y), Some(Ordering::Equal));
                }
            }
            let _ = apk::compare(&a, &b);
        }
    }
}
