//! Settings in, an AWS SDK configuration out: region, credentials, retries and timeouts in one place for everything that talks to AWS.
//! The environment is read by the SDK's own chain (<https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>), never here.

use std::{fmt, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, sts::AssumeRoleProvider, timeout::TimeoutConfig};
use aws_sdk_ecr::{
    config::{
        ConfigBag, Credentials, Intercept, RuntimeComponents, SharedCredentialsProvider,
        interceptors::BeforeDeserializationInterceptorContextMut,
    },
    error::BoxError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

/// Longest answer to one call, in bytes: a full page of findings has a few million, and the SDK keeps an answer whole.
const MAX_ANSWER: usize = 32 << 20;

/// How AWS is talked to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Region to use instead of the one that the image's registry names.
    pub region: Option<String>,
    /// Profile in the shared configuration files.
    pub profile: Option<String>,
    /// Endpoint for all services instead of the SDK's own; `AWS_ENDPOINT_URL` and its per-service forms are read by the SDK.
    pub endpoint_url: Option<String>,
    /// Role to assume, for registries of other accounts.
    pub role_arn: Option<String>,
    /// Credentials to use instead of the SDK's chain.
    pub credentials: Option<StaticCredentials>,
    /// Attempts in all, the first included.
    pub max_attempts: u32,
    /// Upper end of the wait before the second attempt; doubles each time, with jitter.
    pub initial_backoff: Duration,
    /// Longest time for one operation, retries included.
    pub operation_timeout: Duration,
}

/// An access key handed in by the caller.
#[derive(Clone)]
pub struct StaticCredentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StaticCredentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            profile: None,
            endpoint_url: None,
            role_arn: None,
            credentials: None,
            max_attempts: 8,
            initial_backoff: Duration::from_secs(1),
            operation_timeout: Duration::from_secs(120),
        }
    }
}

/// The SDK configuration for `region`, unless the settings name another one.
pub async fn config(settings: &Settings, region: &str) -> SdkConfig {
    let region = Region::new(settings.region.clone().unwrap_or_else(|| region.to_owned()));
    let retry = RetryConfig::standard().with_max_attempts(settings.max_attempts.max(1)).with_initial_backoff(settings.initial_backoff);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(settings.operation_timeout)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(region.clone()).retry_config(retry).timeout_config(timeouts);
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(keys) = &settings.credentials {
        let credentials = Credentials::new(&keys.access_key_id, &keys.secret_access_key, keys.session_token.clone(), None, "plimsoll");
        loader = loader.credentials_provider(SharedCredentialsProvider::new(credentials));
    }
    let base = loader.load().await;
    let Some(role) = &settings.role_arn else { return base };
    let assumed = AssumeRoleProvider::builder(role).session_name("plimsoll").region(region).configure(&base).build().await;
    base.into_builder().credentials_provider(SharedCredentialsProvider::new(assumed)).build()
}

/// A client of Amazon ECR.
#[must_use]
pub fn ecr(config: &SdkConfig) -> aws_sdk_ecr::Client {
    aws_sdk_ecr::Client::from_conf(aws_sdk_ecr::config::Builder::from(config).interceptor(AnswerLimit).build())
}

/// A client of Amazon Inspector.
#[must_use]
pub fn inspector(config: &SdkConfig) -> aws_sdk_inspector2::Client {
    aws_sdk_inspector2::Client::from_conf(aws_sdk_inspector2::config::Builder::from(config).interceptor(AnswerLimit).build())
}

/// Ends an answer that grows beyond [`MAX_ANSWER`] as one that cannot be read.
#[derive(Debug)]
struct AnswerLimit;

impl Intercept for AnswerLimit {
    fn name(&self) -> &'static str {
        "AnswerLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response_mut().body_mut();
        let whole = std::mem::replace(body, SdkBody::taken());
        *body = SdkBody::from_body_1_x(Limited::new(whole, MAX_ANSWER));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn settings_reach_the_configuration() {
        let settings = Settings {
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: "id".to_owned(),
                secret_access_key: "hush".to_owned(),
                session_token: None,
            }),
            max_attempts: 3,
            ..Settings::default()
        };
        assert!(!format!("{settings:?}").contains("hush"));
        let config = config(&settings, "eu-central-1").await;
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-central-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:9"));
        assert_eq!(config.retry_config().map(RetryConfig::max_attempts), Some(3));
        assert!(config.credentials_provider().is_some());
    }
}
