//! `Gemfile.lock` in, declared gems out. The format is that of Bundler's own reader:
//! <https://github.com/rubygems/rubygems/blob/master/bundler/lib/bundler/lockfile_parser.rb>.

use super::Identity;
use crate::{
    inventory::{
        CatalogError,
        listing::Listing,
        lockfile::{self, Origin, lines, shown},
    },
    layers::Limits,
    model::package::{Package, PackageKind, PackageUrl},
};

/// Where the gems of a section come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Registry,
    Repository,
    Other,
}

/// Reads what the `GEM` and `GIT` sections resolve; gems of a `PATH` are the project's own.
pub(super) fn parse(bytes: &[u8], limits: &Limits) -> Result<Listing, CatalogError> {
    let mut listing = Listing::default();
    let (mut section, mut seen) = (Section::Other, false);
    let (mut remote, mut revision) = (String::new(), String::new());
    for (indent, line) in lines(bytes, limits)? {
        if indent == 0 {
            if !line.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') {
                return Err(CatalogError(format!("is no readable Gemfile.lock: `{}` is no section", shown(line))));
            }
            (seen, section) = match line {
                "GEM" | "PLUGIN SOURCE" => (true, Section::Registry),
                "GIT" => (true, Section::Repository),
                "PATH" | "PLATFORMS" | "DEPENDENCIES" => (true, Section::Other),
                _ => (seen, Section::Other),
            };
            (remote, revision) = (String::new(), String::new());
            continue;
        }
        match (indent, line.split_once(": ")) {
            (2, Some(("remote", address))) => address.clone_into(&mut remote),
            (2, Some(("revision", commit))) => commit.clone_into(&mut revision),
            (4, _) if section != Section::Other => {
                let Some(identity) = resolved(line) else {
                    listing.doubt(|| format!("the entry `{}` does not name a gem and its version", shown(line)));
                    continue;
                };
                listing.add(package(identity, section, &remote, &revision));
            }
            _ => {}
        }
    }
    if !seen {
        return Err(CatalogError("is no readable Gemfile.lock: it has no section".to_owned()));
    }
    Ok(listing)
}

/// `name (version[-platform])`.
fn resolved(line: &str) -> Option<Identity> {
    let (name, rest) = line.split_once(" (")?;
    let version = rest.strip_suffix(')')?;
    let (version, platform) = version.split_once('-').map_or((version, None), |(version, platform)| (version, Some(platform)));
    Identity::new(name, version, platform)
}

fn package(identity: Identity, section: Section, remote: &str, revision: &str) -> Package {
    let package = lockfile::declared(identity.package(PackageKind::Gem));
    if section != Section::Repository {
        return package;
    }
    let address = if remote.starts_with("http") { format!("git+{remote}#{revision}") } else { format!("{remote}#{revision}") };
    let qualifiers = Origin::of(&address).qualifier().into_iter().collect();
    Package { purl: PackageUrl::new(PackageKind::Gem, None, &package.name, Some(&package.version), &qualifiers), ..package }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::fixture;

    #[test]
    fn resolved_gems_are_read() {
        let listing = parse(&fixture::read("gem/Gemfile.lock"), &Limits::default()).unwrap();
        let purls: Vec<_> = listing.packages.iter().map(|package| package.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:gem/from-git@0.3.1?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Ffrom-git.git%400c0ffee",
                "pkg:gem/native@2.0.0.pre1",
                "pkg:gem/native@2.0.0.pre1?platform=x86_64-linux",
                "pkg:gem/plain@0.9",
                "pkg:gem/other@3.1"
            ]
        );
        assert!(listing.unread.is_empty());
    }

    #[test]
    fn damaged_lock_files_are_told() {
        let check = |text: &str, readable: bool, unread: usize| {
            let found = parse(text.as_bytes(), &Limits::default());
            assert_eq!(found.is_ok(), readable, "{text}");
            assert_eq!(found.map_or(0, |listing| listing.unread.len()), unread, "{text}");
        };
        check("bogus", false, 0);
        check("", false, 0);
        check("GEM\n  specs:\n<<<<<<< HEAD\n", false, 0);
        check("GEM\n  remote: x\n  specs:\n    a (\n    b\n    c (1)\n      d (>= 1)\n", true, 2);
        check("PLATFORMS\n  ruby\n", true, 0);
        check("GEM\r\n  specs:\r\n    c (1)\r\n", true, 0);
    }
}
