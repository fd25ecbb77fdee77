//! How is a service account switched off, deleted and brought back, and what does that do to policies?

use std::collections::BTreeSet;

use groundrun_model::account;
use groundrun_model::iam::{Naming, Resource};
use groundrun_model::kind::Write;
use groundrun_model::{Code, Error, Project, Result};
use groundrun_store::ServiceAccount;
use serde_json::Value;

use crate::service_accounts::unknown;
use crate::{Caller, Engine, refused};

impl Engine {
    /// Disables a service account, or enables it again; one that is so already stays so. Its credentials
    /// are refused from the next request on.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn set_service_account_disabled(
        &self,
        caller: &Caller,
        name: &str,
        disabled: bool,
    ) -> Result<()> {
        let verb = if disabled { "disable" } else { "enable" };
        let found = self.account_for(caller, &format!("iam.serviceAccounts.{verb}"), name).await?;
        if found.disabled != disabled {
            let next = ServiceAccount { disabled, ..found.clone() };
            self.write_account(&found, next, Vec::new()).await?;
        }
        Ok(())
    }

    /// Deletes a service account. Its credentials are refused from the next request on. As documented,
    /// bindings keep it as `deleted:serviceAccount:EMAIL?uid=UNIQUE_ID`, which another account with its
    /// address is not.
    ///
    /// # Errors
    /// 404 if there is none.
    pub async fn delete_service_account(&self, caller: &Caller, name: &str) -> Result<()> {
        let found = self.account_for(caller, "iam.serviceAccounts.delete", name).await?;
        let next = ServiceAccount { deleted: Some(self.now()), ..found.clone() };
        self.rename_member(&found, next, &found.account.member(), &deleted_member(&found)).await?;
        Ok(())
    }

    /// Brings a service account back that was deleted in the last 30 days. `name` is its unique id, or its
    /// address, which means the last account that had it.
    ///
    /// # Errors
    /// 404 if no such account was deleted in that time, 400 if it is there, or another one with its
    /// address.
    pub async fn undelete_service_account(&self, caller: &Caller, name: &str) -> Result<ServiceAccount> {
        let lives = self.store().service_account_lives(name).await?;
        let permission = "iam.serviceAccounts.undelete";
        let Some(found) = lives.last() else {
            return Err(self.unless_hidden(caller, permission, name, unknown(name)).await?);
        };
        self.allow_on_account(caller, permission, found).await?;
        let refuse = |why: &str| {
            let email = &found.account.email;
            Error::new(Code::FailedPrecondition, format!("Service account {email} {why}"))
        };
        let Some(deleted) = found.deleted else { return Err(refuse("is not deleted.")) };
        if !account::can_be_undeleted(deleted, self.now()) {
            return Err(unknown(name));
        }
        if self.store().service_account(&found.account.email).await?.is_some() {
            return Err(refuse("cannot be undeleted: another service account has its email address now."));
        }
        let next = ServiceAccount { deleted: None, ..found.clone() };
        self.rename_member(found, next, &deleted_member(found), &found.account.member()).await
    }

    /// Stores `next` in the place of `found`, together with `writes`.
    pub(crate) async fn write_account(
        &self,
        found: &ServiceAccount,
        next: ServiceAccount,
        writes: Vec<Write>,
    ) -> Result<ServiceAccount> {
        let turn = self.0.accounts.lock().await;
        // Versions never go back, even if the clock does.
        let next = ServiceAccount { updated: found.updated.advance(self.now()), ..next };
        self.store().update_service_account(&next, found.updated, writes).await.map_err(refused)?;
        let is_news = self.note_account(&next);
        drop(turn);
        if is_news {
            self.republish().await?;
        }
        Ok(next)
    }

    /// Stores `next` in the place of `found`, and calls the member `from` of all policies `to`.
    async fn rename_member(
        &self,
        found: &ServiceAccount,
        next: ServiceAccount,
        from: &str,
        to: &str,
    ) -> Result<ServiceAccount> {
        let mut writes = Vec::new();
        let mut projects = BTreeSet::new();
        for stored in self.store().policies().await? {
            let mut policy = stored.policy;
            if !rename(&mut policy, from, to) {
                continue;
            }
            projects.extend(stored.resource.split('/').nth(1).map(str::to_owned));
            writes.push(Write::SetPolicy {
                resource: stored.resource,
                policy: Some(policy),
                expected: Some(stored.etag.clone()),
                etag: stored.etag,
            });
        }
        let written = self.write_account(found, next, writes).await?;
        for project in projects {
            self.publish_project(&Project::parse(&project)?).await?;
        }
        Ok(written)
    }

    /// Removes the policy of an account that had this address before.
    pub(crate) async fn forget_account_policy(&self, account: &ServiceAccount) -> Result<()> {
        let project = Project::parse(account.project.as_str())?;
        let resource = Resource::ServiceAccount { project: &project, account: &account.account };
        let resource = resource.spelled(Naming::Projects);
        let Some((_, etag)) = self.store().policy(&resource).await? else { return Ok(()) };
        let write = Write::SetPolicy { resource, policy: None, expected: Some(etag), etag: Vec::new() };
        self.store().commit(vec![write]).await.map_err(refused)
    }
}

/// The member that a deleted account is in policies.
fn deleted_member(account: &ServiceAccount) -> String {
    format!("deleted:{}?uid={}", account.account.member(), account.account.unique_id)
}

/// Calls each string that is `from` in `json` by the name `to`; tells whether there is one.
fn rename(json: &mut Value, from: &str, to: &str) -> bool {
    match json {
        Value::String(text) if text == from => {
            to.clone_into(text);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |found, item| rename(item, from, to) | found),
        Value::Object(fields) => {
            fields.values_mut().fold(false, |found, value| rename(value, from, to) | found)
        }
        _ => false,
    }
}
