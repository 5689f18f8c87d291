//! `plimsoll inventory`: an image's packages, as a table or an SBOM.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, IsTerminal as _},
    path::PathBuf,
};

use clap::Args;

use super::{
    Failure, Global,
    cache::CacheOptions,
    gate::BuildOptions,
    limits::LimitOptions,
    options::{BaseOptions, ImageOptions, source_date},
    output::OutputOptions,
    setup,
};
use crate::{
    aws,
    exit::ExitStatus,
    model::{coverage::SourceId, policy::Worth},
    pipeline::{ImageInput, Inputs, Wanted},
    policy,
};

/// Arguments of `inventory`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll inventory alpine:3.20 --output text --output cyclonedx-json=sbom.cdx.json --output spdx-json=sbom.spdx.json\n  plimsoll inventory app:1.4 --dockerfile Dockerfile --base debian:12@sha256:... --output json=app.json\n\nExit code 3 means that something in the image could not be read; the SBOM says so too (`compositions`).\nFormats: text (a table; default on a terminal), cyclonedx-json (CycloneDX 1.6; default elsewhere; also `cyclonedx`), cyclonedx-json-1.5, cyclonedx-xml, cyclonedx-xml-1.5, spdx-json (SPDX 2.3; also `spdx`), json (`plimsoll/report/1`)"
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
    // People get a table, programs a bill of materials.
    let default = if io::stdout().is_terminal() { "text" } else { "cyclonedx" };
    let outputs = args.output.check(default)?;
    outputs.check_platforms(&args.image.platforms()?)?;
    let limits = args.limits.build()?;
    let mut policy = policy::load::load(&["builtin:baseline".to_owned()])?;
    // A list of packages of an old distribution is as good as any.
    policy.end_of_life_distro = Worth::Warn;
    args.build.refuse_judging()?;
    let dockerfiles = args.build.read(args.dockerfile.as_slice())?;
    let now = setup::now();
    let source_date = source_date()?;
    let progress = global.progress();
    let cache = args.cache.open(now)?;
    let document = setup::document(&args.image)?;
    let mut image = None;
    if document.is_none() {
        let opened = setup::image(&args.image, aws::Settings::default(), Wanted::Yes, progress.clone()).await?;
        let base = setup::base(&args.base, &args.image, aws::Settings::default(), progress.clone()).await?;
        image = Some(ImageInput { cache, base, ..opened });
    } else {
        args.base.refuse()?;
        if args.dockerfile.is_some() {
            return Err(Failure::new("--dockerfile tells where layers come from, and a bill of materials has none")
                .hint("leave --dockerfile out, or name the image"));
        }
    }
    let inputs = Inputs {
        command: "inventory",
        stages: BTreeSet::from([SourceId::Image, SourceId::Inventory]),
        image,
        dockerfiles,
        sources: Vec::new(),
        verifier: None,
        signer_fingerprints: BTreeMap::new(),
        policy,
        now,
        source_date,
        files: Wanted::No,
        limits,
        progress,
    };
    let reports = setup::run(inputs, document).await?;
    outputs.write(&reports, global)
}
