//! `plimsoll db`: build and inspect the offline advisory database; one file per subcommand.

mod build;
mod status;
mod update;

use std::path::PathBuf;

use clap::Subcommand;

use super::{Failure, Global, options::default_database};
use crate::exit::ExitStatus;

/// Subcommands of `db`.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Compile OSV dumps (`<Ecosystem>/all.zip`) into the database.
    Build(build::BuildArgs),
    /// Show shards, coverage, ages and digests.
    Status(status::StatusArgs),
    /// Fetch what changed in the feeds and bring the database up to date.
    Update(update::UpdateArgs),
}

/// Runs a subcommand.
pub(super) async fn run(command: DbCommand, global: &Global) -> Result<ExitStatus, Failure> {
    match command {
        DbCommand::Build(args) => build::run(args).await,
        DbCommand::Status(args) => status::run(args),
        DbCommand::Update(args) => update::run(args, global.progress()).await,
    }
}

/// The database folder that was named, else the default one.
pub(super) fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named.or_else(default_database).ok_or_else(|| Failure::new("no home folder to keep the database in").hint("name one with --db DIR"))
}
