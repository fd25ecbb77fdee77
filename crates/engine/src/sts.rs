//! What does somebody get for a token of another identity provider?
//!
//! Which pools and providers there are is not asked: one exists when it is named.

use groundrun_model::federation::{self, Provider};
use groundrun_model::{Code, Error, Result};
use serde_json::Value;

use crate::{AccessToken, Engine};

/// How long what is given out lives, in seconds.
const LIFETIME_SECONDS: i64 = 3600;

/// What is exchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The full resource name of the identity provider.
    pub audience: String,
    /// The header of the subject token, which nobody has verified.
    pub header: Value,
    /// The claims of the subject token, which nobody has verified.
    pub claims: Value,
    /// The subject token.
    pub subject_token: String,
    /// The OAuth scopes that are asked for.
    pub scopes: Vec<String>,
}

impl Engine {
    /// An access token for whom the subject token names: `sub` in the pool of the provider. Unless
    /// identities are strict its signature is not checked, as the keys of the provider are elsewhere; then
    /// a key of this emulator must have made it.
    ///
    /// # Errors
    /// 400 if the audience names no provider; 401 as [`federation::subject`] says or, with
    /// strict identities, for a subject token that is not signed by a key that is known here.
    pub async fn exchange(&self, asked: &Exchange) -> Result<AccessToken> {
        let provider = Provider::parse(&asked.audience)?;
        let refuse = |why: String| Error::new(Code::Unauthenticated, why);
        if self.0.config.strict_identity {
            self.keys().verifier().verify(&asked.subject_token, self.now()).map_err(|problem| {
                refuse(format!("Invalid subject token: its signature cannot be trusted ({problem})."))
            })?;
        }
        let subject = federation::subject(&asked.header, &asked.claims, self.now())?;
        let account = provider.identity(subject)?;
        self.access_token(&account, &asked.scopes, LIFETIME_SECONDS).await
    }
}
