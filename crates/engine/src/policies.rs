//! What can be done with IAM policies?

use groundrun_model::iam::{Binding, Naming, Policy, PolicyHistory, PolicyLevel, Resource};
use groundrun_model::kind::Write;
use groundrun_model::{Error, Project, Result, ServiceId};

use crate::services::missing;
use crate::{Caller, Engine, refused};

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
        let _allowed = self.allow(caller, "run.services.getIamPolicy", Resource::Service(id)).await?;
        self.policy_of(Resource::Service(id)).await?.current.read(requested)
    }

    /// Replaces the policy of a service. It counts from the next request on, or as
    /// much later as changes take to spread.
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
        let _allowed = self.allow(caller, "run.services.setIamPolicy", Resource::Service(id)).await?;
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
        self.permissions_held(caller.account(), permissions, Resource::Service(id)).await
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
        let _allowed =
            self.allow(caller, "resourcemanager.projects.getIamPolicy", Resource::Project(project)).await?;
        self.policy_of(Resource::Project(project)).await?.current.read(requested)
    }

    /// Replaces the policy of a project. It counts as that of a service does.
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
        let _allowed =
            self.allow(caller, "resourcemanager.projects.setIamPolicy", Resource::Project(project)).await?;
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
        self.permissions_held(caller.account(), permissions, Resource::Project(project)).await
    }

    /// The policy of a project, and what it replaced. Where none was written the local owner owns it.
    pub(crate) async fn project_policy_history(&self, project: &Project) -> Result<PolicyHistory> {
        let stored = self.store().policy(&project_resource(project)).await?;
        let Some((json, _)) = stored else { return Ok(self.default_project_policy().into()) };
        PolicyHistory::from_json(json)
    }

    /// The policy of a project for which none was written.
    pub(crate) fn default_project_policy(&self) -> Policy {
        let members = vec![self.0.owner.member()];
        let binding = Binding { role: "roles/owner".to_owned(), members, condition: None };
        Policy { bindings: vec![binding], ..Policy::default() }
    }

    /// The policy that was written for `resource`, or the empty one, and what it replaced.
    pub(crate) async fn policy_history(&self, resource: &str) -> Result<PolicyHistory> {
        let stored = self.store().policy(resource).await?;
        stored.map_or_else(|| Ok(PolicyHistory::default()), |(json, _)| PolicyHistory::from_json(json))
    }

    async fn policy_of(&self, resource: Resource<'_>) -> Result<PolicyHistory> {
        match resource {
            Resource::Service(id) => {
                self.stored_service(id).await?.ok_or_else(|| missing(id))?;
                self.policy_history(&id.to_string()).await
            }
            Resource::Project(project) => self.project_policy_history(project).await,
            Resource::Part { .. } | Resource::ServiceAccount { .. } => {
                self.policy_history(&resource.spelled(Naming::Projects)).await
            }
        }
    }

    /// Writes the policy of `resource`, which the caller may write and which is there.
    ///
    /// # Errors
    /// 400 for a malformed policy, 409 if it was changed meanwhile.
    pub(crate) async fn replace_policy(
        &self,
        resource: Resource<'_>,
        policy: Policy,
        mask: Option<&str>,
    ) -> Result<Policy> {
        let name = resource.spelled(Naming::Projects);
        let level = match &resource {
            Resource::Service(_) | Resource::Part { .. } => PolicyLevel::Service,
            Resource::Project(_) => PolicyLevel::Project,
            Resource::ServiceAccount { .. } => PolicyLevel::ServiceAccount,
        };
        let history = self.policy_of(resource).await?;
        let expected = self.store().policy(&name).await?.map(|(_, etag)| etag);
        if expected.as_ref().is_some_and(|etag| *etag != history.current.etag) {
            return Err(Error::policy_conflict());
        }
        self.0.realm.load().check_roles(&policy, resource.project())?;
        let now = self.now();
        let next = history.current.replace(policy, mask, level, now)?;
        let history = history.replaced(next.clone(), now, self.0.config.iam_propagation_seconds);
        let write = Write::SetPolicy {
            resource: name,
            policy: Some(history.to_json()),
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
