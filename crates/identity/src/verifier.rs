//! Is this an ID token that Google, which here is this emulator, signed and that has not ended?

use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::token::{ISSUER, IdClaims};

use crate::access;
use crate::cache::VerifiedTokens;
use crate::error::{TokenError, printable};
use crate::jwt::Parts;
use crate::signing_key::SigningKey;
use crate::slot::Slot;

/// The other spelling of the issuer, which Google's libraries accept too.
const ISSUER_WITHOUT_SCHEME: &str = "accounts.google.com";

/// How far ahead of this clock the clock of an issuer may be, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Verifies ID tokens. Cheap to clone, and never waits: neither for a lock nor for a key.
#[derive(Debug, Clone)]
pub struct Verifier {
    pub(crate) id_tokens: Arc<Slot>,
    pub(crate) service_accounts: Arc<Slot>,
    pub(crate) verified: VerifiedTokens,
}

/// The claims of an ID token whose signature, issuer and time were verified. Only [`Verifier::verify`]
/// makes one.
///
/// It was true at the `now` of that call: who keeps one has to look at `exp` again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    claims: Arc<IdClaims>,
}

impl Verified {
    /// What the token claims.
    pub fn claims(&self) -> &IdClaims {
        &self.claims
    }
}

impl Verifier {
    /// Verifies an ID token at the moment `now`.
    ///
    /// The token must have three parts, be signed with RS256 by the key of the ID tokens, be issued by
    /// `https://accounts.google.com` or `accounts.google.com`, have one audience, not have ended and not
    /// have been issued more than 300 s in the future. There is no allowance for skew at its end: at
    /// the very second of `exp` it has ended. Whether the audience is the right one is for the caller
    /// to decide.
    ///
    /// A token that passed is remembered: at the next use only the time is asked again.
    ///
    /// # Errors
    /// The first of these rules that the token breaks. As long as no key has been made, every token is
    /// signed by an unknown one.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if let Some(claims) = self.verified.get(token) {
            check_time(&claims, now)?;
            return Ok(Verified { claims });
        }
        if token.starts_with(access::PREFIX) {
            return Err(TokenError::AccessToken);
        }
        let parts = Parts::of(token)?;
        let header = parts.header()?;
        if header.alg != "RS256" {
            return Err(TokenError::Algorithm { alg: printable(&header.alg) });
        }
        let key = self.key(&header.kid.ok_or(TokenError::NoKeyId)?)?;
        let claims = read_claims(&parts.payload_signed_by(key)?)?;
        check_issuer(&claims)?;
        check_time(&claims, now)?;
        let claims = Arc::new(claims);
        self.verified.insert(token, &claims);
        Ok(Verified { claims })
    }

    fn key(&self, kid: &str) -> Result<&SigningKey, TokenError> {
        let is = |key: &&SigningKey| key.kid() == kid;
        if let Some(key) = self.id_tokens.ready().filter(is) {
            return Ok(key);
        }
        let kid = printable(kid);
        Err(match self.service_accounts.ready().filter(is) {
            Some(_) => TokenError::ServiceAccountKey { kid },
            None => TokenError::UnknownKey { kid },
        })
    }
}

fn read_claims(payload: &[u8]) -> Result<IdClaims, TokenError> {
    serde_json::from_slice(payload).map_err(|error| {
        let audience = serde_json::from_slice(payload)
            .ok()
            .and_then(|claims: serde_json::Value| claims.get("aud").map(serde_json::Value::is_string));
        match audience {
            Some(false) => TokenError::Audience,
            _ => TokenError::Claims { reason: printable(&error.to_string()) },
        }
    })
}

fn check_issuer(claims: &IdClaims) -> Result<(), TokenError> {
    if claims.iss == ISSUER || claims.iss == ISSUER_WITHOUT_SCHEME {
        return Ok(());
    }
    Err(TokenError::Issuer { issuer: printable(&claims.iss) })
}

fn check_time(claims: &IdClaims, now: Timestamp) -> Result<(), TokenError> {
    check_not_ended(claims.exp, now)?;
    let at = Timestamp::from_seconds(claims.iat);
    if at > now.plus_seconds(CLOCK_SKEW_SECONDS) {
        let ahead_seconds = claims.iat.saturating_sub(now.seconds());
        return Err(TokenError::NotYetIssued { at, ahead_seconds });
    }
    Ok(())
}

/// Refuses what ended at the second `exp` or before `now`: RFC 7519 wants `now` before `exp`.
pub(crate) fn check_not_ended(exp: i64, now: Timestamp) -> Result<(), TokenError> {
    let at = Timestamp::from_seconds(exp);
    if now >= at {
        return Err(TokenError::Ended { at, ago_seconds: now.seconds().saturating_sub(exp) });
    }
    Ok(())
}
