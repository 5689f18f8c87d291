//! One ecosystem of an OSV bucket (<https://google.github.io/osv.dev/data/#data-dumps>). In: what is kept of it; out: an archive that is up to date, by single
//! records where those are few, else as a whole. Nothing takes the place of a good archive before it was unpacked to its end.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{Timestamp, ToSpan as _};

use super::{
    Context, Outcome, archive,
    folder::{hash, io},
    listing::{Difference, Listing, MAX_LISTING, MAX_SINGLE},
    transfer::{Answer, Known, Place, Received},
};
use crate::advisory::{Error, sources::osv::parse_record};

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
        let read = |path: &std::path::Path| std::fs::read(path).map_err(|error| error.to_string());
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
            if let Err(reason) = self.bring_in(records).await {
                return self.whole(&reason).await;
            }
        }
        // The listing follows the archive: without it, the same records are fetched again.
        context.folder.put(&name, &place, received, context.now)?;
        Ok(if ids.is_empty() { Outcome::Unchanged } else { Outcome::Records(ids.len()) })
    }

    /// Fetches the archive, then what the listing knows beyond it.
    async fn whole(&self, reason: &str) -> Result<Outcome, Error> {
        let context = self.context;
        context.say(&format!("{}: the whole archive ({reason})", self.name));
        let (listing_name, listing_place) = self.file("modified_id.csv")?;
        // The listing first: what changes in between is fetched once too often, and never missed.
        let listed = match context.transfer.file(&listing_place, &Known::default(), MAX_LISTING).await {
            Ok(Answer::Here(received)) => Some(received),
            // Mirrors need not have one. Without it every update fetches the archive, if that changed.
            Ok(Answer::Missing | Answer::Unchanged) | Err(_) => None,
        };
        let (name, place) = self.file("all.zip")?;
        // An archive with single records brought in has no validator any more.
        let known = if context.fresh { None } else { context.folder.known(&name, &place) }.unwrap_or_default();
        let outcome = match context.transfer.file(&place, &known, MAX_ARCHIVE).await? {
            Answer::Missing => return Ok(Outcome::Missing),
            Answer::Unchanged => Outcome::Unchanged,
            Answer::Here(received) => {
                let path = received.path.clone();
                let checked = tokio::task::spawn_blocking(move || archive::check(&path)).await;
                checked.map_err(|error| self.failed(error.to_string()))?.map_err(|reason| self.failed(format!("all.zip: {reason}")))?;
                context.folder.put(&name, &place, received, context.now)?;
                Outcome::Whole
            }
        };
        let later = match listed {
            Some(received) => self.complete(received, (&listing_name, &listing_place)).await?,
            None => 0,
        };
        Ok(if outcome == Outcome::Unchanged && later > 0 { Outcome::Records(later) } else { outcome })
    }

    /// Brings in the records that the archive does not have as the listing says. A listing that cannot be kept is removed, so that the next update
    /// does not rely on it. Says how many there were.
    async fn complete(&self, received: Received, (name, place): (&str, &Place)) -> Result<usize, Error> {
        let context = self.context;
        let (archive_path, listing_path, now) =
            (context.folder.path(&format!("{}/all.zip", self.name)), received.path.clone(), context.now);
        let behind = tokio::task::spawn_blocking(move || {
            let bytes = std::fs::read(&listing_path).map_err(|error| error.to_string())?;
            archive::behind(&archive_path, &Listing::parse(&bytes)?, now)
        });
        let behind = behind.await.map_err(|error| self.failed(error.to_string()))?;
        let kept = match behind {
            Ok(ids) if ids.is_empty() => Ok(0),
            Ok(ids) if ids.len() <= MAX_SINGLE => match self.records(&ids).await {
                Ok(records) => self.bring_in(records).await.map(|()| ids.len()),
                Err(error) => Err(error.to_string()),
            },
            Ok(ids) => Err(format!("the archive lacks {} records that are listed", ids.len())),
            Err(reason) => Err(reason),
        };
        match kept {
            Ok(later) => context.folder.put(name, place, received, now).map(|()| later),
            Err(reason) => {
                context.folder.remove(name)?;
                Err(self.failed(format!("the archive is there, but behind its listing: {reason}")))
            }
        }
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

    /// Puts single records into the kept archive.
    async fn bring_in(&self, records: BTreeMap<String, Vec<u8>>) -> Result<(), String> {
        let folder = &self.context.folder;
        let (name, place) = self.file("all.zip").map_err(|error| error.to_string())?;
        let (old, new) = (folder.path(&name), folder.incoming().join(format!("{}.zip", self.name)));
        let merged = new.clone();
        let work = tokio::task::spawn_blocking(move || {
            archive::merge(&old, &records, &merged)?;
            hash(&merged).map_err(|error| error.to_string())
        });
        let digest = work.await.map_err(|error| error.to_string())??;
        let whole = folder.whole(&name).unwrap_or(Timestamp::UNIX_EPOCH);
        let received = Received { path: new, digest, etag: None, last_modified: None };
        folder.put(&name, &place, received, whole).map_err(|error| error.to_string())
    }
}

/// The ecosystems that a bucket lists; `None` when it has no list.
pub(super) async fn ecosystems(context: &Context<'_>, base: &Place) -> Result<Option<BTreeSet<String>>, Error> {
    const NAME: &str = "ecosystems.txt";
    const MAX_LIST: u64 = 1 << 20;
    let place = base.join(&[NAME])?;
    let Answer::Here(received) = context.transfer.file(&place, &Known::default(), MAX_LIST).await? else { return Ok(None) };
    let text = std::fs::read_to_string(&received.path).map_err(io("read", &received.path))?;
    context.folder.put(NAME, &place, received, context.now)?;
    Ok(Some(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()))
}
