//! `haskell`: packages registered with GHC, and what the lock files of stack and cabal declare.
//! Specifications: <https://downloads.haskell.org/ghc/latest/docs/users_guide/packages.html#package-databases>,
//! <https://docs.haskellstack.org/en/stable/topics/lock_files/>.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CatalogError, Cataloger, Context, Found, attribution, lockfile::LockFiles},
    layers::{Limits, Want},
    model::package::{Package, PackageKind, PackageUrl},
};

/// Reads `package.conf.d/*.conf`, `stack.yaml.lock` and `cabal.project.freeze`.
pub(super) struct Haskell;

const LOCKS: LockFiles = LockFiles { is_lock, is_installed: is_record, parse: parse_lock };

impl Cataloger for Haskell {
    fn id(&self) -> &'static str {
        "haskell"
    }

    fn wants(&self, path: &str) -> Want {
        if is_record(path) || is_lock(path) { Want::Bytes } else { Want::No }
    }

    fn catalog(&self, context: &Context<'_>) -> Found {
        let mut found = Found::default();
        found.each(context.view.files().filter(|file| is_record(file.path)), context.limits().packages, |file| {
            let package = parse_record(&file.bytes(), context.limits())?;
            Ok(Some(Package { locations: context.location(attribution::content_layer(&file), file.path), ..package }))
        });
        LOCKS.catalog(context, &mut found);
        found
    }
}

fn is_record(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = folder.rsplit('/').next().unwrap_or(folder);
    name.ends_with(".conf") && (parent == "package.conf.d" || (parent == "package.db" || parent.ends_with("-package.conf.d")))
}

fn is_lock(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("stack.yaml.lock" | "cabal.project.freeze"))
}

/// `name:`, `version:` and `license:` at the beginning of lines.
fn parse_record(bytes: &[u8], limits: &Limits) -> Result<Package, CatalogError> {
    let (mut name, mut version, mut licence) = (None, None, None);
    for line in bytes.split(|&byte| byte == b'\n') {
        if line.len() > limits.line_bytes {
            return Err(CatalogError(format!("a line exceeds the limit of {} bytes", limits.line_bytes)));
        }
        let line = String::from_utf8_lossy(line);
        let value = |field: &str| line.strip_prefix(field).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        name = name.or_else(|| value("name:"));
        version = version.or_else(|| value("version:"));
        licence = licence.or_else(|| value("license:"));
    }
    let (Some(name), Some(version)) = (name, version) else {
        return Err(CatalogError("holds no name and version".to_owned()));
    };
    let licences = licence.into_iter().filter(|licence| licence.len() <= 200).collect();
    Ok(Package { licences, ..package(&name, &version) })
}

fn parse_lock(path: &str, bytes: &[u8], context: &Context<'_>) -> (Vec<Package>, Option<CatalogError>) {
    let Ok(text) = std::str::from_utf8(bytes) else { return (Vec::new(), Some(CatalogError("is no UTF-8".to_owned()))) };
    let most = context.limits().packages;
    let is_stack = path.ends_with("stack.yaml.lock");
    // stack: `hackage: NAME-VERSION@sha256:…`; cabal: `constraints: any.NAME ==VERSION,`.
    let lines = text.lines().filter_map(|line| {
        let line = line.trim();
        if is_stack {
            let id = line.trim_start_matches("- ").strip_prefix("hackage:")?.trim().split('@').next()?;
            return id.rsplit_once('-');
        }
        let line = line.strip_prefix("constraints:").unwrap_or(line).trim();
        line.strip_prefix("any.")?.trim_end_matches(',').split_once("==").map(|(name, version)| (name.trim(), version.trim()))
    });
    // stack writes what it was asked for below what it found, which may be the same.
    let entries: BTreeSet<(&str, &str)> = lines.take(most + 1).collect();
    let packages = entries.into_iter().map(|(name, version)| package(name, version)).collect();
    let begins = if is_stack { "packages:" } else { "constraints:" };
    let is_known = text.lines().any(|line| line.trim_start().starts_with(begins));
    let error = (!is_known && !text.trim().is_empty()).then(|| CatalogError(format!("holds no `{begins}`")));
    (packages, error)
}

fn package(name: &str, version: &str) -> Package {
    let purl = PackageUrl::new(PackageKind::Hackage, None, name, Some(version), &BTreeMap::new());
    Package::new(PackageKind::Hackage, name.to_owned(), version.to_owned(), purl, "haskell")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn records_and_lock_files_are_read() {
        let check = |path: &str, name: &str, expected: &[&str], gaps: usize| {
            let found = fixture::catalog(&Haskell, &[(path, name)]);
            assert_eq!(fixture::purls(&found), expected, "{name}");
            assert_eq!(found.gaps.len(), gaps, "{name}");
        };
        check("usr/lib/ghc/lib/package.conf.d/mooring-1.2.conf", "haskell/mooring.conf", &["pkg:hackage/mooring@1.2"], 0);
        check("app/stack.yaml.lock", "haskell/stack.yaml.lock", &["pkg:hackage/bilge-pump@0.3", "pkg:hackage/mooring@1.2"], 0);
        check("app/cabal.project.freeze", "haskell/cabal.project.freeze", &["pkg:hackage/bilge-pump@0.3", "pkg:hackage/mooring@1.2"], 0);
        check("etc/mooring.conf", "haskell/mooring.conf", &[], 0);
        check("usr/lib/ghc/package.conf.d/a.conf", "haskell/malformed", &[], 1);
        check("app/stack.yaml.lock", "haskell/malformed", &[], 1);
        check("app/cabal.project.freeze", "haskell/malformed", &[], 1);
    }
}
