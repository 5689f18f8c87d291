//! `Calls`: every call of the AWS sources ends by the deadline of the wait, give or take a few seconds, whatever the service does.
//! In: a call, SDK retries and the reading of its answer included; out: its answer or a [`Fault`].

use std::time::Duration;

use aws_sdk_ecr::error::{ProvideErrorMetadata, SdkError};

use crate::findings::{fault::Fault, wait::Clock};

/// What a call gets beyond the deadline, and what it always gets.
const LEAST: Duration = Duration::from_secs(5);

/// How long after the deadline a listing may still ask for its next page: a service that is slow on purpose could else go on for hours.
const LAST_PAGE: Duration = Duration::from_secs(120);

/// The time that the calls of one source have.
#[derive(Clone, Copy)]
pub(super) struct Calls<'a> {
    clock: &'a dyn Clock,
    ends: Duration,
}

impl<'a> Calls<'a> {
    /// Calls that belong to a wait which begins now.
    pub(super) fn within(deadline: Duration, clock: &'a dyn Clock) -> Self {
        Self { clock, ends: clock.now().saturating_add(deadline) }
    }

    /// The answer of `sent`, or why there is none.
    pub(super) async fn run<T, E>(&self, action: &'static str, sent: impl Future<Output = Result<T, SdkError<E>>>) -> Result<T, Fault>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let now = self.clock.now();
        if now > self.ends.saturating_add(LAST_PAGE) {
            return Err(Fault::late(action));
        }
        let time = self.ends.saturating_sub(now).saturating_add(LEAST);
        match tokio::time::timeout(time, sent).await {
            Ok(answer) => answer.map_err(|error| Fault::of(action, &error)),
            Err(_) => Err(Fault::late(action)),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecr::operation::describe_image_scan_findings::DescribeImageScanFindingsError as E;
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::{findings::wait::SystemClock, model::coverage::SourceId};

    /// A clock that stands still.
    struct At(Duration);

    impl Clock for At {
        fn now(&self) -> Duration {
            self.0
        }

        fn sleep(&self, _time: Duration) -> BoxFuture<'_, ()> {
            Box::pin(async {})
        }
    }

    #[tokio::test]
    async fn answers_in_time_are_answers() {
        let clock = SystemClock::start();
        let calls = Calls::within(Duration::ZERO, &clock);
        assert_eq!(calls.run::<_, E>("ecr:DescribeImages", async { Ok(1) }).await.ok(), Some(1));
        // A call that begins after the deadline still gets its time, but not for ever.
        let at = |seconds| At(Duration::from_secs(seconds));
        for (now, answered) in [(10, true), (130, true), (131, false)] {
            let clock = at(now);
            let calls = Calls { clock: &clock, ends: Duration::from_secs(10) };
            assert_eq!(calls.run::<_, E>("ecr:DescribeImages", async { Ok(1) }).await.is_ok(), answered, "{now}");
        }
    }

    #[tokio::test]
    async fn a_call_without_an_end_is_ended() {
        let clock = SystemClock::start();
        let calls = Calls::within(Duration::ZERO, &clock);
        let fault = calls.run::<(), E>("ecr:DescribeImageScanFindings", std::future::pending()).await.unwrap_err();
        let gap = fault.gap(SourceId::Ecr);
        assert_eq!((gap.kind, gap.reason.as_str()), ("error", "ecr:DescribeImageScanFindings failed: no answer in time"));
        assert!(clock.now() >= LEAST && clock.now() < LEAST * 3);
    }
}
