//! What do policies refer to, and how does it change?

use groundrun_model::Result;
use groundrun_model::iam::{AccountState, Realm};

use crate::Engine;

impl Engine {
    /// Notes what an address means from now on, and lets it count from the next request on.
    ///
    /// # Errors
    /// 500 if the store cannot be read.
    #[expect(dead_code, reason = "the life of service accounts is another part")]
    pub(crate) async fn set_account(&self, email: &str, state: AccountState) -> Result<()> {
        self.change_realm(|realm| realm.identities.set_account(email, state.clone()));
        self.republish().await
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
