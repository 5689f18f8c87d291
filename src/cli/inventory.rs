//! `plimsoll inventory`: an image's packages as an SBOM.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;

use super::{
    Failure, Global,
    cache::CacheOptions,
    gate::BuildOptions,
    limits::LimitOptions,
    options::{BaseOptions, ImageOptions, report_time},
    output::OutputOptions,
    setup,
};
use crate::{
    aws,
    exit::ExitStatus,
    model::{coverage::SourceId, policy::Worth},
    pipeline::{self, Inputs, Wanted},
    policy,
};

/// Arguments of `inventory`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll inventory alpine:3.20 --output cyclonedx=sbom.cdx.json\n\nExit code 3 means that something in the image could not be read; the SBOM says so too (`compositions`).\nFormats: cyclonedx (default), json"
)]
pub(super) struct InventoryArgs {
    #[command(flatten)]
    image: ImageOptions,
    #[command(flatten)]
    base: BaseOptions,
    /// Dockerfile that the image was built from: each package then names its line. It is not judged here.
    #[arg(long, short = 'f', value_name = "FILE")]
    dockerfile: Option<PathBuf>,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// Lists the packages.
pub(super) async fn run(args: InventoryArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check("cyclonedx")?;
    outputs.check_platforms(&args.image.platforms()?)?;
    let limits = args.limits.build()?;
    let mut policy = policy::load::load(&["builtin:baseline".to_owned()])?;
    // A list of packages of an old distribution is as good as any.
    policy.end_of_life_distro = Worth::Warn;
    let dockerfiles = args.build.read(args.dockerfile.as_slice())?;
    let now = setup::now();
    let report_time = report_time(now)?;
    let progress = global.progress();
    let cache = args.cache.open(now)?;
    let mut image = setup::image(&args.image, aws::Settings::default(), Wanted::Yes, progress.clone()).await?;
    image.cache = cache;
    image.base = setup::base(&args.base, &args.image, aws::Settings::default(), progress.clone()).await?;
    let reports = pipeline::run(Inputs {
        command: "inventory",
        stages: BTreeSet::from([SourceId::Image, SourceId::Inventory]),
        image: Some(image),
        dockerfiles,
        sources: Vec::new(),
        verifier: None,
        signer_fingerprints: BTreeMap::new(),
        policy,
        now,
        report_time,
        limits,
        progress,
    })
    .await?;
    outputs.write(&reports, global)
}
