//! Is this an ID token that Google, which here is this emulator, signed and that has not ended?

use std::sync::Arc;

use groundrun_model::Timestamp;
use groundrun_model::token::{ISSUER, IdClaims};
use serde::Deserialize;

use crate::access;
use crate::account_keys::AccountKeys;
use crate::cache::Remembered;
use crate::error::{TokenError, printable};
use crate::jwt::{LONGEST_BYTES, Parts};
use crate::ring::{Held, Ring};

/// The other spelling of the issuer, which Google's libraries accept too.
const ISSUER_WITHOUT_SCHEME: &str = "accounts.google.com";

/// How far ahead of this clock the clock of an issuer may be, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 300;

/// Verifies ID tokens. Cheap to clone, and never waits: neither for a lock nor for a key.
#[derive(Debug, Clone)]
pub struct Verifier {
    pub(crate) ring: Arc<Ring>,
    pub(crate) accounts: Arc<AccountKeys>,
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
    /// The token must be no longer than 16 KiB, have three parts, be signed with RS256 by a key that
    /// vouches for ID tokens at that moment (the current one, one that was rotated out less than an hour
    /// ago, one that the user imported), be issued by `https://accounts.google.com` or
    /// `accounts.google.com`, have one audience, not have ended, not have been issued more than 300 s in
    /// the future and not begin (`nbf`) more than 300 s in the future. There is no allowance for skew at
    /// its end: at the very second of `exp` it has ended. Whether the audience is the right one is for the
    /// caller to decide.
    ///
    /// A token that passed is remembered: at the next use only the time is asked again.
    ///
    /// # Errors
    /// The first of these rules that the token breaks. As long as no key has been made, every token is
    /// signed by an unknown one.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Verified, TokenError> {
        if token.len() > LONGEST_BYTES {
            return Err(TokenError::TooLong { bytes: token.len() });
        }
        let tokens = &self.ring.verified;
        if let Some(known) = tokens.get(token).filter(|known| now < known.key_ends) {
            check_time(&known, now)?;
            return Ok(Verified { claims: known.claims });
        }
        if token.starts_with(access::PREFIX) {
            return Err(TokenError::AccessToken);
        }
        let held = self.ring.held();
        let verified = self.read(token, &held, now)?;
        tokens.insert(token, &verified);
        if !self.ring.still_holds(&held) {
            // The keys changed meanwhile, and the cache may have been emptied already.
            tokens.remove(token);
        }
        Ok(Verified { claims: verified.claims })
    }

    fn read(&self, token: &str, held: &Held, now: Timestamp) -> Result<Remembered, TokenError> {
        let parts = Parts::of(token)?;
        let header = parts.header()?;
        if header.alg != "RS256" {
            return Err(TokenError::Algorithm { alg: printable(&header.alg) });
        }
        let kid = header.kid.ok_or(TokenError::NoKeyId)?;
        let (key, key_ends) = held.find(&kid, now)?.ok_or_else(|| self.unknown(&kid))?;
        let payload = parts.payload_signed_by(&key)?;
        let claims = read_claims(&payload)?;
        check_issuer(&claims)?;
        let not_before = read_not_before(&payload)?.unwrap_or(i64::MIN);
        let read = Remembered { claims: Arc::new(claims), not_before, key_ends };
        check_time(&read, now)?;
        Ok(read)
    }

    /// Why a key does not count that is none of the ring's.
    fn unknown(&self, kid: &str) -> TokenError {
        let owner = self.accounts.owner(kid);
        let kid = printable(kid);
        match owner {
            Some(email) => TokenError::ServiceAccountKey { kid, email },
            None => TokenError::UnknownKey { kid },
        }
    }
}

/// The claim `nbf`, which Google's own tokens do not have.
fn read_not_before(payload: &[u8]) -> Result<Option<i64>, TokenError> {
    #[derive(Deserialize)]
    struct NotBefore {
        nbf: Option<i64>,
    }
    serde_json::from_slice(payload)
        .map(|claims: NotBefore| claims.nbf)
        .map_err(|error| TokenError::Claims { reason: printable(&error.to_string()) })
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

fn check_time(token: &Remembered, now: Timestamp) -> Result<(), TokenError> {
    check_not_ended(token.claims.exp, now)?;
    let latest = now.plus_seconds(CLOCK_SKEW_SECONDS);
    let ahead = |seconds: i64| {
        let at = Timestamp::from_seconds(seconds);
        (at > latest).then(|| (at, seconds.saturating_sub(now.seconds())))
    };
    if let Some((at, ahead_seconds)) = ahead(token.claims.iat) {
        return Err(TokenError::NotYetIssued { at, ahead_seconds });
    }
    if let Some((at, ahead_seconds)) = ahead(token.not_before) {
        return Err(TokenError::NotYetValid { at, ahead_seconds });
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
