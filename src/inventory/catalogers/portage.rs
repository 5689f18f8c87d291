//! `portage`: the installed packages of Gentoo and its kin, one folder per package.
//! Format: <https://wiki.gentoo.org/wiki//var/db/pkg> and <https://projects.gentoo.org/pms/8/pms.html> (names and versions).

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, owners::Owners},
    layers::Want,
    model::package::{Package, PackageKind, PackageUrl},
};

const DATABASE: &str = "var/db/pkg";
/// Below this name portage puts together what it has not yet installed.
const UNFINISHED: &str = "-MERGING-";

/// Reads the names of the folders `var/db/pkg/<category>/<name>-<version>`, and `LICENSE` and `CONTENTS` in them.
pub(super) struct Portage;

impl Cataloger for Portage {
    fn id(&self) -> &'static str {
        "portage"
    }

    fn wants(&self, path: &str) -> Want {
        let mut parts = path.rsplit('/');
        let (name, _, _, pkg, db) = (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
        let is_wanted = matches!(name, Some("PF" | "CONTENTS" | "LICENSE")) && (pkg, db) == (Some("pkg"), Some("db"));
        if is_wanted { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        let Some(prefix) = context.view.resolve(DATABASE).map(|folder| format!("{folder}/")) else { return found };
        let mut seen = BTreeSet::new();
        // Both are in every package's folder; one of them is enough.
        let records = context.view.files().filter(|file| {
            folder(file.path, &prefix).is_some_and(|(folder, name)| matches!(name, "PF" | "CONTENTS") && seen.insert(folder.to_owned()))
        });
        found.each(records, context.limits().packages, |file| {
            let (folder, _) = folder(file.path, &prefix).unwrap_or_default();
            let mut package = package(folder)?;
            let licence = context.view.lookup(&format!("{prefix}{folder}/LICENSE"));
            let licence = licence.map(|file| String::from_utf8_lossy(&file.bytes()).trim().to_owned());
            package.licences = licence.filter(|licence| !licence.is_empty()).into_iter().collect();
            package.locations = context.location(attribution::content_layer(&file), file.path);
            Ok(Some(package))
        });
        found
    }

    fn name_owners(&self, context: &Context<'_>, paths: &mut BTreeMap<&str, Option<String>>) {
        let Some(prefix) = context.view.resolve(DATABASE).map(|folder| format!("{folder}/")) else { return };
        let mut owners = Owners::new(context.view, paths);
        for file in context.view.files() {
            let Some((folder, "CONTENTS")) = folder(file.path, &prefix) else { continue };
            let Ok(package) = package(folder) else { continue };
            for line in String::from_utf8_lossy(&file.bytes()).lines() {
                // `obj PATH MD5 TIME` and `sym PATH -> TARGET TIME`; paths may have blanks.
                let path = match line.split_once(' ') {
                    Some(("obj", rest)) => rest.rsplitn(3, ' ').nth(2),
                    Some(("sym", rest)) => rest.split_once(" -> ").map(|(path, _)| path),
                    _ => None,
                };
                if let Some(path) = path {
                    owners.name(path, &package.name);
                }
            }
        }
    }
}

/// `category/name-version` and the name of the file.
fn folder<'a>(path: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let (folder, name) = path.strip_prefix(prefix)?.rsplit_once('/')?;
    (folder.matches('/').count() == 1).then_some((folder, name))
}

fn package(folder: &str) -> Result<Package, CatalogError> {
    let (category, full) = folder.split_once('/').unwrap_or_default();
    if full.starts_with(UNFINISHED) {
        return Err(CatalogError("is a package that was not installed to its end".to_owned()));
    }
    let (name, version) = split(full).ok_or_else(|| CatalogError("is not in a folder named for a package and its version".to_owned()))?;
    let purl = PackageUrl::new(PackageKind::Ebuild, Some(category), name, Some(version), &BTreeMap::new());
    Ok(Package::new(PackageKind::Ebuild, format!("{category}/{name}"), version.to_owned(), purl, "portage"))
}

/// Names may have hyphens, versions only that before a revision (`-r1`).
fn split(full: &str) -> Option<(&str, &str)> {
    let is_revision =
        |part: &str| part.strip_prefix('r').is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    let stem = full.rsplit_once('-').filter(|(_, last)| is_revision(last)).map_or(full, |(stem, _)| stem);
    let (name, version) = stem.rsplit_once('-')?;
    let is_version = version.starts_with(|first: char| first.is_ascii_digit())
        && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
    let is_name = name.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_');
    Some((name, full.get(name.len() + 1..)?)).filter(|_| is_version && is_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn each_folder_is_a_package() {
        let found = fixture::catalog(
            &Portage,
            &[
                ("var/db/pkg/app-made/up-libs-1.2_p3-r4/CONTENTS", "portage/CONTENTS"),
                ("var/db/pkg/app-made/up-libs-1.2_p3-r4/PF", "portage/PF"),
                ("var/db/pkg/app-made/up-libs-1.2_p3-r4/LICENSE", "portage/LICENSE"),
                ("var/db/pkg/virtual/made-0/PF", "portage/PF"),
                ("var/db/pkg/README", "portage/PF"),
                ("var/db/pkg/a/b/c/PF", "portage/PF"),
            ],
        );
        assert!(found.gaps.is_empty(), "{:?}", found.gaps);
        assert_eq!(fixture::purls(&found), ["pkg:ebuild/app-made/up-libs@1.2_p3-r4", "pkg:ebuild/virtual/made@0"]);
        assert_eq!(found.packages[0].name, "app-made/up-libs");
        assert_eq!(found.packages[0].licences, ["GPL-2+ MIT"]);
    }

    #[test]
    fn folders_without_a_version_and_unfinished_ones_are_told() {
        let found = fixture::catalog(
            &Portage,
            &[("var/db/pkg/a/malformed/PF", "portage/malformed"), ("var/db/pkg/a/-MERGING-b-1/CONTENTS", "portage/CONTENTS")],
        );
        assert_eq!((found.packages.len(), found.gaps.len()), (0, 2));
    }

    #[test]
    fn names_end_where_versions_begin() {
        let check = |full: &str, expected: Option<(&str, &str)>| assert_eq!(split(full), expected, "{full}");
        check("a-1", Some(("a", "1")));
        check("gtk+-3.24.1-r1", Some(("gtk+", "3.24.1-r1")));
        check("font-adobe-100dpi-1.0.3", Some(("font-adobe-100dpi", "1.0.3")));
        check("linux-headers-6.1_rc2", Some(("linux-headers", "6.1_rc2")));
        check("a-r1", None);
        check("a", None);
        check("a-b", None);
        check("-1", None);
        check("", None);
    }

    #[test]
    fn files_are_owned() {
        let (view, layers) = fixture::image(&[&[("var/db/pkg/app-made/up-libs-1.2/CONTENTS", fixture::read("portage/CONTENTS"))]]);
        let mut paths = ["usr/lib/made up.so", "usr/lib/made.so.1", "usr/lib", "usr/lib/x"].map(|path| (path, None)).into();
        Portage.name_owners(&Context { view: &view, layers: &layers, distro: None }, &mut paths);
        let owner = Some("app-made/up-libs");
        assert_eq!(paths.values().map(Option::as_deref).collect::<Vec<_>>(), [None, owner, owner, None]);
    }
}
