//! `plimsoll lint`: Dockerfiles alone, judged by the same policy.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Failure, Global,
    gate::BuildOptions,
    options::{PolicyOptions, source_date},
    output::OutputOptions,
    setup, shellcheck,
};
use crate::{
    exit::ExitStatus,
    model::{coverage::SourceId, policy::RuleSetting},
    pipeline::{self, Inputs, Limits, Wanted},
    policy,
};

/// Arguments of `lint`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll lint Dockerfile docker/*.Dockerfile\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github"
)]
pub(super) struct LintArgs {
    /// Dockerfiles; `-` is standard input. Default: `Dockerfile`, else `Containerfile`, in this folder.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Also report what an installed ShellCheck says of shell code: its program. Default of PATH: `shellcheck` in PATH.
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true, default_missing_value = "shellcheck")]
    shellcheck: Option<PathBuf>,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// Lints the files.
pub(super) async fn run(args: LintArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check("text")?;
    let mut policy = policy::load::load(&args.policy.references())?;
    if args.shellcheck.is_some() {
        policy.rules.set.entry("shellcheck".to_owned()).or_insert(RuleSetting::Warn);
    }
    let files = if args.files.is_empty() { vec![found_here()?] } else { args.files };
    let mut dockerfiles = args.build.read(&files)?;
    shellcheck::ask(args.shellcheck.as_deref().unwrap_or_else(|| Path::new("shellcheck")), &mut dockerfiles, &policy.rules);
    let now = setup::now();
    let reports = pipeline::run(Inputs {
        command: "lint",
        stages: BTreeSet::from([SourceId::Dockerfile]),
        image: None,
        dockerfiles,
        sources: Vec::new(),
        verifier: None,
        signer_fingerprints: BTreeMap::new(),
        policy,
        now,
        source_date: source_date()?,
        files: Wanted::No,
        limits: Limits::default(),
        progress: global.progress(),
    })
    .await?;
    outputs.write(&reports, global)
}

fn found_here() -> Result<PathBuf, Failure> {
    ["Dockerfile", "Containerfile"].iter().map(PathBuf::from).find(|file| file.is_file()).ok_or_else(|| {
        Failure::new("no Dockerfile or Containerfile in this folder").hint("name the file: plimsoll lint path/to/Dockerfile")
    })
}
