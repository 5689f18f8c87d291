//! Package -> layer. A database is rewritten as a whole by each layer that touches it, so the layer of the file says nothing about a package:
//! it belongs to the first layer since which name, version and architecture are there without interruption.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::{FileEntry, Version};

/// The layer of each key of the topmost version. `lower` gives the keys of the older versions, newest first, each with its layer;
/// `None` for one that cannot be read, below which nothing is known.
pub(super) fn first_layers<K: Ord>(
    top: usize,
    keys: impl IntoIterator<Item = K>,
    lower: impl Iterator<Item = (usize, Option<BTreeSet<K>>)>,
) -> BTreeMap<K, usize> {
    // Behind each layer stands the number of older versions that have the key without interruption.
    let mut layers: BTreeMap<K, (usize, usize)> = keys.into_iter().map(|key| (key, (top, 0))).collect();
    for (place, (layer, keys)) in lower.enumerate() {
        let Some(keys) = keys else { break };
        let mut any = false;
        for (key, (known, versions)) in &mut layers {
            if *versions == place && keys.contains(key) {
                (*known, *versions, any) = (layer, place + 1, true);
            }
        }
        if !any {
            break;
        }
    }
    layers.into_iter().map(|(key, (layer, _))| (key, layer)).collect()
}

/// What tells one package of a database from another, as one text: databases may hold very many.
pub(super) fn key(name: &str, version: &str, arch: &str) -> Box<str> {
    [name, version, arch].join("\0").into()
}

/// The first layer that has this content at this path: a change of owner or mode copies a file up without changing it.
pub(super) fn content_layer(file: &FileEntry<'_>) -> usize {
    let same =
        |version: &&Version| file.versions.last().is_some_and(|last| version.content == last.content && version.examiner == last.examiner);
    file.versions.iter().rev().take_while(same).last().map_or(file.layer, |version| version.layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_belongs_to_the_layer_since_which_it_is_there() {
        let lower =
            vec![(3, Some(BTreeSet::from(["a", "b"]))), (2, Some(BTreeSet::from(["a"]))), (0, Some(BTreeSet::from(["a", "b", "c"])))];
        let layers = first_layers(5, ["a", "b", "c"], lower.into_iter());
        assert_eq!(layers, BTreeMap::from([("a", 0), ("b", 3), ("c", 5)]));
        let unreadable = vec![(3, Some(BTreeSet::from(["a"]))), (2, None), (0, Some(BTreeSet::from(["a"])))];
        assert_eq!(first_layers(5, ["a"], unreadable.into_iter()), BTreeMap::from([("a", 3)]));
    }
}
