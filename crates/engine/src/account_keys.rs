//! What can be done with the keys of a service account?

use groundrun_identity::{KeyError, KeyFile, PublishedKey};
use groundrun_model::account::Account;
use groundrun_model::account_key::{
    AccountKey, AccountKeySpec, KeyOrigin, NEVER_ENDS, check_room, precondition,
};
use groundrun_model::kind::{Resource as _, Write};
use groundrun_model::{Code, Error, ProjectId, Result, Timestamp};
use groundrun_store::ServiceAccount;

use crate::{Caller, Engine, refused};

/// Who manages a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyManager {
    /// The user.
    User,
    /// The emulator, which signs with it for `signBlob` and `signJwt`.
    System,
}

/// A key of a service account as it is shown.
#[derive(Debug, Clone)]
pub struct AccountKeyView {
    /// The id of the project of its account.
    pub project: ProjectId,
    /// The address of its account.
    pub email: String,
    /// The public half.
    pub key: PublishedKey,
    /// Who manages it.
    pub manager: KeyManager,
    /// Who made it.
    pub origin: KeyOrigin,
    /// From when on it counts.
    pub valid_after: Timestamp,
    /// Until when it counts.
    pub valid_before: Timestamp,
    /// Whether it was disabled.
    pub disabled: bool,
}

impl Engine {
    /// Makes a key for a service account, and the file that holds its private half: this answer is the
    /// only place where it is. `base` is the URL of this emulator, where the file leads its reader.
    ///
    /// # Errors
    /// 404 without the account, 400 if it has 10 keys.
    pub async fn create_account_key(
        &self,
        caller: &Caller,
        account: &str,
        base: &str,
    ) -> Result<(AccountKeyView, KeyFile)> {
        let account = self.keyed_account(caller, account, "create").await?;
        let made = self.keys().account_key_file(&account.account, account.project.as_str(), base).await;
        let (key, file) = made.map_err(Error::internal)?;
        let valid = (self.now(), NEVER_ENDS);
        let stored = self.store_key(&account, &key, KeyOrigin::GoogleProvided, valid).await?;
        Ok((view(&account, &stored)?, file))
    }

    /// Takes the public half (PEM) of a key that the user made.
    ///
    /// # Errors
    /// 404 without the account; 400 for a text that holds no RSA key of 2048 bits or more, or if the account
    /// has 10 keys; 409 for a key that is there.
    pub async fn upload_account_key(
        &self,
        caller: &Caller,
        account: &str,
        pem: &str,
    ) -> Result<AccountKeyView> {
        let account = self.keyed_account(caller, account, "create").await?;
        let key = self.keys().read_account_key(&account.account, pem).await.map_err(|error| match error {
            KeyError::PublicKey(_) => Error::field("public_key_data", error.to_string()),
            other => Error::internal(other),
        })?;
        let valid = key.valid().unwrap_or_else(|| (self.now(), NEVER_ENDS));
        let stored = self.store_key(&account, &key, KeyOrigin::UserProvided, valid).await?;
        view(&account, &stored)
    }

    /// The keys of a service account: the system key, then the user's, the newest first.
    ///
    /// # Errors
    /// 404 without the account.
    pub async fn list_account_keys(&self, caller: &Caller, account: &str) -> Result<Vec<AccountKeyView>> {
        let account = self.keyed_account(caller, account, "list").await?;
        let mut views = vec![self.system_key(&account).await?];
        for key in self.user_keys(&account).await?.iter().filter(|key| !key.spec.deleted) {
            views.push(view(&account, key)?);
        }
        Ok(views)
    }

    /// One key of a service account.
    ///
    /// # Errors
    /// 404 without the account or the key.
    pub async fn get_account_key(&self, caller: &Caller, account: &str, id: &str) -> Result<AccountKeyView> {
        let account = self.keyed_account(caller, account, "get").await?;
        match self.user_key(&account, id).await? {
            Some(key) => view(&account, &key),
            None => {
                let system = self.system_key(&account).await?;
                if system.key.kid() == id { Ok(system) } else { Err(unknown(id)) }
            }
        }
    }

    /// Deletes a key for good. Tokens that were got with it live until they end.
    ///
    /// # Errors
    /// 404 without the account or the key, 400 for the system key.
    pub async fn delete_account_key(&self, caller: &Caller, account: &str, id: &str) -> Result<()> {
        self.change_key(caller, account, id, "delete", |spec| spec.deleted = true).await
    }

    /// Disables a key: what it signs counts no more, until it is enabled.
    ///
    /// # Errors
    /// 404 without the account or the key, 400 for the system key.
    pub async fn disable_account_key(&self, caller: &Caller, account: &str, id: &str) -> Result<()> {
        self.change_key(caller, account, id, "disable", |spec| spec.disabled = true).await
    }

    /// Enables a key.
    ///
    /// # Errors
    /// 404 without the account or the key, 400 for the system key.
    pub async fn enable_account_key(&self, caller: &Caller, account: &str, id: &str) -> Result<()> {
        self.change_key(caller, account, id, "enable", |spec| spec.disabled = false).await
    }

    /// The public keys that verify what a service account signs, as everybody may read them.
    ///
    /// # Errors
    /// 404 without the account.
    pub async fn published_account_keys(&self, account: &str) -> Result<Vec<PublishedKey>> {
        let account = self.named_account(account).await?;
        let mut keys = vec![self.keys().account_key(&account.account).await.map_err(Error::internal)?];
        keys.extend(self.live_user_keys(&account).await?);
        Ok(keys)
    }

    /// Tells the keys whose those are that accounts have or had.
    pub(crate) async fn recall_account_keys(&self) -> Result<()> {
        for key in self.store().find_all::<AccountKey>().await? {
            self.keys().learn_account_key(&key.id, &key.email);
        }
        Ok(())
    }

    /// The account of this name, with whose keys the caller may do what `verb` says.
    async fn keyed_account(&self, caller: &Caller, name: &str, verb: &str) -> Result<ServiceAccount> {
        self.account_for(caller, &format!("iam.serviceAccountKeys.{verb}"), name).await
    }

    async fn system_key(&self, account: &ServiceAccount) -> Result<AccountKeyView> {
        Ok(AccountKeyView {
            project: account.project.clone(),
            email: account.account.email.clone(),
            key: self.keys().account_key(&account.account).await.map_err(Error::internal)?,
            manager: KeyManager::System,
            origin: KeyOrigin::GoogleProvided,
            valid_after: account.created,
            valid_before: NEVER_ENDS,
            disabled: false,
        })
    }

    /// A key that the user manages and did not delete.
    async fn user_key(&self, account: &ServiceAccount, id: &str) -> Result<Option<AccountKey>> {
        let found = self.store().get(&AccountKey::key(account.project.as_str(), id)).await?;
        let key = found.map(AccountKey::from_record).transpose()?;
        Ok(key.filter(|key| key.belongs_to(&account.account) && !key.spec.deleted))
    }

    async fn change_key(
        &self,
        caller: &Caller,
        account: &str,
        id: &str,
        verb: &str,
        change: impl FnOnce(&mut AccountKeySpec),
    ) -> Result<()> {
        let account = self.keyed_account(caller, account, verb).await?;
        let Some(mut key) = self.user_key(&account, id).await? else {
            let system = self.keys().account_key_if_made(&account.account).await.map_err(Error::internal)?;
            return Err(match system {
                Some(system) if system.kid() == id => {
                    precondition("the system key of an account is Google's: it cannot be changed")
                }
                _ => unknown(id),
            });
        };
        let expected = key.updated.micros();
        change(&mut key.spec);
        key.updated = key.updated.advance(self.now());
        let write = Write::Update { record: key.to_record()?, expected };
        self.store().commit(vec![write]).await.map_err(refused)
    }

    /// Keeps the public half of a key. One that was deleted may come back.
    async fn store_key(
        &self,
        account: &ServiceAccount,
        key: &PublishedKey,
        origin: KeyOrigin,
        (valid_after, valid_before): (Timestamp, Timestamp),
    ) -> Result<AccountKey> {
        let Account { email, unique_id } = &account.account;
        let now = self.now();
        // Of two who come at once only one may take the last place.
        let _turn = self.0.accounts.lock().await;
        check_room(&self.user_keys(account).await?)?;
        let mut stored = AccountKey {
            id: key.kid().to_owned(),
            project: account.project.to_string(),
            email: email.clone(),
            uid: self.0.parts.draw.uuid(),
            created: now,
            updated: now,
            spec: AccountKeySpec {
                account: Some(unique_id.clone()),
                certificate: key.certificate().to_owned(),
                origin,
                valid_after,
                valid_before,
                disabled: false,
                deleted: false,
            },
        };
        let before = self.store().get(&AccountKey::key(&stored.project, &stored.id)).await?;
        let write = match before.map(AccountKey::from_record).transpose()? {
            Some(before) if before.spec.deleted && before.belongs_to(&account.account) => {
                (stored.uid, stored.created) = (before.uid, before.created);
                stored.updated = before.updated.advance(now);
                Write::Update { record: stored.to_record()?, expected: before.updated.micros() }
            }
            _ => Write::Insert(stored.to_record()?),
        };
        self.store().commit(vec![write]).await.map_err(refused)?;
        self.keys().learn_account_key(&stored.id, email);
        Ok(stored)
    }
}

fn view(account: &ServiceAccount, key: &AccountKey) -> Result<AccountKeyView> {
    Ok(AccountKeyView {
        project: account.project.clone(),
        email: account.account.email.clone(),
        key: PublishedKey::from_certificate(&key.spec.certificate).map_err(Error::internal)?,
        manager: KeyManager::User,
        origin: key.spec.origin,
        valid_after: key.spec.valid_after,
        valid_before: key.spec.valid_before,
        disabled: key.spec.disabled,
    })
}

fn unknown(id: &str) -> Error {
    Error::new(Code::NotFound, format!("Service account key {id} does not exist."))
}
