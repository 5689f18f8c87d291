//! Lock files of one ecosystem in, what they declare out, where nothing of their kind is installed below their folder.

use std::collections::BTreeSet;

use crate::{
    inventory::{CatalogError, Context, Found, attribution, cataloger::RECORD, lockfile::is_shipped},
    model::{
        coverage::{Gap, SourceId},
        package::{Basis, Package},
    },
};

/// What tells lock files of one ecosystem and reads them.
pub(in crate::inventory) struct LockFiles {
    /// Whether this is one.
    pub is_lock: fn(&str) -> bool,
    /// Whether this is a record of an installed package.
    pub is_installed: fn(&str) -> bool,
    /// Reads one: its path, its bytes.
    pub parse: fn(&str, &[u8], &Context<'_>) -> (Vec<Package>, Option<CatalogError>),
}

impl LockFiles {
    /// Adds what lock files declare to what was found.
    pub(in crate::inventory) fn catalog(&self, context: &Context<'_>, found: &mut Found) {
        let installed: BTreeSet<&str> = context.view.files().map(|file| file.path).filter(|path| (self.is_installed)(path)).collect();
        for file in context.view.files().filter(|file| (self.is_lock)(file.path)) {
            let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if is_shipped(file.path) || has_any_below(&installed, folder) {
                continue;
            }
            if file.size() > RECORD {
                let reason = format!("has {} bytes; of a file that lists packages the limit is {RECORD}, and it was not read", file.size());
                found.gaps.push(Gap::new(SourceId::Inventory, "file-limit", file.path, reason));
                continue;
            }
            let (packages, error) = (self.parse)(file.path, &file.bytes(), context);
            let locations = context.location(attribution::content_layer(&file), file.path);
            let room = context.limits().packages.saturating_sub(found.packages.len());
            if packages.len() > room {
                let reason = format!("the image has more packages than the limit of {}", context.limits().packages);
                found.unreadable(file.path, &CatalogError(reason));
            }
            for package in packages.into_iter().take(room) {
                if !found.admit(file.path, Package { locations: locations.clone(), basis: Basis::Declared, ..package }) {
                    break;
                }
            }
            if let Some(error) = error {
                found.unreadable(file.path, &error);
            }
        }
    }
}

/// One error for several entries of a file that could not be read.
pub(in crate::inventory) fn dropped(count: usize, why: &str) -> Option<CatalogError> {
    (count > 0).then(|| CatalogError(format!("{count} entries {why}")))
}

fn has_any_below(paths: &BTreeSet<&str>, folder: &str) -> bool {
    if folder.is_empty() {
        return !paths.is_empty();
    }
    let below = format!("{folder}/");
    paths.range(below.as_str()..).next().is_some_and(|path| path.starts_with(&below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_folder_counts() {
        let paths = BTreeSet::from(["app/venv/lib/x", "apps/y"]);
        let check = |folder: &str, expected: bool| assert_eq!(has_any_below(&paths, folder), expected, "{folder}");
        check("app", true);
        check("app/venv", true);
        check("ap", false);
        check("app/src", false);
        check("", true);
    }
}
