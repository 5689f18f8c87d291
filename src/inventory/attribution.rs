//! Package -> layer. A database is rewritten as a whole by each layer that touches it, so the layer of the file says nothing about a package:
//! it belongs to the first layer since which name, version and architecture are there without interruption.

use std::collections::{BTreeMap, BTreeSet};

use crate::layers::FileEntry;

/// The layer of each key of the topmost version. `lower` gives the keys of the older versions, newest first, each with its layer;
/// `None` for one that cannot be read, below which nothing is known.
pub(super) fn first_layers<K: Ord + Clone>(
    top: usize,
    keys: impl IntoIterator<Item = K>,
    lower: impl Iterator<Item = (usize, Option<BTreeSet<K>>)>,
) -> BTreeMap<K, usize> {
    let mut layers: BTreeMap<K, usize> = keys.into_iter().map(|key| (key, top)).collect();
    let mut alive: BTreeSet<K> = layers.keys().cloned().collect();
    for (layer, keys) in lower {
        let Some(keys) = keys else { break };
        alive.retain(|key| keys.contains(key));
        if alive.is_empty() {
            break;
        }
        for key in &alive {
            if let Some(known) = layers.get_mut(key) {
                *known = layer;
            }
        }
    }
    layers
}

/// The first layer that has this content at this path: a change of owner or mode copies a file up without changing it.
pub(super) fn content_layer(file: &FileEntry<'_>) -> usize {
    let bytes = file.bytes();
    file.versions.iter().rev().take_while(|version| version.bytes() == bytes).last().map_or(file.layer, |version| version.layer)
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
