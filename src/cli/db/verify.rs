//! `plimsoll db verify`: whether the database is still what was signed, and by whom; no network.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use clap::Args;

use crate::{
    advisory::artifact::check::{self, ShardCheck},
    cli::{
        Failure, Global,
        db::{
            trust::{Trust, TrustOptions, Unsigned, Vouched},
            vouch::Evidence,
        },
        output::print,
        setup,
    },
    exit::ExitStatus,
    model::digest::Digest,
};

/// Arguments of `db verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll db verify --signed-by acme.pub\n\nEach shard is `ok` (what somebody trusted has signed; or built here, where nobody is named), `open` (its bytes are those of an artifact, but whether that is signed could not be judged: nobody is named with --signed-by, or what vouches for it was not kept) or `BAD` (damaged, changed, or not signed by anybody who is trusted).\n\nExit codes: 0 all are ok, 1 one is BAD, 3 none is BAD and one is open."
)]
pub(in crate::cli) struct VerifyArgs {
    /// Folder of the database. Default: $PLIMSOLL_DB, else $XDG_DATA_HOME/plimsoll/db or ~/.local/share/plimsoll/db.
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustOptions,
}

/// How a shard came out, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Good,
    Unjudged,
    Bad,
}

/// Runs `db verify`.
pub(super) async fn run(args: VerifyArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let trust = args.trust.build()?;
    let folder = super::folder(args.db)?;
    let place = folder.clone();
    let checked =
        tokio::task::spawn_blocking(move || check::check(&place)).await.map_err(|_| Failure::new("the check was interrupted"))??;
    let progress = global.progress();
    let evidence = Evidence { trust: &trust, folder: &folder, now: setup::now(), progress: &progress };
    let vouched = evidence.judge(&checked.artifacts).await?;
    let mut text = Vec::new();
    let mut worst = State::Good;
    for shard in &checked.shards {
        let (state, words) = outcome(shard, &vouched, &trust);
        worst = worst.max(state);
        let mark = match state {
            State::Good => "ok",
            State::Unjudged => "open",
            State::Bad => "BAD",
        };
        let _ = writeln!(text, "{mark:<4}  {:<24}  {words}", shard.shard.name);
    }
    for (digest, vouched) in &vouched {
        let _ = writeln!(text, "artifact {digest}: {vouched}");
    }
    let _ = writeln!(text, "database: {}", folder.display());
    print(&text)?;
    Ok(match worst {
        State::Good => ExitStatus::Pass,
        State::Unjudged => ExitStatus::Incomplete,
        State::Bad => ExitStatus::Fail,
    })
}

fn outcome(shard: &ShardCheck, vouched: &BTreeMap<Digest, Vouched>, trust: &Trust) -> (State, String) {
    if let Some(damage) = &shard.damage {
        return (State::Bad, damage.to_string());
    }
    let allowed = trust.unsigned() == Unsigned::Allowed;
    if shard.held_by.is_empty() {
        return match &shard.pulled_from {
            Some(artifact) => (State::Bad, format!("changed: not what {artifact} holds")),
            None if !trust.is_named() || allowed => {
                (State::Good, "every block is right; built here, or changed since it was pulled".to_owned())
            }
            None => (State::Bad, "no signed artifact holds it".to_owned()),
        };
    }
    let words = |digest: &Digest| vouched.get(digest).map_or_else(String::new, ToString::to_string);
    if let Some(digest) = shard.held_by.iter().find(|digest| matches!(vouched.get(*digest), Some(Vouched::By(_)))) {
        return (State::Good, format!("as in {}, {}", digest.short(), words(digest)));
    }
    let Some(digest) = shard.held_by.first() else { return (State::Bad, "no artifact holds it".to_owned()) };
    let said = format!("as in {}, {}", digest.short(), words(digest));
    match vouched.get(digest) {
        _ if allowed => (State::Good, said),
        Some(Vouched::Not(_)) => (State::Bad, said),
        _ => (State::Unjudged, said),
    }
}
