//! Who may change the keys that vouch for ID tokens?

use groundrun_identity::{KeyError, RingKey};
use groundrun_model::{Code, Error, Result};

use crate::{Caller, Engine};

impl Engine {
    /// The keys that vouch for ID tokens now, the one that signs first.
    ///
    /// # Errors
    /// 500 if there is no key.
    pub async fn id_token_keys(&self) -> Result<Vec<RingKey>> {
        self.keys().published(self.now()).await.map_err(Error::internal)
    }

    /// Makes a new key, which signs all ID tokens from now on; answers its id. The key before it stays
    /// published until the last of its tokens has ended.
    ///
    /// # Errors
    /// 403 where permissions count and the caller is not the owner of this machine.
    pub async fn rotate_keys(&self, caller: &Caller) -> Result<String> {
        self.own_keys_only(caller)?;
        self.keys().rotate(self.now()).await.map_err(Error::internal)
    }

    /// Trusts the ID tokens of a key that was made elsewhere: a public key, an X.509 certificate or a private
    /// key (PEM), under the key id `kid`.
    ///
    /// # Errors
    /// 400 for a text that holds no RSA key of 2048 bits or more, or for an id that is none; 409 for the
    /// id of another key.
    pub async fn import_key(&self, caller: &Caller, pem: &str, kid: &str) -> Result<()> {
        self.own_keys_only(caller)?;
        self.keys().import(pem, kid).await.map_err(|error| match error {
            KeyError::PublicKey(_) => Error::field("pem", error.to_string()),
            KeyError::KeyId => Error::field("kid", error.to_string()),
            KeyError::OwnKeyId { .. } | KeyError::OtherKey { .. } => {
                Error::new(Code::AlreadyExists, error.to_string())
            }
            other => Error::internal(other),
        })
    }

    /// The keys are the emulator's and no resource of a project: no role grants them.
    fn own_keys_only(&self, caller: &Caller) -> Result<()> {
        if self.config().enforce_api_iam && *caller.account() != self.0.owner {
            return Err(Error::new(
                Code::PermissionDenied,
                format!("The keys of the emulator are changed by {} only.", self.0.owner.email),
            ));
        }
        Ok(())
    }
}
