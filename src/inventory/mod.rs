//! File view in, packages out.

mod archive;
mod attribution;
mod cache;
mod cataloger;
mod catalogers;
mod distro;
pub mod end_of_life;
mod executable;
mod facts;
mod interests;
mod json;
mod json_cursor;
mod listing;
mod lockfile;
mod misplaced;
mod owners;
mod ownership;
mod purl;
mod redundancy;
mod rpmdb;
pub mod sbom;
mod secrets;
mod toml;
mod unread;

pub use cache::FolderCache;
pub use cataloger::{CatalogError, Cataloger, Context, Found};
pub use catalogers::CATALOGERS;
pub use facts::facts;
pub use interests::Interests;

use crate::{
    layers::{Examiners, FileView, Want},
    model::{
        coverage::{Gap, SourceId},
        image::Layer,
        location::Location,
        package::{Distro, Inventory, Package, PackageUrl},
    },
};

/// Who looks at files whose names say nothing.
const BY_CONTENT: Examiners = &[&executable::EXECUTABLE, &catalogers::JAR];

/// How much the inventory wants of a file, told from its path; hand it to [`crate::layers::walk`].
#[must_use]
pub fn wants(path: &str) -> Want {
    if let Some(folder) = path.strip_suffix('/') {
        return if catalogers::holds_records(folder) { Want::Presence } else { Want::No };
    }
    if misplaced::is_pending(path) {
        return Want::Bytes;
    }
    if distro::wants(path) {
        return Want::Bytes;
    }
    // None of these is a program or an archive, so that whoever looks into all of those misses nothing.
    let mut want = facts::wants(path);
    if want == Want::Bytes {
        return want;
    }
    for cataloger in CATALOGERS {
        match cataloger.wants(path) {
            Want::Bytes => return Want::Bytes,
            examined @ Want::Examine(_) => want = examined,
            Want::Presence if !want.by_content() => want = Want::Presence,
            Want::Presence | Want::PresenceOrExamine(_) | Want::ExamineIf(_) | Want::No => {}
        }
    }
    match want {
        Want::No if unread::ecosystem(path).is_some() => Want::Presence,
        Want::No => Want::ExamineIf(BY_CONTENT),
        // Whatever a folder is for, a program in it can be run.
        Want::Presence => Want::PresenceOrExamine(BY_CONTENT),
        want => want,
    }
}

/// Reads every package record of the view. `layers` are the image's layers in the order in which they were walked. Whoever asks the view no more adds
/// [`FileView::unfollowed`].
#[must_use]
pub fn catalog(view: &FileView, layers: &[Layer]) -> Inventory {
    let distro = distro::read(view);
    let context = Context { view, layers, distro: distro.as_ref() };
    let mut gaps = view.gaps.clone();
    let mut packages = Vec::new();
    for cataloger in CATALOGERS {
        let mut found = cataloger.catalog(&context);
        let (room, all) = (context.limits().packages.saturating_sub(packages.len()), found.packages.len());
        if all > room {
            found.packages.truncate(room);
            let reason =
                format!("the image has more packages than the limit of {}; {} are not listed", context.limits().packages, all - room);
            gaps.push(Gap::new(SourceId::Inventory, "file-limit", cataloger.id(), reason));
        }
        if packages.is_empty() {
            packages = found.packages;
        } else {
            packages.append(&mut found.packages);
        }
        gaps.append(&mut found.gaps);
    }
    ownership::name_owners(&context, &mut packages);
    redundancy::drop_redundant(&mut packages);
    sbom::drop_known(&mut packages, catalogers::EMBEDDED_SBOM);
    let packages = join(packages);
    gaps.extend(unread::gaps(view));
    gaps.extend(misplaced::gaps(view));
    gaps.extend(emptiness(view, distro.is_some(), &packages));
    gaps.extend(distro.as_ref().and_then(|distro| silence(distro, &packages)));
    gaps.sort();
    gaps.dedup();
    Inventory { distro, packages, gaps }
}

/// An image without packages, or with packages but without a distribution, was not understood.
fn emptiness(view: &FileView, has_distro: bool, packages: &[Package]) -> Option<Gap> {
    if packages.is_empty() && (has_distro || view.entries() > 0) {
        let gap = Gap::new(
            SourceId::Inventory,
            "nothing-inventoried",
            "",
            format!("no package record among {} entries of the image", view.entries()),
        );
        return Some(gap.with_hint("files that no package manager recorded cannot be matched with advisories"));
    }
    let os = packages.iter().any(|package| package.kind.is_os());
    (!packages.is_empty() && !has_distro).then(|| {
        let what = if os {
            "its OS packages cannot be matched with advisories"
        } else {
            "files of a distribution without package records would go unseen"
        };
        Gap::new(SourceId::Inventory, "no-distro", "", format!("no os-release says which distribution this is; {what}"))
    })
}

/// A distribution whose package manager left no record, while other packages are there: the records were lost or hidden.
fn silence(distro: &Distro, packages: &[Package]) -> Option<Gap> {
    let kind = distro::package_kind(distro)?;
    (!packages.is_empty() && packages.iter().all(|package| package.kind != kind)).then(|| {
        let reason = format!("os-release says that this is {}, but no package record of it could be read", distro.id);
        Gap::new(SourceId::Inventory, "nothing-inventoried", "os", reason)
    })
}

/// Sorts, and makes one package with several locations of records that say the same. In place, because there may be very many.
fn join(mut packages: Vec<Package>) -> Vec<Package> {
    fn key(package: &Package) -> (&PackageUrl, &'static str, Option<&str>, &str) {
        (&package.purl, package.found_by, package.owner.as_deref(), &package.version)
    }
    // Of two that differ in what they rest on, the better one is first and stays.
    packages.sort_unstable_by(|a, b| (key(a), a.basis, &a.locations).cmp(&(key(b), b.basis, &b.locations)));
    packages.dedup_by(|next, known| {
        let is_same = key(next) == key(known);
        if is_same {
            known.locations.append(&mut next.locations);
            known.licences.append(&mut next.licences);
            known.licences.sort();
            known.licences.dedup();
            known.hashes.append(&mut next.hashes);
            known.hashes.sort();
            known.hashes.dedup();
        }
        is_same
    });
    let place = |location: &Location| match location {
        Location::Image { index, path, .. } => (*index, path.clone()),
        _ => (usize::MAX, String::new()),
    };
    for package in &mut packages {
        package.locations.sort_by_cached_key(place);
        package.locations.dedup();
    }
    packages.sort_unstable_by(|a, b| (a.sort_key(), a.found_by).cmp(&(b.sort_key(), b.found_by)));
    packages
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod lock_corpus;
#[cfg(test)]
mod tests;
