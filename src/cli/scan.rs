//! `plimsoll scan`: an image's package findings, judged; no Dockerfile, no signatures.

use std::collections::BTreeSet;

use clap::Args;

use super::{
    Failure, Global,
    cache::CacheOptions,
    limits::LimitOptions,
    options::{AdvisoryOptions, AwsOptions, BaseOptions, ImageOptions, PolicyOptions, report_time},
    output::OutputOptions,
    setup,
};
use crate::{
    exit::ExitStatus,
    model::coverage::SourceId,
    pipeline::{self, Inputs, Wanted},
    policy,
};

/// Arguments of `scan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll scan docker-archive:app.tar --output text --output json=scan.json\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github, cyclonedx"
)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    image: ImageOptions,
    #[command(flatten)]
    base: BaseOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    advisories: AdvisoryOptions,
    #[command(flatten)]
    aws: AwsOptions,
    #[command(flatten)]
    cache: CacheOptions,
    #[command(flatten)]
    limits: LimitOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// Scans the image.
pub(super) async fn run(args: ScanArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check("text")?;
    outputs.check_platforms(&args.image.platforms()?)?;
    let limits = args.limits.build()?;
    let mut policy = policy::load::load(&args.policy.references())?;
    // A scan is not asked about signatures, so it cannot miss them.
    policy.signatures.clear();
    let now = setup::now();
    let report_time = report_time(now)?;
    let progress = global.progress();
    let sources = setup::sources(&args.advisories, &args.aws, &args.image, progress.clone()).await?;
    let cache = args.cache.open(now)?;
    let mut image = setup::image(&args.image, args.aws.settings(), Wanted::Yes, progress.clone()).await?;
    image.cache = cache;
    image.base = setup::base(&args.base, &args.image, args.aws.settings(), progress.clone()).await?;
    let reports = pipeline::run(Inputs {
        command: "scan",
        stages: BTreeSet::from([
            SourceId::Image,
            SourceId::Inventory,
            SourceId::Offline,
            SourceId::Ecr,
            SourceId::EcrBasic,
            SourceId::Inspector,
            SourceId::InspectorSbom,
        ]),
        image: Some(image),
        dockerfiles: Vec::new(),
        sources: sources.list,
        verifier: None,
        signer_fingerprints: std::collections::BTreeMap::new(),
        policy,
        now,
        report_time,
        limits,
        progress,
    })
    .await?;
    outputs.write(&reports, global)
}
