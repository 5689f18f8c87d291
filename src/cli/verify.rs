//! `plimsoll verify`: an image's signatures, judged by a policy or by the signer named on the command line.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use clap::Args;

use super::{
    Failure, Global,
    options::{ImageOptions, PolicyOptions, source_date},
    output::OutputOptions,
    setup, signers,
};
use crate::{
    aws,
    exit::ExitStatus,
    model::{
        coverage::SourceId,
        policy::{Policy, SignatureRequirement},
    },
    pipeline::{self, Inputs, Limits, Wanted},
    policy,
};

/// Arguments of `verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll verify registry.example/app:1.4 --key release.pub\n  plimsoll verify registry.example/app:1.4 --trusted-root trusted_root.json \\\n      --issuer https://token.actions.githubusercontent.com \\\n      --identity https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main\n\nFormats: text, json, sarif, sarif-github, junit, markdown, github"
)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    image: ImageOptions,
    /// Public key that must have signed, PEM (repeatable: any one of them).
    #[arg(long, value_name = "FILE", conflicts_with = "policy")]
    key: Vec<PathBuf>,
    /// OIDC issuer that vouched for the signer; needs --identity or --identity-pattern.
    #[arg(long, value_name = "URL", conflicts_with = "policy")]
    issuer: Option<String>,
    /// The signer's whole identity.
    #[arg(long, value_name = "IDENTITY", requires = "issuer", conflicts_with = "identity_pattern")]
    identity: Option<String>,
    /// Anchored regular expression for the signer's identity, `^...$`.
    #[arg(long, value_name = "REGEX", requires = "issuer")]
    identity_pattern: Option<String>,
    /// Trusted root for keyless signatures (trusted_root.json).
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Annotation that the signature must carry, signed (repeatable).
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "policy")]
    annotation: Vec<String>,
    /// The repository that the signature names, where the image was mirrored from it.
    #[arg(long = "signed-as", value_name = "REPOSITORY")]
    signed_as: Option<String>,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    output: OutputOptions,
}

/// Verifies the image's signatures.
pub(super) async fn run(args: VerifyArgs, global: &Global) -> Result<ExitStatus, Failure> {
    let outputs = args.output.check_reports("text", "verify")?;
    outputs.check_platforms(&args.image.platforms()?)?;
    args.image.refuse_document("verify")?;
    let policy = policy_of(&args)?;
    let now = setup::now();
    let source_date = source_date()?;
    let progress = global.progress();
    let image = setup::image(&args.image, aws::Settings::default(), Wanted::No, progress.clone()).await?;
    let (verifier, signer_fingerprints) = setup::verifier(&policy, Some(&image), args.trusted_root.as_ref())?;
    let reports = pipeline::run(Inputs {
        command: "verify",
        stages: BTreeSet::from([SourceId::Image, SourceId::Signatures]),
        image: Some(image),
        dockerfiles: Vec::new(),
        sources: Vec::new(),
        verifier,
        signer_fingerprints,
        policy,
        now,
        source_date,
        files: Wanted::No,
        limits: Limits::default(),
        progress,
    })
    .await?;
    if reports.iter().any(|report| report.verdict.requirements.is_empty()) {
        return Err(Failure::new(format!("nothing verified: no `signatures` requirement of the policy is about `{}`", args.image.image))
            .hint("look at `images` of the requirements, or give --key or --issuer"));
    }
    outputs.write(&reports, global)
}

/// The policy named, or one requirement made of the options. Without anybody to trust there is nothing to verify.
fn policy_of(args: &VerifyArgs) -> Result<Policy, Failure> {
    let from_options = !args.key.is_empty() || args.issuer.is_some();
    let mut policy = policy::load::load(&if from_options { vec!["builtin:baseline".to_owned()] } else { args.policy.references() })?;
    if let Some(signed) = &args.signed_as {
        let reference = args.image.reference()?;
        let registry = reference.registry().ok_or_else(|| {
            Failure::new(format!("--signed-as is about images of a registry, and `{}` is none", args.image.image))
                .hint("leave it out: signatures beside a layout are judged whatever reference they name")
        })?;
        policy.references.insert(registry.name(), signed.clone());
    }
    if !from_options {
        if !args.annotation.is_empty() {
            return Err(Failure::new("--annotation without --key or --issuer").hint("name the signer whose signature must carry it"));
        }
        if policy.signatures.is_empty() {
            return Err(Failure::new("nobody to trust: no --key, no --issuer, and the policy asks for no signature")
                .hint("give --key FILE, or --issuer URL with --identity, or a --policy with `signatures`"));
        }
        return Ok(policy);
    }
    policy.signers.clear();
    for (index, file) in args.key.iter().enumerate() {
        policy.signers.insert(format!("key-{}", index + 1), signers::of_key("--key", file)?);
    }
    if let Some(issuer) = &args.issuer {
        let signer = signers::of_identity(issuer, args.identity.as_ref(), args.identity_pattern.as_ref())?;
        policy.signers.insert("keyless".to_owned(), signer);
    }
    let mut annotations = BTreeMap::new();
    for text in &args.annotation {
        let (name, value) =
            text.split_once('=').ok_or_else(|| Failure::new(format!("`--annotation {text}` has no value")).hint("write NAME=VALUE"))?;
        annotations.insert(name.to_owned(), value.to_owned());
    }
    policy.signatures = vec![SignatureRequirement {
        id: "signature".to_owned(),
        of: policy.signers.keys().cloned().collect(),
        at_least: 1,
        annotations,
        images: Vec::new(),
    }];
    Ok(policy)
}
