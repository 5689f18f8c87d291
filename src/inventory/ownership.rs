//! Language packages and programs in, the OS package that brought each of them out: then the distribution's advisories speak for it.

use std::collections::BTreeMap;

use crate::{
    inventory::{CATALOGERS, Context},
    model::{location::Location, package::Package},
};

/// Names the owner of each package that is not an OS package itself and whose record an OS package brought. A record that an upper layer replaced
/// after its owner was installed is nobody's: the distribution does not know what is there now.
pub(super) fn name_owners(context: &Context<'_>, packages: &mut [Package]) {
    let mut paths: BTreeMap<&str, Option<String>> = BTreeMap::new();
    for path in packages.iter().filter(|package| !package.kind.is_os()).flat_map(places).map(|(_, path)| path) {
        paths.insert(path, None);
    }
    if paths.is_empty() {
        return;
    }
    for cataloger in CATALOGERS {
        cataloger.name_owners(context, &mut paths);
    }
    // A list of files without a package of that name in the database speaks for nobody.
    let installed = installed(packages);
    let owner = |(layer, path): (usize, &str)| {
        let owner = paths.get(path)?.as_deref()?;
        installed.get(owner).is_some_and(|&since| layer <= since).then(|| owner.to_owned())
    };
    let owned = packages.iter().enumerate().filter(|(_, package)| !package.kind.is_os());
    let owners: Vec<(usize, String)> = owned.filter_map(|(at, package)| Some((at, places(package).find_map(owner)?))).collect();
    for (at, owner) in owners {
        if let Some(package) = packages.get_mut(at) {
            package.owner = Some(owner);
        }
    }
}

/// The OS packages by name, each with the layer that it came with: what a layer above that wrote is not the package's.
pub(super) fn installed(packages: &[Package]) -> BTreeMap<&str, usize> {
    let mut installed: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.kind.is_os()) {
        let layer = places(package).map(|(layer, _)| layer).max().unwrap_or_default();
        let known = installed.entry(&package.name).or_default();
        *known = layer.max(*known);
    }
    installed
}

/// Layer and path of each record. What stands inside an archive is where the archive is.
fn places(package: &Package) -> impl Iterator<Item = (usize, &str)> {
    package.locations.iter().filter_map(|location| match location {
        Location::Image { index, path, .. } => Some((*index, path.split_once("!/").map_or(path.as_str(), |(archive, _)| archive))),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::inventory::{catalog, fixture};

    const RELEASE: &[u8] = b"ID=debian\nVERSION_ID=12\n";

    fn status(packages: &[&str]) -> Vec<u8> {
        let record = |name: &&str| format!("Package: {name}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
        packages.iter().map(record).collect::<String>().into_bytes()
    }

    /// Who owns `six` in the end, when these layers bring it.
    fn owner(layers: &[&[(&str, Vec<u8>)]]) -> Vec<(String, Option<String>)> {
        let (view, layers) = fixture::image(layers);
        let inventory = catalog(&view, &layers);
        let six = inventory.packages.into_iter().filter(|package| package.name == "six");
        six.map(|package| (package.version, package.owner)).collect()
    }

    #[test]
    fn a_record_that_was_replaced_later_is_nobodys() {
        let list = || ("var/lib/dpkg/info/python3-six.list", b"/usr/lib/python3/dist-packages/six.egg-info\n".to_vec());
        let six = |version: &str| ("usr/lib/python3/dist-packages/six.egg-info", format!("Name: six\nVersion: {version}\n").into_bytes());
        let os = || ("etc/os-release", RELEASE.to_vec());
        let database = |packages: &[&str]| ("var/lib/dpkg/status", status(packages));
        let both = ["base", "python3-six"];
        let check = |layers: &[&[(&str, Vec<u8>)]], version: &str, expected: Option<&str>| {
            assert_eq!(owner(layers), [(version.to_owned(), expected.map(str::to_owned))]);
        };
        check(&[&[os(), database(&both), list(), six("1")]], "1", Some("python3-six"));
        check(&[&[os(), database(&both), list(), six("1")], &[six("2")]], "2", None);
        // Copied up without a change, as chmod does.
        check(&[&[os(), database(&both), list(), six("1")], &[six("1")]], "1", Some("python3-six"));
        // Installed by a layer of its own.
        check(&[&[os(), database(&["base"])], &[database(&both), list(), six("1")]], "1", Some("python3-six"));
        // The database was rewritten for something else.
        check(&[&[os(), database(&both), list(), six("1")], &[database(&["base", "python3-six", "x"]), six("2")]], "2", None);
    }
}
