//! Which projects are there?

use std::sync::PoisonError;

use groundrun_model::iam::Resource;
use groundrun_model::{Code, Error, Project, ProjectNumber, Result};

use crate::{Caller, Engine, refused};

impl Engine {
    /// The project with this id or number. A project exists when its id is first named.
    ///
    /// # Errors
    /// 400 if it is not the id of a project, 403 for a number that no project here has.
    pub async fn project(&self, id_or_number: &str) -> Result<Project> {
        if let Some(number) = ProjectNumber::parse(id_or_number) {
            let known = self.known_projects().find(|project| project.number == number);
            return known.ok_or_else(|| {
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

    /// The project, if the caller may see it.
    ///
    /// # Errors
    /// 403 if it may not.
    pub async fn get_project(&self, caller: &Caller, project: &Project) -> Result<Project> {
        let _allowed = self.allow(caller, "resourcemanager.projects.get", Resource::Project(project)).await?;
        Ok(project.clone())
    }

    /// Every project that was named and that the caller may see, by id.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_projects(&self, caller: &Caller) -> Result<Vec<Project>> {
        let mut visible = Vec::new();
        for project in self.known_projects() {
            let seen = self.allow(caller, "resourcemanager.projects.get", Resource::Project(&project)).await;
            if seen.is_ok() {
                visible.push(project);
            }
        }
        Ok(visible)
    }

    /// Makes the project known. Every request names one, and all but the first find it in memory.
    pub(crate) async fn remember_project(&self, project: &Project) -> Result<()> {
        if self.0.projects.read().unwrap_or_else(PoisonError::into_inner).contains(project) {
            return Ok(());
        }
        self.store().put_project(project).await.map_err(refused)?;
        self.0.projects.write().unwrap_or_else(PoisonError::into_inner).insert(project.clone());
        Ok(())
    }

    /// Reads the projects that were named before.
    pub(crate) async fn recall_projects(&self) -> Result<()> {
        let stored = self.store().projects().await?;
        self.0.projects.write().unwrap_or_else(PoisonError::into_inner).extend(stored);
        Ok(())
    }

    fn known_projects(&self) -> impl Iterator<Item = Project> {
        self.0.projects.read().unwrap_or_else(PoisonError::into_inner).clone().into_iter()
    }
}
