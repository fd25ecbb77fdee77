//! Who may do what with a service account?

use groundrun_model::iam::{Naming, Policy, Resource};
use groundrun_model::{Project, Result};
use groundrun_store::ServiceAccount;

use crate::{Caller, Engine};

impl Engine {
    /// The policy of a service account, as a caller sees it who asks for version `requested`.
    ///
    /// # Errors
    /// 404 if there is no such account, 400 if there is no such version.
    pub async fn get_account_policy(&self, caller: &Caller, name: &str, requested: i32) -> Result<Policy> {
        let account = self.account_for(caller, "iam.serviceAccounts.getIamPolicy", name).await?;
        let project = project_of(&account)?;
        self.policy_history(&resource(&project, &account).spelled(Naming::Projects))
            .await?
            .current
            .read(requested)
    }

    /// Replaces the policy of a service account. It holds from the next request on.
    ///
    /// # Errors
    /// 404 if there is no such account, 400 for a malformed policy, 409 if it was changed meanwhile.
    pub async fn set_account_policy(
        &self,
        caller: &Caller,
        name: &str,
        policy: Policy,
        mask: Option<&str>,
    ) -> Result<Policy> {
        let account = self.account_for(caller, "iam.serviceAccounts.setIamPolicy", name).await?;
        let project = project_of(&account)?;
        self.replace_policy(resource(&project, &account), policy, mask).await
    }

    /// Which of `permissions` the caller has on a service account.
    ///
    /// # Errors
    /// 404 if there is no such account, 400 if a permission is a wildcard.
    pub async fn test_account_permissions(
        &self,
        caller: &Caller,
        name: &str,
        permissions: Vec<String>,
    ) -> Result<Vec<String>> {
        let account = self.named_account(name).await?;
        let project = project_of(&account)?;
        self.permissions_held(caller.account(), permissions, resource(&project, &account)).await
    }
}

fn project_of(account: &ServiceAccount) -> Result<Project> {
    Project::parse(account.project.as_str())
}

fn resource<'a>(project: &'a Project, account: &'a ServiceAccount) -> Resource<'a> {
    Resource::ServiceAccount { project, account: &account.account }
}
