//! The archives in which yarn keeps packages where there is no `node_modules`: each holds the folder that would be in it.
//! Specification: <https://yarnpkg.com/features/pnp>. What is said of each archive waits until it is known which archives are there.

use serde::{Deserialize, Serialize};

use crate::{
    inventory::{
        CatalogError, Context, Found,
        archive::{ArchiveFault, Budget, Zip},
    },
    layers::{Body, Examiner, FileEntry, Limits},
    model::{
        coverage::{Gap, SourceId},
        package::Package,
    },
};

/// Says which packages are in an archive of yarn's.
pub(super) static ZIP_CACHE: ZipCache = ZipCache;

/// Most bytes of one `package.json` in an archive.
const MANIFEST_BYTES: usize = 4 * 1024 * 1024;

/// The examiner of yarn's archives.
pub(super) struct ZipCache;

impl Examiner for ZipCache {
    fn id(&self) -> &'static str {
        "npm-zip-cache"
    }

    fn is_wanted(&self, path: &str, _head: &[u8], size: u64) -> bool {
        size > 0 && place(path).is_some()
    }

    fn examine(&self, _path: &str, body: &Body<'_>, limits: &Limits) -> Vec<u8> {
        let mut extract = Extract::default();
        look(*body, limits, &mut extract);
        extract.cut(limits.extract_bytes);
        serde_json::to_vec(&extract).unwrap_or_default()
    }
}

/// Whose archives they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// Those of the project in this folder.
    Project(&'a str),
    /// Those of all projects of a user.
    User,
}

/// Whose archive this is, if it is one.
pub(super) fn place(path: &str) -> Option<Place<'_>> {
    let (folder, name) = path.rsplit_once('/')?;
    if !name.ends_with(".zip") {
        return None;
    }
    let project = folder.strip_suffix(".yarn/cache").filter(|above| above.is_empty() || above.ends_with('/'));
    match project {
        Some(project) => Some(Place::Project(project.trim_end_matches('/'))),
        None => folder.ends_with("yarn/berry/cache").then_some(Place::User),
    }
}

/// Adds the packages in this archive.
pub(super) fn catalog(found: &mut Found, context: &Context<'_>, file: &FileEntry<'_>) {
    let Some(bytes) = file.extract(&ZIP_CACHE).filter(|bytes| !bytes.is_empty()) else {
        found.unreadable(file.path, &CatalogError("was not examined".to_owned()));
        return;
    };
    let extract: Extract = match serde_json::from_slice(&bytes) {
        Ok(extract) => extract,
        Err(error) => {
            found.unreadable(file.path, &CatalogError(format!("what was found in it cannot be read again: {error}")));
            return;
        }
    };
    for told in extract.faults {
        let subject = format!("{}{}", file.path, told.inside);
        if told.is_limit {
            found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", subject, told.reason));
        } else {
            found.unreadable(&subject, &CatalogError(told.reason));
        }
    }
    let same = |version: &&crate::layers::Version| version.extract(&ZIP_CACHE).is_some_and(|other| other == bytes);
    let layer = file.versions.iter().rev().take_while(same).last().map_or(file.layer, |version| version.layer);
    for member in extract.members {
        let package = super::package(&member.name, &member.version, &super::Origin::Registry);
        let locations = context.location(layer, &format!("{}!/{}", file.path, member.path));
        found.packages.push(Package { locations, licences: member.licences, ..package });
    }
}

fn look(body: Body<'_>, limits: &Limits, extract: &mut Extract) {
    let mut budget = Budget::new(limits);
    let zip = match Zip::open(body) {
        Ok(zip) => zip,
        Err(fault) => return extract.tell("", &fault),
    };
    let (entries, faults) = zip.entries(&mut budget, super::is_manifest);
    for fault in &faults {
        extract.tell("", fault);
    }
    if entries.is_empty() && faults.is_empty() {
        extract.faults.push(Told { inside: String::new(), is_limit: false, reason: "holds no package".to_owned() });
    }
    for entry in entries {
        let inside = format!("!/{}", entry.name());
        let bytes = match zip.read(&entry, MANIFEST_BYTES, &mut budget) {
            Ok(bytes) => bytes,
            Err(fault) => {
                extract.tell(&inside, &fault);
                continue;
            }
        };
        match super::parse(&bytes, limits) {
            Ok(Some(package)) => extract.members.push(Member {
                path: entry.name().to_owned(),
                name: package.name,
                version: package.version,
                licences: package.licences,
            }),
            Ok(None) => {}
            Err(error) => extract.faults.push(Told { inside, is_limit: false, reason: error.0 }),
        }
    }
}

/// What one archive holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Extract {
    members: Vec<Member>,
    faults: Vec<Told>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Member {
    path: String,
    name: String,
    version: String,
    licences: Vec<String>,
}

/// Something that could not be read.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// What follows the archive's path.
    inside: String,
    is_limit: bool,
    reason: String,
}

impl Extract {
    fn tell(&mut self, inside: &str, fault: &ArchiveFault) {
        let is_limit = matches!(fault, ArchiveFault::Limit(_));
        self.faults.push(Told { inside: inside.to_owned(), is_limit, reason: fault.to_string() });
    }

    /// Keeps as much as `most` bytes hold, and says so.
    fn cut(&mut self, most: usize) {
        // Escapes take up to six bytes for one, and each member has field names beside its texts.
        let text = |texts: &[&str]| texts.iter().map(|text| text.len() * 6).sum::<usize>() + 64;
        let mut room = most.saturating_sub(512);
        let members = self.members.iter().take_while(|member| {
            let licences: usize = member.licences.iter().map(|licence| text(&[licence])).sum();
            let size = text(&[&member.path, &member.name, &member.version]) + licences;
            room.checked_sub(size).map(|left| room = left).is_some()
        });
        let kept = members.count();
        let kept_faults =
            self.faults.iter().take_while(|told| room.checked_sub(text(&[&told.inside, &told.reason])).map(|left| room = left).is_some());
        let kept_faults = kept_faults.count();
        if kept < self.members.len() || kept_faults < self.faults.len() {
            self.members.truncate(kept);
            self.faults.truncate(kept_faults);
            let reason = format!("what is said of it exceeds the limit of {most} bytes; the rest was not kept");
            self.faults.push(Told { inside: String::new(), is_limit: true, reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        inventory::{
            Cataloger as _,
            archive::fixture::{archive, deflated, stored},
            catalogers::npm::Npm,
            fixture,
        },
        model::{location::Location, package::Basis},
    };

    fn catalog_of(files: &[(&str, Vec<u8>)]) -> Found {
        let (view, layers) = fixture::image(&[files]);
        let mut found = Npm.catalog(&Context { view: &view, layers: &layers, distro: None });
        found.packages.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        found
    }

    fn zipped(name: &str, version: &str) -> Vec<u8> {
        let manifest = format!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"license\":\"MIT\"}}");
        archive(&[
            stored(&format!("node_modules/{name}/"), b""),
            deflated(&format!("node_modules/{name}/package.json"), &manifest),
            stored(&format!("node_modules/{name}/test/package.json"), b"{"),
        ])
    }

    #[test]
    fn archives_are_told_by_path() {
        let check = |path: &str, expected: Option<Place<'_>>| assert_eq!(place(path), expected, "{path}");
        check("app/.yarn/cache/a-npm-1.0.0-0123-10c0.zip", Some(Place::Project("app")));
        check(".yarn/cache/a.zip", Some(Place::Project("")));
        check("root/.yarn/berry/cache/a.zip", Some(Place::User));
        check("app/x.yarn/cache/a.zip", None);
        check("app/.yarn/cache/sub/a.zip", None);
        check("app/cache/a.zip", None);
    }

    #[test]
    fn archives_are_installed_packages() {
        let own = ("app/.yarn/cache/@s-a-npm-1.0.0-0.zip", zipped("@s/a", "1.0.0"));
        let others = ("root/.yarn/berry/cache/b-npm-2.0.0-0.zip", zipped("b", "2.0.0"));
        let map = ("app/.pnp.cjs", fixture::read("npm/pnp.cjs"));
        let found = catalog_of(&[own.clone(), others.clone()]);
        assert_eq!(fixture::purls(&found), ["pkg:npm/%40s/a@1.0.0"]);
        assert!(found.gaps.is_empty());
        assert_eq!(found.packages[0].licences, ["MIT"]);
        let [Location::Image { path, .. }] = found.packages[0].locations.as_slice() else { panic!("one location") };
        assert_eq!(path, "app/.yarn/cache/@s-a-npm-1.0.0-0.zip!/node_modules/@s/a/package.json");
        let found = catalog_of(&[map.clone(), own, others.clone()]);
        assert_eq!(fixture::purls(&found), ["pkg:npm/%40s/a@1.0.0", "pkg:npm/b@2.0.0"]);
        let found = catalog_of(&[map, others]);
        let installed: Vec<_> = found.packages.iter().filter(|package| package.basis == Basis::Installed).collect();
        assert_eq!((installed.len(), found.packages.len()), (1, 4));
    }

    #[test]
    fn damaged_archives_are_told() {
        let check = |bytes: Vec<u8>, packages: usize, subject: &str| {
            let found = catalog_of(&[("app/.yarn/cache/a.zip", bytes)]);
            let subjects: Vec<_> = found.gaps.iter().map(|gap| gap.subject.as_str()).collect();
            assert_eq!((found.packages.len(), subjects), (packages, vec![subject]));
        };
        check(b"no archive".to_vec(), 0, "app/.yarn/cache/a.zip");
        check(archive(&[stored("readme", b"x")]), 0, "app/.yarn/cache/a.zip");
        let bad = stored("node_modules/b/package.json", b"{");
        let good = stored("node_modules/a/package.json", b"{\"name\":\"a\",\"version\":\"1\"}");
        check(archive(&[good, bad]), 1, "app/.yarn/cache/a.zip!/node_modules/b/package.json");
    }

    #[test]
    fn what_is_said_of_an_archive_has_a_limit() {
        let member = || Member { path: "p".repeat(100), name: "n".to_owned(), version: "1".to_owned(), licences: Vec::new() };
        let mut extract = Extract { members: (0..100).map(|_| member()).collect(), faults: Vec::new() };
        extract.cut(10_000);
        assert!(extract.members.len() < 100 && extract.faults.len() == 1);
        assert!(serde_json::to_vec(&extract).unwrap().len() <= 10_000);
    }
}
