//! How long is somebody waited for?
//!
//! A timer of the runtime is set once in [`TICK`] for a connection, not once for a request: it looks whether
//! the moment has come that counts.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long a client may take for the head of a request, and from its connection to the first byte.
pub(super) const HEAD: Duration = Duration::from_secs(30);

/// How long a connection may be idle between two requests, as at load balancers of Google:
/// <https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries>.
pub(super) const IDLE: Duration = Duration::from_secs(610);

/// How often it is looked whether anything moves. A client that neither takes nor sends a byte from one look
/// to the one after the next has stalled.
pub(super) const TICK: Duration = Duration::from_secs(30);

/// A moment up to which somebody is waited for.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    sleep: Pin<Box<Sleep>>,
}

/// What the time says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Time {
    /// Go on.
    Left,
    /// Go on, and look whether anything moved since this was said last.
    Look,
    /// The moment has come.
    Over,
}

impl Patience {
    pub(super) fn new(duration: Duration) -> Self {
        let until = Instant::now() + duration;
        Self { until, sleep: Box::pin(sleep_until(until)) }
    }

    /// Waits for so long from now on.
    pub(super) fn set(&mut self, duration: Duration) {
        self.until = Instant::now() + duration;
        if self.until < self.sleep.deadline() {
            self.sleep.as_mut().reset(self.until);
        }
    }

    /// What the time says; whoever polls is woken when it says something else.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Time {
        let mut said = Time::Left;
        while self.sleep.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now >= self.until {
                return Time::Over;
            }
            said = Time::Look;
            self.sleep.as_mut().reset(self.until.min(now + TICK));
        }
        said
    }
}

/// Whether the emulator stops.
pub(super) struct Stop {
    told: watch::Receiver<bool>,
    waiting: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Who is woken: asked anew only when that is somebody else, since asking takes a lock.
    asked_by: Option<Waker>,
}

impl Stop {
    pub(super) fn new(told: watch::Receiver<bool>) -> Self {
        let mut waiting = told.clone();
        let waiting = Box::pin(async move {
            // An error would say that whoever could stop is gone, which is a stop as well.
            let _ = waiting.wait_for(|stops| *stops).await;
        });
        Self { told, waiting, asked_by: None }
    }

    /// Whether it does. Takes no lock.
    pub(super) fn is_now(&self) -> bool {
        self.told.has_changed().unwrap_or(true)
    }

    /// The same; and whoever polls is woken when it begins.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let is_known = self.asked_by.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
        if !is_known && !self.is_now() {
            self.asked_by = Some(cx.waker().clone());
            return matches!(self.waiting.as_mut().poll(cx), Poll::Ready(()));
        }
        self.is_now()
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stop").field("is_now", &self.is_now()).finish_non_exhaustive()
    }
}
