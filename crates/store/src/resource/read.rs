//! How is a resource found, and how is a long list walked?

use std::cmp::Reverse;
use std::sync::Arc;

use groundrun_model::kind::{Key, Kind, Record, Resource};
use groundrun_model::{Error, Result, Timestamp};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};
use uuid::Uuid;

use crate::Store;
use crate::cache::Name;
use crate::error::unreadable;

/// How many resources one statement asks for by name; databases bound the number of parameters.
const AT_ONCE: usize = 300;

/// `SELECT` with the columns that [`record`] reads.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT project, location, name, uid, parent, generation, version, created, updated, spec, \
             status, meta FROM resource WHERE deleted IS NULL ",
            $rest
        )
    };
}

/// Which resources to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Their kind.
    pub kind: Kind,
    /// The id of their project.
    pub project: String,
    /// Their region; `None` for all regions.
    pub location: Option<String>,
    /// The short name of the resource that owns them; `None` for all.
    pub parent: Option<String>,
    /// How many at most; `None` for all.
    pub limit: Option<u32>,
    /// Where the page before this one ended; `None` for the first page.
    pub after: Option<Cursor>,
}

impl Query {
    /// All resources of `kind` in `project`.
    pub fn new(kind: Kind, project: impl Into<String>) -> Self {
        Self { kind, project: project.into(), location: None, parent: None, limit: None, after: None }
    }
}

/// A place in a list that stays where it is while resources come and go.
///
/// The location belongs to it because a list of all regions may hold one name twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// When the last resource of the page was created.
    pub created: Timestamp,
    /// Its short name.
    pub name: String,
    /// Its region.
    pub location: String,
}

impl Cursor {
    /// The place right behind `record`.
    pub fn behind(record: &Record) -> Self {
        Self { created: record.created, name: record.key.name.clone(), location: record.key.location.clone() }
    }
}

impl Store {
    /// The resource `key`, if it is there.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn get(&self, key: &Key) -> Result<Option<Record>> {
        self.row(key).await?.map(|row| record(key.kind, &row)).transpose()
    }

    async fn row(&self, key: &Key) -> Result<Option<SqliteRow>> {
        sqlx::query(select!("AND kind = $1 AND project = $2 AND location = $3 AND name = $4"))
            .bind(key.kind.as_str())
            .bind(&key.project)
            .bind(&key.location)
            .bind(&key.name)
            .fetch_optional(&self.reads)
            .await
            .map_err(unreadable)
    }

    /// Those of the resources `keys`, all of `kind`, that are there; in no order.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn get_many(&self, kind: Kind, keys: &[Key]) -> Result<Vec<Record>> {
        let mut records = Vec::with_capacity(keys.len());
        for keys in keys.chunks(AT_ONCE) {
            let mut sql = QueryBuilder::<Sqlite>::new(select!("AND kind = "));
            sql.push_bind(kind.as_str()).push(" AND (project, location, name) IN (");
            sql.push_values(keys, |mut row, key| {
                row.push_bind(&key.project).push_bind(&key.location).push_bind(&key.name);
            });
            let rows = sql.push(")").build().fetch_all(&self.reads).await.map_err(unreadable)?;
            for row in &rows {
                records.push(record(kind, row)?);
            }
        }
        Ok(records)
    }

    /// The resources that `query` asks for, the newest first.
    ///
    /// A walk that gives the [`Cursor`] of each page's last resource to the next query sees each
    /// resource that is there all the while exactly once, whatever is written meanwhile.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn list(&self, query: &Query) -> Result<Vec<Record>> {
        let rows = match (&query.location, query.limit) {
            (None, Some(limit)) => self.page_of_all_regions(query, limit as usize).await?,
            (location, _) => self.rows(query, location.as_deref()).await?,
        };
        rows.iter().map(|row| record(query.kind, row)).collect()
    }

    /// The rows of a query in one region, or in all.
    async fn rows(&self, query: &Query, location: Option<&str>) -> Result<Vec<SqliteRow>> {
        let mut sql = QueryBuilder::<Sqlite>::new(select!("AND kind = "));
        sql.push_bind(query.kind.as_str()).push(" AND project = ").push_bind(&query.project);
        if let Some(location) = location {
            sql.push(" AND location = ").push_bind(location);
        }
        if let Some(parent) = &query.parent {
            sql.push(" AND parent = ").push_bind(parent);
        }
        if let Some(after) = &query.after {
            sql.push(" AND (created, name, location) < (").push_bind(after.created.micros());
            sql.push(", ").push_bind(&after.name).push(", ").push_bind(&after.location).push(")");
        }
        sql.push(" ORDER BY created DESC, name DESC, location DESC");
        if let Some(limit) = query.limit {
            sql.push(" LIMIT ").push_bind(i64::from(limit));
        }
        sql.build().fetch_all(&self.reads).await.map_err(unreadable)
    }

    /// The newest of the pages of each region: indexes lead from a region to its newest resources, so that
    /// this costs as much with many of them as with few.
    async fn page_of_all_regions(&self, query: &Query, limit: usize) -> Result<Vec<SqliteRow>> {
        let mut rows = Vec::new();
        for region in self.regions(query.kind, &query.project).await? {
            for row in self.rows(query, Some(&region)).await? {
                let created: i64 = row.try_get("created").map_err(unreadable)?;
                let name: String = row.try_get("name").map_err(unreadable)?;
                rows.push((Reverse((created, name, region.clone())), row));
            }
        }
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        rows.truncate(limit);
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }

    /// The regions in which a project has resources of `kind`, each found by one step in an index.
    async fn regions(&self, kind: Kind, project: &str) -> Result<Vec<String>> {
        let mut regions: Vec<String> = Vec::new();
        loop {
            let next: Option<String> = sqlx::query_scalar(
                "SELECT min(location) FROM resource WHERE kind = $1 AND project = $2 AND location > $3",
            )
            .bind(kind.as_str())
            .bind(project)
            .bind(regions.last().map(String::as_str).unwrap_or_default())
            .fetch_one(&self.reads)
            .await
            .map_err(unreadable)?;
            let Some(next) = next else { return Ok(regions) };
            regions.push(next);
        }
    }

    /// How many resources of `kind` the resource `parent` owns.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn child_count(&self, kind: Kind, parent: &Key) -> Result<usize> {
        let count: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM resource WHERE deleted IS NULL AND kind = $1 AND project = $2 \
             AND location = $3 AND parent = $4",
        )
        .bind(kind.as_str())
        .bind(&parent.project)
        .bind(&parent.location)
        .bind(&parent.name)
        .fetch_one(&self.reads)
        .await
        .map_err(unreadable)?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// The names of the resources of `kind` that the resource `parent` owns, oldest first, at most
    /// `limit`: what can be told without reading what they say.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn children(&self, kind: Kind, parent: &Key, limit: usize) -> Result<Vec<String>> {
        sqlx::query_scalar(
            "SELECT name FROM resource WHERE deleted IS NULL AND kind = $1 AND project = $2 \
             AND location = $3 AND parent = $4 ORDER BY created, name LIMIT $5",
        )
        .bind(kind.as_str())
        .bind(&parent.project)
        .bind(&parent.location)
        .bind(&parent.name)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.reads)
        .await
        .map_err(unreadable)
    }

    /// The resources of `kind` in all projects, the newest first.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn all(&self, kind: Kind) -> Result<Vec<Record>> {
        let rows = sqlx::query(select!("AND kind = $1 ORDER BY created DESC, name DESC, location DESC"))
            .bind(kind.as_str())
            .fetch_all(&self.reads)
            .await
            .map_err(unreadable)?;
        rows.iter().map(|row| record(kind, row)).collect()
    }

    /// What the resource `key` holds, if it is there; from memory if it was read or written lately.
    ///
    /// # Errors
    /// 500 if the database or the record cannot be read.
    pub async fn find<R: Resource + Send + Sync + 'static>(&self, key: &Key) -> Result<Option<Arc<R>>> {
        let read = async || {
            let found = self.row(key).await?;
            let size = |row: &SqliteRow| -> Result<usize> {
                let length = |column| row.try_get::<&str, _>(column).map(str::len).map_err(unreadable);
                Ok(length("spec")? + length("status")? + length("meta")?)
            };
            let length = found.as_ref().map(size).transpose()?.unwrap_or(0);
            let record = found.map(|row| record(key.kind, &row)).transpose()?;
            Ok((record.map(R::from_record).transpose()?, length))
        };
        self.cached(Name::Resource(key.clone()), read).await
    }

    /// [`Store::all`], as what the records hold.
    ///
    /// # Errors
    /// 500 if the database or a record cannot be read.
    pub async fn find_all<R: Resource>(&self) -> Result<Vec<R>> {
        self.all(R::KIND).await?.into_iter().map(R::from_record).collect()
    }
}

/// The record in `row`, which [`select!`] chose.
fn record(kind: Kind, row: &SqliteRow) -> Result<Record> {
    let text = |column| row.try_get::<String, _>(column).map_err(unreadable);
    let number = |column| row.try_get::<i64, _>(column).map_err(unreadable);
    let damaged = |column: &str, problem: &dyn std::fmt::Display| {
        Error::internal(format!("column {column} of a stored {} is damaged: {problem}", kind.as_str()))
    };
    let json =
        |column| serde_json::from_str::<Value>(&text(column)?).map_err(|problem| damaged(column, &problem));
    Ok(Record {
        key: Key { kind, project: text("project")?, location: text("location")?, name: text("name")? },
        uid: Uuid::parse_str(&text("uid")?).map_err(|problem| damaged("uid", &problem))?,
        parent: row.try_get("parent").map_err(unreadable)?,
        generation: number("generation")?,
        version: number("version")?,
        created: Timestamp::from_micros(number("created")?),
        updated: Timestamp::from_micros(number("updated")?),
        spec: json("spec")?,
        status: json("status")?,
        meta: json("meta")?,
    })
}
