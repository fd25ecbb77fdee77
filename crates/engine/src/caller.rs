//! Who calls the API, and what may they do?

use groundrun_identity::TokenError;
use groundrun_model::account::Account;
use groundrun_model::{Code, Error, Result};

use crate::Engine;

/// Who calls the API.
#[derive(Debug, Clone)]
pub struct Caller {
    account: Account,
}

impl Caller {
    /// The account that calls.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

/// The proof that a caller may do what it asks for; only [`Engine::allow`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Allowed<'c> {
    caller: &'c Caller,
}

impl Allowed<'_> {
    /// The email of the caller.
    pub(crate) fn email(&self) -> &str {
        &self.caller.account.email
    }
}

impl Engine {
    /// The caller who shows `bearer`: the account that an access token of an emulator was minted for, and
    /// the owner of this machine with any other token, a real one of Google's among them, or none.
    ///
    /// # Errors
    /// 401 for an access token of an emulator that has ended, was altered, or is of another emulator:
    /// clients then get themselves a new one.
    pub fn caller(&self, bearer: Option<&str>) -> Result<Caller> {
        let owner = || Caller { account: self.0.owner.clone() };
        let Some(token) = bearer else { return Ok(owner()) };
        match self.0.parts.keys.verify_access_token(token, self.now()) {
            Ok(claims) => Ok(Caller { account: claims.account().clone() }),
            Err(TokenError::NotAnAccessToken | TokenError::ForeignAccessToken) => Ok(owner()),
            Err(problem) => Err(Error::new(
                Code::Unauthenticated,
                format!(
                    "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                     cookie or other valid authentication credential. ({problem})"
                ),
            )),
        }
    }

    /// Lets the caller use `permission` on `resource`. Every caller may do everything to the API of its
    /// own machine.
    ///
    /// # Errors
    /// 403 if the caller may not.
    pub(crate) fn allow<'c>(
        &self,
        caller: &'c Caller,
        permission: &str,
        resource: &str,
    ) -> Result<Allowed<'c>> {
        tracing::trace!(caller = caller.account.email, permission, resource, "allowed");
        Ok(Allowed { caller })
    }
}
