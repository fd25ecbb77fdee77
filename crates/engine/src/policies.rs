//! What can be done with IAM policies?

use groundrun_model::iam::{self, Binding, Policy, PolicyLevel};
use groundrun_model::kind::Write;
use groundrun_model::{Error, Project, Result, ServiceId};

use crate::services::missing;
use crate::{Caller, Engine, refused};

/// What a policy stands on.
pub(crate) enum Resource<'a> {
    Service(&'a ServiceId),
    Project(&'a Project),
    /// A service account that is there, by its resource name.
    ServiceAccount(&'a str),
}

impl Engine {
    /// The policy of a service, as a caller sees it who asks for version `requested`.
    ///
    /// # Errors
    /// 404 if there is no such service, 400 if there is no such version.
    pub async fn get_service_policy(
        &self,
        caller: &Caller,
        id: &ServiceId,
        requested: i32,
    ) -> Result<Policy> {
        let _allowed = self.allow(caller, "run.services.getIamPolicy", iam::Resource::Service(id)).await?;
        self.policy_of(Resource::Service(id)).await?.read(requested)
    }

    /// Replaces the policy of a service. It holds from the next request on.
    ///
    /// # Errors
    /// 404 if there is no such service, 400 for a malformed policy, 409 if it was changed meanwhile.
    pub async fn set_service_policy(
        &self,
        caller: &Caller,
        id: &ServiceId,
        policy: Policy,
        mask: Option<&str>,
    ) -> Result<Policy> {
        let _allowed = self.allow(caller, "run.services.setIamPolicy", iam::Resource::Service(id)).await?;
        // Publishing must not fall between a rollout's routing and its writing of the status.
        let _turn = self.0.locks.lock(id).await;
        let written = self.replace_policy(Resource::Service(id), policy, mask).await?;
        self.publish(id).await?;
        Ok(written)
    }

    /// Which of `permissions` the caller has on a service.
    ///
    /// # Errors
    /// 400 if a permission is a wildcard.
    pub async fn test_service_permissions(
        &self,
        caller: &Caller,
        id: &ServiceId,
        permissions: Vec<String>,
    ) -> Result<Vec<String>> {
        let own = self.stored_policy(&id.to_string()).await?;
        let inherited = self.project_policy(&id.project).await?;
        iam::held(&[&own, &inherited], caller.account(), permissions)
    }

    /// The policy of a project, as a caller sees it who asks for version `requested`.
    ///
    /// # Errors
    /// 400 if there is no such version.
    pub async fn get_project_policy(
        &self,
        caller: &Caller,
        project: &Project,
        requested: i32,
    ) -> Result<Policy> {
        let _allowed = self
            .allow(caller, "resourcemanager.projects.getIamPolicy", iam::Resource::Project(project))
            .await?;
        self.policy_of(Resource::Project(project)).await?.read(requested)
    }

    /// Replaces the policy of a project. It holds from the next request to its services on.
    ///
    /// # Errors
    /// 400 for a malformed policy, 409 if it was changed meanwhile.
    pub async fn set_project_policy(
        &self,
        caller: &Caller,
        project: &Project,
        policy: Policy,
        mask: Option<&str>,
    ) -> Result<Policy> {
        let _allowed = self
            .allow(caller, "resourcemanager.projects.setIamPolicy", iam::Resource::Project(project))
            .await?;
        let written = self.replace_policy(Resource::Project(project), policy, mask).await?;
        self.publish_project(project).await?;
        Ok(written)
    }

    /// Which of `permissions` the caller has on a project.
    ///
    /// # Errors
    /// 400 if a permission is a wildcard.
    pub async fn test_project_permissions(
        &self,
        caller: &Caller,
        project: &Project,
        permissions: Vec<String>,
    ) -> Result<Vec<String>> {
        let policy = self.project_policy(project).await?;
        iam::held(&[&policy], caller.account(), permissions)
    }

    /// The policy of a project. Where none was written the local owner owns it.
    pub(crate) async fn project_policy(&self, project: &Project) -> Result<Policy> {
        let stored = self.store().policy(&project_resource(project)).await?;
        let Some((json, _)) = stored else { return Ok(self.default_project_policy()) };
        Policy::from_json(&json, "policy")
    }

    /// The policy of a project for which none was written.
    pub(crate) fn default_project_policy(&self) -> Policy {
        let members = vec![self.0.owner.member()];
        let binding = Binding { role: "roles/owner".to_owned(), members, condition: None };
        Policy { bindings: vec![binding], ..Policy::default() }
    }

    /// The policy that was written for `resource`, or the empty one.
    pub(crate) async fn stored_policy(&self, resource: &str) -> Result<Policy> {
        let stored = self.store().policy(resource).await?;
        stored.map_or_else(|| Ok(Policy::default()), |(json, _)| Policy::from_json(&json, "policy"))
    }

    async fn policy_of(&self, resource: Resource<'_>) -> Result<Policy> {
        match resource {
            Resource::Service(id) => {
                self.stored_service(id).await?.ok_or_else(|| missing(id))?;
                self.stored_policy(&id.to_string()).await
            }
            Resource::Project(project) => self.project_policy(project).await,
            Resource::ServiceAccount(name) => self.stored_policy(name).await,
        }
    }

    pub(crate) async fn replace_policy(
        &self,
        resource: Resource<'_>,
        policy: Policy,
        mask: Option<&str>,
    ) -> Result<Policy> {
        let (name, level) = match &resource {
            Resource::Service(id) => (id.to_string(), PolicyLevel::Service),
            Resource::Project(project) => (project_resource(project), PolicyLevel::Project),
            Resource::ServiceAccount(name) => ((*name).to_owned(), PolicyLevel::ServiceAccount),
        };
        let current = self.policy_of(resource).await?;
        let expected = self.store().policy(&name).await?.map(|(_, etag)| etag);
        if expected.as_ref().is_some_and(|etag| *etag != current.etag) {
            return Err(Error::policy_conflict());
        }
        let next = current.replace(policy, mask, level, self.now())?;
        let write = Write::SetPolicy {
            resource: name,
            policy: Some(next.to_json()),
            expected,
            etag: next.etag.clone(),
        };
        self.store().commit(vec![write]).await.map_err(refused)?;
        Ok(next)
    }
}

/// The name under which the policy of a project is stored.
pub(crate) fn project_resource(project: &Project) -> String {
    format!("projects/{}", project.id)
}
