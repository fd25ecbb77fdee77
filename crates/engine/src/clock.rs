//! What time is it?
//!
//! One clock for everything: the engine, the verifier of tokens, the log and the data plane ask clones of it.
//! It can be moved, so that the end of a token can be seen without waiting for it. The movement is not kept:
//! an emulator that starts again has the time of its machine. What is not on it: deadlines of requests, which
//! a client waits through, and the column `updated` of the stored policies, which no rule reads.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use groundrun_model::clock::ClockChange;
use groundrun_model::{Result, Timestamp};

use crate::{Caller, Engine};

/// A clock. Clones are one clock: what moves one moves all.
#[derive(Clone)]
pub struct Clock {
    machine: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How far this clock is ahead of `machine`, in microseconds.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// The clock of this machine.
    pub fn system() -> Self {
        Self::new(|| {
            let since =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        })
    }

    /// A clock that reads `read`, until it is moved.
    pub fn new(read: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { machine: Arc::new(read), offset: Arc::default() }
    }

    /// The present moment. Takes no lock.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros((self.machine)().micros().saturating_add(self.offset_micros()))
    }

    /// How far it is ahead of the clock of the machine, in microseconds.
    pub fn offset_micros(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }

    /// Moves the clock; who reads it next sees the new time.
    ///
    /// # Errors
    /// 400 if it would leave the years 1970 to 9999.
    pub fn change(&self, change: ClockChange) -> Result<()> {
        let machine = (self.machine)();
        let mut seen = self.offset_micros();
        loop {
            let next = change.offset(machine, seen)?;
            // Two that advance it at once both count.
            match self.offset.compare_exchange_weak(seen, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(current) => seen = current,
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("offset_micros", &self.offset_micros()).finish_non_exhaustive()
    }
}

impl Engine {
    /// The clock of the emulator, for those who show it.
    pub fn clock(&self) -> &Clock {
        &self.0.parts.clock
    }

    /// Moves the clock of the emulator.
    ///
    /// # Errors
    /// As [`Clock::change`], and 403 where credentials are asked for and the caller is not the owner of this
    /// machine: a clock that goes back makes tokens good again that have ended.
    pub fn change_clock(&self, caller: &Caller, change: ClockChange) -> Result<()> {
        self.owner_only(caller, "the clock")?;
        self.clock().change(change)
    }
}
