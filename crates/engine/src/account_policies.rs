//! Who may do what with a service account?

use groundrun_model::iam::{self, Naming, Policy, Resource};
use groundrun_model::{Project, Result};
use groundrun_store::ServiceAccount;

use crate::policies::Resource as Protected;
use crate::{Caller, Engine};

impl Engine {
    /// The policy of a service account, as a caller sees it who asks for version `requested`.
    ///
    /// # Errors
    /// 404 if there is no such account, 400 if there is no such version.
    pub async fn get_account_policy(&self, caller: &Caller, name: &str, requested: i32) -> Result<Policy> {
        let account = self.named_account(name).await?;
        self.allow_on_account(caller, "iam.serviceAccounts.getIamPolicy", &account).await?;
        self.stored_policy(&resource_name(&account)?).await?.read(requested)
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
        let account = self.named_account(name).await?;
        self.allow_on_account(caller, "iam.serviceAccounts.setIamPolicy", &account).await?;
        self.replace_policy(Protected::ServiceAccount(&resource_name(&account)?), policy, mask).await
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
        let own = self.stored_policy(&resource_name(&account)?).await?;
        let inherited = self.project_policy(&Project::parse(account.project.as_str())?).await?;
        iam::held(&[&own, &inherited], caller.account(), permissions)
    }
}

/// The name under which the policy of an account is kept.
fn resource_name(account: &ServiceAccount) -> Result<String> {
    let project = Project::parse(account.project.as_str())?;
    let resource = Resource::ServiceAccount { project: &project, account: &account.account };
    Ok(resource.spelled(Naming::Projects))
}
