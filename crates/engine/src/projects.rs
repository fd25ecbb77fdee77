//! Which projects are there?

use groundrun_model::{Code, Error, Project, ProjectNumber, Result};

use crate::{Caller, Engine, refused};

impl Engine {
    /// The project with this id or number. A project exists when its id is first named.
    ///
    /// # Errors
    /// 400 if it is not the id of a project, 403 for a number that no project here has.
    pub async fn project(&self, id_or_number: &str) -> Result<Project> {
        if let Some(number) = ProjectNumber::parse(id_or_number) {
            let known = self.store().projects().await?;
            return known.into_iter().find(|project| project.number == number).ok_or_else(|| {
                let message =
                    format!("Permission denied on resource project {number} (or it may not exist).");
                Error::new(Code::PermissionDenied, message)
                    .hint("a project is known here once it was named by its id")
            });
        }
        let project = Project::parse(id_or_number)?;
        self.remember_project(&project).await?;
        Ok(project)
    }

    /// Every project that was named, by id.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_projects(&self, caller: &Caller) -> Result<Vec<Project>> {
        let _allowed = self.allow(caller, "resourcemanager.projects.list", "projects")?;
        self.store().projects().await
    }

    /// Makes the project known. Reading comes first: a project is named by every request, and a write
    /// would wait for the disk.
    pub(crate) async fn remember_project(&self, project: &Project) -> Result<()> {
        let known = self.store().projects().await?;
        if known.contains(project) {
            return Ok(());
        }
        self.store().put_project(project).await.map_err(refused)
    }
}
