//! `Listing`: what one record file that names several packages says, and how such files become packages, each in the layer that brought it.

use std::collections::BTreeSet;

use crate::{
    inventory::{
        CatalogError, Context, Found, attribution,
        cataloger::{RECORD, TEXT, text},
    },
    layers::FileEntry,
    model::{
        coverage::{Gap, SourceId},
        package::Package,
    },
};

/// How many entries of one file that could not be read are named.
const UNREAD: usize = 10;

/// What one record file says.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The packages that it names, without locations.
    pub packages: Vec<Package>,
    /// What of it could not be read, in words for Gaps.
    pub unread: Vec<String>,
    /// Bytes of what the packages say.
    pub text: usize,
}

impl Listing {
    /// Adds a package. One that says too much is none that could be read.
    pub(super) fn add(&mut self, package: Package) {
        match text(&package) {
            // What is more than fits is only counted, so that whoever takes the packages sees that there are too many.
            Ok(text) => {
                self.text = self.text.saturating_add(text);
                if self.text <= TEXT {
                    self.packages.push(package);
                }
            }
            Err(error) => self.doubt(|| error.0),
        }
    }

    /// Notes that one entry could not be read; of many, the number stands in the last note.
    pub(super) fn doubt(&mut self, what: impl FnOnce() -> String) {
        if self.unread.len() < UNREAD {
            self.unread.push(what());
        } else if self.unread.len() == UNREAD {
            self.unread.push(format!("more than {UNREAD} entries could not be read; the others are not listed"));
        }
    }
}

/// Runs record files through `parse`. A file that several layers write gives each of its packages to the first layer since which it is there.
pub(super) fn read<'a>(
    found: &mut Found,
    context: &Context<'_>,
    files: impl Iterator<Item = FileEntry<'a>>,
    parse: impl Fn(&FileEntry<'a>, &[u8]) -> Result<Listing, CatalogError>,
) {
    let most = context.limits().packages;
    for file in files {
        if found.is_full() {
            break;
        }
        if file.size() > RECORD {
            let reason = format!("has {} bytes; of a file that lists packages the limit is {RECORD}, and it was not read", file.size());
            found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", file.path, reason));
            continue;
        }
        let mut listing = match parse(&file, &file.bytes()) {
            Ok(listing) => listing,
            Err(error) => {
                found.unreadable(file.path, &error);
                continue;
            }
        };
        for reason in listing.unread.drain(..) {
            found.unreadable(file.path, &CatalogError(reason));
        }
        let room = most.saturating_sub(found.packages.len());
        if listing.packages.len() > room {
            let reason = format!("the image has more package records than the limit of {most}; the rest of this file was not read");
            found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", file.path, reason));
            listing.packages.truncate(room);
        }
        if let [_] = file.versions {
            for package in listing.packages {
                if !found.admit(file.path, Package { locations: context.location(file.layer, file.path), ..package }) {
                    break;
                }
            }
            if listing.text > TEXT {
                found.fill(file.path);
            }
            continue;
        }
        let lower = file.versions.iter().rev().skip(1).map(|version| {
            let is_read = version.size() <= RECORD;
            let keys = is_read
                .then(|| parse(&file, &version.bytes()).ok())
                .flatten()
                .map(|older| older.packages.iter().map(key).collect::<BTreeSet<_>>());
            (version.layer, keys)
        });
        let layers = attribution::first_layers(file.layer, listing.packages.iter().map(key), lower);
        for package in listing.packages {
            let layer = layers.get(&key(&package)).copied().unwrap_or(file.layer);
            if !found.admit(file.path, Package { locations: context.location(layer, file.path), ..package }) {
                break;
            }
        }
        if listing.text > TEXT {
            found.fill(file.path);
        }
    }
    found.packages.shrink_to_fit();
}

fn key(package: &Package) -> Box<str> {
    attribution::key(&package.name, &package.version, package.purl.as_str())
}

#[cfg(test)]
mod tests {
    use std::{env, fs, io::Read as _, path::Path};

    use super::*;
    use crate::{
        inventory::{CATALOGERS, fixture},
        model::location::Location,
    };

    #[test]
    fn packages_of_a_rewritten_record_belong_to_the_layer_that_brought_them() {
        let record = |names: &[&str]| {
            let entries: Vec<_> = names.iter().map(|name| format!("{{\"name\":\"{name}\",\"version\":\"1\"}}")).collect();
            format!("{{\"packages\":[{}]}}", entries.join(",")).into_bytes()
        };
        let path = "app/vendor/composer/installed.json";
        let (view, layers) = fixture::image(&[
            &[(path, record(&["x/a", "x/gone"]))],
            &[(path, record(&["x/a", "x/b"]))],
            &[(path, b"{".to_vec())],
            &[(path, record(&["x/a", "x/b", "x/c"]))],
        ]);
        let context = Context { view: &view, layers: &layers, distro: None };
        let composer = CATALOGERS.iter().find(|cataloger| cataloger.id() == "composer").expect("composer");
        let found = composer.catalog(&context);
        let layer = |package: &Package| match package.locations.as_slice() {
            [Location::Image { index, .. }] => *index,
            other => panic!("{other:?}"),
        };
        let layers: Vec<_> = found.packages.iter().map(|package| (package.name.as_str(), layer(package))).collect();
        // Below a version that cannot be read nothing is known.
        assert_eq!(layers, [("x/a", 3), ("x/b", 3), ("x/c", 3)]);
        let (view, layers) =
            fixture::image(&[&[(path, record(&["x/a", "x/gone"]))], &[(path, record(&["x/a"]))], &[(path, record(&["x/a", "x/c"]))]]);
        let found = composer.catalog(&Context { view: &view, layers: &layers, distro: None });
        assert_eq!(found.packages.iter().map(layer).collect::<Vec<_>>(), [0, 2]);
    }

    fn npm(locks: &[&[(&str, Vec<u8>)]]) -> Found {
        let (view, layers) = fixture::image(locks);
        let npm = CATALOGERS.iter().find(|cataloger| cataloger.id() == "npm").expect("npm");
        npm.catalog(&Context { view: &view, layers: &layers, distro: None })
    }

    fn lock(count: usize, name: usize) -> Vec<u8> {
        let fill = "x".repeat(name);
        let entries: Vec<_> = (0..count).map(|number| format!("\"{number}{fill}\":{{\"version\":\"1\"}}")).collect();
        format!("{{\"lockfileVersion\":1,\"dependencies\":{{{}}}}}", entries.join(",")).into_bytes()
    }

    fn kinds(found: &Found) -> Vec<&'static str> {
        found.gaps.iter().map(|gap| gap.kind).collect()
    }

    #[test]
    fn packages_that_say_too_much_are_gaps() {
        let path = "app/package-lock.json";
        let found = npm(&[&[(path, lock(5, 900))]]);
        assert_eq!((found.packages.len(), found.gaps.len()), (5, 0));
        let found = npm(&[&[(path, lock(500, 12_000))]]);
        assert_eq!((found.packages.len(), kinds(&found)), (0, vec!["record-unreadable"; UNREAD + 1]));
        let long = |field: &str| {
            let fields =
                ["name", "version", "license"].map(|one| format!("\"{one}\":\"{}\"", "9".repeat(if one == field { 20_000 } else { 1 })));
            format!("{{{}}}", fields.join(",")).into_bytes()
        };
        for field in ["name", "version", "license"] {
            let found = npm(&[&[("app/node_modules/a/package.json", long(field))]]);
            let expected = if field == "license" { "says" } else { "names a package" };
            assert!(found.packages.is_empty() && found.gaps.iter().any(|gap| gap.reason.starts_with(expected)), "{field} {:?}", found.gaps);
        }
    }

    #[test]
    fn all_packages_together_say_no_more_than_the_limit() {
        // Each name is there twice, by itself and in the purl.
        let each = 2 * 1_000 + 20;
        let (path, other) = ("app/package-lock.json", "srv/package-lock.json");
        let found = npm(&[&[(path, lock(TEXT / each + 1_000, 1_000)), (other, lock(1, 1))]]);
        let said = |found: &Found| found.packages.iter().map(|package| text(package).unwrap()).sum::<usize>();
        assert!((TEXT - 2 * each..=TEXT).contains(&said(&found)), "{}", said(&found));
        assert_eq!(kinds(&found), ["file-limit"]);
        let half = || lock(TEXT / each * 2 / 3, 1_000);
        let found = npm(&[&[(path, half()), (other, half())], &[(path, half())]]);
        assert!(said(&found) <= TEXT && said(&found) > TEXT * 9 / 10, "{}", said(&found));
        assert_eq!(kinds(&found), ["file-limit"]);
        let found = npm(&[&[(path, vec![b' '; RECORD + 1]), (other, lock(1, 1))]]);
        assert_eq!((found.packages.len(), kinds(&found)), (1, vec!["file-limit"]));
    }

    #[test]
    fn many_doubts_are_counted() {
        let mut listing = Listing::default();
        (0..100).for_each(|number| listing.doubt(|| number.to_string()));
        assert_eq!(listing.unread.len(), UNREAD + 1);
    }

    /// End of a path in the corpus, and how many different packages other readers of the format (PyYAML, Python's json, RubyGems' rules) find; `None`
    /// for files that are damaged on purpose or say nothing without running them.
    const EXPECTED: &[(&str, Option<usize>)] = &[
        ("dotnet/testdata/packages.lock.json", Some(9)),
        ("image-net8-app/src/packages.lock.json", Some(51)),
        ("packageslockjson/testdata/valid/packages.lock.json", Some(8)),
        ("repo/nuget/packages.lock.json", Some(2)),
        ("nuget/testdata/lock/packages.lock.json", Some(2)),
        ("lock-without-deps/packages.lock.json", Some(0)),
        ("syft/pkg/cataloger/dotnet/testdata/glob-paths/src/packages.lock.json", None),
        ("deps-with-referenceassembly/MyApp.deps.json", Some(2)),
        ("dir-example-1/TestLibrary.deps.json", Some(12)),
        ("image-pkg-coverage/pkgs/dotnet/TestLibrary.deps.json", Some(12)),
        ("image-debian-match-coverage/dotnet/TestLibrary.deps.json", Some(2)),
        ("net8-app-single-file.deps.json", Some(52)),
        ("glob-paths/src/something.deps.json", None),
        ("repo/dotnet/datacollector.deps.json", Some(2)),
        ("missing-target.deps.json", Some(2)),
        ("self-contained.deps.json", Some(4)),
        ("multi-project.deps.json", Some(4)),
        ("invalid.deps.json", None),
        ("without-runtime.deps.json", Some(4)),
        ("ambiguous-root.deps.json", Some(3)),
        ("happy.deps.json", Some(2)),
        ("glob-paths/src/composer.lock", None),
        ("vendor/composer_1/installed.json", Some(2)),
        ("vendor/composer_2/installed.json", Some(2)),
        ("pkgs/php/vendor/composer/installed.json", Some(3)),
        ("composer-vendor/happy/installed.json", Some(2)),
        ("composer-vendor/sad/installed.json", None),
        ("composer/sad/composer.lock", None),
        ("array-license-package-lock.json", Some(2)),
        ("corrupt/package-lock.json", None),
        ("glob-paths/src/package-lock.json", None),
        ("image-unknowns/package-lock.json", None),
        ("nodejs/npm/testdata/sad/package-lock.json", None),
        ("secret/testdata/package-lock.json", None),
        ("airlock-package-lock.json", Some(1)),
        ("npm/testdata/v1/package-lock.json", Some(6)),
        ("npm/testdata/v2/package-lock.json", Some(6)),
        ("npm/testdata/write/want.package-lock.json", Some(6)),
        ("npm/testdata/peer_meta/package-lock.json", Some(3)),
        ("npm/testdata/type_order/package-lock.json", Some(4)),
        ("inplace/testdata/npm/package-lock.json", Some(8)),
        ("testdata/pnpm/pnpm-lock.yaml", Some(1)),
        ("pnpm-remote/pnpm-lock.yaml", Some(1)),
        ("pnpm-v5-peer-suffix/pnpm-lock.yaml", Some(3)),
        ("pnpm-multi-doc/pnpm-lock.yaml", Some(3)),
        ("pnpm-v6/pnpm-lock.yaml", Some(10)),
        ("pnpm-v9/pnpm-lock.yaml", Some(4)),
        ("pnpm-v9-snapshots/pnpm-lock.yaml", Some(6)),
        ("repo/pnpm/pnpm-lock.yaml", Some(2)),
        ("pnpm/testdata/happy/pnpm-lock.yaml", Some(1)),
        ("pnpm/testdata/happy-v9/pnpm-lock.yaml", Some(1)),
        ("pnpm/testdata/no-node_modules/pnpm-lock.yaml", Some(6)),
        ("pnpm/testdata/sad/pnpm-lock.yaml", None),
        ("corrupt/pnpm-lock.yaml", None),
        ("glob-paths/src/pnpm-lock.yaml", None),
        ("testdata/yarn-berry/yarn.lock", Some(8)),
        ("yarn-berry-dups/yarn.lock", Some(2)),
        ("yarn-berry-dev-deps/yarn.lock", Some(4)),
        ("yarn-licenses/yarn.lock", Some(3)),
        ("yarn-berry-node-modules/yarn.lock", Some(3)),
        ("monorepo/yarn.lock", Some(11)),
        ("unsupported_protocol/yarn.lock", None),
        ("glob-paths/src/yarn.lock", None),
        ("glob-paths/src/Gemfile.lock", None),
        ("glob-paths/src/Cargo.lock", None),
        ("ruby/testdata/bundler.gemspec", Some(1)),
        ("formatador.gemspec", Some(1)),
        ("unbundler.gemspec", Some(1)),
        ("glob-paths/specifications/root.gemspec", None),
        ("rss-0.2.9.gemspec", Some(1)),
        ("yaml-0.2.1.gemspec", Some(1)),
        ("testdata/invalid.gemspec", Some(1)),
        ("badspec.gemspec", None),
        ("version_inline.gemspec", None),
        ("version_constant.gemspec", None),
        ("version_method.gemspec", None),
        ("normal00.gemspec", Some(1)),
        ("normal01.gemspec", Some(1)),
        ("gemspec/testdata/license.gemspec", Some(1)),
        ("malformed00.gemspec", None),
        ("malformed01.gemspec", None),
        ("empty_name.gemspec", Some(1)),
    ];

    #[test]
    fn records_of_other_scanners_are_read() {
        let Some(corpus) = env::var_os("PLIMSOLL_CORPUS") else {
            println!("skipped: PLIMSOLL_CORPUS is not set");
            return;
        };
        let Ok(file) = fs::File::open(Path::new(&corpus).join("corpus/pkgdb.tar.gz")) else {
            println!("skipped: the corpus has no pkgdb.tar.gz");
            return;
        };
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let (mut wrong, mut read, mut compared) = (Vec::new(), 0, 0);
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let Some(place) = place(&path) else { continue };
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let (view, layers) = fixture::image(&[&[(place.as_str(), bytes)]]);
            let context = Context { view: &view, layers: &layers, distro: None };
            let (mut purls, mut gaps) = (BTreeSet::new(), 0);
            for cataloger in CATALOGERS {
                let found = cataloger.catalog(&context);
                purls.extend(found.packages.iter().map(|package| package.purl.as_str().to_owned()));
                gaps += found.gaps.len();
            }
            read += 1;
            let Some((_, expected)) = EXPECTED.iter().find(|(end, _)| path.ends_with(end)) else { continue };
            compared += 1;
            if (gaps == 0).then_some(purls.len()) != *expected || (expected.is_none() && !purls.is_empty()) {
                wrong.push(format!("{path}: {} packages, {gaps} Gaps, expected {expected:?}: {purls:?}", purls.len()));
            }
        }
        println!("{read} records read, {compared} compared");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(compared >= EXPECTED.len(), "{compared} of {} records compared", EXPECTED.len());
    }

    /// Where an image would have such a file.
    fn place(path: &str) -> Option<String> {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        Some(match name {
            "installed.json" => "app/vendor/composer/installed.json".to_owned(),
            "packages.lock.json" | "composer.lock" | "yarn.lock" | "pnpm-lock.yaml" | "Gemfile.lock" | "Cargo.lock" => {
                format!("app/{name}")
            }
            _ if name.ends_with("package-lock.json") => "app/package-lock.json".to_owned(),
            _ if name.ends_with(".deps.json") => format!("app/{name}"),
            _ if name.ends_with(".gemspec") => format!("gems/specifications/{name}"),
            _ => return None,
        })
    }
}
