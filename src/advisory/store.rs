//! The database: a directory of shards, opened once. In: the directory; out: which shards there are, how old they are, records by id.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{
    advisory::{Error, shard::reader::Shard},
    model::{advisory::Advisory, digest::Digest},
};

/// How a shard's file name ends.
pub(in crate::advisory) const EXTENSION: &str = "plimdb";
/// More shards than this are no database.
const MAX_SHARDS: usize = 4096;

/// An open database.
#[derive(Debug)]
pub struct Database {
    /// By OSV ecosystem string.
    shards: BTreeMap<String, Shard>,
}

/// What a database says about one of its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardStatus {
    /// Name, also of the file.
    pub name: String,
    /// OSV ecosystem without its release; `KEV` and `EPSS` for the shards that hold no advisories.
    pub ecosystem: String,
    /// Release, for distributions.
    pub release: Option<String>,
    /// RFC 3339 time of the newest record; `None` when no record says.
    pub as_of: Option<String>,
    /// Records, withdrawn ones included.
    pub records: u32,
    /// Rows.
    pub rows: u32,
    /// Records of the feed that could not be read.
    pub unreadable: u32,
    /// Digest over the shard's sections.
    pub digest: Digest,
    /// The feed.
    pub feed: String,
    /// SHA-256 of the feed's archive.
    pub feed_digest: String,
    /// Licence of the records.
    pub licence: String,
}

impl Database {
    /// Opens every shard of a directory; only headers are read.
    ///
    /// # Errors
    /// When there is no shard, or one of them is damaged or of another format.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { doing: "read", path: directory.to_owned(), source };
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Err(Error::NoDatabase(directory.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        };
        let mut shards = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            if let (Some(name), Some(EXTENSION)) = (name, path.extension().and_then(|extension| extension.to_str())) {
                // A file that is being written has a name that starts with a dot.
                if !name.starts_with('.') {
                    shards.push(Shard::open(&name, &path)?);
                }
            }
            if shards.len() > MAX_SHARDS {
                return Err(Error::TooLarge("shards"));
            }
        }
        Self::from_shards(shards).map_err(|error| error.unwrap_or_else(|| Error::NoDatabase(directory.to_owned())))
    }

    /// `Err(None)` when there is no shard at all.
    pub(in crate::advisory) fn from_shards(list: Vec<Shard>) -> Result<Self, Option<Error>> {
        let mut shards = BTreeMap::new();
        for shard in list {
            let ecosystem = shard.fact("ecosystem").unwrap_or_default().to_owned();
            let known = shards.insert(ecosystem.clone(), shard);
            if let Some(known) = known {
                let what = format!("another shard is about `{ecosystem}`, too");
                return Err(Some(Error::Damaged { shard: known.name().to_owned(), what }));
            }
        }
        if shards.is_empty() { Err(None) } else { Ok(Self { shards }) }
    }

    /// The shard of an OSV ecosystem string.
    pub(in crate::advisory) fn shard(&self, ecosystem: &str) -> Option<&Shard> {
        self.shards.get(ecosystem)
    }

    /// The first `most` names of the index of a shard.
    #[cfg(test)]
    pub(in crate::advisory) fn names(&self, ecosystem: &str, most: usize) -> Vec<String> {
        self.shards[ecosystem].names(most).unwrap()
    }

    /// Names of all shards, sorted by ecosystem.
    pub fn shards(&self) -> impl Iterator<Item = &str> {
        self.shards.values().map(Shard::name)
    }

    /// What the database says about each of its shards, sorted by ecosystem.
    #[must_use]
    pub fn status(&self) -> Vec<ShardStatus> {
        self.shards.iter().map(|(text, shard)| status(text, shard)).collect()
    }

    /// What the database says about the shard of an OSV ecosystem string.
    #[must_use]
    pub fn status_of(&self, ecosystem: &str) -> Option<ShardStatus> {
        self.shards.get(ecosystem).map(|shard| status(ecosystem, shard))
    }

    /// One digest for the whole database: over names and digests of all shards.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let listing: String = self.shards.values().map(|shard| format!("{} {}\n", shard.name(), shard.header().digest)).collect();
        Digest::sha256_of(listing.as_bytes())
    }

    /// Gets the record with this very id, with its rows of every shard; withdrawn records, too.
    ///
    /// # Errors
    /// When a shard is damaged.
    pub fn get(&self, id: &str) -> Result<Option<Advisory>, Error> {
        let mut found: Option<Advisory> = None;
        for shard in self.shards.values().filter(|shard| shard.holds_advisories()) {
            for number in shard.records_with_id(id)? {
                let rows = shard.rows_of(number)?;
                match &mut found {
                    Some(advisory) => advisory.affected.extend(rows),
                    None => found = Some(Advisory { affected: rows, ..shard.record(number)? }),
                }
            }
        }
        Ok(found)
    }

    /// Finds every record that is about `id`: its own id, an alias, or what it is upstream of. Reads every record.
    ///
    /// # Errors
    /// When a shard is damaged.
    pub fn find(&self, id: &str) -> Result<Vec<Advisory>, Error> {
        let mut ids = BTreeSet::new();
        for shard in self.shards.values().filter(|shard| shard.holds_advisories()) {
            for number in 0..shard.header().records {
                let advisory = shard.record(number)?;
                let linked = if advisory.id.0.starts_with("AL") { advisory.related.as_slice() } else { &[] };
                let mut names = std::iter::once(&advisory.id).chain(&advisory.aliases).chain(&advisory.upstream).chain(linked);
                if names.any(|name| name.0.eq_ignore_ascii_case(id)) {
                    ids.insert(advisory.id.0.clone());
                }
            }
        }
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.get(&id)?);
        }
        Ok(found)
    }
}

fn status(text: &str, shard: &Shard) -> ShardStatus {
    let (ecosystem, release) = text.split_once(':').map_or((text, None), |(name, release)| (name, Some(release.to_owned())));
    let fact = |name| shard.fact(name).unwrap_or_default().to_owned();
    ShardStatus {
        name: shard.name().to_owned(),
        ecosystem: ecosystem.to_owned(),
        release,
        as_of: shard.fact("as-of").map(str::to_owned),
        records: shard.header().records,
        rows: shard.header().rows,
        unreadable: shard.fact("unreadable").and_then(|count| count.parse().ok()).unwrap_or(0),
        digest: shard.header().digest.clone(),
        feed: fact("feed"),
        feed_digest: fact("feed-digest"),
        licence: fact("licence"),
    }
}
