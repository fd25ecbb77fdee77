//! Which projects have been named?

use groundrun_model::{Error, Project, ProjectNumber, Result};
use sqlx::SqliteConnection;

use crate::Store;
use crate::error::{CommitError, Refusal, unreadable};
use crate::writer::Change;

/// Makes `project` known, unless it is.
pub(crate) async fn put(connection: &mut SqliteConnection, project: &Project) -> Result<(), Refusal> {
    // Only the id may be there already: another project with the same number is an error.
    sqlx::query("INSERT INTO project (id, number) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(project.id.as_str())
        .bind(stored(project)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// The number as the database counts.
fn stored(project: &Project) -> Result<i64, Refusal> {
    let number = project.number.to_string();
    number.parse().map_err(|_| CommitError::Storage(format!("project number {number} is too large")).into())
}

impl Store {
    /// Makes `project` known; does nothing if it is.
    ///
    /// # Errors
    /// If another project has its number, or the database cannot be written.
    pub async fn put_project(&self, project: &Project) -> Result<(), CommitError> {
        self.change(vec![Change::Project(project.clone())], Vec::new()).await
    }

    /// All projects that have been named, by id.
    ///
    /// # Errors
    /// 500 if the database cannot be read.
    pub async fn projects(&self) -> Result<Vec<Project>> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT id, number FROM project ORDER BY id")
            .fetch_all(&self.reads)
            .await
            .map_err(unreadable)?;
        rows.into_iter()
            .map(|(id, number)| {
                let number = ProjectNumber::parse(&number.to_string()).ok_or_else(|| {
                    Error::internal(format!("the stored number {number} of project '{id}' is damaged"))
                })?;
                // The number that was handed out stays, even if it no longer followed from the id.
                Ok(Project { id: Project::parse(&id)?.id, number })
            })
            .collect()
    }
}
