//! What time is it in a story?

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use groundrun_engine::Clock;
use groundrun_model::Timestamp;

/// When every story begins: 2026-11-24T06:00:00Z, in microseconds since the epoch.
const BEGINNING: i64 = 1_795_500_000_000_000;

/// How far the clock goes on each time it is read: versions differ, and seconds pass only when a story
/// says so (or after a thousand readings).
const TICK: i64 = 1_000;

/// A clock that a story moves.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGINNING)))
    }

    pub(crate) fn clock(&self) -> Clock {
        let micros = Arc::clone(&self.0);
        Clock::new(move || Timestamp::from_micros(micros.fetch_add(TICK, Ordering::Relaxed)))
    }

    /// The present moment, in seconds since the epoch.
    pub fn seconds(&self) -> i64 {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed)).seconds()
    }

    /// Lets `seconds` pass.
    pub fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}
