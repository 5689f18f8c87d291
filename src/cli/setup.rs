//! From options to the pipeline's plug-ins: image source, finding sources, verifier.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::PathBuf,
    sync::Arc,
};

use jiff::Timestamp;

use super::{
    Failure,
    db::{
        supply::{self, Supply, pinned},
        trust::{Names, Trust, Unsigned, named_signers},
        vouch::{Demand, Evidence},
    },
    options::{AdvisoryOptions, AwsOptions, AwsService, BaseOptions, ImageOptions, default_database},
};
use crate::{
    advisory::{self, Database},
    aws,
    findings::{
        FindingSource,
        ecr::{Ecr, is_basic},
        inspector::Inspector,
        offline::Offline,
        supplied::{Supplied, Traced},
        target::SourceOptions,
    },
    model::{
        coverage::{Gap, SourceId},
        policy::{Policy, Signer},
        reference::ImageReference,
        report::ScanReport,
    },
    pipeline::{self, BaseInput, DocumentInput, ImageInput, Inputs, Wanted},
    progress::SharedProgress,
    registry,
    verify::{self, Sigstore, TrustedKey},
};

/// Opens the image that the options name.
pub(super) async fn image(
    options: &ImageOptions,
    aws: aws::Settings,
    inventory: Wanted,
    progress: SharedProgress,
) -> Result<ImageInput, Failure> {
    let reference = options.reference()?;
    let platforms = options.platforms()?;
    let source = registry::open(&reference, &options.registry.build(aws)?, progress).await?;
    Ok(ImageInput { reference, source, platforms, inventory, cache: None, base: None })
}

/// Opens the base image that the options name; the registry options are the image's.
pub(super) async fn base(
    options: &BaseOptions,
    image: &ImageOptions,
    aws: aws::Settings,
    progress: SharedProgress,
) -> Result<Option<BaseInput>, Failure> {
    if options.is_annotated() {
        let access = image.registry.build(aws)?;
        return Ok(Some(BaseInput::Annotated(Box::new(move |reference| {
            let (access, progress) = (access.clone(), progress.clone());
            Box::pin(async move { registry::open(&reference, &access, progress).await })
        }))));
    }
    let Some(reference) = options.reference()? else { return Ok(None) };
    if matches!(reference, ImageReference::StandardInput { .. }) {
        return Err(Failure::new("the base image cannot be read from standard input").hint("name a file or a reference"));
    }
    let source = registry::open(&reference, &image.registry.build(aws)?, progress).await?;
    Ok(Some(BaseInput::Named { reference, source }))
}

/// Most bytes of a bill of materials.
const DOCUMENT_BYTES: u64 = 256 << 20;

/// Reads the bill of materials that stands in the place of an image, if the options name one.
pub(super) fn document(options: &ImageOptions) -> Result<Option<DocumentInput>, Failure> {
    let ImageReference::Sbom { path } = options.reference()? else { return Ok(None) };
    if options.platform.is_some() {
        return Err(Failure::new("--platform chooses an image of an index, and a bill of materials is of one image")
            .hint("leave --platform out, or name the image"));
    }
    let failed = |error: std::io::Error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "sbom:FILE reads a CycloneDX or SPDX document; `plimsoll inventory IMAGE --output cyclonedx-json=FILE` writes one"
            }
            _ => "sbom:FILE reads a CycloneDX or SPDX document",
        };
        Failure::new(format!("cannot read bill of materials `{}`: {error}", path.display())).hint(hint)
    };
    let mut bytes = Vec::new();
    std::fs::File::open(&path).map_err(failed)?.take(DOCUMENT_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > DOCUMENT_BYTES {
        return Err(Failure::new(format!("bill of materials `{}` exceeds the limit of {DOCUMENT_BYTES} bytes", path.display())));
    }
    Ok(Some(DocumentInput { name: format!("sbom:{}", path.display()), bytes }))
}

/// The sources that a run asks, and what keeps their data alive.
pub(super) struct Sources {
    /// In the order of asking.
    pub(super) list: Vec<Box<dyn FindingSource>>,
    /// A database compiled for this run; its folder is removed when this is dropped.
    _temporary: Option<tempfile::TempDir>,
}

/// Builds the offline source and the AWS sources that the options and the reference ask for.
pub(super) async fn sources(
    advisories: &AdvisoryOptions,
    aws: &AwsOptions,
    image: &ImageOptions,
    policy: &Policy,
    trusted_root: Option<&PathBuf>,
    progress: SharedProgress,
) -> Result<Sources, Failure> {
    let mut list: Vec<Box<dyn FindingSource>> = Vec::new();
    let mut temporary = None;
    let places = advisories.places();
    if !places.is_empty() {
        let trust = trust(advisories, policy, trusted_root)?;
        trust.check().map_err(|failure| {
            failure.hint("name the publisher's key with --db-signed-by FILE (or PLIMSOLL_DB_SIGNED_BY), or a signer of the policy")
        })?;
        let supply = Supply {
            references: supply::references(&places).and_then(supply::refuse_absent_files)?,
            registry: image.registry.build(aws::Settings::default())?,
            trust,
            pinned: pinned(advisories.db_digest.as_ref())?,
            folder: super::db::folder(advisories.db.clone())?,
            now: now(),
            progress: progress.clone(),
        };
        list.push(Box::new(Supplied::new(Box::new(supply))));
    } else if !advisories.no_offline {
        let trust = trust(advisories, policy, trusted_root)?;
        let is_signature_demanded = trust.is_named() && trust.unsigned() == Unsigned::Refused;
        let pinned = pinned(advisories.db_digest.as_ref())?;
        match database_folder(advisories)? {
            (Some(_), Some(_)) if is_signature_demanded => {
                return Err(Failure::new("nobody signs a database that --advisories compiles, and --db-signed-by names who must")
                    .hint("leave one of them out (PLIMSOLL_DB_SIGNED_BY counts as well), or add --allow-unsigned-db"));
            }
            (Some(folder), None) if is_signature_demanded || pinned.is_some() => {
                let nobody = Trust::new(BTreeMap::new(), None, Names::default(), Unsigned::Allowed)?;
                let trust = if is_signature_demanded { &trust } else { &nobody };
                let evidence = Evidence { trust, folder: &folder, now: now(), progress: &progress };
                let (database, origins) = Demand { evidence, pinned: pinned.as_ref() }.open().await?;
                list.push(Box::new(Traced::with_origins(Offline::new(database), origins)));
            }
            (Some(folder), compiled) => {
                let mut offline = Offline::new(Database::open(&folder)?);
                if let Some((folder, gaps)) = compiled {
                    temporary = Some(folder);
                    offline = offline.with_build_gaps(gaps);
                }
                list.push(Box::new(Traced::new(offline, folder)));
            }
            // Nobody named a database and there is none: the gate goes on, and the source says that it knows nothing.
            (None, _) => list.push(Box::new(Offline::missing())),
        }
    }
    list.extend(aws_sources(aws, image, progress).await?);
    Ok(Sources { list, _temporary: temporary })
}

/// Who must have signed the database. The policy's signers, trusted root and names of copies are those of the database as well.
fn trust(options: &AdvisoryOptions, policy: &Policy, trusted_root: Option<&PathBuf>) -> Result<Trust, Failure> {
    let unsigned = if options.allow_unsigned_db { Unsigned::Allowed } else { Unsigned::Refused };
    let root = trusted_root.cloned().or_else(|| policy.trust_root.as_ref().map(PathBuf::from));
    let names = Names { signed_as: options.db_signed_as.clone(), references: policy.references.clone() };
    Trust::new(named_signers(&options.db_signed_by, Some(policy))?, root, names, unsigned)
}

/// A database compiled for this run: its folder, and what could not be read.
type Compiled = (tempfile::TempDir, Vec<Gap>);

/// Which folder holds the database: the one named, one compiled now, or the default one where it exists.
fn database_folder(options: &AdvisoryOptions) -> Result<(Option<PathBuf>, Option<Compiled>), Failure> {
    if let Some(dumps) = &options.advisories {
        let folder = tempfile::tempdir().map_err(|error| Failure::new(format!("cannot make a temporary folder: {error}")))?;
        let summary = advisory::build(dumps, folder.path(), now())?;
        return Ok((Some(folder.path().to_path_buf()), Some((folder, summary.gaps))));
    }
    if let Some(folder) = &options.db {
        return Ok((Some(folder.clone()), None));
    }
    let named = std::env::var_os("PLIMSOLL_DB").is_some_and(|folder| !folder.is_empty());
    Ok((default_database().filter(|folder| named || folder.is_dir()), None))
}

async fn aws_sources(options: &AwsOptions, image: &ImageOptions, progress: SharedProgress) -> Result<Vec<Box<dyn FindingSource>>, Failure> {
    let reference = image.reference()?;
    let ecr = reference.registry().and_then(|registry| registry.ecr());
    let mut services: BTreeSet<AwsService> = match (options.services.as_slice(), &ecr) {
        _ if options.no_aws => BTreeSet::new(),
        ([], None) => BTreeSet::new(),
        ([], Some(_)) => BTreeSet::from([AwsService::Ecr, AwsService::Inspector]),
        (asked, _) => asked.iter().copied().collect(),
    };
    if services.is_empty() {
        return Ok(Vec::new());
    }
    let missing = |what: &str, option: &str| {
        Failure::new(format!("--aws needs {what}, and `{}` is no Amazon ECR reference", image.image)).hint(format!("add {option}"))
    };
    let account = options
        .account
        .clone()
        .or_else(|| ecr.as_ref().map(|ecr| ecr.account.clone()))
        .ok_or_else(|| missing("the registry's account", "--aws-account ID"))?;
    // The host name wins over AWS_REGION: an image is where its reference says.
    let region = ecr
        .as_ref()
        .map(|ecr| ecr.region.clone())
        .or_else(|| options.region.clone())
        .ok_or_else(|| missing("a region", "--aws-region REGION"))?;
    let repository = options
        .repository
        .clone()
        .or_else(|| reference.registry().map(|registry| registry.repository.clone()))
        .ok_or_else(|| missing("the repository's name", "--aws-repository NAME"))?;
    let config = aws::config(&options.settings(), &region).await;
    let target = SourceOptions {
        wait: options.waits(),
        registry_id: Some(account.clone()),
        repository: Some(repository),
        progress,
        ..SourceOptions::default()
    };
    let inspector = aws::inspector(&config);
    // Inspector was not asked for by name, only found fitting; a registry under basic scanning is none of its business, and waiting for it is vain.
    if options.services.is_empty() && is_basic(&aws::ecr(&config), &account).await {
        services.remove(&AwsService::Inspector);
    }
    Ok(services
        .into_iter()
        .map(|service| -> Box<dyn FindingSource> {
            match service {
                AwsService::Ecr => Box::new(Ecr::new(aws::ecr(&config), target.clone()).with_coverage(inspector.clone())),
                AwsService::Inspector => Box::new(Inspector::new(inspector.clone(), target.clone())),
            }
        })
        .collect())
}

/// A verifier, if one is needed, and the fingerprint of each signer's key by the signer's name.
pub(super) type VerifierAndKeys = (Option<Box<dyn verify::Verifier>>, BTreeMap<String, String>);

/// The verifier, when the policy asks for signatures of this image; and each key signer's fingerprint.
pub(super) fn verifier(policy: &Policy, image: Option<&ImageInput>, trusted_root: Option<&PathBuf>) -> Result<VerifierAndKeys, Failure> {
    // A bill of materials has no signatures of an image, and the policy says what that means.
    let Some(image) = image else { return Ok((None, BTreeMap::new())) };
    let required = policy.evidence.require.iter().any(|any| any.contains(&SourceId::Signatures));
    if policy.signatures.is_empty() && !required {
        return Ok((None, BTreeMap::new()));
    }
    let mut fingerprints = BTreeMap::new();
    let mut keys = Vec::new();
    for (name, signer) in &policy.signers {
        if let Signer::Key { pem, .. } = signer {
            let key = TrustedKey::parse(name, pem)?;
            fingerprints.insert(name.clone(), key.fingerprint().to_owned());
            keys.push(key);
        }
    }
    let named = trusted_root.cloned().or_else(|| policy.trust_root.as_ref().map(PathBuf::from));
    let trust = verify::Trust { keys, trusted_root: Some(read_trusted_root(named)?) };
    let verifier = Sigstore::new(Arc::clone(&image.source), trust, policy.references.clone(), verify::Limits::default());
    Ok((Some(Box::new(verifier)), fingerprints))
}

/// The trusted root that was named; `public-good` and no name at all mean the one of the public Sigstore instance, compiled in.
fn read_trusted_root(named: Option<PathBuf>) -> Result<Vec<u8>, Failure> {
    let Some(file) = named.filter(|name| name.as_os_str() != "public-good") else { return Ok(verify::public_good_root().to_vec()) };
    if file.as_os_str() == "github" {
        return Err(Failure::new("the trusted root `github` is not part of this version").hint("name a trusted_root.json file"));
    }
    std::fs::read(&file).map_err(|error| {
        Failure::new(format!("cannot read trusted root `{}`: {error}", file.display()))
            .hint("`trust.root` and --trusted-root name a trusted_root.json file")
    })
}

/// Runs the stages on the image of the inputs, or on the bill of materials in its place.
pub(super) async fn run(inputs: Inputs, document: Option<DocumentInput>) -> Result<Vec<ScanReport>, Failure> {
    Ok(match document {
        Some(document) => vec![pipeline::run_document(&inputs, &document)?],
        None => pipeline::run(inputs).await?,
    })
}

/// The clock of evaluation.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
