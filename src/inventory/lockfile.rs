//! Lock files: which of them count, and what they have in common. They say what a project wants, so they matter only where nothing is installed
//! beside them and where they did not come with a package, which was only developed with what its lock file names.

mod address;
mod catalog;

use std::collections::BTreeSet;

use address::{address, commit};
pub(super) use address::{is_plain, place, readable, shown};
pub(super) use catalog::{LockFiles, dropped};

use crate::{
    inventory::CatalogError,
    layers::Limits,
    model::package::{Basis, Package, PackageKind, PackageUrl},
};

/// Whether a file at this path is part of an installed package, or of a package's documentation.
pub(super) fn is_shipped(path: &str) -> bool {
    let mut above = "";
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts = folder.split('/');
    while let Some(part) = parts.next() {
        match (above, part) {
            (_, "node_modules" | "site-packages" | "dist-packages" | ".cargo" | ".yarn" | ".git")
            | ("pkg", "mod")
            | ("share", "doc" | "cargo")
            | ("cargo", "registry" | "git") => return true,
            // `vendor/a` may be an application of its own, and so is all that stands in `/opt/vendor`: rather one package too many is listed.
            (_, "vendor") if above != "opt" && parts.clone().nth(1).is_some() => return true,
            ("gems", _) if is_versioned(part) => return true,
            _ => above = part,
        }
    }
    false
}

/// Whether a folder's name ends with a version or a commit: `rails-7.1.0`, `rails-c0ffee0`.
fn is_versioned(folder: &str) -> bool {
    folder.rsplit_once('-').is_some_and(|(_, end)| {
        end.starts_with(|first: char| first.is_ascii_digit()) || (end.len() >= 7 && end.chars().all(|char| char.is_ascii_hexdigit()))
    })
}

/// Where installed packages serve a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// In its folder and below.
    Below,
    /// There, and in the folders above it.
    Around,
}

/// The folders of projects beside which something is installed.
#[derive(Debug)]
pub(super) struct Installed {
    folders: BTreeSet<String>,
    reach: Reach,
}

/// Where programs of the distribution and of its administrator live: nothing there was installed for a project in the root folder.
const SYSTEM: [&str; 6] = ["usr/", "opt/", "var/", "root/", "home/", "lib/"];

impl Installed {
    /// What is installed in these folders.
    pub(super) fn new(reach: Reach, folders: impl Iterator<Item = String>) -> Self {
        Self { folders: folders.collect(), reach }
    }

    /// Whether something is installed for the project whose lock file stands at `path`.
    pub(super) fn covers(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if self.folders.contains(folder) {
            return true;
        }
        if folder.is_empty() {
            return self.folders.iter().any(|installed| !SYSTEM.iter().any(|start| format!("{installed}/").starts_with(start)));
        }
        let below = format!("{folder}/");
        if self.folders.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below)) {
            return true;
        }
        let mut above = folder;
        while self.reach == Reach::Around && !above.is_empty() {
            above = above.rsplit_once('/').map_or("", |(above, _)| above);
            if self.folders.contains(above) {
                return true;
            }
        }
        false
    }
}

/// The package as an entry of a lock file declares it.
pub(super) const fn declared(package: Package) -> Package {
    let mut package = package;
    package.basis = Basis::Declared;
    package
}

/// The lines of a text, each with how far it is indented, without those that are empty or comments.
pub(super) fn lines<'a>(bytes: &'a [u8], limits: &Limits) -> Result<impl Iterator<Item = (usize, &'a str)> + Clone, CatalogError> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
        .map_err(|error| CatalogError(format!("is not UTF-8 from byte {} on", error.valid_up_to())))?;
    if text.lines().any(|line| line.len() > limits.line_bytes) {
        return Err(CatalogError(format!("a line exceeds the limit of {} bytes", limits.line_bytes)));
    }
    Ok(text.lines().filter_map(|line| {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let content = content.trim_end();
        (!content.is_empty() && !content.starts_with('#')).then_some((indent, content))
    }))
}

/// A text without its quotes.
pub(super) fn unquoted(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

/// Splits `name@rest` at the first `@` that is not the mark of a scope.
pub(super) fn at_version(text: &str) -> Option<(&str, &str)> {
    let at = text.char_indices().skip(1).find(|&(_, char)| char == '@')?.0;
    let (name, rest) = text.split_at_checked(at)?;
    Some((name, rest.strip_prefix('@')?)).filter(|(name, rest)| !name.is_empty() && !rest.is_empty())
}

/// Where the thing of an entry comes from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The ecosystem's registry, as far as the lock file says.
    Registry,
    /// A repository, as a purl's `vcs_url` names it.
    Repository(String),
    /// A single file of the network.
    Download(String),
    /// The project itself or the machine that made the lock file.
    Local,
}

impl Origin {
    /// Tells it from an address or a version of npm's kind: `git+ssh://…`, `github:user/repo#commit`, `https://…`, `file:…`, `workspace:…`, `1.0.0`.
    pub(super) fn of(text: &str) -> Self {
        const LOCAL: [&str; 8] = ["file:", "link:", "portal:", "workspace:", "root:", "./", "../", "/"];
        if LOCAL.iter().any(|start| text.starts_with(start)) {
            return Self::Local;
        }
        for (short, host) in [("github:", "github.com"), ("gitlab:", "gitlab.com"), ("bitbucket:", "bitbucket.org")] {
            if let Some(rest) = text.strip_prefix(short) {
                return Self::Repository(address(&format!("git+https://{host}/{rest}")));
            }
        }
        let path = text.split(['#', '?']).next().unwrap_or(text);
        let is_web = text.starts_with("https://") || text.starts_with("http://");
        if text.starts_with("git+") || text.starts_with("git://") || text.starts_with("git@") || text.starts_with("ssh://") {
            return Self::Repository(address(text));
        }
        match is_web && path.ends_with(".git") {
            true => Self::Repository(address(&format!("git+{text}"))),
            false if is_web => Self::Download(address(text)),
            false => Self::Registry,
        }
    }

    /// The version of an entry that has this origin, where its address may stand in place of the version: of a repository the commit, of a file none.
    pub(super) fn version<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Registry => Some(text),
            Self::Repository(_) => commit(text),
            Self::Download(_) | Self::Local => None,
        }
        .filter(|version| is_plain(version))
    }

    /// What says so in a purl.
    pub(super) fn qualifier(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Repository(address) => Some(("vcs_url", address.clone())),
            Self::Download(address) => Some(("download_url", address.clone())),
            Self::Registry | Self::Local => None,
        }
        .filter(|(_, address)| !address.is_empty())
    }
}

/// A declared package whose purl is made of kind, name and version alone, and of where it comes from.
pub(super) fn package(kind: PackageKind, name: &str, version: &str, origin: &Origin, found_by: &'static str) -> Package {
    let qualifiers = origin.qualifier().into_iter().collect();
    let purl = PackageUrl::new(kind, None, name, Some(version), &qualifiers);
    declared(Package::new(kind, name.to_owned(), version.to_owned(), purl, found_by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_packages_are_told_by_path() {
        let check = |path: &str, expected: bool| assert_eq!(is_shipped(path), expected, "{path}");
        check("app/package-lock.json", false);
        check("package-lock.json", false);
        check("app/node_modules/a/package-lock.json", true);
        check("usr/lib/ruby/gems/3.1.0/gems/typeprof-0.21.2/Gemfile.lock", true);
        check("usr/local/bundle/bundler/gems/rails-0c0ffee/Gemfile.lock", true);
        check("srv/gems/Gemfile.lock", false);
        check("srv/gems/app/Gemfile.lock", false);
        check("srv/gems/acme-api/Gemfile.lock", false);
        check("srv/gems/my-facade/Gemfile.lock", false);
        check("usr/local/bundle/bundler/gems/rails-c0ffee0a1b2c/Gemfile.lock", true);
        check("app/vendor/a/b/composer.lock", true);
        check("app/vendor/bundle/ruby/3.3.0/gems/a-1/Gemfile.lock", true);
        check("vendor/a/Cargo.lock", false);
        check("opt/vendor/Cargo.lock", false);
        check("opt/vendor/app/Cargo.lock", false);
        check("opt/vendor/a/app/Cargo.lock", false);
        check("root/.cargo/registry/src/x/a-1/Cargo.lock", true);
        check("usr/local/cargo/registry/src/x/a-1/Cargo.lock", true);
        check("usr/share/doc/a/examples/yarn.lock", true);
        check("vendor", false);
    }

    #[test]
    fn lock_files_count_where_nothing_is_installed() {
        let check = |reach: Reach, folders: &[&str], lock: &str, expected: bool| {
            let installed = Installed::new(reach, folders.iter().map(|&folder| folder.to_owned()));
            assert_eq!(installed.covers(lock), expected, "{folders:?} {lock}");
        };
        check(Reach::Below, &["app"], "app/package-lock.json", true);
        check(Reach::Below, &["app/packages/a"], "app/package-lock.json", true);
        check(Reach::Below, &["application"], "app/package-lock.json", false);
        check(Reach::Below, &["app"], "app/sub/package-lock.json", false);
        check(Reach::Around, &["app"], "app/sub/package-lock.json", true);
        check(Reach::Around, &[""], "app/sub/package-lock.json", true);
        check(Reach::Below, &["usr/local/lib"], "package-lock.json", false);
        check(Reach::Below, &["app"], "package-lock.json", true);
        check(Reach::Below, &[], "app/package-lock.json", false);
    }

    #[test]
    fn names_and_versions_are_split() {
        let check = |text: &str, expected: Option<(&str, &str)>| assert_eq!(at_version(text), expected, "{text}");
        check("a@1.0.0", Some(("a", "1.0.0")));
        check("@s/a@npm:1", Some(("@s/a", "npm:1")));
        check("@s/a", None);
        check("a@", None);
        check("", None);
        check("é@1", Some(("é", "1")));
    }

    #[test]
    fn origins_are_told() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let found = Origin::of(text).qualifier();
            assert_eq!(found.as_ref().map(|(key, value)| (*key, value.as_str())), expected, "{text}");
        };
        check("1.0.0", None);
        check("git+ssh://git@example.org/a/b.git#c0ffee", Some(("vcs_url", "git+ssh://example.org/a/b.git@c0ffee")));
        check("git+https://user:hunter2@example.org/a.git#1", Some(("vcs_url", "git+https://example.org/a.git@1")));
        check("github:a/b#c0ffee", Some(("vcs_url", "git+https://github.com/a/b@c0ffee")));
        check("https://x:y@example.org/a.tgz", Some(("download_url", "https://example.org/a.tgz")));
        check(&format!("https://example.org/{}", "a".repeat(500)), None);
        assert_eq!(Origin::of("workspace:packages/a"), Origin::Local);
        assert_eq!(Origin::of("file:../a"), Origin::Local);
    }
}
