//! `plimsoll db update`: the database up to date, from the publishers of the feeds or from a mirror.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use crate::{
    advisory::{
        Database,
        fetch::{self, Copies, Origins, Outcome, UpdateOptions, UpdateSummary},
    },
    cli::{Failure, Global, output::print, setup},
    exit::ExitStatus,
};

/// Arguments of `db update`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll db update\n  plimsoll db update --ecosystem Debian --ecosystem npm --ecosystem kev\n  plimsoll db update --from https://mirror.example.org/feeds\n\nThe downloads stay in the folder `feeds` of the database, so that the next update fetches only what changed; that folder is a mirror for other machines, too. Whatever fails, the database that is there stays in use.\n\nA feed takes its place when all of it is accepted. Shards that were pulled and are newer than the feeds stay.\n\nExit codes: 0 everything is up to date; 2 nothing could be fetched or built; 3 a feed could not be had, or its origin has it no more: its last good copy stays."
)]
pub(in crate::cli) struct UpdateArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// A mirror of every feed, laid out like the folder `feeds` of a database. Default: each feed from its publisher.
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,
    /// An OSV bucket or a mirror of it.
    #[arg(long, value_name = "DIR|URL")]
    osv_url: Option<String>,
    /// A server with the layout of cdn.amazonlinux.com. Amazon Linux 1 is served over plain http alone and not fetched.
    #[arg(long, value_name = "URL")]
    alas_url: Option<String>,
    /// CISA's catalogue of exploited vulnerabilities.
    #[arg(long, value_name = "FILE|URL")]
    kev_url: Option<String>,
    /// FIRST's EPSS scores, packed with gzip.
    #[arg(long, value_name = "FILE|URL")]
    epss_url: Option<String>,
    /// The JSON of Debian's security tracker.
    #[arg(long, value_name = "FILE|URL")]
    debian_tracker_url: Option<String>,
    /// Update this feed alone (repeatable): an ecosystem by its OSV name, `Amazon Linux`, `debian-tracker`, `kev`, `epss`. Wolfi and Chainguard, whose licence
    /// forbids to pass their data on, are fetched only when they are named.
    #[arg(long = "ecosystem", value_name = "NAME", value_parser = feed_name)]
    ecosystems: Vec<String>,
    /// Fetch everything anew, whatever is there.
    #[arg(long)]
    full: bool,
    /// Give up after this many seconds for all downloads together.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// A feed by its name, in any case.
fn feed_name(text: &str) -> Result<String, String> {
    let names = fetch::feed_names();
    match names.iter().find(|name| name.eq_ignore_ascii_case(text.trim())) {
        Some(name) => Ok((*name).to_owned()),
        None => Err(format!("no such feed; there are {}", names.join(", "))),
    }
}

/// Runs `db update`.
pub(super) async fn run(args: UpdateArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let out = super::folder(args.db)?;
    let options = UpdateOptions {
        origins: Origins {
            mirror: args.from,
            osv: args.osv_url,
            alas: args.alas_url,
            kev: args.kev_url,
            epss: args.epss_url,
            debian_tracker: args.debian_tracker_url,
        },
        only: args.ecosystems.into_iter().collect::<BTreeSet<_>>(),
        copies: if args.full { Copies::Ignored } else { Copies::Used },
        deadline: Duration::from_secs(args.timeout),
    };
    let summary = match fetch::update(&options, &out, setup::now(), global.progress().as_ref()).await {
        Ok(summary) => summary,
        Err(error) => {
            // Whoever reads this wants to know whether scans still work.
            let left = Database::open(&out).is_ok().then(|| "the database that was there stays in use".to_owned());
            let said: Vec<String> = left.into_iter().chain(error.hint()).collect();
            let failure = Failure::from(error);
            return Err(if said.is_empty() { failure } else { failure.hint(said.join("; ")) });
        }
    };
    let gaps = super::gaps(&summary.gaps);
    print(if global.quiet { gaps } else { listing(&summary, &gaps, &out) }.as_bytes())?;
    Ok(if summary.gaps.is_empty() { ExitStatus::Pass } else { ExitStatus::Incomplete })
}

fn listing(summary: &UpdateSummary, gaps: &str, out: &Path) -> String {
    let mut text = String::new();
    let unchanged = summary.feeds.iter().filter(|(_, outcome)| *outcome == Outcome::Unchanged).count();
    for (name, outcome) in &summary.feeds {
        let said = match outcome {
            Outcome::Whole => "fetched".to_owned(),
            Outcome::Records(1) => "1 record fetched".to_owned(),
            Outcome::Records(count) => format!("{count} records fetched"),
            Outcome::Unchanged | Outcome::Missing => continue,
        };
        let _ = writeln!(text, "feed: {name}: {said}");
    }
    let _ = writeln!(text, "feeds: {} up to date, {unchanged} of them unchanged", summary.feeds.len());
    text += &super::table(&summary.shards);
    for name in &summary.newer {
        let _ = writeln!(text, "newer here: {name} (it was pulled or built elsewhere, and stays)");
    }
    let _ = writeln!(text, "{gaps}database: {}", out.display());
    text
}
