//! `Package`, `PackageUrl`, `Distro`, `Inventory`: what is installed in an image.

use std::{collections::BTreeMap, fmt};

use crate::model::{coverage::Gap, digest::Digest, location::Location};

/// The kind of a package: which records it comes from and which version order it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PackageKind {
    /// Alpine, Wolfi and Chainguard packages.
    Apk,
    /// Debian and Ubuntu packages.
    Deb,
    /// RPM packages.
    Rpm,
    /// npm packages.
    Npm,
    /// Python distributions.
    Pypi,
    /// Rust crates.
    Cargo,
    /// Go modules.
    Golang,
    /// Maven artifacts.
    Maven,
    /// Ruby gems.
    Gem,
    /// .NET packages.
    Nuget,
    /// PHP Composer packages.
    Composer,
    /// Arch Linux packages.
    Alpm,
    /// Gentoo packages.
    Ebuild,
    /// OpenWrt and Yocto packages.
    Opkg,
    /// conda packages.
    Conda,
    /// Conan packages.
    Conan,
    /// Erlang and Elixir packages.
    Hex,
    /// Dart packages.
    Pub,
    /// R packages.
    Cran,
    /// Swift packages.
    Swift,
    /// Bitnami components.
    Bitnami,
    /// Perl distributions.
    Cpan,
    /// Lua rocks.
    Luarocks,
    /// Haskell packages.
    Hackage,
    /// OCaml packages.
    Opam,
    /// CocoaPods.
    Cocoapods,
    /// Anything else.
    Generic,
}

impl PackageKind {
    /// Every kind.
    pub const ALL: [Self; 27] = [
        Self::Apk,
        Self::Deb,
        Self::Rpm,
        Self::Npm,
        Self::Pypi,
        Self::Cargo,
        Self::Golang,
        Self::Maven,
        Self::Gem,
        Self::Nuget,
        Self::Composer,
        Self::Alpm,
        Self::Ebuild,
        Self::Opkg,
        Self::Conda,
        Self::Conan,
        Self::Hex,
        Self::Pub,
        Self::Cran,
        Self::Swift,
        Self::Bitnami,
        Self::Cpan,
        Self::Luarocks,
        Self::Hackage,
        Self::Opam,
        Self::Cocoapods,
        Self::Generic,
    ];

    /// The kind of a purl type; `None` for one that has no kind of its own.
    #[must_use]
    pub fn of_purl_type(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.purl_type() == text)
    }

    /// The purl type.
    #[must_use]
    pub const fn purl_type(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Npm => "npm",
            Self::Pypi => "pypi",
            Self::Cargo => "cargo",
            Self::Golang => "golang",
            Self::Maven => "maven",
            Self::Gem => "gem",
            Self::Nuget => "nuget",
            Self::Composer => "composer",
            Self::Alpm => "alpm",
            Self::Ebuild => "ebuild",
            Self::Opkg => "opkg",
            Self::Conda => "conda",
            Self::Conan => "conan",
            Self::Hex => "hex",
            Self::Pub => "pub",
            Self::Cran => "cran",
            Self::Swift => "swift",
            Self::Bitnami => "bitnami",
            Self::Cpan => "cpan",
            Self::Luarocks => "luarocks",
            Self::Hackage => "hackage",
            Self::Opam => "opam",
            Self::Cocoapods => "cocoapods",
            Self::Generic => "generic",
        }
    }

    /// Whether the distribution's package manager installed it.
    #[must_use]
    pub const fn is_os(self) -> bool {
        matches!(self, Self::Apk | Self::Deb | Self::Rpm | Self::Alpm | Self::Ebuild | Self::Opkg)
    }
}

/// A package URL in canonical form (<https://github.com/package-url/purl-spec>): type lower case, parts percent-encoded, qualifiers sorted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageUrl(String);

impl PackageUrl {
    /// Builds a purl from raw (unencoded) parts; empty qualifier values are left out.
    #[must_use]
    pub fn new(kind: PackageKind, namespace: Option<&str>, name: &str, version: Option<&str>, qualifiers: &BTreeMap<&str, String>) -> Self {
        let mut text = format!("pkg:{}/", kind.purl_type());
        for part in namespace.into_iter().flat_map(|namespace| namespace.split('/')).filter(|part| !part.is_empty()) {
            encode(part, &mut text);
            text.push('/');
        }
        encode(name, &mut text);
        if let Some(version) = version {
            text.push('@');
            encode(version, &mut text);
        }
        let mut separator = '?';
        for (key, value) in qualifiers.iter().filter(|(_, value)| !value.is_empty()) {
            text.push(separator);
            text.push_str(key);
            text.push('=');
            encode(value, &mut text);
            separator = '&';
        }
        Self(text)
    }

    /// Takes a purl as another tool wrote it; `None` when it does not start with `pkg:`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.starts_with("pkg:").then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The purl without version, qualifiers and subpath: the identity that fingerprints and exceptions use.
    #[must_use]
    pub fn without_version(&self) -> &str {
        let head = self.0.split(['?', '#']).next().unwrap_or_default();
        head.rsplit_once('@').map_or(head, |(name, _)| name)
    }
}

impl fmt::Display for PackageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes everything but letters, digits and `.-_~:` (the purl specification leaves the colon as it is).
/// A PyPI name in its one spelling: lower case, runs of `-`, `_` and `.` as one `-` (PEP 503, <https://peps.python.org/pep-0503/>).
#[must_use]
pub fn pypi_name(name: &str) -> String {
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

fn encode(part: &str, out: &mut String) {
    use fmt::Write as _;
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The source package that an OS package was built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePackage {
    /// Name.
    pub name: String,
    /// Version, when it is known (rpm: without an epoch, because the file name has none).
    pub version: Option<String>,
}

/// One installed thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Which records it comes from.
    pub kind: PackageKind,
    /// Name as written; npm with its scope, Maven as `group:artifact`.
    pub name: String,
    /// Version as written; rpm as `[epoch:]version-release`, deb with its epoch.
    pub version: String,
    /// Package URL.
    pub purl: PackageUrl,
    /// Architecture as written; OS packages only.
    pub arch: Option<String>,
    /// Source package; OS packages only. For apk the origin.
    pub source: Option<SourcePackage>,
    /// rpm `MODULARITYLABEL`, as `name:stream:version:context`.
    pub modularity: Option<String>,
    /// rpm vendor.
    pub vendor: Option<String>,
    /// Licence texts as written, sorted.
    pub licences: Vec<String>,
    /// Where its records stand; never empty for a package that an image holds.
    pub locations: Vec<Location>,
    /// The OS package (`name`) that owns its record.
    pub owner: Option<String>,
    /// Id of the cataloger that found it.
    pub found_by: &'static str,
    /// How sure it is that this is installed, and that this is what it is.
    pub basis: Basis,
    /// Digests of the file that it is, where it is one file; sorted.
    pub hashes: Vec<Digest>,
}

/// What an entry of the inventory rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// A record that an installer, compiler or packager left of an installed thing.
    #[default]
    Installed,
    /// A lock file beside which nothing is installed: the thing is wanted, and whether it is there is not known.
    Declared,
    /// Traces, such as a file's name or a text in a program: name, group or version may be others.
    Guessed,
    /// The program that the image was made for, named by its own manifest. It is not matched with advisories.
    Application,
}

impl Basis {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Declared => "declared",
            Self::Guessed => "guessed",
            Self::Application => "application",
        }
    }
}

impl Package {
    /// A package of which nothing more is known yet.
    #[must_use]
    pub const fn new(kind: PackageKind, name: String, version: String, purl: PackageUrl, found_by: &'static str) -> Self {
        Self {
            kind,
            name,
            version,
            purl,
            arch: None,
            source: None,
            modularity: None,
            vendor: None,
            licences: Vec::new(),
            locations: Vec::new(),
            owner: None,
            found_by,
            basis: Basis::Installed,
            hashes: Vec::new(),
        }
    }

    /// Digest of the layer that holds the first location.
    #[must_use]
    pub fn layer(&self) -> Option<&Digest> {
        self.locations.iter().find_map(|location| match location {
            Location::Image { layer, .. } => Some(layer),
            _ => None,
        })
    }

    /// The order of inventories: purl, then locations.
    #[must_use]
    pub fn sort_key(&self) -> (&PackageUrl, &[Location]) {
        (&self.purl, &self.locations)
    }
}

/// The distribution, from os-release and its older kin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distro {
    /// `ID`, e.g. `debian`.
    pub id: String,
    /// `ID_LIKE`, split.
    pub id_like: Vec<String>,
    /// `VERSION_ID`, e.g. `12`.
    pub version_id: Option<String>,
    /// `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`.
    pub pretty_name: Option<String>,
}

/// Everything that is installed in one image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The distribution, when the image says which it is.
    pub distro: Option<Distro>,
    /// Packages sorted by [`Package::sort_key`].
    pub packages: Vec<Package>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_canonical() {
        let qualifiers = BTreeMap::from([("distro", "debian-12".to_owned()), ("arch", "amd64".to_owned()), ("upstream", String::new())]);
        let purl = PackageUrl::new(PackageKind::Deb, Some("debian"), "libstdc++6", Some("1:12.2.0-14+deb12u1"), &qualifiers);
        assert_eq!(purl.as_str(), "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12");
        assert_eq!(purl.without_version(), "pkg:deb/debian/libstdc%2B%2B6");
        let purl = PackageUrl::new(PackageKind::Npm, Some("@babel"), "core", Some("7.0.0"), &BTreeMap::new());
        assert_eq!(purl.as_str(), "pkg:npm/%40babel/core@7.0.0");
        assert_eq!(purl.without_version(), "pkg:npm/%40babel/core");
    }
}
