//! How are thousands of services read at once?
//!
//! A start waits for this, and a change of what all policies refer to. So only the columns are read that a
//! route follows from, hundreds of rows by one statement, and each text is handed on where it lies. What is
//! read at once is bounded: memory that a start needs once would stay with the process.

use std::ops::Deref;

use groundrun_model::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::Store;
use crate::error::unreadable;

/// How many services or revisions to read at once.
pub const BULK: usize = 256;

/// The project and the region of services.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The id of the project.
    pub project: String,
    /// The region.
    pub location: String,
}

/// Rows of services of one place.
#[derive(Debug)]
pub struct ServiceRows(Vec<SqliteRow>);

/// What a route follows from, of a service as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct ServiceRow<'r> {
    /// The short name.
    pub name: &'r str,
    /// The generation of its specification.
    pub generation: i64,
    /// When it was created, in microseconds since the Unix epoch.
    pub created: i64,
    /// The JSON of what was asked for.
    pub spec: &'r str,
    /// The JSON of what became of it.
    pub status: &'r str,
    /// The JSON of its own IAM policy, if it has one.
    pub policy: Option<&'r str>,
}

/// Rows of revisions of one place.
#[derive(Debug)]
pub struct RevisionRows(Vec<SqliteRow>);

/// What an instance follows from, of a revision as it is stored.
#[derive(Debug, Clone, Copy)]
pub struct RevisionRow<'r> {
    /// The short name.
    pub name: &'r str,
    /// The JSON of its template and what it inherited.
    pub spec: &'r str,
}

/// Where a page ended: the moment of creation and the name of its last service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageEnd(i64, String);

/// The columns of a [`ServiceRow`].
const SERVICES: &str = "SELECT s.name, s.generation, s.created, s.spec, s.status, p.policy FROM resource s \
     LEFT JOIN policy p ON p.resource = 'projects/' || s.project || '/locations/' || s.location || \
     '/services/' || s.name WHERE s.deleted IS NULL AND s.kind = 'service' AND s.project = ";

impl ServiceRows {
    /// Each of them.
    ///
    /// # Errors
    /// 500 for a row that cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = Result<ServiceRow<'_>>> {
        self.0.iter().map(|row| service(row).map_err(unreadable))
    }

    /// Where the next page begins; `None` if this is the last one.
    ///
    /// # Errors
    /// 500 for a row that cannot be read.
    pub fn end(&self) -> Result<Option<PageEnd>> {
        let last = self.0.last().filter(|_| self.0.len() == BULK);
        let end = |row| service(row).map(|row| PageEnd(row.created, row.name.to_owned()));
        last.map(end).transpose().map_err(unreadable)
    }
}

fn service(row: &SqliteRow) -> sqlx::Result<ServiceRow<'_>> {
    Ok(ServiceRow {
        name: row.try_get(0)?,
        generation: row.try_get(1)?,
        created: row.try_get(2)?,
        spec: row.try_get(3)?,
        status: row.try_get(4)?,
        policy: row.try_get(5)?,
    })
}

impl RevisionRows {
    /// Each of them.
    ///
    /// # Errors
    /// 500 for a row that cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = Result<RevisionRow<'_>>> {
        self.0.iter().map(|row| revision(row).map_err(unreadable))
    }
}

fn revision(row: &SqliteRow) -> sqlx::Result<RevisionRow<'_>> {
    Ok(RevisionRow { name: row.try_get(0)?, spec: row.try_get(1)? })
}

impl Store {
    /// Where there are services.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_places(&self) -> Result<Vec<Place>> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT DISTINCT project, location FROM resource WHERE deleted IS NULL AND kind = 'service' \
             ORDER BY project, location",
        )
        .fetch_all(&self.reads)
        .await
        .map_err(unreadable)?;
        Ok(rows.into_iter().map(|(project, location)| Place { project, location }).collect())
    }

    /// The services of a place, the newest first, at most [`BULK`] of those behind `after`.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn service_page(&self, place: &Place, after: Option<&PageEnd>) -> Result<ServiceRows> {
        let mut sql = QueryBuilder::<Sqlite>::new(SERVICES);
        sql.push_bind(&place.project).push(" AND s.location = ").push_bind(&place.location);
        if let Some(PageEnd(created, name)) = after {
            sql.push(" AND (s.created, s.name) < (").push_bind(created).push(", ").push_bind(name).push(")");
        }
        sql.push(" ORDER BY s.created DESC, s.name DESC LIMIT ").push_bind(BULK as i64);
        Ok(ServiceRows(sql.build().fetch_all(&self.reads).await.map_err(unreadable)?))
    }

    /// Those of the services of these names, at most [`BULK`], that are there; in no order.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn services_named<T: Deref<Target = str>>(
        &self,
        place: &Place,
        names: &[T],
    ) -> Result<ServiceRows> {
        let mut sql = QueryBuilder::<Sqlite>::new(SERVICES);
        sql.push_bind(&place.project).push(" AND s.location = ").push_bind(&place.location);
        push_names(sql.push(" AND s.name IN ("), names);
        Ok(ServiceRows(sql.build().fetch_all(&self.reads).await.map_err(unreadable)?))
    }

    /// Those of the revisions of these names that are there; in no order.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn revisions_named<T: Deref<Target = str>>(
        &self,
        place: &Place,
        names: &[T],
    ) -> Result<RevisionRows> {
        let mut rows = Vec::with_capacity(names.len());
        for names in names.chunks(BULK) {
            let mut sql = QueryBuilder::<Sqlite>::new(
                "SELECT name, spec FROM resource WHERE deleted IS NULL AND kind = 'revision' AND project = ",
            );
            sql.push_bind(&place.project).push(" AND location = ").push_bind(&place.location);
            push_names(sql.push(" AND name IN ("), names);
            rows.extend(sql.build().fetch_all(&self.reads).await.map_err(unreadable)?);
        }
        Ok(RevisionRows(rows))
    }
}

/// The names, and the end of the list.
fn push_names<T: Deref<Target = str>>(sql: &mut QueryBuilder<Sqlite>, names: &[T]) {
    let mut list = sql.separated(", ");
    for name in names {
        list.push_bind((**name).to_owned());
    }
    sql.push(")");
}
