//! `plimsoll db pull`: a ready-made database out of a registry.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;

use crate::{
    advisory::artifact::{Choice, list},
    aws,
    cli::{
        Failure, Global,
        db::{
            supply::{Supply, pinned, references},
            trust::TrustOptions,
        },
        options::RegistryOptions,
        output::print,
        setup,
    },
    exit::ExitStatus,
    model::mask::masked,
};

/// Arguments of `db pull`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll db pull ghcr.io/acme/advisories:latest --signed-by acme.pub\n  plimsoll db pull registry.example/advisories mirror.example/advisories --signed-by acme.pub --shard debian-12 --shard npm\n\nOnly shards that changed are fetched. Nothing is put in place before its signature and its digests are checked; a failed pull leaves the old database."
)]
pub(in crate::cli) struct PullArgs {
    /// Where the database is: `HOST/NAME[:TAG][@DIGEST]`, `oci:DIR:TAG` or `oci-archive:FILE:TAG`; several are tried in this order.
    #[arg(value_name = "REF", env = "PLIMSOLL_DB_FROM", hide_env_values = true, value_delimiter = ',', required = true)]
    from: Vec<String>,
    /// Fetch this shard alone (repeatable). Default: all of them.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    shard: Vec<String>,
    /// Accept the artifact with this digest and no other, even if its shards are older than those that are here.
    #[arg(long, value_name = "DIGEST")]
    db_digest: Option<String>,
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// Runs `db pull`.
pub(super) async fn run(args: PullArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let trust = args.trust.build()?;
    trust.check()?;
    let supply = Supply {
        references: references(&args.from)?,
        registry: args.registry.build(aws::Settings::default())?,
        trust,
        pinned: pinned(args.db_digest.as_ref())?,
        folder: super::folder(args.db)?,
        now: setup::now(),
        progress: global.progress(),
    };
    let choice = if args.shard.is_empty() { Choice::All } else { Choice::Named(args.shard.into_iter().collect::<BTreeSet<_>>()) };
    let supplied = supply.pull(&choice).await?;
    for reason in &supplied.passed_over {
        let _ = writeln!(io::stderr().lock(), "plimsoll: note: passed over {}", masked(reason));
    }
    let pulled = &supplied.pulled;
    let mut text = Vec::new();
    for (word, names) in [("fetched", &pulled.fetched), ("unchanged", &pulled.unchanged), ("newer here", &pulled.newer)] {
        for name in names {
            let _ = writeln!(text, "{word:<10}  {name}");
        }
    }
    let _ = writeln!(text, "artifact: {} from {}", supplied.digest, supplied.reference);
    let _ = writeln!(text, "signature: {}", supplied.vouched);
    let _ = writeln!(text, "transferred: {} blobs, {} bytes", pulled.blobs, pulled.bytes);
    let _ = writeln!(text, "database: {}", supply.folder.display());
    let status = print(&text)?;
    // A broken file of somebody else's makes the whole database unreadable, however well this went.
    list(&supply.folder)?;
    Ok(status)
}
