//! Which credentials can be minted, and for whom?

use groundrun_identity::KeyError;
use groundrun_model::account::{Account, AccountName};
use groundrun_model::assertion::Wanted;
use groundrun_model::iam::Resource;
use groundrun_model::token::IdClaims;
use groundrun_model::{Error, Result, Timestamp};

use crate::{Caller, Engine};

/// How long an access token may live, in seconds, unless an organization allows more.
const LONGEST_SECONDS: i64 = 3600;

/// How far ahead `exp` of a JWT may be that `signJwt` signs, in seconds.
const LONGEST_JWT_SECONDS: i64 = 12 * 3600;

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires: Timestamp,
}

/// What is asked of the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenGrant {
    /// `jwt-bearer`: the assertion of a service account.
    Assertion {
        /// The JWT.
        jwt: String,
        /// The URL of this emulator, whose token endpoint an assertion may be for.
        base: String,
    },
    /// `refresh_token`: of the local owner.
    Refresh {
        /// The client, which becomes the audience of the ID token.
        client_id: String,
    },
}

/// What the token endpoint answers.
#[derive(Debug, Clone, Default)]
pub struct TokenReply {
    /// The access token, if one was asked for.
    pub access_token: Option<AccessToken>,
    /// The ID token, if one was asked for.
    pub id_token: Option<String>,
}

impl Engine {
    /// An ID token for the account of `email`.
    ///
    /// # Errors
    /// 400 without an audience, 404 if identities are strict and there is no such service account.
    pub async fn generate_id_token(
        &self,
        caller: &Caller,
        email: &str,
        audience: &str,
        include_email: bool,
    ) -> Result<String> {
        if audience.is_empty() {
            return Err(Error::field("audience", "must not be empty"));
        }
        let account = self.mintable(caller, "iam.serviceAccounts.getOpenIdToken", email).await?;
        let claims = IdClaims::new(&account, audience, include_email, self.now());
        self.keys().id_token(&claims).await.map_err(unsigned)
    }

    /// An access token for the account of `email`, for `lifetime_seconds` at most an hour.
    ///
    /// # Errors
    /// 400 without a scope or for a longer life, 404 if identities are strict and there is no such
    /// service account.
    pub async fn generate_access_token(
        &self,
        caller: &Caller,
        email: &str,
        scopes: &[String],
        lifetime_seconds: i64,
    ) -> Result<AccessToken> {
        if scopes.is_empty() {
            return Err(Error::field("scope", "must name at least one scope"));
        }
        if !(1..=LONGEST_SECONDS).contains(&lifetime_seconds) {
            return Err(Error::field("lifetime", "must be between 1s and 3600s"));
        }
        let account = self.mintable(caller, "iam.serviceAccounts.getAccessToken", email).await?;
        self.access_token(&account, scopes, lifetime_seconds).await
    }

    /// Signs `bytes` with the key of the service account; answers the key's id and the signature.
    ///
    /// # Errors
    /// 404 if identities are strict and there is no such service account.
    pub async fn sign_blob(&self, caller: &Caller, email: &str, bytes: &[u8]) -> Result<(String, Vec<u8>)> {
        let account = self.mintable(caller, "iam.serviceAccounts.signBlob", email).await?;
        self.keys().sign_blob(&account, bytes).await.map_err(unsigned)
    }

    /// Signs a JWT with the key of the service account; answers the key's id and the JWT.
    ///
    /// # Errors
    /// 400 if `payload` is no JSON object or lives longer than 12 hours, 404 if identities are strict and
    /// there is no such service account.
    pub async fn sign_jwt(&self, caller: &Caller, email: &str, payload: &str) -> Result<(String, String)> {
        let claims: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(payload).map_err(|problem| {
                Error::field("payload", format!("must be a JSON object of claims: {problem}"))
            })?;
        let ends = claims.get("exp").and_then(serde_json::Value::as_i64);
        if ends.is_some_and(|ends| ends > self.now().seconds() + LONGEST_JWT_SECONDS) {
            return Err(Error::field("payload", "exp must be within the next 12 hours"));
        }
        let account = self.mintable(caller, "iam.serviceAccounts.signJwt", email).await?;
        self.keys().sign_jwt(&account, payload).await.map_err(unsigned)
    }

    /// What the token endpoint answers to `grant`.
    ///
    /// # Errors
    /// An assertion that is refused; see [`groundrun_model::assertion`].
    pub async fn token(&self, grant: TokenGrant) -> Result<TokenReply> {
        match grant {
            TokenGrant::Assertion { jwt, base } => match self.asserted(&jwt, &base).await? {
                (account, Wanted::IdToken(audience)) => {
                    let claims = IdClaims::new(&account, &audience, true, self.now());
                    let id_token = Some(self.keys().id_token(&claims).await.map_err(unsigned)?);
                    Ok(TokenReply { access_token: None, id_token })
                }
                (account, Wanted::AccessToken(scopes)) => {
                    let token = self.access_token(&account, &scopes, LONGEST_SECONDS).await?;
                    Ok(TokenReply { access_token: Some(token), id_token: None })
                }
            },
            TokenGrant::Refresh { client_id } => {
                let owner = self.0.owner.clone();
                let claims = IdClaims::new(&owner, &client_id, true, self.now());
                let claims = IdClaims { azp: Some(client_id), ..claims };
                let id_token = Some(self.keys().id_token(&claims).await.map_err(unsigned)?);
                let token = self.access_token(&owner, &[], LONGEST_SECONDS).await?;
                Ok(TokenReply { access_token: Some(token), id_token })
            }
        }
    }

    /// The account of `email`, on which the caller holds `permission`.
    async fn mintable(&self, caller: &Caller, permission: &str, email: &str) -> Result<Account> {
        let account = self.token_account(email).await?;
        if let Some(name) = AccountName::parse(&account.email) {
            let project = self.project(&name.project).await?;
            let resource = Resource::ServiceAccount { project: &project, account: &account };
            let _allowed = self.allow(caller, permission, resource).await?;
        }
        Ok(account)
    }

    /// The account that a token is minted for. Unless identities are strict, a person may be named too:
    /// there is no other way to sign in on this machine.
    pub(crate) async fn token_account(&self, email: &str) -> Result<Account> {
        let account = Account::new(email);
        if self.0.config.strict_identity || account.is_service_account() || !email.contains('@') {
            return Ok(self.named_account(email).await?.account);
        }
        self.0.directory.remember(&account);
        Ok(account)
    }

    async fn access_token(&self, account: &Account, scopes: &[String], seconds: i64) -> Result<AccessToken> {
        let now = self.now();
        let token = self.keys().access_token(account, scopes, now, seconds).await.map_err(unsigned)?;
        Ok(AccessToken { token, expires: now.plus_seconds(seconds) })
    }
}

fn unsigned(error: KeyError) -> Error {
    Error::internal(error)
}
