//! Whose is this unique id, and is it still good? A token without an email names its account by it, and a
//! person who is told of a denial wants to read the address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use groundrun_model::account::{Account, Standing};
use groundrun_store::ServiceAccount;

/// The accounts that were named here, by unique id. Clones are one directory.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    known: Arc<RwLock<HashMap<String, String>>>,
    /// The few accounts about which something is out of the ordinary. Read for every request to a service,
    /// so that reading takes no lock.
    unusual: Arc<ArcSwap<HashMap<String, (String, Standing)>>>,
}

impl Directory {
    /// The address of the account with this unique id, if it was ever named here.
    pub fn email(&self, unique_id: &str) -> Option<String> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(unique_id).cloned()
    }

    /// What is out of the ordinary about the account with this unique id, and its address.
    pub fn standing(&self, unique_id: &str) -> Option<(String, Standing)> {
        self.unusual.load().get(unique_id).cloned()
    }

    pub(crate) fn remember(&self, account: &Account) {
        if self.email(&account.unique_id).is_none() {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.insert(account.unique_id.clone(), account.email.clone());
        }
    }

    /// Remembers a service account as it stands now, and tells whether that is news.
    pub(crate) fn note(&self, found: &ServiceAccount) -> bool {
        self.remember(&found.account);
        let Account { email, unique_id } = &found.account;
        let standing = match found {
            ServiceAccount { deleted: Some(_), .. } => Some(Standing::Deleted),
            ServiceAccount { disabled: true, .. } => Some(Standing::Disabled),
            _ if Account::new(email) != found.account => Some(Standing::Recreated),
            _ => None,
        };
        if standing == self.standing(unique_id).map(|(_, standing)| standing) {
            return false;
        }
        self.unusual.rcu(|unusual| {
            let mut next = HashMap::clone(unusual);
            match standing {
                Some(standing) => next.insert(unique_id.clone(), (email.clone(), standing)),
                None => next.remove(unique_id),
            };
            next
        });
        true
    }
}
