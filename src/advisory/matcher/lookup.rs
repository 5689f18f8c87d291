//! Under which name and version a feed knows a package (advisories.md R1, R2, R10, R11). In: an ecosystem and a package; out: what to look up, how
//! to read versions, and how sure the match would be.

use std::borrow::Cow;

use crate::{
    advisory::{
        ecosystem::{Ecosystem, Key, index_name},
        range::{Epochs, Reading},
        version::is_pseudo_version,
    },
    model::{
        location::Location,
        package::{Basis, Package, PackageKind},
    },
};

/// The name of the tools of Go in its feed.
const GO_TOOLCHAIN: &str = "toolchain";

/// What is looked up for one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lookup<'a> {
    /// The name in the form of the index.
    pub(super) name: Cow<'a, str>,
    /// The version that is compared.
    pub(super) version: Cow<'a, str>,
    /// How versions are read.
    pub(super) reading: Reading,
    /// Whose name that is, in words.
    pub(super) by: &'static str,
    /// Why a match is not sure.
    pub(super) doubt: Option<&'static str>,
    /// Why nothing can match: the version says nothing about what is in the program.
    pub(super) meaningless: Option<&'static str>,
    /// Why a row that does not hit says nothing, either: only hits count.
    pub(super) unplaced: Option<&'static str>,
}

impl<'a> Lookup<'a> {
    /// What to look up; the error says why that is not known.
    pub(super) fn of(ecosystem: &Ecosystem, package: &'a Package) -> Result<Self, &'static str> {
        let mut lookup = Self::own(ecosystem, package);
        match (ecosystem.key, &package.source) {
            (Key::Own, _) => {}
            (Key::Origin, Some(origin)) => {
                lookup.name = Cow::Borrowed(&origin.name);
                lookup.by = "origin";
            }
            (Key::Source, Some(source)) if package.kind == PackageKind::Rpm && source.name == package.name => {}
            (Key::Source, Some(source)) => {
                lookup.name = Cow::Borrowed(&source.name);
                lookup.by = "source package";
                if let Some(version) = &source.version {
                    lookup.version = Cow::Borrowed(version);
                } else if package.kind == PackageKind::Rpm {
                    lookup.doubt = Some("the version of the source package is not known");
                }
                // The file name of a source rpm has no epoch.
                if package.kind == PackageKind::Rpm {
                    lookup.reading.epochs = Epochs::LeftOut;
                }
            }
            // dpkg names the source only where it differs.
            (Key::Source, None) if package.kind == PackageKind::Deb => {}
            (Key::Origin | Key::Source, None) => return Err("the package does not say what it was built from"),
        }
        Ok(lookup)
    }

    fn own(ecosystem: &Ecosystem, package: &'a Package) -> Self {
        let version = package.version.as_str();
        let mut lookup = Self {
            name: index_name(package.kind, &package.name),
            version: Cow::Borrowed(version),
            reading: Reading::plain(ecosystem.scheme),
            by: "own name",
            doubt: (package.basis == Basis::Guessed).then_some("name, group or version are guessed from traces"),
            meaningless: None,
            unplaced: None,
        };
        match package.kind {
            PackageKind::Golang => lookup.read_go(package),
            PackageKind::Gem => lookup.version = Cow::Borrowed(without_platform(version)),
            PackageKind::Bitnami => lookup.version = Cow::Borrowed(without_revision(version)),
            _ => {}
        }
        lookup
    }

    /// The same for the tools of Go where the package is the standard library of the `go` command: the image holds a toolchain of its version, which
    /// the feed has advisories about, and nothing else in the image says so.
    pub(super) fn of_go_toolchain(ecosystem: &Ecosystem, package: &'a Package) -> Option<Self> {
        let is_go = |location: &Location| matches!(location, Location::Image { path, .. } if path.ends_with("/bin/go"));
        let is_toolchain = package.kind == PackageKind::Golang && package.name == "stdlib" && package.locations.iter().any(is_go);
        is_toolchain.then(|| Self {
            name: Cow::Borrowed(GO_TOOLCHAIN),
            by: "standard library of the go command",
            ..Self::own(ecosystem, package)
        })
    }

    /// R10: what Go's tools write where no release was built.
    fn read_go(&mut self, package: &'a Package) {
        let version = package.version.as_str();
        if matches!(self.name.as_ref(), "stdlib" | GO_TOOLCHAIN) {
            // Experiments stand behind a blank, and behind a dash from Go 1.26 on.
            let release = version.split(' ').next().unwrap_or(version).split("-X:").next().unwrap_or(version);
            self.version = Cow::Borrowed(release.strip_prefix("go").unwrap_or(release));
            if package.basis == Basis::Guessed {
                // The commit lies somewhere before the release that it is named for.
                self.version = Cow::Owned(format!("{}-0", self.version));
                self.unplaced = Some("the version is that of a development build of Go, not of a release");
            }
            return;
        }
        let bare = version.strip_prefix('v').unwrap_or(version);
        let is_of_main_module = package.basis == Basis::Guessed || version.ends_with("+dirty");
        if bare.is_empty() || bare == "(devel)" || (is_of_main_module && bare.starts_with("0.0.0-")) {
            self.meaningless = Some("the version is that of a program built from a working copy, not of a release");
        } else if is_pseudo_version(bare) {
            self.doubt = Some("the version names a commit, whose place among the releases is not sure");
        }
    }
}

/// `1.16.5-x86_64-linux`: the platform that a gem was built for is no part of its version.
fn without_platform(version: &str) -> &str {
    const PLATFORMS: &[&str] =
        &["linux", "darwin", "java", "mingw", "mswin", "musl", "x86", "arm", "aarch64", "universal", "jruby", "freebsd", "ruby"];
    match version.split_once('-') {
        Some((number, platform)) if PLATFORMS.iter().any(|word| platform.contains(word)) => number,
        _ => version,
    }
}

/// `7.0.1-2`: Bitnami counts its own builds of one release, the records do not.
fn without_revision(version: &str) -> &str {
    match version.rsplit_once('-') {
        Some((release, build)) if !build.is_empty() && build.len() <= 4 && build.bytes().all(|byte| byte.is_ascii_digit()) => release,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        advisory::ecosystem::of_text,
        model::package::{PackageUrl, SourcePackage},
    };

    fn package(kind: PackageKind, name: &str, version: &str) -> Package {
        let purl = PackageUrl::new(kind, None, name, Some(version), &std::collections::BTreeMap::new());
        Package::new(kind, name.to_owned(), version.to_owned(), purl, "test")
    }

    fn from_source(package: Package, name: &str, version: Option<&str>) -> Package {
        Package { source: Some(SourcePackage { name: name.to_owned(), version: version.map(str::to_owned) }), ..package }
    }

    fn check(ecosystem: &str, package: &Package) -> Option<(String, String, Epochs, &'static str)> {
        let lookup = Lookup::of(of_text(ecosystem).unwrap(), package).ok()?;
        Some((lookup.name.into_owned(), lookup.version.into_owned(), lookup.reading.epochs, lookup.by))
    }

    #[test]
    fn r1_every_feed_has_its_own_name_for_a_package() {
        let told = |name: &str, version: &str, epochs, by| Some((name.to_owned(), version.to_owned(), epochs, by));
        let (count, left_out) = (Epochs::Count, Epochs::LeftOut);
        let deb = from_source(package(PackageKind::Deb, "libmast1", "2:1-1+b2"), "mast", Some("1:1-1"));
        assert_eq!(check("Debian:12", &deb), told("mast", "1:1-1", count, "source package"));
        assert_eq!(check("Ubuntu:22.04:LTS", &package(PackageKind::Deb, "mast", "1-1")), told("mast", "1-1", count, "own name"));
        let apk = from_source(package(PackageKind::Apk, "mast-libs", "1-r1"), "mast", None);
        assert_eq!(check("Alpine:v3.20", &apk), told("mast", "1-r1", count, "origin"));
        assert_eq!(check("Alpine:v3.20", &package(PackageKind::Apk, "mast", "1-r1")), None);
        let rpm = from_source(package(PackageKind::Rpm, "mast-libs", "3:2-1.el8"), "mast", Some("1-1.el8"));
        assert_eq!(check("AlmaLinux:8", &rpm), told("mast-libs", "3:2-1.el8", count, "own name"));
        assert_eq!(check("Rocky Linux:8", &rpm), told("mast", "1-1.el8", left_out, "source package"));
        let same = from_source(package(PackageKind::Rpm, "mast", "3:1-1.el8"), "mast", Some("1-1.el8"));
        assert_eq!(check("Rocky Linux:8", &same), told("mast", "3:1-1.el8", count, "own name"));
        assert_eq!(check("openSUSE:Leap 15.5", &package(PackageKind::Rpm, "mast", "1-1")), None);
    }

    #[test]
    fn r10_versions_of_working_copies_mean_nothing_and_commits_are_doubted() {
        for (version, basis, meaningless, doubted) in [
            ("v1.2.3", Basis::Installed, false, false),
            ("v2.0.0+incompatible", Basis::Installed, false, false),
            ("(devel)", Basis::Installed, true, false),
            ("v0.0.0-20240102030405-0123456789ab", Basis::Guessed, true, true),
            ("v0.0.0-20240102030405-0123456789ab+dirty", Basis::Installed, true, false),
            ("v0.0.0-20240102030405-0123456789ab", Basis::Installed, false, true),
            ("v1.2.4-0.20240102030405-0123456789ab", Basis::Installed, false, true),
            ("v1.2.4-rc.1", Basis::Installed, false, false),
        ] {
            let package = Package { basis, ..package(PackageKind::Golang, "example.org/mast", version) };
            let lookup = Lookup::own(of_text("Go").unwrap(), &package);
            assert_eq!((lookup.meaningless.is_some(), lookup.doubt.is_some()), (meaningless, doubted), "{version} {basis:?}");
        }
        let standard = package(PackageKind::Golang, "stdlib", "go1.22.1 X:nocoverageredesign");
        let lookup = Lookup::own(of_text("Go").unwrap(), &standard);
        assert_eq!(lookup.version, "1.22.1");
        let standard = |version: &str| package(PackageKind::Golang, "stdlib", version);
        for (version, expected) in [
            ("1.22.5 X:boringcrypto", "1.22.5"),
            ("go1.26.1-X:jsonv2", "1.26.1"),
            ("go1.23-abcdef", "1.23-abcdef"),
            ("devel go1.23-abcdef", "devel"),
        ] {
            let package = standard(version);
            let lookup = Lookup::own(of_text("Go").unwrap(), &package);
            assert_eq!((lookup.version.as_ref(), lookup.unplaced), (expected, None), "{version}");
        }
        let development = Package { basis: Basis::Guessed, ..standard("1.23.0") };
        let lookup = Lookup::own(of_text("Go").unwrap(), &development);
        assert_eq!((lookup.version.as_ref(), lookup.unplaced.is_some()), ("1.23.0-0", true));
    }

    #[test]
    fn what_is_no_part_of_the_version_is_left_out() {
        for (text, expected) in
            [("1.16.5-x86_64-linux", "1.16.5"), ("1.16.5-java", "1.16.5"), ("1.16.5", "1.16.5"), ("1.0.0-rc1", "1.0.0-rc1")]
        {
            assert_eq!(without_platform(text), expected);
        }
        for (text, expected) in [("7.0.1-2", "7.0.1"), ("7.0.1", "7.0.1"), ("7.0.1-rc.1", "7.0.1-rc.1")] {
            assert_eq!(without_revision(text), expected);
        }
    }
}
