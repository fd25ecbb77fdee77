//! Who may change the keys that vouch for ID tokens?

use groundrun_identity::{KeyError, RingKey};
use groundrun_model::{Code, Error, Result};

use crate::{Caller, Engine};

/// What the owner of this machine administers.
const KEYS: &str = "the keys";

impl Engine {
    /// The keys that vouch for ID tokens now, the one that signs first.
    ///
    /// # Errors
    /// 500 if there is no key.
    pub async fn id_token_keys(&self) -> Result<Vec<RingKey>> {
        self.keys().published(self.now()).await.map_err(Error::internal)
    }

    /// The same for a caller who administers them.
    ///
    /// # Errors
    /// As [`Engine::id_token_keys`], and 403 as for a rotation.
    pub async fn administered_keys(&self, caller: &Caller) -> Result<Vec<RingKey>> {
        self.owner_only(caller, KEYS)?;
        self.id_token_keys().await
    }

    /// Makes a new key, which signs all ID tokens from now on; answers its id. The key before it stays
    /// published until the last of its tokens has ended.
    ///
    /// # Errors
    /// 403 where credentials are asked for and the caller is not the owner of this machine.
    pub async fn rotate_keys(&self, caller: &Caller) -> Result<String> {
        self.owner_only(caller, KEYS)?;
        self.keys().rotate(self.now()).await.map_err(Error::internal)
    }

    /// Trusts the ID tokens of a key that was made elsewhere: a public key, an X.509 certificate or a private
    /// key (PEM), under the key id `kid`.
    ///
    /// # Errors
    /// 400 for a text that holds no RSA key of 2048 bits or more, or for an id that is none; 409 for the
    /// id of another key; 403 as for a rotation.
    pub async fn import_key(&self, caller: &Caller, pem: &str, kid: &str) -> Result<()> {
        self.owner_only(caller, KEYS)?;
        self.keys().import(pem, kid).await.map_err(|error| match error {
            KeyError::PublicKey(_) => Error::field("pem", error.to_string()),
            KeyError::KeyId => Error::field("kid", error.to_string()),
            KeyError::OwnKeyId { .. } | KeyError::OtherKey { .. } => {
                Error::new(Code::AlreadyExists, error.to_string())
            }
            other => Error::internal(other),
        })
    }
}
