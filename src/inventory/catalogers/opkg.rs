//! `opkg`: the status database of OpenWrt and Yocto, in the shape of dpkg's.
//! Format: <https://openwrt.org/docs/guide-user/additional-software/opkg> and <https://manpages.debian.org/deb-control.5>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{
        Cataloger, Context, Found, attribution,
        catalogers::dpkg::{self, Record},
        ownership::Owners,
        purl,
    },
    layers::{FileEntry, Want},
    model::package::{Distro, Package, PackageKind},
};

const FOLDERS: &[&str] = &["usr/lib/opkg", "var/lib/opkg"];

/// Reads `usr/lib/opkg/status` and `var/lib/opkg/status`.
pub(super) struct Opkg;

impl Cataloger for Opkg {
    fn id(&self) -> &'static str {
        "opkg"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        let is_wanted = match (parts.next().unwrap_or_default(), parts.next(), parts.next()) {
            ("status", Some("opkg"), _) => true,
            (name, Some("info"), Some("opkg")) => name.ends_with(".list"),
            _ => false,
        };
        if is_wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        for file in databases(context) {
            let parsed = dpkg::parse(&file.bytes(), context.limits());
            if let Some(error) = parsed.error {
                found.unreadable(file.path, &error);
            }
            let lower = file.versions.iter().rev().skip(1).map(|version| {
                let older = dpkg::parse(&version.bytes(), context.limits());
                (version.layer, Some(older.records.iter().map(Record::key).collect::<BTreeSet<_>>()))
            });
            let layers = attribution::first_layers(file.layer, parsed.records.iter().map(Record::key), lower);
            for record in &parsed.records {
                let layer = layers.get(&record.key()).copied().unwrap_or(file.layer);
                let mut package = package(record, context.distro);
                package.locations = context.location(layer, file.path);
                found.packages.push(package);
            }
        }
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let mut owners = Owners::new(context.view, paths, databases(context));
        let folders: BTreeSet<String> = FOLDERS.iter().filter_map(|folder| context.view.resolve(&format!("{folder}/info"))).collect();
        for file in context.view.files() {
            let Some((folder, name)) = file.path.rsplit_once('/') else { continue };
            let Some(name) = name.strip_suffix(".list").filter(|_| folders.contains(folder)) else { continue };
            for line in String::from_utf8_lossy(&file.bytes()).lines() {
                // Behind the path may stand its mode and, after another tab, where a link leads.
                owners.name(line.split('\t').next().unwrap_or(line), name);
            }
        }
    }
}

/// The databases of the image; both names may lead to the same file.
fn databases<'a>(context: &Context<'a>) -> impl Iterator<Item = FileEntry<'a>> {
    let files: BTreeMap<&str, FileEntry<'a>> =
        FOLDERS.iter().filter_map(|folder| context.view.lookup(&format!("{folder}/status"))).map(|file| (file.path, file)).collect();
    files.into_values()
}

fn package(record: &Record, distro: Option<&Distro>) -> Package {
    let parts = purl::OsPackage {
        kind: PackageKind::Opkg,
        name: &record.name,
        version: &record.version,
        arch: &record.arch,
        epoch: None,
        upstream: None,
    };
    let purl = purl::os_package(parts, distro);
    Package {
        arch: Some(record.arch.clone()).filter(|arch| !arch.is_empty()),
        ..Package::new(PackageKind::Opkg, record.name.clone(), record.version.clone(), purl, "opkg")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn installed_records_are_read() {
        for path in ["usr/lib/opkg/status", "var/lib/opkg/status"] {
            let found = fixture::catalog(&Opkg, &[(path, "opkg/status")]);
            assert!(found.gaps.is_empty(), "{:?}", found.gaps);
            assert_eq!(fixture::purls(&found), ["pkg:opkg/libmade1@2023-01-01-r2?arch=x86_64", "pkg:opkg/made@1.0-3?arch=all"]);
        }
        assert!(fixture::catalog(&Opkg, &[("srv/opkg/status", "opkg/status")]).packages.is_empty());
    }

    #[test]
    fn damaged_records_are_told() {
        let found = fixture::catalog(&Opkg, &[("usr/lib/opkg/status", "opkg/malformed")]);
        assert_eq!((found.packages.len(), found.gaps.len()), (1, 1));
    }

    #[test]
    fn files_are_owned() {
        let list = b"/usr/bin/made\n/usr/lib/libmade.so\t0120777\tlibmade.so.1\n".to_vec();
        let (view, layers) = fixture::image(&[&[("usr/lib/opkg/info/made.list", list)]]);
        let mut paths = ["usr/bin/made", "usr/lib/libmade.so", "usr/bin/other"].map(|path| (path, None)).into();
        Opkg.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
        assert_eq!(paths.values().map(Option::as_deref).collect::<Vec<_>>(), [Some("made"), None, Some("made")]);
    }
}
