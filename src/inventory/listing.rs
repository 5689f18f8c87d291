//! `Listing`: what one record file that names several packages says, and how such files become packages, each in the layer that brought it.

use std::collections::BTreeSet;

use crate::{
    inventory::{CatalogError, Context, Found, attribution},
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
}

impl Listing {
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
            found.packages.extend(
                listing.packages.into_iter().map(|package| Package { locations: context.location(file.layer, file.path), ..package }),
            );
            continue;
        }
        let lower = file.versions.iter().rev().skip(1).map(|version| {
            let keys = parse(&file, &version.bytes()).ok().map(|older| older.packages.iter().map(key).collect::<BTreeSet<_>>());
            (version.layer, keys)
        });
        let layers = attribution::first_layers(file.layer, listing.packages.iter().map(key), lower);
        for package in listing.packages {
            let layer = layers.get(&key(&package)).copied().unwrap_or(file.layer);
            found.packages.push(Package { locations: context.location(layer, file.path), ..package });
        }
    }
    found.packages.shrink_to_fit();
}

fn key(package: &Package) -> Box<str> {
    attribution::key(&package.name, &package.version, package.purl.as_str())
}
