//! `plimsoll db status`: what the database holds and how old it is.

use std::{io::Write as _, path::PathBuf};

use clap::Args;

use crate::{
    advisory::Database,
    cli::{Failure, output::print},
    exit::ExitStatus,
};

/// Arguments of `db status`.
#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
}

/// Runs `db status`.
pub(super) fn run(args: StatusArgs) -> Result<ExitStatus, Failure> {
    let database = Database::open(&super::folder(args.db)?)?;
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
