//! `plimsoll scan`: an image's packages and files, judged; no Dockerfile, no configuration, no signatures.

use std::collections::BTreeSet;

use clap::Args;

use super::{
    Failure, Global,
    cache::CacheOptions,
    limits::LimitOptions,
    options::{AdvisoryOptions, AwsOptions, BaseOptions, ImageOptions, PolicyOptions, source_date},
    output::OutputOptions,
    policy::check_rules,
    setup,
};
use crate::{
    exit::ExitStatus,
    model::coverage::SourceId,
    pipeline::{ImageInput, Inputs, Wanted},
    policy::{self, load::Signatures},
};

/// Arguments of `scan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll scan docker-archive:app.tar --output text --output json=scan.json\n  plimsoll scan sbom:app.cdx.json\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github, cyclonedx-json, cyclonedx-json-1.5, cyclonedx-xml, cyclonedx-xml-1.5, spdx-json"
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
    let limits = args.limits.build_for_files()?;
    let mut policy = policy::load::load_for(&args.policy.references(), Signatures::NotAsked)?;
    check_rules(&policy)?;
    // A scan is not asked about signatures, so it cannot miss them.
    policy.signatures.clear();
    let now = setup::now();
    let source_date = source_date()?;
    let progress = global.progress();
    let sources = setup::sources(&args.advisories, &args.aws, &args.image, &policy, None, progress.clone()).await?;
    let cache = args.cache.open(now)?;
    let document = setup::document(&args.image)?;
    let mut image = None;
    if document.is_none() {
        let opened = setup::image(&args.image, args.aws.settings(), Wanted::Yes, progress.clone()).await?;
        let base = setup::base(&args.base, &args.image, args.aws.settings(), progress.clone()).await?;
        image = Some(ImageInput { cache, base, ..opened });
    } else {
        args.base.refuse()?;
    }
    let inputs = Inputs {
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
        image,
        dockerfiles: Vec::new(),
        sources: sources.list,
        verifier: None,
        signer_fingerprints: std::collections::BTreeMap::new(),
        policy,
        now,
        source_date,
        files: Wanted::Yes,
        limits,
        progress,
    };
    let reports = setup::run(inputs, document).await?;
    outputs.write(&reports, global)
}
