//! Package URLs of OS packages, as other tools write them (<https://github.com/package-url/purl-spec>).

use std::collections::BTreeMap;

use crate::model::package::{Distro, PackageKind, PackageUrl};

/// What goes into the purl of an OS package besides the distribution.
pub(super) struct OsPackage<'a> {
    pub kind: PackageKind,
    pub name: &'a str,
    /// Without an rpm epoch.
    pub version: &'a str,
    pub arch: &'a str,
    pub epoch: Option<u32>,
    pub upstream: Option<String>,
}

/// The purl; without a namespace when the distribution is unknown.
pub(super) fn os_package(package: OsPackage<'_>, distro: Option<&Distro>) -> PackageUrl {
    let mut qualifiers = BTreeMap::from([("arch", package.arch.to_owned()), ("upstream", package.upstream.unwrap_or_default())]);
    if let Some(epoch) = package.epoch.filter(|&epoch| epoch > 0) {
        qualifiers.insert("epoch", epoch.to_string());
    }
    if let Some(distro) = distro {
        let version = distro.version_id.as_ref().map(|version| format!("-{version}")).unwrap_or_default();
        qualifiers.insert("distro", format!("{}{version}", distro.id));
    }
    PackageUrl::new(package.kind, distro.map(|distro| distro.id.as_str()), package.name, Some(package.version), &qualifiers)
}
