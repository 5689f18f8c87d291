//! `pypi`: installed Python distributions, and where none is installed the lock files that declare some.
//! Specifications: <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>,
//! <https://packaging.python.org/en/latest/specifications/direct-url/>.

mod egg;
mod locks;
mod metadata;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{
        CatalogError, Cataloger, Context, Found, attribution,
        json_cursor::Json,
        lockfile::{LockFiles, is_plain, place},
    },
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl, pypi_name},
};

/// Reads `*.dist-info/METADATA`, `*.egg-info/PKG-INFO`, `*.egg-info` files, eggs as folders and as zip files, and lock files.
pub(super) struct Pypi;

const LOCKS: LockFiles = LockFiles { is_lock: locks::is_lock, is_installed: is_record, parse: locks::parse };

impl Cataloger for Pypi {
    fn id(&self) -> &'static str {
        "pypi"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, path: &str) -> Want {
        let (folder, name) = split(path);
        if is_record(path) || locks::is_lock(path) || is_link(folder, name) || is_direct_url(folder, name) {
            return Want::Bytes;
        }
        match egg::is_egg(folder, name) {
            true => Want::Examine(&egg::Eggs),
            false if is_trace(folder, name) => Want::Presence,
            false => Want::No,
        }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| is_record(file.path)), context.limits().packages, |file| {
            let mut package = metadata::parse(&file.bytes(), context.limits())?;
            if let Some(origin) = origin(context, split(file.path).0) {
                package.purl = purl(&package.name, &package.version, &BTreeMap::from([("vcs_url", origin)]));
            }
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        // Each folder is looked at once, however many traces are in it.
        let mut bare = BTreeSet::new();
        for file in context.view.files() {
            let (folder, name) = split(file.path);
            if egg::is_egg(folder, name) {
                egg::catalog(context, &file, &mut found);
            } else if is_link(folder, name) {
                check_link(context, file.path, &file.bytes(), &mut found);
            } else if is_trace(folder, name) && bare.insert(folder) && context.view.lookup(&format!("{folder}/METADATA")).is_none() {
                found.unreadable(folder, &CatalogError("holds no METADATA, so that name and version are not known".to_owned()));
            }
        }
        LOCKS.catalog(context, &mut found);
        found
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Python compares the ends of folder names without regard to case.
fn ends_with(folder: &str, end: &str) -> bool {
    folder.len().checked_sub(end.len()).and_then(|at| folder.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// The metadata of one installed distribution.
fn is_record(path: &str) -> bool {
    let (folder, name) = split(path);
    match name {
        "METADATA" => ends_with(folder, ".dist-info"),
        "PKG-INFO" => ends_with(folder, ".egg-info") || ends_with(folder, ".egg/EGG-INFO"),
        _ => name.ends_with(".egg-info"),
    }
}

/// A file that installers leave beside METADATA.
fn is_trace(folder: &str, name: &str) -> bool {
    ends_with(folder, ".dist-info")
        && matches!(name, "RECORD" | "WHEEL" | "INSTALLER" | "REQUESTED" | "top_level.txt" | "entry_points.txt" | "direct_url.json")
}

fn is_direct_url(folder: &str, name: &str) -> bool {
    name == "direct_url.json" && ends_with(folder, ".dist-info")
}

/// `setup.py develop` leaves a file that leads to the source tree instead of a distribution.
fn is_link(folder: &str, name: &str) -> bool {
    name.ends_with(".egg-link") && (folder.ends_with("site-packages") || folder.ends_with("dist-packages"))
}

/// The source tree's own record is found wherever it stands; a link that leads to none is a distribution that nothing is known of.
fn check_link(context: &Context<'_>, path: &str, bytes: &[u8], found: &mut Found) {
    let text = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes)).into_owned();
    let target = text.lines().next().unwrap_or_default().trim().trim_matches('/');
    let place = context.view.resolve(target).unwrap_or_else(|| target.to_owned());
    let is_known = !target.is_empty()
        && context.view.files().any(|file| {
            is_record(file.path)
                && file.path.strip_prefix(place.as_str()).is_some_and(|rest| rest.starts_with('/') && rest.matches('/').count() <= 3)
        });
    if !is_known {
        found.unreadable(path, &CatalogError("leads to a source tree that holds no metadata, so that its version is not known".to_owned()));
    }
}

/// Where a distribution was taken from, if it was a version control system: as purls write it, without user and password.
fn origin(context: &Context<'_>, folder: &str) -> Option<String> {
    let file = context.view.lookup(&format!("{folder}/direct_url.json"))?;
    let (mut url, mut system, mut commit) = (None, None, None);
    // A damaged one takes nothing away from what METADATA says.
    Json::check(&file.bytes(), context.limits()).ok()?.each_key(|json, key| match key {
        "url" => url = json.text(),
        "vcs_info" => json.each_key(|json, key| match key {
            "vcs" => system = json.text(),
            "commit_id" => commit = json.text(),
            _ => {}
        }),
        _ => {}
    });
    let (scheme, rest) = url.as_deref()?.split_once("://")?;
    let (system, commit) = (system?, commit?);
    let is_legal = [scheme, &system, &commit].into_iter().all(is_plain);
    place(rest).filter(|_| is_legal).map(|place| format!("{system}+{scheme}://{place}@{commit}"))
}

fn purl(name: &str, version: &str, qualifiers: &BTreeMap<&str, String>) -> PackageUrl {
    PackageUrl::new(PackageKind::Pypi, None, &pypi_name(name), Some(version), qualifiers)
}

/// A distribution of which only this is known.
fn package(name: String, version: String) -> Package {
    let purl = purl(&name, &version, &BTreeMap::new());
    Package::new(PackageKind::Pypi, name, version, purl, "pypi")
}

#[cfg(test)]
mod tests;
