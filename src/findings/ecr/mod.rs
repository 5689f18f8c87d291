//! Amazon ECR's scan findings of one digest: DescribeImageScanFindings, basic or enhanced by the shape of the answer, never by its status
//! (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html>).

mod answer;
mod registry;

pub use registry::is_basic;

use aws_sdk_ecr::Client;
use aws_sdk_inspector2::Client as InspectorClient;
use futures_util::future::BoxFuture;

use crate::{
    findings::{
        Error, FindingSource,
        call::Calls,
        coverage,
        ecr::{
            answer::{Answer, Shape, Verdict},
            registry::{Registry, ScanType},
        },
        listing::report,
        target::{SourceOptions, Target},
        wait::{LATER, Look, Readiness, Watched, settle},
    },
    model::{
        coverage::{Gap, SourceId},
        evidence::SourceReport,
        image::ResolvedImage,
        package::Inventory,
    },
};

/// Scan findings of Amazon ECR.
pub struct Ecr {
    client: Client,
    inspector: Option<InspectorClient>,
    options: SourceOptions,
}

impl Ecr {
    /// A source that asks with `client`. Without [`Ecr::with_coverage`] nothing confirms enhanced findings, so these stay incomplete.
    #[must_use]
    pub const fn new(client: Client, options: SourceOptions) -> Self {
        Self { client, inspector: None, options }
    }

    /// The same source, which asks Inspector whether an enhanced scan is done.
    #[must_use]
    pub fn with_coverage(mut self, inspector: InspectorClient) -> Self {
        self.inspector = Some(inspector);
        self
    }

    async fn answer(&self, image: &ResolvedImage) -> Result<SourceReport, Error> {
        let region = self.client.config().region().map(ToString::to_string);
        let target = Target::of(image, &self.options, region.as_deref(), SourceId::Ecr)?;
        let task = self.options.progress.start("ecr", None);
        let calls = Calls::within(self.options.wait.deadline, &*self.options.clock);
        let registry = registry::fetch(&self.client, calls, &target).await;
        let mut wait = self.options.wait;
        if registry.never_scans {
            // Nothing will come that is not there already.
            wait.deadline = std::time::Duration::ZERO;
        }
        let mut watch = Watch {
            client: &self.client,
            calls,
            inspector: self.inspector.as_ref(),
            target: &target,
            registry: &registry,
            shape: Shape::Unknown,
            status: None,
        };
        let settled = settle(&mut watch, &*self.options.clock, &wait, &*task, SourceId::Ecr).await;
        let source = match (watch.shape, registry.scan_type) {
            (Shape::Basic { empty: false }, _) | (Shape::Basic { .. }, ScanType::Basic) => SourceId::EcrBasic,
            (Shape::Enhanced, _) => SourceId::Inspector,
            (Shape::Basic { .. } | Shape::Unknown, _) => SourceId::Ecr,
        };
        let facts = [
            ("view", "ecr".to_owned()),
            ("registry_scan_type", registry.scan_type.name().to_owned()),
            ("scan_status", watch.status.unwrap_or_else(|| "none".to_owned())),
        ];
        let mut report = report(source, &target, settled, facts);
        let late =
            report.gaps.iter().any(|gap| matches!(gap.kind, "incomplete" | "pending" | "not-scanned" | "not-found" | "unknown-status"));
        if let Some(gap) = registry.gap(source).filter(|_| late) {
            report.gaps = vec![gap];
        }
        Ok(report)
    }
}

impl FindingSource for Ecr {
    fn id(&self) -> SourceId {
        SourceId::Ecr
    }

    fn fetch<'a>(&'a self, image: &'a ResolvedImage, _inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(self.answer(image))
    }
}

struct Watch<'a> {
    client: &'a Client,
    calls: Calls<'a>,
    inspector: Option<&'a InspectorClient>,
    target: &'a Target,
    registry: &'a Registry,
    shape: Shape,
    status: Option<String>,
}

impl Watched for Watch<'_> {
    fn look(&mut self) -> BoxFuture<'_, Look> {
        Box::pin(async {
            let (answer, verdict) = answer::fetch(self.client, self.calls, self.target).await;
            if answer.shape != Shape::Unknown {
                self.shape = answer.shape;
            }
            if answer.status.is_some() {
                self.status.clone_from(&answer.status);
            }
            let readiness = match verdict {
                Verdict::Final(readiness) => readiness,
                Verdict::Listed => self.listed(&answer).await,
            };
            Look { listing: Some(answer.listing), readiness }
        })
    }
}

impl Watch<'_> {
    /// What a whole list is worth that ECR calls done: the type of the registry and the shape of the answer say who must confirm it.
    async fn listed(&self, answer: &Answer) -> Readiness {
        let not_an_answer = || {
            let text = "the answer holds no list of findings of the registry's scan type";
            Readiness::Wait(Gap::new(SourceId::Ecr, "incomplete", "", text).with_hint(LATER))
        };
        match (self.registry.scan_type, answer.shape) {
            (_, Shape::Unknown) | (ScanType::Enhanced, Shape::Basic { empty: true }) => not_an_answer(),
            (ScanType::Basic, Shape::Basic { .. }) => Readiness::Ready,
            (ScanType::Unknown, Shape::Basic { empty: false }) => Readiness::ReadyIfStable { but: None },
            (ScanType::Unknown, Shape::Basic { empty: true })
            | (ScanType::Enhanced, Shape::Basic { empty: false })
            | (_, Shape::Enhanced) => self.confirmed(answer).await,
        }
    }

    async fn confirmed(&self, answer: &Answer) -> Readiness {
        let pushed_at = self.registry.pushed_at.max(answer.listing.pushed_at);
        match self.inspector {
            Some(client) => {
                let covered = coverage::fetch(client, self.calls, self.target, pushed_at, SourceId::Ecr).await;
                let readiness = covered.readiness(SourceId::Ecr, answer.listing.rows);
                match (readiness, answer.shape) {
                    // An empty list of a registry that may well have basic scanning: Inspector then knows nothing about the image, and never will.
                    (Readiness::Wait(gap), Shape::Basic { empty: true }) if gap.kind == "not-scanned" => {
                        let text = format!("an empty list of findings could not be confirmed: {}", gap.reason);
                        let hint =
                            "allow ecr:GetRegistryScanningConfiguration: on a registry with basic scanning an empty list is an answer";
                        Readiness::Wait(Gap::new(SourceId::Ecr, "incomplete", "", text).with_hint(hint))
                    }
                    (readiness, _) => readiness,
                }
            }
            None => {
                let gap = Gap::new(SourceId::Ecr, "incomplete", "", "nobody could confirm that the enhanced scan is done")
                    .with_hint("allow inspector2:ListCoverage, or for a registry with basic scanning ecr:GetRegistryScanningConfiguration");
                Readiness::ReadyIfStable { but: Some(gap) }
            }
        }
    }
}
