//! What does a token say, and is it good?

use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use groundrun_model::{Error, Result, Timestamp};

use crate::{Engine, OWNER_TOKEN};

/// What a good access token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenInfo {
    /// Whose it is.
    pub account: Account,
    /// The OAuth scopes that it was made for.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: Timestamp,
}

impl Engine {
    /// What an access token stands for.
    ///
    /// # Errors
    /// 401 if this emulator did not make it, if it has ended, or if its account is gone or disabled.
    pub fn access_token_info(&self, token: &str) -> Result<AccessTokenInfo> {
        let claims = self.keys().verify_access_token(token, self.now()).map_err(Error::invalid_credential)?;
        let account = self.standing_of(&claims)?;
        Ok(AccessTokenInfo { account, scopes: claims.scopes().to_vec(), expires: claims.expires() })
    }

    /// What an ID token claims.
    ///
    /// # Errors
    /// 401 if this emulator did not sign it, if it has ended, or if its account is gone or disabled.
    pub fn id_token_info(&self, token: &str) -> Result<IdClaims> {
        let verified = self.keys().verifier().verify(token, self.now());
        let claims = verified.map_err(Error::invalid_credential)?.claims().clone();
        let standing = self.0.directory.standing(&claims.sub);
        match standing.and_then(|(email, standing)| standing.refusal(&email)) {
            Some(why) => Err(Error::invalid_credential(why)),
            None => Ok(claims),
        }
    }

    /// Who signed in with `bearer`. Who is asked for by name is never guessed: a token that is not known
    /// is nobody's.
    ///
    /// # Errors
    /// 401 if it is no good access token, or if there is none.
    pub fn signed_in(&self, bearer: Option<&str>) -> Result<Account> {
        match bearer {
            None => Err(Error::no_credential()),
            Some(OWNER_TOKEN) => Ok(self.0.owner.clone()),
            Some(token) => Ok(self.access_token_info(token)?.account),
        }
    }
}
