//! Feeds from their publishers or a mirror (advisories.md section 1). In: where they are and what is kept of them; out: a folder laid out like a mirror, which
//! `build` reads, and a database built of what changed in it. A feed that cannot be had keeps its last good copy, and the summary says so.

mod alas;
mod archive;
mod changes;
mod folder;
mod listing;
mod lock;
mod osv;
mod single;
mod transfer;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt as _, future::LocalBoxFuture, stream};
use jiff::Timestamp;

use self::{
    changes::{Changes, groups_in},
    folder::Folder,
    lock::FeedsLock,
    transfer::{Place, Transfer},
};
use crate::{
    advisory::{
        BuildSummary, Error, ShardSummary,
        build::{WriterLock, build, build_locked},
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

/// Feeds that are fetched at the same time.
const TOGETHER: usize = 4;
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
    /// Shards that came from elsewhere, are newer than the feeds, and stayed.
    pub newer: Vec<String>,
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
    /// What the database in place has shards of, wherever they came from.
    groups: BTreeSet<String>,
    /// Whether the bucket has shown that it is one.
    has_list: AtomicBool,
    task: &'a dyn Task,
}

impl Context<'_> {
    fn say(&self, text: &str) {
        self.task.message(text);
    }

    /// Whether a copy of a feed, or of one repository of it, is kept.
    fn has_copy(&self, name: &str) -> bool {
        self.folder.has(if name == AMAZON { amazon::FOLDER } else { name })
    }

    /// Whether there is anything of a feed that can stay in use.
    fn is_known(&self, name: &str) -> bool {
        let group = changes::group_of(name).unwrap_or(name);
        self.has_copy(name) || self.groups.contains(group) || (group == osv::LIST && !self.groups.is_empty())
    }
}

/// Brings the database in `out` up to date. The downloads are kept beside it, so that the next update fetches only what changed; whatever fails, what is there
/// stays as it is. Waits for another update of it; writers are kept out only while finished shards get their places.
///
/// # Errors
/// When nothing could be fetched, or nothing can be built or written.
pub async fn update(options: &UpdateOptions, out: &Path, now: Timestamp, progress: &dyn Progress) -> Result<UpdateSummary, Error> {
    // A folder that is not there is no reason to make one.
    let origins = Places::parse(&options.origins)?;
    let task = progress.start("feeds", None);
    task.message("waiting for another update of this database");
    let _turn = FeedsLock::acquire(out, options.deadline).await?;
    let folder = Folder::open(&out.join(folder::FOLDER))?;
    let transfer = Transfer::new(&folder.incoming(), options.deadline, task.as_ref())?;
    let (fresh, groups, has_list) = (options.copies == Copies::Ignored, groups_in(out), AtomicBool::new(false));
    let context = Context { transfer, folder, now, fresh, groups, has_list, task: task.as_ref() };
    let Fetched { feeds, gaps, confirmed } = fetch(&context, &origins, &options.only).await?;
    context.folder.set_updated(now)?;
    task.message("building");
    let mut summary = UpdateSummary { feeds, shards: Vec::new(), newer: Vec::new(), gaps };
    let changes = Changes::of(&context.folder, confirmed, options.copies, out);
    if !changes.is_empty() {
        let done = tokio::task::spawn_blocking(move || changes.build(now)).await.map_err(joined(out))??;
        context.folder.set_built(done.built)?;
        summary.shards = done.summary.shards;
        summary.newer = done.newer;
        summary.gaps.extend(done.summary.gaps);
    }
    summary.gaps.sort();
    summary.gaps.dedup();
    Ok(summary)
}

/// Builds from `base`: an `http(s)` URL of a mirror, a `file` URL or a plain path. Nothing is kept of the downloads, which may take until `deadline` together.
///
/// # Errors
/// When nothing can be fetched or built.
pub async fn build_from_url(base: &str, out: &Path, built_at: Timestamp, deadline: Duration) -> Result<BuildSummary, Error> {
    let place = Place::parse(base)?;
    if let Place::Path(path) = place {
        return build(&path, out, built_at);
    }
    let _turn = FeedsLock::acquire(out, deadline).await?;
    let downloads = Downloads(out.join(".feeds"));
    downloads.clear();
    let task = Silent.start("feeds", None);
    let folder = Folder::open(&downloads.0)?;
    let transfer = Transfer::new(&folder.incoming(), deadline, task.as_ref())?;
    let (groups, has_list) = (groups_in(out), AtomicBool::new(false));
    let context = Context { transfer, folder, now: built_at, fresh: false, groups, has_list, task: task.as_ref() };
    let gaps = fetch(&context, &Places { mirror: Some(place), ..Places::default() }, &BTreeSet::new()).await?.gaps;
    let (from, place) = (downloads.0.clone(), out.to_owned());
    let work = tokio::task::spawn_blocking(move || build_locked(&from, &WriterLock::acquire(&place)?, built_at));
    let mut summary = work.await.map_err(joined(out))??;
    summary.gaps.extend(gaps);
    summary.gaps.sort();
    Ok(summary)
}

/// When an update last got feeds for the database in `out`; `None` when that is not known.
#[must_use]
pub fn last_update(out: &Path) -> Option<Timestamp> {
    folder::updated(&out.join(folder::FOLDER))
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

/// [`Origins`] as places.
#[derive(Debug, Default)]
struct Places {
    mirror: Option<Place>,
    osv: Option<Place>,
    alas: Option<Place>,
    kev: Option<Place>,
    epss: Option<Place>,
    debian_tracker: Option<Place>,
}

impl Places {
    fn parse(origins: &Origins) -> Result<Self, Error> {
        let Origins { mirror, osv, alas, kev, epss, debian_tracker } = origins;
        let named = |text: &Option<String>| text.as_deref().map(Place::parse).transpose();
        let places = Self {
            mirror: named(mirror)?,
            osv: named(osv)?,
            alas: named(alas)?,
            kev: named(kev)?,
            epss: named(epss)?,
            debian_tracker: named(debian_tracker)?,
        };
        match &places.mirror {
            Some(Place::Path(path)) if !path.is_dir() => Err(nothing_at(&places)),
            _ => Ok(places),
        }
    }
}

/// The error of an origin that has none of the feeds.
fn nothing_at(places: &Places) -> Error {
    let place = places.mirror.as_ref().map_or_else(|| OSV_URL.to_owned(), Place::text);
    Error::NothingFetched(Box::new(Error::NoMirror(place.trim_end_matches('/').to_owned())))
}

/// What came of asking for feeds, by name.
type Answers = Vec<(String, Result<Outcome, Error>)>;

/// What came of asking for all feeds.
struct Fetched {
    feeds: Vec<(String, Outcome)>,
    gaps: Vec<Gap>,
    /// What is as its origin has it now: OSV ecosystems, `KEV`, `EPSS`.
    confirmed: BTreeSet<&'static str>,
}

/// Fetches every feed that is wanted. A feed that fails, or that its origin has no more, is a Gap; when there is nothing at all, that is an error.
async fn fetch(context: &Context<'_>, places: &Places, only: &BTreeSet<String>) -> Result<Fetched, Error> {
    let mut answers = jobs(context, places, only).await?;
    answers.sort_by(|a, b| a.0.cmp(&b.0));
    let (mut fetched, mut errors) = (Fetched { feeds: Vec::new(), gaps: Vec::new(), confirmed: BTreeSet::new() }, Vec::new());
    let mut unconfirmed = BTreeSet::new();
    for (name, answer) in answers {
        let group = changes::group_of(&name).filter(|_| name != debian_tracker::FOLDER);
        match answer {
            Ok(Outcome::Missing) if context.has_copy(&name) => {
                fetched.gaps.push(gap(&name, "the origin does not have this feed any more; what was known of it stays in use"));
                unconfirmed.extend(group);
            }
            // What was asked for by name is missed, everything else is what this origin does not have.
            Ok(Outcome::Missing) if only.contains(&name) => fetched.gaps.push(gap(&name, "the origin does not have this feed")),
            Ok(Outcome::Missing) => {}
            Ok(outcome) => {
                fetched.feeds.push((name, outcome));
                fetched.confirmed.extend(group);
            }
            Err(error) => {
                let left = if context.is_known(&name) { "what was known of it stays in use" } else { "nothing is known of it" };
                fetched.gaps.push(gap(&name, &format!("{error}; {left}")));
                unconfirmed.extend(group);
                errors.push(error);
            }
        }
    }
    // A feed of several parts is as its origin has it when all of them are.
    fetched.confirmed.retain(|group| !unconfirmed.contains(group));
    let is_origin = context.has_list.load(Ordering::Relaxed) && errors.is_empty() && !fetched.gaps.is_empty();
    if !fetched.feeds.is_empty() || is_origin {
        return Ok(fetched);
    }
    match together(errors) {
        Some(error) => Err(Error::NothingFetched(Box::new(error))),
        None => Err(nothing_at(places)),
    }
}

/// One error for all of them, which names every host once.
fn together(mut errors: Vec<Error>) -> Option<Error> {
    let mut hosts: Vec<(String, &str)> = Vec::new();
    for error in &errors {
        if let Error::Fetch { url, reason } = error {
            let host = url::Url::parse(url).map_or_else(|_| url.clone(), |url| url.origin().ascii_serialization());
            if !hosts.iter().any(|(known, _)| *known == host) {
                hosts.push((host, reason));
            }
        }
    }
    match hosts.as_slice() {
        [] | [_] => (!errors.is_empty()).then(|| errors.swap_remove(0)),
        [(_, reason), others @ ..] if others.iter().all(|(_, other)| other == reason) => {
            let url = hosts.iter().map(|(host, _)| host.as_str()).collect::<Vec<_>>().join(", ");
            Some(Error::Fetch { url, reason: (*reason).to_owned() })
        }
        _ => {
            let reason = hosts.iter().map(|(host, reason)| format!("{host}: {reason}")).collect::<Vec<_>>().join("; ");
            Some(Error::Fetch { url: "anything".to_owned(), reason })
        }
    }
}

fn gap(name: &str, reason: &str) -> Gap {
    match KINDS.iter().find(|kind| kind.shard == name) {
        Some(kind) => kind.gap(reason),
        None => Gap::new(SourceId::Offline, "no-advisories", name, reason),
    }
}

/// Whether an origin may lack a feed without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// A mirror has what it has.
    Fine,
    /// It is there for this feed.
    Fails,
}

async fn jobs(context: &Context<'_>, places: &Places, only: &BTreeSet<String>) -> Result<Answers, Error> {
    let mirror = places.mirror.as_ref();
    let wanted = |name: &str| only.is_empty() || only.contains(name);
    let mut jobs: Vec<LocalBoxFuture<'_, Answers>> = Vec::new();

    let (bucket, lack) = match (&places.osv, mirror) {
        (Some(place), _) => (place.clone(), Lack::Fails),
        (None, Some(mirror)) => (mirror.clone(), Lack::Fine),
        (None, None) => (Place::parse(OSV_URL)?, Lack::Fails),
    };
    jobs.push(Box::pin(osv_feeds(context, bucket, only, lack)));

    if wanted(AMAZON) {
        let source = match (&places.alas, mirror) {
            (Some(place), _) => alas::Source::Public(place.clone()),
            (None, Some(mirror)) => alas::Source::Mirror(mirror.clone()),
            (None, None) => alas::Source::Public(Place::parse(ALAS_URL)?),
        };
        jobs.push(Box::pin(async move { alas::update(context, &source).await }));
    }
    for kind in KINDS.iter().filter(|kind| wanted(kind.shard)) {
        let own = if kind.shard == "kev" { &places.kev } else { &places.epss };
        let public = if kind.shard == "kev" { KEV_URL } else { EPSS_URL };
        jobs.push(Box::pin(single::exploitation(context, kind, own.as_ref(), mirror, public)));
    }
    if wanted(debian_tracker::FOLDER) {
        jobs.push(Box::pin(single::tracker(context, places.debian_tracker.as_ref(), mirror)));
    }
    let answers: Vec<Answers> = stream::iter(jobs).buffer_unordered(TOGETHER).collect().await;
    Ok(answers.into_iter().flatten().collect())
}

/// Every ecosystem that the bucket has and that can be matched. Those whose licence forbids to pass them on are fetched only when they are named.
async fn osv_feeds(context: &Context<'_>, bucket: Place, only: &BTreeSet<String>, lack: Lack) -> Answers {
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
        Err(error) => return vec![(osv::LIST.to_owned(), Err(error))],
    };
    context.has_list.store(listed.is_some(), Ordering::Relaxed);
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
    let answers: Answers = stream::iter(feeds).buffer_unordered(TOGETHER).collect().await;
    if lack == Lack::Fails && listed.is_none() && answers.iter().all(|(_, answer)| matches!(answer, Ok(Outcome::Missing))) {
        let reason = format!("it is no OSV bucket: there is neither {} nor any `<Ecosystem>/all.zip`", osv::LIST);
        return vec![(osv::LIST.to_owned(), Err(Error::Fetch { url: bucket.text(), reason }))];
    }
    answers
}

#[cfg(test)]
mod tests;
