//! The database: a directory of shards, opened once. In: the directory; out: which shards there are, what they cover, how old they are, records by
//! id (advisories.md section 6).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::{
    advisory::{
        Error, almalinux,
        build::{Provenance, Unfixed},
        matcher::cve_in,
        shard::{
            reader::{Facts, Shard},
            text::Texts,
        },
    },
    model::{advisory::Advisory, digest::Digest},
};

/// How a shard's file name ends.
pub(in crate::advisory) const EXTENSION: &str = "plimdb";
/// How the name of a shard's text file ends.
pub(in crate::advisory) const TEXT_EXTENSION: &str = "plimtext";
/// So many digits of its digest are in the name of a text file.
pub(in crate::advisory) const TEXT_DIGITS: usize = 16;
/// More shards than this are no database.
const MAX_SHARDS: usize = 4096;

/// The name of the text file of a shard, given the digest of its sections; `None` when that is no digest.
pub(in crate::advisory) fn text_file_name(shard: &str, digest: &str) -> Option<String> {
    let digits = Digest::parse(digest).ok()?.hex().get(..TEXT_DIGITS)?.to_owned();
    Some(format!("{shard}.{digits}.{TEXT_EXTENSION}"))
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    /// By name.
    shards: BTreeMap<String, Shard>,
    /// Names of shards by OSV ecosystem string.
    by_ecosystem: BTreeMap<String, String>,
}

/// What a database says about one of its shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardStatus {
    /// Name, also of the file.
    pub name: String,
    /// OSV ecosystem without its release; `KEV` and `EPSS` for the shards that hold no advisories.
    pub ecosystem: String,
    /// Release, for distributions; that of the ecosystem string that was asked for, else the first one.
    pub release: Option<String>,
    /// RFC 3339 time of the newest record; `None` when no record says.
    pub as_of: Option<String>,
    /// Records, withdrawn ones included.
    pub records: u32,
    /// Rows.
    pub rows: u32,
    /// Records of the feed that could not be read.
    pub unreadable: u32,
    /// Digest over the shard's sections, its text included.
    pub digest: Digest,
    /// The feeds, joined with commas.
    pub feed: String,
    /// SHA-256 of what was read of them, joined likewise.
    pub feed_digest: String,
    /// Every feed on its own.
    pub feeds: Vec<Provenance>,
    /// Licence of the records.
    pub licence: String,
    /// Whom the records are from and under which terms; `None` where nobody states terms.
    pub notice: Option<String>,
    /// The program that built it.
    pub builder: String,
    /// Bytes of the file.
    pub bytes: usize,
    /// The text file, for shards of advisories.
    pub text_file: Option<String>,
    /// Bytes of the text file; `None` when it is not there.
    pub text_bytes: Option<usize>,
    /// What it covers, by OSV ecosystem string.
    pub coverage: Vec<Coverage>,
}

/// What a shard says about its knowledge of one ecosystem or release (advisories.md D5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// OSV ecosystem string, e.g. `Debian:12`.
    pub ecosystem: String,
    /// RFC 3339 time as of which the feed is known.
    pub as_of: Option<String>,
    /// Records with a row here.
    pub records: u32,
    /// Rows.
    pub rows: u32,
    /// Whether problems without a fix are listed; `None` when the feed says nothing of it.
    pub unfixed: Option<Unfixed>,
    /// The day on which the distribution stopped looking after the release.
    pub end_of_life: Option<String>,
    /// The day since which the feed says nothing new about it.
    pub frozen_since: Option<String>,
}

impl Database {
    /// Opens every shard of a directory; only headers and facts are read.
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

    /// Opens these shards of a directory, and looks at no others.
    ///
    /// # Errors
    /// When none is named, or one of them is not there, is damaged or of another format.
    pub(in crate::advisory) fn open_only<'a>(directory: &Path, names: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let open = |name| Shard::open(name, &directory.join(format!("{name}.{EXTENSION}")));
        let shards = names.map(open).collect::<Result<Vec<_>, _>>()?;
        Self::from_shards(shards).map_err(|error| error.unwrap_or_else(|| Error::NoDatabase(directory.to_owned())))
    }

    /// Opens shards that are in memory: their names, files and text files.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn from_memory(files: Vec<(String, Vec<u8>, Option<Vec<u8>>)>) -> Result<Self, Error> {
        let mut shards = Vec::new();
        for (name, bytes, text) in files {
            let shard = Shard::from_bytes(&name, bytes)?;
            shards.push(match text {
                Some(text) => shard.with_text(Texts::from_bytes(&format!("{name} (text)"), text)?)?,
                None => shard,
            });
        }
        Self::from_shards(shards).map_err(|error| error.unwrap_or_else(|| Error::NoDatabase("memory".into())))
    }

    /// `Err(None)` when there is no shard at all.
    pub(in crate::advisory) fn from_shards(list: Vec<Shard>) -> Result<Self, Option<Error>> {
        let mut database = Self { shards: BTreeMap::new(), by_ecosystem: BTreeMap::new() };
        for shard in list {
            for ecosystem in shard.coverage().keys() {
                if let Some(other) = database.by_ecosystem.insert(ecosystem.clone(), shard.name().to_owned()) {
                    let what = format!("shard {other} is about `{ecosystem}`, too");
                    return Err(Some(Error::Damaged { shard: shard.name().to_owned(), what }));
                }
            }
            database.shards.insert(shard.name().to_owned(), shard);
        }
        if database.shards.is_empty() { Err(None) } else { Ok(database) }
    }

    /// The shard of an OSV ecosystem string.
    pub(in crate::advisory) fn shard(&self, ecosystem: &str) -> Option<&Shard> {
        self.shards.get(self.by_ecosystem.get(ecosystem)?)
    }

    /// The first `most` names that the index has of an OSV ecosystem string.
    ///
    /// # Errors
    /// When the shard is damaged.
    pub fn names(&self, ecosystem: &str, most: usize) -> Result<Vec<String>, Error> {
        self.shard(ecosystem).map_or(Ok(Vec::new()), |shard| shard.names(ecosystem, most))
    }

    /// Names of all shards, sorted.
    pub fn shards(&self) -> impl Iterator<Item = &str> {
        self.shards.keys().map(String::as_str)
    }

    /// What the database says about each of its shards, sorted by name.
    #[must_use]
    pub fn status(&self) -> Vec<ShardStatus> {
        self.shards.values().map(|shard| status(shard, None)).collect()
    }

    /// What the database says about the shard of an OSV ecosystem string; release, age and counts are those of that string.
    #[must_use]
    pub fn status_of(&self, ecosystem: &str) -> Option<ShardStatus> {
        self.shard(ecosystem).map(|shard| status(shard, Some(ecosystem)))
    }

    /// What is covered, by OSV ecosystem string.
    #[must_use]
    pub fn coverage_of(&self, ecosystem: &str) -> Option<Coverage> {
        self.shard(ecosystem)?.coverage().get(ecosystem).map(|facts| coverage(ecosystem, facts))
    }

    /// Checks every byte of every shard and its text.
    ///
    /// # Errors
    /// The first damage, in the order of names.
    pub fn check(&self) -> Result<(), Error> {
        self.shards.values().try_for_each(Shard::check)
    }

    /// One digest for the whole database: over names and digests of all shards.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let listing: String = self.shards.values().map(|shard| format!("{} {}\n", shard.name(), shard.header().digest)).collect();
        Digest::sha256_of(listing.as_bytes())
    }

    /// Gets the record with this very id, with its rows of every shard and all of its text; withdrawn records, too.
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
                    None => found = Some(Advisory { affected: rows, details: shard.details(number)?, ..shard.record(number)? }),
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
                let advisory = shard.record_without_text(number)?;
                let names_a_cve = advisory.aliases.iter().chain(&advisory.upstream).any(|id| cve_in(&id.0).is_some());
                let joins = almalinux::joins_related(&advisory.id.0, names_a_cve);
                let linked = if joins { advisory.related.as_slice() } else { &[] };
                let mut names = std::iter::once(&advisory.id).chain(&advisory.aliases).chain(&advisory.upstream).chain(linked);
                if names
                    .any(|name| [Some(name.0.as_str()), cve_in(&name.0)].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(id)))
                {
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

fn status(shard: &Shard, asked: Option<&str>) -> ShardStatus {
    let coverage: Vec<Coverage> = shard.coverage().iter().map(|(text, facts)| coverage(text, facts)).collect();
    let own = asked.and_then(|asked| coverage.iter().find(|coverage| coverage.ecosystem == asked));
    let text = own.or(coverage.first()).map_or("", |coverage| coverage.ecosystem.as_str());
    let (ecosystem, release) = text.split_once(':').map_or((text, None), |(name, release)| (name, Some(release.to_owned())));
    let fact = |name| shard.fact(name).unwrap_or_default().to_owned();
    let lines = |name| fact(name).split('\n').filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ");
    let (bytes, text_bytes) = shard.sizes();
    ShardStatus {
        name: shard.name().to_owned(),
        ecosystem: ecosystem.to_owned(),
        release,
        as_of: own.map_or_else(|| shard.fact("as-of").map(str::to_owned), |own| own.as_of.clone()),
        records: own.map_or(shard.header().records, |own| own.records),
        rows: own.map_or(shard.header().rows, |own| own.rows),
        unreadable: shard.fact("unreadable").and_then(|count| count.parse().ok()).unwrap_or(0),
        digest: shard.header().digest.clone(),
        feed: lines("feed"),
        feed_digest: lines("feed-digest"),
        feeds: feeds(shard),
        licence: fact("licence"),
        notice: shard.fact("notice").map(str::to_owned),
        builder: fact("builder"),
        bytes,
        text_file: shard.text_file(),
        text_bytes,
        coverage,
    }
}

fn feeds(shard: &Shard) -> Vec<Provenance> {
    let lines = |name| shard.fact(name).unwrap_or_default().split('\n').map(str::to_owned);
    let urls = lines("feed-url").map(Some).chain(std::iter::repeat(None));
    let feeds = lines("feed").zip(lines("feed-digest")).zip(urls);
    feeds.map(|((feed, digest), url)| Provenance { feed, digest, url: url.filter(|url| !url.is_empty()) }).collect()
}

fn coverage(ecosystem: &str, facts: &Facts) -> Coverage {
    let fact = |name: &str| facts.get(name).cloned();
    let count = |name: &str| facts.get(name).and_then(|count| count.parse().ok()).unwrap_or(0);
    Coverage {
        ecosystem: ecosystem.to_owned(),
        as_of: fact("as-of"),
        records: count("records"),
        rows: count("rows"),
        unfixed: facts.get("unfixed").map(|word| if word == Unfixed::Listed.name() { Unfixed::Listed } else { Unfixed::Unknown }),
        end_of_life: fact("end-of-life"),
        frozen_since: fact("frozen-since"),
    }
}
