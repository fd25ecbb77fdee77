//! What can be had from the signing keys of an emulator?

use std::path::Path;
use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use serde_json::{Map, Value};

use crate::access::{self, AccessClaims};
use crate::cache::VerifiedTokens;
use crate::error::{KeyError, TokenError};
use crate::signing_key::SigningKey;
use crate::slot::Slot;
use crate::verifier::Verifier;
use crate::{document, file, jwt};

/// The two signing keys of an emulator: that of the ID tokens, and that of its service accounts, which
/// they share. Cheap to clone.
///
/// Whoever needs a key that is still being made waits for it without holding a thread; if it cannot be
/// made or kept, each gets the reason, until the process ends.
#[derive(Debug, Clone)]
pub struct Keys {
    id_tokens: Arc<Slot>,
    service_accounts: Arc<Slot>,
}

impl Keys {
    /// The keys of the data directory `dir`, kept in `keys/id-token.pem` and `keys/service-account.pem`
    /// (PKCS#8, mode 0600, directory 0700); without a directory, keys that live as long as the process.
    ///
    /// Returns at once: a key of the ID tokens that is not there is made in the background, that of the
    /// service accounts when it is first needed.
    ///
    /// # Errors
    /// A directory that cannot be made; a key that is there and cannot be read, or is damaged.
    pub fn open(dir: Option<&Path>) -> Result<Self, KeyError> {
        let dir = dir.map(|dir| dir.join("keys"));
        if let Some(dir) = &dir {
            file::open_directory(dir)?;
        }
        let id_tokens = Slot::open(dir.as_deref(), "id-token")?;
        let service_accounts = Slot::open(dir.as_deref(), "service-account")?;
        id_tokens.start();
        Ok(Self { id_tokens, service_accounts })
    }

    /// Keys in memory, of which that of the ID tokens is given (PKCS#8 or PKCS#1, PEM).
    ///
    /// # Errors
    /// A text that does not hold an RSA private key.
    pub fn from_pem(id_token_key: &str) -> Result<Self, KeyError> {
        Ok(Self { id_tokens: filled(id_token_key)?, service_accounts: Slot::open(None, "service-account")? })
    }

    /// Keys in memory that are both given: nothing ever has to be made.
    ///
    /// # Errors
    /// A text that does not hold an RSA private key.
    pub fn from_pems(id_token_key: &str, service_account_key: &str) -> Result<Self, KeyError> {
        Ok(Self { id_tokens: filled(id_token_key)?, service_accounts: filled(service_account_key)? })
    }

    /// The verifier of the ID tokens that these keys sign, which may have to be made yet.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            id_tokens: Arc::clone(&self.id_tokens),
            service_accounts: Arc::clone(&self.service_accounts),
            verified: VerifiedTokens::default(),
        }
    }

    /// The id of the key of the ID tokens: 40 hexadecimal digits.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn kid(&self) -> Result<String, KeyError> {
        Ok(self.id_tokens.key().await?.kid().to_owned())
    }

    /// The ID token with these claims.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn id_token(&self, claims: &IdClaims) -> Result<String, KeyError> {
        jwt::mint(self.id_tokens.key().await?, claims)
    }

    /// An access token for `account`, good from `now` for `lifetime_seconds`. It begins with `ya29.`,
    /// is verified without a table and outlives a restart in the same data directory.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn access_token(
        &self,
        account: &Account,
        scopes: &[String],
        now: Timestamp,
        lifetime_seconds: i64,
    ) -> Result<String, KeyError> {
        let key = self.id_tokens.key().await?;
        access::make(key.access_token_secret(), account, scopes, now.plus_seconds(lifetime_seconds))
            .map_err(|error| key.failure(&error))
    }

    /// What an access token of this emulator stands for, at the moment `now`.
    ///
    /// # Errors
    /// An ID token or anything else that does not begin with `ya29.`; a token that this emulator did
    /// not make (as long as it has no key, every one), or that was altered, or that has ended.
    pub fn verify_access_token(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        if !token.starts_with(access::PREFIX) {
            return Err(TokenError::NotAnAccessToken);
        }
        let key = self.id_tokens.ready().ok_or(TokenError::ForeignAccessToken)?;
        access::verify(key.access_token_secret(), token, now)
    }

    /// The key id and the signature (RS256) of `bytes`, as `signBlob` of `account` answers.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn sign_blob(&self, account: &Account, bytes: &[u8]) -> Result<(String, Vec<u8>), KeyError> {
        let key = self.service_account_key().await?;
        tracing::debug!(account = account.email, kid = key.kid(), "sign a blob");
        Ok((key.kid().to_owned(), key.sign(bytes)?))
    }

    /// The key id and the JWT with exactly this payload, as `signJwt` of `account` answers. Whatever it
    /// claims, [`Verifier`] refuses it: an account signs for itself and not for Google.
    ///
    /// # Errors
    /// A payload that is not a JSON object; no key, see [`Keys`].
    pub async fn sign_jwt(
        &self,
        account: &Account,
        payload_json: &str,
    ) -> Result<(String, String), KeyError> {
        serde_json::from_str::<Map<String, Value>>(payload_json)
            .map_err(|error| KeyError::Payload(error.to_string()))?;
        let key = self.service_account_key().await?;
        tracing::debug!(account = account.email, kid = key.kid(), "sign a JWT");
        Ok((key.kid().to_owned(), jwt::sign(key, payload_json.as_bytes())?))
    }

    /// The JWK set of the ID tokens: `{"keys": [{alg, e, kid, kty, n, use}]}`.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn jwks(&self) -> Result<Value, KeyError> {
        Ok(document::jwks(self.id_tokens.key().await?))
    }

    /// The certificates of the ID tokens: key id to X.509 in PEM, the same bytes after every restart.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn pem_certificates(&self) -> Result<Value, KeyError> {
        document::id_token_certificates(self.id_tokens.key().await?)
    }

    /// The JWK set of what `account` signs itself.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn service_account_jwks(&self, _account: &Account) -> Result<Value, KeyError> {
        Ok(document::jwks(self.service_account_key().await?))
    }

    /// The certificates of what `account` signs itself: key id to X.509 in PEM.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn service_account_certificates(&self, account: &Account) -> Result<Value, KeyError> {
        document::account_certificates(self.service_account_key().await?, account)
    }

    /// The key that the service accounts share. It must not be that of the ID tokens, as it would be if
    /// somebody copied the one file over the other: then a self-signed JWT would pass for an ID token.
    async fn service_account_key(&self) -> Result<&SigningKey, KeyError> {
        self.service_accounts.start();
        let kid = self.id_tokens.key().await?.kid();
        let key = self.service_accounts.key().await?;
        if key.kid() == kid {
            return Err(KeyError::SameKey { kid: kid.to_owned() });
        }
        Ok(key)
    }
}

fn filled(pem: &str) -> Result<Arc<Slot>, KeyError> {
    let key = SigningKey::from_pem(pem).map_err(|reason| KeyError::Pem(reason.to_owned()))?;
    Ok(Slot::filled(key))
}
