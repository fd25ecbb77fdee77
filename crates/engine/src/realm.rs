//! What do policies refer to, and how does it change?

use groundrun_model::Result;
use groundrun_model::iam::{AccountState, Realm};
use groundrun_store::ServiceAccount;

use crate::Engine;

impl Engine {
    /// Notes a service account as it stands now, and tells whether that is news: then it counts once the
    /// services are published anew. That is for after the turn of the accounts, because a deployment that
    /// has the turn of its service may wait for it.
    pub(crate) fn note_account(&self, found: &ServiceAccount) -> bool {
        let is_news = self.0.directory.note(found);
        if is_news {
            self.change_realm(|realm| realm.identities.set_account(&found.account.email, state(found)));
        }
        is_news
    }

    /// Reads which service accounts there are, and which there were.
    pub(crate) async fn recall_accounts(&self) -> Result<()> {
        let mut accounts = self.store().all_service_accounts().await?;
        // Of those that had one address the last counts, unless another one is there.
        accounts.sort_by_key(|account| (account.deleted.is_none(), account.created));
        for account in &accounts {
            self.0.directory.note(account);
        }
        self.change_realm(|realm| {
            for account in &accounts {
                let (email, unique_id) = (&account.account.email, &account.account.unique_id);
                if self.0.directory.standing(unique_id).is_some() || realm.identities.has_account(email) {
                    realm.identities.set_account(email, state(account));
                }
            }
        });
        Ok(())
    }

    /// Replaces what policies refer to. Routes follow once they are published anew.
    pub(crate) fn change_realm(&self, change: impl Fn(&mut Realm)) {
        self.0.realm.rcu(|realm| {
            let mut next = Realm::clone(realm);
            change(&mut next);
            next
        });
    }
}

fn state(found: &ServiceAccount) -> AccountState {
    let unique_id = found.account.unique_id.clone();
    match found {
        ServiceAccount { deleted: Some(_), .. } => AccountState::Deleted { unique_id },
        ServiceAccount { disabled: true, .. } => AccountState::Disabled { unique_id },
        _ => AccountState::Active { unique_id },
    }
}
