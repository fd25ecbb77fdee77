//! How do the writes of all callers reach the disk?
//!
//! One task takes everything that waits, gives each caller a savepoint in one transaction, commits, and
//! only then answers. While a commit waits for the disk the next batch gathers, so that the time a
//! commit takes is shared by all who came meanwhile.

use groundrun_model::kind::Write;
use groundrun_model::{Project, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::account::{self, ServiceAccount};
use crate::error::{CommitError, Refusal};
use crate::{policy, project, resource};

/// How many callers share a transaction at most: bounds how long the first of them waits.
const BATCH: usize = 256;

/// One change, whatever its table.
#[derive(Debug)]
pub(crate) enum Change {
    /// Of a resource or a policy.
    Write(Write),
    /// A project that is to be known.
    Project(Project),
    /// A service account that is to exist.
    ServiceAccount(ServiceAccount),
    /// What is stored of a service account whose version is `expected`.
    UpdateServiceAccount { account: ServiceAccount, expected: Timestamp },
}

/// What one caller wants to have committed, all or nothing.
#[derive(Debug)]
pub(crate) struct Job {
    /// The changes, in order.
    pub(crate) changes: Vec<Change>,
    /// Where the outcome goes.
    pub(crate) answer: oneshot::Sender<Result<(), CommitError>>,
}

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Commit this.
    Commit(Job),
    /// Finish what was sent before this, and end.
    Close,
}

/// The owner of the only write connection.
pub(crate) struct Writer {
    connection: SqliteConnection,
    options: SqliteConnectOptions,
    inbox: mpsc::Receiver<Message>,
    /// Whether the connection may be inside a transaction that failed.
    failed: bool,
}

impl Writer {
    /// A writer that takes its messages from `inbox`.
    pub(crate) const fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        inbox: mpsc::Receiver<Message>,
    ) -> Self {
        Self { connection, options, inbox, failed: false }
    }

    /// Serves until it is told to close or the store is dropped.
    pub(crate) async fn run(mut self) {
        let mut messages = Vec::with_capacity(BATCH);
        while self.inbox.recv_many(&mut messages, BATCH).await > 0 {
            let mut jobs = Vec::with_capacity(messages.len());
            for message in messages.drain(..) {
                match message {
                    Message::Commit(job) => jobs.push(job),
                    // What is in the channel already is still received.
                    Message::Close => self.inbox.close(),
                }
            }
            self.serve(jobs).await;
        }
        if let Err(problem) = self.connection.close().await {
            tracing::warn!("the database was not closed cleanly: {problem}");
        }
    }

    /// Commits `jobs` and answers each.
    async fn serve(&mut self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        match self.transact(&jobs).await {
            Ok(outcomes) => {
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    // Nobody waits any more: the outcome stands all the same.
                    let _ = job.answer.send(outcome);
                }
            }
            Err(problem) => {
                self.failed = true;
                tracing::error!("the database could not be written: {problem}");
                for job in jobs {
                    let _ = job.answer.send(Err(CommitError::Storage(problem.to_string())));
                }
            }
        }
    }

    /// One transaction for `jobs`; the outcome of each, once they are on the disk.
    async fn transact(&mut self, jobs: &[Job]) -> Result<Vec<Result<(), CommitError>>, sqlx::Error> {
        if self.failed {
            // SQLite may have ended the failed transaction by itself, of which the driver knows
            // nothing. The old connection goes after the new one is there: a database in memory
            // lives as long as it has a connection.
            self.connection = self.options.connect().await?;
            self.failed = false;
        }
        let mut batch = self.connection.begin().await?;
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(attempt(&mut batch, &job.changes).await?);
        }
        batch.commit().await?;
        Ok(outcomes)
    }
}

/// Applies all of `changes`, or none and says why.
async fn attempt(
    batch: &mut SqliteConnection,
    changes: &[Change],
) -> Result<Result<(), CommitError>, sqlx::Error> {
    let mut savepoint = batch.begin().await?;
    for change in changes {
        match apply(&mut savepoint, change).await {
            Ok(()) => {}
            Err(Refusal::Refused(refusal)) => {
                savepoint.rollback().await?;
                return Ok(Err(refusal));
            }
            Err(Refusal::Failed(problem)) => return Err(problem),
        }
    }
    savepoint.commit().await?;
    Ok(Ok(()))
}

async fn apply(connection: &mut SqliteConnection, change: &Change) -> Result<(), Refusal> {
    match change {
        Change::Write(Write::Insert(record)) => resource::insert(connection, record).await,
        Change::Write(Write::Update { record, expected }) => {
            resource::update(connection, record, *expected).await
        }
        Change::Write(Write::Status { key, uid, expected, status }) => {
            resource::set_status(connection, key, *uid, *expected, status).await
        }
        Change::Write(Write::Delete { key, expected }) => resource::delete(connection, key, *expected).await,
        Change::Write(Write::Prune { kind, project, location, keep }) => {
            resource::prune(connection, *kind, project, location, *keep).await
        }
        Change::Write(Write::SetPolicy { resource, policy, expected, etag }) => {
            policy::set(connection, resource, policy.as_ref(), expected.as_deref(), etag).await
        }
        Change::Project(project) => project::put(connection, project).await,
        Change::ServiceAccount(account) => account::put(connection, account).await,
        Change::UpdateServiceAccount { account, expected } => {
            account::update(connection, account, *expected).await
        }
    }
}
