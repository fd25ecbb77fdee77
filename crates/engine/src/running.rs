//! Which operations are under way?

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use groundrun_model::ServiceId;
use groundrun_model::kind::{Kind, Write};
use groundrun_model::operation::Operation;
use uuid::Uuid;

/// How many finished operations a region keeps at least.
const KEPT: u32 = 1_000;

/// Every how many writes the others are removed.
const OFTEN: u32 = 256;

/// The operations that are under way, by their services. They are stored, too; here they need not be
/// looked for at every step of a rollout.
#[derive(Debug, Default)]
pub(crate) struct Running {
    operations: Mutex<HashMap<ServiceId, Vec<Operation>>>,
    writes: AtomicU32,
}

impl Running {
    /// Those of a service, in the order of their writes.
    pub(crate) fn of(&self, id: &ServiceId) -> Vec<Operation> {
        self.with(|operations| operations.get(id).cloned().unwrap_or_default())
    }

    /// One more; the caller holds the lock of the service.
    pub(crate) fn add(&self, id: &ServiceId, operation: Operation) {
        self.with(|operations| operations.entry(id.clone()).or_default().push(operation));
    }

    /// These of a service are over.
    pub(crate) fn finish(&self, id: &ServiceId, over: &[Uuid]) {
        self.with(|operations| {
            if let Some(own) = operations.get_mut(id) {
                own.retain(|operation| !over.contains(&operation.id));
                if own.is_empty() {
                    operations.remove(id);
                }
            }
        });
    }

    /// All of a service are over.
    pub(crate) fn forget(&self, id: &ServiceId) {
        self.with(|operations| operations.remove(id));
    }

    /// Now and then, what removes finished operations that nobody will ask for any more.
    pub(crate) fn pruning(&self, id: &ServiceId) -> Option<Write> {
        let due = self.writes.fetch_add(1, Ordering::Relaxed) % OFTEN == OFTEN - 1;
        due.then(|| Write::Prune {
            kind: Kind::Operation,
            project: id.project.id.to_string(),
            location: id.region.to_string(),
            keep: KEPT,
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashMap<ServiceId, Vec<Operation>>) -> T) -> T {
        change(&mut self.operations.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
