//! How many revisions does a service have that has had more than it keeps?
//!
//! Counting a thousand at every write would make writing slower the older a service is. They are counted
//! once; from then on the numbers that revisions get tell how many came.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use groundrun_model::ServiceId;

/// What was counted.
#[derive(Debug, Clone, Copy)]
struct Count {
    /// The number of the last revision that was cut until then.
    number: u64,
    /// How many there were.
    revisions: usize,
}

/// The counts of those services. Who asks or tells holds the lock of the service.
#[derive(Debug, Default)]
pub(crate) struct Retained(Mutex<HashMap<ServiceId, Count>>);

impl Retained {
    /// How many revisions the service has now that the number of its last one is `number`, if they were
    /// counted.
    pub(crate) fn get(&self, id: &ServiceId, number: u64) -> Option<usize> {
        let count = self.with(|counts| counts.get(id).copied())?;
        let cut = usize::try_from(number.checked_sub(count.number)?).ok()?;
        Some(count.revisions + cut)
    }

    /// There are so many.
    pub(crate) fn set(&self, id: &ServiceId, number: u64, revisions: usize) {
        self.with(|counts| counts.insert(id.clone(), Count { number, revisions }));
    }

    /// Something else than a new revision changed their number: they must be counted again.
    pub(crate) fn forget(&self, id: &ServiceId) {
        self.with(|counts| counts.remove(id));
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<ServiceId, Count>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
