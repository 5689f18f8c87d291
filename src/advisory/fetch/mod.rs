//! Feeds from their publishers or a mirror (advisories.md section 1). In: where they are and what is kept of them; out: a folder laid out like a mirror, which
//! `build` reads, and a database built of what changed in it. A feed that cannot be had keeps its last good copy, and the summary says so.

mod alas;
mod archive;
mod folder;
mod listing;
mod osv;
mod single;
mod transfer;

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, future::LocalBoxFuture, stream};
use jiff::Timestamp;

use self::{
    folder::{Built, Folder},
    single::Single,
    transfer::{Place, Transfer},
};
use crate::{
    advisory::{
        BuildSummary, Database, Error, ShardSummary,
        build::{WriterLock, build, build_locked, build_some},
        ecosystem::{ECOSYSTEMS, Ecosystem, Use},
        exploitation::KINDS,
        sources::{alas as amazon, debian_tracker},
    },
    model::coverage::{Gap, SourceId},
    progress::{Progress, Silent, Task},
};

/// The OSV bucket.
pub const OSV_URL: &str = "https://osv-vulnerabilities.storage.googleapis.com";
/// The repositories of Amazon Linux.
pub const ALAS_URL: &str = "https://cdn.amazonlinux.com";
/// CISA's catalogue of exploited vulnerabilities.
pub const KEV_URL: &str = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// FIRST's scores.
pub const EPSS_URL: &str = "https://epss.cyentia.com/epss_scores-current.csv.gz";
/// The states of Debian's security tracker.
pub const DEBIAN_TRACKER_URL: &str = "https://security-tracker.debian.org/tracker/data/json";

/// KEV and EPSS have a few megabytes.
const MAX_EXPLOITATION: u64 = 256 << 20;
/// Feeds that are fetched at the same time.
const TOGETHER: usize = 4;
/// How long a build from a mirror waits for its downloads.
const MIRROR_DEADLINE: Duration = Duration::from_secs(3600);
/// Amazon Linux is in no OSV bucket.
const AMAZON: &str = "Amazon Linux";
const BUILDER: &str = concat!("plimsoll ", env!("CARGO_PKG_VERSION"));

/// Where the feeds are. What is not named comes from the mirror, or without one from its publisher.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    /// A mirror of everything, laid out like the folder of an earlier update: URL or path.
    pub mirror: Option<String>,
    /// An OSV bucket.
    pub osv: Option<String>,
    /// The layout of Amazon's own host.
    pub alas: Option<String>,
    /// The file itself.
    pub kev: Option<String>,
    /// The file itself.
    pub epss: Option<String>,
    /// The file itself.
    pub debian_tracker: Option<String>,
}

/// How to update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateOptions {
    /// Where the feeds are.
    pub origins: Origins,
    /// Names of the feeds to update, as in [`feed_names`]; none: every one that needs no asking for.
    pub only: BTreeSet<String>,
    /// Whether earlier copies count.
    pub copies: Copies,
    /// For all downloads together.
    pub deadline: Duration,
}

/// Whether earlier copies count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// Only what changed is fetched.
    Used,
    /// Everything is fetched anew.
    Ignored,
}

/// What an update did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateSummary {
    /// Every feed that was asked, by name, and what came of it.
    pub feeds: Vec<(String, Outcome)>,
    /// Shards that were built anew, sorted by name.
    pub shards: Vec<ShardSummary>,
    /// Feeds that could not be had or read. Their last good copies and shards stay.
    pub gaps: Vec<Gap>,
}

/// What came of asking for one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The copy that is there is up to date.
    Unchanged,
    /// This many records were fetched.
    Records(usize),
    /// It was fetched as a whole.
    Whole,
    /// The origin does not have it.
    Missing,
}

/// Names of every feed that can be asked for.
#[must_use]
pub fn feed_names() -> Vec<&'static str> {
    let others = KINDS.iter().map(|kind| kind.shard).chain([debian_tracker::FOLDER]);
    ECOSYSTEMS.iter().map(|ecosystem| ecosystem.name).chain(others).collect()
}

/// What every feed needs on its way.
struct Context<'a> {
    transfer: Transfer<'a>,
    folder: Folder,
    now: Timestamp,
    fresh: bool,
    task: &'a dyn Task,
}

impl Context<'_> {
    fn say(&self, text: &str) {
        self.task.message(text);
    }
}

/// Brings the database in `out` up to date. The downloads are kept beside it, so that the next update fetches only what changed; whatever fails, what is there
/// stays as it is. Waits for another process that writes there.
///
/// # Errors
/// When nothing could be fetched, or nothing can be built or written.
pub async fn update(options: &UpdateOptions, out: &Path, now: Timestamp, progress: &dyn Progress) -> Result<UpdateSummary, Error> {
    let task = progress.start("feeds", None);
    task.message("waiting for another process that writes this database");
    let lock = lock(out, options.deadline).await?;
    let folder = Folder::open(&out.join(folder::FOLDER))?;
    let transfer = Transfer::new(&folder.incoming(), options.deadline, task.as_ref())?;
    let context = Context { transfer, folder, now, fresh: options.copies == Copies::Ignored, task: task.as_ref() };
    let (feeds, gaps) = fetch(&context, options).await?;
    task.message("building");
    let changes = Changes::of(&context.folder, out);
    let mut summary = UpdateSummary { feeds, shards: Vec::new(), gaps };
    if !changes.is_empty() {
        let (root, changed) = (context.folder.root().to_owned(), changes.ecosystems.clone());
        let work = tokio::task::spawn_blocking(move || {
            let built = match &changed {
                Some(names) => build_some(&root, &lock, now, names),
                None => build_locked(&root, &lock, now),
            };
            (built, lock)
        });
        let (built, _lock) = work.await.map_err(joined(out))?;
        let built = built?;
        changes.remember(&context.folder, out, &built)?;
        summary.shards = built.shards;
        summary.gaps.extend(built.gaps);
    }
    summary.gaps.sort();
    summary.gaps.dedup();
    Ok(summary)
}

/// Builds from `base`: an `http(s)` URL of a mirror, a `file` URL or a plain path. Nothing is kept of the downloads.
///
/// # Errors
/// When nothing can be fetched or built.
pub async fn build_from_url(base: &str, out: &Path, built_at: Timestamp) -> Result<BuildSummary, Error> {
    let origin = match Place::parse(base)? {
        Place::Path(path) => return build(&path, out, built_at),
        Place::Url(_) => base.to_owned(),
    };
    let lock = lock(out, MIRROR_DEADLINE).await?;
    let downloads = Downloads(out.join(".feeds"));
    downloads.clear();
    let options = UpdateOptions {
        origins: Origins { mirror: Some(origin), ..Origins::default() },
        only: BTreeSet::new(),
        copies: Copies::Used,
        deadline: MIRROR_DEADLINE,
    };
    let task = Silent.start("feeds", None);
    let folder = Folder::open(&downloads.0)?;
    let transfer = Transfer::new(&folder.incoming(), options.deadline, task.as_ref())?;
    let context = Context { transfer, folder, now: built_at, fresh: false, task: task.as_ref() };
    let (_, gaps) = fetch(&context, &options).await?;
    let from = downloads.0.clone();
    let mut summary = tokio::task::spawn_blocking(move || build_locked(&from, &lock, built_at)).await.map_err(joined(out))??;
    summary.gaps.extend(gaps);
    summary.gaps.sort();
    Ok(summary)
}

/// Waits for other writers.
async fn lock(out: &Path, patience: Duration) -> Result<WriterLock, Error> {
    let place = out.to_owned();
    tokio::task::spawn_blocking(move || WriterLock::acquire_within(&place, patience)).await.map_err(joined(out))?
}

/// The folder of downloads that are not kept, removed in the end whatever happened.
struct Downloads(PathBuf);

impl Downloads {
    fn clear(&self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        self.clear();
    }
}

fn joined(out: &Path) -> impl FnOnce(tokio::task::JoinError) -> Error + use<> {
    let path: PathBuf = out.to_owned();
    move |error| Error::Io { doing: "write", path, source: std::io::Error::other(error) }
}

type Fetched = Vec<(String, Result<Outcome, Error>)>;

/// Fetches every feed that is wanted. A feed that fails is a Gap; when all fail, the first error is the answer.
async fn fetch(context: &Context<'_>, options: &UpdateOptions) -> Result<(Vec<(String, Outcome)>, Vec<Gap>), Error> {
    let mut results = jobs(context, options).await?;
    results.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut feeds, mut gaps, mut first) = (Vec::new(), Vec::new(), None);
    for (name, result) in results {
        match result {
            // What was asked for by name is missed, everything else is what this origin does not have.
            Ok(Outcome::Missing) if options.only.contains(&name) => gaps.push(gap(&name, "the origin does not have this feed")),
            Ok(Outcome::Missing) => {}
            Ok(outcome) => feeds.push((name, outcome)),
            Err(error) => {
                gaps.push(gap(&name, &format!("{error}; what was known of it stays in use")));
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if feeds.is_empty() => Err(Error::NothingFetched(Box::new(error))),
        _ => Ok((feeds, gaps)),
    }
}

fn gap(name: &str, reason: &str) -> Gap {
    match KINDS.iter().find(|kind| kind.shard == name) {
        Some(kind) => kind.gap(reason),
        None => Gap::new(SourceId::Offline, "no-advisories", name, reason),
    }
}

async fn jobs(context: &Context<'_>, options: &UpdateOptions) -> Result<Fetched, Error> {
    let Origins { mirror, osv, alas, kev, epss, debian_tracker } = &options.origins;
    let mirror = mirror.as_deref().map(Place::parse).transpose()?;
    let wanted = |name: &str| options.only.is_empty() || options.only.contains(name);
    let named = |text: &Option<String>| text.as_deref().map(Place::parse).transpose();
    let mut jobs: Vec<LocalBoxFuture<'_, Fetched>> = Vec::new();

    let bucket = match (named(osv)?, &mirror) {
        (Some(place), _) => place,
        (None, Some(mirror)) => mirror.clone(),
        (None, None) => Place::parse(OSV_URL)?,
    };
    jobs.push(Box::pin(osv_feeds(context, bucket, &options.only)));

    if wanted(AMAZON) {
        let source = match (named(alas)?, &mirror) {
            (Some(place), _) => alas::Source::Public(place),
            (None, Some(mirror)) => alas::Source::Mirror(mirror.clone()),
            (None, None) => alas::Source::Public(Place::parse(ALAS_URL)?),
        };
        jobs.push(Box::pin(async move { alas::update(context, &source).await }));
    }
    for kind in KINDS.iter().filter(|kind| wanted(kind.shard)) {
        let (own, public) = if kind.shard == "kev" { (kev, KEV_URL) } else { (epss, EPSS_URL) };
        let Some(file) = kind.files.first() else { continue };
        let places = match (named(own)?, &mirror) {
            (Some(place), _) => vec![place],
            (None, Some(mirror)) => vec![mirror.join(&[kind.shard, file])?, mirror.join(&[file])?],
            (None, None) => vec![Place::parse(public)?],
        };
        let name = format!("{}/{file}", kind.shard);
        let single = Single { name, places, most: MAX_EXPLOITATION, check: Arc::new(move |path: &Path| kind.check(path)) };
        jobs.push(Box::pin(async move { vec![(kind.shard.to_owned(), single::update(context, &single).await)] }));
    }
    if wanted(debian_tracker::FOLDER) {
        let places = match (named(debian_tracker)?, &mirror) {
            (Some(place), _) => vec![place],
            (None, Some(mirror)) => vec![mirror.join(&[debian_tracker::FOLDER, debian_tracker::FILE])?],
            (None, None) => vec![Place::parse(DEBIAN_TRACKER_URL)?],
        };
        let name = format!("{}/{}", debian_tracker::FOLDER, debian_tracker::FILE);
        let check =
            Arc::new(|path: &Path| debian_tracker::check(BufReader::new(std::fs::File::open(path).map_err(|error| error.to_string())?)));
        let single = Single { name, places, most: debian_tracker::MAX_FILE, check };
        jobs.push(Box::pin(async move { vec![(debian_tracker::FOLDER.to_owned(), single::update(context, &single).await)] }));
    }
    let results: Vec<Fetched> = stream::iter(jobs).buffer_unordered(TOGETHER).collect().await;
    Ok(results.into_iter().flatten().collect())
}

/// Every ecosystem that the bucket has and that can be matched. Those whose licence forbids to pass them on are fetched only when they are named.
async fn osv_feeds(context: &Context<'_>, bucket: Place, only: &BTreeSet<String>) -> Fetched {
    let wanted: Vec<&str> = ECOSYSTEMS
        .iter()
        .filter(|ecosystem| ecosystem.name != AMAZON)
        .filter(|ecosystem| if only.is_empty() { ecosystem.use_of == Use::Free } else { only.contains(ecosystem.name) })
        .map(|ecosystem| ecosystem.name)
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    // A mirror need not have the list; then it has what it has.
    let listed = match osv::ecosystems(context, &bucket).await {
        Ok(listed) => listed,
        Err(error) => return vec![("ecosystems.txt".to_owned(), Err(error))],
    };
    let feeds = wanted.into_iter().map(|name| {
        let (bucket, listed) = (&bucket, &listed);
        async move {
            if listed.as_ref().is_some_and(|listed| !listed.contains(name)) {
                return (name.to_owned(), Ok(Outcome::Missing));
            }
            let result = osv::update(context, bucket, name).await;
            // To be named is to be asked for.
            let is_on_request = |ecosystem: &Ecosystem| ecosystem.name == name && ecosystem.use_of == Use::OnRequest;
            let result = match result {
                Ok(Outcome::Missing) => Ok(Outcome::Missing),
                Ok(outcome) if ECOSYSTEMS.iter().any(is_on_request) => context.folder.mark_as_asked(name).map(|()| outcome),
                result => result,
            };
            let result = match result {
                Ok(Outcome::Missing) if listed.is_some() => {
                    Err(Error::Fetch { url: bucket.text(), reason: format!("the archive of {name} is listed and not there") })
                }
                result => result,
            };
            (name.to_owned(), result)
        }
    });
    stream::iter(feeds).buffer_unordered(TOGETHER).collect().await
}

/// What has to be built.
struct Changes {
    /// Ecosystems whose files are others than those that the database was built of; `None`: all.
    ecosystems: Option<BTreeSet<&'static str>>,
    /// Whether anything changed at all, KEV and EPSS included.
    any: bool,
    files: BTreeMap<String, String>,
    built: Built,
}

impl Changes {
    fn of(folder: &Folder, out: &Path) -> Self {
        let (built, files) = (folder.built(), folder.digests());
        let is_same = built.builder == BUILDER && Database::open(out).is_ok_and(|database| database.digest().to_string() == built.database);
        if !is_same {
            // Another program, another format, or somebody else has been there.
            return Self { ecosystems: None, any: true, files, built };
        }
        let names: BTreeSet<&String> = files.keys().chain(built.files.keys()).collect();
        let changed: Vec<&String> = names.into_iter().filter(|name| is_built(name) && files.get(*name) != built.files.get(*name)).collect();
        let (any, ecosystems) = (!changed.is_empty(), changed.iter().filter_map(|name| ecosystem_of(name)).collect());
        Self { ecosystems: Some(ecosystems), any, files, built }
    }

    const fn is_empty(&self) -> bool {
        !self.any
    }

    /// Remembers what the database is built of. An ecosystem that could not be built, as a whole or in part, is tried again by the next update.
    fn remember(self, folder: &Folder, out: &Path, built: &BuildSummary) -> Result<(), Error> {
        let failed = |name: &str| {
            let ecosystem = ecosystem_of(name);
            built
                .gaps
                .iter()
                .any(|gap| ecosystem.is_some_and(|ecosystem| gap.subject == ecosystem || gap.subject.starts_with(&format!("{ecosystem}:"))))
        };
        let old = |name: &str| self.built.files.get(name).cloned().unwrap_or_default();
        let files = self.files.iter().map(|(name, digest)| (name.clone(), if failed(name) { old(name) } else { digest.clone() })).collect();
        let database = Database::open(out)?.digest().to_string();
        folder.set_built(Built { builder: BUILDER.to_owned(), files, database })
    }
}

/// Listings and lists go into no shard.
fn is_built(name: &str) -> bool {
    name.ends_with("/all.zip") || !(name.ends_with(".csv") || name == "ecosystems.txt")
}

/// The ecosystem whose shards a file goes into.
fn ecosystem_of(name: &str) -> Option<&'static str> {
    let wanted = match name.split('/').next().unwrap_or_default() {
        amazon::FOLDER => AMAZON,
        debian_tracker::FOLDER => "Debian",
        folder => folder,
    };
    ECOSYSTEMS.iter().map(|ecosystem| ecosystem.name).find(|ecosystem| *ecosystem == wanted)
}

#[cfg(test)]
mod tests;
