//! For which account is something minted, and through which others may the caller do so?
//!
//! As documented for <https://cloud.google.com/iam/docs/create-short-lived-credentials-delegated>, each
//! account of the chain must be allowed to delegate on the next one, and the last one must hold the real
//! permission on the target.

use groundrun_model::account::Account;
use groundrun_model::{Code, Error, Result};
use groundrun_store::ServiceAccount;

use crate::{Caller, Engine};

/// How long a chain of delegates may be.
const MOST_DELEGATES: usize = 10;

/// What each account of a chain needs on the next.
const DELEGATION: &str = "iam.serviceAccounts.implicitDelegation";

/// How a delegate is named.
const ANY_PROJECT: &str = "projects/-/serviceAccounts/";

/// Whom something is minted for, and through whom.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The email or the unique id of the account.
    pub account: &'a str,
    /// The resource names of the delegates, in the order of the chain.
    pub delegates: &'a [String],
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(account: &'a str) -> Self {
        Self { account, delegates: &[] }
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(account: &'a String) -> Self {
        account.as_str().into()
    }
}

impl Engine {
    /// The account of `target`, for which the caller may use `permission`.
    ///
    /// # Errors
    /// 404 if there is no such account, 403 if a link of the chain is missing, 400 if the chain is none
    /// or an account of it is disabled.
    pub(crate) async fn mintable(
        &self,
        caller: &Caller,
        permission: &str,
        target: Target<'_>,
    ) -> Result<Account> {
        let names = target.delegates.iter().enumerate().map(|(at, name)| delegate(at, name));
        let names: Vec<&str> = names.collect::<Result<_>>()?;
        if names.len() > MOST_DELEGATES {
            let text = format!("must be at most {MOST_DELEGATES} service accounts");
            return Err(Error::field("delegates", text));
        }
        if self.is_person(caller, target.account) && names.is_empty() {
            return self.token_account(target.account).await;
        }
        let end = self.credential_account(target.account).await?;
        let mut by = caller.clone();
        let mut seen = vec![caller.account().clone(), end.account.clone()];
        for (at, name) in names.into_iter().enumerate() {
            let next = self.credential_account(name).await?;
            if seen.contains(&next.account) {
                let text = format!("{name} is in the chain more than once");
                return Err(Error::field(format!("delegates[{at}]"), text));
            }
            self.allow_minting(&by, DELEGATION, &next).await?;
            check_enabled(&next)?;
            by = Caller::new(&next.account);
            seen.push(next.account);
        }
        self.allow_minting(&by, permission, &end).await?;
        check_enabled(&end)?;
        Ok(end.account)
    }

    /// The service account that `name` means.
    ///
    /// # Errors
    /// 404 in the words of the credentials API.
    pub(crate) async fn credential_account(&self, name: &str) -> Result<ServiceAccount> {
        self.named_account(name).await.map_err(|error| match error.code {
            Code::NotFound => {
                Error::new(Code::NotFound, format!("Not found; Gaia id not found for email {name}"))
            }
            _ => error,
        })
    }

    /// Whether this is the address of a person for whom the caller may have something minted: unless
    /// identities are strict, the owner of this machine may for everybody, and anybody where no credentials
    /// are asked for. No role grants it, so where roles count nobody else may.
    fn is_person(&self, caller: &Caller, name: &str) -> bool {
        let is_person = name.contains('@') && !Account::new(name).is_service_account();
        let may = !self.asks_for_credentials() || *caller.account() == self.0.owner;
        is_person && may && !self.0.config.strict_identity
    }
}

fn check_enabled(account: &ServiceAccount) -> Result<()> {
    if account.disabled { Err(Error::account_disabled(&account.account.email)) } else { Ok(()) }
}

/// The email or unique id in the name of a delegate. gcloud sends that alone.
fn delegate(at: usize, name: &str) -> Result<&str> {
    let id = name.strip_prefix(ANY_PROJECT).unwrap_or(name);
    if !id.is_empty() && !id.contains('/') {
        return Ok(id);
    }
    let text = format!("must be {ANY_PROJECT}EMAIL_OR_UNIQUE_ID (the '-' is required), not '{name}'");
    Err(Error::field(format!("delegates[{at}]"), text))
}
