//! Which service accounts are there?

use groundrun_model::account::{Account, AccountName};
use groundrun_model::iam::Resource;
use groundrun_model::{Code, Error, Project, Result};
use groundrun_store::ServiceAccount;

use crate::{Allowed, Caller, Engine, refused};

impl Engine {
    /// The service account of a project with this email or unique id. Unless identities are strict, it
    /// exists when its email is first named.
    ///
    /// # Errors
    /// 404 if there is none, 400 if the name is neither an email nor a unique id.
    pub async fn get_service_account(&self, caller: &Caller, name: &str) -> Result<ServiceAccount> {
        let found = self.named_account(name).await?;
        self.allow_on_account(caller, "iam.serviceAccounts.get", &found).await?;
        Ok(found)
    }

    /// Creates the service account `account_id@PROJECT.iam.gserviceaccount.com`.
    ///
    /// # Errors
    /// 400 for a malformed id, 409 if there is one.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        project: &Project,
        account_id: &str,
        display_name: &str,
    ) -> Result<ServiceAccount> {
        let _allowed = self.allow(caller, "iam.serviceAccounts.create", Resource::Project(project)).await?;
        let name = AccountName::of_project(account_id, project)?;
        let created = self.service_account(&name.email, project, display_name);
        if self.store().service_account(&created.account.email).await?.is_some() {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("Service account {account_id} already exists within project projects/{project}."),
            ));
        }
        self.store().put_service_account(&created).await.map_err(refused)?;
        self.0.directory.remember(&created.account);
        Ok(created)
    }

    /// The service accounts of a project, by email.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_service_accounts(
        &self,
        caller: &Caller,
        project: &Project,
    ) -> Result<Vec<ServiceAccount>> {
        let _allowed = self.allow(caller, "iam.serviceAccounts.list", Resource::Project(project)).await?;
        self.store().service_accounts(&project.id).await
    }

    /// The account that `name` means; see [`Engine::get_service_account`].
    pub(crate) async fn named_account(&self, name: &str) -> Result<ServiceAccount> {
        if let Some(known) = self.store().service_account(name).await? {
            return Ok(known);
        }
        let parsed = AccountName::parse(name).ok_or_else(|| unknown(name))?;
        // The default account of Compute Engine is there as soon as its project is.
        if self.0.config.strict_identity && !parsed.email.ends_with("@developer.gserviceaccount.com") {
            return Err(unknown(name));
        }
        let project = self.project(&parsed.project).await?;
        let named = self.service_account(&parsed.email, &project, "");
        self.store().put_service_account(&named).await.map_err(refused)?;
        self.0.directory.remember(&named.account);
        Ok(named)
    }

    /// Lets the caller use `permission` on a service account.
    pub(crate) async fn allow_on_account<'c>(
        &self,
        caller: &'c Caller,
        permission: &str,
        account: &ServiceAccount,
    ) -> Result<Allowed<'c>> {
        let project = Project::parse(account.project.as_str())?;
        let resource = Resource::ServiceAccount { project: &project, account: &account.account };
        self.allow(caller, permission, resource).await
    }

    fn service_account(&self, email: &str, project: &Project, display_name: &str) -> ServiceAccount {
        ServiceAccount {
            account: Account::new(email),
            project: project.id.clone(),
            display_name: display_name.to_owned(),
            disabled: false,
            created: self.now(),
        }
    }
}

fn unknown(name: &str) -> Error {
    // Google's words.
    Error::new(Code::NotFound, format!("Unknown service account: {name}"))
}
