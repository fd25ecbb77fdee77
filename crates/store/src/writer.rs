//! How do the writes of all callers reach the disk?
//!
//! One task takes everything that waits, gives each caller a savepoint in one transaction, commits, and
//! only then answers. While a commit waits for the disk the next batch gathers, so that the time a
//! commit takes is shared by all who came meanwhile.

use std::sync::Arc;

use groundrun_model::kind::{Key, Kind};
use groundrun_model::{Project, Timestamp};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::account::{self, ServiceAccount};
use crate::cache::{Cache, Known, Name};
use crate::error::{CommitError, Refusal};
use crate::policy::Named;
use crate::resource::{Row, StatusRow, Together};
use crate::{policy, project, resource};

/// How many callers share a transaction at most: bounds how long the first of them waits.
const BATCH: usize = 256;

/// One change, whatever its table.
#[derive(Debug)]
pub(crate) enum Change {
    /// A resource that must not be there yet.
    Insert(Row),
    /// A resource that must be there at this version.
    Update(Row, i64),
    /// What became of a resource.
    Status(StatusRow),
    /// A resource that goes, from version `expected` if one is given.
    Delete { key: Key, expected: Option<i64> },
    /// What nobody owns of a kind in one region goes, but for the newest `keep`.
    Prune { kind: Kind, project: String, location: String, keep: u32 },
    /// The policy of `resource`, whose etag must be `expected`; `None` removes it.
    SetPolicy { resource: String, policy: Option<Arc<str>>, expected: Option<Vec<u8>>, etag: Vec<u8> },
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
    /// What some of them leave.
    pub(crate) known: Vec<Known>,
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
    cache: Arc<Cache>,
    named: Arc<Named>,
    /// Whether the connection may be inside a transaction that failed.
    failed: bool,
}

impl Writer {
    /// A writer that takes its messages from `inbox`.
    pub(crate) const fn new(
        connection: SqliteConnection,
        options: SqliteConnectOptions,
        inbox: mpsc::Receiver<Message>,
        cache: Arc<Cache>,
        named: Arc<Named>,
    ) -> Self {
        Self { connection, options, inbox, cache, named, failed: false }
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
        self.announce(&jobs);
        match self.transact(&jobs).await {
            Ok((outcomes, gone)) => {
                gone.into_iter().for_each(|name| self.cache.replace(name, None));
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    if outcome.is_ok() {
                        self.remember(&job);
                    }
                    // Nobody waits any more: the outcome stands all the same.
                    let _ = job.answer.send(outcome);
                }
            }
            Err(problem) => {
                self.failed = true;
                tracing::error!("the database could not be written: {problem}");
                for job in jobs {
                    // Whether a failed commit is on the disk is not known.
                    job.changes.iter().for_each(|change| self.forget(change));
                    let _ = job.answer.send(Err(CommitError::Storage(problem.to_string())));
                }
            }
        }
    }

    /// Says which policies there may be from now on.
    fn announce(&self, jobs: &[Job]) {
        for change in jobs.iter().flat_map(|job| &job.changes) {
            if let Change::SetPolicy { resource, policy: Some(_), .. } = change {
                self.named.note(resource);
            }
        }
    }

    /// Puts into the cache what a committed job leaves.
    fn remember(&self, job: &Job) {
        for change in &job.changes {
            let (key, size) = match change {
                Change::Insert(row) | Change::Update(row, _) => (&row.key, row.size()),
                // The specification is as long as it was; what counts is that it is not taken for nothing.
                Change::Status(row) => (&row.key, 2 * row.status.len()),
                other => {
                    self.forget(other);
                    continue;
                }
            };
            let known = job.known.iter().find(|known| known.key() == key);
            let value = known.map(|known| (Cache::value(known), size));
            self.cache.replace(Name::Resource(key.clone()), value);
        }
    }

    /// Drops from the cache what `change` is about.
    fn forget(&self, change: &Change) {
        let forget = |name| self.cache.replace(name, None);
        match change {
            Change::Insert(Row { key, .. })
            | Change::Update(Row { key, .. }, _)
            | Change::Status(StatusRow { key, .. })
            | Change::Delete { key, .. } => forget(Name::Resource(key.clone())),
            Change::SetPolicy { resource, .. } => forget(Name::Policy(resource.clone())),
            Change::ServiceAccount(account) | Change::UpdateServiceAccount { account, .. } => {
                forget(Name::Account(account.account.email.to_ascii_lowercase()));
                forget(Name::Account(account.account.unique_id.to_ascii_lowercase()));
            }
            // Their names come from the statement.
            Change::Prune { .. } | Change::Project(_) => {}
        }
    }

    /// One transaction for `jobs`; the outcome of each, once they are on the disk.
    async fn transact(&mut self, jobs: &[Job]) -> Result<(Vec<Outcome>, Gone), sqlx::Error> {
        if self.failed {
            // SQLite may have ended the failed transaction by itself, of which the driver knows
            // nothing. The old connection goes after the new one is there: a database in memory
            // lives as long as it has a connection.
            self.connection = self.options.connect().await?;
            self.failed = false;
        }
        if let Some(together) = Together::of(jobs) {
            let (mut batch, mut gone) = (self.connection.begin().await?, Gone::new());
            if together.apply(&mut batch, &mut gone).await? {
                batch.commit().await?;
                return Ok((jobs.iter().map(|_| Ok(())).collect(), gone));
            }
            batch.rollback().await?;
        }
        let (mut batch, mut gone) = (self.connection.begin().await?, Gone::new());
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            outcomes.push(attempt(&mut batch, &job.changes, &mut gone).await?);
        }
        batch.commit().await?;
        Ok((outcomes, gone))
    }
}

/// What a caller is told.
type Outcome = Result<(), CommitError>;

/// What was removed without being named.
pub(crate) type Gone = Vec<Name>;

/// Applies all of `changes`, or none and says why.
async fn attempt(
    batch: &mut SqliteConnection,
    changes: &[Change],
    gone: &mut Gone,
) -> Result<Outcome, sqlx::Error> {
    let mut savepoint = batch.begin().await?;
    for change in changes {
        match apply(&mut savepoint, change, gone).await {
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

/// Applies `change`; adds to `gone` what it removes without naming it.
pub(crate) async fn apply(
    connection: &mut SqliteConnection,
    change: &Change,
    gone: &mut Gone,
) -> Result<(), Refusal> {
    match change {
        Change::Insert(row) => resource::insert(connection, row).await,
        Change::Update(row, expected) => resource::update(connection, row, *expected).await,
        Change::Status(row) => resource::set_status(connection, row).await,
        Change::Delete { key, expected } => resource::delete(connection, key, *expected).await,
        Change::Prune { kind, project, location, keep } => {
            let names = resource::prune(connection, *kind, project, location, *keep).await?;
            let (kind, project, location) = (*kind, project.clone(), location.clone());
            let key = |name| Key { kind, project: project.clone(), location: location.clone(), name };
            gone.extend(names.into_iter().map(|name| Name::Resource(key(name))));
            Ok(())
        }
        Change::SetPolicy { resource, policy, expected, etag } => {
            policy::set(connection, resource, policy.as_ref(), expected.as_deref(), etag).await
        }
        Change::Project(project) => project::put(connection, project).await,
        Change::ServiceAccount(account) => account::put(connection, account).await,
        Change::UpdateServiceAccount { account, expected } => {
            account::update(connection, account, *expected).await
        }
    }
}
