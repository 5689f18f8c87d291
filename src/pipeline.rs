//! The flow of a run, in order; the only file that knows every stage. Inputs that the command line built in, one [`ScanReport`] out.

mod attached;
mod config;
mod contents;
mod document;
mod lines;
mod lint;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{
    future::{BoxFuture, join_all},
    stream::{self, StreamExt as _},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    Error,
    advisory::version,
    dockerfile,
    exit::ExitStatus,
    findings::{FindingSource, image_files, image_rules, merge},
    inventory,
    model::{
        attestation::Verification,
        build_context::BuildContext,
        coverage::{Completeness, Gap, SourceId, SourceState},
        evidence::SourceReport,
        finding::Finding,
        image::{Platform, ResolvedImage},
        lint::{BaseImage, LintSettings},
        location::Location,
        package::Inventory,
        policy::{Exception, Policy, RulePolicy},
        reference::ImageReference,
        report::{DockerfileSummary, PolicySummary, ScanReport},
        rule::RuleMeta,
        shell_script::{ShellRemarks, ShellScript},
    },
    policy::{self, Facts},
    progress::SharedProgress,
    registry::{self, ImageSource},
    verify::Verifier,
};

pub use self::document::{DocumentInput, run_document};
pub use crate::dockerfile::fix::{HOLDS_SECRET, Secrets};

pub use self::lint::{FixedDockerfile, Prepared, asks_registries, fix_dockerfiles, images, run_lint, secret_lines};
pub use crate::{
    dockerfile::{IgnorePatterns, panics_are_answers},
    inventory::FolderCache,
    layers::Limits,
};

use self::{
    config::{judge_config, settle_history},
    contents::{Contents, is_foreign},
    lint::{is_on, settings},
};

/// How many platforms of an image are read at a time.
const PLATFORMS_AT_ONCE: usize = 2;

/// Everything a run needs; built by the command line.
pub struct Inputs {
    /// The command's name, for the report.
    pub command: &'static str,
    /// What this run was asked to look at; required sources outside are no Gap for it.
    pub stages: BTreeSet<SourceId>,
    /// The image, if the command has one.
    pub image: Option<ImageInput>,
    /// The Dockerfiles, read.
    pub dockerfiles: Vec<DockerfileInput>,
    /// Sources of package findings.
    pub sources: Vec<Box<dyn FindingSource>>,
    /// Who looks for signatures, if the policy asks for any.
    pub verifier: Option<Box<dyn Verifier>>,
    /// Signer name to SHA-256 of its key's SubjectPublicKeyInfo.
    pub signer_fingerprints: BTreeMap<String, String>,
    /// The policy.
    pub policy: Policy,
    /// The clock of evaluation.
    pub now: Timestamp,
    /// The time written into reports instead of `now`.
    pub source_date: Option<Timestamp>,
    /// Whether the image's files are judged besides its packages: credentials, permissions, accounts. Credentials are only looked for in files of up
    /// to `limits.scanned_file_bytes`.
    pub files: Wanted,
    /// Limits for hostile input.
    pub limits: Limits,
    /// Who is told what is going on.
    pub progress: SharedProgress,
}

/// An image to read.
pub struct ImageInput {
    /// What the user typed.
    pub reference: ImageReference,
    /// Where it is read from.
    pub source: Arc<dyn ImageSource>,
    /// Which of an index's images are read.
    pub platforms: Platforms,
    /// Whether packages are wanted: `verify` needs none.
    pub inventory: Wanted,
    /// What earlier runs know of layers.
    pub cache: Option<Arc<FolderCache>>,
    /// The image that it is said to be built on.
    pub base: Option<BaseInput>,
}

/// A base image to compare with.
pub enum BaseInput {
    /// The one that the user named.
    Named {
        /// What the user typed.
        reference: ImageReference,
        /// Where it is read from.
        source: Arc<dyn ImageSource>,
    },
    /// The one that the image's own annotations name (`org.opencontainers.image.base.name` and `.digest`), in a registry that this opens.
    Annotated(BaseOpener),
}

/// Opens a registry's image.
pub type BaseOpener = Box<dyn Fn(ImageReference) -> BoxFuture<'static, Result<Arc<dyn ImageSource>, registry::Error>> + Send + Sync>;

/// Which of an index's images are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Platforms {
    /// The host's; a reference to a single image is taken whatever it is for.
    Host(Platform),
    /// The one asked for.
    One(Platform),
    /// Each of them: one report for each.
    All,
}

/// Whether something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// A Dockerfile to judge.
#[derive(Debug, Clone)]
pub struct DockerfileInput {
    /// The path as the user named it.
    pub file: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `--build-arg` values.
    pub build_args: BTreeMap<String, String>,
    /// `--target` stage.
    pub target: Option<String>,
    /// The files beside it; `None` where nobody looked.
    pub context: Option<BuildContext>,
    /// What registries say of images that it builds on, by the reference that the file names after expansion.
    pub bases: BTreeMap<String, BaseImage>,
    /// What ShellCheck says of its [`shell_scripts`]; `None` where nobody asked it.
    pub remarks: Option<ShellRemarks>,
}

/// What the stages found, before the policy judges.
#[derive(Clone, Default)]
struct Facted {
    findings: Vec<Finding>,
    ignores: Vec<Exception>,
    gaps: Vec<Gap>,
    sources: Vec<SourceState>,
    dockerfiles: Vec<DockerfileSummary>,
    /// The user that each Dockerfile ends with.
    users: Vec<Option<String>>,
    /// What is not known of the image's layers.
    of_image: Vec<Gap>,
}

/// What was learned of an image.
struct Looked {
    /// None for a bill of materials.
    image: Option<ResolvedImage>,
    inventory: Option<Inventory>,
    verification: Option<Verification>,
}

/// Runs every stage that the inputs ask for and judges what they found: one report, or one for each platform of the image in the order of its index.
///
/// # Errors
/// When an image cannot be read or is not what its digests promise, or when a stage cannot begin.
pub async fn run(inputs: Inputs) -> Result<Vec<ScanReport>, Error> {
    let mut facts = Facted::default();
    lint::read(&inputs, inputs.dockerfiles.iter(), Vec::new(), &mut facts);
    let Some(input) = &inputs.image else { return Ok(vec![judge(&inputs, facts, None)]) };
    let mut images = resolve(input, &inputs.progress).await?;
    let untraced = lines::trace(&mut images, &inputs).await;
    let contents = Contents::new(&images, input, &inputs);
    let looks = images.into_iter().zip(untraced).enumerate().map(|(at, (image, gaps))| {
        let mut facts = facts.clone();
        facts.of_image = gaps;
        look(at, image, input, &inputs, &contents, facts)
    });
    // All of them are awaited, also after an error: reading ends at once, and no thread may outlive the run.
    let ended: Vec<Option<ScanReport>> = stream::iter(looks).buffered(PLATFORMS_AT_ONCE).collect().await;
    match (contents.into_failure(), ended.into_iter().collect()) {
        (Some(error), _) => Err(error),
        (None, Some(reports)) => Ok(reports),
        // A platform without a report is never passed over.
        (None, None) => Err(Error::Internal("a platform was not judged, and nothing says why".to_owned())),
    }
}

async fn resolve(input: &ImageInput, progress: &SharedProgress) -> Result<Vec<ResolvedImage>, Error> {
    let _task = progress.start("resolve", None);
    let (source, reference) = (input.source.as_ref(), &input.reference);
    Ok(match &input.platforms {
        Platforms::Host(host) => vec![registry::resolve(source, reference, None, host).await?],
        Platforms::One(platform) => vec![registry::resolve(source, reference, Some(platform), platform).await?],
        Platforms::All => registry::resolve_all(source, reference).await?,
    })
}

/// Looks at one image with everything that was asked for, and judges it. None after an error, here or with another image; the contents know it.
async fn look(
    at: usize,
    image: ResolvedImage,
    input: &ImageInput,
    inputs: &Inputs,
    contents: &Contents,
    mut facts: Facted,
) -> Option<ScanReport> {
    if contents.is_given_up() {
        return None;
    }
    let signatures = async {
        let verifier = inputs.verifier.as_ref()?;
        let _task = inputs.progress.start("signatures", None);
        let verified = contents.unless_given_up(verifier.verify(&image)).await?;
        verified.map_err(|error| contents.fail(at, error.into())).ok()
    };
    let packages = async {
        if input.inventory == Wanted::No {
            return None;
        }
        contents.read(at).await.map_err(|error| contents.fail(at, error)).ok()
    };
    let (verification, found) = tokio::join!(signatures, packages);
    let (mut inventory, besides) = found.unzip();
    if let (Some(inventory), Some(verification)) = (&mut inventory, &verification) {
        attached::add(inventory, &image, verification, inputs);
    }
    let reports = match &inventory {
        Some(inventory) => {
            contents.unless_given_up(ask_sources(inputs, &image, inventory, input.source.as_ref())).await.unwrap_or_default()
        }
        None => Vec::new(),
    };
    if contents.is_given_up() {
        return None;
    }
    // What is wrong with a layer is found while packages are looked for, and is the image's gap.
    let (mut of_image, of_inventory): (Vec<Gap>, Vec<Gap>) =
        inventory.iter().flat_map(|found| found.gaps.iter().cloned()).partition(|gap| gap.source == SourceId::Image);
    of_image.append(&mut facts.of_image);
    add_image_state(&mut facts, &image, of_image);
    if inputs.stages.contains(&SourceId::ImageConfig) {
        judge_config(&mut facts, &image, inputs);
    }
    if let Some(besides) = besides.filter(|_| inputs.files == Wanted::Yes) {
        let today = inputs.now.to_zoned(TimeZone::UTC).date();
        let settings = settings(&inputs.policy.rules);
        let found = image_files::judge(&besides, today, &|meta| is_on(meta, &settings), dockerfile::rule);
        facts.findings.extend(found.into_iter().filter(|finding| !is_allowed(finding, &settings.allowed_setuid)));
        settle_history(&mut facts.findings);
    }
    if let Some(found) = &inventory {
        add_state(&mut facts, SourceId::Inventory, &of_inventory, inventory_details(found));
    }
    add_reports(&mut facts, reports, inventory.as_ref());
    if let Some(verified) = &verification {
        let found = BTreeMap::from([
            ("signatures".to_owned(), verified.signatures.len().to_string()),
            ("attestations".to_owned(), verified.attestations.len().to_string()),
        ]);
        add_state(&mut facts, SourceId::Signatures, &verified.gaps, found);
    }
    Some(judge(inputs, facts, Some(Looked { image: Some(image), inventory, verification })))
}

/// Whether the policy lists every file of a finding about setuid files.
fn is_allowed(finding: &Finding, allowed: &BTreeSet<String>) -> bool {
    let is_listed = |location: &Location| matches!(location, Location::Image { path, .. } if allowed.contains(path));
    finding.id == "setuid-file" && !finding.locations.is_empty() && finding.locations.iter().all(is_listed)
}

/// What is said of an inventory beside its packages.
fn inventory_details(inventory: &Inventory) -> BTreeMap<String, String> {
    let mut details = BTreeMap::from([("packages".to_owned(), inventory.packages.len().to_string())]);
    if let Some(day) = inventory.distro.as_ref().and_then(inventory::end_of_life::last_day) {
        details.insert("distro.end-of-life".to_owned(), day.to_owned());
    }
    details
}

/// Adds what the sources said, merged.
fn add_reports(facts: &mut Facted, reports: Vec<(SourceId, SourceReport)>, inventory: Option<&Inventory>) {
    let heard: Vec<SourceReport> = reports.iter().map(|(_, report)| report.clone()).collect();
    facts.findings.extend(merge::merge(&heard, inventory, &version::compare));
    for (asked, report) in reports {
        if asked == SourceId::Ecr && report.state.source != SourceId::Ecr {
            // ECR answers with basic or with Inspector's findings; a policy that requires `ecr` means that ECR was heard, in either.
            let details = BTreeMap::from([("answered-as".to_owned(), report.state.source.name().to_owned())]);
            facts.sources.push(SourceState { source: SourceId::Ecr, asked: false, completeness: report.state.completeness, details });
        }
        facts.sources.push(report.state);
        facts.gaps.extend(report.gaps);
    }
}

/// The policy's verdict on everything that was found.
fn judge(inputs: &Inputs, mut facts: Facted, looked: Option<Looked>) -> ScanReport {
    facts.gaps.sort();
    facts.gaps.dedup();
    facts.sources.sort_by_key(|state| state.source);
    let (image, inventory, verification) =
        looked.map_or((None, None, None), |looked| (looked.image, looked.inventory, looked.verification));
    let verdict = policy::evaluate(
        &inputs.policy,
        Facts {
            image: image.as_ref(),
            findings: facts.findings,
            inline_ignores: &facts.ignores,
            sources: &facts.sources,
            gaps: facts.gaps,
            verification: verification.as_ref(),
            signer_fingerprints: &inputs.signer_fingerprints,
            stages: &inputs.stages,
        },
        inputs.now,
    );
    let exit_code = ExitStatus::of(verdict.outcome, inputs.policy.mode).code();
    ScanReport {
        command: inputs.command,
        tool_version: env!("CARGO_PKG_VERSION"),
        evaluated_at: inputs.source_date.unwrap_or(inputs.now),
        source_date: inputs.source_date,
        policy: PolicySummary {
            name: inputs.policy.name.clone(),
            digest: inputs.policy.digest.clone(),
            files: inputs.policy.files.clone(),
            mode: inputs.policy.mode,
        },
        image,
        dockerfiles: facts.dockerfiles,
        fixes: Vec::new(),
        inventory,
        verification,
        sources: facts.sources,
        verdict,
        exit_code,
    }
}

/// Whether a rule wants to look into the file of a build's folder that is called like this.
#[must_use]
pub fn looks_inside(path: &str) -> bool {
    dockerfile::looks_inside(path)
}

/// Every rule of Dockerfiles and images, sorted by id, for `explain`.
#[must_use]
pub fn rules() -> Vec<&'static RuleMeta> {
    let mut rules = dockerfile::rules();
    rules.extend(image_rules::RULES);
    rules.sort_by_key(|meta| meta.id);
    rules
}

/// The rule that an id or a peer's id names.
#[must_use]
pub fn rule(id: &str) -> Option<&'static RuleMeta> {
    dockerfile::rule(id).or_else(|| image_rules::rule(id))
}

/// The settings of a policy that wants ShellCheck to judge; `None` when it does not.
#[must_use]
pub fn shellcheck_settings(policy: &RulePolicy) -> Option<LintSettings> {
    Some(settings(policy)).filter(|settings| settings.on.contains("shellcheck"))
}

/// The shell code of a Dockerfile that ShellCheck may judge.
#[must_use]
pub fn shell_scripts(input: &DockerfileInput, settings: &LintSettings) -> Vec<ShellScript> {
    dockerfile::shell_scripts(&dockerfile::LintInput {
        settings,
        build_args: &input.build_args,
        ..dockerfile::LintInput::new(&input.file, &input.bytes)
    })
}

/// Notes how far a stage of our own got, and its gaps.
fn add_state(facts: &mut Facted, source: SourceId, gaps: &[Gap], details: BTreeMap<String, String>) {
    let completeness = if gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
    facts.gaps.extend_from_slice(gaps);
    facts.sources.push(SourceState { source, completeness, asked: true, details });
}

fn add_image_state(facts: &mut Facted, image: &ResolvedImage, mut gaps: Vec<Gap>) {
    let foreign = image.layers.iter().filter(|layer| is_foreign(&layer.descriptor)).map(|layer| {
        Gap::new(
            SourceId::Image,
            "foreign-layer",
            layer.descriptor.digest.to_string(),
            "the layer is said to be elsewhere and is never fetched from there",
        )
        .with_hint("push the image with its foreign layers included")
    });
    gaps.extend(foreign);
    let bytes: u64 = image.layers.iter().map(|layer| layer.descriptor.size).sum();
    let details = BTreeMap::from([("layers".to_owned(), image.layers.len().to_string()), ("bytes".to_owned(), bytes.to_string())]);
    add_state(facts, SourceId::Image, &gaps, details);
}

/// Asks every source at once. One that cannot be asked becomes a Gap: it was wanted, and nobody heard it.
async fn ask_sources(
    inputs: &Inputs,
    image: &ResolvedImage,
    inventory: &Inventory,
    place: &dyn ImageSource,
) -> Vec<(SourceId, SourceReport)> {
    join_all(inputs.sources.iter().map(|source| async {
        let unheard = |gap: Gap| SourceReport {
            state: SourceState { source: source.id(), completeness: Completeness::Incomplete, asked: true, details: BTreeMap::new() },
            observations: Vec::new(),
            gaps: vec![gap],
        };
        if is_about_digests(source.id()) && !place.knows_manifest_digest() {
            let reason = "the image was read from a daemon or an archive that does not know its manifest's digest in the registry";
            let gap = Gap::new(source.id(), "unknown-digest", image.reference.to_string(), reason);
            return (source.id(), unheard(gap.with_hint("name the image in its registry, by digest")));
        }
        let _task = inputs.progress.start(source.id().name(), None);
        let report = source
            .fetch(image, inventory)
            .await
            .unwrap_or_else(|error| unheard(Gap::new(source.id(), "error", String::new(), error.to_string())));
        (source.id(), report)
    }))
    .await
}

/// Whether a source knows images by the digest of their manifest in a registry.
const fn is_about_digests(source: SourceId) -> bool {
    matches!(source, SourceId::Ecr | SourceId::EcrBasic | SourceId::Inspector)
}
