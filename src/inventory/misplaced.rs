//! File view in, Gaps out for package databases at a place where no cataloger reads them: another root file system inside the image, or
//! changes that dpkg has not yet taken into its status file.

use std::collections::BTreeSet;

use crate::{
    layers::FileView,
    model::coverage::{Gap, SourceId},
};

/// Where catalogers read databases.
const PLACES: &[&str] = &[
    "var/lib/dpkg/status",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "usr/lib/opkg/status",
    "var/lib/opkg/status",
    "var/lib/rpmmanifest/container-manifest-2",
];
/// Folders in which they do.
const FOLDERS: &[&str] = &["var/lib/dpkg/status.d", "usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"];
/// Databases of one folder per package.
const TREES: &[&str] = &["var/lib/pacman/local/", "var/db/pkg/"];
/// How many are named.
const NAMED: usize = 20;

/// Whether the path is one of dpkg's pending changes to its status file.
pub(super) fn is_pending(path: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(folder, _)| folder == "dpkg/updates" || folder.ends_with("/dpkg/updates"))
}

fn is_database(path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let below = |end: &str| folder == end || folder.strip_suffix(end).is_some_and(|above| above.ends_with('/'));
    match name {
        "status" => below("dpkg") || below("opkg"),
        "container-manifest-2" => below("rpmmanifest"),
        "desc" => folder.rsplit_once('/').is_some_and(|(above, _)| above.ends_with("pacman/local")),
        "CONTENTS" | "PF" => folder.rsplitn(3, '/').nth(2).is_some_and(|above| above.ends_with("db/pkg")),
        "installed" => below("apk/db"),
        "rpmdb.sqlite" => true,
        "Packages" | "Packages.db" => below("lib/rpm") || below("sysimage/rpm"),
        _ => below("dpkg/status.d") && !name.ends_with(".md5sums"),
    }
}

/// One Gap per database that is not read, and one that counts the rest.
pub(super) fn gaps(view: &FileView) -> Vec<Gap> {
    let places: BTreeSet<String> = PLACES.iter().filter_map(|place| view.resolve(place)).collect();
    let folders: BTreeSet<String> = FOLDERS.iter().filter_map(|folder| view.resolve(folder)).collect();
    let trees: Vec<String> = TREES.iter().filter_map(|tree| Some(format!("{}/", view.resolve(tree)?))).collect();
    let is_read = |path: &str| {
        places.contains(path)
            || PLACES.contains(&path)
            || TREES.iter().any(|tree| path.starts_with(tree))
            || trees.iter().any(|tree| path.starts_with(tree))
            || path.rsplit_once('/').is_some_and(|(folder, _)| folders.contains(folder) || FOLDERS.contains(&folder))
    };
    let mut gaps = Vec::new();
    let mut count = 0_usize;
    for file in view.files() {
        let empty = file.versions.last().is_some_and(|last| last.content.as_ref().is_some_and(|content| content.is_empty()));
        let reason = if is_pending(file.path) {
            "holds changes that are not yet in the package database, and is not read"
        } else if is_database(file.path) && !is_read(file.path) && view.resolve(file.path).is_none_or(|place| !is_read(&place)) {
            "package database outside its place is not read"
        } else {
            continue;
        };
        if empty {
            continue;
        }
        count += 1;
        if count <= NAMED {
            gaps.push(Gap::new(SourceId::Inventory, "record-unreadable", file.path, reason));
        }
    }
    if count > NAMED {
        let reason = format!("{} more package databases outside their places are not read", count - NAMED);
        gaps.push(Gap::new(SourceId::Inventory, "record-unreadable", "", reason));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn databases_outside_their_places_are_told() {
        let record = b"Package: a\nVersion: 1\n".to_vec();
        let check = |files: &[(&str, Vec<u8>)], expected: &[&str]| {
            let (view, _) = fixture::image(&[files]);
            let subjects: Vec<_> = gaps(&view).into_iter().map(|gap| gap.subject).collect();
            assert_eq!(subjects, expected);
        };
        let one = |path| [(path, record.clone())];
        check(&one("var/lib/dpkg/status"), &[]);
        check(&one("var/lib/dpkg/status.d/a"), &[]);
        check(&one("usr/lib/apk/db/installed"), &[]);
        check(&one("var/lib/rpm/rpmdb.sqlite"), &[]);
        check(&one("srv/status.d/a"), &[]);
        check(&one("usr/lib/opkg/status"), &[]);
        check(&one("rootfs/usr/lib/opkg/status"), &["rootfs/usr/lib/opkg/status"]);
        check(&one("var/lib/pacman/local/a-1/desc"), &[]);
        check(&one("rootfs/var/lib/pacman/local/a-1/desc"), &["rootfs/var/lib/pacman/local/a-1/desc"]);
        check(&one("var/db/pkg/a/b-1/CONTENTS"), &[]);
        check(&one("rootfs/var/db/pkg/a/b-1/CONTENTS"), &["rootfs/var/db/pkg/a/b-1/CONTENTS"]);
        check(&one("rootfs/var/lib/rpmmanifest/container-manifest-2"), &["rootfs/var/lib/rpmmanifest/container-manifest-2"]);
        check(&one("opt/x/var/lib/dpkg/status"), &["opt/x/var/lib/dpkg/status"]);
        check(&one("opt/x/var/lib/dpkg/status.d/a"), &["opt/x/var/lib/dpkg/status.d/a"]);
        check(&one("opt/x/lib/apk/db/installed"), &["opt/x/lib/apk/db/installed"]);
        check(&one("opt/x/rpmdb.sqlite"), &["opt/x/rpmdb.sqlite"]);
        check(&one("var/lib/dpkg/updates/0001"), &["var/lib/dpkg/updates/0001"]);
        check(&[("var/lib/dpkg/updates/0001", Vec::new())], &[]);
        let paths: Vec<String> = (0..30).map(|n| format!("x{n}/dpkg/status")).collect();
        let many: Vec<_> = paths.iter().map(|path| (path.as_str(), record.clone())).collect();
        let (view, _) = fixture::image(&[&many]);
        assert_eq!(gaps(&view).len(), NAMED + 1);
    }
}
