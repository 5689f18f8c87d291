//! File view and packages in, what else is in the image out: credentials, special permissions, accounts, tools, leftovers, runtimes.

mod accounts;
mod leftovers;
mod tools;
mod unneeded;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inventory::{CATALOGERS, Context, end_of_life, ownership, secrets},
    layers::{FileView, Want},
    model::{
        facts::{Fate, ImageFacts, ModeFact, RuntimeFact, SecretClass, SecretFact},
        image::Layer,
        location::Location,
        package::Inventory,
    },
};

/// Raised when what is wanted changes, so that a cache of layers does not answer with what an older version wanted.
pub(super) const VERSION: u32 = 2;

/// How much is wanted of a file that holds no package record.
pub(super) fn wants(path: &str) -> Want {
    if accounts::wants(path) {
        Want::Bytes
    } else if leftovers::wants(path) || unneeded::wants(path) {
        Want::Presence
    } else {
        Want::No
    }
}

/// What is in the image besides packages. `layers` are those that were walked.
#[must_use]
pub fn facts(view: &FileView, layers: &[Layer], inventory: &Inventory) -> ImageFacts {
    let context = Context { view, layers, distro: inventory.distro.as_ref() };
    let owners = Owners::of(&context, inventory);
    ImageFacts {
        secrets: secrets(&context, &owners),
        modes: modes(&context, &owners),
        accounts: accounts::read(&context),
        tools: tools::read(inventory),
        leftovers: leftovers::read(&context),
        unneeded: unneeded::read(&context, &owners),
        runtimes: runtimes(inventory),
    }
}

/// Which OS package a file belongs to, for the files that something is said of, and the layer that the package came with.
struct Owners(BTreeMap<String, (String, usize)>);

impl Owners {
    fn of(context: &Context<'_>, inventory: &Inventory) -> Self {
        let noted = context.view.notes().map(|note| note.path);
        let marked = context.view.marks().map(|(path, _, _)| path);
        let asked: BTreeSet<&str> = noted.chain(marked).chain(unneeded::paths(context)).collect();
        // On a merged /usr, databases still name the files as they were packed.
        let mut paths: BTreeMap<&str, Option<String>> =
            asked.iter().flat_map(|path| [Some(*path), path.strip_prefix("usr/")]).flatten().map(|path| (path, None)).collect();
        if paths.is_empty() {
            return Self(BTreeMap::new());
        }
        for cataloger in CATALOGERS {
            cataloger.name_owners(context, &mut paths);
        }
        // A list of files without a package of that name in the database speaks for nobody.
        let installed = ownership::installed(&inventory.packages);
        let owner = |path: &str| {
            let owner = paths.get(path)?.as_deref()?;
            Some((owner.to_owned(), *installed.get(owner)?))
        };
        let own = asked.iter().filter_map(|path| {
            let owner = owner(path).or_else(|| path.strip_prefix("usr/").and_then(owner))?;
            Some(((*path).to_owned(), owner))
        });
        Self(own.collect())
    }

    /// The owner of what this layer put at a path. What was written after the package came is not the package's.
    fn owner(&self, path: &str, layer: usize) -> Option<&str> {
        self.0.get(path).filter(|(_, since)| layer <= *since).map(|(owner, _)| owner.as_str())
    }
}

/// Credentials of every layer. The same one in several versions of a file is one.
fn secrets(context: &Context<'_>, owners: &Owners) -> Vec<SecretFact> {
    let mut found: BTreeMap<(String, SecretClass, String, u32), SecretFact> = BTreeMap::new();
    let owned = context.view.notes().filter(|note| owners.owner(note.path, note.layer).is_some());
    // A layer that only changes a file's permissions holds the same bytes again.
    let brought: BTreeSet<(&str, &[u8])> = owned.map(|note| (note.path, note.bytes)).collect();
    for note in context.view.notes() {
        for hit in secrets::decode(note.bytes) {
            // What a package brings is public. A configuration file of one may have been filled in since.
            let is_configuration = note.path.starts_with("etc/") && hit.class == SecretClass::Credential;
            if brought.contains(&(note.path, note.bytes)) && !is_configuration {
                continue;
            }
            let fate = if note.is_visible { Fate::Visible } else { Fate::Hidden };
            let fact = found.entry((note.path.to_owned(), hit.class, hit.kind.clone(), hit.line)).or_insert_with(|| SecretFact {
                kind: hit.kind,
                severity: hit.severity,
                class: hit.class,
                shown: hit.shown,
                line: hit.line,
                path: note.path.to_owned(),
                locations: Vec::new(),
                fate,
            });
            if note.is_visible {
                fact.fate = Fate::Visible;
            }
            for location in context.location(note.layer, note.path) {
                if !fact.locations.contains(&location) {
                    fact.locations.push(location);
                }
            }
        }
    }
    found.into_values().filter(|fact| !fact.locations.is_empty()).collect()
}

fn modes(context: &Context<'_>, owners: &Owners) -> Vec<ModeFact> {
    // What stands below these is the runtime's, which puts its own there.
    let is_mounted =
        |path: &str| ["dev/", "proc/", "sys/"].iter().any(|start| path.starts_with(start)) || matches!(path, "dev" | "proc" | "sys");
    let marks = context.view.marks().filter(|(path, _, _)| !is_mounted(path));
    let fact = |(path, layer, mark): (&str, usize, crate::layers::PathMark)| {
        Some(ModeFact {
            mode: mark.mode,
            is_folder: mark.is_folder,
            has_capability: mark.has_capability,
            owner: owners.owner(path, layer).map(str::to_owned),
            location: context.location(layer, path).into_iter().next()?,
            path: path.to_owned(),
        })
    };
    marks.filter_map(fact).collect()
}

/// Runtimes that no OS package owns: the others get the fixes of their distribution as long as it lives.
fn runtimes(inventory: &Inventory) -> Vec<RuntimeFact> {
    let mut found: BTreeMap<(String, String), RuntimeFact> = BTreeMap::new();
    for package in inventory.packages.iter().filter(|package| !package.kind.is_os() && package.owner.is_none()) {
        let Some(end) = end_of_life::of_runtime(package) else { continue };
        let fact = found.entry((end.name.to_owned(), package.version.clone())).or_insert_with(|| RuntimeFact {
            name: end.name.to_owned(),
            version: package.version.clone(),
            last_day: end.last_day.to_owned(),
            locations: Vec::new(),
        });
        let new: Vec<Location> = package.locations.iter().filter(|location| !fact.locations.contains(location)).cloned().collect();
        fact.locations.extend(new);
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests;
