//! What can be had from the signing keys of an emulator?

use std::path::Path;
use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use groundrun_model::token::IdClaims;
use serde_json::{Map, Value};

use crate::access::{self, AccessClaims};
use crate::account_keys::AccountKeys;
use crate::error::{KeyError, TokenError};
use crate::key_file::{self, KeyFile};
use crate::public_key::{PublicKey, PublishedKey};
use crate::ring::{self, Ring, RingKey, in_background};
use crate::signing_key::SigningKey;
use crate::slot::Slot;
use crate::verifier::Verifier;
use crate::{document, jwt, pem};

/// The signing keys of an emulator: those of the ID tokens, and one for each of its service accounts.
/// Cheap to clone.
///
/// Whoever needs a key that is still being made waits for it without holding a thread; if it cannot be
/// made or kept, each gets the reason, until the process ends.
#[derive(Debug, Clone)]
pub struct Keys {
    ring: Arc<Ring>,
    accounts: Arc<AccountKeys>,
}

impl Keys {
    /// The keys of the data directory `dir`, kept in its directory `keys` (PKCS#8, mode 0600, directory
    /// 0700): `id-token.pem`, those that were rotated out or imported, and `account-UNIQUE_ID.pem` for
    /// each service account that signs; without a directory, keys that live as long as the process.
    ///
    /// Returns at once: a key of the ID tokens that is not there is made in the background, that of a
    /// service account when it is first needed.
    ///
    /// # Errors
    /// A directory that cannot be made; a key of the ID tokens that is there and cannot be read, or is
    /// damaged.
    pub fn open(dir: Option<&Path>) -> Result<Self, KeyError> {
        let directory = ring::directory(dir)?;
        let ring = Ring::open(directory.as_deref())?;
        ring.held().current.start();
        Ok(Self { ring: Arc::new(ring), accounts: Arc::new(AccountKeys::open(directory)) })
    }

    /// Keys in memory, of which that of the ID tokens is given (PKCS#8 or PKCS#1, PEM).
    ///
    /// # Errors
    /// A text that does not hold an RSA private key.
    pub fn from_pem(id_token_key: &str) -> Result<Self, KeyError> {
        Ok(Self { ring: Arc::new(Ring::in_memory(filled(id_token_key)?)), accounts: Arc::default() })
    }

    /// Keys in memory that are both given, the second for every service account: nothing has to be made
    /// but what is asked for by name, by [`Keys::rotate`] and [`Keys::account_key_file`].
    ///
    /// # Errors
    /// A text that does not hold an RSA private key.
    pub fn from_pems(id_token_key: &str, service_account_key: &str) -> Result<Self, KeyError> {
        let accounts = Arc::new(AccountKeys::supplied(filled(service_account_key)?));
        Ok(Self { accounts, ..Self::from_pem(id_token_key)? })
    }

    /// The verifier of the ID tokens that these keys sign, which may have to be made yet. All verifiers of
    /// the same keys remember the same tokens.
    pub fn verifier(&self) -> Verifier {
        Verifier { ring: Arc::clone(&self.ring), accounts: Arc::clone(&self.accounts) }
    }

    /// The id of the key that signs ID tokens: 40 hexadecimal digits.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn kid(&self) -> Result<String, KeyError> {
        Ok(self.ring.current().await?.kid().to_owned())
    }

    /// Makes a new key, which signs all ID tokens from then on; answers its id. The key before it stays
    /// published for an hour from `now`, the longest life of an ID token, and then vouches for nothing.
    /// Access tokens live on until they end.
    ///
    /// # Errors
    /// A key that cannot be made or kept: then the current one stays.
    pub async fn rotate(&self, now: Timestamp) -> Result<String, KeyError> {
        Ok(self.ring.rotate(now).await?.kid().to_owned())
    }

    /// Trusts a key of the user's: ID tokens that it signed and that name it by `kid` are taken, and it is
    /// published with the others. It signs nothing here, and of a private key only the public half is
    /// kept. The same key under the same id once more changes nothing.
    ///
    /// # Errors
    /// A text that holds no RSA key of 2048 to 8192 bits, an id that is none, or one that means another
    /// key, of this emulator or of the user's; a key that cannot be kept.
    pub async fn import(&self, pem: &str, kid: &str) -> Result<(), KeyError> {
        if self.accounts.owner(kid).is_some() {
            return Err(KeyError::OwnKeyId { kid: kid.to_owned() });
        }
        self.ring.import(pem, kid).await
    }

    /// The keys that vouch for ID tokens at the moment `now`, the one that signs first.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn published(&self, now: Timestamp) -> Result<Vec<RingKey>, KeyError> {
        self.ring.held().published(now).await
    }

    /// The ID token with these claims.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn id_token(&self, claims: &IdClaims) -> Result<String, KeyError> {
        jwt::mint(&*self.ring.current().await?, claims)
    }

    /// An access token for `account`, good from `now` for `lifetime_seconds`. It begins with `ya29.`,
    /// is verified without a table and outlives a restart in the same data directory, and a rotation.
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
        let key = self.ring.current().await?;
        access::make(key.access_token_secret(), account, scopes, now.plus_seconds(lifetime_seconds))
            .map_err(|error| key.failure(&error))
    }

    /// What an access token of this emulator stands for, at the moment `now`.
    ///
    /// # Errors
    /// An ID token or anything else that does not begin with `ya29.`; a token that this emulator did
    /// not make (as long as it has no key, every one), or that was altered, or that has ended.
    pub fn verify_access_token(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError> {
        let held = self.ring.held();
        access::verify(held.sealers(now).map(|key| key.access_token_secret()), token, now)
    }

    /// The key id and the signature (RS256) of `bytes`, as `signBlob` of `account` answers.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn sign_blob(&self, account: &Account, bytes: &[u8]) -> Result<(String, Vec<u8>), KeyError> {
        let key = self.accounts.key(account, &self.ring).await?;
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
        let key = self.accounts.key(account, &self.ring).await?;
        tracing::debug!(account = account.email, kid = key.kid(), "sign a JWT");
        Ok((key.kid().to_owned(), jwt::sign(&key, payload_json.as_bytes())?))
    }

    /// The system key of `account`, with which it signs; made if it has none yet.
    ///
    /// # Errors
    /// No key; see [`Keys`].
    pub async fn account_key(&self, account: &Account) -> Result<PublishedKey, KeyError> {
        document::publish(&*self.accounts.key(account, &self.ring).await?, &account.unique_id)
    }

    /// The system key of `account` if it has ever signed.
    ///
    /// # Errors
    /// A key that is there and cannot be read, or is damaged.
    pub async fn account_key_if_made(&self, account: &Account) -> Result<Option<PublishedKey>, KeyError> {
        let made = self.accounts.made(account, &self.ring).await?;
        made.map(|key| document::publish(&key, &account.unique_id)).transpose()
    }

    /// Makes a key for `account` of `project` and the file that holds its private half, which is kept
    /// nowhere else. `base` is the URL of the emulator, where the file leads its reader.
    ///
    /// # Errors
    /// A key that cannot be made.
    pub async fn account_key_file(
        &self,
        account: &Account,
        project: &str,
        base: &str,
    ) -> Result<(PublishedKey, KeyFile), KeyError> {
        let (owner, project, base) = (account.clone(), project.to_owned(), base.to_owned());
        let made = in_background(move || key_file::make(&owner, &project, &base)).await?;
        self.learn_account_key(made.0.kid(), &account.email);
        Ok(made)
    }

    /// Reads a key that `account` uploads: an X.509 certificate or a public key, PEM. A key without a
    /// certificate gets one that the account's system key signs.
    ///
    /// # Errors
    /// A text that holds no RSA key of 2048 to 8192 bits.
    pub async fn read_account_key(&self, account: &Account, pem: &str) -> Result<PublishedKey, KeyError> {
        if let Some(certified) = PublishedKey::certified(pem)? {
            return Ok(certified);
        }
        let key = PublicKey::from_der(&pem::read(pem)?.der).map_err(KeyError::PublicKey)?;
        let issuer = self.accounts.key(account, &self.ring).await?;
        document::certify(key, &account.unique_id, &issuer)
    }

    /// Notes that a key is or was one of the account with this address: what it signs is no ID token.
    pub fn learn_account_key(&self, kid: &str, email: &str) {
        self.accounts.learn(kid, email);
    }

    /// The address of the account that a key belongs or belonged to, if that is known.
    pub fn account_of_key(&self, kid: &str) -> Option<String> {
        self.accounts.owner(kid)
    }

    /// Whether a key vouches for ID tokens, or did.
    pub fn is_id_token_key(&self, kid: &str) -> bool {
        self.ring.held().knows(kid)
    }
}

fn filled(pem: &str) -> Result<Arc<Slot>, KeyError> {
    let key = SigningKey::from_pem(pem).map_err(|reason| KeyError::Pem(reason.to_owned()))?;
    Ok(Slot::filled(key))
}
