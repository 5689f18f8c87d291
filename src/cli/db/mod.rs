//! `plimsoll db`: build, move, check and inspect the offline advisory database; one file per subcommand.

mod build;
mod pull;
mod push;
mod status;
pub(super) mod supply;
pub(super) mod trust;
mod update;
mod verify;
pub(super) mod vouch;

use std::{fmt::Write as _, path::PathBuf};

use clap::Subcommand;

use super::{Failure, Global, options::default_database};
use crate::{advisory::ShardSummary, exit::ExitStatus, model::coverage::Gap};

/// Subcommands of `db`.
#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Compile OSV dumps (`<Ecosystem>/all.zip`) into the database.
    Build(build::BuildArgs),
    /// Fetch a ready-made database from a registry.
    Pull(pull::PullArgs),
    /// Put the database into a registry, and sign it.
    Push(push::PushArgs),
    /// Show shards, coverage, ages and digests.
    Status(status::StatusArgs),
    /// Fetch what changed in the feeds and bring the database up to date.
    Update(update::UpdateArgs),
    /// Check every byte of the database, and who signed it; no network.
    Verify(verify::VerifyArgs),
}

/// Runs a subcommand.
pub(super) async fn run(command: DbCommand, global: &Global) -> Result<ExitStatus, Failure> {
    match command {
        DbCommand::Build(args) => build::run(args, global).await,
        DbCommand::Pull(args) => pull::run(args, global).await,
        DbCommand::Push(args) => push::run(args, global).await,
        DbCommand::Status(args) => status::run(args),
        DbCommand::Update(args) => update::run(args, global).await,
        DbCommand::Verify(args) => verify::run(args, global).await,
    }
}

/// The database folder that was named, else the default one.
pub(super) fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    named.or_else(default_database).ok_or_else(|| Failure::new("no home folder to keep the database in").hint("name one with --db DIR"))
}

/// One line for each shard.
fn table(shards: &[ShardSummary]) -> String {
    let width = shards.iter().map(|shard| shard.name.chars().count()).max().unwrap_or(0).max(24);
    let mut text = String::new();
    for ShardSummary { name, records, rows, bytes, as_of, .. } in shards {
        let as_of = as_of.as_deref().unwrap_or("unknown");
        let _ = writeln!(text, "{name:<width$} {records:>8} records {rows:>8} rows {bytes:>10} bytes  as of {as_of}");
    }
    text
}

/// One line for each gap.
fn gaps(list: &[Gap]) -> String {
    list.iter().map(|gap| format!("gap: {} {}: {}\n", gap.kind, gap.subject, gap.reason)).collect()
}
