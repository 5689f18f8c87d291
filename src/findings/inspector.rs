//! Amazon Inspector's own list of findings: ListFindings by digest, confirmed by ListCoverage
//! (<https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html>).

use aws_sdk_inspector2::{
    Client,
    error::BuildError,
    types::{FilterCriteria, StringComparison, StringFilter},
};
use futures_util::future::BoxFuture;

use crate::{
    findings::{
        Error, FindingSource,
        call::Calls,
        coverage,
        fault::{Fault, FaultKind},
        listing::{Listing, MAX_RESTARTS, NextPage, Pages, endless, lost_token, report},
        row::{Row, View},
        target::{SourceOptions, Target},
        wait::{Look, Readiness, Watched, settle},
    },
    model::{
        coverage::{Gap, SourceId},
        evidence::SourceReport,
        image::ResolvedImage,
        package::Inventory,
    },
};

const ACTION: &str = "inspector2:ListFindings";
const ME: SourceId = SourceId::Inspector;

/// Findings of Amazon Inspector.
pub struct Inspector {
    client: Client,
    options: SourceOptions,
}

impl Inspector {
    /// A source that asks with `client`.
    #[must_use]
    pub const fn new(client: Client, options: SourceOptions) -> Self {
        Self { client, options }
    }

    async fn answer(&self, image: &ResolvedImage) -> Result<SourceReport, Error> {
        let region = self.client.config().region().map(ToString::to_string);
        let target = Target::of(image, &self.options, region.as_deref(), ME)?;
        let task = self.options.progress.start("inspector", None);
        let calls = Calls::within(self.options.wait.deadline, &*self.options.clock);
        let mut watch = Watch { client: &self.client, calls, target: &target };
        let settled = settle(&mut watch, &*self.options.clock, &self.options.wait, &*task, ME).await;
        Ok(report(ME, &target, settled, [("view", "inspector".to_owned())]))
    }
}

impl FindingSource for Inspector {
    fn id(&self) -> SourceId {
        ME
    }

    fn fetch<'a>(&'a self, image: &'a ResolvedImage, _inventory: &'a Inventory) -> BoxFuture<'a, Result<SourceReport, Error>> {
        Box::pin(self.answer(image))
    }
}

struct Watch<'a> {
    client: &'a Client,
    calls: Calls<'a>,
    target: &'a Target,
}

impl Watched for Watch<'_> {
    fn look(&mut self) -> BoxFuture<'_, Look> {
        Box::pin(async {
            let (listing, fault) = list(self.client, self.calls, self.target).await;
            let readiness = match fault {
                Some(Unlisted::Fault(fault)) => fault.readiness(ME),
                Some(Unlisted::Gap(gap)) => Readiness::Never(gap),
                None => coverage::fetch(self.client, self.calls, self.target, listing.pushed_at, ME).await.readiness(ME, listing.rows),
            };
            Look { listing: Some(listing), readiness }
        })
    }
}

/// Why a listing is not whole.
enum Unlisted {
    Fault(Fault),
    Gap(Gap),
}

/// All pages of ListFindings. No filter on the state: suppressed and closed findings must be told from absent ones.
async fn list(client: &Client, calls: Calls<'_>, target: &Target) -> (Listing, Option<Unlisted>) {
    let mut best = Listing::default();
    for _ in 0..=MAX_RESTARTS {
        let mut listing = Listing::default();
        let mut pages = Pages::default();
        let mut token: Option<String> = None;
        let fault = loop {
            let criteria = match criteria(target) {
                Ok(criteria) => criteria,
                Err(error) => {
                    return (listing, Some(Unlisted::Gap(Gap::new(ME, "error", "", format!("the request could not be built: {error}")))));
                }
            };
            let follows = token.is_some();
            let request = client.list_findings().filter_criteria(criteria).max_results(100).set_next_token(token);
            let page = match calls.run(ACTION, request.send()).await {
                Ok(page) => page,
                Err(fault) => break (fault, follows),
            };
            listing.pages = listing.pages.saturating_add(1);
            for finding in page.findings() {
                let row = Row::of_inspector(finding);
                listing.rows = listing.rows.saturating_add(1);
                if row.is_of_another_image(target) {
                    listing.dropped = listing.dropped.saturating_add(1);
                    continue;
                }
                listing.pushed_at = listing.pushed_at.max(row.pushed_at);
                listing.add(row.observations(target, View::Inspector));
            }
            match pages.follow(page.next_token()) {
                NextPage::End => {
                    listing.whole = true;
                    return (listing, None);
                }
                NextPage::Token(next) => token = Some(next),
                NextPage::Endless => return (listing, Some(Unlisted::Gap(endless(ME)))),
            }
        };
        if listing.rows >= best.rows {
            best = listing;
        }
        match fault {
            // A page token that the service no longer takes: the listing starts anew.
            (fault, true) if fault.kind == FaultKind::Invalid => {}
            (fault, _) => return (best, Some(Unlisted::Fault(fault))),
        }
    }
    (best, Some(Unlisted::Gap(lost_token(ME))))
}

fn criteria(target: &Target) -> Result<FilterCriteria, BuildError> {
    let equals = |value: &str| StringFilter::builder().comparison(StringComparison::Equals).value(value).build();
    let criteria = FilterCriteria::builder()
        .ecr_image_hash(equals(&target.digest.to_string())?)
        .ecr_image_repository_name(equals(&target.repository)?);
    Ok(match &target.registry_id {
        Some(account) => criteria.ecr_image_registry(equals(account)?),
        None => criteria,
    }
    .build())
}
