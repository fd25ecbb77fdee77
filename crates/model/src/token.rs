//! What does an ID token claim?

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::time::Timestamp;

/// The issuer of every Google ID token.
pub const ISSUER: &str = "https://accounts.google.com";

/// How long an ID token lives, in seconds.
pub const LIFETIME_SECONDS: i64 = 3600;

/// The claims of a Google ID token, in the order that they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// The audience: the service that this token may be shown to.
    pub aud: String,
    /// The authorized party: of a service account, its unique id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// The address, only if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Always true beside an email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// When it ends, in seconds since the epoch.
    pub exp: i64,
    /// What Google says of the account beyond the standard, only if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub google: Option<GoogleClaims>,
    /// The Workspace domain of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hd: Option<String>,
    /// When it was issued, in seconds since the epoch.
    pub iat: i64,
    /// Who issued it.
    pub iss: String,
    /// The unique id of the account.
    pub sub: String,
}

/// The claim `google`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoogleClaims {
    /// The number of the organization that the account belongs to; null if it belongs to none.
    #[serde(default)]
    pub organization_number: Option<i64>,
}

impl IdClaims {
    /// The claims of a token for `account`, as `generateIdToken` makes them: without the email unless
    /// `include_email`.
    pub fn new(account: &Account, audience: &str, include_email: bool, now: Timestamp) -> Self {
        Self {
            aud: audience.to_owned(),
            azp: Some(account.unique_id.clone()),
            email: include_email.then(|| account.email.clone()),
            email_verified: include_email.then_some(true),
            exp: now.seconds() + LIFETIME_SECONDS,
            google: None,
            hd: None,
            iat: now.seconds(),
            iss: ISSUER.to_owned(),
            sub: account.unique_id.clone(),
        }
    }
}
