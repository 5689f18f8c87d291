//! Is this digest scanned? Inspector's ListCoverage, the only call that can tell an empty list from a list that is not there yet.
//! Reasons: <https://docs.aws.amazon.com/inspector/v2/APIReference/API_ScanStatus.html>.

use aws_sdk_inspector2::{
    Client,
    error::BuildError,
    types::{CoverageFilterCriteria, CoverageStringComparison, CoverageStringFilter, CoveredResource},
};

use crate::{
    findings::{
        call::Calls,
        fault::{Fault, FaultKind},
        listing::{NextPage, Pages},
        target::Target,
        wait::{LATER, Readiness},
    },
    model::coverage::{Gap, SourceId},
};

const ACTION: &str = "inspector2:ListCoverage";

/// What Inspector says about the scan of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ScanCoverage {
    /// The image is scanned.
    Covered,
    /// Not yet; what it becomes at the deadline.
    Pending(Gap),
    /// A reason that we do not know.
    Strange(Gap),
    /// It is not, and will not be.
    Not(Gap),
    /// It could not be asked.
    Unknown(Fault),
}

impl ScanCoverage {
    /// What a listing is worth that is whole and that its source calls done.
    pub(super) fn readiness(self, source: SourceId, rows: usize) -> Readiness {
        match self {
            Self::Covered => Readiness::ReadyIfStable { but: None },
            Self::Pending(gap) => Readiness::Wait(gap),
            Self::Strange(gap) => Readiness::WaitBriefly(gap),
            Self::Not(gap) => Readiness::Never(gap),
            Self::Unknown(fault) if fault.kind == FaultKind::Denied => {
                // An empty list that nobody confirms is no answer; waiting longer would not change that.
                let mut gap = fault.gap(source);
                if rows == 0 {
                    gap.kind = "incomplete";
                    gap.reason = format!("an empty list of findings could not be confirmed: {}", gap.reason);
                }
                Readiness::ReadyIfStable { but: Some(gap) }
            }
            Self::Unknown(fault) => fault.readiness(source),
        }
    }
}

/// Asks for the coverage of the image: by its ARN, else by repository. `pushed_at` is in seconds since 1970.
pub(super) async fn fetch(client: &Client, calls: Calls<'_>, target: &Target, pushed_at: Option<i64>, source: SourceId) -> ScanCoverage {
    let mut asked = Vec::new();
    if let Some(arn) = target.arn() {
        asked.push(string_filter(arn).map(|filter| CoverageFilterCriteria::builder().resource_id(filter).build()));
    }
    asked
        .push(string_filter(target.repository.clone()).map(|filter| CoverageFilterCriteria::builder().ecr_repository_name(filter).build()));
    for criteria in asked {
        let Ok(criteria) = criteria else { continue };
        match rows(client, calls, criteria, target).await {
            Err(fault) => return ScanCoverage::Unknown(fault),
            Ok(rows) if !rows.is_empty() => return worst(&rows, pushed_at, source),
            Ok(_) => {}
        }
    }
    ScanCoverage::Pending(
        Gap::new(source, "not-scanned", "", "Amazon Inspector does not know this image")
            .with_hint("turn on enhanced scanning for the repository, or wait longer after the push"),
    )
}

fn string_filter(value: String) -> Result<CoverageStringFilter, BuildError> {
    CoverageStringFilter::builder().comparison(CoverageStringComparison::Equals).value(value).build()
}

/// All rows about exactly this digest.
async fn rows(client: &Client, calls: Calls<'_>, criteria: CoverageFilterCriteria, target: &Target) -> Result<Vec<CoveredResource>, Fault> {
    let mut found = Vec::new();
    let mut pages = Pages::default();
    let mut token = None;
    loop {
        let request = client.list_coverage().filter_criteria(criteria.clone()).max_results(200).set_next_token(token);
        let page = calls.run(ACTION, request.send()).await?;
        found.extend(page.covered_resources().iter().filter(|row| target.is_me(row.resource_id()) == Some(true)).cloned());
        match pages.follow(page.next_token()) {
            NextPage::Token(next) => token = Some(next),
            NextPage::End | NextPage::Endless => return Ok(found),
        }
    }
}

/// The least happy answer of several rows about one image.
fn worst(rows: &[CoveredResource], pushed_at: Option<i64>, source: SourceId) -> ScanCoverage {
    let rank = |coverage: &ScanCoverage| match coverage {
        ScanCoverage::Covered => 0,
        ScanCoverage::Pending(_) => 1,
        ScanCoverage::Strange(_) => 2,
        ScanCoverage::Not(_) => 3,
        ScanCoverage::Unknown(_) => 4,
    };
    rows.iter().map(|row| of_row(row, pushed_at, source)).max_by_key(rank).unwrap_or(ScanCoverage::Covered)
}

fn of_row(row: &CoveredResource, pushed_at: Option<i64>, source: SourceId) -> ScanCoverage {
    let reason = row.scan_status().map_or("", |status| status.reason().as_str());
    let gap = |kind, text: String| Gap::new(source, kind, "", text);
    let because = |kind| ScanCoverage::Not(gap(kind, format!("Amazon Inspector does not scan this image: {reason}")));
    match reason {
        "SUCCESSFUL" | "SCAN_FREQUENCY_SCAN_ON_PUSH" => match row.last_scanned_at().map(|time| time.secs()) {
            Some(scanned) if pushed_at.is_none_or(|pushed| scanned >= pushed) => ScanCoverage::Covered,
            _ => ScanCoverage::Pending(
                gap("incomplete", "Amazon Inspector has not scanned this image since it was pushed".to_owned()).with_hint(LATER),
            ),
        },
        "PENDING_INITIAL_SCAN" | "SCAN_IN_PROGRESS" | "PENDING_REVIVAL_SCAN" => ScanCoverage::Pending(
            gap("pending", format!("Amazon Inspector has not finished scanning this image: {reason}")).with_hint(LATER),
        ),
        "SCAN_FREQUENCY_MANUAL" | "EXCLUDED_BY_TAG" | "NO_SCAN_CONFIGURATION_ASSOCIATED" => because("not-scanned"),
        "SCAN_ELIGIBILITY_EXPIRED" => because("expired"),
        "IMAGE_SIZE_EXCEEDED" => because("too-large"),
        "IMAGE_ARCHIVED" => because("archived"),
        "INTERNAL_ERROR" => because("error"),
        "PENDING_DISABLE" | "RESOURCE_TERMINATED" => because("unavailable"),
        _ if reason.starts_with("UNSUPPORTED_") || reason == "INVALID_ARTIFACT" => because("unsupported"),
        _ if reason.starts_with("ACCESS_DENIED") => because("denied"),
        _ if reason.ends_with("LIMIT_EXCEEDED") => because("limit"),
        _ => {
            ScanCoverage::Strange(gap("unknown-status", format!("Amazon Inspector gives a scan state that is not known here: `{reason}`")))
        }
    }
}
