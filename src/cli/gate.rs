//! `plimsoll gate`: every stage, one verdict.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    Failure, Global, build_context,
    cache::CacheOptions,
    hadolint,
    limits::LimitOptions,
    options::{AdvisoryOptions, AwsOptions, BaseOptions, ImageOptions, PolicyOptions, source_date},
    output::OutputOptions,
    policy::check_rules,
    setup, shellcheck,
};
use crate::{
    exit::ExitStatus,
    model::{coverage::SourceId, policy::Policy},
    pipeline::{DockerfileInput, ImageInput, Inputs, Wanted},
    policy::{self, hadolint::ForeignUse, load::Signatures},
};

/// Arguments of `gate`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll gate oci:./build --dockerfile Dockerfile\n  plimsoll gate 111122223333.dkr.ecr.eu-central-1.amazonaws.com/team/app:1.4 --dockerfile Dockerfile \\\n      --policy plimsoll.yaml --output text --output sarif=plimsoll.sarif\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github, cyclonedx-json, cyclonedx-json-1.5, cyclonedx-xml, cyclonedx-xml-1.5, spdx-json"
)]
pub(super) struct GateArgs {
    #[command(flatten)]
    image: ImageOptions,
    #[command(flatten)]
    base: BaseOptions,
    /// Dockerfile to judge with the image (repeatable).
    #[arg(long, short = 'f', value_name = "FILE")]
    dockerfile: Vec<PathBuf>,
    #[command(flatten)]
    build: BuildOptions,
    #[command(flatten)]
    policy: PolicyOptions,
    /// Trusted root for keyless signatures (trusted_root.json); wins over the policy's `trust.root`.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
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

/// The most that is read of a Dockerfile on standard input.
pub(super) const INPUT_BYTES: usize = 16 << 20;

/// How the Dockerfile was built.
#[derive(Debug, Clone, Args)]
pub(super) struct BuildOptions {
    /// Build argument the image was built with (repeatable).
    #[arg(long = "build-arg", value_name = "NAME=VALUE")]
    build_arg: Vec<String>,
    /// Target stage the image was built from. Default: the last one.
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// Folder that the image is built from: rules then see which files COPY takes, and what .dockerignore keeps behind.
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Configuration of hadolint to obey beside the policy. Default, where there is neither --policy nor plimsoll.yaml: .hadolint.yaml or
    /// .hadolint.yml in this folder, or where else hadolint looks, and the variables HADOLINT_*. In `gate` it silences no security rule.
    #[arg(long, value_name = "FILE")]
    hadolint_config: Option<PathBuf>,
    /// Read no configuration of hadolint.
    #[arg(long, conflicts_with = "hadolint_config")]
    no_hadolint_config: bool,
}

impl BuildOptions {
    /// Loads the policy, with the configuration of hadolint where it counts.
    pub(super) fn policy(&self, options: &PolicyOptions, used_by: ForeignUse) -> Result<Policy, Failure> {
        let signatures = if used_by == ForeignUse::Lint { Signatures::NotAsked } else { Signatures::Judged };
        let mut policy = policy::load::load_for(&options.references(), signatures)?;
        check_rules(&policy)?;
        if !self.no_hadolint_config && (self.hadolint_config.is_some() || !options.is_own()) {
            hadolint::add(&mut policy, self.hadolint_config.as_deref(), used_by)?;
        }
        Ok(policy)
    }

    /// Refuses what only judging needs.
    pub(super) fn refuse_judging(&self) -> Result<(), Failure> {
        let given = [
            ("--context", self.context.is_some()),
            ("--hadolint-config", self.hadolint_config.is_some()),
            ("--no-hadolint-config", self.no_hadolint_config),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) => Err(Failure::new(format!("{option} is for judging a Dockerfile, and this command judges none"))
                .hint("leave it out, or run `plimsoll lint` or `plimsoll gate`")),
            None => Ok(()),
        }
    }

    /// Reads the Dockerfiles, `-` from standard input, and joins them with these options; a file that is named twice is read once.
    pub(super) fn read(&self, files: &[PathBuf]) -> Result<Vec<DockerfileInput>, Failure> {
        let given =
            [("--target", self.target.is_some()), ("--build-arg", !self.build_arg.is_empty()), ("--context", self.context.is_some())];
        if let Some((option, _)) = given.iter().find(|(_, is_given)| *is_given && files.is_empty()) {
            return Err(Failure::new(format!("{option} says how a Dockerfile was built, and none is given"))
                .hint("name the Dockerfile that the image is built from: --dockerfile FILE"));
        }
        let mut seen = BTreeSet::new();
        // A file that is not there has no other name, and says so when it is read.
        let mut is_new = |file: &&PathBuf| seen.insert(std::fs::canonicalize(file).unwrap_or_else(|_| (*file).clone()));
        files.iter().filter(&mut is_new).map(|file| self.read_one(file)).collect()
    }

    fn read_one(&self, file: &Path) -> Result<DockerfileInput, Failure> {
        let from_input = file == Path::new("-");
        let bytes = if from_input { read_standard_input() } else { std::fs::read(file) };
        let bytes = bytes.map_err(|error| {
            Failure::new(format!("cannot read Dockerfile `{}`: {error}", file.display()))
                .hint("give the path of the Dockerfile that the image is built from")
        })?;
        let mut build_args = BTreeMap::new();
        for text in &self.build_arg {
            let (name, value) =
                text.split_once('=').ok_or_else(|| Failure::new(format!("`--build-arg {text}` has no value")).hint("write NAME=VALUE"))?;
            build_args.insert(name.to_owned(), value.to_owned());
        }
        let name = if from_input { "<stdin>".into() } else { file.to_string_lossy() };
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        let beside = (!from_input).then_some(file);
        let context = self.context.as_deref().map(|folder| build_context::read(folder, beside)).transpose()?;
        Ok(DockerfileInput { file: name, bytes, build_args, target: self.target.clone(), context, bases: BTreeMap::new(), remarks: None })
    }
}

fn read_standard_input() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // More than the lint stage reads, so that it is the one to say that the rest was not looked at; and one byte that says that there is more.
    std::io::stdin().lock().take(u64::try_from(INPUT_BYTES).unwrap_or(u64::MAX).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs the gate.
pub(super) async fn run(args: GateArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check("text")?;
    outputs.check_platforms(&args.image.platforms()?)?;
    let limits = args.limits.build_for_files()?;
    let policy = args.build.policy(&args.policy, ForeignUse::Gate)?;
    if args.image.is_standard_input() && args.dockerfile.iter().any(|file| file == Path::new("-")) {
        return Err(Failure::new("image and Dockerfile cannot both come from standard input").hint("give one of them as a file"));
    }
    let mut dockerfiles = args.build.read(&args.dockerfile)?;
    shellcheck::ask(Path::new("shellcheck"), &mut dockerfiles, &policy.rules);
    let now = setup::now();
    let source_date = source_date()?;
    let progress = global.progress();
    let sources = setup::sources(&args.advisories, &args.aws, &args.image, &policy, args.trusted_root.as_ref(), progress.clone()).await?;
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
    let (verifier, signer_fingerprints) = setup::verifier(&policy, image.as_ref(), args.trusted_root.as_ref())?;
    let mut stages = BTreeSet::from([
        SourceId::Image,
        SourceId::ImageConfig,
        SourceId::Inventory,
        SourceId::Offline,
        SourceId::Ecr,
        SourceId::EcrBasic,
        SourceId::Inspector,
        SourceId::InspectorSbom,
        SourceId::Signatures,
    ]);
    if !dockerfiles.is_empty() {
        stages.insert(SourceId::Dockerfile);
    }
    let inputs = Inputs {
        command: "gate",
        stages,
        image,
        dockerfiles,
        sources: sources.list,
        verifier,
        signer_fingerprints,
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
