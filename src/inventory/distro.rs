//! os-release in, `Distro` out; the older files of single distributions when there is none.
//! Specification: <https://www.freedesktop.org/software/systemd/man/latest/os-release.html>.

use std::collections::BTreeMap;

use crate::{
    layers::FileView,
    model::package::{Distro, PackageKind},
};

const RELEASE_FILES: &[&str] = &["etc/os-release", "usr/lib/os-release"];
const OLDER_FILES: &[&str] = &["etc/alpine-release", "etc/debian_version", "etc/redhat-release", "etc/system-release"];

/// Whether a path may be one of them, wherever links lead.
pub(super) fn wants(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "os-release" || OLDER_FILES.iter().any(|file| file.strip_prefix("etc/") == Some(name))
}

/// The distribution, when the image says which it is.
pub(super) fn read(view: &FileView) -> Option<Distro> {
    let text = |path: &&str| {
        view.lookup(path).map(|file| String::from_utf8_lossy(file.bytes().get(..64 * 1024).unwrap_or(&file.bytes())).into_owned())
    };
    RELEASE_FILES
        .iter()
        .filter_map(text)
        .find_map(|text| parse_os_release(&text))
        .or_else(|| OLDER_FILES.iter().find_map(|path| text(path).and_then(|text| parse_older(path, text.trim()))))
}

/// What the distribution's package manager installs, told from `ID` and then from `ID_LIKE`.
pub(super) fn package_kind(distro: &Distro) -> Option<PackageKind> {
    let kind = |id: &str| {
        Some(match id {
            "debian" | "ubuntu" | "raspbian" | "linuxmint" | "kali" | "devuan" => PackageKind::Deb,
            "alpine" | "wolfi" | "chainguard" => PackageKind::Apk,
            "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "amzn" | "ol" | "azurelinux" | "mariner" | "photon" | "suse"
            | "sles" => PackageKind::Rpm,
            "arch" | "archarm" | "manjaro" => PackageKind::Alpm,
            "gentoo" => PackageKind::Ebuild,
            id if id.starts_with("opensuse") => PackageKind::Rpm,
            _ => return None,
        })
    };
    std::iter::once(&distro.id).chain(&distro.id_like).find_map(|id| kind(&id.to_ascii_lowercase()))
}

fn parse_os_release(text: &str) -> Option<Distro> {
    let mut values = BTreeMap::new();
    for line in text.lines() {
        if let Some((key, value)) = line.trim().split_once('=').filter(|(key, _)| !key.starts_with('#')) {
            values.insert(key, unquote(value.trim()));
        }
    }
    let mut take = |key: &str| values.remove(key).filter(|value| !value.is_empty());
    let id = take("ID")?.to_ascii_lowercase();
    let id_like = take("ID_LIKE").map(|like| like.split_whitespace().map(str::to_owned).collect()).unwrap_or_default();
    Some(Distro { id, id_like, version_id: take("VERSION_ID"), codename: take("VERSION_CODENAME"), pretty_name: take("PRETTY_NAME") })
}

/// Removes shell quotes: single ones keep everything, double ones and none know the backslash.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return inner.to_owned();
    }
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => out.extend(chars.next()),
            ch => out.push(ch),
        }
    }
    out
}

fn parse_older(path: &str, text: &str) -> Option<Distro> {
    let number = || text.split_whitespace().find(|word| word.starts_with(|ch: char| ch.is_ascii_digit())).map(str::to_owned);
    let first = text.split_whitespace().next()?;
    let distro = |id: &str, version_id: Option<String>| Distro {
        id: id.to_owned(),
        version_id,
        pretty_name: text.lines().next().map(str::to_owned),
        ..Distro::default()
    };
    Some(match path {
        "etc/alpine-release" => distro("alpine", Some(first.to_owned())),
        // Testing and unstable write a name (`trixie/sid`) where stable writes a number.
        "etc/debian_version" => match number() {
            Some(version) => distro("debian", version.split('.').next().map(str::to_owned)),
            None => Distro { codename: first.split('/').next().map(str::to_owned), ..distro("debian", None) },
        },
        _ => {
            let id = match first.to_ascii_lowercase().as_str() {
                "red" => "rhel".to_owned(),
                "amazon" => "amzn".to_owned(),
                "oracle" => "ol".to_owned(),
                other => other.to_owned(),
            };
            distro(&id, number())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_shell_like() {
        let check = |text: &str, expected: Option<(&str, Option<&str>)>| {
            let distro = parse_os_release(text);
            assert_eq!(distro.as_ref().map(|d| (d.id.as_str(), d.version_id.as_deref())), expected, "{text}");
        };
        check("ID=alpine\nVERSION_ID=3.20.3\n", Some(("alpine", Some("3.20.3"))));
        check("NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian", Some(("debian", Some("12"))));
        check("# ID=no\nID='wolfi'\n", Some(("wolfi", None)));
        check("ID=\"a\\\"b\"", Some(("a\"b", None)));
        check("VERSION_ID=1\n", None);
        check("", None);
        check("ID=\n", None);
    }

    #[test]
    fn older_files_are_read() {
        let check = |path: &str, text: &str, id: &str, version: Option<&str>| {
            let distro = parse_older(path, text).unwrap();
            assert_eq!((distro.id.as_str(), distro.version_id.as_deref()), (id, version), "{text}");
        };
        check("etc/alpine-release", "3.10.9", "alpine", Some("3.10.9"));
        check("etc/debian_version", "12.7", "debian", Some("12"));
        check("etc/debian_version", "trixie/sid", "debian", None);
        check("etc/redhat-release", "CentOS release 6.10 (Final)", "centos", Some("6.10"));
        check("etc/redhat-release", "Red Hat Enterprise Linux release 8.4 (Ootpa)", "rhel", Some("8.4"));
        check("etc/system-release", "Amazon Linux release 2 (Karoo)", "amzn", Some("2"));
        assert!(parse_older("etc/alpine-release", "").is_none());
    }
}
