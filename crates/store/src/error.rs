//! Why can the database not be opened, and why was a commit refused?

use std::path::PathBuf;

use groundrun_model::Error;

/// Why [`crate::Store::open`] failed: one line that names the file, the cause and a way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file or its directory cannot be made or written.
    #[error(
        "database '{}' cannot be written: {why}; make the file and its directory writable, or choose \
         another directory with --data-dir", path.display()
    )]
    Unwritable {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file is something else, or damaged.
    #[error(
        "'{}' is not a database that can be read: {why}; move it away, or choose another directory with \
         --data-dir", path.display()
    )]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// Another process holds the file.
    #[error(
        "database '{}' is locked by another process: {why}; stop that process, or choose another \
         directory with --data-dir", path.display()
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// A newer groundrun wrote the file. Versions count the migrations.
    #[error(
        "database '{}' has version {found}, but this groundrun knows versions up to {known}; run a newer \
         groundrun, or choose another directory with --data-dir", path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this binary can read.
        known: i64,
    },
    /// The tables of the file cannot be brought to the newest version.
    #[error(
        "database '{}' cannot be brought to version {known}: {why}; move it away, or choose another \
         directory with --data-dir", path.display()
    )]
    Migration {
        /// The database file.
        path: PathBuf,
        /// The version that it was to have.
        known: i64,
        /// What went wrong.
        why: String,
    },
    /// Anything else.
    #[error(
        "database '{}' cannot be opened: {why}; choose another directory with --data-dir", path.display()
    )]
    Other {
        /// The database file.
        path: PathBuf,
        /// What SQLite or the system said.
        why: String,
    },
}

impl StoreError {
    /// What the driver's `error` means for whoever opens `path`.
    pub(crate) fn opening(path: PathBuf, error: &sqlx::Error) -> Self {
        // Primary result codes, the low byte of what the driver reports.
        const BUSY: i32 = 5;
        const LOCKED: i32 = 6;
        const READONLY: i32 = 8;
        const CORRUPT: i32 = 11;
        const FULL: i32 = 13;
        const CANTOPEN: i32 = 14;
        const NOTADB: i32 = 26;

        let why = text(error);
        match result_code(error) {
            Some(BUSY | LOCKED) => Self::Locked { path, why },
            Some(READONLY | FULL | CANTOPEN) => Self::Unwritable { path, why },
            Some(CORRUPT | NOTADB) => Self::NotADatabase { path, why },
            _ => Self::Other { path, why },
        }
    }
}

/// SQLite's primary result code, if `error` came from SQLite.
fn result_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// The words of `error` alone, without the driver's prefix.
fn text(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |known| known.message().to_owned())
}

/// Why a commit was refused; nothing of it was applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// There is a resource of this name already.
    #[error("resource '{name}' already exists")]
    AlreadyExists {
        /// Its short name.
        name: String,
    },
    /// Another writer was faster.
    #[error("resource '{name}' was expected at version {expected} and is at version {current}")]
    Conflict {
        /// Its short name.
        name: String,
        /// The version that the writer read.
        expected: i64,
        /// The version that is stored. Equal to `expected` if the resource that the writer read was
        /// deleted and another of the same name was made.
        current: i64,
    },
    /// There is no such resource any more.
    #[error("resource '{name}' is gone")]
    Gone {
        /// Its short name.
        name: String,
    },
    /// The IAM policy does not have the expected etag.
    #[error("the IAM policy of '{resource}' was changed by another writer")]
    PolicyConflict {
        /// The full resource name.
        resource: String,
    },
    /// The database failed.
    #[error("the database could not be written: {0}")]
    Storage(String),
}

/// Why one change was not applied.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The change does not hold; those of other callers still may.
    Refused(CommitError),
    /// The database failed, and with it the whole transaction.
    Failed(sqlx::Error),
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        Self::Refused(error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind::Other;
        match error.as_database_error() {
            // A broken constraint undoes one statement only.
            Some(known) if !matches!(known.kind(), Other) => {
                Self::Refused(CommitError::Storage(known.message().to_owned()))
            }
            _ => Self::Failed(error),
        }
    }
}

/// 500: the database cannot be read.
pub(crate) fn unreadable(error: sqlx::Error) -> Error {
    Error::internal(format!("the database could not be read: {}", text(&error)))
}
