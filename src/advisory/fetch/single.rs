//! Feeds of one file: KEV, EPSS, Debian's tracker. In: where the file may be, and how to tell a good one; out: the file in its place, or word that it did
//! not change. What does not read does not take the place of what does.

use std::{fs::File, io::BufReader, path::Path, sync::Arc};

use jiff::Timestamp;

use super::{
    Answers, Context, DEBIAN_TRACKER_URL, Outcome,
    folder::io,
    transfer::{Answer, Place},
};
use crate::advisory::{Error, exploitation::Kind, sources::debian_tracker};

/// KEV and EPSS have a few megabytes.
const MAX_EXPLOITATION: u64 = 256 << 20;
/// A time is one line.
const MAX_NOTE: u64 = 1 << 10;

/// Reads a file to its end.
type Check = Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>;

/// One file.
struct Single {
    /// Its name below the folder of the feeds.
    name: String,
    /// Where it may be, the likeliest place first.
    places: Vec<Place>,
    /// Its largest size.
    most: u64,
    /// Whether it is what it should be.
    check: Check,
    /// Whether the place is there for this file alone, so that its absence is a fault.
    is_own: bool,
}

/// Brings KEV or EPSS up to date: from its own place, else from the mirror, else from its publisher.
pub(super) async fn exploitation(
    context: &Context<'_>,
    kind: &'static Kind,
    own: Option<&Place>,
    mirror: Option<&Place>,
    public: &str,
) -> Answers {
    let answer = async {
        let Some(file) = kind.files.first() else { return Ok(Outcome::Missing) };
        let places = match (own, mirror) {
            (Some(place), _) => vec![place.clone()],
            (None, Some(mirror)) => vec![mirror.join(&[kind.shard, file])?, mirror.join(&[file])?],
            (None, None) => vec![Place::parse(public)?],
        };
        let is_own = own.is_some() || mirror.is_none();
        let name = format!("{}/{file}", kind.shard);
        let single = Single { name, places, most: MAX_EXPLOITATION, check: Arc::new(move |path: &Path| kind.check(path)), is_own };
        update(context, &single).await
    };
    vec![(kind.shard.to_owned(), answer.await)]
}

/// Brings the states of Debian's security tracker up to date, and notes beside them as of when they are.
pub(super) async fn tracker(context: &Context<'_>, own: Option<&Place>, mirror: Option<&Place>) -> Answers {
    let answer = async {
        let place = match (own, mirror) {
            (Some(place), _) => place.clone(),
            (None, Some(mirror)) => mirror.join(&[debian_tracker::FOLDER, debian_tracker::FILE])?,
            (None, None) => Place::parse(DEBIAN_TRACKER_URL)?,
        };
        let is_own = own.is_some() || mirror.is_none();
        let check: Check =
            Arc::new(|path: &Path| debian_tracker::check(BufReader::new(File::open(path).map_err(|error| error.to_string())?)));
        let name = format!("{}/{}", debian_tracker::FOLDER, debian_tracker::FILE);
        // A server is asked now; a mirror knows when it asked, and a file says nothing.
        let fetched = match (&place, is_own) {
            (Place::Url(_), true) => Some(context.now),
            (Place::Path(_), true) => None,
            (_, false) => time_of(context, mirror).await,
        };
        let single = Single { name, places: vec![place], most: debian_tracker::MAX_FILE, check, is_own };
        let outcome = update(context, &single).await?;
        if outcome != Outcome::Missing {
            let text = fetched.map(|time| format!("{}\n", time.min(context.now)));
            context.folder.note(&format!("{}/{}", debian_tracker::FOLDER, debian_tracker::FETCHED), text.as_deref())?;
        }
        Ok(outcome)
    };
    vec![(debian_tracker::FOLDER.to_owned(), answer.await)]
}

/// When the mirror fetched its copy, as far as it says.
async fn time_of(context: &Context<'_>, mirror: Option<&Place>) -> Option<Timestamp> {
    let place = mirror?.join(&[debian_tracker::FOLDER, debian_tracker::FETCHED]).ok()?;
    let bytes = context.transfer.bytes(&place, MAX_NOTE).await.ok()??;
    std::str::from_utf8(&bytes).ok()?.trim().parse().ok()
}

/// Brings one file up to date.
async fn update(context: &Context<'_>, single: &Single) -> Result<Outcome, Error> {
    for place in &single.places {
        let known = if context.fresh { None } else { context.folder.known(&single.name, place) };
        match context.transfer.file(place, &known.unwrap_or_default(), single.most).await? {
            Answer::Missing => {}
            Answer::Unchanged => return Ok(Outcome::Unchanged),
            Answer::Here(mut received) => {
                // How a file is packed shows in its name.
                let named = context.folder.incoming().join(single.name.rsplit('/').next().unwrap_or(&single.name));
                std::fs::rename(&received.path, &named).map_err(io("rename", &named))?;
                received.path.clone_from(&named);
                let check = single.check.clone();
                let failed = |reason: String| Error::Fetch { url: place.text(), reason: format!("the file does not read: {reason}") };
                tokio::task::spawn_blocking(move || check(&named)).await.map_err(|error| failed(error.to_string()))?.map_err(failed)?;
                context.folder.put(&single.name, place, received, context.now)?;
                return Ok(Outcome::Whole);
            }
        }
    }
    match single.places.first().filter(|_| single.is_own) {
        Some(place) => Err(Error::Fetch { url: place.text(), reason: "there is no such file".to_owned() }),
        None => Ok(Outcome::Missing),
    }
}
