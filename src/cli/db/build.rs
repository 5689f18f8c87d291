//! `plimsoll db build`: feeds of a folder or a mirror to the database.

use std::{io::Write as _, path::PathBuf};

use clap::Args;

use crate::{
    advisory,
    cli::{Failure, output::print, setup},
    exit::ExitStatus,
};

/// Arguments of `db build`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll db build --from /srv/mirror/osv\n\nThe same dumps give the same bytes. The new database is put in place when it is complete; a failed build leaves the old one. A shard of an earlier build about which these dumps say nothing stays, and is named."
)]
pub(in crate::cli) struct BuildArgs {
    /// Folder, or http(s) address, that holds `<Ecosystem>/all.zip`.
    #[arg(long, value_name = "DIR|URL")]
    from: String,
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
}

/// Runs `db build`.
pub(super) async fn run(args: BuildArgs) -> Result<ExitStatus, Failure> {
    let out = super::folder(args.db)?;
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
    for kept in &summary.kept {
        let as_of = kept.as_of.as_deref().unwrap_or("unknown");
        let _ = writeln!(text, "kept  {}  as of {as_of}: no feed of this build covers it", kept.name);
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
