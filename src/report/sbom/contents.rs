//! The packages of an inventory in, their order, references and containment out: what is in the image itself, what an OS package owns,
//! and what lies inside an archive (`app.war!/WEB-INF/lib/x.jar`).

use std::{borrow::Cow, collections::BTreeMap};

use crate::model::{
    location::Location,
    package::{Basis, Package, PackageKind},
};

/// Stands between an archive's path and a path inside it.
const INSIDE: &str = "!/";

/// The packages of an inventory in the order of the document.
pub(crate) struct Contents<'a> {
    entries: Vec<Entry<'a>>,
}

/// One package.
pub(crate) struct Entry<'a> {
    /// The package.
    pub(crate) package: &'a Package,
    /// How many of the same purl come before it.
    ordinal: usize,
    /// The place of the package that it is part of; `None` where that is the image.
    parent: Option<usize>,
}

impl Entry<'_> {
    /// A name that no other component of the document has: the purl, numbered where it comes twice, for instance owned by the distribution
    /// and installed beside it. A purl with a subpath is always numbered, so that it cannot be another one's number.
    pub(crate) fn reference(&self) -> Cow<'_, str> {
        let purl = self.package.purl.as_str();
        if self.ordinal == 0 && !purl.contains('#') { Cow::Borrowed(purl) } else { Cow::Owned(format!("{purl}#{}", self.ordinal + 1)) }
    }
}

impl<'a> Contents<'a> {
    /// Sorts the packages and finds what each is part of.
    pub(crate) fn of(packages: &'a [Package]) -> Self {
        let mut sorted: Vec<&Package> = packages.iter().collect();
        sorted.sort_by(|a, b| key(a).cmp(&key(b)));
        let parents = parents(&sorted);
        let mut last = ("", 0);
        let entries = sorted.into_iter().zip(parents).map(|(package, parent)| {
            let purl = package.purl.as_str();
            last = (purl, if last.0 == purl { last.1 + 1 } else { 0 });
            Entry { package, ordinal: last.1, parent }
        });
        Self { entries: entries.collect() }
    }

    /// The packages in order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter()
    }

    /// Each package that others are part of with those, in order; `None` first, for the image.
    pub(crate) fn parts(&self) -> Vec<(Option<&Entry<'a>>, Vec<&Entry<'a>>)> {
        let mut by_parent: BTreeMap<Option<usize>, Vec<&Entry<'a>>> = BTreeMap::new();
        for entry in &self.entries {
            by_parent.entry(entry.parent).or_default().push(entry);
        }
        by_parent.into_iter().map(|(parent, parts)| (parent.and_then(|at| self.entries.get(at)), parts)).collect()
    }
}

fn key(package: &Package) -> (impl Ord, &str, Option<&str>, &str, impl Ord) {
    (package.sort_key(), package.found_by, package.owner.as_deref(), package.version.as_str(), (package.basis, &package.hashes))
}

/// For each package the place of the one that it is part of.
fn parents(sorted: &[&Package]) -> Vec<Option<usize>> {
    let mut systems: BTreeMap<&str, usize> = BTreeMap::new();
    let mut archives: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for package in sorted.iter().filter(|package| !package.kind.is_os()) {
        for path in wholes(package) {
            archives.entry(path).or_default();
        }
    }
    for (at, package) in sorted.iter().enumerate() {
        if package.kind.is_os() {
            systems.entry(&package.name).or_insert(at);
        } else if !archives.is_empty() {
            for path in package.locations.iter().filter_map(image_path) {
                if let Some(known) = archives.get_mut(path) {
                    known.push(at);
                }
            }
        }
    }
    let parent = |at: usize, package: &Package| {
        if package.kind.is_os() {
            return None;
        }
        let inside = wholes(package).find_map(|path| whole(sorted, archives.get(path)?, path).filter(|whole| *whole != at));
        inside.or_else(|| systems.get(package.owner.as_deref()?).copied())
    };
    sorted.iter().enumerate().map(|(at, package)| parent(at, package)).collect()
}

/// Paths of what a package may be part of, the innermost first: the file that several of them make up, and the archives around it. The
/// first place alone counts: as an archive sorts before whatever is inside it, nothing comes to be part of itself.
fn wholes(package: &Package) -> impl Iterator<Item = &str> {
    let first = package.locations.iter().find_map(image_path);
    let is_compound =
        matches!(package.kind, PackageKind::Maven | PackageKind::Golang | PackageKind::Cargo) && package.basis != Basis::Declared;
    first.filter(|_| is_compound).into_iter().chain(first.into_iter().flat_map(outer_paths))
}

const fn image_path(location: &Location) -> Option<&str> {
    match location {
        Location::Image { path, .. } => Some(path.as_str()),
        _ => None,
    }
}

/// The archives around a path, the innermost first.
fn outer_paths(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once(INSIDE), |(outer, _)| outer.rsplit_once(INSIDE)).map(|(outer, _)| outer)
}

/// Which of the packages at a path the file itself is: the only one, the only application, or the one whose name, or name and version, the
/// file is called by.
fn whole(sorted: &[&Package], at_path: &[usize], path: &str) -> Option<usize> {
    if let [only] = at_path {
        return Some(*only);
    }
    let is_application = |at: &&usize| sorted.get(**at).is_some_and(|package| package.basis == Basis::Application);
    let mut applications = at_path.iter().filter(is_application);
    if let (Some(only), None) = (applications.next(), applications.next()) {
        return Some(*only);
    }
    let file = path.rsplit('/').next()?;
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    at_path.iter().copied().find(|at| {
        sorted.get(*at).is_some_and(|package| {
            let name = package.name.rsplit([':', '/']).next().unwrap_or(&package.name);
            stem.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-') == Some(&package.version))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{digest::Digest, package::PackageUrl};

    fn package(kind: PackageKind, name: &str, paths: &[&str], owner: Option<&str>) -> Package {
        let purl = PackageUrl::parse(&format!("pkg:{}/{name}@1", kind.purl_type())).unwrap();
        let mut package = Package::new(kind, name.to_owned(), "1".to_owned(), purl, "test");
        let at = |path: &&str| Location::Image { layer: Digest::sha256_of(b""), index: 0, path: (*path).to_owned() };
        package.locations = paths.iter().map(at).collect();
        package.owner = owner.map(str::to_owned);
        package
    }

    #[test]
    fn parts_follow_owners_and_archives() {
        let packages = [
            package(PackageKind::Deb, "python3-six", &["var/lib/dpkg/status"], None),
            package(PackageKind::Pypi, "six", &["usr/lib/six.egg-info"], Some("python3-six")),
            package(PackageKind::Pypi, "six", &["usr/local/lib/six.egg-info"], None),
            package(PackageKind::Pypi, "lost", &["usr/lib/lost"], Some("gone")),
            package(PackageKind::Maven, "g:app", &["app.war"], None),
            package(PackageKind::Maven, "g:lib", &["app.war!/lib/lib-1.jar"], None),
            package(PackageKind::Maven, "g:shaded", &["app.war!/lib/lib-1.jar"], None),
            package(PackageKind::Maven, "g:deep", &["app.war!/lib/lib-1.jar!/x/deep.jar"], None),
            package(PackageKind::Maven, "g:nameless", &["other.ear!/unknown.war!/n.jar"], None),
        ];
        let contents = Contents::of(&packages);
        let said: Vec<String> = contents
            .parts()
            .iter()
            .map(|(whole, parts)| {
                let whole = whole.map_or("image".into(), |entry| entry.reference());
                format!("{whole}: {}", parts.iter().map(|entry| entry.reference()).collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(
            said,
            [
                "image: pkg:deb/python3-six@1 pkg:maven/g:app@1 pkg:maven/g:nameless@1 pkg:pypi/lost@1 pkg:pypi/six@1#2",
                "pkg:deb/python3-six@1: pkg:pypi/six@1",
                "pkg:maven/g:app@1: pkg:maven/g:lib@1",
                "pkg:maven/g:lib@1: pkg:maven/g:deep@1 pkg:maven/g:shaded@1",
            ]
        );
    }

    #[test]
    fn references_are_unique() {
        let mut packages = vec![package(PackageKind::Generic, "a", &["x"], None); 2];
        packages.push(package(PackageKind::Generic, "b", &["x"], None));
        packages[2].purl = PackageUrl::parse("pkg:generic/a@1#2").unwrap();
        let contents = Contents::of(&packages);
        let references: Vec<_> = contents.entries().map(|entry| entry.reference().into_owned()).collect();
        assert_eq!(references, ["pkg:generic/a@1", "pkg:generic/a@1#2", "pkg:generic/a@1#2#1"]);
    }
}
