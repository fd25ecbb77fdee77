//! Which service account signed this JWT itself, and does that count?
//!
//! A signature by a key that is known here is always verified. A key that is not known may be a developer's
//! real one or made by hand for a test: it is believed, unless credentials are asked for.

use groundrun_identity::{PublishedKey, SelfSigned, TokenError};
use groundrun_model::account::Account;
use groundrun_model::account_key::AccountKey;
use groundrun_model::assertion::{self, Wanted, invalid_grant, invalid_signature};
use groundrun_model::kind::{Kind, Resource as _};
use groundrun_model::{Code, Error, Result};
use groundrun_store::{Query, ServiceAccount};

use crate::Engine;

/// Google's words where the issuer of an assertion is no account.
const NO_ACCOUNT: &str = "Invalid grant: account not found";

/// Whose key signed a JWT.
enum Signer {
    /// A key of the account that issued it.
    Own(ServiceAccount),
    /// A key that is not known here.
    Foreign,
}

impl Engine {
    /// The account that asserts, and what it asks for.
    ///
    /// # Errors
    /// As the token endpoint of Google refuses, in its words; see [`groundrun_model::assertion`].
    pub(crate) async fn asserted(&self, jwt: &str, base: &str) -> Result<(Account, Wanted)> {
        let jwt = SelfSigned::read(jwt).map_err(|error| match error {
            TokenError::Signature => invalid_signature(),
            other => invalid_grant(format!("Invalid JWT: {other}.")),
        })?;
        let issuer = assertion::issuer(jwt.claims())?.to_owned();
        let signer = self.signer(&jwt, &issuer).await?;
        let wanted = assertion::read(jwt.claims(), base, self.now())?;
        let account = match signer {
            Signer::Own(known) => known.account,
            Signer::Foreign if self.asks_for_credentials() => return Err(invalid_signature()),
            Signer::Foreign => self.token_account(&issuer).await.map_err(|error| match error.code {
                Code::NotFound => invalid_grant(NO_ACCOUNT),
                _ => error,
            })?,
        };
        Ok((account, wanted))
    }

    /// The account that shows a JWT of its own as its bearer; `None` if it is no such JWT, or if its key is not
    /// known here.
    ///
    /// # Errors
    /// A JWT that names a key known here and is not the account's, or that does not count now.
    pub(crate) async fn self_signed_bearer(&self, bearer: &str) -> Result<Option<Account>> {
        let Ok(jwt) = SelfSigned::read(bearer) else { return Ok(None) };
        // An ID token is issued by Google, and says nothing to an API.
        let Some(issuer) = assertion::issuer(jwt.claims()).ok().filter(|issuer| issuer.contains('@')) else {
            return Ok(None);
        };
        let Signer::Own(known) = self.signer(&jwt, issuer).await? else { return Ok(None) };
        assertion::check_bearer(jwt.claims(), self.now())?;
        Ok(Some(known.account))
    }

    async fn signer(&self, jwt: &SelfSigned<'_>, issuer: &str) -> Result<Signer> {
        let is_known = jwt
            .kid()
            .is_some_and(|kid| self.keys().account_of_key(kid).is_some() || self.keys().is_id_token_key(kid));
        let Some(account) = self.store().service_account(&issuer.to_ascii_lowercase()).await? else {
            return if is_known { Err(invalid_grant(NO_ACCOUNT)) } else { Ok(Signer::Foreign) };
        };
        if account.disabled {
            return Err(invalid_grant("Account disabled"));
        }
        let mut keys = self.live_account_keys(&account).await?;
        if let Some(kid) = jwt.kid() {
            keys.retain(|key| key.kid() == kid);
        }
        match keys.iter().any(|key| jwt.is_signed_by(key)) {
            true => Ok(Signer::Own(account)),
            // A key that was deleted or disabled, or is another account's, or did not make this signature.
            false if is_known || (jwt.kid().is_some() && !keys.is_empty()) => Err(invalid_signature()),
            // Node's library names no key.
            false if self.is_signed_by_a_known_key(jwt, &account).await? => Err(invalid_signature()),
            false => Ok(Signer::Foreign),
        }
    }

    /// Whether a user-managed key of the account's project made the signature, whether it still counts or not.
    async fn is_signed_by_a_known_key(&self, jwt: &SelfSigned<'_>, account: &ServiceAccount) -> Result<bool> {
        let query = Query::new(Kind::ServiceAccountKey, account.project.to_string());
        for record in self.store().list(&query).await? {
            let key = AccountKey::from_record(record)?;
            let key = PublishedKey::from_certificate(&key.spec.certificate).map_err(Error::internal)?;
            if jwt.is_signed_by(&key) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The keys with which an account can sign now: its own, and the system key if there is one.
    async fn live_account_keys(&self, account: &ServiceAccount) -> Result<Vec<PublishedKey>> {
        let system = self.keys().account_key_if_made(&account.account).await.map_err(Error::internal)?;
        let mut live: Vec<PublishedKey> = system.into_iter().collect();
        live.extend(self.live_user_keys(account).await?);
        Ok(live)
    }

    /// The user-managed keys with which an account can sign now.
    pub(crate) async fn live_user_keys(&self, account: &ServiceAccount) -> Result<Vec<PublishedKey>> {
        let now = self.now();
        let stored = self.user_keys(account).await?;
        let live = stored.iter().filter(|key| key.is_live(now));
        live.map(|key| PublishedKey::from_certificate(&key.spec.certificate).map_err(Error::internal))
            .collect()
    }

    /// The user-managed keys of an account, those that were deleted too, the newest first.
    pub(crate) async fn user_keys(&self, account: &ServiceAccount) -> Result<Vec<AccountKey>> {
        let mut query = Query::new(Kind::ServiceAccountKey, account.project.to_string());
        query.parent = Some(account.account.email.clone());
        let stored = self.store().list(&query).await?.into_iter().map(AccountKey::from_record);
        let stored: Vec<AccountKey> = stored.collect::<Result<_>>()?;
        Ok(stored.into_iter().filter(|key| key.belongs_to(&account.account)).collect())
    }
}
