//! What can be done with custom roles?

use groundrun_model::iam::Resource;
use groundrun_model::iam::custom_role::{CustomRole, RoleSpec};
use groundrun_model::kind::{Resource as _, Write};
use groundrun_model::{Code, Error, Project, Result};

use crate::{Caller, Engine, refused};

impl Engine {
    /// Creates the role `id` of the project.
    ///
    /// # Errors
    /// 400 for a malformed id or specification and if a deleted role has the id, 409 if another has it.
    pub async fn create_role(
        &self,
        caller: &Caller,
        project: &Project,
        id: &str,
        spec: RoleSpec,
    ) -> Result<CustomRole> {
        let _allowed = self.allow(caller, "iam.roles.create", Resource::Project(project)).await?;
        let role = CustomRole::create(project, id, spec, self.0.parts.draw.uuid(), self.now())?;
        match self.0.realm.load().roles.get(&role.name()) {
            None => {}
            Some(known) if known.deleted => {
                let message = format!(
                    "You can't create a role with role_id ({id}) where there is an existing role with that \
                     role_id in a deleted state."
                );
                return Err(Error::new(Code::FailedPrecondition, message));
            }
            Some(_) => return Err(already_there(project, id)),
        }
        self.write_role(Write::Insert(role.to_record()?), role).await
    }

    /// The role `id` of the project, also a deleted one.
    ///
    /// # Errors
    /// 404 if there was never one.
    pub async fn get_role(&self, caller: &Caller, project: &Project, id: &str) -> Result<CustomRole> {
        let _allowed = self.allow(caller, "iam.roles.get", Resource::Project(project)).await?;
        self.known_role(project, id)
    }

    /// The roles of the project by id, with the deleted ones if `show_deleted`.
    ///
    /// # Errors
    /// 403 if the caller may not list them.
    pub async fn list_roles(
        &self,
        caller: &Caller,
        project: &Project,
        show_deleted: bool,
    ) -> Result<Vec<CustomRole>> {
        let _allowed = self.allow(caller, "iam.roles.list", Resource::Project(project)).await?;
        let is_listed =
            |role: &&CustomRole| role.project == project.id.as_str() && (show_deleted || !role.deleted);
        Ok(self.0.realm.load().roles.values().filter(is_listed).cloned().collect())
    }

    /// Replaces the fields of a role that `mask` names, or all that `given` says. It counts at once.
    ///
    /// # Errors
    /// 404 if there is none, 400 for a malformed change and for a deleted role, 409 for a stale `etag`.
    pub async fn update_role(
        &self,
        caller: &Caller,
        (project, id): (&Project, &str),
        given: RoleSpec,
        mask: &str,
        etag: &str,
    ) -> Result<CustomRole> {
        let _allowed = self.allow(caller, "iam.roles.update", Resource::Project(project)).await?;
        let known = self.known_role(project, id)?;
        let next = known.with_spec(known.spec.masked(given, mask)?, etag, self.now())?;
        self.replace_role(&known, next).await
    }

    /// Deletes a role, or brings it back. Its bindings stay and grant nothing meanwhile.
    ///
    /// # Errors
    /// 404 if there is none, 400 if it is in that state already, 409 for a stale `etag`.
    pub async fn set_role_deleted(
        &self,
        caller: &Caller,
        (project, id): (&Project, &str),
        deleted: bool,
        etag: &str,
    ) -> Result<CustomRole> {
        let permission = if deleted { "iam.roles.delete" } else { "iam.roles.undelete" };
        let _allowed = self.allow(caller, permission, Resource::Project(project)).await?;
        let known = self.known_role(project, id)?;
        let next = known.with_deleted(deleted, etag, self.now())?;
        self.replace_role(&known, next).await
    }

    /// Reads the roles that were made before.
    pub(crate) async fn recall_roles(&self) -> Result<()> {
        // One at a time: reading and replacing must not be overtaken by an older reading.
        let _turn = self.0.publishing.lock().await;
        let roles = self.store().find_all::<CustomRole>().await?;
        self.change_realm(|realm| {
            realm.roles = roles.iter().map(|role| (role.name(), role.clone())).collect();
        });
        Ok(())
    }

    fn known_role(&self, project: &Project, id: &str) -> Result<CustomRole> {
        let name = format!("projects/{}/roles/{id}", project.id);
        let missing = || Error::new(Code::NotFound, format!("The role named {name} was not found."));
        self.0.realm.load().roles.get(&name).cloned().ok_or_else(missing)
    }

    async fn replace_role(&self, known: &CustomRole, next: CustomRole) -> Result<CustomRole> {
        let write = Write::Update { record: next.to_record()?, expected: known.version() };
        self.write_role(write, next).await
    }

    async fn write_role(&self, write: Write, role: CustomRole) -> Result<CustomRole> {
        self.store().commit(vec![write]).await.map_err(|error| match refused(error) {
            Error { code: Code::AlreadyExists, .. } => {
                Error::new(Code::AlreadyExists, already_words(&role.project, &role.id))
            }
            Error { code: Code::Aborted, .. } => Error::policy_conflict(),
            other => other,
        })?;
        self.recall_roles().await?;
        self.republish().await?;
        Ok(role)
    }
}

fn already_there(project: &Project, id: &str) -> Error {
    Error::new(Code::AlreadyExists, already_words(project.id.as_str(), id))
}

fn already_words(project: &str, id: &str) -> String {
    format!("A role named {id} in projects/{project} already exists.")
}
