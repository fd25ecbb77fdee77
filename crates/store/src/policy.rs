//! How are IAM policies kept?

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use groundrun_model::{Error, Result};
use serde_json::Value;
use sqlx::SqliteConnection;

use crate::Store;
use crate::cache::Name;
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

/// For which resources there may be a policy. Most have none, and every route of a service asks for two:
/// for those it is told without the database.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Hashes of names: two names that share one cost a needless look into the database, no more.
    names: RwLock<HashSet<u64>>,
    /// Whether the names that were stored before the start are among them.
    is_complete: AtomicBool,
}

impl Named {
    /// Notes that a policy of `resource` is about to be stored; before the commit, so that there is never
    /// one that is not noted.
    pub(crate) fn note(&self, resource: &str) {
        self.names.write().unwrap_or_else(PoisonError::into_inner).insert(hash(resource));
    }

    fn may_have(&self, resource: &str) -> bool {
        self.names.read().unwrap_or_else(PoisonError::into_inner).contains(&hash(resource))
    }

    fn complete<'a>(&self, resources: impl Iterator<Item = &'a str>) {
        self.names.write().unwrap_or_else(PoisonError::into_inner).extend(resources.map(hash));
        self.is_complete.store(true, Ordering::Release);
    }
}

fn hash(resource: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(resource)
}

/// Replaces, adds or removes the policy of `resource`, if its etag is `expected`.
pub(crate) async fn set(
    connection: &mut SqliteConnection,
    resource: &str,
    policy: Option<&Arc<str>>,
    expected: Option<&[u8]>,
    etag: &[u8],
) -> Result<(), Refusal> {
    let statement = match (policy, expected) {
        (Some(policy), Some(expected)) => sqlx::query(
            "UPDATE policy SET policy = $1, etag = $2, updated = $3 WHERE resource = $4 AND etag = $5",
        )
        .bind(Arc::clone(policy))
        .bind(etag)
        .bind(now())
        .bind(resource)
        .bind(expected),
        (Some(policy), None) => sqlx::query(
            "INSERT INTO policy (policy, etag, updated, resource) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (resource) DO NOTHING",
        )
        .bind(Arc::clone(policy))
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
        if !self.named.is_complete.load(Ordering::Acquire) {
            let names: Vec<String> = sqlx::query_scalar("SELECT resource FROM policy")
                .fetch_all(&self.reads)
                .await
                .map_err(unreadable)?;
            self.named.complete(names.iter().map(String::as_str));
        }
        if !self.named.may_have(resource) {
            return Ok(None);
        }
        let name = Name::Policy(resource.to_owned());
        let read = async || {
            let row: Option<Row> =
                sqlx::query_as("SELECT resource, policy, etag FROM policy WHERE resource = $1")
                    .bind(resource)
                    .fetch_optional(&self.reads)
                    .await
                    .map_err(unreadable)?;
            let size = row.as_ref().map_or(0, |(_, policy, _)| policy.len());
            Ok((row.map(read).transpose()?, size))
        };
        let found: Option<Arc<Policy>> = self.cached(name, read).await?;
        Ok(found.map(|found| (found.policy.clone(), found.etag.clone())))
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
        self.named.complete(rows.iter().map(|(resource, ..)| resource.as_str()));
        rows.into_iter().map(read).collect()
    }
}
