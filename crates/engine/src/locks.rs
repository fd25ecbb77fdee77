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
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(id);
        let shard = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        self.0[shard].lock().await
    }
}
