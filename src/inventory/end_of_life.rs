//! A distribution or a runtime in, the last day of its free security support out. The data is that of [`crate::model::end_of_life`].

use crate::model::{
    end_of_life::{self, Supported},
    package::{Distro, Package, PackageKind},
};

/// The last day of free security support, as an ISO 8601 date; `None` when this version does not know it.
#[must_use]
pub fn last_day(distro: &Distro) -> Option<&'static str> {
    let version = distro.version_id.as_deref()?;
    let id = distro.id.as_str();
    let parts = if matches!(id, "alpine" | "ubuntu" | "opensuse-leap" | "sles") { 2 } else { 1 };
    end_of_life::last_day(Supported::Distribution, id, &release(version, parts)?)
}

/// A runtime and its last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// Its name, for people.
    pub name: &'static str,
    /// The last day, as an ISO 8601 date.
    pub last_day: &'static str,
}

/// The last day of the runtime that a package is; `None` when it is none, or when this version does not know.
#[must_use]
pub fn of_runtime(package: &Package) -> Option<Runtime> {
    let name = package.name.rsplit('/').next().unwrap_or(&package.name);
    let (id, name, parts) = match (package.kind, name) {
        (PackageKind::Golang, "stdlib") | (PackageKind::Generic | PackageKind::Bitnami, "go" | "golang") => ("go", "Go", 2),
        (PackageKind::Generic | PackageKind::Bitnami, "node" | "nodejs" | "node.js") => ("node", "Node.js", 1),
        (PackageKind::Generic | PackageKind::Bitnami, "python" | "cpython") => ("python", "Python", 2),
        (PackageKind::Generic | PackageKind::Bitnami, "openjdk" | "java" | "jdk" | "jre" | "temurin" | "zulu" | "corretto" | "graalvm") => {
            ("openjdk", "OpenJDK", 1)
        }
        (PackageKind::Generic | PackageKind::Bitnami, "ruby") => ("ruby", "Ruby", 2),
        (PackageKind::Generic | PackageKind::Bitnami, "php") => ("php", "PHP", 2),
        (PackageKind::Generic | PackageKind::Nuget | PackageKind::Bitnami, "dotnet" | "dotnet-runtime" | "Microsoft.NETCore.App") => {
            ("dotnet", ".NET", 2)
        }
        (PackageKind::Nuget, name) if name.starts_with("Microsoft.NETCore.App.Runtime.") => ("dotnet", ".NET", 2),
        _ => return None,
    };
    let version = package.version.trim_start_matches("go").trim_start_matches('v');
    // Until 8, Java called itself 1.8.
    let version = if id == "openjdk" { version.strip_prefix("1.").unwrap_or(version) } else { version };
    end_of_life::last_day(Supported::Runtime, id, &release(version, parts)?).map(|last_day| Runtime { name, last_day })
}

/// The first numbers of a version.
fn release(version: &str, parts: usize) -> Option<String> {
    let numbers: Vec<&str> = version.split(['.', '-', '+', '_']).take(parts).collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (numbers.len() == parts && numbers.iter().all(is_number)).then(|| numbers.join("."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::package::PackageUrl;

    #[test]
    fn releases_are_known_by_their_own_numbers() {
        let check =
            |id: &str, version: &str| last_day(&Distro { id: id.to_owned(), version_id: Some(version.to_owned()), ..Distro::default() });
        assert_eq!(check("alpine", "3.10.9"), Some("2021-05-01"));
        assert_eq!(check("alpine", "3.1"), None);
        assert_eq!(check("debian", "12"), Some("2028-06-30"));
        assert_eq!(check("almalinux", "8.10"), Some("2029-05-31"));
        assert_eq!(check("amzn", "2018.03"), Some("2023-12-31"));
        assert_eq!(check("mariner", "2.0.20240101"), Some("2025-07-31"));
        assert_eq!(check("sles", "15.5"), Some("2024-12-31"));
        assert_eq!(check("debian", "sid"), None);
        assert_eq!(check("wolfi", "20230201"), None);
    }

    #[test]
    fn runtimes_are_known_by_their_packages() {
        let check = |kind: PackageKind, name: &str, version: &str, expected: Option<&str>| {
            let purl = PackageUrl::new(kind, None, name, Some(version), &BTreeMap::new());
            let package = Package::new(kind, name.to_owned(), version.to_owned(), purl, "test");
            assert_eq!(of_runtime(&package).map(|runtime| runtime.last_day), expected, "{name} {version}");
        };
        check(PackageKind::Generic, "node", "18.20.4", Some("2025-04-30"));
        check(PackageKind::Generic, "python", "3.10.14", Some("2026-10-31"));
        check(PackageKind::Generic, "openjdk", "1.8.0_292-b10", Some("2030-12-31"));
        check(PackageKind::Generic, "openjdk", "17.0.12+7", Some("2027-10-31"));
        check(PackageKind::Golang, "stdlib", "1.20.5", Some("2024-02-06"));
        check(PackageKind::Golang, "stdlib", "go1.20", Some("2024-02-06"));
        check(PackageKind::Nuget, "Microsoft.NETCore.App", "6.0.33", Some("2024-11-12"));
        check(PackageKind::Generic, "php", "8.1.29", Some("2025-12-31"));
        check(PackageKind::Npm, "node", "18.20.4", None);
        check(PackageKind::Generic, "node", "unknown", None);
    }
}
