//! How does a person sign in, and stay so?
//!
//! A refresh token is sealed as an access token is, and needs no table either. It lives for years, has one
//! scope, with which nothing but refreshing can be done, and another beginning: `1//0`, as Google's have.

use groundrun_identity::TokenError;
use groundrun_model::account::Account;
use groundrun_model::{Code, Error, Result};

use crate::credentials::unsigned;
use crate::{Caller, Engine};

/// The only scope of a refresh token.
pub(crate) const REFRESH: &str = "groundrun:refresh";

/// How a refresh token begins.
const PREFIX: &str = "1//0";

/// How an access token begins.
const ACCESS_PREFIX: &str = "ya29.";

/// How long a refresh token lives, in seconds: ten years.
const LIFETIME_SECONDS: i64 = 10 * 365 * 24 * 3600;

impl Engine {
    /// A refresh token for the person with this address: whoever shows it to the token endpoint is that
    /// person. Only the owner of this machine may sign others in.
    ///
    /// # Errors
    /// 403 for other callers, 400 if this is not the address of a person.
    pub async fn login(&self, caller: &Caller, email: &str) -> Result<(Account, String)> {
        if *caller.account() != self.0.owner {
            let message = format!("{} may not sign others in; the local owner may.", caller.account().email);
            return Err(Error::new(Code::PermissionDenied, message));
        }
        let account = Account::new(email);
        let graphic = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
        let is_address = email.split_once('@').is_some_and(|(name, domain)| {
            graphic(name) && graphic(domain) && !domain.contains('@') && !email.contains(['/', '\\', '"'])
        });
        if !is_address {
            return Err(Error::field("email", format!("'{email}' is not an email address.")));
        }
        if account.is_service_account() {
            let text = "a service account does not sign in: use its key or impersonate it.";
            return Err(Error::field("email", text));
        }
        let scopes = [REFRESH.to_owned()];
        let sealed = self.keys().access_token(&account, &scopes, self.now(), LIFETIME_SECONDS).await;
        let sealed = sealed.map_err(unsigned)?;
        self.0.directory.remember(&account);
        let body = sealed.strip_prefix(ACCESS_PREFIX).unwrap_or(&sealed);
        Ok((account, format!("{PREFIX}{body}")))
    }

    /// Whose refresh token this is. Unless credentials are asked for, one that no emulator made is the local
    /// owner's.
    ///
    /// # Errors
    /// 401 in the words of the token endpoint, if it is not good.
    pub(crate) fn refreshed(&self, token: &str) -> Result<Account> {
        let body = token.strip_prefix(PREFIX).unwrap_or_default();
        let verified = self.keys().verify_access_token(&format!("{ACCESS_PREFIX}{body}"), self.now());
        match verified {
            Ok(claims) if claims.scopes() == [REFRESH] => Ok(claims.account().clone()),
            Err(TokenError::NotAnAccessToken | TokenError::ForeignAccessToken)
                if !self.asks_for_credentials() =>
            {
                Ok(self.0.owner.clone())
            }
            Ok(_) | Err(_) => Err(Error::new(Code::Unauthenticated, "Token has been expired or revoked.")),
        }
    }
}
