//! When may a resource be written?
//!
//! The statement itself carries the condition; how many rows it touched is the answer. Reading comes
//! after a refusal only, to say what is there instead.

use groundrun_model::kind::{Key, Kind};
use sqlx::SqliteConnection;

use super::row::{Row, StatusRow};
use super::together::{inserting, noting, updating};
use crate::error::{CommitError, Refusal};

/// Adds a resource, unless there is one of this name.
pub(crate) async fn insert(connection: &mut SqliteConnection, row: &Row) -> Result<(), Refusal> {
    let outcome = inserting(&[row]).build().execute(connection).await?;
    match outcome.rows_affected() {
        0 => Err(CommitError::AlreadyExists { name: row.key.name.clone() }.into()),
        _ => Ok(()),
    }
}

/// Replaces a resource that is at version `expected`. Its uid, parent's key and creation stay.
pub(crate) async fn update(
    connection: &mut SqliteConnection,
    row: &Row,
    expected: i64,
) -> Result<(), Refusal> {
    let (key, version) = (&row.key, row.version);
    if version <= expected {
        // Two writers that read the same version would both succeed.
        let why = format!("the version of '{}' must move on from {expected}, not to {version}", key.name);
        return Err(CommitError::Storage(why).into());
    }
    let outcome = updating(&[(row, expected)]).build().execute(&mut *connection).await?;
    match outcome.rows_affected() {
        0 => Err(refusal(connection, key, Some(expected)).await?),
        _ => Ok(()),
    }
}

/// Notes what became of a resource that is at version `expected`; the version stays.
pub(crate) async fn set_status(connection: &mut SqliteConnection, row: &StatusRow) -> Result<(), Refusal> {
    let outcome = noting(&[row]).build().execute(&mut *connection).await?;
    match outcome.rows_affected() {
        0 => Err(refusal(connection, &row.key, Some(row.expected)).await?),
        _ => Ok(()),
    }
}

/// Removes a resource that is at version `expected`, if one is given.
pub(crate) async fn delete(
    connection: &mut SqliteConnection,
    key: &Key,
    expected: Option<i64>,
) -> Result<(), Refusal> {
    let outcome = sqlx::query(
        "DELETE FROM resource WHERE kind = $1 AND project = $2 AND location = $3 AND name = $4 \
         AND deleted IS NULL AND version = coalesce($5, version)",
    )
    .bind(key.kind.as_str())
    .bind(&key.project)
    .bind(&key.location)
    .bind(&key.name)
    .bind(expected)
    .execute(&mut *connection)
    .await?;
    match outcome.rows_affected() {
        0 => Err(refusal(connection, key, expected).await?),
        _ => Ok(()),
    }
}

/// Removes what nobody owns of `kind` in one region, but for the newest `keep`; returns the names.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    kind: Kind,
    project: &str,
    location: &str,
    keep: u32,
) -> Result<Vec<String>, Refusal> {
    let names = sqlx::query_scalar(
        "DELETE FROM resource WHERE kind = $1 AND project = $2 AND location = $3 AND parent IS NULL \
         AND deleted IS NULL AND created < (SELECT created FROM resource WHERE kind = $1 AND project = $2 \
         AND location = $3 AND parent IS NULL AND deleted IS NULL ORDER BY created DESC, name DESC \
         LIMIT 1 OFFSET $4) RETURNING name",
    )
    .bind(kind.as_str())
    .bind(project)
    .bind(location)
    .bind(i64::from(keep))
    .fetch_all(connection)
    .await?;
    Ok(names)
}

/// Why no row was touched.
async fn refusal(
    connection: &mut SqliteConnection,
    key: &Key,
    expected: Option<i64>,
) -> Result<Refusal, Refusal> {
    let current: Option<i64> = sqlx::query_scalar(
        "SELECT version FROM resource WHERE kind = $1 AND project = $2 AND location = $3 AND name = $4 \
         AND deleted IS NULL",
    )
    .bind(key.kind.as_str())
    .bind(&key.project)
    .bind(&key.location)
    .bind(&key.name)
    .fetch_optional(connection)
    .await?;
    let name = key.name.clone();
    Ok(Refusal::Refused(match (current, expected) {
        (Some(current), Some(expected)) => CommitError::Conflict { name, expected, current },
        _ => CommitError::Gone { name },
    }))
}
