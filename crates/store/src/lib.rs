//! Where does groundrun keep what it must not forget?
//!
//! One SQLite file; the only crate with SQL. Writes go through one task that owns the only write
//! connection, commits the writes of all who wait in one transaction, and answers each only after
//! `COMMIT`: what was answered survives `kill -9`. Reads come from a small pool and, thanks to the
//! write-ahead log, never wait for a writer.
//!
//! Uniqueness and optimistic concurrency are decided by the database, in the statement that writes.

mod account;
mod bulk;
mod cache;
mod connect;
mod error;
mod policy;
mod project;
mod resource;
mod writer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use groundrun_model::Result as ModelResult;
use groundrun_model::kind::Write;
use sqlx::SqlitePool;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

pub use account::ServiceAccount;
pub use bulk::{BULK, PageEnd, Place, RevisionRow, RevisionRows, ServiceRow, ServiceRows};
pub use cache::Known;
pub use error::{CommitError, StoreError};
pub use policy::Policy;
pub use resource::{Cursor, Query};

use cache::{Cache, Name};
use policy::Named;
use writer::{Change, Job, Message, Writer};

/// How long a connection waits for another process that holds the file, before it gives up.
const BUSY: Duration = Duration::from_secs(5);

/// How many commits may wait for the writer before [`Store::commit`] itself waits.
const WAITING: usize = 1024;

/// The database. Dropping it closes it, too; [`Store::close`] also waits until that is done.
#[derive(Debug)]
pub struct Store {
    inbox: mpsc::Sender<Message>,
    reads: SqlitePool,
    cache: Arc<Cache>,
    named: Arc<Named>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the database file `path`, making it and its directory if they are missing, and brings it
    /// to the newest version. Without a path the database is in memory, apart from every other, and
    /// gone with the store.
    ///
    /// # Errors
    /// If the file cannot be written, is no database, is locked, or was written by a newer groundrun.
    pub async fn open(path: Option<&Path>) -> Result<Self, StoreError> {
        Self::open_within(path, BUSY).await
    }

    async fn open_within(path: Option<&Path>, busy: Duration) -> Result<Self, StoreError> {
        let options = connect::options(path, busy)?;
        let connection = connect::writer(&options, path, busy).await?;
        let reads = connect::readers(&options);
        let (inbox, messages) = mpsc::channel(WAITING);
        let (cache, named) = (Arc::<Cache>::default(), Arc::<Named>::default());
        let writer = Writer::new(connection, options, messages, Arc::clone(&cache), Arc::clone(&named));
        let writer = Mutex::new(Some(tokio::spawn(writer.run())));
        Ok(Self { inbox, reads, cache, named, writer })
    }

    /// Applies `writes` in their order, all or none; returns once they are on the disk. If the caller
    /// stops waiting, the writes may still be committed.
    ///
    /// # Errors
    /// What the first write that does not hold was refused for; then none was applied.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), CommitError> {
        self.commit_known(writes, Vec::new()).await
    }

    /// [`Store::commit`], by a caller who knows what some of the writes leave: [`Store::find`] has it
    /// without reading it.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn commit_known(&self, writes: Vec<Write>, known: Vec<Known>) -> Result<(), CommitError> {
        debug_assert!(
            known.iter().all(|known| is_written(known, &writes)),
            "{known:?} is not what is written"
        );
        self.change(writes.into_iter().map(Change::from).collect(), known).await
    }

    async fn change(&self, changes: Vec<Change>, known: Vec<Known>) -> Result<(), CommitError> {
        let closed = || CommitError::Storage("the database is closed".to_owned());
        let (answer, answered) = oneshot::channel();
        let message = Message::Commit(Job { changes, known, answer });
        self.inbox.send(message).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// What `read` finds under `name`, from the cache if it is there; `read` also tells the length of the
    /// text that it read.
    async fn cached<T: Send + Sync + 'static>(
        &self,
        name: Name,
        read: impl AsyncFnOnce() -> ModelResult<(Option<T>, usize)>,
    ) -> ModelResult<Option<Arc<T>>> {
        match self.cache.get(&name) {
            Some(None) => return Ok(None),
            Some(Some(value)) => {
                if let Ok(value) = value.downcast() {
                    return Ok(Some(value));
                }
            }
            None => {}
        }
        let moment = self.cache.moment(&name);
        let (found, size) = read().await?;
        let found = found.map(Arc::new);
        self.cache.keep(name, moment, found.clone().map(|found| found as cache::Value), size);
        Ok(found)
    }

    /// Finishes the commits that were accepted, refuses later ones, and leaves one file without a
    /// write-ahead log beside it.
    pub async fn close(&self) {
        // SQLite folds the log into the file when the last connection goes, and only a writer can.
        self.reads.close().await;
        // A failed send means that the writer has ended already.
        let _ = self.inbox.send(Message::Close).await;
        let mut writer = self.writer.lock().await;
        if let Some(writer) = writer.take()
            && let Err(problem) = writer.await
        {
            tracing::error!("the database writer ended early: {problem}");
        }
    }
}

/// Whether `writes` leave what is `known`.
fn is_written(known: &Known, writes: &[Write]) -> bool {
    let Some(known) = known.record() else { return false };
    writes.iter().any(|write| match write {
        Write::Insert(record) | Write::Update { record, .. } => *record == known,
        Write::Status { key, uid, expected, status } => {
            *key == known.key && *uid == known.uid && *expected == known.version && *status == known.status
        }
        _ => false,
    })
}
