//! One ecosystem of an OSV bucket (<https://google.github.io/osv.dev/data/#data-dumps>). In: what is kept of it; out: an archive that is up to date, by single
//! records where those are few, else as a whole. Nothing takes the place of a good archive before it was unpacked to its end and has every record that
//! its listing names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{Timestamp, ToSpan as _};

use super::{
    Context, Outcome, archive,
    folder::{hash, io},
    listing::{Difference, Listing, MAX_LISTING, MAX_SINGLE},
    transfer::{Answer, Known, Place, Received},
};
use crate::advisory::{Error, ecosystem::ECOSYSTEMS, sources::osv::parse_record};

/// The list of ecosystems of a bucket.
pub(super) const LIST: &str = "ecosystems.txt";

/// The largest archive, npm's with its malware records, has a few hundred megabytes.
const MAX_ARCHIVE: u64 = 4 << 30;
/// One record; the largest published ones have a few megabytes.
const MAX_RECORD: u64 = 64 << 20;
/// All single records of one update.
const MAX_RECORDS: usize = 1 << 30;
/// Single records that are fetched at the same time.
const TOGETHER: usize = 16;

/// The archive of an ecosystem in the kept folder.
struct Bucket<'a> {
    context: &'a Context<'a>,
    name: &'a str,
    place: Place,
}

/// Brings one ecosystem up to date.
pub(super) async fn update(context: &Context<'_>, base: &Place, name: &str) -> Result<Outcome, Error> {
    let bucket = Bucket { context, name, place: base.join(&[name])? };
    if context.fresh {
        return bucket.whole("it was asked for").await;
    }
    let (archive, listing) = (bucket.file("all.zip")?, bucket.file("modified_id.csv")?);
    let folder = &context.folder;
    // A record can change without its listed time, so that the archive is fetched anew once a week.
    let is_young = folder
        .whole(&archive.0)
        .is_some_and(|whole| whole <= context.now && whole.checked_add((7 * 24).hours()).is_ok_and(|end| context.now <= end));
    match (folder.known(&archive.0, &archive.1), folder.known(&listing.0, &listing.1)) {
        (Some(_), Some(known)) if is_young => bucket.changes(&known).await,
        _ => bucket.whole("there is no recent copy").await,
    }
}

impl Bucket<'_> {
    /// Name in the folder and place of a file.
    fn file(&self, name: &str) -> Result<(String, Place), Error> {
        Ok((format!("{}/{name}", self.name), self.place.join(&[name])?))
    }

    fn failed(&self, reason: impl Into<String>) -> Error {
        Error::Fetch { url: self.place.text(), reason: reason.into() }
    }

    /// Fetches what changed since the kept listing.
    async fn changes(&self, known: &Known) -> Result<Outcome, Error> {
        let context = self.context;
        let (name, place) = self.file("modified_id.csv")?;
        let received = match context.transfer.file(&place, known, MAX_LISTING).await {
            Ok(Answer::Unchanged) => return Ok(Outcome::Unchanged),
            Ok(Answer::Here(received)) => received,
            Ok(Answer::Missing) => return self.whole("there is no listing any more").await,
            Err(error) => return Err(error),
        };
        let read = |path: &Path| std::fs::read(path).map_err(|error| error.to_string());
        let old = read(&context.folder.path(&name)).and_then(|bytes| Listing::parse(&bytes));
        let new = read(&received.path).and_then(|bytes| Listing::parse(&bytes));
        let difference = match (old, new) {
            (Ok(old), Ok(new)) => new.since(&old, context.now),
            (Err(reason), _) | (_, Err(reason)) => Difference::Whole(reason),
        };
        let ids = match difference {
            Difference::Whole(reason) => return self.whole(&reason).await,
            Difference::Records(ids) => ids,
        };
        if !ids.is_empty() {
            let records = match self.records(&ids).await {
                Ok(records) => records,
                Err(error) => return self.whole(&format!("a single record cannot be had ({error})")).await,
            };
            let (archive, _) = self.file("all.zip")?;
            match self.merged(context.folder.path(&archive), records).await {
                Ok(merged) => self.put_archive(merged, None)?,
                Err(reason) => return self.whole(&reason).await,
            }
        }
        // The listing follows the archive: without it, the same records are fetched again.
        context.folder.put(&name, &place, received, context.now)?;
        Ok(if ids.is_empty() { Outcome::Unchanged } else { Outcome::Records(ids.len()) })
    }

    /// Fetches the archive, then what the listing knows beyond it. Until all of that is there, what is kept stays as it is.
    async fn whole(&self, reason: &str) -> Result<Outcome, Error> {
        let context = self.context;
        context.say(&format!("{}: the whole archive ({reason})", self.name));
        let (listing_name, listing_place) = self.file("modified_id.csv")?;
        // The listing first: what changes in between is fetched once too often, and never missed.
        let listed = match context.transfer.file(&listing_place, &Known::default(), MAX_LISTING).await? {
            Answer::Here(received) => Some(received),
            // Mirrors need not have one. Without it every update fetches the archive, if that changed.
            Answer::Missing | Answer::Unchanged => None,
        };
        let (name, place) = self.file("all.zip")?;
        // An archive with single records brought in has no validator any more.
        let known = if context.fresh { None } else { context.folder.known(&name, &place) }.unwrap_or_default();
        let fetched = match context.transfer.file(&place, &known, MAX_ARCHIVE).await? {
            Answer::Missing => return Ok(Outcome::Missing),
            Answer::Unchanged => None,
            Answer::Here(received) => {
                let path = received.path.clone();
                let failed = |reason: String| Error::Fetch { url: place.text(), reason };
                let checked = tokio::task::spawn_blocking(move || archive::check(&path)).await;
                checked.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
                Some(received)
            }
        };
        let whole = fetched.is_some().then_some(context.now);
        let path = fetched.as_ref().map_or_else(|| context.folder.path(&name), |received| received.path.clone());
        let refused = |reason: String| self.failed(format!("the archive is there, but behind its listing: {reason}"));
        let later = match &listed {
            Some(listing) => self.later(&path, &listing.path).await.map_err(refused)?,
            None => BTreeMap::new(),
        };
        let outcome = match (&fetched, later.len()) {
            (Some(_), _) => Outcome::Whole,
            (None, 0) => Outcome::Unchanged,
            (None, count) => Outcome::Records(count),
        };
        let archive = if later.is_empty() { fetched } else { Some(self.merged(path, later).await.map_err(refused)?) };
        if let Some(archive) = archive {
            self.put_archive(archive, whole)?;
        }
        match listed {
            Some(received) => context.folder.put(&listing_name, &listing_place, received, context.now)?,
            // A listing of before says nothing about this archive.
            None => context.folder.remove(&listing_name)?,
        }
        Ok(outcome)
    }

    /// The records that an archive does not have as the listing says.
    async fn later(&self, archive: &Path, listing: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let (archive, listing, now) = (archive.to_owned(), listing.to_owned(), self.context.now);
        let behind = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(&listing).map_err(|error| error.to_string())?;
            let listing = Listing::parse(&bytes)?;
            if listing.records().next().is_none() {
                return Err("the listing is empty".to_owned());
            }
            archive::behind(&archive, &listing, now)
        });
        let ids = behind.await.map_err(|error| error.to_string())??;
        if ids.len() > MAX_SINGLE {
            return Err(format!("the archive lacks {} records that are listed", ids.len()));
        }
        if ids.is_empty() { Ok(BTreeMap::new()) } else { self.records(&ids).await.map_err(|error| error.to_string()) }
    }

    /// Fetches single records.
    async fn records(&self, ids: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        self.context.say(&format!("{}: {} records", self.name, ids.len()));
        let fetched = stream::iter(ids.iter().cloned()).map(|id| async move {
            let place = self.place.join(&[&format!("{id}.json")])?;
            let failed = |reason: String| Error::Fetch { url: place.text(), reason };
            let bytes =
                self.context.transfer.bytes(&place, MAX_RECORD).await?.ok_or_else(|| failed("it is listed and not there".to_owned()))?;
            let record = parse_record(&bytes).map_err(&failed)?;
            if record.id.0 != id {
                return Err(failed(format!("it is the record {:.80}", record.id.0)));
            }
            Ok((id, bytes))
        });
        let mut records = BTreeMap::new();
        let (mut fetched, mut total) = (fetched.buffer_unordered(TOGETHER), 0_usize);
        while let Some((id, bytes)) = fetched.try_next().await? {
            total = total.saturating_add(bytes.len());
            if total > MAX_RECORDS {
                return Err(self.failed("the records are too large together"));
            }
            records.insert(id, bytes);
        }
        Ok(records)
    }

    /// An archive with single records in the place of those of before; it waits beside the kept one.
    async fn merged(&self, old: PathBuf, records: BTreeMap<String, Vec<u8>>) -> Result<Received, String> {
        let path = self.context.folder.incoming().join(format!("{}.zip", self.name));
        let new = path.clone();
        let work = tokio::task::spawn_blocking(move || {
            archive::merge(&old, &records, &new)?;
            hash(&new).map_err(|error| error.to_string())
        });
        let digest = work.await.map_err(|error| error.to_string())??;
        Ok(Received { path, digest, etag: None, last_modified: None })
    }

    /// Puts an archive in its place; `whole` is when it was fetched as a whole, if that is now.
    fn put_archive(&self, received: Received, whole: Option<Timestamp>) -> Result<(), Error> {
        let folder = &self.context.folder;
        let (name, place) = self.file("all.zip")?;
        let whole = whole.or_else(|| folder.whole(&name)).unwrap_or(Timestamp::UNIX_EPOCH);
        folder.put(&name, &place, received, whole)
    }
}

/// The ecosystems that a bucket lists; `None` when it has no list.
pub(super) async fn ecosystems(context: &Context<'_>, base: &Place) -> Result<Option<BTreeSet<String>>, Error> {
    const MAX_LIST: u64 = 1 << 20;
    let place = base.join(&[LIST])?;
    let Answer::Here(received) = context.transfer.file(&place, &Known::default(), MAX_LIST).await? else { return Ok(None) };
    let bytes = std::fs::read(&received.path).map_err(io("read", &received.path))?;
    let listed = listed_in(&bytes).map_err(|reason| Error::Fetch { url: place.text(), reason })?;
    context.folder.put(LIST, &place, received, context.now)?;
    Ok(Some(listed))
}

/// One name a line. A release after a colon lies in the folder of its ecosystem. What names nothing that is known here is no list, but a page of a proxy.
fn listed_in(bytes: &[u8]) -> Result<BTreeSet<String>, String> {
    const LONGEST: usize = 200;
    let text = std::str::from_utf8(bytes).map_err(|_| "the list of ecosystems is no text".to_owned())?;
    let mut listed = BTreeSet::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let fit = |ch: char| ch.is_ascii_alphanumeric() || " .:-_+()[],/&".contains(ch);
        if line.len() > LONGEST || !line.chars().all(fit) {
            return Err(format!("the list of ecosystems has a line `{line:.80}`"));
        }
        listed.insert(line.split(':').next().unwrap_or(line).to_owned());
    }
    if ECOSYSTEMS.iter().any(|ecosystem| listed.contains(ecosystem.name)) {
        Ok(listed)
    } else {
        Err("the list of ecosystems names none that is known here".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_ecosystems_name_ecosystems() {
        let listed = |text: &str| listed_in(text.as_bytes()).map(|names| names.into_iter().collect::<Vec<_>>().join("|"));
        assert_eq!(
            listed("npm\r\nDebian:12\nRocky Linux\n\nUbuntu:Pro:18.04:LTS\nOther\n").unwrap(),
            "Debian|Other|Rocky Linux|Ubuntu|npm"
        );
        for text in ["", "\n\n", "<html>login</html>", "npm\n<p>", "Please log in", "{\"npm\": 1}"] {
            assert!(listed(text).is_err(), "{text}");
        }
        assert!(listed_in(b"npm\n\xff").is_err());
    }
}
