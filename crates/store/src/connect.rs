//! How is the database opened?

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use crate::error::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// Enough for the control plane of one developer; each connection has a thread and a page cache.
const READERS: u32 = 4;

/// How long to wait before a locked file is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// The options that all connections to `path`, or to one new database in memory, share.
pub(crate) fn options(path: Option<&Path>, busy: Duration) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::new()
        .busy_timeout(busy)
        .foreign_keys(true)
        // NORMAL would survive a killed process, but could lose the last commits with the power.
        .synchronous(SqliteSynchronous::Full)
        // What a statement may have to take back is kept in memory, and not in a file of its own.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging();
    match path {
        Some(path) => {
            let unwritable =
                |why: std::io::Error| StoreError::Unwritable { path: path.to_owned(), why: why.to_string() };
            // Absolute, because SQLite takes a name that begins with `file:` for a URI.
            let file = std::path::absolute(path).map_err(unwritable)?;
            if let Some(directory) = file.parent() {
                std::fs::create_dir_all(directory).map_err(unwritable)?;
            }
            Ok(options.filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal))
        }
        None => {
            // Connections share the database in memory that has this name: one for each store.
            static STORES: AtomicU64 = AtomicU64::new(0);
            let name = format!("file:groundrun-{}", STORES.fetch_add(1, Ordering::Relaxed));
            Ok(options.filename(name).in_memory(true).shared_cache(true))
        }
    }
}

/// The write connection to a database that has the newest version. Waits up to `busy` for others.
pub(crate) async fn writer(
    options: &SqliteConnectOptions,
    path: Option<&Path>,
    busy: Duration,
) -> Result<SqliteConnection, StoreError> {
    let path = path.unwrap_or(Path::new(":memory:"));
    let start = Instant::now();
    loop {
        match prepare(options, path).await {
            // SQLite waits for a lock by itself, except where a file is being made or turned to the
            // write-ahead log: of two processes that start together one is refused at once.
            Err(StoreError::Locked { .. }) if start.elapsed() < busy => tokio::time::sleep(RETRY).await,
            outcome => return outcome,
        }
    }
}

async fn prepare(options: &SqliteConnectOptions, path: &Path) -> Result<SqliteConnection, StoreError> {
    let opening = |error: sqlx::Error| StoreError::opening(path.to_owned(), &error);
    let mut connection = options.connect().await.map_err(opening)?;
    // Taking the write lock at once shows a file that is locked, and lets two processes that start
    // together migrate one after the other. The one statement that PostgreSQL does not take.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(opening)?;
    // Not `run`, with which the future of `Store::open` could not move between threads.
    if let Err(problem) = MIGRATIONS.run_direct(None, &mut *transaction, false).await {
        return Err(explain(problem, &mut transaction, path.to_owned()).await);
    }
    // SQLite opens a file that it may not write for reading, and says so at the first write: this one,
    // which touches nothing, and not somebody's deployment.
    sqlx::query("UPDATE project SET number = number WHERE id = ''")
        .execute(&mut *transaction)
        .await
        .map_err(opening)?;
    transaction.commit().await.map_err(opening)?;
    Ok(connection)
}

/// The pool for reads; it connects when the first read asks for it.
pub(crate) fn readers(options: &SqliteConnectOptions) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        // A file does not hang up: nothing to test, nothing to renew.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(
            options
                .clone()
                .pragma("query_only", "ON")
                // The system keeps the pages of the file too: what a start reads once is not to stay here.
                .pragma("cache_size", "-512")
                // A statement that finds hundreds of rows hands them over at once: a thread that waits for
                // the other after every few costs more than the rows.
                .row_buffer_size(crate::BULK),
        )
}

/// What a failed migration means for whoever opens `path`.
async fn explain(problem: MigrateError, connection: &mut SqliteConnection, path: PathBuf) -> StoreError {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    let found: Result<Option<i64>, _> =
        sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations").fetch_one(connection).await;
    match (problem, found) {
        (MigrateError::VersionMissing(_), Ok(Some(found))) if found > known => {
            StoreError::Newer { path, found, known }
        }
        (MigrateError::Execute(error), _) => StoreError::opening(path, &error),
        (problem, _) => StoreError::Migration { path, known, why: problem.to_string() },
    }
}
