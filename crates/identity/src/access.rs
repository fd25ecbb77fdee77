//! What is an access token made of?
//!
//! Google's is opaque; ours begins like it and holds what it stands for, so that it needs no table and
//! outlives a restart: `ya29.`, then base64url of a 32-byte HMAC-SHA256 and of the claims that it
//! covers, as JSON.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use groundrun_model::Timestamp;
use groundrun_model::account::Account;
use serde::{Deserialize, Serialize};

use crate::error::TokenError;
use crate::verifier::check_not_ended;

/// How every access token of Google begins.
pub(crate) const PREFIX: &str = "ya29.";

/// The bytes of an HMAC-SHA256.
const TAG_BYTES: usize = 32;

/// What a verified access token stands for. Only [`crate::Keys::verify_access_token`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    account: Account,
    scopes: Vec<String>,
    expires: Timestamp,
}

impl AccessClaims {
    /// The account that the token was made for.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The OAuth scopes that it was made for, as they were asked for.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When it ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }
}

/// The claims as the token carries them.
#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    email: Cow<'a, str>,
    /// The unique id, where it does not follow from the address: of an account that was created anew, and
    /// of an identity that has no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<Cow<'a, str>>,
    scopes: Cow<'a, [String]>,
    /// In seconds since the epoch.
    exp: i64,
}

/// An access token for this account that ends at `expires`, in whole seconds.
pub(crate) fn make(
    secret: &hmac::Key,
    account: &Account,
    scopes: &[String],
    expires: Timestamp,
) -> serde_json::Result<String> {
    let sub = (Account::new(&account.email) != *account).then(|| Cow::from(&account.unique_id));
    let email = (&account.email).into();
    let claims = Claims { email, sub, scopes: scopes.into(), exp: expires.seconds() };
    let claims = serde_json::to_vec(&claims)?;
    let mut sealed = hmac::sign(secret, &claims).as_ref().to_vec();
    sealed.extend(claims);
    Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(sealed)))
}

/// The claims of an access token that was made with one of these secrets and has not ended.
pub(crate) fn verify<'s>(
    secrets: impl Iterator<Item = &'s hmac::Key>,
    token: &str,
    now: Timestamp,
) -> Result<AccessClaims, TokenError> {
    let body = token.strip_prefix(PREFIX).ok_or(TokenError::NotAnAccessToken)?;
    let sealed = BASE64_URL_SAFE_NO_PAD.decode(body).map_err(|_| TokenError::ForeignAccessToken)?;
    let (tag, bytes) = sealed.split_at_checked(TAG_BYTES).ok_or(TokenError::ForeignAccessToken)?;
    let claims: Claims<'_> = serde_json::from_slice(bytes).map_err(|_| TokenError::ForeignAccessToken)?;
    // It reads like one of ours; whether it is one, only the seal tells.
    let mut secrets = secrets.peekable();
    if secrets.peek().is_none() {
        return Err(TokenError::ForeignAccessToken);
    }
    if !secrets.any(|secret| hmac::verify(secret, bytes, tag).is_ok()) {
        return Err(TokenError::BrokenAccessToken);
    }
    check_not_ended(claims.exp, now)?;
    Ok(AccessClaims {
        account: match claims.sub {
            Some(sub) => Account { email: claims.email.into_owned(), unique_id: sub.into_owned() },
            None => Account::new(&claims.email),
        },
        scopes: claims.scopes.into_owned(),
        expires: Timestamp::from_seconds(claims.exp),
    })
}
