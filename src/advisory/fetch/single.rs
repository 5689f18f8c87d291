//! Feeds of one file: KEV, EPSS, Debian's tracker. In: where the file may be, and how to tell a good one; out: the file in its place, or word that it did
//! not change. What does not read does not take the place of what does.

use std::{path::Path, sync::Arc};

use super::{
    Context, Outcome,
    folder::io,
    transfer::{Answer, Place},
};
use crate::advisory::Error;

/// Reads a file to its end.
pub(super) type Check = Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>;

/// One file.
pub(super) struct Single {
    /// Its name below the folder of the feeds.
    pub(super) name: String,
    /// Where it may be, the likeliest place first.
    pub(super) places: Vec<Place>,
    /// Its largest size.
    pub(super) most: u64,
    /// Whether it is what it should be.
    pub(super) check: Check,
}

/// Brings one file up to date.
pub(super) async fn update(context: &Context<'_>, single: &Single) -> Result<Outcome, Error> {
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
    Ok(Outcome::Missing)
}
