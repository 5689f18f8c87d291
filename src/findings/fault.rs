//! `Fault`: why a call to AWS failed, told apart by error code, never by type: access denied and throttling are not modelled on ECR.
//! Nothing of a credential may get into a message: texts of signature and token errors quote the signed request, so they are left out.

use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};

use crate::{
    findings::wait::{LATER, Readiness},
    model::coverage::{Gap, SourceId},
};

const DENIED: &[&str] = &["AccessDeniedException", "AccessDenied", "UnauthorizedOperation", "ForbiddenException"];
const THROTTLED: &[&str] = &[
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
];
const CREDENTIALS: &[&str] = &[
    "ExpiredTokenException",
    "ExpiredToken",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "NotAuthorized",
    "OptInRequired",
];
const MAX_MESSAGE: usize = 300;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// What kind of failure.
    pub(super) kind: FaultKind,
    /// The call, as a permission is written, e.g. `ecr:DescribeImageScanFindings`.
    action: &'static str,
    /// The service's code, when there is one.
    code: Option<String>,
    /// The service's words, shortened; empty when they could hold a secret.
    message: String,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// No permission.
    Denied,
    /// Too many calls, after all retries.
    Throttled,
    /// Missing, wrong or expired credentials.
    Credentials,
    /// No scan of this image.
    NoScan,
    /// No such image.
    NoImage,
    /// No such repository.
    NoRepository,
    /// Not a kind of artifact that is scanned.
    Unsupported,
    /// The image is archived.
    Archived,
    /// A quota is used up.
    Limit,
    /// The request was refused, maybe for its page token.
    Invalid,
    /// Anything else, after all retries.
    Other,
}

/// The innermost error, which says what happened; those around it say only that something did.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}

impl Fault {
    /// Reads an SDK error.
    pub(super) fn of<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static>(
        action: &'static str,
        error: &SdkError<E>,
    ) -> Self {
        let code = error.code().map(str::to_owned);
        let status = error.raw_response().map(|response| response.status().as_u16());
        let kind = match code.as_deref() {
            Some(code) => kind_of(code),
            None if status == Some(429) => FaultKind::Throttled,
            None if matches!(error, SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_)) && is_about_credentials(error) => {
                FaultKind::Credentials
            }
            None => FaultKind::Other,
        };
        let message = match (kind, error) {
            (FaultKind::Credentials, _) => String::new(),
            (_, SdkError::TimeoutError(_)) => "no answer in time".to_owned(),
            (_, SdkError::DispatchFailure(failure)) if failure.is_timeout() => "no answer in time".to_owned(),
            (_, SdkError::DispatchFailure(_)) => "no connection to the service".to_owned(),
            (_, SdkError::ResponseError(_)) => {
                let status = status.map_or_else(String::new, |status| format!(" (HTTP status {status})"));
                one_line(&format!("the answer{status} cannot be read: {}", root_cause(error)))
            }
            _ => error.message().map_or_else(
                || status.map_or_else(|| "no usable answer".to_owned(), |status| format!("answered with HTTP status {status}")),
                one_line,
            ),
        };
        Self { kind, action, code, message }
    }

    /// A call that did not end in time.
    pub(super) fn late(action: &'static str) -> Self {
        Self { kind: FaultKind::Other, action, code: None, message: "no answer in time".to_owned() }
    }

    /// The Gap that this is.
    pub(super) fn gap(&self, source: SourceId) -> Gap {
        let denied = self.denied_action();
        let because = match (self.code.as_deref(), self.message.as_str()) {
            (Some(code), "") => code.to_owned(),
            (Some(code), message) => format!("{code}: {message}"),
            (None, "") => "no usable credentials".to_owned(),
            (None, message) => message.to_owned(),
        };
        let gap = |kind, reason| Gap::new(source, kind, "", reason);
        match self.kind {
            FaultKind::Denied => {
                let hint = match self.action {
                    _ if self.message.contains("not enabled") => {
                        format!("activate Amazon Inspector for ECR in this account and region, and allow {denied}")
                    }
                    "ecr:DescribeImageScanFindings" => {
                        format!(
                            "allow {denied}; on a registry with enhanced scanning, inspector2:ListFindings and inspector2:ListCoverage too"
                        )
                    }
                    _ => format!("allow {denied}"),
                };
                gap("denied", format!("{denied} was refused: {because}")).with_hint(hint)
            }
            FaultKind::Throttled => {
                gap("throttled", format!("{} was throttled through all retries: {because}", self.action)).with_hint(LATER)
            }
            FaultKind::Credentials => gap("credentials", format!("{} did not accept the credentials: {because}", self.action))
                .with_hint("get fresh credentials, and check that they and the call are for the region and account of the registry"),
            FaultKind::NoScan => gap("not-scanned", "this image was never scanned".to_owned())
                .with_hint("turn on scanning for the repository, or wait longer after the push"),
            FaultKind::NoImage => gap("not-found", "the repository has no image of this digest".to_owned()),
            FaultKind::NoRepository => gap("not-found", "there is no such repository in this registry".to_owned())
                .with_hint("check account, region and repository name"),
            FaultKind::Unsupported => gap("unsupported", because),
            FaultKind::Archived => gap("archived", because).with_hint("restore the image from the archive"),
            FaultKind::Limit => gap("limit", format!("{}: {because}", self.action)).with_hint(LATER),
            FaultKind::Invalid | FaultKind::Other => gap("error", format!("{} failed: {because}", self.action)).with_hint(LATER),
        }
    }

    /// What a listing that ends like this is worth.
    pub(super) fn readiness(&self, source: SourceId) -> Readiness {
        let gap = self.gap(source);
        match self.kind {
            FaultKind::NoScan => Readiness::Wait(gap),
            FaultKind::NoImage => Readiness::WaitBriefly(gap),
            FaultKind::Credentials => Readiness::RetryOnce(gap),
            _ => Readiness::Never(gap),
        }
    }

    /// The action that the service names, else the one that was called.
    fn denied_action(&self) -> &str {
        let named = self.message.split("perform: ").nth(1).and_then(|rest| rest.split_whitespace().next());
        named
            .filter(|action| action.contains(':') && action.bytes().all(|b| b.is_ascii_alphanumeric() || b":-".contains(&b)))
            .unwrap_or(self.action)
    }
}

fn kind_of(code: &str) -> FaultKind {
    match code {
        "ScanNotFoundException" => FaultKind::NoScan,
        "ImageNotFoundException" => FaultKind::NoImage,
        "RepositoryNotFoundException" => FaultKind::NoRepository,
        "UnsupportedImageTypeException" => FaultKind::Unsupported,
        "ImageArchivedException" => FaultKind::Archived,
        "LimitExceededException" | "ServiceQuotaExceededException" => FaultKind::Limit,
        "ValidationException" | "InvalidParameterException" | "InvalidNextTokenException" => FaultKind::Invalid,
        _ if DENIED.contains(&code) => FaultKind::Denied,
        _ if THROTTLED.contains(&code) => FaultKind::Throttled,
        _ if CREDENTIALS.contains(&code) => FaultKind::Credentials,
        _ => FaultKind::Other,
    }
}

/// The SDK reports missing credentials as a failed dispatch; only the chain of causes says so.
fn is_about_credentials(error: &dyn std::error::Error) -> bool {
    let mut cause = Some(error);
    for _ in 0..16 {
        let Some(this) = cause else { break };
        let text = this.to_string().to_ascii_lowercase();
        if text.contains("credential") || text.contains("identity") {
            return true;
        }
        cause = this.source();
    }
    false
}

/// A service's message as one short line of plain characters.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|ch| !ch.is_control()).take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(action: &'static str, code: &str, message: &str) -> Fault {
        Fault { kind: kind_of(code), action, code: Some(code.to_owned()), message: one_line(message) }
    }

    #[test]
    fn codes_give_their_kinds() {
        let table = [
            ("AccessDeniedException", "denied"),
            ("ThrottlingException", "throttled"),
            ("TooManyRequestsException", "throttled"),
            ("ExpiredTokenException", "credentials"),
            ("ScanNotFoundException", "not-scanned"),
            ("ImageNotFoundException", "not-found"),
            ("RepositoryNotFoundException", "not-found"),
            ("UnsupportedImageTypeException", "unsupported"),
            ("ImageArchivedException", "archived"),
            ("LimitExceededException", "limit"),
            ("ValidationException", "error"),
            ("SomeFutureException", "error"),
        ];
        for (code, expected) in table {
            assert_eq!(fault("ecr:DescribeImageScanFindings", code, "words").gap(SourceId::Ecr).kind, expected, "{code}");
        }
    }

    #[test]
    fn refusals_name_the_action_that_the_service_names() {
        let message =
            "User: arn:aws:sts::111122223333:assumed-role/ci/run is not authorized to perform: inspector2:ListFindings on resource: *";
        let gap = fault("ecr:DescribeImageScanFindings", "AccessDeniedException", message).gap(SourceId::Ecr);
        assert!(gap.reason.starts_with("inspector2:ListFindings was refused"), "{gap:?}");
        // What a hostile server calls an action is not repeated as one.
        let gap = fault("inspector2:ListCoverage", "AccessDeniedException", "perform: <b>x</b> now").gap(SourceId::Ecr);
        assert!(gap.reason.starts_with("inspector2:ListCoverage was refused"), "{gap:?}");
    }

    #[test]
    fn messages_are_one_short_line() {
        assert_eq!(one_line("a\nb\t\u{1b}[31m c"), "a b [31m c");
        assert_eq!(one_line(&"x".repeat(10_000)).len(), MAX_MESSAGE);
    }
}
