//! What to expect of the registry: which scan type it has, whether this repository is scanned at all, when the image was pushed.
//! All of it may be denied; then nothing is assumed.

use std::time::Duration;

use aws_sdk_ecr::{
    Client,
    types::{self, ImageIdentifier, ImageStatus, ScanFrequency},
};

use crate::{
    findings::{call::Calls, target::Target, wait::SystemClock},
    model::coverage::{Gap, SourceId},
};

/// How long the one call before any wait may take, credentials included.
const FIRST_CALL: Duration = Duration::from_secs(30);

/// The scan type of a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScanType {
    /// ECR's own scanner.
    Basic,
    /// Amazon Inspector.
    Enhanced,
    /// It could not be asked, or has a word that we do not know.
    Unknown,
}

impl ScanType {
    /// The word in reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Enhanced => "enhanced",
            Self::Unknown => "unknown",
        }
    }
}

/// What is known before the first look.
#[derive(Debug)]
pub(super) struct Registry {
    /// Scan type.
    pub(super) scan_type: ScanType,
    /// Whether the registry's rules leave this repository out for good.
    pub(super) never_scans: bool,
    /// Whether the image lies in the archive.
    archived: bool,
    /// Push time, in seconds since 1970.
    pub(super) pushed_at: Option<i64>,
}

impl Registry {
    /// The Gap that explains why nothing will come, when something explains it.
    pub(super) fn gap(&self, source: SourceId) -> Option<Gap> {
        if self.archived {
            let gap = Gap::new(source, "archived", "", "the image is archived, and archived images are not scanned");
            return Some(gap.with_hint("restore the image from the archive"));
        }
        self.never_scans.then(|| {
            Gap::new(source, "not-scanned", "", "the registry's scanning rules leave this repository out (MANUAL)")
                .with_hint("add a scanning rule that covers the repository")
        })
    }
}

/// Asks the registry about itself.
pub(super) async fn fetch(client: &Client, calls: Calls<'_>, target: &Target) -> Registry {
    let (scan_type, image) = futures_util::join!(scan_type(client, calls, target.registry_id.as_deref()), image(client, calls, target));
    // Under basic scanning a MANUAL repository may well have been scanned by hand.
    let left_out = scan_type == ScanType::Enhanced && is_left_out(client, calls, target).await;
    let archived = image.as_ref().and_then(types::ImageDetail::image_status) == Some(&ImageStatus::Archived);
    let pushed_at = image.and_then(|image| image.image_pushed_at().map(|time| time.secs()));
    Registry { scan_type, never_scans: left_out || archived, archived, pushed_at }
}

/// Whether the caller's own registry is known to be set to basic scanning, so that Inspector has nothing to say of it.
pub async fn is_basic(client: &Client, account: &str) -> bool {
    let clock = SystemClock::start();
    scan_type(client, Calls::within(FIRST_CALL, &clock), Some(account)).await == ScanType::Basic
}

async fn scan_type(client: &Client, calls: Calls<'_>, account: Option<&str>) -> ScanType {
    let sent = client.get_registry_scanning_configuration().send();
    let Ok(answer) = calls.run("ecr:GetRegistryScanningConfiguration", sent).await else { return ScanType::Unknown };
    // The call knows the caller's own registry only; another account's may be set up otherwise.
    let own = match (answer.registry_id(), account) {
        (Some(answered), Some(asked)) => answered == asked,
        _ => true,
    };
    match answer.scanning_configuration().and_then(|configuration| configuration.scan_type()) {
        Some(types::ScanType::Basic) if own => ScanType::Basic,
        Some(types::ScanType::Enhanced) if own => ScanType::Enhanced,
        _ => ScanType::Unknown,
    }
}

async fn is_left_out(client: &Client, calls: Calls<'_>, target: &Target) -> bool {
    let sent = client.batch_get_repository_scanning_configuration().repository_names(&target.repository).send();
    let Ok(answer) = calls.run("ecr:BatchGetRepositoryScanningConfiguration", sent).await else { return false };
    let of_this =
        answer.scanning_configurations().iter().find(|configuration| configuration.repository_name() == Some(target.repository.as_str()));
    of_this.and_then(|configuration| configuration.scan_frequency()) == Some(&ScanFrequency::Manual)
}

async fn image(client: &Client, calls: Calls<'_>, target: &Target) -> Option<types::ImageDetail> {
    let id = ImageIdentifier::builder().image_digest(target.digest.to_string()).build();
    let request = client.describe_images().set_registry_id(target.registry_id.clone()).repository_name(&target.repository).image_ids(id);
    let answer = calls.run("ecr:DescribeImages", request.send()).await.ok()?;
    answer.image_details().iter().find(|image| image.image_digest() == Some(target.digest.to_string().as_str())).cloned()
}
