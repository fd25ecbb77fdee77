//! When may a resource be written?
//!
//! The statement itself carries the condition; how many rows it touched is the answer. Reading comes
//! after a refusal only, to say what is there instead.

use groundrun_model::kind::{Key, Kind, Record};
use serde_json::Value;
use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::error::{CommitError, Refusal};

/// Adds a resource, unless there is one of this name.
pub(crate) async fn insert(connection: &mut SqliteConnection, record: &Record) -> Result<(), Refusal> {
    let Record { key, uid, parent, generation, version, created, updated, spec, status, meta } = record;
    let outcome = sqlx::query(
        "INSERT INTO resource (kind, project, location, name, uid, parent, generation, version, created, \
         updated, spec, status, meta) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
         ON CONFLICT (kind, project, location, name) WHERE deleted IS NULL DO NOTHING",
    )
    .bind(key.kind.as_str())
    .bind(&key.project)
    .bind(&key.location)
    .bind(&key.name)
    .bind(uid.to_string())
    .bind(parent)
    .bind(generation)
    .bind(version)
    .bind(created.micros())
    .bind(updated.micros())
    .bind(spec.to_string())
    .bind(status.to_string())
    .bind(meta.to_string())
    .execute(connection)
    .await?;
    match outcome.rows_affected() {
        0 => Err(CommitError::AlreadyExists { name: key.name.clone() }.into()),
        _ => Ok(()),
    }
}

/// Replaces a resource that is at version `expected`. Its uid, parent's key and creation stay.
pub(crate) async fn update(
    connection: &mut SqliteConnection,
    record: &Record,
    expected: i64,
) -> Result<(), Refusal> {
    let Record { key, uid, parent, generation, version, created: _, updated, spec, status, meta } = record;
    if *version <= expected {
        // Two writers that read the same version would both succeed.
        let why = format!("the version of '{}' must move on from {expected}, not to {version}", key.name);
        return Err(CommitError::Storage(why).into());
    }
    let outcome = sqlx::query(
        "UPDATE resource SET parent = $1, generation = $2, version = $3, updated = $4, spec = $5, \
         status = $6, meta = $7 WHERE kind = $8 AND project = $9 AND location = $10 AND name = $11 \
         AND deleted IS NULL AND uid = $12 AND version = $13",
    )
    .bind(parent)
    .bind(generation)
    .bind(version)
    .bind(updated.micros())
    .bind(spec.to_string())
    .bind(status.to_string())
    .bind(meta.to_string())
    .bind(key.kind.as_str())
    .bind(&key.project)
    .bind(&key.location)
    .bind(&key.name)
    // A resource that was deleted and made again begins with the same versions.
    .bind(uid.to_string())
    .bind(expected)
    .execute(&mut *connection)
    .await?;
    match outcome.rows_affected() {
        0 => Err(refusal(connection, key, Some(expected)).await?),
        _ => Ok(()),
    }
}

/// Notes what became of a resource that is at version `expected`; the version stays.
pub(crate) async fn set_status(
    connection: &mut SqliteConnection,
    key: &Key,
    uid: Uuid,
    expected: i64,
    status: &Value,
) -> Result<(), Refusal> {
    let outcome = sqlx::query(
        "UPDATE resource SET status = $1 WHERE kind = $2 AND project = $3 AND location = $4 AND name = $5 \
         AND deleted IS NULL AND uid = $6 AND version = $7",
    )
    .bind(status.to_string())
    .bind(key.kind.as_str())
    .bind(&key.project)
    .bind(&key.location)
    .bind(&key.name)
    .bind(uid.to_string())
    .bind(expected)
    .execute(&mut *connection)
    .await?;
    match outcome.rows_affected() {
        0 => Err(refusal(connection, key, Some(expected)).await?),
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

/// Removes what nobody owns of `kind` in one region, but for the newest `keep`.
pub(crate) async fn prune(
    connection: &mut SqliteConnection,
    kind: Kind,
    project: &str,
    location: &str,
    keep: u32,
) -> Result<(), Refusal> {
    sqlx::query(
        "DELETE FROM resource WHERE kind = $1 AND project = $2 AND location = $3 AND parent IS NULL \
         AND deleted IS NULL AND created < (SELECT created FROM resource WHERE kind = $1 AND project = $2 \
         AND location = $3 AND parent IS NULL AND deleted IS NULL ORDER BY created DESC, name DESC \
         LIMIT 1 OFFSET $4)",
    )
    .bind(kind.as_str())
    .bind(project)
    .bind(location)
    .bind(i64::from(keep))
    .execute(connection)
    .await?;
    Ok(())
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
