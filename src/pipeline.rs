//! The flow of a run, in order; the only file that knows every stage. Inputs that the command line built in, one [`ScanReport`] out.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    sync::Arc,
};

use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::{
    Error,
    advisory::version,
    dockerfile::{self, LintInput},
    exit::ExitStatus,
    findings::{FindingSource, image_config, merge},
    inventory,
    layers::{self, LayerCache, LayerInput},
    model::{
        coverage::{Completeness, Gap, SourceId, SourceState},
        evidence::SourceReport,
        finding::Finding,
        image::{Descriptor, Platform, ResolvedImage},
        package::Inventory,
        policy::{Exception, Policy},
        reference::ImageReference,
        report::{DockerfileSummary, PolicySummary, ScanReport},
        rule::RuleMeta,
        severity::Severity,
    },
    policy::{self, Facts},
    progress::{SharedProgress, Task},
    registry::{self, ImageSource},
    verify::Verifier,
};

pub use crate::{inventory::FolderCache, layers::Limits};

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
    /// The time written into reports.
    pub report_time: Timestamp,
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
    /// The platform asked for.
    pub platform: Option<Platform>,
    /// The host's platform, for an index without a platform asked for.
    pub host: Platform,
    /// Whether packages are wanted: `verify` needs none.
    pub inventory: Wanted,
    /// What earlier runs know of layers.
    pub cache: Option<Arc<FolderCache>>,
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
}

/// What the stages found, before the policy judges.
#[derive(Default)]
struct Facted {
    findings: Vec<Finding>,
    ignores: Vec<Exception>,
    gaps: Vec<Gap>,
    sources: Vec<SourceState>,
    dockerfiles: Vec<DockerfileSummary>,
    /// The user that each Dockerfile ends with.
    users: Vec<Option<String>>,
}

/// Runs every stage that the inputs ask for and judges what they found.
///
/// # Errors
/// When the image cannot be read or is not what its digests promise, or when a stage cannot begin.
pub async fn run(inputs: Inputs) -> Result<ScanReport, Error> {
    let mut facts = Facted::default();
    lint(&inputs.dockerfiles, &mut facts);
    let mut image = None;
    let mut packages = None;
    let mut verification = None;
    if let Some(input) = &inputs.image {
        let resolved = {
            let _task = inputs.progress.start("resolve", None);
            registry::resolve(input.source.as_ref(), &input.reference, input.platform.as_ref(), &input.host).await?
        };
        let signatures = async {
            let Some(verifier) = &inputs.verifier else { return Ok(None) };
            let _task = inputs.progress.start("signatures", None);
            verifier.verify(&resolved).await.map(Some).map_err(Error::from)
        };
        let contents = async {
            if input.inventory == Wanted::No {
                return Ok::<_, Error>((None, Vec::new()));
            }
            let inventory = read_packages(&resolved, input, &inputs).await?;
            let reports = ask_sources(&inputs, &resolved, &inventory, input.source.as_ref()).await;
            Ok((Some(inventory), reports))
        };
        let (verified, (inventory, reports)) = tokio::try_join!(signatures, contents)?;
        add_image_state(&mut facts, &resolved);
        if inputs.stages.contains(&SourceId::ImageConfig) {
            judge_config(&mut facts, &resolved);
        }
        if let Some(found) = &inventory {
            let mut details = BTreeMap::from([("packages".to_owned(), found.packages.len().to_string())]);
            if let Some(day) = found.distro.as_ref().and_then(inventory::end_of_life::last_day) {
                details.insert("distro.end-of-life".to_owned(), day.to_owned());
            }
            add_state(&mut facts, SourceId::Inventory, &found.gaps, details);
        }
        let heard: Vec<SourceReport> = reports.iter().map(|(_, report)| report.clone()).collect();
        facts.findings.extend(merge::merge(&heard, inventory.as_ref(), &version::compare));
        for (asked, report) in reports {
            if asked == SourceId::Ecr && report.state.source != SourceId::Ecr {
                // ECR answers with basic or with Inspector's findings; a policy that requires `ecr` means that ECR was heard, in either.
                let details = BTreeMap::from([("answered-as".to_owned(), report.state.source.name().to_owned())]);
                facts.sources.push(SourceState { source: SourceId::Ecr, asked: false, completeness: report.state.completeness, details });
            }
            facts.sources.push(report.state);
            facts.gaps.extend(report.gaps);
        }
        if let Some(verified) = &verified {
            let found = BTreeMap::from([
                ("signatures".to_owned(), verified.signatures.len().to_string()),
                ("attestations".to_owned(), verified.attestations.len().to_string()),
            ]);
            add_state(&mut facts, SourceId::Signatures, &verified.gaps, found);
        }
        image = Some(resolved);
        packages = inventory;
        verification = verified;
    }
    facts.gaps.sort();
    facts.gaps.dedup();
    facts.sources.sort_by_key(|state| state.source);
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
    Ok(ScanReport {
        command: inputs.command,
        tool_version: env!("CARGO_PKG_VERSION"),
        evaluated_at: inputs.report_time,
        policy: PolicySummary {
            name: inputs.policy.name,
            digest: inputs.policy.digest,
            files: inputs.policy.files,
            mode: inputs.policy.mode,
        },
        image,
        dockerfiles: facts.dockerfiles,
        inventory: packages,
        verification,
        sources: facts.sources,
        verdict,
        exit_code,
    })
}

/// Every Dockerfile rule, for `explain`.
#[must_use]
pub fn rules() -> Vec<&'static RuleMeta> {
    dockerfile::rules()
}

/// The Dockerfile rule that an id or a peer's id names.
#[must_use]
pub fn rule(id: &str) -> Option<&'static RuleMeta> {
    dockerfile::rule(id)
}

fn lint(dockerfiles: &[DockerfileInput], facts: &mut Facted) {
    let mut gaps = Vec::new();
    for input in dockerfiles {
        let report = dockerfile::lint(&LintInput {
            file: &input.file,
            bytes: &input.bytes,
            build_args: &input.build_args,
            target: input.target.as_deref(),
        });
        facts.findings.extend(report.findings);
        facts.ignores.extend(report.ignores);
        facts.dockerfiles.push(report.summary);
        facts.users.push(report.user);
        gaps.extend(report.gaps);
    }
    if !dockerfiles.is_empty() {
        let details = BTreeMap::from([("files".to_owned(), dockerfiles.len().to_string())]);
        add_state(facts, SourceId::Dockerfile, &gaps, details);
    }
}

/// Judges the image's configuration where no Dockerfile speaks for it: none was given, or several, or one that is not of this image.
fn judge_config(facts: &mut Facted, image: &ResolvedImage) {
    let mut gaps = Vec::new();
    let mut is_told = false;
    if let ([dockerfile], [user]) = (facts.dockerfiles.as_slice(), facts.users.as_slice()) {
        settle_missing_user(&mut facts.findings, image);
        gaps.extend(user.as_deref().and_then(|user| image_config::differs(image, &dockerfile.file, user)));
        is_told = gaps.is_empty() && facts.findings.iter().any(|finding| image_config::RULES.contains(&finding.id.as_str()));
    }
    if !is_told {
        facts.findings.extend(image_config::judge(image, dockerfile::rule));
    }
    add_state(facts, SourceId::ImageConfig, &gaps, BTreeMap::new());
}

/// A Dockerfile without USER leaves the user to its base image; the built image says who that is, so the doubt ends here.
fn settle_missing_user(findings: &mut Vec<Finding>, image: &ResolvedImage) {
    if image_config::runs_as_root(image) {
        for finding in findings.iter_mut().filter(|finding| finding.id == "missing-user") {
            finding.severity = Severity::High;
            finding.title.push_str(" (the built image runs as root)");
        }
    } else {
        findings.retain(|finding| finding.id != "missing-user");
    }
}

/// Notes how far a stage of our own got, and its gaps.
fn add_state(facts: &mut Facted, source: SourceId, gaps: &[Gap], details: BTreeMap<String, String>) {
    let completeness = if gaps.is_empty() { Completeness::Complete } else { Completeness::Incomplete };
    facts.gaps.extend_from_slice(gaps);
    facts.sources.push(SourceState { source, completeness, asked: true, details });
}

fn add_image_state(facts: &mut Facted, image: &ResolvedImage) {
    let gaps: Vec<Gap> = image
        .layers
        .iter()
        .filter(|layer| is_foreign(&layer.descriptor))
        .map(|layer| {
            Gap::new(
                SourceId::Image,
                "foreign-layer",
                layer.descriptor.digest.to_string(),
                "the layer is said to be elsewhere and is never fetched from there",
            )
            .with_hint("push the image with its foreign layers included")
        })
        .collect();
    let bytes: u64 = image.layers.iter().map(|layer| layer.descriptor.size).sum();
    let details = BTreeMap::from([("layers".to_owned(), image.layers.len().to_string()), ("bytes".to_owned(), bytes.to_string())]);
    add_state(facts, SourceId::Image, &gaps, details);
}

fn is_foreign(descriptor: &Descriptor) -> bool {
    !descriptor.urls.is_empty() || descriptor.media_type.contains("nondistributable") || descriptor.media_type.contains(".foreign.")
}

/// Streams all layers through the unpacker and catalogs what it keeps, on blocking threads.
async fn read_packages(image: &ResolvedImage, input: &ImageInput, inputs: &Inputs) -> Result<Inventory, Error> {
    let wanted: Vec<_> = image.layers.iter().filter(|layer| !is_foreign(&layer.descriptor)).cloned().collect();
    let total = wanted.iter().map(|layer| layer.descriptor.size).sum();
    let task: Arc<dyn Task> = Arc::from(inputs.progress.start("layers", Some(total)));
    let handle = Handle::current();
    let layer_inputs = wanted
        .iter()
        .map(|layer| LayerInput {
            layer: layer.clone(),
            reader: Box::new(LazyBlob {
                source: Arc::clone(&input.source),
                descriptor: layer.descriptor.clone(),
                handle: handle.clone(),
                task: Arc::clone(&task),
                open: None,
            }),
        })
        .collect();
    let limits = inputs.limits.clone();
    // The catalogers count as the walk does: without the layers that are elsewhere.
    let layers = wanted.clone();
    let cache = input.cache.clone();
    tokio::task::spawn_blocking(move || {
        let known = cache.as_deref().map(|cache| -> &dyn LayerCache { cache });
        let view = layers::walk_with(layer_inputs, &inventory::wants, &limits, known)?;
        if let Some(cache) = cache {
            cache.trim();
        }
        Ok(inventory::catalog(&view, &layers))
    })
    .await
    .map_err(|error| Error::Internal(format!("reading layers: {error}")))?
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

/// A blob that is opened when its first byte is asked for, so that a worker holds one connection at a time.
struct LazyBlob {
    source: Arc<dyn ImageSource>,
    descriptor: Descriptor,
    handle: Handle,
    task: Arc<dyn Task>,
    open: Option<Box<dyn Read + Send>>,
}

impl Read for LazyBlob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = match &mut self.open {
            Some(reader) => reader,
            None => {
                let opened = self.handle.block_on(self.source.open_blob(&self.descriptor)).map_err(io::Error::other)?;
                self.open.insert(opened)
            }
        };
        let read = reader.read(buffer)?;
        self.task.advance(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}
