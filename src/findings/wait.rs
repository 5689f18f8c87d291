//! Waiting for a scan: a source is looked at again and again until its answer is ready, final or late (design of the AWS sources, section 2).
//! Time comes from a [`Clock`], so that tests run hours in milliseconds.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::BoxFuture;

use crate::{
    findings::listing::Listing,
    model::coverage::{Gap, SourceId},
    progress::Task,
};

/// Where waiting takes its time from.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;

    /// Waits for `time`.
    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()>;
}

/// The clock on the wall.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(tokio::time::Instant);

impl SystemClock {
    /// A clock that counts from now.
    #[must_use]
    pub fn start() -> Self {
        Self(tokio::time::Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// How long and how often to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitOptions {
    /// When to give up; what is not ready by then is a Gap.
    pub deadline: Duration,
    /// Time between the first two looks; grows by half from look to look.
    pub first_poll: Duration,
    /// The longest time between two looks.
    pub max_poll: Duration,
    /// How far apart two equal listings must be before a growing list counts as grown.
    pub stability: Duration,
    /// How long to wait for what usually never gets better: an image that is not there, a status that we do not know.
    pub patience: Duration,
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(900),
            first_poll: Duration::from_secs(5),
            max_poll: Duration::from_secs(30),
            stability: Duration::from_secs(15),
            patience: Duration::from_secs(60),
        }
    }
}

/// What one look at a source showed.
#[derive(Debug)]
pub(super) struct Look {
    /// The rows that arrived, if any did.
    pub(super) listing: Option<Listing>,
    /// What they are worth.
    pub(super) readiness: Readiness,
}

/// What a look is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    /// The source says that it is done, and one listing proves it.
    Ready,
    /// The source says that it is done; a second equal listing must follow. `but` stays a Gap even then.
    ReadyIfStable {
        /// What nobody could confirm.
        but: Option<Gap>,
    },
    /// Not yet; the Gap is what it becomes at the deadline.
    Wait(Gap),
    /// Not yet, and hardly ever; the Gap is what it becomes when patience ends.
    WaitBriefly(Gap),
    /// Worth one more try, not two.
    RetryOnce(Gap),
    /// It will not get better.
    Never(Gap),
}

/// How waiting ended.
#[derive(Debug)]
pub(super) struct Settled {
    /// The best listing that arrived.
    pub(super) listing: Option<Listing>,
    /// Why it is not all there is.
    pub(super) gap: Option<Gap>,
    /// How long it took.
    pub(super) waited: Duration,
    /// How many looks it took.
    pub(super) looks: u32,
}

/// Something that can be looked at again.
pub(super) trait Watched: Send {
    /// Looks once.
    fn look(&mut self) -> BoxFuture<'_, Look>;
}

/// Looks at `watched` until its answer is ready, final or late. Ends by the deadline, give or take the time of one look.
pub(super) async fn settle(
    watched: &mut dyn Watched,
    clock: &dyn Clock,
    options: &WaitOptions,
    task: &dyn Task,
    source: SourceId,
) -> Settled {
    let start = clock.now();
    let mut poll = options.first_poll.max(Duration::from_millis(1));
    let mut kept: Option<Listing> = None;
    let mut stable: Option<(BTreeSet<String>, Duration)> = None;
    let mut retried = false;
    let mut looks = 0_u32;
    loop {
        let seen_at = clock.now();
        let look = watched.look().await;
        looks = looks.saturating_add(1);
        let members = look.listing.as_ref().map(|listing| listing.members.clone()).unwrap_or_default();
        if let Some(new) = look.listing {
            // A listing that broke off must not hide a fuller one.
            if kept.as_ref().is_none_or(|old| new.whole || new.rows >= old.rows) {
                kept = Some(new);
            }
        }
        let elapsed = clock.now().saturating_sub(start);
        let mut pause = poll;
        let gap = match look.readiness {
            Readiness::Ready => break done(kept, None, elapsed, looks),
            Readiness::Never(gap) => break done(kept, Some(gap), elapsed, looks),
            Readiness::ReadyIfStable { but } => {
                let since = match &stable {
                    Some((before, since)) if *before == members => *since,
                    _ => seen_at,
                };
                let age = seen_at.saturating_sub(since);
                if stable.is_some() && since != seen_at && age >= options.stability {
                    break done(kept, but, elapsed, looks);
                }
                stable = Some((members, since));
                pause = options.stability.saturating_sub(age).max(Duration::from_millis(1));
                but.unwrap_or_else(|| {
                    Gap::new(source, "incomplete", "", "the list of findings was still changing when time was up").with_hint(LATER)
                })
            }
            Readiness::Wait(gap) => {
                stable = None;
                gap
            }
            Readiness::WaitBriefly(gap) => {
                stable = None;
                if elapsed >= options.patience {
                    break done(kept, Some(gap), elapsed, looks);
                }
                pause = poll.min(options.patience.saturating_sub(elapsed));
                gap
            }
            Readiness::RetryOnce(gap) => {
                stable = None;
                if retried {
                    break done(kept, Some(gap), elapsed, looks);
                }
                retried = true;
                gap
            }
        };
        if elapsed >= options.deadline {
            break done(kept, Some(gap), elapsed, looks);
        }
        task.message(&format!("waiting: {}", gap.reason));
        clock.sleep(pause.min(options.deadline.saturating_sub(elapsed))).await;
        poll = poll.saturating_mul(3).checked_div(2).unwrap_or(poll).min(options.max_poll).max(Duration::from_millis(1));
    }
}

/// Advice for answers that come later.
pub(super) const LATER: &str = "run again later, or allow more time to wait for the scan";

fn done(listing: Option<Listing>, gap: Option<Gap>, waited: Duration, looks: u32) -> Settled {
    Settled { listing, gap, waited, looks }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::progress::Silent;

    struct Virtual(Mutex<Duration>);

    impl Clock for Virtual {
        fn now(&self) -> Duration {
            *self.0.lock().expect("unpoisoned")
        }

        fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
            *self.0.lock().expect("unpoisoned") += time;
            Box::pin(async {})
        }
    }

    /// Plays looks in order, the last one for ever.
    struct Script(Vec<(Option<&'static [&'static str]>, Readiness)>, usize);

    impl Watched for Script {
        fn look(&mut self) -> BoxFuture<'_, Look> {
            let (rows, readiness) = self.0[self.1.min(self.0.len() - 1)].clone();
            self.1 += 1;
            let listing = rows.map(|rows| Listing {
                rows: rows.len(),
                members: rows.iter().map(|row| (*row).to_owned()).collect(),
                whole: true,
                ..Listing::default()
            });
            Box::pin(async { Look { listing, readiness } })
        }
    }

    fn gap(kind: &'static str) -> Gap {
        Gap::new(SourceId::Ecr, kind, "", "")
    }

    fn check(looks: Vec<(Option<&'static [&'static str]>, Readiness)>) -> (Option<&'static str>, usize, u64, u32) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let clock = Virtual(Mutex::new(Duration::from_secs(1000)));
        let settled = runtime.block_on(settle(&mut Script(looks, 0), &clock, &WaitOptions::default(), &Silent, SourceId::Ecr));
        (settled.gap.map(|gap| gap.kind), settled.listing.map_or(0, |listing| listing.rows), settled.waited.as_secs(), settled.looks)
    }

    #[test]
    fn answers_are_taken_when_they_are_ready_and_not_before() {
        let stable = || Readiness::ReadyIfStable { but: None };
        assert_eq!(check(vec![(Some(&["a"]), Readiness::Ready)]), (None, 1, 0, 1));
        assert_eq!(check(vec![(Some(&["a"]), stable())]), (None, 1, 15, 2));
        // Growth starts the window again.
        assert_eq!(check(vec![(Some(&["a"]), stable()), (Some(&["a", "b"]), stable())]), (None, 2, 30, 3));
        // A false clean answer in between does too.
        let wait = || Readiness::Wait(gap("incomplete"));
        assert_eq!(check(vec![(Some(&[]), stable()), (Some(&[]), wait()), (Some(&["b"]), stable())]), (None, 1, 37, 4));
        assert_eq!(check(vec![(None, Readiness::Wait(gap("pending")))]).0, Some("pending"));
        assert_eq!(check(vec![(None, Readiness::Wait(gap("pending")))]).2, 900);
        assert_eq!(check(vec![(None, Readiness::WaitBriefly(gap("not-found")))]).2, 60);
        assert_eq!(check(vec![(None, Readiness::RetryOnce(gap("credentials")))]), (Some("credentials"), 0, 5, 2));
        // What had arrived before the credentials expired is kept.
        assert_eq!(check(vec![(Some(&["a"]), wait()), (None, Readiness::Never(gap("throttled")))]), (Some("throttled"), 1, 5, 2));
        assert_eq!(check(vec![(Some(&[]), Readiness::ReadyIfStable { but: Some(gap("incomplete")) })]), (Some("incomplete"), 0, 15, 2));
    }
}
