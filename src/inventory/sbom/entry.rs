//! One component of a document in, a package out: its purl says of what kind it is.
//! Specification of purls: <https://github.com/package-url/purl-spec>.

use std::collections::BTreeMap;

use crate::model::package::{Basis, Package, PackageKind, PackageUrl, SourcePackage};

/// Licences of one component that are kept.
const LICENCES: usize = 20;
/// Bytes of one licence that is kept.
const LICENCE_BYTES: usize = 200;

/// What a document says of one component.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: Option<String>,
    pub version: Option<String>,
    pub purl: Option<String>,
    pub licences: Vec<String>,
    pub source_name: Option<String>,
    pub source_version: Option<String>,
    pub modularity: Option<String>,
    pub vendor: Option<String>,
    /// The OS package that its record belongs to.
    pub owner: Option<String>,
    pub basis: Option<Basis>,
}

impl Entry {
    /// How a Gap names it.
    pub(super) fn label(&self) -> String {
        let name = self.purl.as_deref().or(self.name.as_deref()).unwrap_or("component without a name");
        name.chars().take(200).collect()
    }

    /// Notes what syft, Trivy and this program itself say beside the fields of the formats.
    pub(super) fn note(&mut self, name: &str, value: String) {
        match name {
            // syft names the origin of an apk in its own way.
            "syft:metadata:source" | "syft:metadata:originPackage" | "aquasecurity:trivy:SrcName" | "plimsoll:source-name" => {
                self.source_name = Some(value);
            }
            "syft:metadata:sourceVersion" | "aquasecurity:trivy:SrcVersion" | "plimsoll:source-version" => {
                self.source_version = Some(value)
            }
            "syft:metadata:modularityLabel" | "aquasecurity:trivy:Modularitylabel" | "plimsoll:modularity" => self.modularity = Some(value),
            "syft:metadata:vendor" => self.vendor = Some(value),
            "plimsoll:owner" => self.owner = Some(value),
            "plimsoll:basis" => {
                let all = [Basis::Installed, Basis::Declared, Basis::Guessed, Basis::Application];
                self.basis = all.into_iter().find(|basis| basis.name() == value);
            }
            _ => {}
        }
    }

    /// The type of its purl; empty without one.
    pub(super) fn purl_type(&self) -> &str {
        self.purl.as_deref().and_then(|purl| purl.strip_prefix("pkg:")).and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }

    /// The package.
    ///
    /// # Errors
    /// Why it is none that could be looked up.
    pub(super) fn into_package(self, found_by: &'static str) -> Result<(Package, Option<String>), &'static str> {
        let written = self.purl.as_deref().ok_or("the component has no package URL")?;
        let purl = PackageUrl::parse(written).ok_or("its package URL does not begin with `pkg:`")?;
        let mut parts = purl.parts().ok_or("its package URL has no type or no name, or is no text")?;
        let version = parts.version.take().or(self.version).filter(|version| version != "UNKNOWN").ok_or("it has no version")?;
        let kind = PackageKind::of_purl_type(&parts.purl_type);
        let distro = parts.qualifiers.get("distro").cloned();
        let qualifiers: BTreeMap<&str, String> = parts.qualifiers.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let name = full_name(kind, parts.namespace.as_deref(), &parts.name);
        // Written anew, so that it is the text that reading the image itself would give, and exceptions hold for both.
        let purl = kind.map_or(purl, |kind| PackageUrl::new(kind, parts.namespace.as_deref(), &parts.name, Some(&version), &qualifiers));
        let kind = kind.unwrap_or(PackageKind::Generic);
        let epoch = parts.qualifiers.get("epoch").filter(|epoch| epoch.as_str() != "0" && !version.contains(':'));
        let version = match (kind, epoch) {
            (PackageKind::Rpm | PackageKind::Deb, Some(epoch)) => format!("{epoch}:{version}"),
            _ => version,
        };
        let mut package = Package::new(kind, name, version, purl, found_by);
        if kind.is_os() {
            package.arch = parts.qualifiers.get("arch").cloned();
            package.source = source(kind, parts.qualifiers.get("upstream"), self.source_name, self.source_version);
            package.modularity =
                self.modularity.or_else(|| parts.qualifiers.get("modularitylabel").or(parts.qualifiers.get("rpmmod")).cloned());
            package.vendor = self.vendor.filter(|_| kind == PackageKind::Rpm);
        } else {
            package.owner = self.owner;
        }
        package.basis = self.basis.unwrap_or_default();
        package.licences = licences(self.licences);
        Ok((package, distro))
    }
}

/// The name as catalogers write it.
fn full_name(kind: Option<PackageKind>, namespace: Option<&str>, name: &str) -> String {
    match (kind, namespace) {
        (Some(PackageKind::Maven), Some(group)) => format!("{group}:{name}"),
        (Some(PackageKind::Npm | PackageKind::Golang | PackageKind::Composer | PackageKind::Swift), Some(namespace)) => {
            format!("{namespace}/{name}")
        }
        // A type of its own has no catalog to compare with; the whole path tells its packages apart.
        (None, Some(namespace)) => format!("{namespace}/{name}"),
        _ => name.to_owned(),
    }
}

/// The source package: `upstream` is `name[@version]`, and for rpm the name of the source archive.
fn source(kind: PackageKind, upstream: Option<&String>, name: Option<String>, version: Option<String>) -> Option<SourcePackage> {
    if let Some(name) = name {
        return Some(SourcePackage { name, version });
    }
    let upstream = upstream?;
    if kind == PackageKind::Rpm {
        let archive = upstream.strip_suffix(".src.rpm").or_else(|| upstream.strip_suffix(".nosrc.rpm"))?;
        let (rest, release) = archive.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        return Some(SourcePackage { name: name.to_owned(), version: Some(format!("{version}-{release}")) });
    }
    let (name, version) = upstream.split_once('@').map_or((upstream.as_str(), None), |(name, version)| (name, Some(version)));
    Some(SourcePackage { name: name.to_owned(), version: version.map(str::to_owned) })
}

fn licences(mut licences: Vec<String>) -> Vec<String> {
    licences.retain(|licence| licence.len() <= LICENCE_BYTES && !matches!(licence.as_str(), "NOASSERTION" | "NONE" | "UNKNOWN"));
    licences.sort();
    licences.dedup();
    licences.truncate(LICENCES);
    licences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(purl: &str) -> Result<Package, &'static str> {
        Entry { purl: Some(purl.to_owned()), ..Entry::default() }.into_package("sbom").map(|(package, _)| package)
    }

    #[test]
    fn packages_are_as_catalogers_make_them() {
        let check = |purl: &str, kind: PackageKind, name: &str, version: &str| {
            let package = package(purl).unwrap();
            assert_eq!((package.kind, package.name.as_str(), package.version.as_str()), (kind, name, version), "{purl}");
        };
        check("pkg:npm/%40babel/core@7.0.0", PackageKind::Npm, "@babel/core", "7.0.0");
        check("pkg:maven/org.x/y@1", PackageKind::Maven, "org.x:y", "1");
        check("pkg:golang/github.com/a/b@v1", PackageKind::Golang, "github.com/a/b", "v1");
        check("pkg:deb/debian/a@1-1?epoch=2&distro=debian-12", PackageKind::Deb, "a", "2:1-1");
        check("pkg:rpm/amzn/a@1-1?epoch=0", PackageKind::Rpm, "a", "1-1");
        check("pkg:bitnami/redis@7.0.1-2?arch=amd64", PackageKind::Bitnami, "redis", "7.0.1-2");
        check("pkg:github/a/b@1", PackageKind::Generic, "a/b", "1");
        assert_eq!(package("pkg:npm/@babel/core@7.0.0").unwrap().purl.as_str(), "pkg:npm/%40babel/core@7.0.0");
        assert_eq!(package("pkg:github/a/b@1").unwrap().purl.as_str(), "pkg:github/a/b@1");
        assert!(package("pkg:npm/a").is_err() && package("x").is_err() && package("pkg:npm/a@UNKNOWN").is_err());
    }

    #[test]
    fn source_packages_come_from_the_purl() {
        let check = |purl: &str, expected: (&str, Option<&str>)| {
            let source = package(purl).unwrap().source.unwrap();
            assert_eq!((source.name.as_str(), source.version.as_deref()), expected, "{purl}");
        };
        check("pkg:deb/debian/libc6@2.36?upstream=glibc", ("glibc", None));
        check("pkg:deb/debian/a@1?upstream=b%402-1", ("b", Some("2-1")));
        check("pkg:rpm/amzn/a@1?upstream=bash-5.2.15-1.amzn2023.0.2.src.rpm", ("bash", Some("5.2.15-1.amzn2023.0.2")));
        assert_eq!(package("pkg:rpm/amzn/a@1?upstream=x").unwrap().source, None);
    }
}
