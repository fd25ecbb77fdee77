//! How are IAM policies kept?

use std::time::{SystemTime, UNIX_EPOCH};

use groundrun_model::{Error, Result};
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::Store;
use crate::error::{CommitError, Refusal, unreadable};

/// An IAM policy as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The full name of the resource that it protects.
    pub resource: String,
    /// Its JSON.
    pub policy: Value,
    /// What optimistic concurrency compares.
    pub etag: Vec<u8>,
}

/// Replaces, adds or removes the policy of `resource`, if its etag is `expected`.
pub(crate) async fn set(
    connection: &mut SqliteConnection,
    resource: &str,
    policy: Option<&Value>,
    expected: Option<&[u8]>,
    etag: &[u8],
) -> Result<(), Refusal> {
    let statement = match (policy, expected) {
        (Some(policy), Some(expected)) => sqlx::query(
            "UPDATE policy SET policy = $1, etag = $2, updated = $3 WHERE resource = $4 AND etag = $5",
        )
        .bind(policy.to_string())
        .bind(etag)
        .bind(now())
        .bind(resource)
        .bind(expected),
        (Some(policy), None) => sqlx::query(
            "INSERT INTO policy (policy, etag, updated, resource) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (resource) DO NOTHING",
        )
        .bind(policy.to_string())
        .bind(etag)
        .bind(now())
        .bind(resource),
        (None, Some(expected)) => {
            sqlx::query("DELETE FROM policy WHERE resource = $1 AND etag = $2").bind(resource).bind(expected)
        }
        // Removes what the writer believed absent: a row touched is a conflict, and is rolled back.
        (None, None) => sqlx::query("DELETE FROM policy WHERE resource = $1").bind(resource),
    };
    let touched = statement.execute(connection).await?.rows_affected();
    let wanted = u64::from(policy.is_some() || expected.is_some());
    if touched == wanted {
        Ok(())
    } else {
        Err(CommitError::PolicyConflict { resource: resource.to_owned() }.into())
    }
}

/// Microseconds since the Unix epoch. For whoever looks into the file: no rule reads it.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// A row of the table.
type Row = (String, String, Vec<u8>);

fn read((resource, policy, etag): Row) -> Result<Policy> {
    let policy = serde_json::from_str(&policy).map_err(|problem| {
        Error::internal(format!("the stored IAM policy of '{resource}' is damaged: {problem}"))
    })?;
    Ok(Policy { resource, policy, etag })
}

impl Store {
    /// The IAM policy of `resource`, a full resource name, if it has one: its JSON and its etag.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn policy(&self, resource: &str) -> Result<Option<(Value, Vec<u8>)>> {
        let row: Option<Row> =
            sqlx::query_as("SELECT resource, policy, etag FROM policy WHERE resource = $1")
                .bind(resource)
                .fetch_optional(&self.reads)
                .await
                .map_err(unreadable)?;
        row.map(|row| read(row).map(|found| (found.policy, found.etag))).transpose()
    }

    /// All IAM policies, by the name of their resource.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn policies(&self) -> Result<Vec<Policy>> {
        let rows: Vec<Row> = sqlx::query_as("SELECT resource, policy, etag FROM policy ORDER BY resource")
            .fetch_all(&self.reads)
            .await
            .map_err(unreadable)?;
        rows.into_iter().map(read).collect()
    }
}
