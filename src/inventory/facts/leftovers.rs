//! Paths in, which package managers left what they downloaded out. Only as many files are asked for as tell that something is there.

use std::collections::BTreeMap;

use crate::{inventory::Context, model::facts::LeftoverFact};

/// A cache: whose it is, its folder with a slash, and which of its files tell that it was used.
struct Cache {
    manager: &'static str,
    folder: &'static str,
    tells: fn(&str) -> bool,
}

const CACHES: &[Cache] = &[
    Cache { manager: "apt", folder: "var/lib/apt/lists/", tells: |rest| rest.contains("_Packages") || rest.ends_with("Release") },
    Cache { manager: "apt", folder: "var/cache/apt/", tells: |rest| rest.ends_with(".deb") || rest.ends_with("pkgcache.bin") },
    Cache { manager: "apk", folder: "var/cache/apk/", tells: |rest| rest.starts_with("APKINDEX.") || rest.ends_with(".apk") },
    Cache { manager: "apk", folder: "etc/apk/cache/", tells: |rest| rest.starts_with("APKINDEX.") || rest.ends_with(".apk") },
    Cache {
        manager: "dnf",
        folder: "var/cache/dnf/",
        tells: |rest| rest.ends_with("repomd.xml") || rest.ends_with(".solv") || rest.ends_with(".rpm"),
    },
    Cache {
        manager: "dnf",
        folder: "var/cache/libdnf5/",
        tells: |rest| rest.ends_with("repomd.xml") || rest.ends_with(".solv") || rest.ends_with(".rpm"),
    },
    Cache {
        manager: "yum",
        folder: "var/cache/yum/",
        tells: |rest| rest.ends_with("repomd.xml") || rest.ends_with(".sqlite") || rest.ends_with(".rpm"),
    },
    Cache {
        manager: "zypper",
        folder: "var/cache/zypp/",
        tells: |rest| rest.ends_with(".solv") || rest.ends_with("solv") || rest.ends_with(".rpm"),
    },
    Cache { manager: "pacman", folder: "var/cache/pacman/pkg/", tells: |rest| rest.contains(".pkg.tar") && !rest.ends_with(".sig") },
    Cache { manager: "pip", folder: "root/.cache/pip/", tells: |rest| rest.starts_with("http") || rest.starts_with("wheels/") },
    Cache { manager: "uv", folder: "root/.cache/uv/", tells: |rest| rest.starts_with("wheels-v") && rest.ends_with(".msgpack") },
    Cache { manager: "npm", folder: "root/.npm/_cacache/", tells: |rest| rest.starts_with("index-v5/") },
    Cache { manager: "yarn", folder: "usr/local/share/.cache/yarn/", tells: |rest| rest.ends_with(".yarn-metadata.json") },
    Cache { manager: "Go", folder: "root/.cache/go-build/", tells: |rest| rest.ends_with("trim.txt") || rest.ends_with("README") },
    Cache { manager: "cargo", folder: "usr/local/cargo/registry/cache/", tells: |rest| rest.ends_with(".crate") },
    Cache { manager: "Maven", folder: "root/.m2/repository/", tells: |rest| rest.ends_with(".pom") },
    Cache { manager: "Composer", folder: "root/.composer/cache/", tells: |rest| rest.ends_with(".zip") || rest.ends_with(".json") },
];

/// Whether the file tells of a cache.
pub(super) fn wants(path: &str) -> bool {
    cache(path).is_some()
}

fn cache(path: &str) -> Option<&'static Cache> {
    // Nearly all files of an image stand elsewhere.
    if !["var/", "root/.", "etc/apk/", "usr/local/"].iter().any(|start| path.starts_with(start)) {
        return None;
    }
    CACHES.iter().find(|cache| path.strip_prefix(cache.folder).is_some_and(cache.tells))
}

/// The caches that are there.
pub(super) fn read(context: &Context<'_>) -> Vec<LeftoverFact> {
    let mut found: BTreeMap<&'static str, LeftoverFact> = BTreeMap::new();
    for file in context.view.files() {
        let Some(cache) = cache(file.path) else { continue };
        let Some(location) = context.location(file.layer, file.path).into_iter().next() else { continue };
        let folder = cache.folder.trim_end_matches('/');
        found.entry(folder).or_insert(LeftoverFact { manager: cache.manager, folder, files: 0, location }).files += 1;
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_are_told_by_few_files() {
        let check = |path: &str, expected: Option<&str>| assert_eq!(cache(path).map(|cache| cache.manager), expected, "{path}");
        check("var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages.lz4", Some("apt"));
        check("var/lib/apt/lists/lock", None);
        check("var/cache/apk/APKINDEX.0a1b2c3d.tar.gz", Some("apk"));
        check("var/cache/dnf/base-0123/repodata/repomd.xml", Some("dnf"));
        check("root/.cache/pip/http-v2/0/1/2/3/4/01234", Some("pip"));
        check("root/.npm/_cacache/index-v5/00/11/2233", Some("npm"));
        check("root/.npm/_cacache/content-v2/sha512/00/11", None);
        check("home/app/.npm/x", None);
    }
}
