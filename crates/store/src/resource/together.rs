//! How are the changes of many callers written with few statements?
//!
//! Each statement is a message to the thread of the connection and back, which costs more than what it
//! does for one row. Rows of one sort share a statement, which touches as many rows as were given to it if
//! all conditions hold. If it does not, somebody is refused, and the callers are served one by one.

use std::collections::HashSet;

use groundrun_model::kind::Key;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::row::{Row, StatusRow};
use crate::error::Refusal;
use crate::writer::{Change, Gone, Job, apply};

/// How many rows a statement has: few different ones, so that each is prepared once.
const SIZES: [usize; 8] = [64, 32, 16, 8, 4, 3, 2, 1];

/// The changes of a batch in which the order does not matter, because each is about another resource.
pub(crate) struct Together<'j> {
    inserts: Vec<&'j Row>,
    updates: Vec<(&'j Row, i64)>,
    statuses: Vec<&'j StatusRow>,
    others: Vec<&'j Change>,
}

impl<'j> Together<'j> {
    /// The changes of `jobs`, if they can be made in any order.
    pub(crate) fn of(jobs: &'j [Job]) -> Option<Self> {
        let mut together =
            Self { inserts: Vec::new(), updates: Vec::new(), statuses: Vec::new(), others: Vec::new() };
        let mut keys: HashSet<&Key> = HashSet::new();
        for change in jobs.iter().flat_map(|job| &job.changes) {
            let key = match change {
                Change::Insert(row) => {
                    together.inserts.push(row);
                    Some(&row.key)
                }
                Change::Update(row, expected) => {
                    if row.version <= *expected {
                        return None;
                    }
                    together.updates.push((row, *expected));
                    Some(&row.key)
                }
                Change::Status(row) => {
                    together.statuses.push(row);
                    Some(&row.key)
                }
                Change::Delete { key, .. } => {
                    together.others.push(change);
                    Some(key)
                }
                _ => {
                    together.others.push(change);
                    None
                }
            };
            if !key.is_none_or(|key| keys.insert(key)) {
                return None;
            }
        }
        Some(together)
    }

    /// Makes the changes; `false` if one of them does not hold, and then the transaction must not be
    /// committed.
    pub(crate) async fn apply(
        &self,
        connection: &mut SqliteConnection,
        gone: &mut Gone,
    ) -> Result<bool, sqlx::Error> {
        match self.attempt(connection, gone).await {
            Ok(holds) => Ok(holds),
            Err(Refusal::Refused(_)) => Ok(false),
            Err(Refusal::Failed(problem)) => Err(problem),
        }
    }

    async fn attempt(&self, connection: &mut SqliteConnection, gone: &mut Gone) -> Result<bool, Refusal> {
        let mut holds = true;
        for rows in portions(&self.inserts) {
            holds = holds && execute(inserting(rows), rows.len(), connection).await?;
        }
        for rows in portions(&self.updates) {
            holds = holds && execute(updating(rows), rows.len(), connection).await?;
        }
        for rows in portions(&self.statuses) {
            holds = holds && execute(noting(rows), rows.len(), connection).await?;
        }
        if holds {
            for change in &self.others {
                apply(connection, change, gone).await?;
            }
        }
        Ok(holds)
    }
}

/// Whether the statement touches as many rows as it has.
async fn execute(
    mut sql: QueryBuilder<Sqlite>,
    rows: usize,
    connection: &mut SqliteConnection,
) -> Result<bool, Refusal> {
    let touched = sql.build().execute(connection).await?.rows_affected();
    Ok(touched == rows as u64)
}

/// `rows` in portions of the known sizes, the largest first.
fn portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len())?;
        let (portion, more) = rest.split_at(size);
        rest = more;
        Some(portion)
    })
}

pub(crate) fn inserting(rows: &[&Row]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "INSERT INTO resource (kind, project, location, name, uid, parent, generation, version, created, \
         updated, spec, status, meta) ",
    );
    sql.push_values(rows, |mut values, row| {
        values
            .push_bind(row.key.kind.as_str())
            .push_bind(&row.key.project)
            .push_bind(&row.key.location)
            .push_bind(&row.key.name)
            .push_bind(row.uid.to_string())
            .push_bind(&row.parent)
            .push_bind(row.generation)
            .push_bind(row.version)
            .push_bind(row.created)
            .push_bind(row.updated)
            .push_bind(row.spec.clone())
            .push_bind(row.status.clone())
            .push_bind(row.meta.clone());
    });
    sql.push(" ON CONFLICT (kind, project, location, name) WHERE deleted IS NULL DO NOTHING");
    sql
}

/// The condition that `resource` is what a row of `next` means.
const SAME: &str = " FROM next WHERE resource.uid = next.uid AND resource.version = next.expected AND \
    resource.kind = next.kind AND resource.project = next.project AND resource.location = next.location \
    AND resource.name = next.name AND resource.deleted IS NULL";

pub(crate) fn updating(rows: &[(&Row, i64)]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(
        "WITH next (kind, project, location, name, uid, expected, parent, generation, version, updated, \
         spec, status, meta) AS (",
    );
    sql.push_values(rows, |mut values, (row, expected)| {
        values
            .push_bind(row.key.kind.as_str())
            .push_bind(&row.key.project)
            .push_bind(&row.key.location)
            .push_bind(&row.key.name)
            .push_bind(row.uid.to_string())
            .push_bind(*expected)
            .push_bind(&row.parent)
            .push_bind(row.generation)
            .push_bind(row.version)
            .push_bind(row.updated)
            .push_bind(row.spec.clone())
            .push_bind(row.status.clone())
            .push_bind(row.meta.clone());
    });
    sql.push(
        ") UPDATE resource SET parent = next.parent, generation = next.generation, version = next.version, \
         updated = next.updated, spec = next.spec, status = next.status, meta = next.meta",
    );
    sql.push(SAME);
    sql
}

pub(crate) fn noting(rows: &[&StatusRow]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("WITH next (kind, project, location, name, uid, expected, status) AS (");
    sql.push_values(rows, |mut values, row| {
        values
            .push_bind(row.key.kind.as_str())
            .push_bind(&row.key.project)
            .push_bind(&row.key.location)
            .push_bind(&row.key.name)
            .push_bind(row.uid.to_string())
            .push_bind(row.expected)
            .push_bind(row.status.clone());
    });
    sql.push(") UPDATE resource SET status = next.status").push(SAME);
    sql
}
