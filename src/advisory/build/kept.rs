//! Shards that outlive their feed. In: a folder of shards and what a build wrote and said; out: the shards of earlier builds that stay without a word, so
//! that somebody says it.

use std::{collections::BTreeSet, path::Path};

use super::written::{self, Written};
use crate::{
    advisory::{Error, shard::reader::Shard, store::EXTENSION},
    model::coverage::Gap,
};

/// A shard of an earlier build that nothing took the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptShard {
    /// Name, also of the file.
    pub name: String,
    /// RFC 3339 time of its newest record; unknown of a shard that does not open, too.
    pub as_of: Option<String>,
}

/// Shards that are not written anew and about which there is no Gap either: their feed, or their release in it, is gone.
pub(super) fn kept(folder: &Path, written: &Written<'_>, failed: &BTreeSet<&str>, gaps: &[Gap]) -> Result<Vec<KeptShard>, Error> {
    let is_told = |text: &str| {
        let ecosystem = text.split_once(':').map_or(text, |(name, _)| name);
        failed.contains(ecosystem) || gaps.iter().any(|gap| gap.subject == text)
    };
    let mut kept = Vec::new();
    for (file, path) in written::files(folder)? {
        let Some(name) = file.strip_suffix(EXTENSION).and_then(|name| name.strip_suffix('.')).filter(|name| !name.is_empty()) else {
            continue;
        };
        if file.starts_with('.') || written.has(&file) || written::is_older(&path) {
            continue;
        }
        let shard = Shard::open(name, &path).ok();
        if !shard.as_ref().is_some_and(|shard| shard.coverage().keys().any(|text| is_told(text))) {
            let as_of = shard.as_ref().and_then(|shard| shard.fact("as-of")).map(str::to_owned);
            kept.push(KeptShard { name: name.to_owned(), as_of });
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::advisory::build;

    #[test]
    fn a_shard_that_nothing_covers_any_more_is_named() {
        let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/advisory/osv");
        let from = tempfile::tempdir().unwrap();
        let put = |ecosystem: &str| {
            fs::create_dir_all(from.path().join(ecosystem)).unwrap();
            fs::copy(fixtures.join(ecosystem).join("all.zip"), from.path().join(ecosystem).join("all.zip")).unwrap();
        };
        ["Alpine", "Debian", "npm"].into_iter().for_each(put);
        let out = tempfile::tempdir().unwrap();
        let kept = || {
            let kept = build(from.path(), out.path(), "2026-11-01T00:00:00Z".parse().unwrap()).unwrap().kept;
            kept.into_iter().map(|shard| format!("{} {}", shard.name, shard.as_of.as_deref().unwrap_or("unknown"))).collect::<Vec<_>>()
        };
        assert_eq!(kept(), [""; 0]);
        fs::remove_dir_all(from.path().join("npm")).unwrap();
        // What is there and does not read has its Gap.
        fs::write(from.path().join("Debian/all.zip"), "no archive").unwrap();
        assert_eq!(kept(), ["npm 2026-10-05T08:00:00Z"]);
        fs::write(out.path().join("hex.plimdb"), "damaged").unwrap();
        assert_eq!(kept(), ["hex unknown", "npm 2026-10-05T08:00:00Z"]);
    }
}
