//! From accepted feeds to shards in place. In: the kept feeds, which of them this run got from their origin, and the shards that are there; out: the
//! shards that had to be built anew, in place by rename. Shards that came from elsewhere (a pull) and are newer than what the feeds say stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    AMAZON, BUILDER, Copies,
    folder::{Built, Folder, io},
};
use crate::{
    advisory::{
        BuildSummary, Error, WriterLock,
        build::{Written, build_locked, build_some},
        ecosystem::ECOSYSTEMS,
        exploitation::KINDS,
        shard::reader::Shard,
        sources::{alas as amazon, debian_tracker},
        store::EXTENSION,
    },
    model::coverage::{Gap, SourceId},
};

/// Where shards are built before they take their places, in the folder of the database.
const SCRATCH: &str = ".built";

/// What has to be built, and of what.
pub(super) struct Changes {
    /// Every accepted file that goes into a shard, with its digest.
    files: BTreeMap<String, String>,
    built: Built,
    /// What this run fetched, or found unchanged at its origin.
    confirmed: BTreeSet<&'static str>,
    /// What is built: OSV ecosystems, `KEV`, `EPSS`.
    wanted: BTreeSet<&'static str>,
    copies: Copies,
    root: PathBuf,
    out: PathBuf,
    is_new: bool,
}

/// What came of it.
pub(super) struct Done {
    /// What was built and put in place, and what could not be read.
    pub(super) summary: BuildSummary,
    /// Names of shards that came from elsewhere and are newer than the feeds.
    pub(super) newer: Vec<String>,
    /// What the next update has to know.
    pub(super) built: Built,
}

/// A shard in a folder.
#[derive(Debug)]
struct Present {
    group: String,
    digest: String,
    as_of: Option<Timestamp>,
    text: Option<String>,
}

impl Changes {
    /// Compares the kept feeds with what is known of the database in `out`.
    pub(super) fn of(folder: &Folder, confirmed: BTreeSet<&'static str>, copies: Copies, out: &Path) -> Self {
        let (built, mut files) = (folder.built(), folder.digests());
        files.retain(|name, _| is_built(name));
        let there = present(out);
        let is_new = there.is_empty();
        let groups: BTreeSet<&'static str> = files.keys().filter_map(|name| group_of(name)).collect();
        let mut changes =
            Self { files, built, confirmed, wanted: groups, copies, root: folder.root().to_owned(), out: out.to_owned(), is_new };
        let is_wanted = |group: &str| changes.may_replace(group, &there) && (changes.is_free(group) || !changes.is_current(group, &there));
        let wanted = changes.wanted.iter().copied().filter(|group| is_wanted(group));
        changes.wanted = wanted.collect::<BTreeSet<_>>();
        changes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether these feeds made this very shard.
    fn is_ours(&self, name: &str, shard: &Present) -> bool {
        self.built.shards.get(&shard.group).and_then(|shards| shards.get(name)) == Some(&shard.digest)
    }

    /// Kept feeds whose origin was not asked may be months older than what a pull brought: they replace only what they made themselves.
    fn may_replace(&self, group: &str, there: &BTreeMap<String, Present>) -> bool {
        self.confirmed.contains(group) || of_group(there, group).all(|(name, shard)| self.is_ours(name, shard))
    }

    /// Whether somebody asked for what the feeds say, however old it is.
    fn is_free(&self, group: &str) -> bool {
        self.copies == Copies::Ignored && self.confirmed.contains(group)
    }

    /// Whether building would give again what is there.
    fn is_current(&self, group: &str, there: &BTreeMap<String, Present>) -> bool {
        let of = |files: &BTreeMap<String, String>| -> Vec<(String, String)> {
            files.iter().filter(|(name, _)| is_built(name) && group_of(name) == Some(group)).map(|(a, b)| (a.clone(), b.clone())).collect()
        };
        let is_known = |name: &str, shard: &Present| self.is_ours(name, shard) || self.built.others.get(name) == Some(&shard.digest);
        let ours = self.built.shards.get(group);
        self.built.builder == BUILDER
            && of(&self.files) == of(&self.built.files)
            && (of_group(there, group).next().is_some() || ours.is_some_and(BTreeMap::is_empty))
            && of_group(there, group).all(|(name, shard)| is_known(name, shard))
            && ours.is_none_or(|shards| shards.keys().all(|name| there.contains_key(name)))
    }

    /// Builds beside the database, then puts in place what may take its place; only that needs the lock of the database.
    ///
    /// # Errors
    /// When nothing can be built or written.
    pub(super) fn build(mut self, now: Timestamp) -> Result<Done, Error> {
        let scratch = Scratch::new(&self.out)?;
        let mut summary = {
            let lock = WriterLock::acquire(&scratch.0)?;
            let names: BTreeSet<&str> = self.wanted.iter().copied().collect();
            // In a new database all of it is missing, and the reason matters if nothing can be built.
            if self.is_new { build_locked(&self.root, &lock, now)? } else { build_some(&self.root, &lock, now, &names)? }
        };
        if self.is_new {
            self.wanted.extend(present(&scratch.0).values().filter_map(|shard| name_of_group(&shard.group)));
        }
        // Exploitation data are always built, and a kept file that was not asked for says nothing new.
        summary.gaps.retain(|gap| KINDS.iter().all(|kind| kind.ecosystem != gap.subject) || self.wanted.contains(gap.subject.as_str()));
        let newer = self.put_in_place(&scratch.0, &mut summary)?;
        Ok(Done { summary, newer, built: self.built })
    }

    fn put_in_place(&mut self, scratch: &Path, summary: &mut BuildSummary) -> Result<Vec<String>, Error> {
        let lock = WriterLock::acquire(&self.out)?;
        let (new, there) = (present(scratch), present(&self.out));
        let mut written = Written::new(&lock);
        let (mut newer, mut placed, mut passed) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for group in &self.wanted {
            let is_free = self.is_free(group);
            // Somebody may have pulled while the feeds were on their way.
            if !self.may_replace(group, &there) {
                passed.insert(*group);
                continue;
            }
            let ours = of_group(&there, group).filter(|(name, shard)| self.is_ours(name, shard)).filter_map(|(_, shard)| shard.as_of).max();
            let fresh = of_group(&new, group).filter_map(|(_, shard)| shard.as_of).max();
            if let (false, Some(ours), Some(fresh)) = (is_free, ours, fresh)
                && fresh < ours
            {
                let reason = format!(
                    "the feed went back in time, from {ours} to {fresh}; what was known of it stays in use, `--full` takes the older one"
                );
                summary.gaps.push(gap_of(group, &reason));
                passed.insert(*group);
                continue;
            }
            for (name, shard) in of_group(&new, group) {
                let is_older = there.get(name).is_some_and(|old| !self.is_ours(name, old) && old.as_of > shard.as_of);
                if is_older && !is_free {
                    newer.push(name.to_owned());
                    continue;
                }
                for file in shard.text.iter().cloned().chain([format!("{name}.{EXTENSION}")]) {
                    written.adopt(&file, &scratch.join(&file))?;
                }
                placed.insert(name.to_owned());
            }
        }
        if !placed.is_empty() {
            written.into_place()?;
        }
        summary.shards.retain(|shard| placed.contains(&shard.name));
        self.remember(&summary.gaps, &new, &placed, &passed);
        Ok(newer)
    }

    /// What the database is built of now. What could not be built, as a whole or in part, is tried again by the next update.
    fn remember(&mut self, gaps: &[Gap], new: &BTreeMap<String, Present>, placed: &BTreeSet<String>, passed: &BTreeSet<&'static str>) {
        let there = present(&self.out);
        let failed = |group: &str| gaps.iter().any(|gap| gap.subject == group || gap.subject.starts_with(&format!("{group}:")));
        for group in self.wanted.iter().filter(|group| !passed.contains(*group)) {
            if !failed(group) {
                self.built.files.retain(|name, _| group_of(name) != Some(*group));
                let files = self.files.iter().filter(|(name, _)| group_of(name) == Some(*group));
                self.built.files.extend(files.map(|(name, digest)| (name.clone(), digest.clone())));
            }
            let mut ours = BTreeMap::new();
            for (name, shard) in of_group(&there, group) {
                let is_placed = placed.contains(name) && new.get(name).is_some_and(|new| new.digest == shard.digest);
                if is_placed || self.is_ours(name, shard) {
                    ours.insert(name.to_owned(), shard.digest.clone());
                    self.built.others.remove(name);
                } else {
                    self.built.others.insert(name.to_owned(), shard.digest.clone());
                }
            }
            self.built.shards.insert((*group).to_owned(), ours);
        }
        BUILDER.clone_into(&mut self.built.builder);
    }
}

/// The folder that shards are built in, gone in the end whatever happened.
struct Scratch(PathBuf);

impl Scratch {
    fn new(out: &Path) -> Result<Self, Error> {
        let scratch = Self(out.join(SCRATCH));
        scratch.clear();
        fs::create_dir_all(&scratch.0).map_err(io("create", &scratch.0))?;
        Ok(scratch)
    }

    fn clear(&self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The shards of a folder that can be read, by name.
fn present(folder: &Path) -> BTreeMap<String, Present> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let shard = |path: PathBuf| {
        // A file that is being written has a name that starts with a dot.
        let name = path.file_stem()?.to_str().filter(|name| !name.starts_with('.'))?.to_owned();
        path.extension().filter(|extension| *extension == EXTENSION)?;
        let shard = Shard::open(&name, &path).ok()?;
        let text = shard.coverage().keys().next()?;
        let present = Present {
            group: text.split_once(':').map_or(text.as_str(), |(group, _)| group).to_owned(),
            digest: shard.header().digest.to_string(),
            as_of: shard.fact("as-of").and_then(|time| time.parse().ok()),
            text: shard.text_file(),
        };
        Some((name, present))
    };
    entries.filter_map(|entry| shard(entry.ok()?.path())).collect()
}

/// The OSV ecosystems, and `KEV` and `EPSS`, that a database has shards of.
pub(super) fn groups_in(folder: &Path) -> BTreeSet<String> {
    present(folder).into_values().map(|shard| shard.group).collect()
}

fn of_group<'a>(shards: &'a BTreeMap<String, Present>, group: &'a str) -> impl Iterator<Item = (&'a str, &'a Present)> {
    shards.iter().filter(move |(_, shard)| shard.group == group).map(|(name, shard)| (name.as_str(), shard))
}

fn gap_of(group: &str, reason: &str) -> Gap {
    match KINDS.iter().find(|kind| kind.ecosystem == group) {
        Some(kind) => kind.gap(reason),
        None => Gap::new(SourceId::Offline, "no-advisories", group, reason),
    }
}

/// Listings, lists and notes go into no shard.
fn is_built(name: &str) -> bool {
    name.ends_with("/all.zip") || !(name.ends_with(".csv") || name == "ecosystems.txt")
}

/// What the shards that a file goes into are about: an OSV ecosystem, `KEV` or `EPSS`.
pub(super) fn group_of(name: &str) -> Option<&'static str> {
    let folder = name.split('/').next().unwrap_or_default();
    name_of_group(match folder {
        amazon::FOLDER => AMAZON,
        debian_tracker::FOLDER => "Debian",
        folder => KINDS.iter().find(|kind| kind.shard == folder).map_or(folder, |kind| kind.ecosystem),
    })
}

fn name_of_group(text: &str) -> Option<&'static str> {
    let kinds = KINDS.iter().map(|kind| kind.ecosystem);
    ECOSYSTEMS.iter().map(|ecosystem| ecosystem.name).chain(kinds).find(|name| *name == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_shards() {
        for (name, expected, built) in [
            ("npm/all.zip", Some("npm"), true),
            ("npm/modified_id.csv", Some("npm"), false),
            ("Rocky Linux/all.zip", Some("Rocky Linux"), true),
            ("amazon/2/php8.0/x86_64/updateinfo.xml.gz", Some("Amazon Linux"), true),
            ("amazon/repositories.txt", Some("Amazon Linux"), true),
            ("amazon/failed.txt", Some("Amazon Linux"), true),
            ("debian-tracker/debian.json", Some("Debian"), true),
            ("kev/known_exploited_vulnerabilities.json", Some("KEV"), true),
            ("epss/epss_scores-current.csv.gz", Some("EPSS"), true),
            ("ecosystems.txt", None, false),
        ] {
            assert_eq!((group_of(name), is_built(name)), (expected, built), "{name}");
        }
    }
}
