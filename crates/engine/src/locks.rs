//! Who may write a service now?
//!
//! A write reads a service, plans and commits, and the rollout of its revisions does the same; one after
//! the other, neither works on what the other has just changed. Correctness does not hang on this: the
//! database compares versions. The lock saves needless conflicts.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use groundrun_model::ServiceId;
use tokio::sync::{Mutex, MutexGuard};

/// How many services can be written at the same time, at most.
const SHARDS: usize = 64;

/// One lock for each service; services whose names hash alike share one.
#[derive(Debug)]
pub(crate) struct Locks(Vec<Mutex<()>>);

impl Default for Locks {
    fn default() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }
}

impl Locks {
    /// Waits until no one else writes the service.
    pub(crate) async fn lock(&self, id: &ServiceId) -> MutexGuard<'_, ()> {
        self.lock_at(self.of(id)).await
    }

    /// How many locks there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The number of the lock of the service.
    pub(crate) fn of(&self, id: &ServiceId) -> usize {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        usize::try_from(hash % SHARDS as u64).unwrap_or(0)
    }

    /// Waits until no one else writes a service with the lock of this number.
    pub(crate) async fn lock_at(&self, number: usize) -> MutexGuard<'_, ()> {
        self.0[number].lock().await
    }
}
