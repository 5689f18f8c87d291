//! `plimsoll db`: build and inspect the offline advisory database.

use std::{io::Write as _, path::PathBuf};

use clap::{Args, Subcommand};

use super::{Failure, options::default_database, output::print, setup};
use crate::{
    advisory::{self, Database},
    exit::ExitStatus,
};

/// Subcommands of `db`.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Compile OSV dumps (`<Ecosystem>/all.zip`) into the database.
    Build(BuildArgs),
    /// Show shards, coverage, ages and digests.
    Status(StatusArgs),
}

/// Arguments of `db build`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll db build --from /srv/mirror/osv\n\nThe same dumps give the same bytes. The new database is put in place when it is complete; a failed build leaves the old one."
)]
pub(super) struct BuildArgs {
    /// Folder, or http(s) address, that holds `<Ecosystem>/all.zip`.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
}

/// Arguments of `db status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
}

/// Runs a subcommand.
pub(super) async fn run(command: DbCommand) -> Result<ExitStatus, Failure> {
    match command {
        DbCommand::Build(args) => build(args).await,
        DbCommand::Status(args) => status(&args),
    }
}

/// The database folder that was named, else the default one.
pub(super) fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named.or_else(default_database).ok_or_else(|| Failure::new("no home folder to keep the database in").hint("name one with --db DIR"))
}

async fn build(args: BuildArgs) -> Result<ExitStatus, Failure> {
    let out = folder(args.db)?;
    let summary = advisory::fetch::build_from_url(&args.from, &out, setup::now()).await?;
    let mut text = Vec::new();
    for shard in &summary.shards {
        let _ = writeln!(
            text,
            "{:<24} {:>8} records {:>8} rows {:>10} bytes  as of {}",
            shard.name,
            shard.records,
            shard.rows,
            shard.bytes,
            shard.as_of.as_deref().unwrap_or("unknown")
        );
    }
    for skipped in &summary.skipped {
        let _ = writeln!(text, "skipped: {skipped}");
    }
    for gap in &summary.gaps {
        let _ = writeln!(text, "gap: {} {}: {}", gap.kind, gap.subject, gap.reason);
    }
    let _ = writeln!(text, "database: {}", out.display());
    print(&text)?;
    // A feed that could not be read leaves its old shard in place; the build is not whole.
    Ok(if summary.gaps.is_empty() { ExitStatus::Pass } else { ExitStatus::Incomplete })
}

fn status(args: &StatusArgs) -> Result<ExitStatus, Failure> {
    let folder = folder(args.db.clone())?;
    let database = Database::open(&folder)?;
    let mut text = Vec::new();
    let _ = writeln!(text, "{:<24} {:>9} {:>9}  {:<20}  {:<12}  digest", "shard", "records", "rows", "as of", "licence");
    for shard in database.status() {
        let _ = writeln!(
            text,
            "{:<24} {:>9} {:>9}  {:<20}  {:<12}  {}",
            shard.name,
            shard.records,
            shard.rows,
            shard.as_of.as_deref().unwrap_or("unknown"),
            shard.licence,
            shard.digest
        );
    }
    print(&text)
}
