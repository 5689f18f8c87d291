//! All pages of DescribeImageScanFindings, and what status, shape and counts of the answer mean.

use std::collections::BTreeMap;

use aws_sdk_ecr::{
    Client,
    operation::describe_image_scan_findings::DescribeImageScanFindingsOutput,
    types::{ImageIdentifier, ImageScanFinding},
};

use crate::{
    findings::{
        call::Calls,
        fault::FaultKind,
        listing::{Listing, MAX_RESTARTS, NextPage, Pages, endless, lost_token},
        row::{Row, View, first_line, rfc3339},
        target::Target,
        wait::{LATER, Readiness},
    },
    model::{
        coverage::{Gap, SourceId},
        evidence::{Observation, ObservedPackage, ObservedState},
        severity::{Rating, RatingAuthor},
    },
};

const ACTION: &str = "ecr:DescribeImageScanFindings";
const ME: SourceId = SourceId::Ecr;

/// Which list an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `findings`; an empty one also comes from an enhanced registry that is not ready.
    Basic {
        /// Whether no row arrived.
        empty: bool,
    },
    /// `enhancedFindings`.
    Enhanced,
    /// Neither.
    Unknown,
}

/// One answer, all pages.
#[derive(Debug)]
pub(super) struct Answer {
    /// The rows.
    pub(super) listing: Listing,
    /// Which list it was.
    pub(super) shape: Shape,
    /// The scan status, as written.
    pub(super) status: Option<String>,
    description: Option<String>,
    counted: Vec<(usize, u64)>,
    /// Why a page is not an answer to the question.
    strays: Option<&'static str>,
}

/// What an answer means before anybody confirms it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The list is whole and ECR calls it done (T1).
    Listed,
    /// Anything else.
    Final(Readiness),
}

/// Fetches all pages and judges them.
pub(super) async fn fetch(client: &Client, calls: Calls<'_>, target: &Target) -> (Answer, Verdict) {
    let mut best = Answer::empty();
    for _ in 0..=MAX_RESTARTS {
        let mut answer = Answer::empty();
        let mut pages = Pages::default();
        let mut token: Option<String> = None;
        let (fault, follows) = loop {
            let follows = token.is_some();
            let id = ImageIdentifier::builder().image_digest(target.digest.to_string()).build();
            let request =
                client.describe_image_scan_findings().set_registry_id(target.registry_id.clone()).repository_name(&target.repository);
            let page = match calls.run(ACTION, request.image_id(id).max_results(1000).set_next_token(token).send()).await {
                Ok(page) => page,
                Err(fault) => break (fault, follows),
            };
            answer.add(&page, target);
            match pages.follow(page.next_token()) {
                NextPage::End => {
                    answer.listing.whole = true;
                    let readiness = answer.verdict();
                    return (answer, readiness);
                }
                NextPage::Token(next) => token = Some(next),
                NextPage::Endless => return (answer, Verdict::Final(Readiness::Never(endless(ME)))),
            }
        };
        if answer.listing.rows >= best.listing.rows {
            best = answer;
        }
        // A page token that the service no longer takes: the listing starts anew.
        if !(follows && fault.kind == FaultKind::Invalid) {
            return (best, Verdict::Final(fault.readiness(ME)));
        }
    }
    (best, Verdict::Final(Readiness::Never(lost_token(ME))))
}

impl Answer {
    fn empty() -> Self {
        Self { listing: Listing::default(), shape: Shape::Unknown, status: None, description: None, counted: Vec::new(), strays: None }
    }

    fn add(&mut self, page: &DescribeImageScanFindingsOutput, target: &Target) {
        let listing = &mut self.listing;
        listing.pages = listing.pages.saturating_add(1);
        if let Some(reason) = stray(page, target) {
            // Nothing of such a page is believed, its status included.
            self.strays = Some(reason);
            if let Some(found) = page.image_scan_findings() {
                let rows = found.findings().len().saturating_add(found.enhanced_findings().len());
                listing.rows = listing.rows.saturating_add(rows);
                listing.dropped = listing.dropped.saturating_add(rows);
            }
            return;
        }
        if let Some(status) = page.image_scan_status() {
            let word = status.status().map(|status| status.as_str().to_owned());
            // A page that is not done makes the whole answer not done.
            if self.status.as_deref().is_none_or(is_done) {
                self.status = word;
                self.description = status.description().and_then(first_line);
            }
        }
        let Some(found) = page.image_scan_findings() else { return };
        listing.completed_at = found.image_scan_completed_at().and_then(rfc3339).or(listing.completed_at.take());
        listing.database_at = found.vulnerability_source_updated_at().and_then(rfc3339).or(listing.database_at.take());
        let before = listing.rows;
        for finding in found.findings() {
            listing.rows = listing.rows.saturating_add(1);
            listing.add(vec![basic(finding)]);
        }
        for finding in found.enhanced_findings() {
            listing.rows = listing.rows.saturating_add(1);
            let row = Row::of_ecr(finding);
            if row.is_of_another_image(target) {
                listing.dropped = listing.dropped.saturating_add(1);
                continue;
            }
            listing.pushed_at = listing.pushed_at.max(row.pushed_at);
            listing.add(row.observations(target, View::Ecr));
        }
        if let Some(counts) = found.finding_severity_counts.as_ref() {
            let sum = counts.values().map(|count| u64::try_from(*count).unwrap_or(0)).sum();
            self.counted.push((listing.rows.saturating_sub(before), sum));
        }
        if found.enhanced_findings.is_some() {
            self.shape = Shape::Enhanced;
        } else if found.findings.is_some() && self.shape != Shape::Enhanced {
            self.shape = Shape::Basic { empty: listing.rows == 0 };
        }
    }

    /// What a whole answer means by itself: status, end time and counts.
    fn verdict(&self) -> Verdict {
        let status = self.status.as_deref().unwrap_or_default();
        let said = self.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        let gap = |kind, text: String| Gap::new(ME, kind, "", text);
        let never = |kind| Readiness::Never(gap(kind, format!("scan status {status}{said}")));
        if let Some(reason) = self.strays {
            return Verdict::Final(Readiness::WaitBriefly(gap("incomplete", reason.to_owned())));
        }
        let readiness = match status {
            _ if is_done(status) && self.listing.completed_at.is_none() => {
                Readiness::Wait(gap("incomplete", format!("scan status {status}, but no scan has ended yet")).with_hint(LATER))
            }
            _ if is_done(status) => match self.miscounted() {
                Some(text) => Readiness::Wait(gap("incomplete", text).with_hint(LATER)),
                None => return Verdict::Listed,
            },
            "IN_PROGRESS" | "PENDING" => {
                Readiness::Wait(gap("pending", format!("the scan has not ended: {status}{said}")).with_hint(LATER))
            }
            "FAILED" if self.description.as_deref().is_some_and(|text| text.starts_with("UnsupportedImageError")) => never("unsupported"),
            "FAILED" => never("failed"),
            "UNSUPPORTED_IMAGE" => never("unsupported"),
            "IMAGE_SIZE_EXCEEDED" => never("too-large"),
            "IMAGE_ARCHIVED" => never("archived"),
            "LIMIT_EXCEEDED" => never("limit"),
            "FINDINGS_UNAVAILABLE" => never("unavailable"),
            "SCAN_ELIGIBILITY_EXPIRED" => never("expired"),
            _ => Readiness::WaitBriefly(gap("unknown-status", format!("scan status `{status}` is not known here{said}"))),
        };
        Verdict::Final(readiness)
    }

    /// Counts come per page; a service that repeats the total on every page is believed too.
    fn miscounted(&self) -> Option<String> {
        let rows: u64 = self.counted.iter().map(|(rows, _)| u64::try_from(*rows).unwrap_or(u64::MAX)).sum();
        let counted: u64 = self.counted.iter().map(|(_, count)| count).sum();
        let totals = self.counted.iter().all(|(_, count)| *count == rows);
        (counted != rows && !totals).then(|| format!("the service counts {counted} findings and lists {rows}"))
    }
}

/// Why a page is not about the image that was asked for. The digest must be there: a basic row names no image, so nothing else ties it to one.
fn stray(page: &DescribeImageScanFindingsOutput, target: &Target) -> Option<&'static str> {
    let differs = |said: Option<&str>, asked: Option<&str>| said.zip(asked).is_some_and(|(said, asked)| said != asked);
    match page.image_id().and_then(ImageIdentifier::image_digest) {
        None => Some("the answer does not say which image it is about"),
        Some(digest) if digest != target.digest.to_string() => Some("the answer is about another image"),
        Some(_) if differs(page.registry_id(), target.registry_id.as_deref()) => {
            Some("the answer is about another image: of another registry")
        }
        Some(_) if differs(page.repository_name(), Some(&target.repository)) => {
            Some("the answer is about another image: of another repository")
        }
        Some(_) => None,
    }
}

fn is_done(status: &str) -> bool {
    matches!(status, "COMPLETE" | "ACTIVE")
}

/// One row of basic scanning: no fix, no path; its CVSS attributes are evidence, not a rating of their own.
fn basic(finding: &ImageScanFinding) -> Observation {
    let mut attributes: BTreeMap<String, String> = finding
        .attributes()
        .iter()
        .map(|attribute| (attribute.key().to_ascii_lowercase(), attribute.value().unwrap_or_default().to_owned()))
        .collect();
    let name = attributes.remove("package_name").filter(|name| !name.is_empty());
    let version = attributes.remove("package_version").unwrap_or_default();
    let version = version.strip_prefix("0:").unwrap_or(&version).to_owned();
    let rating = finding.severity().map(|severity| Rating {
        author: RatingAuthor::EcrBasic,
        word: Some(severity.as_str().to_owned()),
        vector: None,
        score_tenths: None,
    });
    Observation {
        source: SourceId::EcrBasic,
        id: finding.name().unwrap_or("(no id)").to_owned(),
        aliases: std::collections::BTreeSet::new(),
        title: finding.description().and_then(first_line),
        package: name.map(|name| ObservedPackage { kind: None, name, version, locations: Vec::new(), path: None }),
        ratings: rating.into_iter().collect(),
        fixed: Vec::new(),
        says_no_fix: false,
        state: ObservedState::Open,
        link: finding.uri().map(str::to_owned),
        updated: None,
        attributes,
    }
}
