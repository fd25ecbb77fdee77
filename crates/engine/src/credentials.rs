//! Which credentials can be minted, and for whom?

use groundrun_identity::KeyError;
use groundrun_model::account::Account;
use groundrun_model::assertion::Wanted;
use groundrun_model::token::{GoogleClaims, IdClaims};
use groundrun_model::{Error, Result, Timestamp};

use crate::delegation::Target;
use crate::login::REFRESH;
use crate::{Caller, Engine};

/// How long an access token may live, in seconds, unless an organization allows more.
const LONGEST_SECONDS: i64 = 3600;

/// How long it may live if an organization allows it, in seconds.
const EXTENDED_SECONDS: i64 = 12 * 3600;

/// How far ahead `exp` of a JWT may be that `signJwt` signs, in seconds.
const LONGEST_JWT_SECONDS: i64 = 12 * 3600;

/// An access token.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// When it ends.
    pub expires: Timestamp,
    /// The OAuth scopes that it was made for.
    pub scopes: Vec<String>,
}

/// What an ID token is to say beyond what it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Included {
    /// The address.
    pub email: bool,
    /// The number of the organization.
    pub organization_number: bool,
    /// The address in the place of the unique id as the authorized party (`azp`).
    pub email_as_azp: bool,
}

/// Whether the address is included, and nothing else.
impl From<bool> for Included {
    fn from(email: bool) -> Self {
        Self { email, ..Self::default() }
    }
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
    /// `refresh_token`.
    Refresh {
        /// The client, which becomes the audience of the ID token.
        client_id: String,
        /// What was given out at a login; unless credentials are asked for, any other is the local owner's.
        refresh_token: String,
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
        target: impl Into<Target<'_>>,
        audience: &str,
        included: impl Into<Included>,
    ) -> Result<String> {
        if audience.is_empty() {
            return Err(Error::field("audience", "must not be empty"));
        }
        let included = included.into();
        let account = self.mintable(caller, "iam.serviceAccounts.getOpenIdToken", target.into()).await?;
        let claims = IdClaims::new(&account, audience, included.email, self.now());
        // No project here is in an organization, for which the documented value is null.
        let google = included.organization_number.then(GoogleClaims::default);
        let azp = if included.email_as_azp { Some(account.email.clone()) } else { claims.azp.clone() };
        let claims = IdClaims { google, azp, ..claims };
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
        target: impl Into<Target<'_>>,
        scopes: &[String],
        lifetime_seconds: i64,
    ) -> Result<AccessToken> {
        if scopes.is_empty() {
            return Err(Error::field("scope", "must name at least one scope"));
        }
        check_lifetime(lifetime_seconds)?;
        let account = self.mintable(caller, "iam.serviceAccounts.getAccessToken", target.into()).await?;
        self.access_token(&account, scopes, lifetime_seconds).await
    }

    /// Signs `bytes` with the key of the service account; answers the key's id and the signature.
    ///
    /// # Errors
    /// 404 if identities are strict and there is no such service account.
    pub async fn sign_blob(
        &self,
        caller: &Caller,
        target: impl Into<Target<'_>>,
        bytes: &[u8],
    ) -> Result<(String, Vec<u8>)> {
        let account = self.mintable(caller, "iam.serviceAccounts.signBlob", target.into()).await?;
        self.keys().sign_blob(&account, bytes).await.map_err(unsigned)
    }

    /// Signs a JWT with the key of the service account; answers the key's id and the JWT.
    ///
    /// # Errors
    /// 400 if `payload` is no JSON object or lives longer than 12 hours, 404 if identities are strict and
    /// there is no such service account.
    pub async fn sign_jwt(
        &self,
        caller: &Caller,
        target: impl Into<Target<'_>>,
        payload: &str,
    ) -> Result<(String, String)> {
        let claims: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(payload).map_err(|problem| {
                Error::field("payload", format!("must be a JSON object of claims: {problem}"))
            })?;
        let ends = claims.get("exp").and_then(serde_json::Value::as_i64);
        if ends.is_some_and(|ends| ends > self.now().seconds() + LONGEST_JWT_SECONDS) {
            return Err(Error::field("payload", "exp must be within the next 12 hours"));
        }
        let account = self.mintable(caller, "iam.serviceAccounts.signJwt", target.into()).await?;
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
            TokenGrant::Refresh { client_id, refresh_token } => {
                let account = self.refreshed(&refresh_token)?;
                let claims = IdClaims::new(&account, &client_id, true, self.now());
                let claims = IdClaims { azp: Some(client_id), ..claims };
                let id_token = Some(self.keys().id_token(&claims).await.map_err(unsigned)?);
                let token = self.access_token(&account, &user_scopes(), LONGEST_SECONDS).await?;
                Ok(TokenReply { access_token: Some(token), id_token })
            }
        }
    }

    /// The account that a token is minted for. Unless identities are strict, a person may be named too:
    /// there is no other way to sign in on this machine.
    ///
    /// # Errors
    /// 404 if there is no such account, 400 if it is disabled.
    pub(crate) async fn token_account(&self, email: &str) -> Result<Account> {
        let account = Account::new(email);
        if self.0.config.strict_identity || account.is_service_account() || !email.contains('@') {
            let found = self.credential_account(email).await?;
            return if found.disabled { Err(Error::account_disabled(email)) } else { Ok(found.account) };
        }
        self.0.directory.remember(&account);
        Ok(account)
    }

    pub(crate) async fn access_token(
        &self,
        account: &Account,
        scopes: &[String],
        seconds: i64,
    ) -> Result<AccessToken> {
        if scopes.iter().any(|scope| scope == REFRESH) {
            return Err(Error::field("scope", format!("'{REFRESH}' is not a scope")));
        }
        let now = self.now();
        let token = self.keys().access_token(account, scopes, now, seconds).await.map_err(unsigned)?;
        Ok(AccessToken { token, expires: now.plus_seconds(seconds), scopes: scopes.to_vec() })
    }
}

/// What a person's token may be used for, as gcloud asks for it.
fn user_scopes() -> Vec<String> {
    ["openid", "userinfo.email", "cloud-platform"]
        .map(|scope| match scope {
            "openid" => scope.to_owned(),
            _ => format!("https://www.googleapis.com/auth/{scope}"),
        })
        .to_vec()
}

/// # Errors
/// 400 unless an access token may live so long.
fn check_lifetime(seconds: i64) -> Result<()> {
    if (1..=LONGEST_SECONDS).contains(&seconds) {
        return Ok(());
    }
    let refusal = Error::field("lifetime", "must be between 1s and 3600s");
    if seconds <= EXTENDED_SECONDS && seconds > 0 {
        return Err(refusal.hint(
            "up to 43200s are for accounts that an organization lists in the constraint \
             iam.allowServiceAccountCredentialLifetimeExtension, which groundrun does not emulate",
        ));
    }
    Err(refusal)
}

pub(crate) fn unsigned(error: KeyError) -> Error {
    Error::internal(error)
}
