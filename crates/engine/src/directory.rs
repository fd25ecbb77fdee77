//! Whose is this unique id? A token without an email names its account by it, and a person who is told
//! of a denial wants to read the address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use groundrun_model::account::Account;

/// The accounts that were named here, by unique id. Clones are one directory.
#[derive(Debug, Clone, Default)]
pub struct Directory(Arc<RwLock<HashMap<String, String>>>);

impl Directory {
    /// The address of the account with this unique id, if it was ever named here.
    pub fn email(&self, unique_id: &str) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(unique_id).cloned()
    }

    pub(crate) fn remember(&self, account: &Account) {
        if self.email(&account.unique_id).is_none() {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(account.unique_id.clone(), account.email.clone());
        }
    }
}
