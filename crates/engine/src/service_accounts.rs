//! Which service accounts are there?

use groundrun_model::account::{Account, AccountName};
use groundrun_model::iam::Resource;
use groundrun_model::{Code, Error, Project, Result};
use groundrun_store::ServiceAccount;

use crate::{Allowed, Caller, Engine, refused};

/// The most bytes of a display name, as documented.
const LONGEST_DISPLAY_NAME: usize = 100;

/// The most bytes of a description, as documented.
const LONGEST_DESCRIPTION: usize = 256;

/// What is to change about a service account; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// What its owner calls it.
    pub display_name: Option<String>,
    /// What its owner says of it.
    pub description: Option<String>,
    /// The version that the writer read, in microseconds since the epoch, if it says so.
    pub expected: Option<i64>,
}

impl AccountChange {
    /// # Errors
    /// 400 for what is longer than documented.
    fn check(&self) -> Result<()> {
        for (field, text, longest) in [
            ("service_account.display_name", &self.display_name, LONGEST_DISPLAY_NAME),
            ("service_account.description", &self.description, LONGEST_DESCRIPTION),
        ] {
            if text.as_ref().is_some_and(|text| text.len() > longest) {
                return Err(Error::field(field, format!("must have at most {longest} bytes in UTF-8.")));
            }
        }
        Ok(())
    }

    fn apply(self, account: &mut ServiceAccount) {
        if let Some(display_name) = self.display_name {
            account.display_name = display_name;
        }
        if let Some(description) = self.description {
            account.description = description;
        }
    }
}

impl Engine {
    /// The service account of a project with this email or unique id. Unless identities are strict, it
    /// exists when its email is first named.
    ///
    /// # Errors
    /// 404 if there is none, 400 if the name is neither an email nor a unique id.
    pub async fn get_service_account(&self, caller: &Caller, name: &str) -> Result<ServiceAccount> {
        self.account_for(caller, "iam.serviceAccounts.get", name).await
    }

    /// Creates the service account `account_id@PROJECT.iam.gserviceaccount.com`. If accounts with that
    /// address were deleted, this is another one: it has another unique id, and no policy of theirs.
    ///
    /// # Errors
    /// 400 for a malformed id or what is too long, 409 if there is one.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        project: &Project,
        account_id: &str,
        change: AccountChange,
    ) -> Result<ServiceAccount> {
        let _allowed = self.allow(caller, "iam.serviceAccounts.create", Resource::Project(project)).await?;
        let name = AccountName::of_project(account_id, project)?;
        change.check()?;
        let turn = self.0.accounts.lock().await;
        let lives = self.store().service_account_lives(&name.email).await?;
        if lives.iter().any(|life| life.deleted.is_none()) {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("Service account {account_id} already exists within project projects/{project}."),
            ));
        }
        let mut created = self.service_account(Account::after(&name.email, lives.len()), project);
        change.apply(&mut created);
        if !lives.is_empty() {
            self.forget_account_policy(&created).await?;
        }
        self.store().put_service_account(&created).await.map_err(refused)?;
        let is_news = self.note_account(&created);
        drop(turn);
        if is_news {
            self.republish().await?;
        }
        Ok(created)
    }

    /// The service accounts of a project by email: at most `limit` of those behind the email `after`, and
    /// whether there are more.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    pub async fn list_service_accounts(
        &self,
        caller: &Caller,
        project: &Project,
        limit: usize,
        after: Option<&str>,
    ) -> Result<(Vec<ServiceAccount>, bool)> {
        let _allowed = self.allow(caller, "iam.serviceAccounts.list", Resource::Project(project)).await?;
        let mut accounts = self.store().service_accounts(&project.id).await?;
        accounts.retain(|found| after.is_none_or(|after| found.account.email.as_str() > after));
        let more = accounts.len() > limit;
        accounts.truncate(limit);
        Ok((accounts, more))
    }

    /// Changes what the owner of a service account says of it.
    ///
    /// # Errors
    /// 404 if there is none, 400 for what is too long, 409 if it was changed meanwhile.
    pub async fn update_service_account(
        &self,
        caller: &Caller,
        name: &str,
        change: AccountChange,
    ) -> Result<ServiceAccount> {
        let found = self.account_for(caller, "iam.serviceAccounts.update", name).await?;
        change.check()?;
        let version = found.updated.micros();
        if let Some(expected) = change.expected.filter(|expected| *expected != version) {
            return Err(Error::conflict(&found.account.email, expected, version));
        }
        let mut next = found.clone();
        change.apply(&mut next);
        self.write_account(&found, next, Vec::new()).await
    }

    /// The account that `name` means; see [`Engine::get_service_account`]. It may be disabled.
    pub(crate) async fn named_account(&self, name: &str) -> Result<ServiceAccount> {
        if let Some(known) = self.store().service_account(name).await? {
            return Ok(known);
        }
        let parsed = AccountName::parse(name).ok_or_else(|| unknown(name))?;
        let _turn = self.0.accounts.lock().await;
        let lives = self.store().service_account_lives(&parsed.email).await?;
        match lives.last() {
            // Somebody else named it first.
            Some(last) if last.deleted.is_none() => return Ok(last.clone()),
            // What was deleted stays so, until somebody undeletes or creates it.
            Some(_) => return Err(unknown(name)),
            None => {}
        }
        // The default account of Compute Engine is there as soon as its project is.
        if self.0.config.strict_identity && !parsed.email.ends_with("@developer.gserviceaccount.com") {
            return Err(unknown(name));
        }
        let project = self.project(&parsed.project).await?;
        let named = self.service_account(Account::new(&parsed.email), &project);
        self.store().put_service_account(&named).await.map_err(refused)?;
        // The first life of an address is nothing that a route has to know.
        self.note_account(&named);
        Ok(named)
    }

    /// The account that `name` means, on which the caller may use `permission`. Whoever may not use it in the
    /// project either is not told which accounts are there.
    ///
    /// # Errors
    /// 403 for a caller who may not, 404 for others if there is no such account.
    pub(crate) async fn account_for(
        &self,
        caller: &Caller,
        permission: &str,
        name: &str,
    ) -> Result<ServiceAccount> {
        match self.named_account(name).await {
            Ok(found) => {
                self.allow_on_account(caller, permission, &found).await?;
                Ok(found)
            }
            Err(error) if error.code == Code::NotFound => {
                Err(self.unless_hidden(caller, permission, name, error).await?)
            }
            Err(error) => Err(error),
        }
    }

    /// `missing`, for a caller who may know that there is no account of this name.
    ///
    /// # Errors
    /// 403 for a caller who may not use `permission` in the project.
    pub(crate) async fn unless_hidden(
        &self,
        caller: &Caller,
        permission: &str,
        name: &str,
        missing: Error,
    ) -> Result<Error> {
        if !self.0.config.enforce_api_iam {
            return Ok(missing);
        }
        let project = match AccountName::parse(name) {
            Some(parsed) => self.project(&parsed.project).await?,
            None => self.0.config.project.clone(),
        };
        match self.holds(caller.account(), permission, Resource::Project(&project)).await? {
            true => Ok(missing),
            false => Err(Error::account_permission_denied(permission)),
        }
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

    fn service_account(&self, account: Account, project: &Project) -> ServiceAccount {
        let now = self.now();
        ServiceAccount {
            account,
            project: project.id.clone(),
            display_name: String::new(),
            description: String::new(),
            disabled: false,
            created: now,
            updated: now,
            deleted: None,
        }
    }
}

/// 404 for a service account.
pub(crate) fn unknown(name: &str) -> Error {
    // Google's words.
    Error::new(Code::NotFound, format!("Unknown service account: {name}"))
}
