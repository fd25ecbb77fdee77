//! With which keys do service accounts sign, and whose is a key id?
//!
//! Each account has a system key of its own, made when it first signs. It never is a key of the ID
//! tokens: what an account signs itself must not pass for what Google signs.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use groundrun_model::account::Account;

use crate::error::KeyError;
use crate::ring::Ring;
use crate::signing_key::SigningKey;
use crate::slot::Slot;

/// The system keys of the service accounts.
#[derive(Default)]
pub(crate) struct AccountKeys {
    directory: Option<PathBuf>,
    /// The key that every account has, where tests supply one.
    supplied: Option<Arc<Slot>>,
    /// By unique id. Held only to look into it: a key is read and made by a thread of its own.
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    /// Whose a key is, by key id: system keys that were used, and all that the engine knows of. Read
    /// without a lock, by the verifier too.
    owners: ArcSwap<HashMap<String, String>>,
}

impl AccountKeys {
    /// The keys that are kept in this directory, as `account-UNIQUE_ID.pem`.
    pub(crate) fn open(directory: Option<PathBuf>) -> Self {
        Self { directory, ..Self::default() }
    }

    /// One key for all accounts.
    pub(crate) fn supplied(key: Arc<Slot>) -> Self {
        Self { supplied: Some(key), ..Self::default() }
    }

    /// The system key of the account, once it is there.
    ///
    /// # Errors
    /// A key that cannot be read, made or kept, or that is one of the ID tokens, as it would be if
    /// somebody copied the one file over the other.
    pub(crate) async fn key(&self, account: &Account, ring: &Ring) -> Result<Arc<SigningKey>, KeyError> {
        let key = self.slot(account)?.key().await?;
        ring.current().await?; // the one that is still being made counts, too
        if ring.held().knows(key.kid()) {
            return Err(KeyError::SameKey { kid: key.kid().to_owned() });
        }
        self.learn(key.kid(), &account.email);
        Ok(key)
    }

    /// The system key of the account if it was ever made.
    pub(crate) async fn made(
        &self,
        account: &Account,
        ring: &Ring,
    ) -> Result<Option<Arc<SigningKey>>, KeyError> {
        let known = |slots: &HashMap<_, _>| slots.contains_key(&account.unique_id);
        let made = self.supplied.is_some()
            || known(&self.slots.lock().unwrap_or_else(PoisonError::into_inner))
            || self.path(account)?.is_some_and(|path| path.exists());
        if made { self.key(account, ring).await.map(Some) } else { Ok(None) }
    }

    /// The address of the account that this key id belongs or belonged to, if that is known.
    pub(crate) fn owner(&self, kid: &str) -> Option<String> {
        self.owners.load().get(kid).cloned()
    }

    /// Notes whose a key is.
    pub(crate) fn learn(&self, kid: &str, email: &str) {
        if self.owners.load().contains_key(kid) {
            return;
        }
        self.owners.rcu(|owners| {
            let mut owners = HashMap::clone(owners);
            owners.insert(kid.to_owned(), email.to_owned());
            owners
        });
    }

    fn slot(&self, account: &Account) -> Result<Arc<Slot>, KeyError> {
        if let Some(supplied) = &self.supplied {
            return Ok(Arc::clone(supplied));
        }
        let path = self.path(account)?;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(slots.entry(account.unique_id.clone()).or_insert_with(|| Slot::lazy(path))))
    }

    fn path(&self, account: &Account) -> Result<Option<PathBuf>, KeyError> {
        let id = &account.unique_id;
        // The id becomes the name of a file.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(KeyError::Make(format!("'{id}' is not the unique id of an account")));
        }
        Ok(self.directory.as_ref().map(|directory| directory.join(format!("account-{id}.pem"))))
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountKeys").field("directory", &self.directory).finish_non_exhaustive()
    }
}
