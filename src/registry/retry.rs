//! A failed request in, whether and when another attempt makes sense out. No attempt is made here.
//! Statuses: <https://www.rfc-editor.org/rfc/rfc9110>, `Retry-After` in its section 10.2.3.

use std::{
    error::Error as _,
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::Duration,
};

use jiff::fmt::rfc2822::DateTimeParser;
use oci_client::errors::{OciEnvelope, OciErrorCode};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use crate::registry::{
    Error,
    cause::{Missing, Shown, TlsCause},
    error::shown,
    options::Retry,
    token::Challenge,
};

/// Attempts to connect to a host that refuses or cannot be found, where the rest of the attempts would only delay the message.
const CONNECT_ATTEMPTS: u32 = 3;

/// Why one attempt failed, and whether another one makes sense.
pub(super) enum Trouble {
    /// Asking again will not help.
    Final(Error),
    /// Asking again may help, `attempts` times in all, not before `after`.
    Again { error: Error, after: Option<Duration>, attempts: u32 },
    /// The registry wants credentials, or better ones.
    Unauthorized { challenge: Option<Challenge>, message: String },
}

/// What a failure below HTTP means.
pub(super) fn classify(error: &reqwest::Error, registry: &str, retry: Retry) -> Trouble {
    let (registry, reason) = (registry.to_owned(), deepest(error));
    let tls = ["certificate", "peer", "TLS", "corrupt message", "handshake"].iter().any(|word| reason.contains(word))
        && !reason.contains("reset by peer");
    if error.is_redirect() || error.is_builder() {
        return Trouble::Final(Error::Unexpected { registry, what: "a request".to_owned(), status: 0, message: reason });
    }
    if error.is_connect() && tls {
        return Trouble::Final(Error::Tls { registry, cause: TlsCause::of(&reason) });
    }
    let attempts = if error.is_connect() { retry.attempts.min(CONNECT_ATTEMPTS) } else { retry.attempts };
    Trouble::Again { error: Error::Unreachable { registry, reason }, after: None, attempts }
}

/// An answer that is neither success nor 401.
pub(super) struct Refusal<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    /// What was read of its body.
    pub(super) body: &'a [u8],
    pub(super) registry: &'a str,
    /// What was asked for.
    pub(super) what: &'a str,
    /// What the registry was shown.
    pub(super) shown: Shown,
    /// Whether it was asked over plain HTTP.
    pub(super) in_plain: bool,
}

/// What a refusal means for attempt number `attempt`.
pub(super) fn refused(refusal: &Refusal<'_>, retry: Retry, attempt: u32) -> Trouble {
    let Refusal { status, headers, body, shown, .. } = *refusal;
    let (registry, what, message) = (refusal.registry.to_owned(), refusal.what.to_owned(), said(body));
    match status {
        // Servers that speak TLS alone say so in plain text when they are asked without.
        400 if refusal.in_plain && String::from_utf8_lossy(body).contains("HTTPS") => {
            Trouble::Final(Error::Tls { registry, cause: TlsCause::OnlyTls })
        }
        403 => Trouble::Final(Error::Denied { registry, what, shown, status, message }),
        404 => Trouble::Final(Error::NotFound { what, missing: missing(body), there: Vec::new() }),
        408 | 429 | 500..=599 => {
            let after = retry_after(headers);
            let message = match after.filter(|after| message.is_empty() && !after.is_zero()) {
                Some(after) => format!("it asks to wait {} s", after.as_secs()),
                None => message,
            };
            Trouble::Again { error: Error::Unavailable { registry, status, attempts: attempt, message }, after, attempts: retry.attempts }
        }
        _ => Trouble::Final(Error::Unexpected { registry, what, status, message }),
    }
}

/// How long to wait before attempt number `attempt + 1`: our own backoff within its limit, or longer if the server asks for it.
pub(super) fn wait(retry: Retry, attempt: u32, after: Option<Duration>) -> Duration {
    backoff(retry.initial_backoff, attempt).min(retry.max_backoff).max(after.unwrap_or_default())
}

/// Doubles with every attempt; half of it at random, so that many clients do not come back at the same moment.
fn backoff(initial: Duration, attempt: u32) -> Duration {
    let full = initial.saturating_mul(1 << attempt.saturating_sub(1).min(16));
    let random = RandomState::new().build_hasher().finish() % 1_000;
    full / 2 + full.mul_f64(random as f64 / 2_000.0)
}

/// How long the server asks to be left alone: seconds, or a date, which is compared with the server's own clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let time = |text: &str| DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    // A date that has passed means now.
    Some(Duration::try_from(time(asked)?.duration_since(time(text(DATE)?)?)).unwrap_or_default())
}

/// The innermost cause: short, and without the URL, which may hold a signed query.
pub(super) fn deepest(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut text = "the request failed".to_owned();
    while let Some(inner) = cause {
        text = inner.to_string();
        cause = inner.source();
    }
    if error.is_timeout() { "timed out".to_owned() } else { shown(&text) }
}

/// What an error's body says, as one short line.
pub(super) fn said(body: &[u8]) -> String {
    let Ok(envelope) = serde_json::from_slice::<OciEnvelope>(body) else { return String::new() };
    let texts = envelope.errors.into_iter().take(3).map(|error| if error.message.is_empty() { code(&error.code) } else { error.message });
    shown(&texts.collect::<Vec<_>>().join("; "))
}

/// What a 404 says is not there.
fn missing(body: &[u8]) -> Missing {
    let unknown = |envelope: OciEnvelope| envelope.errors.iter().any(|error| matches!(error.code, OciErrorCode::NameUnknown));
    if serde_json::from_slice(body).is_ok_and(unknown) { Missing::Repository } else { Missing::Image }
}

fn code(code: &OciErrorCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_and_stays_bounded() {
        let initial = Duration::from_millis(100);
        for (attempt, most) in [(1, 100), (2, 200), (3, 400)] {
            let wait = backoff(initial, attempt);
            assert!(wait >= Duration::from_millis(most / 2) && wait <= Duration::from_millis(most), "{attempt}: {wait:?}");
        }
        assert!(backoff(initial, u32::MAX) < Duration::from_secs(7_000));
        let retry = Retry { attempts: 9, initial_backoff: initial, max_backoff: Duration::from_millis(150) };
        assert_eq!(wait(retry, 9, None), Duration::from_millis(150));
        assert_eq!(wait(retry, 9, Some(Duration::from_secs(7))), Duration::from_secs(7));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_servers_own_clock() {
        let check = |after: &str, date: Option<&str>| {
            let mut headers = HeaderMap::from_iter([(RETRY_AFTER, after.parse().expect("header"))]);
            headers.extend(date.map(|date| (DATE, date.parse().expect("header"))));
            retry_after(&headers).map(|after| after.as_secs())
        };
        let noon = Some("Sun, 22 Nov 2026 12:00:00 GMT");
        assert_eq!(check("0", None), Some(0));
        assert_eq!(check(" 120 ", noon), Some(120));
        assert_eq!(check("Sun, 22 Nov 2026 12:00:07 GMT", noon), Some(7));
        assert_eq!(check("Sun, 22 Nov 2026 11:00:00 GMT", noon), Some(0));
        assert_eq!(check("Sun, 22 Nov 2026 12:00:07 GMT", None), None);
        assert_eq!(check("-1", noon), None);
        assert_eq!(check("soon", noon), None);
    }

    #[test]
    fn error_bodies_become_one_line() {
        assert_eq!(
            said(br#"{"errors":[{"code":"DENIED","message":"no\nway"},{"code":"X"},{"code":"TOOMANYREQUESTS"}]}"#),
            "no way; X; TOOMANYREQUESTS"
        );
        assert_eq!(said(b"<html>"), "");
        assert_eq!(
            missing(br#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#),
            Missing::Repository
        );
        assert_eq!(missing(br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#), Missing::Image);
        assert_eq!(missing(b"404 page not found"), Missing::Image);
    }
}
