//! `plimsoll db build`: feeds of a folder or a mirror to the database.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::{
    advisory,
    cli::{Failure, Global, output::print, setup},
    exit::ExitStatus,
};

/// Arguments of `db build`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll db build --from /srv/mirror/osv\n  plimsoll db build --from https://mirror.example.org/feeds --db db || [ $? = 3 ]\n\nThe same dumps give the same bytes. The new database is put in place when it is complete; a failed build leaves the old one. A shard of an earlier build about which these dumps say nothing stays, and is named. The second example goes on when a part of the feeds could not be read: a gate that needs that part stops by itself.\n\nExit codes: 0 the database is built; 2 nothing could be built; 3 built, but a part of the feeds could not be had or read, and an older shard of it, if there is one, stays."
)]
pub(in crate::cli) struct BuildArgs {
    /// Folder, or http(s) address, that holds `<Ecosystem>/all.zip`.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// Give up after this many seconds for all downloads together.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// Runs `db build`.
pub(super) async fn run(args: BuildArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let out = super::folder(args.db)?;
    let deadline = Duration::from_secs(args.timeout);
    let summary = advisory::fetch::build_from_url(&args.from, &out, setup::now(), deadline).await?;
    let gaps = super::gaps(&summary.gaps);
    if global.quiet {
        print(gaps.as_bytes())?;
    } else {
        let stays = summary.kept.iter().map(|kept| (&kept.name, kept.as_of.as_deref().unwrap_or("unknown")));
        let kept: String = stays.map(|(name, as_of)| format!("kept  {name}  as of {as_of}: no feed of this build covers it\n")).collect();
        let skipped: String = summary.skipped.iter().map(|skipped| format!("skipped: {skipped}\n")).collect();
        print(format!("{}{kept}{skipped}{gaps}database: {}\n", super::table(&summary.shards), out.display()).as_bytes())?;
    }
    // A feed that could not be read leaves its old shard in place; the build is not whole.
    Ok(if summary.gaps.is_empty() { ExitStatus::Pass } else { ExitStatus::Incomplete })
}
